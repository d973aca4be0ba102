"""The one place that says which metric source is used."""

from collections.abc import Callable

import aiohttp

from wine_slo.integrations.prometheus.client import TIMEOUT, PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.integrations.prometheus.shared_queries import SharedQueries
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.source.metric_source import MetricSource, SourceInfo


def connect(
    session: aiohttp.ClientSession,
    settings: WatchdogSettings,
    on_query: Callable[[str], None] = lambda _: None,
    timeout: aiohttp.ClientTimeout = TIMEOUT,
) -> MetricSource:
    """Return the metric source of the settings.

    Args:
        session: Its connections; closed by whoever made it.
        settings: Say where it is, and with which headers it is queried.
        on_query: Called after each query with its outcome, `answered` or `failed`.
        timeout: For one query and its whole answer.
    """
    url, headers, tls = settings.prometheus_url, settings.prometheus_headers, settings.prometheus_tls
    return PrometheusClient(session, url, headers, on_query=on_query, timeout=timeout, tls=tls.read)


def shared(source: MetricSource) -> MetricSource:
    """Return a metric source for many objectives, whose queries are sent together."""
    return SharedQueries(source)


def info(session: aiohttp.ClientSession, settings: WatchdogSettings) -> SourceInfo:
    """Return what describes the metric source itself: its version, its retention, its targets."""
    url, headers, tls = settings.prometheus_url, settings.prometheus_headers, settings.prometheus_tls
    return PrometheusFacts(session, url, headers, tls=tls.read)
