"""The assembly of the monitor: which parts there are, and which of them knows which other one.

Arrows point one way: recipients, journal, dispatcher, router. Who only reads what is known gets the evaluator as a
`Snapshot`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

import aiohttp

from wine_slo.config import translations
from wine_slo.config.slo_file import SloFile
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.storage.ledger import Ledger, Memory
from wine_slo.monitor.chatops.router import Access, Router
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
from wine_slo.monitor.notify.sender import OnSent
from wine_slo.monitor.publish.charts import Charts
from wine_slo.monitor.publish.inbox import Inbox, ReportedDeployments
from wine_slo.monitor.publish.metrics import WatchdogInstruments
from wine_slo.monitor.publish.series_source import SeriesSource
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.monitor.ticker import Ticker, steady
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.lease import Leadership
from wine_slo.slo.notification import keyboard
from wine_slo.slo.notification.runbook import Runbook
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.board_text import BoardRecord

log = logging.getLogger("wine_slo.watchdog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is opened before, and closed by whoever opened it.

    Attributes:
        ledger: What is remembered.
        session: For HTTP.
        drawing: Draws charts.
        heartbeat: Shows a supervisor that evaluations are made.
        gate: Whether this watchdog may speak.
        leadership: Who leads, of several watchdogs.
    """

    ledger: Ledger
    session: aiohttp.ClientSession
    drawing: ChartProcess
    heartbeat: Heartbeat
    gate: Gate
    leadership: Callable[[], Leadership]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the monitor, each of which knows only those above it.

    Attributes:
        channels: Where notifications are delivered.
        boards: Those that were kept.
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
    boards: tuple[BoardRecord, ...]
    charts: Charts
    dispatcher: Dispatcher
    announcements: Announcements
    router: Router
    ticker: Ticker


def utc_now() -> WallTime:
    """Read the machine's clock."""
    return WallTime(datetime.now(UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the ledger holds that the parts begin with."""

    memory: Memory
    boards: tuple[BoardRecord, ...]
    deployments: ReportedDeployments


def known_of(ledger: Ledger) -> Known:
    """Return what a ledger holds; reading it may block.

    Raises:
        LedgerError: It cannot be read.
    """
    return Known(memory=ledger.load(), boards=tuple(ledger.boards()), deployments=ReportedDeployments(ledger))


def assemble(settings: WatchdogSettings, file: SloFile, outside: Outside, known: Known) -> Parts:
    """Return the parts, which do nothing yet, and read nothing."""
    ledger, memory, deployments = outside.ledger, known.memory, known.deployments
    instruments = WatchdogInstruments(version("wine-slo"))
    source = metric_source.connect(outside.session, settings, instruments.count_query)
    live = LiveObjectives(settings.objectives, file, source, metric_source.info(outside.session, settings), steady)
    journal = Journal(ledger, memory.actions, last_number=memory.last_action)
    causes = (journal.is_announced_drill, deployments.last, metric_source.shared)
    evaluator = Evaluator(source, ledger, live.current, memory.state, utc_now, steady, *causes)
    channels = open_channels(settings, outside.gate)
    recipients = Recipients(ledger, memory, channels.recipients, evaluator.now())
    localizer = Localizer(recipients, formatters(settings, evaluator))
    charts = _charts(source, outside, channels, evaluator, recipients, localizer, deployments, instruments)
    on_sent = charts.follow if settings.charts_enabled else None
    rules = _rules(settings, channels)
    dispatcher = _dispatcher(outside, channels, recipients, localizer, evaluator, journal, instruments, rules, on_sent)
    instruments.leadership.show(outside.leadership)
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
        boards=known.boards,
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
            leadership=outside.leadership,
        ),
    )


def formatters(settings: WatchdogSettings, snapshot: Snapshot) -> Callable[[str], Formatter]:
    """Return how things read in a language, by its code; without one, in that of the settings."""
    languages = translations.load()
    own = languages[settings.language]

    def formatter_in(code: str) -> Formatter:
        return Formatter(snapshot.objectives, settings.timezone, languages.get(code, own))

    return formatter_in


def _dispatcher(  # noqa: PLR0913, PLR0917 - one place calls it
    outside: Outside,
    channels: Channels,
    recipients: Recipients,
    localizer: Localizer,
    snapshot: Snapshot,
    journal: Journal,
    instruments: WatchdogInstruments,
    rules: Rules,
    on_sent: OnSent | None,
) -> Dispatcher:
    """Return what delivers."""
    return Dispatcher(
        channels.alerts,
        outside.ledger,
        recipients,
        localizer,
        snapshot,
        journal,
        instruments.count_message,
        gate=outside.gate,
        rules=rules,
        on_sent=on_sent,
        on_suppressed=instruments.count_suppressed,
    )


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
    access = access_of(settings, channels, recipients)
    return Router(access, localizer.replies, snapshot.now, version("wine-slo"), instruments.count_question)


def access_of(settings: WatchdogSettings, channels: Channels, recipients: Recipients) -> Access:
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
        runbook=runbook_of(settings),
        status_page=settings.status_url or "",
    )


def runbook_of(settings: WatchdogSettings) -> Runbook:
    """Return where people read what to do."""
    return Runbook(settings.runbook_url or "")
