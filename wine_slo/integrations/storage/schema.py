"""The ledger's tables, and the steps that led to them.

In SQLite a chat of Telegram is a number, and so is the terminal: the ledger had nothing else when its tables were made,
and what an earlier version wrote, or would read again, is still so. Every other address is written as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from wine_slo.slo.chat.address import Address

TERMINAL = 0
_TELEGRAM = re.compile(r"telegram:(-?[0-9]+)")


def stored(address: Address) -> int | str:
    """Return an address as it is written."""
    if address == Address.of("console", TERMINAL):
        return TERMINAL
    found = _TELEGRAM.fullmatch(address)
    return int(found[1]) if found else str(address)


def address_of(written: object) -> Address:
    """Return the address that is written so.

    Raises:
        ValueError: It is none.
    """
    if isinstance(written, int) and not isinstance(written, bool):
        return Address.of("telegram" if written != TERMINAL else "console", written)
    if isinstance(written, str) and ":" in written:
        return Address(written)
    raise ValueError(f"no address: {written!r}")


class AddressType(sa.types.TypeDecorator[Address]):
    """The type of a column of addresses: a whole address on PostgreSQL, whose columns have one type."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Return the type of the column."""
        return sa.Text() if _is_text(dialect) else sa.BigInteger()

    def process_bind_param(self, value: Address | None, dialect: sa.Dialect) -> int | str | None:
        """Return what is written."""
        return None if value is None else str(value) if _is_text(dialect) else stored(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Address | None:  # noqa: ARG002 - of the base
        """Return what is read."""
        return None if value is None else address_of(value)


def _is_text(dialect: sa.Dialect) -> bool:
    return dialect.name == "postgresql"


TABLES = sa.MetaData()


FACTS = sa.Table("facts", TABLES, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))


TRACKS = sa.Table("tracks", TABLES, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))


INCIDENTS = sa.Table(
    "incidents",
    TABLES,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("began_at", sa.Text, nullable=False, index=True),
    sa.Column("closed_at", sa.Text, index=True),
    sa.Column("value", sa.Text, nullable=False),
)


DELIVERIES = sa.Table(
    "told",
    TABLES,
    sa.Column("incident", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("chat", AddressType, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


SUBSCRIBERS = sa.Table(
    "standings",
    TABLES,
    sa.Column("chat", AddressType, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


BOARDS = sa.Table(
    "boards",
    TABLES,
    sa.Column("chat", AddressType, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


DIGESTS = sa.Table(
    "digests",
    TABLES,
    sa.Column("chat", AddressType, primary_key=True, autoincrement=False),
    sa.Column("told", sa.Text, nullable=False),
)


ACTIONS = sa.Table(
    "acts",
    TABLES,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False, index=True),
    sa.Column("incident", sa.BigInteger, index=True),
    sa.Column("cause", sa.Text, nullable=False, unique=True),
    sa.Column("value", sa.Text, nullable=False),
)


LEASE = sa.Table(
    "lease",
    TABLES,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("leader", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)


STANDBYS = sa.Table(
    "standbys",
    TABLES,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)


Types = Mapping[str, str]  # of the columns in a step: numbers, addresses and instants


# Each step takes the schema from one version to the next; the first makes it. Each is what it was when it was written,
# whatever the tables above have become since, and is never changed; what stands in braces is a type of the database at
# hand. A version that was killed while it made the tables may have left some.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS facts (name TEXT NOT NULL, value TEXT, PRIMARY KEY (name))",
        'CREATE TABLE IF NOT EXISTS tracks ("key" TEXT NOT NULL, value TEXT, PRIMARY KEY ("key"))',
        (
            'CREATE TABLE IF NOT EXISTS incidents (number {number} NOT NULL, "key" TEXT NOT NULL, '
            "began_at {instant} NOT NULL, closed_at {instant}, value TEXT NOT NULL, PRIMARY KEY (number))"
        ),
        "CREATE INDEX IF NOT EXISTS ix_incidents_began_at ON incidents (began_at)",
        "CREATE INDEX IF NOT EXISTS ix_incidents_closed_at ON incidents (closed_at)",
        (
            "CREATE TABLE IF NOT EXISTS told (incident {number} NOT NULL, chat {address} NOT NULL, "
            "value TEXT NOT NULL, PRIMARY KEY (incident, chat))"
        ),
        "CREATE TABLE IF NOT EXISTS standings (chat {address} NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat))",
    ),
    (
        "CREATE TABLE IF NOT EXISTS boards (chat {address} NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat))",
        "CREATE TABLE IF NOT EXISTS digests (chat {address} NOT NULL, told TEXT NOT NULL, PRIMARY KEY (chat))",
    ),
    (
        (
            'CREATE TABLE IF NOT EXISTS acts (number {number} NOT NULL, "at" {instant} NOT NULL, incident {number}, '
            "cause TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (number), UNIQUE (cause))"
        ),
        'CREATE INDEX IF NOT EXISTS ix_acts_at ON acts ("at")',
        "CREATE INDEX IF NOT EXISTS ix_acts_incident ON acts (incident)",
    ),
    (
        (
            "CREATE TABLE IF NOT EXISTS lease (id {number} NOT NULL, number {number} NOT NULL, "
            "beats {number} NOT NULL, leader TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id))"
        ),
        (
            "CREATE TABLE IF NOT EXISTS standbys (id TEXT NOT NULL, beats {number} NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (id))"
        ),
        # Who held it before there was a lease; if that one is alive, its lock says so
        "DELETE FROM facts WHERE name = 'holder'",
    ),
)
