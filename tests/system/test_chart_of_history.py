"""A chart of what the real Prometheus holds, compared with what is known to have happened.

`make pictures` writes the pictures of docs/explanation/chart.md anew.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.real.browser import WRITES, keep
from tests.support.real.history import Chapter, History
from tests.support.real.prometheus import Prometheus, scraping
from tests.support.scene import AVAILABILITY, ERRORS, LATENCY, incident
from wine_slo.config import translations
from wine_slo.integrations.console.channel import ConsoleChannel
from wine_slo.integrations.drawing.render_process import PNG, ChartProcess
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.publish.charts import Charts
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.chart_spec import Chart

MINUTE = timedelta(minutes=1)
BEGINS = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
DURATION = 150 * MINUTE
ENDS = BEGINS + DURATION
SLOW, QUIET, DOWN, AWAY = (
    Chapter(since=100 * MINUTE, until=114 * MINUTE, slow=0.4, failed=0.03),
    Chapter(since=60 * MINUTE, until=72 * MINUTE, rate=0.0),
    Chapter(since=80 * MINUTE, until=84 * MINUTE, is_down=True),
    Chapter(since=125 * MINUTE, until=132 * MINUTE, is_away=True),
)
EDGE = timedelta(seconds=60)  # what a range reaches over either end of a chapter
FAILED = replace(
    ERRORS,
    title="Error rate",
    source=Ratio(('responses_total{job="wine-slo", status=~"5.."}',), ('responses_total{job="wine-slo"}',)),
)
ALL = Objectives.only(LATENCY, FAILED, AVAILABILITY)
BREACH = incident(began_at=BEGINS + SLOW.since, last_bad_at=BEGINS + SLOW.until, closed_at=BEGINS + SLOW.until + MINUTE)


class Recorder(ChartProcess):
    """Draws, and remembers what."""

    chart: Chart

    async def draw(self, chart: Chart) -> bytes:
        self.chart = chart
        return await super().draw(chart) if WRITES else PNG


@dataclass
class Studio:
    charts: Charts
    recorder: Recorder

    async def draws(self, name: str, fmt: Formatter, span: timedelta = 2 * 60 * MINUTE) -> Chart:
        picture = await self.charts.of(Key(name), fmt, span)
        keep(picture.png, f"chart-{name}-{fmt.language.code}")
        return self.recorder.chart


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prometheus")
    History(begins_at=BEGINS, duration=DURATION, chapters=(QUIET, DOWN, SLOW, AWAY)).write(folder / "data")
    return folder


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def studio(data: Path, stack: ExitStack) -> AsyncIterator[Studio]:
    prometheus = Prometheus(data, scraping("127.0.0.1:9"))
    await prometheus.start()
    ledger = Ledger.open(f"sqlite:///{data / 'watchdog.db'}")
    state = State(incidents={BREACH.number: BREACH})
    recorder = stack.enter_context(Recorder(time_box=60))
    recipients = Recipients(ledger, ledger.load(), [], ENDS)
    async with aiohttp.ClientSession() as session:
        charts = Charts(
            PrometheusClient(session, prometheus.url, {}),
            recorder,
            lambda _address: ConsoleChannel(None),
            ledger,
            FakeSnapshot(lambda: state, lambda: ENDS),
            recipients=recipients,
            localizer=Localizer(recipients, lambda _language: Formatter(ALL, UTC)),
            on_message=lambda _kind, _outcome: None,
        )
        yield Studio(charts, recorder)
    ledger.close()
    await prometheus.kill()


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
