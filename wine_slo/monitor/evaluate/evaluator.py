"""The first of the two loops: evaluate every objective, move the state on, write it to the ledger."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from heapq import nsmallest
from operator import attrgetter

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.collector import Collector, Reported, Shared
from wine_slo.slo.evaluation.engine import DOWN, State
from wine_slo.slo.evaluation.incident import Incident, Interruption, with_drills
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.source.clocks import SourceTime, WallClock
from wine_slo.slo.source.metric_source import MetricSource

QUIET_AT_ONCE = 50  # label sets that are well, in one evaluation; of ten thousand each is written within two hours

_lasting = attrgetter("phase", "since", "incident", "evidence", "sight", "sight_since", "reason", "quiet_since")

log = logging.getLogger(__name__)


class Evaluator:
    """Evaluates all objectives, and keeps the state.

    Attributes:
        state: What is known now.
        objectives: All objectives; may be exchanged between two evaluations.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - one place wires it, by name
        self,
        api: MetricSource,
        ledger: Ledger,
        objectives: Objectives,
        state: State,
        clock: WallClock,
        steady: Callable[[], float] | None = None,
        is_announced_drill: Callable[[Incident, str], bool] = lambda _incident, _objective: False,
        reported: Reported = lambda _: None,
        shared: Shared = lambda each: each,
    ) -> None:
        self.state = as_evaluated(state, objectives)
        self.objectives = objectives
        self._collector = Collector(api, clock, steady, reported, shared=shared)
        self._ledger = ledger
        self._is_announced_drill = is_announced_drill
        self._saved = state
        self._unwritten = ""  # why the last evaluation could not be written
        self._interruption = Interruption.RESTART  # why there is none since the last complete one

    async def evaluate(self) -> None:
        """Evaluate once, and move the state on.

        A ledger that cannot be written stops nothing: what is known is kept here and written after the next evaluation.
        """
        before, interruption = self.state, self._interruption
        if interruption is not Interruption.RESTART:
            self._interruption = Interruption.FAILURE  # until it is complete
        after = await self._collector.evaluate(before, self.objectives, self._unwritten, interruption)
        incidents = with_drills(after.incidents, before.incidents, self._is_of_drill)
        after = replace(after, incidents=incidents)
        kept = await asyncio.to_thread(to_keep, self._saved, after)
        self._interruption = Interruption.PAUSE
        self.state = after
        _log_changes(before, after)
        try:
            await asyncio.to_thread(self._ledger.save, self._saved, kept)
            self._saved, self._unwritten = kept, ""
        except LedgerError as error:
            self._unwritten = error.reason
            log.error("%s; it is kept in memory and written as soon as that works", error)  # noqa: TRY400 - expected

    @property
    def replicas(self) -> tuple[ReplicaState, ...]:
        """Return how each replica of the metric source stands; none where there is but one."""
        return self._collector.replica_states(self.objectives)

    def _is_of_drill(self, incident: Incident) -> bool:
        """Return whether an incident is one of an announced drill; a job that is down, of a drill of its objectives."""
        job = dict(incident.key.labels).get("job") if incident.key.objective == DOWN else None
        names = [each.name for each in self.objectives.all if each.job == job] or [incident.key.objective]
        return any(self._is_announced_drill(incident, each) for each in names)

    def now(self) -> SourceTime:
        """Return the instant by the source's clock, as far as it is known; the state has no other instants."""
        return self._collector.now()


def to_keep(saved: State, after: State) -> State:
    """Return the state that is written: that after an evaluation, but for most of what is well and stays so.

    Of a label set that is well a new evaluation changes only up to when it was judged and what is left of its budget,
    which nobody misses who restarts; so of these the ones that were written longest ago are written, and some only.

    Args:
        saved: What was written last.
        after: What is known now.
    """
    tracks, quiet = dict(after.tracks), []
    for key, track in after.tracks.items():
        known = saved.tracks.get(key)
        if known is not None and known is not track and _is_quiet(track) and _lasting(known) == _lasting(track):
            tracks[key] = known
            quiet.append((known.budget_at or known.judged_until or known.since, key))
    return replace(after, tracks=tracks | {key: after.tracks[key] for _, key in nsmallest(QUIET_AT_ONCE, quiet)})


def as_evaluated(state: State, objectives: Objectives) -> State:
    """Return a state that was written, as it was known: what was well had requests, if not written of late."""
    tracks = dict(state.tracks)
    for key, track in state.tracks.items():
        objective = objectives.of(key)
        if objective and state.evaluated_at and track.judged_until and track.sight is Sight.CLEAR and _is_quiet(track):
            until = max(track.judged_until, state.evaluated_at - objective.over)
            tracks[key] = replace(track, judged_until=until)
    return replace(state, tracks=tracks)


def _is_quiet(track: KeyState) -> bool:
    return track.phase is Phase.MET and track.incident is None and not track.evidence and track.sight.is_seeing


def _log_changes(before: State, after: State) -> None:
    for number, incident in after.incidents.items():
        known = before.incidents.get(number)
        if known is None or known.openings < incident.openings:
            log.warning("incident #%d opened: %s, bad since %s", number, incident.key, incident.began_at.isoformat())
        if not incident.is_open and (known is None or known.is_open):
            log.warning("incident #%d closed: %s, %s", number, incident.key, incident.outcome)
    seen: dict[tuple[str, Sight, str], list[Key]] = {}
    for key, track in after.tracks.items():
        earlier = before.tracks.get(key)
        if earlier is None or earlier.sight is not track.sight:
            seen.setdefault((key.objective, track.sight, str(track.reason)), []).append(key)
    for (_, sight, reason), (first, *more) in seen.items():
        others = f" and {len(more)} more of it" if more else ""
        log.info("sight of %s%s is %s%s", first, others, sight, f": {reason}" if reason else "")
