"""The gate that everything passes which leaves for people, so that of several watchdogs only the one that leads speaks.

It is checked twice: before a channel is used at all, and by a channel that waits for limits and connections once more,
right before what is said is written to the network.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.chat.messages import Keyboard, Picture


class SilentError(ChannelError):
    """This watchdog does not lead at this moment, so nothing was sent."""

    def __init__(self) -> None:
        super().__init__("this watchdog does not lead at the moment")


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether this watchdog may speak.

    Attributes:
        seconds_left: Returns for how many seconds it may, from now on.
        is_alone: It is the only one by the settings, so that a lease which ends is renewed by nobody else.
    """

    seconds_left: Callable[[], float] = lambda: inf
    is_alone: bool = True

    @property
    def is_open(self) -> bool:
        """Return whether it may speak now."""
        return self.seconds_left() > 0

    @property
    def longest_wait(self) -> float:
        """Return for how many seconds it may wait for what people say, so that another one that leads can do so."""
        return inf if self.is_alone and self.is_open else self.seconds_left()

    def check(self) -> None:
        """See whether it may speak now.

        Raises:
            SilentError: It may not.
        """
        if not self.is_open:
            raise SilentError


class GatedChannel(Channel):
    """A channel behind the gate.

    Args:
        channel: What delivers.
        gate: What is checked before.
    """

    def __init__(self, channel: Channel, gate: Gate) -> None:
        self._channel = channel
        self._gate = gate
        self.capabilities = channel.capabilities

    async def send(
        self, address: Address, text: str, *, reply_to: int | None = None, loud: bool = True, buttons: Keyboard = ()
    ) -> int:
        """Send a message and return its number.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        self._gate.check()
        return await self._channel.send(address, text, reply_to=reply_to, loud=loud, buttons=buttons)

    async def reach(self, address: Address) -> None:
        """See whether a chat accepts messages.

        Raises:
            ChannelError: It does not, or it is not known.
        """
        self._gate.check()
        await self._channel.reach(address)

    async def edit(self, address: Address, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and its buttons.

        Raises:
            ChannelError: It was not delivered, or perhaps not.
        """
        self._gate.check()
        await self._channel.edit(address, message, text, buttons=buttons)

    async def show(self, address: Address, picture: Picture, *, reply_to: int | None = None) -> int:
        """Send a picture, quietly, and return its number.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        self._gate.check()
        return await self._channel.show(address, picture, reply_to=reply_to)

    async def redraw(self, address: Address, message: int, picture: Picture) -> None:
        """Exchange a picture that was sent.

        Raises:
            ChannelError: It was not exchanged, or perhaps not.
        """
        self._gate.check()
        await self._channel.redraw(address, message, picture)

    async def pin(self, address: Address, message: int) -> None:
        """Keep a message in sight.

        Raises:
            ChannelError: It was not pinned, or perhaps not.
        """
        self._gate.check()
        await self._channel.pin(address, message)

    async def unpin(self, address: Address, message: int) -> None:
        """Keep a message in sight no more.

        Raises:
            ChannelError: It is still pinned, or perhaps.
        """
        self._gate.check()
        await self._channel.unpin(address, message)
