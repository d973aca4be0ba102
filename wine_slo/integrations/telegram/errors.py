"""What each way of failing means for the next try.

`TimedOut` and `BadRequest` are `NetworkError`s in python-telegram-bot, so the order of the cases matters.
Source of the texts: https://github.com/tdlib/telegram-bot-api (Client.cpp), and healthchecks' list.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import httpx
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.answers import is_success
from wine_slo.integrations.telegram.connection import NoBotApiError
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.gate import SilentError

T = TypeVar("T")
SURELY_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
LONGEST_REASON = 100  # letters of an answer that go into a log line
LONGEST_WAIT = 300  # seconds; after a longer wait of Telegram's it is tried again all the same

# Refusals of Telegram are distinguished by the method and the code: a 400 to a message as it is refuses that message, a
# 400 to the plainest one, or any 403, refuses the chat. These texts only spare calls that would be refused as well.
NOT_MODIFIED = "message is not modified"
NO_MESSAGE = ("message to edit not found", "message can't be edited", "message_id_invalid")
ABOUT_TOPIC = ("topic", "thread")
ABOUT_LINK = ("button url", "button_url")
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


async def guarded(attempt: Awaitable[T]) -> T:
    """Return the result of an attempt; whatever the library raises is a ChannelError, also what nobody foresaw.

    Raises:
        ChannelError: It failed.
    """
    try:
        return await attempt
    except Exception as error:
        raise channel_error(error) from error


def channel_error(error: Exception) -> ChannelError:  # noqa: PLR0911 - one for each kind of failure
    """Return what a failure means; the kinds of python-telegram-bot overlap, so the order matters."""
    text = str(error).lower()
    match error:
        case RetryAfter():
            wait = error.retry_after
            wanted = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
            return ChannelError(
                f"Telegram requires a wait of {wanted.total_seconds():.0f} s",
                retry_after=min(wanted, timedelta(seconds=LONGEST_WAIT)),
            )
        case ChatMigrated():
            return ChannelError(f"the chat is now {error.new_chat_id}", moved_to=address_of(error.new_chat_id))
        case InvalidToken():
            return ChannelError("Telegram does not know the token")  # the exception's own text holds the token
        case Forbidden():
            return ChannelError(_first_line(error), permanent=True)
        case BadRequest():
            is_closed = any(each in text for each in CLOSED)
            return ChannelError(_first_line(error), refused=not is_closed, permanent=is_closed)
        case NoBotApiError():
            return ChannelError(
                f"what answers is no Bot API ({error.code})", surely_not_sent=not is_success(error.code)
            )
        case NetworkError() if isinstance(error.__cause__, SilentError):
            return error.__cause__
        case NetworkError() if isinstance(error.__cause__, httpx.HTTPError):
            return ChannelError(
                f"Telegram cannot be reached ({type(error.__cause__).__name__})",
                surely_not_sent=isinstance(error.__cause__, SURELY_NOT_SENT),
            )
        case TelegramError():
            return ChannelError(f"Telegram answered: {_first_line(error)}")
        case _:  # an answer of 200 that the library cannot read, so what it is about may well have been done
            return ChannelError(f"Telegram's answer cannot be read ({type(error).__name__})", surely_not_sent=False)


def _first_line(error: Exception) -> str:
    """Return what an error says, for a log line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:LONGEST_REASON]
