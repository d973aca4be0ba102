"""For how long something holds an event loop, in processor time, which a busy machine does not lengthen."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import thread_time


class HeldLoop:
    """The measure of one loop.

    Attributes:
        longest: For how many seconds of processor time it was held at most.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = thread_time()

    def measure(self) -> None:
        """Measure since the last time."""
        now = thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now

    async def go_on(self) -> None:
        """Measure at each turn of the loop, about."""
        while True:
            await asyncio.sleep(0.001)
            self.measure()


@asynccontextmanager
async def held_loop() -> AsyncIterator[HeldLoop]:
    """Measure the running loop; what other tests have left on the heap is not visited meanwhile."""
    gc.collect()
    gc.freeze()
    held = HeldLoop()
    task = asyncio.create_task(held.go_on())
    try:
        yield held
    finally:
        held.measure()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gc.unfreeze()
