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
from tests.support.scene import START, at, incident
from wine_slo.config.setting_types import Token
from wine_slo.integrations.peers import WatchdogApi, WatchdogError
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.publish.inbox import LARGEST, Inbox
from wine_slo.slo.evaluation.engine import State

TOKEN = "a-token"


@dataclass
class Reporter:
    """A program beside a watchdog."""

    session: aiohttp.ClientSession
    journal: Journal
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
        reporter = Reporter(session, Journal(ledger, ()))
        app = web.Application()
        app.add_routes(Inbox(reporter.token, FakeSnapshot(State, lambda: reporter.now), reporter.journal).routes())
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
    app.add_routes(Inbox(None, FakeSnapshot(State, lambda: START), Journal(ledger, ())).routes())
    server = AppServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        url = str(server.make_url("/api/drills"))
        for headers in ({}, {"Authorization": "Bearer "}):
            async with session.post(url, json=LATENCY, headers=headers) as response:
                assert response.status == 403
    await server.close()
    ledger.close()
