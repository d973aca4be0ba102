"""A ledger that cannot be written holds back neither evaluations nor notifications, and is made good once it can be."""

import resource
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from tests.support.scene import START
from tests.system.conftest import CHAT
from tests.system.life import AFTERWARDS, SLOW, TICKS
from tests.system.loops import loops
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import connection
from wine_slo.slo.evaluation.engine import LEDGER, SIGHT
from wine_slo.slo.notification.record import Stage

BREACH = "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)"
OVER = "⚪️ Resolved: Latency in breach 19:40:20–19:43:15 (2 min 55 s), worst 3.7 s. #1"
LEDGER_AWAY = "🔴 The database could not be written for 3 min: database or disk is full"
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
            for action in ("INSERT", "UPDATE"):
                other.execute(
                    f"CREATE TRIGGER no_{action}_{table} BEFORE {action} ON {table} "
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
async def test_all_is_delivered_all_the_same_and_nothing_is_lost_or_repeated_afterwards(
    fails: Callable[[Path], BACK], until: int, bot_api: BotApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "watchdog.db"
    chat = bot_api.chat(CHAT)
    now = START

    def clock() -> datetime:
        return now

    async with connection.connect(TOKEN, bot_api.url) as bot:
        ledger = Ledger.open(f"sqlite:///{path}")
        evaluation, delivery = loops(ledger, SLOW, bot, (CHAT,), clock)
        recovers = fails(path)
        for second in (each for each in TICKS if each <= until):
            now = START + timedelta(seconds=second)
            await evaluation.evaluate()
            delivery.on_evaluation()
            await delivery.deliver()
        assert [text.splitlines()[0] for text in chat.texts] == (
            [BREACH] if until == 60 else [OVER, LEDGER_AWAY, "🟢 Latency resolved: p95 0.05 s (last 20 s)"]
        )
        assert "the ledger cannot be written" in caplog.text
        assert "it is kept in memory" in caplog.text
        recovers()
        for second in (until + 15, until + 30):  # the first is written, the second knows that it was
            now = START + timedelta(seconds=second)
            await evaluation.evaluate()
            delivery.on_evaluation()
            await delivery.deliver()
        assert ledger.load().state.incidents == evaluation.state.incidents
        if until > 60:
            assert chat.texts[-1].startswith("🟢 The database is writable again; nothing was lost.")
            assert chat.messages[-1].reply_to == chat.messages[1].id
        ledger.close()

        ledger = Ledger.open(f"sqlite:///{path}")  # a restart knows all of it
        evaluation, delivery = loops(ledger, SLOW, bot, (CHAT,), clock)
        for second in (each for each in (*TICKS, *AFTERWARDS) if each > until + 30):
            now = START + timedelta(seconds=second)
            await evaluation.evaluate()
            delivery.on_evaluation()
            await delivery.deliver()
        ledger.close()
    breach, recovery = (each for each in chat.messages if "database" not in each.text and "ledger" not in each.text)
    assert recovery.reply_to == breach.id
    assert breach.text.startswith("⚪️")
    assert "may be a duplicate" not in breach.versions[0].text + recovery.text


async def test_a_real_process_whose_disk_is_full_says_so_and_loses_nothing_once_there_is_room(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    watchdog = await processes.watchdog(blind)
    await watchdog.until_line("sight of latency is")

    def is_sent(start: str) -> bool:
        return any(text.startswith(start) for text in chat.texts)

    room = resource.prlimit(watchdog.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(watchdog.pid, resource.RLIMIT_FSIZE, (0, room[1]))
    await prometheus_junk.goes_down()
    await bot_api.until(
        lambda: is_sent("🟣 Monitoring lost") and is_sent("🔴 The database could not be written for"), seconds=30
    )
    resource.prlimit(watchdog.pid, resource.RLIMIT_FSIZE, room)
    await bot_api.until(lambda: is_sent("🟢 The database is writable again"), seconds=30)
    await watchdog.until_line(f"chat {CHAT} was notified: close of #2")
    await watchdog.kill()

    ledger = Ledger.open(f"sqlite:///{processes.folder / 'data' / 'watchdog.db'}")
    memory = ledger.load()
    ledger.close()
    assert {key: each.is_open for key, each in zip((SIGHT, LEDGER), memory.state.incidents.values(), strict=True)} == {
        SIGHT: True,
        LEDGER: False,
    }
    assert [(each.stage, each.message) for each in memory.records] == [
        (Stage.OPENED, chat.messages[0].id),
        (Stage.CLOSED, chat.messages[1].id),
    ]


async def test_a_real_process_whose_ledger_cannot_be_opened_watches_from_memory_and_writes_all_of_it_later(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    data = processes.folder / "data"
    data.write_text("a file where a folder belongs")
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(blind)

    def is_sent(start: str) -> bool:
        return any(text.startswith(start) for text in chat.texts)

    await bot_api.until(
        lambda: is_sent("🟣 Monitoring lost") and is_sent("🔴 The database could not be written for"), seconds=30
    )
    data.unlink()
    await bot_api.until(lambda: is_sent("🟢 The database is writable again"), seconds=30)
    backup = await processes.wine_slo("ledger", "backup", "backup.db", settings=blind)
    assert await backup.wait(30) == 0, backup.output
    await watchdog.kill()
    assert "Traceback" not in watchdog.output
    ledger = Ledger.open(f"sqlite:///{processes.folder / 'backup.db'}")
    memory = ledger.load()
    ledger.close()
    assert SIGHT in {each.key for each in memory.state.incidents.values()}
