"""An evaluation never fails: what cannot be queried or judged is blind, for that objective and while that is so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from time import thread_time

import pytest

from tests.support.fakes.prometheus_canned import CannedPrometheus, Slow
from tests.support.fakes.prometheus_wide import WidePrometheus
from tests.support.scene import LATENCY, START
from wine_slo.metric_names import SHA256
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.deployment import LOOKBACK, Deployment, VersionSeries
from wine_slo.slo.source.metric_source import Sample, Series, Vector

MODELS = promql.versions_first_seen(LATENCY, VersionSeries("model_info", SHA256), LOOKBACK)
OTHER = replace(LATENCY, name="other", job="other")
BOTH = Objectives.only(LATENCY, OTHER)
BY = replace(LATENCY, by=("endpoint",))
OF_LATENCY = {
    "up": promql.targets_up(LATENCY),
    "when it was scraped": promql.targets_scraped_at(LATENCY),
    "the history": promql.seconds_of_history(LATENCY),
    "the events of the window": promql.events(LATENCY, LATENCY.window),
    "the share over the window": promql.good_ratio(LATENCY, LATENCY.window),
    "the events of five minutes": promql.events(LATENCY, LATENCY.over),
    "the events before an expiry": promql.events(LATENCY, LATENCY.expires_after),
    "the quantile": promql.quantile(LATENCY, LATENCY.over),
    "all per interval": promql.total_per_interval(LATENCY),
    "good per interval": promql.good_per_interval(LATENCY),
}


class OddPrometheus(CannedPrometheus):
    """A Prometheus that answers one question oddly; the questions of the other job it answers as those of the first."""

    def __init__(self) -> None:
        self.now = START + timedelta(hours=1)
        super().__init__(lambda: self.now)
        self.odd: dict[str, Callable[[], float]] = {}

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        found = await super().query(promql.replace(OTHER.job + '"', LATENCY.job + '"'), at)
        if promql in self.odd:
            return replace(found, samples=(replace(found.samples[0], value=self.odd[promql]()),))
        return found

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        found = await super().query_range(promql.replace(OTHER.job + '"', LATENCY.job + '"'), start, end, step)
        if promql in self.odd:
            return [replace(each, points=dict.fromkeys(each.points, self.odd[promql]())) for each in found]
        return found


def fails() -> float:
    raise ZeroDivisionError


@pytest.mark.parametrize("question", OF_LATENCY)
@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(lambda: 1e308, id="1e308"),
        pytest.param(lambda: -1e308, id="-1e308"),
        pytest.param(lambda: 1e18, id="1e18"),
        pytest.param(lambda: -1.0, id="-1"),
        pytest.param(lambda: float("inf"), id="inf"),
        pytest.param(lambda: float("nan"), id="nan"),
        pytest.param(fails, id="an exception"),
    ],
)
async def test_an_odd_answer_stops_no_evaluation_hides_no_other_objective_and_is_not_kept(
    question: str, odd: Callable[[], float]
) -> None:
    prometheus = OddPrometheus()
    prometheus.odd = {str(OF_LATENCY[question]): odd}
    collector = Collector(prometheus, lambda: WallTime(prometheus.now))
    state = await collector.evaluate(State(), BOTH)
    assert state.readings[Key("other")].sight is Sight.CLEAR
    assert Key("latency") in state.readings

    prometheus.odd = {}
    prometheus.now += timedelta(seconds=30)
    state = await collector.evaluate(state, BOTH)
    assert {key: each.sight for key, each in state.readings.items()} == {
        Key("latency"): Sight.CLEAR,
        Key("other"): Sight.CLEAR,
    }


async def test_what_cannot_be_judged_is_no_data_with_its_reason() -> None:
    prometheus = OddPrometheus()
    prometheus.odd = {str(OF_LATENCY["up"]): fails}
    collector, state = Collector(prometheus, lambda: WallTime(prometheus.now)), State()
    for _ in range(6):
        state = await collector.evaluate(state, BOTH)
        prometheus.now += timedelta(seconds=30)
    (incident,) = state.open_incidents
    assert str(incident.reason) == "the answer of Prometheus cannot be evaluated (ZeroDivisionError)"


async def test_what_is_not_answered_within_the_time_of_an_evaluation_is_blind_and_hides_no_other_objective() -> None:
    class HalfOfIt(OddPrometheus):
        """A Prometheus that never answers one question."""

        async def query(self, promql: str, at: datetime | None = None) -> Vector:
            if promql == OF_LATENCY["up"]:
                await asyncio.Event().wait()
            return await super().query(promql, at)

    prometheus = HalfOfIt()
    collector = Collector(prometheus, lambda: WallTime(prometheus.now), read_within=1.0)
    async with asyncio.timeout(10):
        readings = (await collector.evaluate(State(), BOTH)).readings
    assert {key.objective: (each.sight, str(each.reason)) for key, each in readings.items()} == {
        "latency": (Sight.BLIND, "Prometheus: it did not answer in time"),
        "other": (Sight.CLEAR, ""),
    }


class ForgetfulPrometheus(CannedPrometheus):
    """A Prometheus whose targets have vanished from service discovery; it knew three of late, or never any."""

    def __init__(self, known: int) -> None:
        super().__init__(lambda: START + timedelta(hours=1))
        self._known = known

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        found = await super().query(promql, at)
        if promql == OF_LATENCY["up"] or promql == OF_LATENCY["when it was scraped"]:
            return Vector((), None)
        if promql.startswith("count(last_over_time(up"):
            return replace(found, samples=(Sample({}, self._known),) if self._known else ())
        return found


@pytest.mark.parametrize(
    ("known", "sight", "said"),
    [
        (3, Sight.TARGET_DOWN, "Prometheus knows none of the 3 targets of wine-slo any more"),
        (0, Sight.STALE, "Prometheus knows no target of the job wine-slo"),
    ],
)
async def test_targets_that_have_vanished_are_down_and_those_that_never_were_are_unknown(
    known: int, sight: Sight, said: str
) -> None:
    collector = Collector(ForgetfulPrometheus(known), lambda: WallTime(START + timedelta(hours=1)))
    reading = (await collector.evaluate(State(), Objectives.only(LATENCY))).readings[Key("latency")]
    assert (reading.sight, str(reading.reason)) == (sight, said)


async def test_more_label_sets_than_can_be_judged_are_blind_with_their_number() -> None:
    collector = Collector(WidePrometheus(10_001), lambda: WallTime(START + timedelta(hours=1)))
    (reading,) = (await collector.evaluate(State(), Objectives.only(BY))).readings.values()
    assert (reading.sight, str(reading.reason)) == (
        Sight.BLIND,
        "Prometheus: its labels have 10001 sets of values, more than the 10000 that can be judged",
    )


async def test_many_label_sets_do_not_hold_up_the_event_loop() -> None:
    longest, last = 0.0, thread_time()

    async def breathe() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, thread_time() - last), thread_time()

    prometheus = WidePrometheus(2000)
    breathing = asyncio.create_task(breathe())
    state = await Collector(prometheus, lambda: WallTime(START + timedelta(hours=1))).evaluate(
        State(), Objectives.only(BY)
    )
    breathing.cancel()
    assert len(state.readings) == 2000
    assert longest < 1, "what is quadratic here takes minutes; benchmarks say how little it should be"


class DeployedPrometheus(CannedPrometheus):
    """A Prometheus that has seen two models, the second 100 s after the start, and counts who wants to know."""

    def __init__(self) -> None:
        self.now = START + timedelta(seconds=60)
        self.queried = 0
        super().__init__(lambda: self.now, Slow(200, 400))

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        found = await super().query(promql, at)
        if promql != MODELS:
            return found
        self.queried += 1
        seen = {"old": START, "new": START + timedelta(seconds=100)}
        return Vector(tuple(Sample({SHA256: name}, at.timestamp()) for name, at in seen.items()), found.at)


async def test_the_deployment_is_queried_only_while_an_incident_may_open_and_the_incident_opens_with_it() -> None:
    prometheus = DeployedPrometheus()
    collector, state = Collector(prometheus, lambda: WallTime(prometheus.now)), State()
    objectives = replace(Objectives.only(LATENCY), deployments=(VersionSeries("model_info", SHA256),))
    while not state.open_incidents:
        state = await collector.evaluate(state, objectives)
        if prometheus.now < START + timedelta(seconds=200):
            assert prometheus.queried == 0
        prometheus.now += timedelta(seconds=15)
    (incident,) = state.open_incidents
    assert incident.change is not None
    assert (incident.change.before, incident.change.after) == ("old", "new")
    queried = prometheus.queried
    for _ in range(4):
        state = await collector.evaluate(state, objectives)
        prometheus.now += timedelta(seconds=15)
    assert [each.number for each in state.open_incidents] == [incident.number]
    assert prometheus.queried == queried


class Shop(CannedPrometheus):
    """A Prometheus that shows the versions of a shop, or only that its processes have started."""

    def __init__(self, answers: dict[str, list[Sample]]) -> None:
        self.now = START + timedelta(seconds=195)
        self._samples = answers
        super().__init__(lambda: self.now, Slow(200, 400))

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        found = await super().query(promql, at)
        is_about = "_info" in promql or "process_start_time" in promql
        return replace(found, samples=tuple(self._samples.get(promql, ()))) if is_about else found


BUILD = promql.versions_first_seen(LATENCY, VersionSeries("shop_build_info", "version"), LOOKBACK) or ""
INFOS = promql.infos(LATENCY.scope) or ""


def second(at: float) -> float:
    return (START + timedelta(seconds=at)).timestamp()


@pytest.mark.parametrize(
    ("answers", "reported", "change"),
    [
        pytest.param(
            {
                INFOS: [Sample({"__name__": "shop_build_info", "version": "1.4"}, 1.0)],
                BUILD: [Sample({"version": "1.3"}, second(-3600)), Sample({"version": "1.4"}, second(60))],
            },
            None,
            Deployment(START + timedelta(seconds=60), "1.3", "1.4"),
            id="a version that is guessed",
        ),
        pytest.param(
            {promql.started_at(LATENCY.scope): [Sample({}, second(100)), Sample({"instance": "b"}, second(110))]},
            None,
            Deployment(START + timedelta(seconds=110), "", "", started=2, targets=2),
            id="processes that have started",
        ),
        pytest.param({}, Deployment(START, "", "1.4"), Deployment(START, "", "1.4"), id="what was reported"),
        pytest.param({}, None, None, id="nothing"),
    ],
)
async def test_a_deployment_of_any_service_is_seen(
    answers: dict[str, list[Sample]], reported: Deployment | None, change: Deployment | None
) -> None:
    prometheus = Shop(answers)
    collector = Collector(prometheus, lambda: WallTime(prometheus.now), reported=lambda _: reported)
    state = State()
    while not state.open_incidents:
        state = await collector.evaluate(state, Objectives.only(LATENCY))
        prometheus.now += timedelta(seconds=15)
    assert state.open_incidents[0].change == change


def test_a_selector_of_another_job_is_not_queried_and_one_of_no_job_is_the_objectives_own() -> None:
    def query(selector: str) -> str | None:
        return promql.versions_first_seen(LATENCY, VersionSeries(selector, "version"), LOOKBACK)

    assert query('build_info{job="other"}') is None
    assert 'timestamp(build_info{job="wine-slo"})' in str(query('build_info{job="wine-slo"}'))
    assert 'timestamp(build_info{job="wine-slo", env="prod"})' in str(query('build_info{env="prod"}'))
