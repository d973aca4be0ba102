"""What people send to the bot, translated into questions, and the answers; what to answer is not decided here.

Updates are fetched in a loop of our own: Telegram forgets an update once a later one is requested, so the next are
requested only when what these led to is done. Of each update only what we need is read, and what cannot be read is
passed over, so that no strange update stops the others. Whatever else goes wrong with a poll is a try that failed.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from telegram import BotCommand
from telegram.error import Conflict, TelegramError
from telegram.ext import ExtBot

from wine_slo.integrations.telegram import connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.errors import guarded
from wine_slo.integrations.telegram.update_types import (
    LONGEST_TEXT,
    Query,
    Update,
    number_of,
    person_of,
    read_update,
)
from wine_slo.slo.backoff import Backoff
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.listener import Listener
from wine_slo.slo.chat.messages import Answer, Picture, Press, Question
from wine_slo.slo.text.formatting import plain
from wine_slo.slo.text.language import INVISIBLE

log = logging.getLogger(__name__)
T = TypeVar("T")
POLL_SECONDS = 30  # how long Telegram waits for something to happen
READ_SECONDS = 10  # and how much longer the answer may take
BATCH = 50  # updates in one answer, which bounds its size; fewer mean that there are no more
DONE_WITHIN = 5.0  # seconds for what a batch leads to, before the next is requested all the same
BACKOFF = Backoff(timedelta(seconds=1), timedelta(minutes=1))  # between two attempts to reach Telegram
SETTLES_IN = 2.0  # seconds; a poller that was just ended may still hold a connection
SHORTEST_LEAD = 1.0  # seconds for which this watchdog must still lead, so that a poll is begun
SHUT_PAUSE = 0.5  # seconds between two reads of whether it leads
CONFLICT_PAUSE = 300.0  # seconds in which another poller is left alone
LATE_AFTER = timedelta(minutes=2)  # nobody having listened for longer, the time of a press is not known
ANSWER_TRIES = 3
LONGEST_ANSWER_WAIT = timedelta(seconds=30)  # what Telegram wants to be left alone for longer is not worth an answer
ANSWER_BACKOFF = Backoff(timedelta(seconds=2), LONGEST_ANSWER_WAIT)  # between two tries of one answer
MAX_TOAST = 200  # characters, Telegram's limit
UPDATES = ["message", "callback_query", "channel_post", "my_chat_member"]
WEBHOOK = "webhook is active"  # what a 409 says where it is no other poller
AT_ONCE = 20  # updates that are being answered


_COMMAND = re.compile(r"/(\w{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)


class TelegramUpdates:
    """Listen to a bot's updates and answer them.

    Args:
        bot: Whose updates.
        chat: Where answers are sent.
        listener: Who answers.
        gate: What every answer passes; no poll lasts longer than it is open.
    """

    def __init__(self, bot: ExtBot[int], chat: TelegramChannel, listener: Listener, gate: Gate) -> None:
        self._gate = gate
        self._bot = bot
        self._chat = chat
        self._listener = listener
        self._clock = listener.clock
        self._listened_at = listener.listened_at
        self._has_caught_up = False  # that waited when this process began
        self._last_batch: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._name: str | None = None  # of the bot, once Telegram has said it

    async def run(self) -> None:
        """Answer for ever. Telegram being away stops nothing: it is tried again until it is there."""
        self._begin_task(self._introduce())
        try:
            await self._listen()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._bot.shutdown()

    async def _introduce(self) -> None:
        """Learn the bot's name, and show its commands in menus; both are extras, for which no update waits."""
        for failures in count(1):
            try:
                await self._bot.initialize()
                self._name = self._bot.username
                for language, lines in self._listener.menus.items():
                    menu = [BotCommand(name, line) for name, line in lines]
                    await self._bot.set_my_commands(menu, language_code=language or None)
            except Exception as error:  # noqa: BLE001 - the library raises whatever an odd answer makes of its code
                wait = BACKOFF.wait(failures).total_seconds()
                log.warning("Telegram cannot be reached yet (%s); again in %.0f s", type(error).__name__, wait)
                await asyncio.sleep(wait)
            else:
                log.info("Telegram knows this bot as @%s", self._name)
                return

    async def _listen(self) -> None:
        offset, failures, conflicts = None, 0, 0
        while True:
            if self._gate.longest_wait < SHORTEST_LEAD:
                await asyncio.sleep(SHUT_PAUSE)
                continue
            try:
                offset = await self._take(await self._poll(offset), offset)
            except Conflict as error:
                conflicts += 1
                await self._yield_to_another(conflicts, has_webhook=WEBHOOK in str(error))
            except Exception as error:  # noqa: BLE001 - the library raises whatever an odd answer makes of its code
                failures += 1
                wait = BACKOFF.wait(failures).total_seconds()
                self._listener.listening(False)  # noqa: FBT003 - it says what it is
                log.warning("updates cannot be read (%s); again in %.0f s", _first_words(error), wait)
                await asyncio.sleep(wait)
            else:
                failures = conflicts = 0
                self._listener.listening(True)  # noqa: FBT003 - it says what it is

    async def _poll(self, offset: int | None) -> list[bytes]:
        """Return the next updates, each as JSON.

        What waited while nobody listened is fetched without waiting, so that what comes after it is known to be new.

        Raises:
            TelegramError: They cannot be read.
        """
        longest = self._gate.longest_wait - SHORTEST_LEAD
        seconds = int(min(POLL_SECONDS, longest)) if self._is_live() and self._has_caught_up else 0
        parameters = {"offset": offset, "timeout": seconds, "limit": BATCH, "allowed_updates": UPDATES}
        # `Bot.get_updates` reads every field of every update, and one that it cannot read hides all the others.
        answer = await self._bot.do_api_request(
            connection.UPDATES,
            {name: value for name, value in parameters.items() if value is not None},
            read_timeout=min(POLL_SECONDS + READ_SECONDS, self._gate.longest_wait),
        )
        if not isinstance(answer, list):
            raise TelegramError("no list of updates")
        return answer[:BATCH]  # more than was requested comes again, if it is worth anything

    async def _yield_to_another(self, conflicts: int, *, has_webhook: bool) -> None:
        """Leave the updates to whatever has them; the first time it may be a poller that is just ending."""
        if conflicts == 1:
            await asyncio.sleep(SETTLES_IN)
            return
        self._listener.listening(False)  # noqa: FBT003 - it says what it is
        if conflicts == 2:
            log.error(
                "%s: messages are still sent, commands and buttons are not received; it is tried again every %.0f min",
                "this bot's updates go to a webhook" if has_webhook else "another program reads this bot's updates",
                CONFLICT_PAUSE / 60,
            )
            self._begin_task(self._listener.conflict(has_webhook))
        await asyncio.sleep(CONFLICT_PAUSE)

    async def _take(self, batch: list[bytes], offset: int | None) -> int | None:
        """Do what the updates of a batch lead to; return the number from which on to request more.

        The numbers follow this batch alone: after a week without updates Telegram begins anew, below the old ones.

        Raises:
            TelegramError: Nothing in it can be confirmed, or all of it came before, so it would come again at once.
        """
        numbered = {raw: number for raw in batch if (number := number_of(raw)) is not None}
        fresh = [raw for raw in numbered if raw not in self._last_batch]
        begun = []
        for raw in fresh:
            update = read_update(raw)
            if update is None:
                continue
            await asyncio.sleep(0)  # others may have something to do
            await self._note_chat(update)
            reply = self._reply(update)
            if reply is not None:
                begun.append(self._begin_task(reply))
        if len(batch) < BATCH:
            self._listened_at, self._has_caught_up = self._clock(), True
        if begun:
            await asyncio.wait(begun, timeout=DONE_WITHIN)
        self._last_batch = list(numbered)
        if batch and not fresh:
            raise TelegramError("the same updates again" if numbered else "updates without numbers")
        return max((number + 1 for number in numbered.values()), default=offset)

    def _is_live(self) -> bool:
        """Return whether somebody has listened all the time of late, so that what comes now was done just now."""
        return self._listened_at is not None and abs(self._clock() - self._listened_at) <= LATE_AFTER

    async def _note_chat(self, update: Update) -> None:
        """Note what an update says of the chat itself."""
        message = update.message
        if message is not None and message.migrate_to_chat_id is not None:
            await self._listener.moved(address_of(message.chat.id), address_of(message.migrate_to_chat_id))
        if message is not None and message.migrate_from_chat_id is not None:
            await self._listener.moved(address_of(message.migrate_from_chat_id), address_of(message.chat.id))
        if update.active_chat is not None:
            await self._listener.contacted(address_of(update.active_chat))

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end_task)
        return task

    def _end_task(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("an update was not answered by a fault of ours", exc_info=error)

    def _reply(self, update: Update) -> Coroutine[Any, Any, None] | None:
        """Return what answers an update; None where there is none to give."""
        now = self._clock()
        if update.callback_query is not None:
            return self._answer_press(update.callback_query, now if self._is_live() else None)
        message = update.message or update.channel_post
        if message is None or (message.sender is not None and message.sender.is_bot and not message.sender_chat):
            return None
        text, is_mentioned = self._without_mention(INVISIBLE.sub(" ", message.text[:LONGEST_TEXT]).strip())
        found = _COMMAND.fullmatch(text)
        is_to_us = message.is_private or is_mentioned
        is_reply = message.is_reply_to(int(self._bot.token.partition(":")[0]))
        if found is None and (not (is_to_us or is_reply) or message.is_forwarded or not text):
            return None
        word, name, rest = found.groups() if found else ("", None, text)
        if name is not None and self._name is not None and name.lower() != self._name.lower():
            return None
        sent_at = min(datetime.fromtimestamp(message.date, UTC), now)
        if self._is_live() and self._has_caught_up:
            sent_at = max(sent_at, now - LATE_AFTER)  # Telegram's clock is not ours
        question = Question(
            address=address_of(message.chat.id, message.topic),
            message=message.message_id,
            person=person_of(message.sender, message.sender_chat),
            command=word.lower(),
            arguments=tuple((rest or "").split()),
            is_to_us=(name is not None and self._name is not None) or is_to_us,
            is_private=message.is_private,
            is_forwarded=message.is_forwarded,
            sent_at=sent_at,
        )
        return self._answer(question)

    def _without_mention(self, text: str) -> tuple[str, bool]:
        """Return a text without the bot's name, and whether the name was in it; that of a command stays with it."""
        if self._name is None:
            return text, False
        rest = re.sub(rf"(?<![\w@])@{re.escape(self._name)}(?!\w)[,:]?", " ", text, flags=re.IGNORECASE)
        return " ".join(rest.split()) if rest != text else text, rest != text

    async def _answer(self, question: Question) -> None:
        async with self._turns:  # what is said may have to wait, and what others do must not wait for that
            answer = await self._listener.answer(question)
        if answer is not None:
            reply_to = None if question.is_private else question.message
            await self._send(question.address, answer, reply_to=reply_to)

    async def _answer_press(self, query: Query, pressed_at: datetime | None) -> None:
        message = query.message
        if message is None:
            await self._toast(query.id, self._listener.refuse(address_of(query.sender.id)))
            return
        chat = message.chat.id
        opened = self._chat.callback_data.open(chat, query.data)
        if opened is None:
            await self._toast(query.id, self._listener.refuse(address_of(chat)))
            return
        verb, arguments = opened
        press = Press(
            id=query.id,
            address=address_of(chat, message.topic),
            message=message.message_id,
            person=person_of(query.sender, None),
            verb=verb,
            arguments=arguments,
            is_private=message.is_private,
            pressed_at=pressed_at,
        )
        async with self._turns:
            answer = await self._listener.press(press)
        await self._toast(query.id, answer)
        if answer.replaces and answer.text:
            try:
                await self._chat.edit(press.address, message.message_id, answer.text, buttons=answer.buttons)
            except ChannelError as error:
                log.warning("chat %d: a message was not changed: %s", chat, error)
        else:
            await self._send(press.address, answer, reply_to=message.message_id)

    async def _toast(self, press: str, answer: Answer) -> None:
        """Show it to who pressed; one who pressed long ago is not waiting for it any more."""
        try:
            await guarded(self._bot.answer_callback_query(press, plain(answer.toast)[:MAX_TOAST] or None))
        except ChannelError as error:
            if error.refused:
                log.info("a press was too old to be answered: %s", error)
            else:
                log.warning("a press was not answered: %s", error)

    async def _send(self, address: Address, answer: Answer, *, reply_to: int | None) -> None:
        """Send an answer, and what follows it."""
        if answer.text:
            sent = await self._send_text(address, answer, reply_to)
            if sent is None:
                return
            address, reply_to = sent
        more = await answer.follow() if answer.follow else None
        if isinstance(more, str):
            await self._send_text(address, Answer(more), reply_to)
        if isinstance(more, Picture):
            shown = await self._try(address, lambda to: self._chat.show(to, more, reply_to=reply_to))
            if shown is None and more.instead:
                await self._send_text(address, Answer(more.instead), reply_to)

    async def _send_text(self, address: Address, answer: Answer, reply_to: int | None) -> tuple[Address, int] | None:
        """Return the address at which it arrived and the message's id; None where it did not arrive, or perhaps not."""
        return await self._try(
            address,
            lambda to: self._chat.send(to, answer.text, reply_to=reply_to, loud=False, buttons=answer.buttons),
        )

    async def _try(self, address: Address, attempt: Callable[[Address], Awaitable[T]]) -> tuple[Address, T] | None:
        """Return the address for which it was done and what it gave; None where it was not done, or perhaps not.

        What surely did not arrive is tried again.
        """
        for number in range(1, ANSWER_TRIES + 1):
            try:
                return address, await attempt(address)
            except ChannelError as error:
                wait = error.retry_after or ANSWER_BACKOFF.wait(number)
                if error.moved_to is not None:
                    address, wait = error.moved_to.within(address.thread), timedelta(0)
                elif error.permanent or not error.surely_not_sent or wait > LONGEST_ANSWER_WAIT:
                    log.warning("chat %s was not answered: %s", address.chat.place, error)
                    return None
                log.info("chat %s was not answered yet: %s", address.chat.place, error)
                await asyncio.sleep(wait.total_seconds())
        return None


def _first_words(error: Exception) -> str:
    """Return what went wrong, in a few words; not those of a token that is not known, which hold it."""
    kind = type(error).__name__
    return kind if type(error) is not TelegramError else f"{kind}: {error}"
