"""A thread that ends the process where it stalls, so that a supervisor starts it again.

A process that hangs answers no signal and no health check, and most supervisors restart only what has ended. Time in
which the process itself did not run (SIGSTOP, a machine that sleeps) is not counted: the thread counts its own turns.
"""

import asyncio
import faulthandler
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress

from wine_slo.exit_status import ExitStatus

TURN = 1.0  # seconds
LAST_WORDS = 5.0  # seconds for the stacks; standard error may be what the process hangs at


class StallGuard:
    """Ends the process with status 1 where something has not gone on for too long, and prints every stack.

    Args:
        patience: For how many seconds each of the things that must go on may stand still, by its name.
        turn: Seconds between two checks.
    """

    def __init__(self, patience: Mapping[str, float], turn: float = TURN) -> None:
        self._patience = patience
        self._turn = turn
        self._waited = dict.fromkeys(patience, 0.0)
        self._stopped = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start; the event loop whose tasks are printed must run."""
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, name="stall guard", daemon=True).start()

    def stop(self) -> None:
        """End no process any more."""
        self._stopped.set()

    def goes_on(self, name: str) -> None:
        """Note that a thing goes on."""
        self._waited[name] = 0.0

    def has_stalled(self, name: str) -> bool:
        """Return whether a thing has stood still for longer than it may."""
        return self._waited[name] > self._patience[name]

    def _watch(self) -> None:
        while not any(map(self.has_stalled, self._patience)):
            if self._stopped.wait(self._turn):
                return
            for name in self._waited:
                self._waited[name] += self._turn
        words = threading.Thread(target=self._say_why, daemon=True)
        words.start()
        words.join(LAST_WORDS)
        os._exit(ExitStatus.FAILED)  # nothing else can be relied on; what is known is in the ledger

    def _say_why(self) -> None:
        for name in filter(self.has_stalled, self._patience):
            sys.stderr.write(f"{name} has stalled for {self._waited[name]:.0f} s: this process ends\n")
        faulthandler.dump_traceback(file=sys.stderr)
        with suppress(Exception):  # the loop may change them meanwhile
            for task in asyncio.all_tasks(self._loop):
                task.print_stack(file=sys.stderr)
        sys.stderr.flush()
