"""Two watchdogs on one PostgreSQL, of which one leads: a takeover of each kind while the service fails all the time.

`make soak` does fifty of them, of every kind, with three watchdogs (`soak_takeovers.py`).
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import sqlalchemy as sa

from tests.support.fakes.bot_api import BotApi
from tests.support.real.postgres import OWNER, Database
from tests.support.real.processes import Processes
from tests.support.takeovers import blows, checks
from tests.support.takeovers.stage import Stage

STEPS = (blows.kill, blows.terminate, blows.suspend, blows.partition)
ENDPOINTS = 20


@pytest.fixture
async def stage(processes: Processes, database: Database, bot_api: BotApi) -> AsyncIterator[Stage]:
    stage = Stage(processes, database, bot_api, random.Random(18), ENDPOINTS, longest_pause=0.5)
    yield stage
    await stage.end()


@asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[None]:
    """Hold a lock for which every reader of a table waits."""
    with sa.create_engine(database.url, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield


async def test_one_that_takes_the_lead_and_cannot_read_the_ledger_leads_once_it_can(stage: Stage) -> None:
    await stage.start("a", "b")
    stage.database.run(f"REVOKE SELECT ON incidents FROM {OWNER}")
    stage.members["a"].send(signal.SIGTERM)
    standby = stage.members["b"].process
    await standby.until_line("permission denied for table incidents; wanted: .*: this one stands by")
    stage.database.run(f"GRANT SELECT ON incidents TO {OWNER}")
    await standby.until_line("this watchdog leads, number")
    assert "Traceback" not in standby.output


async def test_one_that_waits_for_the_ledger_when_it_takes_the_lead_answers_its_supervisor(stage: Stage) -> None:
    await stage.start("a", "b")
    url = f"http://127.0.0.1:{stage.members['b'].settings['WINE_SLO_WATCHDOG_PORT']}/alive"
    timeout = aiohttp.ClientTimeout(total=1)  # half of what a statement may take
    async with locked(stage.database, "boards"), aiohttp.ClientSession(timeout=timeout) as session:
        stage.members["a"].send(signal.SIGTERM)
        standby = stage.members["b"].process
        waiting = asyncio.create_task(standby.until_line("cannot be read: .*lock timeout: this one stands by"))
        while not waiting.done():
            async with session.get(url) as response:
                assert response.status == 200
            await asyncio.sleep(0.1)
        await waiting
    await standby.until_line("this watchdog leads, number")


async def test_a_takeover_of_each_kind_loses_nothing_and_repeats_nothing_unmarked(stage: Stage) -> None:
    await stage.start("a", "b")
    breaching = asyncio.create_task(stage.breach(every=4, lasts=(13, 18)))
    for step in STEPS:
        await step(stage)
    breaching.cancel()
    await asyncio.gather(breaching, return_exceptions=True)
    history = await stage.finish()
    found = checks.violations(history)
    assert not found, "\n".join([stage.described(), *found])
    assert len(history.takeovers) >= len(STEPS)
