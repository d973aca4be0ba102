"""Every endpoint of both processes, as their tables of routes have it."""

from collections.abc import Mapping

from tools.reference.markdown import code, table
from tools.reference.processes import SERVER, watchdog
from wine_slo.http.routes import Route
from wine_slo.monitor.publish import inbox
from wine_slo.service.app import routes_of
from wine_slo.service.settings import ServerSettings
from wine_slo.watchdog import OPEN_PATHS

HEAD = ("endpoint", "method", "what it does", "answers with", "who may")
LOGIN = "whoever knows `WINE_SLO_WATCHDOG_PASSWORD`, where it is set"
TOKEN = "whoever knows `WINE_SLO_API_TOKEN`; nobody where it is not set"
ANYBODY = "anybody"
FAULTS = "anybody, where `WINE_SLO_SLEEP_ENABLED` has it; no page of another site"


def of_server() -> str:
    """Return the table of the server's endpoints."""
    always = routes_of(ServerSettings(sleep_enabled=False))
    routes = routes_of(SERVER)
    return _table(routes, {path: ANYBODY if path in always else FAULTS for path in routes})


def of_watchdog() -> str:
    """Return the table of the watchdog's endpoints."""
    routes = watchdog().ticker.routes()
    without_login = dict.fromkeys(OPEN_PATHS, ANYBODY) | dict.fromkeys(inbox.PATHS, TOKEN)
    return _table(routes, {path: without_login.get(path, LOGIN) for path in routes})


def paths() -> frozenset[str]:
    """Return the path of every endpoint, with holes in braces."""
    return frozenset({*routes_of(SERVER), *watchdog().ticker.routes()})


def _table(routes: Mapping[str, Route], who: Mapping[str, str]) -> str:
    return table(HEAD, ((code(path), *_row(path, route), who[path]) for path, route in routes.items()))


def _row(path: str, route: Route) -> tuple[str, str, str]:
    about = (route.handler.__doc__ or "").partition("\n")[0]
    return route.method(path, route.handler).method, about, ", ".join(map(str, route.statuses))
