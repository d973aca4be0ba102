"""The roles of a watchdog: it stands by while another one leads, leads when it may, and stands by again when overtaken.

Each lead begins as a restart does, with what the ledger holds, so nothing of an earlier lead of this process is left.
One that is alone by the settings only leads.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

import aiohttp

from wine_slo.config.slo_file import SloFile, SloFileError
from wine_slo.http.routes import Route
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.storage.lease.keeper import LeaseKeeper
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.assembly import Outside, Parts, assemble, known_of, utc_now
from wine_slo.monitor.evaluate import source
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.loops import Loop, loops_of, report_takeover
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.standby.pages import StandbyPages
from wine_slo.monitor.standby.view import StandbyView
from wine_slo.monitor.ticker import overdue_after, steady
from wine_slo.slo.chat.gate import Gate

STOPS_WITHIN = 5.0  # seconds for what is being delivered when the process is to end
HANDS_OVER_WITHIN = 1.0  # the same where another watchdog waits to take over
RELEASES_WITHIN = 0.5  # seconds for letting the lease go

log = logging.getLogger("wine_slo.watchdog")

Serve = Callable[[dict[str, Route]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is opened once, and closed by whoever opened it.

    Attributes:
        ledger: What is remembered.
        session: For HTTP.
        drawing: Draws charts.
        heartbeat: Shows a supervisor that evaluations are made.
        gate: Whether this watchdog may speak.
        serve: Has the pages of a role answer from now on.
    """

    ledger: Ledger
    session: aiohttp.ClientSession
    drawing: ChartProcess
    heartbeat: Heartbeat
    gate: Gate
    serve: Serve


class Roles:
    """Leads, and stands by.

    Args:
        settings: Of the watchdog.
        file: The objectives, as they were read last.
        opened: What is open for all of the process's life.
        keeper: Keeps the lease.
    """

    def __init__(self, settings: WatchdogSettings, file: SloFile, opened: Opened, keeper: LeaseKeeper) -> None:
        self._settings = settings
        self._file = file
        self._opened = opened
        self._keeper = keeper

    async def stand_by(self, stop: asyncio.Event) -> bool:
        """Wait for the lead; False where it was to stop before that.

        Raises:
            LeaseError: Another watchdog leads, and this one is to be alone.
            OSError: The address of its own pages cannot be listened on.
        """
        if stop.is_set():
            return False
        async with AsyncExitStack() as stack:
            if self._settings.standby:
                await stack.enter_async_context(running(await self._follow()))
            return await self._keeper.take(stop, self._show_life)

    async def lead(self, stop: asyncio.Event) -> str:
        """Lead until it is to stop, or another watchdog leads; a sentence says that one does.

        Raises:
            OSError: The address of its own pages cannot be listened on.
            LedgerError: The ledger cannot be read.
        """
        opened = self._opened
        async with AsyncExitStack() as stack:
            outside = self._outside()
            known = await asyncio.to_thread(known_of, outside.ledger)  # a database that stalls holds up no page
            parts = assemble(self._settings, self._file, outside, known)
            stack.push_async_callback(parts.charts.stop)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, parts.ticker.reload)
            await opened.serve(parts.ticker.routes())
            await stack.enter_async_context(running(loops_of(parts)))
            parts.ticker.start()
            stack.callback(parts.ticker.stop)
            opened.heartbeat.notify("READY=1")
            taken = self._keeper.leadership().taken
            if self._settings.standby and taken is not None and not taken.is_planned:
                reporting = asyncio.create_task(report_takeover(parts))
                stack.callback(reporting.cancel)
            log.info("this watchdog leads, number %d", self._keeper.leadership().number)
            lost = await self._until(stop, parts)
            self._file = parts.live.file
            if not lost:
                await self._hand_over(parts)
        return lost

    def _outside(self) -> Outside:
        opened = self._opened
        return Outside(
            ledger=self._keeper.fenced(),
            session=opened.session,
            drawing=opened.drawing,
            heartbeat=opened.heartbeat,
            gate=opened.gate,
            leadership=self._keeper.leadership,
        )

    async def _until(self, stop: asyncio.Event, parts: Parts) -> str:
        """Keep the lease until it is time to stop, or another watchdog has it; a sentence says that it has."""
        stopping = asyncio.create_task(stop.wait())
        keeping = asyncio.create_task(self._keeper.keep(parts.dispatcher.wake))
        try:
            await asyncio.wait({stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
            return keeping.result() if keeping.done() else ""
        finally:
            stopping.cancel()
            keeping.cancel()
            await asyncio.gather(stopping, keeping, return_exceptions=True)

    async def _hand_over(self, parts: Parts) -> None:
        """End what is being sent, and let the lease go, so that one that stands by leads at once."""
        log.info("stopping")
        self._opened.heartbeat.notify("STOPPING=1")
        parts.ticker.stop()
        waits = bool(self._keeper.leadership().standbys)
        await parts.dispatcher.finish(within=HANDS_OVER_WITHIN if waits else STOPS_WITHIN)
        await self._keeper.release(within=RELEASES_WITHIN)

    async def _follow(self) -> list[tuple[Loop, str]]:
        """Serve what the leader writes; return what is to run meanwhile."""
        settings, opened = self._settings, self._opened
        view = StandbyView(opened.ledger, self._file.objectives(), utc_now, steady)
        api = source.connect(opened.session, settings)
        pages = StandbyPages(settings, view, self._keeper.leadership, api, overdue_after(settings))
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload, view)
        await view.read()
        await opened.serve(pages.routes())
        return [(view.run, "what the leader writes")]

    def _reload(self, view: StandbyView) -> None:
        """Read the objectives anew; a file that is wrong changes nothing."""
        try:
            self._file = load_objectives(self._settings)
        except SloFileError as error:
            for mistake in error.mistakes:
                log.error("the objectives stay as they were: %s", mistake)  # noqa: TRY400 - a sentence says it all
            return
        view.objectives = self._file.objectives()
        log.info("objectives are read anew")

    def _show_life(self) -> None:
        """Say to systemd that waiting for the lead is what this watchdog is to do."""
        self._opened.heartbeat.notify("READY=1")
        self._opened.heartbeat.notify("WATCHDOG=1")


class LoopEndedError(Exception):
    """A loop that is to run for ever has ended."""


@asynccontextmanager
async def running(loops: Sequence[tuple[Loop, str]]) -> AsyncIterator[None]:
    """Run loops beside, and stop them at the end; where one of them ends before, everything ends.

    Raises:
        ExceptionGroup: A loop has ended; what it raised is in it.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_without_end(loop, name), name=name) for loop, name in loops]
        yield
        for task in tasks:
            task.cancel()


async def _without_end(loop: Loop, name: str) -> NoReturn:
    await loop()
    raise LoopEndedError(f"{name} has ended")
