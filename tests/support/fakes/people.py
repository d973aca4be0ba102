"""The real listener and the real conversation at the fake Bot API, and the people who talk to them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telegram.ext import ExtBot

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.telegram_chats import Message
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.updates import TelegramUpdates
from wine_slo.monitor.chatops.router import Access, Router
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.listener import Listener
from wine_slo.slo.chat.messages import Command, Reaction, Reception
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

ANNA, BORIS, STRANGER = 7, 8, 666
GROUP, FORUM, ELSEWHERE = -5, -1001, -77
TOPIC = 30


@dataclass
class Talk:
    """A conversation, and what came of it."""

    api: BotApi
    fmt: Formatter
    access: Access
    listened_at: datetime | None = None
    received: Counter[Reception] = field(default_factory=Counter)
    listens: list[bool] = field(default_factory=list)
    active_chat: list[Address] = field(default_factory=list)
    moves: list[tuple[Address, Address]] = field(default_factory=list)
    conflicts: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    connect: Callable[[str, str], ExtBot[int]] = connection.connect
    router: Router = field(init=False)

    def __post_init__(self) -> None:
        self.router = Router(self.access, lambda _chat: Replies(self.fmt), self.clock, "1.2.3", self._receive)

    def clock(self) -> datetime:
        return datetime.now(UTC)

    async def contacted(self, chat: Address) -> None:
        self.active_chat.append(chat)

    async def moved(self, chat: Address, to: Address) -> None:
        self.moves.append((chat, to))

    def listener(self) -> Listener:
        return Listener(
            answer=self.router.answer,
            press=self.router.press,
            refuse=self.router.refuse,
            listening=self.listens.append,
            conflict=self._conflict,
            contacted=self.contacted,
            moved=self.moved,
            menus={"": self.router.menu(Replies(self.fmt))},
            clock=self.clock,
            listened_at=self.listened_at,
        )

    @asynccontextmanager
    async def listening(self, *commands: Command | Reaction) -> AsyncIterator[None]:
        """Listen, and answer these too."""
        self.router.add(*commands)
        async with self.connect(TOKEN, self.api.url) as bot:
            updates = TelegramUpdates(bot, channel.TelegramChannel(bot), self.listener(), Gate())
            task = asyncio.create_task(updates.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def sends(self, chat: int, person: int, text: str, topic: int | None = None) -> Message:
        """Somebody writes, and is answered."""
        known = self.api.chat(chat)
        before = len(known.messages)
        await self.api.says(chat, person, text, topic)
        await self.api.until(lambda: len(known.messages) > before)
        return known.messages[-1]

    async def sends_in_vain(self, chat: int, person: int, text: str) -> None:
        """Somebody writes, and that is received but not answered."""
        known = self.api.chat(chat)
        before = len(known.messages)
        await self.api.says(chat, person, text)
        await self.is_handled()
        assert len(known.messages) == before, known.texts

    async def is_introduced(self) -> None:
        """Wait until the bot knows its own name."""
        await self.api.until(lambda: self.api.calls_of("setMyCommands"))

    async def is_handled(self, seconds: float = 30.0) -> None:
        """Wait until everything that was said is received, and what it led to is done."""
        last = self.api.last_update
        await self.api.until(
            lambda: any((call.integer("offset") or 0) > last for call in self.api.calls_of("getUpdates")), seconds
        )

    def _receive(self, reception: Reception) -> None:
        self.received[reception] += 1

    async def _conflict(self, has_webhook: bool) -> None:  # noqa: FBT001 - it says what it is
        self.conflicts.put_nowait(has_webhook)


def among(chats: Collection[int] = (ANNA, GROUP, FORUM), admins: Collection[int] = ()) -> Access:
    return Access([address_of(chat) for chat in chats], admins)
