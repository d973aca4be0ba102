"""A watchdog that evaluates live, with which a replay of the same past is compared."""

from datetime import UTC, datetime, timedelta

import pytest

from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.monitor.replay.story import Alarm
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.schedule import SETTLES_IN, next_evaluation_at
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import MetricSource, Vector

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
POLL = timedelta(seconds=30)
Delivery = tuple[object, ...]


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


class Shifted(PrometheusClient):
    """Answers as if the present were another."""

    clock = Clock()

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        return await super().query(promql, at or self.clock())


async def live(
    api: MetricSource, clock: Clock, objectives: Objectives, since: datetime, until: datetime
) -> tuple[dict[tuple[int, int], Delivery], int]:
    """What a watchdog notifies of that evaluates as `Ticker` has it: each poll, and soon where it is suspicious."""
    collector, state, evaluations = Collector(api, lambda: WallTime(clock())), State(), 0
    delivered: dict[tuple[int, int], Delivery] = {}
    quick: datetime | None
    tick, quick = since, None
    while (now := tick if quick is None else min(tick, quick)) <= until:
        tick, quick = tick + POLL if now == tick else tick, None if now == quick else quick
        clock.now = now
        state = await collector.evaluate(state, objectives)
        evaluations += 1
        for number, each in state.incidents.items():
            delivered[number, each.openings] = (
                str(each.key), each.since, each.opened_at, each.last_bad_at, each.closed_at, each.outcome,
                each.worst and pytest.approx(each.worst), pytest.approx(each.bad), pytest.approx(each.total),
                each.bounds, str(each.reason) if each.key.is_own else "",
            )  # fmt: skip
        soon = next_evaluation_at(state, objectives)
        quick = quick if soon is None else max(soon, now) + SETTLES_IN
    return delivered, evaluations


def delivery_of(alarm: Alarm) -> Delivery:
    return (
        str(alarm.key), alarm.began_at, alarm.notified_at, alarm.last_bad_at, alarm.ended_at, alarm.outcome,
        alarm.worst, alarm.bad, alarm.total, alarm.bounds, alarm.reason,
    )  # fmt: skip


def place(alarm: Alarm) -> tuple[int, datetime]:
    return alarm.number, alarm.notified_at
