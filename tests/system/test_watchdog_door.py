"""Who reads the watchdog's pages: anybody on this machine, and elsewhere only who knows the password."""

import asyncio
import shutil
from base64 import b64encode
from pathlib import Path

import aiohttp
import pytest

from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port

ROOT = Path(__file__).parents[2]
LOGIN = {"Authorization": f"Basic {b64encode(b'me:open sesame').decode()}"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings of a watchdog that is alone."""
    shutil.copy(ROOT / "config" / "slo.yml", tmp_path)
    return {"WINE_SLO_PROMETHEUS_URL": f"http://127.0.0.1:{free_port()}", "WINE_SLO_WATCHDOG_PORT": str(free_port())}


async def test_it_does_not_start_where_others_could_read_its_pages_without_a_login(
    processes: Processes, settings: dict[str, str]
) -> None:
    watchdog = await processes.watchdog(settings | {"WINE_SLO_WATCHDOG_HOST": "0.0.0.0"})
    assert await watchdog.wait(seconds=30) == 2
    (line,) = watchdog.lines
    assert line.startswith("WINE_SLO_WATCHDOG_HOST is 0.0.0.0, so others may read the status page; wanted: ")
    assert "WINE_SLO_WATCHDOG_PASSWORD, or WINE_SLO_WATCHDOG_LOGIN_REQUIRED=false" in line


async def test_with_a_password_all_pages_but_health_want_it_and_a_bad_request_is_a_line(
    processes: Processes, settings: dict[str, str]
) -> None:
    watchdog = await processes.watchdog(settings | {"WINE_SLO_WATCHDOG_PASSWORD": "open sesame"})
    await watchdog.until_line("listening on http://127.0.0.1:")
    port = int(settings["WINE_SLO_WATCHDOG_PORT"])
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for path in ("/", "/api/status", "/metrics"):
            assert (await session.get(path)).status == 401
            assert (await session.get(path, headers=LOGIN)).status == 200
        for path in ("/health", "/alive"):
            assert (await session.get(path)).status == 200
        assert (await session.get("/health", headers={"Host": "evil.example"})).status == 421
    status = await processes.wine_slo("status", settings=settings | {"WINE_SLO_WATCHDOG_PASSWORD": "open sesame"})
    await status.wait(seconds=30)
    assert "another password" not in status.output
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x1b[31m" + b"x" * 8000 + b"\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    line = await watchdog.until_line("was refused: (?!log in|this name)")
    assert len(line) < 200
    assert "Traceback" not in watchdog.output
    assert "sesame" not in watchdog.output


async def test_a_mistyped_name_of_a_setting_is_named_by_both_processes(
    processes: Processes, settings: dict[str, str]
) -> None:
    settings |= {"WINE_SLO_PORT": "0", "WINE_SLO_PROMETEUS_URL": "x", "WINE_SLO_MODEL": str(ROOT / "models/model.pkl")}
    for process in (await processes.server(settings), await processes.watchdog(settings)):
        await process.until_line("listening on")
        said = "WINE_SLO_PROMETEUS_URL of the environment is no setting; is WINE_SLO_PROMETHEUS_URL meant?"
        assert len([line for line in process.lines if said in line]) == 1
        assert await process.terminate() == 0
