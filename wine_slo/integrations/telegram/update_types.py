"""What is read of an update; its other fields are passed over."""

import logging
from typing import Annotated

import msgspec

from wine_slo.slo.chat.messages import Person
from wine_slo.slo.text.language import INVISIBLE

log = logging.getLogger(__name__)


LAST_SECOND = 253_402_300_799  # of the year 9999; Python has no later ones
LARGEST_NUMBER = 2**52  # of an update; Telegram's have 31 bits, and a larger one than this would confirm all to come
LONGEST_UPDATE = 2**18  # bytes; one of the longest text, in reply to such a one, has 2**16
LONGEST_TEXT = 4096  # characters of a message that are read; Telegram has no more
NOTHING = msgspec.Raw(b"null")
LONGEST_NAME = 64  # characters of somebody's name that are kept; Telegram has no more of a first name


class User(msgspec.Struct):
    """Who writes or presses."""

    id: int
    first_name: str = ""
    is_bot: bool = False
    language_code: str = ""


class Chat(msgspec.Struct):
    """Where."""

    id: int
    type: str = ""
    title: str = ""


class Replied(msgspec.Struct):
    """The message that another one replies to."""

    sender: User | None = msgspec.field(name="from", default=None)


class Message(msgspec.Struct):
    """A message."""

    message_id: int
    chat: Chat
    date: Annotated[int, msgspec.Meta(ge=0, le=LAST_SECOND)] = 0
    sender: User | None = msgspec.field(name="from", default=None)
    sender_chat: Chat | None = None  # a group's admin who stays anonymous speaks as the group
    text: str = ""
    message_thread_id: int | None = None
    is_topic_message: bool = False
    forward_origin: msgspec.Raw = NOTHING
    forward_date: msgspec.Raw = NOTHING  # the same of older servers
    is_automatic_forward: bool = False
    reply_to_message: Replied | None = None
    migrate_to_chat_id: int | None = None
    migrate_from_chat_id: int | None = None

    @property
    def is_private(self) -> bool:
        """Return whether it was written to the bot alone."""
        return self.chat.type == "private"

    def is_reply_to(self, bot: int) -> bool:
        """Return whether it replies to a message of a bot, by the bot's id."""
        replied = self.reply_to_message
        return replied is not None and replied.sender is not None and replied.sender.id == bot

    @property
    def is_forwarded(self) -> bool:
        """Return whether somebody else wrote it."""
        return self.forward_origin != NOTHING or self.forward_date != NOTHING or self.is_automatic_forward

    @property
    def topic(self) -> int | None:
        """Return the topic of a forum; None elsewhere."""
        return self.message_thread_id if self.is_topic_message else None  # elsewhere it is a thread of replies


class Query(msgspec.Struct):
    """A press of a button."""

    id: str
    sender: User = msgspec.field(name="from")
    message: Message | None = None
    data: str = ""


class Member(msgspec.Struct):
    """What the bot is in a chat."""

    status: str = ""


class Membership(msgspec.Struct):
    """A change of what the bot is in a chat."""

    chat: Chat
    new_chat_member: Member


class Update(msgspec.Struct):
    """One update."""

    message: Message | None = None
    callback_query: Query | None = None
    channel_post: Message | None = None
    my_chat_member: Membership | None = None

    @property
    def active_chat(self) -> int | None:
        """Return the chat in which the bot is known to be; None where it was put out of it."""
        if self.my_chat_member is not None:
            is_in = self.my_chat_member.new_chat_member.status not in ("left", "kicked")
            return self.my_chat_member.chat.id if is_in else None
        pressed = self.callback_query.message if self.callback_query else None
        message = self.message or self.channel_post or pressed
        return message.chat.id if message else None


class _Numbered(msgspec.Struct):
    update_id: Annotated[int, msgspec.Meta(ge=0, lt=LARGEST_NUMBER)]


_UPDATE, _NUMBERED = msgspec.json.Decoder(Update), msgspec.json.Decoder(_Numbered)


def read_update(raw: bytes) -> Update | None:
    """Return what we need of an update that is JSON; None where it cannot be read."""
    if len(raw) > LONGEST_UPDATE:
        log.info("an update was passed over: it has %d bytes", len(raw))
        return None
    try:
        return _UPDATE.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        log.info("an update was passed over: %s", error)
        return None


def number_of(raw: bytes) -> int | None:
    """Return the number of an update that is JSON; None where it has none that could be confirmed."""
    try:
        return _NUMBERED.decode(raw).update_id
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def person_of(user: User | None, group: Chat | None) -> Person:
    """Return who it was; somebody who speaks as a group or a channel is that."""
    if group is not None:
        return Person(group.id, _name(group.title) or str(group.id), is_known=False)
    if user is None:
        return Person(0, "?", is_known=False)
    return Person(user.id, _name(user.first_name) or str(user.id), user.language_code)


def _name(text: str) -> str:
    """Return a name that others chose, on one line and without what cannot be seen.

    It goes into the log and the ledger.
    """
    return " ".join(INVISIBLE.sub(" ", text).split())[:LONGEST_NAME]
