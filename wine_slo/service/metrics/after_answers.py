"""What answers leave to be done, counting and logging, for all answers of one turn of the event loop together.

Where one request after the other goes from the parser to the model, the counters and the log, each of these finds its
code and data gone from the processor's caches.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger("wine_slo.server")


class AfterAnswers:
    """Makes calls in their order, at the beginning of the loop's next turn: before any request that comes later."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def do(self, call: Callable[..., object], *arguments: Any) -> None:
        """Make this call then."""
        if not self._calls:
            asyncio.get_running_loop().call_soon(self._run)
        self._calls.append((call, arguments))

    def _run(self) -> None:
        calls, self._calls = self._calls, []
        for call, arguments in calls:
            try:
                call(*arguments)
            except Exception:  # the others are of other requests
                log.exception("a request could not be counted")
