"""What the watchdog needs of a channel, whichever it is: to send, to edit, and to say how a try failed."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Keyboard, Picture
from wine_slo.slo.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """What is known of a chat besides its settings.

    Attributes:
        chat: Its address, as the settings name it.
        moved_to: Its new address, where a group has become a supergroup.
        closed_because: Why it refuses messages; empty while it does not.
        language: The code of the language that people there have chosen; empty where it is that of the settings.
        since: Since when it has been a recipient; None where it is none.
        is_former: It was a recipient once, and is none.
        announced_to: The other recipients that know that it cannot be reached.
    """

    chat: Address
    moved_to: Address | None = None
    closed_because: str = ""
    language: str = ""
    since: datetime | None = None
    is_former: bool = False
    announced_to: tuple[Address, ...] = ()

    @property
    def address(self) -> Address:
        """Return the address that it has now."""
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
        moved_to: The chat has a new address.
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
        moved_to: Address | None = None,
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
    """What a channel can do besides delivering a text; nothing else is requested of it.

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


class Channel(ABC):
    """Somewhere that people read: what it has to do, and what it may leave out by declaring so.

    Texts are HTML with `<b>` only; `formatting.plain` takes it off.
    """

    capabilities: Capabilities

    @abstractmethod
    async def send(
        self, address: Address, text: str, *, reply_to: int | None = None, loud: bool = True, buttons: Keyboard = ()
    ) -> int:
        """Send a message and return its number; a channel without buttons leaves them out.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """

    @abstractmethod
    async def reach(self, address: Address) -> None:
        """See whether a chat accepts messages, without sending one.

        Raises:
            ChannelError: It does not, or it is not known.
        """

    async def edit(self, address: Address, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and its buttons; that it reads so already is no error.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        raise NotImplementedError

    async def show(self, address: Address, picture: Picture, *, reply_to: int | None = None) -> int:
        """Send a picture, quietly, and return its number.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        raise NotImplementedError

    async def redraw(self, address: Address, message: int, picture: Picture) -> None:
        """Exchange a message's picture and its caption, without a sound; that it is so already is no error.

        Raises:
            ChannelError: It was not exchanged, or perhaps not.
        """
        raise NotImplementedError

    async def pin(self, address: Address, message: int) -> None:
        """Keep a message in sight, without a sound.

        Raises:
            ChannelError: It was not pinned, or perhaps not.
        """
        raise NotImplementedError

    async def unpin(self, address: Address, message: int) -> None:
        """Keep a message in sight no more.

        Raises:
            ChannelError: It is still pinned, or perhaps.
        """
        raise NotImplementedError


ChannelOf = Callable[[Address], Channel]
