"""The watchdog: a process of its own that asks Prometheus how the promises are kept, and tells people.

Nothing that is away stops it: without Prometheus it is blind and says so, without Telegram it goes on looking and
tells later, without a token it prints what it would have told.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from time import perf_counter
from typing import Any

import aiohttp
from aiohttp import web
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from wine_slo import drill, slo_file
from wine_slo.adapters import catalogue, log_output, telegram_chat
from wine_slo.adapters.chart_process import ChartProcess
from wine_slo.adapters.console_chat import ConsoleChat
from wine_slo.adapters.heartbeat import Heartbeat
from wine_slo.adapters.ledger import Ledger, LedgerError
from wine_slo.adapters.own_pages import ServiceApi
from wine_slo.adapters.prometheus_api import PrometheusApi, PrometheusError
from wine_slo.adapters.status_page import StatusPages
from wine_slo.adapters.telegram_commands import Listener, TelegramCommands
from wine_slo.adapters.watchdog_instruments import WatchdogInstruments
from wine_slo.board import Boards
from wine_slo.charts import Charts
from wine_slo.conversation import Access, Conversation
from wine_slo.delivery import Delivery, Rules
from wine_slo.digest import Digests, Place
from wine_slo.domain.chat import Chat, ChatError
from wine_slo.domain.digest import Weekly
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import QuietHours
from wine_slo.domain.objective import Objectives
from wine_slo.domain.phrases import LANGUAGES
from wine_slo.domain.replies import Replies
from wine_slo.domain.status import Process, Status, status_of
from wine_slo.domain.trend import Trend
from wine_slo.domain.watch import SETTLES_IN, next_look_at
from wine_slo.domain.words import Speech
from wine_slo.duty import Duty, Journal
from wine_slo.evaluation import Evaluation
from wine_slo.examination import Mistake, examine
from wine_slo.exercises import Exercises
from wine_slo.inquiry import Inquiry
from wine_slo.languages import Languages
from wine_slo.settings import SettingsError, WatchdogSettings, read
from wine_slo.trend import Trends

CONSOLE = 0  # the id of the one chat that the terminal is
STOPS_WITHIN = 5  # seconds for what is being told when the process is to end
LONGEST_UNTOLD = timedelta(minutes=10)  # what nobody could be told for longer turns /health red
DRILL = timedelta(minutes=3)  # for so long a drill is slow at the most
OVERDUE_TICKS = 3  # so many polls without a complete tick, and /health is red

log = logging.getLogger("wine_slo.watchdog")  # also when it is run as a script


def now() -> datetime:
    """Read the clock; the only place that does."""
    return datetime.now(UTC)


class Watchdog:
    """Ticks, and answers for itself over HTTP."""

    def __init__(
        self,
        settings: WatchdogSettings,
        evaluation: Evaluation,
        delivery: Delivery,
        instruments: WatchdogInstruments,
        heartbeat: Heartbeat,
        examine: Callable[[Objectives], Awaitable[list[Mistake]]],
        trend: Callable[[timedelta], Awaitable[Trend]],
    ) -> None:
        self._settings = settings
        links = {"Grafana": settings.grafana_url} if settings.grafana_url else {}
        self._pages = StatusPages(self.status, trend, settings.timezone, links)
        self._examine = examine
        self._is_examined = False
        self._heartbeat = heartbeat
        self._evaluation = evaluation
        self._delivery = delivery
        self._instruments = instruments
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._looking = asyncio.Lock()
        self._ticked_at: datetime | None = None
        self._started_at = now()

    def start(self) -> None:
        """Look now, and from now on at every poll."""
        self._scheduler.add_listener(_complain, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_job(
            self.tick, "interval", seconds=self._settings.poll_seconds, next_run_time=now(), id="tick"
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Look no more."""
        self._scheduler.shutdown(wait=False)

    async def tick(self) -> None:
        """Look once, tell what is new, and look again soon where something is suspicious."""
        if self._looking.locked():
            return  # a tick and a quick look have met; the one that runs is as good
        async with self._looking:
            started = perf_counter()
            told = await self._evaluation.look()
            self._delivery.hear(told)
            state, objectives = self._evaluation.state, self._evaluation.objectives
            self._instruments.show(state, objectives)
            self._ticked_at = now()
            self._instruments.count_tick(self._ticked_at, perf_counter() - started)
            await self._heartbeat.beat()
        if not self._is_examined and len(state.unseen) < len(state.readings):
            await self._tell_mistakes(objectives)
        look_at = next_look_at(state, objectives)
        if look_at is not None and state.looked_at is not None:
            soon = self._ticked_at + max(look_at - state.looked_at, timedelta(0)) + SETTLES_IN
            self._scheduler.add_job(self.tick, "date", run_date=soon, id="quick look", replace_existing=True)

    def reload(self) -> None:
        """Read the objectives anew; a file that is wrong changes nothing."""
        try:
            self._evaluation.objectives = slo_file.load(self._settings.objectives)
        except slo_file.SloFileError as error:
            for mistake in error.mistakes:
                log.error("the objectives stay as they were: %s", mistake)  # noqa: TRY400  # a sentence says it all
        else:
            self._is_examined = False
            log.info("objectives are read anew")
            _log_left_out(self._settings, self._evaluation.objectives)

    async def _tell_mistakes(self, objectives: Objectives) -> None:
        """Tell what only Prometheus can tell of the objectives, once it knows the service."""
        try:
            mistakes = await self._examine(objectives)
        except PrometheusError:
            return  # the next tick tries again
        self._is_examined = True
        for each in mistakes:
            where = slo_file.place(self._settings.objectives, each.objective, each.field)
            log.warning("%s: %s of %s %s", where, each.field, each.objective, each.sentence)

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
            overdue_after=OVERDUE_TICKS * timedelta(seconds=self._settings.poll_seconds),
            untold_seconds=untold_seconds(self._delivery),
            told=self._delivery.beliefs,
            acts=self._delivery.acts,
        )
        return status_of(self._evaluation.state, self._evaluation.objectives, self._evaluation.now(), process)

    async def _health(self, _request: web.Request) -> web.Response:
        last = self._ticked_at or self._started_at
        age = (now() - last).total_seconds()
        untold = untold_seconds(self._delivery)
        status = "ok"
        if age > OVERDUE_TICKS * self._settings.poll_seconds:
            status = "tick overdue"
        elif untold > LONGEST_UNTOLD.total_seconds():
            status = "untold for too long"
        content = {
            "status": status,
            "version": version("wine-slo"),
            "seconds_since_tick": round(age, 3) if self._ticked_at else None,
            "untold_seconds": round(untold, 3),
            "incidents_open": len(self._evaluation.state.open_incidents),
        }
        return web.json_response(content, status=200 if status == "ok" else 503)


def _log_left_out(settings: WatchdogSettings, objectives: Objectives) -> None:
    for sentence in slo_file.left_out(settings.objectives, objectives):
        log.info(sentence)


def untold_seconds(delivery: Delivery) -> float:
    """Return the age of the oldest thing not yet told; 0 where everything is told."""
    since = delivery.untold_since
    return max(0.0, (now() - since).total_seconds()) if since else 0.0


@asynccontextmanager
async def running(task: Callable[[], Coroutine[Any, Any, None]], name: str) -> AsyncIterator[None]:
    """Run something beside, and stop it at the end."""
    job = asyncio.create_task(task(), name=name)
    job.add_done_callback(_report)
    try:
        yield
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


def _report(job: asyncio.Task[Any]) -> None:
    if not job.cancelled() and (error := job.exception()) is not None:
        log.critical("%s has ended with a fault of ours", job.get_name(), exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)  # whoever started us starts us again; the ledger holds the rest


def _complain(event: JobEvent) -> None:
    if event.code == EVENT_JOB_ERROR:
        log.error("a tick failed by a fault of ours", exc_info=event.exception)
    else:
        log.warning("a tick was skipped: the one before has not ended")


def speeches(settings: WatchdogSettings, objectives: Callable[[], Objectives]) -> Callable[[str], Speech]:
    """Return how things read in a language, by its code; without one, in that of the settings."""
    languages = catalogue.load()
    own = languages[settings.language]
    return lambda code: Speech(objectives(), settings.timezone, languages.get(code, own))


async def watch(settings: WatchdogSettings, objectives: Objectives, ledger: Ledger) -> None:
    """Watch until SIGTERM or SIGINT.

    Raises:
        OSError: the address of its own pages cannot be listened on.
        LedgerError: the ledger cannot be read.
    """
    stop = _told_to_stop()
    memory = ledger.load()

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        instruments = WatchdogInstruments(version("wine-slo"), lambda: untold_seconds(delivery))
        api = PrometheusApi(
            session, settings.prometheus_url, settings.prometheus_headers, on_query=instruments.count_query
        )
        bot = (
            telegram_chat.connect(
                settings.telegram_token.value,
                settings.telegram_api_url,
                settings.telegram_proxy.value if settings.telegram_proxy else None,
            )
            if settings.telegram_token
            else None
        )
        chat: Chat = ConsoleChat(lambda text: print(text, flush=True))  # noqa: T201  # the terminal is the chat
        firsts, seconds = settings.telegram_chat_ids, settings.telegram_second_chat_ids
        chats: tuple[int, ...] = (CONSOLE,)
        if bot and firsts:
            chat, chats = telegram_chat.TelegramChat(bot), tuple(map(int, (*firsts, *seconds)))
        else:
            log.warning("no Telegram token or no chat id is set: messages are printed here")

        evaluation = Evaluation(api, ledger, objectives, memory.state, chats, now)
        speech = speeches(settings, lambda: evaluation.objectives)

        def replies(chat: int) -> Replies:
            return Replies(delivery.speech(chat))

        access = Access({int(each) for each in (*firsts, *seconds)}, settings.telegram_admin_ids)
        conversation = Conversation(access, replies, now, version("wine-slo"), instruments.count_question)
        delivery = Delivery(
            chat,
            ledger,
            memory,
            speech,
            lambda: evaluation.state,
            evaluation.now,
            on_message=instruments.count_message,
            acts=lambda: journal.acts,
            rules=_rules(settings, conversation.verbs),
        )
        journal = Journal(ledger, memory.acts, on_act=delivery.wake)
        duty = Duty(lambda: evaluation.state, replies, evaluation.now, journal, delivery.revive).commands()
        charts = await stack.enter_async_context(_charting(api, chat, ledger, evaluation, instruments))
        if settings.charts_enabled and not isinstance(chat, ConsoleChat):
            delivery.on_sent = lambda address, notice, message: charts.follow(
                address, notice, message, delivery.speech(address), _topics(settings).get(notice.after.chat)
            )
        inquiry = Inquiry(
            ledger, lambda: evaluation.state, delivery.speech, evaluation.now, charts.answer, journal.lines
        )
        conversation.add(*duty, *inquiry.commands(), *Languages(replies, delivery.speak).commands())
        heartbeat = Heartbeat(
            session,
            settings.heartbeat_url.value if settings.heartbeat_url else None,
            settings.notify_socket,
        )
        trend = Trends(api, lambda: evaluation.objectives, evaluation.now).over
        watchdog = Watchdog(settings, evaluation, delivery, instruments, heartbeat, partial(examine, api), trend)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watchdog.reload)

        await stack.enter_async_context(_serving(watchdog.app(), settings))

        if bot:
            answers = telegram_chat.TelegramChat(bot)
            boards = await stack.enter_async_context(
                _hanging(answers, ledger, evaluation, delivery, instruments, journal)
            )
            await stack.enter_async_context(
                _digesting(
                    settings,
                    api,
                    ledger,
                    answers,
                    evaluation=evaluation,
                    delivery=delivery,
                    instruments=instruments,
                    journal=journal,
                )
            )
            drills = _exercises(session, settings, api, evaluation, watchdog, delivery)
            conversation.add(*boards.commands(), *drills.commands())
            listens = _listen(bot, settings, conversation, speech, instruments, memory.state.looked_at).run
            await stack.enter_async_context(running(listens, "the listener to commands"))
        await stack.enter_async_context(running(journal.run, "the journal"))
        await stack.enter_async_context(running(delivery.run, "the delivery"))
        watchdog.start()
        stack.callback(watchdog.stop)
        heartbeat.notify("READY=1")
        await stop.wait()
        log.info("stopping")
        heartbeat.notify("STOPPING=1")
        await delivery.finish(within=STOPS_WITHIN)


@asynccontextmanager
async def _hanging(
    chat: Chat,
    ledger: Ledger,
    evaluation: Evaluation,
    delivery: Delivery,
    instruments: WatchdogInstruments,
    journal: Journal,
) -> AsyncIterator[Boards]:
    """Keep the boards beside everything else."""
    boards = Boards(
        chat,
        ledger,
        lambda: evaluation.state,
        lambda: journal.acts,
        delivery.speech,
        evaluation.now,
        instruments.count_message,
    )
    async with running(boards.run, "what keeps the boards"):
        yield boards


@asynccontextmanager
async def _digesting(  # noqa: PLR0913 - a digest tells of everything
    settings: WatchdogSettings,
    api: PrometheusApi,
    ledger: Ledger,
    chat: Chat,
    *,
    evaluation: Evaluation,
    delivery: Delivery,
    instruments: WatchdogInstruments,
    journal: Journal,
) -> AsyncIterator[None]:
    """Tell every chat of the settings that is open to us how each week was, unless that is switched off."""

    def chats() -> dict[int, Place]:
        addresses = {int(each): delivery.address(int(each)) for each in settings.telegram_chat_ids}
        topics = _topics(settings)
        return {each: (to, topics.get(each)) for each, to in addresses.items() if to is not None}

    def acknowledged_at(incident: Incident) -> datetime | None:
        act = journal.acts.acknowledgement(incident)
        return act.at if act else None

    if settings.digest_at == "off":
        yield
        return
    digests = Digests(
        api,
        ledger,
        chat=chat,
        chats=chats,
        weekly=Weekly.parse(settings.digest_at, settings.timezone),
        state=lambda: evaluation.state,
        speech=delivery.speech,
        now=evaluation.now,
        acknowledged_at=acknowledged_at,
        on_message=instruments.count_message,
    )
    async with running(digests.run, "what tells the digests"):
        yield


def _exercises(
    session: aiohttp.ClientSession,
    settings: WatchdogSettings,
    api: PrometheusApi,
    evaluation: Evaluation,
    watchdog: Watchdog,
    delivery: Delivery,
) -> Exercises:
    """Return what tries the alert on the real service."""
    service = ServiceApi(session, settings.service_url)

    async def status() -> Status:
        return watchdog.status()

    return Exercises(
        lambda: evaluation.objectives,
        delivery.speech,
        lambda objective: drill.prepare(service, status, objective, now),
        lambda objective: drill.run(service, status, api, objective, longest=DRILL, clock=now),
        DRILL,
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
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.watchdog_host, settings.watchdog_port).start()
        log.info("listening on http://%s:%s", *runner.addresses[0][:2])
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _charting(
    api: PrometheusApi, chat: Chat, ledger: Ledger, evaluation: Evaluation, instruments: WatchdogInstruments
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


def _listen(
    bot: telegram_chat.Connection,
    settings: WatchdogSettings,
    conversation: Conversation,
    speech: Callable[[str], Speech],
    instruments: WatchdogInstruments,
    heard_at: datetime | None,
) -> TelegramCommands:
    """Return what hears a bot's updates and has them answered."""
    answers = telegram_chat.TelegramChat(bot)

    async def tell_conflict() -> None:
        for each in settings.telegram_chat_ids:
            with suppress(ChatError):
                await answers.send(int(each), Replies(speech("")).conflict(), topic=each.topic, loud=False)

    listener = Listener(
        conversation.ask, conversation.press, conversation.refuse, instruments.show_listening, tell_conflict
    )
    menus = {code: conversation.menu(Replies(speech(code))) for code in ("", *(each.code for each in LANGUAGES))}
    return TelegramCommands(bot, answers, listener, menus, now, heard_at)


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
    """Refuse what is right by itself and wrong together: a poll as slow as blindness, a chat that is named twice.

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


def main() -> None:
    """Watch until told to stop; exit with 2 where settings or objectives are wrong, with 1 where it cannot run."""
    try:
        settings = read(WatchdogSettings)
        objectives = slo_file.load(settings.objectives)
        _check_together(settings, objectives)
    except (SettingsError, slo_file.SloFileError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    log_output.configure(settings.log_format, settings.secrets)
    _log_left_out(settings, objectives)
    sys.excepthook = lambda *error: log.critical("a fault of ours", exc_info=error)  # through the log: it redacts
    try:
        ledger = Ledger.open(settings.database_url)
        asyncio.run(watch(settings, objectives, ledger))
    except LedgerError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        sys.stderr.write(f"cannot listen on {settings.watchdog_host}:{settings.watchdog_port}: {reason}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
