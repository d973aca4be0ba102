"""The evaluation with clocks that are wrong: that of this machine, that of Prometheus, and both."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.prometheus_canned import OBJECTIVES, CannedPrometheus, Slow
from tests.support.scene import KEY, LATENCY, START
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.evaluation.engine import GAP, SIGHT, State
from wine_slo.slo.evaluation.incident import Interruption
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import Vector
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement, Status

POLL = timedelta(seconds=15)
MINUTE = timedelta(minutes=1)
PROCESS = Process(version="1", poll=POLL, overdue_after=3 * POLL)
STEPS = [timedelta(hours=-1), timedelta(minutes=-2), timedelta(minutes=2), timedelta(days=1)]
NO_STEP = timedelta(0)


class Answering(CannedPrometheus):
    """A Prometheus to whose answers something may happen on their way."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        answer = await super().query(promql, at)
        self.happens()
        return answer


class World:
    """True time, a clock of this machine and one of Prometheus that may be wrong, and what is evaluated by them."""

    def __init__(self, folder: Path, *slow: Slow) -> None:
        self.time = START
        self.is_broken = False
        self.ours = self.theirs = NO_STEP  # how far each clock is ahead of the truth
        self.prometheus = Answering(lambda: self.time + self.theirs, *slow)
        self._ledger = Ledger.open(f"sqlite:///{folder / 'watchdog.db'}")
        self.evaluation = self._evaluation(State())

    def restart(self) -> None:
        self.evaluation = self._evaluation(self._ledger.load().state)

    async def goes_on(self, span: timedelta) -> None:
        """Evaluate at each poll."""
        end = self.time + span
        while self.time < end:
            self.time += POLL
            await self.evaluation.evaluate()

    @property
    def state(self) -> State:
        return self.evaluation.state

    @property
    def status(self) -> Status:
        return status_of(self.state, OBJECTIVES, self.evaluation.now(), PROCESS)

    def reads(self, judgement: Judgement) -> bool:
        return self.status.objectives[0].verdict is judgement

    def opened(self, key: object) -> int:
        return sum(each.key == key for each in self.state.incidents.values())

    def _steady(self) -> float:
        if self.is_broken:
            raise RuntimeError
        return self.time.timestamp()

    def _evaluation(self, state: State) -> Evaluator:
        return Evaluator(
            self.prometheus,
            self._ledger,
            OBJECTIVES,
            state,
            clock=lambda: WallTime(self.time + self.ours),
            steady=self._steady,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, Slow(200, 400))


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_a_clock_that_is_wrong_for_a_moment_delays_no_breach_and_is_not_notified(
    world: World, whose: str, step: timedelta
) -> None:
    await world.goes_on(MINUTE)
    setattr(world, whose, step)
    await world.goes_on(2 * POLL)
    assert world.reads(Judgement.UNKNOWN)
    setattr(world, whose, NO_STEP)
    await world.goes_on(timedelta(seconds=200) - (world.time - START) + 3 * POLL)
    assert world.reads(Judgement.BREACHED)
    (breach,) = world.state.open_incidents
    assert abs(breach.began_at - (START + timedelta(seconds=200))) <= LATENCY.scrape_interval
    assert world.opened(SIGHT) == world.opened(GAP) == 0
    assert world.state.evaluated_at == world.time


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_while_the_clocks_differ_nothing_is_met_and_both_are_named(
    world: World, whose: str, step: timedelta
) -> None:
    setattr(world, whose, step)
    for _ in range(20):
        await world.goes_on(POLL)
        assert world.reads(Judgement.UNKNOWN)
    (sight,) = world.state.open_incidents
    assert sight.key == SIGHT
    for name, ahead in (("ours", world.ours), ("theirs", world.theirs)):
        assert f"{world.time + ahead:%Y-%m-%d %H:%M}" in str(sight.reason), name
    world.ours = world.theirs = NO_STEP
    await world.goes_on(2 * POLL)
    assert world.opened(SIGHT) == 1
    assert not [each for each in world.state.open_incidents if each.key == SIGHT]


@pytest.mark.parametrize("step", [timedelta(seconds=-50), timedelta(seconds=50)], ids=str)
async def test_clocks_that_differ_by_less_than_a_minute_are_no_matter(world: World, step: timedelta) -> None:
    world.theirs = step
    await world.goes_on(MINUTE)
    assert world.reads(Judgement.MET)


async def test_an_answer_that_comes_late_is_no_difference_of_clocks(world: World) -> None:
    def suspend() -> None:
        world.time += timedelta(minutes=2)

    await world.goes_on(POLL)
    world.prometheus.happens = suspend
    await world.goes_on(POLL)
    assert world.state.readings[KEY].sight is not Sight.BLIND


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(hours=3), timedelta(days=1)], ids=str)
async def test_an_evaluation_recorded_in_the_future_is_dropped_and_logged_once(world: World, ahead: timedelta) -> None:
    world.prometheus.is_away = True
    world.ours = ahead
    await world.goes_on(POLL)
    assert world.state.evaluated_at == world.time + ahead
    world.ours, world.prometheus.is_away = NO_STEP, False
    world.restart()
    assert world.status.overdue
    assert world.reads(Judgement.UNKNOWN)
    await world.goes_on(timedelta(seconds=200) - (world.time - START) + 3 * POLL)
    assert world.state.evaluated_at == world.time
    assert world.reads(Judgement.BREACHED)
    (gap,) = (each for each in world.state.incidents.values() if each.key == GAP)
    assert gap.reason == Interruption.CLOCK


@pytest.mark.parametrize("comes_back", ["with the clock", "after the clock"])
@pytest.mark.parametrize("step", [*STEPS, timedelta(seconds=-40), timedelta(seconds=40), timedelta(hours=-3)], ids=str)
@pytest.mark.parametrize("when", ["from the start", "for a while", "for a while after a restart"])
async def test_blindness_reads_as_long_as_it_was_whatever_the_clock_showed_meanwhile(
    tmp_path: Path, when: str, step: timedelta, comes_back: str
) -> None:
    world = World(tmp_path, Slow(600, 800))
    if when == "for a while after a restart":
        await world.goes_on(MINUTE)
        world.restart()
    since, world.prometheus.is_away = world.time + POLL, True
    if when != "from the start":
        await world.goes_on(4 * POLL)
    world.ours = step
    await world.goes_on(3 * MINUTE)
    world.ours = NO_STEP
    if comes_back == "after the clock":
        await world.goes_on(2 * POLL)
    world.prometheus.is_away = False
    await world.goes_on(POLL)
    (sight,) = world.state.incidents.values()
    assert (sight.key, sight.began_at, sight.closed_at) == (SIGHT, since, world.time)
    assert world.state.evaluated_at == world.evaluation.now() == world.time
    await world.goes_on(timedelta(seconds=600) - (world.time - START) + 3 * POLL)
    assert world.reads(Judgement.BREACHED)


async def test_a_breach_that_is_open_stays_open_when_its_time_is_still_to_come(world: World) -> None:
    await world.goes_on(timedelta(minutes=5))
    (breach,) = world.state.open_incidents
    world.time -= timedelta(hours=1)  # both clocks are set back
    world.restart()
    await world.goes_on(POLL)
    (still,) = world.state.open_incidents
    assert still.number == breach.number
    assert still.began_at <= still.opened_at <= world.time
    assert all(track.since <= world.time for track in world.state.tracks.values())


@pytest.mark.parametrize("restarts", [False, True], ids=["suspended", "restarted"])
async def test_a_gap_says_whether_the_process_was_restarted(world: World, *, restarts: bool) -> None:
    await world.goes_on(MINUTE)
    world.time += timedelta(minutes=10)
    if restarts:
        world.restart()
    await world.goes_on(POLL)
    (gap,) = (each for each in world.state.incidents.values() if each.key == GAP)
    assert gap.reason == (Interruption.RESTART if restarts else Interruption.PAUSE)


async def test_a_gap_in_which_evaluations_failed_says_so(world: World) -> None:
    await world.goes_on(MINUTE)
    world.is_broken = True  # in our own code: whatever an answer makes of it is blindness instead
    for _ in range(20):
        world.time += POLL
        with pytest.raises(RuntimeError):
            await world.evaluation.evaluate()
    world.is_broken = False
    await world.goes_on(POLL)
    (gap,) = (each for each in world.state.incidents.values() if each.key == GAP)
    assert gap.reason == Interruption.FAILURE
