"""The thread that ends a process which hangs: each case is a process of its own."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.support.real.processes import Process, Processes

PROGRAM = """
import asyncio, sys, time
from wine_slo.integrations.stall_guard import StallGuard

async def main(case):
    guard = StallGuard({"the event loop": 1.0, "the ticks": 1.5}, turn=0.1)
    guard.start()
    for second in range(1000):
        guard.goes_on("the event loop")
        if case != "no ticks":
            guard.goes_on("the ticks")
        print("second", second, flush=True)
        if case == "hangs" and second == 1:
            time.sleep(60)
        await asyncio.sleep(0.1)

asyncio.run(main(sys.argv[1]))
"""


async def run(processes: Processes, case: str) -> Process:
    (processes.folder / "program.py").write_text(PROGRAM)
    settings = {"PYTHONPATH": str(Path(__file__).parents[3])}
    return await processes.start("program", [sys.executable, "program.py", case], settings)


@pytest.mark.parametrize(("case", "what"), [("hangs", "the event loop"), ("no ticks", "the ticks")])
async def test_what_stalls_ends_the_process_with_status_1_and_its_stacks(
    processes: Processes, case: str, what: str
) -> None:
    program = await run(processes, case)
    assert await program.wait(seconds=20) == 1
    assert f"{what} has stalled for " in program.output
    assert "program.py" in program.output.partition("has stalled")[2], "where it hangs is printed"


async def test_a_process_that_was_stopped_for_longer_than_it_may_stall_goes_on(processes: Processes) -> None:
    program = await run(processes, "well")
    await program.until_line("second 1")
    program.send(signal.SIGSTOP)
    await asyncio.sleep(2)  # it is the process that sleeps, so there is nothing to wait for
    program.send(signal.SIGCONT)
    seen = len(program.lines)
    await program.until_line(f"second {seen + 8}")
    assert program.is_running
