"""The claim of one watchdog to its ledger: two on one ledger would notify of everything twice.

A lock of the kernel proves life on one machine: it is free at once where its holder was killed or the machine was
rebooted, and held however long a process is suspended. The holder that the ledger names says who that is, and
proves life where the lock cannot, as on storage that moved here from another machine: its signs of life are counted
there, and who sees the count stand still for long enough takes over. No clock is compared with another one.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from time import monotonic
from uuid import uuid4

from wine_slo.integrations.storage.holder import Holder
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.lock_file import LockFile

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0  # between two signs of life
STALE_SECONDS = 35.0  # a holder elsewhere that gives none for so long is dead: three were missed
RETRY_SECONDS = 1.0  # between two tries to take what another one holds
BOOT = Path("/proc/sys/kernel/random/boot_id")


class ClaimError(Exception):
    """Another watchdog holds the ledger; the text says which, and what to do."""


class Found(StrEnum):
    """What a try to take the ledger has found."""

    OURS = "ours"
    HELD = "held"
    UNKNOWN = "unknown"  # whether its holder is alive is not known yet


class Claim:
    """Takes the ledger, and holds it.

    Args:
        ledger: What is to be held.
        now: Reads the clock, for people.
        beat_seconds: Seconds between two signs of life.
        stale_seconds: Seconds without one, after which a holder on another machine is dead.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], datetime],
        beat_seconds: float = BEAT_SECONDS,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self._ledger = ledger
        file = Path(os.path.realpath(ledger.path)) if ledger.path else None  # a link to it is the same ledger
        self._lock = LockFile(file.with_name(f"{file.name}.lock")) if file else None
        self._beat_seconds = beat_seconds
        self._stale_seconds = stale_seconds
        self._me = Holder(id=uuid4().hex, host=socket.gethostname(), boot=_boot(), pid=os.getpid(), since=now())
        self._written: Holder | None = None  # what the ledger says of us, as far as we know
        self._other: Holder | None = None
        self._other_seen_at = 0.0

    async def take(self, stop: asyncio.Event, on_wait: Callable[[], None], *, waits: bool) -> bool:
        """Take the ledger, and where it waits, as soon as nobody else holds it; False where it was to stop before that.

        Args:
            stop: What ends the waiting.
            on_wait: Called again and again meanwhile.
            waits: Whether to wait for the end of another holder.

        Raises:
            ClaimError: another watchdog holds it, and it does not wait.
        """
        said = ""
        while not stop.is_set():
            found = await asyncio.to_thread(self._try)
            if found is Found.OURS:
                return True
            if found is Found.HELD and not waits:
                raise ClaimError(
                    f"the ledger {self._ledger.path} is held by another watchdog ({self._shown}), and two would notify "
                    "twice: stop that one, name another ledger in WINE_SLO_DATABASE_URL, or set WINE_SLO_STANDBY=true "
                    "to wait for its end"
                )
            if said != found:
                said = found
                log.warning("the ledger is held by %s: %s", self._shown, self._waiting_for(found))
            on_wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY_SECONDS)
        return False

    async def keep(self) -> str:
        """Give signs of life until another watchdog has taken the ledger; return the sentence that says so."""
        while await asyncio.to_thread(self._beat):  # noqa: ASYNC110  # the other machine cannot set an event here
            await asyncio.sleep(self._beat_seconds)
        return f"another watchdog has taken the ledger ({self._shown}): this one ends, or both would notify"

    def free(self) -> None:
        """Let the ledger go."""
        with suppress(LedgerError):  # the lock says that nobody holds it
            if self._written:
                self._ledger.hold(replace(self._written, is_free=True), instead_of=self._written)
        if self._lock:
            self._lock.free()

    def _try(self) -> Found:
        locked = self._lock.take() if self._lock else None
        try:
            other = self._ledger.holder()
            if locked is False:
                self._other = other
                return Found.HELD
            if other is not None and not self._is_dead(other, locked=locked):
                found = self._found(other)
                if found is not Found.OURS:
                    return found
            if not self._write(other):
                return Found.UNKNOWN  # another one is being faster
        except LedgerError as error:  # it is written with the first sign of life that can be
            if locked is False:
                return Found.HELD
            log.warning("who holds the ledger is not written: %s", error)
        return Found.OURS

    def _beat(self) -> bool:
        """Give a sign of life; False where another one holds the ledger."""
        locked = self._lock.take() if self._lock else None
        if locked is False:  # somebody has deleted the file of the lock, and another one was faster
            return False
        try:
            other = self._ledger.holder()
            if other is not None and other.id != self._me.id and not self._is_dead(other, locked=locked):
                if self._written:
                    self._other = other
                    return False
                return self._found(other) is not Found.HELD
            self._write(other)
        except LedgerError as error:
            log.debug("no sign of life is written: %s", error)  # whoever writes the state says so
        return True

    def _write(self, other: Holder | None) -> bool:
        """Write that we hold the ledger instead of another one, or still; False where a third one was faster.

        Raises:
            LedgerError: nothing was written.
        """
        if other is None or other.id == self._me.id:
            mine = replace(self._me, beats=self._me.beats + 1)
        else:
            mine = replace(self._me, number=other.number + 1)
        is_written = self._ledger.hold(mine, instead_of=other)
        if is_written:
            self._me = self._written = mine
        return is_written

    def _is_dead(self, other: Holder, *, locked: bool | None) -> bool:
        """Return whether a holder is dead for certain: it has let go, or would have the lock that we have."""
        return other.is_free or (bool(locked) and other.is_before_a_restart_of(self._me))

    def _found(self, other: Holder) -> Found:
        """Return whether a holder is alive for whom there is no lock: its signs of life are watched for a while."""
        before, self._other = self._other, other
        if before is None or before.id != other.id:
            self._other_seen_at = monotonic()
            return Found.UNKNOWN
        if before.beats != other.beats:
            self._other_seen_at = monotonic()
            return Found.HELD
        return Found.OURS if monotonic() - self._other_seen_at >= self._stale_seconds else Found.UNKNOWN

    @property
    def _shown(self) -> str:
        return str(self._other or "it is not written which")

    def _waiting_for(self, found: Found) -> str:
        if found is Found.HELD:
            return "waiting for its end"
        return f"waiting up to {self._stale_seconds:.0f} s for a sign that it is alive"


def _boot() -> str:
    try:
        return BOOT.read_text().strip()
    except OSError:
        return uuid4().hex  # no Linux; the name of the machine has to do
