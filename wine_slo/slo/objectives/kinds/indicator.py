"""What every kind of objective says of itself: its service level indicator (SLI).

`promql` makes the queries of what a kind names here, and `slo/text` renders its values by its unit and its text.
Nothing else needs to know which kinds there are.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.selector import quoted


class Unit(StrEnum):
    """How the value of an objective reads."""

    SECONDS = "seconds"  # a quantile
    BAD_SHARE = "bad_share"
    GOOD_SHARE = "good_share"  # one minus the value, which is the share of bad events


@dataclass(frozen=True, slots=True, kw_only=True)
class KindText:
    """The sentences that differ by kind, as the catalogue has them; a hole that one has no use for is left out.

    Attributes:
        objective: The objective; holes `share`, `window` and `threshold`.
        attained: What a week attained; holes `share`, `target` and `threshold`.
        events: How many events were bad, of one and of more; holes `bad`, `n` and `target`.
        measured: A value with what it is the number of; holes `share` and `quantile`.
        chart: The title of a chart; holes `title` and `quantile`.
        value: What a share is the share of, in one English word for who runs the watchdog: `failed`, `up`.
        bad: What bad events are, in one such word.
    """

    objective: str
    attained: str
    events: tuple[str, str]
    measured: str
    chart: str
    value: str = "bad"
    bad: str = "bad"


@dataclass(frozen=True, slots=True)
class RequiredSeries:
    """Series that have to exist for an objective to be judged.

    Attributes:
        field: The field of slo.yml that names them.
        selector: Selects them.
        missing: What is wrong with the field where there are none, as the end of a sentence.
        appear_late: Whether there are none before the first such event, so that their absence is no mistake.
    """

    field: str
    selector: str
    missing: str = "matches no series that Prometheus knows"
    appear_late: bool = False


@dataclass(frozen=True, slots=True)
class BoundedHistogram:
    """A histogram whose buckets have to end at certain bounds.

    Attributes:
        name: Its name, without `_bucket`.
        selector: The label matchers of the objective; empty where there are none.
        bounds: The bounds in seconds, by the field of slo.yml that wants each; that of the threshold first.
    """

    name: str
    selector: str
    bounds: tuple[tuple[str, float], ...]

    @property
    def threshold(self) -> float:
        """Return the bound of the threshold, in seconds."""
        return self.bounds[0][1]


class Indicator(ABC):
    """What an objective counts.

    A kind names either series that count events (`all_events`, and `good_events` or `bad_events`), or, where each
    scrape is an event, series that have a sample at each (`scraped`), and whether that is good (`good_scrape`).

    Attributes:
        kind: Its name in slo.yml.
        unit: How its value reads.
        text: The sentences that differ by kind.
        is_about_targets: Whether a target that is down can be judged, and is named.
        can_be_drilled: Whether slow requests break it.
    """

    __slots__ = ()

    kind: ClassVar[str]
    unit: ClassVar[Unit]
    text: ClassVar[KindText]
    is_about_targets: ClassVar[bool] = False
    can_be_drilled: ClassVar[bool] = False

    @abstractmethod
    def all_events(self, job: str) -> str | None:
        """Return the counters of all events; None where each scrape is an event."""

    def good_events(self, job: str) -> str | None:  # noqa: ARG002 - some kinds count good events
        """Return the counters of good events; None where bad ones are counted."""
        return None

    def bad_events(self, job: str) -> str | None:  # noqa: ARG002 - some kinds count bad events
        """Return the counters of bad events; None where good ones are counted."""
        return None

    def scraped(self, job: str) -> str:
        """Return the series that have a sample at each scrape."""
        return select("up", job)

    def good_scrape(self, job: str) -> str:
        """Return 1 for each series that is good and 0 for each that is bad, where each scrape is an event."""
        return self.scraped(job)

    def clear_events(self, job: str) -> str | None:  # noqa: ARG002 - some kinds have a margin
        """Return the counters of the events that are as good as a recovery wants; None where every good one is."""
        return None

    def oldest(self, job: str) -> str | None:  # noqa: ARG002 - some kinds know it
        """Return the age in seconds of the oldest unanswered request; None where that is not exported."""
        return None

    def buckets(self, job: str) -> str | None:  # noqa: ARG002 - some kinds have a histogram
        """Return the buckets of the histogram; None where there is none."""
        return None

    @property
    def threshold(self) -> float | None:
        """Return the value in seconds that a good event keeps to; None where the value is a share."""
        return None

    @property
    def least_ratio(self) -> tuple[float, str]:
        """Return the lowest objective that can be judged, and what is said of a lower one."""
        return 0.0, ""

    @property
    def required(self) -> tuple[RequiredSeries, ...]:
        """Return the series that have to exist besides the histogram."""
        return ()

    @property
    def bounded(self) -> BoundedHistogram | None:
        """Return the histogram whose buckets have to end at the threshold; None where there is none."""
        return None

    def with_bound(self, field: str, seconds: float) -> Self:  # noqa: ARG002 - some kinds have bounds
        """Return the same with another bound.

        Raises:
            ObjectiveError: It has no such bound, or it cannot be so.
        """
        raise ObjectiveError(field, "is a field of latencies only")

    @property
    def budgeted(self) -> Self:
        """Return the same, of only what the error budget counts."""
        return self


def select(metric: str, job: str, *matchers: str) -> str:
    """Return a selector of a job's series."""
    both = ", ".join((f"job={quoted(job)}", *filter(None, matchers)))
    return f"{metric}{{{both}}}"
