"""A storm on real processes: many label sets break in waves, and the watchdog is killed in the middle."""

import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.exposing import Exposing
from tests.support.fakes.telegram_chats import Message
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping
from tests.system.conftest import CHAT
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.views.status_schema import Judgement, Status

COUNT = 120
ZONES = ("eu-1", "us-1")
PER_SECOND = 20.0
SLO = """
job: wine-slo
objectives:
  - &usual
    name: requests
    kind: ratio
    objective: 0.95
    bad: requests_total{code="500"}
    total: requests_total
    by: [customer, zone]
    bad_for: 5s
    good_for: 4s
    over: 1m
  - {<<: *usual, name: payments, bad: 'payments_total{code="500"}', total: payments_total, by: []}
"""


class Shop:
    """A service with many customers in two zones; the requests of some fail from now on."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._counted_at = time.monotonic()

    def page(self) -> bytes:
        now = time.monotonic()
        requests, self._counted_at = (now - self._counted_at) * PER_SECOND, now
        lines = []
        for number in range(COUNT):
            lines += self._lines("requests_total", customer(number), requests)
        return "\n".join([*lines, *self._lines("payments_total", "payments", requests), ""]).encode()

    def _lines(self, name: str, who: str, requests: float) -> list[str]:
        self._counts[who, "500" if who in self.failing else "200"] += requests  # type: ignore[assignment]
        labels = f'customer="{who}",zone="{zone(who)}",' if who != "payments" else ""
        return [f'{name}{{{labels}code="{code}"}} {self._counts[who, code]}' for code in ("200", "500")]


def customer(number: int) -> str:
    return f"c{number:03}"


def zone(who: str) -> str:
    return ZONES[0] if who < customer(COUNT // 2) else ZONES[1]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[tuple[Shop, Prometheus]]:
    shop = Shop()
    target = Exposing(shop.page)
    await target.open()
    prometheus = Prometheus(tmp_path / "prometheus", scraping(target.target))
    await prometheus.start()
    yield shop, prometheus
    await prometheus.stop()
    await target.close()


async def test_a_storm_is_three_messages_at_most_survives_a_kill_and_its_end_accounts_for_all(
    shop: tuple[Shop, Prometheus], processes: Processes, bot_api: BotApi
) -> None:
    service, prometheus = shop
    (processes.folder / "slo.yml").write_text(SLO)
    port, chat = free_port(), bot_api.chat(CHAT)
    settings = {
        "WINE_SLO_PROMETHEUS_URL": prometheus.url,
        "WINE_SLO_POLL_SECONDS": "2",
        "WINE_SLO_WATCHDOG_PORT": str(port),
        "WINE_SLO_TELEGRAM_TOKEN": bot_api.token,
        "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
    }

    def breaches() -> list[Message]:
        """Return the messages about breaches, which are no charts and no answers."""
        texts = ((each, each.versions[0].text) for each in chat.messages)
        return [each for each, text in texts if text.startswith("🔴") and "\nSince " in text]

    async def reads(words: str, seconds: float = 60) -> None:
        await bot_api.until(lambda: any(words in each.text for each in chat.messages), seconds=seconds)

    half = COUNT // 2
    watchdog: Process = await processes.watchdog(settings)
    await watchdog.until_line("listening on")
    service.failing = {customer(number) for number in range(half // 2)}
    await bot_api.until(lambda: bool(breaches()), seconds=60)
    service.failing = {customer(number) for number in range(half)} | {"payments"}
    await reads(f" {half} of {COUNT} label sets in breach")
    await reads("In common: zone=eu-1")
    await reads("🔴 payments: ")
    assert len(breaches()) <= 3, chat.texts
    storm = next(each for each in breaches() if f"{half} of {COUNT} label sets" in each.text)

    await watchdog.until_line("chat 42 was notified: edit of ")
    press = await bot_api.press(storm, "Acknowledge all", CHAT)
    await bot_api.until(lambda: press in bot_api.answers, seconds=20)
    assert bot_api.answers[press].startswith("You acknowledged ")
    await reads("Acknowledged by ")
    await watchdog.kill()
    watchdog = await processes.watchdog(settings)
    await watchdog.until_line("listening on")
    await bot_api.says(CHAT, CHAT, "/status")
    await reads(f"{half + 1} of {COUNT + 1} in breach")
    status = await status_of(port, "state=breached&q=eu-1&per_page=10")
    assert status.selection is not None
    assert (len(status.objectives), status.selection.matching, status.selection.total) == (10, half, COUNT + 1)
    assert {each.verdict for each in status.objectives} == {Judgement.BREACHED}

    service.failing = set()
    await reads(f"{half} of {half} label sets resolved", seconds=120)
    await reads("⚪️ Resolved: requests, ")
    after = await status_of(port, "")
    assert all(each.told is Stage.CLOSED for each in after.recent_incidents)
    assert len(breaches()) <= 3, chat.texts
    assert len([each for each in chat.messages if "label sets resolved" in each.text]) == 1, chat.texts


async def status_of(port: int, query: str) -> Status:
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get(f"/api/status?{query}") as response,
    ):
        return msgspec.json.decode(await response.read(), type=Status)
