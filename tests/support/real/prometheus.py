"""The real Prometheus on a free port of loopback; it can go away and come back with its data."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support.real.processes import Process

TOOLS = Path(__file__).parents[3] / ".tools" / "bin"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def program(name: str) -> str:
    """The path of a program: the one that `make` got, else the one on PATH."""
    found = shutil.which(name, path=f"{TOOLS}:{os.environ['PATH']}")
    if found is None:
        raise FileNotFoundError(f"no {name} in {TOOLS} or on PATH; `make .tools/bin/{name}` gets one")
    return found


@cache
def version(name: str = "prometheus") -> str:
    """What a program of Prometheus's family says its version is."""
    said = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True)
    return (said.stdout or said.stderr).split()[2]


def described(name: str = "prometheus") -> str:
    """A program and its version, or that it is missing: unit tests need none, and run before one is there."""
    try:
        return f"{name} {version(name)}"
    except FileNotFoundError as error:
        return str(error)


def scraping(*targets: str, every: str = "1s") -> dict[str, Any]:
    """The configuration that scrapes these host:port pairs as the job wine-slo."""
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "scrape_configs": [{"job_name": "wine-slo", "static_configs": [{"targets": list(targets)}]}],
    }


class Prometheus:
    """One Prometheus with its configuration, its rules and its data in a folder."""

    def __init__(
        self, folder: Path, configuration: dict[str, Any], rules: str = "", retention: str = "15d", *features: str
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._retention = retention  # 15d is its own default
        self._features = features  # that it has only where they are wanted
        self._process: Process | None = None
        folder.mkdir(exist_ok=True)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        (folder / "rules.yml").write_text(rules)

    @property
    def pid(self) -> int:
        """The number of the process that runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    async def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Run until `stop`; come back when it answers that it is ready."""
        command = [
            program("prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--storage.tsdb.retention.time={self._retention}",
            *(f"--enable-feature={each}" for each in self._features),
        ]
        self._process = await Process.start("prometheus", command, self.folder, environment or {})
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while not await self._is_ready(session):
                if not self._process.is_running:
                    raise AssertionError(f"prometheus ended at its start:\n{self._process.output}")
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Send SIGTERM, as a restart of the machine would; its data stay."""
        if self._process is not None:
            await self._process.terminate()

    async def kill(self) -> None:
        if self._process is not None:
            await self._process.kill()

    async def query(self, promql: str) -> list[dict[str, Any]]:
        """The result of an instant query, as the API gives it."""
        async with aiohttp.ClientSession(self.url) as session:
            return await _query(session, promql)

    async def until(self, promql: str, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Repeat a query until its result is not empty, and return that: `until("up == 1")`.

        Raises:
            AssertionError: it stayed empty that long.
        """
        try:
            async with asyncio.timeout(seconds), aiohttp.ClientSession(self.url) as session:
                while True:
                    result = await _query(session, promql)
                    if result:
                        return result
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{promql} stayed empty for {seconds:g} s") from None

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


async def _query(session: aiohttp.ClientSession, promql: str) -> list[dict[str, Any]]:
    async with session.get("/api/v1/query", params={"query": promql}) as response:
        answer = await response.json()
    assert answer["status"] == "success", answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result
