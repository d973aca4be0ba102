"""Looking at Prometheus: what is asked, and the state after it.

Questions are asked side by side and are as many for a thousand label sets as for one. What cannot be asked or judged is
blind for that objective, whatever was raised, and costs the others nothing. Many label sets take seconds to judge, so
that is done in a thread: the event loop is free meanwhile.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.metric_names import SHA256
from wine_slo.slo.evaluation.deployment import LOOKS_BACK, Deployment, last_change
from wine_slo.slo.evaluation.engine import CLOCKS_AGREE, Interruption, State, advance, is_ahead
from wine_slo.slo.evaluation.metric_source import MetricSource, MetricSourceError, Sample, Series, Vector
from wine_slo.slo.evaluation.reading import Reading, Sight, unseen
from wine_slo.slo.evaluation.sampling import (
    OF_LATE,
    Answers,
    Grid,
    Scrapes,
    by_endpoint,
    by_key,
    finite_bounds,
    key_of,
    read,
    read_nothing,
    remembered,
)
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import SELDOM, Budget, stays_known_for, windows
from wine_slo.slo.objectives.objective import Key, Latency, Objective, Objectives
from wine_slo.slo.reason import Reason

MAX_LABEL_SETS = 3000  # of one objective; 168 MB and two seconds of processor time an evaluation
LONGEST_HISTORY = timedelta(days=36_500)  # no Prometheus has kept samples for longer

log = logging.getLogger(__name__)
CLOCK_FORMAT = "%Y-%m-%d %H:%M"  # not to the second, so that a message that says it is not edited all the time


class Collector:
    """Looks at Prometheus; remembers nothing but what its clock says and what is known of the budgets.

    Prometheus' clock is believed where it agrees with the clock of this machine, and between two evaluations time goes
    on by the steady clock, so that no clock that is set, here or there, moves the instants of a state.

    Args:
        api: Prometheus.
        clock: Reads the wall clock of this machine.
        steady: Reads, in seconds, a clock that nobody sets; where there is none, it is the wall clock.
    """

    def __init__(
        self, api: MetricSource, clock: Callable[[], datetime], steady: Callable[[], float] | None = None
    ) -> None:
        self._api = api
        self._clock = clock
        self._steady = steady or (lambda: clock().timestamp())
        self._last: tuple[datetime, float] | None = None  # the last evaluation by Prometheus' and by the steady clock
        self._is_by_prometheus = False  # whether that instant goes back to one of Prometheus' clock
        self._budgets = Budgets(api, self._steady)
        self._bounds = Bounds(api, self._steady)

    async def look(
        self,
        state: State,
        objectives: Objectives,
        unwritten: str = "",
        interruption: Interruption = Interruption.PAUSE,
    ) -> State:
        """The state after one look; after the first one, what the objectives' ranges show is known.

        Args:
            state: What was known.
            objectives: What is promised.
            unwritten: Why the ledger cannot be written; empty where it can.
            interruption: Why the last evaluation is as long ago as it is.
        """
        answers = await asyncio.gather(*(self._read_one(objective, state) for objective in objectives.all))
        readings = {key: reading for each in answers for key, reading in each.items()}
        seen = [reading.at for reading in readings.values() if reading.sight is not Sight.BLIND]
        now = max(seen, default=self.now() if self._is_by_prometheus else self._clock())
        self._is_by_prometheus |= bool(seen)
        if is_ahead(state, now):
            log.warning("the last evaluation is recorded at %s and it is %s now: it is dropped", state.looked_at, now)
        after = await asyncio.to_thread(_advance, state, objectives, readings, now, unwritten, interruption)
        self._last = (after.looked_at or now, self._steady())
        return await self._with_changes(state, after, objectives)

    def now(self) -> datetime:
        """The instant by Prometheus' clock, as far as it is known; every instant in a state is by that clock."""
        if self._last is None:
            return self._clock()
        instant, steady = self._last
        return instant + timedelta(seconds=self._steady() - steady)

    async def _with_changes(self, before: State, after: State, objectives: Objectives) -> State:
        """The state in which the incidents that were opened just now have the change of the model before them."""
        opened = [
            (incident, objective)
            for number, incident in after.incidents.items()
            if incident.is_open
            and (number not in before.incidents or before.incidents[number].openings < incident.openings)
            and (objective := objectives.of(incident.key)) is not None
        ]
        by_job = {objective.job: objective for _, objective in opened}  # one question, however many label sets
        changes = dict(zip(by_job, await asyncio.gather(*map(self._last_change, by_job.values())), strict=True))
        changed = {
            incident.number: replace(incident, change=change)
            for incident, objective in opened
            if (change := changes[objective.job]) is not None and change.may_have_caused(incident.since)
        }
        return replace(after, incidents={**after.incidents, **changed}) if changed else after

    async def _last_change(self, objective: Objective) -> Deployment | None:
        """The last change of the model; None also where it is not known, as nothing else waits for it."""
        try:
            seen = (await self._api.query(promql.model_first_seen(objective, LOOKS_BACK))).samples
            return last_change({each.labels.get(SHA256, ""): each.value for each in seen})
        except (MetricSourceError, ValueError, ArithmeticError) as error:
            log.info("whether the model of %s changed is not known: %s", objective.job, error)
            return None

    async def _read_one(self, objective: Objective, state: State) -> dict[Key, Reading]:
        """What is seen now, by key."""
        try:
            budgets, bounds = await asyncio.gather(self._budgets.read(objective), self._bounds.read(objective))
            return await _Look(self._api, objective, state, self.now(), budgets, bounds, self._clock).readings()
        except MetricSourceError as error:
            reason = Reason("Prometheus: {why}", {"why": error.reason})
            return _blind(objective, state, self.now(), reason, is_unanswered=not error.is_of_query)
        except Exception as error:  # whatever it is, people are told that nothing can be judged
            log.exception("%s cannot be evaluated", objective.name)
            return _blind(objective, state, self.now(), _unjudged(error))


def _blind(
    objective: Objective, state: State, now: datetime, reason: Reason, *, is_unanswered: bool = False
) -> dict[Key, Reading]:
    """Return that nothing can be seen of an objective."""
    reading = Reading(at=now, sight=Sight.BLIND, reason=reason, is_unanswered=is_unanswered)
    return dict.fromkeys(remembered(state, objective) or [Key(objective.name)], reading)


def _unjudged(error: Exception) -> Reason:
    return Reason("the answer of Prometheus cannot be evaluated ({error})", {"error": type(error).__name__})


def _advance(
    state: State,
    objectives: Objectives,
    readings: Mapping[Key, Reading],
    now: datetime,
    unwritten: str,
    interruption: Interruption,
) -> State:
    """Return the state after an evaluation; an objective whose readings cannot be judged is blind."""
    try:
        return advance(state, objectives, readings, now, unwritten, interruption)
    except Exception:
        log.exception("what was read cannot be judged")
        mended = dict(readings)
        for objective in objectives.all:
            mine = {key: each for key, each in readings.items() if key.objective == objective.name}
            try:
                advance(state, Objectives.only(objective), mine, now)
            except Exception as error:  # noqa: BLE001 - it is logged above, with all that is known
                for key in mine:
                    mended[key] = unseen(now, Sight.BLIND, _unjudged(error))
        return advance(state, objectives, mended, now, unwritten, interruption)


class _Look:
    """One look at one objective."""

    def __init__(
        self,
        api: MetricSource,
        objective: Objective,
        state: State,
        now: datetime,
        budgets: Mapping[Key, Budget],
        bounds: tuple[float, ...],
        clock: Callable[[], datetime],
    ) -> None:
        self._budgets = budgets
        self._bounds = bounds
        self._clock = clock
        self._api = api
        self._objective = objective
        self._state = state
        self._now = now

    async def readings(self) -> dict[Key, Reading]:
        """What is seen, by key.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, asked_at = self._objective, self._clock()
        up, scraped = await asyncio.gather(
            self._api.query(promql.targets_up(objective)), self._api.query(promql.targets_scraped_at(objective))
        )
        _compare_clocks(scraped.at, asked_at, self._clock())
        now = scraped.at or self._now
        scrapes = Scrapes(up.samples, scraped.samples)
        if not scrapes.at:
            gone = await self._api.query(promql.targets_of_late(objective))
            return read_nothing(objective, self._state, now, gone=round(sum(each.value for each in gone.samples)))

        grid = Grid.since_last_look(objective, self._state, scrapes.anchor, now)
        ranges, instants = await asyncio.gather(
            asyncio.gather(
                self._range(promql.total_per_interval(objective), grid),
                self._range(promql.good_per_interval(objective), grid),
                self._range(promql.bad_per_interval(objective), grid),
                self._range(promql.clear_per_interval(objective), grid),
                self._range(promql.oldest_age_per_interval(objective), grid),
            ),
            asyncio.gather(
                self._instant(promql.events(objective, OF_LATE)),
                self._instant(promql.events(objective, objective.over)),
                self._instant(promql.events(objective, objective.expires_after)),
                self._instant(promql.quantile(objective, objective.over)),
                self._instant(promql.quantile(objective, objective.recent)),
                self._instant(promql.good_ratio(objective, objective.over)),
                self._instant(promql.total_settled(objective)),
                self._instant(promql.part_settled(objective)),
                self._instant(promql.quantile_by_endpoint(objective, OF_LATE)),
            ),
        )
        return await asyncio.to_thread(self._read, now, scrapes, grid, ranges, instants)

    def _read(
        self,
        now: datetime,
        scrapes: Scrapes,
        grid: Grid,
        ranges: Sequence[Sequence[Series]],
        instants: Sequence[Sequence[Sample]],
    ) -> dict[Key, Reading]:
        """Read the answers to the questions of `readings`, in their order."""
        objective = self._objective
        total, good, bad, clear, ages = (
            {key_of(objective, series.labels): series.points for series in each} for each in ranges
        )
        *by_objective, endpoints = instants
        of_late, shown, long, over, recent, ratio, total_settled, part_settled = (
            by_key(objective, each) for each in by_objective
        )
        if (count := max(len(shown), len(total))) > MAX_LABEL_SETS:
            raise MetricSourceError(
                "its labels have {count} sets of values, more than the {most} that can be judged",
                is_of_query=True,
                count=count,
                most=MAX_LABEL_SETS,
            )
        answers = Answers(
            at=now,
            scrapes=scrapes,
            grid=grid,
            total=total,
            good=good,
            bad=bad,
            clear=clear,
            ages=ages,
            of_late=of_late,
            shown=shown,
            long=long,
            over=over,
            recent=recent,
            ratio=ratio,
            by_endpoint=by_endpoint(objective, endpoints),
            budgets=self._budgets,
            bounds=self._bounds,
            total_settled=total_settled,
            part_settled=part_settled,
        )
        return read(objective, self._state, answers)

    async def _range(self, query: str | None, grid: Grid) -> list[Series]:
        return [] if query is None else await self._api.query_range(query, grid.first, grid.last, grid.step)

    async def _instant(self, query: str | None) -> Sequence[Sample]:
        return () if query is None else (await self._api.query(query)).samples


def _compare_clocks(theirs: datetime | None, asked_at: datetime, answered_at: datetime) -> None:
    """Refuse an answer that was given at a time which is not now.

    Args:
        theirs: The instant of the answer by Prometheus' clock; None where it says none.
        asked_at: When it was asked, by this machine's clock.
        answered_at: When it had answered, by the same.

    Raises:
        MetricSourceError: The clocks do not agree.
    """
    if theirs is None or asked_at - CLOCKS_AGREE <= theirs <= answered_at + CLOCKS_AGREE:
        return
    raise MetricSourceError(
        "its clock and the watchdog's differ: {theirs} there, {ours} here (UTC)",
        theirs=f"{theirs:{CLOCK_FORMAT}}",
        ours=f"{answered_at:{CLOCK_FORMAT}}",
    )


class Bounds:
    """The bucket bounds of the histograms; asked for seldom, as they change only with a release of the service."""

    def __init__(self, api: MetricSource, steady: Callable[[], float]) -> None:
        self._api = api
        self._steady = steady
        self._known: dict[str, tuple[float, tuple[float, ...]]] = {}

    async def read(self, objective: Objective) -> tuple[float, ...]:
        """The finite bounds of an objective's histogram in seconds, ascending; empty where they are not known."""
        if not isinstance(objective.source, Latency):
            return ()
        query, now = promql.bucket_bounds(objective, objective.source), self._steady()
        asked_at, bounds = self._known.get(query, (None, ()))
        if asked_at is None or not bounds or now - asked_at >= SELDOM.total_seconds():
            try:
                bounds = finite_bounds((await self._api.query(query)).samples)
            except MetricSourceError as error:
                log.info("the bucket bounds of %s are not known anew: %s", objective.name, error)
            else:
                self._known[query] = (now, bounds)
        return bounds


class Budgets:
    """What is known of the error budgets; long windows are asked for seldom, as little changes in them."""

    def __init__(self, api: MetricSource, steady: Callable[[], float]) -> None:
        self._api = api
        self._steady = steady
        # By objective too: two of them may ask the same, and each has the answer by keys of its own.
        self._known: dict[tuple[str, str], tuple[float, dict[Key, float]]] = {}

    async def read(self, objective: Objective) -> dict[Key, Budget]:
        """What is known of an objective's budgets, by key.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective = objective.as_budgeted
        history = await self._ask(objective, promql.seconds_of_history(objective), self._known_for(objective), _span)
        known_for = _history(history)
        spans = windows(objective)
        events, *ratios = await asyncio.gather(
            self._ask(objective, promql.events(objective, objective.window), known_for, _count),
            *(self._ask(objective, promql.good_ratio(objective, each), min(each, known_for), _share) for each in spans),
        )
        budgets = {}
        for key in events:
            bad = {span: 1 - each[key] for span, each in zip(spans, ratios, strict=True) if key in each}
            budgets[key] = Budget(history=min(known_for, objective.window), events=events[key], bad_ratios=bad)
        return budgets

    def _known_for(self, objective: Objective) -> timedelta:
        """How long the history was when it was last asked for."""
        return _history(self._known.get((objective.name, promql.seconds_of_history(objective)), (None, {}))[1])

    async def _ask(
        self, objective: Objective, query: str, span: timedelta, check: Callable[[float], float]
    ) -> dict[Key, float]:
        """The answer to a question about a span, not too old for it; what `check` refuses is not kept."""
        now = self._steady()
        asked_at, answer = self._known.get((objective.name, query), (None, {}))
        if asked_at is None or now - asked_at >= stays_known_for(span).total_seconds():
            vector = await self._api.query(query)
            found = await asyncio.to_thread(by_key, objective, vector.samples)
            answer = {key: check(value) for key, value in found.items()}
            self._known[objective.name, query] = (now, answer)
        return answer


def known_for(vector: Vector) -> timedelta | None:
    """Return for how long Prometheus has known a job, by the answer to `seconds_of_history`; None where it does not.

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
