"""What a bot is and may do in its chats, for whoever examines the set-up; nothing is sent to anybody.

Source: https://core.telegram.org/bots/api#chatmember and #getwebhookinfo
"""

from dataclasses import dataclass

from telegram import Bot, ChatMemberAdministrator, ChatMemberRestricted
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, TelegramError


class RightsError(Exception):
    """Telegram does not say, or refuses; the text says why, for people.

    Attributes:
        moved_to: The chat's new id, where a group has become a supergroup.
        is_unreachable: Telegram itself cannot be reached.
        is_stranger: Telegram does not know the token.
    """

    def __init__(
        self, sentence: str, *, moved_to: int | None = None, is_unreachable: bool = False, is_stranger: bool = False
    ) -> None:
        super().__init__(sentence)
        self.moved_to = moved_to
        self.is_unreachable = is_unreachable
        self.is_stranger = is_stranger


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is, and whether its updates go to a webhook, where we do not receive them."""

    username: str
    has_webhook: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """What the bot may do in a chat."""

    title: str
    is_member: bool
    may_send: bool
    may_send_pictures: bool
    may_pin: bool


class TelegramRights:
    """Client of what Telegram knows of the bot."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def close(self) -> None:
        """End its connections."""
        await self._bot.request.shutdown()  # the bot's own shutdown does nothing where it was never initialised

    async def identity(self) -> Identity:
        """Return who the bot is.

        Raises:
            RightsError: Telegram does not know the token, or cannot be reached.
        """
        try:
            me = await self._bot.get_me()
            webhook = await self._bot.get_webhook_info()
        except Exception as error:  # also what the library raises at an answer that nobody foresaw
            raise _rights_error(error) from error
        return Identity(me.username or me.first_name, bool(webhook.url))

    async def rights(self, chat: int) -> Rights:
        """Return what the bot may do in a chat.

        Raises:
            RightsError: The chat is not open to it, has moved, or Telegram cannot be reached.
        """
        try:
            found = await self._bot.get_chat(chat)
            title = found.title or found.first_name or str(chat)
            if found.type == ChatType.PRIVATE:
                return Rights(title, is_member=True, may_send=True, may_send_pictures=True, may_pin=True)
            member = await self._bot.get_chat_member(chat, self._bot.id)
        except Exception as error:  # also what the library raises at an answer that nobody foresaw
            raise _rights_error(error) from error
        usual = found.permissions
        may_pin = bool(usual and usual.can_pin_messages)
        may_send = usual is None or bool(usual.can_send_messages)
        may_show = usual is None or bool(usual.can_send_photos)
        match member:
            case ChatMemberAdministrator():
                is_channel = found.type == ChatType.CHANNEL
                may_send = may_show = bool(member.can_post_messages) if is_channel else True
                may_pin = bool(member.can_edit_messages) if is_channel else bool(member.can_pin_messages)
            case ChatMemberRestricted():
                may_send, may_show = bool(member.can_send_messages), bool(member.can_send_photos)
                may_pin = bool(member.can_pin_messages)
        is_member = member.status not in (ChatMemberStatus.LEFT, ChatMemberStatus.BANNED)
        return Rights(title, is_member, may_send, may_show, may_pin)


def _rights_error(error: Exception) -> RightsError:
    match error:
        case ChatMigrated():
            return RightsError("it became a supergroup", moved_to=error.new_chat_id)
        case InvalidToken():
            return RightsError("Telegram does not know the token", is_stranger=True)  # its own text holds the token
        case Forbidden():
            return RightsError(str(error))
        case NetworkError() if error.__cause__ is not None:
            return RightsError(f"it cannot be reached ({type(error.__cause__).__name__})", is_unreachable=True)
        case NetworkError() if not isinstance(error, BadRequest):
            return RightsError(f"what answers is no Bot API ({str(error)[:60]})", is_unreachable=True)
        case TelegramError():
            return RightsError(str(error).splitlines()[0] if str(error) else type(error).__name__)
        case _:
            return RightsError(f"its answer cannot be read ({type(error).__name__})", is_unreachable=True)
