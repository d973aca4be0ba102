"""How much of a thing may be held at once, and how clients share it."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

ALL, MOST = 1.0, 0.75  # of the room: for small holders, and for those that have grown


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
