"""Incidents: the record of each, and what an interval, a recovery or a new breach makes of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.slo.attribution.attribution import Attribution
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, Value
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Burn, Key, Objective, Objectives
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.deployment import Deployment

REOPENS_WITHIN = timedelta(minutes=10)  # what comes back sooner is the same incident, opened again
MOST_OPENINGS = 50  # of one incident that are kept apart; the oldest of more are taken together


class Interruption(StrEnum):
    """Why there was no evaluation for a while."""

    RESTART = "restart"  # the process was not running
    FAILURE = "failure"  # it was running, and its evaluations failed
    PAUSE = "pause"  # it was suspended, or had no processor time
    CLOCK = "clock"  # there was one, recorded at a time that is still to come


class Outcome(StrEnum):
    """How an incident ended."""

    RECOVERED = "recovered"  # seen well again
    EXPIRED = "expired"  # no requests any more; not a recovery
    WITHDRAWN = "withdrawn"  # its objective is no longer in slo.yml


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The bad time that one opening of an incident was for, once it is over.

    Attributes:
        began_at: The start of its first bad interval.
        last_bad_at: The end of its last one.
        bad: Bad events in that time; estimated, so not a whole number.
        total: All events in that time.
    """

    began_at: datetime
    last_bad_at: datetime
    bad: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One time that an objective was in breach, from the first bad interval to the last.

    Attributes:
        number: What people call it: #12.
        began_at: The start of the first bad interval.
        again_at: The same of its last opening, where it came back after a recovery.
        opened_at: When the breach was proven.
        last_bad_at: The end of the last bad interval so far.
        closed_at: When its end was proven; None while it is open.
        openings: How often it was opened: more than once when it came back soon after its recovery.
        earlier: The openings before the last one, oldest first.
        relapses: How many of those came so soon that it flaps, which makes a recovery take longer.
        bad: Bad events in the bad time of all openings; estimated, so not a whole number.
        total: All events in that time.
        bad_since: Bad events after its last bad interval: a recovery, if it goes on.
        total_since: All events after its last bad interval.
        worst: The worst value seen: seconds for a latency, else the share of bad events.
        held: Why nothing can be said at the moment; None while sight is clear.
        reason: The same in words.
        unjudged_for: How long in all, since it began, nothing could be judged: no requests, or no data.
        value: The value at the last evaluation whose sight was clear; of a recovered one, what proved the recovery.
        value_over: The time range of the value; None where it is not known.
        bounds: The finite bucket bounds of the histogram in seconds, ascending; empty where they are not known.
        targets: How many targets the job has; of a label set, how many are its own where being up is the objective.
        down: The names of those that did not answer at the last evaluation.
        attribution: Which labels' values carry its bad events of late; None where that is not known.
        waiting_seconds: How long the oldest request has waited, where nothing is answered at all.
        missed: The value of a gauge that is furthest from good; None where all are good.
        budget: What is known of the error budget.
        burn: The burn-rate alert, where it is the budget that this is about.
        change: The deployment shortly before, if there was one.
        is_drill: Whether all slow requests are those of a drill.
        is_announced_drill: Whether it began while a drill ran that was announced as one.
        is_outage: Whether no target answers at all.
    """

    number: int
    key: Key
    began_at: datetime
    opened_at: datetime
    last_bad_at: datetime
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    again_at: datetime | None = None
    openings: int = 1
    relapses: int = 0
    bad: float = 0.0
    total: float = 0.0
    bad_since: float = 0.0
    total_since: float = 0.0
    earlier: tuple[Opening, ...] = ()
    value: float | None = None
    value_over: timedelta | None = None
    bounds: tuple[float, ...] = ()
    targets: int = 0
    down: tuple[str, ...] = ()
    worst: float | None = None
    worst_at: datetime | None = None
    attribution: Attribution | None = None
    waiting_seconds: float | None = None
    missed: float | None = None
    budget: Budget | None = None
    burn: Burn | None = None
    held: Sight | None = None
    held_since: datetime | None = None
    reason: Reason | str = ""
    unjudged_for: timedelta = timedelta(0)
    change: Deployment | None = None
    is_drill: bool = False
    is_announced_drill: bool = False
    is_outage: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether it is not over."""
        return self.closed_at is None

    @property
    def is_explained(self) -> bool:
        """Return whether it is known which values carry its bad events."""
        return self.attribution is not None and bool(self.attribution.causes)

    @property
    def has_all_targets_down(self) -> bool:
        """Return whether no target answered at the last evaluation."""
        return 0 < self.targets <= len(self.down)

    @property
    def is_of_drill(self) -> bool:
        """Return whether it was made on purpose."""
        return self.is_drill or self.is_announced_drill

    @property
    def since(self) -> datetime:
        """Return the start of the bad time that the last opening was for."""
        return self.again_at or self.began_at

    @property
    def shown(self) -> Value | None:
        """Return the value with its time range; None where none is known."""
        return None if self.value is None else Value(self.value, self.value_over)

    @property
    def this_opening(self) -> Opening:
        """Return the bad time of the last opening, as far as it has come."""
        return Opening(
            began_at=self.since,
            last_bad_at=self.last_bad_at,
            bad=max(0.0, self.bad - sum(each.bad for each in self.earlier)),
            total=max(0.0, self.total - sum(each.total for each in self.earlier)),
        )

    def bad_times(self, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """Return from when to when it was bad, oldest first; until now where it is open."""
        last = (self.since, now if self.is_open else self.last_bad_at)
        return (*((each.began_at, each.last_bad_at) for each in self.earlier), last)

    def bad_for(self, now: datetime) -> timedelta:
        """Return how long it was bad in all, without the time between its openings."""
        return sum((until - since for since, until in self.bad_times(now)), timedelta(0))

    @property
    def bad_ratio(self) -> float:
        """Return the share of bad events while it was bad."""
        return self.bad / self.total if self.total else 1.0


def recovered(incident: Incident, objective: Objective, reading: Reading, proof: Sequence[Interval]) -> Incident:
    """Return the incident as closed by a recovery, with the value of what proved it.

    A quantile is over other samples than the intervals are; one that is worse than the target proves nothing, and then
    no value is named.
    """
    if objective.is_latency:
        seconds = reading.recent_seconds
        value = None if seconds is None else Value(seconds, objective.recent)
    else:
        ratio = sum(each.bad for each in proof) / sum(each.total for each in proof)
        value = Value(ratio, proof[-1].ended_at - proof[0].ended_at + objective.scrape_interval)
    if value is not None and not value.is_within(objective):
        value = None
    return replace(
        incident,
        closed_at=reading.at,
        outcome=Outcome.RECOVERED,
        held=None,
        held_since=None,
        reason="",
        value=value.number if value else None,
        value_over=value.over if value else None,
        waiting_seconds=None,
        missed=None,
    )


def joined(openings: tuple[Opening, ...]) -> tuple[Opening, ...]:
    """Return the openings, the two oldest as one where there are very many."""
    if len(openings) <= MOST_OPENINGS:
        return openings
    first, second, *others = openings
    both = Opening(
        began_at=first.began_at,
        last_bad_at=second.last_bad_at,
        bad=first.bad + second.bad,
        total=first.total + second.total,
    )
    return (both, *others)


def may_reopen(last: Incident, began_at: datetime) -> bool:
    """Return whether what began then is the last incident come back; one that expired was never seen to end."""
    return last.outcome is Outcome.EXPIRED or began_at - last.last_bad_at <= REOPENS_WITHIN


def count_interval(incident: Incident, interval: Interval, *, bad: bool) -> Incident:
    """Return the incident with one more interval: its own if it is bad, else perhaps the start of a recovery."""
    if not bad:
        return replace(
            incident,
            bad_since=incident.bad_since + interval.bad,
            total_since=incident.total_since + interval.total,
        )
    return replace(
        incident,
        last_bad_at=interval.ended_at,
        bad=incident.bad + incident.bad_since + interval.bad,
        total=incident.total + incident.total_since + interval.total,
        bad_since=0.0,
        total_since=0.0,
    )


def gap(number: int, key: Key, began_at: datetime, ended_at: datetime, interruption: Interruption) -> Incident:
    """Return the incident, closed at once, of a time in which there was no evaluation."""
    return Incident(
        number=number,
        key=key,
        began_at=began_at,
        opened_at=ended_at,
        last_bad_at=ended_at,
        closed_at=ended_at,
        outcome=Outcome.RECOVERED,
        reason=interruption.value,
    )


def trouble_after(last: Incident | None, new: Incident, blind_for: timedelta) -> Incident | None:
    """Return the incident of a trouble after an evaluation; None where none is open.

    Args:
        last: The last one; None where there was none of late.
        new: One that opens now, and began when the trouble did; it has a reason where there is the trouble.
        blind_for: For how long there must be it.
    """
    now = new.opened_at
    if last is not None and last.is_open:
        last = replace(last, last_bad_at=now, reason=new.reason or last.reason)
        return last if new.reason else replace(last, closed_at=now, outcome=Outcome.RECOVERED)
    return new if new.reason and now - new.began_at >= blind_for else None


def with_drills(
    incidents: Mapping[int, Incident], before: Mapping[int, Incident], is_announced: Callable[[Incident], bool]
) -> Mapping[int, Incident]:
    """Return the incidents, each that has just opened marked where it is one of an announced drill.

    Args:
        incidents: All after an evaluation.
        before: All before it.
        is_announced: Whether an incident is one of an announced drill.
    """
    marked = {
        number: replace(incident, is_announced_drill=is_announced(incident))
        for number, incident in incidents.items()
        if incident.is_open and has_just_opened(incident, before)
    }
    return {**incidents, **marked} if marked else incidents


def has_just_opened(incident: Incident, before: Mapping[int, Incident]) -> bool:
    """Return whether an incident has opened, or opened again, since the incidents were as they were before."""
    return incident.number not in before or before[incident.number].openings < incident.openings


def with_deployments(
    incidents: Mapping[int, Incident],
    before: Mapping[int, Incident],
    objectives: Objectives,
    deployments: Mapping[str, Deployment],
) -> Mapping[int, Incident]:
    """Return the incidents, each that has just opened with the deployment that came shortly before it.

    Args:
        incidents: All after an evaluation.
        before: All before it.
        objectives: All objectives; they know the job of each incident.
        deployments: The last one of each job.
    """
    explained = {}
    for number, incident in incidents.items():
        is_new = has_just_opened(incident, before)
        objective = objectives.of(incident.key)
        if not incident.is_open or not is_new or objective is None:
            continue
        deployment = deployments.get(objective.job)
        if deployment is not None and deployment.may_have_caused(incident.since):
            explained[number] = replace(incident, change=deployment)
    return {**incidents, **explained}


def with_attributions(
    incidents: Mapping[int, Incident], attributions: Mapping[Key, Attribution]
) -> Mapping[int, Incident]:
    """Return the incidents, each that is open with what was found about its bad events, where something new was."""
    return {
        number: replace(each, attribution=attributions[each.key]) if each.is_open and each.key in attributions else each
        for number, each in incidents.items()
    }
