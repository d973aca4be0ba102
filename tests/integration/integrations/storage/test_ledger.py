"""The ledger: what is written comes back, whatever the disk and other processes do meanwhile."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.scene import ALL, CHAT, KEY, LATENCY, Scene, at, incident
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.engines.sqlite import Sqlite
from wine_slo.integrations.storage.engines.urls import database_at
from wine_slo.integrations.storage.failover import Failover
from wine_slo.integrations.storage.ledger import Ledger, Memory
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import STEPS, TABLES
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.attribution.attribution import Share, attribute
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import BURNS, Key, Objectives
from wine_slo.slo.oncall.actions import Action, ActionKind, Silence
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.views.board_text import BoardRecord

BUDGET = Budget(
    history=timedelta(days=3), events=0.1 + 0.2, bad_ratios={timedelta(hours=1): 1 / 3, timedelta(minutes=5): 0.0}
)
DELIVERED = DeliveryRecord(
    incident=1,
    chat=CHAT,
    stage=Stage.OPENED,
    opening=1,
    message=2**40,
    text="🔴 <b>2.4 s</b>\nmore",
    held=Sight.BLIND,
    breach_told_at=at(1.000001),
    written_at=at(2),
    loud_at=at(3),
    perhaps_sent=True,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "watchdog.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{path}")
    yield ledger
    ledger.close()


def eventful() -> State:
    """A state in which there is something of everything."""
    scene = Scene(replace(LATENCY, burns=BURNS)).breaks().has(0.0, 20).breaks().lacks(Sight.BLIND, 300)
    reading = Reading(
        at=scene.now, sight=Sight.CLEAR, intervals=(Interval(scene.now, 1, 3, 0.5),), latency_seconds=2.4, budget=BUDGET
    )
    scene.evaluate({KEY: reading})
    return scene.lacks(Sight.BLIND, 150).state


def rows(path: Path, query: str) -> list[Any]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(query).fetchall()
    connection.close()
    return found


def test_what_is_written_comes_back(ledger: Ledger) -> None:
    state = eventful()
    assert {each.key for each in state.incidents.values()} == {KEY, Key("sight", (("objective", "latency"),))}
    ledger.save(State(), state)
    ledger.mark([DELIVERED])
    assert ledger.load() == Memory(replace(state, readings={}), (DELIVERED,), ())


@pytest.mark.parametrize(
    "reason",
    [
        "kept as text, as older versions did",
        Reason("no requests"),
        Reason("Prometheus: {why}", {"why": Reason("it answered {status}: {error}", {"status": 503, "error": "busy"})}),
    ],
    ids=str,
)
def test_a_reason_comes_back_so_that_it_can_be_written_in_any_language(ledger: Ledger, reason: Reason | str) -> None:
    state = eventful()
    state = replace(state, incidents={n: replace(each, reason=reason) for n, each in state.incidents.items()})
    ledger.save(State(), state)
    assert ledger.load().state == replace(state, readings={})


def test_what_carries_the_bad_events_comes_back(ledger: Ledger) -> None:
    found = attribute({"endpoint": [Share("/sleep", 45.5, 46), Share("", 1, 200)]}, 0.05, timedelta(minutes=1))
    assert found.causes
    state = State(incidents={1: incident(number=1, attribution=found)})
    ledger.save(State(), state)
    assert ledger.load().state.incidents[1].attribution == found


def test_an_incident_of_a_version_that_knew_only_the_endpoints_is_read(path: Path, ledger: Ledger) -> None:
    ledger.save(State(), State(incidents={1: incident(number=1)}))
    old = """json_set(json_remove(value, '$.attribution'), '$.by_endpoint', json('[["/sleep", 2.4]]'))"""
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE incidents SET value = {old}")
    connection.close()
    assert ledger.load().state.incidents[1] == incident(number=1)


def test_a_restart_finds_it(path: Path, ledger: Ledger) -> None:
    state = eventful()
    ledger.save(State(), state)
    ledger.mark([DELIVERED])
    ledger.close()
    again = Ledger.open(f"sqlite:///{path}")
    assert again.load() == Memory(replace(state, readings={}), (DELIVERED,), ())
    again.close()


def test_a_new_ledger_knows_nothing_and_makes_its_folder(path: Path, ledger: Ledger) -> None:
    assert path.exists()
    assert ledger.load() == Memory(State(), (), ())


def test_step_by_step_is_the_same_as_at_once(ledger: Ledger) -> None:
    scene = Scene()
    before = State()
    for bad in [0.0] * 3 + [1.0] * 6 + [0.0] * 8:
        scene.has(bad)
        ledger.save(before, scene.state)
        before = scene.state
    assert ledger.load().state == replace(scene.state, readings={})


def test_a_track_that_is_forgotten_is_forgotten_here_too(ledger: Ledger) -> None:
    state = Scene().has(1.0).state
    ledger.save(State(), state)
    ledger.save(state, replace(state, tracks={}))
    assert ledger.load().state.tracks == {}


def test_what_was_closed_long_ago_stays_written_but_is_not_at_hand(path: Path, ledger: Ledger) -> None:
    old = incident(number=1, closed_at=at(200), outcome=Outcome.RECOVERED)
    late = at(200) + timedelta(days=1)
    state = State(incidents={1: old, 2: incident(number=2)}, last_number=2, evaluated_at=late)
    ledger.save(State(), state)
    ledger.mark([DELIVERED, replace(DELIVERED, incident=2)])
    loaded = ledger.load()
    assert list(loaded.state.incidents) == [2]
    assert [each.incident for each in loaded.records] == [2]
    assert rows(path, "SELECT number FROM incidents ORDER BY number") == [(1,), (2,)]


def test_a_number_is_never_given_twice(ledger: Ledger) -> None:
    ledger.save(State(), State(last_number=41, evaluated_at=at(0)))
    assert ledger.load().state.last_number == 41


def test_a_delivery_record_is_overwritten_by_a_newer_one(ledger: Ledger) -> None:
    ledger.save(State(), State(incidents={1: incident(number=1)}))
    ledger.mark([DeliveryRecord(incident=1, chat=CHAT)])
    ledger.mark([DELIVERED])
    assert ledger.load().records == (DELIVERED,)


def test_chats_are_kept_apart(ledger: Ledger) -> None:
    delivered = [DELIVERED, replace(DELIVERED, chat=address_of(-1001234567890), message=3)]
    ledger.save(State(), State(incidents={1: incident(number=1)}))
    ledger.mark(delivered)
    assert sorted(ledger.load().records, key=lambda each: each.chat) == sorted(delivered, key=lambda each: each.chat)


# What it refuses


def refusal(url: str) -> str:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(url)
    return str(caught.value)


def test_a_newer_version_is_refused_with_what_to_do(path: Path, ledger: Ledger) -> None:
    ledger.close()
    rows(path, f"UPDATE facts SET value = '{len(STEPS) + 1}' WHERE name = 'version'")
    sentence = refusal(f"sqlite:///{path}")
    assert f"its schema is {len(STEPS) + 1}, this program knows {len(STEPS)}" in sentence
    assert "start that version, or name another ledger" in sentence
    assert str(path) in sentence


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        pytest.param("folder", "it is no regular file", id="a folder"),
        pytest.param("file/watchdog.db", "file", id="a file where a folder belongs"),
        pytest.param("text.db", "file is not a database", id="a file that is no database"),
    ],
)
def test_a_place_that_cannot_hold_it_is_reported_in_a_sentence(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "text.db").write_text("certainly not a database" * 100)
    sentence = refusal(f"sqlite:///{tmp_path / place}")
    assert "cannot be opened" in sentence
    assert reason in sentence


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    rows(path, "CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")
    path.chmod(0o644)
    content = path.read_bytes()
    assert "it is the database of another program: it has a table moz_places" in refusal(f"sqlite:///{path}")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_table_of_another_program_in_a_ledger_of_ours_is_no_hindrance(path: Path, ledger: Ledger) -> None:
    rows(path, "CREATE TABLE notes (text TEXT)")
    ledger.close()
    Ledger.open(f"sqlite:///{path}").close()


@pytest.mark.parametrize("url", ["not a url", "nosuch://x"], ids=["no URL", "an unknown database"])
def test_an_invalid_address_is_reported_in_a_sentence(url: str) -> None:
    assert "cannot be opened" in refusal(url)


def test_a_password_in_its_address_is_not_shown() -> None:
    assert "hunter2" not in refusal("nosuch://me:hunter2@db/ledger")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nosuch://me:hunter2@db/ledger", id="a database that nobody knows"),
        pytest.param("postgresql://me:hunter2@127.0.0.1:1/ledger", id="a database on a server"),
        pytest.param("sqlite:///file:ledger?mode=ro&uri=true", id="a URI of SQLite that makes no file"),
    ],
)
def test_a_database_that_is_no_file_of_ours_leaves_no_file_in_the_working_folder(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "cannot be opened" in refusal(url)
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_may_only_be_read_says_so_and_is_still_read(path: Path, ledger: Ledger) -> None:
    ledger.save(State(), eventful())
    ledger.mark([DELIVERED])
    read_only = Ledger.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert read_only.load() == ledger.load()
    with pytest.raises(LedgerError, match="cannot be written: attempt to write a readonly database"):
        read_only.save(State(), State(last_number=2))
    with pytest.raises(LedgerError, match="cannot be written: attempt to write a readonly database"):
        read_only.mark([DELIVERED])
    read_only.close()


def test_while_another_process_writes_it_is_still_read_and_no_write_is_half_done(path: Path, ledger: Ledger) -> None:
    state = eventful()
    ledger.save(State(), state)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerError, match="cannot be written: database is locked"):
        ledger.save(state, replace(state, tracks={}, incidents={}, last_number=99))
    assert ledger.load().state == replace(state, readings={})
    other.execute("ROLLBACK")
    other.close()
    ledger.save(state, replace(state, last_number=99))
    assert ledger.load().state.last_number == 99


@pytest.mark.parametrize("table", ["tracks", "incidents", "told", "standings"])
def test_a_row_that_nobody_can_read_is_reported_in_a_sentence(path: Path, ledger: Ledger, table: str) -> None:
    ledger.save(State(), eventful())
    ledger.mark([DELIVERED])
    ledger.keep_subscriber(Subscriber(chat=CHAT))
    rows(path, f"UPDATE {table} SET value = '{{\"key\":'")
    with pytest.raises(LedgerError, match=r"^the ledger has a \w+ that cannot be read: "):
        ledger.load()


def test_a_number_that_no_column_holds_is_refused_in_a_sentence(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="cannot be written: Python int too large"):
        ledger.keep_subscriber(Subscriber(chat=address_of(12345678901234567890)))
    with pytest.raises(LedgerError, match="cannot be read: Python int too large"):
        ledger.incidents(numbers=[12345678901234567890])


def test_what_is_known_of_a_chat_comes_back(ledger: Ledger) -> None:
    subscriber = Subscriber(
        chat=address_of(-5),
        moved_to=address_of(-1001234567890),
        closed_because="kicked",
        language="ru",
        since=at(1),
        announced_to=(CHAT,),
    )
    ledger.keep_subscriber(Subscriber(chat=address_of(-5)))
    ledger.keep_subscriber(subscriber)
    assert ledger.load().subscribers == (subscriber,)


# A full disk, and what Evaluation makes of it


class Disk:
    """The ledger on a disk that can fill up: SQLite may not add a page to its file while it is full."""

    def __init__(self, path: Path) -> None:
        Ledger.open(f"sqlite:///{path}").close()
        self.is_full = False
        engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(engine, "checkout", self._limit)
        self.ledger = Ledger(Failover(engine, database_at(f"sqlite:///{path}")))

    def _limit(self, connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {1 if self.is_full else 2**30}")


@pytest.fixture
def disk(path: Path) -> Iterator[Disk]:
    disk = Disk(path)
    yield disk
    disk.ledger.close()


BIG = DeliveryRecord(incident=1, chat=CHAT, text="x" * 100_000)


def test_a_full_disk_is_reported_in_a_sentence_and_loses_nothing(disk: Disk) -> None:
    state = eventful()
    disk.ledger.save(State(), state)
    disk.is_full = True
    with pytest.raises(LedgerError, match="cannot be written: database or disk is full"):
        disk.ledger.mark([BIG])
    assert disk.ledger.load() == Memory(replace(state, readings={}), (), ())


class Clock:
    """Moves when a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_what_could_not_be_written_is_written_with_the_next_evaluation(
    path: Path, ledger: Ledger, prometheus_junk: PrometheusJunk, caplog: pytest.LogCaptureFixture
) -> None:
    await prometheus_junk.goes_down()
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        api = PrometheusClient(session, prometheus_junk.url, {})
        evaluation = Evaluator(api, ledger, Objectives(ALL.all), State(), lambda: WallTime(clock()))
        for _ in range(4):
            await evaluation.evaluate()
            clock.now += timedelta(seconds=30)

        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await evaluation.evaluate()
        assert evaluation.state.is_blind, "a ledger that cannot be written stops nothing"
        assert ledger.load().state.incidents == {}
        assert "database is locked; it is kept in memory and written as soon as that works" in caplog.text
        other.execute("ROLLBACK")
        other.close()

        clock.now += timedelta(seconds=30)
        await evaluation.evaluate()

    loaded = ledger.load()
    assert loaded.state == replace(evaluation.state, readings={}, unwritten_since=None)


# From every earlier version


def earlier(path: Path, version: int) -> None:
    """Write a ledger as the program of an earlier schema wrote it."""
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        for statement in (each for step in STEPS[:version] for each in step):
            connection.execute(statement.format_map(Sqlite.types))
        connection.execute("INSERT INTO facts VALUES ('version', ?)", (str(version),))
        connection.execute("INSERT INTO facts VALUES ('last_number', '41')")
    connection.close()


def schema(path: Path) -> dict[str, list[Any]]:
    tables = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {
        name: rows(path, f"PRAGMA table_info({name})") + rows(path, f"PRAGMA index_list({name})") for name in tables
    }


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
def test_a_ledger_of_every_earlier_version_becomes_one_of_this(tmp_path: Path, version: int) -> None:
    new, old = tmp_path / "new.db", tmp_path / "old" / "old.db"
    Ledger.open(f"sqlite:///{new}").close()
    if version:
        earlier(old, version)
    ledger = Ledger.open(f"sqlite:///{old}")
    ledger.save(State(), eventful())
    ledger.mark([DELIVERED])
    ledger.keep_subscriber(Subscriber(chat=CHAT))
    ledger.close()
    assert schema(old) == schema(new)


def test_one_that_was_left_half_made_is_made_whole(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        for statement in STEPS[0][:3]:
            connection.execute(statement.format_map(Sqlite.types))
    connection.close()
    ledger = Ledger.open(f"sqlite:///{path}")
    assert ledger.load() == Memory(State(), (), ())
    ledger.close()


def test_the_steps_make_the_tables_that_are_used(tmp_path: Path) -> None:
    Ledger.open(f"sqlite:///{tmp_path / 'new.db'}").close()
    made = schema(tmp_path / "new.db")
    for table in TABLES.sorted_tables:
        assert [column[1] for column in made[table.name][: len(table.columns)]] == [each.name for each in table.columns]
    assert len(made) == len(TABLES.sorted_tables)


# Damage, and a file that is not there


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "many"),
        ("version", "-1"),
        ("looked_at", "yesterday"),
        ("looked_at", '"2026-01-01T00:00:00"'),
        ("looked_at", '"2026-01-01T00:00:00Z'),
        ("last_number", "1e9"),
        ("last_number", "9" * 40),
        ("troubles_since", "{}"),
    ],
)
def test_garbage_in_the_facts_is_reported_in_a_sentence(path: Path, ledger: Ledger, name: str, value: str) -> None:
    ledger.save(State(), eventful())
    ledger.close()
    rows(path, f"UPDATE facts SET value = '{value}' WHERE name = '{name}'")
    with pytest.raises(LedgerError, match=f"the ledger has a {name} that "):
        Ledger.open(f"sqlite:///{path}").load()


NAIVE, LAST, BEFORE = "2026-01-01T00:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"
KEY_JSON = '{"objective":"a"}'
STATE_JSON = f'{{"key":{KEY_JSON},"since":"%s","sight_since":"2026-01-01T00:00:00Z"}}'
# What decodes and what does not, in each column that holds more than a key.
DAMAGE = {
    "a fact that is none": ("facts", "value = NULL WHERE name = 'troubles_since'"),
    "a fact of bytes": ("facts", "value = X'FFFE' WHERE name = 'looked_at'"),
    "a fact nested too deeply": ("facts", f"value = '{'[' * 100_000}' WHERE name = 'troubles_since'"),
    "trouble in no time zone": ("facts", f"value = '[[{KEY_JSON},\"{NAIVE}\"]]' WHERE name = 'troubles_since'"),
    "an evaluation before the first day": ("facts", f"value = '\"{BEFORE}\"' WHERE name = 'looked_at'"),
    "an evaluation after the last day": ("facts", f"value = '\"{LAST}\"' WHERE name = 'looked_at'"),
    "a state nested too deeply": ("tracks", f"value = '{{\"a\":{'[' * 100_000}'"),
    "a state in no time zone": ("tracks", f"value = '{STATE_JSON % NAIVE}'"),
    "a state before the first day": ("tracks", f"value = '{STATE_JSON % BEFORE}'"),
    "a state of bytes": ("tracks", "value = X'FFFE'"),
    "an incident after the last day": ("incidents", f"value = json_set(value, '$.closed_at', '{LAST}')"),
    "an incident in no time zone": ("incidents", f"value = json_set(value, '$.began_at', '{NAIVE}')"),
    "an incident that lasts for ages": ("incidents", "value = json_set(value, '$.unjudged_for', 'P999999999D')"),
    "a record in no time zone": ("told", f"value = json_set(value, '$.written_at', '{NAIVE}')"),
    "a recipient in no time zone": ("standings", f"value = json_set(value, '$.since', '{NAIVE}')"),
    "a board in no time zone": ("boards", f"value = json_set(value, '$.written_at', '{NAIVE}')"),
    "a digest in no time zone": ("digests", f"told = '{NAIVE}'"),
    "a digest that is a number": ("digests", "told = X'31'"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_whatever_a_column_holds_the_watchdog_starts_and_says_so_in_a_short_line(
    path: Path, ledger: Ledger, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.save(State(), eventful())
    ledger.mark([DELIVERED])
    ledger.keep_subscriber(Subscriber(chat=CHAT, since=at(1)))
    ledger.keep_board(BoardRecord(address=CHAT, message=1, text="", written_at=at(1)))
    ledger.mark_digest(CHAT, at(1))
    ledger.close()
    table, change = DAMAGE[damage]
    rows(path, f"UPDATE {table} SET {change}")
    ledger = Ledger.open_or_remember(f"sqlite:///{path}")
    assert ledger.load() == Memory(State(), (), ())
    assert "everything is kept in memory" in caplog.text
    assert all(len(each) < 1000 for each in caplog.messages)
    ledger.close()


@pytest.mark.parametrize("change", [f"'$.at', '{NAIVE}'", f"'$.at', '{BEFORE}'", "'$.by', json('[[[[]]]]')"])
def test_an_act_that_cannot_be_is_left_out_and_hides_no_other(path: Path, ledger: Ledger, change: str) -> None:
    ledger.add_actions([action(1), action(2)])
    rows(path, f"UPDATE acts SET value = json_set(value, {change}) WHERE number = 1")
    assert [each.number for each in ledger.load().actions] == [2]


def remembering(path: Path) -> Ledger:
    return Ledger.open_or_remember(f"sqlite:///{path}", again_after=0.0)


@pytest.mark.parametrize("damage", ["no database", "half", "a fact", "a board", "a newer version"])
def test_a_damaged_ledger_is_left_as_it_is_and_the_watchdog_works_from_memory_until_it_is_moved_away(
    path: Path, ledger: Ledger, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.save(State(), eventful())
    ledger.close()
    match damage:
        case "no database":
            path.write_bytes(b"certainly not a database" * 1000)
        case "half":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])
        case "a fact":
            rows(path, "UPDATE facts SET value = 'x' WHERE name = 'looked_at'")
        case "a board":
            rows(path, "INSERT INTO boards VALUES (1, '{')")
        case _:
            rows(path, "UPDATE facts SET value = '99' WHERE name = 'version'")
    content = path.read_bytes()
    ledger = remembering(path)
    assert "everything is kept in memory" in caplog.text
    state = eventful()
    with pytest.raises(LedgerError) as caught:
        ledger.save(State(), state)
    assert caught.value.reason
    assert ledger.load().state == replace(state, readings={}), "it remembers"
    assert path.read_bytes() == content
    path.rename(path.with_name("damaged.db"))
    ledger.save(State(), state)
    ledger.mark([DELIVERED])
    ledger.close()
    assert Ledger.open(f"sqlite:///{path}").load() == Memory(replace(state, readings={}), (DELIVERED,), ())


def test_what_was_written_only_into_memory_is_in_the_file_once_it_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder belongs")
    ledger = remembering(tmp_path / "data" / "watchdog.db")
    with pytest.raises(LedgerError, match="cannot be opened"):
        ledger.mark([DELIVERED])
    with pytest.raises(LedgerError, match="cannot be opened"):
        ledger.keep_subscriber(Subscriber(chat=CHAT))
    (tmp_path / "data").unlink()
    state = eventful()
    ledger.save(State(), state)
    ledger.close()
    again = Ledger.open(f"sqlite:///{tmp_path / 'data' / 'watchdog.db'}").load()
    assert again == Memory(replace(state, readings={}), (DELIVERED,), (Subscriber(chat=CHAT),))


def test_an_earlier_history_that_appears_meanwhile_is_not_written_over(path: Path, ledger: Ledger) -> None:
    ledger.save(State(), eventful())
    ledger.close()
    away = path.with_name("away.db")
    path.rename(away)
    path.mkdir()
    ledger = remembering(path)
    path.rmdir()
    away.rename(path)
    with pytest.raises(LedgerError, match="holds an earlier history: restart the watchdog"):
        ledger.save(State(), State(last_number=7))
    assert Ledger.open(f"sqlite:///{path}").load().state == replace(eventful(), readings={})


@pytest.mark.parametrize("parts", [("-wal",), ("-wal", "-shm"), ("-shm",)], ids="".join)
def test_a_write_ahead_log_that_is_deleted_while_it_is_used_loses_nothing(
    path: Path, parts: tuple[str, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def known(number: int) -> State:
        return State(last_number=number, evaluated_at=at(number))

    ledger = Ledger.open(f"sqlite:///{path}")
    ledger.save(State(), known(1))
    assert ledger.load().state.last_number == 1
    for part in parts:
        path.with_name(f"{path.name}{part}").unlink()
    for number in (2, 3):
        ledger.save(known(number - 1), known(number))
    assert ledger.load().state.last_number == 3
    assert ("log of the ledger was deleted" in caplog.text) is ("-wal" in parts)
    image = tmp_path / "as a killed process leaves it"
    image.mkdir()
    for part in ("", "-wal"):
        if path.with_name(f"{path.name}{part}").exists():
            shutil.copy(path.with_name(f"{path.name}{part}"), image / f"watchdog.db{part}")
    ledger.close()
    again = Ledger.open(f"sqlite:///{image / 'watchdog.db'}")
    assert again.load().state.last_number == 3
    again.close()


@pytest.mark.parametrize("what", ["the file", "the folder"])
def test_a_ledger_that_is_deleted_while_it_is_used_is_made_anew_with_all_it_held(
    path: Path, ledger: Ledger, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    state = eventful()
    ledger.save(State(), state)
    ledger.mark([DELIVERED])
    if what == "the file":
        for each in path.parent.glob("watchdog.db*"):
            each.unlink()
    else:
        shutil.rmtree(path.parent)
    ledger.keep_subscriber(Subscriber(chat=CHAT))
    assert "the ledger was deleted or replaced while it was in use" in caplog.text
    assert "was made anew and holds everything" in caplog.text
    ledger.close()
    again = Ledger.open(f"sqlite:///{path}").load()
    assert again == Memory(replace(state, readings={}), (DELIVERED,), (Subscriber(chat=CHAT),))


def action(number: int, reason: str = "") -> Action:
    person = Person(7, "Ann\ud83d" if reason else "Ann")
    silence = Silence(until=at(60), reason=reason)
    return Action(
        number=number,
        at=at(number),
        by=person,
        chat=CHAT,
        cause=f"m{number}",
        deed=next(iter(ActionKind)),
        silence=silence,
    )


def test_an_act_with_half_a_character_in_it_is_written_like_any_other(ledger: Ledger) -> None:
    ledger.add_actions([action(1, "half \ud83d"), action(2)])
    first, second = ledger.load().actions
    assert first.silence
    assert (first.by.name, first.silence.reason) == ("Ann?", "half ?")
    assert second == action(2)


# Rights


def modes(path: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in (path.parent, *path.parent.glob("watchdog.db*"))}


def test_nobody_else_can_read_it(path: Path, ledger: Ledger) -> None:
    ledger.save(State(), eventful())
    files = {"watchdog.db", "watchdog.db-wal", "watchdog.db-shm"}
    assert modes(path) == {"data": 0o700, **dict.fromkeys(files, 0o600)}


def test_one_that_an_older_version_made_readable_for_all_is_so_no_more(path: Path, ledger: Ledger) -> None:
    ledger.close()
    path.chmod(0o644)
    Ledger.open(f"sqlite:///{path}").close()
    assert modes(path)["watchdog.db"] == 0o600


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that everybody may enter; pytest closes those above its own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(
    ("place", "mode", "said"),
    [
        ("data/watchdog.db", 0o755, "; chown -R 65534 {data} (it belongs to root (0), this is nobody (65534))"),
        ("data/deeper/watchdog.db", 0o755, "; install -d -o 65534 {data}/deeper (this is nobody (65534))"),
        ("data/watchdog.db", 0o700, "; the user nobody (65534) may not enter {data}"),
        (
            "watchdog.db",
            0o755,
            "; name a folder of its own in WINE_SLO_DATABASE_URL: install -d -o 65534 {data.parent}/ledger",
        ),
        ("/dev/full", 0o755, "it is no regular file\n"),
    ],
)
def test_a_missing_right_is_reported_with_the_command_that_mends_it_and_no_other_folder_in_it(
    open_folder: Path, place: str, mode: int, said: str
) -> None:
    (open_folder / "data").mkdir(mode=mode)
    code = (
        "import os, sys\n"
        "from wine_slo.integrations.storage.ledger import Ledger\n"
        "from wine_slo.integrations.storage.ledger_error import LedgerError\n"
        "Ledger.open('sqlite://').close()\n"  # whatever it imports, as root
        "os.setgid(65534); os.setuid(65534)\n"
        "try: Ledger.open(sys.argv[1])\n"
        "except LedgerError as error: print(error.reason)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{open_folder / place}"]
    reason = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
    assert said.format(data=open_folder / "data") in reason


# Backup


def test_a_backup_of_a_ledger_in_use_is_a_whole_ledger_in_one_file(path: Path, ledger: Ledger, tmp_path: Path) -> None:
    state = eventful()
    ledger.save(State(), state)
    ledger.mark([DELIVERED])
    copy = tmp_path / "backup.db"
    Ledger.backup(f"sqlite:///{path}", copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["backup.db"]
    assert Ledger.open(f"sqlite:///{copy}").load() == Memory(replace(state, readings={}), (DELIVERED,), ())


@pytest.mark.usefixtures("ledger")
def test_a_backup_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "backup.db").write_text("precious")
    with pytest.raises(LedgerError, match="cannot be made: File exists"):
        Ledger.backup(f"sqlite:///{path}", tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_text() == "precious"


@pytest.mark.parametrize("content", [None, b"certainly not a database" * 100])
def test_what_is_no_ledger_gives_no_backup(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "watchdog.db").write_bytes(content)
    with pytest.raises(LedgerError):
        Ledger.backup(f"sqlite:///{tmp_path / 'watchdog.db'}", tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()
