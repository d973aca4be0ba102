"""The kind ratio: events of two counters, how many were bad, of how many in all."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.kinds.indicator import Indicator, Unit


@dataclass(frozen=True, slots=True)
class Ratio(Indicator):
    """Events of two counters, given as selectors, which name the job themselves."""

    bad: str
    total: str

    kind: ClassVar[str] = "ratio"
    unit: ClassVar[Unit] = Unit.BAD_SHARE

    def all_events(self, job: str) -> str:  # noqa: ARG002 - the selector names it
        """Return the counters of all events."""
        return self.total

    def bad_events(self, job: str) -> str:  # noqa: ARG002 - the selector names it
        """Return the counters of bad events."""
        return self.bad
