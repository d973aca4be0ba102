"""The assembly of the monitor: which parts there are, and which of them knows which other one.

Arrows point one way: recipients, journal, dispatcher, router. Who only reads what is known gets the evaluator as a
`Snapshot`.
"""

import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any

import aiohttp

from wine_slo.config import translations
from wine_slo.config.slo_file import SloFile
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.peers import ServiceApi
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.chatops.info import Info
from wine_slo.monitor.chatops.language import LanguageCommand
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.chatops.router import Access, Router
from wine_slo.monitor.drill import runner as drill_runner
from wine_slo.monitor.drill.chat_command import DrillCommand
from wine_slo.monitor.drill.commands import means_of
from wine_slo.monitor.drill.means import Means
from wine_slo.monitor.evaluate import source as metric_source
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.evaluate.live_objectives import LiveObjectives
from wine_slo.monitor.evaluate.objective_checks import check_objectives
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.announcements import Announcements
from wine_slo.monitor.notify.channels import Channels, open_channels
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.publish.board import Boards
from wine_slo.monitor.publish.charts import Charts
from wine_slo.monitor.publish.digest import Digests
from wine_slo.monitor.publish.inbox import Inbox, ReportedDeployments
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.ticker import Ticker, steady
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.listener import Listener
from wine_slo.slo.chat.messages import Press, Question
from wine_slo.slo.notification import keyboard
from wine_slo.slo.notification.runbook import Runbook, Section
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import LANGUAGES
from wine_slo.slo.views.digest_text import Weekly
from wine_slo.slo.views.status_schema import Status

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
        channels: Where notifications are delivered.
    """

    settings: WatchdogSettings
    outside: Outside
    instruments: WatchdogInstruments
    source: MetricSource
    live: LiveObjectives
    evaluator: Evaluator
    channels: Channels
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
    journal = Journal(ledger, memory.actions, last_number=memory.last_action)
    deployments = ReportedDeployments(ledger)
    known = (journal.is_announced_drill, deployments.last)
    evaluator = Evaluator(source, ledger, live.current, memory.state, utc_now, steady, *known)
    channels = open_channels(settings)
    recipients = Recipients(ledger, memory, channels.recipients, evaluator.now())
    localizer = Localizer(recipients, formatters(settings, evaluator))
    charts = _charts(source, outside, channels, evaluator, recipients, localizer, deployments, instruments)
    dispatcher = Dispatcher(
        channels.alerts,
        ledger,
        recipients,
        localizer,
        evaluator,
        journal,
        instruments.count_message,
        rules=_rules(settings, channels),
        on_sent=charts.follow if settings.charts_enabled else None,
        on_suppressed=instruments.count_suppressed,
    )
    _read_at_scrape(instruments, dispatcher, journal, evaluator)
    return Parts(
        settings=settings,
        outside=outside,
        instruments=instruments,
        source=source,
        live=live,
        evaluator=evaluator,
        channels=channels,
        recipients=recipients,
        localizer=localizer,
        journal=journal,
        charts=charts,
        dispatcher=dispatcher,
        announcements=Announcements(channels.answers, recipients, localizer),
        router=_router(settings, channels, recipients, localizer, evaluator, instruments),
        ticker=Ticker(
            settings=settings,
            evaluator=evaluator,
            dispatcher=dispatcher,
            instruments=instruments,
            heartbeat=outside.heartbeat,
            check_objectives=partial(check_objectives, source),
            live=live,
            journal=journal,
            series=SeriesSource(source, evaluator),
            inbox=Inbox(settings.api_token, evaluator, journal, deployments),
        ),
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
    if any(parts.channels.listening()):
        boards = _boards(parts)
        parts.router.add(*boards.commands(), *_drills(parts).commands())
        loops.append((boards.run, "the boards"))
    if settings.digest_at != "off" and not parts.channels.is_only_terminal:
        loops.append((_digests(parts).run, "the digests"))
    for name, listen in parts.channels.listening():
        loops.append((partial(listen, _listener(parts, name)), f"the updates of {name.capitalize()}"))
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


def _charts(  # noqa: PLR0913, PLR0917 - one place calls it
    source: MetricSource,
    outside: Outside,
    channels: Channels,
    snapshot: Snapshot,
    recipients: Recipients,
    localizer: Localizer,
    deployments: ReportedDeployments,
    instruments: WatchdogInstruments,
) -> Charts:
    """Return what draws charts and sends them."""
    return Charts(
        source,
        outside.drawing,
        channels.answers,
        outside.ledger,
        snapshot,
        recipients=recipients,
        localizer=localizer,
        reports=lambda: deployments.all,
        on_message=instruments.count_message,
    )


def _router(
    settings: WatchdogSettings,
    channels: Channels,
    recipients: Recipients,
    localizer: Localizer,
    snapshot: Snapshot,
    instruments: WatchdogInstruments,
) -> Router:
    """Return what answers commands, of which there are none but its own yet."""
    access = _access(settings, channels, recipients)
    return Router(access, localizer.replies, snapshot.now, version("wine-slo"), instruments.count_question)


def _access(settings: WatchdogSettings, channels: Channels, recipients: Recipients) -> Access:
    """Return who is known."""
    seconds = channels.second_chats
    return Access(recipients, settings.telegram_admin_ids, lambda chat: recipients.subscriber_at(chat).chat in seconds)


def _rules(settings: WatchdogSettings, channels: Channels) -> Rules:
    """Return when and where may be notified."""
    return Rules(
        second_chats=channels.second_chats,
        escalate_after=timedelta(minutes=settings.escalate_minutes) if settings.escalate_minutes else None,
        quiet_hours=QuietHours.parse(settings.quiet_hours, settings.timezone) if settings.quiet_hours else None,
        pages_in_quiet_hours=settings.quiet_hours_pages,
        offers=keyboard.VERBS,
        runbook=_runbook(settings),
    )


def _runbook(settings: WatchdogSettings) -> Runbook:
    """Return where people read what to do."""
    return Runbook(settings.runbook_url or "")


def _add_commands(parts: Parts) -> None:
    """Have the router answer people on call, wherever they are."""
    access = _access(parts.settings, parts.channels, parts.recipients)

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
        sharing=parts.dispatcher.sharing,
        is_overdue=lambda: parts.ticker.is_overdue,
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


def _boards(parts: Parts) -> Boards:
    """Return what keeps the boards."""
    return Boards(
        parts.channels.answers,
        parts.outside.ledger,
        parts.evaluator,
        parts.journal,
        parts.localizer.fmt,
        parts.instruments.count_message,
        recipients=parts.recipients,
    )


def _digests(parts: Parts) -> Digests:
    """Return what sends the weekly digest to every recipient that can be reached, but for the second ones."""
    return Digests(
        parts.source,
        parts.outside.ledger,
        channel_of=parts.channels.answers,
        recipients=parts.recipients,
        but=parts.channels.second_chats,
        weekly=Weekly.parse(parts.settings.digest_at, parts.settings.timezone),
        snapshot=parts.evaluator,
        fmt=parts.localizer.fmt,
        journal=parts.journal,
        on_message=parts.instruments.count_message,
    )


def _drills(parts: Parts) -> DrillCommand:
    """Return what tries the alert on the real service."""
    session = parts.outside.session
    service = ServiceApi(session, parts.settings.service_url)

    def means() -> Means:
        return means_of(parts.live.file.drill, session, service, parts.source)

    async def status() -> Status:
        return parts.ticker.status()

    return DrillCommand(
        parts.evaluator,
        parts.localizer.fmt,
        lambda objective: drill_runner.prepare(means(), status, objective, utc_now),
        lambda objective, marks: drill_runner.run(
            means(), status, objective, marks=marks, longest=LONGEST_DRILL, clock=utc_now
        ),
        LONGEST_DRILL,
        entry=lambda: parts.live.file.drill,
        journal=parts.journal,
        announce=parts.announcements.announce,
    )


def _listener(parts: Parts, channel: str) -> Listener:
    """Return who answers what people write in a channel."""
    formatter_in = formatters(parts.settings, parts.evaluator)
    codes = ("", *(each.code for each in LANGUAGES))
    return Listener(
        answer=parts.router.answer,
        press=parts.router.press,
        refuse=parts.router.refuse,
        listening=parts.instruments.show_listening,
        conflict=partial(_report_conflict, parts, channel),
        contacted=parts.dispatcher.revive,
        moved=parts.recipients.move,
        menus={code: parts.router.menu(Replies(formatter_in(code))) for code in codes},
        clock=parts.evaluator.now,
        listened_at=parts.evaluator.state.evaluated_at,
    )


async def _report_conflict(parts: Parts, channel: str, has_webhook: bool) -> None:  # noqa: FBT001 - of `Listener`
    """Report to the first chats of a channel that commands are not received."""
    for chat in parts.recipients:
        if chat.channel == channel and chat not in parts.channels.second_chats:
            replies, to = parts.localizer.replies(chat), parts.recipients.address(chat)
            link = keyboard.link_to(_runbook(parts.settings).of(Section.NO_COMMANDS), replies.say)
            text = replies.conflict(has_webhook=has_webhook)
            with suppress(ChannelError):  # it is in the log as well
                await parts.channels.answers(chat).send(to, text, loud=False, buttons=link)
