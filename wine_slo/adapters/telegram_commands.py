"""What people ask the bot, and what it answers. Default deny: a stranger learns their chat's id and nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from telegram import BotCommand, Update
from telegram.constants import ParseMode
from telegram.error import Conflict, TelegramError
from telegram.ext import Application, CommandHandler, ContextTypes, ExtBot

log = logging.getLogger(__name__)

LONGEST_WAIT = 60  # seconds between two tries to reach Telegram
MENU = [
    BotCommand("status", "How every objective stands, live"),
    BotCommand("id", "The id of this chat"),
]


class Commands:
    """Listens to a bot's updates and answers them.

    Args:
        bot: Whose updates.
        allowed: The ids of chats and people that may ask.
        status: The answer to `/status`, as HTML.
        on_start: Called with the id of an allowed chat in which somebody has sent `/start`.
    """

    def __init__(
        self,
        bot: ExtBot[int],
        allowed: Collection[int],
        status: Callable[[], str],
        on_start: Callable[[int], Awaitable[None]],
    ) -> None:
        self._on_start = on_start
        self._allowed = frozenset(allowed)
        self._status = status
        self._application: Application[Any, Any, Any, Any, Any, Any] = (
            Application.builder().bot(bot).job_queue(None).build()
        )
        self._application.add_handler(CommandHandler("id", self._answer_id))
        self._application.add_handler(CommandHandler("start", self._answer_start))
        self._application.add_handler(CommandHandler("status", self._answer_status))
        self._application.add_error_handler(self._on_error)

    async def run(self) -> None:
        """Answer for ever. Telegram being away stops nothing: it is tried again until it is there."""
        await self._begin()
        updater = self._application.updater
        if updater is None:
            raise RuntimeError("the application was built without an updater")
        try:
            await self._application.start()
            await updater.start_polling(
                bootstrap_retries=-1,
                allowed_updates=[Update.MESSAGE],
                drop_pending_updates=False,
                error_callback=self._on_poll_error,
            )
            await asyncio.Event().wait()
        finally:
            if updater.running:
                await updater.stop()
            if self._application.running:
                await self._application.stop()
            await self._application.shutdown()

    async def _begin(self) -> None:
        wait = 1.0
        while True:
            try:
                await self._application.initialize()
                await self._application.bot.set_my_commands(MENU)
            except TelegramError as error:
                log.warning("Telegram cannot be asked yet (%s); again in %.0f s", type(error).__name__, wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                log.info("Telegram knows this bot as @%s", self._application.bot.username)
                return

    async def _answer_id(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.effective_message and update.effective_chat:
            await update.effective_message.reply_text(f"This chat's id is {update.effective_chat.id}.")

    async def _answer_start(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.effective_chat and self._may(update):
            await self._on_start(update.effective_chat.id)
            await self._answer_status(update, context)
        else:
            await self._answer_id(update, context)

    async def _answer_status(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.effective_message and self._may(update):
            await update.effective_message.reply_text(self._status(), parse_mode=ParseMode.HTML)

    def _may(self, update: Update) -> bool:
        ids = {each.id for each in (update.effective_chat, update.effective_user) if each}
        return bool(ids & self._allowed)

    async def _on_error(self, _update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        log.warning("a command was not answered: %s", context.error)

    def _on_poll_error(self, error: TelegramError) -> None:
        if isinstance(error, Conflict):
            log.error("another program reads this bot's updates; messages are still sent, commands may be lost")
        else:
            log.warning("updates cannot be read (%s); trying on", type(error).__name__)
