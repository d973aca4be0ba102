"""See whether a ledger is whole, and what it holds; nothing of it is changed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from wine_slo.integrations.storage.engines.database import Database, cause_of, version_of
from wine_slo.integrations.storage.engines.urls import database_at
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import boards_of, decode, instant_of, number_of, slot_of, troubles_of
from wine_slo.integrations.storage.schema import (
    ACTIONS,
    BOARDS,
    DELIVERIES,
    DIGESTS,
    FACTS,
    INCIDENTS,
    LEASE,
    STANDBYS,
    STEPS,
    SUBSCRIBERS,
    TABLES,
    TRACKS,
)
from wine_slo.integrations.storage.upkeep.health import Health
from wine_slo.integrations.storage.upkeep.leader import is_led, lease_of
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.lease import Lease, Watchdog
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.oncall.actions import Action

AT_ONCE = 500  # rows
WORDS = {DELIVERIES.name: "delivery records", SUBSCRIBERS.name: "chats", ACTIONS.name: "actions", LEASE.name: "leases"}


class NoLedgerError(LedgerError):
    """There is no ledger at that place."""


def check(url: str) -> Health:
    """Return what is found of a ledger, every row of which is read.

    Raises:
        NoLedgerError: There is none, or its address is wrong.
        LedgerError: It cannot be read at all.
    """
    try:
        database = database_at(url, is_patient=True)
    except LedgerError as error:
        raise NoLedgerError(str(error)) from error
    if database.path is not None and not database.path.is_file():
        raise NoLedgerError(f"there is no ledger {database.path}")
    try:
        engine = database.connect()
        try:
            with engine.connect() as connection:
                database.begin_snapshot(connection)
                database.check_place(connection)
                return _health(database, engine, connection)
        finally:
            engine.dispose()
    except (SQLAlchemyError, OSError, ValueError, ImportError) as error:
        raise LedgerError(f"the ledger {database} cannot be read: {cause_of(error)}") from error


def _health(database: Database, engine: sa.Engine, connection: sa.Connection) -> Health:
    version = version_of(connection)
    if version == 0:
        raise NoLedgerError(f"there is no ledger in {database} yet: the first start of the watchdog makes it")
    names = set(sa.inspect(connection).get_table_names())
    tables = [each for each in TABLES.sorted_tables if each.name in names]
    damage = [f"the database says: {said}"] if (said := database.damage(connection)) else []
    if version > len(STEPS):
        damage.append(f"a newer version wrote it: its schema is {version}, this program knows {len(STEPS)}")
    for table in tables:
        damage += _unreadable(connection, table)
    lease = lease_of(database, engine)
    began = connection.scalar(sa.select(sa.func.min(INCIDENTS.c.began_at)))
    return Health(
        ledger=str(database),
        schema=version,
        known_schema=len(STEPS),
        bytes=database.size(connection),
        rows={
            WORDS.get(table.name, table.name): connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        },
        open_incidents=connection.scalar(
            sa.select(sa.func.count()).select_from(INCIDENTS).where(INCIDENTS.c.closed_at.is_(None))
        )
        or 0,
        oldest_incident=_instant(began),
        leader=str(lease.leader) if lease else "",
        is_led=is_led(database, engine),
        lease_number=lease.number if lease else 0,
        damage=tuple(damage),
    )


def _unreadable(connection: sa.Connection, table: sa.Table) -> list[str]:
    """Return how many rows of a table nobody can read, and why the first of them; nothing where all can be."""
    count, first = 0, ""
    try:
        statement = sa.select(table).execution_options(yield_per=AT_ONCE)
        for row in connection.execute(statement):
            try:
                _READS[table.name](row)
            except LedgerError as error:
                count, first = count + 1, first or str(error)
    except ValueError as error:  # of a column that is no address
        count, first = count + 1, first or f"the rest of it cannot be read: {error}"
    return [f"{table.name}: {count} of its rows cannot be read; the first: {first}"] if count else []


def _read_fact(row: Any) -> None:
    match row.name:
        case "version" | "last_number":
            number_of(row.value, row.name)
        case "looked_at" | "blind_since":
            instant_of(row.value, row.name)
        case "troubles_since":
            troubles_of({row.name: row.value})
        case _:
            pass  # nothing that the watchdog could not do without


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


_READS: Mapping[str, Callable[[Any], object]] = {
    FACTS.name: _read_fact,
    TRACKS.name: lambda row: decode([row.value], KeyState),
    INCIDENTS.name: lambda row: decode([row.value], Incident),
    DELIVERIES.name: lambda row: decode([row.value], DeliveryRecord),
    SUBSCRIBERS.name: lambda row: decode([row.value], Subscriber),
    BOARDS.name: lambda row: boards_of([row.value]),
    DIGESTS.name: lambda row: slot_of(row[1], "digest"),
    ACTIONS.name: lambda row: decode([row.value], Action),
    LEASE.name: lambda row: decode([row.value], Lease),
    STANDBYS.name: lambda row: decode([row.value], Watchdog),
}
