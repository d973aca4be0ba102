"""How many connections a process holds, and what it still does while others hold all of them."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.prometheus_junk import PrometheusJunk
from tests.real.processes import Process, Processes
from tests.real.prometheus import free_port
from wine_slo.adapters.listener import BoundedSite

ROOT = Path(__file__).parents[2]
MOST = 5
FILES = 256  # descriptors of a process
ATTACKERS = 1100  # connections
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Place:
    """A server that answers at once, or when it is let."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.port = 0
        self.may_answer = asyncio.Event()
        self._begun: asyncio.Queue[web.Request] = asyncio.Queue()

    async def open(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/", self._answer), web.get("/slow", self._answer_when_let)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await BoundedSite(runner, "127.0.0.1", 0, most=MOST, backlog=64).start()
        self.port = runner.addresses[0][1]

    async def connect(self, path: str = "") -> Stream:
        """A client who connects, and asks for that where something is said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._stack.callback(writer.close)
        if path:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return reader, writer

    async def ask_slowly(self) -> Stream:
        """A client who is being answered."""
        stream = await self.connect("/slow")
        await self._begun.get()
        return stream

    async def _answer(self, _: web.Request) -> web.Response:
        return web.Response(text="here")

    async def _answer_when_let(self, request: web.Request) -> web.Response:
        self._begun.put_nowait(request)
        await self.may_answer.wait()
        return web.Response(text="at last")


@pytest.fixture
async def place(stack: AsyncExitStack) -> Place:
    place = Place(stack)
    await place.open()
    return place


async def status(stream: Stream) -> bytes:
    async with asyncio.timeout(5):
        return await stream[0].readline()


async def test_the_oldest_that_waits_makes_room_and_one_that_is_being_answered_does_not(place: Place) -> None:
    busy = await place.ask_slowly()
    idle = [await place.connect() for _ in range(MOST - 1)]
    assert (await status(await place.connect("/"))).startswith(b"HTTP/1.1 200")
    assert await status(idle[0]) == b"", "the oldest was hung up on"
    idle[1][1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await status(idle[1])).startswith(b"HTTP/1.1 200")
    place.may_answer.set()
    assert (await status(busy)).startswith(b"HTTP/1.1 200")


async def test_where_all_are_being_answered_the_oldest_goes(place: Place) -> None:
    busy = [await place.ask_slowly() for _ in range(MOST)]
    assert (await status(await place.connect("/"))).startswith(b"HTTP/1.1 200")
    assert await status(busy[0]) == b""
    place.may_answer.set()
    for each in busy[1:]:
        assert (await status(each)).startswith(b"HTTP/1.1 200")


async def few_files(processes: Processes, module: str, settings: dict[str, str]) -> Process:
    command = ["sh", "-c", f'ulimit -n {FILES}; exec "$0" -m {module}', sys.executable]
    return await processes.start(module, command, settings)


async def attack(stack: AsyncExitStack, port: int) -> None:
    for _ in range(ATTACKERS):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        stack.callback(writer.close)


@pytest.mark.usefixtures("many_files")
async def test_idle_connections_make_the_watchdog_neither_blind_nor_mute(
    processes: Processes, prometheus_junk: PrometheusJunk, stack: AsyncExitStack
) -> None:
    port = free_port()
    settings = {
        "WINE_SLO_PROMETHEUS_URL": prometheus_junk.url,
        "WINE_SLO_POLL_SECONDS": "1",
        "WINE_SLO_WATCHDOG_PORT": str(port),
    }
    (processes.folder / "slo.yml").write_text((ROOT / "slo.yml").read_text())
    watchdog = await few_files(processes, "wine_slo.watchdog", settings)
    await watchdog.until_line("listening on", seconds=20)
    await attack(stack, port)
    asked, lines = len(prometheus_junk.queries), len(watchdog.lines)
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        for _ in range(5):
            async with session.get(f"http://127.0.0.1:{port}/health", headers={"Connection": "close"}) as response:
                assert response.status == 200
            await asyncio.sleep(0.5)
    assert len(prometheus_junk.queries) > asked
    assert len(watchdog.lines) - lines < 20, watchdog.output
    assert "cannot be reached" not in watchdog.output


@pytest.mark.usefixtures("many_files")
async def test_idle_connections_do_not_lock_the_server(processes: Processes, stack: AsyncExitStack) -> None:
    port = free_port()
    server = await few_files(
        processes, "wine_slo.server", {"WINE_SLO_PORT": str(port), "WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl")}
    )
    await server.until_line("listening on", seconds=20)
    await attack(stack, port)
    async with aiohttp.ClientSession() as session, asyncio.timeout(20):
        for _ in range(5):
            async with session.get(f"http://127.0.0.1:{port}/health", headers={"Connection": "close"}) as response:
                assert response.status == 200
    assert len(server.lines) < 20, server.output
