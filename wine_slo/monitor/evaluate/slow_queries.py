"""What changes slowly and is queried seldom: error budgets and bucket bounds."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from wine_slo.slo.evaluation.sampling import by_key
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import SELDOM, Budget, budgets_by_key, stays_known_for, windows
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Vector, finite_bounds

LONGEST_HISTORY = timedelta(days=36_500)  # no source has kept samples for longer

log = logging.getLogger(__name__)


class Bounds:
    """The bucket bounds of the histograms; queried seldom, as they change only with a release of the service."""

    def __init__(self, api: MetricSource, steady: Callable[[], float]) -> None:
        self._api = api
        self._steady = steady
        self._known: dict[str, tuple[float, tuple[float, ...]]] = {}

    async def read(self, objective: Objective) -> tuple[float, ...]:
        """Return the finite bounds of an objective's histogram in seconds, ascending; empty where they are unknown."""
        query, now = promql.bucket_bounds(objective), self._steady()
        if query is None:
            return ()
        sent_at, bounds = self._known.get(query, (None, ()))
        if sent_at is None or not bounds or now - sent_at >= SELDOM.total_seconds():
            try:
                bounds = finite_bounds((await self._api.query(query)).samples, objective.source.unit_of_values)
            except MetricSourceError as error:
                log.info("the bucket bounds of %s are not known anew: %s", objective.name, error)
            else:
                self._known[query] = (now, bounds)
        return bounds


class Budgets:
    """What is known of the error budgets; long windows are queried seldom, as little changes in them."""

    def __init__(self, api: MetricSource, steady: Callable[[], float]) -> None:
        self._api = api
        self._steady = steady
        # By objective too: two of them may have the same query, and each has the answer by keys of its own.
        self._known: dict[tuple[str, str], tuple[float, dict[Key, float]]] = {}

    async def read(self, objective: Objective) -> dict[Key, Budget]:
        """Return what is known of an objective's budgets, by key.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective = objective.as_budgeted
        history = await self._query(objective, promql.seconds_of_history(objective), self._known_for(objective), _span)
        known_for = _history(history)
        spans = windows(objective)
        events, *ratios = await asyncio.gather(
            self._query(objective, promql.events(objective, objective.window), known_for, _count),
            *(
                self._query(objective, promql.good_ratio(objective, each), min(each, known_for), _share)
                for each in spans
            ),
        )

        def budgets() -> dict[Key, Budget]:
            bad_ratios = {
                span: {key: 1 - share for key, share in each.items()} for span, each in zip(spans, ratios, strict=True)
            }
            return budgets_by_key(objective, known_for, events, bad_ratios)

        return await asyncio.to_thread(budgets)

    def _known_for(self, objective: Objective) -> timedelta:
        """Return how long the history was when it was last queried."""
        return _history(self._known.get((objective.name, promql.seconds_of_history(objective)), (None, {}))[1])

    async def _query(
        self, objective: Objective, query: str, span: timedelta, check: Callable[[float], float]
    ) -> dict[Key, float]:
        """Return the answer to a query over a span, not too old for it; what `check` refuses is not kept."""
        now = self._steady()
        sent_at, answer = self._known.get((objective.name, query), (None, {}))
        if sent_at is None or now - sent_at >= stays_known_for(span).total_seconds():
            vector = await self._api.query(query)
            found = await asyncio.to_thread(by_key, objective, vector.samples)
            answer = {key: check(value) for key, value in found.items()}
            self._known[objective.name, query] = (now, answer)
        return answer


def known_for(vector: Vector) -> timedelta | None:
    """Return for how long the source has known a job, by the answer to `seconds_of_history`; None where it does not.

    Raises:
        MetricSourceError: It says what cannot be.
    """
    return max((timedelta(seconds=_span(each.value)) for each in vector.samples), default=None)


def _history(answer: Mapping[Key, float]) -> timedelta:
    return timedelta(seconds=next(iter(answer.values()), 0.0))


def _span(seconds: float) -> float:
    if not 0 <= seconds <= LONGEST_HISTORY.total_seconds():
        raise MetricSourceError("its answer has {text} where a span of time belongs", text=f"{seconds:g}")
    return seconds


def _count(events: float) -> float:
    """Return how many events there were; a counter that went down is stretched to less than none."""
    return max(0.0, events)


def _share(ratio: float) -> float:
    """Return a share of good events; more than all and less than none are rounding, or counters that do not match."""
    return min(1.0, max(0.0, ratio))
