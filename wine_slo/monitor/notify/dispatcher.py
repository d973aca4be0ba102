"""The second of the two loops: deliver to each recipient what it has not received yet, as soon as it may be sent.

What is to be delivered is derived at every evaluation, from the incidents at hand and the recipients of the settings.
There is no queue: an attempt that fails leaves a difference between the truth and a delivery record, and when its wait
has run out the difference is delivered as it reads then. Each notification has a wait of its own and holds no other;
only a flood wait, which Telegram requires, holds all sends of a chat, or all edits. A chat that refuses messages is
tried again by a schedule, and what others need to know of it is delivered to them. At the start each chat is tried
without a message, so that a wrong id is known before the first incident.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.localizer import Localizer
from wine_slo.monitor.notify.policies import Policies, Rules
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.monitor.notify.records import DeliveryRecords
from wine_slo.monitor.notify.waits import ELSEWHERE, FIRST_WAIT, FIRST_WAIT_UNSURE, LONGEST_WAIT, Due, Waits
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.plan import Notification, Wording, fold, next_notification
from wine_slo.slo.notification.policy import Suppression, is_unknown, owes, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.text.incidents.breach import repeat_marked
from wine_slo.slo.text.wording import IncidentWording

OnSent = Callable[[int, Notification, int], None]
OnSuppressed = Callable[[Suppression], None]

log = logging.getLogger(__name__)

MOST_MOVES = 3  # in a row; more is no group that has become a supergroup


class Dispatcher:
    """Deliver.

    Args:
        chat: Where it is delivered.
        recipients: To whom.
        localizer: How things read for a recipient.
        snapshot: What is known now.
        journal: What people did.
        on_message: Called after each try with the notification's kind and the outcome: `told` or `failed`.
        rules: When and where may be notified.
        on_sent: Called with the recipient, the notification and the new message's id once that is delivered and
            recorded; it returns at once and never fails.
        on_suppressed: Called once with why a notification is not sent, when that begins.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        chat: Channel,
        ledger: Ledger,
        recipients: Recipients,
        localizer: Localizer,
        snapshot: Snapshot,
        journal: Journal,
        on_message: Callable[[Kind, str], None],
        *,
        rules: Rules | None = None,
        on_sent: OnSent | None = None,
        on_suppressed: OnSuppressed | None = None,
    ) -> None:
        self._journal = journal
        journal.subscribe(self.wake)
        self._rules = rules or Rules()
        self._chat = chat
        self._recipients = recipients
        self._book = DeliveryRecords(ledger, recipients, snapshot)
        self._localizer = localizer
        self._snapshot = snapshot
        self._on_message = on_message
        self._on_sent = on_sent
        self._on_suppressed = on_suppressed
        self._suppressed: dict[int, dict[int, Suppression]] = {}  # by chat and incident
        self._waits = Waits(recipients, snapshot)
        self._policies = Policies(self._rules, localizer, snapshot, journal)
        self._replaced: set[tuple[int, int, int]] = set()  # incident, chat and opening whose message was sent anew
        self._has_evaluated = asyncio.Event()
        self._news: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._delivering: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def on_evaluation(self) -> None:
        """Take note of an evaluation: begin the delivery records, and wake up."""
        self._book.begin()
        self._has_evaluated.set()
        self.wake()

    @property
    def records(self) -> tuple[DeliveryRecord, ...]:
        """Return the delivery record of each recipient for each incident at hand of which it is to know at present."""
        state, now = self._snapshot.state, self._snapshot.now()
        due = []
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if incident is None:
                continue
            knows = record.stage is Stage.OPENED or record.opening == incident.openings
            policy = self._policies.of(incident, record.chat, self._known_since(incident, record.chat))
            if knows or not policy.is_second or owes(incident, record, now, policy):
                due.append(record)
        return tuple(due)

    @property
    def is_quiet(self) -> bool:
        """Return whether quiet hours hold messages now."""
        quiet = self._rules.quiet_hours
        return quiet is not None and quiet.cover(self._snapshot.now())

    @property
    def undelivered_seconds(self) -> float:
        """Return the age of the oldest notification that is not delivered; 0 where all are."""
        since = self.undelivered_since
        return max(0.0, (self._snapshot.now() - since).total_seconds()) if since else 0.0

    @property
    def undelivered_since(self) -> datetime | None:
        """Return since when something is not delivered: when the oldest such incident was opened or closed."""
        state, now = self._snapshot.state, self._snapshot.now()
        waiting = []
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if incident is not None and owes(
                incident,
                record,
                now,
                self._policies.of(incident, record.chat, self._known_since(incident, record.chat)),
            ):
                waiting.append(incident.closed_at or incident.opened_at)
        return min(waiting, default=None)

    @property
    def unreachable(self) -> dict[int, str]:
        """Return why each recipient that cannot be reached for minutes cannot be, by its id in the settings."""
        return self._waits.unreachable

    @property
    def unreached(self) -> dict[int, str]:
        """Return why each recipient was never reached since the start, though it has been tried for a while."""
        return self._waits.unreached

    async def run(self) -> None:
        """Deliver whatever there is, for ever; after a start nothing is said before the first evaluation."""
        await self._has_evaluated.wait()
        async with asyncio.TaskGroup() as group:
            for chat in self._recipients:
                group.create_task(self._serve(chat), name=f"delivering to chat {chat}")

    async def _serve(self, chat: int) -> None:
        """Deliver to one chat, for ever; a chat that hangs holds no other."""
        news = self._news[chat]
        while True:
            news.clear()
            try:
                await self._deliver_to(chat)
                await self._book.write()
                pause = self._waits.pause(chat)
            except Exception:  # whatever it is, it must not end what delivers
                log.exception(
                    "chat %d: delivery failed by a fault of ours; again in %.0f s", chat, LONGEST_WAIT.seconds
                )
                pause = LONGEST_WAIT.total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause)

    async def finish(self, within: float) -> None:
        """Let what is being sent end, within so many seconds, and begin nothing more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(each.acquire() for each in self._delivering.values())), within)

    async def revive(self, address: int) -> None:
        """Try a chat again that refuses messages: an update has come from it."""
        chat = self._recipients.subscriber_at(address).chat
        if self._waits.revive(chat):
            self._news[chat].set()

    def known_in(self, address: int) -> frozenset[int]:
        """Return the numbers of the open incidents of which a chat was notified, by where its people write."""
        chat = self._recipients.subscriber_at(address).chat
        return self._book.open_in(chat)

    def suppressed(self, chat: int) -> Mapping[int, Suppression]:
        """Return why notifications are not sent to a chat at present, by the number of the incident."""
        return self._suppressed.get(self._recipients.subscriber_at(chat).chat, {})

    def _note_suppressed(self, chat: int, held: dict[int, Suppression]) -> None:
        """Keep why notifications are not sent to a chat, and count what is new of it."""
        before, self._suppressed[chat] = self._suppressed.get(chat, {}), held
        for number, reason in held.items():
            if before.get(number) is not reason and self._on_suppressed is not None:
                self._on_suppressed(reason)

    async def set_language(self, chat: int, language: str) -> None:
        """Use another language in a chat; messages about what is open there are edited, without a sound."""
        await self._recipients.keep(replace(self._recipients.subscriber_at(chat), language=language))
        self.wake()

    async def deliver(self) -> None:
        """Deliver to every recipient what it does not know and may receive now."""
        await asyncio.gather(*(self._deliver_to(chat) for chat in self._recipients))
        await self._book.write()

    def wake(self) -> None:
        """Have everything compared anew."""
        incidents = self._snapshot.state.incidents
        self._book.forget_closed()
        self._waits.forget_closed()
        self._replaced = {key for key in self._replaced if key[0] in incidents}
        for chat in self._recipients:
            self._news[chat].set()

    async def _deliver_to(self, chat: int) -> None:
        async with self._delivering[chat]:
            await self._deliver_now(chat)

    async def _deliver_now(self, chat: int) -> None:
        moves = 0
        while self._may_try(chat) and (notification := self._next(chat)) is not None:
            address = self._recipients.subscriber(chat).address
            await self._try(chat, notification)
            moves += self._recipients.subscriber(chat).address != address
            if moves > MOST_MOVES:
                self._waits.fail(chat, notification.after.incident, is_edit=notification.edits is not None)
        is_free = self._waits.is_free(chat, ELSEWHERE, is_edit=False) and not self._waits.are_any(chat)
        if self._waits.is_in_doubt(chat) and is_free and self._may_try(chat):
            await self._reach(chat)
        if not self._recipients.subscriber(chat).is_closed:
            await self._announce(chat)

    async def _try(self, chat: int, notification: Notification) -> None:
        """Deliver one notification, or note why not and when it is tried again."""
        numbers = [each.incident for each in (notification.after, *notification.others)]
        is_edit = notification.edits is not None
        try:
            await self._say(chat, notification)
        except _OvertakenError:
            log.info("chat %d: the edit of #%d waits for a new message", chat, numbers[0])
            return
        except ChannelError as error:
            await self._fail(chat, error, notification.kind, numbers, is_edit=is_edit)
            return
        except Exception:
            log.exception("chat %d was not notified (%s): a fault of ours", chat, notification.kind)
            self._on_message(notification.kind, "failed")
            for number in numbers:
                self._waits.fail(chat, number, is_edit=is_edit)
            return
        self._on_message(notification.kind, "told")
        log.info("chat %d was notified: %s of %s", chat, notification.kind, ", ".join(f"#{each}" for each in numbers))
        for number in numbers:
            self._waits.succeed(chat, number, is_edit=is_edit)
        if not is_edit:
            await self._has_arrived(chat)

    async def _has_arrived(self, chat: int) -> None:
        """Note that a chat accepts messages."""
        self._waits.accept(chat)
        await self._recipients.open(chat)

    async def _reach(self, chat: int) -> None:
        """Try a chat that refuses messages, or has not been tried since the start, and is owed none."""
        try:
            await self._unless_overtaken(chat, self._chat.reach(self._recipients.subscriber(chat).address))
        except _OvertakenError:
            self._news[chat].set()
        except ChannelError as error:
            self._waits.doubt(chat, str(error))
            if error.retry_after is not None:  # which holds no message, as this was none
                self._waits.fail(chat, ELSEWHERE, error.retry_after, is_edit=False)
            else:
                await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
        else:
            self._waits.succeed(chat, ELSEWHERE, is_edit=False)
            await self._has_arrived(chat)

    async def _close(self, chat: int, error: ChannelError) -> None:
        self._waits.refuse(chat, self._due(chat))
        await self._recipients.close(chat, str(error) or "it gives no reason")
        for other in self._recipients:
            self._news[other].set()  # they are to know of it

    async def _announce(self, chat: int) -> None:
        """Let a recipient know once of each other one that cannot be reached."""
        for other, reason in self.unreachable.items():
            subscriber = self._recipients.subscriber(other)
            if (
                other == chat
                or chat in subscriber.announced_to
                or not self._waits.is_free(chat, ELSEWHERE, is_edit=False)
            ):
                continue
            text = self._localizer.replies(chat).unreachable(subscriber.address, reason)
            try:
                await self._send(chat, text, loud=False)
            except ChannelError as error:
                await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
                return
            self._on_message(Kind.UNREACHABLE, "told")
            subscriber = self._recipients.subscriber(other)
            await self._recipients.keep(replace(subscriber, announced_to=(*subscriber.announced_to, chat)))

    def _may_try(self, chat: int) -> bool:
        return self._waits.may_try(chat, lambda: self._due(chat))

    def _due(self, chat: int) -> Due:
        """Return the new messages that are due in a chat and do not have to wait."""
        planned, _ = self._planned(chat, self._wording(chat))
        return frozenset(
            (incident.number, incident.openings, notification.kind)
            for incident, notification in planned
            if notification.edits is None
        )

    def _wording(self, chat: int) -> Wording:
        state, now = self._snapshot.state, self._snapshot.now()
        return IncidentWording(self._localizer.fmt(chat), state, now, self._journal.actions)

    def _next(self, chat: int) -> Notification | None:
        """Return the next notification for a chat that does not have to wait.

        Only new messages while it refuses them.
        """
        words = self._wording(chat)
        planned, held = self._planned(chat, words)
        try:
            group = fold(planned, words)
        except Exception:
            log.exception("chat %d: what is too much at once is sent one by one: a fault of ours", chat)
            group = None
        if group is not None:
            held |= dict.fromkeys((each.incident for each in group.others), Suppression.GROUPED)
        self._note_suppressed(chat, held)
        notifications = [notification for _, notification in planned]
        return min([group, *notifications] if group else notifications, key=_urgency, default=None)

    def _planned(self, chat: int, words: Wording) -> tuple[list[tuple[Incident, Notification]], dict[int, Suppression]]:
        """Return the notifications for a chat, with their incidents, and why others are not sent, by incident."""
        state, now = self._snapshot.state, self._snapshot.now()
        is_closed = self._recipients.subscriber(chat).is_closed
        planned: list[tuple[Incident, Notification]] = []
        held: dict[int, Suppression] = {}
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if record.chat != chat or incident is None:
                continue
            notification, reason = self._plan(incident, record, words, now)
            if reason is not None:
                held[record.incident] = reason
            if notification is not None and not (is_closed and notification.edits is not None):
                planned.append((incident, notification))
        return planned, held

    def _plan(
        self, incident: Incident, record: DeliveryRecord, words: Wording, now: datetime
    ) -> tuple[Notification | None, Suppression | None]:
        """Return the next notification of an incident, or why it is not sent."""
        chat = record.chat
        if not any(self._waits.is_free(chat, record.incident, is_edit=each) for each in (False, True)):
            return None, self._waits.reason(chat) if is_unknown(incident, record) else None
        try:
            policy = self._policies.of(incident, chat, self._known_since(incident, chat))
            reason = suppression_of(incident, record, now, policy)
            notification = next_notification(incident, record, words, now, policy)
        except Exception:  # one incident that cannot be worded holds no other
            log.exception("chat %d: nothing can be said of #%d: a fault of ours", chat, record.incident)
            self._on_message(Kind.BREACH if incident.is_open else Kind.RECOVERY, "failed")
            for is_edit in (False, True):
                self._waits.fail(chat, record.incident, is_edit=is_edit)
            return None, Suppression.RETRY
        if notification is not None and not self._waits.is_free(
            chat, record.incident, is_edit=notification.edits is not None
        ):
            return None, reason if notification.edits is not None else self._waits.reason(chat)
        return notification, reason

    def _known_since(self, incident: Incident, chat: int) -> datetime | None:
        """Return since when a first chat knows of an incident, for a second chat.

        Since it is open where none can know.
        """
        if chat not in self._rules.second_chats:
            return None
        first = [
            record
            for record in self._book.all()
            if record.incident == incident.number and record.chat not in self._rules.second_chats
        ]
        knowing = [record.breach_told_at for record in first if record.stage is Stage.OPENED and record.breach_told_at]
        if knowing:
            return min(knowing)
        can_be_reached = any(
            record.chat not in self.unreachable and not self._waits.has_failed(record.chat, incident.number)
            for record in first
        )
        return None if can_be_reached else incident.opened_at

    async def _send(
        self, chat: int, text: str, *, loud: bool, reply_to: int | None = None, buttons: Keyboard = ()
    ) -> int:
        """Send a new message to a recipient, wherever it is now, and return its id.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        return await self._chat.send(
            self._recipients.subscriber(chat).address,
            text,
            topic=self._recipients.topic(chat),
            reply_to=reply_to,
            loud=loud,
            buttons=buttons,
        )

    async def _say(self, chat: int, notification: Notification) -> None:
        """Deliver one notification, then mark it delivered.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        if notification.edits is not None:
            await self._edit(chat, notification, notification.edits)
            return
        # Telegram has no idempotency key: a crash from here to the mark below repeats this message, and says so.
        records = [self._book.of(each.incident, chat) for each in (notification.after, *notification.others)]
        await self._book.keep(replace(each, perhaps_sent=True) for each in records)
        text = notification.text
        if any(each.perhaps_sent for each in records):
            text = repeat_marked(self._localizer.fmt(chat), text)
        try:
            message = await self._send(
                chat, text, loud=notification.loud, reply_to=notification.reply_to, buttons=notification.buttons
            )
        except ChannelError as error:
            if error.surely_not_sent:
                await self._book.keep(records)  # but an earlier try may have arrived
            raise
        await self._book.keep(notification.delivered(message))
        if self._on_sent is not None:
            self._on_sent(chat, notification, message)

    async def _edit(self, chat: int, notification: Notification, message: int) -> None:
        """Edit a message, then record it; one that cannot be edited is sent anew, or given up.

        Raises:
            ChannelError: It was not edited, or perhaps not.
            _OvertakenError: A new message is due.
        """
        address, record = self._recipients.subscriber(chat).address, notification.after
        try:
            await self._unless_overtaken(
                chat, self._chat.edit(address, message, notification.text, buttons=notification.buttons)
            )
        except ChannelError as error:
            if error.permanent:
                await self._chat.reach(address)  # it may be the chat that refuses, and not the edit
            elif not error.message_gone:
                raise
            log.warning("chat %d: message %d cannot be edited: %s", chat, message, error)
            incident = self._snapshot.state.incidents.get(record.incident)
            replaced = (record.incident, chat, record.opening)
            # An open incident needs a message, but not one a minute; of a closed one enough has been said.
            if notification.kind is Kind.EDIT and replaced not in self._replaced and incident is not None:
                fresh = await self._send(chat, notification.text, loud=False, buttons=notification.buttons)
                self._replaced.add(replaced)
                record = replace(record, message=fresh)
        await self._book.keep([record])

    async def _unless_overtaken(self, chat: int, call: Coroutine[Any, Any, None]) -> None:
        """Make a call that can be repeated without harm, but give it up once a new message is due.

        Raises:
            ChannelError: It was not made, or perhaps not.
            _OvertakenError: It was given up.
        """
        calling, news = asyncio.create_task(call), self._news[chat]
        try:
            while True:
                hearing = asyncio.create_task(news.wait())
                await asyncio.wait((calling, hearing), return_when=asyncio.FIRST_COMPLETED)
                hearing.cancel()
                if calling.done():
                    break  # and what has happened meanwhile is for who waits for news
                news.clear()
                if (following := self._next(chat)) is not None and following.edits is None:
                    raise _OvertakenError
            await calling
        finally:
            calling.cancel()
            await asyncio.wait((calling,))

    async def _fail(self, chat: int, error: ChannelError, kind: Kind, numbers: Iterable[int], *, is_edit: bool) -> None:
        """Note what a failure means for a chat, or for what was tried: the notification of these incidents."""
        self._on_message(kind, "failed")
        if error.moved_to not in (None, self._recipients.subscriber(chat).address):
            await self._recipients.move(chat, error.moved_to)
        elif error.permanent:
            await self._close(chat, error)
        elif error.retry_after is not None:
            self._flood(chat, error, error.retry_after, is_edit=is_edit)
        else:
            first = FIRST_WAIT if error.surely_not_sent or is_edit else FIRST_WAIT_UNSURE
            waits = [self._waits.fail(chat, each, first, is_edit=is_edit) for each in numbers]
            again = min(waits).total_seconds()
            log.warning("chat %d was not notified (%s): %s; again in %.0f s", chat, kind, error, again)

    def _flood(self, chat: int, error: ChannelError, wait: timedelta, *, is_edit: bool) -> None:
        """Send nothing into a chat, or edit nothing there, for as long as Telegram requires."""
        log.warning("chat %d %s: %s", chat, "must not be edited in" if is_edit else "must be left alone", error)
        if self._waits.flood(chat, str(error), wait, is_edit=is_edit):
            for other in self._recipients:
                self._news[other].set()


class _OvertakenError(Exception):
    """A call was given up for now, as a new message is due."""


def _urgency(notification: Notification) -> int:
    """Return the order in which notifications go out: what makes a sound, then other new messages, then edits."""
    if notification.edits is not None:
        return 2
    return 0 if notification.loud else 1
