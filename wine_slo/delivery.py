"""The second of the two loops: tell each chat what it does not know yet, as soon as there is something and it may be.

One chat's trouble is that chat's alone. There is no queue: a try that fails leaves a difference between the truth
and what the chat believes, and when its wait has run out the difference is told as it reads then.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.adapters.ledger import Ledger, LedgerError
from wine_slo.domain.chat import Chat, ChatError
from wine_slo.domain.notice import Kind, Notice, Stage, Told, next_notice
from wine_slo.domain.watch import SIGHT, State
from wine_slo.domain.words import Speech

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=1)
REMIND_OF_BLINDNESS = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when a chat is left alone, and how often in a row it has failed."""

    until: datetime
    failures: int


class Delivery:
    """Tells.

    Args:
        chat: Where it is told.
        told: What is believed already, from the ledger.
        on_message: Called after each try with the notice's kind and the outcome: `told` or `failed`.
    """

    def __init__(
        self,
        chat: Chat,
        ledger: Ledger,
        told: Iterable[Told],
        speech: Callable[[], Speech],
        state: Callable[[], State],
        clock: Callable[[], datetime],
        on_message: Callable[[Kind, str], None],
    ) -> None:
        self._chat = chat
        self._ledger = ledger
        self._told = {(each.incident, each.chat): each for each in told}
        self._speech = speech
        self._state = state
        self._clock = clock
        self._on_message = on_message
        self._waits: dict[int, _Wait] = {}
        self._dead: set[int] = set()
        self._news = asyncio.Event()

    def hear(self, told: Iterable[Told]) -> None:
        """Take note of what is new to be told, and wake up."""
        for each in told:
            self._told.setdefault((each.incident, each.chat), each)
        self._news.set()

    @property
    def untold_since(self) -> datetime | None:
        """The age of the oldest thing that a chat does not know: when its incident was opened or closed."""
        incidents = self._state().incidents
        waiting = []
        for told in self._told.values():
            incident = incidents.get(told.incident)
            if incident is None or told.chat in self._dead:
                continue
            if incident.is_open and told.stage is not Stage.OPENED:
                waiting.append(incident.opened_at)
            elif not incident.is_open and (told.stage is not Stage.CLOSED or told.opening < incident.openings):
                waiting.append(incident.closed_at or incident.opened_at)
        return min(waiting, default=None)

    async def run(self) -> None:
        """Tell whatever is to be told, for ever; after a start nothing is said before the first look."""
        await self._news.wait()
        while True:
            self._news.clear()
            await self.tell()
            waits = [each.until for each in self._waits.values()]
            pause = (min(waits) - self._clock()).total_seconds() if waits else None
            try:
                await asyncio.wait_for(self._news.wait(), None if pause is None else max(0.0, pause))
            except TimeoutError:
                continue

    async def tell(self) -> None:
        """Tell every chat that may be spoken to what it does not know."""
        chats = {told.chat for told in self._told.values()} - self._dead
        await asyncio.gather(*(self._tell_chat(chat) for chat in sorted(chats)))

    async def _tell_chat(self, chat: int) -> None:
        wait = self._waits.get(chat)
        if wait is not None and self._clock() < wait.until:
            return
        while (notice := self._next(chat)) is not None:
            try:
                await self._say(chat, notice)
            except ChatError as error:
                self._on_message(notice.kind, "failed")
                await self._fail(chat, notice, error)
                return
            self._on_message(notice.kind, "told")
            log.info("chat %d was told: %s of #%d", chat, notice.kind, notice.after.incident)
            self._waits.pop(chat, None)

    def _next(self, chat: int) -> Notice | None:
        state, now, speech = self._state(), self._clock(), self._speech()
        words = speech.words(state, now)
        for (number, to), told in sorted(self._told.items()):
            incident = state.incidents.get(number)
            if to != chat or incident is None:
                continue
            objective = speech.objectives.of(incident.key)
            notice = next_notice(
                incident,
                told,
                words,
                now,
                remind_after=objective.remind_after if objective else REMIND_OF_BLINDNESS,
                hushed=state.is_blind and incident.key != SIGHT,
            )
            if notice is not None:
                return notice
        return None

    async def _say(self, chat: int, notice: Notice) -> None:
        """Tell one notice, then mark it told.

        Raises:
            ChatError: It was not told, or perhaps not.
        """
        if notice.edits is None:
            # Telegram has no idempotency key: a crash from here to the mark below repeats this message, and says so.
            await self._mark(replace(self._told[notice.after.incident, chat], perhaps_sent=True))
            message = await self._chat.send(chat, notice.text, reply_to=notice.reply_to, loud=notice.loud)
            await self._mark(notice.told(message))
            return
        told = notice.after
        try:
            await self._chat.edit(chat, notice.edits, notice.text)
        except ChatError as error:
            if not error.message_gone:
                raise
            # Somebody deleted it. An open incident needs a message; of a closed one enough has been said.
            if notice.kind is Kind.EDIT:
                told = replace(told, message=await self._chat.send(chat, notice.text, loud=False))
        await self._mark(told)

    async def _mark(self, told: Told) -> None:
        self._told[told.incident, told.chat] = told
        try:
            await asyncio.to_thread(self._ledger.mark, told)
        except LedgerError as error:
            log.error("%s; a restart now would tell chat %d once more", error, told.chat)  # noqa: TRY400 - expected

    async def _fail(self, chat: int, notice: Notice, error: ChatError) -> None:
        told = self._told[notice.after.incident, chat]
        if told.perhaps_sent and error.surely_not_sent:
            await self._mark(replace(told, perhaps_sent=False))
        if error.permanent:
            self._dead.add(chat)
            log.error("chat %d is closed to us and is told nothing more: %s", chat, error)
            return
        failures = self._waits[chat].failures + 1 if chat in self._waits else 1
        backoff = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        wait = error.retry_after or backoff
        self._waits[chat] = _Wait(self._clock() + wait, failures)
        log.warning("chat %d was not told (%s): %s; again in %.0f s", chat, notice.kind, error, wait.total_seconds())
