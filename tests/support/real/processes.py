"""Real processes: started with nothing but what they are given, read line by line, ended for certain."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

OBJECTIVES = {"WINE_SLO_OBJECTIVES": "slo.yml"}  # in the folder in which it runs


class Process:
    """A running program and everything it has said so far, standard output and error together."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.lines: list[str] = []
        self._process = process
        self._said = asyncio.Condition()
        self._has_said_all = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, name: str, command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Self:
        """Run a command in a folder; its environment is PATH, HOME (the folder) and the settings."""
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUNBUFFERED": "1", **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=2**20,  # bytes of one line
        )
        return cls(name, process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def until_line(self, pattern: str, seconds: float = 60.0) -> str:
        """Wait for a line in which the pattern is found, among those said already too, and return it.

        Raises:
            AssertionError: no such line in time, or it ended without one; says what it said instead.
        """

        def found() -> str | None:
            return next((line for line in self.lines if re.search(pattern, line)), None)

        try:
            async with asyncio.timeout(seconds), self._said:
                await self._said.wait_for(lambda: found() is not None or self._has_said_all)
        except TimeoutError:
            raise AssertionError(f"{self.name} did not say {pattern!r} within {seconds:g} s:\n{self.output}") from None
        line = found()
        if line is None:
            raise AssertionError(f"{self.name} ended and never said {pattern!r}:\n{self.output}")
        return line

    async def wait(self, seconds: float = 60.0) -> int:
        """Wait for its end; return its status, or minus the signal that ended it.

        Raises:
            AssertionError: it still runs after that time.
        """
        try:
            async with asyncio.timeout(seconds), self._said:
                await self._said.wait_for(lambda: self._has_said_all)
                return await self._process.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name} still runs after {seconds:g} s:\n{self.output}") from None

    async def terminate(self, seconds: float = 60.0) -> int:
        """Send SIGTERM, and wait until it has ended."""
        self.send(signal.SIGTERM)
        return await self.wait(seconds)

    async def kill(self) -> int:
        """End it at once (SIGKILL)."""
        self.send(signal.SIGKILL)
        return await self.wait()

    def send(self, number: signal.Signals) -> None:
        if self.is_running:
            self._process.send_signal(number)

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))
            await self._notify()
        self._has_said_all = True
        await self._notify()

    async def _notify(self) -> None:
        async with self._said:
            self._said.notify_all()


class Processes:
    """Starts the project's own processes in one folder, and ends those that still run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[Process] = []

    async def server(self, settings: Mapping[str, str]) -> Process:
        return await self.start("server", [sys.executable, "-m", "wine_slo.server"], settings)

    async def watchdog(self, settings: Mapping[str, str]) -> Process:
        return await self.start("watchdog", [sys.executable, "-m", "wine_slo.watchdog"], settings)

    async def wine_slo(self, *arguments: str, settings: Mapping[str, str]) -> Process:
        """Run a verb of the command line."""
        return await self.start("wine-slo", [sys.executable, "-m", "wine_slo", *arguments], settings)

    async def start(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> Process:
        process = await Process.start(name, command, self.folder, {**OBJECTIVES, **settings})
        self._started.append(process)
        return process

    async def end(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            await process.kill()
