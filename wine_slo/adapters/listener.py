"""Where a process listens: how many connections it holds, and what becomes of those beyond.

Each connection is an open file, and so is everything else that the process needs. A client that opens connections and
says nothing must not take them all: the oldest one that waits for a request makes room for a new one, and where none
does, the oldest of all, as clients that never read their answers are slow on purpose.
"""

import asyncio
import logging
import resource
from typing import Any

from aiohttp import web

RESERVE = 256  # descriptors for everything else: Prometheus, Telegram, the database, charts, and what is being accepted
QUIET_FOR = 60.0  # seconds in which the same trouble with accepting is not logged again

log = logging.getLogger(__name__)


def most_connections(wanted: int) -> int:
    """Raise the limit of open files as far as it goes; return how many connections there may be, at most `wanted`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, soft - min(RESERVE, soft // 2))


class BoundedSite(web.TCPSite):
    """A site that holds so many connections at most.

    Args:
        runner: What serves.
        host: Where to listen.
        port: Where to listen.
        most: How many connections it holds.
        backlog: How many wait to be accepted; as many may be accepted at once, beyond `most`.
        reuse_port: Whether other processes listen there too.
    """

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, *, most: int, backlog: int, reuse_port: bool = False
    ) -> None:
        super().__init__(runner, host, port, backlog=backlog, reuse_port=reuse_port)
        self._most = most

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The address cannot be listened on.
        """
        await web.BaseSite.start(self)
        loop = asyncio.get_running_loop()
        _complain_seldom(loop)
        self._server = await loop.create_server(
            self._admit, self._host, self._port, backlog=self._backlog, reuse_port=self._reuse_port
        )

    def _admit(self) -> asyncio.Protocol:
        """Return what speaks with a client who has just connected; where there is no room, one who waits goes."""
        server = self._runner.server
        if server is None:
            raise ConnectionAbortedError("the process ends")
        there = [each for each in server.connections if each.transport is not None]  # the oldest first
        if len(there) >= self._most:
            # aiohttp has no public word for whether a connection waits for a request.
            idle = (each for each in there if not each._request_in_progress)  # noqa: SLF001
            next(idle, there[0]).force_close()
        return server()


def _complain_seldom(loop: asyncio.AbstractEventLoop) -> None:
    """Log what an event loop has to say of its sockets once a minute at most; it tries to accept very often."""
    complained_at: dict[str, float] = {}

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(context.get("exception"), OSError):
            what = str(context.get("message"))
            last = complained_at.get(what)
            if last is not None and loop.time() - last < QUIET_FOR:
                return
            complained_at[what] = loop.time()
            log.error("%s: %s", what, context["exception"])
            return
        loop.default_exception_handler(context)

    loop.set_exception_handler(handle)
