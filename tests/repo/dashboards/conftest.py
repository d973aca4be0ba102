"""A service that is well, and then is not, as the real Prometheus and the real watchdog see it; once for all tests."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
import yaml

from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from tests.system.conftest import ROOT, fast_objectives

WINE = "14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,1065"
STRANGE_WINE = "14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,9999"
PAGES = ("/", "/ui", "/health", "/docs", "/openapi.json", "/web/style.css", "/sleep?seconds=0", "/nowhere")
SCRAPE = 1.0  # seconds, instead of the shipped five


@dataclass(frozen=True)
class Act:
    """A stretch of time, in seconds since the epoch."""

    start: float
    end: float


@dataclass(frozen=True)
class World:
    """Prometheus with what it saw, and when what happened."""

    prometheus: Prometheus
    well: Act
    sick: Act
    recovering: Act


@asynccontextmanager
async def requesting(port: int, *paths: str) -> AsyncIterator[None]:
    """Somebody requests these paths and classifies wines, ten rounds a second."""

    async def request(session: aiohttp.ClientSession, path: str) -> None:
        with suppress(aiohttp.ClientError):
            async with session.get(path, allow_redirects=False) as response:
                await response.read()

    async def classify(session: aiohttp.ClientSession, wine: str) -> None:
        with suppress(aiohttp.ClientError):
            async with session.post("/predict", data={"request": wine}) as response:
                await response.read()

    async def go_on() -> None:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, asyncio.TaskGroup() as tasks:
            while True:
                for path in paths:
                    tasks.create_task(request(session, path))
                for wine in (WINE, STRANGE_WINE):
                    tasks.create_task(classify(session, wine))
                await asyncio.sleep(0.1)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def scraping(ports: dict[str, int]) -> dict[str, object]:
    """The shipped prometheus.yml with other ports, and quicker."""
    configuration: dict[str, object] = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": f"{SCRAPE:g}s", "scrape_timeout": f"{SCRAPE:g}s"}
    jobs = configuration["scrape_configs"]
    assert isinstance(jobs, list)
    for job in jobs:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]
    return configuration


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("world")
    (folder / "slo.yml").write_text(fast_objectives())
    processes, ports = Processes(folder), {"wine-slo": free_port(), "watchdog": free_port()}
    model = {"WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl"), "WINE_SLO_PORT": str(ports["wine-slo"])}
    prometheus = Prometheus(folder / "prometheus", scraping(ports))
    try:
        server = await processes.server(model)
        await prometheus.start()
        watchdog = await processes.watchdog(
            {
                "WINE_SLO_PROMETHEUS_URL": f"{prometheus.url},http://localhost:{prometheus.port}",  # as if it were two
                "WINE_SLO_WATCHDOG_PORT": str(ports["watchdog"]),
                "WINE_SLO_POLL_SECONDS": "2",
            }
        )
        await server.until_line("listening on")
        async with requesting(ports["wine-slo"], *PAGES):
            started = time.time()
            await prometheus.until('slo_burn_rate{slo="latency", window="5m"} == 0', seconds=40)
            await prometheus.until("count(up == 1) == 2 and on () (count_over_time(up[10s]) > 6)", seconds=20)
            well = Act(started, time.time())
            await server.terminate()
            server = await processes.server(model)  # a restart, which is an annotation
            await server.until_line("listening on")
            began = time.time()
            async with requesting(ports["wine-slo"], "/sleep?seconds=1.2", "/fail?status=503"):
                breached = '(slo_state{slo=~"latency|errors"} == 2)'
                longer_than_a_step = f"count(count_over_time({breached}[10s:1s]) > 6) == 2"  # of the panels: 5 s
                await prometheus.until(longer_than_a_step, seconds=40)
                delivered = "watchdog_messages_total{kind='breach', outcome='told'} >= 2"
                await prometheus.until(
                    f"count_over_time(({delivered})[1m:{SCRAPE:g}s]) > 2", seconds=15
                )  # and in two more
                sick = Act(began, time.time())
            await prometheus.until('slo_state{slo="errors"} == 3', seconds=20)
            recovering = Act(sick.end, time.time())
        assert watchdog.is_running
        yield World(prometheus, well, sick, recovering)
    finally:
        await prometheus.kill()
        await processes.end()
