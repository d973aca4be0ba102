"""The same incidents on every server that speaks Prometheus' API: each is notified of as soon, and no stall is."""

import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest
import yaml

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.troubled_service import Trouble, TroubledService
from tests.support.real.processes import Processes
from tests.support.real.servers import Server, installed
from wine_slo.integrations.prometheus.server_info import PrometheusFacts

IS_LONG = "WINE_SLO_SOAK" in os.environ
EVERY = 15 if IS_LONG else 5  # seconds
CHAT = 42
STALL = 15.0  # seconds
WARM_UP = 8 * EVERY  # seconds; the usual traffic is known by then
OUTAGE = 4 * EVERY + 20.0  # seconds
LASTS = WARM_UP + OUTAGE + 6 * EVERY
OUTAGES = ["outage0", "outage1", "outage2"]  # jobs, as each has a phase of its own
TROUBLES = {
    **{job: [Trouble(WARM_UP, OUTAGE)] for job in OUTAGES},
    "stalls": [Trouble(WARM_UP + OUTAGE - apart * EVERY, STALL) for apart in (13, 1)],
}


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long it took on one server, in seconds, and how many stalls were taken for incidents."""

    server: str
    alerts: list[float]
    recoveries: list[float]
    stalls: int


def objectives() -> dict[str, Any]:
    """An error rate for each job."""
    each = {"kind": "ratio", "objective": 0.99, "burns": []}
    found = [
        each
        | {"name": job, "job": job, "total": f'requests_total{{job="{job}"}}'}
        | {"bad": f'requests_total{{job="{job}", status="500"}}'}
        for job in TROUBLES
    ]
    return {"job": OUTAGES[0], "objectives": found}


class Watched:
    """One server, and a watchdog with a chat of its own."""

    def __init__(self, name: str, folder: Path, service: TroubledService) -> None:
        self.name = name
        self._service = service
        self._server = Server(name, folder / name)
        self._chat = BotApi()
        self._processes = Processes(folder / name)

    async def start(self) -> None:
        address = self._service.url.removeprefix("http://")
        scrapes = [
            {"job_name": job, "metrics_path": f"/{self.name}/{job}", "static_configs": [{"targets": [address]}]}
            for job in TROUBLES
        ]
        times = {"scrape_interval": f"{EVERY}s", "scrape_timeout": f"{EVERY}s"}
        await self._server.start({"global": times, "scrape_configs": scrapes})
        (self._processes.folder / "slo.yml").write_text(yaml.safe_dump(objectives()))
        async with aiohttp.ClientSession() as session:
            server = await PrometheusFacts(session, self._server.url, {}).server()
        assert server is not None
        assert server.lower().startswith(self.name.rpartition("-")[0].replace("-", ""))
        self._chat.chat(CHAT)
        await self._chat.accepts_connections()
        settings = {
            "WINE_SLO_PROMETHEUS_URL": self._server.url,
            "WINE_SLO_WATCHDOG_PORT": "0",
            "WINE_SLO_POLL_SECONDS": "10",
            "WINE_SLO_DATABASE_URL": "sqlite:///watchdog.db",
            "WINE_SLO_CHARTS_ENABLED": "false",
            "WINE_SLO_TELEGRAM_TOKEN": TOKEN,
            "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            "WINE_SLO_TELEGRAM_API_URL": self._chat.url,
        }
        watchdog = await self._processes.watchdog(settings)
        await watchdog.until_line("listening on")

    async def until_all_is_over(self) -> None:
        """Wait for the recoveries; the stalls have long passed by then."""
        await self._chat.until(lambda: all(self._sent("🟢", job) for job in OUTAGES), seconds=LASTS + 60)

    def seconds(self) -> Seconds:
        """How long everything took."""
        alerts, recoveries = [], []
        for job in OUTAGES:
            (outage,) = TROUBLES[job]
            begins = self._service.when(self.name, job, outage)
            alerts.append(self._sent("🔴", job)[0] - begins)
            recoveries.append(self._sent("🟢", job)[-1] - begins - outage.lasts)
        return Seconds(self.name, alerts, recoveries, len(self._sent("🔴", "stalls")))

    def _sent(self, sign: str, job: str) -> list[float]:
        firsts = [each.versions[0] for each in self._chat.chat(CHAT).messages]
        return [
            each.at.timestamp() for each in firsts if each.text.startswith(sign) and job in each.text.splitlines()[0]
        ]

    async def end(self) -> None:
        await self._processes.end()
        await self._server.end()
        await self._chat.refuses_connections()


def table(found: Iterable[Seconds]) -> str:
    head = f"\n{'':28}{'alert after':>13}{'over after':>13}{'stalls alerted':>16}\n"
    return head + "".join(
        f"{each.server:28}{median(each.alerts):11.1f} s{median(each.recoveries):11.1f} s"
        f"{each.stalls:9} of {len(TROUBLES['stalls'])}\n"
        for each in found
    )


@pytest.mark.skipif(not installed(), reason="`make test-servers` gets these servers")
async def test_an_incident_is_notified_as_soon_on_every_server_and_a_stall_on_none(tmp_path: Path) -> None:
    async with TroubledService(TROUBLES, EVERY) as service:
        all_ = [Watched(name, tmp_path, service) for name in installed()]
        try:
            await asyncio.gather(*(each.start() for each in all_))
            await asyncio.gather(*(each.until_all_is_over() for each in all_))
            found = [each.seconds() for each in all_]
        finally:
            await asyncio.gather(*(each.end() for each in all_))
    sys.stdout.write(table(found))  # `pytest --capture=no` shows it
    assert [each.stalls for each in found] == [0] * len(found), table(found)
    for seconds in ([median(each.alerts) for each in found], [median(each.recoveries) for each in found]):
        assert max(seconds) - min(seconds) <= EVERY, table(found)
