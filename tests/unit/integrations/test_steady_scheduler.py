"""Jobs run by the clock of the event loop, whatever happens to the clock on the wall."""

import asyncio
from datetime import timedelta

import pytest

from tests.support.fakes.virtual_time import VirtualLoop
from wine_slo.integrations.steady_scheduler import SteadyScheduler

EVERY = 30.0  # seconds


class Diary:
    """When a job has run, in seconds of the loop's clock."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def note(self) -> None:
        self.seconds.append(asyncio.get_running_loop().time())


def test_while_the_wall_clock_stands_still_the_loops_clock_decides() -> None:
    """In a virtual loop an hour passes while the wall clock does not move, as if it were set back all the time."""

    async def an_hour() -> None:
        scheduler, often, once = SteadyScheduler(), Diary(), Diary()
        scheduler.start()
        scheduler.every(EVERY, often.note, "often")
        await asyncio.sleep(1000)
        scheduler.after(timedelta(seconds=100), once.note, "once")
        await asyncio.sleep(2590)
        scheduler.stop()
        assert often.seconds == pytest.approx([each * EVERY for each in range(120)], abs=0.2)
        assert once.seconds == pytest.approx([1100], abs=0.2)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(an_hour())


class SlowLoop(asyncio.SelectorEventLoop):
    """A loop beside whose clock the wall clock runs fifty times as fast, as if it were set forward all the time."""

    def time(self) -> float:
        return super().time() / 50


def test_while_the_wall_clock_races_the_loops_clock_decides() -> None:
    async def a_while() -> None:
        scheduler, diary = SteadyScheduler(), Diary()
        scheduler.start()
        every, began = 0.01, asyncio.get_running_loop().time()  # half a second of the wall clock
        scheduler.every(every, diary.note, "often")
        while len(diary.seconds) < 4:  # noqa: ASYNC110 - the job that is waited for belongs to the scheduler
            await asyncio.sleep(every / 10)
        scheduler.stop()
        # By the wall clock the fourth would have run after 0.0006. A busy machine runs them late, or one of them early
        # where it does nothing else for a while after the plan was moved.
        assert all(second - began > (number - 1) * every for number, second in enumerate(diary.seconds))

    with asyncio.Runner(loop_factory=SlowLoop) as runner:
        runner.run(a_while())


async def test_a_job_that_raises_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, twice = SteadyScheduler(), asyncio.Event()

    async def fail() -> None:
        if len(caplog.records) > 0:
            twice.set()
        raise RuntimeError("odd")

    scheduler.start()
    scheduler.every(0.05, fail, "odd")
    async with asyncio.timeout(30):
        await twice.wait()
    scheduler.stop()
    assert "a tick failed by a fault of ours" in caplog.messages


async def test_a_job_that_runs_when_the_scheduler_stops_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, has_begun, has_ended = SteadyScheduler(), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            has_ended.set()

    scheduler.start()
    scheduler.every(EVERY, hang, "hanging")
    await has_begun.wait()
    scheduler.stop()
    await has_ended.wait()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []


async def test_what_a_job_raises_is_logged_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, runs = SteadyScheduler(), asyncio.Queue[None]()

    async def fail() -> None:
        runs.put_nowait(None)
        raise ValueError("odd")

    scheduler.start()
    scheduler.every(0.01, fail, "failing")
    await runs.get()
    await runs.get()
    scheduler.stop()
    assert "ValueError: odd" in caplog.text
    assert {each.name for each in caplog.records if each.levelname == "ERROR"} == {
        "wine_slo.integrations.steady_scheduler"
    }
