"""The kind up: scrapes of the job's targets, good when the target answered."""

from dataclasses import dataclass
from typing import ClassVar

from wine_slo.slo.objectives.kinds.indicator import Indicator, KindText, Unit
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.reason import phrase, plural


@dataclass(frozen=True, slots=True)
class Up(Indicator):
    """Scrapes of the job's targets."""

    kind: ClassVar[str] = "up"
    unit: ClassVar[Unit] = Unit.GOOD_SHARE
    text: ClassVar[KindText] = KindText(
        objective=phrase("Objective: up {share} of the time, over {window}."),
        attained=phrase("{share} up (target ≥ {target})"),
        events=plural("{bad} of {n} scrape failed.", "{bad} of {n} scrapes failed."),
        measured=phrase("{share} up"),
        chart="{title}",
        value="up",
        bad="down",
    )
    counts_scrapes: ClassVar[bool] = True
    is_about_targets: ClassVar[bool] = True

    def all_events(self, scope: Scope) -> None:
        """Return that each scrape is an event."""
