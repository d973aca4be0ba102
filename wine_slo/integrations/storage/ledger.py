"""The ledger: what is known, and what each chat was told of it; the only memory of the watchdog.

Values are kept as the JSON of the domain's own dataclasses, beside the few columns by which they are found, so a new
field with a default needs no migration; whatever else changes the tables is one more step.

A file that cannot be opened, or that is deleted while it is in use, stops nothing: everything is kept in memory, each
write says that it is not in the file, and all of it is written as soon as the file can be opened.
"""

import errno
import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any, Self, TypeVar, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from wine_slo.config import text_file
from wine_slo.integrations.storage.holder import Holder
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.evaluation.engine import KEPT, SIGHT, State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.notification.plan import DeliveryRecord
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import KEPT as KEPT_ACTS
from wine_slo.slo.oncall.actions import Action
from wine_slo.slo.views.board_text import BoardRecord

K = TypeVar("K")
V = TypeVar("V")

AGAIN_AFTER = 5.0  # seconds between two tries to open a file that cannot be opened
MEMORY = "sqlite://"
BUSY_SECONDS = 2  # how long to wait for another process that writes; well inside one tick

log = logging.getLogger(__name__)

_tables = sa.MetaData()
_facts = sa.Table("facts", _tables, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_tracks = sa.Table("tracks", _tables, sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text))
_incidents = sa.Table(
    "incidents",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("began_at", sa.Text, nullable=False, index=True),
    sa.Column("closed_at", sa.Text, index=True),
    sa.Column("value", sa.Text, nullable=False),
)
_told = sa.Table(
    "told",
    _tables,
    sa.Column("incident", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)
_standings = sa.Table(
    "standings",
    _tables,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)

_boards = sa.Table(
    "boards",
    _tables,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Text, nullable=False),
)
_digests = sa.Table(
    "digests",
    _tables,
    sa.Column("chat", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("told", sa.Text, nullable=False),
)


_acts = sa.Table(
    "acts",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False, index=True),
    sa.Column("incident", sa.Integer, index=True),
    sa.Column("cause", sa.Text, nullable=False, unique=True),
    sa.Column("value", sa.Text, nullable=False),
)


_HOLDER = sa.select(_facts.c.value).where(_facts.c.name == "holder")

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


class LedgerError(Exception):
    """The ledger cannot be read or written; the text says why, for people.

    Attributes:
        reason: The database's own words, where it is the database that refused.
    """

    def __init__(self, sentence: str, reason: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger holds: what is known, what chats were told of it, how they stand, and what people did.

    Attributes:
        last_act: The highest number of an act, also of one that cannot be read.
    """

    state: State
    told: tuple[DeliveryRecord, ...]
    standings: tuple[Subscriber, ...]
    acts: tuple[Action, ...] = ()
    last_act: int = 0


class Ledger:
    """Reads and writes the ledger. Every call is one transaction and may block on the disk."""

    def __init__(self, engine: sa.Engine, url: str | None = None, trouble: LedgerError | None = None) -> None:
        self._engine = engine
        self._url = url or engine.url.render_as_string(hide_password=False)
        self._trouble = trouble  # why the file is not the one that is used; None while it is
        self._again_at = monotonic() + AGAIN_AFTER
        self._turn = RLock()  # of the file's coming and going, and of the one connection that memory has
        self._file = _identity(self.path)

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""
        return _path(sa.make_url(self._url))

    @classmethod
    def open(cls, url: str) -> Self:
        """The ledger at an SQLAlchemy URL, made if there is none.

        Raises:
            LedgerError: It cannot be opened, or a newer version of this program wrote it.
        """
        return cls(_opened(url), url)

    @classmethod
    def open_or_remember(cls, url: str) -> Self:
        """The ledger at an SQLAlchemy URL; one in memory for as long as that cannot be opened and read."""
        try:
            ledger = cls.open(url)
            try:
                ledger.load()
                ledger.boards()
                ledger.digests()
            except LedgerError:
                ledger.close()
                raise
        except LedgerError as error:
            log.error("%s; everything is kept in memory, and is lost with this process, until it can", error)  # noqa: TRY400 - a sentence says it all
            return cls(_opened(MEMORY), url, error)
        return ledger

    def close(self) -> None:
        """End its connections."""
        self._engine.dispose()

    @staticmethod
    def backup(url: str, to: Path) -> None:
        """Write all of a ledger into a new file, a whole ledger by itself; a watchdog that writes meanwhile goes on.

        Raises:
            LedgerError: That is not possible, or there is such a file.
        """
        path = _path(sa.make_url(url))
        if path is None or not path.is_file():
            raise LedgerError(f"there is no ledger {path or url} that could be written into {to}")
        try:
            os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise LedgerError(f"the backup {to} cannot be made: {error.strerror}") from error
        try:
            with closing(sqlite3.connect(path)) as ledger, closing(sqlite3.connect(to)) as copy:
                ledger.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file instead of three
                damage = copy.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.Error as error:
            to.unlink()
            raise LedgerError(f"the backup {to} cannot be made: {error}") from error
        if damage != "ok":
            raise LedgerError(f"the backup {to} is damaged, as the ledger is: {damage}")

    def _come_back(self) -> None:
        """See whether the file that is used is still there, and whether one that was not can be opened now."""
        if self._trouble is None:
            if self.path is None or _identity(self.path) == self._file:
                return
            self._remember(LedgerError("the ledger was deleted or replaced while it was in use", "it was deleted"))
        if monotonic() < self._again_at:
            return
        self._again_at = monotonic() + AGAIN_AFTER
        try:
            engine = _opened(self._url)
            _check_empty(engine)
            with self._engine.connect() as here, engine.connect() as there:
                _raw(here).backup(_raw(there))
        except LedgerError as error:
            self._trouble = error
        except (DBAPIError, sqlite3.Error) as error:
            self._trouble = LedgerError(f"the ledger cannot be written: {_cause(error)}", str(_cause(error)))
        else:
            log.warning("the ledger %s was made anew and holds everything that was kept in memory", self.path)
            self._engine.dispose()
            self._engine, self._trouble, self._file = engine, None, _identity(self.path)

    def _remember(self, trouble: LedgerError) -> None:
        """Go on in memory, with all that the file held."""
        log.error("%s; everything is kept in memory until it can be written", trouble)
        memory = _opened(MEMORY)
        try:
            with self._engine.connect() as here, memory.connect() as there:
                _raw(here).backup(_raw(there))
        except (DBAPIError, sqlite3.Error) as error:
            log.error("what the ledger held cannot be read any more: %s", _cause(error))  # noqa: TRY400 - a sentence says it all
        self._engine.dispose()
        self._engine, self._trouble, self._again_at = memory, trouble, 0.0

    def load(self) -> Memory:
        """What was known; of closed incidents only those that are still at hand.

        Raises:
            LedgerError: It cannot be read.
        """
        try:
            with self._reading() as connection:
                facts = {row.name: row.value for row in connection.execute(sa.select(_facts))}
                tracks = connection.scalars(sa.select(_tracks.c.value)).all()
                looked_at = _instant(facts.get("looked_at"), "looked_at")
                oldest = (looked_at - KEPT).isoformat() if looked_at else ""
                at_hand = sa.or_(_incidents.c.closed_at.is_(None), _incidents.c.closed_at > oldest)
                incidents = connection.scalars(sa.select(_incidents.c.value).where(at_hand)).all()
                told = connection.scalars(
                    sa.select(_told.c.value).join(_incidents, _incidents.c.number == _told.c.incident).where(at_hand)
                ).all()
                standings = connection.scalars(sa.select(_standings.c.value)).all()
                newest = sa.select(sa.func.max(_acts.c.number)).scalar_subquery()  # so that none is given twice
                lately = (looked_at - KEPT_ACTS).isoformat() if looked_at else ""
                acts = connection.execute(
                    sa.select(_acts.c.number, _acts.c.value)
                    .where(sa.or_(_acts.c.at > lately, _acts.c.number == newest))
                    .order_by(_acts.c.number)
                ).all()
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be read: {_cause(error)}") from error
        found = _decode(tracks, KeyState)
        state = State(
            tracks={track.key: track for track in found},
            incidents={each.number: each for each in _decode(incidents, Incident)},
            last_number=_number(facts.get("last_number"), "last_number"),
            troubles_since=_troubles(facts),
            looked_at=looked_at,
        )
        return Memory(
            state,
            tuple(_decode(told, DeliveryRecord)),
            tuple(_decode(standings, Subscriber)),
            tuple(_readable_acts(acts)),
            max((row.number for row in acts), default=0),
        )

    def incidents(
        self, *, key: Key | None = None, since: datetime | None = None, numbers: Iterable[int] = (), last: int = 1000
    ) -> list[Incident]:
        """Incidents that are open or were, the newest first.

        Args:
            key: Only of this key.
            since: Only those that were still open then, or began later.
            numbers: Only these; all where none is named.
            last: At most so many.

        Raises:
            LedgerError: It cannot be read.
        """
        wanted = sa.select(_incidents.c.value).order_by(_incidents.c.number.desc()).limit(last)
        if key is not None:
            wanted = wanted.where(_incidents.c.key == _text(key))
        if since is not None:
            is_recent = _incidents.c.closed_at > since.astimezone(UTC).isoformat()
            wanted = wanted.where(sa.or_(_incidents.c.closed_at.is_(None), is_recent))
        if those := list(numbers):
            wanted = wanted.where(_incidents.c.number.in_(those))
        return _decode(self._read(wanted), Incident)

    def told_of(self, incidents: Iterable[int]) -> list[DeliveryRecord]:
        """What every chat was told of these incidents.

        Raises:
            LedgerError: It cannot be read.
        """
        return _decode(
            self._read(sa.select(_told.c.value).where(_told.c.incident.in_(list(incidents)))), DeliveryRecord
        )

    def save(self, before: State, after: State) -> None:
        """Write what changed from one state to the next, in one transaction.

        Raises:
            LedgerError: Nothing was written.
        """
        tracks = _changed(before.tracks, after.tracks)
        gone = [_text(key) for key in before.tracks if key not in after.tracks]
        incidents = _changed(before.incidents, after.incidents)
        facts = {
            "last_number": str(after.last_number),
            "troubles_since": _text(list(after.troubles_since.items())),
            "blind_since": _text(after.blind_since),  # for an earlier version that is started again
            "looked_at": _text(after.looked_at),
        }
        with self._writing() as connection:
            _write(connection, _facts, [{"name": name, "value": value} for name, value in facts.items()])
            _write(connection, _tracks, [{"key": _text(each.key), "value": _text(each)} for each in tracks])
            if gone:
                connection.execute(_tracks.delete().where(_tracks.c.key.in_(gone)))
            _write(connection, _incidents, [_incident_row(each) for each in incidents])

    def mark(self, told: Iterable[DeliveryRecord]) -> None:
        """Write what chats believe now, in one transaction.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _told, [_told_row(each) for each in told])

    def stand(self, standing: Subscriber) -> None:
        """Write how a chat stands with us.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _standings, [{"chat": standing.chat, "value": _text(standing)}])

    def _read(self, wanted: sa.Select[Any]) -> Sequence[str]:
        try:
            with self._reading() as connection:
                return connection.scalars(wanted).all()
        except (DBAPIError, OverflowError) as error:
            raise LedgerError(f"the ledger cannot be read: {_cause(error)}") from error

    def try_writing(self) -> None:
        """See whether it can be written, and leave nothing written.

        Raises:
            LedgerError: It cannot.
        """
        with self._writing() as connection:
            attempt = connection.begin_nested()
            _write(connection, _facts, [{"name": "tried", "value": ""}])
            attempt.rollback()

    def boards(self) -> list[BoardRecord]:
        """The boards that are kept.

        Raises:
            LedgerError: It cannot be read.
        """
        return _decode(self._read(sa.select(_boards.c.value)), BoardRecord)

    def keep_board(self, board: BoardRecord) -> None:
        """Write a board as it reads now.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _boards, [{"chat": board.chat, "value": _text(board)}])

    def drop_board(self, chat: int) -> None:
        """Forget the board of a chat.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            connection.execute(_boards.delete().where(_boards.c.chat == chat))

    def digests(self) -> dict[int, datetime]:
        """Which digest each chat was told last, by the time at which it was to be told.

        Raises:
            LedgerError: It cannot be read.
        """
        try:
            with self._reading() as connection:
                rows = connection.execute(sa.select(_digests)).all()
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be read: {_cause(error)}") from error
        try:
            return {row.chat: datetime.fromisoformat(row.told) for row in rows}
        except ValueError as error:
            raise LedgerError(f"the ledger has a digest that cannot be read: {error}") from error

    def mark_digest(self, chat: int, slot: datetime) -> None:
        """Write which digest a chat was told.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _digests, [{"chat": chat, "told": slot.astimezone(UTC).isoformat()}])

    def act(self, acts: Iterable[Action]) -> None:
        """Write down what people did, in one transaction; what is written already stays as it is.

        Raises:
            LedgerError: Nothing was written.
        """
        rows = [
            {
                "number": act.number,
                "at": act.at.isoformat(),
                "incident": act.incident,
                "cause": act.cause,
                "value": _text(act),
            }
            for act in acts
        ]
        if rows:
            with self._writing() as connection:
                connection.execute(sqlite.insert(_acts).on_conflict_do_nothing(index_elements=[_acts.c.cause]), rows)

    def holder(self) -> Holder | None:
        """Who holds it or held it last; None where nobody did, or nobody can read who.

        Raises:
            LedgerError: It cannot be read.
        """
        return _holder(next(iter(self._read(_HOLDER)), None))

    def hold(self, holder: Holder, instead_of: Holder | None) -> bool:
        """Write who holds it from now on; False, and nothing is written, where another one was faster.

        Raises:
            LedgerError: Nothing was written.
        """
        known = next(iter(self._read(_HOLDER)), None)
        if _holder(known) != instead_of:
            return False
        with self._writing() as connection:
            if known is None:
                row = {"name": "holder", "value": _text(holder)}
                return connection.execute(sqlite.insert(_facts).on_conflict_do_nothing(), row).rowcount == 1
            unchanged = _facts.update().where(_facts.c.name == "holder", _facts.c.value == known)
            return connection.execute(unchanged.values(value=_text(holder))).rowcount == 1

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """One connection, to the file or to what is kept in memory."""
        with self._turn:
            self._come_back()
            if self._trouble is not None:
                with self._engine.connect() as connection:
                    yield connection
                return
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction; what goes wrong in it is a LedgerError, and so is that it goes only into memory."""
        try:
            with self._turn:
                self._come_back()
                if self._trouble is not None:
                    with self._engine.begin() as connection:
                        yield connection
                    raise self._trouble
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            reason = f"{error.orig}{_hint(self.path)}"
            raise LedgerError(f"the ledger cannot be written: {reason}", reason) from error
        except OverflowError as error:  # a number that no column holds
            raise LedgerError(f"the ledger cannot be written: {error}", str(error)) from error


def _opened(url: str) -> sa.Engine:
    """The database at a URL, with the tables of this version.

    Raises:
        LedgerError: It cannot be opened, or a newer version of this program wrote it.
    """
    try:
        place = repr(sa.make_url(url))  # without its password
    except sa.exc.ArgumentError as error:
        raise LedgerError("the ledger cannot be opened: its address is no SQLAlchemy URL", "it is no URL") from error
    path = _path(sa.make_url(url))
    try:
        if path is not None:
            _make(path)
        more = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if url == MEMORY else {}
        engine = sa.create_engine(url, **more)
        if engine.dialect.name == "sqlite":
            _prepare_sqlite(engine)
        with engine.begin() as connection:
            version = _version(connection)
            if version < len(STEPS):
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # or each table would be a transaction of its own
                for step in STEPS[_version(connection) :]:  # another process may have been faster
                    for statement in step:
                        connection.exec_driver_sql(statement)
                _write(connection, _facts, [{"name": "version", "value": str(len(STEPS))}])
    except (sa.exc.SQLAlchemyError, OSError, TypeError, ValueError) as error:  # the last two: an odd option of the URL
        reason = f"{_cause(error)}{_hint(path)}"
        raise LedgerError(f"the ledger {place} cannot be opened: {reason}", reason) from error
    if version > len(STEPS):
        raise LedgerError(
            f"the ledger {place} was written by a newer version (its schema is {version}, "
            f"this program knows {len(STEPS)}); start that version, or name another ledger",
            "a newer version wrote it",
        )
    return engine


def _make(path: Path) -> None:
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


def _hint(path: Path | None) -> str:
    """What is wrong with the rights to a file, and the command that mends it; nothing where that is not the matter."""
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
        if each in {whole, whole.parent}:
            command = f"chown -R {os.geteuid()} {whole.parent}"
            return f"; {command} (it belongs to {text_file.user(each.stat().st_uid)}, this is {me})"
        return f"; install -d -o {os.geteuid()} {whole.parent} (this is {me})"
    return ""


def _path(url: sa.URL) -> Path | None:
    name = url.database
    is_file = name and name != ":memory:" and not name.startswith("file:")
    return Path(name) if name and is_file else None


def _identity(path: Path | None) -> tuple[int, int] | None:
    """What tells a file from another one that came in its place."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _check_empty(engine: sa.Engine) -> None:
    """See whether a ledger holds nothing, so that what is kept in memory can be written into it.

    Raises:
        LedgerError: It holds something, which would be lost.
    """
    with engine.connect() as connection:
        is_empty = not any(
            connection.scalar(sa.select(sa.func.count()).select_from(each)) for each in (_incidents, _acts)
        )
        looked = connection.scalar(sa.select(_facts.c.value).where(_facts.c.name == "looked_at"))
    if not is_empty or looked is not None:
        engine.dispose()
        reason = "it can be opened again and holds an earlier history: restart the watchdog to go on with that"
        raise LedgerError(f"the ledger is not written: {reason}", reason)


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _version(connection: sa.Connection) -> int:
    """The version of the schema; 0 where there is none yet."""
    if not sa.inspect(connection).has_table("facts"):
        return 0
    return _number(connection.scalar(sa.select(_facts.c.value).where(_facts.c.name == "version")), "version")


def _write(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those of the same key."""
    if not rows:
        return
    insert = sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=others), rows)


def _decode(rows: Sequence[str], kind: type[V]) -> list[V]:
    try:
        return [msgspec.json.decode(each, type=kind) for each in rows]
    except (msgspec.DecodeError, ValueError, TypeError) as error:  # the last two: no row of ours is so
        sentence = f"the ledger has a {kind.__name__} that cannot be read: {error}"
        raise LedgerError(sentence, f"damaged ({kind.__name__})") from error


def _readable_acts(rows: Iterable[Any]) -> Iterator[Action]:
    """The acts under the numbers of their rows; one that cannot be read is left out, as it must not hide the others."""
    for row in rows:
        try:
            yield replace(msgspec.json.decode(row.value, type=Action), number=row.number)
        except (msgspec.DecodeError, ValueError, TypeError) as error:
            log.error("the ledger has an act %s that cannot be read and is left out: %s", row.number, error)  # noqa: TRY400


def _holder(text: str | None) -> Holder | None:
    try:
        return cast("Holder | None", msgspec.json.decode(text or "null", type=Holder | None))
    except msgspec.DecodeError:
        return None  # whoever wrote that is no watchdog of ours


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _changed(before: Mapping[K, V], after: Mapping[K, V]) -> list[V]:
    return [value for key, value in after.items() if before.get(key) != value]


def _incident_row(incident: Incident) -> dict[str, Any]:
    return {
        "number": incident.number,
        "key": _text(incident.key),
        "began_at": incident.began_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "value": _text(incident),
    }


def _told_row(told: DeliveryRecord) -> dict[str, Any]:
    return {"incident": told.incident, "chat": told.chat, "value": _text(told)}


def _text(value: object) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate in what somebody wrote, which no encoding has
        whole = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return whole.encode(errors="replace").decode()


def _instant(text: str | None, name: str) -> datetime | None:
    try:
        found = None if text is None else msgspec.json.decode(text, type=datetime | None)
    except msgspec.DecodeError as error:
        raise LedgerError(f"the ledger has a {name} that cannot be read: {error}", f"damaged ({name})") from error
    if found is not None and found.tzinfo is None:
        raise LedgerError(f"the ledger has a {name} that is in no time zone", f"damaged ({name})")
    return cast("datetime | None", found)


def _number(text: str | None, name: str) -> int:
    try:
        found = int(text or 0)
    except ValueError as error:
        raise LedgerError(f"the ledger has a {name} that cannot be read: {text!r}", f"damaged ({name})") from error
    if not 0 <= found < 2**53:
        raise LedgerError(f"the ledger has a {name} that cannot be: {found}", f"damaged ({name})")
    return found


def _troubles(facts: Mapping[str, str]) -> dict[Key, datetime]:
    """Since when there is each trouble; versions that knew one for all of them wrote only that."""
    if "troubles_since" in facts:
        try:
            return dict(msgspec.json.decode(facts["troubles_since"], type=list[tuple[Key, datetime]]))
        except msgspec.DecodeError as error:
            sentence = f"the ledger has a troubles_since that cannot be read: {error}"
            raise LedgerError(sentence, "damaged (troubles_since)") from error
    since = _instant(facts.get("blind_since"), "blind_since")
    return {SIGHT: since} if since else {}


def _cause(error: BaseException) -> object:
    if isinstance(error, OSError):
        return error.strerror or error
    return error.orig if isinstance(error, DBAPIError) else error
