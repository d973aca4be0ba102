"""The kind latency: requests of a histogram, good when they took at most a threshold."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.indicator import (
    BoundedHistogram,
    Events,
    Indicator,
    KindText,
    RequiredSeries,
    Unit,
)
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.reason import phrase, plural

QUANTILE_FLOOR = 0.5
EXPONENT_FROM = 1e6  # Go writes bounds from here on with an exponent: 1e+06
EXPONENT_BELOW = 1e-3  # and Java those below: 5.0E-4


@dataclass(frozen=True, slots=True)
class Latency(Indicator):
    """Requests of one histogram, good when they took at most `threshold_seconds`.

    `clear_seconds` is what they must keep to for a quick recovery, so that a value that swings round the threshold is
    one incident, not one for each swing; None where it is the threshold itself.

    `oldest_age` names a gauge with the age in seconds of the oldest request still being answered: a service that
    hangs completes nothing, so its histogram says nothing, and this gauge is then all there is to see.

    `budget_selector` leaves requests out of the error budget that count for the judgement: those of a drill.

    `unit_seconds` is how many seconds a value of 1 in the histogram is. `is_native` says that it is a native histogram,
    whose events within a threshold are interpolated: it has no buckets that must end there.
    """

    histogram: str
    threshold_seconds: float
    selector: str = ""
    oldest_age: str | None = None
    clear_seconds: float | None = None
    budget_selector: str = ""
    unit_seconds: float = 1.0
    is_native: bool = False

    kind: ClassVar[str] = "latency"
    unit: ClassVar[Unit] = Unit.SECONDS
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: {share} of requests within {threshold}, over {window}."),
        attained=phrase("{share} within {threshold} (target ≥ {target})"),
        events=plural("{bad} of {n} request over {target}.", "{bad} of {n} requests over {target}."),
        measured="p{quantile} {share}",
        chart="{title}: p{quantile}",
    )
    can_be_drilled: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse a threshold that no request can meet."""
        if not 0 < self.threshold_seconds < float("inf"):
            raise ObjectiveError("threshold", "must be a time longer than 0")
        if self.clear_seconds is not None and not 0 < self.clear_seconds <= self.threshold_seconds:
            raise ObjectiveError("clear", "must be a time longer than 0 and at most the threshold")

    def all_events(self, scope: Scope) -> Events:
        """Return what counts all requests."""
        return self._counted(scope)

    def good_events(self, scope: Scope) -> Events:
        """Return what counts the requests within the threshold."""
        return self._within(scope, self.threshold_seconds)

    def clear_events(self, scope: Scope) -> Events | None:
        """Return what counts the requests that are as quick as a recovery wants."""
        return None if self.clear_seconds is None else self._within(scope, self.clear_seconds)

    def oldest(self, scope: Scope) -> str | None:
        """Return the age of the oldest unanswered request, which no selector of requests fits."""
        return None if self.oldest_age is None else scope.select(self.oldest_age)

    def histogram_series(self, scope: Scope, *matchers: str) -> str:
        """Return the buckets of the histogram, or the native histograms, that match."""
        return scope.select(self.histogram if self.is_native else f"{self.histogram}_bucket", *matchers, self.selector)

    @property
    def threshold(self) -> float:
        """Return the time in seconds that a good request keeps to."""
        return self.threshold_seconds

    @property
    def native_histogram(self) -> str | None:
        """Return the name of the histogram, where it is native."""
        return self.histogram if self.is_native else None

    @property
    def unit_of_values(self) -> float:
        """Return how many seconds a value of 1 in the histogram is."""
        return self.unit_seconds

    @property
    def least_ratio(self) -> tuple[float, str]:
        """Return a quantile below the median says nothing of how slow a service is."""
        return QUANTILE_FLOOR, "must be 0.5 or more for a latency"

    @property
    def required(self) -> tuple[RequiredSeries, ...]:
        """Return the gauge of the oldest unanswered request, where one is named."""
        age = self.oldest_age
        return (RequiredSeries("oldest_age", age, f"names {age}, which has no series"),) if age else ()

    @property
    def bounded(self) -> BoundedHistogram | None:
        """Return the histogram, whose buckets have to end at the threshold and at the bound of a quick recovery."""
        if self.is_native:
            return None
        clear = () if self.clear_seconds is None else (("clear", self.clear_seconds),)
        bounds = (("threshold", self.threshold_seconds), *clear)
        return BoundedHistogram(self.histogram, self.selector, bounds, self.unit_seconds)

    def with_bound(self, field: str, seconds: float) -> Self:
        """Return the same with another threshold, which lowers a higher `clear` too, or with another `clear`.

        Raises:
            ObjectiveError: It cannot be so.
        """
        if field == "clear":
            return replace(self, clear_seconds=seconds)
        clear = self.clear_seconds
        return replace(
            self, threshold_seconds=seconds, clear_seconds=None if clear is None or clear > seconds else clear
        )

    @property
    def budgeted(self) -> Self:
        """Return the same without the requests that `budget_selector` leaves out."""
        if not self.budget_selector:
            return self
        return replace(self, selector=", ".join(filter(None, (self.selector, self.budget_selector))))

    def _counted(self, scope: Scope, *more: str) -> Events:
        if self.is_native:
            return Events.in_native(scope.select(self.histogram, self.selector, *more))
        return Events((scope.select(f"{self.histogram}_count", self.selector, *more),))

    def _within(self, scope: Scope, seconds: float, *more: str) -> Events:
        bound = float(f"{seconds / self.unit_seconds:.12g}")
        if self.is_native:
            return Events.in_native(scope.select(self.histogram, self.selector, *more), bound)
        bounds = "|".join(dict.fromkeys(_written(bound))).replace(".", "\\\\.").replace("+", "\\\\+")
        return Events((scope.select(f"{self.histogram}_bucket", self.selector, *more, f'le=~"{bounds}"'),))


@dataclass(frozen=True, slots=True)
class SlowOrFailed(Latency):
    """Requests of one histogram, good when they succeeded and took at most `threshold_seconds`.

    `success_selector` selects the successful ones.
    """

    success_selector: str = ""

    kind: ClassVar[str] = "slow_or_failed"
    unit: ClassVar[Unit] = Unit.BAD_SHARE
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: {share} of requests succeed within {threshold}, over {window}."),
        attained=phrase("{share} succeeded within {threshold} (target ≥ {target})"),
        events=plural(
            "{bad} of {n} request over {target} or failed.", "{bad} of {n} requests over {target} or failed."
        ),
        measured=phrase("{share} slow or failed"),
        chart=phrase("{title}: share of slow or failed requests"),
        value="slow or failed",
        bad="slow or failed",
    )

    def good_events(self, scope: Scope) -> Events:
        """Return what counts the successful requests within the threshold."""
        return self._within(scope, self.threshold_seconds, self.success_selector)

    def clear_events(self, scope: Scope) -> Events | None:
        """Return what counts the successful requests that are as quick as a recovery wants."""
        clear = self.clear_seconds
        return None if clear is None else self._within(scope, clear, self.success_selector)

    def with_bucket(self, scope: Scope) -> Events:
        """Return what counts the successful requests; failed ones need no bucket."""
        return self._counted(scope, self.success_selector)

    @property
    def least_ratio(self) -> tuple[float, str]:
        """Return that each ratio of good requests can be judged."""
        return 0.0, ""


def _written(bound: float) -> tuple[str, ...]:
    """Return how clients write a bound.

    1.0 by Python's, 1 by others and Prometheus 3; large and small ones also with an exponent: 1e+06 and 2.5e-05 by Go's
    and Python's, 2.5e-7 by JavaScript's, 2.5E-4 and 1.0E-4 by Java's.
    """
    digits, exponent = f"{bound:.11e}".split("e")
    mantissa, power = digits.rstrip("0").rstrip("."), int(exponent)
    whole = f"{bound:.12f}".rstrip("0").rstrip(".")
    if EXPONENT_BELOW <= bound < EXPONENT_FROM:
        return str(bound), f"{bound:.10g}", whole
    in_java = f"{mantissa if '.' in mantissa else f'{mantissa}.0'}E{power}"
    return str(bound), f"{bound:.10g}", whole, f"{mantissa}e{power:+03d}", f"{mantissa}e{power:+d}", in_java
