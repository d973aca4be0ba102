"""Writes that outlast an outage of the database: a value that cannot be written is written with the next of any kind.

State, delivery records and what people did are kept by those who write them, and come again. Every other value comes
once: it is kept here, the newest of its name. When a database on a server answers again it is written only if it still
is the history that was left; a file that is away is the concern of the failover.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from threading import RLock

import sqlalchemy as sa

from wine_slo.integrations.storage.lease.rows import Database
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import FACTS

Change = Callable[[sa.Connection], object]
LASTING = (sa.exc.DataError, sa.exc.IntegrityError, sa.exc.ProgrammingError, OverflowError)  # no later try helps
LAST_EVALUATION = "looked_at"  # the fact that each evaluation changes


class Writes:
    """Writes into one database.

    Args:
        database: Where to.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[object, ...], Change] = {}
        self._turn = RLock()  # of those that write what waits
        self._evaluations: set[str] | None = None  # the last one that is written, and those that perhaps are
        self._is_unsure = False  # whether a write has failed since then

    def begin(self, evaluation: str | None) -> None:
        """Go on with the history of this last evaluation."""
        self._evaluations, self._is_unsure = {evaluation or ""}, False

    def keep(self, name: tuple[object, ...], change: Change) -> None:
        """Write a value, or keep it under its name until it can be written.

        Raises:
            LedgerError: It is not written yet.
        """
        with self._turn:
            self._waiting.pop(name, None)
            self._waiting[name] = change
            try:
                with self.open():
                    pass
            except LedgerError as error:
                if isinstance(error.__cause__, LASTING):
                    self._waiting.pop(name, None)
                raise

    @contextmanager
    def open(self, evaluation: str | None = None) -> Iterator[sa.Connection]:
        """Open one transaction, in which what waits is written first.

        Args:
            evaluation: The last evaluation, where it is what is written.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._turn if self._waiting else nullcontext():
            waiting = dict(self._waiting)
            if evaluation is not None and self._evaluations is not None:
                self._evaluations.add(evaluation)
            try:
                with self._database.writing() as connection:
                    self._check_history(connection)
                    for change in waiting.values():
                        change(connection)
                    yield connection
            except LedgerError:
                self._is_unsure = True
                raise
            self._is_unsure = False
            if evaluation is not None and self._evaluations is not None:
                self._evaluations = {evaluation}
            for name, change in waiting.items():
                if self._waiting.get(name) is change:
                    del self._waiting[name]

    def _check_history(self, connection: sa.Connection) -> None:
        """See whether a database that did not answer still holds the history that was left.

        Raises:
            LedgerError: It holds another one, such as that of a backup, which would become a mixture of both.
        """
        if not self._is_unsure or self._database.path is not None or self._evaluations is None:
            return
        found = connection.scalar(sa.select(FACTS.c.value).where(FACTS.c.name == LAST_EVALUATION))
        if (found or "") not in self._evaluations:
            reason = "it can be reached again and holds another history: restart the watchdog to go on with that"
            raise LedgerError(f"the ledger is not written: {reason}", reason)
