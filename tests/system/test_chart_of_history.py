"""A chart of what the real Prometheus holds, compared with what is known to have happened."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.real.bad_evening import (
    ALL,
    AWAY,
    BEGINS,
    BREACH,
    DEPLOYED,
    DOWN,
    QUIET,
    SLOW,
    SPAN,
    charts_of,
    written,
)
from tests.support.real.history import Chapter
from wine_slo.config import translations
from wine_slo.integrations.drawing.render_process import PNG, ChartProcess
from wine_slo.monitor.publish.charts import Charts
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.chart_spec import Chart

EDGE = timedelta(seconds=60)  # what a range reaches over either end of a chapter


class Recorder(ChartProcess):
    """Draws nothing, and remembers what was to be drawn."""

    chart: Chart

    async def draw(self, chart: Chart) -> bytes:
        self.chart = chart
        return PNG


@dataclass
class Studio:
    charts: Charts
    recorder: Recorder

    async def draws(self, name: str, fmt: Formatter) -> Chart:
        await self.charts.of(Key(name), fmt, SPAN)
        return self.recorder.chart


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("prometheus"))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def studio(data: Path, stack: ExitStack) -> AsyncIterator[Studio]:
    recorder = stack.enter_context(Recorder())
    async with charts_of(data, recorder) as charts:
        yield Studio(charts, recorder)


def within(points: tuple[tuple[float, float], ...], chapter: Chapter) -> list[float]:
    """The values inside a chapter, away from its edges."""
    since, until = (BEGINS + each for each in (chapter.since + EDGE, chapter.until - EDGE / 4))
    return [value for at, value in points if since.timestamp() <= at <= until.timestamp()]


def outside(points: tuple[tuple[float, float], ...], *chapters: Chapter) -> list[float]:
    """The values outside of all of them, away from their edges."""
    spans = [(BEGINS + each.since - EDGE, BEGINS + each.until + EDGE) for each in chapters]
    return [
        value for at, value in points if not any(since.timestamp() <= at <= until.timestamp() for since, until in spans)
    ]


async def test_a_latency_is_drawn_as_it_was_with_gaps_where_nothing_is_known(studio: Studio) -> None:
    chart = await studio.draws("latency", Formatter(ALL, UTC))
    assert len(chart.values) > 200
    assert all(1 < value < 2 for value in within(chart.values, SLOW))
    assert all(value <= 0.05 for value in outside(chart.values, SLOW, QUIET, DOWN, AWAY))
    for nothing in (QUIET, DOWN, AWAY):
        assert not within(chart.values, nothing)
    assert [(each.since, each.until) for each in chart.breaches] == [
        (BREACH.began_at.timestamp(), BREACH.last_bad_at.timestamp())
    ]
    assert [(each.at, each.label) for each in chart.marks] == [(DEPLOYED.at.timestamp(), DEPLOYED.version)]


async def test_requests_are_none_where_there_were_none_and_unknown_where_nothing_was_scraped(studio: Studio) -> None:
    chart = await studio.draws("latency", Formatter(ALL, ZoneInfo("Europe/Moscow"), translations.load()["ru"]))
    assert outside(chart.rates, QUIET, DOWN, AWAY) == pytest.approx(
        [10.0] * len(outside(chart.rates, QUIET, DOWN, AWAY))
    )
    assert set(within(chart.rates, QUIET)) == {0.0}
    assert not within(chart.rates, DOWN)
    assert not within(chart.rates, AWAY)
    assert chart.title == "Задержка: p95"
    assert [label for _, label in chart.ticks] == ["21:00", "21:30", "22:00", "22:30", "23:00"]


async def test_a_share_of_failed_requests_is_drawn_as_it_was(studio: Studio) -> None:
    chart = await studio.draws("errors", Formatter(ALL, UTC))
    assert within(chart.values, SLOW) == pytest.approx([0.03] * len(within(chart.values, SLOW)), abs=0.005)
    assert set(outside(chart.values, SLOW, QUIET, DOWN, AWAY)) == {0.0}
    assert not within(chart.values, QUIET)


async def test_availability_is_a_band_that_is_down_when_it_was_and_open_without_data(studio: Studio) -> None:
    chart = await studio.draws("availability", Formatter(ALL, UTC))
    assert chart.is_band
    assert set(within(chart.values, DOWN)) == {0.0}
    assert set(outside(chart.values, DOWN, AWAY)) == {1.0}
    assert not within(chart.values, AWAY)
