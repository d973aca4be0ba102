"""An event loop whose clock leaps over every wait, while sockets and threads are real.

Where nothing is ready and nobody writes to the disk, nothing but a timer can happen next, so the clock leaps to it:
three minutes of an outage take as long as what happens in them. All of the test must live in this loop.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")

SETTLES_IN = 0.01  # seconds without an event on any socket of this machine; loopback takes a tenth of that


class _LeapingSelector(selectors.DefaultSelector):
    """Waits for sockets, and reports the waits that it did not keep."""

    def __init__(self, leap: Callable[[float], None], is_busy: Callable[[], bool]) -> None:
        super().__init__()
        self._leap = leap
        self._is_busy = is_busy

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(min(timeout, SETTLES_IN))
        while not events and self._is_busy():
            events = super().select(SETTLES_IN)
        if not events:
            self._leap(timeout)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; it begins at second 0."""

    def __init__(self) -> None:
        self._now = 0.0
        self._threads = 0
        super().__init__(_LeapingSelector(self._leap, lambda: self._threads > 0))

    def time(self) -> float:
        return self._now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Answer], *args: *Arguments
    ) -> asyncio.Future[Answer]:
        self._threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_is_done)
        return future

    def _thread_is_done(self, _: object) -> None:
        self._threads -= 1

    def _leap(self, seconds: float) -> None:
        self._now += seconds
