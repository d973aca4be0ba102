"""The ticker: an evaluation at every poll, what it leads to, and whether that goes on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from math import inf
from time import perf_counter

from aiohttp import web

from wine_slo.config import slo_file
from wine_slo.http.routes import Route
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.stall_guard import StallGuard
from wine_slo.integrations.steady_scheduler import SteadyScheduler
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.evaluate.live_objectives import LiveObjectives
from wine_slo.monitor.evaluate.objective_checks import ObjectiveMistake, doubts_of, examinable
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.publish.inbox import Inbox
from wine_slo.monitor.publish.leadership import alive, described, leadership_status
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.page.status_page import StatusPages, links_of
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.evaluation.schedule import SETTLES_IN, next_evaluation_at
from wine_slo.slo.lease import Leadership
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.metric_source import MetricSourceError
from wine_slo.slo.views.finding.query import Query
from wine_slo.slo.views.status import ALL, Process, is_overdue, status_of
from wine_slo.slo.views.status_schema import Status

LONGEST_UNDELIVERED = timedelta(minutes=10)  # what could not be delivered for longer turns /health red
OVERDUE_TICKS = 3  # so many polls without a complete tick, and /health is red
LONGEST_TICK = 60.0  # seconds, then it is given up; four rounds of queries of 10 s each, and the heartbeat's 5 s
SHORTEST_PATIENCE = LONGEST_TICK + 15  # seconds without a complete tick before the process ends itself
CHECKED_EVERY = 600.0  # seconds; as long as something is wrong with an objective by what Prometheus knows of its series
LOOP_TURN = 1.0  # seconds between two signs that the event loop runs
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux' goes on while the machine sleeps
THE_LOOP, THE_TICKS = "the event loop", "the evaluation"

log = logging.getLogger("wine_slo.watchdog")


def steady() -> float:
    """Read, in seconds, a clock that nobody sets."""
    return time.clock_gettime(CLOCK)


def overdue_after(settings: WatchdogSettings) -> timedelta:
    """Return the age from which on an evaluation is not the present."""
    return timedelta(seconds=OVERDUE_TICKS * settings.poll_seconds)


class Ticker:
    """Evaluate at every poll, and answer over HTTP how that goes."""

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        *,
        settings: WatchdogSettings,
        evaluator: Evaluator,
        dispatcher: Dispatcher,
        instruments: WatchdogInstruments,
        heartbeat: Heartbeat,
        check_objectives: Callable[[Objectives], Awaitable[list[ObjectiveMistake]]],
        live: LiveObjectives,
        journal: Journal,
        series: SeriesSource,
        inbox: Inbox,
        leadership: Callable[[], Leadership],
    ) -> None:
        self._settings = settings
        links = links_of(settings.grafana_url)
        self._pages = StatusPages(self._view, lambda: evaluator.objectives, series.over, settings.timezone, links)
        self._leadership = leadership
        self._inbox = inbox
        self._check_objectives = check_objectives
        self._journal = journal
        self._live = live
        self._check_at = 0.0  # by the steady clock
        self._logged: set[ObjectiveMistake] = set()
        self._heartbeat = heartbeat
        self._evaluator = evaluator
        self._dispatcher = dispatcher
        self._instruments = instruments
        self._scheduler = SteadyScheduler()
        self._overdue_after = overdue_after(settings)
        patience = max(self._overdue_after.total_seconds(), SHORTEST_PATIENCE)
        self._guard = StallGuard({THE_LOOP: patience, THE_TICKS: patience})
        self._ticking, self._reloading = asyncio.Lock(), asyncio.Lock()
        self._readings: set[asyncio.Task[None]] = set()
        self._ticked_at: float | None = None  # by the steady clock
        self._started_at = steady()

    def start(self) -> None:
        """Evaluate now, and from now on at every poll; end the process where that stalls."""
        self._guard.start()
        self._scheduler.start()
        self._scheduler.every(self._settings.poll_seconds, self.tick, "tick")

    def stop(self) -> None:
        """Evaluate no more."""
        self._scheduler.stop()
        self._guard.stop()

    async def run(self) -> None:
        """Show for ever that the event loop runs."""
        while True:
            self._guard.goes_on(THE_LOOP)
            await asyncio.sleep(LOOP_TURN)

    @property
    def is_well(self) -> bool:
        """Return whether evaluations are made, so that a supervisor need not restart the process."""
        return not self._guard.has_stalled(THE_TICKS)

    async def tick(self) -> None:
        """Evaluate once, and once more soon where something is suspicious."""
        if self._ticking.locked():
            return  # a tick and a quick evaluation have met; the one that runs is as good
        try:
            async with self._ticking, asyncio.timeout(LONGEST_TICK):
                await self._tick()
        except TimeoutError:
            log.error("a tick was given up after %.0f s", LONGEST_TICK)  # noqa: TRY400 - where it waits is no news
            return
        state, objectives = self._evaluator.state, self._evaluator.objectives
        if steady() >= self._check_at and (examined := examinable(objectives, state.readings)):
            self._check_at = steady() + CHECKED_EVERY
            self._scheduler.after(timedelta(0), partial(self._check, objectives, examined), "check of the objectives")
        evaluate_at = next_evaluation_at(state, objectives)
        if evaluate_at is not None:
            wait = max(evaluate_at - self._evaluator.now(), timedelta(0)) + SETTLES_IN
            self._scheduler.after(wait, self.tick, "quick evaluation")

    async def _tick(self) -> None:
        started = perf_counter()
        self._evaluator.objectives = await self._live.refresh()
        await self._evaluator.evaluate()
        self._dispatcher.on_evaluation()
        reports = self._inbox.deployments.all
        await asyncio.to_thread(self._instruments.show, self._evaluator.state, self._evaluator.objectives, reports)
        self._instruments.replicas.show(self._evaluator.replicas)
        self._ticked_at = steady()
        self._guard.goes_on(THE_TICKS)
        self._instruments.count_tick(self._evaluator.now(), perf_counter() - started)
        await self._heartbeat.beat()

    def reload(self) -> None:
        """Have the objectives read anew, beside everything else; a file that is wrong changes nothing."""
        reading = asyncio.get_running_loop().create_task(self._reload())
        self._readings.add(reading)  # the loop alone would forget it
        reading.add_done_callback(self._readings.discard)

    async def _reload(self) -> None:
        try:
            async with self._reloading:
                await self._live.reload()
        except slo_file.SloFileError as error:
            for mistake in error.mistakes:
                log.error("the objectives stay as they were: %s", mistake)  # noqa: TRY400  # a sentence says it all
        else:
            self._evaluator.objectives, self._check_at = self._live.current, 0.0
            self._logged.clear()
            log.info("objectives are read anew")

    async def _check(self, objectives: Objectives, examined: Objectives) -> None:
        """Log and show what only Prometheus knows of the objectives; while anything is wrong, check again.

        It goes on beside the ticks, as it takes minutes where there are hundreds of objectives and Prometheus is slow.
        """
        try:
            found = await self._check_objectives(examined)
        except MetricSourceError:
            self._check_at = 0.0  # the next tick tries again
            return
        if objectives.by_name.keys() != self._live.current.by_name.keys():
            self._check_at = 0.0  # they were read anew meanwhile
            return
        mistakes = [each for each in found if not each.is_usual]
        is_done = all(each.is_settled for each in found) and len(examined.all) == len(objectives.all)
        self._check_at = inf if is_done else steady() + CHECKED_EVERY
        self._evaluator.objectives = self._live.doubt(doubts_of(mistakes))
        for each in mistakes:
            if each not in self._logged:
                self._logged.add(each)
                where = self._live.file.place(each.objective, each.field)
                log.warning("%s: %s of %s %s", where, each.field, each.objective, each.sentence)

    def routes(self) -> dict[str, Route]:
        """Return the endpoints of these pages, by their paths."""
        own = {
            "/health": Route(web.get, self._health, (200, 503)),
            "/alive": Route(web.get, alive, (200,)),
            "/metrics": Route(web.get, self._instruments.exposition.answer, (200,)),
        }
        return own | self._pages.routes() | self._inbox.routes()

    @property
    def is_overdue(self) -> bool:
        """Return whether the last evaluation is so old that it does not show the present."""
        return is_overdue(self._evaluator.state, self._evaluator.now(), self._overdue_after)

    def status(self) -> Status:
        """Return how everything stands."""
        return self._view()(ALL)

    def _view(self) -> Callable[[Query], Status]:
        """Return what says how everything stands now, or what is searched for; it may be called in any thread."""
        process = Process(
            version=version("wine-slo"),
            poll=timedelta(seconds=self._settings.poll_seconds),
            overdue_after=self._overdue_after,
            untold_seconds=self._dispatcher.undelivered_seconds,
            records=self._dispatcher.records,
            actions=self._journal.actions,
            unreachable=self._dispatcher.unreached,
            is_quiet=self._dispatcher.is_quiet,
            replicas=self._evaluator.replicas,
        )
        state, objectives, now = self._evaluator.state, self._evaluator.objectives, self._evaluator.now()
        leadership = leadership_status(self._leadership())
        return lambda query: replace(status_of(state, objectives, now, process, query), leadership=leadership)

    async def _health(self, _request: web.Request) -> web.Response:
        """Report whether evaluations are made and notifications delivered."""
        age = steady() - (self._started_at if self._ticked_at is None else self._ticked_at)
        undelivered, unreachable = self._dispatcher.undelivered_seconds, self._dispatcher.unreached
        leadership, status = self._leadership(), "ok"
        if not leadership.is_alone and not leadership.leads:
            status = f"the lead cannot be confirmed, so nothing is sent: {leadership.trouble or 'no renewal yet'}"
        elif age > self._overdue_after.total_seconds():
            status = "tick overdue"
        elif undelivered > LONGEST_UNDELIVERED.total_seconds():
            status = "not delivered for too long"
        elif unreachable:
            status = "a recipient cannot be reached"
        content = {
            "status": status,
            "version": version("wine-slo"),
            "seconds_since_tick": None if self._ticked_at is None else round(age, 3),
            "untold_seconds": round(undelivered, 3),
            "incidents_open": len(self._evaluator.state.open_incidents),
            "unreachable": {chat.place: reason for chat, reason in unreachable.items()},
        }
        return web.json_response(content | described(leadership), status=200 if status == "ok" else 503)
