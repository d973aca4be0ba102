"""The state machine of all objectives: one value, and the function that moves it on by one evaluation.

`advance` reads no clock and does no I/O: the same readings give the same incidents, live and in a replay.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from wine_slo.slo.evaluation.incident import Incident, Interruption, Outcome, gap, trouble_after, with_deployments
from wine_slo.slo.evaluation.key_state import KeyState, follow, follow_burn
from wine_slo.slo.evaluation.outage import Unanswered, outage_after
from wine_slo.slo.evaluation.phases import Event, Phase, after
from wine_slo.slo.evaluation.reading import Reading, Sight, without_data
from wine_slo.slo.objectives.budget import is_any_burning
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.clocks import CLOCKS_AGREE
from wine_slo.slo.source.deployment import Deployment

# The watchdog's own incidents; no objective can have one of these names. Not being able to see has an incident for each
# cause: Prometheus itself, a job or one objective. A job of which no target answers has one too.
SIGHT = Key("sight")
LEDGER = Key("ledger")  # not being able to write down
DOWN = "down"
UNSTEADY = "unsteady"  # of a job of which each target has missed scrapes; no incident has it
GAP = Key("gap")  # a time without evaluations, notified once
KEPT = timedelta(days=1)  # closed incidents stay at hand for so long; the ledger keeps them all


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the watchdog knows.

    Attributes:
        tracks: What is remembered of each key.
        incidents: Those that are open, and those that were closed lately, by number.
        last_number: The highest number that was ever given.
        troubles_since: Since when there is each cause for not seeing, or a job that is down or not steadily up.
        unwritten_since: Since when the ledger cannot be written; None while it can. Not kept over a restart.
        evaluated_at: The last evaluation; None before the first.
        readings: What the last evaluation read. Not kept over a restart.
    """

    tracks: Mapping[Key, KeyState] = field(default_factory=dict)
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    last_number: int = 0
    troubles_since: Mapping[Key, datetime] = field(default_factory=dict)
    unwritten_since: datetime | None = None
    evaluated_at: datetime | None = None
    readings: Mapping[Key, Reading] = field(default_factory=dict)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Return the open ones, oldest first."""
        return tuple(incident for _, incident in sorted(self.incidents.items()) if incident.is_open)

    @property
    def keys_without_data(self) -> tuple[Key, ...]:
        """Return what had no data at the last evaluation."""
        return tuple(key for key, each in self.readings.items() if each.sight in (Sight.BLIND, Sight.STALE))

    @property
    def blind_since(self) -> datetime | None:
        """Return since when an objective has no data; None while all of them have."""
        return min((at for key, at in self.troubles_since.items() if key.objective == SIGHT.objective), default=None)

    @property
    def is_blind(self) -> bool:
        """Return whether nothing at all can be seen, for so long that it is an incident."""
        has_incident = any(incident.key.objective == SIGHT.objective for incident in self.open_incidents)
        return has_incident and len(self.keys_without_data) == len(self.readings)


def advance(
    state: State,
    objectives: Objectives,
    readings: Mapping[Key, Reading],
    now: datetime,
    unwritten: str = "",
    interruption: Interruption = Interruption.PAUSE,
    deployments: Mapping[str, Deployment] = MappingProxyType({}),
) -> State:
    """Return the state after one evaluation.

    Args:
        state: What was known.
        objectives: All objectives.
        readings: What was seen, by key. A key that is remembered and not seen counts as having no traffic.
        now: The instant of the evaluation.
        unwritten: Why the last evaluation could not be written to the ledger; empty where it was.
        interruption: Why the last evaluation is as long ago as it is.
        deployments: The last one of each job of which an incident may open.
    """
    if is_ahead(state, now):
        state, interruption = _without_future(state, now), Interruption.CLOCK
    now = max(now, state.evaluated_at or now)  # clocks of two machines differ, and time only goes forward
    before = state
    move = _Move(state, now)
    known = (each if each.alert is Alert.BREACH else replace(each, alert=Alert.BREACH) for each in state.tracks)
    for key in dict.fromkeys((*readings, *known)):
        objective = objectives.of(key)
        if objective is None:
            move.withdraw(key)
        else:
            move.follow(key, objective, readings.get(key))
    state = replace(
        state,
        tracks=move.tracks,
        incidents=with_deployments(move.incidents, before.incidents, objectives, deployments),
        last_number=move.last_number,
        evaluated_at=now,
        readings=dict(readings),
    )
    state = _report_gap(state, state_before=before, objectives=objectives, interruption=interruption)
    state = _follow_troubles(state, objectives)
    state, unwritten_since = _follow_trouble(state, LEDGER, unwritten, state.unwritten_since, objectives)
    return replace(state, unwritten_since=unwritten_since)


def is_ahead(state: State, now: datetime) -> bool:
    """Return whether the last evaluation is recorded at a time that is still to come, so that it cannot be true."""
    return state.evaluated_at is not None and state.evaluated_at - now > CLOCKS_AGREE


def _without_future(state: State, now: datetime) -> State:
    """Return the state without what a clock that was ahead has recorded: no instant in it is after `now`.

    Suspicions that rest on such instants are dropped; open incidents stay open.
    """

    def track_of(track: KeyState) -> KeyState:
        evidence = tuple(each for each in track.evidence if each.ended_at <= now)
        is_suspicion = track.phase is Phase.BREACHING and not evidence
        phase = after(track.phase, Event.FORGOTTEN) if is_suspicion else track.phase
        return replace(track, phase=phase, evidence=evidence)

    tracks = {key: track_of(track) for key, track in state.tracks.items()}
    return replace(_at_other_instants(replace(state, tracks=tracks), lambda at: min(at, now)), evaluated_at=now)


def with_clock_set(state: State, step: timedelta, *, but: frozenset[datetime]) -> State:
    """Return the state with what a wrong clock has recorded moved to when it was.

    Args:
        state: What is known.
        step: By how much the clock was set.
        but: The instants that were recorded by another clock.
    """
    return _at_other_instants(state, lambda at: at if at in but else at + step)


def instants_of(state: State) -> frozenset[datetime]:
    """Return every instant in a state, but for those of evidence."""
    found: dict[datetime, datetime] = {}
    _at_other_instants(state, lambda at: found.setdefault(at, at))
    return frozenset(found)


def _at_other_instants(state: State, move: Callable[[datetime], datetime]) -> State:
    """Return the state with each of its instants moved, but for those of evidence."""

    def moved(instant: datetime | None) -> datetime | None:
        return None if instant is None else move(instant)

    def track_of(track: KeyState) -> KeyState:
        return replace(
            track,
            since=move(track.since),
            sight_since=move(track.sight_since),
            judged_until=moved(track.judged_until),
            quiet_since=moved(track.quiet_since),
            budget_at=moved(track.budget_at),
        )

    def incident_of(incident: Incident) -> Incident:
        return replace(
            incident,
            began_at=move(incident.began_at),
            opened_at=move(incident.opened_at),
            last_bad_at=move(incident.last_bad_at),
            closed_at=moved(incident.closed_at),
            again_at=moved(incident.again_at),
            worst_at=moved(incident.worst_at),
            held_since=moved(incident.held_since),
        )

    return replace(
        state,
        tracks={key: track_of(track) for key, track in state.tracks.items()},
        incidents={number: incident_of(each) for number, each in state.incidents.items()},
        troubles_since={key: move(at) for key, at in state.troubles_since.items()},
        unwritten_since=moved(state.unwritten_since),
        evaluated_at=moved(state.evaluated_at),
    )


class _Move:
    """The next state while it is being made."""

    def __init__(self, state: State, now: datetime) -> None:
        self.tracks: dict[Key, KeyState] = {}
        self.incidents = {
            number: incident
            for number, incident in state.incidents.items()
            if incident.is_open or now - (incident.closed_at or now) < KEPT
        }
        self.last_number = state.last_number
        self._before = state.tracks
        self._evaluated_at = state.evaluated_at
        self._now = now

    def follow(self, key: Key, objective: Objective, reading: Reading | None) -> None:
        """Move a key on, and what burns its budget."""
        track, burn_keys = (
            self._track(key),
            [Key(key.objective, key.labels, each) for each in (Alert.PAGE, Alert.TICKET)],
        )
        if reading is None:
            is_forgotten = track.phase is Phase.MET and track.incident is None
            if is_forgotten and not any(each in self._before for each in burn_keys):
                return
            reading = without_data(self._now, Sight.NO_TRAFFIC, "no requests")
        if self._evaluated_at is not None and reading.at < self._evaluated_at:
            reading = replace(reading, at=self._evaluated_at)  # so that nothing ends before it began
        track, incidents = follow(track, self._last_of(track), objective, reading, number=self.last_number + 1)
        self._keep(track, *incidents)
        is_burning = reading.budget is not None and is_any_burning(objective, reading.budget)
        for burn_key in burn_keys if is_burning else filter(self._before.__contains__, burn_keys):
            burnt, incident = follow_burn(
                self._track(burn_key),
                self._last_of(self._track(burn_key)),
                objective,
                reading,
                breaches=(each for each in self.incidents.values() if each.key == key),
                number=self.last_number + 1,
            )
            if incident is not None:
                self._keep(burnt, incident)

    def withdraw(self, key: Key) -> None:
        """Close whatever is open of a key that no objective has any more, and forget it."""
        for alert in Alert:
            last = self._last_of(self._track(replace(key, alert=alert)))
            if last is not None and last.is_open:
                self.incidents[last.number] = replace(last, closed_at=self._now, outcome=Outcome.WITHDRAWN)

    def _track(self, key: Key) -> KeyState:
        return self._before.get(key) or KeyState(key=key, since=self._now, sight_since=self._now)

    def _last_of(self, track: KeyState) -> Incident | None:
        return None if track.incident is None else self.incidents.get(track.incident)

    def _keep(self, track: KeyState, *incidents: Incident) -> None:
        self.tracks[track.key] = track
        for incident in incidents:
            self.incidents[incident.number] = incident
            self.last_number = max(self.last_number, incident.number)


def _report_gap(state: State, *, state_before: State, objectives: Objectives, interruption: Interruption) -> State:
    """Return the state with an incident, closed at once, for a time in which there was no evaluation."""
    began_at, ended_at = state_before.evaluated_at, state.evaluated_at
    if began_at is None or ended_at is None:
        return state
    if ended_at - began_at < objectives.blind_for and interruption is not Interruption.CLOCK:
        return state
    incident = gap(number := state.last_number + 1, GAP, began_at, ended_at, interruption)
    return replace(state, incidents={**state.incidents, number: incident}, last_number=number)


def causes_of(state: State, objectives: Objectives) -> dict[Key, Key | None]:
    """Return which incident says why each key could not be judged at the last evaluation; None for what could be."""
    open_keys = {each.key for each in state.open_incidents}
    is_unanswered = all(each.is_unanswered for each in state.readings.values())
    causes: dict[Key, Key | None] = {}
    for key, reading in state.readings.items():
        objective = objectives.of(key)
        if objective is None:
            continue
        down = Key(DOWN, (("job", objective.job),))
        match reading.sight:
            case Sight.TARGET_DOWN:
                causes[key] = down
            case Sight.STALE:
                causes[key] = down if down in open_keys else replace(SIGHT, labels=down.labels)
            case Sight.BLIND:
                causes[key] = SIGHT if is_unanswered else replace(SIGHT, labels=(("objective", objective.name),))
            case _:
                causes[key] = None
    return causes


def _follow_troubles(state: State, objectives: Objectives) -> State:
    """Return the state with an incident for each cause of not seeing, and for each job that is down.

    One cause neither hides another nor ends it: while a key cannot be seen for another reason, nobody knows.
    """
    causes, unanswered = causes_of(state, objectives), _unanswered(state, objectives)
    by_objective: dict[str, set[Key | None]] = {}
    for key, cause in causes.items():
        by_objective.setdefault(key.objective, set()).add(cause)
    open_keys = {each.key for each in state.open_incidents if each.key.objective in (SIGHT.objective, DOWN)}
    known = [each for each in state.troubles_since if each.objective != UNSTEADY]
    troubles_since = {replace(job, objective=UNSTEADY): each.since for job, each in unanswered.items() if each.count}
    for trouble in dict.fromkeys((*known, *sorted(open_keys), *filter(None, causes.values()), *unanswered)):
        since = state.troubles_since.get(trouble)
        is_there = _is_there(trouble, by_objective, objectives)
        is_covered = trouble not in open_keys and _is_covered_by_up(trouble, state, by_objective, objectives)
        if is_there is not None and not (is_there and is_covered):
            reason = _trouble(trouble, state, causes) if is_there else ""
            seen = None if is_covered else unanswered.get(trouble)
            state, since = _follow_trouble(state, trouble, reason, since, objectives, seen)
        if since is not None:
            troubles_since[trouble] = since
    return replace(state, troubles_since=troubles_since)


def _unanswered(state: State, objectives: Objectives) -> dict[Key, Unanswered]:
    """Return the scrapes that were not answered of each job of which that is known, by its outage."""
    found: dict[Key, Unanswered] = {}
    known = {key.objective: each for key, each in state.readings.items() if each.unanswered is not None}
    for name, reading in (
        known.items() if objectives.target_down else ()
    ):  # all label sets of an objective have the same
        objective = objectives.by_name.get(name)
        if objective is not None and reading.unanswered is not None and state.evaluated_at is not None:
            down = Key(DOWN, (("job", objective.job),))
            since = state.troubles_since.get(replace(down, objective=UNSTEADY), state.evaluated_at)
            each = Unanswered(round(reading.unanswered), since, objective.scrape_interval, reading.targets)
            found[down] = min(each, found.get(down, each), key=lambda one: one.count)
    return found


def _is_there(trouble: Key, causes: Mapping[str, set[Key | None]], objectives: Objectives) -> bool | None:
    """Return whether there is a trouble, by the causes of each objective; None where that cannot be seen."""
    if trouble.objective == DOWN and not objectives.target_down:
        return False
    concerned = [causes.get(each.name, set()) for each in objectives.all if _concerns(trouble, each)]
    found: set[Key | None] = set().union(*concerned)
    if trouble in found and not (trouble.objective == DOWN and None in found):
        return True
    return False if trouble == SIGHT or None in found or not concerned else None


def _concerns(trouble: Key, objective: Objective | None) -> bool:
    """Return whether a trouble is one of an objective."""
    return objective is not None and {*trouble.labels} <= {("job", objective.job), ("objective", objective.name)}


def _is_covered_by_up(down: Key, state: State, causes: Mapping[str, set[Key | None]], objectives: Objectives) -> bool:
    """Return whether an objective about the targets has an incident when they are down, or will have one."""
    those = {each.name for each in objectives.all if each.is_up and down.objective == DOWN and _concerns(down, each)}
    is_judged = any(None in causes.get(name, ()) for name in those)
    return is_judged or any(each.key.objective in those for each in state.open_incidents if those)


def _trouble(trouble: Key, state: State, causes: Mapping[Key, Key | None]) -> Reason | str:
    """Return what a trouble is, in words."""
    reading = state.readings[next(key for key, cause in causes.items() if cause == trouble)]
    return reading.reason_of_outage if trouble.objective == DOWN else reading.reason


def _follow_trouble(
    state: State,
    key: Key,
    reason: Reason | str,
    since: datetime | None,
    objectives: Objectives,
    unanswered: Unanswered | None = None,
) -> tuple[State, datetime | None]:
    """Return the state with the incident of a trouble of our own opened or closed, and since when that lasts.

    Args:
        state: What is known, after the evaluation.
        key: The trouble's.
        reason: Why there is it; empty where there is none.
        since: Since when there was it before this evaluation.
        objectives: They say how long it may last before it is notified.
        unanswered: Of a job that may be down, the last scrapes without an answer.
    """
    if (now := state.evaluated_at) is None:
        return state, since
    number = state.last_number + 1
    new = Incident(number=number, key=key, began_at=since or now, opened_at=now, last_bad_at=now, reason=reason)
    last = state.incidents.get(max((number for number, each in state.incidents.items() if each.key == key), default=0))
    if key.objective != DOWN:
        incident = trouble_after(last, new, objectives.blind_for)
    elif objectives.target_down:
        incident = outage_after(last, new, unanswered, objectives.blind_for, was_down=since is not None)
    else:
        is_open = last is not None and last.is_open
        incident = replace(last, closed_at=now, outcome=Outcome.WITHDRAWN) if last is not None and is_open else None
    if incident is not None:
        incidents = {**state.incidents, incident.number: incident}
        state = replace(state, incidents=incidents, last_number=max(state.last_number, incident.number))
    return state, new.began_at if reason else None
