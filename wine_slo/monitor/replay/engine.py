"""Replay the watchdog over a past: the same evaluations, answered by tables instead of queries.

Each evaluation is read by `slo.evaluation.sampling.read`, as live. What differs is only where the answers come from:

* `tables`: what an evaluation reads at its instant, and what happened in each interval;
* `budgets`: the error budgets, from sums of intervals.

Evaluations that change nothing but how far has been judged (`quiet_ticks`) are left out.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from wine_slo.monitor.replay.budgets import BudgetHistory
from wine_slo.monitor.replay.quiet_ticks import QuietTicks
from wine_slo.monitor.replay.range_cache import EPOCH, SHORT_CHUNK, RangeCache, instant, milliseconds
from wine_slo.monitor.replay.story import BudgetLeft, Replay, Story
from wine_slo.monitor.replay.tables import ObjectiveTables
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.judgement import is_bad
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, unjudged, untrusted
from wine_slo.slo.evaluation.sampling import answers_of, read, read_blind, read_nothing
from wine_slo.slo.evaluation.schedule import CATCHES_UP, Grid, Scrapes
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.source.metric_source import MetricSourceError, Sample

YIELDS_AFTER = 100  # evaluations; then pending queries get their turn
BUDGETS_EVERY = timedelta(hours=6)  # what is left of a budget is noted

log = logging.getLogger(__name__)


async def replay(
    cache: RangeCache,
    objectives: Objectives,
    since: datetime,
    until: datetime,
    poll: timedelta,
    on_progress: Callable[[datetime], None] = lambda _: None,
    *,
    is_fast: bool = True,
) -> Story:
    """Return the incidents and notifications of a past.

    Args:
        cache: The answers of Prometheus.
        objectives: What is evaluated.
        since: The first evaluation; a multiple of the poll since the epoch.
        until: No evaluation comes after it.
        poll: How far apart ticks are.
        on_progress: Called now and then with the instant that was reached.
        is_fast: Whether evaluations that change nothing may be left out.

    Raises:
        MetricSourceError: An answer is missing or cannot be trusted.
    """
    run = Replay(objectives, since, poll)
    replays = [_ObjectiveReplay(cache, objective, since, poll) for objective in objectives.all]
    await asyncio.gather(*(each.open() for each in replays))
    note_at = since
    evaluations = 0
    while run.at <= until:
        at = replays[0].tables.snap(milliseconds(run.at - EPOCH))
        readings: dict[Key, Reading] = {}
        for each in replays:
            readings |= await each.evaluate(run.state, at)
        run.evaluate(readings, instant(at))
        if instant(at) >= note_at:
            note_at += BUDGETS_EVERY
            for each in replays:
                each.note_budgets(run, instant(at))
        evaluations += 1
        if is_fast and run.is_calm:
            _skip(run, replays, min(until, note_at))
        if evaluations % YIELDS_AFTER == 0:
            cache.forget(at - milliseconds(CATCHES_UP + SHORT_CHUNK))
            on_progress(instant(at))
            await asyncio.sleep(0)
    for each in replays:
        each.note_budgets(run, run.state.evaluated_at or since)
    on_progress(until)
    return run.story()


def _skip(run: Replay, replays: Sequence["_ObjectiveReplay"], until: datetime) -> None:
    """Leave out the quiet ticks but the last one, which is evaluated."""
    at = milliseconds((run.state.evaluated_at or until) - EPOCH)
    tick, poll = milliseconds(run.next_tick - EPOCH), milliseconds(run.poll)
    last = milliseconds(until - EPOCH)
    for each in replays:
        last = min(last, each.quiet_until(run.state, at, tick, last))
        if last < tick + poll:
            return
    ticks = (last - tick) // poll
    before = tick + (ticks - 1) * poll
    judged: dict[Key, datetime] = {}
    for each in replays:
        judged |= each.pass_over(tick, before)
    run.skip(ticks, judged)


class _ObjectiveReplay:
    """The evaluations of one objective."""

    def __init__(self, cache: RangeCache, objective: Objective, since: datetime, poll: timedelta) -> None:
        self.tables = ObjectiveTables(cache, objective, since, poll)
        self._objective = objective
        self._poll = milliseconds(poll)
        self._budgets = BudgetHistory(cache, objective, milliseconds(since - EPOCH))
        self._quiet_ticks = QuietTicks(self.tables, self._poll)

    async def open(self) -> None:
        """Prepare for the first evaluation."""
        await self._budgets.open()

    async def evaluate(self, state: State, at: int) -> dict[Key, Reading]:
        """Return the readings at an instant, by key; blind where an answer cannot be read, as live.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        try:
            return await self._read(state, at)
        except (ValueError, ArithmeticError) as error:
            log.debug("%s cannot be evaluated: %s", self._objective.name, error)
            return read_blind(self._objective, state, instant(at), unjudged(error))

    async def _read(self, state: State, at: int) -> dict[Key, Reading]:
        objective, now = self._objective, instant(at)
        found = await self.tables.at(at)
        scrapes = Scrapes(found.pop("up"), found.pop("scraped"))
        try:
            scrapes.check(objective, now)
        except MetricSourceError as error:
            return read_blind(objective, state, now, untrusted(error))
        if not scrapes.at:
            if self.tables.grid is not None:
                await self._budgets.reach(at, self.tables.grid)
                self._budgets.read(at)
            return read_nothing(objective, state, now, gone=await self.tables.gone(at))
        grid = Grid.since_last_evaluation(objective, state, scrapes, now)
        if self.tables.follow(milliseconds(grid.last - EPOCH)):
            self._quiet_ticks.forget_intervals()
        intervals = await self.tables.intervals(grid)
        if self.tables.grid is not None:
            await self._budgets.reach(at, self.tables.grid)
        self._budgets.begins(scrapes.anchor)
        budgets = self._budgets.read(at)

        def readings(instants: Mapping[str, Sequence[Sample]], bounds: tuple[float, ...] = ()) -> dict[Key, Reading]:
            answers = answers_of(
                objective,
                at=now,
                scrapes=scrapes,
                grid=grid,
                intervals=intervals,
                instants=instants,
                budgets=budgets,
                bounds=bounds,
            )
            return read(objective, state, answers)

        plain = readings(found)
        if not _is_of_incident(objective, state, plain):
            return plain
        details, bounds = await self.tables.details(at)
        return readings({**found, **details}, bounds)

    def note_budgets(self, run: Replay, now: datetime) -> None:
        """Record what is left of the budgets."""
        for key, budget in self._budgets.known.items():
            share = budget.remaining(self._objective)
            if share is not None:
                run.note_budget(key, BudgetLeft(now, share))

    def quiet_until(self, state: State, at: int, tick: int, last: int) -> int:
        """Return the last tick up to which nothing changes for this objective; one before `tick` where that does."""
        last = self._quiet_ticks.until(state, at, tick, last)
        return self._budgets.calm_until(tick, last, self._poll) if last >= tick + self._poll else at

    def pass_over(self, tick: int, before: int) -> dict[Key, datetime]:
        """Record that the ticks from one to another were left out; return up to when each key has been judged."""
        self._budgets.pass_over(tick, before, self._poll)
        return self._quiet_ticks.judged_until(before)


def _is_of_incident(objective: Objective, state: State, found: Mapping[Key, Reading]) -> bool:
    """Return whether an incident reads what this evaluation found: one is open, or may be after it."""
    mine = [track for key, track in state.tracks.items() if key.objective == objective.name]
    if any(track.phase is not Phase.MET or track.incident is not None for track in mine):
        return True
    return any(is_bad(objective, each) for reading in found.values() for each in reading.intervals)
