"""A server in Prometheus's place that answers well, badly or not at all."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.support.fakes.loopback import OnLoopback, never

Sample = tuple[float, str]  # Unix time in seconds, and the value as Prometheus writes it: "0.95", "NaN", "+Inf"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query is answered with."""

    body: str = ""
    status: int = 200
    content_type: str = "application/json"
    seconds: float = 0  # how long it takes
    repeats: int = 1  # how often the body is sent
    location: str = ""  # of a redirect


def _success(kind: str, result: Any, **more: Any) -> Answer:
    return Answer(json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}))


def _error(status: int, kind: str, text: str) -> Answer:
    return Answer(json.dumps({"status": "error", "errorType": kind, "error": text}), status)


# Good answers


def vector(*samples: Sample, **labels: str) -> Answer:
    """An instant vector of these samples, one series each; more than one is distinguished by the label `n`."""
    series = [
        {"metric": labels | ({"n": str(n)} if len(samples) > 1 else {}), "value": sample}
        for n, sample in enumerate(samples)
    ]
    return _success("vector", series)


def one_each(label: str, *values: str) -> Answer:
    """An instant vector with a series of each value of a label."""
    return _success("vector", [{"metric": {label: each}, "value": (1.0, "1")} for each in values])


def matrix(values: Sequence[Sample], **labels: str) -> Answer:
    """A range of one series."""
    return _success("matrix", [{"metric": labels, "values": values}])


def targets(interval: str, *jobs: str) -> Answer:
    """What it scrapes: a target of each job, each so often."""
    found = [
        {"labels": {"job": job}, "health": "up", "scrapeUrl": "http://a/metrics", "scrapeInterval": interval}
        for job in jobs
    ]
    return Answer(json.dumps({"status": "success", "data": {"activeTargets": found}}))


def pods_of(job: str, pods: Sequence[tuple[str, bool]]) -> Answer:
    """What it scrapes of one job: each target with whether it answers."""
    found = [
        {
            "labels": {"job": job},
            "health": "up" if is_up else "down",
            "lastError": "" if is_up else "refused",
            "scrapeUrl": url,
            "scrapeInterval": "5s",
        }
        for url, is_up in pods
    ]
    return Answer(json.dumps({"status": "success", "data": {"activeTargets": found}}))


EMPTY_VECTOR = _success("vector", [])
EMPTY_MATRIX = _success("matrix", [])

# Bad ones, by what a test would call them

JUNK = {
    "400, a query it cannot parse": _error(400, "bad_data", 'invalid parameter "query": 1:1: parse error'),
    "422, a query it cannot execute": _error(422, "execution", "found duplicate series for the match group"),
    "500 without a word": Answer("", 500, "text/plain"),
    "503, it replays its log": Answer("Service Unavailable", 503, "text/plain"),
    "503, overloaded": _error(503, "timeout", "query timed out in expression evaluation"),
    "success in the body of a 500": Answer('{"status":"success","data":{"resultType":"vector","result":[]}}', 500),
    "an error in the body of a 200": _error(200, "internal", "expanding series"),
    "a page of HTML": Answer("<html><body>Log in</body></html>", content_type="text/html"),
    "half a JSON": Answer('{"status":"success","data":{"resultType":"vec'),
    "an empty body": Answer(""),
    "a warning of a partial answer": _success("vector", [], warnings=["fetch series: no store matched"]),
    "no data": Answer('{"status":"success"}'),
    "data that is a list": Answer('{"status":"success","data":[]}'),
    "JSON that is a number": Answer("42"),
    "a result of an unknown type": _success("tensor", [[1]]),
    "a vector of strings": _success("vector", ["one", "two"]),
    "a sample without a value": _success("vector", [{"metric": {}}]),
    "a value that is no number": _success("vector", [{"metric": {}, "value": [1, "many"]}]),
    "a time that is no number": _success("vector", [{"metric": {}, "value": ["now", "1"]}]),
    "a series of null": _success("matrix", [{"metric": None, "values": None}]),
    "bytes that are no text": Answer("\ud800", content_type="application/octet-stream"),
    "a label that is no text": Answer(
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"\ud800"},"value":[1,"1"]}]}}'
    ),
    "a label of half a surrogate": Answer(
        r'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"\ud800"},"value":[1,"1"]}]}}'
    ),
    "lists in lists in lists": Answer("[" * 100_000),
    "a result of lists in lists": Answer(
        '{"status":"success","data":{"resultType":"vector","result":[' + "[" * 100_000 + "]" * 100_000 + "]}}"
    ),
    "a value of 1e308": vector((1.0, "1e308")),
    "a value below -1e308": vector((1.0, "-1e308")),
    "a time of 1e17": vector((1e17, "1")),
    "a time before 1970": vector((-1.0, "1")),
    "more series than can be judged": vector(*[(1.0, "1")] * 10_001),
    "part of a cluster": _success("vector", [], isPartial=True),
    "a warning of Prometheus' own": _success("vector", [], warnings=["PromQL warning: bucket label le is missing"]),
    "401, no credentials": Answer("Unauthorized", 401, "text/plain"),
    "403, a page of a filter": Answer("<html>Forbidden</html>", 403, "text/html"),
    "403, a token in JSON": _error(403, "forbidden", "invalid token Bearer abc"),
    "404, a page of another server": Answer("404 page not found", 404, "text/plain"),
    "301, another path": Answer("", 301, location="/prometheus/api/v1/query?query=up"),
    "302, another host": Answer("", 302, location="https://u:p@prometheus.example:9443/prom/api/v1/query"),
    "302, a login page": Answer("", 302, location="https://login.example/?back=x"),
    "302, a long host": Answer("", 302, location=f"https://{'a' * 300}.example/api/v1/query"),
    "302, an empty label": Answer("", 302, location="http://foo..bar/api/v1/query"),
    "302, no URL": Answer("", 302, location="http://[::1/api/v1/query"),
    "302 to nowhere": Answer("", 302),
    "50 MB": Answer("[" * 2**20, repeats=50),
}
PIECE = 2**18  # bytes sent at once
NEVER = Answer(seconds=float("inf"))


def slow(seconds: float, answer: Answer = EMPTY_VECTOR) -> Answer:
    """The same answer, but late."""
    return Answer(answer.body, answer.status, answer.content_type, seconds, answer.repeats)


class PrometheusJunk(OnLoopback):
    """The fake: every query gets `answer`, or the answer of the longest text in `by_query` that it contains.

    It says what it scrapes where `targets` is set.
    """

    def __init__(self) -> None:
        self.answer = EMPTY_VECTOR
        self.targets: Answer | None = None
        self.by_query: dict[str, Answer] = {}
        self.queries: list[str] = []
        super().__init__(self._handle)

    async def goes_down(self) -> None:
        await self._server.close()

    async def comes_back(self) -> None:
        await self._server.open()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/api/v1/targets" and self.targets is not None:
            return await _send(request, self.targets)
        if not request.path.startswith("/api/v1/query"):
            return web.Response(text="Prometheus Server is Ready.\n")
        query = {**request.query, **await request.post()}.get("query", "")
        self.queries.append(str(query))
        requested = [text for text in self.by_query if text in str(query)]
        return await _send(request, self.by_query[max(requested, key=len)] if requested else self.answer)


async def _send(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    if answer is NEVER:
        return await never()
    await asyncio.sleep(answer.seconds)
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    if answer.location:
        response.headers["Location"] = answer.location
    await response.prepare(request)
    body = answer.body.encode(errors="surrogatepass")
    for start in (start for _ in range(answer.repeats) for start in range(0, len(body), PIECE)):
        await response.write(body[start : start + PIECE])
        await asyncio.sleep(0)  # or else a large body would hold up the loop that it shares with its clients
    await response.write_eof()
    return response
