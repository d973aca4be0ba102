"""The error budget while nothing can be queried: what was known last, with its time, and never green."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.prometheus_canned import CannedPrometheus
from tests.support.fakes.prometheus_wide import WidePrometheus
from tests.support.scene import LATENCY, START
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import Vector
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.objective_detail import budget_list
from wine_slo.slo.text.status_list import status_list
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement, LastBudget, Status

HISTORY = timedelta(days=4)
POLL = timedelta(seconds=30)
PROCESS = Process(version="1", poll=POLL, overdue_after=3 * POLL)


class World:
    """A Prometheus that goes away, and what is known of it meanwhile."""

    def __init__(self, folder: Path, *, history: timedelta = HISTORY) -> None:
        self.now = START
        self.prometheus = Known(self, history)
        self.ledger = Ledger.open(f"sqlite:///{folder / 'watchdog.db'}")
        self.evaluator = self._evaluator(State())

    def restart(self) -> None:
        self.evaluator = self._evaluator(self.ledger.load().state)

    async def evaluate(self, times: int = 1) -> None:
        for _ in range(times):
            self.now += POLL
            await self.evaluator.evaluate()

    @property
    def status(self) -> Status:
        return status_of(self.evaluator.state, Objectives.only(LATENCY), self.now, PROCESS)

    def _evaluator(self, state: State) -> Evaluator:
        clock = lambda: WallTime(self.now)  # noqa: E731
        return Evaluator(self.prometheus, self.ledger, Objectives.only(LATENCY), state, clock)


class Known(CannedPrometheus):
    """A Prometheus that knows the service for so long."""

    def __init__(self, world: World, history: timedelta) -> None:
        super().__init__(lambda: world.now)
        self._history = history

    async def query(self, query: str, at: datetime | None = None) -> Vector:
        found = await super().query(query, at)
        if query != promql.seconds_of_history(LATENCY):
            return found
        return replace(found, samples=(replace(found.samples[0], value=self._history.total_seconds()),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize("restarts", [False, True], ids=["while it runs", "over a restart"])
async def test_the_last_budget_is_kept_with_its_time_while_nothing_is_known(world: World, *, restarts: bool) -> None:
    await world.evaluate(2)
    (before,) = world.status.objectives
    assert before.last_known_budget is None
    assert before.budget_remaining_ratio is not None
    known_at, world.prometheus.is_away = world.now, True
    if restarts:
        world.restart()
    await world.evaluate(10)
    (slo,) = world.status.objectives
    assert (slo.verdict, slo.budget_remaining_ratio) == (Judgement.UNKNOWN, None)
    assert slo.last_known_budget == LastBudget(
        remaining_ratio=before.budget_remaining_ratio, history_seconds=HISTORY.total_seconds(), at=known_at
    )
    world.prometheus.is_away = False
    await world.evaluate()
    (slo,) = world.status.objectives
    assert (slo.last_known_budget, slo.budget_remaining_ratio) == (None, before.budget_remaining_ratio)


async def test_in_the_chat_it_stands_with_its_time_and_without_a_green_sign(world: World) -> None:
    await world.evaluate(2)
    world.prometheus.is_away = True
    await world.evaluate(10)
    fmt, state = Formatter(Objectives.only(LATENCY), UTC), world.evaluator.state
    line = status_list(fmt, state, world.now).splitlines()[0]
    assert line == "⚪️ latency: no data: Prometheus: it cannot be reached · budget 99.7 % (last known 19:41)"
    assert budget_list(fmt, state, world.now) == "⚪️ latency: budget 99.7 % (last known 19:41)"


async def test_of_a_young_history_nothing_is_said_that_was_known_last(tmp_path: Path) -> None:
    world = World(tmp_path, history=timedelta(hours=3))
    await world.evaluate(2)
    world.prometheus.is_away = True
    await world.evaluate(2)
    assert world.status.objectives[0].last_known_budget is None
    assert "last known" not in status_list(Formatter(Objectives.only(LATENCY), UTC), world.evaluator.state, world.now)


async def test_each_label_set_keeps_its_own(tmp_path: Path) -> None:
    by = replace(LATENCY, by=("endpoint",))
    prometheus, ledger = WidePrometheus(3), Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    clock = lambda: WallTime(START + timedelta(hours=1))  # noqa: E731
    evaluator = Evaluator(prometheus, ledger, Objectives.only(by), State(), clock)
    await evaluator.evaluate()
    prometheus.is_away = True
    await evaluator.evaluate()
    known = {key: track.budget_at for key, track in evaluator.state.tracks.items()}
    assert known == {Key("latency", (("endpoint", f"/{n}"),)): START + timedelta(hours=1) for n in range(3)}
    assert evaluator.state.readings.keys() == known.keys()
    ledger.close()


async def test_that_many_label_sets_cannot_be_seen_is_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "wine_slo")
    prometheus, ledger = WidePrometheus(50), Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    clock = lambda: WallTime(START + timedelta(hours=1))  # noqa: E731
    by = Objectives.only(replace(LATENCY, by=("endpoint",)))
    evaluator = Evaluator(prometheus, ledger, by, State(), clock)
    await evaluator.evaluate()
    prometheus.is_away = True
    await evaluator.evaluate()
    ledger.close()
    assert [each.getMessage() for each in caplog.records if "sight" in each.getMessage()] == [
        'sight of latency{endpoint="/0"} and 49 more of it is clear',
        'sight of latency{endpoint="/0"} and 49 more of it is blind: Prometheus: it cannot be reached',
    ]
