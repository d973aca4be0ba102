"""What the watchdog needs of a chat, whichever it is: to send, to edit, and to say how a try failed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from wine_slo.domain.dialogue import Keyboard, Picture
from wine_slo.domain.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a chat that is to be told stands with us.

    Attributes:
        chat: Its id, as the settings name it.
        moved_to: Its new id, where a group has become a supergroup.
        closed_because: Why it is closed to us; empty while it is open.
        language: The code of the language that people there have chosen; empty where it is that of the settings.
    """

    chat: int
    moved_to: int | None = None
    closed_because: str = ""
    language: str = ""

    @property
    def address(self) -> int:
        """The id to send to."""
        return self.chat if self.moved_to is None else self.moved_to

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be told there, until somebody there speaks to us."""
        return bool(self.closed_because)


class ChatError(Exception):
    """A message that was not told, and what that means for the next try.

    Attributes:
        permanent: No later try can help; this chat is closed to us.
        retry_after: The chat asks to be left alone for so long.
        surely_not_sent: It did not arrive. When False it may have arrived unseen.
        refused: The chat does not take these words; others, or the same ones plain, it may take.
        message_gone: The message to be edited does not exist any more.
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


class Chat(Protocol):
    """Somewhere that people read. Texts are HTML with `<b>` only; `words.plain` takes it off."""

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
        """Say something, in a topic where the chat is a forum, and return the message's id.

        Raises:
            ChatError: It was not told, or perhaps not.
        """
        ...

    async def edit(self, chat: int, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and its buttons; that it reads so already is no error.

        Raises:
            ChatError: It was not told, or perhaps not.
        """
        ...

    async def show(self, chat: int, picture: Picture, *, topic: int | None = None, reply_to: int | None = None) -> None:
        """Send a picture, quietly.

        Raises:
            ChatError: It was not sent, or perhaps not.
        """
        ...

    async def pin(self, chat: int, message: int) -> None:
        """Keep a message in sight, without a sound.

        Raises:
            ChatError: It was not pinned, or perhaps not.
        """
        ...

    async def unpin(self, chat: int, message: int) -> None:
        """Keep a message in sight no more.

        Raises:
            ChatError: It is still pinned, or perhaps.
        """
        ...
