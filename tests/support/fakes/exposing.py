"""A target that answers its scrapes with whatever a test gives it."""

from collections.abc import Callable

from aiohttp import web

from tests.support.fakes.loopback import Loopback

TEXT = "text/plain; version=0.0.4"


class Exposing:
    """The fake.

    Args:
        body: Returns the answer to a scrape.
        content_type: What that is.
    """

    def __init__(self, body: Callable[[], bytes], content_type: str = TEXT) -> None:
        self._body = body
        self._content_type = content_type
        self._server = Loopback(self._handle)

    @property
    def target(self) -> str:
        """Its host and port, as a scrape configuration names them."""
        return f"127.0.0.1:{self._server.port}"

    async def open(self) -> None:
        await self._server.open()

    async def close(self) -> None:
        await self._server.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/metrics":
            return web.Response(status=404)
        return web.Response(body=self._body(), headers={"Content-Type": self._content_type})
