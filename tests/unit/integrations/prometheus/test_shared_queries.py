"""Queries that are sent together: a few requests for many objectives, and each gets what it alone would have got."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.prometheus_canned import CannedPrometheus, Slow
from tests.support.fakes.prometheus_joining import JoiningPrometheus
from tests.support.fakes.prometheus_wide import WidePrometheus
from tests.support.scene import LATENCY, START
from wine_slo.integrations.prometheus.shared_queries import MOST_LETTERS, WIDE_AT_ONCE, SharedQueries
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Sample, Series, Vector

NOW = START + timedelta(hours=1)
FEW, MANY = 5, 50


def objectives(count: int) -> Objectives:
    """As many latencies, of which no two queries of events are alike."""
    usual = LATENCY.with_usual_burns
    sources = [Latency("request_latency_seconds", 1.0, selector=f'route="{n}"') for n in range(count)]
    return Objectives(tuple(replace(usual, name=f"latency-{n}", source=each) for n, each in enumerate(sources)))


class Routes(CannedPrometheus):
    """A service whose routes are all alike."""

    async def query(self, promql: str, at: object = None) -> Vector:  # noqa: ARG002
        return await super().query(_without_route(promql))

    async def query_range(self, promql: str, *when: object) -> list[Series]:
        return await super().query_range(_without_route(promql), *when)  # type: ignore[arg-type]


def _without_route(promql: str) -> str:
    before, found, after = promql.partition(', route="')
    return before + _without_route(after.partition('"')[2]) if found else promql


def collector(source: MetricSource, now: Callable[[], WallTime] = lambda: WallTime(NOW)) -> Collector:
    return Collector(SharedQueries(source, clock=lambda: 0.0), now)


async def requests_of(count: int) -> list[str]:
    """The requests of an evaluation of so many objectives, after one in which everything is new."""
    prometheus = JoiningPrometheus(Routes(lambda: NOW))
    evaluating, wanted = collector(prometheus), objectives(count)
    state = await evaluating.evaluate(State(), wanted)
    prometheus.texts.clear()
    state = await evaluating.evaluate(state, wanted)
    assert {each.sight for each in state.readings.values()} == {Sight.CLEAR}
    assert len(state.readings) == count
    return prometheus.texts


async def test_the_number_of_requests_does_not_grow_with_the_number_of_objectives_but_with_their_letters() -> None:
    few, many = await requests_of(FEW), await requests_of(MANY)
    letters = sum(map(len, many))
    assert len(few) <= 5, "one for each round of queries, and one for each kind of them"
    assert len(many) <= len(few) + 1.2 * letters / MOST_LETTERS
    assert len(many) < MANY


async def test_no_request_is_longer_than_every_server_takes() -> None:
    assert max(map(len, await requests_of(MANY))) < 16_384


@settings(max_examples=8)
@given(
    slow=st.lists(st.tuples(st.integers(0, 900), st.integers(5, 300)), max_size=3),
    every=st.sampled_from([5, 15, 30]),
)
def test_the_judgement_is_that_of_each_objective_alone(slow: list[tuple[int, int]], every: int) -> None:
    async def live() -> None:
        now = START + timedelta(seconds=300)
        history = [Slow(300 + since, 300 + since + span) for since, span in slow]
        wanted = objectives(3)
        alone = Collector(Routes(lambda: now, *history), lambda: WallTime(now))
        shared = collector(JoiningPrometheus(Routes(lambda: now, *history)), lambda: WallTime(now))
        state_alone, state_shared = State(), State()
        for _ in range(8):
            state_alone = await alone.evaluate(state_alone, wanted)
            state_shared = await shared.evaluate(state_shared, wanted)
            assert state_shared == state_alone
            now += timedelta(seconds=every * 4)

    asyncio.run(live())


async def test_an_objective_whose_queries_have_no_answer_blinds_no_other_and_costs_more_requests_only_once() -> None:
    prometheus = JoiningPrometheus(Routes(lambda: NOW), lambda text: 'route="7"' in text)
    evaluating, wanted = collector(prometheus), objectives(20)
    state, counts = State(), []
    for _ in range(3):
        prometheus.texts.clear()
        state = await evaluating.evaluate(state, wanted)
        counts.append(len(prometheus.texts))
        assert {key for key, each in state.readings.items() if each.sight is Sight.BLIND} == {Key("latency-7")}
        assert str(state.readings[Key("latency-7")].reason) == "Prometheus: it answered 422: found duplicate series"
    assert counts[1] < counts[0]
    assert counts[2] == counts[1]
    prometheus.refuses = lambda _: False
    for _ in range(3):
        state = await evaluating.evaluate(state, wanted)
    assert state.readings[Key("latency-7")].sight is Sight.CLEAR
    prometheus.texts.clear()
    await evaluating.evaluate(state, wanted)
    assert len(prometheus.texts) < counts[2], "what has an answer again is joined again"


async def test_where_nothing_is_answered_each_objective_says_why_and_all_are_joined_again_after_that() -> None:
    def refuses(_text: str) -> bool:
        return is_away

    is_away = True
    prometheus = JoiningPrometheus(Routes(lambda: NOW), refuses)
    evaluating, wanted = collector(prometheus), objectives(20)
    state = await evaluating.evaluate(State(), wanted)
    assert {each.sight for each in state.readings.values()} == {Sight.BLIND}
    is_away = False
    state = await evaluating.evaluate(state, wanted)
    assert {each.sight for each in state.readings.values()} == {Sight.CLEAR}
    prometheus.texts.clear()
    await evaluating.evaluate(state, wanted)
    assert len(prometheus.texts) < 20


async def test_what_only_short_queries_are_answered_to_gets_shorter_ones() -> None:
    prometheus = JoiningPrometheus(Routes(lambda: NOW), lambda text: len(text) > 5000)
    evaluating, wanted = collector(prometheus), objectives(20)
    state = State()
    for _ in range(4):
        prometheus.texts.clear()
        state = await evaluating.evaluate(state, wanted)
        assert {each.sight for each in state.readings.values()} == {Sight.CLEAR}
    assert max(map(len, prometheus.texts)) <= 5000


class Slowly(JoiningPrometheus):
    """One whose answers take three seconds for each query."""

    def __init__(self) -> None:
        super().__init__(Routes(lambda: NOW))
        self.seconds = 0.0

    async def query(self, promql: str, at: object = None) -> Vector:  # noqa: ARG002
        self.seconds += 3 * max(1, promql.count("slo_query"))
        return await super().query(promql)


async def test_queries_that_take_long_are_not_joined() -> None:
    prometheus = Slowly()
    shared = SharedQueries(prometheus, clock=lambda: prometheus.seconds)
    for _ in range(2):
        prometheus.texts.clear()
        await asyncio.gather(*(shared.query(f"metric_{number}") for number in range(30)))
    assert sorted(prometheus.texts) == sorted(f"metric_{number}" for number in range(30))


async def test_many_series_are_not_joined_with_those_of_others() -> None:
    prometheus = JoiningPrometheus(WidePrometheus(1500))
    shared = SharedQueries(prometheus)
    for _ in range(2):
        prometheus.texts.clear()
        answers = await asyncio.gather(*(shared.query(f"sum by (endpoint) (metric_{number})") for number in range(3)))
        assert [len(each.samples) for each in answers] == [1500] * 3
    assert len(prometheus.texts) == 3


async def test_equal_queries_are_sent_once_and_whoever_gives_up_takes_no_answer_from_others() -> None:
    prometheus = JoiningPrometheus(Routes(lambda: NOW))
    shared = SharedQueries(prometheus)
    impatient = asyncio.create_task(shared.query("up"))
    patient = asyncio.create_task(shared.query("up"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).samples
    assert prometheus.texts == ["up"]


class Silent(MetricSource):
    """One that fails in a way that nobody expects."""

    async def query(self, promql: str, at: object = None) -> Vector:  # noqa: ARG002
        raise ZeroDivisionError

    async def query_range(self, promql: str, *when: object) -> list[Series]:  # noqa: ARG002
        raise ZeroDivisionError


async def test_whatever_is_raised_reaches_whoever_wanted_the_answer() -> None:
    shared = SharedQueries(Silent())
    results = await asyncio.gather(shared.query("a"), shared.query("b"), return_exceptions=True)
    assert [type(each) for each in results] == [ZeroDivisionError] * 2


class Lying(MetricSource):
    """One that answers a joined query with series of none of its queries."""

    async def query(self, promql: str, at: object = None) -> Vector:  # noqa: ARG002
        if "slo_query" in promql:
            return Vector((Sample({"slo_query": "99"}, 1.0),), None)
        return Vector((Sample({"of": promql}, 1.0),), None)

    async def query_range(self, promql: str, *when: object) -> list[Series]:  # noqa: ARG002
        raise MetricSourceError("it has none")


@pytest.mark.parametrize("count", [2, 9])
async def test_an_answer_that_cannot_be_taken_apart_is_none(count: int) -> None:
    shared = SharedQueries(Lying())
    answers = await asyncio.gather(*(shared.query(f"metric_{number}") for number in range(count)))
    assert [each.samples[0].labels["of"] for each in answers] == [f"metric_{number}" for number in range(count)]


async def test_queries_of_many_label_sets_are_sent_alone_from_the_first_evaluation_on() -> None:
    prometheus = JoiningPrometheus(WidePrometheus(5000))
    found = await collector(prometheus).evaluate(State(), Objectives.only(replace(LATENCY, by=("endpoint",))))
    assert len(found.readings) == 5000
    together = [each for each in prometheus.texts if "slo_query" in each]
    assert all(each.count("sum by (endpoint") <= 1 for each in together)


async def test_of_wide_queries_a_few_are_sent_at_once_so_that_they_are_not_late_together() -> None:
    class Counting(WidePrometheus):
        """A Prometheus that counts what it works on at the same time."""

        now, most = 0, 0

        async def query(self, promql: str, at: datetime | None = None) -> Vector:
            self.now += 1
            self.most = max(self.most, self.now)
            found = await super().query(promql, at)
            self.now -= 1
            return found

    prometheus = Counting(5000)
    shared = SharedQueries(prometheus)
    await shared.query("sum by (endpoint) (first)")
    answers = await asyncio.gather(*(shared.query(f"sum by (endpoint) (metric_{n})") for n in range(12)))
    assert [len(each.samples) for each in answers] == [5000] * 12
    assert prometheus.most == WIDE_AT_ONCE
