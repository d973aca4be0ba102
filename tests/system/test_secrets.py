"""The token is the key to the bot: it is in no output, metric, page, ledger or message, whatever goes wrong."""

import asyncio
import json
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.prometheus_junk import Answer, PrometheusJunk
from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port
from tests.system.at_debug import start_at_debug
from tests.system.conftest import CHAT, ROOT

SECRET = TOKEN.partition(":")[2]
WRONG = "110201543:AAnobodyKnowsThisOne_0123456789abcd"
PERSON = 7
PROXY_PASSWORD = "hunter2-of-the-proxy"


@pytest.fixture
async def away(prometheus_junk: PrometheusJunk, blind: dict[str, str]) -> dict[str, str]:
    """The settings of a watchdog that has something to deliver."""
    await prometheus_junk.goes_down()
    return blind


async def pages(settings: dict[str, str]) -> str:
    """Everything that the watchdog shows over HTTP."""
    headers = (
        {"Authorization": f"Bearer {password}"} if (password := settings.get("WINE_SLO_WATCHDOG_PASSWORD")) else {}
    )
    address = f"http://127.0.0.1:{settings['WINE_SLO_WATCHDOG_PORT']}"
    async with aiohttp.ClientSession(address, headers=headers) as session:
        texts = []
        for path in ("/metrics", "/health", "/", "/api/status"):
            async with session.get(path) as response:
                assert response.status in {200, 503}, path
                texts.append(await response.text())
    return "".join(texts)


def assert_hidden(secret: str, folder: Path, *texts: str) -> None:
    for text in texts:
        assert secret not in text
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert any(each.name.startswith("watchdog.db") for each in files)
    assert not [each for each in files if secret.encode() in each.read_bytes()]


async def test_at_debug_the_token_is_nowhere(processes: Processes, bot_api: BotApi, away: dict[str, str]) -> None:
    chat = bot_api.chat(CHAT)
    watchdog = await start_at_debug(processes, away)
    await bot_api.until(lambda: chat.messages, seconds=30)
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert "/bot***/sendMessage" in watchdog.output  # at DEBUG the URL is there, and what is secret of it is not
    assert_hidden(SECRET, processes.folder, watchdog.output, shown, *chat.texts)


async def test_a_wrong_token_is_reported_but_not_shown(
    processes: Processes, bot_api: BotApi, away: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    away |= {"WINE_SLO_TELEGRAM_TOKEN": WRONG}
    watchdog = await start_at_debug(processes, away)
    await watchdog.until_line("chat 42 was not notified .*Telegram does not know the token")
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert_hidden(WRONG.partition(":")[2], processes.folder, watchdog.output, shown)


async def test_a_proxy_that_fails_gives_away_neither_token_nor_password(
    processes: Processes, away: dict[str, str]
) -> None:
    proxy = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{free_port()}"
    away |= {"WINE_SLO_TELEGRAM_API_URL": "https://telegram.example", "WINE_SLO_TELEGRAM_PROXY": proxy}
    watchdog = await start_at_debug(processes, away)
    await watchdog.until_line("chat 42 was not notified .*Telegram cannot be reached")
    shown = await pages(away)
    assert await watchdog.terminate() == 0
    assert_hidden(SECRET, processes.folder, watchdog.output, shown)
    assert_hidden(PROXY_PASSWORD, processes.folder, watchdog.output, shown)


async def test_of_all_settings_that_are_secret_none_is_shown_anywhere_even_where_a_gateway_repeats_them(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    password = "sentinel/password#1"
    basic = b64encode(f"sentinel-name:{password}".encode()).decode()
    repeated = f"invalid token Bearer sentinel-token-2, Basic {basic}, {quote(password, safe='')}, {password}"
    prometheus_junk.answer = Answer(json.dumps({"status": "error", "errorType": "x", "error": repeated}), 401)
    nobody = f"127.0.0.1:{free_port()}"
    settings = blind | {
        "WINE_SLO_PROMETHEUS_TOKEN": "sentinel-token-2",
        "WINE_SLO_PROMETHEUS_USERNAME": "sentinel-name",
        "WINE_SLO_PROMETHEUS_PASSWORD": password,
        "WINE_SLO_SERVICE_URL": f"http://sentinel-service@{nobody}",
        "WINE_SLO_GRAFANA_URL": f"http://bob:sentinel-grafana@{nobody}/d?orgId=1&auth_token=sentinel-grafana-token",
        "WINE_SLO_WATCHDOG_PASSWORD": "sentinel-door",
        "WINE_SLO_HEARTBEAT_URL": f"http://bob:sentinel-heartbeat@{nobody}/sentinel-ping?key=sentinel-key",
        "WINE_SLO_HEARTBEAT_PROXY": f"http://bob:sentinel-proxy-1@{nobody}",
        "WINE_SLO_TELEGRAM_PROXY": f"http://bob:sentinel-proxy-2@{nobody}",
        "ALL_PROXY": f"http://bob:sentinel-proxy-3@{nobody}",
        "WINE_SLO_TELEGRAM_ADMIN_IDS": str(PERSON),
    }
    watchdog = await start_at_debug(processes, settings)
    await bot_api.until(lambda: any("Monitoring lost" in text for text in chat.texts), seconds=30)
    requested = len(chat.texts)
    for command in ("/status", "/why latency", "/drill", "/incidents", "/slo latency", "/chart", "/budget", "/help"):
        await bot_api.says(CHAT, PERSON, command)
    await bot_api.until(lambda: len(chat.texts) >= requested + 8, seconds=30)
    own = settings | {"WINE_SLO_WATCHDOG_URL": f"http://bob:sentinel-own@127.0.0.1:{blind['WINE_SLO_WATCHDOG_PORT']}"}
    outputs = []
    for command in (
        "check",
        "check --json",
        "status",
        "status --json",
        "doctor",
        "doctor --json",
        "drill",
        "drill --json",
        "replay --since 1h",
        "ledger backup copy.db",
        "ledger check",
        f"ledger copy sqlite:///watchdog.db postgresql+psycopg://bob:sentinel-db@{nobody}/ledger",
        "server --workers none",
    ):
        ran = await processes.wine_slo(*command.split(), settings=own)
        await ran.wait(60)
        outputs.append(ran.output)
    shown = await pages(settings)
    called = await asyncio.to_thread(Path(f"/proc/{watchdog.pid}/cmdline").read_text)
    assert await watchdog.terminate() == 0
    everything = [watchdog.output, shown, called, *outputs, *chat.texts]
    assert "***" in "".join(everything)
    for secret in ("sentinel", basic, SECRET):
        kept = "sentinel-name"  # a name is none
        assert_hidden(secret, processes.folder, *(text.replace(kept, "") for text in everything))


async def test_an_error_that_nobody_expects_gives_away_nothing(processes: Processes, away: dict[str, str]) -> None:
    settings = away | {"WINE_SLO_PROMETHEUS_TOKEN": "hunter2-of-the-token", "PYTHONPATH": str(ROOT)}
    process = await processes.start("wine-slo", [sys.executable, "-m", "tests.system.failing_command"], settings)
    assert await process.wait() == 1
    assert "RuntimeError: with *** in it" in process.output
