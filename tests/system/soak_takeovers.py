"""Fifty takeovers in one run, with three watchdogs on one PostgreSQL: nothing is lost, and only one speaks.

`make soak` runs it; a test run does not collect it. `WINE_SLO_TAKEOVERS` says how many, `WINE_SLO_OUTAGE_SECONDS` for
how long PostgreSQL is stopped, and `WINE_SLO_SOAK_SEED` repeats the order of a run.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.real.postgres import Database
from tests.support.real.processes import Processes
from tests.support.takeovers import blows, checks, network
from tests.support.takeovers.stage import Stage

TAKEOVERS = int(os.environ.get("WINE_SLO_TAKEOVERS", "50"))
OUTAGE = float(os.environ.get("WINE_SLO_OUTAGE_SECONDS", "180"))
SEED = int(os.environ.get("WINE_SLO_SOAK_SEED", str(random.SystemRandom().randrange(10**6))))
HAS_NETWORKS = network.is_possible()
ENDPOINTS = 80  # one begins every 10 s, and comes again after the 10 min in which it would be the same incident


@pytest.fixture
async def stage(processes: Processes, database: Database, bot_api: BotApi) -> AsyncIterator[Stage]:
    stage = Stage(
        processes, database, bot_api, random.Random(SEED), ENDPOINTS, has_networks=HAS_NETWORKS, has_charts=True
    )
    yield stage
    await stage.end()


def steps(chance: random.Random) -> Iterator[blows.Step]:
    """Every kind of takeover in another order each time, with something else after each round of them."""
    takeovers = [*blows.TAKEOVERS, *(blows.WITH_NETWORKS if HAS_NETWORKS else ())]
    others = [*blows.OTHERS, blows.stop_database(OUTAGE)]
    while True:
        yield from chance.sample(takeovers, k=len(takeovers))
        yield from chance.sample(others, k=len(others))
        others = list(blows.OTHERS)  # one long outage is enough


async def test_fifty_takeovers_lose_nothing_and_repeat_nothing_unmarked(stage: Stage) -> None:
    say(f"seed {SEED}, {TAKEOVERS} takeovers, {'with' if HAS_NETWORKS else 'without'} networks of their own")
    await stage.start("a", "b", "c")
    breaching = asyncio.create_task(stage.breach(every=10, lasts=(14, 40)))
    for step in steps(stage.chance):
        say(f"{datetime.now(UTC):%H:%M:%S} {step.__doc__ or 'Stop PostgreSQL.'}")
        await step(stage)
        taken = len(await stage.audit.tenures()) - 1
        assert not breaching.done(), breaching.exception()
        if taken >= TAKEOVERS:
            break
    breaching.cancel()
    await asyncio.gather(breaching, return_exceptions=True)
    history = await stage.finish()
    say("\n".join(checks.figures(history)))
    found = checks.violations(history)
    assert not found, "\n".join([stage.described(), *found])
    assert len(history.takeovers) >= TAKEOVERS


def say(text: str) -> None:
    """Print while it runs, hours before the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
