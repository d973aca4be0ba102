"""The kind up: scrapes of the job's targets, good when the target answered."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.kinds.indicator import Indicator, Unit


@dataclass(frozen=True, slots=True)
class Up(Indicator):
    """Scrapes of the job's targets."""

    kind: ClassVar[str] = "up"
    unit: ClassVar[Unit] = Unit.GOOD_SHARE
    is_about_targets: ClassVar[bool] = True

    def all_events(self, job: str) -> None:
        """Return that each scrape is an event."""
