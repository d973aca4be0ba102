"""Where something is worked out: here where that is soon done, in a thread where the event loop would wait for it.

A thread costs more than a few label sets; and what is done here is done at once, so that objectives that were answered
together send their next queries together.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

HERE = 100  # label sets or series, of each of which there are some microseconds of work

T = TypeVar("T")


async def worked_out(size: int, function: Callable[[], T]) -> T:
    """Return what a function returns.

    Args:
        size: Of how many label sets or series it works something out.
        function: It does no I/O.
    """
    return function() if size <= HERE else await asyncio.to_thread(function)
