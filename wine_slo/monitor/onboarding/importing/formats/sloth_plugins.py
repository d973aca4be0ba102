"""What the SLI plugins of Sloth's common library and examples count; any other is a program that nobody can read.

Source: https://github.com/slok/sloth-common-sli-plugins
"""

from dataclasses import dataclass

from wine_slo.monitor.onboarding.importing.documents import Part
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError

FAILED = 'code=~"(5..|429)"'
SUCCEEDED = 'code!~"5.."'


@dataclass(frozen=True, slots=True)
class Plugin:
    """What one counts.

    Attributes:
        metric: A counter, or a histogram's name.
        bad: Matchers of its bad events; empty for a histogram, of which a bucket is good.
        labels: Matchers of all events, with the options that they need.
        succeeded: What is left of a histogram with `exclude_errors`.
        less: A counter that its total is less by.
    """

    metric: str
    bad: str = ""
    labels: str = ""
    succeeded: str = SUCCEEDED
    less: str = ""


_ISTIO = 'destination_service_name="{service}", destination_service_namespace="{namespace}"'
_KOOPER = 'controller="{controller}"'
COMMON = {
    "coredns/availability": Plugin("coredns_dns_responses_total", 'rcode=~"{custom_rcode_regex}"'),
    "coredns/latency": Plugin("coredns_dns_request_duration_seconds"),
    "haproxy/frontend/availability": Plugin("haproxy_frontend_http_responses_total", 'code="5xx"'),
    "istio/v1/availability": Plugin("istio_requests_total", 'response_code=~"(5..|429)"', _ISTIO),
    "istio/v1/latency": Plugin(
        "istio_request_duration_milliseconds", labels=_ISTIO, succeeded='response_code!~"5.."'
    ),
    "kubernetes/apiserver/availability": Plugin("apiserver_request_total", FAILED),
    "kubernetes/apiserver/latency": Plugin("apiserver_request_duration_seconds", labels='verb!="WATCH"'),
    "kubernetes/kooper/availability": Plugin(
        "kooper_controller_processed_event_duration_seconds_count", 'success="false"', _KOOPER,
        less='kooper_controller_queued_events_total{{controller="{controller}", requeue="true"}}',
    ),
    "kubernetes/kooper/latency": Plugin("kooper_controller_processed_event_duration_seconds", labels=_KOOPER),
    "kubernetes/kooper/queue-congestion": Plugin("kooper_controller_event_in_queue_duration_seconds", labels=_KOOPER),
    "kubernetes/nginx-ingress/availability": Plugin("nginx_ingress_controller_requests", 'status=~"(5..|429)"'),
    "prometheus/rules/eval-availability": Plugin("prometheus_rule_evaluations_total"),
    "prometheus/targets/availability": Plugin("up"),
    "slok-go-http-metrics/availability": Plugin("http_request_duration_seconds_count", FAILED),
    "slok-go-http-metrics/latency": Plugin("http_request_duration_seconds"),
    "traefik/v1/availability": Plugin("traefik_backend_requests_total", FAILED, 'backend=~"{backend_regex}"'),
    "traefik/v1/latency": Plugin("traefik_backend_request_duration_seconds", labels='backend=~"{backend_regex}"'),
    "traefik/v2/availability": Plugin(
        "traefik_service_requests_total", 'code=~"5.."', 'service=~"{service_name_regex}"'
    ),
    "traefik/v2/latency": Plugin("traefik_service_request_duration_seconds", labels='service=~"{service_name_regex}"'),
}  # fmt: skip
PLUGINS = {
    "getting_started_availability": Plugin("http_request_duration_seconds_count", FAILED, 'job="{job}"'),
    **{f"sloth-common/{name}": plugin for name, plugin in COMMON.items()},
}
DEFAULTS = {"custom_rcode_regex": "SERVFAIL", "bucket": "0.3"}
WRITTEN = "write `kind: ratio` with `bad` and `total`, or `kind: latency`, yourself"


def error_ratio(plugin: Part) -> str:
    """Return the share of bad events that a plugin with its options counts, as PromQL.

    Raises:
        ExpressionError: It is not known, or an option is missing.
    """
    name = plugin.text("id")
    known = PLUGINS.get(name)
    if known is None:
        raise ExpressionError(f"is counted by the plugin {name}, a program that cannot be read here: {WRITTEN}")
    options = _Options(name, plugin.at("options"))
    every = [options.at("filter").strip("{}, "), known.labels.format_map(options)]
    if options.at("exclude_errors").lower() in ("true", "1"):
        every.append(known.succeeded)
    if known.metric == "up":
        up = _selector("up", every)
        return f"count_over_time(({up} == 0)[5m:]) / count_over_time({up}[5m:])"
    if known.metric == "prometheus_rule_evaluations_total":
        bad, total = _selector("prometheus_rule_evaluation_failures_total", every), _selector(known.metric, every)
    elif known.bad:
        bad, total = _selector(known.metric, [*every, known.bad.format_map(options)]), _selector(known.metric, every)
    else:
        bucket = _selector(f"{known.metric}_bucket", [*every, f'le="{options["bucket"]}"'])
        return f"1 - rate({bucket}[5m]) / rate({_selector(f'{known.metric}_count', every)}[5m])"
    less = f" - rate({known.less.format_map(options)}[5m])" if known.less else ""
    return f"rate({bad}[5m]) / (rate({total}[5m]){less})"


class _Options(dict[str, str]):
    """The options of a plugin; one that is needed and missing is said."""

    def __init__(self, plugin: str, part: Part) -> None:
        found = part.content if isinstance(part.content, dict) else {}
        super().__init__({**DEFAULTS, **{str(name): str(value) for name, value in found.items()}})
        self._plugin = plugin

    def __missing__(self, name: str) -> str:
        raise ExpressionError(f"lacks the option {name} of the plugin {self._plugin}")

    def at(self, name: str) -> str:
        """Return an option, empty where it is not set."""
        return self.get(name, "")


def _selector(metric: str, matchers: list[str]) -> str:
    return f"{metric}{{{', '.join(filter(None, matchers))}}}"
