"""Whatever Prometheus answers, an evaluation ends in a state that can be shown, and the next right one is trusted."""

import asyncio
import copy
import json
import os
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback
from tests.support.fakes.prometheus_canned import CannedPrometheus, Slow
from tests.support.held_loop import held_loop
from tests.support.odd_json import ODD
from tests.support.scene import LATENCY, START, Reader
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.views.status import Process, status_of

SECONDS = 3 * float(os.environ.get("WINE_SLO_SOAK", "1")) ** 2
FEWEST = 10  # evaluations; an idle machine makes four times as many
LONGEST = 0.1  # seconds of the loop's own processor time, which no busy machine prolongs
OTHER = replace(LATENCY, name="other", job="other")
BY = replace(LATENCY, name="by", job="by", by=("endpoint",))
ALL = Objectives.only(LATENCY, OTHER, BY)
TIMEOUT = aiohttp.ClientTimeout(total=1)

VALUES = (
    *("NaN", "+Inf", "-Inf", "1e308", "-1e308", "1e18", "-1e18", "1e19", "1e-320", "-0", "-1", "0", "0.5", "1e5000"),
    *("", " 1", "1\n", "1_000", "0x10", "\u0663", "many", "1" * 5000, "infinity", "nan", "\x00", "\ud800"),
)
TIMES: tuple[Any, ...] = (
    0,
    -1,
    1e11,
    1e12,
    1e308,
    -1e308,
    10**400,
    1e-9,
    86_400,
    "now",
    "1e3",
    None,
    True,
    [],
    253_402_300_800,
)
LABELS: tuple[Any, ...] = (
    "",
    "\x00",
    "\n",
    "<b>",
    "{}",
    "%s",
    "\u202e",
    "\ud800",
    "a" * 5000,
    "NaN",
    "le",
    "&amp;",
    '"}',
    5,
    None,
    [],
)
HEADS = ("text/html", "text/plain", "", "application/json; charset=punycode", "\x80", "application/octet-stream")
PLACES = ("", "/", "http://[::1/api/v1/query", "//\ud7ff", "https://u:p@h:x/api/v1/query", "a" * 9000, "http://../")


@dataclass(slots=True)
class Reply:
    """An answer while it is bent."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    breaks_off: bool = False
    seconds: float = 0.0


class Mutator:
    """Bends the right answers, at random but by a seed."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.count = 0
        self.share = 0.1  # of the answers that are bent

    def bend(self, answer: Any) -> Reply:
        """The answer as bytes, usually as it is."""
        if self.dice.random() >= self.share:
            return Reply(_encoded(answer))
        self.count += 1
        tree = copy.deepcopy(answer)
        for _ in range(self.dice.choice((0, 1, 1, 1, 2, 4))):
            tree = self.dice.choice((self._numbers, self._numbers, self._labels, self._shape, self._envelope))(tree)
        reply = Reply(_encoded(tree))
        if self.dice.random() < 0.3:
            self.dice.choice((self._bytes, self._bytes, self._http))(reply)
        return reply

    def _numbers(self, tree: Any) -> Any:
        for series in self._some_series(tree):
            pairs = series["values"] if "values" in series else [series["value"]]
            for pair in pairs if self.dice.random() < 0.5 else pairs[:1]:
                if self.dice.random() < 0.5:
                    pair[1] = self.dice.choice((*VALUES, 1, None))
                else:
                    pair[0] = self.dice.choice((*TIMES, pair[0] + 3600, pair[0] - 3600, pair[0] + 1e-7))
        return tree

    def _labels(self, tree: Any) -> Any:
        for series in self._some_series(tree):
            name = self.dice.choice(("endpoint", "job", "instance", "le", "", "\n", "a" * 3000))
            series["metric"] = {**series["metric"], name: self.dice.choice(LABELS)}
        return tree

    def _shape(self, tree: Any) -> Any:
        """Something else, nothing, or much more of it, at any place."""
        if not isinstance(tree, dict | list) or not tree or self.dice.random() < 0.2:
            return copy.deepcopy(self.dice.choice(ODD))
        place: Any = self.dice.choice(list(tree) if isinstance(tree, dict) else range(len(tree)))
        match self.dice.randrange(5):
            case 0:
                del tree[place]
            case 1 if isinstance(tree, list):
                tree *= self.dice.choice((2, 50, 200))
            case _:
                tree[place] = self._shape(tree[place])
        return tree

    def _envelope(self, tree: Any) -> Any:
        more = {
            "status": self.dice.choice(("error", "", "SUCCESS", None)),
            "warnings": [self.dice.choice(("", "x" * 9000, "PromQL info: x", "PromQL warning: <b>\n\x1b[31m"))],
            "infos": self.dice.choice(([], ["x\ny"], [""] * 500, "x")),
            "isPartial": self.dice.choice((True, "true", 1)),
            "error": self.dice.choice(("", "<script>", "a\n" * 5000, "\ud800", 5)),
            "data": self.dice.choice(ODD),
        }
        name = self.dice.choice(list(more))
        return {**tree, name: more[name]} if isinstance(tree, dict) else tree

    def _some_series(self, tree: Any) -> list[Any]:
        """Series that are still whole."""
        found = tree.get("data") if isinstance(tree, dict) else None
        result = found.get("result") if isinstance(found, dict) else None
        whole = [each for each in result if _is_whole(each)] if isinstance(result, list) else []
        return whole if self.dice.random() < 0.5 else whole[:1]

    def _bytes(self, reply: Reply) -> None:
        body, place = reply.body, self.dice.randrange(len(reply.body) + 1)
        reply.body = self.dice.choice(
            (
                body[:place],
                body[:place] + bytes([self.dice.randrange(256)]) + body[place + 1 :],
                b"\xef\xbb\xbf" + body,
                body + body,
                body[:place] + b"[" * 50_000,
                body.decode().encode("utf-16"),
                b"",
                b"<html>" + body,
                body[:place] + b'{"a":' * 20_000 + body[place:],
            )
        )

    def _http(self, reply: Reply) -> None:
        match self.dice.randrange(6):
            case 0:
                reply.status = self.dice.choice((201, 204, 206, 300, 304, 400, 401, 403, 404, 405, 422, 429, 500, 503))
            case 1:
                reply.status, reply.headers["Location"] = self.dice.choice((301, 302, 307)), self.dice.choice(PLACES)
            case 2:
                reply.headers["Content-Type"] = self.dice.choice(HEADS)
            case 3:
                reply.headers["Content-Encoding"] = self.dice.choice(("gzip", "deflate", "br", "x", "identity"))
                reply.body = self.dice.choice((zlib.compress(reply.body), reply.body, b"\x1f\x8b\x08"))
            case 4:
                reply.breaks_off = True
            case _:
                reply.seconds = 1.2


def _is_whole(series: Any) -> bool:
    pairs = series.get("values", [series.get("value")]) if isinstance(series, dict) else None
    is_whole = isinstance(pairs, list) and all(isinstance(each, list) and len(each) == 2 for each in pairs)
    return is_whole and isinstance(series.get("metric"), dict) and all(isinstance(at, float) for at, _ in pairs or ())


def _encoded(tree: Any) -> bytes:
    return json.dumps(tree).encode()  # a surrogate stays escaped: half a character, as JSON can hold


class FuzzedPrometheus(CannedPrometheus):
    """The canned Prometheus over HTTP, its answers bent; each job is that of `LATENCY`."""

    def __init__(self, mutator: Mutator) -> None:
        self.now = START + timedelta(hours=1)
        super().__init__(lambda: self.now, Slow(3900, 4800))
        self._mutator = mutator
        self.server = Loopback(self._serve)
        self.latest: list[Reply] = []

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        requested = {name: str(value) for name, value in (await request.post() or request.query).items()}
        query = requested["query"]
        for objective in (OTHER, BY):
            query = query.replace(f'{objective.job}"', f'{LATENCY.job}"')
        query = query.replace(" by (endpoint)", "").replace("by (le, endpoint)", "by (le)")
        reply = self._mutator.bend(await self._right(query, requested))
        self.latest.append(reply)
        await asyncio.sleep(reply.seconds)
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        if reply.breaks_off:
            response.content_length = len(reply.body) + 1
        await response.prepare(request)
        await response.write(reply.body)
        if reply.breaks_off and request.transport is not None:
            request.transport.abort()
        return response

    async def _right(self, query: str, requested: dict[str, str]) -> Any:
        labels = {"job": LATENCY.job, "endpoint": "/predict", "instance": "h:1"}
        if "step" not in requested:
            found = await self.query(query)
            at = self.now.timestamp()
            result: list[Any] = [
                {"metric": {**labels, **each.labels}, "value": [at, f"{each.value}"]} for each in found.samples
            ]
            return {"status": "success", "data": {"resultType": "vector", "result": result}}
        start, end = (datetime.fromtimestamp(float(requested[name]), UTC) for name in ("start", "end"))
        series = await self.query_range(query, start, end, timedelta(seconds=float(requested["step"])))
        values = [{"metric": labels, "values": [[at, f"{v}"] for at, v in each.points.items()]} for each in series]
        return {"status": "success", "data": {"resultType": "matrix", "result": values}}


@asynccontextmanager
async def elsewhere(server: Loopback) -> AsyncIterator[None]:
    """Serve in a thread with a loop of its own, so that what the fake does is not measured."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(server.open(), loop))
        yield
    finally:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(server.close(), loop))
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop))
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()


@dataclass
class Shown:
    """What the reader of a chat and of the page gets to see."""

    state: State
    now: datetime
    objectives: Objectives = ALL


async def test_whatever_prometheus_answers_an_evaluation_ends_and_what_it_says_can_be_shown(tmp_path: Path) -> None:
    mutator = Mutator(seed=int(os.environ.get("WINE_SLO_FUZZ_SEED", "1")))
    prometheus = FuzzedPrometheus(mutator)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    shown = Shown(State(), prometheus.now)
    reader = Reader(shown)  # type: ignore[arg-type]  # it is read as a scene is
    evaluations = 0
    async with aiohttp.ClientSession() as session, elsewhere(prometheus.server), held_loop() as held:
        clock: Callable[[], WallTime] = lambda: WallTime(prometheus.now)  # noqa: E731
        api = PrometheusClient(session, prometheus.server.url, {}, timeout=TIMEOUT)
        evaluator = Evaluator(api, ledger, ALL, State(), clock)
        ends_at = monotonic() + SECONDS
        while monotonic() < ends_at or evaluations < FEWEST:
            mutator.share = (0.02, 0.1, 0.5, 1.0, 0.0)[evaluations % 5]
            prometheus.latest.clear()
            await evaluator.evaluate()
            evaluations += 1
            await asyncio.to_thread(_show, evaluator, reader, shown, prometheus.now)  # not in the loop
            delivered = {key.objective: each for key, each in evaluator.state.readings.items()}
            assert {each.name for each in ALL.all} <= delivered.keys(), prometheus.latest
            assert all(each.sight is not Sight.BLIND or each.reason for each in delivered.values())
            if mutator.share == 0:
                assert [str(each.reason) for each in delivered.values() if each.sight is not Sight.CLEAR] == []
            prometheus.now += timedelta(seconds=30)
    ledger.close()
    print(f"{evaluations} evaluations, {mutator.count} bent answers, the loop held for {held.longest:.3f} s")  # noqa: T201
    assert Key("latency") in evaluator.state.readings
    assert held.longest < LONGEST


WORST = {
    "millions of infos": f'"result":[]}},"infos":[{",".join(chr(34) * 2 for _ in range(3_000_000))}]',
    "millions of points": f'"result":[{{"metric":{{}},"value":[{",".join(["1"] * 5_000_000)}]}}]}}',
    "many series of many labels": '"result":['
    + ",".join(
        f'{{"metric":{{"n":"{n}",{",".join(f"{chr(34)}l{k}{chr(34)}:{chr(34)}v{chr(34)}" for k in range(50))}}},'
        f'"value":[{START.timestamp() + 3600},"{START.timestamp() + 3600}"]}}'
        for n in range(3000)
    )
    + "]}",
    "a deep hole": f'"result":{"[" * 10_000_000}',
    "a long label": f'"result":[{{"metric":{{"a":"{"x" * 20_000_000}"}},"value":[1,"1"]}}]}}',
}


@pytest.mark.parametrize("worst", WORST)
async def test_the_worst_answers_do_not_hold_up_the_loop_either(tmp_path: Path, worst: str) -> None:
    body = f'{{"status":"success","data":{{"resultType":"vector",{WORST[worst]}}}'.encode()

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    server = Loopback(answer)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    async with aiohttp.ClientSession() as session, elsewhere(server):
        api = PrometheusClient(session, server.url, {})
        evaluator = Evaluator(api, ledger, Objectives.only(BY), State(), lambda: WallTime(START + timedelta(hours=1)))
        async with held_loop() as held:
            await evaluator.evaluate()
        ledger.close()
    assert {each.sight for each in evaluator.state.readings.values()} == {Sight.BLIND}
    assert held.longest < LONGEST


def _show(evaluator: Evaluator, reader: Reader, shown: Shown, now: datetime) -> None:
    """Render everything that people get of a state; what cannot be encoded raises."""
    shown.state, shown.now = evaluator.state, now
    for notification in reader.receives():
        notification.text.encode()
    process = Process(version="1.2.3", poll=timedelta(seconds=30), overdue_after=timedelta(seconds=90))
    msgspec.json.encode(status_of(evaluator.state, ALL, now, process))
