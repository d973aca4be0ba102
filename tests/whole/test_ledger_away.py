"""A ledger that cannot be written holds back neither looking nor telling, and is made good once it can be."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.bot_api import TOKEN, BotApi
from tests.fakes.prometheus_canned import OBJECTIVES, START, CannedPrometheus
from tests.whole.life import AFTERWARDS, SLOW, TICKS
from wine_slo.adapters import telegram_chat
from wine_slo.adapters.ledger import Ledger
from wine_slo.delivery import Delivery
from wine_slo.domain.words import Speech
from wine_slo.evaluation import Evaluation

CHAT = 7
BACK = Callable[[], None]


def locked(path: Path) -> BACK:
    """Another process writes, and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def broken(path: Path) -> BACK:
    """The disk refuses: each write of the tables fails, as on a full one."""
    with sqlite3.connect(path, isolation_level=None) as other:
        for table in ("facts", "told"):
            for deed in ("INSERT", "UPDATE"):
                other.execute(
                    f"CREATE TRIGGER no_{deed}_{table} BEFORE {deed} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                )
    other.close()

    def recovers() -> None:
        again = sqlite3.connect(path, isolation_level=None)
        for (name,) in again.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            again.execute(f"DROP TRIGGER {name}")
        again.close()

    return recovers


@pytest.mark.parametrize(
    ("fails", "until"),
    [
        pytest.param(locked, 60, id="locked while it opens"),
        pytest.param(broken, 60, id="no write works while it opens"),
        pytest.param(broken, 260, id="no write works from before it opens until it is over"),
    ],
)
async def test_all_is_told_all_the_same_and_nothing_is_lost_or_repeated_afterwards(
    fails: Callable[[Path], BACK], until: int, bot_api: BotApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "watchdog.db"
    chat = bot_api.chat(CHAT)
    now = START

    def clock() -> datetime:
        return now

    async with telegram_chat.connect(TOKEN, bot_api.url) as bot:

        def live(ledger: Ledger) -> tuple[Evaluation, Delivery]:
            memory = ledger.load()
            prometheus = CannedPrometheus(clock, SLOW)
            evaluation = Evaluation(prometheus, ledger, OBJECTIVES, memory.state, (CHAT,), clock)
            delivery = Delivery(
                telegram_chat.TelegramChat(bot),
                ledger,
                memory,
                lambda: Speech(OBJECTIVES, UTC),
                lambda: evaluation.state,
                evaluation.now,
                lambda _kind, _outcome: None,
            )
            return evaluation, delivery

        ledger = Ledger.open(f"sqlite:///{path}")
        evaluation, delivery = live(ledger)
        recovers = fails(path)
        for second in (each for each in TICKS if each <= until):
            now = START + timedelta(seconds=second)
            delivery.hear(await evaluation.look())
            await delivery.tell()
        assert len(chat.messages) == (1 if until == 60 else 2)
        assert "the ledger cannot be written" in caplog.text
        assert "it is kept in memory" in caplog.text
        recovers()
        now = START + timedelta(seconds=until + 30)
        delivery.hear(await evaluation.look())
        await delivery.tell()
        assert ledger.load().state.incidents == evaluation.state.incidents
        ledger.close()

        ledger = Ledger.open(f"sqlite:///{path}")  # a restart knows all of it
        evaluation, delivery = live(ledger)
        for second in (each for each in (*TICKS, *AFTERWARDS) if each > until + 30):
            now = START + timedelta(seconds=second)
            delivery.hear(await evaluation.look())
            await delivery.tell()
        ledger.close()
    breach, recovery = chat.messages
    assert recovery.reply_to == breach.id
    assert breach.text.startswith("⚪️")
    assert "may be a repeat" not in breach.versions[0].text + recovery.text
