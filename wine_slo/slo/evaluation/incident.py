"""Incidents, and the one state machine that opens and closes them.

    met ──bad──► breaching ──bad for long──► breached ──good──► recovering ──good for long──► met

A *track* is what is remembered of one key between looks. While sight is not clear nothing moves: absence opens
nothing and closes nothing. The only other way out is expiry: nobody has asked for so long that nothing more will be
known, and that is told as such, never as a recovery.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.metric_names import DRILL_ENDPOINT
from wine_slo.slo.evaluation.deployment import Deployment
from wine_slo.slo.evaluation.judgement import clear_run, held_run, is_bad, is_breach
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.evaluation.value import Value, value_of
from wine_slo.slo.objectives.budget import Budget, burning
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Latency, Objective
from wine_slo.slo.reason import Reason

REOPENS_WITHIN = timedelta(minutes=10)  # what comes back sooner is the same incident, opened again
RELAPSES_WITHIN = timedelta(minutes=1)  # good for less than this in between: it flaps
HELD_AFTER = timedelta(minutes=1)  # without an event or without sight for so long, the last value is not the present
HOLDS_FOR = timedelta(minutes=10)  # good by little for so long is a recovery too
MOST_OPENINGS = 50  # of one incident that are kept apart; the oldest of more are taken together
OLDEST_EVIDENCE = 150  # intervals; twelve minutes of a busy service, longer for a quiet one


class Phase(StrEnum):
    """How far a breach or a recovery has come."""

    MET = "met"
    BREACHING = "breaching"
    BREACHED = "breached"
    RECOVERING = "recovering"

    @property
    def is_open(self) -> bool:
        """Whether there is an incident."""
        return self in (Phase.BREACHED, Phase.RECOVERING)


class Outcome(StrEnum):
    """How an incident ended."""

    RECOVERED = "recovered"  # seen well again
    EXPIRED = "expired"  # nobody asked any more; not a recovery
    WITHDRAWN = "withdrawn"  # its objective is no longer promised


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
    """One time that a promise was broken, from its first bad interval to its last.

    Attributes:
        number: What people call it: #12.
        began_at: The start of the first bad interval.
        again_at: The same of its last opening, where it came back after a recovery.
        opened_at: When the watchdog was sure.
        last_bad_at: The end of the last bad interval so far.
        closed_at: When the watchdog was sure that it is over; None while it is open.
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
        unjudged_for: How long in all, since it began, nothing could be judged: nobody asked, or nothing was seen.
        value: The value at the last look whose sight was clear; of a recovered one, what proved the recovery.
        value_over: The time range of the value; None where it is not known.
        bounds: The finite bucket bounds of the histogram in seconds, ascending; empty where they are not known.
        targets: How many targets there are, where being up is the objective.
        down: The names of those that did not answer at the last look.
        by_endpoint: The same, endpoint by endpoint, slowest first.
        waiting_seconds: How long the oldest request has waited, where nothing is answered at all.
        budget: What is known of the error budget.
        burn: The pace that is told, where it is the budget that this is about.
        change: The change of the model shortly before, if there was one.
        is_drill: Whether all that is slow is what a drill has asked for.
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
    by_endpoint: tuple[tuple[str, float], ...] = ()
    waiting_seconds: float | None = None
    budget: Budget | None = None
    burn: Burn | None = None
    held: Sight | None = None
    held_since: datetime | None = None
    reason: Reason | str = ""
    unjudged_for: timedelta = timedelta(0)
    change: Deployment | None = None
    is_drill: bool = False
    is_outage: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.closed_at is None

    @property
    def since(self) -> datetime:
        """The start of the bad time that the last opening was for."""
        return self.again_at or self.began_at

    @property
    def shown(self) -> Value | None:
        """The value with its time range; None where none is known."""
        return None if self.value is None else Value(self.value, self.value_over)

    @property
    def this_opening(self) -> Opening:
        """The bad time of the last opening, as far as it has come."""
        return Opening(
            began_at=self.since,
            last_bad_at=self.last_bad_at,
            bad=max(0.0, self.bad - sum(each.bad for each in self.earlier)),
            total=max(0.0, self.total - sum(each.total for each in self.earlier)),
        )

    def bad_times(self, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
        """From when to when it was bad, oldest first; until now where it is open."""
        last = (self.since, now if self.is_open else self.last_bad_at)
        return (*((each.began_at, each.last_bad_at) for each in self.earlier), last)

    def bad_for(self, now: datetime) -> timedelta:
        """How long it was bad in all, without the time between its openings."""
        return sum((until - since for since, until in self.bad_times(now)), timedelta(0))

    @property
    def bad_ratio(self) -> float:
        """The share of bad events while it was bad."""
        return self.bad / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """What is remembered of one key from look to look.

    Attributes:
        since: When the phase began.
        judged_until: The end of the last interval that was judged; None before the first.
        evidence: The intervals with events since the suspicion arose, oldest first; empty while the promise is met.
        incident: The number of the open incident, or of the last one while it may still come back.
        sight: The last look's sight, and since when it has been so.
        quiet_since: Since when nobody has asked; None when somebody has, or when that cannot be seen.
    """

    key: Key
    phase: Phase = Phase.MET
    since: datetime
    judged_until: datetime | None = None
    evidence: tuple[Interval, ...] = ()
    incident: int | None = None
    sight: Sight = Sight.CLEAR
    sight_since: datetime
    reason: Reason | str = ""
    quiet_since: datetime | None = None


def follow(
    track: KeyState, incident: Incident | None, objective: Objective, reading: Reading, *, number: int
) -> tuple[KeyState, tuple[Incident, ...]]:
    """The track and its incidents after one more look: the last of them is its own, the others ended in this look.

    A look after an outage catches up on an hour, in which one incident can end and another begin.

    Args:
        track: What was remembered.
        incident: The incident that `track` names, open or closed; None when it names none.
        objective: What is promised.
        reading: What was seen.
        number: What the next new incident is to be called; further ones are called by the numbers after it.
    """
    was_open, ended = incident is not None and incident.is_open, []
    track = _look(track, reading)
    # Scrapes jitter, and with them the ends of intervals: what ends half an interval later is the same one again.
    for interval in reading.intervals if reading.sight.is_seeing else ():
        if track.judged_until is None or interval.ended_at - track.judged_until > objective.scrape_interval / 2:
            if incident is not None and incident.is_open:
                incident = _note_gap(incident, track.judged_until, interval, objective)
            track, before = replace(track, judged_until=interval.ended_at), incident
            track, incident = _judge(track, incident, objective, reading, interval, number=number)
            if incident is not None and before is not None and incident.number != before.number:
                ended.append(before)
            if incident is not None and incident.number == number:
                number += 1
    track = _forget(track, incident, objective, reading)
    if incident is not None and (was_open or incident.is_open):
        track, incident = _expire(track, _describe(incident, track, objective, reading), objective, reading)
    return track, (*ended, incident) if incident is not None else tuple(ended)


def _note_gap(incident: Incident, judged_until: datetime | None, interval: Interval, objective: Objective) -> Incident:
    """The incident with the time before an interval in which there was nothing to judge, where it is worth a word."""
    gap = interval.ended_at - objective.scrape_interval - (judged_until or interval.ended_at)
    return incident if gap < HELD_AFTER else replace(incident, unjudged_for=incident.unjudged_for + gap)


def follow_burn(
    track: KeyState,
    incident: Incident | None,
    objective: Objective,
    reading: Reading,
    *,
    breaches: Iterable[Incident],
    number: int,
) -> tuple[KeyState, Incident | None]:
    """The track of a burning budget, and its incident, after one more look.

    Args:
        track: What was remembered; its key says which alert it is.
        incident: The incident that `track` names; None when it names none.
        objective: What is promised.
        reading: What was seen.
        breaches: Those of the same promise, of late: what one of them burns is told with it, and not twice.
        number: What the next new incident is to be called.
    """
    track = _look(track, reading)
    is_open = incident is not None and incident.is_open
    burn = None
    if reading.sight is Sight.CLEAR and reading.budget is not None:
        burn = burning(objective, reading.budget, track.key.alert)
        if burn is not None and not is_open and not _is_told(burn, breaches, reading.at):
            incident = Incident(
                number=number,
                key=track.key,
                began_at=reading.at - burn.short,
                opened_at=reading.at,
                last_bad_at=reading.at,
                budget=reading.budget,
                burn=burn,
            )
            return replace(track, phase=Phase.BREACHED, since=reading.at, incident=number), incident
        if incident is not None and is_open:
            if burn is not None:
                moved = replace(incident, last_bad_at=reading.at, budget=reading.budget, burn=burn, held=None)
                return track, moved
            closed = replace(incident, closed_at=reading.at, outcome=Outcome.RECOVERED, budget=reading.budget)
            return replace(track, phase=Phase.MET, since=reading.at, incident=None), closed
    if incident is not None and is_open:
        track, incident = _expire(track, _hold(incident, track, reading), objective, reading)
        if not incident.is_open:
            track = replace(track, incident=None)  # what burns anew is another incident
    return track, incident


def _is_told(burn: Burn, breaches: Iterable[Incident], at: datetime) -> bool:
    """Whether a breach tells of what burns; nobody is woken for one that is over while it still is in the range."""
    return any(each.is_open or (burn.alert is Alert.PAGE and at - each.last_bad_at < burn.short) for each in breaches)


def _look(track: KeyState, reading: Reading) -> KeyState:
    """The track with this look's sight."""
    quiet_since = None
    if reading.sight is Sight.NO_TRAFFIC:
        last_event = track.judged_until if track.sight.is_seeing and track.judged_until else reading.at
        quiet_since = track.quiet_since or last_event
    return replace(
        track,
        sight=reading.sight,
        sight_since=track.sight_since if reading.sight is track.sight else reading.at,
        reason=reading.reason,
        quiet_since=quiet_since,
    )


def _judge(
    track: KeyState,
    incident: Incident | None,
    objective: Objective,
    reading: Reading,
    interval: Interval,
    *,
    number: int,
) -> tuple[KeyState, Incident | None]:
    """The track and its incident after one more interval; the only place where a phase moves."""
    bad = is_bad(objective, interval)
    if track.phase is not Phase.MET or bad:
        track = replace(track, evidence=(*track.evidence, interval)[-OLDEST_EVIDENCE:])
    if incident is not None and incident.is_open:
        incident = _count(incident, interval, bad=bad)

    def now_in(phase: Phase) -> KeyState:
        return track if track.phase is phase else replace(track, phase=phase, since=interval.ended_at)

    match track.phase:
        case Phase.MET if bad:
            return now_in(Phase.BREACHING), incident
        case _ if reading.sight is not Sight.CLEAR:
            return track, incident
        case Phase.BREACHING if is_breach(objective, track.evidence):
            return _open(now_in(Phase.BREACHED), incident, objective, reading, number=number)
        case Phase.BREACHING if clear_run(
            objective, track.evidence, intervals=objective.stall_intervals + 1, bad_ratio=1.0
        ):  # a suspicion is dropped once it was good for as long as it would have had to be bad
            return replace(now_in(Phase.MET), evidence=()), incident
        case Phase.BREACHED | Phase.RECOVERING if incident is not None and (
            proof := _proof(objective, track, incident)
        ):
            return replace(now_in(Phase.MET), evidence=()), _recovered(incident, objective, reading, proof)
        case Phase.BREACHED | Phase.RECOVERING:
            return now_in(Phase.BREACHED if bad else Phase.RECOVERING), incident
        case _:
            return track, incident


def _proof(objective: Objective, track: KeyState, incident: Incident) -> Sequence[Interval]:
    """Return the intervals that prove a recovery; none where it is not proved.

    It takes proof that it is not as bad as it was, and the longer the more often it came back at once. What is good by
    little takes long.
    """
    needed = round(objective.good_for / objective.scrape_interval)
    needed = min(needed << min(incident.relapses, 10), round(objective.over / objective.scrape_interval))
    return clear_run(objective, track.evidence, intervals=needed, bad_ratio=incident.bad_ratio) or held_run(
        objective, track.evidence, HOLDS_FOR
    )


def _recovered(incident: Incident, objective: Objective, reading: Reading, proof: Sequence[Interval]) -> Incident:
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
    )


def _open(
    track: KeyState, last: Incident | None, objective: Objective, reading: Reading, *, number: int
) -> tuple[KeyState, Incident]:
    """The incident that the evidence shows: a new one, or the last one opened again."""
    evidence = track.evidence
    began_at = evidence[0].ended_at - objective.scrape_interval
    if last is not None and _may_reopen(last, began_at):
        relapsed = last.outcome is Outcome.RECOVERED and began_at - last.last_bad_at <= RELAPSES_WITHIN
        incident = replace(
            last,
            again_at=began_at,
            opened_at=reading.at,
            closed_at=None,
            outcome=None,
            openings=last.openings + 1,
            earlier=_joined((*last.earlier, last.this_opening)),
            bad_since=0.0,  # the good time between two openings belongs to neither
            total_since=0.0,
            relapses=last.relapses + relapsed,
            is_drill=False,
        )
    else:
        incident = Incident(
            number=number, key=track.key, began_at=began_at, opened_at=reading.at, last_bad_at=evidence[-1].ended_at
        )
    for interval in evidence:
        incident = _count(incident, interval, bad=is_bad(objective, interval))
    return replace(track, incident=incident.number), incident


def _joined(openings: tuple[Opening, ...]) -> tuple[Opening, ...]:
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


def _may_reopen(last: Incident, began_at: datetime) -> bool:
    """Whether what began then is the last incident come back; one that expired was never seen to end."""
    return last.outcome is Outcome.EXPIRED or began_at - last.last_bad_at <= REOPENS_WITHIN


def _count(incident: Incident, interval: Interval, *, bad: bool) -> Incident:
    """The incident with one more interval: its own if it is bad, else perhaps the start of a recovery."""
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


def _forget(track: KeyState, incident: Incident | None, objective: Objective, reading: Reading) -> KeyState:
    """The track without what is too old to matter."""
    if track.phase is Phase.BREACHING and reading.sight.is_seeing:
        oldest = reading.at - objective.expires_after
        evidence = tuple(each for each in track.evidence if each.ended_at > oldest)
        if not evidence:
            return replace(track, phase=Phase.MET, since=reading.at, evidence=())
        return replace(track, evidence=evidence)
    if (
        track.phase is Phase.MET
        and incident is not None
        and reading.sight is Sight.CLEAR
        and not _may_reopen(replace(incident, outcome=Outcome.RECOVERED), reading.at)
    ):
        return replace(track, incident=None)
    return track


def _expire(track: KeyState, incident: Incident, objective: Objective, reading: Reading) -> tuple[KeyState, Incident]:
    """The incident ended, and its track with it, where nobody has asked for too long."""
    if incident.is_open and track.quiet_since and reading.at - track.quiet_since >= objective.expires_after:
        track = replace(track, phase=Phase.MET, since=reading.at, evidence=())
        incident = replace(incident, closed_at=reading.at, outcome=Outcome.EXPIRED)
    return track, incident


def _hold(incident: Incident, track: KeyState, reading: Reading) -> Incident:
    """The incident with why nothing can be said of it; a look or two without sight are not worth a word."""
    since = track.quiet_since or track.sight_since
    if reading.at - since < HELD_AFTER:
        return incident
    return replace(incident, held=reading.sight, held_since=since, reason=reading.reason)


def _describe(incident: Incident, track: KeyState, objective: Objective, reading: Reading) -> Incident:
    """The incident with the values that its message reads."""
    if not incident.is_open:
        return replace(incident, budget=reading.budget or incident.budget, bounds=reading.bounds or incident.bounds)
    if reading.sight is not Sight.CLEAR:
        return _hold(incident, track, reading)
    last_event = track.judged_until or reading.at
    if reading.at - last_event > HELD_AFTER:
        return replace(incident, held=Sight.NO_TRAFFIC, held_since=last_event, reason=Reason("no requests"))
    shown = value_of(objective, reading, is_met=False) or incident.shown
    incident = replace(
        incident,
        held=None,
        held_since=None,
        reason="",
        value=shown.number if shown else None,
        value_over=shown.over if shown else None,
        bounds=reading.bounds or incident.bounds,
        targets=reading.up_targets.known if reading.up_targets else 0,
        down=reading.up_targets.down if reading.up_targets else (),
        by_endpoint=reading.by_endpoint or incident.by_endpoint,
        waiting_seconds=reading.waiting_seconds,
        budget=reading.budget or incident.budget,
        is_outage=objective.is_up and shown is not None and shown.number == 1 and not incident.key.labels,
        is_drill=_is_drill(incident, objective, reading),
    )
    value = incident.value if reading.waiting_seconds is None else reading.waiting_seconds
    if value is not None and (incident.worst is None or value > incident.worst):
        return replace(incident, worst=value, worst_at=reading.at)
    return incident


def _is_drill(incident: Incident, objective: Objective, reading: Reading) -> bool:
    """Whether all that is slow is what a drill has asked for; it stays so while nothing is slow."""
    if not isinstance(objective.source, Latency) or reading.waiting_seconds is not None:
        return False
    threshold = objective.source.threshold_seconds
    slow = {endpoint for endpoint, seconds in reading.by_endpoint if seconds > threshold}
    return slow == {DRILL_ENDPOINT} if slow else incident.is_drill
