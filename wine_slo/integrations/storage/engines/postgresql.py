"""The ledger on PostgreSQL: connect to it, within bounds of time, and say why that is not possible."""

from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa

from wine_slo.integrations.storage.engines.database import Database, cause_of
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import TABLES, Types

DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 2  # to one address, and for a connection that others use
# What the server itself holds a session to, whatever becomes of us; milliseconds where nothing else is said.
BOUNDS = {
    "statement_timeout": 2000,
    "lock_timeout": 1500,  # for a lock that somebody else has
    "idle_in_transaction_session_timeout": 3000,  # who is suspended holds up nobody for longer
    "tcp_keepalives_idle": 5,  # seconds; these three end a session whose network is gone, after 9 s
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 2,
}
PATIENT_BOUNDS = {"statement_timeout": 60_000, "idle_in_transaction_session_timeout": 60_000}
CONNECTIONS = 3  # that are kept; a few more are made where that many work at once
LONGEST_REASON = 300  # letters
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
PRIMARY = "; wanted: the primary server, or several of them with target_session_attrs=read-write"
READ_ONLY = "25006"  # the state of a session that is one of a replica, or was begun while nothing might be written
STEPS_LOCK = 0x77696E65  # the number of the lock under which the schema is changed, among those of this database


class Postgresql(Database):
    """A database on a server of PostgreSQL.

    Numbers are of 64 bits, an address is text, and instants are compared byte by byte, whatever the server's language.
    """

    types: ClassVar[Types] = {"number": "BIGINT", "address": "TEXT", "instant": 'TEXT COLLATE "C"'}

    def connect(self) -> sa.Engine:
        """Return the way to it, every connection with its bounds of time."""
        # An extra brings its driver.
        from wine_slo.integrations.storage.engines.patient_connection import (  # noqa: PLC0415
            IDLE_PATIENCE,
            LONG_PATIENCE,
            PATIENCE,
            PatientConnection,
        )

        engine = sa.create_engine(
            self.url,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=CONNECT_SECONDS,
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args=self._options(),
        )

        @sa.event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> Any:
            return PatientConnection.connect(*arguments, **options)

        @sa.event.listens_for(engine, "checkout")
        def begin(connection: Any, _record: object, _proxy: object) -> None:
            connection.patience = LONG_PATIENCE if self.is_patient else PATIENCE

        @sa.event.listens_for(engine, "checkin")
        def end(connection: Any, _record: object) -> None:
            if connection is not None:
                connection.patience = IDLE_PATIENCE

        @sa.event.listens_for(engine, "handle_error")
        def leave(context: sa.engine.ExceptionContext) -> None:
            if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
                context.is_disconnect = True  # of all connections: each may stay so for ever, and still answers a ping

        return engine

    def begin(self, connection: sa.Connection) -> None:
        """Make the transaction of a connection one that writes; here each is one."""

    def begin_snapshot(self, connection: sa.Connection) -> None:
        """Have the transaction of a connection see one state of everything, whoever writes meanwhile."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def begin_step(self, connection: sa.Connection) -> None:
        """Wait for the step that another process takes."""
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(STEPS_LOCK)))

    def check_place(self, connection: sa.Connection) -> None:
        """See whether a database is the ledger's, or can become that; nothing of it is changed.

        Raises:
            ValueError: It is the database of another program, or cannot hold every character.
        """
        encoding = connection.scalar(sa.text("SHOW server_encoding"))
        if encoding != "UTF8":
            raise ValueError(f"its encoding is {encoding}; wanted: a database with the encoding UTF8")
        found = set(sa.inspect(connection).get_table_names())
        if found and not {"facts", "incidents"} <= found:
            other = min(found & TABLES.tables.keys() or found)
            raise ValueError(
                f"it is the database of another program: it has a table {other}; wanted: a database of its own, or a "
                "schema of its own by ?options=-csearch_path%3DNAME"
            )

    def check_rights(self, connection: sa.Connection) -> None:
        """See whether everything can be done with the tables.

        Raises:
            ValueError: It cannot; says what, and what is wanted.
        """
        if connection.scalar(sa.text("SHOW transaction_read_only")) == "on":
            raise ValueError(f"it is read-only{PRIMARY}")
        for table in TABLES.sorted_tables:
            for right in RIGHTS:
                if not connection.scalar(sa.func.has_table_privilege(table.name, right)):
                    schema = connection.scalar(sa.func.current_schema())
                    raise ValueError(f"its user has no right to {right} on {table.name}; wanted: {self._grant(schema)}")

    def reason_of(self, error: BaseException) -> str:
        """Return what people read of an error: the first line of what the database says, and what mends it."""
        if isinstance(error, ImportError):
            return "its driver is not installed: pip install 'wine-slo[postgresql]'"
        said = str(cause_of(error)).strip()
        line = said.splitlines()[0] if said else type(error).__name__
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        return f"{line[:LONGEST_REASON]}{self._hint(state, line)}"

    def size(self, connection: sa.Connection) -> int:
        """Return how many bytes the tables take, with their indexes."""
        names = sa.inspect(connection).get_table_names()
        return sum(
            connection.scalar(sa.select(sa.func.pg_total_relation_size(name))) or 0
            for name in names
            if name in TABLES.tables
        )

    def damage(self, connection: sa.Connection) -> str:  # noqa: ARG002 - of the base
        """Return nothing: whether its files are whole is for the server to see, by pg_amcheck."""
        return ""

    def backup(self, to: Path) -> None:
        """Say how it is backed up: by its own program, which no database is without.

        Raises:
            LedgerError: Always.
        """
        parts = {
            "host": self.url.host,
            "port": self.url.port,
            "username": self.url.username,
            "dbname": self.url.database,
        }
        where = " ".join(f"--{name}={value}" for name, value in parts.items() if value)
        raise LedgerError(
            "a ledger on PostgreSQL is backed up by its own program, also beside a running watchdog: "
            f"pg_dump {where} --format=custom --file={to}"
        )

    def _options(self) -> dict[str, Any]:
        given = self.url.query.get("options", ())
        bounds = BOUNDS | (PATIENT_BOUNDS if self.is_patient else {})
        own = [f"-c {name}={value}" for name, value in bounds.items()]
        return {
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": 1000 * CONNECT_SECONDS,
            "client_encoding": "utf8",
            "application_name": self.url.query.get("application_name", "wine-slo"),
            "options": " ".join([*((given,) if isinstance(given, str) else given), *own]),
            "prepare_threshold": None,  # a pooler between may give each transaction another session
        }

    def _hint(self, state: str | None, line: str) -> str:
        match state:
            case "42501" if "for table" in line:  # insufficient_privilege
                return f"; wanted: {self._grant('public')}"
            case "42501" | "3F000":  # insufficient_privilege, invalid_schema_name
                return f'; wanted: a schema where it may make tables: GRANT CREATE ON SCHEMA public TO "{self._user}"'
            case _ if state == READ_ONLY:
                return PRIMARY
            case _:
                return ""

    def _grant(self, schema: str) -> str:
        return f'GRANT {", ".join(RIGHTS)} ON ALL TABLES IN SCHEMA "{schema}" TO "{self._user}"'

    @property
    def _user(self) -> str:
        return self.url.username or "USER"
