"""How everything stands, as one value: made of what is known, for people's pages and for machines alike.

Nothing is `met` without evidence: only an evaluation that saw clearly, with a number, not long ago, makes it so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from wine_slo.slo.attribution.attribution import Breakdown, Cause
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import DOWN, GAP, LEDGER, SIGHT, State, is_ahead
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight, value_of
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.objectives.budget import Budget, windows
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, Actions
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.replicas.replica_status import ReplicaStatus
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.views.finding.query import Chosen, Query, choose, judgement_of
from wine_slo.slo.views.status_schema import (
    BadTime,
    BreakdownStatus,
    BurnStatus,
    CauseStatus,
    DeploymentStatus,
    IncidentStatus,
    LastBudget,
    ObjectiveStatus,
    SilenceStatus,
    Status,
    ValueStatus,
)

OWN = {  # the watchdog's own incidents
    SIGHT.objective: "Monitoring lost",
    DOWN: "Targets down",
    LEDGER.objective: "Database not writable",
    GAP.objective: "Not evaluating",
}
MOST_OPEN = 100  # open incidents in one answer
RECENT = 20  # closed incidents; the ledger keeps them all

ALL = Query()


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
        has_readings: Whether it evaluates itself; a standby has what the leader wrote, in which there are no numbers.
        replicas: How each replica of the metric source stands; none where there is but one.
    """

    version: str
    poll: timedelta
    overdue_after: timedelta
    untold_seconds: float = 0.0
    records: tuple[DeliveryRecord, ...] = ()
    actions: Actions = NO_ACTIONS
    unreachable: Mapping[Address, str] = field(default_factory=dict)
    is_quiet: bool = False
    has_readings: bool = True
    replicas: tuple[ReplicaState, ...] = ()


def status_of(state: State, objectives: Objectives, now: datetime, process: Process, query: Query = ALL) -> Status:
    """Return how everything stands.

    Args:
        state: What is known.
        objectives: The objectives.
        now: The instant, by the clock of the state.
        process: What the watchdog knows of itself.
        query: Which label sets are wanted.
    """
    age = None if state.evaluated_at is None else now - state.evaluated_at
    overdue = is_overdue(state, now, process.overdue_after)
    chosen = choose(query, state, objectives, is_present=not overdue, has_readings=process.has_readings)
    open_incidents = [each for each in state.open_incidents if _is_wanted(each, query, chosen)]
    closed = sorted(
        (each for each in state.incidents.values() if each.closed_at and _is_wanted(each, query, chosen)),
        key=lambda it: it.last_bad_at,
    )
    records: dict[int, list[DeliveryRecord]] = {}
    for record in process.records:
        records.setdefault(record.incident, []).append(record)

    def incidents(those: Iterable[Incident]) -> tuple[IncidentStatus, ...]:
        return tuple(_incident(each, objectives, state, now, process, records.get(each.number, [])) for each in those)

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
            _objective(key, objective, objectives, state, now, process, is_present=not overdue)
            for key, objective in chosen.keys
        ),
        open_incidents=incidents(_first(open_incidents, chosen)),
        recent_incidents=incidents(closed[: -RECENT - 1 : -1]),
        silences=tuple(
            each
            for action in process.actions.silences(state.incidents, now)
            if (each := _silence(action, objectives)) is not None
        ),
        unreachable={chat.place: reason for chat, reason in process.unreachable.items()},
        quiet_hours=process.is_quiet,
        replicas=tuple(map(_replica, process.replicas)),
        selection=chosen.selection,
        open_incidents_total=len(open_incidents),
    )


def _replica(replica: ReplicaState) -> ReplicaStatus:
    return ReplicaStatus(
        name=replica.name,
        used=replica.is_used,
        reason=str(replica.reason),
        left_since=replica.since,
        worse=tuple(map(str, replica.worse)),
    )


def is_overdue(state: State, now: datetime, overdue_after: timedelta) -> bool:
    """Return whether the last evaluation is so old, or so far in the future, that it does not show the present."""
    return state.evaluated_at is None or now - state.evaluated_at > overdue_after or is_ahead(state, now)


def _is_wanted(incident: Incident, query: Query, chosen: Chosen) -> bool:
    """Return whether an incident is shown: one of what matches, and the watchdog's own always."""
    return not query.filters or incident.key.is_own or replace(incident.key, alert=Alert.BREACH) in chosen.matching


def _first(incidents: Sequence[Incident], chosen: Chosen) -> list[Incident]:
    """Return as many open incidents as are shown: the watchdog's own, those of what is shown, then the oldest."""
    shown = {key for key, _ in chosen.keys}
    first = {each.number for each in incidents if each.key.is_own or replace(each.key, alert=Alert.BREACH) in shown}
    others = [each.number for each in incidents if each.number not in first]
    wanted = first | set(others[: max(0, MOST_OPEN - len(first))])
    return [each for each in incidents if each.number in wanted]


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
    process: Process,
    *,
    is_present: bool,
) -> ObjectiveStatus:
    actions, track, reading = process.actions, state.tracks.get(key), state.readings.get(key)
    is_known = track is not None and (reading is not None or not process.has_readings)
    incident = None if track is None or track.incident is None else state.incidents.get(track.incident)
    is_open = incident is not None and incident.is_open
    number = incident.number if incident is not None and is_open else None
    acknowledgement = actions.acknowledgement(incident) if incident is not None and is_open else None
    value = value_of(objective, reading, is_met=track is None or track.phase is Phase.MET) if reading else None
    targets = reading.up_targets if reading else None
    source, is_latency = objective.source, objective.is_latency
    budget, period = reading.budget if reading else None, objective.period(now)
    how = {"is_open": number is not None, "is_present": is_present, "has_readings": process.has_readings}
    return ObjectiveStatus(
        slo=str(key),
        objective=key.objective,
        labels=dict(key.labels),
        title=title_of(key, objectives),
        kind=source.kind,
        verdict=judgement_of(objective, track, reading, **how),
        state=track.phase if track else Phase.MET,
        state_since=track.since if track else None,
        sight=track.sight if track and is_known else Sight.BLIND,
        sight_since=track.sight_since if track and is_known else None,
        reason=str(track.reason) if track and is_known else "not evaluated since the start",
        incident=number,
        latency_seconds=value.number if value and is_latency else None,
        bad_ratio=value.number if value and not is_latency else None,
        value_over_seconds=value.over.total_seconds() if value and value.over else None,
        bucket_bounds_seconds=reading.bounds if reading else (),
        latency_quantile=objective.ratio if is_latency else None,
        threshold_seconds=source.threshold if is_latency else None,
        good_ratio=reading.good_ratio if reading else None,
        objective_ratio=objective.ratio,
        over_seconds=objective.over.total_seconds(),
        events_per_second=reading.events_per_second if reading else None,
        by_endpoint_seconds=dict(reading.by_endpoint) if reading else {},
        budget_remaining_ratio=budget.remaining(objective) if budget else None,
        budget_window_seconds=(period.length if period else objective.window).total_seconds(),
        budget_history_seconds=budget.history.total_seconds() if budget else None,
        burn_rates=_burn_rates(objective, budget),
        targets=targets.known if targets else None,
        targets_down=targets.down if targets else (),
        acknowledged_by=acknowledgement.by.name if acknowledgement else None,
        acknowledged_at=acknowledgement.at if acknowledgement else None,
        silence=_silence(actions.silence_about(key, state.incidents, now), objectives),
        last_known_budget=_last_budget(objective, track, reading, now),
        doubt=objectives.doubts.get(objective.name, ""),
        budget_window=objective.window_name,
        budget_begins_at=period.begins_at if period else None,
        budget_ends_at=period.ends_at if period else None,
    )


def _burn_rates(objective: Objective, budget: Budget | None) -> tuple[BurnStatus, ...]:
    return tuple(
        BurnStatus(
            window=objective.name_of(each),
            window_seconds=_span_of(objective, budget, each).total_seconds(),
            burn_rate=budget.burn_rate(objective, each) if budget else None,
        )
        for each in windows(objective)
    )


def _span_of(objective: Objective, budget: Budget | None, window: timedelta) -> timedelta:
    if budget is None or not objective.is_calendar(window):
        return window
    return budget.history if budget.is_whole(objective) else budget.reach(objective)


def _last_budget(
    objective: Objective, track: KeyState | None, reading: Reading | None, now: datetime
) -> LastBudget | None:
    last = track.last_budget(reading) if track else None
    if last is None or last[0].is_young(objective) or last[0].is_over(now):
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
    incident: Incident,
    objectives: Objectives,
    state: State,
    now: datetime,
    process: Process,
    records: Sequence[DeliveryRecord],
) -> IncidentStatus:
    objective, actions, opening = objectives.of(incident.key), process.actions, incident.this_opening
    is_latency, attribution = objective is not None and objective.is_latency, incident.attribution
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
        is_drill=incident.is_of_drill,
        deployment=_deployment(incident.change),
        causes=tuple(map(_cause, attribution.causes)) if attribution else (),
        breakdown=tuple(map(_breakdown, attribution.breakdowns)) if attribution else (),
        breakdown_over_seconds=attribution.over.total_seconds() if attribution else None,
    )


def _cause(cause: Cause) -> CauseStatus:
    return CauseStatus(
        label=cause.label,
        values=cause.values,
        bad_events=cause.bad,
        total_events=cause.total,
        other_bad_events=cause.other_bad,
        other_total_events=cause.other_total,
    )


def _breakdown(breakdown: Breakdown) -> BreakdownStatus:
    return BreakdownStatus(
        label=breakdown.label,
        values=tuple(
            ValueStatus(value=each.value, bad_events=each.bad, total_events=each.total) for each in breakdown.values
        ),
        more_values=breakdown.more,
    )


def _deployment(change: Deployment | None) -> DeploymentStatus | None:
    if change is None:
        return None
    return DeploymentStatus(
        at=change.at,
        before=change.before,
        after=change.after,
        targets_started=change.started,
        targets=change.targets,
    )
