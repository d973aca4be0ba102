"""The watchdog: a process of its own that asks Prometheus how the promises are kept, and tells people.

Nothing that is away stops it: without Prometheus it is blind and says so, without Telegram it goes on looking and
tells later, without a token it prints what it would have told.
"""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from time import perf_counter
from typing import Any, NoReturn
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from wine_slo.config import log_setup, slo_file, translations
from wine_slo.config.environment import SettingsError, read
from wine_slo.config.hosts import is_loopback
from wine_slo.config.setting_types import Rotating
from wine_slo.http import guarded_server
from wine_slo.http.guarded_server import Door, Patience, Runner
from wine_slo.integrations.console.channel import ConsoleChannel
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.peers import ServiceApi
from wine_slo.integrations.stall_guard import StallGuard
from wine_slo.integrations.steady_scheduler import SteadyScheduler
from wine_slo.integrations.storage.claim import Claim, ClaimError
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.updates import Listener, TelegramUpdates
from wine_slo.monitor.chatops.info import Info
from wine_slo.monitor.chatops.language import LanguageCommand
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.chatops.router import Access, Router
from wine_slo.monitor.drill import runner as drill_runner
from wine_slo.monitor.drill.chat_command import DrillCommand
from wine_slo.monitor.evaluate import source
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.evaluate.objective_checks import Examiner, ObjectiveMistake
from wine_slo.monitor.notify.announcements import Announcements
from wine_slo.monitor.notify.announcements import Place as Where
from wine_slo.monitor.notify.dispatcher import Dispatcher, Rules
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.monitor.publish.board import Boards
from wine_slo.monitor.publish.charts import Charts
from wine_slo.monitor.publish.digest import Digests
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.publish.status_page import StatusPages
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.evaluation.engine import SETTLES_IN, next_look_at
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.redaction import without_credentials
from wine_slo.slo.source.clocks import SourceTime, WallTime
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import LANGUAGES
from wine_slo.slo.views.digest_text import Weekly
from wine_slo.slo.views.series import Trend
from wine_slo.slo.views.status import Process, Status, status_of

CONSOLE = 0  # the id of the one chat that the terminal is
STOPS_WITHIN = 5  # seconds for what is being told when the process is to end
LONGEST_UNTOLD = timedelta(minutes=10)  # what nobody could be told for longer turns /health red
DRILL = timedelta(minutes=3)  # for so long a drill is slow at the most
OVERDUE_TICKS = 3  # so many polls without a complete tick, and /health is red
LONGEST_TICK = 60.0  # seconds, then it is given up; four rounds of questions of 10 s each, and the heartbeat's 5 s
SHORTEST_PATIENCE = LONGEST_TICK + 15  # seconds without a complete tick before the process ends itself
MOST_EXAMINATIONS = 60  # ticks on which is asked how often a job is scraped, where that cannot be known
LOOP_TURN = 1.0  # seconds between two signs that the event loop runs
MOST_CONNECTIONS = 500  # to its own pages
BACKLOG = 64  # connections that wait to be accepted
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # Linux' goes on while the machine sleeps
THE_LOOP, THE_TICKS = "the event loop", "the evaluation"

OPEN_PATHS = ("/health",)  # of our own pages, without a login: whoever restarts us has no password

log = logging.getLogger("wine_slo.watchdog")  # also when it is run as a script


def now() -> WallTime:
    """Read the clock; the only place that does."""
    return WallTime(datetime.now(UTC))


def steady() -> float:
    """Read, in seconds, a clock that nobody sets."""
    return time.clock_gettime(CLOCK)


class Ticker:
    """Ticks, and answers for itself over HTTP."""

    def __init__(
        self,
        settings: WatchdogSettings,
        evaluation: Evaluator,
        delivery: Dispatcher,
        instruments: WatchdogInstruments,
        heartbeat: Heartbeat,
        examiner: Examiner,
        trend: Callable[[timedelta], Awaitable[Trend]],
    ) -> None:
        self._settings = settings
        links = {"Grafana": without_credentials(settings.grafana_url)} if settings.grafana_url else {}
        self._pages = StatusPages(self.status, trend, settings.timezone, links)
        self._examiner = examiner
        self._is_examined = False
        self._examinations = MOST_EXAMINATIONS  # of scrape intervals, that are left
        self._heartbeat = heartbeat
        self._evaluation = evaluation
        self._delivery = delivery
        self._instruments = instruments
        self._scheduler = SteadyScheduler()
        overdue_after = OVERDUE_TICKS * settings.poll_seconds
        patience = max(overdue_after, SHORTEST_PATIENCE)
        self._overdue_after = timedelta(seconds=overdue_after)
        self._guard = StallGuard({THE_LOOP: patience, THE_TICKS: patience})
        self._looking = asyncio.Lock()
        self._ticked_at: float | None = None  # by the steady clock
        self._started_at = steady()

    def start(self) -> None:
        """Look now, and from now on at every poll; end the process where that stalls."""
        self._guard.start()
        self._scheduler.start()
        self._scheduler.every(self._settings.poll_seconds, self.tick, "tick")

    def stop(self) -> None:
        """Look no more."""
        self._scheduler.stop()

    async def run(self) -> None:
        """Show for ever that the event loop runs."""
        while True:
            self._guard.goes_on(THE_LOOP)
            await asyncio.sleep(LOOP_TURN)

    @property
    def is_well(self) -> bool:
        """Whether evaluations are made, so that a supervisor need not restart the process."""
        return not self._guard.has_stalled(THE_TICKS)

    async def tick(self) -> None:
        """Look once, tell what is new, and look again soon where something is suspicious."""
        if self._looking.locked():
            return  # a tick and a quick look have met; the one that runs is as good
        try:
            async with self._looking, asyncio.timeout(LONGEST_TICK):
                await self._tick()
        except TimeoutError:
            log.error("a tick was given up after %.0f s", LONGEST_TICK)  # noqa: TRY400 - where it waits is no news
            return
        state, objectives = self._evaluation.state, self._evaluation.objectives
        if self._examinations and not all(each.sight is Sight.BLIND for each in state.readings.values()):
            is_known = await self._tell_mistakes(self._examiner.intervals, objectives)
            self._examinations = 0 if is_known else self._examinations - 1
        if not self._is_examined and len(state.unseen) < len(state.readings):
            self._is_examined = await self._tell_mistakes(self._examiner.series, objectives)
        look_at = next_look_at(state, objectives)
        if look_at is not None:
            wait = max(look_at - self._evaluation.now(), timedelta(0)) + SETTLES_IN
            self._scheduler.after(wait, self.tick, "quick look")

    async def _tick(self) -> None:
        started = perf_counter()
        await self._evaluation.evaluate()
        self._delivery.hear()
        await asyncio.to_thread(self._instruments.show, self._evaluation.state, self._evaluation.objectives)
        self._ticked_at = steady()
        self._guard.goes_on(THE_TICKS)
        self._instruments.count_tick(self._evaluation.now(), perf_counter() - started)
        await self._heartbeat.beat()

    def reload(self) -> None:
        """Read the objectives anew; a file that is wrong changes nothing."""
        try:
            self._evaluation.objectives = slo_file.load(self._settings.objectives)
        except slo_file.SloFileError as error:
            for mistake in error.mistakes:
                log.error("the objectives stay as they were: %s", mistake)  # noqa: TRY400  # a sentence says it all
        else:
            self._is_examined, self._examinations = False, MOST_EXAMINATIONS
            log.info("objectives are read anew")
            _log_left_out(self._settings, self._evaluation.objectives)

    async def _tell_mistakes(
        self, examine: Callable[[Objectives], Awaitable[list[ObjectiveMistake]]], objectives: Objectives
    ) -> bool:
        """Log what only Prometheus knows of the objectives; return whether it has said so."""
        try:
            mistakes = await examine(objectives)
        except MetricSourceError:
            return False  # the next tick tries again
        for each in mistakes:
            where = slo_file.place(self._settings.objectives, each.objective, each.field)
            log.warning("%s: %s of %s %s", where, each.field, each.objective, each.sentence)
        return True

    def app(self) -> web.Application:
        """Return the pages of the watchdog itself."""
        app = web.Application()
        app.add_routes([web.get("/health", self._health), web.get("/metrics", self._instruments.expose)])
        app.add_routes(self._pages.routes())
        return app

    def status(self) -> Status:
        """Return how everything stands."""
        process = Process(
            version=version("wine-slo"),
            poll=timedelta(seconds=self._settings.poll_seconds),
            overdue_after=self._overdue_after,
            untold_seconds=untold_seconds(self._delivery, self._evaluation),
            told=self._delivery.beliefs,
            acts=self._delivery.acts,
            unreachable=self._delivery.unreached,
            is_quiet=self._delivery.is_quiet,
        )
        return status_of(self._evaluation.state, self._evaluation.objectives, self._evaluation.now(), process)

    async def _health(self, _request: web.Request) -> web.Response:
        age = steady() - (self._started_at if self._ticked_at is None else self._ticked_at)
        untold, unreachable = untold_seconds(self._delivery, self._evaluation), self._delivery.unreached
        status = "ok"
        if age > self._overdue_after.total_seconds():
            status = "tick overdue"
        elif untold > LONGEST_UNTOLD.total_seconds():
            status = "untold for too long"
        elif unreachable:
            status = "a recipient cannot be reached"
        content = {
            "status": status,
            "version": version("wine-slo"),
            "seconds_since_tick": None if self._ticked_at is None else round(age, 3),
            "untold_seconds": round(untold, 3),
            "incidents_open": len(self._evaluation.state.open_incidents),
            "unreachable": {str(chat): reason for chat, reason in unreachable.items()},
        }
        return web.json_response(content, status=200 if status == "ok" else 503)


def _log_left_out(settings: WatchdogSettings, objectives: Objectives) -> None:
    for sentence in slo_file.left_out(settings.objectives, objectives):
        log.info(sentence)


def untold_seconds(delivery: Dispatcher, evaluation: Evaluator) -> float:
    """Return the age of the oldest thing not yet told; 0 where everything is told."""
    since = delivery.untold_since
    return max(0.0, (evaluation.now() - SourceTime(since)).total_seconds()) if since else 0.0


Loop = Callable[[], Coroutine[Any, Any, None]]


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


def speeches(settings: WatchdogSettings, objectives: Callable[[], Objectives]) -> Callable[[str], Formatter]:
    """Return how things read in a language, by its code; without one, in that of the settings."""
    languages = translations.load()
    own = languages[settings.language]
    return lambda code: Formatter(objectives(), settings.timezone, languages.get(code, own))


async def watch(settings: WatchdogSettings, objectives: Objectives, ledger: Ledger) -> None:
    """Watch until SIGTERM or SIGINT, holding the ledger.

    Raises:
        ClaimError: another watchdog holds the ledger, or has taken it.
        OSError: the address of its own pages cannot be listened on.
        LedgerError: the ledger cannot be read.
    """
    stop = _told_to_stop()

    async with aiohttp.ClientSession() as session:
        heartbeat = Heartbeat(
            settings.heartbeat_url.value if settings.heartbeat_url else None,
            settings.notify_socket,
            settings.heartbeat_way,
        )
        claim = Claim(ledger, now)
        try:
            if not await claim.take(stop, partial(_wait_as_standby, heartbeat), waits=settings.standby):
                return
            lost = await _watch(settings, objectives, ledger, session, heartbeat, until=lambda: _until(stop, claim))
        finally:
            claim.free()
            await heartbeat.close()
    if lost:
        raise ClaimError(lost)


async def _watch(
    settings: WatchdogSettings,
    objectives: Objectives,
    ledger: Ledger,
    session: aiohttp.ClientSession,
    heartbeat: Heartbeat,
    *,
    until: Callable[[], Awaitable[str]],
) -> str:
    """Watch until that says why it ends; return what it says.

    Raises:
        OSError: the address of its own pages cannot be listened on.
        LedgerError: the ledger cannot be read.
    """
    async with AsyncExitStack() as stack:
        memory = ledger.load()
        instruments = WatchdogInstruments(
            version("wine-slo"), lambda: untold_seconds(delivery, evaluation), lambda: len(delivery.unreached)
        )
        api = source.connect(session, settings, on_query=instruments.count_query)
        bot = _connect(settings)
        chat, chats = _where(bot, settings)
        evaluation = Evaluator(api, ledger, objectives, memory.state, now, steady)
        recipients = Recipients(ledger, memory, chats, evaluation.now())
        speech = speeches(settings, lambda: evaluation.objectives)

        def replies(chat: int) -> Replies:
            return Replies(delivery.speech(chat))

        access = _access(settings, recipients)
        conversation = Router(access, replies, evaluation.now, version("wine-slo"), instruments.count_question)
        delivery = Dispatcher(
            chat,
            ledger,
            recipients,
            speech,
            lambda: evaluation.state,
            evaluation.now,
            on_message=instruments.count_message,
            acts=lambda: journal.acts,
            rules=_rules(settings, conversation.verbs),
        )
        instruments.watch_silences(lambda: len(journal.acts.silences(evaluation.state.incidents, evaluation.now())))
        journal = Journal(ledger, memory.acts, on_act=delivery.wake, last_number=memory.last_act)
        announcements = _announcements(bot, chat, settings, recipients, delivery)
        duty = OnCall(
            lambda: evaluation.state,
            replies,
            evaluation.now,
            journal,
            delivery.revive,
            announcements.tell,
            lambda asked: delivery.known_in(asked.chat) if access.is_limited_to_what_it_was_told(asked) else None,
            is_overdue=lambda: watchdog.status().overdue,
        ).commands()
        answers = channel.TelegramChannel(bot).for_answers if bot else chat  # what can wait until every alert is out
        charts = await stack.enter_async_context(_charting(api, answers, ledger, evaluation, instruments))
        if settings.charts_enabled and not isinstance(chat, ConsoleChannel):
            delivery.on_sent = lambda address, notice, message: charts.follow(
                address, notice, message, delivery.speech(address), _topics(settings).get(notice.after.chat)
            )
        conversation.add(
            *duty,
            *Info(
                ledger, lambda: evaluation.state, delivery.speech, evaluation.now, charts.answer, journal.lines
            ).commands(),
            *LanguageCommand(replies, delivery.speak).commands(),
        )
        trend = SeriesSource(api, lambda: evaluation.objectives, evaluation.now).over
        watchdog = Ticker(
            settings,
            evaluation,
            delivery,
            instruments,
            heartbeat,
            Examiner(api, source.info(session, settings)),
            trend,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watchdog.reload)

        await stack.enter_async_context(_serving(watchdog.app(), settings))

        loops: list[tuple[Loop, str]] = [
            (watchdog.run, "the sign of the event loop"),
            (journal.run, "the journal"),
            (delivery.run, "the delivery"),
            (announcements.run, "what announces"),
            (
                partial(announcements.remind, lambda: journal.acts, lambda: evaluation.state, evaluation.now),
                "what reminds of silences",
            ),
        ]
        if settings.watchdog_usec:
            informs = partial(
                heartbeat.keep_systemd_informed, settings.watchdog_usec / 1_000_000, lambda: watchdog.is_well
            )
            loops.append((informs, "the sign of life for systemd"))
        if bot:
            boards = _boards(answers, ledger, recipients, evaluation, delivery, instruments, journal)
            loops.append((boards.run, "what keeps the boards"))
            if settings.digest_at != "off":
                digests = _digests(
                    settings,
                    api,
                    ledger,
                    answers,
                    recipients,
                    evaluation=evaluation,
                    delivery=delivery,
                    instruments=instruments,
                    journal=journal,
                )
                loops.append((digests.run, "what tells the digests"))
            drills = _exercises(session, settings, api, evaluation, watchdog, delivery, journal, announcements)
            conversation.add(*boards.commands(), *drills.commands())
            listens = _listen(
                bot, settings, recipients, conversation, speech, instruments, evaluation=evaluation, delivery=delivery
            )
            loops.append((listens.run, "the listener to commands"))
        await stack.enter_async_context(running(loops))
        watchdog.start()
        stack.callback(watchdog.stop)
        heartbeat.notify("READY=1")
        lost = await until()
        log.info("stopping")
        heartbeat.notify("STOPPING=1")
        if not lost:
            await delivery.finish(within=STOPS_WITHIN)
    return lost


def _connect(settings: WatchdogSettings) -> connection.Connection | None:
    """Return the bot; None where no token is set."""
    if settings.telegram_token is None:
        return None
    return connection.connect(
        settings.telegram_token.value,
        settings.telegram_api_url,
        settings.telegram_way,
        Rotating(settings.telegram_token),
    )


async def _until(stop: asyncio.Event, claim: Claim) -> str:
    """Hold the ledger until it is time to stop, or another watchdog has taken it; a sentence says that it has."""
    stopping, keeping = asyncio.create_task(stop.wait()), asyncio.create_task(claim.keep())
    try:
        await asyncio.wait({stopping, keeping}, return_when=asyncio.FIRST_COMPLETED)
        return keeping.result() if keeping.done() else ""
    finally:
        stopping.cancel()
        keeping.cancel()
        await asyncio.gather(stopping, keeping, return_exceptions=True)


def _wait_as_standby(heartbeat: Heartbeat) -> None:
    """Say to systemd that waiting for the ledger is what we are to do."""
    heartbeat.notify("READY=1")
    heartbeat.notify("WATCHDOG=1")


def _where(bot: connection.Connection | None, settings: WatchdogSettings) -> tuple[Channel, tuple[int, ...]]:
    """Return where messages go, and the ids of the recipients there: the chats of the settings, or the terminal."""
    if bot and settings.telegram_chat_ids:
        named = (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids)
        return channel.TelegramChannel(bot), tuple(map(int, named))
    log.warning("no Telegram token or no chat id is set: messages are printed here")
    return ConsoleChannel(sys.stdout), (CONSOLE,)


def _announcements(
    bot: connection.Connection | None,
    chat: Channel,
    settings: WatchdogSettings,
    recipients: Recipients,
    delivery: Dispatcher,
) -> Announcements:
    """Return what lets every chat know what somebody does in one of them."""

    def places() -> dict[int, Where]:
        standings, topics = [recipients.standing(each) for each in recipients], _topics(settings)
        return {each.chat: (each.address, topics.get(each.chat)) for each in standings if not each.is_closed}

    told = channel.TelegramChannel(bot).for_answers if bot and settings.telegram_chat_ids else chat
    return Announcements(told, places, lambda each: Replies(delivery.speech(each)))


def _boards(
    chat: Channel,
    ledger: Ledger,
    recipients: Recipients,
    evaluation: Evaluator,
    delivery: Dispatcher,
    instruments: WatchdogInstruments,
    journal: Journal,
) -> Boards:
    """Return what keeps the boards."""
    return Boards(
        chat,
        ledger,
        lambda: evaluation.state,
        lambda: journal.acts,
        delivery.speech,
        evaluation.now,
        instruments.count_message,
        recipients=recipients,
    )


def _digests(  # noqa: PLR0913 - a digest tells of everything
    settings: WatchdogSettings,
    api: MetricSource,
    ledger: Ledger,
    chat: Channel,
    recipients: Recipients,
    *,
    evaluation: Evaluator,
    delivery: Dispatcher,
    instruments: WatchdogInstruments,
    journal: Journal,
) -> Digests:
    """Return what tells every recipient that can be reached, but for the second ones, how each week was."""
    seconds, topics = set(map(int, settings.telegram_second_chat_ids)), _topics(settings)

    def chats() -> dict[int, int | None]:
        return {each: topics.get(each) for each in recipients if each not in seconds and each not in recipients.closed}

    def acknowledged_at(incident: Incident) -> datetime | None:
        act = journal.acts.acknowledgement(incident)
        return act.at if act else None

    return Digests(
        api,
        ledger,
        chat=chat,
        recipients=recipients,
        chats=chats,
        weekly=Weekly.parse(settings.digest_at, settings.timezone),
        state=lambda: evaluation.state,
        speech=delivery.speech,
        now=evaluation.now,
        acknowledged_at=acknowledged_at,
        on_message=instruments.count_message,
    )


def _exercises(  # noqa: PLR0913, PLR0917 - a drill goes through everything
    session: aiohttp.ClientSession,
    settings: WatchdogSettings,
    api: MetricSource,
    evaluation: Evaluator,
    watchdog: Ticker,
    delivery: Dispatcher,
    journal: Journal,
    announcements: Announcements,
) -> DrillCommand:
    """Return what tries the alert on the real service."""
    service = ServiceApi(session, settings.service_url)

    async def status() -> Status:
        return watchdog.status()

    return DrillCommand(
        lambda: evaluation.objectives,
        delivery.speech,
        lambda objective: drill_runner.prepare(service, status, objective, now),
        lambda objective: drill_runner.run(service, status, api, objective, longest=DRILL, clock=now),
        DRILL,
        now=evaluation.now,
        journal=journal,
        announce=announcements.tell,
    )


def _told_to_stop() -> asyncio.Event:
    """What is set at SIGTERM and SIGINT."""
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


@asynccontextmanager
async def _charting(
    api: MetricSource, chat: Channel, ledger: Ledger, evaluation: Evaluator, instruments: WatchdogInstruments
) -> AsyncIterator[Charts]:
    """What draws; at the end it gives up what it is drawing."""
    with ChartProcess() as drawing:
        charts = Charts(
            api, drawing, chat, ledger, lambda: evaluation.state, evaluation.now, on_message=instruments.count_message
        )
        try:
            yield charts
        finally:
            await charts.stop()


def _listen(  # noqa: PLR0913 - one place wires it
    bot: connection.Connection,
    settings: WatchdogSettings,
    recipients: Recipients,
    conversation: Router,
    speech: Callable[[str], Formatter],
    instruments: WatchdogInstruments,
    *,
    evaluation: Evaluator,
    delivery: Dispatcher,
) -> TelegramUpdates:
    """Return what hears a bot's updates and has them answered."""
    answers = channel.TelegramChannel(bot).for_answers

    async def tell_conflict(has_webhook: bool) -> None:  # noqa: FBT001 - it says what it is
        topics, seconds = _topics(settings), set(map(int, settings.telegram_second_chat_ids))
        for chat in recipients:
            if chat not in seconds:
                text = Replies(delivery.speech(chat)).conflict(has_webhook=has_webhook)
                with suppress(ChannelError):
                    await answers.send(recipients.standing(chat).address, text, topic=topics.get(chat), loud=False)

    hearing = Listener(
        conversation.ask,
        conversation.press,
        conversation.refuse,
        instruments.show_listening,
        tell_conflict,
        heard=delivery.revive,
        moved=recipients.move,
    )
    menus = {code: conversation.menu(Replies(speech(code))) for code in ("", *(each.code for each in LANGUAGES))}
    return TelegramUpdates(bot, answers, hearing, menus, evaluation.now, evaluation.state.looked_at)


def _access(settings: WatchdogSettings, recipients: Recipients) -> Access:
    """Return who is known."""
    seconds = set(map(int, settings.telegram_second_chat_ids))
    return Access(recipients, settings.telegram_admin_ids, lambda chat: recipients.standing_at(chat).chat in seconds)


def _topics(settings: WatchdogSettings) -> dict[int, int]:
    """Return the topics that are told instead of their chats."""
    named = (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids)
    return {int(each): each.topic for each in named if each.topic is not None}


def _rules(settings: WatchdogSettings, offers: Collection[str]) -> Rules:
    """Return when and where may be spoken."""
    return Rules(
        topics=_topics(settings),
        second_chats=frozenset(map(int, settings.telegram_second_chat_ids)),
        escalate_after=timedelta(minutes=settings.escalate_minutes) if settings.escalate_minutes else None,
        quiet_hours=QuietHours.parse(settings.quiet_hours, settings.timezone) if settings.quiet_hours else None,
        pages_in_quiet_hours=settings.quiet_hours_pages,
        offers=offers,
    )


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


def main() -> None:
    """Watch until told to stop; exit with 2 where settings or objectives are wrong, with 1 where it cannot run."""
    try:
        settings = read(WatchdogSettings)
        objectives = slo_file.load(settings.objectives)
        _check_together(settings, objectives)
    except (SettingsError, slo_file.SloFileError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    log_setup.configure(settings.log_format)
    _log_left_out(settings, objectives)
    try:
        ledger = Ledger.open_or_remember(settings.database_url)
        asyncio.run(watch(settings, objectives, ledger))
    except (LedgerError, ClaimError) as error:
        log.critical("%s", error)
        sys.exit(1)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        sys.stderr.write(f"cannot listen on {settings.watchdog_host}:{settings.watchdog_port}: {reason}\n")
        sys.exit(1)
    except Exception:
        log.critical("a loop has ended by a fault of ours", exc_info=True)
        sys.exit(1)  # whoever started us starts us again; the ledger holds the rest


if __name__ == "__main__":
    main()
