"""What is known at the moment, for whoever only reads it."""

from datetime import datetime
from typing import Protocol

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.replicas.replica_state import ReplicaState


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

    @property
    def replicas(self) -> tuple[ReplicaState, ...]:
        """Return how each replica of the metric source stands; none where there is but one."""
        ...

    def now(self) -> datetime:
        """Return the instant, by the clock of the state."""
        ...
