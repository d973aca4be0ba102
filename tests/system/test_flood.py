"""Somebody writes without end, and the real process does what matters: alerts and actions are on time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from wine_slo.monitor.chatops.router import REFUSALS_A_MINUTE

GROUP, ADMIN, EVE = -42, 7, 666
BLIND = "🟣 Monitoring lost"
IN_TIME = 30  # seconds: three of blindness, two evaluations, and a busy machine; in a queue it would be minutes


@asynccontextmanager
async def flooding(bot_api: BotApi, *texts: str, people: int = 1) -> AsyncIterator[None]:
    """Meanwhile somebody writes these, twelve times a second."""

    async def flood() -> None:
        number = 0
        while True:
            await bot_api.says(GROUP, EVE + number % people, texts[number % len(texts)])
            number += 1
            await asyncio.sleep(1 / 12)

    task = asyncio.create_task(flood())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("texts", "people"),
    [
        pytest.param(["/silence 1h all"], 1, id="one person who may not, with one command"),
        pytest.param(["/silence 1h all", "/ack", "/undo", "/drill", "/stauts"], 1, id="with several"),
        pytest.param(["/status", "/help"], 20, id="twenty people with questions"),
    ],
)
async def test_who_writes_without_end_delays_no_alert_and_no_act(
    bot_api: BotApi,
    processes: Processes,
    prometheus_junk: PrometheusJunk,
    blind: dict[str, str],
    texts: list[str],
    people: int,
) -> None:
    group = bot_api.chat(GROUP)
    await prometheus_junk.goes_down()
    settings = {"WINE_SLO_TELEGRAM_CHAT_IDS": str(GROUP), "WINE_SLO_TELEGRAM_ADMIN_IDS": str(ADMIN)}
    watchdog = await processes.watchdog(blind | settings)
    await watchdog.until_line("Telegram knows this bot as")
    async with flooding(bot_api, *texts, people=people):
        await bot_api.until(lambda: any(each.text.startswith(BLIND) for each in group.messages), seconds=IN_TIME)
        alert = next(each for each in group.messages if each.text.startswith(BLIND))
        press = await bot_api.press(alert, "Acknowledge", ADMIN)
        await bot_api.until(lambda: bot_api.answers.get(press) == "You acknowledged #1.", seconds=IN_TIME)
        await bot_api.until(lambda: "Acknowledged by" in alert.text, seconds=IN_TIME)
    replies = [each for each in group.messages if each.id != alert.id and each.photo is None]
    limit = 13 if people > 1 else REFUSALS_A_MINUTE + 10
    assert len(replies) <= limit, group.texts
    assert sum("Too many questions" in each.text for each in replies) <= 2
    assert "Traceback" not in watchdog.output
