"""By which replica of the metric source each key is judged, and what the others make of it.

Several replicas scrape the same targets and see nearly the same. Nothing is judged by a mix of two: each replica has a
track of its own of every key, and what is taken from one replica to another is the whole track. So

* a replica that cannot see is left for one that can, at the same evaluation, and not returned to while that one sees;
* what only one replica sees is an incident all the same, and only what every one that sees calls over is over;
* a replica that comes back is judged by what it sees from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState, follow
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.reason import Reason
from wine_slo.slo.replicas.view import View, rank, unfit

DISAGREE_AFTER = timedelta(minutes=1)  # or two scrapes; replicas scrape at other moments, and see it that much later
APART = 0.01  # of all events; a smaller difference is worth no word
SCRAPES_APART = 3  # a burst of bad events is counted by one replica so much later than by another
LONGER = 1.1  # times as much history makes a replica the one whose error budget counts


@dataclass(frozen=True, slots=True)
class Left:
    """A replica that is not judged by for now.

    Attributes:
        reason: Why.
        since: Since when, by the clock of the state.
    """

    reason: Reason | str
    since: datetime


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Replicas that see the same key, of which some show a breach and some do not.

    Attributes:
        bad: The names of those that show one.
        good: The names of the others.
        since: Since when.
    """

    bad: tuple[str, ...]
    good: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Panel:
    """What is remembered of the replicas of one objective between evaluations.

    Attributes:
        main: The replica by which keys are judged; empty before the first evaluation.
        judged_by: The replica by which each key was judged last: the main one, or one by which it is worse.
        tracks: What each of the other replicas makes of each key, by its name.
        admitted_at: Since when each replica can be judged by.
        left: Those that cannot.
        unlike: Keys about which replicas differ, also those that have differed for a moment only.
    """

    main: str = ""
    judged_by: Mapping[Key, str] = field(default_factory=dict)
    tracks: Mapping[str, Mapping[Key, KeyState]] = field(default_factory=dict)
    admitted_at: Mapping[str, datetime] = field(default_factory=dict)
    left: Mapping[str, Left] = field(default_factory=dict)
    unlike: Mapping[Key, Disagreement] = field(default_factory=dict)

    def disagreements(self, objective: Objective, now: datetime) -> dict[Key, Disagreement]:
        """Return what replicas differ about for longer than their scrapes explain."""
        patience = max(DISAGREE_AFTER, 2 * objective.scrape_interval)
        return {key: each for key, each in self.unlike.items() if now - each.since >= patience}


@dataclass(frozen=True, slots=True)
class Choice:
    """What an objective is judged by at one evaluation.

    Attributes:
        readings: By key, each of one replica.
        tracks: The tracks that are judged on in place of those of the state, where another replica is judged by.
        panel: What is remembered.
    """

    readings: Mapping[Key, Reading]
    tracks: Mapping[Key, KeyState]
    panel: Panel


def choose(objective: Objective, state: State, views: Mapping[str, View], panel: Panel) -> Choice:
    """Return by which replica each key of an objective is judged.

    Args:
        objective: Whose keys they are.
        state: What was known before this evaluation.
        views: What each replica reads, by its name, in the order of the settings; at least one.
        panel: What was remembered of them.
    """
    reasons = unfit(objective, views)
    fit = {name: view for name, view in views.items() if name not in reasons}
    main = panel.main if panel.main in fit else next(iter(fit))
    keys = dict.fromkeys(key for name in (main, *fit) for key in fit[name].readings)
    now = max((each.at for view in fit.values() for each in view.readings.values()), default=None)
    if now is None:
        return Choice({}, {}, replace(panel, main=main))
    left = {name: Left(why, panel.left[name].since if name in panel.left else now) for name, why in reasons.items()}
    if not fit[main].is_seeing:
        readings = {key: next(iter(_readings(key, fit, main).values())) for key in keys}
        return Choice(readings, {}, replace(panel, main=main, left=left))
    admitted_at = {name: panel.admitted_at.get(name, now) for name in fit}
    votes = {}
    for key in keys:
        known = (
            panel.judged_by.get(key, panel.main or main),
            {name: panel.tracks.get(name, {}).get(key) for name in fit},
        )
        votes[key] = _vote(objective, state, key, _readings(key, fit, main), known, admitted_at)
    unlike = {key: _lasting(panel.unlike.get(key), vote, now) for key, vote in votes.items() if vote.bad and vote.good}
    return Choice(
        readings={key: vote.reading for key, vote in votes.items()},
        tracks={key: vote.track for key, vote in votes.items() if vote.track is not None},
        panel=Panel(
            main=main,
            judged_by={key: vote.name for key, vote in votes.items()},
            tracks={
                name: {key: vote.others[name] for key, vote in votes.items() if name in vote.others} for name in fit
            },
            admitted_at=admitted_at,
            left=left,
            unlike=unlike,
        ),
    )


def _readings(key: Key, views: Mapping[str, View], main: str) -> dict[str, Reading]:
    """Return what each replica reads of a key, the main one's first."""
    found = {name: views[name].readings.get(key) for name in (main, *views)}
    return {name: each for name, each in found.items() if each is not None}


def _lasting(before: Disagreement | None, vote: "_Vote", now: datetime) -> Disagreement:
    """Return what the replicas differ about, since when they first did so in this way."""
    is_same = before is not None and (before.bad, before.good) == (vote.bad, vote.good)
    return before if before is not None and is_same else Disagreement(vote.bad, vote.good, now)


@dataclass(frozen=True, slots=True)
class _Vote:
    """By which replica one key is judged, and what the others make of it.

    Attributes:
        name: The name of that replica.
        reading: What it reads.
        track: What is judged on in place of the state's own track; None where that goes on.
        others: The tracks of the other replicas after this evaluation.
        bad: The names of the replicas by which it is worse, where they differ.
        good: Those of the others.
    """

    name: str
    reading: Reading
    track: KeyState | None
    others: Mapping[str, KeyState]
    bad: tuple[str, ...]
    good: tuple[str, ...]


def _vote(
    objective: Objective,
    state: State,
    key: Key,
    readings: Mapping[str, Reading],
    before: tuple[str, Mapping[str, KeyState | None]],
    admitted_at: Mapping[str, datetime],
) -> _Vote:
    """Return by which replica a key is judged.

    Args:
        objective: Its objective.
        state: What was known.
        key: The key.
        readings: What each replica reads of it, the main one's first.
        before: By which replica it was judged, and the tracks of the others.
        admitted_at: Since when each replica can be judged by.
    """
    (source, tracks), known = before, state.tracks.get(key)
    incident = state.incidents.get(known.incident) if known is not None and known.incident is not None else None
    own = {
        name: _own_track(key, tracks[name], each, is_open=incident is not None and incident.is_open)
        for name, each in readings.items()
    }
    if source in own:
        own[source] = known or KeyState(key=key, since=readings[source].at, sight_since=readings[source].at)

    def moved(track: KeyState, name: str, last: Incident | None = incident) -> KeyState:
        return follow(track, last, objective, readings[name], number=state.last_number + 1)[0]

    after = {
        name: moved(track, name, incident if name == source or track.phase.is_open else None)
        for name, track in own.items()
    }
    best = min(rank(each.sight) for each in readings.values())
    able = [name for name, each in readings.items() if rank(each.sight) == best]
    name, track = source, None
    if source not in able:
        name = able[0]
        track = _handed_over(objective, known, own[name], admitted_at[name])
        after[name] = moved(track, name)
    if not after[name].phase.is_open:
        for worse in [each for each in able if each != name and after[each].phase.is_open][:1]:
            name, track = worse, _handed_over(objective, known, own[worse], admitted_at[worse])
            after[name] = moved(track, name)
    clear = [each for each in able if best == rank(Sight.CLEAR)]
    bad = _worse(objective, {each: after[each] for each in clear}, readings, admitted_at)
    return _Vote(
        name=name,
        reading=_with_budget(objective, known, readings, name),
        track=track,
        others={each: after[each] for each in readings if each != name},
        bad=bad,
        good=tuple(each for each in clear if each not in bad),
    )


def _own_track(key: Key, track: KeyState | None, reading: Reading, *, is_open: bool) -> KeyState:
    """Return what a replica has made of a key: nothing of the time before it could be judged by."""
    if track is None:
        return KeyState(key=key, since=reading.at, sight_since=reading.at, judged_until=reading.at)
    if track.phase.is_open and not is_open:  # it expired
        return replace(track, phase=Phase.MET, since=reading.at, evidence=(), before=(), apart=timedelta(0))
    return track


def _handed_over(objective: Objective, known: KeyState | None, own: KeyState, admitted_at: datetime) -> KeyState:
    """Return the track that goes on where another replica is judged by than before.

    It is the one of that replica. But no incident ends by that alone: its recovery must be proven anew. And a
    suspicion goes on that is older than what that replica has seen.
    """
    if known is None:
        return own
    if known.phase.is_open and not own.phase.is_open:
        return replace(known, evidence=(), before=(), apart=timedelta(0), judged_until=own.judged_until)
    if known.evidence and not own.evidence and admitted_at > known.evidence[0].ended_at - objective.scrape_interval:
        return known
    return replace(
        known,
        phase=own.phase,
        since=own.since,
        judged_until=own.judged_until,
        evidence=own.evidence,
        before=own.before,
        apart=own.apart,
    )


def _worse(
    objective: Objective,
    tracks: Mapping[str, KeyState],
    readings: Mapping[str, Reading],
    admitted_at: Mapping[str, datetime],
) -> tuple[str, ...]:
    """Return the replicas that show a breach where others do not, or much more bad events than these."""
    breached = tuple(name for name, each in tracks.items() if each.phase.is_open)
    if breached:
        return breached
    ratios = {
        name: ratio
        for name in tracks
        if (ratio := readings[name].good_ratio) is not None
        and readings[name].at - admitted_at[name] >= objective.over  # else it may not have seen all of that
    }
    explained = APART + SCRAPES_APART * (objective.scrape_interval / objective.over)
    best = max(ratios.values(), default=0.0)
    return tuple(name for name, ratio in ratios.items() if best - ratio > explained)


def _with_budget(objective: Objective, known: KeyState | None, readings: Mapping[str, Reading], name: str) -> Reading:
    """Return a replica's reading with the error budget of the replica that has known the job for longest.

    Where each has known it for less long than the one that the last budget was of, there is none until all windows of
    alerts are known: that nothing is known of last night is no sign that all was well.
    """
    reading = readings[name]
    known_budgets = [each.budget for each in (reading, *readings.values()) if each.budget is not None]
    if not known_budgets:
        return reading
    longest = max(known_budgets, key=lambda each: each.history)
    budget = reading.budget if reading.budget and longest.history <= LONGER * reading.budget.history else longest
    last = None if known is None else known.budget
    alerts = max((each.long for each in objective.burns), default=timedelta(0))
    is_forgotten = (
        last is not None
        and not last.is_over(reading.at)
        and LONGER * budget.history < last.history
        and budget.history < alerts
    )
    return replace(reading, budget=None if is_forgotten else budget)
