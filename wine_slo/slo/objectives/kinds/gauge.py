"""The kind gauge: scrapes of gauges, good when the value meets a condition."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.kinds.indicator import Indicator, KindText, RequiredSeries, Unit
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.selector import Comparison
from wine_slo.slo.reason import phrase, plural

OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True, slots=True)
class Gauge(Indicator):
    """Values of gauges, one for each scrape and series, good when they meet a condition.

    A value that is no number is no event: as where there is none, nothing is known then.
    """

    good: Comparison

    kind: ClassVar[str] = "gauge"
    unit: ClassVar[Unit] = Unit.GOOD_SHARE
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: {threshold} for {share} of the time, over {window}."),
        attained=phrase("{share} of the time {threshold} (target ≥ {target})"),
        events=plural("{bad} of {n} sample missed {target}.", "{bad} of {n} samples missed {target}."),
        measured=phrase("{share} good"),
        chart=phrase("{title}: share of good samples"),
        value="good",
        bad="bad",
    )
    counts_scrapes: ClassVar[bool] = True

    def all_events(self, scope: Scope) -> None:
        """Return that each scrape is an event."""

    def scraped(self, scope: Scope) -> str:  # noqa: ARG002 - the selector names it
        """Return the gauges."""
        return self.good.selector

    def good_scrape(self, scope: Scope) -> str:  # noqa: ARG002 - the selector names it
        """Return 1 for each gauge that meets the condition and 0 for each that does not."""
        series, condition = self.good.selector, self.good
        # What is no number differs from everything, also from itself.
        return f"({condition.value} {condition.sign} bool {condition.limit:.17g} and {series} == {series})"

    def missed(self, scope: Scope) -> tuple[str, str]:  # noqa: ARG002 - the selector names it
        """Return which value is the furthest from the condition, and those that do not meet it."""
        condition = self.good
        furthest = "min" if condition.sign in (">", ">=") else "max"
        return furthest, f"{condition.value} {OPPOSITE[condition.sign]} {condition.limit:.17g}"

    @property
    def has_ages(self) -> bool:
        """Return whether its values are seconds since something happened."""
        return self.good.is_age

    @property
    def condition(self) -> str:
        """Return what a good value is: `queue_length < 30`, `time() - last_success < 1h`."""
        metric = self.good.selector.partition("{")[0].strip() or self.good.selector
        return f"{'time() - ' if self.good.is_age else ''}{metric} {self.good.sign} {self.good.text}"

    @property
    def required(self) -> tuple[RequiredSeries, ...]:
        """Return the gauges."""
        return (RequiredSeries("good", self.good.selector),)
