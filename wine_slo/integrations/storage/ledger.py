"""The ledger: what is known, and what each recipient has received of it; the only memory of the watchdog.

Values are kept as the JSON of the core's own dataclasses, beside the few columns by which they are found, so a new
field with a default needs no migration; whatever else changes the tables is one more step of `schema`.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from wine_slo.integrations.storage.engines.sqlite import in_memory
from wine_slo.integrations.storage.engines.statements import insert_new, upsert
from wine_slo.integrations.storage.engines.urls import database_at
from wine_slo.integrations.storage.failover import AGAIN_AFTER, Failover
from wine_slo.integrations.storage.lease.fence import Fence
from wine_slo.integrations.storage.lease.rows import Database, LeaseRows
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import (
    board_row,
    boards_of,
    changed,
    charts_of,
    decode,
    encode,
    incident_row,
    instant_of,
    number_of,
    readable_actions,
    record_row,
    reports_of,
    slot_of,
    troubles_of,
)
from wine_slo.integrations.storage.schema import (
    ACTIONS,
    BOARDS,
    DELIVERIES,
    DIGESTS,
    FACTS,
    INCIDENTS,
    SUBSCRIBERS,
    TRACKS,
)
from wine_slo.integrations.storage.upkeep.retention import forget
from wine_slo.integrations.storage.writes import Writes
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.evaluation.engine import KEPT, State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import KEPT as KEPT_ACTIONS
from wine_slo.slo.oncall.actions import Action
from wine_slo.slo.source.deployment import Reported
from wine_slo.slo.views.board_text import BoardRecord
from wine_slo.slo.views.chart_spec import ShownChart

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger holds: what is known, what was delivered of it, the subscribers, and what people did.

    Attributes:
        last_action: The highest number of an action, also of one that cannot be read.
    """

    state: State
    records: tuple[DeliveryRecord, ...]
    subscribers: tuple[Subscriber, ...]
    actions: tuple[Action, ...] = ()
    last_action: int = 0


class Ledger:
    """Reads and writes the ledger. Every call is one transaction and may block on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writes = Writes(database)

    @property
    def lease(self) -> LeaseRows:
        """Return the rows of the lease."""
        return LeaseRows(self._database)

    def fenced(self, me: str, number: Callable[[], int | None], on_refused: Callable[[], None]) -> Self:
        """Return the same ledger as one leader sees it: what that writes is refused once another one leads."""
        return type(self)(Fence(self._database, me, number, on_refused))

    @property
    def path(self) -> Path | None:
        """Return the file; None where it is none."""
        return self._database.path

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the ledger at an SQLAlchemy URL, made if there is none.

        Raises:
            LedgerError: It cannot be opened, or a newer version of this program wrote it.
        """
        database = database_at(url)
        return cls(Failover(database.open(), database))

    @classmethod
    def open_or_remember(cls, url: str, again_after: float = AGAIN_AFTER) -> Self:
        """Return the ledger at an SQLAlchemy URL; one in memory for as long as its file cannot be opened and read.

        Args:
            url: Where it is.
            again_after: Seconds between two tries to open what cannot be opened.

        Raises:
            LedgerError: The database on a server cannot be used; nobody knows whether another watchdog does.
        """
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
            database = database_at(url)
            if database.path is None:
                raise
            log.error("%s; everything is kept in memory, and is lost with this process, until it can", error)  # noqa: TRY400 - a sentence says it all
            return cls(Failover(in_memory().open(), database, error, again_after))
        return ledger

    def close(self) -> None:
        """End its connections."""
        self._database.close()

    @staticmethod
    def backup(url: str, to: Path) -> None:
        """Write all of a ledger into a new file, a whole ledger by itself; a watchdog that writes meanwhile goes on.

        Raises:
            LedgerError: That is not possible, or there is such a file.
        """
        database_at(url).backup(to)

    def load(self) -> Memory:
        """Return what was known; of closed incidents only those that are still at hand.

        Raises:
            LedgerError: It cannot be read.
        """
        with self._database.reading() as connection:
            facts = {row.name: row.value for row in connection.execute(sa.select(FACTS))}
            tracks = connection.scalars(sa.select(TRACKS.c.value)).all()
            evaluated_at = instant_of(facts.get("looked_at"), "looked_at")
            oldest = (evaluated_at - KEPT).isoformat() if evaluated_at else ""
            at_hand = sa.or_(INCIDENTS.c.closed_at.is_(None), INCIDENTS.c.closed_at > oldest)
            incidents = connection.scalars(sa.select(INCIDENTS.c.value).where(at_hand)).all()
            records = connection.scalars(
                sa.select(DELIVERIES.c.value)
                .join(INCIDENTS, INCIDENTS.c.number == DELIVERIES.c.incident)
                .where(at_hand)
            ).all()
            subscribers = connection.scalars(sa.select(SUBSCRIBERS.c.value)).all()
            newest = sa.select(sa.func.max(ACTIONS.c.number)).scalar_subquery()  # so that none is given twice
            lately = (evaluated_at - KEPT_ACTIONS).isoformat() if evaluated_at else ""
            actions = connection.execute(
                sa.select(ACTIONS.c.number, ACTIONS.c.value)
                .where(sa.or_(ACTIONS.c.at > lately, ACTIONS.c.number == newest))
                .order_by(ACTIONS.c.number)
            ).all()
        self._writes.begin(facts.get("looked_at"))
        found = decode(tracks, KeyState)
        state = State(
            tracks={track.key: track for track in found},
            incidents={each.number: each for each in decode(incidents, Incident)},
            last_number=number_of(facts.get("last_number"), "last_number"),
            troubles_since=troubles_of(facts),
            evaluated_at=evaluated_at,
        )
        return Memory(
            state,
            tuple(decode(records, DeliveryRecord)),
            tuple(decode(subscribers, Subscriber)),
            tuple(readable_actions(actions)),
            max((row.number for row in actions), default=0),
        )

    def incidents(
        self, *, key: Key | None = None, since: datetime | None = None, numbers: Iterable[int] = (), last: int = 1000
    ) -> list[Incident]:
        """Return incidents that are open or were, the newest first.

        Args:
            key: Only of this key.
            since: Only those that were still open then, or began later.
            numbers: Only these; all where none is named.
            last: At most so many.

        Raises:
            LedgerError: It cannot be read.
        """
        wanted = sa.select(INCIDENTS.c.value).order_by(INCIDENTS.c.number.desc()).limit(last)
        if key is not None:
            wanted = wanted.where(INCIDENTS.c.key == encode(key))
        if since is not None:
            is_recent = INCIDENTS.c.closed_at > since.astimezone(UTC).isoformat()
            wanted = wanted.where(sa.or_(INCIDENTS.c.closed_at.is_(None), is_recent))
        if those := list(numbers):
            wanted = wanted.where(INCIDENTS.c.number.in_(those))
        return decode(self._read(wanted), Incident)

    def records_of(self, incidents: Iterable[int]) -> list[DeliveryRecord]:
        """Return the delivery records of these incidents.

        Raises:
            LedgerError: It cannot be read.
        """
        return decode(
            self._read(sa.select(DELIVERIES.c.value).where(DELIVERIES.c.incident.in_(list(incidents)))), DeliveryRecord
        )

    def save(self, before: State, after: State) -> None:
        """Write what changed from one state to the next, in one transaction.

        Raises:
            LedgerError: Nothing was written.
        """
        tracks = changed(before.tracks, after.tracks)
        gone = [encode(key) for key in before.tracks if key not in after.tracks]
        incidents = changed(before.incidents, after.incidents)
        facts = {
            "last_number": str(after.last_number),
            "troubles_since": encode(list(after.troubles_since.items())),
            "blind_since": encode(after.blind_since),  # for an earlier version that is started again
            "looked_at": encode(after.evaluated_at),
        }
        with self._writes.open(facts["looked_at"]) as connection:
            upsert(connection, FACTS, [{"name": name, "value": value} for name, value in facts.items()])
            upsert(connection, TRACKS, [{"key": encode(each.key), "value": encode(each)} for each in tracks])
            if gone:
                connection.execute(TRACKS.delete().where(TRACKS.c.key.in_(gone)))
            upsert(connection, INCIDENTS, [incident_row(each) for each in incidents])

    def mark(self, records: Iterable[DeliveryRecord]) -> None:
        """Write delivery records, in one transaction.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._writes.open() as connection:
            upsert(connection, DELIVERIES, [record_row(each) for each in records])

    def keep_subscriber(self, subscriber: Subscriber) -> None:
        """Write how a chat stands with us.

        Raises:
            LedgerError: It is not written yet; it will be, with the next that can be.
        """
        row = {"chat": subscriber.chat, "value": encode(subscriber)}
        self._writes.keep(("subscriber", subscriber.chat), lambda connection: upsert(connection, SUBSCRIBERS, [row]))

    def _read(self, wanted: sa.Select[Any]) -> Sequence[str]:
        with self._database.reading() as connection:
            return connection.scalars(wanted).all()

    def try_writing(self) -> None:
        """See whether it can be written, and leave nothing written.

        Raises:
            LedgerError: It cannot.
        """
        with self._writes.open() as connection:
            attempt = connection.begin_nested()
            upsert(connection, FACTS, [{"name": "tried", "value": ""}])
            attempt.rollback()

    def boards(self) -> list[BoardRecord]:
        """Return the boards that are kept.

        Raises:
            LedgerError: It cannot be read.
        """
        return boards_of(self._read(sa.select(BOARDS.c.value)))

    def keep_board(self, board: BoardRecord) -> None:
        """Write a board as it reads now.

        Raises:
            LedgerError: It is not written yet; it will be, with the next that can be.
        """
        row = board_row(board)
        self._writes.keep(("board", board.chat), lambda connection: upsert(connection, BOARDS, [row]))

    def drop_board(self, chat: Address) -> None:
        """Forget the board of a chat.

        Raises:
            LedgerError: It is not written yet; it will be, with the next that can be.
        """
        gone = BOARDS.delete().where(BOARDS.c.chat == chat)
        self._writes.keep(("board", chat), lambda connection: connection.execute(gone))

    def digests(self) -> dict[Address, datetime]:
        """Return which digest each chat received last, by the time at which it was due.

        Raises:
            LedgerError: It cannot be read.
        """
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(DIGESTS)).all()
        return {row.chat: slot_of(row.told, "digest") for row in rows}

    def mark_digest(self, chat: Address, slot: datetime) -> None:
        """Write which digest a chat received.

        Raises:
            LedgerError: It is not written yet; it will be, with the next that can be.
        """
        row = {"chat": chat, "told": slot.astimezone(UTC).isoformat()}
        self._writes.keep(("digest", chat), lambda connection: upsert(connection, DIGESTS, [row]))

    def deployments(self) -> list[Reported]:
        """Return the deployments that were reported and are kept.

        Raises:
            LedgerError: They cannot be read.
        """
        texts = self._read(sa.select(FACTS.c.value).where(FACTS.c.name == "deployments"))
        return reports_of(texts[0] if texts else None)

    def keep_deployments(self, reports: Iterable[Reported]) -> None:
        """Write the deployments that were reported, instead of those that were kept.

        Raises:
            LedgerError: It is not written yet; it will be, with the next that can be.
        """
        row = {"name": "deployments", "value": encode(list(reports))}
        self._writes.keep(("deployments",), lambda connection: upsert(connection, FACTS, [row]))

    def charts(self) -> list[ShownChart]:
        """Return the charts that are in chats and are kept.

        Raises:
            LedgerError: They cannot be read.
        """
        texts = self._read(sa.select(FACTS.c.value).where(FACTS.c.name == "charts"))
        return charts_of(texts[0] if texts else None)

    def keep_charts(self, charts: Iterable[ShownChart]) -> None:
        """Write the charts that are in chats, instead of those that were kept.

        Raises:
            LedgerError: Nothing was written.
        """
        with self._database.writing() as connection:
            upsert(connection, FACTS, [{"name": "charts", "value": encode(list(charts))}])

    def add_actions(self, actions: Iterable[Action]) -> None:
        """Write down what people did, in one transaction; what is written already stays as it is.

        Raises:
            LedgerError: Nothing was written.
        """
        rows = [
            {
                "number": action.number,
                "at": action.at.isoformat(),
                "incident": action.incident,
                "cause": action.cause,
                "value": encode(action),
            }
            for action in actions
        ]
        if rows:
            with self._writes.open() as connection:
                insert_new(connection, ACTIONS, rows, ACTIONS.c.cause)

    def forget(self, before: datetime) -> int:
        """Delete one batch of what was over before a time; return how much that was, 0 where nothing is left of it.

        Raises:
            LedgerError: Nothing was deleted.
        """
        with self._writes.open() as connection:
            return forget(connection, before)
