"""Joined queries on the real Prometheus: each objective is judged as by its own queries, whatever happened."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.support.real.history import Chapter, History
from tests.support.real.prometheus import Prometheus, scraping
from tests.support.scene import LATENCY
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.shared_queries import SharedQueries
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.objectives.selector import comparison_of
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource, Series, Vector

BEGINS = datetime(2026, 10, 1, tzinfo=UTC)
LASTS = timedelta(minutes=24)
JOBS = ("shop", "mail", "cart")
TICKS, EVERY = 7, timedelta(seconds=90)


class AsOf(MetricSource):
    """A source as it was at an instant."""

    def __init__(self, source: MetricSource) -> None:
        self._source = source
        self.at = BEGINS

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        return await self._source.query(promql, at or self.at)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        return await self._source.query_range(promql, start, end, step)


def past(job: str, chance: random.Random) -> History:
    """What a job lived through, between the tenth minute and the end: some of it slow, failed, down or away."""
    chapters = []
    for minute in range(11, 24, 4):
        since = timedelta(minutes=minute, seconds=chance.randrange(60))
        until = since + timedelta(seconds=chance.choice([10, 40, 120]))
        what = chance.choice([{"slow": 0.5}, {"failed": 0.4, "endpoint": "/sleep"}, {"rate": 0.0}, {"is_down": True}])
        chapters.append(Chapter(since=since, until=until, **what))  # type: ignore[arg-type]
    phase = timedelta(milliseconds=chance.randrange(5000))
    return History(begins_at=BEGINS, duration=LASTS, chapters=tuple(chapters), phase=phase, job=job)


def objectives() -> Objectives:
    """Each kind for each job, and one with label sets."""
    found: list[Objective] = []
    for job in JOBS:
        of_job = f'responses_total{{job="{job}"'
        latency = replace(
            LATENCY,
            job=job,
            name=f"{job}-latency",
            source=Latency("request_latency_seconds", 1.0, oldest_age="oldest_request_age_seconds", clear_seconds=0.75),
        ).with_usual_burns
        errors = Ratio((f'{of_job}, status=~"5.."}}',), (f"{of_job}}}",))
        calls = SlowOrFailed("request_latency_seconds", 1.0)
        age = Gauge(comparison_of(f'oldest_request_age_seconds{{job="{job}"}} < 3'))
        found += [
            latency,
            replace(latency, name=f"{job}-endpoints", by=("endpoint",)),
            replace(latency, name=f"{job}-errors", source=errors, by=("endpoint",)),
            replace(latency, name=f"{job}-calls", source=calls),
            replace(latency, name=f"{job}-age", source=age, least_events=1),
            replace(latency, name=f"{job}-up", source=Up()),
        ]
    return Objectives(tuple(found))


@pytest.fixture
async def prometheus(tmp_path: Path) -> AsyncIterator[Prometheus]:
    for number, job in enumerate(JOBS):
        past(job, random.Random(number)).write(tmp_path / "data")
    server = Prometheus(tmp_path, scraping("127.0.0.1:9"), retention="100y")
    await server.start()
    yield server
    await server.kill()


async def test_each_objective_is_judged_as_by_its_own_queries(prometheus: Prometheus) -> None:
    requests = {"alone": 0, "shared": 0}

    def client(session: aiohttp.ClientSession, kind: str) -> AsOf:
        def count(outcome: str) -> None:
            assert outcome == "answered"
            requests[kind] += 1

        return AsOf(PrometheusClient(session, prometheus.url, {}, on_query=count))

    async with aiohttp.ClientSession() as session:
        sources = {kind: client(session, kind) for kind in requests}
        now = BEGINS + timedelta(minutes=10)
        collectors = {
            "alone": Collector(sources["alone"], lambda: WallTime(now)),
            "shared": Collector(SharedQueries(sources["shared"], clock=lambda: 0.0), lambda: WallTime(now)),
        }
        states, wanted, opened = dict.fromkeys(requests, State()), objectives(), set()
        for _ in range(TICKS):
            now += EVERY
            for kind, collector in collectors.items():
                sources[kind].at = now
                states[kind] = await collector.evaluate(states[kind], wanted)
            assert states["shared"] == states["alone"]
            opened |= {each.key.objective for each in states["alone"].open_incidents}
    assert len(opened) >= 5, "a past in which nothing happened proves nothing"
    assert requests["shared"] < requests["alone"] / 8
