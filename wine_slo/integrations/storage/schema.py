"""The ledger's tables, and the steps that led to them.

A chat of Telegram is a number there, and so is the terminal: the ledger had nothing else when its tables were made, and
what an earlier version wrote, or would read again, is still so. Every other address is written as it is.
"""

import re
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
    """The type of a column of addresses."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Address | None, dialect: Any) -> int | str | None:  # noqa: ARG002 - of the base
        """Return what is written."""
        return None if value is None else stored(value)

    def process_result_value(self, value: Any, dialect: Any) -> Address | None:  # noqa: ARG002 - of the base
        """Return what is read."""
        return None if value is None else address_of(value)


TABLES = sa.MetaData()


FACTS = sa.Table("facts", TABLES, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))


TRACKS = sa.Table("tracks", TABLES, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))


INCIDENTS = sa.Table(
    "incidents",
    TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("began_at", sa.Text, nullable=False, index=True),
    sa.Column("closed_at", sa.Text, index=True),
    sa.Column("value", sa.Text, nullable=False),
)


DELIVERIES = sa.Table(
    "told",
    TABLES,
    sa.Column("incident", sa.Integer, primary_key=True, autoincrement=False),
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
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False, index=True),
    sa.Column("incident", sa.Integer, index=True),
    sa.Column("cause", sa.Text, nullable=False, unique=True),
    sa.Column("value", sa.Text, nullable=False),
)


LEASE = sa.Table(
    "lease",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
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


# Each step takes the schema from one version to the next; the first makes it. Each is what it was when it was written,
# whatever the tables above have become since, and is never changed. A version that was killed while it made the tables
# may have left some.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE IF NOT EXISTS facts (name TEXT NOT NULL, value TEXT, PRIMARY KEY (name))",
        'CREATE TABLE IF NOT EXISTS tracks ("key" TEXT NOT NULL, value TEXT, PRIMARY KEY ("key"))',
        (
            'CREATE TABLE IF NOT EXISTS incidents (number INTEGER NOT NULL, "key" TEXT NOT NULL, '
            "began_at TEXT NOT NULL, closed_at TEXT, value TEXT NOT NULL, PRIMARY KEY (number))"
        ),
        "CREATE INDEX IF NOT EXISTS ix_incidents_began_at ON incidents (began_at)",
        "CREATE INDEX IF NOT EXISTS ix_incidents_closed_at ON incidents (closed_at)",
        (
            "CREATE TABLE IF NOT EXISTS told (incident INTEGER NOT NULL, chat BIGINT NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (incident, chat))"
        ),
        "CREATE TABLE IF NOT EXISTS standings (chat BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat))",
    ),
    (
        "CREATE TABLE IF NOT EXISTS boards (chat BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chat))",
        "CREATE TABLE IF NOT EXISTS digests (chat BIGINT NOT NULL, told TEXT NOT NULL, PRIMARY KEY (chat))",
    ),
    (
        (
            'CREATE TABLE IF NOT EXISTS acts (number INTEGER NOT NULL, "at" TEXT NOT NULL, incident INTEGER, '
            "cause TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (number), UNIQUE (cause))"
        ),
        'CREATE INDEX IF NOT EXISTS ix_acts_at ON acts ("at")',
        "CREATE INDEX IF NOT EXISTS ix_acts_incident ON acts (incident)",
    ),
    (
        (
            "CREATE TABLE IF NOT EXISTS lease (id INTEGER NOT NULL, number BIGINT NOT NULL, beats BIGINT NOT NULL, "
            "leader TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id))"
        ),
        (
            "CREATE TABLE IF NOT EXISTS standbys (id TEXT NOT NULL, beats BIGINT NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (id))"
        ),
        # Who held it before there was a lease; if that one is alive, its lock says so
        "DELETE FROM facts WHERE name = 'holder'",
    ),
)
