"""What is found of series, versions and starts on the real Prometheus, which is its own service here."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.support.real.history import write_blocks
from tests.support.real.prometheus import Prometheus
from tests.support.scene import LATENCY
from wine_slo.config.slo_file import parse
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.evaluate.objective_checks import check_objectives, doubts_of
from wine_slo.slo.objectives import promql
from wine_slo.slo.source.metric_source import MetricSource

REQUESTS = "prometheus_http_requests_total"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[MetricSource]:
    prometheus = Prometheus(tmp_path / "prometheus", {})
    jobs = [{"job_name": "self", "static_configs": [{"targets": [f"127.0.0.1:{prometheus.port}"]}]}]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
    (prometheus.folder / "prometheus.yml").write_text(json.dumps(config))  # which is YAML too
    await prometheus.start()
    await prometheus.until(f'count_over_time({REQUESTS}{{job="self", handler="/-/ready", code="200"}}[1m]) > 2')
    async with aiohttp.ClientSession() as session:
        yield PrometheusClient(session, prometheus.url, {})
    await prometheus.kill()


async def test_what_can_never_be_counted_is_distinguished_from_what_never_happened(api: MetricSource) -> None:
    selectors = ('code=~"41."', 'code="5xx"', 'status=~"5.."', 'code=~"41.", handler="/nowhere"')
    entries = "\n".join(
        f"  - {{name: of{number}, kind: ratio, objective: 0.99, bad: '{REQUESTS}{{{each}}}', total: {REQUESTS}}}"
        for number, each in enumerate(selectors)
    )
    objectives = parse(f"job: self\nobjectives:\n{entries}\n").objectives()
    found = {each.objective: each for each in await check_objectives(api, objectives)}
    assert {name: each.is_usual for name, each in found.items()} == {
        "of0": True, "of1": False, "of2": False, "of3": True,
    }  # fmt: skip
    assert 'it has code="5xx", and code is 200' in found["of1"].sentence
    assert "it names the label status, which these series do not have: code, handler" in found["of2"].sentence


async def test_labels_that_no_series_has_are_a_mistake_of_by_and_of_breakdown(api: MetricSource) -> None:
    ratio = f"kind: ratio, objective: 0.9, bad: '{REQUESTS}{{code=\"500\"}}', total: {REQUESTS}"
    entries = (
        f"  - {{name: a, {ratio}, by: [handler, code]}}\n  - {{name: b, {ratio}, by: [path], breakdown: [route]}}\n"
    )
    objectives = parse(f"job: self\nscrape_interval: 1s\nobjectives:\n{entries}").objectives()
    found = [each for each in await check_objectives(api, objectives) if not each.is_usual]
    assert [(each.objective, each.field, each.sentence.partition(",")[0]) for each in found] == [
        ("b", "by", "names the label path"),
        ("b", "breakdown", "names the label route"),
    ]


async def test_the_version_and_the_start_of_a_service_are_found_by_themselves(api: MetricSource) -> None:
    ratio = f"kind: ratio, objective: 0.9, bad: up, total: {REQUESTS}"
    text = f"job: self\nscrape_interval: 1s\nobjectives:\n  - {{name: a, {ratio}}}\n"
    (objective,) = parse(text).objectives().all
    query = promql.scrapes_unanswered(objective)
    assert query is not None
    (found,) = (await api.query(query)).samples
    assert (found.labels, found.value) == ({}, 0)


async def test_the_scrapes_that_the_best_target_left_unanswered_are_those_of_one_that_has_been_there_for_long(
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)

    def up(labels: str, count: int, missed: Callable[[int], bool], every: int = 5, until: int = 2) -> list[str]:
        at = [(now - timedelta(seconds=until + every * number)).timestamp() for number in range(count)]
        return [f"up{{{labels}}} {int(not missed(number))} {each:.0f}" for number, each in reversed([*enumerate(at)])]

    series = (
        *up('job="joined",instance="new"', 10, lambda _: False),
        *up('job="joined",instance="old"', 200, lambda number: number % 2 == 0),
        *up('job="joined",instance="older"', 200, lambda number: number % 4 != 0),
        *up('job="joined",instance="vanished"', 200, lambda _: False, until=400),
        *up('job="restarted",instance="new"', 10, lambda _: False),
        *up('job="restarted",instance="old"', 50, lambda number: number % 2 == 0),
        *up('job="young",instance="new"', 10, lambda number: number < 3),
        *up('job="young",instance="other"', 10, lambda number: number < 4),
        *up('job="uneven",instance="quick"', 1000, lambda number: number < 40, every=1),
        *up('job="uneven",instance="slow"', 200, lambda _: True),
    )
    prometheus = Prometheus(tmp_path / "prometheus", {})
    write_blocks("\n".join(["# TYPE up gauge", *series, "# EOF\n"]), prometheus.folder / "data")
    await prometheus.start()
    found = {}
    async with aiohttp.ClientSession() as session:
        for job in ("joined", "restarted", "young", "uneven"):
            query = promql.scrapes_unanswered(replace(LATENCY, job=job))
            assert query is not None
            (sample,) = (await PrometheusClient(session, prometheus.url, {}).query(query, now)).samples
            found[job] = round(sample.value)
    await prometheus.kill()
    assert found == {"joined": 32, "restarted": 25, "young": 3, "uneven": 8}


async def test_what_was_there_of_late_is_no_mistake_while_a_service_that_was_started_again_has_no_requests(
    tmp_path: Path,
) -> None:
    now = datetime.now(UTC)

    def lines(name: str, labels: str, first: float, last: float) -> list[str]:
        ago = range(round(first * 3600), round(last * 3600), -60)
        return [f"# TYPE {name} unknown", *(f"{name}{{{labels}}} 1 {now.timestamp() - each:.0f}" for each in ago)]

    series = (
        *lines("up", 'job="shop"', 70, 0.0),
        *lines("weekday_total", 'job="shop"', 70, 62),
        *lines("weekday_seconds_bucket", 'job="shop",le="1.0"', 70, 62),
        *lines("renamed_requests_total", 'job="shop"', 70, 1.5),
        *lines("renamed_request_total", 'job="shop"', 1.5, 0.0),
    )
    prometheus = Prometheus(tmp_path / "prometheus", {})
    write_blocks("\n".join([*series, "# EOF\n"]), prometheus.folder / "data")
    await prometheus.start()
    ratio = "kind: ratio, objective: 0.99, bad"
    entries = (
        f"  - {{name: quiet, {ratio}: weekday_failed_total, total: weekday_total}}\n"
        "  - {name: slow, kind: latency, histogram: weekday_seconds, threshold: 1s, objective: 0.9}\n"
        f"  - {{name: renamed, {ratio}: renamed_failed_total, total: renamed_requests_total}}\n"
        f"  - {{name: never, {ratio}: never_failed_total, total: never_total}}\n"
    )
    async with aiohttp.ClientSession() as session:
        objectives = parse(f"job: shop\nobjectives:\n{entries}").objectives()
        found = await check_objectives(PrometheusClient(session, prometheus.url, {}), objectives)
    await prometheus.kill()
    assert {each.objective for each in found if not each.is_settled} == {"quiet", "slow", "renamed", "never"}
    doubts = doubts_of(found)
    assert doubts["renamed"].startswith(
        "total matches no series that Prometheus knows; the nearest name is renamed_requ"
    )
    assert doubts["never"] == "total matches no series that Prometheus knows"
    assert [*doubts] == ["renamed", "never"]
