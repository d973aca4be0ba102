"""A server on a port of 127.0.0.1 that can go away and come back on the same port."""

import asyncio
from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Self

from aiohttp import web

from wine_slo.http.guarded_server import stop_accepting

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Loopback:
    """Serves one handler; whoever gives up waiting takes its handler with it."""

    def __init__(self, handler: Handler, tls: SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._runner: web.ServerRunner | None = None
        self.port = 0  # chosen by the system at the first opening, kept after it

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def is_open(self) -> bool:
        return self._runner is not None

    async def open(self) -> None:
        self._runner = web.ServerRunner(
            web.Server(self._handler, handler_cancellation=True),
            shutdown_timeout=0.01,  # seconds; what hangs on purpose is not waited for
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Refuse connections from here on, and drop those that are open."""
        if self._runner is not None:
            await stop_accepting(self._runner)
            await self._runner.cleanup()
            self._runner = None


class OnLoopback:
    """A fake that is such a server: `async with` opens and closes it."""

    def __init__(self, handler: Handler, tls: SSLContext | None = None) -> None:
        self._server = Loopback(handler, tls)

    async def __aenter__(self) -> Self:
        await self._server.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        return self._server.url


async def never() -> web.Response:
    """Wait until the caller gives up or the server closes."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("never came to an end")
