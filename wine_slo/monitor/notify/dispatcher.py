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
from wine_slo.monitor.notify.planner import OnSuppressed, Planner
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.notify.records import DeliveryRecords
from wine_slo.monitor.notify.sender import OnSent, OvertakenError, Sender
from wine_slo.monitor.notify.waits import ELSEWHERE, FIRST_WAIT, FIRST_WAIT_UNSURE, LONGEST_WAIT, Waits
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.chat.gate import Gate, SilentError
from wine_slo.slo.notification.keyboard import link_to
from wine_slo.slo.notification.plan import Notification
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.notification.runbook import Section

log = logging.getLogger(__name__)

MOST_NAMED = 10  # incidents in a line of the log
MOST_MOVES = 3  # in a row; more is no group that has become a supergroup


class Dispatcher:
    """Deliver.

    Args:
        channel_of: The channel of an address.
        recipients: To whom.
        localizer: How things read for a recipient.
        snapshot: What is known now.
        journal: What people did.
        on_message: Called after each try with the notification's kind and the outcome: `told` or `failed`.
        gate: Whether this watchdog may speak; nothing is tried while it may not.
        rules: When and where may be notified.
        on_sent: Called with the recipient, the notification and the new message's id once that is delivered and
            recorded; it returns at once and never fails.
        on_suppressed: Called once with why a notification is not sent, when that begins.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        channel_of: ChannelOf,
        ledger: Ledger,
        recipients: Recipients,
        localizer: Localizer,
        snapshot: Snapshot,
        journal: Journal,
        on_message: Callable[[Kind, str], None],
        *,
        gate: Gate,
        rules: Rules | None = None,
        on_sent: OnSent | None = None,
        on_suppressed: OnSuppressed | None = None,
    ) -> None:
        journal.subscribe(self.wake)
        self._rules = rules or Rules()
        self._recipients = recipients
        self._book = DeliveryRecords(ledger, recipients, snapshot)
        self._localizer = localizer
        self._snapshot = snapshot
        self._on_message = on_message
        self._waits = Waits(recipients, snapshot)
        self._gate = gate
        guard, is_alone = self._unless_overtaken, gate.is_alone
        self._sender = Sender(
            channel_of, recipients, self._book, localizer, snapshot, on_sent, guard, is_alone=is_alone
        )
        self._planner = Planner(
            book=self._book,
            waits=self._waits,
            recipients=recipients,
            localizer=localizer,
            snapshot=snapshot,
            journal=journal,
            rules=self._rules,
            on_message=on_message,
            on_suppressed=on_suppressed,
            can_edit=lambda chat: channel_of(chat).capabilities.edit,
        )
        self._has_evaluated = asyncio.Event()
        self._tried_at: dict[Address, datetime] = {}  # when the latest try of each chat began
        self._news: defaultdict[Address, asyncio.Event] = defaultdict(asyncio.Event)
        self._delivering: defaultdict[Address, asyncio.Lock] = defaultdict(asyncio.Lock)

    def on_evaluation(self) -> None:
        """Take note of an evaluation: begin the delivery records, and wake up."""
        self._book.begin()
        self._has_evaluated.set()
        self.wake()

    async def until_evaluated(self) -> None:
        """Wait for the first evaluation."""
        await self._has_evaluated.wait()

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
        """Return since when something has not been delivered; None where all is."""
        return self._planner.undelivered_since

    @property
    def records(self) -> tuple[DeliveryRecord, ...]:
        """Return the delivery record of each recipient for each incident at hand of which it is to know at present."""
        return self._planner.records

    @property
    def unreachable(self) -> dict[Address, str]:
        """Return why each recipient that cannot be reached for minutes cannot be, by its id in the settings."""
        return self._waits.unreachable

    @property
    def unreached(self) -> dict[Address, str]:
        """Return why each recipient was never reached since the start, though it has been tried for a while."""
        return self._waits.unreached

    async def run(self) -> None:
        """Deliver whatever there is, for ever; after a start nothing is said before the first evaluation."""
        await self._has_evaluated.wait()
        async with asyncio.TaskGroup() as group:
            for chat in self._recipients:
                group.create_task(self._serve(chat), name=f"delivering to chat {chat.place}")

    async def _serve(self, chat: Address) -> None:
        """Deliver to one chat, for ever; a chat that hangs holds no other."""
        news = self._news[chat]
        while True:
            news.clear()
            compared_at = self._snapshot.now()
            try:
                await self._deliver_to(chat)
                await self._book.write()
                pause = self._waits.pause(chat, compared_at)
            except Exception:  # whatever it is, it must not end what delivers
                log.exception(
                    "chat %s: delivery failed by a fault of ours; again in %.0f s", chat.place, LONGEST_WAIT.seconds
                )
                pause = LONGEST_WAIT.total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause)

    async def finish(self, within: float) -> None:
        """Let what is being sent end, within so many seconds, and begin nothing more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(each.acquire() for each in self._delivering.values())), within)

    async def revive(self, address: Address) -> None:
        """Try a chat again that refuses messages: an update has come from it."""
        chat = self._recipients.subscriber_at(address).chat
        if self._waits.revive(chat):
            self._news[chat].set()

    def known_in(self, address: Address) -> frozenset[int]:
        """Return the numbers of the open incidents of which a chat was notified, by where its people write."""
        chat = self._recipients.subscriber_at(address).chat
        return self._book.open_in(chat)

    def sharing(self, address: Address, number: int) -> frozenset[int]:
        """Return the numbers of the incidents that share the message of one in a chat, by where its people write."""
        return self._book.sharing(self._recipients.subscriber_at(address).chat, number)

    def suppressed(self, chat: Address) -> Mapping[int, Suppression]:
        """Return why notifications are not sent to a chat at present, by the number of the incident."""
        return self._planner.suppressed(chat)

    async def set_language(self, chat: Address, language: str) -> None:
        """Use another language in a chat; messages about what is open there are edited, without a sound."""
        await self._recipients.keep(replace(self._recipients.subscriber_at(chat), language=language))
        self.wake()

    async def deliver(self) -> None:
        """Deliver to every recipient what it does not know and may receive now."""
        await asyncio.gather(*(self._deliver_to(chat) for chat in self._recipients))
        await self._book.write()

    def wake(self) -> None:
        """Have everything compared anew."""
        for part in (self._book, self._waits, self._sender):
            part.forget_closed()
        for chat in self._recipients:
            self._news[chat].set()

    async def _deliver_to(self, chat: Address) -> None:
        async with self._delivering[chat]:
            await self._deliver_now(chat)

    async def _deliver_now(self, chat: Address) -> None:
        moves = 0
        while await self._may_try(chat) and (notification := await self._planner.next(chat)) is not None:
            if await self._sender.skip_edit(chat, notification):
                continue
            address = self._recipients.subscriber(chat).address
            await self._try(chat, notification)
            moves += self._recipients.subscriber(chat).address != address
            if moves > MOST_MOVES:
                self._waits.fail(chat, [notification.after.incident], is_edit=notification.edits is not None)
        is_free = self._waits.is_free(chat, ELSEWHERE, is_edit=False) and not self._waits.are_any(chat)
        if self._waits.is_in_doubt(chat) and is_free and await self._may_try(chat):
            await self._reach(chat)
        if not self._recipients.subscriber(chat).is_closed:
            await self._announce(chat)

    async def _try(self, chat: Address, notification: Notification) -> None:
        """Deliver one notification, or note why not and when it is tried again."""
        numbers = [each.incident for each in (notification.after, *notification.others)]
        is_edit = notification.edits is not None
        self._tried_at[chat] = self._snapshot.now()
        try:
            await self._sender.deliver(chat, notification)
        except OvertakenError:
            log.info("chat %s: the edit of #%d waits for a new message", chat.place, numbers[0])
            return
        except SilentError:
            return  # another watchdog sends it, or this one once it may again
        except ChannelError as error:
            await self._fail(chat, error, notification.kind, numbers, is_edit=is_edit)
            return
        except Exception:
            log.exception("chat %s was not notified (%s): a fault of ours", chat.place, notification.kind)
            self._on_message(notification.kind, "failed")
            self._waits.fail(chat, numbers, is_edit=is_edit)
            return
        self._on_message(notification.kind, "told")
        named = ", ".join(f"#{each}" for each in numbers[:MOST_NAMED])
        more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
        log.info("chat %s was notified: %s of %s%s", chat.place, notification.kind, named, more)
        for number in numbers:
            self._waits.succeed(chat, number, is_edit=is_edit)
        if not is_edit:
            await self._has_arrived(chat)

    async def _has_arrived(self, chat: Address) -> None:
        """Note that a chat accepts messages."""
        self._waits.accept(chat)
        await self._recipients.open(chat)

    async def _reach(self, chat: Address) -> None:
        """Try a chat that refuses messages, or has not been tried since the start, and is owed none."""
        self._tried_at[chat] = self._snapshot.now()
        try:
            await self._sender.reach(chat)
        except (OvertakenError, SilentError):
            return  # that message says whether it does, or whoever may speak finds out
        except ChannelError as error:
            self._waits.doubt(chat, str(error))
            if error.retry_after is not None:  # which holds no message, as this was none
                self._waits.fail(chat, [ELSEWHERE], error.retry_after, is_edit=False)
            else:
                await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
        else:
            self._waits.succeed(chat, ELSEWHERE, is_edit=False)
            await self._has_arrived(chat)

    async def _close(self, chat: Address, error: ChannelError) -> None:
        self._waits.refuse(chat, await self._planner.due(chat), self._tried_at[chat])
        await self._recipients.close(chat, str(error) or "it gives no reason")
        for other in self._recipients:
            self._news[other].set()  # they are to know of it

    async def _announce(self, chat: Address) -> None:
        """Let a recipient know once of each other one that cannot be reached."""
        for other, reason in self.unreachable.items() if self._gate.is_open else ():
            subscriber = self._recipients.subscriber(other)
            if (
                other == chat
                or chat in subscriber.announced_to
                or not self._waits.is_free(chat, ELSEWHERE, is_edit=False)
            ):
                continue
            replies = self._localizer.replies(chat)
            text = replies.unreachable(subscriber.address, reason)
            link = link_to(self._rules.runbook.of(Section.CHAT_UNREACHABLE), replies.say)
            self._tried_at[chat] = self._snapshot.now()
            try:
                await self._sender.send(chat, text, loud=False, buttons=link)
            except ChannelError as error:
                await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
                return
            self._on_message(Kind.UNREACHABLE, "told")
            subscriber = self._recipients.subscriber(other)
            await self._recipients.keep(replace(subscriber, announced_to=(*subscriber.announced_to, chat)))

    async def _may_try(self, chat: Address) -> bool:
        return self._gate.is_open and await self._waits.may_try(chat, lambda: self._planner.due(chat))

    async def _unless_overtaken(self, chat: Address, call: Coroutine[Any, Any, None]) -> None:
        """Make a call that can be repeated without harm, but give it up once a new message is due.

        Raises:
            ChannelError: It was not made, or perhaps not.
            OvertakenError: It was given up.
        """
        calling, news, has_news = asyncio.create_task(call), self._news[chat], False
        try:
            while not await self._is_done(calling, news, self._waits.pause(chat, self._snapshot.now())):
                has_news |= news.is_set()
                news.clear()
                if (following := await self._planner.next(chat)) is not None and following.edits is None:
                    has_news = True
                    raise OvertakenError
            await calling
        finally:
            calling.cancel()
            await asyncio.wait((calling,))
            if has_news:
                news.set()  # it may have been of more than new messages

    @staticmethod
    async def _is_done(calling: "asyncio.Task[None]", news: asyncio.Event, pause: float | None) -> bool:
        """Return whether a call is done; it is not where there is news before that, or a wait is over."""
        waiting = asyncio.create_task(news.wait())
        try:
            await asyncio.wait((calling, waiting), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return calling.done()

    async def _fail(
        self, chat: Address, error: ChannelError, kind: Kind, numbers: Iterable[int], *, is_edit: bool
    ) -> None:
        """Note what a failure means for a chat, or for what was tried: the notification of these incidents."""
        self._on_message(kind, "failed")
        if error.moved_to is not None and error.moved_to != self._recipients.subscriber(chat).address:
            await self._recipients.move(chat, error.moved_to)
        elif error.permanent:
            await self._close(chat, error)
        elif error.retry_after is not None:
            self._flood(chat, error, error.retry_after, is_edit=is_edit)
        else:
            first = FIRST_WAIT if error.surely_not_sent or is_edit else FIRST_WAIT_UNSURE
            again = self._waits.fail(chat, numbers, first, is_edit=is_edit).total_seconds()
            log.warning("chat %s was not notified (%s): %s; again in %.0f s", chat.place, kind, error, again)

    def _flood(self, chat: Address, error: ChannelError, wait: timedelta, *, is_edit: bool) -> None:
        """Send nothing into a chat, or edit nothing there, for as long as Telegram requires."""
        log.warning("chat %s %s: %s", chat.place, "must not be edited in" if is_edit else "must be left alone", error)
        if self._waits.flood(chat, str(error), wait, is_edit=is_edit):
            for other in self._recipients:
                self._news[other].set()
