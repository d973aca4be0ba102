"""Each objective of the page of examples is judged on a real Prometheus, with series as its exporter has them.

It is met while all is well, in breach while what it is about is broken, and recovered after that; the page shows the
first lines of the message.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
import pytest_asyncio

from tests.support.live_watchdog import START, Shifted
from tests.support.real.history import write_blocks
from tests.support.real.outage_series import Outage, OutageSeries
from tests.support.real.prometheus import Prometheus, scraping
from wine_slo.config import slo_file
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.text.formatting import Formatter, plain
from wine_slo.slo.text.incidents.breach import breach_text

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[4] / "docs" / "how-to" / "objectives.md").read_text()
EXAMPLE = re.compile(r"\n## ([^\n]+)\n(?:(?!\n## ).)*?\n```yaml\n(.*?)```\n\n```text\n(.*?)```\n", re.DOTALL)
EXAMPLES = {title.partition(":")[0]: (file, alert) for title, file, alert in EXAMPLE.findall(PAGE)}

MINUTE = timedelta(minutes=1)
BREAKS, MENDS = 12 * MINUTE, 16 * MINUTE
OUTAGE = Outage(
    starts_at=START,
    breaks=BREAKS,
    mends=MENDS,
    ends=22 * MINUTE,
    up_ends=22 * MINUTE,
    every=timedelta(seconds=15),
)
WELL, SOON, LATER, OVER = (  # the third for what is to be bad for longer
    START + each for each in (BREAKS - MINUTE / 2, BREAKS + MINUTE, BREAKS + 2.75 * MINUTE, MENDS + 4 * MINUTE)
)
HOUR = 3600.0


def fastapi(series: OutageSeries) -> None:
    labels = 'job="shop",instance="a:8000",method="GET",handler="/items/{i}"'
    series.is_up('job="shop",instance="a:8000"')
    series.histogram(
        "http_request_duration_seconds",
        labels,
        {"0.1": (150, 0), "0.5": (150, 30), "1": (150, 150), "+Inf": (150, 150)},
    )
    series.grows(f'http_requests_total{{{labels},status="2xx"}}', 150, 120)
    series.grows(f'http_requests_total{{{labels},status="5xx"}}', 0, 30)


def express(series: OutageSeries) -> None:
    series.is_up('job="web",instance="a:3000"')
    for code, well, broken in (("200", 150, 90), ("500", 0, 60)):
        every = dict.fromkeys(("0.1", "0.3", "1.5", "+Inf"), (well, broken))
        labels = f'job="web",instance="a:3000",method="GET",path="/cart",status_code="{code}"'
        series.histogram("http_request_duration_seconds", labels, every)


def spring(series: OutageSeries) -> None:
    labels = 'job="orders",instance="a:8080",method="POST",uri="/orders"'
    series.is_up('job="orders",instance="a:8080"')
    buckets = {"0.2": (150, 0), "0.3": (150, 0), "1.0": (150, 100), "+Inf": (150, 100)}
    series.histogram("http_server_requests_seconds", f'{labels},outcome="SUCCESS",status="201"', buckets)
    failed = dict.fromkeys(("0.2", "0.3", "1.0", "+Inf"), (0, 50))
    series.histogram("http_server_requests_seconds", f'{labels},outcome="SERVER_ERROR",status="503"', failed)


def ingress(series: OutageSeries) -> None:
    series.is_up('job="ingress-nginx",instance="a:10254"')
    for name, broken in (("shop", 75), ("blog", 0)):
        labels = f'job="ingress-nginx",instance="a:10254",ingress="{name}"'
        series.grows(f'nginx_ingress_controller_requests{{{labels},status="200"}}', 150, 150 - broken)
        series.grows(f'nginx_ingress_controller_requests{{{labels},status="503"}}', 0, broken)


def envoy(series: OutageSeries) -> None:
    labels = 'job="envoy",instance="a:9901",envoy_cluster_name="payments"'
    series.is_up('job="envoy",instance="a:9901"')
    buckets = {"100": (150, 60), "250": (150, 90), "500": (150, 150), "+Inf": (150, 150)}
    series.histogram("envoy_cluster_upstream_rq_time", labels, buckets)
    series.grows(f'envoy_cluster_upstream_rq_xx{{{labels},envoy_response_code_class="2"}}', 150, 100)
    series.grows(f'envoy_cluster_upstream_rq_xx{{{labels},envoy_response_code_class="5"}}', 0, 50)


def istio(series: OutageSeries) -> None:
    series.is_up('job="kubernetes-pods",instance="a:15020"')
    for workload, broken in (("reviews-v1", 0), ("ratings-v1", 75)):
        for code, well, bad in (("200", 150, 150 - broken), ("503", 0, broken)):
            labels = f'job="kubernetes-pods",instance="a:15020",reporter="destination",response_code="{code}"'
            every = dict.fromkeys(("100", "500", "1000", "+Inf"), (well, bad))
            name = f'{labels},destination_workload="{workload}"'
            series.histogram("istio_request_duration_milliseconds", name, every)


def grpc(series: OutageSeries) -> None:
    labels = 'job="accounts",instance="a:9090",grpc_type="unary",grpc_method="Login",grpc_service="Accounts"'
    series.is_up('job="accounts",instance="a:9090"')
    for code, well, broken in (("OK", 140, 110), ("NotFound", 10, 10), ("Unavailable", 0, 30)):
        series.grows(f'grpc_server_handled_total{{{labels},grpc_code="{code}"}}', well, broken)
    buckets = {"0.025": (150, 0), "0.1": (150, 90), "0.25": (150, 150), "+Inf": (150, 150)}
    series.histogram("grpc_server_handling_seconds", labels, buckets)


def kafka(series: OutageSeries) -> None:
    series.is_up('job="kafka-exporter",instance="a:9308"')
    for partition, broken in (("0", 40), ("1", 7200)):
        labels = f'job="kafka-exporter",consumergroup="billing",topic="invoices",partition="{partition}"'
        series.has(f"kafka_consumergroup_lag{{{labels}}}", 25, broken)


def sidekiq(series: OutageSeries) -> None:
    series.is_up('job="sidekiq",instance="a:9292"')
    series.has('sidekiq_queue_latency_seconds{job="sidekiq",name="mailers"}', 2, 340)


def cron_job(series: OutageSeries) -> None:
    series.is_up('job="kube-state-metrics",instance="a:8080"')
    labels = 'job="kube-state-metrics",namespace="shop",cronjob="backup"'
    now = START.timestamp()
    series.has(f"kube_cronjob_status_last_successful_time{{{labels}}}", now - 3 * HOUR, now - 27 * HOUR)


def pushgateway(series: OutageSeries) -> None:
    series.is_up('job="pushgateway",instance="a:9091"')
    now = START.timestamp()
    name = 'report_last_success_timestamp_seconds{job="nightly-report",instance=""}'
    series.has(name, now - 3 * HOUR, now - 30 * HOUR)


def blackbox(series: OutageSeries) -> None:
    for address, is_broken in (("https://shop.example", True), ("https://blog.example", False)):
        labels = f'job="blackbox",instance="{address}"'
        series.is_up(labels)
        series.has(f"probe_success{{{labels}}}", 1, 0 if is_broken else 1)
        series.has(f"probe_duration_seconds{{{labels}}}", 0.2, 5 if is_broken else 0.2)


def api_server(series: OutageSeries) -> None:
    labels = 'job="apiserver",instance="a:6443",resource="pods"'
    series.is_up('job="apiserver",instance="a:6443"')
    buckets = {"0.1": (150, 0), "1": (150, 100), "2": (150, 150), "+Inf": (150, 150)}
    series.histogram("apiserver_request_sli_duration_seconds", f'{labels},verb="POST",scope="resource"', buckets)
    series.grows(f'apiserver_request_total{{{labels},verb="POST",code="201"}}', 150, 130)
    series.grows(f'apiserver_request_total{{{labels},verb="POST",code="500"}}', 0, 20)


def core_dns(series: OutageSeries) -> None:
    labels = 'job="coredns",instance="a:9153",server="dns://:53",zone="."'
    series.is_up('job="coredns",instance="a:9153"')
    buckets = {"0.008": (150, 50), "0.032": (150, 50), "0.064": (150, 150), "+Inf": (150, 150)}
    series.histogram("coredns_dns_request_duration_seconds", labels, buckets)
    for code, well, broken in (("NOERROR", 140, 120), ("NXDOMAIN", 10, 10), ("SERVFAIL", 0, 20)):
        series.grows(f'coredns_dns_responses_total{{{labels},rcode="{code}"}}', well, broken)


def postgres(series: OutageSeries) -> None:
    for instance, broken, lag in (("primary:9187", 0, 0), ("replica:9187", 1, 95)):
        labels = f'job="postgres",instance="{instance}"'
        series.is_up(labels)
        series.has(f"pg_up{{{labels}}}", 1, broken)
        series.has(f"pg_replication_lag_seconds{{{labels}}}", 0, lag)


def redis(series: OutageSeries) -> None:
    labels = 'job="redis",instance="a:9121"'
    series.is_up(labels)
    series.grows(f"redis_keyspace_hits_total{{{labels}}}", 140, 40)
    series.grows(f"redis_keyspace_misses_total{{{labels}}}", 10, 110)
    series.has(f"redis_up{{{labels}}}", 1, 0)


def certificates(series: OutageSeries) -> None:
    for address, broken in (("https://shop.example", 9), ("https://blog.example", 60)):
        labels = f'job="blackbox-tls",instance="{address}"'
        series.is_up(labels)
        series.has(f"probe:certificate_left:days{{{labels}}}", 60, broken)


def node_exporter(series: OutageSeries) -> None:
    for instance, broken in (("db:9100", 3e9), ("web:9100", 5e10)):
        labels = f'job="node",instance="{instance}"'
        series.is_up(labels)
        series.has(f'node_filesystem_avail_bytes{{{labels},mountpoint="/",fstype="ext4"}}', 5e10, broken)


def open_telemetry(series: OutageSeries) -> None:
    for code, well, broken in (("200", 150, 120), ("500", 0, 30)):
        labels = f'job="shop/checkout",instance="7f3a",service_name="checkout",http_response_status_code="{code}"'
        every = dict.fromkeys(("0.1", "0.5", "1", "+Inf"), (well, broken))
        series.histogram("http_server_request_duration_seconds", labels, every)


def model_quality(series: OutageSeries) -> None:
    labels = 'job="wine-slo",instance="a:8000"'
    series.is_up(labels)
    series.histogram("prediction_confidence", labels, {"0.6": (5, 90), "0.9": (30, 120), "+Inf": (150, 150)})


def replicas(series: OutageSeries) -> None:
    for name, breaks in (("a", True), ("b", True), ("c", False)):
        series.is_up(f'job="cart",instance="{name}:8000"', breaks=breaks)


def availability(series: OutageSeries) -> None:
    for name, breaks in (("a", True), ("b", False)):
        series.is_up(f'job="portal",instance="{name}:8000"', breaks=breaks)


SERIES: dict[str, Callable[[OutageSeries], None]] = {
    "FastAPI": fastapi,
    "Express": express,
    "Spring Boot": spring,
    "ingress-nginx": ingress,
    "Envoy": envoy,
    "Istio": istio,
    "gRPC": grpc,
    "Kafka": kafka,
    "Sidekiq": sidekiq,
    "CronJob": cron_job,
    "Pushgateway": pushgateway,
    "blackbox probe": blackbox,
    "Kubernetes API server": api_server,
    "CoreDNS": core_dns,
    "PostgreSQL": postgres,
    "Redis": redis,
    "Certificates": certificates,
    "node exporter": node_exporter,
    "OpenTelemetry": open_telemetry,
    "Model quality": model_quality,
    "Three replicas": replicas,
    "Availability, for a calendar month": availability,
}
SCRAPED = {"Native histogram"}  # which cannot be written as text; test_native_and_pushed.py has one


class Example:
    """The file of one example, evaluated as time goes on.

    Attributes:
        early: What was in breach while all was well.
        alerts: The message of each objective that was in breach, without markup, by its name.
        outcomes: How their incidents ended; None is an open one.
    """

    def __init__(self, api: Shifted, text: str) -> None:
        file = slo_file.parse(text)
        self._objectives = file.objectives({each.name: OUTAGE.every for each in file.silent_scopes})
        self._collector = Collector(api, lambda: WallTime(api.clock()))
        self._state = State()
        self._formatter = Formatter(self._objectives, ZoneInfo("UTC"))
        self.names = {*self._objectives.by_name}
        self.early: list[str] = []
        self.alerts: dict[str, str] = {}

    def is_due(self, now: datetime) -> bool:
        """Whether an evaluation at this instant can show something new."""
        return now != LATER or len(self.alerts) < len(self.names)

    async def evaluate(self, now: datetime) -> None:
        self._state = await self._collector.evaluate(self._state, self._objectives)
        for incident in self._state.open_incidents:
            if now < START + BREAKS:
                self.early.append(str(incident.key))
            record = DeliveryRecord(incident=incident.number, chat=Address.of("telegram", 7))
            text = breach_text(self._formatter, incident, record, self._state, now)
            self.alerts.setdefault(incident.key.objective, plain(text))

    @property
    def outcomes(self) -> set[Outcome | None]:
        return {each.outcome for each in self._state.incidents.values() if each.key.objective in self.names}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def judged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Example]]:
    """All examples, evaluated on one Prometheus."""
    series = OutageSeries(OUTAGE)
    for add_to in SERIES.values():
        add_to(series)
    prometheus = Prometheus(tmp_path_factory.mktemp("examples") / "prometheus", scraping(every="1m"), retention="900d")
    await asyncio.to_thread(write_blocks, series.text, prometheus.folder / "data")
    await prometheus.start()
    try:
        async with aiohttp.ClientSession() as session:
            api = Shifted(session, prometheus.url, {})
            found = {name: Example(api, EXAMPLES[name][0]) for name in SERIES}
            for api.clock.now in (WELL, SOON, LATER, OVER):
                await asyncio.gather(
                    *(each.evaluate(api.clock.now) for each in found.values() if each.is_due(api.clock.now))
                )
        yield found
    finally:
        await prometheus.kill()


async def test_every_example_of_the_page_is_judged() -> None:
    assert {*EXAMPLES} - SCRAPED == {*SERIES}
    assert PAGE.count("```yaml") == len(EXAMPLES) >= 20


@pytest.mark.parametrize("name", SERIES)
async def test_each_objective_is_met_then_breached_then_recovered(judged: dict[str, Example], name: str) -> None:
    example = judged[name]
    assert example.early == []
    assert {*example.alerts} == example.names
    assert example.outcomes == {Outcome.RECOVERED}


@pytest.mark.parametrize("name", SERIES)
async def test_the_page_shows_what_the_message_says(judged: dict[str, Example], name: str) -> None:
    example, shown = judged[name], EXAMPLES[name][1]
    assert shown in [head_of(each) for each in example.alerts.values()]


def head_of(message: str) -> str:
    """The lines of a message before what it says of the error budget."""
    lines = takewhile(lambda line: not line.startswith(("Error budget", "#")), message.splitlines())
    return "".join(f"{each}\n" for each in lines)
