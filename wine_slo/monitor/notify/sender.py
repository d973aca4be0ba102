"""Delivery of one notification to one recipient: sent or edited, then recorded."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.notify.records import DeliveryRecords
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.notification.plan import Notification
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.text.incidents.breach import repeat_marked

OnSent = Callable[[Address, Notification, int], None]
Guard = Callable[[Address, Coroutine[Any, Any, None]], Awaitable[None]]

log = logging.getLogger(__name__)


class OvertakenError(Exception):
    """A call was given up for now, as a new message is due."""


class Sender:
    """Deliver through the channel of each recipient.

    Args:
        channel_of: The channel of an address.
        recipients: Know where each chat is now.
        book: Where it is recorded.
        localizer: How things read for a recipient.
        snapshot: What is known now.
        on_sent: Called with the recipient, the notification and the new message's id once that is delivered and
            recorded; it returns at once and never fails.
        unless_overtaken: Makes a call that can be repeated without harm, but gives it up once a new message is due.
        is_alone: Whether this watchdog is the only one; else a message is sent only once its attempt is written, or
            another one that takes over would repeat it without saying so.
    """

    def __init__(  # noqa: PLR0913 - one place wires it
        self,
        channel_of: ChannelOf,
        recipients: Recipients,
        book: DeliveryRecords,
        localizer: Localizer,
        snapshot: Snapshot,
        on_sent: OnSent | None,
        unless_overtaken: Guard,
        *,
        is_alone: bool,
    ) -> None:
        self._is_alone = is_alone
        self._channel_of = channel_of
        self._recipients = recipients
        self._book = book
        self._localizer = localizer
        self._snapshot = snapshot
        self._on_sent = on_sent
        self._unless_overtaken = unless_overtaken
        self._replaced: set[tuple[int, Address, int]] = set()  # incident, chat and opening whose message was sent anew

    def forget_closed(self) -> None:
        """Forget what was sent anew of incidents that are not at hand any more."""
        incidents = self._snapshot.state.incidents
        self._replaced = {key for key in self._replaced if key[0] in incidents}

    async def reach(self, chat: Address) -> None:
        """See whether a recipient accepts messages.

        Raises:
            ChannelError: It does not, or it is not known.
            OvertakenError: A new message is due.
        """
        await self._unless_overtaken(chat, self._channel_of(chat).reach(self._recipients.address(chat)))

    async def send(
        self, chat: Address, text: str, *, loud: bool, reply_to: int | None = None, buttons: Keyboard = ()
    ) -> int:
        """Send a new message to a recipient, wherever it is now, and return its id.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        return await self._channel_of(chat).send(
            self._recipients.address(chat), text, reply_to=reply_to, loud=loud, buttons=buttons
        )

    async def skip_edit(self, chat: Address, notification: Notification) -> bool:
        """Record an edit that the channel of a recipient cannot make; return whether it is one."""
        is_skipped = notification.edits is not None and not self._channel_of(chat).capabilities.edit
        if is_skipped:
            await self._book.keep((notification.after, *notification.others))  # what was sent stays as it reads
        return is_skipped

    async def deliver(self, chat: Address, notification: Notification) -> None:
        """Deliver one notification, then record that.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
            OvertakenError: It is an edit, and a new message is due.
        """
        if notification.edits is not None:
            await self._edit(chat, notification, notification.edits)
            return
        message = await self._send_recorded(chat, notification)
        await self._book.keep(notification.delivered(message))
        if self._on_sent is not None:
            self._on_sent(chat, notification, message)

    async def _send_recorded(self, chat: Address, notification: Notification) -> int:
        """Send a notification as a new message, and return its id; until that is recorded it has perhaps been sent.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        # Telegram has no idempotency key: a crash from here to the next mark repeats this message, and says so.
        records = [self._book.of(each.incident, chat) for each in (notification.after, *notification.others)]
        is_written = await self._book.keep(replace(each, perhaps_sent=True) for each in records)
        if not is_written and not self._is_alone:
            await self._book.keep(records)
            raise ChannelError("the attempt cannot be written down")
        text = notification.text
        if any(each.perhaps_sent for each in records):
            text = repeat_marked(self._localizer.fmt(chat), text)
        try:
            return await self.send(
                chat, text, loud=notification.loud, reply_to=notification.reply_to, buttons=notification.buttons
            )
        except ChannelError as error:
            if error.surely_not_sent:
                await self._book.keep(records)  # but an earlier try may have arrived
            raise

    async def _edit(self, chat: Address, notification: Notification, message: int) -> None:
        """Edit a message, then record it; one that cannot be edited is sent anew, or given up.

        Raises:
            ChannelError: It was not edited, or perhaps not.
            OvertakenError: A new message is due.
        """
        channel, address, record = self._channel_of(chat), self._recipients.address(chat), notification.after
        records = (record, *notification.others)
        try:
            edit = channel.edit(address, message, notification.text, buttons=notification.buttons)
            await self._unless_overtaken(chat, edit)
        except ChannelError as error:
            if error.permanent:
                await self.reach(chat)  # it may be the chat that refuses, and not the edit
            elif not error.message_gone:
                raise
            log.warning("chat %s: message %d cannot be edited: %s", chat.place, message, error)
            incident = self._snapshot.state.incidents.get(record.incident)
            replaced = (record.incident, chat, record.opening)
            # An open incident needs a message, but not one a minute; of a closed one enough has been said.
            if notification.kind is Kind.EDIT and replaced not in self._replaced and incident is not None:
                fresh = await self._send_recorded(chat, notification)
                self._replaced.add(replaced)
                moved = {each.incident for each in records}
                records = (*records, *self._book.at(chat, message, but=moved)) if record.is_folded else records
                records = tuple(replace(each, message=fresh, perhaps_sent=False) for each in records)
        await self._book.keep(records)
