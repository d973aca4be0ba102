"""What runs for ever once the monitor is assembled, and the commands that the router answers meanwhile."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from wine_slo.integrations.peers import ServiceApi
from wine_slo.monitor.assembly import Parts, access_of, formatters, runbook_of, utc_now
from wine_slo.monitor.chatops.info import Info
from wine_slo.monitor.chatops.language import LanguageCommand
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.drill import runner as drill_runner
from wine_slo.monitor.drill.chat_command import DrillCommand
from wine_slo.monitor.drill.commands import means_of
from wine_slo.monitor.drill.means import Means
from wine_slo.monitor.publish.board import Boards
from wine_slo.monitor.publish.digest import Digests
from wine_slo.monitor.retention import Retention
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.listener import Listener
from wine_slo.slo.chat.messages import Press, Question
from wine_slo.slo.notification import keyboard
from wine_slo.slo.notification.runbook import Section
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.language import LANGUAGES
from wine_slo.slo.text.status_list import takeover_text
from wine_slo.slo.views.digest_text import Weekly
from wine_slo.slo.views.status_schema import Status

LONGEST_DRILL = timedelta(minutes=3)  # for so long a drill makes requests slow at the most

Loop = Callable[[], Coroutine[Any, Any, None]]


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
    if settings.keep_days:
        retention = Retention(parts.outside.ledger, timedelta(days=settings.keep_days), utc_now)
        loops.append((retention.run, "the retention"))
    if settings.watchdog_usec:
        informs = partial(
            heartbeat.keep_systemd_informed, settings.watchdog_usec / 1_000_000, lambda: parts.ticker.is_well
        )
        loops.append((informs, "the sign of life for systemd"))
    if settings.charts_enabled and not parts.channels.is_only_terminal:
        loops.append((parts.charts.run, "the charts of incidents that are over"))
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


def _add_commands(parts: Parts) -> None:
    """Have the router answer people on call, wherever they are."""
    access = access_of(parts.settings, parts.channels, parts.recipients)

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
        leadership=parts.outside.leadership,
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
        kept=parts.boards,
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


async def report_takeover(parts: Parts) -> None:
    """Report to every chat, once it is evaluated again, that this watchdog took over from one that had not let go."""
    since = parts.evaluator.state.evaluated_at
    await parts.dispatcher.until_evaluated()
    leadership, now = parts.outside.leadership(), parts.evaluator.now()
    page = runbook_of(parts.settings).of(Section.TAKEOVER)
    parts.announcements.announce(
        lambda replies: takeover_text(replies.fmt, leadership, since, now),
        buttons=lambda replies: keyboard.link_to(page, replies.say),
    )


async def _report_conflict(parts: Parts, channel: str, has_webhook: bool) -> None:  # noqa: FBT001 - of `Listener`
    """Report to the first chats of a channel that commands are not received."""
    for chat in parts.recipients:
        if chat.channel == channel and chat not in parts.channels.second_chats:
            replies, to = parts.localizer.replies(chat), parts.recipients.address(chat)
            link = keyboard.link_to(runbook_of(parts.settings).of(Section.NO_COMMANDS), replies.say)
            text = replies.conflict(has_webhook=has_webhook)
            with suppress(ChannelError):  # it is in the log as well
                await parts.channels.answers(chat).send(to, text, loud=False, buttons=link)
