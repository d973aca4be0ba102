"""The server in Prometheus's place."""

import aiohttp
import pytest

from tests.support.fakes.prometheus_junk import JUNK, NEVER, Answer, PrometheusJunk, matrix, slow, vector


@pytest.mark.parametrize("name", JUNK)
async def test_it_sends_junk_whole(prometheus_junk: PrometheusJunk, name: str) -> None:
    prometheus_junk.answer = JUNK[name]
    async with (
        aiohttp.ClientSession(prometheus_junk.url) as session,
        session.get("/api/v1/query", params={"query": "up"}, allow_redirects=False) as response,
    ):
        body = await response.read()
    assert response.status == JUNK[name].status
    assert len(body) == len(JUNK[name].body.encode(errors="surrogatepass")) * JUNK[name].repeats


async def test_it_answers_well_by_the_query(prometheus_junk: PrometheusJunk) -> None:
    prometheus_junk.by_query = {"up": vector((1.0, "1"), job="wine-slo"), "rate": matrix([(1.0, "NaN")])}
    async with aiohttp.ClientSession(prometheus_junk.url) as session:
        async with session.post("/api/v1/query", data={"query": 'up{job="x"}'}) as response:
            up = (await response.json())["data"]
        async with session.get("/api/v1/query_range", params={"query": "rate(x[5m])"}) as response:
            rate = (await response.json())["data"]
    assert up == {"resultType": "vector", "result": [{"metric": {"job": "wine-slo"}, "value": [1.0, "1"]}]}
    assert rate == {"resultType": "matrix", "result": [{"metric": {}, "values": [[1.0, "NaN"]]}]}
    assert prometheus_junk.queries == ['up{job="x"}', "rate(x[5m])"]


@pytest.mark.parametrize("answer", [pytest.param(NEVER, id="never"), pytest.param(slow(5), id="late")])
async def test_it_takes_its_time(prometheus_junk: PrometheusJunk, answer: Answer) -> None:
    prometheus_junk.answer = answer
    async with aiohttp.ClientSession(prometheus_junk.url, timeout=aiohttp.ClientTimeout(total=0.2)) as session:
        with pytest.raises(TimeoutError):
            await session.get("/api/v1/query", params={"query": "up"})
