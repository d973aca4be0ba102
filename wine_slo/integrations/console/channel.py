"""A chat for who has no Telegram: the same words, printed."""

import os
from itertools import count
from typing import TextIO

from wine_slo.config.visible import visible_lines
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Capabilities, Channel, ChannelError
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.redaction import redact
from wine_slo.slo.text.formatting import plain

CONSOLE = Address.of("console", 0)  # the one recipient that a terminal is


class ConsoleChannel(Channel):
    """Prints what would be sent. It cannot change what was printed, so an edit is one short line.

    Letters that the console does not have are printed as question marks.

    Args:
        console: Where it is printed; None where the process has no standard output.
    """

    capabilities = Capabilities(edit=True, buttons=True)

    def __init__(self, console: TextIO | None) -> None:
        self._console = console
        self._numbers = count(1)

    def _write(self, text: str) -> None:
        """Print a text; past the stream's own buffer, which would fail again at the end of the process.

        Raises:
            ChannelError: Nobody can read it.
        """
        if self._console is None:
            raise ChannelError("there is no standard output")
        try:
            descriptor, left = (
                self._console.fileno(),
                f"{visible_lines(redact(text))}\n".encode(self._console.encoding, errors="replace"),
            )
            while left:
                left = left[os.write(descriptor, left) :]
        except (OSError, ValueError) as error:  # a closed stream is a ValueError
            raise ChannelError(f"standard output cannot be written: {error}") from error

    async def send(
        self,
        address: Address,  # noqa: ARG002 - one chat
        text: str,
        *,
        reply_to: int | None = None,
        loud: bool = True,  # noqa: ARG002 - and no sound
        buttons: Keyboard = (),
    ) -> int:
        """Print a message, framed to stand out of the log, with its buttons; returns its number."""
        number = next(self._numbers)
        head = f"message {number}, reply to {reply_to}" if reply_to else f"message {number}"
        rows = [" ".join(f"[{each.label}]" for each in row if not each.url) for row in buttons]
        rows = [*filter(None, rows), *(f"[{each.label}] {each.url}" for row in buttons for each in row if each.url)]
        lines = "\n".join(f"│ {line}" for line in (*plain(text).splitlines(), *rows))
        self._write(f"┌ {head}\n{lines}\n└")
        return number

    async def edit(self, address: Address, message: int, text: str, *, buttons: Keyboard = ()) -> None:  # noqa: ARG002 - one chat, and what can be pressed was printed
        """Print what a message would read now, in one line: its first two, as the first may say no more than DRILL."""
        self._write(f"  message {message} now reads: {' · '.join(plain(text).splitlines()[:2])}")

    async def reach(self, address: Address) -> None:
        """Do nothing: whatever is printed arrives."""
