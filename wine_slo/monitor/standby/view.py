"""What the leader knows, as far as it has written it: for the pages of one that stands by.

How old that is is counted by this machine's own clock, from before the read that first showed it; no clock is compared
with the leader's. What was there at the first read may be of any age, so nothing is shown as present before it changes.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from wine_slo.integrations.storage.ledger import Ledger, Memory
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.oncall.actions import Actions
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.source.clocks import SourceTime, WallClock

log = logging.getLogger(__name__)
READ_EVERY = 5.0  # seconds
NOTHING = Memory(State(), (), ())


class StandbyView:
    """Follows the ledger.

    Args:
        ledger: What the leader writes; nothing is written here.
        objectives: What is evaluated, by the file of this machine.
        clock: Reads the clock of the wall, for a ledger in which nothing was evaluated.
        steady: Reads, in seconds, a clock that nobody sets.

    Attributes:
        trouble: Why the ledger cannot be read; empty where it can.
    """

    def __init__(self, ledger: Ledger, objectives: Objectives, clock: WallClock, steady: Callable[[], float]) -> None:
        self.objectives = objectives
        self.trouble = ""
        self._ledger = ledger
        self._clock = clock
        self._steady = steady
        self._memory = NOTHING
        self._said = ""  # what the log has of `lacks`
        self._read_at: float | None = None  # when the last read that succeeded began
        self._written_after = -float("inf")  # what is known was written after that

    async def run(self) -> None:
        """Follow it for ever."""
        while True:
            await self.read()
            await asyncio.sleep(READ_EVERY)

    async def read(self) -> None:
        """Read what the leader has written."""
        began_at = self._steady()
        try:
            memory = await asyncio.to_thread(self._ledger.load)
        except LedgerError as error:
            if str(error) != self.trouble:
                log.warning("%s; this watchdog stands by and cannot see what the leader writes", error)
            self.trouble = str(error)
            return
        if self._read_at is not None and memory.state.evaluated_at != self._memory.state.evaluated_at:
            self._written_after = self._read_at
        self._memory, self._read_at, self.trouble = memory, began_at, ""
        if self.lacks and self.lacks != self._said:
            log.warning("%s", self.lacks)
        self._said = self.lacks

    @property
    def state(self) -> State:
        """Return what is known."""
        return self._memory.state

    @property
    def lacks(self) -> str:
        """Return which objectives the leader evaluates that the file of this machine does not have; empty for none."""
        theirs = {each.objective for each in self.state.tracks if not each.is_own}
        names = ", ".join(sorted(theirs - self.objectives.by_name.keys()))
        return f"the leader evaluates {names}, which slo.yml here lacks: a takeover would end that" if names else ""

    @property
    def memory(self) -> Memory:
        """Return all of it."""
        return self._memory

    @property
    def actions(self) -> Actions:
        """Return what people did."""
        return Actions.kept(self._memory.actions, self._memory.last_action)

    @property
    def is_followed(self) -> bool:
        """Return whether the leader was seen to write, so that it is known how old that is."""
        return self._written_after > -float("inf")

    @property
    def replicas(self) -> tuple[ReplicaState, ...]:
        """Return how each Prometheus stands: only the leader knows."""
        return ()

    def now(self) -> SourceTime:
        """Return the instant by the clock of the state, as far as it is known: no earlier than it really is."""
        evaluated_at = self.state.evaluated_at
        if evaluated_at is None:
            return SourceTime(self._clock())
        if not self.is_followed:
            return SourceTime(evaluated_at)
        return SourceTime(evaluated_at + timedelta(seconds=self._steady() - self._written_after))
