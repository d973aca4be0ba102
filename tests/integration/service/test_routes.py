import asyncio
import logging
import re
from pathlib import Path

import aiohttp
import pytest
from pytest_aiohttp.plugin import AiohttpClient

from tests.integration.service.conftest import SHIPPED, Client, metrics, until_it_sleeps
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings

ROW = "14.1,2.02,2.4,18.8,103,2.75,2.92,0.32,2.38,6.2,1.07,2.75,1060"


async def test_the_root_leads_to_the_form(client: Client) -> None:
    response = await client.get("/", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/ui")


async def test_health_says_what_serves(client: Client) -> None:
    response = await client.get("/health")
    assert response.status == 200
    said = await response.json()
    assert said["status"] == "ok"
    assert set(said) == {"status", "version", "model", "uptime_seconds"}
    assert set(said["model"]) == {"version", "sha256", "trained_at", "sklearn", "engine"}


async def test_without_a_model_health_says_why_and_the_process_stays_up(
    aiohttp_client: AiohttpClient, tmp_path: Path
) -> None:
    client = await aiohttp_client(create_app(ServerSettings(model=tmp_path / "model.pkl")))
    for _ in range(2):
        response = await client.get("/health")
        said = await response.json()
        assert (response.status, said["status"]) == (503, "unavailable")
        assert said["reason"].startswith("model.json cannot be read"), "the folders of the machine are nobody's matter"
        predicted = await client.post("/predict", data={"request": ROW})
        assert (predicted.status, predicted.content_type) == (503, "application/problem+json")
        assert (await predicted.json())["detail"] == said["reason"]


async def test_sleep_takes_as_long_as_requested(client: Client) -> None:
    started = asyncio.get_running_loop().time()
    response = await client.get("/sleep?seconds=0.3")
    assert response.status == 200
    assert asyncio.get_running_loop().time() - started >= 0.3


@pytest.mark.parametrize("seconds", ["-1", "10.1", "nan", "inf", "x", ""])
async def test_sleep_refuses_what_is_no_time(client: Client, seconds: str) -> None:
    response = await client.get("/sleep", params={"seconds": seconds})
    assert (response.status, response.content_type) == (422, "application/problem+json")


@pytest.mark.parametrize("status", [500, 502, 503, 599])
async def test_fail_answers_with_the_requested_status(client: Client, status: int) -> None:
    response = await client.get(f"/fail?status={status}")
    assert response.status == status
    assert (await response.json())["status"] == status


@pytest.mark.parametrize("status", ["200", "404", "600", "x", "", "５００"])
async def test_fail_refuses_what_is_no_5xx(client: Client, status: str) -> None:
    assert (await client.get("/fail", params={"status": status})).status == 422


@pytest.mark.parametrize("path", ["/sleep", "/fail"])
async def test_sleep_and_fail_can_be_switched_off(aiohttp_client: AiohttpClient, path: str) -> None:
    client = await aiohttp_client(create_app(ServerSettings(sleep_enabled=False)))
    assert (await client.get(path)).status == 404


async def test_a_request_is_counted_and_timed_at_its_routes_template(client: Client) -> None:
    await client.post("/predict", data={"request": ROW})
    await client.post("/predict", data={"request": "1"})
    await client.get("/no/such/page")
    seen = await metrics(client)
    assert seen['requests_total{endpoint="/predict"}'] == 2
    assert seen['request_latency_seconds_count{endpoint="/predict"}'] == 2
    assert seen['responses_total{endpoint="/predict",status="200"}'] == 1
    assert seen['responses_total{endpoint="/predict",status="422"}'] == 1
    assert seen['responses_total{endpoint="unmatched",status="404"}'] == 1
    assert seen['predictions_total{label="class_0"}'] == 1


async def test_label_sets_are_there_before_the_first_request(client: Client) -> None:
    seen = await metrics(client)
    assert seen['responses_total{endpoint="/predict",status="500"}'] == 0
    assert seen['request_latency_seconds_bucket{endpoint="/predict",le="1.0"}'] == 0
    assert seen['predictions_total{label="class_2"}'] == 0
    assert seen['feature_out_of_range_total{feature="od280/od315_of_diluted_wines"}'] == 0


async def test_what_is_being_answered_shows_with_its_age_and_is_gone_afterwards(client: Client) -> None:
    started = asyncio.get_running_loop().time()
    slow = asyncio.create_task(client.get("/sleep?seconds=0.4"))
    during = await until_it_sleeps(client, seconds=0.1)
    assert during['requests_in_flight{endpoint="/sleep"}'] == 1
    assert during["oldest_request_age_seconds"] <= asyncio.get_running_loop().time() - started
    await slow
    after = await metrics(client)
    assert after['requests_in_flight{endpoint="/sleep"}'] == 0
    assert after["oldest_request_age_seconds"] == 0


async def test_a_request_is_one_line_of_the_log(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client = await aiohttp_client(create_app(ServerSettings(model=SHIPPED)))
    caplog.clear()
    await client.post("/predict?x=1", data={"request": ROW}, headers={"X-Request-ID": "mine-1"})
    await client.get("/" + "a" * 300, headers={"X-Request-ID": "mine-2"})
    with pytest.raises(TimeoutError):
        await client.get("/sleep", headers={"X-Request-ID": "mine-3"}, timeout=aiohttp.ClientTimeout(0.1))
    await client.close()
    lines = [record.getMessage() for record in caplog.records if record.name == "wine_slo.server"]
    assert [re.sub(r"[\d.]+ ms", "ms", line) for line in lines] == [
        "POST /predict?x=1 200 ms mine-1",
        f"GET /{'a' * 199} 404 ms mine-2",
        "GET /sleep given up ms mine-3",
    ]


async def test_openmetrics_is_given_where_it_is_requested(client: Client) -> None:
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.content_type == "application/openmetrics-text"
    assert (await response.text()).endswith("# EOF\n")
