"""The error budget of one October of Berlin on the real Prometheus, against what is counted by hand.

It has 31 days and an hour more, as the clocks go back on the 25th, and begins when UTC still has September.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.support.real.history import Chapter, History
from tests.support.real.prometheus import Prometheus, scraping
from tests.support.scene import KEY, LATENCY
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.evaluate.queries.slow_queries import Budgets
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.source.metric_source import MetricSource, Series, Vector

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = Calendar(CalendarUnit.MONTH, ZoneInfo("Europe/Berlin"))
OCTOBER = datetime(2026, 10, 1, tzinfo=MONTH.zone)
BEGINS = (OCTOBER - 2 * DAY).astimezone(UTC)
EVERY = timedelta(minutes=4)
OBJECTIVE = replace(
    LATENCY,
    scrape_interval=EVERY,
    bad_for=3 * EVERY,
    good_for=2 * EVERY,
    over=6 * EVERY,
    window=MONTH.nominal,
    calendar=MONTH,
).with_usual_burns


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MONTH.zone)


def chapter(since: str, hours: float, slow: float) -> Chapter:
    began = local(since).timestamp() - BEGINS.timestamp()
    return Chapter(since=timedelta(seconds=began), until=timedelta(seconds=began) + hours * HOUR, slow=slow)


HISTORY = History(
    begins_at=BEGINS,
    duration=timedelta(seconds=local("2026-11-01T13:00").timestamp() - BEGINS.timestamp()),
    chapters=(
        chapter("2026-09-29T12:00", 6, 1.0),  # of September
        chapter("2026-09-30T22:00", 4, 0.5),  # two hours of each month: in UTC it is all but over as October begins
        chapter("2026-10-25T00:00", 5, 0.4),  # over the change of the clocks
        chapter("2026-10-31T23:00", 2, 0.25),  # over the end
    ),
    every=EVERY,
    rate=1.0,
)


class AsOf(MetricSource):
    """The source as it was at an instant: each query that names none is about that one."""

    def __init__(self, source: MetricSource) -> None:
        self._source = source
        self.at = BEGINS
        self.queries = 0

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        self.queries += 1
        return await self._source.query(promql, at or self.at)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        return await self._source.query_range(promql, start, end, step)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("october")
    HISTORY.write(folder / "data")
    return folder


@pytest.fixture
async def source(data: Path) -> AsyncIterator[AsOf]:
    prometheus = Prometheus(data, scraping("127.0.0.1:9"), retention="100y")
    await prometheus.start()
    async with aiohttp.ClientSession() as session:
        yield AsOf(PrometheusClient(session, prometheus.url, {}))
    await prometheus.stop()


class Reader:
    """Reads the budget now and then, as a watchdog does that runs all the time."""

    def __init__(self, source: AsOf) -> None:
        self._source = source
        self._budgets = Budgets(source, self._steady)

    def _steady(self) -> float:
        return self._source.at.timestamp()

    async def read(self, at: datetime) -> Budget:
        self._source.at = at
        return (await self._budgets.read(OBJECTIVE, at))[KEY]


async def test_a_month_counts_from_its_local_begin_to_its_local_end_with_its_own_length(source: AsOf) -> None:
    reader = Reader(source)
    length = 31 * DAY + HOUR
    allowed = 0.05 * (length / HOUR)  # hours in which all may be slow
    for at, slow_hours in (
        ("2026-10-01T06:00", 2 * 0.5),
        ("2026-10-20T12:00", 2 * 0.5),
        ("2026-10-31T12:00", 2 * 0.5 + 5 * 0.4),
        ("2026-10-31T23:59:59", 2 * 0.5 + 5 * 0.4 + 0.25),
    ):
        budget = await reader.read(local(at))
        assert budget.length(OBJECTIVE) == length
        assert budget.is_whole(OBJECTIVE)
        assert budget.remaining(OBJECTIVE) == pytest.approx(1 - slow_hours / allowed, abs=0.003), at
        passed = local(at).timestamp() - OCTOBER.timestamp()
        assert budget.history.total_seconds() == pytest.approx(passed)
        assert budget.events == pytest.approx(passed, rel=0.01)
    assert budget.share_of(OBJECTIVE, 3600) == pytest.approx(1 / allowed, rel=0.01)


async def test_a_new_month_begins_at_once_with_a_whole_budget_and_no_burn_rate_of_the_last_one(source: AsOf) -> None:
    reader = Reader(source)
    before = await reader.read(local("2026-10-31T23:59:30"))
    queries = source.queries
    assert before.burn_rate(OBJECTIVE, HOUR) == pytest.approx(5, rel=0.1)
    soon = await reader.read(local("2026-11-01T00:09:00"))
    assert source.queries - queries >= 8, "what was known of October is not taken for November"
    assert soon.events == pytest.approx(540, rel=0.6)
    after = await reader.read(local("2026-11-01T00:20:00"))
    assert after.history == timedelta(minutes=20)
    assert after.length(OBJECTIVE) == 30 * DAY
    assert after.remaining(OBJECTIVE) == pytest.approx(1 - 0.25 / 3 / (36), abs=0.001)
    later = await reader.read(local("2026-11-01T12:00:00"))
    assert later.remaining(OBJECTIVE) == pytest.approx(1 - 0.25 / 36, abs=0.001)
    assert later.burn_rate(OBJECTIVE, HOUR) == pytest.approx(0, abs=0.01)
    assert later.burn_rate(OBJECTIVE, 3 * DAY) == pytest.approx(
        0.25 / 12 / 0.05, rel=0.08
    )  # a range lacks its first scrape
