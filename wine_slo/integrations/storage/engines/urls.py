"""Which database a URL names."""

from pathlib import Path

import sqlalchemy as sa

from wine_slo.integrations.storage.engines.database import Database
from wine_slo.integrations.storage.engines.postgresql import DRIVER, Postgresql
from wine_slo.integrations.storage.engines.sqlite import Sqlite
from wine_slo.integrations.storage.ledger_error import LedgerError

WANTED = (  # a password even of an example would be hidden
    f"sqlite:///relative/path, sqlite:////absolute/path or {DRIVER}://host/database with USER:PASSWORD@ before the host"
)


def database_at(url: str) -> Database:
    """Return the database that a URL names; nothing is opened.

    Raises:
        LedgerError: It is no URL, or names a database that can be no ledger.
    """
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise LedgerError(f"the ledger cannot be opened: its address is no SQLAlchemy URL; wanted: {WANTED}") from error
    match found.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return Sqlite(found)
        case name if name == DRIVER:
            return Postgresql(found)
        case name:
            reason = f"{name}:// is not supported; wanted: {WANTED}"
            raise LedgerError(f"the ledger {found!r} cannot be opened: {reason}", reason)


def path_of(url: str) -> Path | None:
    """Return the file that a URL names; None where it names none."""
    try:
        return database_at(url).path
    except LedgerError:
        return None
