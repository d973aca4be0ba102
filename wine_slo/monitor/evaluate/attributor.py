"""Who is to blame for a breach, or for what burns an error budget: the queries that compare the labels of its series.

No alert waits for them: what is not there within a second is found at a later evaluation. Nothing is queried while
all is well.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from wine_slo.slo.attribution.attribution import Attribution, Share, attribute
from wine_slo.slo.attribution.labels import labels_to_compare
from wine_slo.slo.backoff import Backoff
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import BadTime, bad_time
from wine_slo.slo.evaluation.reading import Reading
from wine_slo.slo.evaluation.rules import event_counts
from wine_slo.slo.evaluation.sampling import by_key, key_of
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective, Objectives
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Series

PATIENCE = 1.0  # seconds that an evaluation waits
REPEATED_AFTER = timedelta(seconds=30)  # of bad time; a message is edited once a minute at the most
RARELY_REPEATED_AFTER = timedelta(minutes=10)  # of a budget, which burns for hours, and of many at once
MANY = 500  # label sets of an objective at once, whose queries would take from a source the time to judge them
LONGEST_BURN = timedelta(hours=6)  # whose events are counted; those of days cost too much
RETRIES = Backoff(timedelta(seconds=2), REPEATED_AFTER)  # the same after failures: they may be too much for the source
MOST_SERIES = 3000  # whose labels are read
AT_ONCE = 4  # queries, so that those of the next evaluation need not queue
COUNTED = ("total", "good", "bad")  # of `promql.interval_queries`

log = logging.getLogger(__name__)


class Attributor:
    """Finds which labels' values carry the bad events of what is in breach.

    Args:
        api: The metric source.
    """

    def __init__(self, api: MetricSource) -> None:
        self._api = api
        self._until: dict[Key, datetime] = {}  # the end of the bad time that was attributed last, or was to be
        self._failures: dict[str, int] = {}  # in a row, by objective
        self._running: dict[str, asyncio.Task[dict[Key, Attribution]]] = {}  # by objective

    async def attributions(
        self, state: State, objectives: Objectives, readings: Mapping[Key, Reading], opening: Iterable[Key]
    ) -> dict[Key, Attribution]:
        """Return what was found since the last evaluation, by key.

        Args:
            state: What was known before this evaluation.
            objectives: All objectives.
            readings: What it reads.
            opening: What may be in breach from now on.
        """
        suspects, due = await asyncio.to_thread(self._due, state, objectives, readings, list(opening))  # of thousands
        self._until = {key: until for key, until in self._until.items() if key in suspects}
        for name, those in due.items():
            if name not in self._running:
                self._running[name] = asyncio.create_task(self._attribute(objectives.by_name[name], those))
        if not self._running:
            return {}
        await asyncio.wait(self._running.values(), timeout=PATIENCE)
        done = {name: task for name, task in self._running.items() if task.done()}
        self._running = {name: task for name, task in self._running.items() if name not in done}
        return {key: each for task in done.values() for key, each in task.result().items()}

    def _due(
        self, state: State, objectives: Objectives, readings: Mapping[Key, Reading], opening: Iterable[Key]
    ) -> tuple[Collection[Key], dict[str, dict[Key, BadTime]]]:
        """Return what may be in breach, and the bad time of what of that is to be attributed now, by objective."""
        burns = {each.key: each.burn for each in state.open_incidents if each.burn is not None}
        lasting = (each.key for each in state.open_incidents)
        suspects = {key for key in (*lasting, *opening) if key in readings and objectives.of(key) is not None}
        times = {
            key: bad_time(state.tracks.get(key), objectives.by_name[key.objective], readings[key]) for key in suspects
        } | {key: _window(burn, readings.get(replace(key, alert=Alert.BREACH))) for key, burn in burns.items()}
        counts, due = Counter(key.objective for key in times), dict[str, dict[Key, BadTime]]()
        for key, bad in times.items():
            objective = objectives.of(key)
            if bad is not None and objective and objective.breakdown != () and self._is_due(key, bad, counts):
                due.setdefault(key.objective, {})[key] = bad
        return times.keys(), due

    def _is_due(self, key: Key, bad: BadTime, counts: Mapping[str, int]) -> bool:
        until, wait = self._until.get(key), self._wait(key.objective)
        if key.alert is not Alert.BREACH or counts[key.objective] > MANY:
            wait = max(wait, RARELY_REPEATED_AFTER)
        return until is None or abs(bad.last - until) >= wait

    def _wait(self, name: str) -> timedelta:
        """Return after how much more bad time an objective is due again; the longer the more often it has failed."""
        failures = self._failures.get(name)
        return REPEATED_AFTER if failures is None else RETRIES.wait(failures)

    async def _attribute(self, objective: Objective, times: Mapping[Key, BadTime]) -> dict[Key, Attribution]:
        """Return what is found about each key of an objective; nothing where it cannot be found."""
        try:
            found = await self._compare(objective, times)
        except (MetricSourceError, RuntimeError, ValueError, ArithmeticError) as error:  # RuntimeError: it is closed
            if objective.name not in self._failures:
                log.info("who is to blame for %s is not known: %s", objective.name, error)
        except Exception:  # whatever it is, it is no reason not to judge
            log.exception("who is to blame for %s is not known", objective.name)
        else:
            self._failures.pop(objective.name, None)
            return found
        finally:
            self._until |= {key: bad.last for key, bad in times.items()}
        self._failures[objective.name] = self._failures.get(objective.name, 0) + 1
        return {}

    async def _compare(self, objective: Objective, times: Mapping[Key, BadTime]) -> dict[Key, Attribution]:
        """Return what the labels of an objective's series say.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        series = (await self._api.query(promql.label_sets(objective, MOST_SERIES))).samples
        labels = labels_to_compare(objective, (each.labels for each in series))
        free = asyncio.Semaphore(AT_ONCE)
        breaches = {key: bad for key, bad in times.items() if key.alert is Alert.BREACH}
        burns = {key: bad for key, bad in times.items() if key not in breaches}

        async def table(label: str) -> dict[Key, list[Share]]:
            found = await self._shares(objective, label, breaches, free) if breaches else {}
            for key, bad in burns.items():
                found[key] = await self._shares_of_burn(objective, label, key, bad, free)
            return found

        tables = await asyncio.gather(*map(table, labels))
        shares = dict(zip(labels, tables, strict=True))
        return await asyncio.to_thread(_attributions, times, shares, objective.allowed_bad_ratio)

    async def _shares_of_burn(
        self, objective: Objective, label: str, key: Key, bad: BadTime, free: asyncio.Semaphore
    ) -> list[Share]:
        """Return the bad events of a window and all of them, as the error budget counts them, by the values of a label.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        by_label, span = replace(objective.as_budgeted, by=(*objective.by, label)), bad.last - bad.first
        async with free:
            events = by_key(by_label, (await self._api.query(promql.events(by_label, span))).samples)
            good = by_key(by_label, (await self._api.query(promql.good_ratio(by_label, span))).samples)
        return [
            Share(own.labels[-1][1], max(0.0, (1 - good.get(own, 1.0)) * count), max(0.0, count))
            for own, count in events.items()
            if own.labels[:-1] == key.labels
        ]

    async def _shares(
        self, objective: Objective, label: str, times: Mapping[Key, BadTime], free: asyncio.Semaphore
    ) -> dict[Key, list[Share]]:
        """Return the bad events and all of them by the values of a label, by key.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        by_label = replace(objective, by=(*objective.by, label))
        step, last = objective.scrape_interval, max(each.last for each in times.values())
        count = ceil((last - min(each.first for each in times.values())) / step)

        async def answer(query: str | None) -> list[Series]:
            if query is None:
                return []
            async with free:
                return await self._api.query_range(query, last - (count - 1) * step, last, step)

        queries = promql.interval_queries(by_label)
        answers = await asyncio.gather(*(answer(queries[each]) for each in COUNTED))
        return await asyncio.to_thread(_shares, by_label, times, *answers)


def _attributions(
    times: Mapping[Key, BadTime], shares: Mapping[str, Mapping[Key, list[Share]]], allowed: float
) -> dict[Key, Attribution]:
    """Return what the shares of each label's values say of each key."""
    return {
        key: attribute({label: table.get(key, []) for label, table in shares.items()}, allowed, bad.last - bad.first)
        for key, bad in times.items()
    }


def _window(burn: Burn, reading: Reading | None) -> BadTime | None:
    """Return the window over which a budget burns, as much of it as is counted; None where nothing can be seen."""
    if reading is None or not reading.sight.is_seeing:
        return None
    return BadTime(reading.at - min(burn.long, LONGEST_BURN), reading.at)


def _shares(
    by_label: Objective, times: Mapping[Key, BadTime], total: list[Series], good: list[Series], bad: list[Series]
) -> dict[Key, list[Share]]:
    """Return the bad events and all of them by the values of the last label of an objective, by key without it."""
    sums = [
        {
            own: _within(each.points, times[key], by_label.scrape_interval)
            for each in answer
            if (key := replace(own := key_of(by_label, each.labels), labels=own.labels[:-1])) in times
        }
        for answer in (total, good, bad)
    ]
    counts_good = promql.good_per_interval(by_label) is not None
    found: dict[Key, list[Share]] = {}
    for own in sums[0].keys() | sums[2].keys():
        rates = [each.get(own, 0.0) for each in sums]
        events, failed = event_counts(by_label, rates[0], rates[1] if counts_good else None, rates[2])
        share = Share(own.labels[-1][1], max(0.0, failed), max(0.0, events))
        found.setdefault(replace(own, labels=own.labels[:-1]), []).append(share)
    return found


def _within(points: Mapping[float, float], bad: BadTime, step: timedelta) -> float:
    """Return the sum of the values of the intervals that ended in a bad time; their ends jitter a little."""
    first, last = (bad.first + step / 2).timestamp(), (bad.last + step / 2).timestamp()
    return sum(value for at, value in points.items() if first <= at <= last)
