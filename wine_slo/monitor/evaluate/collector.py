"""One evaluation: gather what the metric source knows, and decide what the state is after it.

Queries run side by side and are as many for a thousand label sets as for one. What cannot be queried or judged is blind
for that objective, whatever was raised, and costs the others nothing. Many label sets take seconds to judge, so that is
done in a thread: the event loop is free meanwhile.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from wine_slo.monitor.evaluate.attributor import Attributor
from wine_slo.monitor.evaluate.queries.reader import Reader
from wine_slo.monitor.evaluate.replicas.readers import Readers
from wine_slo.slo.evaluation.engine import State, advance, instants_of, is_ahead, with_clock_set
from wine_slo.slo.evaluation.incident import Interruption, with_attributions
from wine_slo.slo.evaluation.key_state import may_open
from wine_slo.slo.evaluation.reading import Reading, Sight, unjudged, without_data
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.source.clocks import SourceTime, WallClock, agree
from wine_slo.slo.source.deployment import (
    LOOKBACK,
    Deployment,
    VersionSeries,
    last_change,
    last_of,
    last_starts,
    version_series,
)
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError

log = logging.getLogger(__name__)

READ_WITHIN = 40.0  # seconds, then an objective is blind; four rounds of queries of 10 s each, however long they wait

Shared = Callable[[MetricSource], MetricSource]  # has the queries of many objectives sent together
Reported = Callable[[str], Deployment | None]  # the last deployment of a job that somebody reported
T = TypeVar("T")


class Collector:
    """Queries the metric source; remembers nothing but what its clock says and what is known of the budgets.

    The source's clock is trusted where it agrees with the clock of this machine, and between two evaluations time goes
    on by the steady clock, so that no clock that is set, here or there, moves the instants of a state. Until the source
    has been seen there is only the clock of this machine: where that turns out to be wrong, what was recorded by it is
    put right.

    Args:
        api: The metric source.
        clock: Reads the wall clock of this machine.
        steady: Reads, in seconds, a clock that nobody sets; where there is none, it is the wall clock.
        reported: Knows the deployments that somebody reported.
        read_within: Seconds in which all that an objective needs must be answered.
        shared: Returns a replica of the source as it is queried by all objectives together.
    """

    def __init__(
        self,
        api: MetricSource,
        clock: WallClock,
        steady: Callable[[], float] | None = None,
        reported: Reported = lambda _: None,
        read_within: float = READ_WITHIN,
        shared: Shared = lambda each: each,
    ) -> None:
        self._api = api
        self._clock = clock
        self._steady = steady or (lambda: clock().timestamp())
        self._last: tuple[datetime, float] | None = None  # the last evaluation by the source's and by the steady clock
        self._is_by_source = False  # whether that instant goes back to one of the source's clock
        self._recorded: frozenset[datetime] | None = None  # what was known before the source's clock had to be guessed
        self._readers = Readers(
            api, lambda each: Reader(shared(each), clock, self._steady, self.now, read_within), self.now
        )
        self._attributor = Attributor(api)
        self._reported = reported

    async def evaluate(
        self,
        state: State,
        objectives: Objectives,
        unwritten: str = "",
        interruption: Interruption = Interruption.PAUSE,
    ) -> State:
        """Return the state after one evaluation; after the first one, what the objectives' ranges show is known.

        Args:
            state: What was known.
            objectives: All objectives.
            unwritten: Why the ledger cannot be written; empty where it can.
            interruption: Why the last evaluation is as long ago as it is.
        """
        readings, tracks = await self._readers.read(state, objectives)
        state = replace(state, tracks={**state.tracks, **tracks}) if tracks else state
        suspects = await asyncio.to_thread(_suspects, state, objectives, readings)
        deployments, attributions = await asyncio.gather(
            self._deployments(objectives, suspects),
            self._attributor.attributions(state, objectives, readings, suspects),
        )
        now, step = self._time_of(readings)
        if self._recorded is not None and step:
            state = with_clock_set(state, step, but=self._recorded)
        if self._is_by_source:
            self._recorded = None
        elif self._recorded is None:
            self._recorded = instants_of(state)
        if is_ahead(state, now):
            log.warning(
                "the last evaluation is recorded at %s and it is %s now: it is dropped", state.evaluated_at, now
            )
        after = await asyncio.to_thread(
            _advance, state, objectives, readings, now, unwritten, interruption, deployments
        )
        self._last = (after.evaluated_at or now, self._steady())
        return replace(after, incidents=with_attributions(after.incidents, attributions)) if attributions else after

    def now(self) -> SourceTime:
        """Return the instant by the source's clock, as far as it is known; a state has no other instants."""
        if self._last is None:
            return SourceTime(self._clock())  # there is no better guess yet
        instant, steady = self._last
        return SourceTime(instant + timedelta(seconds=self._steady() - steady))

    def replica_states(self, objectives: Objectives) -> tuple[ReplicaState, ...]:
        """Return how each replica of the metric source stands; none where there is but one."""
        return self._readers.replica_states(objectives)

    def _time_of(self, readings: Mapping[Key, Reading]) -> tuple[datetime, timedelta]:
        """Return the instant of an evaluation, and by how much it is off from what the last one lets expect.

        While the source has never been seen, time goes on as the wall clock showed it first, until that is set.
        """
        seen = [reading.at for reading in readings.values() if reading.sight is not Sight.BLIND]
        expected, wall = self.now(), self._clock()
        if seen:
            self._is_by_source, now = True, max(seen)
        else:
            now = expected if self._is_by_source or agree(expected, wall, wall) else wall
        return now, now - expected

    async def _deployments(self, objectives: Objectives, suspects: Iterable[Key]) -> dict[str, Deployment]:
        """Return the last deployment of each job of which an incident may open now."""
        jobs = {objective.job: objective for key in suspects if (objective := objectives.of(key)) is not None}
        found = await asyncio.gather(*(self._last_deployment(each, objectives.deployments) for each in jobs.values()))
        return {job: each for job, each in zip(jobs, found, strict=True) if each is not None}

    async def _last_deployment(
        self, objective: Objective, series: tuple[VersionSeries, ...] | None
    ) -> Deployment | None:
        """Return the last deployment of a job, as it was reported or as its metrics show it."""
        if series is None:
            series = await self._known(objective, self._guessed_series) or ()
        found = await asyncio.gather(
            *(self._known(objective, partial(self._last_version, each)) for each in series),
            self._known(objective, self._last_starts),
        )
        return last_of((self._reported(objective.job), *found), self.now())

    async def _known(self, objective: Objective, query: Callable[[Objective], Awaitable[T | None]]) -> T | None:
        """Return what a query about deployments finds; None also where it has no answer, as nothing waits for it."""
        try:
            return await query(objective)
        except (MetricSourceError, ValueError, ArithmeticError) as error:
            log.info("a deployment of %s would not be known: %s", objective.job, error)
            return None

    async def _guessed_series(self, objective: Objective) -> tuple[VersionSeries, ...] | None:
        query = promql.infos(objective.scope)
        if query is None:
            return None
        guess = version_series([each.labels for each in (await self._api.query(query)).samples])
        return None if guess is None else (guess,)

    async def _last_version(self, series: VersionSeries, objective: Objective) -> Deployment | None:
        query = promql.versions_first_seen(objective, series, LOOKBACK)
        if query is None:
            return None
        seen = (await self._api.query(query)).samples
        return last_change({each.labels.get(series.label, ""): each.value for each in seen})

    async def _last_starts(self, objective: Objective) -> Deployment | None:
        return last_starts([each.value for each in (await self._api.query(promql.started_at(objective.scope))).samples])


def _suspects(state: State, objectives: Objectives, readings: Mapping[Key, Reading]) -> list[Key]:
    """Return each key of which an incident may open; none where that cannot be judged."""
    try:
        return [
            key
            for key, reading in readings.items()
            if (objective := objectives.of(key)) is not None and may_open(state.tracks, objective, key, reading)
        ]
    except (ValueError, ArithmeticError):
        return []  # `_advance` finds the same, and says whose reading it is


def _advance(
    state: State,
    objectives: Objectives,
    readings: Mapping[Key, Reading],
    now: datetime,
    unwritten: str,
    interruption: Interruption,
    deployments: Mapping[str, Deployment],
) -> State:
    """Return the state after an evaluation; an objective whose readings cannot be judged is blind."""
    # What is blind was read by a guess of the time.
    readings = {key: replace(each, at=now) if each.sight is Sight.BLIND else each for key, each in readings.items()}
    try:
        return advance(state, objectives, readings, now, unwritten, interruption, deployments)
    except Exception:
        log.exception("what was read cannot be judged")
        mended = dict(readings)
        for objective in objectives.all:
            mine = {key: each for key, each in readings.items() if key.objective == objective.name}
            try:
                advance(state, Objectives.only(objective), mine, now)
            except Exception as error:  # noqa: BLE001 - it is logged above, with all that is known
                for key in mine:
                    mended[key] = without_data(now, Sight.BLIND, unjudged(error))
        return advance(state, objectives, mended, now, unwritten, interruption, deployments)
