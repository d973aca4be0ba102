"""Two real watchdogs on one ledger: only one notifies, and a dead one holds up nobody."""

import asyncio
import signal
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import aiohttp

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.telegram_chats import Chat, Message
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import free_port
from tests.system.conftest import CHAT
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.slo.lease import Lease, Watchdog


def beside(settings: dict[str, str], **more: str) -> dict[str, str]:
    return settings | {"WINE_SLO_WATCHDOG_PORT": str(free_port())} | more


async def page(settings: dict[str, str], path: str) -> dict[str, Any]:
    """What a watchdog answers."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{settings['WINE_SLO_WATCHDOG_PORT']}{path}") as response,
    ):
        found: dict[str, Any] = await response.json()
        return found


def took_over(chat: Chat) -> list[Message]:
    return [each for each in chat.messages if "took over from" in each.text]


async def until_one_stands_by(settings: dict[str, str]) -> None:
    """Wait until a leader sees that one does."""
    async with asyncio.timeout(30):
        while not (await page(settings, "/health"))["standbys"]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def hands_over(leader: Process, standby: Process, number: int) -> None:
    """Stop a leader, and see that another one leads at once."""
    began = monotonic()
    leader.send(signal.SIGTERM)
    await standby.until_line(f"this watchdog leads, number {number}", seconds=30)
    assert monotonic() - began < 6, "two seconds, on a machine that is not loaded"
    assert await leader.wait(30) == 0, leader.output


async def test_the_second_says_who_holds_the_ledger_and_exits_with_1_and_nobody_is_notified_twice(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    first = await processes.watchdog(blind)
    await first.until_line("listening on")
    second = await processes.watchdog(beside(blind))
    assert await second.wait(30) == 1
    assert f"is held by another watchdog (process {first.pid} on " in second.output
    assert "Traceback" not in second.output
    await prometheus_junk.goes_down()
    await bot_api.until(lambda: chat.messages, seconds=30)
    assert len([text for text in chat.texts if "Monitoring lost" in text]) == 1
    doctor = await processes.wine_slo("doctor", settings=blind)
    await doctor.wait(60)
    assert "can be read and written" in doctor.output


async def test_a_watchdog_that_was_killed_holds_up_the_next_one_by_nothing(
    processes: Processes, bot_api: BotApi, blind: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    first = await processes.watchdog(blind)
    await first.until_line("listening on")
    await first.kill()
    began = monotonic()
    second = await processes.watchdog(beside(blind, WINE_SLO_STANDBY="true"))
    await second.until_line("listening on")
    assert "is held by" not in second.output
    assert monotonic() - began < 30, "a start takes one or two seconds, and a wait for the dead one would take 35"


async def test_a_standby_takes_over_from_one_that_is_killed_and_says_so_once_quietly(
    processes: Processes, bot_api: BotApi, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    several = blind | {"WINE_SLO_STANDBY": "true"}
    first = await processes.watchdog(several)
    await first.until_line("this watchdog leads, number 1")
    settings = beside(several)
    second, third = await processes.watchdog(settings), await processes.watchdog(beside(several))
    for each in (second, third):
        await each.until_line("waiting for its end")
        await each.until_line("listening on")
        assert "this watchdog leads" not in each.output
    assert await third.terminate() == 0
    health = await page(settings, "/health")
    assert (health["status"], health["role"], health["epoch"]) == ("ok", "standby", 1)
    assert health["leader"]["pid"] == first.pid
    assert (await page(settings, "/api/status"))["leadership"]["role"] == "standby"
    async with asyncio.timeout(30):
        while [each["pid"] for each in (await page(blind, "/health"))["standbys"]] != [second.pid]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    assert (await page(blind, "/health"))["role"] == "leader"
    await first.kill()
    await second.until_line("this watchdog leads, number 2", seconds=8)  # by the lock, at once
    await bot_api.until(lambda: took_over(chat), seconds=30)
    assert "which ended unexpectedly" in took_over(chat)[0].text
    assert "No other watchdog stands by" in took_over(chat)[0].text
    assert took_over(chat)[0].is_silent
    assert (await page(settings, "/health"))["role"] == "leader"


async def test_a_watchdog_that_is_alone_and_loses_the_lead_to_another_machine_exits_with_1(
    processes: Processes, bot_api: BotApi, blind: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    watchdog = await processes.watchdog(blind)
    await watchdog.until_line("listening on")
    watchdog.send(signal.SIGSTOP)
    ledger = Ledger.open(f"sqlite:///{processes.folder / 'data' / 'watchdog.db'}")
    before = ledger.lease.read()
    assert before
    elsewhere = Watchdog(id="x", host="elsewhere", boot="b", pid=7, since=datetime(2026, 1, 1, tzinfo=UTC))
    assert ledger.lease.take(Lease(leader=elsewhere, number=before.number + 1), instead_of=before)
    ledger.close()
    watchdog.send(signal.SIGCONT)
    assert await watchdog.wait(30) == 1
    assert "another watchdog has taken the lead (process 7 on elsewhere" in watchdog.output


async def test_one_that_was_suspended_for_longer_than_its_lease_stands_by_and_is_handed_the_lead_again(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    several = blind | {"WINE_SLO_STANDBY": "true"}
    first = await processes.watchdog(several)
    await first.until_line("this watchdog leads")
    settings = beside(several)
    second = await processes.watchdog(settings)
    await second.until_line("waiting for its end")
    first.send(signal.SIGSTOP)
    await second.until_line("this watchdog leads, number 2", seconds=30)
    await prometheus_junk.goes_down()
    await bot_api.until(lambda: [each for each in chat.texts if "Monitoring lost" in each], seconds=30)
    first.send(signal.SIGCONT)
    await first.until_line("another watchdog has taken the lead .*: this one stands by", seconds=30)
    assert len([text for text in chat.texts if "Monitoring lost" in text]) == 1
    await until_one_stands_by(settings)
    await hands_over(second, first, number=3)
    assert len(took_over(chat)) == 1, "of the takeover, and not of the handover"


async def test_a_leader_that_is_stopped_while_telegram_hangs_hands_over_at_once(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    several = blind | {"WINE_SLO_STANDBY": "true"}
    first = await processes.watchdog(several)
    await first.until_line("this watchdog leads")
    second = await processes.watchdog(beside(several))
    await until_one_stands_by(several)
    bot_api.hangs(methods=["sendMessage"])
    await prometheus_junk.goes_down()
    await bot_api.until(lambda: bot_api.calls_of("sendMessage"), seconds=60)
    await hands_over(first, second, number=2)
    assert not took_over(chat)
