"""The server in this process, with the shipped model."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestClient, TestServer
from pytest_aiohttp.plugin import AiohttpClient

from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.service.workers import runner_of

Client = TestClient[web.Request, web.Application]
SHIPPED = Path("models/model.pkl").resolve()
IS_UP = "listening on http://127.0.0.1:"


class OwnServer(TestServer):
    """Serves as the process does, not as aiohttp would by itself."""

    async def _make_runner(self, **_: object) -> web.AppRunner:
        return runner_of(self.app)


class OwnClient(TestClient[web.Request, web.Application]):
    def __init__(self, server: BaseTestServer, **options: Any) -> None:
        assert isinstance(server, TestServer)
        super().__init__(OwnServer(server.app), **options)


@pytest.fixture
def aiohttp_client_cls() -> type[OwnClient]:
    return OwnClient


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(create_app(ServerSettings(model=SHIPPED)))


@pytest.fixture
def port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def metrics(client: Client | aiohttp.ClientSession) -> dict[str, float]:
    """Return each series of /metrics."""
    lines = (await (await client.get("/metrics")).text()).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


async def until_it_sleeps(client: Client | aiohttp.ClientSession, seconds: float = 0.0) -> dict[str, float]:
    """Return the first /metrics that has a request which has been answered for so long."""
    async with asyncio.timeout(30):
        while (seen := await metrics(client))["oldest_request_age_seconds"] <= seconds:
            pass
    return seen


@pytest.fixture
def settings(port: int) -> dict[str, str]:
    return {"WINE_SLO_PORT": str(port), "WINE_SLO_MODEL": str(SHIPPED)}
