"""What a watch would have told: looks over a past, one after another, and what came of them.

`advance` is the live one and so is the order of the looks, so a replay tells what would have been sent, no more and no
less. What can be said of a story afterwards, and how it compares with incidents that are known to be true, is here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from wine_slo.slo.evaluation.engine import SETTLES_IN, State, advance, next_look_at
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.objective import Alert, Key, Objectives

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One time that people would have been told: an incident's opening, or one of its openings.

    Attributes:
        number: The incident's.
        key: What it is about.
        began_at: The start of the first bad interval.
        told_at: When the watch was sure.
        last_bad_at: The end of the last bad interval.
        ended_at: When the watch was sure that it is over; None where it was still open at the end of the replay.
        outcome: How it ended.
        worst: The worst value: seconds for a latency, else the share of bad events; None for what has no value.
        is_again: Whether it is the last incident come back.
    """

    number: int
    key: Key
    began_at: datetime
    told_at: datetime
    last_bad_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    worst: float | None
    bad: float
    total: float
    is_again: bool

    @property
    def is_of_objective(self) -> bool:
        """Whether a promise was broken, not the sight lost."""
        return not self.key.is_own

    @property
    def is_breach(self) -> bool:
        """Whether it is the promise itself, not the pace at which its budget burns."""
        return self.is_of_objective and self.key.alert is Alert.BREACH

    @property
    def lasted(self) -> timedelta:
        """For how long it was bad."""
        return self.last_bad_at - self.began_at

    @property
    def detected_in(self) -> timedelta:
        """From the first bad moment to the message."""
        return self.told_at - self.began_at

    @property
    def recovered_in(self) -> timedelta | None:
        """From the last bad moment to the message that it is over; None where there was no recovery."""
        return self.ended_at - self.last_bad_at if self.ended_at and self.outcome is Outcome.RECOVERED else None


@dataclass(frozen=True, slots=True)
class Left:
    """What was left of a budget at an instant, as a share of it; below 0 where more was gone than there was."""

    at: datetime
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What came of a replay.

    Attributes:
        objectives: What was promised.
        since: The first look.
        until: The last one.
        looks: How many there were, or would have been.
        alarms: What people would have been told, in order.
        budgets: What was left of each budget, day by day.
        sights: For how long each key was seen, and how.
    """

    objectives: Objectives
    since: datetime
    until: datetime
    looks: int
    alarms: tuple[Alarm, ...]
    budgets: Mapping[Key, tuple[Left, ...]]
    sights: Mapping[Key, Mapping[Sight, timedelta]]

    @property
    def span(self) -> timedelta:
        """How much of the past it tells."""
        return self.until - self.since

    def summary(self, objective: str | None = None) -> "Summary":
        """The figures of one objective, or of all together."""
        told = [each for each in self.alarms if each.is_of_objective and objective in (None, each.key.objective)]
        breaches = [each for each in told if each.is_breach]
        recoveries = [each.recovered_in for each in breaches if each.recovered_in is not None]
        return Summary(
            alarms=len(told),
            breaches=len(breaches),
            incidents=len({each.number for each in breaches}),
            in_breach=sum((each.lasted for each in breaches), timedelta(0)),
            a_week=len(told) * (WEEK / self.span) if self.span else 0.0,
            detected_in=Quartiles.of(each.detected_in for each in breaches),
            recovered_in=Quartiles.of(recoveries),
        )


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The middle of some spans, and the longest."""

    median: timedelta
    longest: timedelta

    @classmethod
    def of(cls, spans: Iterable[timedelta]) -> "Quartiles | None":
        """The spread of these; None where there is none."""
        known = sorted(spans)
        return cls(median(known), known[-1]) if known else None  # type: ignore[type-var]  # spans have a middle too


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A story in figures.

    Attributes:
        alarms: How often people would have been told, budgets included.
        breaches: How often of a broken promise.
        incidents: How many incidents that were; what comes back soon is the same one.
        in_breach: For how long promises were broken, together.
        a_week: Alarms a week.
        detected_in: From the first bad moment of a breach to its message.
        recovered_in: From the last one to the message of the recovery.
    """

    alarms: int
    breaches: int
    incidents: int
    in_breach: timedelta
    a_week: float
    detected_in: Quartiles | None
    recovered_in: Quartiles | None


@dataclass(frozen=True, slots=True)
class Truth:
    """An incident that is known to have been one, of one objective, or of any where that is empty."""

    began_at: datetime
    ended_at: datetime
    objective: str = ""

    def __post_init__(self) -> None:
        """Refuse an end before the beginning."""
        if self.ended_at <= self.began_at:
            raise ValueError("an incident must end after it began")

    def is_meant_by(self, alarm: Alarm) -> bool:
        """Whether an alarm was about this."""
        about = not self.objective or alarm.key.objective == self.objective
        return about and alarm.began_at <= self.ended_at and alarm.last_bad_at >= self.began_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the alarms of breaches compare with the truth.

    Attributes:
        told: How many breaches were told.
        right: How many of them were about a true incident.
        true: How many true incidents there were.
        found: How many of them were told.
        found_in: From their true start to the first message.
    """

    told: int
    right: int
    true: int
    found: int
    found_in: Quartiles | None

    @property
    def precision(self) -> float | None:
        """The share of alarms that were right; None where there were none."""
        return self.right / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """The share of true incidents that were told; None where there were none."""
        return self.found / self.true if self.true else None


def score(alarms: Iterable[Alarm], truths: Iterable[Truth], since: datetime, until: datetime) -> Score:
    """Compare breaches with what is known to be true of the time that was replayed."""
    told = [each for each in alarms if each.is_breach]
    known = [each for each in truths if each.ended_at > since and each.began_at < until]
    found = {
        truth: min(each.told_at for each in told if truth.is_meant_by(each))
        for truth in known
        if any(truth.is_meant_by(each) for each in told)
    }
    return Score(
        told=len(told),
        right=sum(any(truth.is_meant_by(each) for truth in known) for each in told),
        true=len(known),
        found=len(found),
        found_in=Quartiles.of(max(at - truth.began_at, timedelta(0)) for truth, at in found.items()),
    )


class Replay:
    """Looks, one after another.

    Args:
        objectives: What is promised.
        since: The first look.
        poll: How far apart ticks are; quick looks come between them, as they do live.
    """

    def __init__(self, objectives: Objectives, since: datetime, poll: timedelta) -> None:
        self.state = State()
        self.objectives = objectives
        self.next_tick = since
        self.poll = poll
        self.looks = 0
        self._quick: datetime | None = None
        self._since = since
        self._alarms: dict[tuple[int, int], Alarm] = {}
        self._budgets: dict[Key, list[Left]] = {}
        self._sights: dict[Key, dict[Sight, timedelta]] = {}

    @property
    def at(self) -> datetime:
        """When the next look is due."""
        return self.next_tick if self._quick is None else min(self.next_tick, self._quick)

    def look(self, readings: Mapping[Key, Reading], now: datetime) -> None:
        """Take what was seen at the look that is due, at the instant that it was made."""
        is_tick, is_quick = self.at == self.next_tick, self.at == self._quick
        if is_tick:
            self.next_tick += self.poll
        if is_quick:
            self._quick = None
        before = self.state
        self.state = after = advance(before, self.objectives, readings, now)
        self.looks += 1
        soon = next_look_at(after, self.objectives)
        if soon is not None:
            self._quick = max(soon, now) + SETTLES_IN
        if after.incidents or before.incidents:
            self._note(before, after)
        self._count_sight(before, now)

    @property
    def is_calm(self) -> bool:
        """Whether every promise is kept, nothing is open or remembered, and no quick look is due."""
        return (
            self._quick is None
            and not self.state.troubles_since
            and not any(each.is_open for each in self.state.incidents.values())
            and all(each.phase is Phase.MET and each.incident is None for each in self.state.tracks.values())
        )

    def skip(self, ticks: int, judged_until: Mapping[Key, datetime]) -> None:
        """Leave out looks that are known to change nothing but how far has been judged."""
        if ticks <= 0:
            return
        looked_at = self.next_tick + (ticks - 1) * self.poll
        before = self.state
        tracks = {
            key: replace(track, judged_until=judged_until.get(key, track.judged_until))
            for key, track in before.tracks.items()
        }
        self.state = replace(before, tracks=tracks, looked_at=looked_at)
        self.looks += ticks
        self.next_tick = looked_at + self.poll
        self._count_sight(before, looked_at)

    def note_budget(self, key: Key, left: Left) -> None:
        """Remember what was left of a budget."""
        self._budgets.setdefault(key, []).append(left)

    def story(self) -> Story:
        """What came of it so far."""
        return Story(
            objectives=self.objectives,
            since=self._since,
            until=self.state.looked_at or self._since,
            looks=self.looks,
            alarms=tuple(sorted(self._alarms.values(), key=lambda each: (each.told_at, each.number))),
            budgets={key: tuple(each) for key, each in self._budgets.items()},
            sights={key: dict(each) for key, each in self._sights.items()},
        )

    def _note(self, before: State, after: State) -> None:
        for number, incident in after.incidents.items():
            if before.incidents.get(number) != incident:
                self._alarms[number, incident.openings] = _alarm(incident)

    def _count_sight(self, before: State, now: datetime) -> None:
        if before.looked_at is not None:
            for key, track in self.state.tracks.items():
                if key.alert is Alert.BREACH:
                    spans = self._sights.setdefault(key, {})
                    spans[track.sight] = spans.get(track.sight, timedelta(0)) + (now - before.looked_at)


def days(left: Sequence[Left]) -> list[Left]:
    """The last of each day."""
    return [list(group)[-1] for _, group in groupby(left, key=lambda each: each.at.date())]


def _alarm(incident: Incident) -> Alarm:
    return Alarm(
        number=incident.number,
        key=incident.key,
        began_at=incident.since,
        told_at=incident.opened_at,
        last_bad_at=incident.last_bad_at,
        ended_at=incident.closed_at,
        outcome=incident.outcome,
        worst=incident.worst,
        bad=incident.bad,
        total=incident.total,
        is_again=incident.openings > 1,
    )
