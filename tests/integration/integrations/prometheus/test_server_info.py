"""What Prometheus says of itself, where it says what cannot be."""

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback
from wine_slo.integrations.prometheus.server_info import PrometheusFacts
from wine_slo.slo.source.metric_source import Target

LONG = ("9999999999999y", "9" * 400 + "s", "9" * 5000 + "s", f"1{'0' * 17}s", "٣" * 3 + "s")


async def answer_of(what: str, data: Any) -> Any:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text=json.dumps({"status": "success", "data": data}), content_type="application/json")

    server = Loopback(answer)
    await server.open()
    try:
        async with aiohttp.ClientSession() as session:
            return await getattr(PrometheusFacts(session, server.url, {}), what)()
    finally:
        await server.close()


@pytest.mark.parametrize("span", [*LONG, "", "often"], ids=range(len(LONG) + 2))
async def test_an_interval_that_cannot_be_is_not_known(span: str) -> None:
    target = {"labels": {"job": "wine-slo"}, "health": "up", "scrapeUrl": "http://h/metrics", "scrapeInterval": span}
    known = await answer_of("targets", {"activeTargets": [target]})
    assert known == [Target("wine-slo", "http://h/metrics", is_up=True, trouble="", interval=None)]


@pytest.mark.parametrize("span", LONG, ids=range(len(LONG)))
async def test_a_retention_that_cannot_be_is_not_known(span: str) -> None:
    flags = {"storage.tsdb.retention.time": span, "storage.tsdb.retention.size": "1GB"}
    assert await answer_of("retention", flags) is None
