"""What Prometheus says of itself, where it says what cannot be."""

import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.support.fakes.loopback import Loopback, OnLoopback
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


GO = {"goVersion": "go1.22", "revision": "abc"}


@pytest.mark.parametrize(
    ("build", "headers", "metrics", "name"),
    [
        pytest.param({"version": "3.5.3", **GO}, {}, "", "Prometheus 3.5.3", id="Prometheus"),
        pytest.param({"version": "0.36.1", **GO}, {}, "", "Thanos 0.36.1", id="Thanos"),
        pytest.param(
            {"application": "Grafana Mimir", "version": "2.14.0", **GO}, {}, "", "Grafana Mimir 2.14.0", id="Mimir"
        ),
        pytest.param(
            {"version": "2.24.0"},
            {"X-Server-Hostname": "a"},
            'x 1\nvm_app_version{version="victoria-metrics-v1.145.0", short_version="v1.145.0"} 1\n',
            "VictoriaMetrics 1.145.0",
            id="VictoriaMetrics",
        ),
        pytest.param(
            {},
            {"X-Server-Hostname": "a"},
            'vm_app_version{version="", short_version=""} 1',
            "VictoriaMetrics",
            id="Debian's",
        ),
        pytest.param(
            {"version": "2.53.3", **GO}, {"X-Server-Hostname": "a"}, "", "Prometheus 2.53.3", id="behind vmauth"
        ),
        pytest.param([], {}, "", None, id="it does not say"),
    ],
)
async def test_a_server_is_recognised_with_its_version(
    build: Any, headers: dict[str, str], metrics: str, name: str | None
) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/prefix/metrics":
            return web.Response(text=metrics)
        assert request.path == "/prefix/api/v1/status/buildinfo"
        return web.json_response({"status": "success", "data": build}, headers=headers)

    async with OnLoopback(answer) as server, aiohttp.ClientSession() as session:
        assert await PrometheusFacts(session, f"{server.url}/prefix/", {}).server() == name
