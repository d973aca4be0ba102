"""Copy a whole ledger from one database into another, of whatever kind, and prove that nothing of it is different."""

import hashlib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wine_slo.integrations.storage.engines.database import Database, cause_of, version_of
from wine_slo.integrations.storage.engines.urls import database_at
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import FACTS, STANDBYS, STEPS, TABLES
from wine_slo.integrations.storage.upkeep.leader import is_led, lease_of

AT_ONCE = 500  # rows
# Which version the tables have is of the place, and who stands by is of the moment.
MOVED = tuple(each for each in TABLES.sorted_tables if each is not STANDBYS)
IS_MOVED = FACTS.c.name != "version"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds.

    Attributes:
        table: Its name.
        rows: How many rows.
        digest: The sum of the hashes of all rows, which does not depend on their order.
    """

    table: str
    rows: int
    digest: str


def copy(source: str, target: str) -> list[Contents]:
    """Copy all of one ledger into another one, in one transaction; return what was copied of each table.

    Args:
        source: The SQLAlchemy URL of what there is; nothing of it is changed.
        target: That of a place that holds nothing yet.

    Raises:
        LedgerError: Nothing was copied; says why.
    """
    here, there = database_at(source, is_patient=True), database_at(target, is_patient=True)
    if here.path is not None and not here.path.is_file():
        raise LedgerError(f"there is no ledger {here}")
    old = here.connect()
    try:
        _check_free(here, old)
        with old.connect() as reading:
            here.begin_snapshot(reading)
            _check_version(here, reading)
            new = there.open()
            try:
                with new.begin() as writing:
                    there.begin(writing)
                    _check_empty(there, writing)
                    return [_copied(table, reading, writing) for table in MOVED]
            finally:
                new.dispose()
    except (SQLAlchemyError, OverflowError, ValueError) as error:
        raise LedgerError(f"nothing is copied from {here} into {there}: {cause_of(error)}") from error
    finally:
        old.dispose()


def _check_free(database: Database, engine: sa.Engine) -> None:
    if is_led(database, engine):
        lease = lease_of(database, engine)
        who = lease.leader if lease else "it is not written which"
        raise LedgerError(
            f"the ledger {database} is in use by a watchdog ({who}), and what it writes after the copy would be lost: "
            "stop it first"
        )


def _check_version(database: Database, connection: sa.Connection) -> None:
    version = version_of(connection)
    if version != len(STEPS):
        raise LedgerError(
            f"the ledger {database} has the schema {version}, this program knows {len(STEPS)}: start and stop the "
            "watchdog of this version with it once"
        )


def _check_empty(database: Database, connection: sa.Connection) -> None:
    for table in MOVED:
        rows = connection.scalar(sa.select(sa.func.count()).select_from(_wanted(table).subquery()))
        if rows:
            raise LedgerError(
                f"the ledger {database} holds something already ({rows} rows in {table.name}); name one that is empty"
            )


def _copied(table: sa.Table, reading: sa.Connection, writing: sa.Connection) -> Contents:
    """Copy a table, read it back, and return what it holds.

    Raises:
        LedgerError: What is read back differs.
    """
    for rows in reading.execute(_wanted(table)).mappings().partitions(AT_ONCE):
        writing.execute(table.insert(), [dict(row) for row in rows])
    before, after = _contents(reading, table), _contents(writing, table)
    if before != after:
        raise LedgerError(
            f"nothing is copied, as the table {table.name} would differ: {before.rows} rows were read, {after.rows} "
            f"are written, with the hashes {before.digest} and {after.digest}"
        )
    return after


def _contents(connection: sa.Connection, table: sa.Table) -> Contents:
    total = count = 0
    for row in connection.execute(_wanted(table)):
        count += 1
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode(errors="surrogatepass")).digest())
    return Contents(table.name, count, f"{total % 2**256:064x}")


def _wanted(table: sa.Table) -> sa.Select[Any]:
    wanted = sa.select(table).execution_options(yield_per=AT_ONCE)
    return wanted.where(IS_MOVED) if table is FACTS else wanted
