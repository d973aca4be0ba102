"""The pages of one that stands by: the same addresses as those of the leader, with what that one has written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

from aiohttp import web

from wine_slo.http.problem import Problem
from wine_slo.http.routes import Route
from wine_slo.monitor.publish import inbox
from wine_slo.monitor.publish.leadership import alive, described, leadership_status
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.page.status_page import StatusPages, links_of
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.standby.view import StandbyView
from wine_slo.slo.lease import Leadership
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.views.finding.query import Query
from wine_slo.slo.views.status import ALL, Process, status_of
from wine_slo.slo.views.status_schema import Status


class StandbyPages:
    """Answers for one that stands by.

    Args:
        settings: Of the watchdog.
        view: What the leader has written.
        leadership: Who leads.
        source: Prometheus, for the charts of the page.
        overdue_after: An evaluation that is older is not the present.
    """

    def __init__(
        self,
        settings: WatchdogSettings,
        view: StandbyView,
        leadership: Callable[[], Leadership],
        source: MetricSource,
        overdue_after: timedelta,
    ) -> None:
        self._settings = settings
        self._view = view
        self._leadership = leadership
        self._overdue_after = overdue_after
        self._instruments = WatchdogInstruments(version("wine-slo"))
        self._instruments.leadership.show(leadership)
        series = SeriesSource(source, view)
        links = links_of(settings.grafana_url)
        self._pages = StatusPages(self._prepared, lambda: view.objectives, series.over, settings.timezone, links)

    def routes(self) -> dict[str, Route]:
        """Return the endpoints by their paths."""
        own = {
            "/health": Route(web.get, self._health, (200, 503)),
            "/alive": Route(web.get, alive, (200,)),
            "/metrics": Route(web.get, self._instruments.exposition.answer, (200,)),
        }
        return own | self._pages.routes() | {path: Route(web.post, self._refuse, (503,)) for path in inbox.PATHS}

    def status(self) -> Status:
        """Return how everything stands, as the leader wrote it; unknown where that is too old, or of unknown age."""
        return self._prepared()(ALL)

    def _prepared(self) -> Callable[[Query], Status]:
        """Return what says how everything stands now, or what is searched for; it may be called in any thread."""
        view, subscribers = self._view, self._view.memory.subscribers
        process = Process(
            version=version("wine-slo"),
            poll=timedelta(seconds=self._settings.poll_seconds),
            overdue_after=self._overdue_after if view.is_followed else timedelta(-1),
            records=view.memory.records,
            actions=view.actions,
            has_readings=False,
            unreachable={each.chat: each.closed_because for each in subscribers if each.is_closed and each.since},
        )
        state, objectives, now = view.state, view.objectives, view.now()
        leadership = leadership_status(self._leadership())
        return lambda query: replace(status_of(state, objectives, now, process, query), leadership=leadership)

    async def _health(self, _request: web.Request) -> web.Response:
        """Report whether this watchdog can follow the one that leads, and take over from it."""
        leadership = self._leadership()
        trouble, lacks = leadership.trouble or self._view.trouble, self._view.lacks
        status = f"standby, and the database cannot be used: {trouble}" if trouble else f"standby, but {lacks}"
        content: dict[str, object] = {
            "status": status if trouble or lacks else "ok",
            "version": version("wine-slo"),
            "seconds_since_tick": None,
            "untold_seconds": 0.0,
            "incidents_open": len(self._view.state.open_incidents),
            "unreachable": {},
        }
        return web.json_response(content | described(leadership), status=503 if trouble else 200)

    async def _refuse(self, _request: web.Request) -> web.Response:
        """Refuse a report, as only the one that leads takes it."""
        leader = self._leadership().leader
        where = f"; the one on {leader.host} leads" if leader else ""
        return Problem(503, f"this watchdog stands by{where}", {"Retry-After": "5"}).document()
