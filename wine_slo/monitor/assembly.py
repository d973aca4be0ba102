"""The assembly of the monitor: which parts there are, and which of them knows which other one.

Arrows point one way: recipients, journal, dispatcher, router. Who only reads what is known gets the evaluator as a
`Snapshot`.
"""

import logging
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import aiohttp

from wine_slo.config import translations
from wine_slo.config.setting_types import ChatAddress, Rotating
from wine_slo.config.slo_file import SloFile
from wine_slo.integrations.console.channel import ConsoleChannel
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.peers import ServiceApi
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import Connection, connect
from wine_slo.integrations.telegram.updates import Listener, TelegramUpdates
from wine_slo.monitor.chatops.info import Info
from wine_slo.monitor.chatops.language import LanguageCommand
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.chatops.router import Access, Router
from wine_slo.monitor.drill import runner as drill_runner
from wine_slo.monitor.drill.chat_command import DrillCommand
from wine_slo.monitor.evaluate import source as metric_source
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.evaluate.live_objectives import LiveObjectives
from wine_slo.monitor.evaluate.objective_checks import check_objectives
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.announcements import Announcements
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.localizer import Localizer
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.monitor.publish.board import Boards
from wine_slo.monitor.publish.charts import Charts
from wine_slo.monitor.publish.digest import Digests
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.ticker import Ticker, steady
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.chat.messages import Press, Question
from wine_slo.slo.notification import keyboard
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import LANGUAGES
from wine_slo.slo.views.digest_text import Weekly
from wine_slo.slo.views.status import Status

CONSOLE = 0  # the id of the one recipient that the terminal is
LONGEST_DRILL = timedelta(minutes=3)  # for so long a drill makes requests slow at the most

Loop = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger("wine_slo.watchdog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is opened before, and closed by whoever opened it.

    Attributes:
        ledger: What is remembered.
        session: For HTTP.
        drawing: Draws charts.
        heartbeat: Shows a supervisor that evaluations are made.
    """

    ledger: Ledger
    session: aiohttp.ClientSession
    drawing: ChartProcess
    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the monitor, each of which knows only those above it.

    Attributes:
        channel: Where notifications are delivered.
        answers: The same for what can wait until every alert is out.
        bot: The connection to Telegram; None without a token.
    """

    settings: WatchdogSettings
    outside: Outside
    instruments: WatchdogInstruments
    source: MetricSource
    evaluator: Evaluator
    bot: Connection | None
    channel: Channel
    answers: Channel
    recipients: Recipients
    localizer: Localizer
    journal: Journal
    charts: Charts
    dispatcher: Dispatcher
    announcements: Announcements
    router: Router
    ticker: Ticker


def utc_now() -> WallTime:
    """Read the machine's clock."""
    return WallTime(datetime.now(UTC))


def assemble(settings: WatchdogSettings, file: SloFile, outside: Outside) -> Parts:
    """Return the parts, which do nothing yet.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    ledger = outside.ledger
    memory = ledger.load()
    instruments = WatchdogInstruments(version("wine-slo"))
    source = metric_source.connect(outside.session, settings, on_query=instruments.count_query)
    live = LiveObjectives(settings.objectives, file, source, metric_source.info(outside.session, settings), steady)
    evaluator = Evaluator(source, ledger, live.current, memory.state, utc_now, steady)
    bot = _connect(settings)
    channel, answers, chats = _channel(bot, settings)
    topics = {int(each): each.topic for each in _named(settings) if each.topic is not None}
    recipients = Recipients(ledger, memory, chats, evaluator.now(), topics=topics)
    localizer = Localizer(recipients, formatters(settings, evaluator))
    journal = Journal(ledger, memory.actions, last_number=memory.last_action)
    charts = Charts(
        source,
        outside.drawing,
        answers,
        ledger,
        evaluator,
        recipients=recipients,
        localizer=localizer,
        on_message=instruments.count_message,
    )
    dispatcher = Dispatcher(
        channel,
        ledger,
        recipients,
        localizer,
        evaluator,
        journal,
        instruments.count_message,
        rules=_rules(settings),
        on_sent=charts.follow if settings.charts_enabled else None,
        on_suppressed=instruments.count_suppressed,
    )
    ticker = Ticker(
        settings=settings,
        evaluator=evaluator,
        dispatcher=dispatcher,
        instruments=instruments,
        heartbeat=outside.heartbeat,
        check_objectives=partial(check_objectives, source),
        live=live,
        journal=journal,
        series=SeriesSource(source, evaluator),
    )
    _read_at_scrape(instruments, dispatcher, journal, evaluator)
    return Parts(
        settings=settings,
        outside=outside,
        instruments=instruments,
        source=source,
        evaluator=evaluator,
        bot=bot,
        channel=channel,
        answers=answers,
        recipients=recipients,
        localizer=localizer,
        journal=journal,
        charts=charts,
        dispatcher=dispatcher,
        announcements=Announcements(answers, recipients, localizer),
        router=Router(
            _access(settings, recipients),
            localizer.replies,
            evaluator.now,
            version("wine-slo"),
            instruments.count_question,
        ),
        ticker=ticker,
    )


def loops_of(parts: Parts) -> list[tuple[Loop, str]]:
    """Return what is to run for ever, with a name for each; the router answers all of its commands then."""
    settings, heartbeat = parts.settings, parts.outside.heartbeat
    loops: list[tuple[Loop, str]] = [
        (parts.ticker.run, "the sign of the event loop"),
        (parts.journal.run, "the journal"),
        (parts.dispatcher.run, "the dispatcher"),
        (parts.announcements.run, "the announcements"),
        (partial(parts.announcements.remind, parts.journal, parts.evaluator), "the reminders of silences"),
    ]
    if settings.watchdog_usec:
        informs = partial(
            heartbeat.keep_systemd_informed, settings.watchdog_usec / 1_000_000, lambda: parts.ticker.is_well
        )
        loops.append((informs, "the sign of life for systemd"))
    _add_commands(parts)
    if parts.bot is not None:
        telegram = TelegramChannel(parts.bot).for_answers
        boards = _boards(parts, telegram)
        loops.append((boards.run, "the boards"))
        if settings.digest_at != "off":
            loops.append((_digests(parts, telegram).run, "the digests"))
        parts.router.add(*boards.commands(), *_drills(parts).commands())
        loops.append((_updates(parts, parts.bot, telegram).run, "the updates of Telegram"))
    return loops


def formatters(settings: WatchdogSettings, snapshot: Snapshot) -> Callable[[str], Formatter]:
    """Return how things read in a language, by its code; without one, in that of the settings."""
    languages = translations.load()
    own = languages[settings.language]

    def formatter_in(code: str) -> Formatter:
        return Formatter(snapshot.objectives, settings.timezone, languages.get(code, own))

    return formatter_in


def _read_at_scrape(
    instruments: WatchdogInstruments, dispatcher: Dispatcher, journal: Journal, snapshot: Snapshot
) -> None:
    instruments.read_at_scrape(
        undelivered_seconds=lambda: dispatcher.undelivered_seconds,
        unreachable=lambda: len(dispatcher.unreached),
        silences=lambda: len(journal.actions.silences(snapshot.state.incidents, snapshot.now())),
    )


def _named(settings: WatchdogSettings) -> tuple[ChatAddress, ...]:
    """Return the chats of the settings, the second ones last."""
    return (*settings.telegram_chat_ids, *settings.telegram_second_chat_ids)


def _connect(settings: WatchdogSettings) -> Connection | None:
    """Return the bot; None where no token is set."""
    if settings.telegram_token is None:
        return None
    return connect(
        settings.telegram_token.value,
        settings.telegram_api_url,
        settings.telegram_way,
        Rotating(settings.telegram_token),
    )


def _channel(bot: Connection | None, settings: WatchdogSettings) -> tuple[Channel, Channel, tuple[int, ...]]:
    """Return where messages go, where answers go, and the ids of the recipients there."""
    if bot and settings.telegram_chat_ids:
        telegram = TelegramChannel(bot)
        return telegram, telegram.for_answers, tuple(map(int, _named(settings)))
    log.warning("no Telegram token or no chat id is set: messages are printed here")
    console = ConsoleChannel(sys.stdout)
    return console, console, (CONSOLE,)


def _second_chats(settings: WatchdogSettings) -> frozenset[int]:
    return frozenset(map(int, settings.telegram_second_chat_ids))


def _access(settings: WatchdogSettings, recipients: Recipients) -> Access:
    """Return who is known."""
    seconds = _second_chats(settings)
    return Access(recipients, settings.telegram_admin_ids, lambda chat: recipients.subscriber_at(chat).chat in seconds)


def _rules(settings: WatchdogSettings) -> Rules:
    """Return when and where may be notified."""
    return Rules(
        second_chats=_second_chats(settings),
        escalate_after=timedelta(minutes=settings.escalate_minutes) if settings.escalate_minutes else None,
        quiet_hours=QuietHours.parse(settings.quiet_hours, settings.timezone) if settings.quiet_hours else None,
        pages_in_quiet_hours=settings.quiet_hours_pages,
        offers=keyboard.VERBS,
    )


def _add_commands(parts: Parts) -> None:
    """Have the router answer people on call, wherever they are."""
    access = _access(parts.settings, parts.recipients)

    def reach(request: Question | Press) -> frozenset[int] | None:
        limited = access.is_limited_to_escalations(request)
        return parts.dispatcher.known_in(request.chat) if limited else None

    oncall = OnCall(
        parts.evaluator,
        parts.localizer.replies,
        parts.journal,
        parts.dispatcher.revive,
        parts.announcements.announce,
        reach,
        is_overdue=lambda: parts.ticker.status().overdue,
    )
    info = Info(
        parts.outside.ledger,
        parts.evaluator,
        parts.localizer.fmt,
        parts.charts.answer,
        parts.journal.lines,
        parts.dispatcher.suppressed,
    )
    language = LanguageCommand(parts.localizer.replies, parts.dispatcher.set_language)
    parts.router.add(*oncall.commands(), *info.commands(), *language.commands())


def _boards(parts: Parts, channel: Channel) -> Boards:
    """Return what keeps the boards."""
    return Boards(
        channel,
        parts.outside.ledger,
        parts.evaluator,
        parts.journal,
        parts.localizer.fmt,
        parts.instruments.count_message,
        recipients=parts.recipients,
    )


def _digests(parts: Parts, channel: Channel) -> Digests:
    """Return what sends the weekly digest to every recipient that can be reached, but for the second ones."""
    return Digests(
        parts.source,
        parts.outside.ledger,
        chat=channel,
        recipients=parts.recipients,
        but=_second_chats(parts.settings),
        weekly=Weekly.parse(parts.settings.digest_at, parts.settings.timezone),
        snapshot=parts.evaluator,
        fmt=parts.localizer.fmt,
        journal=parts.journal,
        on_message=parts.instruments.count_message,
    )


def _drills(parts: Parts) -> DrillCommand:
    """Return what tries the alert on the real service."""
    service = ServiceApi(parts.outside.session, parts.settings.service_url)

    async def status() -> Status:
        return parts.ticker.status()

    return DrillCommand(
        parts.evaluator,
        parts.localizer.fmt,
        partial(drill_runner.prepare, service, status, clock=utc_now),
        partial(drill_runner.run, service, status, parts.source, longest=LONGEST_DRILL, clock=utc_now),
        LONGEST_DRILL,
        journal=parts.journal,
        announce=parts.announcements.announce,
    )


def _updates(parts: Parts, bot: Connection, channel: TelegramChannel) -> TelegramUpdates:
    """Return what reads a bot's updates and has them answered."""
    listener = Listener(
        parts.router.answer,
        parts.router.press,
        parts.router.refuse,
        parts.instruments.show_listening,
        partial(_report_conflict, parts, channel),
        contacted=parts.dispatcher.revive,
        moved=parts.recipients.move,
    )
    formatter_in = formatters(parts.settings, parts.evaluator)
    codes = ("", *(each.code for each in LANGUAGES))
    menus = {code: parts.router.menu(Replies(formatter_in(code))) for code in codes}
    return TelegramUpdates(bot, channel, listener, menus, parts.evaluator.now, parts.evaluator.state.evaluated_at)


async def _report_conflict(parts: Parts, channel: Channel, has_webhook: bool) -> None:  # noqa: FBT001 - of `Listener`
    """Report to the first chats that commands are not received."""
    seconds = _second_chats(parts.settings)
    for chat in parts.recipients:
        if chat not in seconds:
            text = parts.localizer.replies(chat).conflict(has_webhook=has_webhook)
            address, topic = parts.recipients.subscriber(chat).address, parts.recipients.topic(chat)
            with suppress(ChannelError):
                await channel.send(address, text, topic=topic, loud=False)
