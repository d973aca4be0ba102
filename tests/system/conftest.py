"""The whole thing, run as people run it but faster: scrapes of 1 s, a breach after 5 s, ticks of 2 s."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping

ROOT = Path(__file__).parents[2]
CHAT = 42
SECOND = 43  # is notified of what nobody acknowledges for a quarter of an hour, which is nothing here
FAST = {
    "blind_for: 2m": "blind_for: 6s\n",
    "    objective:": "    bad_for: 5s\n    good_for: 4s\n    over: 1m\n    objective:",
}


def fast_objectives() -> str:
    """The shipped slo.yml with every span of judgement divided by five."""
    text = (ROOT / "config" / "slo.yml").read_text()
    for slow, fast in FAST.items():
        assert slow in text
        text = text.replace(slow, fast)
    return text


@dataclass
class House:
    """The server, Prometheus and the watchdog, and somebody who sends requests to the server."""

    processes: Processes
    bot_api: BotApi
    folder: Path
    server_port: int = field(default_factory=free_port)
    watchdog_port: int = field(default_factory=free_port)
    server: Process = field(init=False)
    prometheus: Prometheus = field(init=False)
    watchdog: Process = field(init=False)

    async def start(self) -> None:
        (self.folder / "slo.yml").write_text(fast_objectives())
        model = {"WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl")}
        self.server = await self.processes.server({"WINE_SLO_PORT": str(self.server_port), **model})
        self.prometheus = Prometheus(self.folder / "prometheus", scraping(f"127.0.0.1:{self.server_port}"))
        await self.prometheus.start()
        await self.start_watchdog()

    async def start_watchdog(self, **settings: str) -> None:
        telegram = {
            "WINE_SLO_TELEGRAM_TOKEN": self.bot_api.token,
            "WINE_SLO_TELEGRAM_API_URL": self.bot_api.url,
            "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            "WINE_SLO_TELEGRAM_SECOND_CHAT_IDS": str(SECOND),
        }
        own = {
            "WINE_SLO_PROMETHEUS_URL": self.prometheus.url,
            "WINE_SLO_WATCHDOG_PORT": str(self.watchdog_port),
            "WINE_SLO_POLL_SECONDS": "2",
            "WINE_SLO_SERVICE_URL": f"http://127.0.0.1:{self.server_port}",
        }
        self.watchdog = await self.processes.watchdog({**telegram, **own, **settings})

    async def requests(self, path: str, per_second: float = 10.0) -> None:
        """Request a page at a steady rate until cancelled."""
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.server_port}") as session,
            asyncio.TaskGroup() as all_,
        ):
            while True:
                all_.create_task(_request(session, path))
                await asyncio.sleep(1 / per_second)

    @property
    def messages(self) -> list[str]:
        return [text.splitlines()[0] for text in self.bot_api.chat(CHAT).texts]


async def _request(session: aiohttp.ClientSession, path: str) -> None:
    with suppress(aiohttp.ClientError):
        async with session.get(path) as response:
            await response.read()


@pytest.fixture
def blind(processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk) -> dict[str, str]:
    """The settings of a watchdog that cannot see, and soon says so: its Prometheus is junk."""
    slo = (ROOT / "config" / "slo.yml").read_text().replace("blind_for: 2m", "blind_for: 3s")
    (processes.folder / "slo.yml").write_text(slo)
    return {
        "WINE_SLO_PROMETHEUS_URL": prometheus_junk.url,
        "WINE_SLO_POLL_SECONDS": "1",
        "WINE_SLO_WATCHDOG_PORT": str(free_port()),
        "WINE_SLO_TELEGRAM_TOKEN": bot_api.token,
        "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
    }


@pytest.fixture
async def house(processes: Processes, bot_api: BotApi, tmp_path: Path) -> AsyncIterator[House]:
    bot_api.chat(CHAT)
    bot_api.chat(SECOND)
    house = House(processes, bot_api, tmp_path)
    await house.start()
    yield house
    await house.prometheus.kill()
