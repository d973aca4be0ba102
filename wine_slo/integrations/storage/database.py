"""The ledger's database: make its file, open it with the tables of this version, say why that is not possible."""

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from wine_slo.config.files import text_file
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import number_of
from wine_slo.integrations.storage.schema import ACTIONS, FACTS, INCIDENTS, STEPS, TABLES

MEMORY = "sqlite://"
LONGEST_NAME = 100  # letters of a table's name in a sentence
BUSY_SECONDS = 2  # how long to wait for another process that writes; well inside one tick


def open_database(url: str) -> sa.Engine:
    """Return the database at a URL, with the tables of this version.

    Raises:
        LedgerError: It cannot be opened, or a newer version of this program wrote it.
    """
    try:
        place = repr(sa.make_url(url))  # without its password
    except sa.exc.ArgumentError as error:
        raise LedgerError("the ledger cannot be opened: its address is no SQLAlchemy URL", "it is no URL") from error
    path = path_of(sa.make_url(url))
    try:
        if path is not None:
            check_ours(path)
            make_file(path)
        more = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if url == MEMORY else {}
        engine = sa.create_engine(url, **more)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        with engine.begin() as connection:
            version = _schema_version(connection)
            if version < len(STEPS):
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # or each table would be a transaction of its own
                for step in STEPS[_schema_version(connection) :]:  # another process may have been faster
                    for statement in step:
                        connection.exec_driver_sql(statement)
                upsert(connection, FACTS, [{"name": "version", "value": str(len(STEPS))}])
    except (sa.exc.SQLAlchemyError, OSError, TypeError, ValueError, ImportError) as error:
        # TypeError, ValueError: an odd option of the URL; ImportError: the driver of another database is not installed
        is_of_rights = getattr(error, "errno", None) != errno.EINVAL  # that is what it is, and not whose
        reason = f"{cause_of(error)}{hint_at_rights(path) if is_of_rights else ''}"
        raise LedgerError(f"the ledger {place} cannot be opened: {reason}", reason) from error
    if version > len(STEPS):
        raise LedgerError(
            f"the ledger {place} was written by a newer version (its schema is {version}, "
            f"this program knows {len(STEPS)}); start that version, or name another ledger",
            "a newer version wrote it",
        )
    return engine


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


def path_of(url: sa.URL) -> Path | None:
    """Return the file of a URL; None where it names none."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def identity_of(path: Path | None) -> tuple[int, int] | None:
    """Return what distinguishes a file from another one that came in its place."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def check_empty(engine: sa.Engine) -> None:
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


def raw(connection: sa.Connection) -> sqlite3.Connection:
    """Return the connection of sqlite3 that is under one of SQLAlchemy's."""
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those of the same key."""
    if not rows:
        return
    insert = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def cause_of(error: BaseException) -> object:
    """Return what people read of an error: what the system or the database says."""
    if isinstance(error, OSError):
        return error.strerror or error
    return error.orig if isinstance(error, DBAPIError) else error


def _schema_version(connection: sa.Connection) -> int:
    """Return the version of the schema; 0 where there is none yet."""
    if not sa.inspect(connection).has_table("facts"):
        return 0
    return number_of(connection.scalar(sa.select(FACTS.c.value).where(FACTS.c.name == "version")), "version")
