"""The weekly digest: how the objectives were met, and a proof that they are monitored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from statistics import median
from typing import Self

from wine_slo.slo.evaluation.engine import GAP, SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.oncall.time_phrases import parse_clock
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.burn import budget_in_short
from wine_slo.slo.text.status_list import STATUS_LINES, fitting

WEEK = timedelta(days=7)
LATE = timedelta(days=1)  # what was missed for longer is no news, and the next is near
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Weekly:
    """A time of the week.

    Attributes:
        weekday: 0 is Monday.
        at: The time of day.
        zone: Whose.
    """

    weekday: int
    at: time
    zone: tzinfo

    @classmethod
    def parse(cls, text: str, zone: tzinfo) -> Self:
        """Return a time of the week as it is written in a setting: `monday 9:00`.

        Raises:
            ValueError: It is not written so.
        """
        day, _, clock = text.strip().lower().partition(" ")
        those = [number for number, name in enumerate(DAYS) if len(day) > 1 and name.startswith(day)]
        at = parse_clock(clock.strip())
        if len(those) != 1 or at is None:
            raise ValueError("is no day and time, such as monday 9:00")
        return cls(those[0], at, zone)

    def last(self, now: datetime) -> datetime:
        """Return the last time that it was so, `now` among them."""
        today = now.astimezone(self.zone)
        day = today.date() - timedelta(days=(today.weekday() - self.weekday) % 7)
        moment = datetime.combine(day, self.at, self.zone)
        return moment if moment <= now else datetime.combine(day - WEEK, self.at, self.zone)


def is_due(slot: datetime, last: datetime | None, now: datetime) -> bool:
    """Return whether the digest of a time is still to be sent.

    Args:
        slot: When it was due.
        last: Which one the chat received last, or what counts as that; None where there is nothing to go by.
        now: The instant.
    """
    return last is not None and last < slot and now - slot <= LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Attained:
    """How one objective went.

    Attributes:
        key: The worst label set of it.
        good_ratio: The share of good events; None where there were no requests, or it is not known.
        budget: What is known of the error budget; None where nothing is.
    """

    key: Key
    good_ratio: float | None
    budget: Budget | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """The facts of a week.

    Attributes:
        first: Where it begins.
        last: Where it ends.
        attained: One for each objective.
        incidents: Those that touched it.
        detected: How long it took to notify of each breach.
        acknowledged: How long it took until somebody had it, where somebody did.
        trouble: Why there are no numbers; empty where there are.
    """

    first: datetime
    last: datetime
    attained: tuple[Attained, ...]
    incidents: tuple[Incident, ...] = ()
    detected: tuple[timedelta, ...] = ()
    acknowledged: tuple[timedelta, ...] = ()
    trouble: Reason | str = ""

    @property
    def breaches(self) -> tuple[Incident, ...]:
        """Return the incidents that are breaches, and no drills."""
        return tuple(each for each in self._breaches if not each.is_of_drill)

    @property
    def drills(self) -> tuple[Incident, ...]:
        """Return the incidents that drills made."""
        return tuple(each for each in self._breaches if each.is_of_drill)

    @property
    def broken_for(self) -> timedelta:
        """Return how long something was broken, each incident for itself."""
        return self._within(self.breaches)

    @property
    def blind_for(self) -> timedelta:
        """Return how long there were no data, or no evaluations."""
        return self._within([each for each in self.incidents if each.key.objective in (SIGHT.objective, GAP.objective)])

    @property
    def _breaches(self) -> Iterator[Incident]:
        return (each for each in self.incidents if each.key.alert is Alert.BREACH and not each.key.is_own)

    def _within(self, incidents: Sequence[Incident]) -> timedelta:
        spans = (
            min(until, self.last) - max(since, self.first)
            for each in incidents
            for since, until in each.bad_times(self.last)
        )
        return sum((max(each, timedelta(0)) for each in spans), timedelta(0))


def digest_text(fmt: Formatter, week: Week) -> str:
    """Return a week in a message."""
    first, last = (each.astimezone(fmt.zone) for each in (week.first, week.last))
    lines = [
        "📊 " + fmt.say("The week from {first} to {last}", first=fmt.language.date(first), last=fmt.language.date(last))
    ]
    if week.trouble:
        reason = fmt.language.explain(week.trouble)
        lines.append(fmt.say("No figures, Prometheus does not answer: {reason}.", reason=reason))
    attained = [(each, it) for each in week.attained if (it := fmt.objectives.of(each.key)) is not None]
    if len(attained) > STATUS_LINES:
        attained.sort(key=lambda each: _missed_by(*each), reverse=True)
    shown = fitting([_attained(fmt, objective, each) for each, objective in attained[:STATUS_LINES]])
    lines += shown
    if (rest := len(attained) - len(shown)) > 0:
        lines.append(fmt.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse."))
    if week.drills:
        lines.append(f"🟠 {fmt.count(len(week.drills), 'DRILL: {n} incident', 'DRILL: {n} incidents')}")
    lines.append(_incident_line(fmt, week))
    if week.detected:
        lines.append(_times(fmt, week))
    lines.append(
        fmt.say("Monitoring was lost for {duration}.", duration=week.blind_for)
        if week.blind_for
        else fmt.say("Monitoring was not interrupted.")
    )
    return "\n".join(lines)


def _missed_by(attained: Attained, objective: Objective) -> float:
    """Return how many times its budget an objective has spent in the week; what is not known is before what is met."""
    return 1.0 if attained.good_ratio is None else (1 - attained.good_ratio) / objective.allowed_bad_ratio


def _attained(fmt: Formatter, objective: Objective, attained: Attained) -> str:
    name, target = fmt.name(attained.key), fmt.language.percent(objective.ratio)
    if attained.good_ratio is None:
        return f"⚪️ {name}: {fmt.say('no data for this week')}"
    sign = "🟢" if attained.good_ratio >= objective.ratio else "🔴"
    share = fmt.language.percent(attained.good_ratio, apart_from=objective.ratio)
    text = fmt.say(objective.source.text.attained, share=share, threshold=fmt.threshold(objective), target=target)
    parts = [f"{sign} {name}: {text}", budget_in_short(fmt, attained.budget, objective)]
    return " · ".join(filter(None, parts))


def _incident_line(fmt: Formatter, week: Week) -> str:
    count = len(week.breaches)
    if not count:
        return fmt.say("No objective was in breach.")
    return fmt.count(
        count,
        "{n} incident, {duration} in all: /incidents",
        "{n} incidents, {duration} in all: /incidents",
        duration=week.broken_for,
    )


def _times(fmt: Formatter, week: Week) -> str:
    notified = fmt.say("Notified after {duration} at the median.", duration=_median(week.detected))
    if not week.acknowledged:
        return notified
    return f"{notified} {fmt.say('Acknowledged after {duration}.', duration=_median(week.acknowledged))}"


def _median(spans: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median(each.total_seconds() for each in spans))
