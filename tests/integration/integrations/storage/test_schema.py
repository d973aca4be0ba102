"""Addresses in the ledger: as earlier versions wrote them where these knew them, and whole where they did not."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.scene import at, incident
from wine_slo.integrations.console.channel import CONSOLE
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.oncall.actions import Action, ActionKind
from wine_slo.slo.views.board_text import BoardRecord

GROUP, FORUM, HOOK = (Address(each) for each in ("telegram:-5", "telegram:-1001", "webhook:operations"))
EARLIER = (  # as version 0.1.0 wrote it
    'INSERT INTO "told" VALUES (12, -5, \'{"incident":12,"chat":-5,"stage":"opened","opening":1}\')',
    'INSERT INTO "told" VALUES (12, 0, \'{"incident":12,"chat":0}\')',
    'INSERT INTO "standings" VALUES (-5, \'{"chat":-5,"moved_to":-1001,"announced_to":[7]}\')',
    (
        "INSERT INTO boards VALUES (-1001, "
        '\'{"chat":-1001,"message":3,"topic":30,"text":"all is well","written_at":"2026-01-01T19:40:00Z"}\')'
    ),
    "INSERT INTO digests VALUES (-5, '2026-01-05T09:00:00+00:00')",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watchdog.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{path}")
    ledger.save(State(), State(incidents={12: incident()}, evaluated_at=at(0)))
    yield ledger
    ledger.close()


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(statement).fetchall()
        connection.commit()
        return found


def test_what_an_earlier_version_wrote_is_read(ledger: Ledger, path: Path) -> None:
    for statement in EARLIER:
        rows(path, statement)
    memory = ledger.load()
    assert {each.chat for each in memory.records} == {GROUP, CONSOLE}
    assert memory.subscribers == (Subscriber(chat=GROUP, moved_to=FORUM, announced_to=(Address("telegram:7"),)),)
    assert [(each.address, each.chat) for each in ledger.boards()] == [(FORUM.within("30"), FORUM)]
    assert list(ledger.digests()) == [GROUP]


def test_an_earlier_version_reads_what_is_written_of_telegram_and_the_terminal(ledger: Ledger, path: Path) -> None:
    ledger.mark([DeliveryRecord(incident=12, chat=GROUP), DeliveryRecord(incident=12, chat=CONSOLE)])
    ledger.keep_subscriber(Subscriber(chat=GROUP, moved_to=FORUM, announced_to=(CONSOLE,)))
    ledger.keep_board(BoardRecord(address=FORUM.within("30"), message=3, text="", written_at=at(0)))
    ledger.mark_digest(GROUP, at(0))
    by = Person(7, "Anna")
    ledger.add_actions([Action(number=1, at=at(0), deed=ActionKind.DRILL, by=by, chat=FORUM, cause="message -1001/1")])
    assert rows(path, "SELECT chat, json_extract(value, '$.chat') FROM `told` ORDER BY chat") == [(-5, -5), (0, 0)]
    moved = "SELECT chat, json_extract(value, '$.moved_to'), json_extract(value, '$.announced_to') FROM `standings`"
    assert rows(path, moved) == [(-5, -1001, "[0]")]
    board = "SELECT chat, json_extract(value, '$.chat'), json_extract(value, '$.topic') FROM boards"
    assert rows(path, board) == [(-1001, -1001, 30)]
    assert rows(path, "SELECT chat FROM digests") == [(-5,)]
    assert rows(path, "SELECT json_extract(value, '$.chat') FROM acts") == [(-1001,)]


def test_an_address_of_any_other_channel_comes_back_as_it_was(ledger: Ledger) -> None:
    record, subscriber = DeliveryRecord(incident=12, chat=HOOK), Subscriber(chat=HOOK, moved_to=HOOK.within("a"))
    board = BoardRecord(address=HOOK.within("a"), message=3, text="", written_at=at(0))
    ledger.mark([record])
    ledger.keep_subscriber(subscriber)
    ledger.keep_board(board)
    ledger.mark_digest(HOOK, at(0))
    assert (ledger.load().records, ledger.load().subscribers) == ((record,), (subscriber,))
    assert (ledger.boards(), ledger.digests()) == ([board], {HOOK: at(0)})
    ledger.drop_board(HOOK)
    assert ledger.boards() == []


@pytest.mark.parametrize("damage", ["true", "1.5", '"nobody"', "null"])
def test_what_is_no_address_is_damage(ledger: Ledger, path: Path, damage: str) -> None:
    rows(path, f"INSERT INTO `standings` VALUES (1, '{{\"chat\":{damage}}}')")
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.load()
