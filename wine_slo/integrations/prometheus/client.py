"""Prometheus' HTTP API, and whatever speaks it: Thanos, Mimir, VictoriaMetrics.

What is no clear answer is no data: an HTTP error, a redirect, a warning of a partial answer, half a JSON, a number that
cannot be and an answer that is too large are all the same `MetricSourceError`.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from math import inf
from ssl import SSLContext, SSLError
from time import monotonic
from typing import TypeVar

import aiohttp

from wine_slo.integrations.prometheus.answer import Data, data_of, matrix_of, vector_of
from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.source.metric_source import MAX_POINTS, MetricSourceError, Series, Vector

T = TypeVar("T")

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)  # seconds from when a query is sent; well inside one tick
MOST_AT_ONCE = 50  # queries; Prometheus itself works on 20, and the session has connections for 100
MAX_BYTES = 32 * 2**20  # a thousand label sets over an hour are 20 MB; more is a mistake
READ_HERE = 2**16  # bytes; a larger answer is parsed in a thread, so that it does not hold up the event loop
WANTS_ANOTHER_METHOD = (403, 405, 501)  # some gateways and RBAC proxies permit only GET, or only POST
# VictoriaMetrics hides the newest 30 s, unless a query says otherwise. Prometheus, Thanos and Mimir ignore both.
# Source: https://docs.victoriametrics.com/#query-latency
FRESH = {"nocache": "1", "latency_offset": "1ms"}
# The frontends of Thanos, Mimir and Cortex keep answers, and then what was missing at the time stays missing.
NOT_KEPT = {"Cache-Control": "no-store"}
# Steps by which a range is queried to after its end. VictoriaMetrics that does not know `latency_offset`, such as 1.79,
# fills the newest 30 s of a range with an older value, but not of one that ends more than a step after now.
AHEAD = 3
MAX_INFOS = 100  # remembered, so that each is logged once

CAUSES = {  # by the number of the error; the text of the system would be in the system's language
    errno.ECONNREFUSED: phrase("connection refused"),
    errno.EHOSTUNREACH: phrase("no route to host"),
    errno.ENETUNREACH: phrase("network is unreachable"),
    socket.EAI_NONAME: phrase("name or service not known"),
    socket.EAI_AGAIN: phrase("its name cannot be resolved now"),
}
LATE = phrase("it did not answer in time")
NOT_ACCEPTED = phrase(
    "it does not accept this client's certificate ({cause}), which WINE_SLO_PROMETHEUS_CERT_FILE and "
    "WINE_SLO_PROMETHEUS_KEY_FILE name"
)
NOT_VALID_NOW = phrase("its certificate is not valid now ({cause}): it must be renewed, or one of both clocks is wrong")
OF_ANOTHER_HOST = phrase(
    "its certificate is one of another host ({cause}): WINE_SLO_PROMETHEUS_URL must name a host in it"
)
WHY_NOT_TRUSTED = {9: NOT_VALID_NOW, 10: NOT_VALID_NOW, 62: OF_ANOTHER_HOST, 64: OF_ANOTHER_HOST}  # X509_V_ERR_...
UNTRUSTED = phrase("its certificate is not trusted ({cause}); WINE_SLO_PROMETHEUS_CA_FILE names the CA that signed it")


class PrometheusClient:
    """Client of the query API.

    Args:
        session: Its connections; closed by whoever made it.
        url: The root of the API, without `/api/v1`.
        headers: Sent with each request: authorisation, tenant; read anew for each, as secrets are rotated.
        on_query: Called after each question with its outcome, `answered` or `failed`.
        timeout: For one question and its whole answer, from when it is sent.
        tls: Returns what connections are made with, which is rotated too; True for the CAs of the system.
        most_at_once: How many questions are sent side by side; the others wait until one of these has ended.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        on_query: Callable[[str], None] = lambda _: None,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        tls: Callable[[], SSLContext | bool] = lambda: True,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._session = session
        self._method = "POST"  # as a query may be longer than a URL
        self._infos: set[str] = set()
        self._on_query = on_query
        self._url = url.rstrip("/")
        self._headers = headers
        self._timeout = timeout
        self._tls = tls
        self._sending = asyncio.Semaphore(most_at_once)
        self._answered_at = -inf  # by the steady clock

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """Return the answer to a question about now, or about an instant of the past.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        instant = {} if at is None else {"time": f"{at.timestamp():.3f}"}
        return await self._query("query", {"query": promql, **instant}, vector_of)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return the answer to a question about every `step` from `start` to `end`, both included.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        has_room = (end - start) // step + AHEAD < MAX_POINTS
        params = {
            "query": promql,
            "start": f"{start.timestamp():.3f}",
            "end": f"{(end + AHEAD * step if has_room else end).timestamp():.3f}",
            "step": f"{step.total_seconds():g}",
        }
        unwanted = (end + step / 2).timestamp(), (end + (AHEAD + 0.5) * step).timestamp()
        return await self._query("query_range", params, partial(matrix_of, unwanted=unwanted))

    async def _query(self, what: str, params: dict[str, str], read: Callable[[Data], T]) -> T:
        try:
            async with self._turn():
                found = await self._read_answer(what, params, read)
        except MetricSourceError:
            self._on_query("failed")
            raise
        self._on_query("answered")
        return found

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until few enough questions are being answered, for as long as any of them is.

        Raises:
            MetricSourceError: None of them is, so that this one would wait in vain as well.
        """
        came_at = monotonic()
        async with self._sending:
            in_vain = monotonic() - max(came_at, self._answered_at)
            if in_vain > (self._timeout.total or inf) / 2:
                raise MetricSourceError(LATE, is_too_much=True)
            yield

    async def _read_answer(self, what: str, params: dict[str, str], read: Callable[[Data], T]) -> T:
        response, body = await self._send(what, params | FRESH)

        def parse() -> tuple[T, list[str]]:
            data, infos = data_of(response, body)
            return read(data), infos

        try:
            found, infos = parse() if len(body) <= READ_HERE else await asyncio.to_thread(parse)
        except (ValueError, RecursionError, OverflowError) as error:  # bytes that are no text, lists in lists in lists
            raise MetricSourceError("its answer cannot be read ({error})", error=type(error).__name__) from error
        self._log_once(infos)
        return found

    async def _send(self, what: str, params: dict[str, str]) -> tuple[aiohttp.ClientResponse, bytes]:
        """Return what answers, with its body, by the method that is permitted; that method is used from then on."""
        response, body = await self._request(self._method, what, params)
        if response.status not in WANTS_ANOTHER_METHOD:
            return response, body
        other = "GET" if self._method == "POST" else "POST"
        again, again_body = await self._request(other, what, params)
        if again.status in WANTS_ANOTHER_METHOD:
            return response, body
        self._method = other
        return again, again_body

    async def _request(self, method: str, what: str, params: dict[str, str]) -> tuple[aiohttp.ClientResponse, bytes]:
        sent = {"data": params} if method == "POST" else {"params": params}
        headers = NOT_KEPT | dict(self._headers)
        try:
            async with self._session.request(
                method,
                f"{self._url}/api/v1/{what}",
                headers=headers,
                timeout=self._timeout,
                ssl=self._tls(),
                allow_redirects=False,  # another host would get the query and the headers, and would be trusted
                **sent,  # type: ignore[arg-type]
            ) as response:
                body = await _read(response)
                self._answered_at = monotonic()
                return response, body
        except TimeoutError as error:
            raise MetricSourceError(LATE, is_too_much=True) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise _untrusted(error.certificate_error) from error
        except aiohttp.ClientConnectorError as error:
            raise MetricSourceError("it cannot be reached ({cause})", cause=_cause(error.os_error)) from error
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise MetricSourceError("its address is not a valid URL ({error})", error=str(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, SSLError) and "_ALERT_" in (error.__cause__.reason or ""):
                raise MetricSourceError(NOT_ACCEPTED, is_of_trust=True, cause=error.__cause__.reason) from error
            raise MetricSourceError("it closed the connection ({error})", error=type(error).__name__) from error

    def _log_once(self, infos: list[str]) -> None:
        for each in infos:
            if len(self._infos) >= MAX_INFOS:
                return
            if each not in self._infos:
                self._infos.add(each)
                log.info("Prometheus remarks: %s", each)


def _untrusted(error: Exception) -> MetricSourceError:
    """Return that its certificate is not trusted, and why, as OpenSSL says it."""
    sentence = WHY_NOT_TRUSTED.get(getattr(error, "verify_code", 0), UNTRUSTED)
    return MetricSourceError(sentence, is_of_trust=True, cause=getattr(error, "verify_message", "") or str(error))


def _cause(error: OSError) -> str | Reason:
    """Return why there is no connection."""
    known = CAUSES.get(error.errno or 0)
    return Reason(known) if known else error.strerror or str(error)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) > MAX_BYTES:
            raise MetricSourceError("its answer is larger than {size} MiB", is_too_much=True, size=MAX_BYTES // 2**20)
    return bytes(body)
