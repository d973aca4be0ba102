"""When there is no drill: whatever is not ours, not well, or broken already is left alone."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.integration.service.conftest import SHIPPED
from tests.support.app_server import AppServer
from tests.support.fakes.prometheus_canned import CannedPrometheus
from tests.support.fakes.prometheus_junk import PrometheusJunk, vector
from tests.support.real.prometheus import free_port
from tests.support.scene import ALL, ERRORS, LATENCY
from tests.support.status_examples import BAD, GOOD, NOW, PROCESS
from wine_slo.config.slo_extras import DrillEntry
from wine_slo.integrations.peers import ServiceApi, WatchdogApi, WatchdogError
from wine_slo.integrations.prometheus.client import PrometheusClient
from wine_slo.monitor.drill.commands import Commanding
from wine_slo.monitor.drill.means import DrillRefusedError, DrillStoppedError, Fetching, Means, Sleeping
from wine_slo.monitor.drill.result import Drill
from wine_slo.monitor.drill.runner import prepare, run
from wine_slo.service.app import create_app
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.views.status import status_of
from wine_slo.slo.views.status_schema import Judgement, SilenceStatus, Status

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

    return await prepare(Sleeping(service, CannedPrometheus(lambda: NOW)), watchdog, objective, lambda: NOW)


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


async def test_a_drill_says_in_round_numbers_what_it_sends(service: ServiceApi) -> None:
    drill = await ready(service, of_latency(events_per_second=9.32659))
    assert f"{drill.does}" == "Sending 9.3 requests/s of 2 s each to violate latency."


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
        pytest.param(of_latency(objective="speed"), "the watchdog has no objective latency", id="other objectives"),
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
    seen: list[Drill] = []

    async def drill() -> Drill:
        means = Sleeping(service, PrometheusClient(session, prometheus_junk.url, {}))
        return await drilled(means, quick, on_progress=seen.append)

    done = await drill()
    assert str(done.trouble).startswith("Prometheus has not seen the drill in")
    assert str(done.trouble).endswith("as the job wine-slo?")
    assert not done.has_worked
    assert seen[-1] == done
    await prometheus_junk.goes_down()
    with pytest.raises(DrillRefusedError, match="Prometheus: it cannot be reached"):
        await drill()


# What slo.yml describes


async def drilled(
    means: Means,
    objective: Objective = LATENCY,
    statuses: Sequence[Status] = (CALM,),
    longest: float = 20,
    on_progress: Callable[[Drill], None] = lambda _: None,
) -> Drill:
    """A drill beside a watchdog that says one status after the other, and then the last one for ever."""
    left = list(statuses)

    async def watchdog() -> Status:
        return left.pop(0) if len(left) > 1 else left[0]

    @asynccontextmanager
    async def unmarked(drill: Drill, longest: timedelta) -> AsyncIterator[None]:  # noqa: ARG001 - of `Marks`
        yield

    return await run(
        means,
        watchdog,
        objective,
        marks=unmarked,
        longest=timedelta(seconds=longest),
        clock=lambda: datetime.now(UTC),
        on_progress=on_progress,
    )


def of_incident(**changes: object) -> Status:
    """The status with the incident of a drill."""
    (incident,) = status_of(BAD, ALL, NOW, PROCESS).open_incidents
    incident = replace(incident, **changes)  # type: ignore[arg-type]
    if incident.is_open:
        return replace(CALM, open_incidents=(incident,))
    return replace(CALM, recent_incidents=(incident,))


OPENED, CLOSED = of_incident(told=Stage.OPENED), of_incident(told=Stage.CLOSED, is_open=False)


async def test_a_url_is_requested_until_every_chat_is_notified_and_not_again(session: aiohttp.ClientSession) -> None:
    most = running = 0
    count: list[str] = []

    async def slow(request: web.Request) -> web.Response:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        count.append(request.path_qs)
        return web.Response(status=500)

    app = web.Application()
    app.router.add_get("/slow", slow)
    server = await serve(app)
    url = str(server.make_url("/slow"))
    entry = DrillEntry(url=f"{url}?token=x", parallel=3)
    done = await drilled(Fetching(session, entry), ERRORS, [CALM, CALM, renamed(OPENED), renamed(CLOSED)])
    await server.close()
    assert done.has_worked
    assert [each.name for each in done.steps] == ["detected", "notified", "recovered", "recovery_notified"]
    assert str(done.does) == f"Requesting {url}, 3 at once, to violate errors."
    assert (done.spares_budget, done.mends) == (False, None)
    assert set(count) == {"/slow?token=x"}
    assert 3 <= done.requests < len(count)  # and one more to find out whether anybody answers
    assert most <= 3


def renamed(status: Status) -> Status:
    """The same incident of the error rate."""
    those = (status.open_incidents, status.recent_incidents)
    opened, recent = (tuple(replace(each, slo="errors") for each in incidents) for incidents in those)
    return replace(status, open_incidents=opened, recent_incidents=recent)


async def test_a_url_where_nobody_answers_is_refused(session: aiohttp.ClientSession) -> None:
    entry = DrillEntry(url=f"http://127.0.0.1:{free_port()}/?token=x")
    with pytest.raises(DrillRefusedError, match=r"http://127.0.0.1:\d+/ cannot be requested") as refused:
        await drilled(Fetching(session, entry))
    assert "token" not in str(refused.value)


class Broken:
    """A service that commands break and mend: there is a file while it is broken, and one once it was mended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipe = folder / "pipe"
        os.mkfifo(self.pipe)
        self.break_it = ["touch", str(folder / "broken")]
        self.mend_it = ["sh", "-c", f"rm -f {folder}/broken; echo >> {folder}/mended"]

    def entry(self, start: list[str] | str | None = None, stop: list[str] | str | None = None) -> DrillEntry:
        return DrillEntry(start=start or self.break_it, stop=stop or self.mend_it)

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    async def reads(self) -> str:
        """What a command writes into the pipe, once it does."""
        return await asyncio.wait_for(asyncio.to_thread(self.pipe.read_text), 20)

    @property
    def times_mended(self) -> int:
        return len((self.folder / "mended").read_text().splitlines()) if self.has("mended") else 0


@pytest.fixture
def broken(tmp_path: Path) -> Broken:
    return Broken(tmp_path)


async def test_a_command_breaks_it_and_another_one_mends_it(broken: Broken) -> None:
    done = await drilled(Commanding(broken.entry()), ERRORS, [CALM, CALM, renamed(OPENED), renamed(CLOSED)])
    assert done.has_worked, done.trouble
    assert str(done.does) == "Running touch to violate errors."
    assert (broken.has("broken"), broken.times_mended) == (False, 1)


async def test_a_drill_that_is_broken_off_says_that_its_stop_command_has_failed(broken: Broken) -> None:
    start = ["sh", "-c", f"touch {broken.folder}/broken; echo broken > {broken.pipe}"]
    drill = asyncio.create_task(drilled(Commanding(broken.entry(start, ["sh", "-c", "exit 3"]))))
    await broken.reads()
    drill.cancel()
    with pytest.raises(DrillStoppedError, match=r"the stop command ended with 3: the service may still be broken"):
        await drill


async def test_a_command_that_goes_on_is_ended_with_all_that_it_started(broken: Broken) -> None:
    start = ["sh", "-c", f"touch {broken.folder}/broken; sleep 600 & echo $! > {broken.pipe}; wait"]
    drill = asyncio.create_task(drilled(Commanding(broken.entry(start))))
    child = int(await broken.reads())
    drill.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drill
    assert (broken.has("broken"), broken.times_mended) == (False, 1)
    assert not is_alive(child)


def is_alive(number: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_what_is_never_detected_is_mended_too(broken: Broken) -> None:
    done = await drilled(Commanding(broken.entry()), longest=0.1)
    assert str(done.trouble).startswith("breach confirmed: not within")
    assert (broken.has("broken"), broken.times_mended) == (False, 1)


@pytest.mark.parametrize(
    ("start", "stop", "trouble"),
    [
        (["false"], None, "the start command ended with 1"),
        ("no-such-program -x", None, "the start command ended with 127"),
        (None, ["sh", "-c", "exit 3"], "the stop command ended with 3: the service may still be broken"),
    ],
)
async def test_a_command_that_fails_is_reported(
    broken: Broken, start: list[str] | str | None, stop: list[str] | None, trouble: str
) -> None:
    statuses = [CALM, CALM, OPENED, CLOSED] if stop else [CALM]
    done = await drilled(Commanding(broken.entry(start, stop)), statuses=statuses)
    assert str(done.trouble) == trouble
    assert broken.times_mended == (stop is None)


async def test_a_drill_that_is_killed_mends_it_too(broken: Broken) -> None:
    start = ["sh", "-c", f"touch {broken.folder}/broken; echo broken > {broken.pipe}"]
    stop = ["sh", "-c", f"rm {broken.folder}/broken; echo mended > {broken.pipe}"]
    code = f"""
import asyncio
from datetime import timedelta
from wine_slo.config.slo_extras import DrillEntry
from wine_slo.monitor.drill.commands import Commanding

async def drill():
    async with Commanding(DrillEntry(start={start!r}, stop={stop!r})).breaking(None, timedelta(60)):
        await asyncio.sleep(600)

asyncio.run(drill())
"""
    drill = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await broken.reads() == "broken\n"
    assert broken.has("broken")
    drill.kill()
    await drill.wait()
    assert await broken.reads() == "mended\n"
    assert not broken.has("broken")


async def test_the_commands_get_none_of_our_secrets(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN", "1:secret")
    start = ["sh", "-c", f"env > {broken.folder}/env"]
    done = await drilled(Commanding(broken.entry(start)), statuses=[CALM, CALM, OPENED, CLOSED])
    assert done.trouble is None
    assert "PATH=" in (broken.folder / "env").read_text()
    assert "WINE_SLO" not in (broken.folder / "env").read_text()
