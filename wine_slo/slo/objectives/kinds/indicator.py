"""What every kind of objective says of itself: its service level indicator (SLI).

`promql` makes the queries of what a kind names here, and `slo/text` renders its values by its unit and its text.
Nothing else needs to know which kinds there are.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import ClassVar, Self

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.scope import Scope


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
        unit: How many seconds one of its bounds of 1 is.
    """

    name: str
    selector: str
    bounds: tuple[tuple[str, float], ...]
    unit: float = 1.0

    @property
    def threshold(self) -> float:
        """Return the bound of the threshold, in seconds."""
        return self.bounds[0][1]


@dataclass(frozen=True, slots=True)
class Events:
    """Counters of events, or native histograms of them, which are summed.

    Attributes:
        selectors: Select them. Each is counted by itself, so that two of them may have series of equal labels.
        up_to: Of native histograms, the largest value that counts, in their own unit; None where they are counters.
    """

    selectors: tuple[str, ...]
    up_to: float | None = None

    @classmethod
    def in_native(cls, selector: str, up_to: float = inf) -> "Events":
        """Return the events of native histograms: all of them, or those of at most a value."""
        return cls((selector,), up_to)

    @property
    def are_native(self) -> bool:
        """Return whether they are those of native histograms."""
        return self.up_to is not None


class Indicator(ABC):
    """What an objective counts.

    A kind names either series that count events (`all_events`, and `good_events` or `bad_events`), or, where each
    scrape is an event, series that have a sample at each (`scraped`), and whether that is good (`good_scrape`).

    Attributes:
        kind: Its name, as the API has it; that in slo.yml but for `slow_or_failed`, a latency with `success_selector`.
        unit: How its value reads.
        text: The sentences that differ by kind.
        counts_scrapes: Whether each scrape is an event, so that `all_events` names nothing.
        is_about_targets: Whether a target that is down can be judged, and is named.
        can_be_drilled: Whether slow requests break it.
    """

    __slots__ = ()

    kind: ClassVar[str]
    unit: ClassVar[Unit]
    text: ClassVar[KindText]
    counts_scrapes: ClassVar[bool] = False
    is_about_targets: ClassVar[bool] = False
    can_be_drilled: ClassVar[bool] = False

    @abstractmethod
    def all_events(self, scope: Scope) -> Events | None:
        """Return what counts all events; None where each scrape is an event."""

    def good_events(self, scope: Scope) -> Events | None:  # noqa: ARG002 - some kinds count good events
        """Return what counts good events; None where bad ones are counted."""
        return None

    def bad_events(self, scope: Scope) -> Events | None:  # noqa: ARG002 - some kinds count bad events
        """Return what counts bad events; None where good ones are counted."""
        return None

    def scraped(self, scope: Scope) -> str:
        """Return the series that have a sample at each scrape."""
        return scope.samples

    def good_scrape(self, scope: Scope) -> str:
        """Return 1 for each series that is good and 0 for each that is bad, where each scrape is an event."""
        return self.scraped(scope)

    def missed(self, scope: Scope) -> tuple[str, str] | None:  # noqa: ARG002 - some kinds have values
        """Return how the value furthest from good is found: by which aggregation, of which values; None without any."""
        return None

    def clear_events(self, scope: Scope) -> Events | None:  # noqa: ARG002 - some kinds have a margin
        """Return what counts the events that are as good as a recovery wants; None where every good one is."""
        return None

    def oldest(self, scope: Scope) -> str | None:  # noqa: ARG002 - some kinds know it
        """Return the age in seconds of the oldest unanswered request; None where that is not exported."""
        return None

    def histogram_series(self, scope: Scope, *matchers: str) -> str | None:  # noqa: ARG002 - some kinds have one
        """Return the buckets of the histogram, or native histograms, that match; None where there is neither."""
        return None

    def with_bucket(self, scope: Scope) -> Events | None:
        """Return what counts the events whose series must have the bucket that good ones are counted by."""
        return self.all_events(scope)

    def pulse(self, scope: Scope) -> str:
        """Return the series whose samples show when it last gave a sign of life, where there is no `up`."""
        events = self.all_events(scope)
        return self.scraped(scope) if events is None else events.selectors[0]

    @property
    def threshold(self) -> float | None:
        """Return the value in seconds that a good event keeps to; None where the value is a share."""
        return None

    @property
    def native_histogram(self) -> str | None:
        """Return the name of the native histogram that is counted; None where none is."""
        return None

    @property
    def unit_of_values(self) -> float:
        """Return how many seconds a value of 1 in the histogram is."""
        return 1.0

    @property
    def has_ages(self) -> bool:
        """Return whether its values are seconds since something happened."""
        return False

    @property
    def condition(self) -> str:
        """Return what a good value is, as slo.yml has it; empty where events have no value."""
        return ""

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
