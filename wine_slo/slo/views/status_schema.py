"""What machines read of how everything stands: the answer of `/api/status`, with units in the names.

What is not known is null, never 0. Instants are by Prometheus' clock; spans are seconds, ratios 0 to 1. Names stay as
they are; they are; new ones may be added.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.lease import LeadershipStatus
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.objectives.budget import YOUNG
from wine_slo.slo.objectives.objective import Alert
from wine_slo.slo.replicas.replica_status import ReplicaStatus
from wine_slo.slo.views.finding.selection import Selection


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
        window: As Prometheus writes it: 5m, 1h, 30d; of a calendar window week, month or quarter.
        window_seconds: The same; of a calendar window, what has passed of it.
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
        kind: latency, slow_or_failed (a latency with success_selector), ratio, gauge or up.
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
        budget_window_seconds: The span of the budget; of a calendar window, all of the present one.
        budget_history_seconds: Over how much of that span it is known.
        budget_window: The span as slo.yml writes it: 30d, or week, month or quarter for a calendar window.
        budget_begins_at: When the present calendar window began; null where the window always ends now.
        budget_ends_at: When the budget begins anew; null where the window always ends now.
        last_known_budget: What was known last of it; null where the last evaluation knows it, or none ever did.
        burn_rates: How fast it burns, shortest window first.
        targets: How many targets there are, where being up is the objective; null for other kinds.
        targets_down: The names of those that do not answer.
        acknowledged_by: Who has acknowledged its open incident; null where nobody has, or there is none.
        acknowledged_at: Since when.
        silence: What mutes its messages now; null where nothing does.
        doubt: What Prometheus shows to be wrong with its series in slo.yml, in words; empty where nothing is.
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
    doubt: str = ""
    budget_window: str = ""
    budget_begins_at: datetime | None = None
    budget_ends_at: datetime | None = None

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
class CauseStatus:
    """Values of one label that carry most of the bad events of an incident, while all others are fine, or nearly.

    Attributes:
        label: The name of the label.
        values: The values, the one with the most bad events first.
        bad_events: Of these values; estimated, so not a whole number.
        total_events: All of these values.
        other_bad_events: Of all other values.
        other_total_events: All of these.
    """

    label: str
    values: tuple[str, ...]
    bad_events: float
    total_events: float
    other_bad_events: float
    other_total_events: float

    @property
    def share(self) -> float:
        """Return the share of the bad events that it carries."""
        return self.bad_events / (self.bad_events + self.other_bad_events)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueStatus:
    """The events of one value of a label; estimated counts, so not whole numbers."""

    value: str
    bad_events: float
    total_events: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownStatus:
    """The events of an incident by the values of one label.

    Attributes:
        label: The name of the label.
        values: Those with the most bad events, in that order.
        more_values: How many are left out.
    """

    label: str
    values: tuple[ValueStatus, ...]
    more_values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentStatus:
    """A deployment shortly before an incident.

    Attributes:
        at: When it was first seen, or as it was reported.
        before: The version that ran before; empty where that is not known.
        after: Its version; empty where it is only known that targets have started.
        targets_started: How many targets have started, where no version is known.
        targets: Of how many.
    """

    at: datetime
    before: str
    after: str
    targets_started: int
    targets: int


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
        deployment: The deployment shortly before it began; null where there was none.
        is_drill: Whether a drill made it: it requested all that is slow, or was announced when this began.
        causes: What carries its bad events, each explaining them as well as the others; empty where nothing stands out.
        breakdown: Its events label by label, the label that explains most first.
        breakdown_over_seconds: The time range of these; null where they are not known.
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
    deployment: DeploymentStatus | None = None
    causes: tuple[CauseStatus, ...] = ()
    breakdown: tuple[BreakdownStatus, ...] = ()
    breakdown_over_seconds: float | None = None


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
        objectives: Those that were chosen, the worst first, else in the order of slo.yml; `selection` counts them.
        open_incidents: Of what matches, oldest first; at most 100, among them all of `objectives`.
        recent_incidents: Those that were closed within a day, newest first, at most 20.
        silences: Those that run, oldest first.
        unreachable: Why each chat that cannot be reached cannot be, by its id in the settings.
        quiet_hours: Whether these hold messages now.
        selection: How much of everything `objectives` is.
        open_incidents_total: How many incidents are open, of what matches.
        leadership: Who leads and who stands by; null for one watchdog. A standby answers as the leader has written.
        replicas: How each Prometheus stands; empty where there is but one.
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
    selection: Selection | None = None
    open_incidents_total: int = 0
    leadership: LeadershipStatus | None = None
    replicas: tuple[ReplicaStatus, ...] = ()
