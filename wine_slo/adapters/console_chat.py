"""A chat for who has no Telegram: the same words, printed."""

from collections.abc import Callable
from itertools import count

from wine_slo.domain.words import plain


class ConsoleChat:
    """Prints what would be sent. It cannot change what was printed, so an edit is one short line."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._numbers = count(1)

    async def send(self, chat: int, text: str, *, reply_to: int | None = None, loud: bool = True) -> int:  # noqa: ARG002 - one chat, and no sound
        """Print a message, framed so that it stands out of the log; returns its number."""
        number = next(self._numbers)
        head = f"message {number}, reply to {reply_to}" if reply_to else f"message {number}"
        lines = "\n".join(f"│ {line}" for line in plain(text).splitlines())
        self._write(f"┌ {head}\n{lines}\n└")
        return number

    async def edit(self, chat: int, message: int, text: str) -> None:  # noqa: ARG002 - one chat
        """Print what a message would read now, in a line."""
        self._write(f"  message {message} now reads: {plain(text).splitlines()[0]}")
