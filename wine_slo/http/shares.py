"""How much of a thing may be held at once, and how clients share it."""

import asyncio
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from time import thread_time

ALL, MOST = 1.0, 0.75  # of the room: for small holders, and for those that have grown
TURN = 0.001  # seconds of processor time that a turn may take, roughly; uvloop lets one new connection in at each
MOST_IN_TURN = 16  # pieces of work


@dataclass(slots=True)
class Room:
    """Bytes in memory that many hold together.

    The last quarter is for small holders only, so that whoever fills the room with large ones keeps no small one out.

    Attributes:
        size: How many bytes there is room for.
        small: Up to how many bytes a holder counts as small.
        used: How many are held.
    """

    size: int
    small: int
    used: int = 0

    def take(self, amount: int, already: int = 0) -> bool:
        """Hold `amount` more bytes beside the `already` held by the same holder; False where there is no room."""
        share = MOST if already + amount > self.small else ALL
        if self.used + amount > share * self.size:
            return False
        self.used += amount
        return True

    def give(self, amount: int) -> None:
        """Hold so many bytes less."""
        self.used -= amount


@dataclass(slots=True)
class Places:
    """Places that clients take; nobody gets so many that a newcomer finds none.

    A client may take another place as long as more are free than it has. One client alone gets half of them, the next
    a quarter, and so on.
    """

    size: int
    _held: Counter[Hashable] = field(default_factory=Counter)

    def take(self, client: Hashable) -> bool:
        """Take a place; False where the client has its share."""
        free = self.size - self._held.total()
        if self._held[client] >= free:
            return False
        self._held[client] += 1
        return True

    def give(self, client: Hashable) -> None:
        """Give a place back."""
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]


class Turns:
    """Spreads work over the turns of the event loop: as much in each as keeps it short.

    What else there is to do in the loop need never wait for more than one short turn, or for one long piece of work.
    """

    def __init__(self) -> None:
        self._first: deque[asyncio.Future[None]] = deque()
        self._then: deque[asyncio.Future[None]] = deque()
        self._size = self._left = MOST_IN_TURN  # pieces of work in a turn, and how many more in this one
        self._began: float | None = None  # this turn, in processor time; None where nothing was begun in it

    async def take(self, *, is_patient: bool = False) -> None:
        """Wait for a turn in which one more piece of work has room, in the order of arrival.

        Args:
            is_patient: lets all go first that are not.
        """
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._begin(loop)
        if self._left and not self._first and not self._then:
            self._left -= 1
            return
        turn = loop.create_future()
        (self._then if is_patient else self._first).append(turn)
        await turn

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._began = thread_time()
        loop.call_soon(self._end, loop)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """End a turn, and begin the next where somebody waits for it."""
        is_long = self._began is not None and thread_time() - self._began > TURN
        self._size = max(1, self._size // 2) if is_long else min(MOST_IN_TURN, 2 * self._size)
        self._left, self._began = self._size, None
        while self._left and (waiting := self._first or self._then):
            turn = waiting.popleft()
            if not turn.done():  # who waited may have been cancelled
                turn.set_result(None)
                self._left -= 1
        if self._left < self._size:
            self._begin(loop)  # ends after those have done their work
