"""Answers that are of a time which cannot be: nothing is judged by them, and no breach after them is missed."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.fakes.prometheus_canned import CannedPrometheus, Slow
from tests.support.scene import KEY, LATENCY, START
from wine_slo.metric_names import SHA256
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.deployment import LOOKBACK, VersionSeries
from wine_slo.slo.source.metric_source import Sample, Series, Vector

POLL = timedelta(seconds=15)
SLOW_SINCE = 200  # seconds after the start
SCRAPED = promql.targets_scraped_at(LATENCY)
MODELS = promql.versions_first_seen(LATENCY, VersionSeries("model_info", SHA256), LOOKBACK)
IMPOSSIBLE = (1e18, 1e17, 1e12, 1e11, -1.0, -1e18)


class OddTimes(CannedPrometheus):
    """A Prometheus whose answers are of other times for a while."""

    def __init__(self) -> None:
        self.now = START
        self.scraped: Callable[[float], float] = float
        self.models: Callable[[float], float] = float
        self.shift = 0.0  # seconds, of the intervals
        super().__init__(lambda: self.now, Slow(SLOW_SINCE, 400))

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        found = await super().query(promql, at)
        (sample,) = found.samples
        if promql == SCRAPED:
            return replace(found, samples=(replace(sample, value=self.scraped(sample.value)),))
        if promql == MODELS:
            value = self.models(START.timestamp())
            return replace(found, samples=tuple(Sample({SHA256: name}, value) for name in ("old", "new")))
        return found

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        found = await super().query_range(promql, start, end, step)
        return [replace(each, points={at + self.shift: value for at, value in each.points.items()}) for each in found]


class World:
    """One evaluation after another, until there is an incident."""

    def __init__(self) -> None:
        self.prometheus = OddTimes()
        self.state = State()
        self._collector = Collector(self.prometheus, lambda: WallTime(self.prometheus.now))

    async def evaluate(self, times: int) -> None:
        objectives = replace(Objectives.only(LATENCY), deployments=(VersionSeries("model_info", SHA256),))
        for _ in range(times):
            self.prometheus.now += POLL
            self.state = await self._collector.evaluate(self.state, objectives)

    @property
    def sight(self) -> Sight:
        return self.state.readings[KEY].sight

    @property
    def reason(self) -> str:
        return str(self.state.readings[KEY].reason)

    async def opens_in_time(self) -> None:
        """See that the breach is opened as if nothing had been, with its true beginning."""
        while not (breaches := [each for each in self.state.open_incidents if each.key == KEY]):
            assert self.prometheus.now < START + timedelta(seconds=SLOW_SINCE + 60)
            await self.evaluate(1)
        assert abs(breaches[0].began_at - START - timedelta(seconds=SLOW_SINCE)) <= LATENCY.scrape_interval


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("shift", [30.0, 3600.0, 86_400.0, -3600.0, 1e11])
async def test_intervals_of_another_time_are_not_judged_and_hide_no_later_breach(shift: float, times: int) -> None:
    world = World()
    await world.evaluate(3)
    world.prometheus.shift = shift
    await world.evaluate(times)
    assert world.sight is Sight.BLIND
    assert "a time" in world.reason
    world.prometheus.shift = 0.0
    await world.opens_in_time()


async def test_a_range_that_begins_less_than_a_step_earlier_is_judged() -> None:
    world = World()
    world.prometheus.shift = -4.9
    await world.evaluate(3)
    assert world.sight is Sight.CLEAR


@pytest.mark.parametrize(
    "scraped",
    [
        *(pytest.param(lambda _, odd=each: odd, id=f"{each:g}") for each in IMPOSSIBLE),
        pytest.param(lambda at: at + 90, id="90 s to come"),
        pytest.param(lambda at: at + 3600, id="an hour to come"),
    ],
)
async def test_a_scrape_at_no_possible_time_is_said_in_one_sentence_and_hides_no_later_breach(
    scraped: Callable[[float], float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    await world.evaluate(3)
    world.prometheus.scraped = scraped
    for _ in range(3):
        await world.evaluate(1)
        assert world.sight is Sight.BLIND
        assert world.reason.startswith("Prometheus: it says that wine-slo was scraped at ")
        assert world.reason.endswith("; wanted: seconds since 1970, none to come")
    assert caplog.records == []
    world.prometheus.scraped = float
    await world.opens_in_time()


@pytest.mark.parametrize("odd", IMPOSSIBLE)
async def test_a_deployment_at_no_possible_time_hides_no_breach(odd: float) -> None:
    world = World()
    world.prometheus.models = lambda _: odd
    await world.opens_in_time()


async def test_what_fails_by_a_fault_of_ours_is_logged_once_until_it_works_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(_: float) -> float:
        raise ZeroDivisionError

    world = World()
    for _ in range(2):
        world.prometheus.scraped = fails
        await world.evaluate(3)
        world.prometheus.scraped = float
        await world.evaluate(1)
    assert [each.getMessage() for each in caplog.records] == 2 * ["latency cannot be evaluated"]
