"""What is remembered of one key between evaluations, and how an evaluation moves it and its incidents on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.metric_names import DRILL_ENDPOINT
from wine_slo.slo.evaluation.incident import Incident, Outcome, count_interval, joined, may_reopen, recovered
from wine_slo.slo.evaluation.judgement import clear_run, held_run, is_bad, is_breach, just_before
from wine_slo.slo.evaluation.phases import Event, Phase, after
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, value_of
from wine_slo.slo.objectives.budget import Budget, burning, going_on
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective
from wine_slo.slo.reason import Reason

RELAPSES_WITHIN = timedelta(minutes=3)  # good for less than this in between: it flaps
HELD_AFTER = timedelta(minutes=1)  # with no events or no data for so long, or for two scrapes where these are longer
HOLDS_FOR = timedelta(minutes=10)  # good by little for so long is a recovery too
MOST_ATTRIBUTED = 120  # intervals; more would be too many values for each label
OLDEST_EVIDENCE = 150  # intervals; twelve minutes of a busy service, longer for a quiet one


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """What is remembered of one key between evaluations.

    Attributes:
        since: When the phase began.
        judged_until: The end of the last interval that was judged; None before the first.
        evidence: The intervals with events since the suspicion arose, oldest first; empty while the objective is met.
        before: Those just before it arose, oldest first: they show what traffic is usual.
        apart: How far apart within an interval the targets are scraped; the most since it arose.
        incident: The number of the open incident, or of the last one while it may still come back.
        sight: That of the last evaluation, and since when it has been so.
        quiet_since: Since when there have been no requests; None while there are some, or while that is unknown.
        budget: What was known last of the error budget; None while nothing was.
        budget_at: When that was.
    """

    key: Key
    phase: Phase = Phase.MET
    since: datetime
    judged_until: datetime | None = None
    evidence: tuple[Interval, ...] = ()
    before: tuple[Interval, ...] = ()
    apart: timedelta = timedelta(0)
    incident: int | None = None
    sight: Sight = Sight.CLEAR
    sight_since: datetime
    reason: Reason | str = ""
    quiet_since: datetime | None = None
    budget: Budget | None = None
    budget_at: datetime | None = None

    def last_budget(self, reading: Reading | None) -> tuple[Budget, datetime] | None:
        """Return what was known last of the budget, and when; None where a reading has it, or nothing ever was."""
        if self.budget is None or self.budget_at is None or (reading is not None and reading.budget is not None):
            return None
        return self.budget, self.budget_at


def follow(
    track: KeyState, incident: Incident | None, objective: Objective, reading: Reading, *, number: int
) -> tuple[KeyState, tuple[Incident, ...]]:
    """Return the track and its incidents after an evaluation: the last is its own, the others ended in it.

    An evaluation after an outage catches up on an hour, in which one incident can end and another begin.

    Args:
        track: What was remembered.
        incident: The incident that `track` names, open or closed; None when it names none.
        objective: Its objective.
        reading: What was seen.
        number: What the next new incident is to be called; further ones are called by the numbers after it.
    """
    was_open, ended = incident is not None and incident.is_open, []
    track, judged_until, apart = _observe(track, reading), track.judged_until, objective.scrape_interval / 2
    # Scrapes jitter, and with them the ends of intervals: what ends half an interval later is the same one again.
    for interval in reading.intervals if reading.sight.is_seeing else ():
        if judged_until is None or interval.ended_at - judged_until > apart:
            if incident is not None and incident.is_open:
                incident = _note_gap(incident, judged_until, interval, objective)
            elif track.phase is Phase.MET and not is_bad(objective, interval):  # as nearly all are: it moves nothing
                judged_until = interval.ended_at
                continue
            judged_until = interval.ended_at
            track, before = replace(track, judged_until=judged_until), incident
            track, incident = _judge(track, incident, objective, reading, interval, number=number)
            if incident is not None and before is not None and incident.number != before.number:
                ended.append(before)
            if incident is not None and incident.number == number:
                number += 1
    budget, at = (track.budget, track.budget_at) if reading.budget is None else (reading.budget, reading.at)
    track = replace(track, judged_until=judged_until, budget=budget, budget_at=at)
    track = _forget(track, incident, objective, reading)
    if incident is not None and (was_open or incident.is_open):
        track, incident = _expire(track, _describe(incident, track, objective, reading), objective, reading)
    return track, (*ended, incident) if incident is not None else tuple(ended)


def _note_gap(incident: Incident, judged_until: datetime | None, interval: Interval, objective: Objective) -> Incident:
    """Return the incident with the time before an interval in which there was nothing to judge, where it was long."""
    gap = interval.ended_at - objective.scrape_interval - (judged_until or interval.ended_at)
    return incident if gap < _held_after(objective) else replace(incident, unjudged_for=incident.unjudged_for + gap)


def _held_after(objective: Objective) -> timedelta:
    """Return for how long there may be nothing new until the last value is not the present."""
    return max(HELD_AFTER, 2 * objective.scrape_interval)


def follow_burn(
    track: KeyState,
    incident: Incident | None,
    objective: Objective,
    reading: Reading,
    *,
    breaches: Iterable[Incident],
    number: int,
) -> tuple[KeyState, Incident | None]:
    """Return the track of a burning budget, and its incident, after an evaluation.

    Args:
        track: What was remembered; its key says which alert it is.
        incident: The incident that `track` names; None when it names none.
        objective: Its objective.
        reading: What was seen.
        breaches: The recent ones of the same objective: their notifications cover what they burn.
        number: What the next new incident is to be called.
    """
    track = _observe(track, reading)
    is_open, burn = incident is not None and incident.is_open, None
    if reading.sight is Sight.CLEAR and reading.budget is not None:
        burn = burning(objective, reading.budget, track.key.alert)
        if burn is not None and not is_open and not _is_covered(burn, breaches, reading.at):
            incident = Incident(
                number=number,
                key=track.key,
                began_at=reading.at - burn.short,
                opened_at=reading.at,
                last_bad_at=reading.at,
                budget=reading.budget,
                burn=burn,
            )
            return replace(_moved(track, Event.BURNING, reading.at), incident=number), incident
        if incident is not None and is_open:
            burn = burn or going_on(objective, reading.budget, incident.burn, incident.opened_at)
            if burn is not None:
                moved = replace(incident, last_bad_at=reading.at, budget=reading.budget, burn=burn, held=None)
                return track, moved
            closed = replace(incident, closed_at=reading.at, outcome=Outcome.RECOVERED, budget=reading.budget)
            return replace(_moved(track, Event.BURN_ENDED, reading.at), incident=None), closed
    if incident is not None and is_open and reading.sight is not Sight.CLEAR:
        track, incident = _expire(track, _hold(incident, track, reading), objective, reading)
        if not incident.is_open:
            track = replace(track, incident=None)  # what burns anew is another incident
    return track, incident


def _is_covered(burn: Burn, breaches: Iterable[Incident], at: datetime) -> bool:
    """Return whether a breach covers what burns; nobody is woken for one that is over but still in the range."""
    return any(each.is_open or (burn.alert is Alert.PAGE and at - each.last_bad_at < burn.short) for each in breaches)


def _observe(track: KeyState, reading: Reading) -> KeyState:
    """Return the track with the sight of this evaluation."""
    quiet_since = None
    if reading.sight is Sight.NO_TRAFFIC:
        last_event = track.judged_until if track.sight.is_seeing and track.judged_until else reading.at
        quiet_since = track.quiet_since or last_event
    if (reading.sight, reading.reason, quiet_since) == (track.sight, track.reason, track.quiet_since):
        return track
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
    """Return the track and its incident after one more interval."""
    bad = is_bad(objective, interval)
    if track.phase is not Phase.MET or bad:
        track = replace(track, evidence=(*track.evidence, interval)[-OLDEST_EVIDENCE:])
    if incident is not None and incident.is_open:
        incident = count_interval(incident, interval, bad=bad)

    def moved(event: Event) -> KeyState:
        return _moved(track, event, interval.ended_at)

    if track.phase is Phase.MET and bad:
        track = replace(moved(Event.BAD), before=just_before(objective, reading.intervals, interval))
    track = replace(track, apart=max(track.apart, reading.apart) if track.evidence else timedelta(0))
    match track.phase:
        case _ if reading.sight is not Sight.CLEAR:
            return track, incident
        case Phase.BREACHING if is_breach(objective, track.evidence, track.before, track.apart):
            return _open(moved(Event.PROVEN), incident, objective, reading, number=number)
        case Phase.BREACHING if clear_run(
            objective, track.evidence, intervals=objective.clear_intervals, bad_ratio=1.0
        ):  # a suspicion is dropped once it was good for as long as it would have had to be bad
            return _without_evidence(moved(Event.CLEARED)), incident
        case Phase.BREACHED | Phase.RECOVERING if incident is not None and (
            proof := _proof(objective, track, incident)
        ):
            return _without_evidence(moved(Event.RECOVERED)), recovered(incident, objective, reading, proof)
        case Phase.BREACHED | Phase.RECOVERING:
            return moved(Event.BAD if bad else Event.GOOD), incident
        case _:
            return track, incident


def _moved(track: KeyState, event: Event, at: datetime) -> KeyState:
    """Return the track after an event; a phase that does not move goes on since it began."""
    phase = after(track.phase, event)
    return track if phase is track.phase else replace(track, phase=phase, since=at)


def _without_evidence(track: KeyState) -> KeyState:
    """Return the track without a suspicion."""
    return replace(track, evidence=(), before=(), apart=timedelta(0))


def _proof(objective: Objective, track: KeyState, incident: Incident) -> Sequence[Interval]:
    """Return the intervals that prove a recovery; none where it is not proved.

    It takes proof that it is not as bad as it was, and the longer the more often it came back at once. What is good by
    little takes long.
    """
    needed, relapses = objective.good_intervals, 0 if incident.is_of_drill else incident.relapses
    needed = min(needed << min(relapses, 10), round(objective.over / objective.scrape_interval))
    return clear_run(objective, track.evidence, intervals=needed, bad_ratio=incident.bad_ratio) or held_run(
        objective, track.evidence, HOLDS_FOR
    )


def _open(
    track: KeyState, last: Incident | None, objective: Objective, reading: Reading, *, number: int
) -> tuple[KeyState, Incident]:
    """Return the incident that the evidence shows: a new one, or the last one opened again."""
    evidence = track.evidence
    began_at = evidence[0].ended_at - objective.scrape_interval
    if last is not None and may_reopen(last, began_at):
        at_once = max(RELAPSES_WITHIN, 1.5 * objective.scrape_interval)
        came_back = last.outcome is Outcome.RECOVERED and not last.is_of_drill  # a drill ends because it is ended
        relapsed = came_back and began_at - last.last_bad_at <= at_once
        incident = replace(
            last,
            again_at=began_at,
            opened_at=reading.at,
            closed_at=None,
            outcome=None,
            openings=last.openings + 1,
            earlier=joined((*last.earlier, last.this_opening)),
            bad_since=0.0,  # the good time between two openings belongs to neither
            total_since=0.0,
            relapses=last.relapses + relapsed,
            is_drill=False,
            attribution=None,
        )
    else:
        incident = Incident(
            number=number, key=track.key, began_at=began_at, opened_at=reading.at, last_bad_at=evidence[-1].ended_at
        )
    for interval in evidence:
        incident = count_interval(incident, interval, bad=is_bad(objective, interval))
    return replace(track, incident=incident.number), incident


def _forget(track: KeyState, incident: Incident | None, objective: Objective, reading: Reading) -> KeyState:
    """Return the track without what is too old to matter."""
    if track.phase is Phase.BREACHING and reading.sight.is_seeing:
        oldest = reading.at - objective.expires_after
        evidence = tuple(each for each in track.evidence if each.ended_at > oldest)
        if not evidence:
            return _without_evidence(_moved(track, Event.FORGOTTEN, reading.at))
        return replace(track, evidence=evidence)
    if (
        track.phase is Phase.MET
        and incident is not None
        and reading.sight is Sight.CLEAR
        and not may_reopen(replace(incident, outcome=Outcome.RECOVERED), reading.at)
    ):
        return replace(track, incident=None)
    return track


def _expire(track: KeyState, incident: Incident, objective: Objective, reading: Reading) -> tuple[KeyState, Incident]:
    """Return the track and its incident, both ended where there have been no requests for too long."""
    if incident.is_open and track.quiet_since and reading.at - track.quiet_since >= objective.expires_after:
        track = _without_evidence(_moved(track, Event.EXPIRED, reading.at))
        incident = replace(incident, closed_at=reading.at, outcome=Outcome.EXPIRED)
    return track, incident


def _hold(incident: Incident, track: KeyState, reading: Reading) -> Incident:
    """Return the incident with why nothing is known of it; an evaluation or two without data do not count."""
    since = track.quiet_since or track.sight_since
    if reading.at - since < HELD_AFTER:
        return incident
    return replace(incident, held=reading.sight, held_since=since, reason=reading.reason)


def _describe(incident: Incident, track: KeyState, objective: Objective, reading: Reading) -> Incident:
    """Return the incident with the values that its message shows."""
    if not incident.is_open:
        return replace(incident, budget=reading.budget or incident.budget, bounds=reading.bounds or incident.bounds)
    if reading.sight is not Sight.CLEAR:
        return _hold(incident, track, reading)
    last_event = track.judged_until or reading.at
    if reading.at - last_event > _held_after(objective):
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
        targets=reading.up_targets.known if reading.up_targets else reading.targets,
        down=reading.up_targets.down if reading.up_targets else reading.down,
        waiting_seconds=reading.waiting_seconds,
        missed=reading.missed,
        budget=reading.budget or incident.budget,
        is_outage=objective.is_up and shown is not None and shown.number == 1 and not incident.key.labels,
        is_drill=_is_drill(incident, objective, reading),
    )
    value = incident.value if reading.waiting_seconds is None else reading.waiting_seconds
    if value is not None and (incident.worst is None or value > incident.worst):
        return replace(incident, worst=value, worst_at=reading.at)
    return incident


def _is_drill(incident: Incident, objective: Objective, reading: Reading) -> bool:
    """Return whether all slow requests are those of a drill; it stays so while nothing is slow."""
    threshold = objective.source.threshold
    if threshold is None or reading.waiting_seconds is not None:
        return False
    slow = {endpoint for endpoint, seconds in reading.by_endpoint if seconds > threshold}
    return slow == {DRILL_ENDPOINT} if slow else incident.is_drill


def may_open(tracks: Mapping[Key, KeyState], objective: Objective, key: Key, reading: Reading) -> bool:
    """Return whether this reading may open an incident: it may prove a breach, or the budget burns too fast."""
    track = tracks.get(key)
    if not reading.sight.is_seeing:
        return False
    if track is None or not track.phase.is_open:
        known = track or KeyState(key=key, since=reading.at, sight_since=reading.at)
        judged_until, evidence, before = known.judged_until, known.evidence, known.before
        for interval in reading.intervals:
            if (not judged_until or interval.ended_at > judged_until) and (evidence or is_bad(objective, interval)):
                before = before if evidence else just_before(objective, reading.intervals, interval)
                evidence = (*evidence, interval)[-OLDEST_EVIDENCE:]
                if is_breach(objective, evidence, before, max(known.apart, reading.apart)):
                    return True
    for alert in (Alert.PAGE, Alert.TICKET):
        if reading.budget is not None and burning(objective, reading.budget, alert) is not None:
            burnt = tracks.get(replace(key, alert=alert))
            if burnt is None or not burnt.phase.is_open:
                return True
    return False


@dataclass(frozen=True, slots=True)
class BadTime:
    """The bad time that an attribution is about: from the start of its first interval to the end of its last one."""

    first: datetime
    last: datetime


def bad_time(track: KeyState | None, objective: Objective, reading: Reading) -> BadTime | None:
    """Return the bad time that a suspicion or a breach rests on, as much of it as the objective's range; None if none.

    Args:
        track: What was remembered before this evaluation; None where nothing was.
        objective: Its objective.
        reading: What this evaluation reads.
    """
    known, until = (track.evidence, track.judged_until) if track else ((), None)
    since = until + objective.scrape_interval / 2 if until else None
    new = (each for each in reading.intervals if since is None or each.ended_at > since)
    bad = [each.ended_at for each in (*known, *new) if is_bad(objective, each)]
    if not bad:
        return None
    longest = min(objective.over, MOST_ATTRIBUTED * objective.scrape_interval)
    return BadTime(max(bad[0] - objective.scrape_interval, bad[-1] - longest), bad[-1])
