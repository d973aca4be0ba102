"""What other programs report to the watchdog: who may, and what is no report."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.support.app_server import AppServer
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import LATENCY as LATENCY_OBJECTIVE
from tests.support.scene import START, at, incident
from wine_slo.config.setting_types import Token
from wine_slo.http.routes import definitions
from wine_slo.integrations.peers import WatchdogApi, WatchdogError
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.publish.inbox import LARGEST, Inbox, ReportedDeployments
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.source.deployment import Deployment, Reported

TOKEN = "a-token"


@dataclass
class Reporter:
    """A program beside a watchdog."""

    session: aiohttp.ClientSession
    journal: Journal
    deployments: ReportedDeployments
    now: datetime = START
    token: Token | None = field(default_factory=lambda: Token(TOKEN))
    url: str = ""

    async def posts(self, path: str, body: object, authorization: str = f"Bearer {TOKEN}") -> tuple[int, str]:
        """The status and the problem, if there is one."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": authorization} if authorization else {}
        async with self.session.post(self.url + path, data=data, headers=headers) as response:
            text = await response.text()
            assert TOKEN not in text
            return response.status, json.loads(text).get("detail", "")


@pytest.fixture
async def reporter(tmp_path: Path) -> AsyncIterator[Reporter]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    async with aiohttp.ClientSession() as session:
        reporter = Reporter(session, Journal(ledger, ()), ReportedDeployments(ledger))
        app = web.Application()
        snapshot = FakeSnapshot(State, lambda: reporter.now)
        inbox = Inbox(reporter.token, snapshot, reporter.journal, reporter.deployments)
        app.add_routes(definitions(inbox.routes()))
        server = AppServer(app)
        await server.start_server()
        reporter.url = str(server.make_url("/")).rstrip("/")
        yield reporter
        await server.close()
    ledger.close()


LATENCY = {"objective": "latency", "seconds": 180}


async def test_a_drill_that_is_announced_marks_what_begins_until_it_ends(reporter: Reporter) -> None:
    watchdog = WatchdogApi(reporter.session, reporter.url)
    await watchdog.report_drill("latency", 180, TOKEN)
    opened = incident(began_at=at(-5), opened_at=at(25))
    assert reporter.journal.is_announced_drill(opened)
    reporter.now = START + timedelta(seconds=60)
    await watchdog.report_drill("latency", 0, TOKEN)
    assert reporter.journal.is_announced_drill(opened)
    assert not reporter.journal.is_announced_drill(incident(began_at=at(65), opened_at=at(90)))
    with pytest.raises(WatchdogError, match="answered 409: no drill of latency is running"):
        await watchdog.report_drill("latency", 0, TOKEN)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        pytest.param(b"{", 400, "Input data was truncated", id="half a JSON"),
        pytest.param(b"\xff", 400, "JSON is malformed", id="no JSON"),
        pytest.param({"objective": "latency"}, 400, "missing required field `seconds`", id="a field is missing"),
        pytest.param({**LATENCY, "more": 1}, 400, "unknown field `more`", id="a field too many"),
        pytest.param({**LATENCY, "seconds": 1e9}, 400, "Expected `float` <= 3600", id="too long"),
        pytest.param({**LATENCY, "objective": "speed"}, 400, "there is no objective speed", id="no objective"),
        pytest.param(b" " * (LARGEST + 1), 413, f"at most {LARGEST} bytes", id="too large"),
    ],
)
async def test_what_is_no_report_is_refused_with_what_is_wrong(
    reporter: Reporter, body: object, status: int, detail: str
) -> None:
    answered, problem = await reporter.posts("/api/drills", body)
    assert (answered, detail in problem) == (status, True), problem
    assert not reporter.journal.actions.all


@pytest.mark.parametrize("authorization", ["", "Bearer other", "Basic YTphLXRva2Vu", "Bearer \xe9"])
async def test_who_does_not_know_the_token_is_refused(reporter: Reporter, authorization: str) -> None:
    status, problem = await reporter.posts("/api/drills", LATENCY, authorization)
    assert (status, problem) == (401, "wanted: the token of WINE_SLO_API_TOKEN")


async def test_while_no_token_is_set_nobody_may_report(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    app = web.Application()
    inbox = Inbox(None, FakeSnapshot(State, lambda: START), Journal(ledger, ()), ReportedDeployments(ledger))
    app.add_routes(definitions(inbox.routes()))
    server = AppServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        url = str(server.make_url("/api/drills"))
        for headers in ({}, {"Authorization": "Bearer "}):
            async with session.post(url, json=LATENCY, headers=headers) as response:
                assert response.status == 403
    await server.close()
    ledger.close()


# Deployments

JOB = LATENCY_OBJECTIVE.job


@pytest.mark.parametrize("field", ["job", "service"])
async def test_a_deployment_that_is_reported_is_known_at_once_and_after_a_restart(
    reporter: Reporter, tmp_path: Path, field: str
) -> None:
    earlier = (START - timedelta(hours=1)).isoformat()
    assert (await reporter.posts("/api/deployments", {field: JOB, "version": "1.3", "at": earlier}))[0] == 201
    assert (await reporter.posts("/api/deployments", {field: JOB, "version": "1.4"}))[0] == 201
    known = Deployment(START, before="1.3", after="1.4")
    assert reporter.deployments.last(JOB) == known
    assert reporter.deployments.last("other") is None
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    assert ReportedDeployments(ledger).last(JOB) == known
    ledger.close()


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        pytest.param({"version": "1"}, 400, "either a job or a service", id="of nothing"),
        pytest.param({"version": "1", "job": JOB, "service": JOB}, 400, "either a job or a service", id="of both"),
        pytest.param({"version": "1", "job": "x"}, 400, f"about the job x; there are {JOB}", id="of another job"),
        pytest.param({"version": "", "job": JOB}, 400, "length >= 1", id="no version"),
        pytest.param({"version": "1" * 101, "job": JOB}, 400, "length <= 100", id="a long version"),
        pytest.param({"version": "1", "job": JOB, "at": "now"}, 400, "Invalid RFC3339", id="no time"),
        pytest.param(
            {"version": "1", "job": JOB, "at": "2026-01-01T19:00:00"}, 400, "timezone", id="a time of no zone"
        ),
        pytest.param(
            {"version": "1", "job": JOB, "at": "2026-01-01T19:50:00Z"}, 400, "none to come", id="ten minutes to come"
        ),
        pytest.param({"version": "1", "job": JOB, "at": "2025-01-01T19:40:00Z"}, 400, "30 days ago", id="a year ago"),
        pytest.param(
            {"version": "1", "job": JOB, "at": "0001-01-01T00:00:00+23:59"}, 400, "30 days ago", id="before all time"
        ),
        pytest.param(
            {"version": "1", "job": JOB, "at": "9999-12-31T23:59:59-23:59"}, 400, "30 days ago", id="after all time"
        ),
        pytest.param({"version": " ", "job": JOB}, 400, "printable", id="a blank version"),
        pytest.param({"version": "1\x00\x1b[31m", "job": JOB}, 400, "printable", id="a version that moves the cursor"),
        pytest.param({"version": "\u202e4.1", "job": JOB}, 400, "printable", id="a version that turns the line"),
        pytest.param({"version": "1", "job": JOB, "more": "x" * LARGEST}, 413, "at most", id="too large"),
    ],
)
async def test_what_is_no_deployment_is_refused_with_what_is_wrong(
    reporter: Reporter, body: object, status: int, detail: str
) -> None:
    answered, problem = await reporter.posts("/api/deployments", body)
    assert (answered, detail in problem) == (status, True), problem
    assert reporter.deployments.last(JOB) is None


async def test_a_deployment_needs_the_token_too(reporter: Reporter) -> None:
    status, _ = await reporter.posts("/api/deployments", {"job": JOB, "version": "1.4"}, "Bearer other")
    assert status == 401


async def test_a_ledger_that_cannot_be_written_loses_no_deployment_of_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Ledger.open(f"sqlite:///{tmp_path}/watchdog.db").close()
    ledger = Ledger.open(f"sqlite:///file:{tmp_path}/watchdog.db?mode=ro&uri=true")
    deployments = ReportedDeployments(ledger)
    await deployments.add(Reported(job=JOB, version="1.4", at=START))
    assert "the deployment is kept in memory" in caplog.text
    assert deployments.last(JOB) == Deployment(START, before="", after="1.4")
    ledger.close()
