"""How a drill breaks a service and mends it by commands; and which of all means slo.yml wants."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import PurePath

import aiohttp

from wine_slo.config.environment import foreign
from wine_slo.config.slo_extras import DrillEntry
from wine_slo.integrations.peers import ServiceApi
from wine_slo.monitor.drill.means import Fetching, Means, Sleeping, nothing
from wine_slo.monitor.drill.result import Drill
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.views.status_schema import ObjectiveStatus

STARTED_TOO = timedelta(minutes=1)  # for what the commands themselves take, before the guard ends them


class Commanding:
    """A command that breaks the service, and one that mends it and is run however the drill ends."""

    def __init__(self, entry: DrillEntry) -> None:
        self._entry = entry
        self._trouble: Reason | None = None

    @property
    def requests(self) -> int:
        """Return that none is made."""
        return 0

    async def plan(self, objective: Objective, slo: ObjectiveStatus, now: datetime) -> Drill:  # noqa: ARG002 - of `Means`
        """Return what is run; by its program alone, as an argument may be a secret."""
        what = {"command": PurePath(self._entry.start_words[0]).name, "slo": objective.name}
        return Drill(
            slo=objective.name,
            does=Reason(phrase("Running {command} to violate {slo}."), what),
            started_at=now,
        )

    async def seen(self, objective: Objective) -> bool:  # noqa: ARG002 - of `Means`
        """Return that nobody can see what a command does."""
        return False

    @asynccontextmanager
    async def breaking(self, drill: Drill, longest: timedelta) -> AsyncIterator[None]:  # noqa: ARG002 - of `Means`
        """Run the first command, and at the end the second one, in a process that outlives ours."""
        seconds = (longest + STARTED_TOO).total_seconds()
        plan = {"start": self._entry.start_words, "stop": self._entry.stop_words, "seconds": seconds}
        guard = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "wine_slo.monitor.drill.guard", json.dumps(plan)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=foreign(),
            start_new_session=True,
        )
        reading = asyncio.create_task(self._read(guard))
        try:
            yield
        finally:
            if guard.stdin is not None:
                guard.stdin.close()
            await _whatever_happens(reading)

    def mending(self, drill: Drill) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - of `Means`
        """Do nothing more."""
        return nothing()

    def trouble(self) -> Reason | None:
        """Return which command has failed."""
        return self._trouble

    async def _read(self, guard: asyncio.subprocess.Process) -> None:
        """Read what the guard reports until it ends."""
        sentences = {
            "start": phrase("the start command ended with {status}"),
            "stop": phrase("the stop command ended with {status}: the service may still be broken"),
        }
        has_stopped = False
        while guard.stdout is not None and (line := await guard.stdout.readline()):
            word, _, status = line.decode().strip().partition(" ")
            has_stopped = has_stopped or word == "stop"
            if status != "0":
                self._trouble = Reason(sentences[word], {"status": status})
        await guard.wait()
        if not has_stopped:
            self._trouble = Reason(phrase("the stop command was not run: the service may still be broken"))


async def _whatever_happens(task: asyncio.Task[None]) -> None:
    """Wait for a task to end, even where we are cancelled meanwhile; and be cancelled then."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


def means_of(
    entry: DrillEntry | None, session: aiohttp.ClientSession, service: ServiceApi, prometheus: MetricSource
) -> Means:
    """Return how a drill breaks the service: as slo.yml has it, else through the `/sleep` of ours."""
    if entry is None:
        return Sleeping(service, prometheus)
    return Fetching(session, entry) if entry.url is not None else Commanding(entry)


def to_break(objectives: Sequence[Objective], entry: DrillEntry | None, name: str | None) -> Objective | None:
    """Return the objective that a drill breaks: the one that is named, else the first that it can; None for none."""
    wanted = name if name is not None or entry is None else entry.objective
    able = [each for each in objectives if entry is not None or each.source.can_be_drilled]
    return next((each for each in able if wanted in (None, each.name)), None)
