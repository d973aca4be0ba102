"""A Prometheus that knows one service: ten requests a second, slow ones from one second to another.

It answers without a server, so a test can live through hours and any number of lives of a watchdog in no time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.support.scene import LATENCY, START
from wine_slo.metric_names import ENDPOINT
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import SourceTime
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Vector

OBJECTIVES = Objectives.only(LATENCY)
PER_SECOND = 10.0  # requests


@dataclass(frozen=True)
class Slow:
    """From when to when the service is slow, in seconds after `START`."""

    since: float
    until: float

    def covers(self, at: float) -> bool:
        return self.since < at <= self.until


class CannedPrometheus:
    """The fake; each answer takes one turn of the loop."""

    def __init__(self, clock: Callable[[], datetime], *slow: Slow) -> None:
        self.is_away = False
        self._clock = clock
        self._slow = slow
        every = timedelta(minutes=1)
        self._answers: dict[str | None, Callable[[float], float]] = {
            promql.targets_up(LATENCY): lambda _: 1.0,
            promql.targets_scraped_at(LATENCY): lambda second: START.timestamp() + second - second % 5,
            promql.seconds_of_history(LATENCY): lambda _: 86400.0,
            promql.events(LATENCY, LATENCY.window): lambda _: 86400 * PER_SECOND,
            promql.events(LATENCY, LATENCY.expires_after): lambda _: 1800 * PER_SECOND,
            promql.events(LATENCY, LATENCY.over): lambda _: 300 * PER_SECOND,
            promql.quantile(LATENCY, LATENCY.over): self._seconds,
            promql.quantile(LATENCY, LATENCY.good_for): self._seconds,
            promql.quantile_by_endpoint(LATENCY, every): self._seconds,
            promql.total_per_interval(LATENCY): lambda _: PER_SECOND,
            promql.good_per_interval(LATENCY): lambda second: 0.0 if self._is_slow(second) else PER_SECOND,
        }

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        await self._think()
        now = at or self._clock()
        second = (now - START).total_seconds()
        value = self._answers[promql](second) if promql in self._answers else 0.999  # all else is a share of good ones
        labels = {"job": LATENCY.job, ENDPOINT: "/predict"}
        return Vector((Sample(labels, value),), SourceTime(now))

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        await self._think()
        answer = self._answers[promql]
        instants = [start + number * step for number in range((end - start) // step + 1)]
        return [Series({}, {each.timestamp(): answer((each - START).total_seconds()) for each in instants})]

    async def _think(self) -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise MetricSourceError("it cannot be reached")

    def _is_slow(self, second: float) -> bool:
        return any(each.covers(second) for each in self._slow)

    def _seconds(self, second: float) -> float:
        """Seconds that a request takes; the longer it is slow, the slower."""
        ages = [second - each.since for each in self._slow if each.covers(second)]
        return 2.0 + ages[0] / 100 if ages else 0.05
