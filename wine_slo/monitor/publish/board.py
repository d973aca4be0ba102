"""Keeps the boards: compares what each should read with what it reads, and writes that once a minute at most."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.chat.limits import Limit
from wine_slo.slo.chat.messages import Answer, Command, Question
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.board_text import (
    WRITTEN_EVERY,
    BoardRecord,
    board_ended,
    board_not_pinned,
    board_not_sent,
    board_not_understood,
    board_off,
    board_text,
    board_too_soon,
    no_board,
)

log = logging.getLogger(__name__)

PATIENCE = timedelta(hours=1)  # with a chat that refuses a board
OFF = ("off", "stop", "выкл", "стоп")
ON = ("on", "вкл")
PAUSE = timedelta(minutes=1)  # in which a chat gets two new boards; each is four calls of Telegram's


class Boards:
    """Keeps the boards.

    Args:
        channel_of: The channel of an address.
        ledger: Remembers them.
        recipients: Learn from a board that a group has moved. One that is no recipient any more has no board.
        snapshot: What is known now.
        journal: What people did, their silences among it.
        fmt: How things read in a chat.
        on_message: Called after each try to write one with the kind and the outcome: `told` or `failed`.
        kept: Those that were kept.
    """

    def __init__(  # noqa: PLR0913 - one place calls it, by name
        self,
        channel_of: ChannelOf,
        ledger: Ledger,
        snapshot: Snapshot,
        journal: Journal,
        fmt: Callable[[Address], Formatter],
        on_message: Callable[[Kind, str], None],
        *,
        recipients: Recipients,
        kept: Iterable[BoardRecord],
    ) -> None:
        self._channel_of = channel_of
        self._ledger = ledger
        self._recipients = recipients
        self._boards = {each.chat: each for each in kept if not recipients.is_former(each.chat)}
        self._snapshot = snapshot
        self._journal = journal
        self._fmt = fmt
        self._on_message = on_message
        self._patience: dict[Address, datetime] = {}  # until when a chat is left alone
        self._hung_anew: dict[Address, datetime] = {}  # when a board that could not be edited was replaced
        self._writing = asyncio.Lock()
        self._hung = Limit(2, PAUSE)

    def commands(self) -> tuple[Command, ...]:
        """Return the commands."""
        line = phrase("A pinned message kept up to date")
        return (Command("board", line, self._answer, changes=True, usage=phrase("[off]")),)

    async def run(self) -> None:
        """Keep the boards, for ever."""
        while True:
            if (
                self._snapshot.state.evaluated_at is not None
            ):  # before the first evaluation it would say that nothing is known
                try:
                    await self.keep()
                except Exception:
                    log.exception("the boards were not kept by a fault of ours; again in a minute")
            await asyncio.sleep(WRITTEN_EVERY.total_seconds())

    async def keep(self) -> None:
        """Write every board that does not read what it should."""
        async with self._writing:
            for board in list(self._boards.values()):
                text = self._text(board.chat)
                until = self._patience.get(board.chat)
                if text == board.text or (until is not None and self._snapshot.now() < until):
                    continue
                try:
                    await self._write(board, text)
                except ChannelError as error:
                    await self._fail(board, error)
                else:
                    self._on_message(Kind.BOARD, "told")

    def _text(self, chat: Address) -> str:
        return board_text(self._fmt(chat), self._snapshot.state, self._snapshot.now(), self._journal.actions)

    async def _write(self, board: BoardRecord, text: str) -> None:
        """Have a board read that; hang a new one where it cannot be edited any more, but not one after the other.

        Raises:
            ChannelError: It was not written, or perhaps not.
        """
        try:
            await self._channel_of(board.address).edit(board.address, board.message, text)
        except ChannelError as error:
            last = self._hung_anew.get(board.chat)
            if not error.message_gone or (last is not None and self._snapshot.now() - last < PATIENCE):
                raise
            await self._hang(board.address, text)
            self._hung_anew[board.chat] = self._snapshot.now()
        else:
            await self._remember(replace(board, text=text, written_at=self._snapshot.now()))

    async def _hang(self, address: Address, text: str) -> ChannelError | None:
        """Send a board and pin it; why it could not be pinned.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        channel = self._channel_of(address)
        message = await channel.send(address, text, loud=False)
        await self._remember(BoardRecord(address=address, message=message, text=text, written_at=self._snapshot.now()))
        if not channel.capabilities.pin:
            return None
        try:
            await channel.pin(address, message)
        except ChannelError as error:
            log.warning("chat %s: the board cannot be pinned: %s", address.chat.place, error)
            return error
        return None

    async def _fail(self, board: BoardRecord, error: ChannelError) -> None:
        self._on_message(Kind.BOARD, "failed")
        log.warning("chat %s: the board was not written: %s", board.chat.place, error)
        if error.moved_to is not None:
            await self._remember(replace(board, address=error.moved_to.within(board.address.thread), text=""))
            await self._forget(board.chat)  # the other way round a crash between the two would lose it
            await self._recipients.move(board.chat, error.moved_to)
        elif error.permanent or error.message_gone:
            self._patience[board.chat] = self._snapshot.now() + PATIENCE
        elif error.retry_after is not None:
            self._patience[board.chat] = self._snapshot.now() + error.retry_after

    async def _answer(self, question: Question) -> Answer:
        fmt = self._fmt(question.chat)
        words = [each.lower() for each in question.arguments]
        async with self._writing:
            old = self._boards.get(question.chat)
            if words and words[0] in OFF:
                return await self._take_down(old, fmt)
            if words and words[0] not in ON:
                return Answer(board_not_understood(fmt, " ".join(question.arguments)))
            now = self._snapshot.now()
            if (excess := self._hung.excess(question.chat, now)) is not None:
                return Answer(board_too_soon(fmt, excess.seconds))
            self._hung.count(question.chat, now)
            try:
                unpinned = await self._hang(question.address, self._text(question.chat))
            except ChannelError as error:
                return Answer(board_not_sent(fmt, str(error)))
            if old is not None:
                await self._end(old, fmt)
        return Answer(board_not_pinned(fmt, str(unpinned))) if unpinned else Answer()

    async def _take_down(self, board: BoardRecord | None, fmt: Formatter) -> Answer:
        if board is None:
            return Answer(no_board(fmt))
        await self._forget(board.chat)
        await self._end(board, fmt)
        return Answer(board_off(fmt))

    async def _end(self, board: BoardRecord, fmt: Formatter) -> None:
        """Have a board that is not kept any more say so."""
        channel = self._channel_of(board.address)
        try:
            await channel.unpin(board.address, board.message)
        except ChannelError as error:
            log.info("chat %s: the old board was not unpinned: %s", board.chat.place, error)
        try:
            await channel.edit(board.address, board.message, board_ended(fmt))
        except ChannelError as error:
            log.info("chat %s: the old board was not ended: %s", board.chat.place, error)

    async def _remember(self, board: BoardRecord) -> None:
        self._boards[board.chat] = board
        try:
            await asyncio.to_thread(self._ledger.keep_board, board)
        except LedgerError as error:
            log.error("%s; after a restart the board of chat %s may be written once more", error, board.chat.place)  # noqa: TRY400 - expected

    async def _forget(self, chat: Address) -> None:
        self._boards.pop(chat, None)
        try:
            await asyncio.to_thread(self._ledger.drop_board, chat)
        except LedgerError as error:
            log.error("%s; after a restart the board of chat %s is kept again", error, chat.place)  # noqa: TRY400 - expected
