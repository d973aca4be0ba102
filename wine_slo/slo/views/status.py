"""How everything stands, as one value that machines read: the answer of `/api/status`, with units in the names.

What is not known is null, never 0, and nothing is `met` without evidence: only an evaluation that saw clearly, with a
number, not long ago, makes it so. Instants are by Prometheus' clock; spans are seconds, ratios 0 to 1. Names stay as
they are; new ones may be added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT, State, is_ahead
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.evaluation.value import value_of
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.objectives.budget import YOUNG, windows
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, Actions
from wine_slo.slo.span import format_span

OWN = {  # the watchdog's own incidents
    SIGHT.objective: "Monitoring lost",
    DOWN: "Targets down",
    LEDGER.objective: "Database not writable",
    GAP.objective: "Not evaluating",
}
RECENT = 20  # closed incidents; the ledger keeps them all


class Judgement(StrEnum):
    """How an objective is judged, in one word."""

    BREACHED = "breached"  # there is an incident, whether or not anything can be seen of it now
    UNKNOWN = "unknown"  # nothing can be said
    SUSPICIOUS = "suspicious"  # bad, but not for long enough to be distinguished from a stall
    MET = "met"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnStatus:
    """How fast the budget burns over one window.

    Attributes:
        window: As Prometheus writes it: 5m, 1h, 30d.
        window_seconds: The same.
        burn_rate: The burn rate of the budget, 1 spends it exactly; null where there were no requests in it.
    """

    window: str
    window_seconds: float
    burn_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBudget:
    """What was known last of an error budget of which nothing is known now.

    Attributes:
        remaining_ratio: The share that was left; below 0 where it was overspent.
        history_seconds: Over how much of its span that was known.
        at: When.
    """

    remaining_ratio: float
    history_seconds: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceStatus:
    """A silence that runs.

    Attributes:
        slo: What it mutes: an objective, or one label set of it; empty for everything.
        title: What people call that.
        until: When it ends; null where it ends with the recovery.
        by: Who made it.
        since: When.
        reason: Why, in their words; may be empty.
    """

    slo: str
    title: str
    until: datetime | None
    by: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveStatus:
    """How one objective stands, or one label set of it.

    Attributes:
        slo: What messages and metrics call it: `latency` or `latency{endpoint="/predict"}`.
        objective: The objective's name.
        labels: Its label set; empty where the objective has only one state.
        title: What people call it.
        kind: latency, ratio or up.
        verdict: How it stands, in one word.
        state: The phase: met, breaching, breached or recovering. It holds while sight is not clear.
        state_since: Since when it is in that phase; null before the first evaluation.
        sight: Whether it can be judged: clear, no_traffic, too_few, target_down, stale or blind.
        sight_since: Since when it is so.
        reason: Why it cannot be judged, in words; empty when it can.
        incident: The number of its open incident.
        latency_seconds: The quantile of the objective over `value_over_seconds`; null for other kinds.
        bad_ratio: The share of bad events over `value_over_seconds`; null for a latency.
        value_over_seconds: The time range of this value: `over_seconds` while the objective is met, the last moments
            while something is wrong or that range still holds bad time that is over.
        bucket_bounds_seconds: The finite bucket bounds of the histogram: a quantile is known no better than them.
        latency_quantile: Which quantile that is, 0 to 1; null for other kinds.
        threshold_seconds: What it is to be at most; null for other kinds.
        good_ratio: The share of good events over `over_seconds`.
        objective_ratio: The share of events that is to be good.
        over_seconds: The range of `good_ratio`.
        events_per_second: The rate over the last minute.
        by_endpoint_seconds: The quantile over the last minute, endpoint by endpoint, slowest first.
        budget_remaining_ratio: The share of the error budget that is left; below 0 where it is overspent.
        budget_window_seconds: The span of the budget.
        budget_history_seconds: Over how much of that span it is known.
        last_known_budget: What was known last of it; null where the last evaluation knows it, or none ever did.
        burn_rates: How fast it burns, shortest window first.
        targets: How many targets there are, where being up is the objective; null for other kinds.
        targets_down: The names of those that do not answer.
        acknowledged_by: Who has acknowledged its open incident; null where nobody has, or there is none.
        acknowledged_at: Since when.
        silence: What mutes its messages now; null where nothing does.
    """

    slo: str
    objective: str
    labels: dict[str, str]
    title: str
    kind: str
    verdict: Judgement
    state: Phase
    state_since: datetime | None
    sight: Sight
    sight_since: datetime | None
    reason: str
    incident: int | None
    latency_seconds: float | None
    bad_ratio: float | None
    value_over_seconds: float | None
    bucket_bounds_seconds: tuple[float, ...]
    latency_quantile: float | None
    threshold_seconds: float | None
    good_ratio: float | None
    objective_ratio: float
    over_seconds: float
    events_per_second: float | None
    by_endpoint_seconds: dict[str, float]
    budget_remaining_ratio: float | None
    budget_window_seconds: float
    budget_history_seconds: float | None
    burn_rates: tuple[BurnStatus, ...]
    targets: int | None
    targets_down: tuple[str, ...]
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    silence: SilenceStatus | None
    last_known_budget: LastBudget | None = None

    @property
    def is_budget_young(self) -> bool:
        """Return whether there is too little history to say anything of the budget."""
        history = self.budget_history_seconds
        return history is not None and history < YOUNG * self.budget_window_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class BadTime:
    """A time in which an incident was bad.

    Attributes:
        began_at: The start of its first bad interval.
        ended_at: The end of its last one; null where it is not over.
    """

    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStatus:
    """One incident.

    Attributes:
        number: What people call it: #12.
        slo: What it is about; `sight` for not being able to see, `down` for a job of which no target answers,
            `ledger` for not being able to write down, `gap` for a time without evaluations.
        title: What people call that.
        alert: breach, or page or ticket where the budget burns.
        is_open: Whether it is not over.
        outcome: recovered, expired or withdrawn; null while it is open.
        began_at: The start of its first bad interval.
        opened_at: When the watchdog was sure.
        last_bad_at: The end of its last bad interval.
        closed_at: When the watchdog was sure that it is over.
        openings: How often it was opened; more than once where it came back within ten minutes.
        again_at: The start of the bad time that its last opening was for, where that is not the first.
        bad_times: From when to when it was bad, opening by opening, oldest first.
        bad_events: In the bad time of all its openings; estimated, so not a whole number.
        total_events: All of that time.
        opening_bad_events: The same of its last opening alone.
        opening_total_events: All of that time.
        value_seconds: At the last evaluation that could judge, for a latency; once it has recovered, what proved that.
        value_bad_ratio: The same for other kinds.
        value_over_seconds: The time range of that value.
        bucket_bounds_seconds: The finite bucket bounds of the histogram; empty for other kinds.
        worst_seconds: The worst that was seen, for a latency.
        worst_bad_ratio: The same for other kinds.
        worst_at: When.
        budget_burnt_ratio: Which share of the whole error budget it has burnt.
        held: The sight that keeps it as it is; null while sight is clear.
        reason: The same in words.
        told: What the chats know of it, the least of them: nothing, opened or closed.
        breach_told_at: When the first chat was notified of it.
        acknowledged_by: Who has acknowledged it; null where nobody has.
        acknowledged_at: When.
        silence: What mutes its messages now; null where nothing does.
        is_drill: Whether all that is slow is what a drill has requested.
    """

    number: int
    slo: str
    title: str
    alert: Alert
    is_open: bool
    outcome: Outcome | None
    began_at: datetime
    opened_at: datetime
    last_bad_at: datetime
    closed_at: datetime | None
    openings: int
    again_at: datetime | None
    bad_times: tuple[BadTime, ...]
    bad_events: float
    total_events: float
    opening_bad_events: float
    opening_total_events: float
    value_seconds: float | None
    value_bad_ratio: float | None
    value_over_seconds: float | None
    bucket_bounds_seconds: tuple[float, ...]
    worst_seconds: float | None
    worst_bad_ratio: float | None
    worst_at: datetime | None
    budget_burnt_ratio: float | None
    held: Sight | None
    reason: str
    told: Stage
    breach_told_at: datetime | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    silence: SilenceStatus | None
    is_drill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How everything stands.

    Attributes:
        version: The watchdog's.
        now: The instant of this answer.
        looked_at: The last evaluation; null before the first.
        seconds_since_look: How old everything below is; below 0 where a clock was set back.
        poll_seconds: How often it evaluates.
        overdue: The last evaluation is so old, or so far in the future, that nothing below is the present.
        blind: Nothing at all can be seen, for so long that it is an incident.
        blind_since: Since when an objective has no data.
        untold_seconds: The age of the oldest notification that is not delivered; 0 where there is none.
        objectives: In the order of slo.yml.
        open_incidents: Oldest first.
        recent_incidents: Those that were closed within a day, newest first, at most 20.
        silences: Those that run, oldest first.
        unreachable: Why each chat that cannot be reached cannot be, by its id in the settings.
        quiet_hours: Whether these hold messages now.
    """

    version: str
    now: datetime
    looked_at: datetime | None
    seconds_since_look: float | None
    poll_seconds: float
    overdue: bool
    blind: bool
    blind_since: datetime | None
    untold_seconds: float
    objectives: tuple[ObjectiveStatus, ...]
    open_incidents: tuple[IncidentStatus, ...]
    recent_incidents: tuple[IncidentStatus, ...]
    silences: tuple[SilenceStatus, ...]
    unreachable: dict[str, str]
    quiet_hours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What the watchdog knows of itself.

    Attributes:
        version: Its own.
        poll: How often it evaluates.
        overdue_after: A last evaluation older than this is not the present.
        untold_seconds: The age of the oldest notification that is not delivered.
        records: What each chat has received of each incident.
        actions: What people did: who has acknowledged and silenced what.
        unreachable: Why each chat that cannot be reached cannot be, by its id in the settings.
        is_quiet: Whether quiet hours hold messages now.
    """

    version: str
    poll: timedelta
    overdue_after: timedelta
    untold_seconds: float = 0.0
    records: tuple[DeliveryRecord, ...] = ()
    actions: Actions = NO_ACTIONS
    unreachable: Mapping[int, str] = field(default_factory=dict)
    is_quiet: bool = False


def status_of(state: State, objectives: Objectives, now: datetime, process: Process) -> Status:
    """Return how everything stands.

    Args:
        state: What is known.
        objectives: The objectives.
        now: The instant, by the clock of the state.
        process: What the watchdog knows of itself.
    """
    age = None if state.evaluated_at is None else now - state.evaluated_at
    overdue = age is None or age > process.overdue_after or is_ahead(state, now)
    closed = sorted((each for each in state.incidents.values() if each.closed_at), key=lambda it: it.last_bad_at)

    def incidents(those: Iterable[Incident]) -> tuple[IncidentStatus, ...]:
        return tuple(_incident(each, objectives, state, now, process) for each in those)

    return Status(
        version=process.version,
        now=now,
        looked_at=state.evaluated_at,
        seconds_since_look=None if age is None else age.total_seconds(),
        poll_seconds=process.poll.total_seconds(),
        overdue=overdue,
        blind=state.is_blind,
        blind_since=state.blind_since,
        untold_seconds=process.untold_seconds,
        objectives=tuple(
            _objective(key, objective, objectives, state, now, process.actions, is_present=not overdue)
            for objective in objectives.all
            for key in keys_of(objective, state)
        ),
        open_incidents=incidents(state.open_incidents),
        recent_incidents=incidents(closed[: -RECENT - 1 : -1]),
        silences=tuple(
            each
            for action in process.actions.silences(state.incidents, now)
            if (each := _silence(action, objectives)) is not None
        ),
        unreachable={str(chat): reason for chat, reason in process.unreachable.items()},
        quiet_hours=process.is_quiet,
    )


def keys_of(objective: Objective, state: State) -> list[Key]:
    """Return the label sets that an objective is known to have, in order; itself where none is known yet."""
    known = sorted(key for key in state.tracks if key.objective == objective.name and key.alert is Alert.BREACH)
    return known or [Key(objective.name)]


def judgement_of(objective: Objective, track: KeyState | None, reading: Reading | None, *, is_open: bool) -> Judgement:
    """Return how an objective is judged.

    Args:
        objective: The objective.
        track: What is remembered of it; None before the first evaluation.
        reading: The last evaluation; None where there is none that is the present.
        is_open: Whether there is an open incident.
    """
    if is_open:
        return Judgement.BREACHED
    if track is None or reading is None or track.sight is not Sight.CLEAR or reading.sight is not Sight.CLEAR:
        return Judgement.UNKNOWN
    if track.phase is Phase.BREACHING:
        return Judgement.SUSPICIOUS
    value = value_of(objective, reading, is_met=track.phase is Phase.MET)
    if value is None:
        return Judgement.UNKNOWN
    return Judgement.MET if value.is_within(objective) else Judgement.SUSPICIOUS


def title_of(key: Key, objectives: Objectives) -> str:
    """Return what people call a key: `Latency`, or `Latency of /predict` for one label set. Plain text."""
    objective = objectives.of(key)
    name = objective.title if objective else OWN.get(key.objective, key.objective)
    values = ", ".join(value for _, value in key.labels if value)
    return f"{name} of {values}" if values else name


def _objective(
    key: Key,
    objective: Objective,
    objectives: Objectives,
    state: State,
    now: datetime,
    actions: Actions,
    *,
    is_present: bool,
) -> ObjectiveStatus:
    track, reading = state.tracks.get(key), state.readings.get(key)
    incident = None if track is None or track.incident is None else state.incidents.get(track.incident)
    is_open = incident is not None and incident.is_open
    number = incident.number if incident is not None and is_open else None
    acknowledgement = actions.acknowledgement(incident) if incident is not None and is_open else None
    value = value_of(objective, reading, is_met=track is None or track.phase is Phase.MET) if reading else None
    targets = reading.up_targets if reading else None
    source = objective.source
    budget = reading.budget if reading else None
    is_latency = objective.is_latency
    return ObjectiveStatus(
        slo=str(key),
        objective=key.objective,
        labels=dict(key.labels),
        title=title_of(key, objectives),
        kind=source.kind,
        verdict=judgement_of(objective, track, reading if is_present else None, is_open=number is not None),
        state=track.phase if track else Phase.MET,
        state_since=track.since if track else None,
        sight=track.sight if track and reading else Sight.BLIND,
        sight_since=track.sight_since if track and reading else None,
        reason=str(track.reason) if track and reading else "not evaluated since the start",
        incident=number,
        latency_seconds=value.number if value and is_latency else None,
        bad_ratio=value.number if value and not is_latency else None,
        value_over_seconds=value.over.total_seconds() if value and value.over else None,
        bucket_bounds_seconds=reading.bounds if reading else (),
        latency_quantile=objective.ratio if is_latency else None,
        threshold_seconds=source.threshold,
        good_ratio=reading.good_ratio if reading else None,
        objective_ratio=objective.ratio,
        over_seconds=objective.over.total_seconds(),
        events_per_second=reading.events_per_second if reading else None,
        by_endpoint_seconds=dict(reading.by_endpoint) if reading else {},
        budget_remaining_ratio=budget.remaining(objective) if budget else None,
        budget_window_seconds=objective.window.total_seconds(),
        budget_history_seconds=budget.history.total_seconds() if budget else None,
        burn_rates=tuple(
            BurnStatus(
                window=format_span(each),
                window_seconds=each.total_seconds(),
                burn_rate=budget.burn_rate(objective, each) if budget else None,
            )
            for each in windows(objective)
        ),
        targets=targets.known if targets else None,
        targets_down=targets.down if targets else (),
        acknowledged_by=acknowledgement.by.name if acknowledgement else None,
        acknowledged_at=acknowledgement.at if acknowledgement else None,
        silence=_silence(actions.silence_about(key, state.incidents, now), objectives),
        last_known_budget=_last_budget(objective, track, reading),
    )


def _last_budget(objective: Objective, track: KeyState | None, reading: Reading | None) -> LastBudget | None:
    last = track.last_budget(reading) if track else None
    if last is None or last[0].is_young(objective):
        return None
    budget, at = last
    left = budget.remaining(objective)
    if left is None:
        return None
    return LastBudget(remaining_ratio=left, history_seconds=budget.history.total_seconds(), at=at)


def _silence(action: Action | None, objectives: Objectives) -> SilenceStatus | None:
    if action is None or action.silence is None:
        return None
    silence = action.silence
    key = Key(silence.objective, silence.labels)
    return SilenceStatus(
        slo=str(key),
        title=title_of(key, objectives) if silence.objective else "Everything",
        until=silence.until,
        by=action.by.name,
        since=action.at,
        reason=silence.reason,
    )


def _incident(
    incident: Incident, objectives: Objectives, state: State, now: datetime, process: Process
) -> IncidentStatus:
    objective, actions, opening = objectives.of(incident.key), process.actions, incident.this_opening
    is_latency = objective is not None and objective.is_latency
    records = [each for each in process.records if each.incident == incident.number]
    acknowledgement = actions.acknowledgement(incident)
    stages = [each.stage if each.opening == incident.openings else Stage.NOTHING for each in records]
    burnt = None
    if objective is not None and incident.budget is not None:
        burnt = incident.budget.share_of(objective, incident.bad)
    return IncidentStatus(
        number=incident.number,
        slo=str(incident.key),
        title=title_of(incident.key, objectives),
        alert=incident.key.alert,
        is_open=incident.is_open,
        outcome=incident.outcome,
        began_at=incident.began_at,
        opened_at=incident.opened_at,
        last_bad_at=incident.last_bad_at,
        closed_at=incident.closed_at,
        openings=incident.openings,
        again_at=incident.again_at,
        bad_times=tuple(
            BadTime(began_at=since, ended_at=None if incident.is_open and since == incident.since else until)
            for since, until in incident.bad_times(now)
        ),
        bad_events=incident.bad,
        total_events=incident.total,
        opening_bad_events=opening.bad,
        opening_total_events=opening.total,
        value_seconds=incident.value if is_latency else None,
        value_bad_ratio=None if is_latency else incident.value,
        value_over_seconds=incident.value_over.total_seconds() if incident.value_over else None,
        bucket_bounds_seconds=incident.bounds,
        worst_seconds=incident.worst if is_latency else None,
        worst_bad_ratio=None if is_latency else incident.worst,
        worst_at=incident.worst_at,
        budget_burnt_ratio=burnt,
        held=incident.held,
        reason=str(incident.reason),
        told=min(stages, key=list(Stage).index, default=Stage.NOTHING),
        breach_told_at=min((each.breach_told_at for each in records if each.breach_told_at), default=None),
        acknowledged_by=acknowledgement.by.name if acknowledgement else None,
        acknowledged_at=acknowledgement.at if acknowledgement else None,
        silence=_silence(actions.silence_of(incident, state.incidents, now), objectives) if incident.is_open else None,
        is_drill=incident.is_drill,
    )
