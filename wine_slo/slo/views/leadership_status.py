"""What machines read of who leads, of several watchdogs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogStatus:
    """One of several watchdogs.

    Attributes:
        host: The name of its machine, or of its container.
        pid: Its process id there.
        since: Since when it runs, by its own clock.
    """

    host: str
    pid: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipStatus:
    """Who leads, of several watchdogs.

    Attributes:
        role: Of the one that answers: leader, standby, or silent where it has the lease and cannot renew it.
        epoch: How often the lead was taken.
        leader: Who leads, or led last; null where that is not known.
        seen_seconds: How long ago the lease was renewed, as far as the one that answers has seen.
        standbys: Who else stands by and gives signs of life.
    """

    role: str
    epoch: int
    leader: WatchdogStatus | None
    seen_seconds: float | None
    standbys: tuple[WatchdogStatus, ...]
