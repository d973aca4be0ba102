"""The end and the next start of the real process, and the signs of life that it gives: all of it without Prometheus."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.loopback import Loopback
from tests.support.fakes.prometheus_junk import NEVER, PrometheusJunk
from tests.support.real.processes import Process, Processes
from tests.system.conftest import CHAT
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Key

SEND = "sendMessage"


@dataclass
class Post:
    """A watchdog at its post: it cannot see, and soon says so; systemd and a dead-man's switch listen to it."""

    processes: Processes
    settings: dict[str, str]
    systemd: socket.socket
    beats: asyncio.Queue[str]

    async def start(self) -> Process:
        return await self.processes.watchdog(self.settings)

    async def receives(self) -> str:
        """What systemd is notified of next."""
        async with asyncio.timeout(60):
            return (await asyncio.get_running_loop().sock_recv(self.systemd, 100)).decode()

    async def health(self) -> tuple[int, str]:
        return await self._request("/health")

    async def life(self) -> tuple[int, str]:
        """Whether a supervisor is to leave it as it is."""
        return await self._request("/alive")

    async def _request(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.settings['WINE_SLO_WATCHDOG_PORT']}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, (await response.json())["status"]


@pytest.fixture
async def post(processes: Processes, bot_api: BotApi, blind: dict[str, str]) -> AsyncIterator[Post]:
    bot_api.chat(CHAT)
    path = str(processes.folder / "notify")
    beats: asyncio.Queue[str] = asyncio.Queue()

    async def beat(request: web.BaseRequest) -> web.Response:
        beats.put_nowait(request.path)
        return web.Response()

    switch = Loopback(beat)
    await switch.open()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(0)
        settings = blind | {"WINE_SLO_HEARTBEAT_URL": f"{switch.url}/beat", "NOTIFY_SOCKET": path}
        yield Post(processes, settings, systemd, beats)
    await switch.close()


async def test_what_is_being_sent_at_the_end_is_sent_and_not_repeated_after_it(
    post: Post, bot_api: BotApi, prometheus_junk: PrometheusJunk
) -> None:
    await prometheus_junk.goes_down()
    bot_api.answers_late(2, methods=[SEND])
    watchdog = await post.start()
    await bot_api.until(lambda: bot_api.calls_of(SEND), seconds=30)
    watchdog.send(signal.SIGTERM)
    assert await watchdog.wait(seconds=6) == 0
    bot_api.recovers()
    await post.start()
    for sign in ("READY=1", "STOPPING=1", "READY=1"):  # of the first one, and of the second
        assert await post.receives() == sign
    async with asyncio.timeout(60):
        while not post.beats.empty():
            post.beats.get_nowait()
        for _ in range(3):
            await post.beats.get()
    assert [text.split(" for ")[0] for text in bot_api.chat(CHAT).texts if "Monitoring lost" in text] == [
        "🟣 Monitoring lost"
    ]


async def test_health_is_red_while_something_has_been_undelivered_for_too_long(post: Post, bot_api: BotApi) -> None:
    ledger = Ledger.open(f"sqlite:///{post.processes.folder / 'data' / 'watchdog.db'}")
    long_ago = datetime.now(UTC) - timedelta(minutes=11)
    old = Incident(number=1, key=Key("latency"), began_at=long_ago, opened_at=long_ago, last_bad_at=long_ago)
    known = State(incidents={1: old}, last_number=1, evaluated_at=datetime.now(UTC))
    ledger.save(State(), known)
    ledger.close()
    bot_api.fails_with(500, methods=[SEND])
    watchdog = await post.start()
    await watchdog.until_line("chat 42 was not notified")
    assert await post.health() == (503, "not delivered for too long")
    assert await post.life() == (200, "alive")  # a restart would not mend Telegram
    bot_api.recovers()
    await watchdog.until_line("chat 42 was notified: breach of #1")
    assert await post.health() == (200, "ok")


async def test_a_complete_tick_is_a_sign_of_life_for_the_switch_and_an_incomplete_one_is_not(
    post: Post, prometheus_junk: PrometheusJunk
) -> None:
    watchdog = await post.start()
    async with asyncio.timeout(60):
        assert await post.beats.get() == "/beat"
    requested = len(prometheus_junk.queries)
    prometheus_junk.answer = NEVER
    async with asyncio.timeout(30):
        while len(prometheus_junk.queries) == requested:  # noqa: ASYNC110 - another process cannot set an event here
            await asyncio.sleep(0.01)
    while not post.beats.empty():  # ticks come one after another: those before the one that hangs have ended
        post.beats.get_nowait()
    async with asyncio.timeout(30):
        while await post.health() != (503, "tick overdue"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert await post.life() == (200, "alive")
    assert post.beats.empty()
    await watchdog.until_line("a tick was skipped: the one before has not ended")


async def test_systemd_has_a_sign_twice_in_the_time_in_which_it_wants_one_however_seldom_it_evaluates(
    post: Post,
) -> None:
    slo = post.processes.folder / "slo.yml"
    slo.write_text(slo.read_text().replace("blind_for: 3s", "blind_for: 20m"))
    post.settings |= {"WINE_SLO_POLL_SECONDS": "300", "WATCHDOG_USEC": "1000000"}
    await post.start()
    assert await post.receives() == "READY=1"
    began = asyncio.get_running_loop().time()
    assert [await post.receives() for _ in range(5)] == ["WATCHDOG=1"] * 5
    assert 1 < asyncio.get_running_loop().time() - began < 15, "half a second each, and not a poll or a tick"
