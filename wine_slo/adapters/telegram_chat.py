"""Telegram as a chat: sending and editing, and what each way of failing means for the next try.

`TimedOut` and `BadRequest` are `NetworkError`s in python-telegram-bot, so the order of the cases matters.
Source of the texts: https://github.com/tdlib/td, telegram/cli of the Bot API server, and healthchecks' list.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import MessageLimit, ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, BaseRateLimiter, ExtBot
from telegram.request import HTTPXRequest

from wine_slo.domain.chat import ChatError
from wine_slo.domain.dialogue import Keyboard, Picture
from wine_slo.domain.seal import Seal
from wine_slo.domain.words import plain

T = TypeVar("T")
log = logging.getLogger(__name__)

READ_SECONDS = 20  # Telegram may take that long under load, and asking again would double a message
CONNECT_SECONDS = 5

SURELY_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
LONGEST_REASON = 100  # letters of an answer that go into a log line
NOT_MODIFIED = "message is not modified"
NO_TOPIC = "message thread not found"
GONE = ("message to edit not found", "message can't be edited")
REFUSED = ("can't parse entities", "message is too long", "text must be encoded in utf-8", "entity_text_invalid")
CLOSED = (
    "chat not found",
    "user not found",
    "not enough rights",
    "have no rights to send",
    "need administrator rights",
    "group chat was deactivated",
    "chat_write_forbidden",
    "topic_closed",
    "peer_id_invalid",
)


ANSWERS_A_SECOND = 10  # of the thirty messages that Telegram lets a bot send in all its chats together
ANSWERS_A_MINUTE = 12  # of the twenty in a group; the others are kept for alerts
ANSWER = 1  # says to the limiter that a call is an answer

Connection = ExtBot[int]


class AlertsFirst(BaseRateLimiter[int]):
    """Space calls out below Telegram's limits, answers below limits of their own, so that an alert never waits for one.

    Answers pass two limiters: the narrow one of answers, and then the one of all calls, in which there is always room
    for alerts. Nothing is tried again here: what to do after a 429 is delivery's.
    """

    def __init__(self) -> None:
        self._all = AIORateLimiter()
        self._answers = AIORateLimiter(overall_max_rate=ANSWERS_A_SECOND, group_max_rate=ANSWERS_A_MINUTE)

    async def initialize(self) -> None:
        """Do nothing."""

    async def shutdown(self) -> None:
        """Do nothing."""

    async def process_request(
        self,
        callback: Callable[..., Any],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Return what the call gives, once it may be made."""

        async def call() -> Any:
            return await self._all.process_request(callback, args, kwargs, endpoint, data, None)

        if not rate_limit_args:
            return await call()
        return await self._answers.process_request(call, (), {}, endpoint, data, None)


def connect(token: str, api_url: str | None = None, proxy: str | None = None) -> Connection:
    """The bot of a token, at Telegram's own server or at another one's root; nothing is sent yet."""
    certificates = httpx.create_ssl_context()  # one for both, as each takes a megabyte

    def request() -> HTTPXRequest:
        return HTTPXRequest(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
            proxy=proxy,
            httpx_kwargs={"verify": certificates},
        )

    root = (api_url or "https://api.telegram.org").rstrip("/")
    return ExtBot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=request(),
        get_updates_request=request(),
        rate_limiter=AlertsFirst(),
    )


class TelegramChat:
    """Sends and edits through a bot, and signs what its buttons carry.

    Args:
        bot: The bot.
        answers: Whether what is said here can wait until every alert is out; the bot is one of `connect` then.
    """

    def __init__(self, bot: Bot, *, answers: bool = False) -> None:
        self._bot = bot
        self._limits: dict[str, Any] = {"rate_limit_args": ANSWER} if answers else {}
        self._seal = Seal(bot.token)

    async def send(
        self,
        chat: int,
        text: str,
        *,
        topic: int | None = None,
        reply_to: int | None = None,
        loud: bool = True,
        buttons: Keyboard = (),
    ) -> int:
        """Send a message and return its id; plain, and clipped, where Telegram refuses the markup.

        Where the topic is gone it goes to the chat itself.

        Raises:
            ChatError: It was not told, or perhaps not.
        """

        async def send_to(thread: int | None, words: str, mode: str | None) -> int:
            message = await self._bot.send_message(
                chat,
                words,
                parse_mode=mode,
                message_thread_id=thread,
                reply_parameters=_reply(reply_to),
                disable_notification=not loud,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=self._markup(chat, buttons),
                **self._limits,
            )
            return message.message_id

        async def send(words: str, mode: str | None) -> int:
            try:
                return await send_to(topic, words, mode)
            except TelegramError as error:
                if topic is None or NO_TOPIC not in str(error).lower():
                    raise
            log.warning("chat %d has no topic %d any more: it is told outside of it", chat, topic)
            return await send_to(None, words, mode)

        return await _plain_where_refused(text, send)

    async def edit(self, chat: int, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and buttons; plain, and clipped, where Telegram refuses the markup.

        Raises:
            ChatError: It was not told, or perhaps not.
        """

        async def edit(words: str, mode: str | None) -> None:
            try:
                await self._bot.edit_message_text(
                    words,
                    chat_id=chat,
                    message_id=message,
                    parse_mode=mode,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=self._markup(chat, buttons),
                    **self._limits,
                )
            except TelegramError as error:
                if NOT_MODIFIED not in str(error).lower():
                    raise

        await _plain_where_refused(text, edit)

    async def show(self, chat: int, picture: Picture, *, topic: int | None = None, reply_to: int | None = None) -> None:
        """Send a picture, quietly.

        Raises:
            ChatError: It was not sent, or perhaps not.
        """
        try:
            await self._bot.send_photo(
                chat,
                picture.png,
                caption=picture.caption or None,
                parse_mode=ParseMode.HTML,
                message_thread_id=topic,
                reply_parameters=_reply(reply_to),
                disable_notification=True,
                **self._limits,
            )
        except TelegramError as error:
            raise _chat_error(error) from error

    async def pin(self, chat: int, message: int) -> None:
        """Pin a message, without a sound.

        Raises:
            ChatError: It was not pinned, or perhaps not.
        """
        try:
            await self._bot.pin_chat_message(chat, message, disable_notification=True, **self._limits)
        except TelegramError as error:
            raise _chat_error(error) from error

    async def unpin(self, chat: int, message: int) -> None:
        """Unpin a message.

        Raises:
            ChatError: It is still pinned, or perhaps.
        """
        try:
            await self._bot.unpin_chat_message(chat, message, **self._limits)
        except TelegramError as error:
            raise _chat_error(error) from error

    def _markup(self, chat: int, buttons: Keyboard) -> InlineKeyboardMarkup | None:
        if not buttons:
            return None
        return InlineKeyboardMarkup(
            [
                [InlineKeyboardButton(each.label, callback_data=self._seal.close(chat, each)) for each in row]
                for row in buttons
            ]
        )


async def _plain_where_refused(text: str, tell: Callable[[str, str | None], Awaitable[T]]) -> T:
    """What comes of telling a text as HTML; without markup, and clipped, where Telegram refuses that.

    Raises:
        ChatError: It was not told, or perhaps not.
    """
    try:
        return await tell(text, ParseMode.HTML)
    except TelegramError as error:
        refused = _chat_error(error)
        if not refused.refused:
            raise refused from error
    try:
        return await tell(_clipped(text), None)
    except TelegramError as error:
        raise _chat_error(error) from error


def _reply(message: int | None) -> ReplyParameters | None:
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None


def _clipped(text: str) -> str:
    words = plain(text)
    limit = MessageLimit.MAX_TEXT_LENGTH
    return words if len(words) <= limit else words[: limit - 2] + " …"


def _chat_error(error: TelegramError) -> ChatError:
    """What a failure means; permanent ones first, as the kinds of python-telegram-bot overlap."""
    text = str(error).lower()
    match error:
        case RetryAfter():
            wait = error.retry_after
            after = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            return ChatError(f"Telegram asks to wait {after.total_seconds():.0f} s", retry_after=after)
        case ChatMigrated():
            return ChatError(f"the chat is now {error.new_chat_id}", moved_to=error.new_chat_id)
        case InvalidToken():
            return ChatError("Telegram does not know the token")  # the exception's own text holds the token
        case Forbidden():
            return ChatError(str(error), permanent=True)
        case BadRequest():
            return ChatError(
                str(error),
                message_gone=any(each in text for each in GONE),
                refused=any(each in text for each in REFUSED),
                permanent=any(each in text for each in CLOSED),
            )
        case NetworkError() if isinstance(error.__cause__, httpx.HTTPError):
            return ChatError(
                f"Telegram cannot be reached ({type(error.__cause__).__name__})",
                surely_not_sent=isinstance(error.__cause__, SURELY_NOT_SENT),
            )
        case _:
            first_line = str(error).splitlines()[0] if str(error) else type(error).__name__  # a 502 is a page of HTML
            return ChatError(f"Telegram answered: {first_line[:LONGEST_REASON]}")
