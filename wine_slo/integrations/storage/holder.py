"""Who holds the ledger: the one watchdog that evaluates and notifies with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One process that holds the ledger, or held it.

    Attributes:
        id: Its own, different at each start.
        host: The name of its machine, or of its container.
        boot: That boot of the kernel; the same for all containers of one machine, another after a reboot.
        pid: Its process id, as that container counts.
        since: When it took the ledger, by its own clock; only shown, as clocks may jump.
        number: How often the ledger was taken, this time included; it only grows, so the lower of two is the older.
        is_free: It has let the ledger go; kept for its number.
        beats: How many signs of life it has given; that it grows proves life by no clock at all.
    """

    id: str
    host: str
    boot: str
    pid: int
    since: datetime
    number: int = 1
    beats: int = 0
    is_free: bool = False

    def is_before_a_restart_of(self, other: Self) -> bool:
        """Return whether this one is dead if the other could lock the ledger: same kernel, or same machine rebooted."""
        return self.boot == other.boot or self.host == other.host

    def __str__(self) -> str:
        """Return who that is, for people."""
        return f"process {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"
