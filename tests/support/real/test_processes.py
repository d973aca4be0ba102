"""Real processes under a test's hand."""

import signal
import sys
from pathlib import Path

import pytest

from tests.support.real.processes import Processes

ENVIRONMENT = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
WAITING = "print('ready'); import time; time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITING


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_a_process_knows_nothing_but_its_settings(processes: Processes) -> None:
    process = await processes.start("process", python(ENVIRONMENT), {"WINE_SLO_PORT": "1"})
    known = ["HOME", "PATH", "PYTHONUNBUFFERED", "WINE_SLO_OBJECTIVES", "WINE_SLO_PORT"]
    assert await process.until_line("PATH") == str(known)
    assert await process.wait() == 0


async def test_it_ends_when_terminated(processes: Processes) -> None:
    process = await processes.start("process", python(WAITING), {})
    await process.until_line("ready")
    assert await process.terminate() == -signal.SIGTERM


async def test_what_was_said_before_is_found_too(processes: Processes) -> None:
    process = await processes.start("process", python("print('one'); print('two')"), {})
    await process.wait()
    assert await process.until_line("one") == "one"


async def test_a_line_that_never_comes_is_an_error_that_lists_what_came(processes: Processes) -> None:
    process = await processes.start("process", python("print('broken')"), {})
    with pytest.raises(AssertionError, match=r"process ended and never said 'ready':\nbroken"):
        await process.until_line("ready")


async def test_a_process_that_does_not_end_when_terminated_is_killed(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    process = await processes.start("process", python(STUBBORN), {})
    await process.until_line("ready")
    with pytest.raises(AssertionError, match="still runs"):
        await process.terminate(seconds=0.2)
    await processes.end()
    assert not process.is_running
