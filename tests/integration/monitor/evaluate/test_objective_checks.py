"""What only Prometheus knows of `slo.yml`."""

import asyncio
import sys
from datetime import timedelta
from time import monotonic, time

from tests.support.fakes.prometheus_junk import EMPTY_MATRIX, NEVER, PrometheusJunk, vector
from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port
from wine_slo.integrations.prometheus.client import TIMEOUT
from wine_slo.monitor.evaluate.objective_checks import bounds_in, no_bound
from wine_slo.slo.source.metric_source import Sample, Vector


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


async def test_evaluations_go_on_while_prometheus_lets_an_examination_of_the_objectives_wait(
    processes: Processes, prometheus_junk: PrometheusJunk
) -> None:
    def evaluations() -> int:
        return sum("timestamp(up" in each for each in prometheus_junk.queries)

    now = time()
    prometheus_junk.by_query = {
        "up{": vector((now, "1"), job="shop"),
        "timestamp(up": vector((now, f"{now:.3f}"), job="shop"),
        "irate(": EMPTY_MATRIX,
        "count(odd_total)": NEVER,
    }
    (processes.folder / "slo.yml").write_text(
        "job: shop\nscrape_interval: 30s\nobjectives:\n"
        "  - {name: odd, kind: ratio, objective: 0.99, bad: odd_failed_total, total: odd_total}\n"
    )
    settings = {
        "WINE_SLO_PROMETHEUS_URL": prometheus_junk.url,
        "WINE_SLO_POLL_SECONDS": "1",
        "WINE_SLO_WATCHDOG_PORT": str(free_port()),
    }
    await processes.start("watchdog", [sys.executable, "-m", "wine_slo.watchdog"], settings)
    async with asyncio.timeout(25):
        while "count(odd_total)" not in prometheus_junk.queries:  # noqa: ASYNC110 - another process queries
            await asyncio.sleep(0.05)
    examined_at, before = monotonic(), evaluations()
    async with asyncio.timeout(60):
        while evaluations() < before + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert TIMEOUT.total is not None
    assert monotonic() - examined_at < TIMEOUT.total
