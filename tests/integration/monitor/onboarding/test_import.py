"""Imported objectives on the real Prometheus: one of each shape is judged, with the numbers that the service has."""

from collections.abc import AsyncIterator
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from typer.testing import CliRunner

from tests.support.fakes.loopback import Loopback
from tests.support.real.prometheus import Prometheus, scraping
from wine_slo.cli import app
from wine_slo.config import slo_file
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.monitor.commands.check import CheckReport, check
from wine_slo.monitor.evaluate.live_objectives import at_real_intervals
from wine_slo.monitor.onboarding.importing.imported import import_texts
from wine_slo.monitor.onboarding.importing.report import slo_yaml
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.views.status_schema import Judgement

SCRAPES = 12
SHOP = 'job="wine-slo"'
SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: events
    objective: 95
    sli:
      events:
        error_query: sum(rate(done_total{job="wine-slo", code=~"5.."}[{{.window}}])) OR on() vector(0)
        total_query: sum(rate(done_total{job="wine-slo"}[{{.window}}]))
  - name: slow
    objective: 60
    sli:
      raw:
        error_ratio_query: |
          1 - (sum(rate(took_seconds_bucket{job="wine-slo", le="0.3"}[{{.window}}]))
               / sum(rate(took_seconds_count{job="wine-slo"}[{{.window}}])))
  - name: short-queue
    objective: 90
    sli:
      events:
        error_query: sum_over_time((count(queue_length > 100))[{{.window}}:]) OR on() vector(0)
        total_query: sum_over_time((count(queue_length))[{{.window}}:])
"""
PYRRA = """\
kind: ServiceLevelObjective
metadata: {name: by-path}
spec:
  target: "95"
  window: 2w
  indicator:
    ratio:
      errors: {metric: 'done_total{code="500"}'}
      total: {metric: done_total}
      grouping: [path]
---
kind: ServiceLevelObjective
metadata: {name: slow-or-failed}
spec:
  target: "40"
  window: 4w
  indicator:
    latency:
      success: {metric: 'answer_milliseconds_bucket{job="wine-slo", le="300", code="200"}'}
      total: {metric: 'answer_milliseconds_count{job="wine-slo"}'}
---
kind: ServiceLevelObjective
metadata: {name: probe}
spec: {target: "99", window: 7d, indicator: {bool_gauge: {metric: probe_success, grouping: [instance]}}}
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: good-of-total}
spec:
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2024-01-01 00:00:00, timeZone: Europe/Berlin}}]
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {spec: {query: 'sum(done_total{code="200"}) + sum(other_total)'}}}
        total: {metricSource: {spec: {query: 'sum(done_total) + sum(other_total)'}}}
  objectives: [{target: 0.7}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: temperature}
spec:
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: temperature}}}}}
  objectives: [{target: 0.9, op: lt, value: 20}]
"""
RULES = """\
groups:
  - name: shop
    rules:
      - {alert: TargetDown, expr: 'up{job=~"wine-.*"} == 0'}
      - {alert: BackupOld, expr: 'time() - backup_done_timestamp_seconds > 3600'}
      - alert: SlowHalf
        expr: histogram_quantile(0.5, sum by (le) (rate(took_seconds_bucket{job="wine-slo"}[5m]))) > 0.3
"""
BAD = {
    "events": 0.1, "slow": 0.25, "short-queue": 0, "by-path": 0.1, "slow-or-failed": 0.5, "probe": 0,
    "good-of-total": 0.05, "temperature": 1, "target-down": 0, "backup-old": 0, "slow-half": 0.25,
}  # the share that is bad, of each objective  # fmt: skip
TOO_BAD = {"events", "by-path", "temperature"}  # those of which that is more than the objective allows


class Shop:
    """A service that has had 20 more requests at each scrape."""

    def __init__(self) -> None:
        self.loopback = Loopback(self._answer)
        self._scrapes = 0

    async def _answer(self, _: web.BaseRequest) -> web.StreamResponse:
        self._scrapes += 1
        page = f"""\
done_total{{path="/a",code="200"}} {18 * self._scrapes}
done_total{{path="/a",code="500"}} {2 * self._scrapes}
other_total {20 * self._scrapes}
took_seconds_bucket{{le="0.3"}} {15 * self._scrapes}
took_seconds_bucket{{le="+Inf"}} {20 * self._scrapes}
took_seconds_count {20 * self._scrapes}
took_seconds_sum {5 * self._scrapes}
answer_milliseconds_bucket{{code="200",le="300"}} {10 * self._scrapes}
answer_milliseconds_bucket{{code="200",le="+Inf"}} {16 * self._scrapes}
answer_milliseconds_count{{code="200"}} {16 * self._scrapes}
answer_milliseconds_bucket{{code="500",le="300"}} {4 * self._scrapes}
answer_milliseconds_bucket{{code="500",le="+Inf"}} {4 * self._scrapes}
answer_milliseconds_count{{code="500"}} {4 * self._scrapes}
queue_length 7
probe_success 1
temperature 21.5
backup_done_timestamp_seconds {datetime.now(UTC).timestamp():.0f}
"""
        return web.Response(text=page, content_type="text/plain")


@pytest_asyncio.fixture
async def report(tmp_path: Path) -> AsyncIterator[CheckReport]:
    """What a check of the imported objectives says."""
    texts = [("sloth.yml", SLOTH), ("pyrra.yml", PYRRA), ("openslo.yml", OPENSLO), ("rules.yml", RULES)]
    imported = import_texts(texts)
    assert len(imported.taken) == len(imported.entries) == len(BAD)
    file = slo_file.parse(slo_yaml(imported))
    shop = Shop()
    await shop.loopback.open()
    prometheus = Prometheus(tmp_path / "prometheus", scraping(f"127.0.0.1:{shop.loopback.port}"))
    await prometheus.start()
    try:
        await prometheus.until(f"other_total{{{SHOP}}} >= {20 * SCRAPES}")
        async with aiohttp.ClientSession() as session:
            api, info = PrometheusClient(session, prometheus.url, {}), PrometheusFacts(session, prometheus.url, {})
            objectives = await at_real_intervals(file, api, info)
            yield await check(api, objectives, lambda: WallTime(datetime.now(UTC)), "1")
    finally:
        await prometheus.stop()
        await shop.loopback.close()


async def test_one_of_each_shape_is_judged_with_its_own_numbers(report: CheckReport) -> None:
    found = {each.status.objective: each.status for each in report.objectives}
    assert all(each.sight is Sight.CLEAR for each in found.values())
    assert {name: 1 - (each.good_ratio or 0) for name, each in found.items()} == pytest.approx(BAD)
    assert {name for name, each in found.items() if each.verdict is not Judgement.MET} == TOO_BAD


def test_import_writes_a_file_once_and_says_what_became_of_each(tmp_path: Path) -> None:
    source, output = tmp_path / "sloth.yml", tmp_path / "slo.yml"
    source.write_text(SLOTH)
    command = ["init", "--from", str(source), "--output", str(output), "--prometheus", "http://prometheus:9090"]
    with chdir(tmp_path):
        said = CliRunner().invoke(app, command)
    assert (said.exit_code, said.stderr) == (0, "")
    assert f"{output} and .env are written.\nNext:\n  wine-slo doctor " in said.stdout
    env = tmp_path / ".env"
    assert [each for each in env.read_text().splitlines() if each and not each.startswith("#")] == [
        "WINE_SLO_PROMETHEUS_URL=http://prometheus:9090",
        f"WINE_SLO_OBJECTIVES={output}",
    ]
    assert f"taken     events       {source}:4" in said.stdout
    assert list(slo_file.load(output).objectives().by_name) == ["events", "slow", "short-queue"]
    written = output.read_text()
    output.write_text("ours\n")
    env.write_text("OURS=1\n")
    again = CliRunner().invoke(app, command)
    assert (again.exit_code, output.read_text()) == (2, "ours\n")
    assert again.stderr == f"{output} exists; --output FILE writes another one, --force overwrites it\n"
    with chdir(tmp_path):
        said = CliRunner().invoke(app, [*command, "--force"])
    assert said.exit_code == 0
    assert f"{output} is written. .env is left as it is; it should have:\nWINE_SLO_PROM" in said.stdout
    assert (output.read_text(), env.read_text()) == (written, "OURS=1\n")
