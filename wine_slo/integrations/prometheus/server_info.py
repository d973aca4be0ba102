"""What Prometheus says of itself: what it is, how long it keeps samples, what it scrapes and how often.

Others that speak its query API do not have all of this; what is missing is None.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/#status and #targets
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from ssl import SSLContext
from typing import Any, TypeVar

import aiohttp
import msgspec

from wine_slo.slo.source.metric_source import Target
from wine_slo.slo.span import parse_span

T = TypeVar("T")

MAX_BYTES = 8 * 2**20  # some ten thousand targets; more is taken for no answer
TIMEOUT = aiohttp.ClientTimeout(total=5)  # seconds
VERSION = re.compile(rb'^vm_app_version\{.*short_version="v?([\w.-]+)', re.MULTILINE)
DEFAULT_RETENTION = timedelta(days=15)  # where neither a time nor a size is set


class _Target(msgspec.Struct, rename="camel"):
    labels: dict[str, str]
    health: str
    scrape_url: str = ""
    last_error: str = ""
    scrape_interval: str = ""
    discovered_labels: dict[str, str] = {}

    @property
    def interval(self) -> timedelta | None:
        """Return how often it is scraped; VictoriaMetrics says so among what was discovered."""
        return _span(self.scrape_interval or self.discovered_labels.get("__scrape_interval__", ""))


class _Targets(msgspec.Struct, rename="camel"):
    active_targets: list[_Target]


class _Build(msgspec.Struct, rename="camel"):
    application: str = "Prometheus"
    version: str = ""
    go_version: str = ""


class PrometheusFacts:
    """Client of what Prometheus says of itself.

    Args:
        session: Its connections; closed by whoever made it.
        url: The root of the API, without `/api/v1`.
        headers: Sent with each request: authorisation, tenant.
        tls: Returns what connections are made with; True for the CAs of the system.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        tls: Callable[[], SSLContext | bool] = lambda: True,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = headers
        self._tls = tls

    async def server(self) -> str | None:
        """Return what it is, and its version; None where it does not say.

        Mimir says its name, and Thanos has no version of 1 or more yet. VictoriaMetrics calls itself a Prometheus; its
        own version is among its metrics.
        """
        found, headers = await self._fetch("api/v1/status/buildinfo")
        build = _data_of(found, _Build)
        if build is None:
            return None
        if "X-Server-Hostname" in headers and not build.go_version:
            metrics, _ = await self._fetch("metrics")
            version = VERSION.search(metrics or b"")
            return f"VictoriaMetrics {version[1].decode(errors='replace') if version else ''}".rstrip()
        name = "Thanos" if build.version.startswith("0.") else build.application
        return f"{name} {build.version}".rstrip()

    async def retention(self) -> timedelta | None:
        """Return how long it keeps samples; None where it does not say, or where their size decides."""
        flags = await self._query("status/flags", dict[str, str])
        if flags is None or "storage.tsdb.retention.time" not in flags:
            return None
        kept = _span(flags["storage.tsdb.retention.time"])
        if kept:
            return kept
        has_size = _has_size(flags.get("storage.tsdb.retention.size", ""))
        return None if has_size else DEFAULT_RETENTION

    async def targets(self) -> list[Target] | None:
        """Return what it scrapes; None where it does not say."""
        found = await self._query("targets?state=active", _Targets)
        if found is None:
            return None
        return [
            Target(
                each.labels.get("job", ""),
                each.scrape_url,
                each.health == "up",
                each.last_error,
                each.interval,
            )
            for each in found.active_targets
        ]

    async def _query(self, what: str, kind: type[T]) -> T | None:
        body, _ = await self._fetch(f"api/v1/{what}")
        return await asyncio.to_thread(_data_of, body, kind)

    async def _fetch(self, path: str) -> tuple[bytes | None, Mapping[str, str]]:
        """Return what answers at a path, and its headers; None where that is no answer."""
        try:
            async with self._session.get(
                f"{self._url}/{path}",
                headers=dict(self._headers),
                timeout=TIMEOUT,
                ssl=self._tls(),
                allow_redirects=False,
            ) as response:
                body = await response.content.read(MAX_BYTES)
                while len(body) < MAX_BYTES and (more := await response.content.read(MAX_BYTES - len(body))):
                    body += more
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return None, {}
        return (body if response.ok else None), response.headers


def _data_of(body: bytes | None, kind: type[T]) -> T | None:
    """Return what a body holds; None where it holds something else."""
    try:
        return None if body is None else _data(body, kind)
    except (msgspec.MsgspecError, ValueError, RecursionError, KeyError, TypeError):
        return None


def _data(body: bytes, kind: type[T]) -> T:
    answer: Any = msgspec.json.decode(body)
    return msgspec.convert(answer["data"], kind)


def _span(text: str) -> timedelta | None:
    """Return a span that Prometheus writes; None where it is none, or nothing."""
    try:
        return parse_span(text) or None
    except ValueError:
        return None


def _has_size(text: str) -> bool:
    return bool(re.match(r"[1-9]", text))
