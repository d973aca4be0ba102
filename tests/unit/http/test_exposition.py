"""Scrapes that come together share one rendering, and none is answered by what was before it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession, web
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from wine_slo.http.exposition import PAUSE, Exposition
from wine_slo.http.guarded_server import Door, Patience, Runner

SCRAPERS = 20


class Renderings(Collector):
    """How often it was collected, and whether that fails."""

    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    def collect(self) -> Iterator[Metric]:
        self.count += 1
        if self.fails:
            raise RuntimeError("no metrics today")
        return iter(())


@pytest.fixture
def renderings() -> Renderings:
    return Renderings()


@pytest.fixture
def counter() -> Counter:
    return Counter("seen", "What was seen.", registry=None)


@pytest.fixture
async def session(renderings: Renderings, counter: Counter) -> AsyncIterator[ClientSession]:
    registry = CollectorRegistry()
    registry.register(renderings)
    registry.register(counter)
    renderings.count = 0  # the registry collects once to learn the names
    app = web.Application()
    app.add_routes([web.get("/metrics", Exposition(registry).answer)])
    runner = Runner(app, Door(), Patience())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
            yield session
    finally:
        await runner.cleanup()


async def scrape(session: ClientSession, **headers: str) -> str:
    async with session.get("/metrics", headers={key.replace("_", "-"): value for key, value in headers.items()}) as got:
        got.raise_for_status()
        return await got.text()


async def test_a_scrape_has_all_that_was_counted_before_it(session: ClientSession, counter: Counter) -> None:
    for number in range(1, 4):
        counter.inc()
        assert f"seen_total {number}.0" in await scrape(session)


async def test_scrapes_without_end_are_answered_by_a_rendering_now_and_then(
    session: ClientSession, renderings: Renderings
) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def scrape_often() -> None:
        for _ in range(3):
            await scrape(session)

    await asyncio.gather(*(scrape_often() for _ in range(SCRAPERS)))
    assert 3 <= renderings.count <= (loop.time() - began) / PAUSE + 2


async def test_one_that_goes_away_spoils_it_for_no_other(session: ClientSession, renderings: Renderings) -> None:
    await scrape(session)
    scrapes = [asyncio.create_task(scrape(session)) for _ in range(2)]
    await asyncio.sleep(PAUSE / 10)
    scrapes[0].cancel()
    assert "seen_total 0.0" in await scrapes[1]
    assert renderings.count <= 3


async def test_a_rendering_that_fails_is_500_and_the_next_is_not(
    session: ClientSession, renderings: Renderings
) -> None:
    renderings.fails = True
    async with session.get("/metrics") as response:
        assert response.status == 500
    renderings.fails = False
    assert "seen_total 0.0" in await scrape(session)


async def test_it_is_packed_and_open_metrics_where_that_is_accepted(session: ClientSession) -> None:
    assert not (await scrape(session, Accept="text/plain")).endswith("# EOF\n")
    assert (await scrape(session, Accept="application/openmetrics-text;version=1.0.0")).endswith("# EOF\n")
    for accepted, is_packed in (("br, gzip", True), ("br", False)):
        async with session.get("/metrics", headers={"Accept-Encoding": accepted}) as response:
            assert (response.headers.get("Content-Encoding") == "gzip") is is_packed
            assert "seen_total 0.0" in await response.text()
