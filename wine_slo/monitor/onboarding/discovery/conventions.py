"""What names and labels say of a metric: general rules first, and one table of what libraries and proxies do otherwise.

A rule reads the words of a name (`http_request_duration_seconds`) and the labels. The table holds only what no rule can
know: a unit that the name leaves out, requests that are no requests of users, the better one of two histograms.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from wine_slo.monitor.onboarding.discovery.found import Labels, Metric
from wine_slo.monitor.onboarding.discovery.statuses import STATUS_LABELS, Status, matcher, status_of

UNITS = {"seconds": "s", "milliseconds": "ms", "millis": "ms", "ms": "ms", "microseconds": "us", "us": "us",
         "nanoseconds": "ns", "ns": "ns"}  # fmt: skip
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}  # in one of the unit
LARGE = 500.0  # a bound above this is no time in seconds, where the name has no unit
ROUTE_LABELS = (
    "http_route", "route", "handler", "path", "uri", "endpoint", "url_path", "path_template", "url", "grpc_method",
    "rpc_method", "action", "method", "verb",
)  # fmt: skip
# What is requested by machines, not by users: the last part of a path, or a path.
PROBES = re.compile(
    r"(.*/)?-?/?(metrics|health|health[_-]?(z|y|check)|livez?|liveness|alive|ready|readyz|readiness|ping|probe|"
    r"favicon\.ico|openapi\.json|docs|redoc)|(.*/)?actuator(/.*)?|(.*/)?-/.*|(.*/)?grpc\.health\..*|Check",
    re.IGNORECASE,
)
UNMATCHED = re.compile(r"none|unmatched|unknown|not[_ ]?found|\*|/\*\*", re.IGNORECASE)
# Requests that are meant to last: their duration says nothing.
LASTING = re.compile(
    r".*(websocket|/ws|/sse|/stream|/events|/live|/watch|long[_-]?poll)|WATCH|WATCHLIST|CONNECT|.*_stream",
    re.IGNORECASE,
)
REQUESTS = (
    "http", "grpc", "rpc", "request", "requests", "rq", "response", "responses", "handling", "handled", "server", "api",
    "dns",
)  # fmt: skip
TIMES = ("duration", "latency", "time", "handling", "elapsed", "took")
# What a service does itself: its runtime, its own stores, and those it calls.
INSIDE = (
    "go", "process", "python", "nodejs", "jvm", "gc", "bytes", "size", "sizes", "client", "outgoing",
    "workqueue", "tsdb", "engine", "wal", "reload", "compaction", "checkpoint", "fsync", "queue", "lock",
    "pool", "db", "sql", "redis", "cache", "kafka", "scrape", "conntrack", "notifications", "sd", "rule",
    "remote", "leader", "etcd", "eventloop", "template", "webhook", "admission", "watch", "informer", "audit",
    "authentication", "authorization", "evaluation",
)  # fmt: skip


class Group(StrEnum):
    """What kind of traffic a metric is about; one objective of each for a job."""

    HTTP = "http"
    GRPC = "grpc"
    DNS = "dns"
    WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """What a library or a proxy does that no rule can know.

    Attributes:
        metric: A regular expression of the histogram's or the counter's name.
        selector: Matchers of the requests that count.
        unit: Of the bounds, where the name does not say it.
        points: Added to what the rules give; below 0 for a metric that another one is better than.
        is_left_out: Whether it is never about users' requests.
    """

    metric: str
    selector: str = ""
    unit: str = ""
    points: int = 0
    is_left_out: bool = False


CONVENTIONS = (
    # client_golang counts the scrapes of its own /metrics.
    Convention(metric=r"promhttp_metric_handler_.*", is_left_out=True),
    # prometheus-fastapi-instrumentator: the finer buckets of this one are without the labels of the other.
    Convention(metric=r"http_request_duration_highr_seconds", points=-3),
    # Istio counts each request at both ends.
    Convention(metric=r"istio_requests?_(total|duration_\w+)", selector='reporter="destination"', points=3),
    # Envoy: milliseconds without saying so.
    Convention(metric=r"envoy_(http_downstream|cluster_(internal_)?upstream)_rq_time", unit="ms", points=5),
    Convention(metric=r"envoy_cluster_(external_|internal_|canary_)?upstream_rq(_xx)?", points=1),
    # Kubernetes: this one leaves out what webhooks take.
    Convention(metric=r"apiserver_request_(sli|slo)_duration_seconds", points=1),
    Convention(metric=r"apiserver_(longrunning|current|flowcontrol|storage|watch|cache|webhooks)_.*", is_left_out=True),
    # gRPC middleware: streams last as long as their clients want.
    Convention(metric=r"grpc_server_handl(ing_seconds|ed_total)", selector='grpc_type="unary"', points=2),
    Convention(metric=r"grpc_server_(started|msg)_.*", is_left_out=True),
    # CoreDNS.
    Convention(metric=r"coredns_dns_request_duration_seconds", points=3),
    Convention(metric=r"coredns_(forward|proxy|cache|health|hosts|kubernetes)_.*", is_left_out=True),
    # Traefik and ingress-nginx: the nearest to the users.
    Convention(metric=r"traefik_service_request.*", points=1),
    Convention(metric=r"nginx_ingress_controller_request(s|_duration_seconds)", points=2),
    Convention(metric=r"nginx_ingress_controller_(connect|header|response)_duration_seconds", is_left_out=True),
)  # fmt: skip


def convention_of(name: str) -> Convention:
    """Return what is known of a metric besides the rules."""
    return next((each for each in CONVENTIONS if re.fullmatch(each.metric, name)), Convention(metric=re.escape(name)))


def words(name: str) -> list[str]:
    """Return the words of a metric's name."""
    return re.split(r"[_:]+", name.lower())


def unit_of(histogram: Metric) -> str | None:
    """Return the unit of a histogram of times; None where it is none of times."""
    known = convention_of(histogram.name).unit
    if known:
        return known
    parts = words(histogram.name)
    found = next((UNITS[each] for each in reversed(parts) if each in UNITS), None)
    if found is not None or not set(parts).intersection(TIMES):
        return found
    return "ms" if histogram.bounds and histogram.bounds[-1] >= LARGE else "s"


def points_of_histogram(histogram: Metric) -> int:
    """Return how surely a histogram has the durations of requests of users; 0 and less where it has not."""
    return 0 if unit_of(histogram) is None else _points(histogram)


def points_of_counter(counter: Metric) -> int:
    """Return how surely a counter has the requests of users by how they ended; 0 and less where it has not."""
    return 0 if status_in(counter.labels) is None else _points(counter)


def is_of_users(metric: Metric) -> bool:
    """Return whether a metric of times may be about requests of users, and not about what a service does inside."""
    return unit_of(metric) is not None and not set(words(metric.name)).intersection(INSIDE)


def _points(metric: Metric) -> int:
    known, parts = convention_of(metric.name), set(words(metric.name))
    if known.is_left_out:
        return 0
    points = known.points + 2 * bool(parts.intersection(REQUESTS)) + (status_in(metric.labels) is not None)
    points += 2 * (route_in(metric.labels) is not None)
    return points - 6 * bool(parts.intersection(INSIDE))


def group_of(metric: Metric) -> Group:
    """Return what kind of traffic a metric is about."""
    parts = set(words(metric.name))
    if "grpc" in parts or "rpc" in parts:
        return Group.GRPC
    if "dns" in parts:
        return Group.DNS
    return Group.HTTP if parts.intersection(REQUESTS) else Group.WORK


def status_in(labels: Labels) -> Status | None:
    """Return how the first label that says it says how events ended."""
    found = (status_of(label, labels[label]) for label in STATUS_LABELS if label in labels)
    return next((each for each in found if each is not None), None)


def route_in(labels: Labels) -> str | None:
    """Return the label that says what was requested."""
    return next((each for each in ROUTE_LABELS if each in labels), None)


def usual_matchers(metric: Metric, *, is_of_time: bool) -> list[str]:
    """Return matchers that leave out what is no request of a user, by the label values that there are.

    Args:
        metric: With its labels.
        is_of_time: Whether durations are judged, so that requests that are meant to last are left out too.
    """
    found = [convention_of(metric.name).selector]
    for label in ROUTE_LABELS:
        left_out = [each for each in metric.labels.get(label, ()) if _is_left_out(each, is_of_time=is_of_time)]
        if left_out:
            found.append(_none_of(label, left_out))
    status = status_in(metric.labels)
    if status is not None:
        found.append(status.is_counted)
    return [each for each in found if each]


def _is_left_out(value: str, *, is_of_time: bool) -> bool:
    patterns = (PROBES, UNMATCHED, *((LASTING,) if is_of_time else ()))
    return any(each.fullmatch(value) for each in patterns)


def _none_of(label: str, values: Collection[str]) -> str:
    return matcher(label, "!~", "|".join(map(_literal, sorted(values))))


def _literal(value: str) -> str:
    """Return a regular expression of RE2 of one text; it escapes less than Python, for people to read."""
    return re.sub(r"([.+*?()|\[\]{}^$\\])", r"\\\1", value)


def slug(text: str) -> str:
    """Return a name for an objective that is made of a text: small letters, digits, - and _, a letter first."""
    made = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")
    return made if made[:1].isalpha() else f"job-{made}".strip("-")


def best(metrics: Iterable[tuple[int, Metric]]) -> dict[Group, Metric]:
    """Return the best metric of each kind of traffic, of some with their points; work only where there is no other."""
    found: dict[Group, Metric] = {}
    for points, each in sorted(metrics, key=lambda pair: (-pair[0], len(pair[1].name), pair[1].name)):
        if points > 0:
            found.setdefault(group_of(each), each)
    in_order = {group: found[group] for group in Group if group in found}
    work = in_order.pop(Group.WORK, None)
    return in_order if in_order or work is None else {Group.WORK: work}
