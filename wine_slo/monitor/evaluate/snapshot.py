"""What is known at the moment, for whoever only reads it."""

from datetime import datetime
from typing import Protocol

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives


class Snapshot(Protocol):
    """Read what the last evaluation found."""

    @property
    def state(self) -> State:
        """Return what is known."""
        ...

    @property
    def objectives(self) -> Objectives:
        """Return the objectives that are evaluated."""
        ...

    def now(self) -> datetime:
        """Return the instant, by the clock of the state."""
        ...
