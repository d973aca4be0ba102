"""The watchdog: a process of its own that evaluates the objectives and notifies people.

Nothing that is away stops it: without Prometheus it says that there is no data, without Telegram it goes on evaluating
and delivers later, without a token it prints what it would have sent.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from wine_slo import extras

if __name__ == "__main__":  # before what is imported below needs them
    extras.need("watchdog", "watchdog")

from wine_slo.config import log_setup, slo_file
from wine_slo.config.environment import SettingsError, read, unknown
from wine_slo.config.hosts import is_loopback
from wine_slo.config.slo_file import SloFile
from wine_slo.exit_status import ExitStatus
from wine_slo.http import guarded_server
from wine_slo.http.door import Door
from wine_slo.http.guarded_server import Patience, Runner
from wine_slo.http.routes import Route, Switchboard
from wine_slo.integrations.console import standard_streams
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.storage.lease.keeper import LeaseError, LeaseKeeper
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.assembly import utc_now
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.publish import inbox
from wine_slo.monitor.roles import RELEASES_WITHIN, Opened, Roles
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.ticker import steady
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.objectives.objective import Objectives

STOPS_WITHIN = 5  # seconds for who reads a page when the process is to end
AGAIN_AFTER = 1.0  # seconds, where a ledger cannot be read whose lease is ours
MOST_CONNECTIONS = 500  # to its own pages
BACKLOG = 64  # connections that wait to be accepted
# Of our own pages, without a login: whoever restarts us has no password, and who reports something has a token.
OPEN_PATHS = ("/health", "/alive", *inbox.PATHS)

log = logging.getLogger("wine_slo.watchdog")  # also when it is run as a script


def main() -> None:
    """Monitor until stopped; exit with 2 where settings, objectives or database are wrong, 1 where it cannot run."""
    standard_streams.reserve()
    try:
        settings = read(WatchdogSettings)
        file = load_objectives(settings)
        objectives = file.objectives()
        _check_together(settings, objectives)
    except (SettingsError, slo_file.SloFileError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(ExitStatus.BAD_INPUT)
    log_setup.configure(settings.log_format)
    for sentence in unknown(WatchdogSettings, ServerSettings):
        log.warning(sentence)
    try:
        opened = Ledger.open if settings.standby else Ledger.open_or_remember  # nobody of several may go on without it
        ledger = opened(settings.database_url)
    except LedgerError as error:
        log.critical("%s", error)
        sys.exit(ExitStatus.BAD_INPUT)
    try:
        asyncio.run(watch(settings, file, ledger))
    except (LedgerError, LeaseError) as error:
        log.critical("%s", error)
        sys.exit(ExitStatus.FAILED)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        sys.stderr.write(f"cannot listen on {settings.watchdog_host}:{settings.watchdog_port}: {reason}\n")
        sys.exit(ExitStatus.FAILED)
    except Exception:
        log.critical("a loop has ended by a fault of ours", exc_info=True)
        sys.exit(ExitStatus.FAILED)  # whoever started us starts us again; the ledger holds the rest


async def watch(settings: WatchdogSettings, file: SloFile, ledger: Ledger) -> None:
    """Lead, or stand by, until SIGTERM or SIGINT.

    Raises:
        LeaseError: another watchdog leads, and this one is to be alone.
        OSError: the address of its own pages cannot be listened on.
        LedgerError: the ledger cannot be read.
    """
    stop, is_alone = _stop_signal(), not settings.standby
    keeper = LeaseKeeper(ledger, utc_now, steady, is_alone=is_alone)
    gate = Gate(keeper.seconds_left, is_alone=is_alone)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = settings.heartbeat_url.value if settings.heartbeat_url else None
        heartbeat = Heartbeat(url, settings.notify_socket, gate, settings.heartbeat_way)
        stack.push_async_callback(heartbeat.close)
        stack.push_async_callback(keeper.release, within=RELEASES_WITHIN)
        drawing = stack.enter_context(ChartProcess())
        opened = Opened(
            ledger=ledger,
            session=session,
            drawing=drawing,
            heartbeat=heartbeat,
            gate=gate,
            serve=_Pages(settings, stack).show,
        )
        gc.freeze()  # what is imported stays; a collection in a storm need not examine it, which would hold the loop
        roles = Roles(settings, file, opened, keeper)
        said = ""
        while await roles.stand_by(stop):
            try:
                lost, said = await roles.lead(stop), ""
            except LedgerError as error:  # the way to it broke between the lease and the first read
                if is_alone:
                    raise
                lost = str(error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AGAIN_AFTER)
            if lost and is_alone:
                raise LeaseError(f"{lost}: this one ends, or both would notify")
            if lost and lost != said:  # it tries again every few seconds
                log.error("%s: this one stands by", lost)
            said = lost


class _Pages:
    """Serves the pages of the role that the watchdog has.

    Args:
        settings: Say where.
        stack: Where serving ends.
    """

    def __init__(self, settings: WatchdogSettings, stack: AsyncExitStack) -> None:
        self._settings = settings
        self._stack = stack
        self._switchboard: Switchboard | None = None

    async def show(self, routes: dict[str, Route]) -> None:
        """Have these answer from now on.

        Raises:
            OSError: the address cannot be listened on.
        """
        if self._switchboard is not None:
            self._switchboard.show(routes)
            return
        self._switchboard = Switchboard(routes)
        await self._stack.enter_async_context(_serving(self._switchboard.app(), self._settings))


def _stop_signal() -> asyncio.Event:
    """Return what is set at SIGTERM and SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def _serving(app: web.Application, settings: WatchdogSettings) -> AsyncIterator[None]:
    """Serve the watchdog's own pages.

    Raises:
        OSError: their address cannot be listened on.
    """
    door = Door.at(
        settings.watchdog_host,
        settings.allowed_hosts,
        own=urlsplit(settings.watchdog_root).hostname,
        password=settings.watchdog_password.value if settings.watchdog_password else None,
        open_paths=OPEN_PATHS,
    )
    guarded_server.raise_limit_of_files()
    most = min(MOST_CONNECTIONS, guarded_server.connections_allowed())
    runner = Runner(app, door, Patience(), shutdown_timeout=STOPS_WITHIN, most_connections=most)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.watchdog_host, settings.watchdog_port, backlog=BACKLOG).start()
        log.info("listening on http://%s:%s", *runner.addresses[0][:2])
        yield
    finally:
        await runner.cleanup()


def _check_together(settings: WatchdogSettings, objectives: Objectives) -> None:
    """Refuse what is right by itself and wrong together.

    Raises:
        SettingsError: there is such a thing.
    """
    named = [int(each) for each in (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids)]
    if twice := next((each for each in named if named.count(each) > 1), None):
        raise SettingsError(
            f"WINE_SLO_TELEGRAM_CHAT_IDS and WINE_SLO_TELEGRAM_SECOND_CHAT_IDS name {twice} twice; wanted: each chat "
            "once, with one topic at most"
        )
    longest = objectives.longest_poll.total_seconds()
    if settings.poll_seconds > longest:
        raise SettingsError(
            f"WINE_SLO_POLL_SECONDS is {settings.poll_seconds:g}; wanted: at most half of blind_for in "
            f"{settings.objectives}, {longest:g} seconds"
        )
    if settings.watchdog_login_required and not settings.watchdog_password and not is_loopback(settings.watchdog_host):
        raise SettingsError(
            f"WINE_SLO_WATCHDOG_HOST is {settings.watchdog_host}, so others may read the status page; wanted: "
            "WINE_SLO_WATCHDOG_PASSWORD, or WINE_SLO_WATCHDOG_LOGIN_REQUIRED=false where only those reach it who may"
        )


if __name__ == "__main__":
    main()
