"""A database at a URL: open it with the tables of this version, say why that is not possible."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from wine_slo.integrations.storage.engines.statements import upsert
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import number_of
from wine_slo.integrations.storage.schema import FACTS, STEPS, Types


class Database(ABC):
    """One database that holds the ledger, or may.

    Args:
        url: Where it is.
        is_patient: Whether a statement may take long, as nobody waits for it but who typed the command.

    Attributes:
        types: What its columns are of, for the steps of the schema.
        path: Its file; None where it is none.
    """

    types: ClassVar[Types]
    path: Path | None = None

    def __init__(self, url: sa.URL, *, is_patient: bool = False) -> None:
        self.url = url
        self.is_patient = is_patient

    def __str__(self) -> str:
        """Return where it is, without a password."""
        return repr(self.url)

    def open(self) -> sa.Engine:
        """Return the way to it, with the tables of this version.

        Raises:
            LedgerError: It cannot be opened, or a newer version of this program wrote it.
        """
        engine: sa.Engine | None = None
        try:
            engine = self.connect()
            with engine.connect() as connection:
                self.check_place(connection)
            self._bring_up(engine)
            with engine.connect() as connection:
                self.check_rights(connection)
        except (LedgerError, sa.exc.SQLAlchemyError, OSError, TypeError, ValueError, ImportError) as error:
            # TypeError, ValueError: an odd option of the URL; ImportError: the driver is not installed
            if engine is not None:
                engine.dispose()
            if isinstance(error, LedgerError):
                raise
            reason = self.reason_of(error)
            raise LedgerError(f"the ledger {self} cannot be opened: {reason}", reason) from error
        return engine

    @abstractmethod
    def connect(self) -> sa.Engine:
        """Return the way to it, prepared so that tables can be made.

        Raises:
            OSError: What is there can be no ledger.
        """

    @abstractmethod
    def begin(self, connection: sa.Connection) -> None:
        """Make the transaction of a connection one that writes, before anything is read in it."""

    @abstractmethod
    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Have the transaction of a connection see one state of everything, whoever writes meanwhile."""

    @abstractmethod
    def begin_step(self, connection: sa.Connection) -> None:
        """Do the same for a step of the schema, which only one process takes at once."""

    def check_place(self, connection: sa.Connection) -> None:  # noqa: B027 - where nothing is to be checked
        """See whether it is the ledger's, or can become that; nothing of it is changed.

        Raises:
            ValueError: It cannot; says what it is, and what is wanted.
        """

    def check_rights(self, connection: sa.Connection) -> None:  # noqa: B027 - where nothing is to be checked
        """See whether everything can be done with the tables.

        Raises:
            ValueError: It cannot; says what, and what is wanted.
        """

    @abstractmethod
    def reason_of(self, error: BaseException) -> str:
        """Return what people read of an error: what the database says, and what mends it where that is known."""

    @abstractmethod
    def size(self, connection: sa.Connection) -> int:
        """Return how many bytes it takes."""

    @abstractmethod
    def damage(self, connection: sa.Connection) -> str:
        """Return what the database itself finds wrong with what it keeps; empty where that is nothing."""

    @abstractmethod
    def backup(self, to: Path) -> None:
        """Write all of it into a new file, beside a watchdog that goes on.

        Raises:
            LedgerError: That is not possible, or there is such a file.
        """

    def _bring_up(self, engine: sa.Engine) -> None:
        """Take the steps of the schema that are missing, each in a transaction of its own.

        Raises:
            LedgerError: A newer version of this program wrote it.
        """
        with engine.connect() as connection:
            version = version_of(connection)
        while version < len(STEPS):
            with engine.begin() as connection:
                self.begin_step(connection)
                version = version_of(connection)  # another process may have been faster
                if version < len(STEPS):
                    for statement in STEPS[version]:
                        connection.exec_driver_sql(statement.format_map(self.types))
                    version += 1
                    upsert(connection, FACTS, [{"name": "version", "value": str(version)}])
        if version > len(STEPS):
            raise LedgerError(
                f"the ledger {self} was written by a newer version (its schema is {version}, "
                f"this program knows {len(STEPS)}); start that version, or name another ledger",
                "a newer version wrote it",
            )


def version_of(connection: sa.Connection) -> int:
    """Return the version of the schema; 0 where there is none yet.

    Raises:
        LedgerError: It cannot be read.
    """
    if not sa.inspect(connection).has_table(FACTS.name):
        return 0
    return number_of(connection.scalar(sa.select(FACTS.c.value).where(FACTS.c.name == "version")), "version")


def cause_of(error: BaseException) -> object:
    """Return what the system or the database says of an error."""
    if isinstance(error, OSError):
        return error.strerror or error
    return error.orig if isinstance(error, DBAPIError) else error
