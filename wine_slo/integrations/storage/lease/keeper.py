"""Who keeps the lease: takes it, renews it, stands by, and knows at every moment whether this watchdog may speak.

Its calls have a thread of their own, so that no write that hangs holds up a renewal.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from wine_slo.integrations.storage.lease.death import boot, is_dead, is_suspended, process
from wine_slo.integrations.storage.lease.lock_file import LockFile
from wine_slo.integrations.storage.lease.standbys import Standbys
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.lease import TIMING, UNWRITTEN, Leadership, Lease, Position, Taken, Timing, Watchdog

log = logging.getLogger(__name__)
T = TypeVar("T")
HANGS_AFTER = 2  # times as long as it takes to the next renewal; no call of the database may take longer
SETTLES_IN = 0.1  # seconds; between the lease and the lock that a leader lets go


class LeaseError(Exception):
    """Another watchdog leads; the text says which, and what to do."""


class Found(StrEnum):
    """What a try to take the lease has found."""

    OURS = "ours"
    HELD = "held"
    LEFT = "left"  # it is free, and its lock is not yet
    UNKNOWN = "unknown"  # whether its leader is alive is not known yet
    UNREADABLE = "unreadable"


class LeaseKeeper:
    """Takes the lease, and keeps it.

    Args:
        ledger: Where it is.
        now: Reads the clock, for people.
        clock: Reads, in seconds, a clock that nobody sets and that goes on while this process is suspended.
        is_alone: Whether it is the only one by the settings: a second one is refused, and a database that is away
            silences nobody.
        timing: How often things happen.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        *,
        is_alone: bool,
        timing: Timing = TIMING,
    ) -> None:
        self._ledger = ledger
        self._rows = ledger.lease
        file = Path(os.path.realpath(ledger.path)) if ledger.path else None  # a link to it is the same ledger
        self._lock = LockFile(file.with_name(f"{file.name}.lock")) if file else None
        self._clock = clock
        self._timing = timing
        self._position = Position(me=_me(now()), is_alone=is_alone, timing=timing)  # written by the thread alone
        self._thread = ThreadPoolExecutor(1, "lease")
        self._pending: asyncio.Future[Any] | None = None
        self._standbys = Standbys(self._rows, self._position.me, clock, timing)
        self._refusal = asyncio.Event()
        self._has_ended = False
        self._excused_until = -inf  # for one that is alone, while the database hangs
        self._trouble = ""
        self._taken: Taken | None = None
        self._takeovers = 0

    def seconds_left(self) -> float:
        """Return for how many seconds this watchdog may speak from now on; 0 where it may not."""
        if self._has_ended or self._refusal.is_set():
            return 0.0
        now, position = self._clock(), self._position
        if position.is_alone and position.leads:
            return max(position.seconds_left(now), self._excused_until - now, 0.0)
        return position.seconds_left(now)

    def leadership(self) -> Leadership:
        """Return who leads, as far as this one knows."""
        position = self._position
        return Leadership(
            me=position.me,
            is_alone=position.is_alone,
            leads=self.seconds_left() > 0,
            leader=position.seen.leader if position.seen else None,
            number=position.seen.number if position.seen else 0,
            seen_seconds=self._clock() - position.seen_at if position.seen else None,
            standbys=self._standbys.seen(),
            takeovers=self._takeovers,
            taken=self._taken,
            trouble=self._trouble,
        )

    def fenced(self) -> Ledger:
        """Return the ledger as this leader sees it until another one leads, however late a write of it comes."""
        tenure, loop = self._position.number, asyncio.get_running_loop()

        def number() -> int | None:
            return tenure or self._position.number  # one that is alone may not have written its lease yet

        def refused() -> None:
            loop.call_soon_threadsafe(self._refusal.set)

        return self._ledger.fenced(self._position.me.id, number, refused)

    async def take(self, stop: asyncio.Event, on_try: Callable[[], None]) -> bool:
        """Take the lease as soon as that may be; False where it was to stop before that.

        Args:
            stop: What ends the waiting.
            on_try: Called after each try that does not take it.

        Raises:
            LeaseError: Another watchdog has it, and this one is to be alone.
        """
        said: object = None
        while not stop.is_set():
            try:
                found = await self._call(self._try)
            except LedgerError as error:
                found, self._trouble = Found.UNREADABLE, str(error)
            if found is Found.OURS:
                return True
            if found in {Found.HELD, Found.LEFT} and self._position.is_alone:
                named = f"the ledger {self._ledger.path}" if self._ledger.path else "the ledger"
                raise LeaseError(
                    f"{named} is held by another watchdog ({self._shown}), and two would notify twice: stop that "
                    "one, name another ledger in WINE_SLO_DATABASE_URL, or set WINE_SLO_STANDBY=true for both, so "
                    "that one stands by"
                )
            if said != (said := (found, self._shown)):
                log.warning(self._sentence(found))
            on_try()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SETTLES_IN if found is Found.LEFT else self._timing.tried_every)
        return False

    async def keep(self, on_regained: Callable[[], None]) -> str:
        """Renew the lease until another watchdog has it; return the sentence that says so.

        Args:
            on_regained: Called when this watchdog may speak again, after a while in which it might not.
        """
        silent_from = inf
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._refusal.wait(), self._timing.renewed_every)
            silent_from = min(silent_from, self._clock() + self.seconds_left())
            try:
                await self._call(self._renew)
                self._trouble = ""
            except LedgerError as error:
                log.debug("the lease is not renewed: %s", error)  # whoever writes the state says so
                self._trouble = str(error)
                self._excused_until = self._clock() + self._timing.silent_after
                await asyncio.sleep(self._timing.tried_every)
            else:
                self._refusal.clear()
            if not self._position.leads:
                return f"another watchdog has taken the lead ({self._shown})"
            if self.seconds_left() and self._clock() >= silent_from:
                on_regained()
            silent_from = inf if self.seconds_left() else silent_from

    async def release(self, within: float) -> None:
        """Let the lease go, so that another one takes it at once; a second time nothing is done."""
        if self._has_ended:
            return
        self._has_ended = True
        with suppress(LedgerError):  # the lock says that nobody holds it, or its end does
            await self._call(self._free, within)
        if self._lock:
            self._lock.free()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _call(self, call: Callable[[], T], within: float | None = None) -> T:
        """Return what a call of the database gives; one that hangs is waited for before the next.

        Raises:
            LedgerError: It is not known whether it was done.
        """
        limit = within or HANGS_AFTER * self._timing.renewed_every
        if self._pending is not None:
            await asyncio.wait({self._pending}, timeout=limit)
        if self._pending is None or self._pending.done():
            self._pending = future = asyncio.get_running_loop().run_in_executor(self._thread, call)
            future.add_done_callback(lambda done: done.cancelled() or done.exception())  # one that hung is not awaited
            await asyncio.wait({future}, timeout=limit)
            if future.done():
                return future.result()
        reason = f"no answer within {limit:g} s"
        raise LedgerError(f"the ledger cannot be read: {reason}", reason)

    def _try(self) -> Found:
        """Take the lease where that may be, or show that this one stands by."""
        locked = self._lock.take() if self._lock else None
        try:
            found = self._take(locked=locked)
            if found is not Found.OURS and not self._position.is_alone:
                self._standbys.show()
            self._trouble = ""
        except LedgerError as error:  # one that is alone writes it with the first renewal that can be
            self._trouble = f"{error}{self._culprit()}"
            if locked is False:
                return Found.HELD if self._position.is_alone else Found.UNREADABLE
            self._position = self._position.failed(self._clock())
            found = Found.OURS if self._position.leads else Found.UNREADABLE
        if found is not Found.OURS and self._lock:
            self._lock.free()  # or a leader that has lost it could not take it back
        return found

    def _take(self, *, locked: bool | None) -> Found:
        """Take the lease where that may be.

        Raises:
            LedgerError: It is not known whether it was taken.
        """
        written = self._rows.read()
        self._position = position = self._position.observed(written, self._clock())
        seen = position.seen
        if position.is_mine():  # the answer to a try was lost, or it is written in memory alone
            self._renew_written(locked=locked)
            return Found.OURS if self._position.leads else Found.UNKNOWN
        dead = seen is not None and is_dead(seen, position.me, locked=locked)
        if locked is False and (seen is None or seen.is_free):
            return Found.LEFT  # or it is one that could not write its lease
        if not position.may_take(self._clock(), is_dead=dead):
            return Found.HELD if locked is False or position.is_renewed else Found.UNKNOWN
        sent_at, lease = self._clock(), position.next_lease(is_locked=bool(locked))
        if not self._rows.take(lease, instead_of=written):
            return Found.UNKNOWN  # another one was faster
        self._taken = Taken(before=seen, is_dead=dead, silent_for=sent_at - position.seen_at if seen else 0.0)
        self._takeovers += not self._taken.is_planned
        self._position = position.renewed(lease, sent_at)
        self._standbys.leave()
        return Found.OURS

    def _renew(self) -> None:
        locked = self._lock.take() if self._lock else None
        if self._position.number == UNWRITTEN:
            self._write_first(locked=locked)
        else:
            self._renew_written(locked=locked)

    def _renew_written(self, *, locked: bool | None) -> None:
        """Renew the lease that is written as ours, whether or not we knew that.

        Raises:
            LedgerError: It is not known whether it was renewed.
        """
        self._position, lease = self._position.renewing(is_locked=bool(locked))
        sent_at = self._clock()
        try:
            if self._rows.renew(lease) or self._write_anew(lease):
                self._position = self._position.renewed(lease, sent_at)
                self._standbys.read()
            else:
                self._position = self._position.overtaken(self._rows.read(), self._clock())
        except LedgerError:
            self._position = self._position.failed(self._clock())
            raise

    def _write_first(self, *, locked: bool | None) -> None:
        """Take the lease that could not be written at the start; nobody has it, as far as is known.

        Raises:
            LedgerError: It is still not known whether it is written.
        """
        try:
            found = self._take(locked=locked)
        except LedgerError:
            self._position = self._position.failed(self._clock())
            raise
        if found in {Found.HELD, Found.LEFT}:
            self._position = self._position.overtaken(None, self._clock())
        elif found is not Found.OURS:
            self._position = self._position.failed(self._clock())

    def _write_anew(self, lease: Lease) -> bool:
        """Write our lease where somebody has deleted its row; False where it is another one's."""
        return self._rows.read() is None and self._rows.take(lease, instead_of=None)

    def _free(self) -> None:
        position = self._position
        if not position.leads:
            self._standbys.leave()
        elif position.number != UNWRITTEN:
            _, lease = position.renewing(is_locked=False)
            self._rows.renew(replace(lease, is_free=True))

    def _culprit(self) -> str:
        """Return which process may hold up every write of an SQLite file, and the commands that end that."""
        seen = self._position.seen
        if self._lock is None or seen is None or not is_suspended(seen.leader, self._position.me):
            return ""
        pid = seen.leader.pid
        return f"; the watchdog that leads is suspended in the middle of a write: kill -CONT {pid}, or kill -9 {pid}"

    @property
    def _shown(self) -> str:
        return str(self._position.seen.leader if self._position.seen else "it is not written which")

    def _sentence(self, found: Found) -> str:
        match found:
            case Found.HELD:
                return f"the ledger is held by {self._shown}: this one stands by, waiting for its end"
            case Found.UNREADABLE:
                return f"{self._trouble}; this one stands by until it can be, and notifies of nothing"
        wait = self._timing.lasts
        return f"the ledger is held by {self._shown}: this one stands by, waiting up to {wait:.0f} s for a sign of life"


def _me(since: datetime) -> Watchdog:
    pid = os.getpid()
    return Watchdog(id=uuid4().hex, host=socket.gethostname(), boot=boot(), pid=pid, since=since, process=process(pid))
