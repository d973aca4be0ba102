"""The registry of channels: which there are, what the settings say of each, and who delivers to an address.

To add a channel, write its folder in `integrations/` and its settings, and register here how it is connected.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wine_slo.config.setting_types import ChatAddress, Rotating
from wine_slo.integrations.console.channel import CONSOLE, ConsoleChannel
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import connect
from wine_slo.integrations.telegram.updates import TelegramUpdates
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.chat.gate import Gate, GatedChannel
from wine_slo.slo.chat.listener import Listen

log = logging.getLogger("wine_slo.watchdog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A channel that is set.

    Attributes:
        alerts: Delivers notifications.
        answers: Delivers what can wait until every alert is out.
        first: Where the settings want notifications.
        second: Where they want what nobody acknowledges there.
        listen: Receives what people write and press; None where nobody can.
    """

    alerts: Channel
    answers: Channel
    first: tuple[Address, ...] = ()
    second: tuple[Address, ...] = ()
    listen: Listen | None = None


Connect = Callable[[WatchdogSettings, Gate], Connected | None]


class Channels:
    """Know which channel delivers to an address.

    Args:
        connected: The channels by their names, which begin their addresses.
        gate: What everything passes that is delivered.
    """

    def __init__(self, connected: dict[str, Connected], gate: Gate) -> None:
        self._connected = connected
        self._gate = gate

    def alerts(self, address: Address) -> Channel:
        """Return what delivers notifications to an address.

        Raises:
            ChannelError: Its channel is not set.
        """
        return GatedChannel(self._of(address).alerts, self._gate)

    def answers(self, address: Address) -> Channel:
        """Return what delivers to an address what can wait until every alert is out.

        Raises:
            ChannelError: Its channel is not set.
        """
        return GatedChannel(self._of(address).answers, self._gate)

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Return where the settings want notifications; the second ones last."""
        those = self._connected.values()
        return (*(to for each in those for to in each.first), *(to for each in those for to in each.second))

    @property
    def second_chats(self) -> frozenset[Address]:
        """Return the chats that receive only what nobody acknowledges in the first ones."""
        return frozenset(to.chat for each in self._connected.values() for to in each.second)

    @property
    def is_only_terminal(self) -> bool:
        """Return whether nobody is notified but who watches the terminal."""
        return self.recipients == (CONSOLE,)

    def listening(self) -> Iterator[tuple[str, Listen]]:
        """Yield the name of each channel in which people write, and what receives that."""
        return ((name, each.listen) for name, each in self._connected.items() if each.listen is not None)

    def _of(self, address: Address) -> Connected:
        if address.channel not in self._connected:  # what the ledger remembers, the settings may name no more
            raise ChannelError(f"no channel {address.channel} is set", permanent=True)
        return self._connected[address.channel]


def open_channels(settings: WatchdogSettings, gate: Gate) -> Channels:
    """Return the channels of the settings, behind the gate; where they name no recipient, the terminal is one."""
    found = {name: each for name, connected in REGISTRY.items() if (each := connected(settings, gate)) is not None}
    if not any(each.first for each in found.values()):
        log.warning("no Telegram token or no chat id is set: messages are printed here")
        console = ConsoleChannel(sys.stdout)
        found[CONSOLE.channel] = Connected(alerts=console, answers=console, first=(CONSOLE,))
    return Channels(found, gate)


def _telegram(settings: WatchdogSettings, gate: Gate) -> Connected | None:
    if settings.telegram_token is None:
        return None
    bot = connect(
        settings.telegram_token.value,
        settings.telegram_api_url,
        settings.telegram_way,
        Rotating(settings.telegram_token),
        gate,
    )
    channel = TelegramChannel(bot)
    answers = channel.for_answers
    second = settings.telegram_second_chat_ids if settings.telegram_chat_ids else ()
    return Connected(
        alerts=channel,
        answers=answers,
        first=tuple(map(_address, settings.telegram_chat_ids)),
        second=tuple(map(_address, second)),
        listen=lambda listener: TelegramUpdates(bot, answers, listener, gate).run(),
    )


def _address(setting: ChatAddress) -> Address:
    return address_of(int(setting), setting.topic)


REGISTRY: dict[str, Connect] = {"telegram": _telegram}
