"""What is known at the moment, as a test says it."""

from collections.abc import Callable
from datetime import datetime

from tests.support.scene import ALL
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.replicas.replica_state import ReplicaState


class FakeSnapshot:
    """Reads everything anew each time it is read."""

    def __init__(
        self,
        state: Callable[[], State],
        now: Callable[[], datetime],
        objectives: Callable[[], Objectives] = lambda: ALL,
    ) -> None:
        self._state, self._now, self._objectives = state, now, objectives

    @property
    def state(self) -> State:
        return self._state()

    @property
    def objectives(self) -> Objectives:
        return self._objectives()

    @property
    def replicas(self) -> tuple[ReplicaState, ...]:
        return ()

    def now(self) -> datetime:
        return self._now()
