"""What an answer of the query API holds: half an answer, a warning of one and a number that cannot be are no answer.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from wine_slo.slo.reason import phrase
from wine_slo.slo.source.clocks import SourceTime
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Vector, instant_of

S = TypeVar("S", bound=msgspec.Struct)

MAX_SERIES = 10_000  # in one answer; more can neither be judged in time nor be read by anybody
MAX_SERIES_BYTES = 2**20  # of one series; 11,000 points are half of that, and what is parsed in one go holds the loop
MAX_REMARK_BYTES = 2**18  # of all warnings of an answer, and of all infos
MAX_VALUE = 1e18  # counts, seconds and their sums stay far below it, and arithmetic with it cannot overflow
BAD_REQUEST = 400
OF_QUERY = (400, 422)  # the query cannot be answered
TOO_MUCH = (422, 503)  # it would load too many samples, or took too long
INFO = "PromQL info:"  # Prometheus 2.48 to 2.53 put these among the warnings; the answer is whole all the same
PLACE = re.compile(r" \(\d+:\d+\)$")  # in the query, which differs from query to query
WARNING = "PromQL warning:"

NOT_FOUND = 404
UNAVAILABLE = 503  # in a word and not in JSON: while it replays its log, or from a gateway in front of it
CREDENTIALS = {
    401: phrase(
        "it answered {status}: it wants credentials; set WINE_SLO_PROMETHEUS_TOKEN or WINE_SLO_PROMETHEUS_USERNAME"
    ),
    403: phrase("it answered {status}: the credentials that are set do not permit queries"),
}
LONGEST_HOST = 100  # characters; a name that is longer is no host of ours


NOTHING = msgspec.Raw(b"null")
NO_LABELS = msgspec.Raw(b"{}")
MOST_LABEL_SETS = 2**15  # remembered, as most answers are about the same ones
LONGEST_LABELS = 2**10  # bytes of one that is remembered


class _InstantSample(msgspec.Struct, gc=False):
    value: tuple[float, str]
    metric: msgspec.Raw = NO_LABELS


class _RangeSample(msgspec.Struct):
    values: list[tuple[float, str]]
    metric: dict[str, str] = {}


class _RangeNumbers(msgspec.Struct):
    """The same where every value is a number that msgspec reads; `+Inf` is none."""

    values: list[tuple[float, float]]
    metric: dict[str, str] = {}


class Data(msgspec.Struct):
    """The result of a query, still to be read."""

    result: msgspec.Raw
    resultType: str  # noqa: N815 - the API's own name


class _Answer(msgspec.Struct):
    status: str
    data: Data | None = None
    error: str | None = None
    warnings: msgspec.Raw = NOTHING
    infos: msgspec.Raw = NOTHING
    isPartial: bool | None = None  # noqa: N815 - VictoriaMetrics' own name


def data_of(response: aiohttp.ClientResponse, body: bytes) -> tuple[Data, list[str]]:
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


def vector_of(data: Data) -> Vector:
    """Return the finite values of an instant query.

    Raises:
        MetricSourceError: It is none that can be trusted.
    """
    found = [_decode(each, _InstantSample) for each in _series(data, "vector")]
    samples = (Sample(_labels(each.metric), _number(each.value[1])) for each in found)
    at = SourceTime(instant_of(found[0].value[0])) if found else None
    return Vector(tuple(each for each in samples if math.isfinite(each.value)), at)


def _labels(raw: msgspec.Raw) -> Mapping[str, str]:
    """Return a label set, the same one each time; many answers about thousands of them would hold each anew."""
    text = bytes(raw)
    try:
        return _remembered(text) if len(text) <= LONGEST_LABELS else msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise MetricSourceError("its answer has an unknown shape ({error})", error=str(error)) from error


@lru_cache(maxsize=MOST_LABEL_SETS)
def _remembered(text: bytes) -> Mapping[str, str]:
    return MappingProxyType(msgspec.json.decode(text, type=dict[str, str]))


def matrix_of(data: Data, unwanted: tuple[float, float]) -> list[Series]:
    """Return the finite values of a range query.

    Args:
        data: Its answer.
        unwanted: After when, and until when, values at the end of a series are left out; seconds since the epoch.

    Raises:
        MetricSourceError: It is none that can be trusted.
    """
    instants: dict[float, float] = {}  # which all series have in common, so that each is kept once
    found = (_points(each, *unwanted, instants) for each in _series(data, "matrix"))
    return [each for each in found if each is not None]


def _points(raw: msgspec.Raw, since: float, until: float, instants: dict[float, float]) -> Series | None:
    """Return one series without what it has at its end of unwanted instants; None where it has no other.

    Series by series, as other threads want to run between two of them.
    """
    try:  # the quick way, as a replay reads millions of them
        found = _decode(raw, _RangeNumbers, strict=False)
    except MetricSourceError:
        series = _decode(raw, _RangeSample)
        found = _RangeNumbers([(at, _number(text)) for at, text in series.values], series.metric)
    while found.values and since < found.values[-1][0] <= until:
        found.values.pop()
    if not found.values:
        return None
    points = {instants.setdefault(at, at): value for at, value in found.values if math.isfinite(value)}
    for at in (min(points), max(points)) if points else ():
        instant_of(at)
    for value in (min(points.values()), max(points.values())) if points else ():
        _possible(value)
    return Series(found.metric, points)


def _series(data: Data, wanted: str) -> list[msgspec.Raw]:
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
