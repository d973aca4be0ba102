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


def definitions(routes: Mapping[str, Route]) -> list[web.RouteDef]:
    """Return what to add to an application.

    Args:
        routes: By their paths, with holes in braces.
    """
    return [route.method(path, route.handler) for path, route in routes.items()]
