"""An application on a port of this process, behind the same door as in its own."""

from aiohttp import web
from aiohttp.test_utils import TestServer

from wine_slo.http.guarded_server import Door, Patience, Runner


class AppServer(TestServer):
    """Serves as our processes do, not as aiohttp would by itself."""

    async def _make_runner(self, **_: object) -> web.AppRunner:
        return Runner(self.app, Door.at("127.0.0.1", []), Patience())
