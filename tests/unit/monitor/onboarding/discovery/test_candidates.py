"""What is proposed for the metrics of libraries and proxies, by general rules and a small table."""

from collections.abc import Mapping
from typing import Any

import pytest

from wine_slo.monitor.onboarding.discovery.candidates import Candidate, candidates, remarks, with_distinct_names
from wine_slo.monitor.onboarding.discovery.found import Job, Metric

BOUNDS = (0.1, 0.5, 1.0)


def histogram(name: str, bounds: tuple[float, ...] = BOUNDS, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, bounds=bounds, labels=labels)


def counter(name: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, labels=labels)


FASTAPI = Job(
    name="api",
    targets=2,
    histograms=(
        histogram("http_request_duration_highr_seconds"),
        histogram("http_request_duration_seconds", handler=("/items/{i}", "/health", "/metrics", "none")),
    ),
    counters=(counter("http_requests_total", handler=("/items/{i}", "/health", "/metrics"), status=("2xx", "4xx")),),
)
EXPRESS = Job(
    name="web",
    targets=1,
    histograms=(
        histogram("http_request_duration_seconds", path=("/items/#val", "/healthz"), status_code=("200", "404")),
        histogram("nodejs_gc_duration_seconds", kind=("major",)),
    ),
)
SPRING = Job(
    name="shop",
    targets=1,
    histograms=(
        histogram(
            "http_server_requests_seconds",
            uri=("/orders", "/actuator/prometheus"),
            status=("200",),
            outcome=("SUCCESS",),
        ),
        histogram("jvm_gc_pause_seconds", cause=("x",)),
        histogram("http_client_requests_seconds", uri=("/pay",), status=("200",)),
    ),
)
OTEL = Job(
    name="otel",
    targets=1,
    histograms=(
        histogram("http_server_request_duration_seconds", http_route=("/a",), http_response_status_code=("200",)),
        histogram("http_client_request_duration_seconds", http_response_status_code=("200",)),
    ),
)
ISTIO = Job(
    name="istio",
    targets=1,
    histograms=(
        histogram("istio_request_bytes", response_code=("200",)),
        histogram("istio_request_duration_milliseconds", (1.0, 500.0), response_code=("200",)),
    ),
    counters=(counter("istio_requests_total", response_code=("200", "503")),),
)
ENVOY = Job(
    name="envoy",
    targets=1,
    histograms=(
        histogram("envoy_http_downstream_rq_time", (1.0, 250.0)),
        histogram("envoy_cluster_upstream_cx_length_ms", (1.0, 250.0)),
    ),
    counters=(counter("envoy_cluster_upstream_rq_xx", envoy_response_code_class=("2", "5")),),
)
GRPC = Job(
    name="users",
    targets=1,
    histograms=(histogram("grpc_server_handling_seconds", grpc_method=("Get", "Check"), grpc_type=("unary",)),),
    counters=(
        counter("grpc_server_handled_total", grpc_method=("Get",), grpc_code=("OK", "NotFound")),
        counter("promhttp_metric_handler_requests_total", code=("200",)),
    ),
)
INGRESS = Job(
    name="ingress",
    targets=1,
    histograms=(
        histogram("nginx_ingress_controller_connect_duration_seconds", ingress=("a",)),
        histogram("nginx_ingress_controller_request_duration_seconds", path=("/",), status=("200",)),
    ),
    counters=(counter("nginx_ingress_controller_requests", status=("200",)),),
)
TRAEFIK = Job(
    name="edge",
    targets=1,
    histograms=(
        histogram("traefik_entrypoint_request_duration_seconds", code=("200",), method=("GET",)),
        histogram("traefik_service_request_duration_seconds", code=("200",), method=("GET",)),
    ),
    counters=(counter("traefik_config_reloads_total", result=("success",)),),
)
COREDNS = Job(
    name="dns",
    targets=2,
    histograms=(
        histogram("coredns_dns_request_duration_seconds", (0.00025, 0.016)),
        histogram("coredns_forward_request_duration_seconds", rcode=("NOERROR",)),
    ),
    counters=(counter("coredns_dns_responses_total", rcode=("NOERROR", "NXDOMAIN")),),
)
APISERVER = Job(
    name="apiserver",
    targets=1,
    histograms=(
        histogram("apiserver_request_duration_seconds", verb=("GET", "WATCH", "CONNECT")),
        histogram("apiserver_request_sli_duration_seconds", verb=("GET", "WATCH", "CONNECT")),
        histogram("etcd_request_duration_seconds", operation=("get",)),
        histogram("workqueue_work_duration_seconds", queue=("a",)),
    ),
    counters=(
        counter("apiserver_request_total", code=("200",), verb=("GET", "WATCH")),
        counter("rest_client_requests_total", code=("200",), method=("GET",)),
    ),
)
PROMETHEUS = Job(
    name="prometheus",
    targets=1,
    histograms=(
        histogram("prometheus_http_request_duration_seconds", handler=("/api/v1/query", "/-/ready", "/metrics")),
        histogram("prometheus_http_response_size_bytes", handler=("/api/v1/query",)),
        histogram("prometheus_tsdb_compaction_duration_seconds"),
    ),
    counters=(counter("prometheus_http_requests_total", handler=("/api/v1/query", "/metrics"), code=("200",)),),
)
WORKER = Job(name="worker", targets=1, counters=(counter("controller_reconcile_total", result=("success", "requeue")),))
BAD_HTTP = 'http_requests_total{job="api", handler!~"/health|/metrics", status=~"5.."}'


@pytest.mark.parametrize(
    ("job", "latency", "errors"),
    [
        pytest.param(
            FASTAPI,
            {"histogram": "http_request_duration_seconds", "selector": 'handler!~"/health|/metrics|none"'},
            {"bad": BAD_HTTP, "total": BAD_HTTP.replace('=~"5.."', '!~"4.."')},
            id="prometheus-fastapi-instrumentator",
        ),
        pytest.param(
            EXPRESS,
            {"histogram": "http_request_duration_seconds", "selector": 'path!~"/healthz", status_code!~"4.."'},
            {"bad": 'http_request_duration_seconds_count{job="web", path!~"/healthz", status_code=~"5.."}'},
            id="express-prom-bundle",
        ),
        pytest.param(
            SPRING,
            {"histogram": "http_server_requests_seconds", "selector": 'uri!~"/actuator/prometheus", status!~"4.."'},
            {"bad": 'http_server_requests_seconds_count{job="shop", uri!~"/actuator/prometheus", status=~"5.."}'},
            id="Spring with Micrometer",
        ),
        pytest.param(
            OTEL,
            {"histogram": "http_server_request_duration_seconds", "selector": 'http_response_status_code!~"4.."'},
            {"total": 'http_server_request_duration_seconds_count{job="otel", http_response_status_code!~"4.."}'},
            id="OpenTelemetry",
        ),
        pytest.param(
            ISTIO,
            {
                "histogram": "istio_request_duration_milliseconds",
                "unit": "ms",
                "selector": 'reporter="destination", response_code!~"4.."',
            },
            {"bad": 'istio_requests_total{job="istio", reporter="destination", response_code=~"5..|0"}'},
            id="Istio",
        ),
        pytest.param(
            ENVOY,
            {"histogram": "envoy_http_downstream_rq_time", "unit": "ms"},
            {"bad": 'envoy_cluster_upstream_rq_xx{job="envoy", envoy_response_code_class=~"5"}'},
            id="Envoy",
        ),
        pytest.param(
            GRPC,
            {"histogram": "grpc_server_handling_seconds", "selector": 'grpc_type="unary", grpc_method!~"Check"'},
            {
                "bad": 'grpc_server_handled_total{job="users", grpc_type="unary", '
                'grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"}'
            },
            id="gRPC middleware",
        ),
        pytest.param(
            INGRESS,
            {"histogram": "nginx_ingress_controller_request_duration_seconds", "selector": 'status!~"4.."'},
            {"bad": 'nginx_ingress_controller_requests{job="ingress", status=~"5.."}'},
            id="ingress-nginx",
        ),
        pytest.param(
            TRAEFIK,
            {"histogram": "traefik_service_request_duration_seconds", "selector": 'code!~"4.."'},
            {"bad": 'traefik_service_request_duration_seconds_count{job="edge", code=~"5.."}'},
            id="Traefik",
        ),
        pytest.param(
            COREDNS,
            {"histogram": "coredns_dns_request_duration_seconds"},
            {
                "bad": 'coredns_dns_responses_total{job="dns", rcode=~"SERVFAIL|REFUSED"}',
                "total": 'coredns_dns_responses_total{job="dns"}',
            },
            id="CoreDNS",
        ),
        pytest.param(
            APISERVER,
            {"histogram": "apiserver_request_sli_duration_seconds", "selector": 'verb!~"CONNECT|WATCH"'},
            {"bad": 'apiserver_request_total{job="apiserver", code=~"5.."}'},
            id="kube-apiserver",
        ),
        pytest.param(
            PROMETHEUS,
            {"histogram": "prometheus_http_request_duration_seconds", "selector": 'handler!~"/-/ready|/metrics"'},
            {"bad": 'prometheus_http_requests_total{job="prometheus", handler!~"/metrics", code=~"5.."}'},
            id="Prometheus itself",
        ),
    ],
)
def test_requests_of_users_are_found(job: Job, latency: Mapping[str, str], errors: Mapping[str, str]) -> None:
    found = {each.name: each.fields for each in candidates(job, is_only=True)}
    assert {**latency, "job": job.name} == _without(found["latency"], "name", "title", "kind")
    assert errors.items() <= found["errors"].items()
    assert list(found) == ["latency", "errors", "availability"]


def test_work_that_succeeds_or_fails_is_found() -> None:
    errors = candidates(WORKER, is_only=True)[0].fields
    assert errors["bad"].startswith('controller_reconcile_total{job="worker", result=~"(?i)error|')
    assert errors["total"] == 'controller_reconcile_total{job="worker"}'


def test_probes_are_judged_probe_by_probe_beside_the_prober_itself() -> None:
    prober = Job(name="blackbox", targets=2, switches=(Metric(name="probe_success"),))
    found = candidates(prober, is_only=True)
    assert [each.name for each in found] == ["probes", "availability"]
    assert found[0].fields["good"] == 'probe_success{job="blackbox"} == 1'
    assert found[0].fields["by"] == ["instance"]


def test_an_exporter_that_sees_its_server_down_is_found() -> None:
    exporter = Job(name="db", targets=1, switches=(Metric(name="pg_up"),))
    assert candidates(exporter, is_only=True)[0].fields["good"] == 'pg_up{job="db"} == 1'


def test_http_and_grpc_of_one_job_are_two_objectives() -> None:
    both = Job(name="both", targets=1, histograms=(*EXPRESS.histograms, *GRPC.histograms))
    assert [each.name for each in candidates(both, is_only=True)][:2] == ["latency", "grpc-latency"]


def test_what_is_pushed_has_no_targets_to_be_up() -> None:
    pushed = Job(name="otel", histograms=OTEL.histograms)
    assert [(each.name, each.fields["up"]) for each in candidates(pushed, is_only=True)] == [
        ("latency", "none"),
        ("errors", "none"),
    ]


def test_names_and_titles_say_whose_they_are_where_there_are_several_jobs() -> None:
    found = [(each.name, each.fields["title"]) for each in candidates(FASTAPI, is_only=False)]
    assert found[0] == ("api-latency", "api latency")
    assert _names(candidates(Job(name="9 Ünï/x", targets=1), is_only=False)) == ["job-9-n-x-availability"]
    assert candidates(FASTAPI, is_only=True)[0].fields["title"] == "Latency"


def test_two_jobs_that_read_the_same_in_small_letters_have_names_of_their_own() -> None:
    jobs = [Job(name=each, targets=1) for each in ("Api", "api", "api.")]
    found = with_distinct_names(each for job in jobs for each in candidates(job, is_only=False))
    assert _names(found) == ["api-availability", "api-availability-2", "api-availability-3"]
    assert [each.fields["job"] for each in found] == ["Api", "api", "api."]


def test_bounds_are_in_seconds_whatever_the_unit() -> None:
    assert candidates(ISTIO, is_only=True)[0].bounds == (0.001, 0.5)


def test_what_no_objective_was_made_of_is_said() -> None:
    assert remarks(FASTAPI) == ["api has these histograms too: http_request_duration_highr_seconds."]
    bare = Job(name="shop", targets=1, bare=("http_server_requests_seconds", "go_gc_duration_seconds"))
    assert remarks(bare)[0].startswith("shop has http_server_requests_seconds without buckets: ")
    assert remarks(Job(name="new", targets=1))[0].startswith(
        "new has no histogram of requests. Some libraries have one"
    )
    assert remarks(Job(name="blackbox", targets=1, switches=(Metric(name="probe_success"),))) == []
    batch = Job(name="backup", moments=(Metric(name="push_time_seconds"),))
    assert remarks(batch)[0].endswith("good: 'time() - push_time_seconds{job=\"backup\"} < 1h'.")


def _names(found: list[Candidate]) -> list[str]:
    return [each.name for each in found]


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
