"""What a process still does while others hold as many connections to it as they can."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import pytest

from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import free_port

ROOT = Path(__file__).parents[2]
FILES = 256  # descriptors of a process
ATTACKERS = 1100  # connections
ATTACK = 15  # seconds that it lasts at the most


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


async def few_files(processes: Processes, module: str, settings: dict[str, str]) -> Process:
    command = ["sh", "-c", f'ulimit -n {FILES}; exec "$0" -m {module}', sys.executable]
    return await processes.start(module, command, settings)


async def attack(stack: AsyncExitStack, port: int) -> None:
    """Open as many as can be opened in some seconds: one that finds the queue full tries again for two minutes."""

    async def connect() -> None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)

    tasks = [asyncio.create_task(connect()) for _ in range(ATTACKERS)]
    opened, late = await asyncio.wait(tasks, timeout=ATTACK)
    for each in late:
        each.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    assert len(opened) > FILES, "too few to fill what it has"


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
    (processes.folder / "slo.yml").write_text((ROOT / "config" / "slo.yml").read_text())
    watchdog = await few_files(processes, "wine_slo.watchdog", settings)
    await watchdog.until_line("listening on")
    await attack(stack, port)
    requested, lines = len(prometheus_junk.queries), len(watchdog.lines)
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while len(prometheus_junk.queries) <= requested + 1:
            async with session.get(f"http://127.0.0.1:{port}/health", headers={"Connection": "close"}) as response:
                assert await response.json()
            await asyncio.sleep(0.1)
    said = [line for line in watchdog.lines[lines:] if "a tick was skipped" not in line]  # so says a busy machine
    assert len(said) < 20, watchdog.output
    assert "cannot be reached" not in watchdog.output


@pytest.mark.usefixtures("many_files")
async def test_idle_connections_do_not_lock_the_server(processes: Processes, stack: AsyncExitStack) -> None:
    port = free_port()
    server = await few_files(
        processes, "wine_slo.server", {"WINE_SLO_PORT": str(port), "WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl")}
    )
    await server.until_line("listening on")
    await attack(stack, port)
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        for _ in range(5):
            async with session.get(f"http://127.0.0.1:{port}/health", headers={"Connection": "close"}) as response:
                assert response.status == 200
    assert len(server.lines) < 20, server.output
