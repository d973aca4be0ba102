"""What a drill does, and what came of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from wine_slo.slo.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that must happen.

    Attributes:
        name: scraped, detected, notified, recovered or recovery_notified.
        title: The same for people.
        seconds: After how long it happened; None where it has not, or not yet.
        expected_seconds: Within how long the settings make it happen.
    """

    name: str
    title: str
    seconds: float | None
    expected_seconds: float

    @property
    def is_in_time(self) -> bool:
        """Return whether it happened as soon as it should."""
        return self.seconds is not None and self.seconds <= self.expected_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a drill does and what came of it so far.

    Attributes:
        slo: The objective that is broken.
        sleep_seconds: How long each slow request takes.
        requests_per_second: How many there are.
        started_at: When the first slow one was sent.
        stopped_at: When the last slow one had ended; None while it is slow.
        requests: How many of the drill's requests were answered.
        incident: Its number.
        steps: What must happen, in order; the first three count from the start, the others from the end of slowness.
        trouble: Why it ended early; None where it did not.
    """

    slo: str
    sleep_seconds: float
    requests_per_second: float
    started_at: datetime
    stopped_at: datetime | None = None
    requests: int = 0
    incident: int | None = None
    steps: tuple[Step, ...] = ()
    trouble: Reason | None = None

    @property
    def has_worked(self) -> bool:
        """Return whether everything happened, and in time."""
        return not self.trouble and all(step.is_in_time for step in self.steps)

    def reached(self, name: str, seconds: float) -> "Drill":
        """Return the drill with one more thing that has happened."""
        return replace(
            self, steps=tuple(replace(each, seconds=seconds) if each.name == name else each for each in self.steps)
        )

    def has(self, name: str) -> bool:
        """Return whether a step was reached."""
        return any(each.name == name and each.seconds is not None for each in self.steps)
