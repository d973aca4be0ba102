"""The lease of the ledger: which of several watchdogs leads; it evaluates and notifies, and the others stand by.

No clock is compared with another one. A leader's lease runs from before it sent a renewal that succeeded, by its own
clock; a standby takes the lease that has stood still for longer than that, by its own clock, since after it first read
it so. A renewal of which nobody knows whether it was written therefore harms nothing: at worst a standby waits longer.
Clocks here are seconds that go on while a process is suspended, and that nobody sets.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often things happen, in seconds.

    Attributes:
        renewed_every: Between two renewals.
        lasts: In which a lease must be renewed, or a standby takes it.
        silent_after: Without a renewal after which a leader is silent; shorter than a lease lasts.
        tried_every: Between two tries of a standby.
    """

    renewed_every: float = 2.0
    lasts: float = 10.0
    silent_after: float = 8.0
    tried_every: float = 0.5


TIMING = Timing()
UNWRITTEN = 0  # the number of one that is alone and could not write its lease yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """One process that leads, led, or stands by.

    Attributes:
        id: Its own, different at each start.
        host: The name of its machine, or of its container.
        boot: That boot of the kernel; the same for all containers of one machine, another after a reboot.
        pid: Its process id, as that container counts.
        since: When it began to lead or to stand by, by its own clock; only shown, as clocks may jump.
        process: What distinguishes this process from any other one of that boot; empty where that is not known.
    """

    id: str
    host: str
    boot: str
    pid: int
    since: datetime
    process: str = ""

    def __str__(self) -> str:
        """Return who that is, for people."""
        return f"process {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The lease, as it is written.

    Attributes:
        leader: Who has it, or had it.
        number: How often it was taken, this time included: the fencing number, which only grows.
        beats: How often it was renewed; that it grows proves life by no clock at all.
        is_free: Its leader has let it go.
        is_locked: Its leader has the lock of the kernel beside it, so that who can take that lock knows it is dead.
        is_kept: Its leader goes on without the database, so that the end of the lease does not silence it.
    """

    leader: Watchdog
    number: int = 1
    beats: int = 0
    is_free: bool = False
    is_locked: bool = False
    is_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What one watchdog knows of the lease.

    Attributes:
        me: Who it is.
        is_alone: It is the only one by the settings, so that a database that is away does not silence it.
        seen: The lease as it was read last; None where there was none.
        seen_at: When it was first read so.
        number: The number under which it leads; None while it stands by.
        until: Until when it may speak as the leader.
        is_renewed: Whether another one's lease was seen to be renewed, so that its leader is alive.
        timing: How often things happen.
    """

    me: Watchdog
    timing: Timing = TIMING
    is_alone: bool = False
    seen: Lease | None = None
    seen_at: float = -inf
    number: int | None = None
    until: float = -inf
    is_renewed: bool = False

    @property
    def leads(self) -> bool:
        """Return whether it has the lease, though it may not be sure of that just now."""
        return self.number is not None

    def seconds_left(self, now: float) -> float:
        """Return for how many seconds it may speak; 0 where it may not."""
        return max(0.0, self.until - now) if self.leads else 0.0

    def observed(self, lease: Lease | None, read_at: float) -> Self:
        """Return the position after a read of the lease that ended then; one that has vanished counts as unchanged."""
        if lease is None or lease == self.seen:
            return self
        known = self.seen
        is_renewed = known is not None and known.number == lease.number and known.beats < lease.beats
        return replace(self, seen=lease, seen_at=read_at, is_renewed=is_renewed)

    def is_mine(self) -> bool:
        """Return whether the lease is written as ours, as after a try to take it whose answer was lost."""
        return self.seen is not None and self.seen.leader.id == self.me.id and not self.seen.is_free

    def may_take(self, now: float, *, is_dead: bool) -> bool:
        """Return whether to try to take the lease.

        Args:
            now: By its own clock.
            is_dead: Whether its leader is dead for certain.
        """
        return self.seen is None or self.seen.is_free or is_dead or now - self.seen_at >= self.timing.lasts

    def next_lease(self, *, is_locked: bool) -> Lease:
        """Return the lease that it would take, which is written only where what it has seen is still written."""
        number = 1 if self.seen is None else self.seen.number + 1
        return Lease(leader=self.me, number=number, is_locked=is_locked, is_kept=self.is_alone)

    def renewing(self, *, is_locked: bool) -> tuple[Self, Lease]:
        """Return the lease to write next, and the position that has tried: each try beats anew, as one may be lost."""
        lease = self.seen or self.next_lease(is_locked=is_locked)
        lease = replace(lease, beats=lease.beats + 1, is_locked=is_locked)
        return replace(self, seen=lease), lease

    def renewed(self, lease: Lease, sent_at: float) -> Self:
        """Return the position once the lease is written as ours, by what was sent then."""
        until = max(self.until, sent_at + self.timing.silent_after)
        return replace(self, seen=lease, seen_at=sent_at, number=lease.number, until=until, is_renewed=False)

    def failed(self, ended_at: float) -> Self:
        """Return the position after a try of which nobody knows whether it was written; it may be the first."""
        if not self.is_alone:
            return self
        return replace(self, number=self.number or UNWRITTEN, until=ended_at + self.timing.silent_after)

    def overtaken(self, lease: Lease | None, read_at: float) -> Self:
        """Return the position once another one has the lease."""
        return replace(self, number=None, until=-inf, is_renewed=False).observed(lease, read_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """How the lease was taken.

    Attributes:
        before: The lease before; None where nobody had it.
        is_dead: Whether its leader was dead for certain.
        silent_for: For how many seconds its leader had given no sign of life, as far as that was seen.
    """

    before: Lease | None
    is_dead: bool
    silent_for: float

    @property
    def is_planned(self) -> bool:
        """Return whether nobody had to be replaced: the leader had let it go, or there was none."""
        return self.before is None or self.before.is_free


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Who leads, as one watchdog sees it.

    Attributes:
        me: That watchdog.
        is_alone: It is the only one by the settings.
        leads: It may speak now.
        leader: Who leads, or led last; None where that is not known.
        number: Under which number; 0 where that is not known.
        seen_seconds: How long ago the lease was written, or seen to be written; None where it never was.
        standbys: Who else stands by, of those that give signs of life.
        takeovers: How often this one has taken the lead from one that had not let it go.
        taken: How it took the lead last; None where it did not.
        trouble: Why the lease cannot be read or written; empty where it can.
    """

    me: Watchdog
    is_alone: bool = True
    leads: bool = True
    leader: Watchdog | None = None
    number: int = 0
    seen_seconds: float | None = None
    standbys: tuple[Watchdog, ...] = ()
    takeovers: int = 0
    taken: Taken | None = None
    trouble: str = ""


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
