"""One life of a watchdog, in a process of its own: the real evaluation, delivery, ledger and Telegram client.

Time is virtual, Prometheus is canned, Telegram is the fake Bot API over HTTP. Each await that lets go of the event
loop and each statement, commit and hand-back of the ledger is a step, and at a step that a test names the process
kills itself with SIGKILL.
"""

import asyncio
import os
import signal
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

import sqlalchemy as sa

from tests.support.fakes.bot_api import TOKEN
from tests.support.fakes.prometheus_canned import Slow
from tests.support.scene import START
from tests.system.loops import loops
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import connection

# When each tick comes, in seconds after START: calm, suspicion, breach, edit, edit, recovery, calm.
TICKS = (0, 30, 60, 130, 195, 230, 260)
AFTERWARDS = (330, 400)  # for the last life, which may have come back only now
SLOW = Slow(22, 200)


@dataclass(frozen=True)
class Life:
    """What one process is to do.

    Attributes:
        ticks: When it ticks, in seconds after `START`.
        dies_at: The number of the step at which it is killed; None for never.
        dies_after: The seconds after which it is killed, whatever it does; None for never.
        side_by_side: Whether a tick evaluates while what the tick before found is still being delivered.
    """

    ledger: str
    bot_api: str
    chat: int
    ticks: tuple[int, ...] = TICKS
    dies_at: int | None = None
    dies_after: float | None = None
    side_by_side: bool = False


class Steps:
    """Counts, and kills at the one that was named."""

    def __init__(self, dies_at: int | None) -> None:
        self.count = 0
        self._dies_at = dies_at
        self._lock = Lock()

    def step(self, *_: object) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count whatever is done with the database."""
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            sa.event.listen(sa.Engine, name, self._any(name))
        sa.event.listen(sa.Pool, "checkin", self.step)

    def _any(self, _name: str) -> Any:
        # SQLAlchemy checks how many arguments a listener takes.
        return lambda *_: self.step()

    def task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> "asyncio.Task[Any]":
        """Make a task each of whose awaits is a step."""
        return asyncio.Task(Counted(coroutine, self), loop=loop, **more)


class Counted(Coroutine[Any, Any, Any]):
    """A coroutine that counts how often it is resumed."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], steps: Steps) -> None:
        self._coroutine = coroutine
        self._steps = steps

    def send(self, value: Any) -> Any:
        self._steps.step()
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        self._steps.step()
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._coroutine.__await__())


def live(life: Life, report: Connection) -> None:
    """Live it; report the beginning of each tick, and at the end how many steps it took."""
    if life.dies_after is not None:
        signal.setitimer(signal.ITIMER_REAL, life.dies_after)  # SIGALRM, which nobody handles, kills as well
    steps = Steps(life.dies_at)
    steps.watch()
    asyncio.run(_live(life, steps, report))
    report.send(("steps", steps.count))


async def _live(life: Life, steps: Steps, report: Connection) -> None:
    asyncio.get_running_loop().set_task_factory(steps.task)
    now = START

    def clock() -> datetime:
        return now

    ledger = Ledger.open(life.ledger)
    bot = connection.connect(TOKEN, life.bot_api)
    evaluation, delivery = loops(ledger, SLOW, bot, (life.chat,), clock)
    for number, second in enumerate(life.ticks):
        report.send(("tick", second))
        now = START + timedelta(seconds=second)
        if life.side_by_side and number:
            await asyncio.gather(asyncio.create_task(evaluation.evaluate()), asyncio.create_task(delivery.deliver()))
            delivery.on_evaluation()
        else:
            await asyncio.create_task(evaluation.evaluate())
            delivery.on_evaluation()
            if not life.side_by_side:
                await asyncio.create_task(delivery.deliver())
    await asyncio.create_task(delivery.deliver())
    assert delivery.undelivered_since is None
    ledger.close()
