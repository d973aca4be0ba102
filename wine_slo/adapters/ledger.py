"""The ledger: what is known, and what each chat was told of it; the only memory of the watchdog.

Values are kept as the JSON of the domain's own dataclasses, beside the few columns by which they are found, so a new
field with a default needs no migration; whatever else changes the tables is one more step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from wine_slo.domain.acts import KEPT as KEPT_ACTS
from wine_slo.domain.acts import Act
from wine_slo.domain.board import Board
from wine_slo.domain.chat import Standing
from wine_slo.domain.holder import Holder
from wine_slo.domain.incident import Incident, Track
from wine_slo.domain.notice import Told
from wine_slo.domain.objective import Key
from wine_slo.domain.watch import KEPT, SIGHT, State

K = TypeVar("K")
V = TypeVar("V")

BUSY_SECONDS = 2  # how long to wait for another process that writes; well inside one tick

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


def _add_boards_and_digests(connection: sa.Connection) -> None:
    """The boards that are kept, and which digest each chat was told last."""
    for table in (_boards, _digests):
        table.create(connection, checkfirst=True)


_acts = sa.Table(
    "acts",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False, index=True),
    sa.Column("incident", sa.Integer, index=True),
    sa.Column("cause", sa.Text, nullable=False, unique=True),
    sa.Column("value", sa.Text, nullable=False),
)


def _add_acts(connection: sa.Connection) -> None:
    """What people did; an act is never changed."""
    _acts.create(connection, checkfirst=True)


_HOLDER = sa.select(_facts.c.value).where(_facts.c.name == "holder")

# Each step takes the schema from one version to the next; the first makes it. Steps that have run are never changed.
STEPS: tuple[Callable[[sa.Connection], None], ...] = (_tables.create_all, _add_boards_and_digests, _add_acts)


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
    """What the ledger holds: what is known, what chats were told of it, how they stand, and what people did."""

    state: State
    told: tuple[Told, ...]
    standings: tuple[Standing, ...]
    acts: tuple[Act, ...] = ()


class Ledger:
    """Reads and writes the ledger. Every call is one transaction and may block on the disk."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""
        name = self._engine.url.database
        return Path(name) if name and name != ":memory:" and not name.startswith("file:") else None

    @classmethod
    def open(cls, url: str) -> Self:
        """The ledger at an SQLAlchemy URL, made if there is none.

        Raises:
            LedgerError: It cannot be opened, or a newer version of this program wrote it.
        """
        try:
            place = repr(sa.make_url(url))  # without its password
        except sa.exc.ArgumentError as error:
            raise LedgerError("the ledger cannot be opened: its address is no SQLAlchemy URL") from error
        try:
            engine = sa.create_engine(url)
            if engine.dialect.name == "sqlite":
                _prepare_sqlite(engine)
            with engine.begin() as connection:
                version = _version(connection)
                for step in STEPS[version:]:
                    step(connection)
                if version < len(STEPS):
                    _write(connection, _facts, [{"name": "version", "value": str(len(STEPS))}])
        except (sa.exc.SQLAlchemyError, OSError) as error:
            raise LedgerError(f"the ledger {place} cannot be opened: {_cause(error)}") from error
        if version > len(STEPS):
            raise LedgerError(
                f"the ledger {place} was written by a newer version (its schema is {version}, "
                f"this program knows {len(STEPS)}); start that version, or name another ledger"
            )
        return cls(engine)

    def close(self) -> None:
        """End its connections."""
        self._engine.dispose()

    def load(self) -> Memory:
        """What was known; of closed incidents only those that are still at hand.

        Raises:
            LedgerError: It cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                facts = {row.name: row.value for row in connection.execute(sa.select(_facts))}
                tracks = connection.scalars(sa.select(_tracks.c.value)).all()
                looked_at = _instant(facts.get("looked_at"))
                oldest = (looked_at - KEPT).isoformat() if looked_at else ""
                at_hand = sa.or_(_incidents.c.closed_at.is_(None), _incidents.c.closed_at > oldest)
                incidents = connection.scalars(sa.select(_incidents.c.value).where(at_hand)).all()
                told = connection.scalars(
                    sa.select(_told.c.value).join(_incidents, _incidents.c.number == _told.c.incident).where(at_hand)
                ).all()
                standings = connection.scalars(sa.select(_standings.c.value)).all()
                newest = sa.select(sa.func.max(_acts.c.number)).scalar_subquery()  # so that none is given twice
                lately = (looked_at - KEPT_ACTS).isoformat() if looked_at else ""
                acts = connection.scalars(
                    sa.select(_acts.c.value)
                    .where(sa.or_(_acts.c.at > lately, _acts.c.number == newest))
                    .order_by(_acts.c.number)
                ).all()
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be read: {_cause(error)}") from error
        found = _decode(tracks, Track)
        state = State(
            tracks={track.key: track for track in found},
            incidents={each.number: each for each in _decode(incidents, Incident)},
            last_number=int(facts.get("last_number") or 0),
            troubles_since=_troubles(facts),
            looked_at=looked_at,
        )
        return Memory(state, tuple(_decode(told, Told)), tuple(_decode(standings, Standing)), tuple(_decode(acts, Act)))

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

    def told_of(self, incidents: Iterable[int]) -> list[Told]:
        """What every chat was told of these incidents.

        Raises:
            LedgerError: It cannot be read.
        """
        return _decode(self._read(sa.select(_told.c.value).where(_told.c.incident.in_(list(incidents)))), Told)

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

    def mark(self, told: Iterable[Told]) -> None:
        """Write what chats believe now, in one transaction.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _told, [_told_row(each) for each in told])

    def stand(self, standing: Standing) -> None:
        """Write how a chat stands with us.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _standings, [{"chat": standing.chat, "value": _text(standing)}])

    def _read(self, wanted: sa.Select[Any]) -> Sequence[str]:
        try:
            with self._engine.connect() as connection:
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

    def boards(self) -> list[Board]:
        """The boards that are kept.

        Raises:
            LedgerError: It cannot be read.
        """
        return _decode(self._read(sa.select(_boards.c.value)), Board)

    def keep_board(self, board: Board) -> None:
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
            with self._engine.connect() as connection:
                rows = connection.execute(sa.select(_digests)).all()
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be read: {_cause(error)}") from error
        return {row.chat: datetime.fromisoformat(row.told) for row in rows}

    def mark_digest(self, chat: int, slot: datetime) -> None:
        """Write which digest a chat was told.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writing() as connection:
            _write(connection, _digests, [{"chat": chat, "told": slot.astimezone(UTC).isoformat()}])

    def act(self, acts: Iterable[Act]) -> None:
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
    def _writing(self) -> Iterator[sa.Connection]:
        """One transaction; what goes wrong in it is a LedgerError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be written: {error.orig}", str(error.orig)) from error
        except OverflowError as error:  # a number that no column holds
            raise LedgerError(f"the ledger cannot be written: {error}", str(error)) from error


def _version(connection: sa.Connection) -> int:
    """The version of the schema; 0 where there is none yet."""
    if not sa.inspect(connection).has_table("facts"):
        return 0
    return int(connection.scalar(sa.select(_facts.c.value).where(_facts.c.name == "version")) or 0)


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
    except msgspec.DecodeError as error:
        raise LedgerError(f"the ledger has a {kind.__name__} that cannot be read: {error}") from error


def _holder(text: str | None) -> Holder | None:
    try:
        return cast("Holder | None", msgspec.json.decode(text or "null", type=Holder | None))
    except msgspec.DecodeError:
        return None  # whoever wrote that is no watchdog of ours


def _prepare_sqlite(engine: sa.Engine) -> None:
    if engine.url.database and engine.url.database != ":memory:":
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)

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


def _told_row(told: Told) -> dict[str, Any]:
    return {"incident": told.incident, "chat": told.chat, "value": _text(told)}


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else cast("datetime | None", msgspec.json.decode(text, type=datetime | None))


def _troubles(facts: Mapping[str, str]) -> dict[Key, datetime]:
    """Since when there is each trouble; versions that knew one for all of them wrote only that."""
    if "troubles_since" in facts:
        return dict(msgspec.json.decode(facts["troubles_since"], type=list[tuple[Key, datetime]]))
    since = _instant(facts.get("blind_since"))
    return {SIGHT: since} if since else {}


def _cause(error: BaseException) -> object:
    return error.orig if isinstance(error, DBAPIError) else error
