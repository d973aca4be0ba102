"""What a channel in which people write needs of the monitor: who answers, and the commands that there are."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Press, Question


@dataclass(frozen=True, slots=True)
class Listener:
    """Who answers.

    Attributes:
        answer: The answer to a command; None where there is none to give.
        press: The answer to a press of one of our buttons.
        refuse: The answer to a press, in that chat, of what is not one of our buttons.
        listening: Called when updates can be read, and when they cannot.
        conflict: Called once when they go elsewhere instead, with whether that is a webhook, else another program.
        contacted: Called with the address of a chat from which any update comes.
        moved: Called with the old and the new address of a group that has become a supergroup.
        menus: The commands with their lines, by language; the empty one is for every other language.
        clock: Reads the clock.
        listened_at: When somebody listened last, before this process; None where nobody did.
    """

    answer: Callable[[Question], Awaitable[Answer | None]]
    press: Callable[[Press], Awaitable[Answer]]
    refuse: Callable[[Address], Answer]
    listening: Callable[[bool], None]
    conflict: Callable[[bool], Coroutine[Any, Any, None]]
    contacted: Callable[[Address], Awaitable[None]]
    moved: Callable[[Address, Address], Awaitable[None]]
    menus: Mapping[str, Sequence[tuple[str, str]]]
    clock: Callable[[], datetime]
    listened_at: datetime | None


Listen = Callable[[Listener], Coroutine[Any, Any, None]]  # for ever
