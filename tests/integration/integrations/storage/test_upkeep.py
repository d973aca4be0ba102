"""A ledger is moved to another database and checked there, and what is old in it is forgotten."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.real.postgres import Database
from tests.support.scene import CHAT, KEY, at, incident
from wine_slo.integrations.storage.lease.lock_file import LockFile
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import STEPS
from wine_slo.integrations.storage.upkeep import checking
from wine_slo.integrations.storage.upkeep.copying import copy
from wine_slo.monitor.retention import Retention
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.lease import Lease, Watchdog
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.oncall.actions import Action, ActionKind
from wine_slo.slo.views.board_text import BoardRecord

CHATS = tuple(Address(each) for each in ("telegram:-1001234567890", "console:0", "webhook:operations"))
LEADER = Watchdog(id="a", host="elsewhere", boot="b", pid=7, since=at(0))
BOTH = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'watchdog.db'}"


@pytest.fixture
def url(request: pytest.FixtureRequest, file: str) -> str:
    """Where a ledger may be made, in a database of one kind or the other."""
    return file if request.param == "sqlite" else request.getfixturevalue("database").url


Execute = Callable[[str, str], None]


@pytest.fixture
def execute(request: pytest.FixtureRequest, tmp_path: Path) -> Execute:
    """Change something in a ledger behind its back."""

    def run(url: str, statement: str) -> None:
        if url.startswith("postgresql"):
            request.getfixturevalue("database").run(statement)
            return
        with closing(sqlite3.connect(tmp_path / "watchdog.db")) as connection:
            connection.execute(statement)
            connection.commit()

    return run


def action(number: int, *, of: int | None = None) -> Action:
    who = Person(7, "Ann")
    return Action(
        number=number, at=at(number), by=who, chat=CHAT, cause=f"m{number}", deed=ActionKind.ACKNOWLEDGE, incident=of
    )


def fill(url: str, *, incidents: int = 3) -> None:
    """Write something of everything."""
    ledger = Ledger.open(url)
    closed = {n: incident(number=n, closed_at=at(n), outcome=Outcome.RECOVERED) for n in range(2, incidents + 1)}
    track = KeyState(key=KEY, since=at(0), sight_since=at(0))
    state = State(
        tracks={KEY: track},
        incidents={1: incident(number=1), **closed},
        last_number=incidents,
        troubles_since={KEY: at(1)},
        evaluated_at=at(300),
    )
    ledger.save(State(), state)
    ledger.mark([DeliveryRecord(incident=n, chat=chat, text="🔴 \0") for n in state.incidents for chat in CHATS])
    for chat in CHATS:
        ledger.keep_subscriber(Subscriber(chat=chat, language="ru"))
        ledger.keep_board(BoardRecord(address=chat, message=3, text="", written_at=at(0)))
        ledger.mark_digest(chat, at(0))
    ledger.add_actions([action(1, of=1), action(2)])
    ledger.lease.take(Lease(leader=LEADER, number=41, is_free=True), instead_of=None)
    ledger.close()


def contents(url: str) -> tuple[object, ...]:
    ledger = Ledger.open(url)
    memory = ledger.load()
    found = (
        memory.state,
        sorted(memory.records, key=lambda each: (each.incident, each.chat)),
        sorted(memory.subscribers, key=lambda each: each.chat),
        memory.actions,
        sorted(ledger.boards(), key=lambda each: each.address),
        ledger.digests(),
        ledger.incidents(),
        ledger.lease.read(),
    )
    ledger.close()
    return found


def test_a_ledger_comes_back_the_same_from_postgresql(file: str, database: Database, tmp_path: Path) -> None:
    fill(file, incidents=600)
    back = f"sqlite:///{tmp_path / 'back.db'}"
    there = copy(file, database.url)
    again = copy(database.url, back)
    assert [(each.table, each.rows) for each in there if each.table == "incidents"] == [("incidents", 600)]
    assert there == again
    assert contents(file) == contents(database.url) == contents(back)
    assert database.run("SELECT count(*), count(DISTINCT chat) FROM boards") == [["3", "3"]]


def test_a_copy_into_what_holds_something_is_refused(file: str, database: Database) -> None:
    fill(file)
    Ledger.open(database.url).close()
    copy(file, database.url)
    with pytest.raises(LedgerError, match=r"holds something already \(\d+ rows in \w+\); name one that is empty"):
        copy(file, database.url)


def test_a_copy_of_what_a_watchdog_works_with_is_refused(file: str, database: Database, tmp_path: Path) -> None:
    fill(file)
    lock = LockFile(tmp_path / "watchdog.db.lock")
    assert lock.take()
    with pytest.raises(LedgerError, match=r"in use by a watchdog .* stop it first"):
        copy(file, database.url)
    lock.free()
    copy(file, database.url)


def test_a_copy_that_fails_leaves_nothing(file: str, database: Database, tmp_path: Path) -> None:
    fill(file)
    with closing(sqlite3.connect(tmp_path / "watchdog.db")) as connection:
        connection.execute("UPDATE tracks SET value = X'FFFE'")
        connection.commit()
    with pytest.raises(LedgerError, match="nothing is copied"):
        copy(file, database.url)
    assert checking.check(database.url).rows["incidents"] == 0


def test_a_copy_of_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        copy(f"sqlite:///{tmp_path / 'a.db'}", f"sqlite:///{tmp_path / 'b.db'}")
    assert list(tmp_path.iterdir()) == []


# Checking


@BOTH
def test_a_check_says_what_a_ledger_holds(url: str) -> None:
    fill(url)
    found = checking.check(url)
    assert found.damage == ()
    assert (found.schema, found.known_schema) == (len(STEPS), len(STEPS))
    assert (found.rows["incidents"], found.rows["delivery records"], found.open_incidents) == (3, 9, 1)
    assert found.oldest_incident == incident().began_at
    assert (found.leader, found.is_led, found.lease_number) == (str(LEADER), False, 41)
    assert found.bytes > 10_000


@BOTH
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE incidents SET value = '{' WHERE number > 1", "incidents: 2 of its rows cannot be read; the first: "),
        ("UPDATE acts SET value = 'x'", "acts: 2 of its rows cannot be read"),
        ("UPDATE facts SET value = 'x' WHERE name = 'looked_at'", "facts: 1 of its rows cannot be read"),
        ("UPDATE facts SET value = '99' WHERE name = 'version'", "a newer version wrote it: its schema is 99"),
    ],
)
def test_a_check_finds_every_row_that_cannot_be_read(url: str, change: str, said: str, execute: Execute) -> None:
    fill(url)
    execute(url, change)
    found = checking.check(url)
    assert len(found.damage) == 1
    assert said in found.damage[0]


def test_a_check_finds_what_sqlite_finds(file: str, tmp_path: Path) -> None:
    fill(file)
    with closing(sqlite3.connect(tmp_path / "watchdog.db")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_acts_at'")  # its pages belong to nothing now
        connection.commit()
    assert any("the database says: " in each for each in checking.check(file).damage)


@BOTH
def test_a_check_of_what_is_not_there_makes_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(checking.NoLedgerError, match="there is no ledger"):
        checking.check(url)
    assert list(tmp_path.iterdir()) == []


# Forgetting


@BOTH
async def test_what_was_over_long_ago_is_forgotten_and_nothing_else(url: str) -> None:
    fill(url, incidents=500)
    ledger = Ledger.open(url)
    await Retention(ledger, timedelta(days=90), lambda: at(400) + timedelta(days=90), pause=0).delete()
    assert [each.number for each in ledger.incidents()] == [*range(500, 399, -1), 1]
    assert {each.incident for each in ledger.records_of(range(1000))} == {1, *range(400, 501)}
    memory = ledger.load()
    assert [each.number for each in memory.actions] == [1, 2], "one of an open incident, and the last one"
    assert (memory.last_action, memory.state.last_number) == (2, 500)
    ledger.close()


@BOTH
async def test_a_number_is_given_once_though_all_was_forgotten(url: str) -> None:
    ledger = Ledger.open(url)
    over = incident(number=7, closed_at=at(7), outcome=Outcome.RECOVERED)
    ledger.save(State(), State(incidents={7: over}, last_number=7, evaluated_at=at(8)))
    ledger.add_actions([action(1), action(2), replace(action(3), at=at(-100))])
    await Retention(ledger, timedelta(days=90), lambda: at(400) + timedelta(days=90), pause=0).delete()
    memory = ledger.load()
    assert (ledger.incidents(), memory.state.last_number, memory.last_action) == ([], 7, 3)
    ledger.close()
