"""What Prometheus knows of the last hours, for whoever reads the status page.

Queried when somebody loads it, kept for a while, and given up soon: a page must come whether Prometheus answers or not.
"""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.slo.evaluation.sampling import key_of
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Series
from wine_slo.slo.views.series import History

KNOWN_FOR = timedelta(seconds=10)  # a page that ten people read queries once
TIME_BOX = 2.0  # seconds for all of the answers
MOST_SETS = 300  # label sets of one objective; a page shows fewer, and all of them are queried
MOST_KNOWN = 12  # answers that are kept
POINTS = 90  # of one line; more than a phone shows

Wanted = tuple[timedelta, frozenset[str]]  # a span, and the names of objectives


class SeriesSource:
    """Queries how everything went, at most once in ten seconds for each span and page.

    Args:
        api: Prometheus.
        snapshot: What is known now.
        time_box: Seconds after which an answer is not waited for any more.
    """

    def __init__(
        self,
        api: MetricSource,
        snapshot: Snapshot,
        time_box: float = TIME_BOX,
    ) -> None:
        self._api = api
        self._snapshot = snapshot
        self._time_box = time_box
        self._known: OrderedDict[Wanted, tuple[History, datetime]] = OrderedDict()
        self._querying: WeakValueDictionary[Wanted, asyncio.Lock] = WeakValueDictionary()

    async def over(self, span: timedelta, names: frozenset[str]) -> History:
        """Return how objectives of these names went over a span that ends now.

        What was last known, and the trouble, where nobody says. Of an objective with very many label sets nothing is
        queried, as each answer would have all of them.
        """
        sets = Counter(key.objective for key in self._snapshot.state.tracks)
        wanted = (span, frozenset(each for each in names if sets[each] <= MOST_SETS))
        lock = self._querying.setdefault(wanted, asyncio.Lock())
        async with lock:
            now = self._snapshot.now()
            known, sent_at = self._known.get(wanted, (None, now))
            if known is None or now - sent_at >= KNOWN_FOR:
                known = await self._query(wanted, now, known)
                self._known[wanted] = (known, self._snapshot.now())
                self._known.move_to_end(wanted)
                while len(self._known) > MOST_KNOWN:
                    self._known.popitem(last=False)
            return known

    async def _query(self, wanted: Wanted, now: datetime, known: History | None) -> History:
        span, names = wanted
        step = timedelta(seconds=max(1, round(span.total_seconds() / POINTS)))
        fresh = History(first=now - span, last=now, step=step, names=names)
        try:
            async with asyncio.timeout(self._time_box):
                answers = await asyncio.gather(
                    *(
                        self._query_objective(each, fresh)
                        for each in self._snapshot.objectives.all
                        if each.name in names
                    )
                )
        except MetricSourceError as error:
            return replace(known or fresh, trouble=str(error))
        except TimeoutError:
            return replace(known or fresh, trouble="it did not answer in time")
        return replace(fresh, values={key: points for each in answers for key, points in each.items()})

    async def _query_objective(self, objective: Objective, history: History) -> dict[Key, dict[float, float]]:
        over = max(history.step, 4 * objective.scrape_interval)  # a rate needs two samples, also where one is missed
        found: list[Series] = await self._api.query_range(
            promql.value(objective, over), history.first, history.last, history.step
        )
        return {key_of(objective, each.labels): each.points for each in found}
