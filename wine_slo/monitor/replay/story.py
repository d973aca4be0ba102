"""The story of a replay: evaluations of a past, one after another, and the incidents that they open and close.

`advance` and the order of the evaluations are the live ones, so a replay has the alarms that would have been sent, no
more and no less. The figures of a story, and its comparison with known incidents, are here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median

from wine_slo.slo.evaluation.engine import DOWN, State, advance
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.evaluation.schedule import SELDOM, SETTLES_IN, next_evaluation_at
from wine_slo.slo.objectives.objective import Alert, Key, Objectives

WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm that would have been sent: for an incident, or for one that comes back.

    Attributes:
        number: The incident's.
        key: What it is about.
        began_at: The start of the first bad interval.
        notified_at: When the breach was confirmed, and the alarm due.
        last_bad_at: The end of the last bad interval.
        ended_at: When the recovery was confirmed; None where it was still open at the end of the replay.
        outcome: How it ended.
        worst: The worst value: seconds for a latency, else the share of bad events; None for what has no value.
        bounds: The finite bucket bounds of the histogram in seconds, ascending; empty where they are not known.
        reason: Why nothing could be judged; empty for an objective.
        is_again: Whether the incident had been closed before.
    """

    number: int
    key: Key
    began_at: datetime
    notified_at: datetime
    last_bad_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    worst: float | None
    bounds: tuple[float, ...]
    reason: str
    bad: float
    total: float
    is_again: bool

    @property
    def is_of_objective(self) -> bool:
        """Return whether it is about an objective, and not about data that was missing."""
        return not self.key.is_own

    @property
    def is_breach(self) -> bool:
        """Return whether it is about the objective itself, and not about the burn rate of its budget."""
        return self.is_of_objective and self.key.alert is Alert.BREACH

    @property
    def is_down(self) -> bool:
        """Return whether it is about a job of which no target answers."""
        return self.key.objective == DOWN

    @property
    def lasted(self) -> timedelta:
        """Return for how long it was bad."""
        return self.last_bad_at - self.began_at

    @property
    def detected_in(self) -> timedelta:
        """Return the time from the first bad moment to the alarm."""
        return self.notified_at - self.began_at

    @property
    def recovered_in(self) -> timedelta | None:
        """Return the time from the last bad moment to the recovery notification; None where there was no recovery."""
        return self.ended_at - self.last_bad_at if self.ended_at and self.outcome is Outcome.RECOVERED else None


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What was left of a budget at an instant, as a share of it; below 0 where it was exceeded."""

    at: datetime
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The result of a replay.

    Attributes:
        objectives: What was evaluated.
        since: The first evaluation.
        until: The last one.
        evaluations: How many there would have been.
        alarms: Those that would have been sent, in order.
        budgets: What was left of each budget, every six hours.
        sights: For how long each label set had each data quality.
    """

    objectives: Objectives
    since: datetime
    until: datetime
    evaluations: int
    alarms: tuple[Alarm, ...]
    budgets: Mapping[Key, tuple[BudgetLeft, ...]]
    sights: Mapping[Key, Mapping[Sight, timedelta]]

    @property
    def span(self) -> timedelta:
        """Return how long the replayed time is."""
        return self.until - self.since

    def summary(self, objective: str | None = None) -> "Summary":
        """Return the figures of one objective, or of all together."""
        alarms = [each for each in self.alarms if each.is_of_objective and objective in (None, each.key.objective)]
        breaches = [each for each in alarms if each.is_breach]
        recoveries = [each.recovered_in for each in breaches if each.recovered_in is not None]
        return Summary(
            alarms=len(alarms),
            breaches=len(breaches),
            incidents=len({each.number for each in breaches}),
            in_breach=sum((each.lasted for each in breaches), timedelta(0)),
            a_week=len(alarms) * (WEEK / self.span) if self.span else 0.0,
            detected_in=Quartiles.of(each.detected_in for each in breaches),
            recovered_in=Quartiles.of(recoveries),
        )


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The median of some spans, and the longest."""

    median: timedelta
    longest: timedelta

    @classmethod
    def of(cls, spans: Iterable[timedelta]) -> "Quartiles | None":
        """Return those of some spans; None where there is none."""
        known = sorted(spans)
        return cls(median(known), known[-1]) if known else None  # type: ignore[type-var]  # spans have a median too


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a story.

    Attributes:
        alarms: How many there would have been, of breaches and of burn rates.
        breaches: How many of breaches.
        incidents: How many incidents that were; a breach that comes back soon is the same incident.
        in_breach: For how long objectives were in breach, together.
        a_week: Alarms per week.
        detected_in: From the first bad moment of a breach to its alarm.
        recovered_in: From the last one to the recovery notification.
    """

    alarms: int
    breaches: int
    incidents: int
    in_breach: timedelta
    a_week: float
    detected_in: Quartiles | None
    recovered_in: Quartiles | None


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """A real incident, of one objective, or of any where that is empty."""

    began_at: datetime
    ended_at: datetime
    objective: str = ""

    def __post_init__(self) -> None:
        """Refuse an end before the beginning."""
        if self.ended_at <= self.began_at:
            raise ValueError("an incident must end after it began")

    def matches(self, alarm: Alarm, objectives: Objectives) -> bool:
        """Return whether an alarm was about this incident; one of a job that is down is about all its objectives."""
        objective = objectives.by_name.get(self.objective)
        is_of_job = alarm.is_down and objective is not None and ("job", objective.job) in alarm.key.labels
        is_about = not self.objective or alarm.key.objective == self.objective or is_of_job
        return is_about and alarm.began_at <= self.ended_at and alarm.last_bad_at >= self.began_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the alarms of breaches and of jobs that are down compare with the known incidents.

    Attributes:
        alarms: How many there were.
        true_alarms: How many of them were about a known incident.
        known: How many known incidents there were.
        detected: How many of them had an alarm.
        detected_in: From the start of a known incident to its first alarm.
    """

    alarms: int
    true_alarms: int
    known: int
    detected: int
    detected_in: Quartiles | None

    @property
    def precision(self) -> float | None:
        """Return the share of alarms that were true; None where there were none."""
        return self.true_alarms / self.alarms if self.alarms else None

    @property
    def recall(self) -> float | None:
        """Return the share of known incidents that were detected; None where there were none."""
        return self.detected / self.known if self.known else None


def score(story: Story, known: Iterable[KnownIncident]) -> Score:
    """Return how a story compares with the known incidents of the replayed time."""
    alarms = [each for each in story.alarms if each.is_breach or each.is_down]
    real = [each for each in known if each.ended_at > story.since and each.began_at < story.until]
    matching = {incident: [each for each in alarms if incident.matches(each, story.objectives)] for incident in real}
    first = {incident: min(each.notified_at for each in those) for incident, those in matching.items() if those}
    return Score(
        alarms=len(alarms),
        true_alarms=sum(any(each in those for those in matching.values()) for each in alarms),
        known=len(real),
        detected=len(first),
        detected_in=Quartiles.of(max(at - incident.began_at, timedelta(0)) for incident, at in first.items()),
    )


class Replay:
    """The evaluations of a past, one after another.

    Args:
        objectives: What is evaluated.
        since: The first evaluation.
        poll: How far apart ticks are; quick evaluations come between them, as they do live.
    """

    def __init__(self, objectives: Objectives, since: datetime, poll: timedelta) -> None:
        self.state = State()
        self.objectives = objectives
        self.next_tick = since
        self.poll = poll
        self.evaluations = 0
        self._quick: datetime | None = None
        self._since = since
        self._alarms: dict[tuple[int, int], Alarm] = {}
        self._budgets: dict[Key, list[BudgetLeft]] = {}
        self._sights: dict[Key, dict[Sight, timedelta]] = {}

    @property
    def at(self) -> datetime:
        """Return when the next evaluation is due."""
        return self.next_tick if self._quick is None else min(self.next_tick, self._quick)

    def evaluate(self, readings: Mapping[Key, Reading], now: datetime) -> None:
        """Judge the readings of the evaluation that is due, at the instant that it was made."""
        is_tick, is_quick = self.at == self.next_tick, self.at == self._quick
        if is_tick:
            self.next_tick += self.poll
        if is_quick:
            self._quick = None
        before = self.state
        self.state = after = advance(before, self.objectives, readings, now)
        self.evaluations += 1
        soon = next_evaluation_at(after, self.objectives)
        if soon is not None:
            self._quick = max(soon, now) + SETTLES_IN
        if after.incidents or before.incidents:
            self._note(before, after)
        self._count_sight(before, now)

    @property
    def is_calm(self) -> bool:
        """Return whether every objective is met, and nothing is open or remembered."""
        return (
            not self.state.troubles_since
            and not any(each.is_open for each in self.state.incidents.values())
            and all(each.phase is Phase.MET and each.incident is None for each in self.state.tracks.values())
        )

    def skip(self, ticks: int, judged_until: Mapping[Key, datetime]) -> None:
        """Leave out ticks that change nothing but up to when each label set has been judged."""
        if ticks <= 0:
            return
        evaluated_at = self.next_tick + (ticks - 1) * self.poll
        before = self.state
        tracks = {
            key: replace(track, judged_until=judged_until.get(key, track.judged_until))
            for key, track in before.tracks.items()
        }
        self.state = replace(before, tracks=tracks, evaluated_at=evaluated_at)
        self.evaluations += ticks + self._evaluations_of_scrapes(before.evaluated_at or evaluated_at, evaluated_at)
        self._quick = None
        self.next_tick = evaluated_at + self.poll
        self._count_sight(before, evaluated_at)

    def _evaluations_of_scrapes(self, since: datetime, until: datetime) -> int:
        """Return how many evaluations there are between ticks where every objective is met: one a scrape, if any."""
        apart = [each.scrape_interval for each in self.objectives.all if each.scrape_interval >= SELDOM]
        return (until - since) // min(apart) if apart else 0

    def note_budget(self, key: Key, left: BudgetLeft) -> None:
        """Record what was left of a budget."""
        self._budgets.setdefault(key, []).append(left)

    def story(self) -> Story:
        """Return the story so far."""
        return Story(
            objectives=self.objectives,
            since=self._since,
            until=self.state.evaluated_at or self._since,
            evaluations=self.evaluations,
            alarms=tuple(sorted(self._alarms.values(), key=lambda each: (each.notified_at, each.number))),
            budgets={key: tuple(each) for key, each in self._budgets.items()},
            sights={key: dict(each) for key, each in self._sights.items()},
        )

    def _note(self, before: State, after: State) -> None:
        for number, incident in after.incidents.items():
            if before.incidents.get(number) != incident:
                self._alarms[number, incident.openings] = _alarm(incident)

    def _count_sight(self, before: State, now: datetime) -> None:
        if before.evaluated_at is not None:
            for key, track in self.state.tracks.items():
                if key.alert is Alert.BREACH:
                    spans = self._sights.setdefault(key, {})
                    spans[track.sight] = spans.get(track.sight, timedelta(0)) + (now - before.evaluated_at)


def days(left: Sequence[BudgetLeft]) -> list[BudgetLeft]:
    """Return the last of each day."""
    return [list(group)[-1] for _, group in groupby(left, key=lambda each: each.at.date())]


def _alarm(incident: Incident) -> Alarm:
    return Alarm(
        number=incident.number,
        key=incident.key,
        began_at=incident.since,
        notified_at=incident.opened_at,
        last_bad_at=incident.last_bad_at,
        ended_at=incident.closed_at,
        outcome=incident.outcome,
        worst=incident.worst,
        bounds=incident.bounds,
        reason=str(incident.reason) if incident.key.is_own else "",
        bad=incident.bad,
        total=incident.total,
        is_again=incident.openings > 1,
    )
