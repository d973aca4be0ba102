"""The token is the key to the bot: it is in no output, metric, page, ledger or message, whatever goes wrong."""

import sys
from pathlib import Path

import aiohttp
import pytest

from tests.fakes.bot_api import TOKEN, BotApi
from tests.fakes.prometheus_junk import PrometheusJunk
from tests.real.processes import Process, Processes
from tests.real.prometheus import free_port
from tests.whole.conftest import CHAT

SECRET = TOKEN.partition(":")[2]
WRONG = "110201543:AAnobodyKnowsThisOne_0123456789abcd"
PROXY_PASSWORD = "hunter2-of-the-proxy"
# Runs the watchdog with every library at DEBUG, whatever it is told, as somebody would who looks for a fault.
AT_DEBUG = """
import logging

set_level = logging.Logger.setLevel
logging.Logger.setLevel = lambda self, level: set_level(self, logging.DEBUG)

from wine_slo import watchdog

watchdog.main()
"""


@pytest.fixture
async def away(prometheus_junk: PrometheusJunk, blind: dict[str, str]) -> dict[str, str]:
    """The settings of a watchdog that has something to tell."""
    await prometheus_junk.goes_down()
    return blind


async def pages(settings: dict[str, str]) -> str:
    """Everything that the watchdog shows over HTTP."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{settings['WINE_SLO_WATCHDOG_PORT']}") as session:
        texts = []
        for path in ("/metrics", "/health"):
            async with session.get(path) as response:
                texts.append(await response.text())
    return "".join(texts)


def assert_hidden(secret: str, folder: Path, *texts: str) -> None:
    for text in texts:
        assert secret not in text
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert any(each.name.startswith("watchdog.db") for each in files)
    assert not [each for each in files if secret.encode() in each.read_bytes()]


async def start_at_debug(processes: Processes, settings: dict[str, str]) -> Process:
    return await processes.start("watchdog", [sys.executable, "-c", AT_DEBUG], settings)


async def test_at_debug_the_token_is_nowhere(processes: Processes, bot_api: BotApi, away: dict[str, str]) -> None:
    chat = bot_api.chat(CHAT)
    watchdog = await start_at_debug(processes, away)
    await bot_api.until(lambda: chat.messages, seconds=30)
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert "/bot***/sendMessage" in watchdog.output  # at DEBUG the URL is there, and what is secret of it is not
    assert_hidden(SECRET, processes.folder, watchdog.output, shown, *chat.texts)


async def test_a_wrong_token_is_told_but_not_said(processes: Processes, bot_api: BotApi, away: dict[str, str]) -> None:
    bot_api.chat(CHAT)
    away |= {"WINE_SLO_TELEGRAM_TOKEN": WRONG}
    watchdog = await start_at_debug(processes, away)
    await watchdog.until_line("chat 42 was not told .*Telegram does not know the token", seconds=30)
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert_hidden(WRONG.partition(":")[2], processes.folder, watchdog.output, shown)


async def test_a_proxy_that_fails_gives_away_neither_token_nor_password(
    processes: Processes, away: dict[str, str]
) -> None:
    proxy = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{free_port()}"
    del away["WINE_SLO_TELEGRAM_API_URL"]
    away |= {"WINE_SLO_TELEGRAM_PROXY": proxy}
    watchdog = await start_at_debug(processes, away)
    await watchdog.until_line("chat 42 was not told .*Telegram cannot be reached", seconds=30)
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert_hidden(SECRET, processes.folder, watchdog.output, shown)
    assert_hidden(PROXY_PASSWORD, processes.folder, watchdog.output, shown)


async def test_an_exception_that_nobody_handles_gives_away_nothing(processes: Processes, away: dict[str, str]) -> None:
    proxy = f"ftp://someone:{PROXY_PASSWORD}@127.0.0.1:1"  # httpx puts it into what it raises
    watchdog = await start_at_debug(processes, away | {"WINE_SLO_TELEGRAM_PROXY": proxy})
    assert await watchdog.wait(30) == 1
    assert "Traceback" in watchdog.output
    assert "Unknown scheme for proxy URL" in watchdog.output
    assert_hidden(PROXY_PASSWORD, processes.folder, watchdog.output)
    assert_hidden(SECRET, processes.folder, watchdog.output)
