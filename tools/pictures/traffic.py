"""Usual requests to the service, which are never quite the same."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
from sklearn.datasets import load_wine

SEED = 12
FORMS = 0.2  # of the requests open the form; the others have a wine classified


@asynccontextmanager
async def usual_traffic(port: int, per_second: float = 10.0) -> AsyncIterator[None]:
    """Have wines of the data set classified and the form opened, at times that nobody has agreed on."""
    task = asyncio.create_task(_requests(port, per_second))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _requests(port: int, per_second: float) -> None:
    chance = random.Random(SEED)
    wines = [",".join(map(str, wine)) for wine in load_wine().data.tolist()]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session, asyncio.TaskGroup() as running:
        while True:
            wine = None if chance.random() < FORMS else chance.choice(wines)
            running.create_task(_request(session, wine))
            await asyncio.sleep(chance.expovariate(per_second))


async def _request(session: aiohttp.ClientSession, wine: str | None) -> None:
    how = session.get("/ui") if wine is None else session.post("/predict", data={"request": wine})
    with suppress(aiohttp.ClientError):
        async with how as response:
            await response.read()
