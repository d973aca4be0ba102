"""What changes slowly is queried seldom, and windows that hold all history are one query."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.support.fakes.prometheus_canned import CannedPrometheus
from tests.support.scene import LATENCY, START
from wine_slo.monitor.evaluate.queries.slow_queries import Budgets
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import windows
from wine_slo.slo.objectives.objective import BURNS, Key
from wine_slo.slo.source.metric_source import Vector

BURNING = replace(LATENCY, burns=BURNS)
RATIOS = {promql.good_ratio(BURNING, each): each for each in windows(BURNING)}


class YoungPrometheus(CannedPrometheus):
    """A Prometheus with so much history, which notes over which windows it is queried."""

    def __init__(self, history: timedelta) -> None:
        super().__init__(lambda: START + timedelta(hours=1))
        self.history = history
        self._answers[promql.seconds_of_history(LATENCY)] = lambda _: self.history.total_seconds()
        self.queried: list[timedelta] = []

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        self.queried += [RATIOS[promql]] if promql in RATIOS else []
        return await super().query(promql, at)


async def queried(history: timedelta) -> list[timedelta]:
    """Return over which windows the budget of an objective is queried, after that all of them were checked."""
    prometheus = YoungPrometheus(history)
    (budget,) = (await Budgets(prometheus, lambda: 0.0).read(BURNING, START)).values()
    assert [*budget.bad_ratios] == [*windows(BURNING)], "each window has its share"
    assert len({*budget.bad_ratios.values()}) == 1
    return sorted(prometheus.queried)


async def test_windows_that_hold_all_history_are_one_query() -> None:
    every = [*windows(BURNING)]
    assert await queried(timedelta(minutes=3)) == [timedelta(minutes=5)]
    assert await queried(timedelta(minutes=10)) == [each for each in every if each <= timedelta(minutes=30)]
    assert await queried(timedelta(days=60)) == every


async def test_history_that_is_known_to_the_hour_may_be_an_hour_longer() -> None:
    every = [*windows(BURNING)]
    assert await queried(timedelta(hours=5, minutes=30)) == [each for each in every if each <= timedelta(days=1)]
    assert await queried(timedelta(0)) == every, "where no history is known, nothing is known to be all of it"


async def test_a_history_that_outgrows_a_window_has_longer_ones_queried() -> None:
    steady, prometheus = 0.0, YoungPrometheus(timedelta(minutes=3))
    budgets = Budgets(prometheus, lambda: steady)
    await budgets.read(BURNING, START)
    steady, prometheus.history, prometheus.queried = 600.0, timedelta(minutes=13), []
    assert (await budgets.read(BURNING, START))[Key("latency")].history == prometheus.history
    assert sorted(prometheus.queried) == [timedelta(minutes=5), timedelta(minutes=30)]
