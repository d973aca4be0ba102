"""The fence: a write of who does not lead any more is refused, in the transaction that would have written it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from wine_slo.integrations.storage.lease.rows import ONLY, Database
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import LEASE
from wine_slo.slo.lease import UNWRITTEN


class OvertakenError(LedgerError):
    """Another watchdog leads: nothing was written, and nothing must be sent."""


class Fence:
    """The database as one leader sees it.

    Args:
        database: What is behind it.
        me: The id of the leader.
        number: Returns the number under which it leads; 0 while that could not be written.
        on_refused: Called where a write is refused.
    """

    def __init__(
        self, database: Database, me: str, number: Callable[[], int | None], on_refused: Callable[[], None]
    ) -> None:
        self._database = database
        self._me = me
        self._number = number
        self._on_refused = on_refused

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""
        return self._database.path

    def close(self) -> None:
        """End its connections."""
        self._database.close()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open one connection."""
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one transaction, in which the lease stays as it is.

        Raises:
            OvertakenError: Another one has it.
            LedgerError: Nothing was written.
        """
        with self._database.writing() as connection:
            those = sa.select(LEASE.c.number, LEASE.c.leader).where(LEASE.c.id == ONLY)
            row = connection.execute(those.with_for_update(read=True)).first()
            number = self._number()
            if row is not None and number != UNWRITTEN and (row.number, row.leader) != (number, self._me):
                self._on_refused()
                reason = "another watchdog has taken the lead"
                raise OvertakenError(f"the ledger is not written: {reason}", reason)
            yield connection
