"""The one place that says which metric source is used."""

from collections.abc import Callable
from functools import partial

import aiohttp
from msgspec import structs

from wine_slo.config.setting_types import ReplicaUrls
from wine_slo.integrations.prometheus.client import TIMEOUT, PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.integrations.prometheus.shared_queries import SharedQueries
from wine_slo.monitor.evaluate.replicas.source import ReplicaInfo, Replicas
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.source.metric_source import MetricSource, SourceInfo

Count = Callable[[str, str], None]  # what happened, and of which replica; of the only one, its name is empty


def connect(
    session: aiohttp.ClientSession,
    settings: WatchdogSettings,
    count: Count = lambda _what, _name: None,
    timeout: aiohttp.ClientTimeout = TIMEOUT,
) -> MetricSource:
    """Return the metric source of the settings.

    Args:
        session: Its connections; closed by whoever made it.
        settings: Say where it is, and with which headers it is queried.
        count: Called after each query with its outcome, `answered` or `failed`, and with what befalls replicas:
            `switched_to` and `worse_than_others`.
        timeout: For one query and its whole answer.
    """
    headers, tls = settings.prometheus_access, settings.prometheus_tls
    urls = settings.prometheus_url.by_name

    def client(name: str, url: str) -> MetricSource:
        def on_query(outcome: str) -> None:
            count(outcome, name if len(urls) > 1 else "")

        return PrometheusClient(session, url, headers, on_query=on_query, timeout=timeout, tls=tls.read)

    members = {name: client(name, url) for name, url in urls.items()}
    return Replicas(members, count) if len(members) > 1 else next(iter(members.values()))


def replicas(session: aiohttp.ClientSession, settings: WatchdogSettings) -> dict[str, tuple[MetricSource, SourceInfo]]:
    """Return each metric source of the settings and what describes it, by its URL."""
    alone = {
        url: structs.replace(settings, prometheus_url=ReplicaUrls(url))
        for url in settings.prometheus_url.by_name.values()
    }
    return {url: (connect(session, each), info(session, each)) for url, each in alone.items()}


def shared(source: MetricSource) -> MetricSource:
    """Return a metric source for many objectives, whose queries are sent together."""
    return source.each(SharedQueries) if isinstance(source, Replicas) else SharedQueries(source)


def info(session: aiohttp.ClientSession, settings: WatchdogSettings) -> SourceInfo:
    """Return what describes the metric source itself: its version, its retention, its targets."""
    facts = partial(PrometheusFacts, session, headers=settings.prometheus_access, tls=settings.prometheus_tls.read)
    members = [facts(url) for url in settings.prometheus_url.by_name.values()]
    return ReplicaInfo(members) if len(members) > 1 else members[0]
