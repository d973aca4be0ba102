"""What charts cost the watchdog: nothing that stays. `make soak` requests a hundred."""

import os
import re
from pathlib import Path

from tests.system.conftest import House

CHARTS = 100 if os.environ.get("WINE_SLO_SOAK") else 5
CHATS = tuple(range(100, 112))  # each may request ten times a minute
MAX_MEGABYTES = 82


def megabytes(pid: int, which: str) -> float:
    """Resident memory of a process now (VmRSS) or at the most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{which}:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


async def test_after_many_charts_the_watchdog_is_as_small_as_before(house: House) -> None:
    chats = [house.bot_api.chat(each) for each in CHATS]
    await house.watchdog.terminate()
    await house.start_watchdog(WINE_SLO_TELEGRAM_CHAT_IDS=",".join(map(str, CHATS)))
    await house.watchdog.until_line("Telegram knows this bot")
    pid = house.watchdog.pid
    before = megabytes(pid, "VmRSS")
    for number in range(CHARTS):
        chat = chats[number % len(chats)]
        await house.bot_api.says(chat.id, chat.id, f"/chart latency {1 + number % 24}h")
        count = number // len(chats) + 1
        await house.bot_api.until(lambda chat=chat, count=count: len(chat.messages) == count, seconds=60)  # type: ignore[misc]
    drawn = sum(message.photo is not None for chat in chats for message in chat.messages)
    after, highest = megabytes(pid, "VmRSS"), megabytes(pid, "VmHWM")
    shown = f"{before:.1f} MB, after {drawn} charts {after:.1f} MB, at the most {highest:.1f} MB"
    print(shown)  # noqa: T201 - for who measures
    assert drawn > CHARTS / 2, "too slow a machine; a chart takes a second of its own"
    assert highest < MAX_MEGABYTES, shown
    assert "matplotlib" not in _maps(pid), "drawing is a process of its own"


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()
