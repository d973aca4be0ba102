"""Questions to Prometheus: what is no clear answer is no data, and says why."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time, thread_time

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback, OnLoopback, never
from tests.support.fakes.prometheus_junk import (
    EMPTY_MATRIX,
    EMPTY_VECTOR,
    JUNK,
    NEVER,
    Answer,
    PrometheusJunk,
    matrix,
    slow,
    vector,
)
from wine_slo.integrations.prometheus.client import MAX_BYTES, TIMEOUT, PrometheusClient
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=5)
SHORT, SECOND = aiohttp.ClientTimeout(total=0.2), aiohttp.ClientTimeout(total=1)

SAID = {
    "400, a query it cannot parse": 'it answered 400: invalid parameter "query": 1:1: parse error',
    "422, a query it cannot execute": "it answered 422: found duplicate series for the match group",
    "500 without a word": "it answered 500 with something that is no JSON of its API",
    "503, it replays its log": "it answered 503: it is starting, or cannot be reached by its gateway",
    "503, overloaded": "it answered 503: query timed out in expression evaluation",
    "success in the body of a 500": "it answered 500 and no reason",
    "an error in the body of a 200": "it answered 200: expanding series",
    "a page of HTML": "it answered 200 with a page of HTML, perhaps that of a login",
    "half a JSON": "it answered 200 with something that is no JSON of its API",
    "an empty body": "it answered 200 with something that is no JSON of its API",
    "a warning of a partial answer": "its answer is partial: fetch series: no store matched",
    "no data": "it answered 200 and no reason",
    "data that is a list": "it answered 200 with something that is no JSON of its API",
    "JSON that is a number": "it answered 200 with something that is no JSON of its API",
    "a result of an unknown type": "it answered with a tensor instead of a vector",
    "a vector of strings": "its answer has an unknown shape",
    "a sample without a value": "its answer has an unknown shape",
    "a value that is no number": "its answer has 'many' where a number belongs",
    "a time that is no number": "its answer has an unknown shape",
    "a series of null": "it answered with a matrix instead of a vector",
    "bytes that are no text": "it answered 200 with something that is no JSON of its API",
    "a label that is no text": "its answer cannot be read (UnicodeDecodeError)",
    "a label of half a surrogate": "it answered 200 with something that is no JSON of its API",
    "lists in lists in lists": "it answered 200 with something that is no JSON of its API",
    "a result of lists in lists": "its answer cannot be read (RecursionError)",
    "a value of 1e308": "its answer has 1e+308 where a number belongs",
    "a value below -1e308": "its answer has -1e+308 where a number belongs",
    "a time of 1e17": "its answer has 1e+17 where a time belongs",
    "a time before 1970": "its answer has -1 where a time belongs",
    "more series than can be judged": "its answer has 10001 series, more than the 10000 that can be judged: narrow",
    "part of a cluster": "its answer is partial",
    "a warning of Prometheus' own": "it warns of its answer: PromQL warning: bucket label le is missing",
    "401, no credentials": "it answered 401: it wants credentials; set WINE_SLO_PROMETHEUS_TOKEN",
    "403, a page of a filter": "it answered 403: the credentials that are set do not permit queries",
    "403, a token in JSON": "it answered 403: the credentials that are set do not permit queries",
    "404, a page of another server": "it answered 404: WINE_SLO_PROMETHEUS_URL must be the root of its API",
    "301, another path": (
        "it answered 301, a redirect, which is not followed: WINE_SLO_PROMETHEUS_URL must be /prometheus"
    ),
    "302, another host": (
        "it answered 302, a redirect, which is not followed: "
        "WINE_SLO_PROMETHEUS_URL must be https://prometheus.example:9443/prom"
    ),
    "302, a login page": "it answered 302, a redirect to login.example, which may be a login page",
    "302, a long host": "it answered 302, a redirect, which is not followed",
    "302, an empty label": "it answered 302, a redirect, which is not followed",
    "302, no URL": "it answered 302, a redirect to ?, which may be a login page",
    "302 to nowhere": "it answered 302, a redirect to ?, which may be a login page",
    "50 MB": "its answer is larger than 32 MiB",
}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def outcomes() -> list[str]:
    return []


@pytest.fixture
def api(session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk, outcomes: list[str]) -> PrometheusClient:
    return PrometheusClient(session, prometheus_junk.url + "/", {}, outcomes.append)


def impatient(session: aiohttp.ClientSession, url: str) -> PrometheusClient:
    return PrometheusClient(session, url, {}, timeout=SHORT)


@pytest.mark.parametrize("name", JUNK)
async def test_junk_is_no_data_and_says_why(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, outcomes: list[str], name: str
) -> None:
    prometheus_junk.answer = JUNK[name]
    with pytest.raises(MetricSourceError) as caught:
        await api.query("up")
    sentence = str(caught.value)
    assert sentence.startswith(SAID[name])
    assert len(sentence) <= 300
    assert "\n" not in sentence
    assert outcomes == ["failed"]


@pytest.mark.parametrize("name", JUNK)
async def test_junk_over_a_range_is_no_data_either(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, name: str
) -> None:
    prometheus_junk.answer = JUNK[name]
    with pytest.raises(MetricSourceError):
        await api.query_range("up", START, START + STEP, STEP)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(NEVER, id="never"),
        pytest.param(slow(30), id="late"),
    ],
)
async def test_an_answer_that_does_not_come_is_not_waited_for(
    session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk, answer: Answer
) -> None:
    prometheus_junk.answer = answer
    with pytest.raises(MetricSourceError, match=r"^it did not answer in time$"):
        await impatient(session, prometheus_junk.url).query("up")


async def test_an_answer_that_never_ends_is_not_waited_for(session: aiohttp.ClientSession) -> None:
    async def trickle(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"status":')
        return await never()

    server = Loopback(trickle)
    await server.open()
    with pytest.raises(MetricSourceError, match=r"^it did not answer in time$"):
        await impatient(session, server.url).query("up")
    await server.close()


async def test_a_question_that_waits_for_others_has_the_whole_time_limit_from_when_it_is_sent(
    session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.answer = replace(EMPTY_VECTOR, seconds=0.2)
    client = PrometheusClient(session, prometheus_junk.url, {}, timeout=SECOND, most_at_once=1)
    assert len(await asyncio.gather(*(client.query("up") for _ in range(6)))) == 6


async def test_questions_that_wait_for_one_that_is_not_answered_are_given_up_with_it(
    session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk, outcomes: list[str]
) -> None:
    prometheus_junk.answer = NEVER
    client = PrometheusClient(session, prometheus_junk.url, {}, on_query=outcomes.append, timeout=SHORT, most_at_once=1)
    async with asyncio.timeout(3):
        found = await asyncio.gather(*(client.query("up") for _ in range(50)), return_exceptions=True)
    assert {str(each) for each in found} == {"it did not answer in time"}
    assert outcomes == ["failed"] * 50
    prometheus_junk.answer = EMPTY_VECTOR
    assert (await client.query("up")).samples == ()


def test_a_question_is_given_up_well_before_the_next_tick() -> None:
    assert TIMEOUT.total is not None
    assert TIMEOUT.total <= 10


async def test_that_it_cannot_be_reached_is_said_with_the_reason(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, outcomes: list[str]
) -> None:
    await prometheus_junk.goes_down()
    with pytest.raises(MetricSourceError, match=r"^it cannot be reached \(connection refused\)$"):
        await api.query("up")
    assert outcomes == ["failed"]


async def test_that_it_broke_off_is_said(session: aiohttp.ClientSession) -> None:
    async def drop(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport
        request.transport.abort()
        return web.Response()

    server = Loopback(drop)
    await server.open()
    with pytest.raises(MetricSourceError, match=r"^it closed the connection \(\w+\)$"):
        await PrometheusClient(session, server.url, {}).query("up")
    await server.close()


async def test_what_was_away_is_queried_again(api: PrometheusClient, prometheus_junk: PrometheusJunk) -> None:
    await prometheus_junk.goes_down()
    with pytest.raises(MetricSourceError):
        await api.query("up")
    await prometheus_junk.comes_back()
    assert (await api.query("up")).samples == ()


async def test_a_large_answer_is_refused_before_it_is_read_to_its_end(
    api: PrometheusClient, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.answer = Answer(" " * 2**20, repeats=MAX_BYTES // 2**20 + 1)
    with pytest.raises(MetricSourceError, match="larger than 32 MiB"):
        await api.query("up")


# Good answers


async def test_a_vector_is_read_with_its_labels_and_its_instant(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, outcomes: list[str]
) -> None:
    prometheus_junk.answer = vector((START.timestamp(), "0.95"), endpoint="/predict")
    found = await api.query("up")
    assert found.samples == (Sample({"endpoint": "/predict"}, 0.95),)
    assert found.at == START
    assert outcomes == ["answered"]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
async def test_a_value_that_is_not_finite_is_no_value(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, value: str
) -> None:
    prometheus_junk.answer = vector((1.0, value), (1.0, "2"))
    assert (await api.query("up")).samples == (Sample({"n": "1"}, 2.0),)
    prometheus_junk.answer = matrix([(1.0, "1"), (6.0, value), (11.0, "3")])
    assert await api.query_range("up", START, START, STEP) == [Series({}, {1.0: 1.0, 11.0: 3.0})]


async def test_that_there_is_nothing_is_an_answer(api: PrometheusClient, prometheus_junk: PrometheusJunk) -> None:
    prometheus_junk.answer = EMPTY_VECTOR
    found = await api.query("up")
    assert (found.samples, found.at) == ((), None)
    prometheus_junk.answer = EMPTY_MATRIX
    assert await api.query_range("up", START, START, STEP) == []


async def test_the_query_is_sent_as_the_api_wants_it_and_with_every_header(session: aiohttp.ClientSession) -> None:
    requested: list[tuple[str, str, dict[str, str], str | None]] = []
    kept: set[str | None] = set()

    async def listen(request: web.BaseRequest) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        requested.append((request.method, request.path, form, request.headers.get("X-Scope-OrgID")))
        assert request.headers["Authorization"] == "Bearer secret"
        kept.add(request.headers.get("Cache-Control"))
        kind = "matrix" if request.path.endswith("_range") else "vector"
        return web.json_response({"status": "success", "data": {"resultType": kind, "result": []}})

    server = Loopback(listen)
    await server.open()
    api = PrometheusClient(
        session, f"{server.url}/prefix/", {"Authorization": "Bearer secret", "X-Scope-OrgID": "team"}
    )
    await api.query("up")
    await api.query_range("rate(x[5m])", START, START + timedelta(seconds=62.5), timedelta(seconds=2.5))
    await server.close()

    begin = START.timestamp()
    assert requested == [
        ("POST", "/prefix/api/v1/query", {"query": "up", "nocache": "1", "latency_offset": "1ms"}, "team"),
        (
            "POST",
            "/prefix/api/v1/query_range",
            {
                "query": "rate(x[5m])",
                "start": f"{begin:.3f}",
                "end": f"{begin + 62.5 + 3 * 2.5:.3f}",
                "step": "2.5",
                "nocache": "1",
                "latency_offset": "1ms",
            },
            "team",
        ),
    ]
    assert kept == {"no-store"}, "the frontends of Thanos and Mimir would keep an answer that is not complete yet"


async def test_a_range_that_is_queried_further_answers_what_was_wanted_and_nothing_more(
    api: PrometheusClient, prometheus_junk: PrometheusJunk
) -> None:
    """VictoriaMetrics 1.79 repeats older values in the newest 30 s of a range that ends now."""
    begin = START.timestamp()
    wanted = [(begin + number * 5, "1") for number in range(3)]
    ahead = [(begin + number * 5, "2") for number in range(3, 6)]
    prometheus_junk.answer = matrix([*wanted, *ahead])
    (found,) = await api.query_range("up", START, START + 2 * STEP, STEP)
    assert found.points == {begin: 1.0, begin + 5: 1.0, begin + 10: 1.0}
    prometheus_junk.answer = matrix(ahead)
    assert await api.query_range("up", START, START + 2 * STEP, STEP) == []


async def test_values_of_a_much_later_time_are_not_hidden(
    api: PrometheusClient, prometheus_junk: PrometheusJunk
) -> None:
    later = START.timestamp() + 3600
    prometheus_junk.answer = matrix([(later, "1")])
    (found,) = await api.query_range("up", START, START + STEP, STEP)
    assert found.points == {later: 1.0}, "whoever judges it refuses it"


async def test_a_range_with_as_many_points_as_prometheus_permits_is_queried_as_it_is(
    session: aiohttp.ClientSession,
) -> None:
    ends: list[str] = []

    async def listen(request: web.BaseRequest) -> web.StreamResponse:
        ends.append(str((await request.post())["end"]))
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": []}})

    async with OnLoopback(listen) as server:
        api = PrometheusClient(session, server.url, {})
        for points in (10_997, 10_998, 11_000):
            await api.query_range("up", START, START + (points - 1) * STEP, STEP)
    seconds = [float(each) - START.timestamp() for each in ends]
    assert seconds == [10_999 * 5, 10_997 * 5, 10_999 * 5]


# What stands in front of Prometheus


class Gateway(OnLoopback):
    """A gateway that permits some methods only, and answers the others with `refusal`."""

    def __init__(self, permitted: str, refusal: int) -> None:
        self.methods: list[str] = []
        self._permitted = permitted
        self._refusal = refusal
        super().__init__(self._answer)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.methods.append(request.method)
        if request.method != self._permitted:
            return web.Response(status=self._refusal, text="no")
        query = {**request.query, **await request.post()}
        assert query["query"] == "up"
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": []}})


@pytest.mark.parametrize("refusal", [403, 405, 501])
async def test_a_gateway_that_permits_only_get_is_queried_by_get_from_then_on(
    session: aiohttp.ClientSession, refusal: int
) -> None:
    async with Gateway("GET", refusal) as gateway:
        api = PrometheusClient(session, gateway.url, {})
        for _ in range(3):
            assert (await api.query("up")).samples == ()
    assert gateway.methods == ["POST", "GET", "GET", "GET"]


async def test_a_gateway_that_permits_neither_method_is_named_by_its_own_answer(session: aiohttp.ClientSession) -> None:
    async with Gateway("NONE", 405) as gateway:
        with pytest.raises(MetricSourceError, match="it answered 405"):
            await PrometheusClient(session, gateway.url, {}).query("up")


async def test_a_redirect_to_another_host_gets_neither_query_nor_headers(
    session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk
) -> None:
    async with Gateway("POST", 405) as elsewhere:
        prometheus_junk.answer = Answer("", 307, location=f"{elsewhere.url}/api/v1/query")
        api = PrometheusClient(session, prometheus_junk.url, {"X-Scope-OrgID": "team"})
        with pytest.raises(MetricSourceError, match=f"must be {elsewhere.url}$"):
            await api.query("up")
    assert elsewhere.methods == []


async def test_a_refusal_does_not_repeat_the_token(
    session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.answer = JUNK["403, a token in JSON"]
    with pytest.raises(MetricSourceError) as caught:
        await PrometheusClient(session, prometheus_junk.url, {"Authorization": "Bearer abc"}).query("up")
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://foo..bar", f"http://{'a' * 300}.example", "http://[::1", "http://127.0.0.1:99999"]
)
async def test_an_address_that_cannot_be_queried_is_no_data(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(MetricSourceError):
        await PrometheusClient(session, url, {}).query("up")


async def test_an_info_is_logged_once_and_the_answer_counts(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "wine_slo")
    info = 'PromQL info: metric might not be a counter, name does not end in _total: "http_errors" (1:15)'
    good = json.loads(vector((1.0, "2")).body)
    for member in ("warnings", "infos"):
        prometheus_junk.answer = Answer(json.dumps(good | {member: [info]}))
        for _ in range(2):
            assert [each.value for each in (await api.query("up")).samples] == [2.0]
    assert [each.getMessage() for each in caplog.records if each.name.startswith("wine_slo")] == [
        f"Prometheus remarks: {info.removesuffix(' (1:15)')}"
    ]


async def test_an_info_does_not_hide_a_warning(api: PrometheusClient, prometheus_junk: PrometheusJunk) -> None:
    good = json.loads(vector((1.0, "2")).body)
    prometheus_junk.answer = Answer(json.dumps(good | {"warnings": ["PromQL info: x", "no store matched"]}))
    with pytest.raises(MetricSourceError, match=r"^its answer is partial: no store matched$"):
        await api.query("up")


@pytest.mark.parametrize("member", ["warnings", "infos"])
async def test_more_remarks_than_anybody_reads_are_refused_and_do_not_hold_up_the_event_loop(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, member: str
) -> None:
    remarks = ",".join(f'"PromQL info: {number}"' for number in range(100_000))
    prometheus_junk.answer = Answer(
        f'{{"status":"success","data":{{"resultType":"vector","result":[]}},"{member}":[{remarks}]}}'
    )
    with pytest.raises(MetricSourceError, match=r"^its answer has more than 256 KiB of warnings$"):
        await api.query("up")


@pytest.mark.parametrize(
    "series",
    [
        pytest.param('{"metric":{},"values":[' + ",".join(['[1,"1.5"]'] * 200_000) + "]}", id="points"),
        pytest.param('{"values":[],"metric":{' + ",".join(f'"l{n}":"v"' for n in range(100_000)) + "}}", id="labels"),
        pytest.param('{"values":[],"metric":{"a":"' + "x" * 2**20 + '"}}', id="a long label"),
    ],
)
async def test_a_series_that_is_longer_than_any_answer_of_ours_is_refused_before_it_is_read(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, series: str
) -> None:
    prometheus_junk.answer = Answer(f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}')
    with pytest.raises(MetricSourceError, match=r"^its answer has a series of more than 1024 KiB$"):
        await api.query_range("up", START, START + STEP, STEP)


async def test_members_that_are_null_are_as_good_as_left_out(
    api: PrometheusClient, prometheus_junk: PrometheusJunk
) -> None:
    good = json.loads(vector((1.0, "2")).body)
    prometheus_junk.answer = Answer(json.dumps(good | {"warnings": None, "infos": None, "error": None}))
    assert [each.value for each in (await api.query("up")).samples] == [2.0]


@pytest.mark.parametrize("points", [[(1.0, "1e308")], [(1e17, "1")], [(-1.0, "1"), (2.0, "1")]])
async def test_a_number_that_cannot_be_spoils_a_range(
    api: PrometheusClient, prometheus_junk: PrometheusJunk, points: list[tuple[float, str]]
) -> None:
    prometheus_junk.answer = matrix(points)
    with pytest.raises(MetricSourceError, match=r"where a (number|time) belongs"):
        await api.query_range("up", START, START + STEP, STEP)


async def test_a_large_answer_does_not_hold_up_the_event_loop(
    api: PrometheusClient, prometheus_junk: PrometheusJunk
) -> None:
    values = ",".join(f'[{number},"1.5"]' for number in range(700))
    series = ",".join(f'{{"metric":{{"endpoint":"/{number}"}},"values":[{values}]}}' for number in range(2500))
    prometheus_junk.answer = Answer(f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}')
    longest, last = 0.0, thread_time()

    async def breathe() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, thread_time() - last), thread_time()

    breathing = asyncio.create_task(breathe())
    of_all, of_the_loop = process_time(), thread_time()
    found = await api.query_range("up", START, START + STEP, STEP)
    beside = process_time() - of_all - (thread_time() - of_the_loop)
    breathing.cancel()
    assert len(found) == 2500
    assert longest < beside / 3, "the answer is read in another thread, however fast the machine is"


async def test_a_token_that_was_rotated_is_sent_with_the_next_question(session: aiohttp.ClientSession) -> None:
    sent: list[str] = []

    async def listen(request: web.BaseRequest) -> web.StreamResponse:
        sent.append(request.headers["Authorization"])
        return web.Response(status=401)

    server, headers = Loopback(listen), {"Authorization": "Bearer old"}
    await server.open()
    api, facts = PrometheusClient(session, server.url, headers), PrometheusFacts(session, server.url, headers)
    for token in ("old", "new"):
        headers["Authorization"] = f"Bearer {token}"
        with pytest.raises(MetricSourceError, match="it answered 401: it wants credentials"):
            await api.query("up")
        assert await facts.server() is None
    await server.close()
    assert sent == ["Bearer old"] * 2 + ["Bearer new"] * 2
