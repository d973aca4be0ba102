"""The image's health check, as it is, of real processes."""

import asyncio
import json
import os
import signal
import sys

import pytest

from tests.repo.deploy.checks import HEALTH, ROOT
from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port

NOWHERE = "http://127.0.0.1:9"
PROXY = {"http_proxy": NOWHERE, "HTTP_PROXY": NOWHERE, "all_proxy": NOWHERE}
MODEL = str(ROOT / "models" / "model.pkl")


async def request(pid: int, settings: dict[str, str]) -> tuple[int, str]:
    """Return the exit status of the check and what it printed."""
    check = await asyncio.create_subprocess_exec(
        *("bash", str(ROOT / HEALTH), str(pid)),
        env={"PATH": os.environ["PATH"], **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await check.communicate()
    assert check.returncode is not None
    return check.returncode, output.decode().rstrip("\n")


@pytest.mark.parametrize("command", [["-m", "wine_slo.server"], ["-m", "wine_slo", "server"]], ids=" ".join)
async def test_a_server_that_is_well_passes_whatever_proxy_is_set(processes: Processes, command: list[str]) -> None:
    settings = {"WINE_SLO_PORT": str(free_port()), "WINE_SLO_MODEL": MODEL}
    server = await processes.start("server", [sys.executable, *command], settings)
    await server.until_line("listening on")
    status, output = await request(server.pid, {**settings, **PROXY, "WINE_SLO_HOST": "0.0.0.0"})
    assert (status, json.loads(output)["status"]) == (0, "ok")


async def test_a_server_without_a_model_fails_with_the_reason(processes: Processes) -> None:
    settings = {"WINE_SLO_PORT": str(free_port()), "WINE_SLO_MODEL": "absent.pkl"}
    server = await processes.server(settings)
    await server.until_line("listening on")
    status, output = await request(server.pid, settings)
    assert status == 1
    assert "absent" in output


async def test_a_watchdog_is_checked_at_its_own_port(processes: Processes) -> None:
    settings = {"WINE_SLO_WATCHDOG_PORT": str(free_port()), "WINE_SLO_PROMETHEUS_URL": NOWHERE, "WINE_SLO_PORT": "9"}
    (processes.folder / "slo.yml").write_text((ROOT / "config" / "slo.yml").read_text())
    watchdog = await processes.watchdog(settings)
    await watchdog.until_line("listening on")
    status, output = await request(watchdog.pid, settings)
    assert (status, json.loads(output)["incidents_open"]) == (0, 0)


async def test_a_process_that_hangs_fails_within_the_time_of_the_check(processes: Processes) -> None:
    settings = {"WINE_SLO_PORT": str(free_port()), "WINE_SLO_MODEL": MODEL}
    server = await processes.server(settings)
    await server.until_line("listening on")
    server.send(signal.SIGSTOP)
    async with asyncio.timeout(5):  # seconds; the timeout of the check in Dockerfile and docker-compose.yml
        status, output = await request(server.pid, settings)
    assert (status, output) == (1, f"no answer from 127.0.0.1:{settings['WINE_SLO_PORT']} within 3 s")


async def test_a_process_that_does_not_listen_fails(processes: Processes) -> None:
    settings = {"WINE_SLO_PORT": str(free_port()), "WINE_SLO_MODEL": MODEL}
    server = await processes.server(settings)
    await server.until_line("listening on")
    other = str(free_port())
    assert await request(server.pid, {"WINE_SLO_PORT": other}) == (1, f"nothing listens on 127.0.0.1:{other}")


async def test_another_program_is_neither_of_the_two() -> None:
    status, output = await request(os.getpid(), {})
    assert status == 1
    assert output.startswith("neither the server nor the watchdog runs here: ")
