"""How often a job is scraped: by the word of a source that lists its targets, else by its samples."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback
from tests.support.fakes.service import Service
from tests.support.real.prometheus import Prometheus
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, scrape_intervals
from wine_slo.slo.objectives.scope import Scope


def target(**more: object) -> dict[str, object]:
    return {"labels": {"job": "wine-slo"}, "health": "up", "scrapeUrl": "http://a/metrics", **more}


class Source:
    """Prometheus, or what speaks its API, with what it says of its targets and how far apart it finds the samples."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.targets: list[dict[str, object]] | None = None
        self.apart: float | None = None
        self.server = Loopback(self._answer)
        self._session = session

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/api/v1/targets" and self.targets is not None:
            return web.json_response({"status": "success", "data": {"activeTargets": self.targets}})
        if request.path != "/api/v1/query":
            return web.Response(status=404, text="404 page not found")
        samples = [] if self.apart is None else [{"metric": {}, "value": [1.0, str(self.apart)]}]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": samples}})

    async def found(self) -> ScrapeInterval | None:
        api = PrometheusClient(self._session, self.server.url, {})
        info = PrometheusFacts(self._session, self.server.url, {})
        return (await scrape_intervals([Scope.of_jobs("wine-slo")], api, info)).get("wine-slo")


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with aiohttp.ClientSession() as session:
        source = Source(session)
        await source.server.open()
        yield source
        await source.server.close()


def listed(seconds: float) -> ScrapeInterval:
    return ScrapeInterval(timedelta(seconds=seconds))


def measured(seconds: float) -> ScrapeInterval:
    return ScrapeInterval(timedelta(seconds=seconds), is_measured=True)


@pytest.mark.parametrize(
    "interval",
    [
        pytest.param({"scrapeInterval": "30s"}, id="as Prometheus says it"),
        pytest.param({"discoveredLabels": {"__scrape_interval__": "30s"}}, id="as VictoriaMetrics says it"),
    ],
)
async def test_it_is_that_of_the_targets(source: Source, interval: dict[str, object]) -> None:
    source.targets, source.apart = [target(**interval)] * 3, 5.0
    assert await source.found() == listed(30)


async def test_of_targets_that_differ_it_is_that_of_the_slowest_so_that_none_of_them_is_left_out(
    source: Source,
) -> None:
    source.targets = [target(scrapeInterval=each) for each in ("5s", "1m", "15s")]
    assert await source.found() == listed(60)


@pytest.mark.parametrize("targets", [None, [], [target()]], ids=["no such page", "no targets", "no interval"])
async def test_where_targets_do_not_say_it_is_measured(source: Source, targets: list[dict[str, object]] | None) -> None:
    source.targets, source.apart = targets, 30.0
    assert await source.found() == measured(30)


@pytest.mark.parametrize(
    ("apart", "seconds"),
    [
        pytest.param(5.4, 5, id="a scrape that is missing"),
        pytest.param(66.7, 60, id="one too many"),
        pytest.param(14.9, 15, id="jitter"),
        pytest.param(7.0, 7, id="an unusual one"),
        pytest.param(0.5, 0.5, id="less than a second"),
    ],
)
async def test_what_is_measured_is_the_usual_interval_nearby(source: Source, apart: float, seconds: float) -> None:
    source.apart = apart
    assert await source.found() == measured(seconds)


@pytest.mark.parametrize("apart", [None, 0.0, -5.0, 1e9, 0.0001])
async def test_what_cannot_be_is_not_known(source: Source, apart: float | None) -> None:
    source.apart = apart
    assert await source.found() is None


@pytest.mark.parametrize(
    ("real", "written", "differs"),
    [
        (listed(30), 30, False),
        (listed(30), 29, False),
        (listed(30), 15, True),
        (listed(5), 6, True),
        (measured(7), 5, False),
        (measured(30), 15, True),
        (measured(5), 15, True),
    ],
)
def test_a_few_scrapes_that_are_missing_are_no_other_interval(
    real: ScrapeInterval, written: float, *, differs: bool
) -> None:
    assert real.differs_from(timedelta(seconds=written)) is differs


class OnlyQueries(PrometheusFacts):
    """As another server that has no targets of its own."""

    async def targets(self) -> None:
        return None


async def test_the_real_prometheus_says_it_and_its_samples_say_the_same_a_little_later(
    service: Service, tmp_path: Path
) -> None:
    every = {"slow": "3s", "quick": "1s"}
    jobs = [
        {
            "job_name": name,
            "scrape_interval": interval,
            "scrape_timeout": "1s",
            "static_configs": [{"targets": [service.target]}],
        }
        for name, interval in every.items()
    ]
    prometheus = Prometheus(tmp_path / "prometheus", {"scrape_configs": jobs})
    await prometheus.start()
    async with aiohttp.ClientSession() as session:
        api = PrometheusClient(session, prometheus.url, {})
        info, silent = PrometheusFacts(session, prometheus.url, {}), OnlyQueries(session, prometheus.url, {})
        jobs_wanted = [Scope.of_jobs(each) for each in (*every, "nobody")]
        await prometheus.until('count_over_time(up{job="quick"}[1m]) == 2')
        assert await scrape_intervals(jobs_wanted, api, silent) == {}
        assert await scrape_intervals(jobs_wanted, api, info) == {"slow": listed(3), "quick": listed(1)}
        await prometheus.until('count_over_time(up{job="slow"}[1m]) == 5')
        assert await scrape_intervals(jobs_wanted, api, silent) == {"slow": measured(3), "quick": measured(1)}
        then = datetime.now(UTC)
        assert await scrape_intervals(jobs_wanted, api, info, then) == {"slow": measured(3), "quick": measured(1)}
    await prometheus.kill()
