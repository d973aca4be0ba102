"""The endpoints of a process as a table: what it serves, and what docs/reference/endpoints.md lists."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler


class Route(NamedTuple):
    """An endpoint.

    Attributes:
        method: `web.get` or `web.post`.
        handler: Answers; the first line of its docstring is the sentence of the reference.
        statuses: What it answers with; what every endpoint may be answered with, such as 401, is not among them.
    """

    method: Callable[[str, Handler], web.RouteDef]
    handler: Handler
    statuses: tuple[int, ...]


class Switchboard:
    """The endpoints of a process whose answers are another one's while it is served.

    Args:
        routes: What answers at first; each later table has the same paths.
    """

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes

    def show(self, routes: Mapping[str, Route]) -> None:
        """Have these answer from now on."""
        self._routes = routes

    def app(self) -> web.Application:
        """Return the application that is served."""
        app = web.Application()
        app.add_routes(
            definitions({path: route._replace(handler=self._at(path)) for path, route in self._routes.items()})
        )
        return app

    def _at(self, path: str) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._routes[path].handler(request)

        return answer


def definitions(routes: Mapping[str, Route]) -> list[web.RouteDef]:
    """Return what to add to an application.

    Args:
        routes: By their paths, with holes in braces.
    """
    return [route.method(path, route.handler) for path, route in routes.items()]
