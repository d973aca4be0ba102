"""`wine-slo init` beside what others run: the file is right as it is, and incidents are alerted on and end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.exporters import Fleet, scraped
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from tests.system.conftest import CHAT

EVERY = {"fastapi": "1s", "express": "2s", "node": "1s", "blackbox": "2s", "prometheus": "1s"}
IN_NO_TIME = {"query": "up", "timeout": "0.000001"}  # seconds; Prometheus answers that it timed out, with 503
ALERTS = (
    "fastapi-latency", "express-errors", "node-availability", 'blackbox-probes{instance="http://service.example/b"}',
    "prometheus-errors",
)  # fmt: skip


async def test_what_init_writes_is_right_and_incidents_of_each_job_are_alerted_on_and_end(
    tmp_path: Path, bot_api: BotApi, processes: Processes
) -> None:
    bot_api.chat(CHAT)
    async with scraped(tmp_path / "prometheus", EVERY) as fleet:
        for name in fleet.exporters:
            await fleet.prometheus.until(f'count_over_time(up{{job="{name}"}}[1m]) > 3')
        await fleet.prometheus.until('sum(prometheus_http_requests_total{handler="/api/v1/query"}) > 3')
        settings = settings_of(bot_api)
        init = await processes.wine_slo("init", "--prometheus", fleet.prometheus.url, "--yes", settings={})
        assert await init.wait() == 0, init.output
        as_fast_as_the_test(processes.folder / "slo.yml")
        watchdog = await processes.watchdog(settings)
        await watchdog.until_line("sight of prometheus-errors is clear", seconds=30)
        doctor = await processes.wine_slo("doctor", "--json", settings=settings)
        assert await doctor.wait(60) == 0, doctor.output
        findings = json.loads(doctor.output)["findings"]
        assert [each for each in findings if each["grade"] == "wrong" or each["about"] == "coverage"] == []
        async with incidents(fleet):
            for name in ALERTS:
                await watchdog.until_line(f"incident #[0-9]+ opened: {name}", seconds=60)
        for name in ALERTS:
            await watchdog.until_line(f"incident #[0-9]+ closed: {name}, recovered", seconds=60)
        await bot_api.until(lambda: bool(bot_api.chat(CHAT).texts), seconds=10)


def settings_of(bot_api: BotApi) -> dict[str, str]:
    """Those that `init` leaves to whoever runs it; the others are in `.env`."""
    return {
        "WINE_SLO_TELEGRAM_TOKEN": bot_api.token,
        "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
        "WINE_SLO_WATCHDOG_PORT": str(free_port()),
        "WINE_SLO_POLL_SECONDS": "2",
    }


def as_fast_as_the_test(path: Path) -> None:
    """Divide the spans of judgement, and change nothing else."""
    fast = "    bad_for: 6s\n    good_for: 4s\n    over: 30s\n    objective:"
    path.write_text(path.read_text().replace("    objective:", fast))


@asynccontextmanager
async def incidents(fleet: Fleet) -> AsyncIterator[None]:
    """Something different is wrong with each job."""
    fleet.exporters["fastapi"].is_now(slow=True)
    fleet.exporters["express"].is_now(failing=True)
    fleet.exporters["blackbox"].is_now(failing=True)
    await fleet.exporters["node"].close()
    queries = asyncio.create_task(in_no_time(fleet.prometheus))
    try:
        yield
    finally:
        queries.cancel()
        await asyncio.gather(queries, return_exceptions=True)
        await fleet.exporters["node"].open()
        for each in fleet.exporters.values():
            each.is_now()


async def in_no_time(prometheus: Prometheus) -> None:
    """Query what takes too long, again and again."""
    async with aiohttp.ClientSession(prometheus.url) as session:
        while True:
            with suppress(aiohttp.ClientError):  # one that is broken off is as good as one that is answered with 503
                async with session.get("/api/v1/query", params=IN_NO_TIME) as response:
                    await response.read()
            await asyncio.sleep(0.05)  # seconds; up to twenty requests a second
