"""A Prometheus that knows one service by many label sets."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from tests.support.fakes.prometheus_canned import CannedPrometheus
from tests.support.scene import START
from wine_slo.slo.source.metric_source import Sample, Series, Vector


class WidePrometheus(CannedPrometheus):
    """A Prometheus with so many label sets, each with a target of its own."""

    def __init__(self, count: int) -> None:
        super().__init__(lambda: START + timedelta(hours=1))
        self._count = count

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        requested = promql.replace(" by (endpoint)", "").replace("by (le, endpoint)", "by (le)")
        found = await super().query(requested, at)
        return await asyncio.to_thread(self._widened, found)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        (found,) = await super().query_range(promql.replace(" by (endpoint)", ""), start, end, step)
        return [replace(found, labels={"endpoint": f"/{n}"}) for n in range(self._count)]

    def _widened(self, found: Vector) -> Vector:
        labels = [{"job": "wine-slo", "endpoint": f"/{n}"} for n in range(self._count)]
        return replace(found, samples=tuple(Sample(each, found.samples[0].value) for each in labels))
