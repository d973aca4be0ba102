"""What one evaluation read of one objective: intervals of events, and sight, which says if it can be judged at all.

Every instant is Prometheus' own time, so that a clock that differs between machines changes nothing.

The value of an objective is the one number that is said of it everywhere, and the time range it was measured over.
While an objective is met that is the value over its whole range. Where something is wrong it is the value of the last
moments, as it also is where the range still holds bad time that is over: a met objective is not shown as missed. Where
there were no requests in the last moments there is no value then: what is bad and over says nothing of the present, and
a whole range that is good says nothing of what is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from wine_slo.slo.evaluation.rules import (
    ROUNDING,
    STALE_INTERVALS,
    is_no_traffic,
    is_old,
    is_too_few,
)
from wine_slo.slo.objectives.budget import Amount, Budget, Condition
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.source.metric_source import MetricSourceError
from wine_slo.slo.span import format_span


class Sight(StrEnum):
    """Whether there can be a judgement."""

    CLEAR = "clear"
    NO_TRAFFIC = "no_traffic"  # no requests; not a breach
    TOO_FEW = "too_few"  # some requests, too few to judge
    TARGET_DOWN = "target_down"  # no target answers its scrapes
    STALE = "stale"  # the last sample is old, or there is none
    BLIND = "blind"  # Prometheus cannot be queried, or its answer cannot be trusted

    @property
    def is_seeing(self) -> bool:
        """Return whether the service's own numbers can be seen, however few they are."""
        return self in (Sight.CLEAR, Sight.NO_TRAFFIC, Sight.TOO_FEW)


INSTANCE = "instance"  # the label by which Prometheus distinguishes targets


@dataclass(frozen=True, slots=True)
class Interval:
    """The events between two scrapes; `bad` of `total` as estimated counts, so not whole numbers.

    `marginal` ones are good by so little that they are no sign of a recovery. Where nothing ended but a request
    `is_stuck`, the events are the steps of time for which it was.
    """

    ended_at: datetime
    bad: float
    total: float
    marginal: float = 0.0
    is_stuck: bool = False

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if not (self.bad >= 0 <= self.marginal and self.bad + self.marginal <= self.total * (1 + ROUNDING)):
            raise ValueError(f"{self.bad} bad and {self.marginal} marginal of {self.total} events")

    @property
    def bad_ratio(self) -> float:
        """Return the share of bad events; there must have been some."""
        return self.bad / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one evaluation read of one label set of an objective.

    Attributes:
        at: The instant of the evaluation.
        sight: Whether it can be judged.
        reason: Why it cannot, in words; empty when it can.
        intervals: Those with events that ended since the last evaluation or in the last moments, oldest first.
        latency_seconds: The objective's quantile over its range.
        recent_seconds: The same over the last moments.
        bounds: The finite bucket bounds of the histogram in seconds, ascending; empty where they are not known.
        by_endpoint: Endpoints and their quantile over the last minute, slowest first.
        events_per_second: The rate over the last minute.
        good_ratio: The share of good events over the objective's range.
        waiting_seconds: How long the oldest request has waited for an answer, where nothing was answered of late.
        missed: The value of a gauge that is furthest from good; None where all are good.
        budget: What is known of the error budget.
        up_targets: The targets whose being up is the objective; None for other kinds.
        next_at: When the next interval will be there to see.
        targets: How many targets the job has, or had of late; 0 where that is not known.
        down: The names of those of them that did not answer their last scrape.
        unanswered: How many of the last scrapes were not answered by the target that answered most of them; None where
            that is not known.
        apart: How far apart within a scrape interval the targets of the label set are scraped.
        is_gone: Whether Prometheus knows none of them any more.
        is_unanswered: Whether Prometheus did not answer at all, so that no objective can be seen.
    """

    at: datetime
    sight: Sight
    reason: Reason | str = ""
    intervals: tuple[Interval, ...] = ()
    latency_seconds: float | None = None
    recent_seconds: float | None = None
    bounds: tuple[float, ...] = ()
    by_endpoint: tuple[tuple[str, float], ...] = ()
    events_per_second: float | None = None
    good_ratio: float | None = None
    waiting_seconds: float | None = None
    missed: float | None = None
    budget: Budget | None = None
    up_targets: "Targets | None" = None
    next_at: datetime | None = None
    targets: int = 0
    down: tuple[str, ...] = ()
    unanswered: float | None = None
    apart: timedelta = timedelta(0)
    is_gone: bool = False
    is_unanswered: bool = False

    def __post_init__(self) -> None:
        """Refuse intervals that are out of order."""
        if any(earlier.ended_at >= later.ended_at for earlier, later in pairwise(self.intervals)):
            raise ValueError("intervals must be in order")

    @property
    def reason_of_outage(self) -> Reason | str:
        """Return why a job is down, in words, where no target of it answers."""
        if not self.targets or self.is_gone:
            return self.reason
        if self.targets == 1:
            return Reason("its only target does not answer")
        return Reason("{count} of {count} targets do not answer", {"count": self.targets})

    def recent_bad_ratio(self, objective: Objective) -> float | None:
        """Return the share of bad events in the objective's last moments; None where there were none."""
        if not self.intervals:
            return None
        since = self.intervals[-1].ended_at - objective.recent + objective.scrape_interval / 2  # as their ends jitter
        recent = [each for each in self.intervals if each.ended_at > since]
        return sum(each.bad for each in recent) / sum(each.total for each in recent)


@dataclass(frozen=True, slots=True)
class Targets:
    """The targets of a job as Prometheus sees them.

    Attributes:
        up: How many answered their last scrape.
        known: How many there are.
        scraped_at: When the last one was scraped.
        down: The names of those that did not answer.
        apart: How far apart within a scrape interval they are scraped.
    """

    up: int
    known: int
    scraped_at: datetime | None
    down: tuple[str, ...] = ()
    apart: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many events there were.

    Attributes:
        shown: Over the objective's range.
        long: Over the span after which an incident expires: where there are few requests, this decides.
        hangs: Whether a request has been waiting for an answer for longer than the threshold.
        has_intervals: Whether any interval of late has two samples, where there are series that must have them; of
            a gauge, whether it has a value.
        is_missing: Whether no series counts any event, though many were counted of late.
    """

    shown: float
    long: float
    hangs: bool = False
    has_intervals: bool = True
    is_missing: bool = False


class Finding(StrEnum):
    """What decides whether there is data to judge."""

    OLD = "old"  # the last sample
    DOWN = "down"  # every target
    APART = "apart"  # no two samples lie close enough for an interval
    ABSENT = "absent"  # there is no value that can be compared
    STUCK = "stuck"  # a request waits longer than the threshold, which can be judged
    MISSING = "missing"  # no series counts any event, though many were counted of late
    NO_TRAFFIC = "no_traffic"
    TOO_FEW = "too_few"
    ENOUGH = "enough"

    @property
    def sight(self) -> Sight:
        """Return the data quality that follows."""
        match self:
            case Finding.OLD | Finding.APART | Finding.ABSENT | Finding.MISSING:
                return Sight.STALE
            case Finding.DOWN:
                return Sight.TARGET_DOWN
            case Finding.NO_TRAFFIC:
                return Sight.NO_TRAFFIC
            case Finding.TOO_FEW:
                return Sight.TOO_FEW
            case _:
                return Sight.CLEAR


def findings(  # noqa: PLR0913  # values of a record, each by its name
    objective: Objective,
    *,
    age: Amount,
    up: Amount,
    shown: Amount,
    long: Amount,
    is_stuck: Condition,
    has_intervals: Condition,
    is_missing: Condition,
) -> tuple[tuple[Finding, Condition], ...]:
    """Return each finding and whether it holds, in the order in which they decide; the last one always holds.

    Args:
        objective: Whose data it is.
        age: Seconds since the last scrape.
        up: How many targets answered it.
        shown: Events over the objective's range.
        long: Events over the time after which an incident expires.
        is_stuck: Whether a request has waited longer than the threshold.
        has_intervals: Whether any recent interval has two samples; of a gauge, whether it has a value.
        is_missing: Whether no series counts any event, though many were counted of late.
    """
    old = (Finding.OLD, is_old(objective, age))
    if objective.is_up:
        return old, (Finding.ENOUGH, True)
    if objective.counts_scrapes:
        return old, (Finding.DOWN, up <= 0), (Finding.ABSENT, has_intervals ^ True), (Finding.ENOUGH, True)
    no_traffic = is_no_traffic(shown)
    return (
        old,
        (Finding.DOWN, up <= 0),
        (Finding.APART, (has_intervals | no_traffic) ^ True),
        (Finding.STUCK, is_stuck),
        (Finding.MISSING, no_traffic & is_missing),
        (Finding.NO_TRAFFIC, no_traffic),
        (Finding.TOO_FEW, is_too_few(objective, long)),
        (Finding.ENOUGH, True),
    )


def sight_of(objective: Objective, targets: Targets, traffic: Traffic, now: datetime) -> tuple[Sight, Reason | str]:
    """Return whether there is data to judge, and why not."""
    job = objective.job
    if targets.scraped_at is None:
        if not objective.scope.has_up:
            return Sight.STALE, Reason("Prometheus has no sample of {series}", {"series": objective.scope.samples})
        return Sight.STALE, Reason("Prometheus knows no target of the job {job}", {"job": job})
    age = (now - targets.scraped_at).total_seconds()
    found = findings(
        objective,
        age=age,
        up=targets.up,
        shown=traffic.shown,
        long=traffic.long,
        is_stuck=traffic.hangs,
        has_intervals=traffic.has_intervals,
        is_missing=traffic.is_missing,
    )
    finding = next(finding for finding, holds in found if holds)
    reason: Reason | str = ""
    match finding:
        case Finding.OLD:
            reason = Reason("the last sample of {job} is {age} s old", {"job": job, "age": round(age)})
        case Finding.DOWN:
            reason = Reason("all scrapes of {job} fail", {"job": job})
        case Finding.APART:
            reason = Reason(
                "no two samples of {job} lie within {span}; a scrape_interval in slo.yml must be the real one",
                {"job": job, "span": format_span(STALE_INTERVALS * objective.scrape_interval)},
            )
        case Finding.ABSENT:
            reason = Reason("there is no value of {series}", {"series": objective.source.scraped(objective.scope)})
        case Finding.MISSING:
            reason = no_series(objective)
        case Finding.NO_TRAFFIC:
            reason = Reason("no requests")
        case Finding.TOO_FEW:
            reason = Reason(
                "only {seen} of the {needed} requests that a judgement needs",
                {"seen": max(0, round(traffic.long)), "needed": objective.least_events},
            )
    return finding.sight, reason


def no_series(objective: Objective) -> Reason:
    """Return that nothing counts the events of an objective any more, as after a release that renames a metric."""
    counted = objective.source.all_events(objective.scope)
    series = objective.scope.samples if counted is None else counted.selectors[0]
    return Reason("Prometheus has no series of {series} any more", {"series": series})


UNTRUSTED = phrase("Prometheus: {why}")


def untrusted(error: MetricSourceError) -> Reason:
    """Return why the source's answer is not judged."""
    return Reason(UNTRUSTED, {"why": error.reason})


def unjudged(error: Exception) -> Reason:
    """Return why an answer is not judged that was an error to read."""
    return Reason("the answer of Prometheus cannot be evaluated ({error})", {"error": type(error).__name__})


def without_data(at: datetime, sight: Sight, reason: Reason | str) -> Reading:
    """Return a reading without data."""
    return Reading(at=at, sight=sight, reason=reason)


def target_name(labels: Mapping[str, str]) -> str:
    """Return what a target is called: its address, or all that is known of it where it has none."""
    own = (f"{name}={value}" for name, value in sorted(labels.items()) if name not in ("__name__", "job"))
    return labels.get(INSTANCE, "").strip() or ", ".join(own) or labels.get("job", "")


@dataclass(frozen=True, slots=True)
class Value:
    """A number and its time range.

    Attributes:
        number: Seconds of the quantile for a latency, else the share of bad events.
        over: The range; None where it is not known, which is so of what older versions wrote down.
    """

    number: float
    over: timedelta | None = None

    def is_within(self, objective: Objective) -> bool:
        """Return whether it is no worse than the target."""
        if objective.is_latency:
            return self.number <= objective.limit
        return self.number <= objective.allowed_bad_ratio + ROUNDING


def value_of(objective: Objective, reading: Reading, *, is_met: bool) -> Value | None:
    """Return the value of an objective; None where there is none.

    Args:
        objective: Whose.
        reading: What was seen.
        is_met: Whether nothing is wrong, not even a suspicion.
    """
    whole = reading.latency_seconds if objective.is_latency else _bad_ratio(reading)
    recent = reading.recent_seconds if objective.is_latency else reading.recent_bad_ratio(objective)
    over = None if whole is None else Value(whole, objective.over)
    of_late = None if recent is None else Value(recent, objective.recent)
    if is_met:
        return over if over is not None and over.is_within(objective) else of_late
    return of_late or (None if over is not None and over.is_within(objective) else over)


def _bad_ratio(reading: Reading) -> float | None:
    return None if reading.good_ratio is None else max(0.0, 1 - reading.good_ratio)
