"""The gate: what is said through a channel leaves only while this watchdog leads."""

import inspect
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Capabilities, Channel
from wine_slo.slo.chat.gate import Gate, GatedChannel, SilentError
from wine_slo.slo.chat.messages import Picture

CHAT = Address("hook:1")
WAYS = {
    "send": lambda channel: channel.send(CHAT, "text"),
    "reach": lambda channel: channel.reach(CHAT),
    "edit": lambda channel: channel.edit(CHAT, 1, "text"),
    "show": lambda channel: channel.show(CHAT, Picture(b"", "", instead="")),
    "redraw": lambda channel: channel.redraw(CHAT, 1, Picture(b"", "", instead="")),
    "pin": lambda channel: channel.pin(CHAT, 1),
    "unpin": lambda channel: channel.unpin(CHAT, 1),
}


class Recording:
    """A channel that notes what it was used for."""

    capabilities = Capabilities(edit=True, pictures=True, pin=True)

    def __init__(self) -> None:
        self.used: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def use(*_arguments: object, **_options: object) -> None:
            self.used.append(name)

        return use


def test_every_way_to_use_a_channel_is_tried_here_and_passes_the_gate() -> None:
    ways = {name for name, _ in inspect.getmembers(Channel, inspect.iscoroutinefunction)}
    assert ways == WAYS.keys()
    assert ways <= vars(GatedChannel).keys(), "what is not written there goes past the gate"


@pytest.mark.parametrize("way", WAYS)
async def test_one_that_does_not_lead_says_nothing_and_nothing_has_arrived_for_certain(way: str) -> None:
    seconds = 1.0
    channel = Recording()
    gated = GatedChannel(cast("Channel", channel), Gate(lambda: seconds, is_alone=False))
    await WAYS[way](gated)
    assert channel.used == [way]
    seconds = 0.0
    with pytest.raises(SilentError) as caught:
        await WAYS[way](gated)
    assert caught.value.surely_not_sent
    assert channel.used == [way]


def test_one_that_is_alone_may_wait_for_what_people_say_for_ever_and_one_of_several_no_longer_than_it_leads() -> None:
    assert Gate(lambda: 5.0).longest_wait == float("inf")
    assert Gate(lambda: 0.0).longest_wait == 0.0
    assert Gate(lambda: 5.0, is_alone=False).longest_wait == 5.0
