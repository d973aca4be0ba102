"""What changes slowly and is queried seldom: error budgets and bucket bounds."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

from wine_slo.monitor.evaluate.queries.aside import worked_out
from wine_slo.slo.evaluation.sampling import by_key
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import SELDOM, Budget, budgets_by_key, reach, stays_known_for, windows
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.objectives.window import Period
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Vector, finite_bounds

LONGEST_HISTORY = timedelta(days=36_500)  # no source has kept samples for longer
AN_HOUR = timedelta(hours=1)  # to which history is known; a calendar window need not begin with one
JUST_KNOWN = timedelta(minutes=1)  # the same of a history of less than that, with how old the answer may be

Check = Callable[[float], float]

log = logging.getLogger(__name__)


class Query(Enum):
    """A query about a budget that is not about one of its windows."""

    HISTORY = auto()  # for how long the source has known the job
    EVENTS = auto()  # all events in the compliance window


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


@dataclass(slots=True)
class _Answers:
    """What is known of one objective: each answer by the span that it is about, and when it was queried.

    Attributes:
        objective: Whose; another one of that name has answers of its own.
        begins_at: When the turn of its calendar window began that they are about.
        known: By what was queried.
    """

    objective: Objective
    begins_at: datetime | None
    known: dict[Query | timedelta, tuple[float, dict[Key, float]]] = field(default_factory=dict)


class Budgets:
    """What is known of the error budgets; long windows are queried seldom, as little changes in them."""

    def __init__(self, api: MetricSource, steady: Callable[[], float]) -> None:
        self._api = api
        self._steady = steady
        self._answers: dict[str, _Answers] = {}

    async def read(self, objective: Objective, now: datetime) -> dict[Key, Budget]:
        """Return what is known of an objective's budgets, by key.

        Args:
            objective: Whose.
            now: The instant, which says what has passed of a calendar window.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective = objective.as_budgeted
        period = objective.period(now)
        answers = self._answers_of(objective, period)

        async def query(what: Query | timedelta, text: str, span: timedelta, check: Check) -> dict[Key, float]:
            return await self._query(answers, what, text, span, check)

        def back(window: timedelta) -> timedelta:
            return reach(window, objective, period)

        def check_history(seconds: float) -> float:
            return min(_span(seconds), back(objective.window).total_seconds())

        within = history_within(objective, period)
        history = await query(
            Query.HISTORY, promql.seconds_of_history(objective, within), self._known_for(answers), check_history
        )
        known_for = _history(history)
        spans = {each: _queried_for(each, objective, known_for, back) for each in windows(objective)}
        queried = tuple(dict.fromkeys(spans.values()))
        events, *ratios = await asyncio.gather(
            query(Query.EVENTS, promql.events(objective, back(objective.window)), known_for, _count),
            *(query(each, promql.good_ratio(objective, back(each)), min(each, known_for), _share) for each in queried),
        )

        def budgets() -> dict[Key, Budget]:
            found = {
                span: {key: 1 - share for key, share in each.items()}
                for span, each in zip(queried, ratios, strict=True)
            }
            bad_ratios = {span: found[each] for span, each in spans.items()}
            return budgets_by_key(objective, known_for, events, bad_ratios, period)

        return await worked_out(len(events), budgets)

    def _answers_of(self, objective: Objective, period: Period | None) -> _Answers:
        """Return what is known of an objective; nothing where its calendar window has begun anew."""
        begins_at = None if period is None else period.begins_at
        known = self._answers.get(objective.name)
        if known is None or known.objective != objective or known.begins_at != begins_at:
            known = self._answers[objective.name] = _Answers(objective, begins_at)
        return known

    def _known_for(self, answers: _Answers) -> timedelta:
        """Return how long the history was when it was last queried."""
        return _history(answers.known.get(Query.HISTORY, (None, {}))[1])

    async def _query(
        self, answers: _Answers, what: Query | timedelta, text: str, span: timedelta, check: Check
    ) -> dict[Key, float]:
        """Return the answer to a query over a span, not too old for it; what `check` refuses is not kept."""
        now = self._steady()
        sent_at, answer = answers.known.get(what, (None, {}))
        if sent_at is None or now - sent_at >= stays_known_for(span).total_seconds():
            samples = (await self._api.query(text)).samples
            found = await worked_out(len(samples), lambda: by_key(answers.objective, samples))
            answer = {key: check(value) for key, value in found.items()}
            answers.known[what] = (now, answer)
        return answer


def _queried_for(
    window: timedelta, objective: Objective, history: timedelta, back: Callable[[timedelta], timedelta]
) -> timedelta:
    """Return the window whose answer is that of a window: of those that hold all history, the shortest one.

    Args:
        window: One of the objective's.
        objective: Whose.
        history: For how long the source has known the job, as exactly as that is known; 0 where it is not.
        back: Returns how far back a window goes.
    """
    whole = history + (JUST_KNOWN if history < AN_HOUR - JUST_KNOWN else AN_HOUR + SELDOM)
    hold_all = (each for each in windows(objective) if history and back(each) >= whole)
    return min(window, next(hold_all, window))


def history_within(objective: Objective, period: Period | None) -> timedelta:
    """Return how far back it matters for how long the source has known a job."""
    return reach(objective.window, objective, period) + (timedelta(0) if period is None else AN_HOUR)


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
