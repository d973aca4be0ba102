"""When there is no drill: whatever is not ours, not well, or broken already is left alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from tests.integration.service.conftest import SHIPPED
from tests.support.app_server import AppServer
from tests.support.fakes.prometheus_junk import PrometheusJunk, vector
from tests.support.real.prometheus import free_port
from tests.support.scene import ALL, ERRORS, LATENCY
from tests.support.status_examples import BAD, GOOD, NOW, PROCESS
from wine_slo.integrations.peers import ServiceApi, WatchdogApi, WatchdogError
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.drill.result import Drill
from wine_slo.monitor.drill.runner import DrillRefusedError, prepare, run
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.views.status import Judgement, SilenceStatus, Status, status_of

CALM = status_of(GOOD, ALL, NOW, PROCESS)


def of_latency(**changes: object) -> Status:
    latency, *others = CALM.objectives
    return replace(CALM, objectives=(replace(latency, **changes), *others))  # type: ignore[arg-type]


async def another(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def serve(app: web.Application) -> AppServer:
    server = AppServer(app)
    await server.start_server()
    return server


@pytest.fixture
async def server() -> AsyncIterator[AppServer]:
    server = await serve(create_app(ServerSettings(model=SHIPPED)))
    yield server
    await server.close()


@pytest.fixture
def service(session: aiohttp.ClientSession, server: AppServer) -> ServiceApi:
    return ServiceApi(session, str(server.make_url("/")))


async def ready(service: ServiceApi, status: Status, objective: Objective = LATENCY) -> Drill:
    async def watchdog() -> Status:
        return status

    return await prepare(service, watchdog, objective, lambda: NOW)


async def test_a_calm_service_is_slowed_to_twice_its_threshold(service: ServiceApi) -> None:
    drill = await ready(service, CALM)
    assert (drill.slo, drill.sleep_seconds, drill.requests_per_second) == ("latency", 2.0, 9.8)
    assert {each.name: each.expected_seconds for each in drill.steps} == {
        "scraped": 10,
        "detected": 42,
        "notified": 47,
        "recovered": 42,
        "recovery_notified": 47,
    }


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param(status_of(BAD, ALL, NOW, PROCESS), "latency is already in breach: #12", id="in breach"),
        pytest.param(of_latency(verdict=Judgement.SUSPICIOUS), "a breach of latency is pending", id="suspicious"),
        pytest.param(
            of_latency(sight=Sight.TARGET_DOWN, reason="all scrapes of wine-slo fail"),
            "latency cannot be evaluated: all scrapes of wine-slo fail",
            id="not seen",
        ),
        pytest.param(replace(CALM, overdue=True), "the last evaluation is too long ago", id="a watchdog that hangs"),
        pytest.param(
            of_latency(silence=SilenceStatus(slo="", title="Everything", until=None, by="Boris", since=NOW, reason="")),
            "latency is silenced by Boris",
            id="silenced",
        ),
        pytest.param(replace(CALM, quiet_hours=True), "quiet hours hold the messages of a drill", id="quiet hours"),
        pytest.param(of_latency(slo="speed"), "the watchdog has no objective latency", id="other objectives"),
        pytest.param(of_latency(events_per_second=500.0), "the service answers 500 requests per second", id="too busy"),
    ],
)
async def test_what_would_be_mistaken_or_not_be_seen_is_refused(service: ServiceApi, status: Status, why: str) -> None:
    with pytest.raises(DrillRefusedError, match=why):
        await ready(service, status)


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        pytest.param(ERRORS, "errors is not a latency", id="no latency"),
        pytest.param(replace(LATENCY, by=("endpoint",)), "latency is not a latency of all requests", id="label sets"),
        pytest.param(replace(LATENCY, source=Latency("h", 10)), "/sleep takes at most 10 s", id="slower than /sleep"),
    ],
)
async def test_what_sleep_cannot_break_is_refused(service: ServiceApi, objective: Objective, why: str) -> None:
    with pytest.raises(DrillRefusedError, match=why):
        await ready(service, CALM, objective)


async def test_a_service_without_sleep_or_model_and_another_service_are_refused(session: aiohttp.ClientSession) -> None:
    switched_off = await serve(create_app(ServerSettings(model=SHIPPED, sleep_enabled=False)))
    no_model = await serve(create_app(ServerSettings(model=SHIPPED.with_name("none.pkl"))))
    app = web.Application()
    app.router.add_get("/{path:.*}", another)
    other = await serve(app)
    nobody = f"http://127.0.0.1:{free_port()}"
    for url, why in (
        (switched_off.make_url("/"), "/sleep is switched off"),
        (no_model.make_url("/"), "the service reports a problem: .* cannot be read"),
        (other.make_url("/"), "another service answers at .*/health"),
        (nobody, "cannot be reached: is it running?"),
    ):
        with pytest.raises(DrillRefusedError, match=why):
            await ready(ServiceApi(session, str(url)), CALM)
    with pytest.raises(WatchdogError, match="no watchdog of this version"):
        await WatchdogApi(session, str(other.make_url("/"))).status()
    with pytest.raises(WatchdogError, match="no watchdog answers"):
        await WatchdogApi(session, str(other.make_url("/"))).health()
    for each in (switched_off, no_model, other):
        await each.close()


async def test_a_prometheus_that_scrapes_something_else_is_reported(
    service: ServiceApi, session: aiohttp.ClientSession, prometheus_junk: PrometheusJunk
) -> None:
    prometheus_junk.answer = vector((1.0, "0"))
    quick = replace(
        LATENCY, scrape_interval=timedelta(milliseconds=100), source=Latency("request_latency_seconds", 0.05)
    )

    async def watchdog() -> Status:
        return CALM

    seen: list[Drill] = []
    drill = await run(
        service,
        watchdog,
        PrometheusClient(session, prometheus_junk.url, {}),
        quick,
        longest=timedelta(seconds=20),
        clock=lambda: datetime.now(UTC),
        on_progress=seen.append,
    )
    assert str(drill.trouble).startswith("Prometheus has not seen the drill in")
    assert str(drill.trouble).endswith("as the job wine-slo?")
    assert not drill.has_worked
    assert seen[-1] == drill
    await prometheus_junk.goes_down()
    with pytest.raises(DrillRefusedError, match="Prometheus: it cannot be reached"):
        await run(
            service,
            watchdog,
            PrometheusClient(session, prometheus_junk.url, {}),
            quick,
            longest=timedelta(seconds=20),
            clock=lambda: NOW,
        )
