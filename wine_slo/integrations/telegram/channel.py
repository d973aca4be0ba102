"""Telegram as a chat: sending and editing, and what each way of failing means for the next try.

`TimedOut` and `BadRequest` are `NetworkError`s in python-telegram-bot, so the order of the cases matters.
Source of the texts: https://github.com/tdlib/telegram-bot-api (Client.cpp), and healthchecks' list.
"""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction, MessageLimit, ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, BaseRateLimiter, ExtBot
from telegram.request import HTTPXRequest

from wine_slo.integrations.telegram.callback_data import CallbackData
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.messages import Keyboard, Picture
from wine_slo.slo.redaction import redact
from wine_slo.slo.text.incident_text import plain

T = TypeVar("T")
log = logging.getLogger(__name__)

READ_SECONDS = 20  # Telegram may take that long under load, and asking again would double a message
CONNECT_SECONDS = 5
AGAIN_SECONDS = 10  # between two looks at a token that may have been rotated
NO_SUCH_TOKEN = (401, 404)  # the second for what does not even look like one

SURELY_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
MAX_BYTES = 4 * 2**20  # of one answer; fifty updates of the longest texts, each a reply to such a one, are 2.5
LONGEST_REASON = 100  # letters of an answer that go into a log line
SHORTEST_WAIT, LONGEST_WAIT = 1, 300  # seconds; what Telegram asks for beyond is tried again all the same
HALF = b"\\ud"  # how JSON escapes half of a character that has two
LARGEST_ID = 2**52  # by the manual of the Bot API, a chat's id has at most 52 bits

# What Telegram refuses is told apart by the method and the code: a 400 to a message as it is refuses that message, a
# 400 to the plainest one, or any 403, refuses the chat. These texts only spare calls that would be refused as well.
NOT_MODIFIED = "message is not modified"
NO_MESSAGE = ("message to edit not found", "message can't be edited", "message_id_invalid")
ABOUT_TOPIC = ("topic", "thread")
CLOSED = (
    "chat not found",
    "user not found",
    "not enough rights",
    "have no rights to send",
    "need administrator rights",
    "group chat was deactivated",
    "chat_write_forbidden",
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


class _Bounded(httpx.AsyncByteStream):
    """The body of an answer, as far as an answer of the Bot API can be long."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._stream = response.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give it on, piece by piece.

        Raises:
            httpx.DecodingError: It is too long.
        """
        size = 0
        async for chunk in self._stream:  # type: ignore[union-attr]  # a client that is async has no other
            size += len(chunk)
            if size > MAX_BYTES:
                raise httpx.DecodingError("an answer that is too long", request=self._response.request)
            yield chunk

    async def aclose(self) -> None:
        """Read no more of it."""
        await self._stream.aclose()  # type: ignore[union-attr]


async def _refuse_too_much(response: httpx.Response) -> None:
    """Read of an answer only so much, and nothing that would become longer by unpacking it.

    Raises:
        httpx.DecodingError: It is packed.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx.DecodingError("an answer that is packed", request=response.request)
    response.stream = _Bounded(response)


def connect(
    token: str, api_url: str | None = None, proxy: str | None = None, current: Callable[[], str] | None = None
) -> Connection:
    """Return the bot of a token, at Telegram's own server or at another one's root; nothing is sent yet.

    Args:
        token: The bot's.
        api_url: The root of another server than Telegram's.
        proxy: The way there; what the environment says of proxies does not count here, as the settings have read it.
        current: Returns the token as it is now, where it may be rotated.
    """
    certificates = httpx.create_ssl_context()  # one for both, as each takes a megabyte

    def request() -> RotatingRequest:
        return RotatingRequest(
            token,
            current or (lambda: token),
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
            proxy=proxy,
            httpx_kwargs={
                "verify": certificates,
                "trust_env": False,
                "headers": {"Accept-Encoding": "identity"},
                "event_hooks": {"response": [_refuse_too_much]},
            },
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


class NoBotApiError(NetworkError):
    """Something else than a Bot API has answered: a proxy, a filter, a login page.

    Attributes:
        code: The HTTP status.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"{code}, and not as a Bot API")
        self.code = code


class BotApiRequest(HTTPXRequest):
    """Lets only answers of a Bot API through, as python-telegram-bot believes whatever comes."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Ask, and return the status and the answer.

        Raises:
            NoBotApiError: Something else has answered.
            TelegramError: Nothing has answered.
        """
        code, payload = await super().do_request(*args, **kwargs)
        return code, _checked(code, payload)


class RotatingRequest(BotApiRequest):
    """Requests with the token as it is now: it is looked at again now and then, and at once where it is refused.

    The library writes the token that it was made with into each URL. Signatures of buttons stay those of that token, so
    what was sent before a rotation can still be pressed.
    """

    def __init__(self, token: str, current: Callable[[], str], **options: Any) -> None:
        super().__init__(**options)
        self._first, self._token = token, token
        self._current = current
        self._again_at = 0.0

    async def do_request(self, url: str, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        """Ask, and once more where a token is refused that has been rotated meanwhile: nothing was done then."""
        if monotonic() >= self._again_at:
            self._again_at = monotonic() + AGAIN_SECONDS
            self._token = self._current()
        status, answer = await super().do_request(self._with_token(url), *arguments, **options)
        if status in NO_SUCH_TOKEN and (token := self._current()) != self._token:
            log.warning("Telegram does not know the token any more: the one that its file holds now is used")
            self._token = token
            status, answer = await super().do_request(self._with_token(url), *arguments, **options)
        return status, answer

    def _with_token(self, url: str) -> str:
        return url.replace(f"/bot{self._first}/", f"/bot{self._token}/", 1)


def _checked(code: int, payload: bytes) -> bytes:
    """An answer of a Bot API, a refusal without what cannot be read of it.

    Raises:
        NoBotApiError: It is none.
    """
    is_success = _is_success(code)
    try:
        answer = json.loads(payload)  # as python-telegram-bot does: msgspec refuses half a character in somebody's name
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("ok") is not is_success:
        raise NoBotApiError(code)
    if is_success:
        if "result" not in answer:
            raise NoBotApiError(code)
        # Half a character, which JSON can escape and UTF-8 cannot hold, would fail wherever it is logged or kept.
        return json.dumps(answer, ensure_ascii=False).encode(errors="replace") if HALF in payload else payload
    refusal: dict[str, Any] = {"ok": False, "error_code": code, "description": str(answer.get("description") or code)}
    given = answer.get("parameters")
    parameters = given if isinstance(given, dict) else {}
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int) and 0 < abs(moved_to) < LARGEST_ID:
        refusal["parameters"] = {"migrate_to_chat_id": moved_to}
    elif code == HTTPStatus.TOO_MANY_REQUESTS:
        refusal["parameters"] = {"retry_after": _seconds(parameters.get("retry_after"))}
    return json.dumps(refusal, ensure_ascii=False).encode(errors="replace")


def _seconds(given: object) -> int:
    """How long Telegram wants to be left alone, in seconds from 1 to a day, whatever it has written."""
    try:
        asked = float(str(given))
    except ValueError:
        asked = 0.0
    return int(min(max(SHORTEST_WAIT, asked), timedelta(days=1).total_seconds()))  # NaN is not more than 1


class TelegramChannel:
    """Sends and edits through a bot, and signs what its buttons carry.

    Args:
        bot: The bot.
        answers: Whether what is said here can wait until every alert is out; the bot is one of `connect` then.
    """

    def __init__(self, bot: Bot, *, answers: bool = False) -> None:
        self._bot = bot
        self._limits: dict[str, Any] = {"rate_limit_args": ANSWER} if answers else {}
        self._seal = CallbackData(bot.token)

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
        """Send a message and return its id; plainer where Telegram refuses it, and outside of a topic that it refuses.

        Raises:
            ChatError: It was not sent, or perhaps not.
        """
        text, markup = redact(text), self._markup(chat, buttons)

        async def send_as(form: _Form) -> int:
            message = await self._bot.send_message(
                chat,
                text if form.is_html else _clipped(text),
                parse_mode=ParseMode.HTML if form.is_html else None,
                message_thread_id=form.topic,
                reply_parameters=None if form.is_bare else _reply(reply_to),
                disable_notification=not loud,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=None if form.is_bare else markup,
                **self._limits,
            )
            return _id_of(message)

        refusal: ChannelError | None = None
        for form in _forms(topic):
            if form.topic and refusal and any(each in str(refusal).lower() for each in ABOUT_TOPIC):
                continue
            try:
                return await _guarded(send_as(form))
            except ChannelError as error:
                if not error.refused:
                    raise
                refusal = error
            where = f"topic {form.topic} of chat {chat}" if form.topic else f"chat {chat}"
            log.warning("%s refuses a message as it is: %s", where, refusal)
        raise ChannelError(str(refusal), permanent=True) from refusal

    async def edit(self, chat: int, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and buttons; plain, and clipped, where Telegram refuses the markup.

        Raises:
            ChatError: It was not edited, or perhaps not.
        """
        text, markup = redact(text), self._markup(chat, buttons)

        async def edit_as(words: str, mode: str | None) -> None:
            try:
                await self._bot.edit_message_text(
                    words,
                    chat_id=chat,
                    message_id=message,
                    parse_mode=mode,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=markup,
                    **self._limits,
                )
            except TelegramError as error:
                if NOT_MODIFIED not in str(error).lower():
                    raise

        try:
            await _guarded(edit_as(text, ParseMode.HTML))
        except ChannelError as error:
            if not error.refused:
                raise
            if any(each in str(error).lower() for each in NO_MESSAGE):
                raise ChannelError(str(error), message_gone=True) from error
        else:
            return
        try:
            await _guarded(edit_as(_clipped(text), None))
        except ChannelError as error:
            if not error.refused:
                raise
            raise ChannelError(str(error), message_gone=True) from error

    async def show(self, chat: int, picture: Picture, *, topic: int | None = None, reply_to: int | None = None) -> None:
        """Send a picture, quietly; outside of a topic that Telegram refuses.

        Raises:
            ChatError: It was not sent, or perhaps not.
        """

        async def show_in(thread: int | None) -> None:
            await self._bot.send_photo(
                chat,
                picture.png,
                caption=redact(picture.caption) or None,
                parse_mode=ParseMode.HTML,
                message_thread_id=thread,
                reply_parameters=_reply(reply_to),
                disable_notification=True,
                **self._limits,
            )

        try:
            await _guarded(show_in(topic))
        except ChannelError as error:
            if topic is None or not error.refused:
                raise
            log.warning("chat %d refuses a picture in topic %d: %s", chat, topic, error)
            await _guarded(show_in(None))

    async def reach(self, chat: int) -> None:
        """See whether a chat accepts messages, by telling it that one is being written.

        Raises:
            ChatError: It does not, or it is not known.
        """
        try:
            await _guarded(self._bot.send_chat_action(chat, ChatAction.TYPING))
        except ChannelError as error:
            if error.refused:
                raise ChannelError(str(error), permanent=True) from error
            raise

    async def pin(self, chat: int, message: int) -> None:
        """Pin a message, without a sound.

        Raises:
            ChatError: It was not pinned, or perhaps not.
        """
        await _guarded(self._bot.pin_chat_message(chat, message, disable_notification=True, **self._limits))

    async def unpin(self, chat: int, message: int) -> None:
        """Unpin a message.

        Raises:
            ChatError: It is still pinned, or perhaps.
        """
        await _guarded(self._bot.unpin_chat_message(chat, message, **self._limits))

    def _markup(self, chat: int, buttons: Keyboard) -> InlineKeyboardMarkup | None:
        if not buttons:
            return None
        return InlineKeyboardMarkup(
            [
                [InlineKeyboardButton(each.label, callback_data=self._seal.close(chat, each)) for each in row]
                for row in buttons
            ]
        )


@dataclass(frozen=True, slots=True)
class _Form:
    """How a message is tried.

    Attributes:
        is_bare: Without buttons, and as a reply to nothing.
    """

    topic: int | None
    is_html: bool = True
    is_bare: bool = False


def _forms(topic: int | None) -> Iterator[_Form]:
    """The forms in which a message is tried, each plainer than the one before; a topic is left before the buttons."""
    if topic is not None:
        yield _Form(topic)
        yield _Form(topic, is_html=False)
    yield _Form(None)
    yield _Form(None, is_html=False)
    yield _Form(None, is_html=False, is_bare=True)


def _id_of(message: Message) -> int:
    """The id of a message, which python-telegram-bot takes as it comes; one that is none could not be kept.

    Raises:
        TypeError: It is none.
    """
    number: object = message.message_id
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < LARGEST_ID:
        raise TypeError(f"{str(number)[:LONGEST_REASON]} is no id of a message")
    return number


async def _guarded(attempt: Awaitable[T]) -> T:
    """The result of an attempt; whatever the library raises, also at an answer that nobody foresaw, is a ChatError.

    Raises:
        ChatError: It failed.
    """
    try:
        return await attempt
    except Exception as error:
        raise _chat_error(error) from error


def _reply(message: int | None) -> ReplyParameters | None:
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None


def _clipped(text: str) -> str:
    words = plain(text)
    limit = MessageLimit.MAX_TEXT_LENGTH
    return words if len(words) <= limit else words[: limit - 2] + " …"


def _chat_error(error: Exception) -> ChannelError:  # noqa: PLR0911 - one for each kind of failure
    """What a failure means; the kinds of python-telegram-bot overlap, so the order matters."""
    text = str(error).lower()
    match error:
        case RetryAfter():
            wait = error.retry_after
            asked = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            return ChannelError(
                f"Telegram asks to wait {asked.total_seconds():.0f} s",
                retry_after=min(asked, timedelta(seconds=LONGEST_WAIT)),
            )
        case ChatMigrated():
            return ChannelError(f"the chat is now {error.new_chat_id}", moved_to=error.new_chat_id)
        case InvalidToken():
            return ChannelError("Telegram does not know the token")  # the exception's own text holds the token
        case Forbidden():
            return ChannelError(_first_line(error), permanent=True)
        case BadRequest():
            is_closed = any(each in text for each in CLOSED)
            return ChannelError(_first_line(error), refused=not is_closed, permanent=is_closed)
        case NoBotApiError():
            return ChannelError(
                f"what answers is no Bot API ({error.code})", surely_not_sent=not _is_success(error.code)
            )
        case NetworkError() if isinstance(error.__cause__, httpx.HTTPError):
            return ChannelError(
                f"Telegram cannot be reached ({type(error.__cause__).__name__})",
                surely_not_sent=isinstance(error.__cause__, SURELY_NOT_SENT),
            )
        case TelegramError():
            return ChannelError(f"Telegram answered: {_first_line(error)}")
        case _:  # an answer of 200 that the library cannot read, so what it is about may well have been done
            return ChannelError(f"Telegram's answer cannot be read ({type(error).__name__})", surely_not_sent=False)


def _is_success(code: int) -> bool:
    return HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES


def _first_line(error: Exception) -> str:
    """What an error says, for a log line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:LONGEST_REASON]
