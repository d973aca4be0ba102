"""The kind ratio: events of two counters, how many were bad, of how many in all."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.kinds.indicator import Indicator, KindText, RequiredSeries, Unit
from wine_slo.slo.reason import phrase, plural


@dataclass(frozen=True, slots=True)
class Ratio(Indicator):
    """Events of two counters, given as selectors, which name the job themselves."""

    bad: str
    total: str

    kind: ClassVar[str] = "ratio"
    unit: ClassVar[Unit] = Unit.BAD_SHARE
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: {share} of requests succeed, over {window}."),
        attained=phrase("{share} succeeded (target ≥ {target})"),
        events=plural("{bad} of {n} request failed.", "{bad} of {n} requests failed."),
        measured=phrase("{share} failed"),
        chart=phrase("{title}: share of failed requests"),
        value="failed",
        bad="failed",
    )

    def all_events(self, job: str) -> str:  # noqa: ARG002 - the selector names it
        """Return the counters of all events."""
        return self.total

    def bad_events(self, job: str) -> str:  # noqa: ARG002 - the selector names it
        """Return the counters of bad events."""
        return self.bad

    @property
    def required(self) -> tuple[RequiredSeries, ...]:
        """Return both counters."""
        return RequiredSeries("bad", self.bad, appear_late=True), RequiredSeries("total", self.total)
