"""Two real watchdogs on one ledger: only one notifies, and a dead one holds up nobody."""

import signal
import sqlite3
from time import monotonic

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port
from tests.system.conftest import CHAT


def beside(settings: dict[str, str], **more: str) -> dict[str, str]:
    return settings | {"WINE_SLO_WATCHDOG_PORT": str(free_port())} | more


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


async def test_a_standby_takes_over_when_the_first_is_killed_and_ends_when_it_is_stopped(
    processes: Processes, bot_api: BotApi, blind: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    first = await processes.watchdog(blind)
    await first.until_line("listening on")
    second = await processes.watchdog(beside(blind, WINE_SLO_STANDBY="true"))
    third = await processes.watchdog(beside(blind, WINE_SLO_STANDBY="true"))
    for each in (second, third):
        await each.until_line("waiting for its end")
        assert "listening on" not in each.output
    assert await third.terminate() == 0
    await first.kill()
    await second.until_line("listening on", seconds=30)  # a wait for the dead one would take 35


async def test_a_watchdog_that_loses_the_ledger_to_another_machine_exits_with_1(
    processes: Processes, bot_api: BotApi, blind: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    watchdog = await processes.watchdog(blind)
    await watchdog.until_line("listening on")
    watchdog.send(signal.SIGSTOP)
    with sqlite3.connect(processes.folder / "data" / "watchdog.db") as connection:
        holder = '{"id":"x","host":"elsewhere","boot":"b","pid":7,"since":"2026-01-01T00:00:00Z","number":9}'
        connection.execute("UPDATE facts SET value = ? WHERE name = 'holder'", (holder,))
    connection.close()
    watchdog.send(signal.SIGCONT)
    assert await watchdog.wait(30) == 1
    assert "another watchdog has taken the ledger (process 7 on elsewhere" in watchdog.output
