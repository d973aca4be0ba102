"""Which database a URL names."""

from pathlib import Path

import sqlalchemy as sa

from wine_slo.integrations.storage.engines.database import Database
from wine_slo.integrations.storage.engines.postgresql import DRIVER, Postgresql
from wine_slo.integrations.storage.engines.sqlite import Sqlite
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.setting_types import WANTED

NO_URL = f"the ledger cannot be opened: its address is no SQLAlchemy URL; wanted: {WANTED}"


def database_at(url: str, *, is_patient: bool = False) -> Database:
    """Return the database that a URL names; nothing is opened.

    Args:
        url: As SQLAlchemy writes it.
        is_patient: Whether a statement may take long.

    Raises:
        LedgerError: It is no URL, or names a database that can be no ledger.
    """
    try:
        found = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise LedgerError(NO_URL) from error
    if "@" in (found.host or ""):  # the end of its password, which would be shown
        raise LedgerError(NO_URL)
    match found.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return Sqlite(found, is_patient=is_patient)
        case name if name == DRIVER:
            return Postgresql(found, is_patient=is_patient)
        case name:
            reason = f"{name}:// is not supported; wanted: {WANTED}"
            raise LedgerError(f"the ledger {found!r} cannot be opened: {reason}", reason)


def path_of(url: str) -> Path | None:
    """Return the file that a URL names; None where it names none."""
    try:
        return database_at(url).path
    except LedgerError:
        return None
