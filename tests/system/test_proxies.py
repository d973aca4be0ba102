"""Telegram and the heartbeat through a proxy, and what is never sent through one."""

import asyncio
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.loopback import Loopback
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.socks_proxy import SocksProxy
from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port
from tests.system.conftest import CHAT

FAR = "http://telegram.example:8081"


def port_of(bot_api: BotApi) -> int:
    return urlsplit(bot_api.url).port or 0


@pytest.fixture
async def away(prometheus_junk: PrometheusJunk, blind: dict[str, str]) -> dict[str, str]:
    """The settings of a watchdog that has something to send."""
    await prometheus_junk.goes_down()
    return blind


async def test_messages_go_through_a_socks_proxy_with_a_login(
    processes: Processes, bot_api: BotApi, away: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    async with SocksProxy(port_of(bot_api)) as proxy:
        telegram = {
            "WINE_SLO_TELEGRAM_API_URL": FAR,
            "WINE_SLO_TELEGRAM_PROXY": f"socks5://bob:hunter2@127.0.0.1:{proxy.port}",
        }
        watchdog = await processes.watchdog(away | telegram)
        await bot_api.until(lambda: chat.messages, seconds=30)
        assert ("telegram.example", 8081) in proxy.requested
        assert ("bob", "hunter2") in proxy.logins
        doctor = await processes.wine_slo("doctor", settings=away | telegram)
        assert await doctor.wait(60) == 1  # there is no service
        assert f"the bot may write in {CHAT}" in doctor.output
        assert await watchdog.terminate() == 0


async def test_messages_and_the_heartbeat_go_through_the_proxy_of_the_environment(
    processes: Processes, bot_api: BotApi, away: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    beaten = asyncio.Event()

    async def beat(_request: web.BaseRequest) -> web.Response:
        beaten.set()
        return web.Response()

    switch = Loopback(beat)
    await switch.open()
    async with SocksProxy(port_of(bot_api)) as proxy, SocksProxy(switch.port) as other:
        watchdog = await processes.watchdog(
            away
            | {
                "WINE_SLO_TELEGRAM_API_URL": FAR,
                "WINE_SLO_HEARTBEAT_URL": "http://switch.example/beat",
                "WINE_SLO_HEARTBEAT_PROXY": f"socks5://127.0.0.1:{other.port}",
                "ALL_PROXY": f"socks5://127.0.0.1:{proxy.port}",
            }
        )
        await bot_api.until(lambda: chat.messages, seconds=30)
        async with asyncio.timeout(20):
            await beaten.wait()
        assert {name for name, _ in proxy.requested} == {"telegram.example"}
        assert {name for name, _ in other.requested} == {"switch.example"}
        assert await watchdog.terminate() == 0
    await switch.close()


async def test_an_own_bot_api_server_prometheus_and_the_switch_on_this_machine_are_called_without_the_proxy(
    processes: Processes, bot_api: BotApi, away: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    proxy = f"http://127.0.0.1:{free_port()}"  # nobody listens: whoever goes there does not arrive
    watchdog = await processes.watchdog(
        away | {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "ALL_PROXY": proxy, "WINE_SLO_TELEGRAM_PROXY": proxy}
    )
    await bot_api.until(lambda: chat.messages, seconds=30)
    assert await watchdog.terminate() == 0


@pytest.mark.parametrize(("command", "proxy"), [("watchdog", "http://[::1"), ("doctor", "ftp://bob:hunter2@x")])
async def test_a_malformed_proxy_ends_with_a_sentence(
    processes: Processes, away: dict[str, str], command: str, proxy: str
) -> None:
    settings = away | {"WINE_SLO_TELEGRAM_PROXY": proxy}
    process = await (
        processes.watchdog(settings) if command == "watchdog" else processes.wine_slo(command, settings=settings)
    )
    assert await process.wait(30) == {"watchdog": 2, "doctor": 1}[command]
    assert "WINE_SLO_TELEGRAM_PROXY has a value; wanted: a proxy's URL" in process.output
    assert "hunter2" not in process.output
    assert "Traceback" not in process.output
