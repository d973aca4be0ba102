"""What only Prometheus knows of `slo.yml`: how often it scrapes, by its own word or by counting."""

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback
from tests.support.scene import AVAILABILITY, ERRORS, LATENCY
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.monitor.evaluate.objective_checks import ObjectiveChecker, ObjectiveMistake, bounds_in, no_bound
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Vector

ALL = Objectives.only(LATENCY, ERRORS, AVAILABILITY)
THIRTY = (
    "is 5s, but wine-slo is scraped every 30s: write scrape_interval: 30s, as everything is judged interval by interval"
)


def target(**more: object) -> dict[str, object]:
    return {"labels": {"job": "wine-slo"}, "health": "up", "scrapeUrl": "http://a/metrics", **more}


class Source:
    """Prometheus, or what speaks its API, with what it says of its targets and the scrapes of ten minutes."""

    def __init__(self) -> None:
        self.targets: list[dict[str, object]] | None = None
        self.scrapes: float | None = None
        self._server = Loopback(self._answer)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/api/v1/targets" and self.targets is not None:
            return web.json_response({"status": "success", "data": {"activeTargets": self.targets}})
        if request.path != "/api/v1/query":
            return web.Response(status=404, text="404 page not found")
        samples = [] if self.scrapes is None else [{"metric": {}, "value": [1.0, str(600 / self.scrapes)]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": samples}})

    async def said(self) -> list[ObjectiveMistake]:
        await self._server.open()
        async with aiohttp.ClientSession() as session:
            checker = ObjectiveChecker(
                PrometheusClient(session, self._server.url, {}), PrometheusFacts(session, self._server.url, {})
            )
            return await checker.intervals(ALL)

    async def close(self) -> None:
        await self._server.close()


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    source = Source()
    yield source
    await source.close()


@pytest.mark.parametrize(
    "interval",
    [
        pytest.param({"scrapeInterval": "30s"}, id="as Prometheus says it"),
        pytest.param({"discoveredLabels": {"__scrape_interval__": "30s"}}, id="as VictoriaMetrics says it"),
    ],
)
async def test_an_interval_that_is_not_that_of_the_targets_is_reported_once_for_the_job(
    source: Source, interval: dict[str, object]
) -> None:
    source.targets = [target(**interval)] * 3
    assert [each.sentence for each in await source.said()] == [THIRTY]


@pytest.mark.parametrize("targets", [None, [], [target()]], ids=["no such page", "no targets", "no interval"])
async def test_where_targets_do_not_say_it_is_measured(source: Source, targets: list[dict[str, object]] | None) -> None:
    source.targets, source.scrapes = targets, 20
    assert [(each.field, each.sentence) for each in await source.said()] == [("scrape_interval", THIRTY)]


@pytest.mark.parametrize("scrapes", [120, 119, 100, 0.001])
async def test_the_right_interval_some_scrapes_that_are_missing_and_a_young_job_are_no_mistake(
    source: Source, scrapes: float
) -> None:
    source.scrapes = scrapes
    assert await source.said() == []


async def test_the_right_interval_by_the_targets_own_word_is_no_mistake(source: Source) -> None:
    source.targets, source.scrapes = [target(scrapeInterval="5s")], 20
    assert await source.said() == []


def test_labels_that_are_no_bounds_are_no_bounds() -> None:
    labels = ["1", "0.5", "+Inf", "abc", "NaN", "", "1.0"]
    found = Vector(tuple(Sample({"le": each}, 1.0) for each in labels), None)
    assert bounds_in(Vector((*found.samples, Sample({}, 1.0)), None)) == [0.5, 1.0, float("inf")]


def test_a_threshold_above_the_highest_bound_is_reported_though_nothing_says_inf() -> None:
    assert no_bound(3.0, [0.5, 1.0]).startswith("is 3 s, above the highest bucket bound, 1 s")


def test_a_histogram_without_bounds_is_called_that() -> None:
    assert no_bound(timedelta(seconds=1).total_seconds(), [float("inf")]) == (
        "is 1 s, and no bucket but +Inf has a bound: nothing is known of how long requests take"
    )


async def test_while_a_job_has_no_targets_yet_nothing_is_known_of_their_interval(source: Source) -> None:
    source.targets = []
    with pytest.raises(MetricSourceError, match="not scraped wine-slo often enough"):
        await source.said()
