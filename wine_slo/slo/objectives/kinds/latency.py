"""The kind latency: requests of a histogram, good when they took at most a threshold."""

from dataclasses import dataclass, replace
from typing import ClassVar

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram, Indicator, KindText, RequiredSeries, Unit, select
from wine_slo.slo.reason import phrase, plural

QUANTILE_FLOOR = 0.5


@dataclass(frozen=True, slots=True)
class Latency(Indicator):
    """Requests of one histogram, good when they took at most `threshold_seconds`.

    `clear_seconds` is what they must keep to for a quick recovery, so that a value that swings round the threshold is
    one incident, not one for each swing; None where it is the threshold itself.

    `oldest_age` names a gauge with the age in seconds of the oldest request still being answered: a service that
    hangs completes nothing, so its histogram says nothing, and this gauge is then all there is to see.

    `budget_selector` leaves requests out of the error budget that count for the judgement: those of a drill.
    """

    histogram: str
    threshold_seconds: float
    selector: str = ""
    oldest_age: str | None = None
    clear_seconds: float | None = None
    budget_selector: str = ""

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

    def all_events(self, job: str) -> str:
        """Return the counters of all requests."""
        return select(f"{self.histogram}_count", job, self.selector)

    def good_events(self, job: str) -> str:
        """Return the counters of the requests within the threshold."""
        return self._within(job, self.threshold_seconds)

    def clear_events(self, job: str) -> str | None:
        """Return the counters of the requests that are as quick as a recovery wants."""
        return None if self.clear_seconds is None else self._within(job, self.clear_seconds)

    def oldest(self, job: str) -> str | None:
        """Return the age of the oldest unanswered request, which no selector of requests fits."""
        return None if self.oldest_age is None else select(self.oldest_age, job)

    def buckets(self, job: str) -> str:
        """Return the buckets of the histogram."""
        return select(f"{self.histogram}_bucket", job, self.selector)

    @property
    def threshold(self) -> float:
        """Return the quantile that is wanted, in seconds."""
        return self.threshold_seconds

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
    def bounded(self) -> BoundedHistogram:
        """Return the histogram, whose buckets have to end at the threshold and at the bound of a quick recovery."""
        clear = () if self.clear_seconds is None else (("clear", self.clear_seconds),)
        return BoundedHistogram(self.histogram, self.selector, (("threshold", self.threshold_seconds), *clear))

    def with_bound(self, field: str, seconds: float) -> "Latency":
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
    def budgeted(self) -> "Latency":
        """Return the same without the requests that `budget_selector` leaves out."""
        if not self.budget_selector:
            return self
        return replace(self, selector=", ".join(filter(None, (self.selector, self.budget_selector))))

    def _within(self, job: str, bound: float) -> str:
        # The Python client writes 1.0, others and Prometheus 3 write 1: both are the same bound.
        bounds = "|".join(dict.fromkeys((str(float(bound)), f"{bound:.10g}"))).replace(".", "\\\\.")
        return select(f"{self.histogram}_bucket", job, self.selector, f'le=~"{bounds}"')
