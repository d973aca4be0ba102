"""Prometheus' HTTP API, and whatever speaks it: Thanos, Mimir, VictoriaMetrics.

What is no clear answer is no data: an HTTP error, a warning of a partial answer, half a JSON and an answer that is too
large are all the same `PrometheusError`. Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import errno
import math
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiohttp
import msgspec

from wine_slo.domain.phrases import Reason, ReasonedError, phrase

T = TypeVar("T")

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)  # seconds; well inside one tick
MAX_BYTES = 32 * 2**20  # a thousand label sets over an hour are 20 MB; more is a mistake
MAX_POINTS = 11_000  # a series; Prometheus refuses more
BAD_REQUEST = 400
TOO_MUCH = (422, 503)  # it would load too many samples, or took too long

CAUSES = {  # by the number of the error; the text of the system would be in the system's language
    errno.ECONNREFUSED: phrase("connection refused"),
    errno.EHOSTUNREACH: phrase("no route to host"),
    errno.ENETUNREACH: phrase("network is unreachable"),
    socket.EAI_NONAME: phrase("name or service not known"),
    socket.EAI_AGAIN: phrase("its name cannot be looked up now"),
}


class PrometheusError(ReasonedError):
    """Prometheus did not answer, or not in a way that can be trusted; the reason is a sentence about "it".

    Attributes:
        is_refused: The question itself is wrong, so that asking again helps nothing.
        is_too_much: A question about less time might be answered.
    """

    def __init__(
        self, sentence: str, *, is_refused: bool = False, is_too_much: bool = False, **holes: str | int | Reason
    ) -> None:
        super().__init__(sentence, **holes)
        self.is_refused = is_refused
        self.is_too_much = is_too_much


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one label set."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Vector:
    """The finite values of an instant query, and the instant by Prometheus' own clock; None when there are none."""

    samples: tuple[Sample, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Series:
    """The finite values of one label set over a range, by seconds since the epoch."""

    labels: dict[str, str]
    points: dict[float, float]


class _InstantSample(msgspec.Struct):
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
    error: str = ""
    warnings: list[str] = []


class PrometheusApi:
    """Asks questions in PromQL.

    Args:
        session: Its connections; closed by whoever made it.
        url: The root of the API, without `/api/v1`.
        headers: Sent with each request: authorisation, tenant.
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
        self._on_query = on_query
        self._url = url.rstrip("/")
        self._headers = headers
        self._timeout = timeout

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """The answer to a question about now, or about an instant of the past.

        Raises:
            PrometheusError: There is none that can be trusted.
        """
        instant = {} if at is None else {"time": f"{at.timestamp():.3f}"}
        return await self._ask("query", {"query": promql, **instant}, _vector)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """The answer to a question about every `step` from `start` to `end`, both included.

        Raises:
            PrometheusError: There is none that can be trusted.
        """
        params = {
            "query": promql,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step.total_seconds():g}",
        }
        return await self._ask("query_range", params, _matrix)

    async def _ask(self, what: str, params: dict[str, str], read: Callable[[_Data], T]) -> T:
        try:
            found = read(await self._answer(what, params))
        except PrometheusError:
            self._on_query("failed")
            raise
        self._on_query("answered")
        return found

    async def _answer(self, what: str, params: dict[str, str]) -> _Data:
        try:
            async with self._session.post(
                f"{self._url}/api/v1/{what}", data=params, headers=self._headers, timeout=self._timeout
            ) as response:
                body = await _read(response)
                status = response.status
        except TimeoutError as error:
            raise PrometheusError("it did not answer in time", is_too_much=True) from error
        except aiohttp.ClientConnectorError as error:
            raise PrometheusError("it cannot be reached ({cause})", cause=_cause(error.os_error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PrometheusError("it broke off ({error})", error=type(error).__name__) from error
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError as error:
            raise PrometheusError(
                "it answered {status} with something that is no JSON of its API", status=status
            ) from error
        if answer.status != "success" or answer.data is None or status != 200:
            refused, too_much = status == BAD_REQUEST, status in TOO_MUCH
            if answer.error:
                raise PrometheusError(
                    "it answered {status}: {error}",
                    is_refused=refused,
                    is_too_much=too_much,
                    status=status,
                    error=answer.error,
                )
            raise PrometheusError(
                "it answered {status} and no reason", is_refused=refused, is_too_much=too_much, status=status
            )
        if answer.warnings:
            raise PrometheusError("its answer is partial: {warning}", warning=answer.warnings[0])
        return answer.data


def _cause(error: OSError) -> str | Reason:
    """Why there is no connection."""
    known = CAUSES.get(error.errno or 0)
    return Reason(known) if known else error.strerror or str(error)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(2**16):
        body += chunk
        if len(body) > MAX_BYTES:
            raise PrometheusError("its answer is larger than {size} MiB", is_too_much=True, size=MAX_BYTES // 2**20)
    return bytes(body)


def _vector(data: _Data) -> Vector:
    found = _decode(data, "vector", list[_InstantSample])
    samples = tuple(Sample(each.metric, _number(each.value[1])) for each in found)
    at = datetime.fromtimestamp(found[0].value[0], UTC) if found else None
    return Vector(tuple(each for each in samples if math.isfinite(each.value)), at)


def _matrix(data: _Data) -> list[Series]:
    try:  # the quick way, as a replay reads millions of them
        found = _decode(data, "matrix", list[_RangeNumbers], strict=False)
    except PrometheusError:
        series = _decode(data, "matrix", list[_RangeSample])
        found = [_RangeNumbers([(at, _number(text)) for at, text in each.values], each.metric) for each in series]
    return [Series(each.metric, {at: value for at, value in each.values if math.isfinite(value)}) for each in found]


def _decode(data: _Data, wanted: str, kind: Any, *, strict: bool = True) -> Any:
    if data.resultType != wanted:
        raise PrometheusError("it answered with a {got} instead of a {wanted}", got=data.resultType, wanted=wanted)
    try:
        return msgspec.json.decode(data.result, type=kind, strict=strict)
    except msgspec.DecodeError as error:
        raise PrometheusError("its answer has an unknown shape ({error})", error=str(error)) from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise PrometheusError("its answer has {text} where a number belongs", text=repr(text)) from error
