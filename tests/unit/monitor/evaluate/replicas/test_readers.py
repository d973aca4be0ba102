"""Replicas that are slow or away: an evaluation waits for a slow one once, and what else is queried finds an answer."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from wine_slo.monitor.evaluate.queries.reader import Reader
from wine_slo.monitor.evaluate.replicas.readers import Readers
from wine_slo.monitor.evaluate.replicas.source import ReplicaInfo, Replicas
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Reading, Sight, without_data
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.replicas.view import View
from wine_slo.slo.source.clocks import SourceTime
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Sample, Series, Target, Vector

NOW = SourceTime(datetime(2026, 1, 1, tzinfo=UTC))
UP = Objective(name="up", title="Availability", job="shop", source=Up(), ratio=0.99)
KEY = Key("up")
A, B = "a:9090", "b:9090"


class Source(MetricSource):
    """Answers at once, never, or with an error."""

    def __init__(
        self, error: MetricSourceError | None = None, *, is_hanging: bool = False, is_empty: bool = False
    ) -> None:
        self.error = error
        self.is_empty = is_empty
        self.is_hanging = is_hanging
        self.queried = 0

    async def query(self, promql: str, at: datetime | None = None) -> Vector:  # noqa: ARG002
        self.queried += 1
        if self.is_hanging:
            await asyncio.get_running_loop().create_future()
        if self.error is not None:
            raise self.error
        return Vector(() if self.is_empty else (Sample({}, 1.0),), NOW)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:  # noqa: ARG002
        await self.query(promql, end)
        return [] if self.is_empty else [Series({}, {})]


class FakeReader(Reader):
    """Sees clearly as soon as its source answers."""

    def __init__(self, api: MetricSource) -> None:
        self.source = api

    async def read(self, objective: Objective, state: State) -> View:  # noqa: ARG002
        try:
            await self.source.query(objective.name)
        except MetricSourceError as error:
            return View({KEY: without_data(NOW, Sight.BLIND, error.reason)})
        return View({KEY: Reading(at=NOW, sight=Sight.CLEAR)})


class Counts(list[tuple[str, str]]):
    def __call__(self, what: str, name: str) -> None:
        self.append((what, name))


async def test_a_replica_that_hangs_is_waited_for_once_and_used_again_after_it_has_answered() -> None:
    first, second, counts = Source(), Source(), Counts()
    api = Replicas({A: first, B: second}, counts)
    readers = Readers(api, FakeReader, lambda: NOW)
    loop, objectives = asyncio.get_running_loop(), Objectives.only(UP)

    async def seconds() -> float:
        began = loop.time()
        readings, _ = await readers.read(State(), objectives)
        assert readings[KEY].sight is Sight.CLEAR
        return loop.time() - began

    assert await seconds() < 0.5
    first.is_hanging = True
    assert 1.9 < await seconds() < 3
    assert await seconds() < 0.5
    assert first.queried == 2  # the second of these is still being answered
    (state, _) = readers.replica_states(objectives)
    assert (state.is_used, str(state.reason)) == (False, "it did not answer in time")
    assert counts == [("switched_to", B)]
    await api.query("vector(1)")
    assert first.queried == 2  # whatever else is queried goes where it is judged by


async def test_what_else_is_queried_is_answered_by_the_next_replica_and_by_that_one_from_then_on() -> None:
    first, second = Source(MetricSourceError("it is away")), Source()
    api = Replicas({A: first, B: second})
    assert (await api.query("up")).at == NOW
    assert await api.query_range("up", NOW, NOW, timedelta(seconds=5))
    assert (first.queried, second.queried) == (1, 2)


async def test_what_one_replica_has_nothing_of_is_queried_from_the_next_one_where_that_answers() -> None:
    first, second, away = Source(is_empty=True), Source(), Source(MetricSourceError("it is away"))
    assert (await Replicas({A: first, B: second}).query("up")).samples
    assert await Replicas({A: first, B: second}).query_range("up", NOW, NOW, timedelta(seconds=5))
    api = Replicas({A: away, B: first})
    assert not (await api.query("up")).samples
    assert not (await api.query("up")).samples
    assert away.queried == 1


async def test_a_query_that_is_wrong_is_not_sent_to_every_replica() -> None:
    first, second = Source(MetricSourceError("it answered 400", is_refused=True)), Source()
    with pytest.raises(MetricSourceError, match="400"):
        await Replicas({A: first, B: second}).query("up{")
    assert second.queried == 0


async def test_where_no_replica_answers_the_last_one_says_why() -> None:
    away = {name: Source(MetricSourceError(f"{name} is away")) for name in (A, B)}
    with pytest.raises(MetricSourceError, match="b:9090 is away"):
        await Replicas(away).query("up")


class Info:
    """Describes a source, or never does."""

    def __init__(self, server: str | None, targets: list[Target] | None = None, *, is_hanging: bool = False) -> None:
        self._server, self._targets, self._is_hanging = server, targets, is_hanging

    async def server(self) -> str | None:
        if self._is_hanging:
            await asyncio.get_running_loop().create_future()
        return self._server

    async def retention(self) -> timedelta | None:
        return None

    async def targets(self) -> list[Target] | None:
        if self._is_hanging:
            await asyncio.get_running_loop().create_future()
        return self._targets


async def test_what_replicas_say_of_themselves_is_what_the_first_one_says_that_answers() -> None:
    infos = [Info("Prometheus 2", is_hanging=True), Info(None), Info("Prometheus 3")]
    assert await ReplicaInfo(infos).server() == "Prometheus 3"
    assert await ReplicaInfo(infos[1:]).targets() is None


async def test_targets_are_those_of_all_replicas_that_answer_as_each_may_scrape_at_another_interval() -> None:
    often, seldom = (
        [Target("shop", "http://shop/metrics", is_up=True, trouble="", interval=timedelta(seconds=each))]
        for each in (1, 5)
    )
    infos = [Info("a", is_hanging=True), Info("b", often), Info(None), Info("c", seldom)]
    assert await ReplicaInfo(infos).targets() == often + seldom
