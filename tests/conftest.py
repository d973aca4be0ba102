"""What tests stand on: fakes on loopback, the real Prometheus and real processes."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.service import Service
from tests.support.real import prometheus
from tests.support.real.postgres import Database, Postgres
from tests.support.real.processes import Processes
from wine_slo.slo import redaction

# Who runs us in the background has it ignored, and what we start would inherit that: no Ctrl-C would end it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of us.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

ROOT = Path(__file__).parents[1]
# Each has more than half a minute alone, the longest first.
LONGEST = (
    "test_servers",
    "test_crash",
    "test_command",
    "test_fault_matrix",
    "test_end_to_end",
    "test_drill",
    "test_recipients",
    "test_process_end",
    "test_against_prometheus",
    "test_takeovers",
    "test_two_watchdogs",
    "test_frontier",
    "test_ledger_away",
    "test_flood",
    "test_secrets",
)

StartPrometheus = Callable[[Service], Awaitable[prometheus.Prometheus]]


def pytest_report_header() -> str:
    return prometheus.described()


WRITES = [name for name in os.environ if name.startswith("WINE_SLO_WRITE_")]  # `make reliability`
TREE = pytest.StashKey[str]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left alone with one of them at the end."""
    first = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path.stem, len(first) + ("/unit/" in item.path.as_posix())))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[TREE] = _tree()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Fail, after the report, where the tests have left something in the project's folder, or changed it."""
    yield
    before = session.config.stash.get(TREE, None)
    if before is None or WRITES or (after := _tree()) == before:
        return
    left = sorted(set(after.splitlines()) - set(before.splitlines()))
    pytest.exit(f"the working tree has changed while the tests ran: {left}", returncode=1)


def _tree() -> str:
    """What git says of the working tree; nothing where it is no repository."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


@pytest.fixture(autouse=True)
def no_secret_outlives_its_test() -> None:
    """Begin each test without secrets: what one test learns would be hidden in the texts of the next."""
    redaction.forget()


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The real PostgreSQL, one for all tests of a worker: a test that stops it starts it again."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """An empty database on it."""
    postgres.start()
    database = postgres.create()
    yield database
    postgres.start()
    postgres.drop(database)


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Starts the project's own processes."""
    processes = Processes(tmp_path)
    yield processes
    await processes.end()
