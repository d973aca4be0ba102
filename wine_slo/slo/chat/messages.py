"""What people send or press in a chat, and what they are answered; nothing of Telegram in it.

A `Command` is a word after a slash, a `Reaction` is what a button does. Both are values in a table, so that the help,
the menu and "did you mean" come from one list.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from wine_slo.slo.chat.address import Address


class Reception(StrEnum):
    """What became of a question or a press."""

    ANSWERED = "answered"
    UNKNOWN = "unknown"  # no such command
    STRANGER = "stranger"  # of somebody in no chat of ours
    REFUSED = "refused"  # of somebody who may query but not change anything
    FORGED = "forged"  # a button that is not ours, or of another chat
    OLD = "old"  # sent while nobody listened, or of an incident that is over
    LIMITED = "limited"  # one too many in a minute
    FAILED = "failed"  # by a fault of ours


class Refusal(StrEnum):
    """Why somebody may change nothing."""

    NO_ADMIN = "no admin"
    NOBODY = "nobody"  # who writes as a group or a channel
    FORWARDED = "forwarded"
    SECOND_CHAT = "second chat"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a chat.

    Attributes:
        name: The first name, as others see it; chosen by that person, so any text at all.
        language: The language of their program, such as `ru`; empty where it is not known.
        is_known: Whether it is a person; False for who speaks as a group or a channel, and so could be anybody.
    """

    id: int
    name: str
    language: str = ""
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message.

    Attributes:
        label: What it reads.
        verb: What it does; the name of a `Reaction`. Empty where it opens a page.
        arguments: What it does it to: numbers and short names, without `|`.
        url: The page that it opens; empty where it opens none.
    """

    label: str
    verb: str = ""
    arguments: tuple[str, ...] = ()
    url: str = ""


Keyboard = tuple[tuple[Button, ...], ...]  # rows


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that follows a text.

    Attributes:
        png: The file.
        caption: HTML, at most 1,024 characters.
        instead: HTML that is sent where the picture cannot be.
    """

    png: bytes = field(repr=False)
    caption: str = ""
    instead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A command, as somebody sent it.

    Attributes:
        address: Where.
        message: The id of the message with the command.
        person: Who.
        command: The word after the slash, in small letters; empty where there is none, which is sent only where the bot
            is addressed: in a private chat, with its name, or as a reply to a message of its own.
        arguments: The words after it.
        is_to_us: Whether it is surely meant for us; in a group other bots read a bare `/status` too.
        is_private: Whether nobody else is in that chat.
        is_forwarded: Whether somebody else wrote it, elsewhere, and this person has passed it on.
        sent_at: When, by Telegram's clock.
    """

    address: Address
    message: int
    person: Person
    command: str
    arguments: tuple[str, ...] = ()
    is_to_us: bool = True
    is_private: bool = False
    is_forwarded: bool = False
    sent_at: datetime

    @property
    def chat(self) -> Address:
        """Return the chat that it is of."""
        return self.address.chat

    @property
    def cause(self) -> str:
        """Return what names this question for good, however often it is delivered."""
        return f"message {self.chat.place}/{self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button that somebody pressed; that it is ours and of this chat is certain.

    Attributes:
        id: Telegram's name of the press.
        message: The id of the message that the button is under.
        pressed_at: When; None where it was pressed while nobody listened, and nobody knows when.
    """

    id: str
    address: Address
    message: int
    person: Person
    verb: str
    arguments: tuple[str, ...] = ()
    is_private: bool = False
    pressed_at: datetime | None

    @property
    def chat(self) -> Address:
        """Return the chat that it is of."""
        return self.address.chat

    @property
    def cause(self) -> str:
        """Return what names this press for good, however often it is delivered."""
        return f"press {self.id}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    Attributes:
        text: HTML; a new message. Empty where there is none.
        buttons: What can be pressed under it.
        toast: HTML whose markup is taken off, at most 200 characters: shown once to who pressed, and to nobody else.
        reception: What became of the question, for the metric.
        replaces: Whether the text is written over the message whose button was pressed.
        follow: What takes longer and is sent after the text, as a reply to it: a picture, or words where there is
            none; None gives nothing to send.
    """

    text: str = ""
    buttons: Keyboard = ()
    toast: str = ""
    reception: Reception = Reception.ANSWERED
    replaces: bool = False
    follow: Callable[[], Awaitable[Picture | str | None]] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: The word, in small letters.
        help: One line for the menu, in English; it is translated by the catalogue.
        answer: Answers it.
        changes: Whether it changes anything, so that not everybody who may query may do it.
        counts_late: Whether it is done too where it was sent long ago, while nobody listened.
        usage: What follows the word, as `/help` shows it: `1h [objective] [reason]`; it is translated too.
        is_for_first_chats: Whether it is refused in a chat that is only escalated to, but to an admin.
    """

    name: str
    help: str
    answer: Callable[[Question], Awaitable[Answer]]
    changes: bool = False
    counts_late: bool = False
    usage: str = ""
    is_for_first_chats: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one kind of button does.

    Attributes:
        verb: Which kind.
        answer: Answers a press.
        changes: Whether it changes anything, so that not everybody who may query may do it.
        counts_late: Whether it is done too where it may have been pressed long ago, while nobody listened.
    """

    verb: str
    answer: Callable[[Press], Awaitable[Answer]]
    changes: bool = False
    counts_late: bool = False
