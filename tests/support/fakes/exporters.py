"""Pages of metrics in the shapes of widespread libraries and exporters, of services that can be made slow or failing.

A scrape is answered by what happened until then: ten requests a second from the start on, all of them fast and
successful unless somebody says otherwise. Shapes are those that prometheus-fastapi-instrumentator 8.1,
express-prom-bundle 8.0, node-exporter 1.5 and blackbox-exporter 0.23 were seen to have.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from tests.support.fakes.loopback import Loopback
from tests.support.real.prometheus import Prometheus

PER_SECOND = 10.0
FAST, SLOW = 0.02, 0.8  # seconds that a request takes


class Exporter:
    """One page; `slow` and `failing` hold for the requests from now on."""

    def __init__(self, page: "Page") -> None:
        self._page = page
        self._loopback = Loopback(self._answer)
        self._requests: Counter[tuple[float, bool]] = Counter()  # by their duration, and by whether they failed
        self._counted_at = time.monotonic()
        self._is_slow = self._is_failing = False

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self._loopback.port}"

    async def open(self) -> None:
        """Answer from now on, from a new start of the service on or after an outage of it."""
        self._requests.clear()
        self._counted_at = time.monotonic()
        await self._loopback.open()

    async def close(self) -> None:
        await self._loopback.close()

    def is_now(self, *, slow: bool = False, failing: bool = False) -> None:
        """Change what happens to requests from now on."""
        self._count()
        self._is_slow, self._is_failing = slow, failing

    def _count(self) -> None:
        now = time.monotonic()
        whole = int((now - self._counted_at) * PER_SECOND)
        self._counted_at += whole / PER_SECOND
        self._requests[SLOW if self._is_slow else FAST, self._is_failing] += whole

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._count()
        text = "\n".join(self._page(self._requests, self._is_failing, request.query.get("target", "")))
        return web.Response(text=f"{text}\n", content_type="text/plain")


Page = Callable[[Counter[tuple[float, bool]], bool, str], Iterator[str]]


def fastapi(requests: Counter[tuple[float, bool]], _: bool, __: str) -> Iterator[str]:  # noqa: FBT001
    failed = sum(count for (_, is_failed), count in requests.items() if is_failed)
    counts = {"2xx": sum(requests.values()) - failed, **({"5xx": failed} if failed else {})}
    yield "# TYPE http_requests_total counter"
    for status, count in counts.items():
        yield f'http_requests_total{{handler="/items/{{i}}",method="GET",status="{status}"}} {count}.0'
    yield 'http_requests_total{handler="/metrics",method="GET",status="2xx"} 7.0'
    yield 'http_requests_total{handler="none",method="GET",status="4xx"} 2.0'
    yield "# TYPE http_request_duration_highr_seconds histogram"
    yield from _histogram("http_request_duration_highr_seconds", "", (0.01, 0.05, 0.1, 0.5, 1.0), requests)
    yield "# TYPE http_request_duration_seconds histogram"
    for handler, those in (
        ("/items/{i}", requests),
        ("/metrics", Counter({(FAST, False): 7})),
        ("none", Counter({(FAST, False): 2})),
    ):
        labels = f'handler="{handler}",method="GET"'
        yield from _histogram("http_request_duration_seconds", labels, (0.1, 0.5, 1.0), those)


def express(requests: Counter[tuple[float, bool]], _: bool, __: str) -> Iterator[str]:  # noqa: FBT001
    yield "# TYPE http_request_duration_seconds histogram"
    for code, is_failed in (("200", False), ("500", True)):
        mine = Counter({each: count for each, count in requests.items() if each[1] is is_failed})
        if mine:
            labels = f'status_code="{code}",method="GET",path="/items/#val"'
            yield from _histogram("http_request_duration_seconds", labels, (0.003, 0.03, 0.1, 0.3, 1.5, 10), mine)
    yield "# TYPE up gauge"
    yield "up 1"  # beside the one that Prometheus writes
    yield "# TYPE nodejs_gc_duration_seconds histogram"
    yield from _histogram("nodejs_gc_duration_seconds", 'kind="major"', (0.01, 0.1), Counter())


def node(_: Counter[tuple[float, bool]], __: bool, ___: str) -> Iterator[str]:  # noqa: FBT001
    yield 'node_cpu_seconds_total{cpu="0",mode="idle"} 12345.6'
    yield 'node_network_up{device="docker0"} 0'
    yield 'node_scrape_collector_success{collector="cpu"} 1'
    yield 'promhttp_metric_handler_requests_total{code="200"} 12'
    yield 'promhttp_metric_handler_requests_total{code="500"} 0'
    yield 'go_gc_duration_seconds{quantile="0.5"} 0.001'
    yield "go_gc_duration_seconds_sum 0.1"
    yield "go_gc_duration_seconds_count 12"


def blackbox(_: Counter[tuple[float, bool]], is_failing: bool, target: str) -> Iterator[str]:  # noqa: FBT001
    yield f"probe_success {int(not (is_failing and target.endswith('/b')))}"
    yield "probe_duration_seconds 0.003"
    yield 'probe_http_duration_seconds{phase="connect"} 0.001'


def _histogram(name: str, labels: str, bounds: Sequence[float], requests: Counter[tuple[float, bool]]) -> Iterator[str]:
    comma = f"{labels}," if labels else ""
    total = sum(requests.values())
    for bound in bounds:
        within = sum(count for (seconds, _), count in requests.items() if seconds <= bound)
        yield f'{name}_bucket{{{comma}le="{bound}"}} {within}'
    yield f'{name}_bucket{{{comma}le="+Inf"}} {total}'
    yield f"{name}_count{{{labels}}} {total}"
    yield f"{name}_sum{{{labels}}} {sum(seconds * count for (seconds, _), count in requests.items()):g}"


PAGES: dict[str, Page] = {"fastapi": fastapi, "express": express, "node": node, "blackbox": blackbox}
PROBED = "http://service.example/a", "http://service.example/b"


@dataclass
class Fleet:
    """An exporter of each shape, and the Prometheus that scrapes them and itself."""

    exporters: dict[str, Exporter]
    prometheus: Prometheus


@asynccontextmanager
async def scraped(folder: Path, every: Mapping[str, str]) -> AsyncIterator[Fleet]:
    """Run such a fleet until the end.

    Args:
        folder: Where Prometheus has its data.
        every: How often each job is scraped.
    """
    exporters = {name: Exporter(page) for name, page in PAGES.items()}
    prometheus = Prometheus(folder, {})
    try:
        for each in exporters.values():
            await each.open()
        configuration = scrape_configs(exporters, prometheus.url.removeprefix("http://"), every)
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        await prometheus.start()
        yield Fleet(exporters, prometheus)
    finally:
        await prometheus.kill()
        for each in exporters.values():
            await each.close()


def scrape_configs(exporters: Mapping[str, Exporter], prometheus: str, every: Mapping[str, str]) -> dict[str, Any]:
    """The configuration that scrapes each as the job of its name, and Prometheus itself.

    Args:
        exporters: By the names of their jobs.
        prometheus: Its host:port.
        every: How often each job is scraped.
    """
    targets = {name: [each.target] for name, each in exporters.items()} | {"prometheus": [prometheus]}
    jobs = [
        {
            "job_name": name,
            "scrape_interval": every[name],
            "scrape_timeout": every[name],
            "static_configs": [{"targets": those}],
        }
        for name, those in targets.items()
    ]
    for job in jobs:
        if job["job_name"] == "blackbox":  # as its documentation has it: a probe is a scrape with a parameter
            job["metrics_path"] = "/probe"
            job["relabel_configs"] = [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": exporters["blackbox"].target},
            ]
            job["static_configs"] = [{"targets": list(PROBED)}]
    return {"scrape_configs": jobs}
