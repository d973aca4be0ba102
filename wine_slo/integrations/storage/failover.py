"""What keeps the ledger in memory while its file cannot be used, and writes all of it as soon as it can.

A file that cannot be opened, or that is deleted while it is in use, stops nothing: each write says that it is not in
the file.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from wine_slo.integrations.storage.engines.database import Database, cause_of
from wine_slo.integrations.storage.engines.sqlite import copy_whole, identity_of, in_memory, write_log_back
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import ACTIONS, FACTS, INCIDENTS

AGAIN_AFTER = 5.0  # seconds

log = logging.getLogger(__name__)


class Failover:
    """Connect to the ledger's file, or to memory in its place.

    Args:
        engine: What is used at first.
        database: What it is the way to, or is in the place of.
        trouble: Why the file is not what is used at first; None where it is.
        again_after: Seconds between two tries to open a file that cannot be opened.
    """

    def __init__(
        self,
        engine: sa.Engine,
        database: Database,
        trouble: LedgerError | None = None,
        again_after: float = AGAIN_AFTER,
    ) -> None:
        self._engine = engine
        self._database = database
        self._trouble = trouble  # why the file is not the one that is used; None while it is
        self._again_after = again_after
        self._again_at = monotonic() + again_after
        self._turn = RLock()  # of the file's coming and going, and of the one connection that memory has
        self._file = identity_of(self.path)
        self._log: tuple[int, int] | None = None  # the file that SQLite writes ahead into; None before it is seen

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""
        return self._database.path

    def close(self) -> None:
        """End its connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Open one connection, to the database or to what is kept in memory; what goes wrong is a LedgerError."""
        try:
            with self._turn:
                self._come_back()
                if self._trouble is not None:
                    with self._engine.connect() as connection:
                        yield connection
                    return
            with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, sa.exc.TimeoutError, OverflowError) as error:  # OverflowError: no column holds that number
            reason = self._database.reason_of(error)
            raise LedgerError(f"the ledger cannot be read: {reason}", reason) from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Open one transaction; what goes wrong in it is a LedgerError, and so is that it goes only into memory."""
        try:
            with self._turn:
                self._come_back()
                if self._trouble is not None:
                    with self._begun() as connection:
                        yield connection
                    raise self._trouble
            with self._begun() as connection:
                yield connection
        except (DBAPIError, sa.exc.TimeoutError) as error:
            reason = self._database.reason_of(error)
            raise LedgerError(f"the ledger cannot be written: {reason}", reason) from error
        except OverflowError as error:  # a number that no column holds
            raise LedgerError(f"the ledger cannot be written: {error}", str(error)) from error

    @contextmanager
    def _begun(self) -> Iterator[sa.Connection]:
        """Open the transaction of a write; whatever holds for each of them is checked here, first thing in it."""
        with self._engine.begin() as connection:
            if self._trouble is None:
                self._database.begin(connection)
            yield connection

    def _come_back(self) -> None:
        """See whether the file that is used is still there, and whether one that was not can be opened now."""
        if self._trouble is None:
            if self.path is None:
                return
            if identity_of(self.path) == self._file:
                self._follow_log(self.path.with_name(f"{self.path.name}-wal"))
                return
            self._remember(LedgerError("the ledger was deleted or replaced while it was in use", "it was deleted"))
        if monotonic() < self._again_at:
            return
        self._again_at = monotonic() + self._again_after
        try:
            engine = self._database.open()
            _check_empty(engine)
            copy_whole(self._engine, engine)
        except LedgerError as error:
            self._trouble = error
        except DBAPIError as error:
            self._trouble = LedgerError(f"the ledger cannot be written: {cause_of(error)}", str(cause_of(error)))
        else:
            log.warning("the ledger %s was made anew and holds everything that was kept in memory", self.path)
            self._engine.dispose()
            self._engine, self._trouble, self._file = engine, None, identity_of(self.path)

    def _follow_log(self, path: Path) -> None:
        """See whether the write-ahead log is still there, and save what is in it where it was deleted.

        What is written into a deleted log is lost with the process, though this process still reads it.
        """
        found = identity_of(path)
        if self._log is None or found == self._log:
            self._log = found
            return
        log.warning("the write-ahead log of the ledger was deleted while it was in use: what was in it is written anew")
        try:
            write_log_back(self._engine)
        except LedgerError as error:
            log.error("what was in it cannot be written: %s", error.reason)  # noqa: TRY400 - a sentence says it all
        self._engine.dispose()  # the next connection makes a new log
        self._log = None

    def _remember(self, trouble: LedgerError) -> None:
        """Go on in memory, with all that the file held."""
        log.error("%s; everything is kept in memory until it can be written", trouble)
        memory = in_memory().open()
        try:
            copy_whole(self._engine, memory)
        except LedgerError as error:
            log.error("what the ledger held cannot be read any more: %s", error.reason)  # noqa: TRY400 - a sentence says it all
        self._engine.dispose()
        self._engine, self._trouble, self._again_at = memory, trouble, 0.0


def _check_empty(engine: sa.Engine) -> None:
    """See whether a ledger holds nothing, so that what is kept in memory can be written into it.

    Raises:
        LedgerError: It holds something, which would be lost.
    """
    with engine.connect() as connection:
        is_empty = not any(
            connection.scalar(sa.select(sa.func.count()).select_from(each)) for each in (INCIDENTS, ACTIONS)
        )
        evaluated_at = connection.scalar(sa.select(FACTS.c.value).where(FACTS.c.name == "looked_at"))
    if not is_empty or evaluated_at is not None:
        engine.dispose()
        reason = "it can be opened again and holds an earlier history: restart the watchdog to go on with that"
        raise LedgerError(f"the ledger is not written: {reason}", reason)
