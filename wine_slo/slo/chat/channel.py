"""What the watchdog needs of a channel, whichever it is: to send, to edit, and to say how a try failed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from wine_slo.slo.chat.messages import Keyboard, Picture
from wine_slo.slo.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """What is known of a chat besides its settings.

    Attributes:
        chat: Its id, as the settings name it.
        moved_to: Its new id, where a group has become a supergroup.
        closed_because: Why it refuses messages; empty while it does not.
        language: The code of the language that people there have chosen; empty where it is that of the settings.
        since: Since when it has been a recipient; None where it is none.
        is_former: It was a recipient once, and is none.
        announced_to: The other recipients, by id, that know that it cannot be reached.
    """

    chat: int
    moved_to: int | None = None
    closed_because: str = ""
    language: str = ""
    since: datetime | None = None
    is_former: bool = False
    announced_to: tuple[int, ...] = ()

    @property
    def address(self) -> int:
        """Return the id to send to."""
        return self.chat if self.moved_to is None else self.moved_to

    @property
    def is_closed(self) -> bool:
        """Return whether it refuses messages."""
        return bool(self.closed_because)


class ChannelError(Exception):
    """A message that was not delivered, and what that means for the next try.

    Attributes:
        permanent: The chat refuses whatever we send; only people can change that.
        retry_after: It is to be left alone for so long; from a second to some minutes.
        surely_not_sent: It did not arrive. When False it may have arrived.
        refused: The chat refuses this one message as it is; another one, or a plainer one, it may accept.
        message_gone: The message cannot be edited, or not any more; a new one can be sent.
        moved_to: The chat has a new id.
    """

    def __init__(
        self,
        sentence: str,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        surely_not_sent: bool = True,
        refused: bool = False,
        message_gone: bool = False,
        moved_to: int | None = None,
    ) -> None:
        super().__init__(redact(sentence))
        self.permanent = permanent
        self.retry_after = retry_after
        self.surely_not_sent = surely_not_sent
        self.refused = refused
        self.message_gone = message_gone
        self.moved_to = moved_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do besides delivering a text.

    Attributes:
        edit: Change what a message reads.
        buttons: Show what can be pressed.
        pictures: Show a picture.
        pin: Keep a message in sight.
    """

    edit: bool = False
    buttons: bool = False
    pictures: bool = False
    pin: bool = False


class Channel(Protocol):
    """Somewhere that people read. Texts are HTML with `<b>` only; `words.plain` takes it off."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        ...

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
        """Send a message, in a topic where the chat is a forum, and return the message's id.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        ...

    async def edit(self, chat: int, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and its buttons; that it reads so already is no error.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        ...

    async def show(self, chat: int, picture: Picture, *, topic: int | None = None, reply_to: int | None = None) -> None:
        """Send a picture, quietly.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        ...

    async def reach(self, chat: int) -> None:
        """See whether a chat accepts messages, without sending one.

        Raises:
            ChannelError: It does not, or it is not known.
        """
        ...

    async def pin(self, chat: int, message: int) -> None:
        """Keep a message in sight, without a sound.

        Raises:
            ChannelError: It was not pinned, or perhaps not.
        """
        ...

    async def unpin(self, chat: int, message: int) -> None:
        """Keep a message in sight no more.

        Raises:
            ChannelError: It is still pinned, or perhaps.
        """
        ...
