"""The ledger in a file of SQLite: make the file, open it, say why that is not possible."""

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from wine_slo.config.files import text_file
from wine_slo.integrations.storage.engines.database import Database, cause_of
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import TABLES, Types

MEMORY = "sqlite://"
LONGEST_NAME = 100  # letters of a table's name in a sentence
BUSY_SECONDS = 2  # how long to wait for another process that writes; well inside one tick


class Sqlite(Database):
    """A file of SQLite, or memory.

    Args:
        url: Where it is.
        is_patient: Whether a statement may take long; here each may.
    """

    types: ClassVar[Types] = {"number": "INTEGER", "address": "BIGINT", "instant": "TEXT"}

    def __init__(self, url: sa.URL, *, is_patient: bool = False) -> None:
        super().__init__(url, is_patient=is_patient)
        name = url.database
        self.path = None if not name or name == ":memory:" or name.startswith("file:") else Path(name)

    def connect(self) -> sa.Engine:
        """Return the way to it, prepared so that tables can be made.

        Raises:
            OSError: What is there can be no ledger.
        """
        if self.path is not None:
            check_ours(self.path)
            make_file(self.path)
        is_memory = self.url == sa.make_url(MEMORY)
        more = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if is_memory else {}
        engine = sa.create_engine(self.url, **more)
        sa.event.listen(engine, "connect", _prepare)
        return engine

    def begin(self, connection: sa.Connection) -> None:
        """Make the transaction of a connection one that writes, before anything is read in it."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Have the transaction of a connection see one state of everything, whoever writes meanwhile."""
        connection.exec_driver_sql("BEGIN")

    def begin_step(self, connection: sa.Connection) -> None:
        """Do the same for a step of the schema, or each table would be a transaction of its own."""
        self.begin(connection)

    def reason_of(self, error: BaseException) -> str:
        """Return what people read of an error: what the database says, and what mends it where that is known."""
        is_of_rights = getattr(error, "errno", None) != errno.EINVAL  # that is what it is, and not whose
        return f"{cause_of(error)}{hint_at_rights(self.path) if is_of_rights else ''}"

    def size(self, connection: sa.Connection) -> int:
        """Return how many bytes it takes, with what is written ahead."""
        if self.path is None:
            return int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())
        parts = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(each.stat().st_size for each in parts if each.exists())

    def damage(self, connection: sa.Connection) -> str:
        """Return what SQLite finds wrong with its file; empty where that is nothing."""
        found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        return "" if found == "ok" else found

    def backup(self, to: Path) -> None:
        """Write all of it into a new file, a whole ledger by itself; a watchdog that writes meanwhile goes on.

        Raises:
            LedgerError: That is not possible, or there is such a file.
        """
        if self.path is None or not self.path.is_file():
            raise LedgerError(f"there is no ledger {self.path or self} that could be written into {to}")
        try:
            os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise LedgerError(f"the backup {to} cannot be made: {error.strerror}") from error
        try:
            with closing(sqlite3.connect(self.path)) as ledger, closing(sqlite3.connect(to)) as copy:
                ledger.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file instead of three
                damage = copy.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            to.unlink()
            raise LedgerError(f"the backup {to} cannot be made: {error}") from error
        if damage != "ok":
            raise LedgerError(f"the backup {to} is damaged, as the ledger is: {damage}")


def _prepare(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def check_ours(path: Path) -> None:
    """See whether a file is a ledger, or can become one; nothing of it is changed.

    Raises:
        OSError: It is the database of another program.
    """
    if not path.is_file():
        return
    found: set[str] = set()
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        found = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if found and found.isdisjoint(TABLES.tables):
        reason = f"it is the database of another program: it has a table {min(found)[:LONGEST_NAME]}"
        raise OSError(errno.EINVAL, reason)


def make_file(path: Path) -> None:
    """Make the file and its folder where there are none, for nobody else to read.

    Raises:
        OSError: They cannot be made.
    """
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, mode=0o700)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")  # a pipe would block
    with suppress(OSError):  # SQLite says it better
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.is_file() and path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o077:
        path.chmod(0o600)  # older versions made it readable for all; SQLite gives its other files the same mode


def hint_at_rights(path: Path | None) -> str:
    """Return what is wrong with the rights to a file, and the command that mends it; nothing where that is right."""
    if path is None:
        return ""
    whole = path.absolute()
    there = [each for each in (whole, *whole.parents) if os.path.exists(each)]  # noqa: PTH110 - False where it is hidden
    for each in there[:2] if there[0] == whole else there[:1]:
        if os.access(each, os.W_OK):
            continue
        if os.statvfs(each).f_flag & os.ST_RDONLY:
            return f"; {each} is on a file system that is read-only"
        me = text_file.user(os.geteuid())
        if each.is_dir() and not os.access(each, os.X_OK):
            return f"; the user {me} may not enter {each}"
        if each in {whole, whole.parent} and _has_others(whole.parent):  # to give all of it away would harm
            command = f"install -d -o {os.geteuid()} {whole.parent / 'ledger'}"
            return f"; name a folder of its own in WINE_SLO_DATABASE_URL: {command} (this is {me})"
        if each in {whole, whole.parent}:
            command = f"chown -R {os.geteuid()} {whole.parent}"
            return f"; {command} (it belongs to {text_file.user(each.stat().st_uid)}, this is {me})"
        return f"; install -d -o {os.geteuid()} {whole.parent} (this is {me})"
    return ""


def _has_others(folder: Path) -> bool:
    """Return whether a folder holds more than the files of a ledger: folders, links, devices."""
    try:
        return any(not each.is_file() or each.is_symlink() for each in folder.iterdir())
    except OSError:
        return True


def identity_of(path: Path | None) -> tuple[int, int] | None:
    """Return what distinguishes a file from another one that came in its place."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def in_memory() -> Sqlite:
    """Return a database that ends with this process."""
    return Sqlite(sa.make_url(MEMORY))


def copy_whole(source: sa.Engine, target: sa.Engine) -> None:
    """Make a database the same as another one, its tables included.

    Raises:
        LedgerError: One of them cannot be used; nothing was copied.
    """
    try:
        with source.connect() as here, target.connect() as there:
            _raw(here).backup(_raw(there))
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise LedgerError(f"the ledger cannot be written: {cause_of(error)}", str(cause_of(error))) from error


def write_log_back(engine: sa.Engine) -> None:
    """Write what is in the write-ahead log into the database.

    Raises:
        LedgerError: That is not possible.
    """
    try:
        with engine.connect() as connection:
            _raw(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise LedgerError(f"the ledger cannot be written: {cause_of(error)}", str(cause_of(error))) from error


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)
