from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import pytest

from tests.support.fakes.prometheus_junk import EMPTY_MATRIX, NEVER, PrometheusJunk, matrix
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import ALL, ERRORS, LATENCY, at
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.publish.series_source import KNOWN_FOR, SeriesSource
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key

NAMES = frozenset(each.name for each in ALL.all)
HOUR = timedelta(hours=1)


class Clock:
    def __init__(self) -> None:
        self.now = at(0)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def histories(prometheus_junk: PrometheusJunk, clock: Clock) -> AsyncIterator[SeriesSource]:
    prometheus_junk.answer = EMPTY_MATRIX
    prometheus_junk.by_query = {
        "histogram_quantile": matrix([(at(-60).timestamp(), "0.5"), (at(0).timestamp(), "NaN")])
    }
    async with aiohttp.ClientSession() as session:
        yield SeriesSource(PrometheusClient(session, prometheus_junk.url, {}), FakeSnapshot(State, clock), time_box=0.2)


async def test_each_objective_is_one_question_and_a_hole_is_a_hole(
    histories: SeriesSource, prometheus_junk: PrometheusJunk
) -> None:
    history = await histories.over(HOUR, NAMES)
    assert history.values == {Key("latency"): {at(-60).timestamp(): 0.5}}
    assert (history.first, history.last, history.trouble) == (at(-3600), at(0), "")
    assert len(prometheus_junk.queries) == len(ALL.all)
    assert promql.value(LATENCY, timedelta(seconds=40)) in prometheus_junk.queries
    assert promql.value(ERRORS, timedelta(seconds=40)) in prometheus_junk.queries


async def test_a_page_that_is_loaded_again_soon_queries_nothing(
    histories: SeriesSource, prometheus_junk: PrometheusJunk, clock: Clock
) -> None:
    first = await histories.over(HOUR, NAMES)
    clock.now += KNOWN_FOR / 2
    assert await histories.over(HOUR, NAMES) is first
    clock.now += KNOWN_FOR / 2
    assert await histories.over(HOUR, NAMES) is not first
    assert len(prometheus_junk.queries) == 2 * len(ALL.all)


async def test_when_nobody_answers_the_last_is_shown_with_the_trouble(
    histories: SeriesSource, prometheus_junk: PrometheusJunk, clock: Clock
) -> None:
    known = await histories.over(HOUR, NAMES)
    prometheus_junk.by_query, prometheus_junk.answer = {}, NEVER
    clock.now += KNOWN_FOR
    history = await histories.over(HOUR, NAMES)
    assert (history.values, history.last, history.trouble) == (known.values, at(0), "it did not answer in time")
    assert await histories.over(HOUR, NAMES) is history  # and is not waited for by every reader
    await prometheus_junk.goes_down()
    clock.now += KNOWN_FOR
    history = await histories.over(HOUR, NAMES)
    assert history.values == known.values
    assert history.trouble.startswith("it cannot be reached")
