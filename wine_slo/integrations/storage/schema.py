"""The ledger's tables, and the steps that led to them."""

import sqlalchemy as sa

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
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


SUBSCRIBERS = sa.Table(
    "standings",
    TABLES,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


BOARDS = sa.Table(
    "boards",
    TABLES,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)


DIGESTS = sa.Table(
    "digests",
    TABLES,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
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


HOLDER = sa.select(FACTS.c.value).where(FACTS.c.name == "holder")


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
)
