"""The recipients: the chats of the settings, and for each where it is now and whether it can be reached.

The settings alone decide who is notified. What is remembered of a chat besides (a new id, a language, why it cannot be
reached) is in the ledger. A chat that is taken out of the settings gets nothing more, not even the end of what it
knows of: whoever reads there is not meant to any more. The language in which a recipient reads is that of its people.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from wine_slo.integrations.storage.ledger import Ledger, Memory
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

log = logging.getLogger(__name__)


class Recipients:
    """Knows who is notified, and keeps what is learned of them.

    Args:
        ledger: Remembers them.
        memory: What the ledger remembers.
        addresses: Where the settings want messages, each chat once; the first ones before the second ones.
        now: The instant, by the clock of the state.

    Attributes:
        records: The delivery records of the recipients, from the ledger.
    """

    def __init__(
        self,
        ledger: Ledger,
        memory: Memory,
        addresses: Iterable[Address],
        now: datetime,
    ) -> None:
        self._ledger = ledger
        self._threads = {each.chat: each.thread for each in addresses}
        self._chats = tuple(self._threads)
        self._subscribers = {each.chat: each for each in memory.subscribers}
        records = {(each.incident, each.chat): each for each in memory.records if each.chat in self._chats}
        known = self._subscribers.keys() | {each.chat for each in memory.records}
        for chat in self._chats:
            before = self._subscribers.get(chat)
            old = next((each for each in memory.subscribers if each.moved_to == chat != each.chat), None)
            if before is None and old is not None and old.chat not in self._chats:  # named by its new id from now on
                before = replace(old, chat=chat, moved_to=None)
                records |= {(r.incident, chat): replace(r, chat=chat) for r in memory.records if r.chat == old.chat}
            # An older version kept no such time; what it knew was a recipient at the last evaluation.
            since = (before.since if before else None) or (memory.state.evaluated_at if chat in known else None) or now
            after = replace(before or Subscriber(chat=chat), since=min(since, now), is_former=False)
            if after != self._subscribers.get(chat):
                self._write(after)
        for each in memory.subscribers:
            if each.since is not None and each.chat not in self._chats:
                self._write(replace(each, since=None, is_former=True))
        self.records = tuple(records.values())

    def __iter__(self) -> Iterator[Address]:
        """Return each recipient once, by its id in the settings.

        A group that the settings name by both its ids is one.
        """
        seen: set[Address] = set()
        for chat in self._chats:
            address = self.subscriber(chat).address
            if address not in seen:
                seen.add(address)
                yield chat

    def __contains__(self, chat: object) -> bool:
        """Return whether a chat is a recipient, by its id in the settings or by the one it has now."""
        return any(chat in (each, self.subscriber(each).address) for each in self._chats)

    def subscriber(self, chat: Address) -> Subscriber:
        """Return what is known of a chat, by its id in the settings."""
        return self._subscribers.get(chat) or Subscriber(chat=chat)

    def address(self, chat: Address) -> Address:
        """Return where messages for a chat go now: into its thread, where the settings name one."""
        return self.subscriber(chat).address.within(self._threads.get(chat))

    def subscriber_at(self, address: Address) -> Subscriber:
        """Return what is known of the chat that has this id now."""
        moved = (each for each in self._subscribers.values() if each.moved_to == address and each.chat in self._chats)
        return next(moved, self.subscriber(address))

    def is_former(self, chat: Address) -> bool:
        """Return whether a chat was a recipient once and is none now."""
        return self.subscriber(chat).is_former and chat not in self

    @property
    def closed(self) -> dict[Address, str]:
        """Return why each of them that refuses messages does so, by its id in the settings."""
        return {chat: reason for chat in self if (reason := self.subscriber(chat).closed_because)}

    def is_due(self, chat: Address, incident: Incident) -> bool:
        """Return whether a chat that knows nothing of an incident is to know.

        What was over before it came is not news.
        """
        since = self.subscriber(chat).since
        return incident.is_open or since is None or incident.since >= since

    async def move(self, chat: Address, to: Address) -> None:
        """Note the new id of a group that has become a supergroup, by any id that it had."""
        subscriber = self.subscriber_at(chat)
        if chat in self and to != subscriber.address:
            log.warning("chat %s has moved to %s", chat.place, to.place)
            await self.keep(replace(subscriber, moved_to=to))

    async def close(self, chat: Address, reason: str) -> None:
        """Note that a chat refuses messages, and why."""
        subscriber = self.subscriber_at(chat)
        if chat in self and reason != subscriber.closed_because:
            log.error("chat %s cannot be reached: %s", chat.place, reason)
            await self.keep(replace(subscriber, closed_because=reason))

    async def open(self, chat: Address) -> None:
        """Note that a message has arrived in a chat."""
        subscriber = self.subscriber_at(chat)
        if chat in self and (subscriber.is_closed or subscriber.announced_to):
            log.info("chat %s can be reached again", chat.place)
            await self.keep(replace(subscriber, closed_because="", announced_to=()))

    async def keep(self, subscriber: Subscriber) -> None:
        """Keep what is known of a chat, and write it down."""
        self._subscribers[subscriber.chat] = subscriber
        await asyncio.to_thread(self._write, subscriber)

    def _write(self, subscriber: Subscriber) -> None:
        self._subscribers[subscriber.chat] = subscriber
        try:
            self._ledger.keep_subscriber(subscriber)
        except LedgerError as error:
            log.error("%s; a restart now would find out about chat %s anew", error, subscriber.chat.place)  # noqa: TRY400


class Localizer:
    """Choose the language of a text by who reads it.

    Args:
        recipients: Know their languages.
        formatter_in: Returns how things read in a language, by its code; the empty one is that of the settings.
    """

    def __init__(self, recipients: Recipients, formatter_in: Callable[[str], Formatter]) -> None:
        self._recipients = recipients
        self._formatter_in = formatter_in

    def fmt(self, chat: Address) -> Formatter:
        """Return how things read in a chat, by any id that it had."""
        return self._formatter_in(self._recipients.subscriber_at(chat).language)

    def replies(self, chat: Address) -> Replies:
        """Return how commands are answered in a chat."""
        return Replies(self.fmt(chat))
