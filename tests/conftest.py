"""What tests stand on: fakes on loopback, the real Prometheus and real processes."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.service import Service
from tests.support.real import prometheus
from tests.support.real.processes import Processes

# Who runs us in the background has it ignored, and what we start would inherit that: no Ctrl-C would end it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of us.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

StartPrometheus = Callable[[Service], Awaitable[prometheus.Prometheus]]


def pytest_report_header() -> str:
    return f"prometheus {prometheus.version()}"


@pytest.fixture
async def bot_api() -> AsyncIterator[BotApi]:
    """Telegram, as a bot sees it."""
    async with BotApi() as api:
        yield api


@pytest.fixture
async def prometheus_junk() -> AsyncIterator[PrometheusJunk]:
    """A Prometheus that misbehaves."""
    async with PrometheusJunk() as junk:
        yield junk


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    """A service whose numbers the test sets."""
    service = Service()
    await service.comes_back()
    yield service
    await service.goes_down()


@pytest.fixture
async def start_prometheus(tmp_path: Path) -> AsyncIterator[StartPrometheus]:
    """Starts the real Prometheus, which scrapes the service every second."""
    started: list[prometheus.Prometheus] = []

    async def start(service: Service) -> prometheus.Prometheus:
        started.append(prometheus.Prometheus(tmp_path / "prometheus", prometheus.scraping(service.target)))
        await started[-1].start()
        return started[-1]

    yield start
    for each in started:
        await each.kill()


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Starts the project's own processes."""
    processes = Processes(tmp_path)
    yield processes
    await processes.end()
