"""A watchdog of which something is broken, as a program: `python -m tests.system.broken_watchdog WHAT`."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from wine_slo import watchdog
from wine_slo.monitor import ticker
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.notify.journal import Journal


async def raises(_: object) -> None:
    raise ValueError("odd")


async def returns(_: object) -> None:
    """End, as no loop should."""


async def waits(_: object) -> None:
    await asyncio.sleep(1000)


async def hangs(_: object) -> None:
    time.sleep(1000)  # noqa: ASYNC251  # that is the fault


BREAKS: dict[str, tuple[type, str, Callable[[object], Awaitable[None]]]] = {
    "a loop that raises": (Journal, "run", raises),
    "a loop that returns": (Journal, "run", returns),
    "an event loop that hangs": (Evaluator, "evaluate", hangs),
    "an evaluation that never ends": (Evaluator, "evaluate", waits),
    "an evaluation that always fails": (Evaluator, "evaluate", raises),
}

if __name__ == "__main__":
    owner, name, broken = BREAKS[sys.argv[1]]
    assert hasattr(owner, name)
    setattr(owner, name, broken)
    ticker.SHORTEST_PATIENCE = 3.0
    watchdog.main()
