"""The ledger: what is written comes back, whatever the disk and other processes do meanwhile."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from tests.domain.scene import ALL, CHAT, KEY, LATENCY, Scene, at, incident
from tests.fakes.prometheus_junk import PrometheusJunk
from wine_slo.adapters.ledger import STEPS, Ledger, LedgerError, Memory
from wine_slo.adapters.prometheus_api import PrometheusApi
from wine_slo.domain.budget import Budget
from wine_slo.domain.chat import Standing
from wine_slo.domain.incident import Outcome
from wine_slo.domain.notice import Stage, Told
from wine_slo.domain.objective import BURNS, Key, Objectives
from wine_slo.domain.phrases import Reason
from wine_slo.domain.reading import Interval, Reading, Sight
from wine_slo.domain.watch import State
from wine_slo.evaluation import Evaluation

BUDGET = Budget(
    history=timedelta(days=3), events=0.1 + 0.2, bad_ratios={timedelta(hours=1): 1 / 3, timedelta(minutes=5): 0.0}
)
TOLD = Told(
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
    scene.look({KEY: reading})
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
    ledger.mark([TOLD])
    assert ledger.load() == Memory(replace(state, readings={}), (TOLD,), ())


@pytest.mark.parametrize(
    "reason",
    [
        "kept as text, as older versions did",
        Reason("nobody has asked"),
        Reason("Prometheus: {why}", {"why": Reason("it answered {status}: {error}", {"status": 503, "error": "busy"})}),
    ],
    ids=str,
)
def test_a_reason_comes_back_so_that_it_can_be_told_in_any_language(ledger: Ledger, reason: Reason | str) -> None:
    state = eventful()
    state = replace(state, incidents={n: replace(each, reason=reason) for n, each in state.incidents.items()})
    ledger.save(State(), state)
    assert ledger.load().state == replace(state, readings={})


def test_a_restart_finds_it(path: Path, ledger: Ledger) -> None:
    state = eventful()
    ledger.save(State(), state)
    ledger.mark([TOLD])
    ledger.close()
    again = Ledger.open(f"sqlite:///{path}")
    assert again.load() == Memory(replace(state, readings={}), (TOLD,), ())
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
    state = State(incidents={1: old, 2: incident(number=2)}, last_number=2, looked_at=late)
    ledger.save(State(), state)
    ledger.mark([TOLD, replace(TOLD, incident=2)])
    loaded = ledger.load()
    assert list(loaded.state.incidents) == [2]
    assert [each.incident for each in loaded.told] == [2]
    assert rows(path, "SELECT number FROM incidents ORDER BY number") == [(1,), (2,)]


def test_a_number_is_never_given_twice(ledger: Ledger) -> None:
    ledger.save(State(), State(last_number=41, looked_at=at(0)))
    assert ledger.load().state.last_number == 41


def test_what_a_chat_believes_is_overwritten_by_what_it_was_told(ledger: Ledger) -> None:
    ledger.save(State(), State(incidents={1: incident(number=1)}))
    ledger.mark([Told(incident=1, chat=CHAT)])
    ledger.mark([TOLD])
    assert ledger.load().told == (TOLD,)


def test_chats_are_kept_apart(ledger: Ledger) -> None:
    told = [TOLD, replace(TOLD, chat=-1001234567890, message=3)]
    ledger.save(State(), State(incidents={1: incident(number=1)}))
    ledger.mark(told)
    assert sorted(ledger.load().told, key=lambda each: each.chat) == sorted(told, key=lambda each: each.chat)


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
        pytest.param("folder", "unable to open database file", id="a folder"),
        pytest.param("file/watchdog.db", "file", id="a file where a folder belongs"),
        pytest.param("text.db", "file is not a database", id="a file that is no database"),
    ],
)
def test_a_place_that_cannot_hold_it_is_told_in_a_sentence(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "text.db").write_text("certainly not a database" * 100)
    sentence = refusal(f"sqlite:///{tmp_path / place}")
    assert "cannot be opened" in sentence
    assert reason in sentence


@pytest.mark.parametrize("url", ["not a url", "nosuch://x"], ids=["no URL", "an unknown database"])
def test_an_address_that_is_none_is_told_in_a_sentence(url: str) -> None:
    assert "cannot be opened" in refusal(url)


def test_a_password_in_its_address_is_not_told() -> None:
    assert "hunter2" not in refusal("nosuch://me:hunter2@db/ledger")


def test_a_ledger_that_may_only_be_read_says_so_and_is_still_read(path: Path, ledger: Ledger) -> None:
    ledger.save(State(), eventful())
    ledger.mark([TOLD])
    read_only = Ledger.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert read_only.load() == ledger.load()
    with pytest.raises(LedgerError, match="cannot be written: attempt to write a readonly database"):
        read_only.save(State(), State(last_number=2))
    with pytest.raises(LedgerError, match="cannot be written: attempt to write a readonly database"):
        read_only.mark([TOLD])
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
def test_a_row_that_nobody_can_read_is_told_in_a_sentence(path: Path, ledger: Ledger, table: str) -> None:
    ledger.save(State(), eventful())
    ledger.mark([TOLD])
    ledger.stand(Standing(chat=CHAT))
    rows(path, f"UPDATE {table} SET value = '{{\"key\":'")
    with pytest.raises(LedgerError, match=r"^the ledger has a \w+ that cannot be read: "):
        ledger.load()


def test_a_number_that_no_column_holds_is_refused_in_a_sentence(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="cannot be written: Python int too large"):
        ledger.stand(Standing(chat=12345678901234567890))
    with pytest.raises(LedgerError, match="cannot be read: Python int too large"):
        ledger.incidents(numbers=[12345678901234567890])


def test_what_is_known_of_a_chat_comes_back(ledger: Ledger) -> None:
    standing = Standing(
        chat=-5, moved_to=-1001234567890, closed_because="kicked", language="ru", since=at(1), announced_to=(7,)
    )
    ledger.stand(Standing(chat=-5))
    ledger.stand(standing)
    assert ledger.load().standings == (standing,)


# A full disk, and what Evaluation makes of it


class Disk:
    """The ledger on a disk that can fill up: SQLite may not add a page to its file while it is full."""

    def __init__(self, path: Path) -> None:
        Ledger.open(f"sqlite:///{path}").close()
        self.is_full = False
        engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(engine, "checkout", self._limit)
        self.ledger = Ledger(engine)

    def _limit(self, connection: Any, _record: object, _proxy: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {1 if self.is_full else 2**30}")


@pytest.fixture
def disk(path: Path) -> Iterator[Disk]:
    disk = Disk(path)
    yield disk
    disk.ledger.close()


BIG = Told(incident=1, chat=CHAT, text="x" * 100_000)


def test_a_full_disk_is_told_in_a_sentence_and_loses_nothing(disk: Disk) -> None:
    state = eventful()
    disk.ledger.save(State(), state)
    disk.is_full = True
    with pytest.raises(LedgerError, match="cannot be written: database or disk is full"):
        disk.ledger.mark([BIG])
    assert disk.ledger.load() == Memory(replace(state, readings={}), (), ())


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


async def test_what_could_not_be_written_is_written_with_the_next_look(
    path: Path, ledger: Ledger, prometheus_junk: PrometheusJunk, caplog: pytest.LogCaptureFixture
) -> None:
    await prometheus_junk.goes_down()
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        api = PrometheusApi(session, prometheus_junk.url, {})
        evaluation = Evaluation(api, ledger, Objectives(ALL.all), State(), clock)
        for _ in range(4):
            await evaluation.look()
            clock.now += timedelta(seconds=30)

        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await evaluation.look()
        assert evaluation.state.is_blind, "a ledger that cannot be written stops nothing"
        assert ledger.load().state.incidents == {}
        assert "database is locked; it is kept in memory and written as soon as that works" in caplog.text
        other.execute("ROLLBACK")
        other.close()

        clock.now += timedelta(seconds=30)
        await evaluation.look()

    loaded = ledger.load()
    assert loaded.state == replace(evaluation.state, readings={}, unwritten_since=None)
