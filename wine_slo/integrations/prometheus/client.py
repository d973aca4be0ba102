"""Prometheus' HTTP API, and whatever speaks it: Thanos, Mimir, VictoriaMetrics.

What is no clear answer is no data: an HTTP error, a redirect, a warning of a partial answer, half a JSON, a number that
cannot be and an answer that is too large are all the same `MetricSourceError`.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import asyncio
import errno
import logging
import math
import re
import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.source.clocks import SourceTime
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Vector, instant_of

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)  # seconds; well inside one tick
MAX_BYTES = 32 * 2**20  # a thousand label sets over an hour are 20 MB; more is a mistake
MAX_SERIES = 10_000  # in one answer; more can neither be judged in time nor be read by anybody
MAX_SERIES_BYTES = 2**20  # of one series; 11,000 points are half of that, and what is parsed in one go holds the loop
MAX_REMARK_BYTES = 2**18  # of all warnings of an answer, and of all infos
MAX_VALUE = 1e18  # counts, seconds and their sums stay far below it, and arithmetic with it cannot overflow
READ_HERE = 2**16  # bytes; a larger answer is parsed in a thread, so that it does not hold up the event loop
BAD_REQUEST = 400
OF_QUERY = (400, 422)  # the query cannot be answered
TOO_MUCH = (422, 503)  # it would load too many samples, or took too long
WANTS_ANOTHER_METHOD = (403, 405, 501)  # some gateways and RBAC proxies permit only GET, or only POST
# VictoriaMetrics hides the newest 30 s and repeats older points in their place, unless a query says otherwise.
# Prometheus, Thanos and Mimir ignore both. Source: https://docs.victoriametrics.com/#query-latency
FRESH = {"nocache": "1", "latency_offset": "1ms"}
INFO = "PromQL info:"  # Prometheus 2.48 to 2.53 put these among the warnings; the answer is whole all the same
PLACE = re.compile(r" \(\d+:\d+\)$")  # in the query, which differs from query to query
WARNING = "PromQL warning:"
MAX_INFOS = 100  # remembered, so that each is logged once

NOT_FOUND = 404
UNAVAILABLE = 503  # in a word and not in JSON: while it replays its log, or from a gateway in front of it
CREDENTIALS = {
    401: phrase(
        "it answered {status}: it wants credentials; set WINE_SLO_PROMETHEUS_TOKEN or WINE_SLO_PROMETHEUS_USERNAME"
    ),
    403: phrase("it answered {status}: the credentials that are set do not permit queries"),
}
LONGEST_HOST = 100  # characters; a name that is longer is no host of ours

CAUSES = {  # by the number of the error; the text of the system would be in the system's language
    errno.ECONNREFUSED: phrase("connection refused"),
    errno.EHOSTUNREACH: phrase("no route to host"),
    errno.ENETUNREACH: phrase("network is unreachable"),
    socket.EAI_NONAME: phrase("name or service not known"),
    socket.EAI_AGAIN: phrase("its name cannot be resolved now"),
}


NOTHING = msgspec.Raw(b"null")


class _InstantSample(msgspec.Struct, gc=False):
    value: tuple[float, str]
    metric: dict[str, str] = {}


class _RangeSample(msgspec.Struct):
    values: list[tuple[float, str]]
    metric: dict[str, str] = {}


class _RangeNumbers(msgspec.Struct):
    """The same where every value is a number that msgspec reads; `+Inf` is none."""

    values: list[tuple[float, float]]
    metric: dict[str, str] = {}


class _Data(msgspec.Struct):
    result: msgspec.Raw
    resultType: str  # noqa: N815 - the API's own name


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str | None = None
    warnings: msgspec.Raw = NOTHING
    infos: msgspec.Raw = NOTHING
    isPartial: bool | None = None  # noqa: N815 - VictoriaMetrics' own name


class PrometheusClient:
    """Client of the query API.

    Args:
        session: Its connections; closed by whoever made it.
        url: The root of the API, without `/api/v1`.
        headers: Sent with each request: authorisation, tenant; read anew for each, as secrets are rotated.
        on_query: Called after each question with its outcome, `answered` or `failed`.
        timeout: For one question and its whole answer.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        headers: Mapping[str, str],
        on_query: Callable[[str], None] = lambda _: None,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._session = session
        self._method = "POST"  # as a query may be longer than a URL
        self._infos: set[str] = set()
        self._on_query = on_query
        self._url = url.rstrip("/")
        self._headers = headers
        self._timeout = timeout

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """Return the answer to a question about now, or about an instant of the past.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        instant = {} if at is None else {"time": f"{at.timestamp():.3f}"}
        return await self._query("query", {"query": promql, **instant}, _vector)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return the answer to a question about every `step` from `start` to `end`, both included.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        params = {
            "query": promql,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step.total_seconds():g}",
        }
        return await self._query("query_range", params, _matrix)

    async def _query(self, what: str, params: dict[str, str], read: Callable[[_Data], T]) -> T:
        try:
            found = await self._read_answer(what, params, read)
        except MetricSourceError:
            self._on_query("failed")
            raise
        self._on_query("answered")
        return found

    async def _read_answer(self, what: str, params: dict[str, str], read: Callable[[_Data], T]) -> T:
        response, body = await self._send(what, params | FRESH)

        def parse() -> tuple[T, list[str]]:
            data, infos = _data(response, body)
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
        headers = dict(self._headers)
        try:
            async with self._session.request(
                method,
                f"{self._url}/api/v1/{what}",
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,  # another host would get the query and the headers, and would be trusted
                **sent,  # type: ignore[arg-type]
            ) as response:
                return response, await _read(response)
        except TimeoutError as error:
            raise MetricSourceError("it did not answer in time", is_too_much=True) from error
        except aiohttp.ClientConnectorError as error:
            raise MetricSourceError("it cannot be reached ({cause})", cause=_cause(error.os_error)) from error
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise MetricSourceError("its address is not a valid URL ({error})", error=str(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise MetricSourceError("it closed the connection ({error})", error=type(error).__name__) from error

    def _log_once(self, infos: list[str]) -> None:
        for each in infos:
            if len(self._infos) >= MAX_INFOS:
                return
            if each not in self._infos:
                self._infos.add(each)
                log.info("Prometheus remarks: %s", each)


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


def _data(response: aiohttp.ClientResponse, body: bytes) -> tuple[_Data, list[str]]:
    """Return the data, and what is remarked about them.

    Raises:
        MetricSourceError: The answer is none, or not all of it.
    """
    status = response.status
    if 300 <= status < 400:
        raise _redirected(response)
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise _no_json(status, response.content_type) from error
    if answer.status != "success" or answer.data is None or status != 200:
        refused, too_much = status == BAD_REQUEST, status in TOO_MUCH
        if status in CREDENTIALS:
            raise MetricSourceError(CREDENTIALS[status], status=status)
        if answer.error:
            raise MetricSourceError(
                "it answered {status}: {error}",
                is_refused=refused,
                is_too_much=too_much,
                is_of_query=status in OF_QUERY,
                status=status,
                error=answer.error,
            )
        raise MetricSourceError(
            "it answered {status} and no reason", is_refused=refused, is_too_much=too_much, status=status
        )
    remarks, infos = _remarks(answer.warnings), _remarks(answer.infos)
    warnings = [each for each in remarks if not each.startswith(INFO)]
    if warnings and warnings[0].startswith(WARNING):
        raise MetricSourceError("it warns of its answer: {warning}", is_of_query=True, warning=warnings[0])
    if warnings:
        raise MetricSourceError("its answer is partial: {warning}", warning=warnings[0])
    if answer.isPartial:
        raise MetricSourceError("its answer is partial")
    return answer.data, list(dict.fromkeys(PLACE.sub("", each) for each in (*remarks, *infos)))


def _remarks(raw: msgspec.Raw) -> list[str]:
    """Return the warnings or the infos of an answer.

    Raises:
        MetricSourceError: They are none, or too many.
    """
    if memoryview(raw).nbytes > MAX_REMARK_BYTES:
        raise MetricSourceError("its answer has more than {size} KiB of warnings", size=MAX_REMARK_BYTES // 2**10)
    try:
        return msgspec.json.decode(raw, type=list[str] | None) or []
    except msgspec.DecodeError as error:
        raise MetricSourceError("its answer has an unknown shape ({error})", error=str(error)) from error


def _redirected(response: aiohttp.ClientResponse) -> MetricSourceError:
    try:
        target = urlsplit(response.headers.get("Location", ""))
        host, port = target.hostname or "", f":{target.port}" if target.port else ""
    except ValueError:
        target, host, port = urlsplit(""), "", ""
    root, is_api, _ = target.path.partition("/api/v1/")
    if not is_api:
        return MetricSourceError(
            "it answered {status}, a redirect to {host}, which may be a login page: its API must be open to us",
            status=response.status,
            host=(host or target.path)[:LONGEST_HOST] or "?",
        )
    return MetricSourceError(
        "it answered {status}, a redirect, which is not followed: WINE_SLO_PROMETHEUS_URL must be {url}",
        status=response.status,
        url=f"{target.scheme}://{host[:LONGEST_HOST]}{port}{root}" if host else root or "/",
    )


def _no_json(status: int, content_type: str) -> MetricSourceError:
    if status in CREDENTIALS:
        return MetricSourceError(CREDENTIALS[status], status=status)
    if status == NOT_FOUND:
        return MetricSourceError(
            "it answered {status}: WINE_SLO_PROMETHEUS_URL must be the root of its API", status=status
        )
    if status == UNAVAILABLE:
        return MetricSourceError(
            "it answered {status}: it is starting, or cannot be reached by its gateway", status=status
        )
    if content_type == "text/html":
        return MetricSourceError("it answered {status} with a page of HTML, perhaps that of a login", status=status)
    return MetricSourceError("it answered {status} with something that is no JSON of its API", status=status)


def _vector(data: _Data) -> Vector:
    found = [_decode(each, _InstantSample) for each in _series(data, "vector")]
    samples = (Sample(each.metric, _number(each.value[1])) for each in found)
    at = SourceTime(instant_of(found[0].value[0])) if found else None
    return Vector(tuple(each for each in samples if math.isfinite(each.value)), at)


def _matrix(data: _Data) -> list[Series]:
    return [_points(each) for each in _series(data, "matrix")]


def _points(raw: msgspec.Raw) -> Series:
    """Return one series, piece by piece as other threads want to run between two of them."""
    try:  # the quick way, as a replay reads millions of them
        found = _decode(raw, _RangeNumbers, strict=False)
    except MetricSourceError:
        series = _decode(raw, _RangeSample)
        found = _RangeNumbers([(at, _number(text)) for at, text in series.values], series.metric)
    points = {at: value for at, value in found.values if math.isfinite(value)}
    for at in (min(points), max(points)) if points else ():
        instant_of(at)
    for value in (min(points.values()), max(points.values())) if points else ():
        _possible(value)
    return Series(found.metric, points)


def _series(data: _Data, wanted: str) -> list[msgspec.Raw]:
    """Return the series of a result, each still to be parsed, so that too many of them cost little."""
    if data.resultType != wanted:
        raise MetricSourceError("it answered with a {got} instead of a {wanted}", got=data.resultType, wanted=wanted)
    try:
        found = msgspec.json.decode(data.result, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        raise MetricSourceError("its answer has an unknown shape ({error})", error=str(error)) from error
    if len(found) > MAX_SERIES:
        raise MetricSourceError(
            "its answer has {count} series, more than the {most} that can be judged: narrow its selector",
            is_of_query=True,
            count=len(found),
            most=MAX_SERIES,
        )
    return found


def _decode(raw: msgspec.Raw, kind: type[S], *, strict: bool = True) -> S:
    if memoryview(raw).nbytes > MAX_SERIES_BYTES:
        raise MetricSourceError("its answer has a series of more than {size} KiB", size=MAX_SERIES_BYTES // 2**10)
    try:
        return msgspec.json.decode(raw, type=kind, strict=strict)
    except msgspec.DecodeError as error:
        raise MetricSourceError("its answer has an unknown shape ({error})", error=str(error)) from error


def _number(text: str) -> float:
    try:
        return _possible(float(text))
    except ValueError as error:
        raise MetricSourceError("its answer has {text} where a number belongs", text=repr(text)) from error


def _possible(value: float) -> float:
    """Return a value that sums and spans can be made of; NaN and the infinities are dropped elsewhere."""
    if math.isfinite(value) and abs(value) > MAX_VALUE:
        raise MetricSourceError("its answer has {text} where a number belongs", text=f"{value:g}")
    return value
