"""Two real Prometheus on the same service: what befalls one of them in mid-incident is no second one, and no end."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.counting_service import CountingService
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from tests.support.real.servers import Server, installed
from tests.system.conftest import CHAT

IS_LONG = "WINE_SLO_SOAK" in os.environ
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
OBJECTIVES = {
    "job": "shop",
    "blind_for": "6s",
    "objectives": [
        {"name": "errors", "kind": "ratio", "objective": 0.99, "burns": [], "bad_for": "5s", "good_for": "4s"}
        | {"over": "1m", "total": "requests_total", "bad": 'requests_total{status="500"}'},
        {"name": "availability", "kind": "up", "objective": 0.99, "burns": [], "bad_for": "5s", "good_for": "4s"}
        | {"over": "1m"},
    ],
}


def scraping(address: str) -> dict[str, Any]:
    """The same target, whatever address it has for this replica."""
    same = [{"target_label": "instance", "replacement": "shop:80"}]
    job = {"job_name": "shop", "static_configs": [{"targets": [address]}], "relabel_configs": same}
    return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [job]}


class Pair:
    """A service, two Prometheus that scrape it, a watchdog that knows both, and a chat."""

    def __init__(self, folder: Path, processes: Processes, bot_api: BotApi) -> None:
        self.service = CountingService(2)
        self.replicas: list[Prometheus | Server] = []
        self.port = free_port()
        self._folder, self._processes, self._bot_api = folder, processes, bot_api

    async def start(self, second: str = "prometheus") -> None:
        await self.service.open()
        for number, address in enumerate(self.service.addresses):
            scrapes = scraping(f"127.0.0.1:{address.port}")
            if number == 1 and second != "prometheus":
                server = Server(second, self._folder / second)
                await server.start(scrapes)
                self.replicas.append(server)
                continue
            prometheus = Prometheus(self._folder / f"prometheus{number}", scrapes)
            await prometheus.start()
            self.replicas.append(prometheus)
        (self._processes.folder / "slo.yml").write_text(yaml.safe_dump(OBJECTIVES))
        self._bot_api.chat(CHAT)
        self.watchdog = await self._processes.watchdog(
            {
                "WINE_SLO_PROMETHEUS_URL": ",".join(each.url for each in self.replicas),
                "WINE_SLO_POLL_SECONDS": "2",
                "WINE_SLO_WATCHDOG_PORT": str(self.port),
                "WINE_SLO_CHARTS_ENABLED": "false",
                "WINE_SLO_TELEGRAM_TOKEN": self._bot_api.token,
                "WINE_SLO_TELEGRAM_API_URL": self._bot_api.url,
                "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            }
        )
        await self.watchdog.until_line("listening on")
        await self._until(lambda found: {each["verdict"] for each in found["objectives"]} == {"met"}, seconds=30)
        await asyncio.sleep(8)  # until what traffic is usual is known

    @property
    def first(self) -> Prometheus:
        """The one that is judged by at first."""
        found = self.replicas[0]
        assert isinstance(found, Prometheus)
        return found

    async def status(self) -> dict[str, Any]:
        """How everything stands, as the watchdog has it."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.port}/api/status") as response,
        ):
            found: dict[str, Any] = await response.json()
            return found

    async def is_left(self, seconds: float = 30) -> float:
        """Wait until the first one is judged by no more; return how long that took."""
        return await self._until(lambda found: not found["replicas"][0]["used"], seconds)

    async def sees_again(self, seconds: float = 60) -> float:
        """Wait until the first one sees all that the other one sees."""
        return await self._until(lambda found: not found["replicas"][0]["reason"], seconds)

    async def _until(self, claim: Callable[[dict[str, Any]], bool], seconds: float) -> float:
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not claim(await self.status()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
        return time.monotonic() - began

    def signs(self) -> str:
        """The sign that each message began with when it was sent."""
        return "".join(each.versions[0].text[0] for each in self._bot_api.chat(CHAT).messages)

    async def until_signs(self, signs: str, seconds: float = 60) -> None:
        await self._bot_api.until(lambda: self.signs() == signs, seconds)

    async def end(self) -> None:
        for each in self.replicas:
            await (each.kill() if isinstance(each, Prometheus) else each.end())
        await self.service.close()


@pytest.fixture
async def pair(tmp_path: Path, processes: Processes, bot_api: BotApi) -> AsyncIterator[Pair]:
    pair = Pair(tmp_path, processes, bot_api)
    yield pair
    await pair.end()


async def kill(pair: Pair) -> None:
    await pair.first.kill()


async def stop(pair: Pair) -> None:
    os.kill(pair.first.pid, signal.SIGSTOP)


async def go_on(pair: Pair) -> None:
    os.kill(pair.first.pid, signal.SIGCONT)


async def start(pair: Pair) -> None:
    await pair.first.start()


async def start_empty(pair: Pair) -> None:
    shutil.rmtree(pair.first.folder / "data")
    await pair.first.start()


async def cut_off(pair: Pair) -> None:
    await pair.service.addresses[0].close()


async def join(pair: Pair) -> None:
    await pair.service.addresses[0].open()


async def set_clock(pair: Pair) -> None:
    await pair.first.kill()
    await pair.first.start({"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+20s"})


async def reset_clock(pair: Pair) -> None:
    await pair.first.kill()
    await pair.first.start()


Act = Callable[[Pair], Awaitable[None]]
FAULTS = [
    pytest.param(kill, start_empty, id="killed, and back with an empty disk"),
    pytest.param(kill, start, id="killed, and back with a gap"),
    pytest.param(stop, go_on, id="stopped for a while"),
    pytest.param(cut_off, join, id="cut off from its targets"),
    pytest.param(set_clock, reset_clock, id="its clock set forward"),
]


@pytest.mark.skipif(not IS_LONG or not installed(), reason="`make test-servers` gets the other servers")
@pytest.mark.parametrize("second", [each for each in installed() if each.startswith("victoria")])
async def test_victoriametrics_beside_prometheus_is_a_pair_through_a_whole_incident(pair: Pair, second: str) -> None:
    await pair.start(second)
    pair.service.falls_ill()
    await pair.until_signs("🔴")
    await kill(pair)
    sys.stdout.write(f"\n{second}: left for it after {await pair.is_left():.1f} s\n")
    await asyncio.sleep(10)
    assert pair.signs() == "🔴"
    pair.service.is_well_again()
    await pair.until_signs("🔴🟢")
    await asyncio.sleep(8)
    assert pair.signs() == "🔴🟢"


@pytest.mark.parametrize(("begin", "end"), FAULTS if IS_LONG else FAULTS[:1])
async def test_what_befalls_one_of_two_in_mid_incident_is_no_second_incident_and_no_end(
    pair: Pair, begin: Act, end: Act
) -> None:
    await pair.start()
    pair.service.falls_ill()
    await pair.until_signs("🔴")
    await begin(pair)
    took = await pair.is_left()
    sys.stdout.write(f"\n{begin.__name__}: left after {took:.1f} s\n")  # `pytest --capture=no` shows it
    await asyncio.sleep(10)
    assert pair.signs() == "🔴"
    await end(pair)
    await pair.sees_again()
    await asyncio.sleep(5)
    assert pair.signs() == "🔴"
    pair.service.is_well_again()
    await pair.until_signs("🔴🟢")
    await asyncio.sleep(8)
    assert pair.signs() == "🔴🟢"
    assert [each["slo"] for each in (await pair.status())["recent_incidents"]] == ["errors"]
