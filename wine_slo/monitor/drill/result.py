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
        does: What breaks it, as a sentence.
        mends: What is done afterwards, as a sentence; None where that is nothing.
        sleep_seconds: How long each slow request takes; None where no such requests break it.
        requests_per_second: How many there are.
        shows_itself: Whether what it does is counted apart: then its incident shows that it is a drill's, and
            Prometheus that it has seen it.
        spares_budget: Whether the error budget leaves out what the drill breaks.
        started_at: When it began.
        stopped_at: When nothing broke it any more; None while something does.
        requests: How many of the drill's requests were answered.
        incident: Its number.
        steps: What must happen, in order; the last two count from the end of what broke it, the others from the start.
        trouble: Why it ended early; None where it did not.
    """

    slo: str
    does: Reason
    mends: Reason | None = None
    sleep_seconds: float | None = None
    requests_per_second: float | None = None
    shows_itself: bool = False
    spares_budget: bool = False
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
