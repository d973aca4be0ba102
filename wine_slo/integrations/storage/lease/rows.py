"""The rows of the lease: one of who leads, and one of each watchdog that stands by."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from wine_slo.integrations.storage.engines.statements import end_sessions_that_lock, upsert
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import encode
from wine_slo.integrations.storage.schema import LEASE, STANDBYS
from wine_slo.slo.lease import Lease, Watchdog

V = TypeVar("V")
ONLY = 1  # the key of the only row of the lease


class Database(Protocol):
    """Where they are."""

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""

    def close(self) -> None:
        """End its connections."""

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Open one connection."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Open one transaction; what goes wrong in it is a LedgerError."""


@dataclass(frozen=True, slots=True)
class Standby:
    """One that stands by, as it is written.

    Attributes:
        beats: How many signs of life it has given.
    """

    watchdog: Watchdog
    beats: int


class LeaseRows:
    """Reads and writes them. Every call is one transaction and may block on the disk or the network."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Lease | None:
        """Return the lease; None where nobody ever had it.

        Raises:
            LedgerError: It cannot be read.
        """
        with self._database.reading() as connection:
            row = connection.execute(sa.select(LEASE).where(LEASE.c.id == ONLY)).first()
        if row is None:
            return None
        return _decoded(row.value, Lease) or Lease(leader=_stranger(row.leader), number=row.number, beats=row.beats)

    def take(self, lease: Lease, instead_of: Lease | None) -> bool:
        """Write another lease; False, and nothing is written, where what is written is not what was read.

        Raises:
            LedgerError: It is not known whether it was written.
        """
        row = _row_of(lease)
        try:
            with self._database.writing() as connection:
                if instead_of is None:
                    connection.execute(LEASE.insert(), row)
                    return True
                known = (LEASE.c.id == ONLY, LEASE.c.number == instead_of.number, LEASE.c.beats == instead_of.beats)
                end_sessions_that_lock(connection, LEASE, sa.and_(*known))  # of a leader that may never go on
                done = connection.execute(LEASE.update().where(*known).values(row))
        except LedgerError as error:
            if isinstance(error.__cause__, IntegrityError):
                return False
            raise
        return done.rowcount == 1

    def renew(self, lease: Lease) -> bool:
        """Write our lease with one sign of life more; False where another one has it.

        Raises:
            LedgerError: It is not known whether it was written.
        """
        ours = (LEASE.c.id == ONLY, LEASE.c.number == lease.number, LEASE.c.leader == lease.leader.id)
        with self._database.writing() as connection:
            done = connection.execute(LEASE.update().where(*ours).values(_row_of(lease)))
        return done.rowcount == 1

    def standbys(self) -> list[Standby]:
        """Return those that stand by, or stood by until they were killed.

        Raises:
            LedgerError: They cannot be read.
        """
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(STANDBYS)).all()
        return [Standby(each, row.beats) for row in rows if (each := _decoded(row.value, Watchdog)) is not None]

    def show_standby(self, standby: Standby) -> None:
        """Write that one stands by.

        Raises:
            LedgerError: It is not written.
        """
        row = {"id": standby.watchdog.id, "beats": standby.beats, "value": encode(standby.watchdog)}
        with self._database.writing() as connection:
            upsert(connection, STANDBYS, [row])

    def drop_standbys(self, ids: Iterable[str]) -> None:
        """Forget some that stood by.

        Raises:
            LedgerError: They are still written.
        """
        with self._database.writing() as connection:
            connection.execute(STANDBYS.delete().where(STANDBYS.c.id.in_(list(ids))))


def _row_of(lease: Lease) -> dict[str, Any]:
    return {
        "id": ONLY,
        "number": lease.number,
        "beats": lease.beats,
        "leader": lease.leader.id,
        "value": encode(lease),
    }


def _decoded(text: str, kind: type[V]) -> V | None:
    """Return a value; None where nobody can read it, so that no watchdog of ours wrote it."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        return None


def _stranger(name: str) -> Watchdog:
    return Watchdog(id=name, host="?", boot="?", pid=0, since=datetime.fromtimestamp(0, UTC))
