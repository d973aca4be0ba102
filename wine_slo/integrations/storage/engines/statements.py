"""The statements that SQL itself does not have, which every database here knows by the same name."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those of the same key; of two with one key the last is written.

    On PostgreSQL many rows are one statement, which SQLAlchemy makes of those that return something. Else the driver
    sends many, and a transaction that is cut off among them is not idle for the server, which then keeps its locks.
    """
    if not rows:
        return
    insert = _insert_for(connection, table)
    keys = [column.name for column in table.primary_key]
    others = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=others)
    different = list({tuple(row[name] for name in keys): row for row in rows}.values())
    connection.execute(statement.returning(table.c[keys[0]]) if _is_postgresql(connection) else statement, different)


def insert_new(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]], unique: sa.Column[Any]) -> int:
    """Insert rows, but those whose value of a column is there already; return how many were inserted."""
    insert = _insert_for(connection, table)
    return connection.execute(insert.on_conflict_do_nothing(index_elements=[unique]), rows).rowcount


def end_sessions_that_lock(connection: sa.Connection, table: sa.Table, row: sa.ColumnElement[bool]) -> None:
    """End the sessions in whose open transactions rows of a table are locked, where the table has such a row.

    A client that was suspended or cut off in the middle of several statements keeps its locks for as long as its
    connection seems to live, as no bound of time holds for such a transaction. SQLite has no sessions to end.
    """
    if connection.dialect.name == "postgresql":
        ended = sa.func.pg_terminate_backend(sa.literal_column("pid"))
        those = sa.text(_LOCK_ROWS).bindparams(name=table.name)
        is_so = sa.select(sa.literal(1)).select_from(table).where(row).exists()
        connection.execute(sa.select(ended).select_from(sa.text("pg_locks")).where(those, is_so))


_LOCK_ROWS = (
    "database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND "
    "relation = CAST(:name AS regclass) AND mode = 'RowShareLock' AND pid <> pg_backend_pid()"
)


def _insert_for(connection: sa.Connection, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
    if not _is_postgresql(connection):
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  # takes 2 MB, which a ledger in a file does not need

    return postgresql.insert(table)


def _is_postgresql(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"
