"""What ends the watchdog's process and what does not, and with which status: each case is a process of its own."""

import sys
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from tests.system.broken_watchdog import BREAKS
from tests.system.conftest import CHAT

NO_TELEGRAM = {"WINE_SLO_TELEGRAM_TOKEN": "", "WINE_SLO_TELEGRAM_CHAT_IDS": ""}


@pytest.mark.parametrize("what", BREAKS)
async def test_what_cannot_go_on_ends_the_process_with_status_1_and_says_where(
    processes: Processes, blind: dict[str, str], what: str
) -> None:
    command = [sys.executable, "-m", "tests.system.broken_watchdog", what]
    settings = {"PYTHONPATH": str(Path(__file__).parents[2]), **blind, **NO_TELEGRAM}
    watchdog = await processes.start("watchdog", command, settings)
    assert await watchdog.wait() == 1
    if "loop that r" in what:
        assert "a loop has ended by a fault of ours" in watchdog.output
        assert "the journal has ended" in watchdog.output or "ValueError: odd" in watchdog.output
    else:
        assert "has stalled for" in watchdog.output
        assert "broken_watchdog.py" in watchdog.output.partition("has stalled")[2] or "fails" in what


async def test_odd_answers_of_the_bot_api_end_nothing(
    processes: Processes, blind: dict[str, str], bot_api: BotApi
) -> None:
    bot_api.chat(CHAT)
    for odd in ("{}", "[]", "null", '{"ok": true, "result": {}}'):
        bot_api.answers_with(200, odd, methods=["getMe"], times=1)
    for odd in ("{}", "null", "[[[["):
        bot_api.answers_with(200, odd, methods=["getUpdates"], times=1)
    watchdog = await processes.watchdog(blind)
    await watchdog.until_line("Telegram knows this bot as")
    await watchdog.until_line("updates cannot be read .*again in 4 s")
    await bot_api.until(lambda: len(bot_api.calls_of("getUpdates")) > 3, seconds=20)
    assert await watchdog.terminate() == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1251"])
async def test_a_console_that_lacks_letters_shows_the_rest(
    processes: Processes, blind: dict[str, str], prometheus_junk: PrometheusJunk, encoding: str
) -> None:
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(blind | NO_TELEGRAM | {"PYTHONIOENCODING": encoding})
    await watchdog.until_line("Monitoring lost for")
    assert await watchdog.terminate() == 0


@pytest.mark.parametrize("stdout", [">/dev/full", ">&-"])
async def test_a_console_that_nobody_reads_ends_nothing(
    processes: Processes, blind: dict[str, str], prometheus_junk: PrometheusJunk, stdout: str
) -> None:
    await prometheus_junk.goes_down()
    command = ["sh", "-c", f'exec "$0" -m wine_slo.watchdog {stdout}', sys.executable]
    watchdog = await processes.start("watchdog", command, blind | NO_TELEGRAM)
    await watchdog.until_line("chat 0 was not notified .*standard output")
    assert await watchdog.terminate() == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1251"])
@pytest.mark.parametrize("verb", ["check", "doctor", "status"])
async def test_a_verb_prints_what_a_console_can_show(
    processes: Processes, blind: dict[str, str], encoding: str, verb: str
) -> None:
    said = await processes.wine_slo(verb, settings=blind | NO_TELEGRAM | {"PYTHONIOENCODING": encoding})
    await said.wait(seconds=30)
    assert said.output
    assert "Traceback" not in said.output
