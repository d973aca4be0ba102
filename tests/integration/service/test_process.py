import asyncio
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.integration.service.conftest import IS_UP, until_it_sleeps
from tests.support.real.processes import Processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_0_and_what_is_being_answered_ends_first(
    processes: Processes, settings: dict[str, str], port: int, number: signal.Signals
) -> None:
    server = await processes.server(settings)
    await server.until_line(IS_UP)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        slow = asyncio.create_task(session.get("/sleep?seconds=0.5"))
        await until_it_sleeps(session)
        server.send(number)
        assert (await slow).status == 200
    assert await server.wait() == 0
    assert "Traceback" not in server.output


async def test_garbage_is_collected_once_it_serves(processes: Processes, settings: dict[str, str], port: int) -> None:
    await (await processes.server(settings)).until_line(IS_UP)
    counter = 'python_gc_collections_total{generation="0"}'
    collections: set[str] = set()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, asyncio.timeout(30):
        while len(collections) < 2:
            async with session.get("/metrics") as response:
                lines = (await response.text()).splitlines()
            collections |= {line for line in lines if line.startswith(counter)}


async def test_a_port_in_use_is_one_sentence_and_1(processes: Processes, settings: dict[str, str], port: int) -> None:
    await (await processes.server(settings)).until_line(IS_UP)
    second = await processes.server(settings)
    assert await second.wait() == 1
    assert second.lines[-1].endswith(f": cannot listen on 127.0.0.1:{port}: Address already in use")
    assert "Traceback" not in second.output


async def test_wrong_settings_are_reported_and_2(processes: Processes) -> None:
    server = await processes.server({"WINE_SLO_LOG_FORMAT": "xml", "WINE_SLO_SLEEP_ENABLED": "perhaps"})
    assert await server.wait() == 2
    assert server.lines == [
        "WINE_SLO_SLEEP_ENABLED is 'perhaps'; wanted: true or false; if not set, true on loopback only",
        "WINE_SLO_LOG_FORMAT is 'xml'; wanted: text or json",
    ]


async def test_a_damaged_model_leaves_the_process_up(
    processes: Processes, settings: dict[str, str], port: int, tmp_path: Path
) -> None:
    (tmp_path / "model.pkl").write_bytes(b"junk")
    (tmp_path / "model.json").write_text("{}")
    server = await processes.server(settings | {"WINE_SLO_MODEL": "model.pkl"})
    await server.until_line(IS_UP)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, session.get("/health") as response:
        assert response.status == 503
    assert await server.terminate() == 0
