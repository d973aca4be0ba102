"""The servers that speak Prometheus' API, each of an own release: those that `make .tools/servers` got."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.support.real.processes import Process
from tests.support.real.prometheus import TOOLS, free_port

SERVERS = TOOLS.parent / "servers"


def installed() -> list[str]:
    """Their names, such as `victoria-metrics-sid`; none where there is no Debian to get them from."""
    return sorted(each.name for each in SERVERS.glob("*-*") if each.is_file())


class Server:
    """One of them, at its defaults, with its data in a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    async def start(self, configuration: dict[str, Any]) -> None:
        """Run until `end`; come back when it answers queries."""
        self.folder.mkdir()
        (self.folder / "scrape.yml").write_text(yaml.safe_dump(configuration))
        address = f"127.0.0.1:{self.port}"
        arguments = ["--config.file=scrape.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
        if self.name.startswith("victoria"):
            arguments = ["-promscrape.config=scrape.yml", "-storageDataPath=data", f"-httpListenAddr={address}"]
        self._process = await Process.start(self.name, [str(SERVERS / self.name), *arguments], self.folder, {})
        async with aiohttp.ClientSession(self.url) as session, asyncio.timeout(60):
            while not await _answers(session):
                assert self._process.is_running, f"{self.name} ended at its start:\n{self._process.output}"
                await asyncio.sleep(0.05)

    async def end(self) -> None:
        if self._process is not None:
            await self._process.kill()


async def _answers(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("/api/v1/query", params={"query": "vector(1)"}) as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False
