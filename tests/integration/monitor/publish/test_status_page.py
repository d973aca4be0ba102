"""The status page as people see it, in a real browser, and as machines read it."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from playwright.async_api import Browser, expect

from tests.support.app_server import AppServer
from tests.support.message_examples import CAUSED
from tests.support.real.browser import PHONE, Open, is_accessible, running_browser, visiting
from tests.support.scene import ALL, LATENCY, at, minutes
from tests.support.status_examples import (
    BAD,
    ERRING,
    ERRORS_KEY,
    FINE,
    GOOD,
    LATENCY_KEY,
    NO_DATA,
    NOW,
    OPEN,
    PAST,
    PROCESS,
    SLOW,
    UP_KEY,
    state,
    track,
    wide,
)
from wine_slo.http.pages import HEADERS, SEARCHABLE
from wine_slo.http.routes import definitions
from wine_slo.integrations.peers import WatchdogApi
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.publish.page.status_page import MOST_ANSWERED, MOST_SHOWN, StatusPages
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import SIGHT, State
from wine_slo.slo.evaluation.incident import Opening, Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight, Targets
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.objectives.budget import Budget, windows
from wine_slo.slo.objectives.objective import BURNS, Key, Objectives
from wine_slo.slo.oncall.actions import NO_ACTIONS, Action, ActionKind, Actions, Silence
from wine_slo.slo.views.finding.query import Query
from wine_slo.slo.views.series import History
from wine_slo.slo.views.status import Process, status_of
from wine_slo.slo.views.status_schema import Judgement, SilenceStatus, Status

HOSTILE = '"><script>alert(1)</script><b>'


def history(**changes: object) -> History:
    first = NOW - timedelta(hours=1)
    step = timedelta(seconds=40)
    instants = [(first + number * step) for number in range(91)]
    latency = {
        each.timestamp(): 2.3 + (number % 5) / 10 if each > OPEN.began_at else 0.04 + (number % 7) / 50
        for number, each in enumerate(instants)
        if not 30 < number < 38
    }
    errors = {each.timestamp(): 0.15 if PAST.began_at < each < PAST.last_bad_at else 0.0 for each in instants}
    made = History(first=first, last=NOW, step=step, values={LATENCY_KEY: latency, ERRORS_KEY: errors})
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Watch:
    """What the pages show; a test changes it."""

    state: State = BAD
    objectives: Objectives = ALL
    history: History = field(default_factory=history)
    records: tuple[DeliveryRecord, ...] = ()
    actions: Actions = NO_ACTIONS
    process: Process = PROCESS
    requested: list[timedelta] = field(default_factory=list)

    def view(self) -> Callable[[Query], Status]:
        process = replace(self.process, records=self.records, actions=self.actions)
        return lambda query: status_of(self.state, self.objectives, NOW, process, query)

    async def over(self, span: timedelta, names: frozenset[str]) -> History:
        self.requested.append(span)
        return replace(self.history, names=names)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def server(watch: Watch) -> AsyncIterator[AppServer]:
    pages = StatusPages(
        watch.view,
        lambda: watch.objectives,
        watch.over,
        ZoneInfo("Europe/Paris"),
        {"Grafana": "http://grafana.example/d/1"},
    )
    app = web.Application()
    app.add_routes(definitions(pages.routes()))
    server = AppServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def client(server: AppServer) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(server) as client:
        yield client


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def visit(browser: Browser, server: AppServer) -> AsyncIterator[Open]:
    async with visiting(browser, str(server.make_url("")).rstrip("/")) as visit:
        yield visit


async def test_a_breach_is_the_first_thing_to_read(visit: Open) -> None:
    page = await visit("/")
    await expect(page).to_have_title("1 of 3 objectives in breach · wine-slo")
    first = page.get_by_role("article").first
    await expect(first.get_by_role("heading")).to_have_text("Latency in breach since 21:26:00 (14 min) · #12")
    await expect(first).to_contain_text("2.4 s p95 over 20 s (target ≤ 1 s)")
    await expect(first.get_by_role("img")).to_have_attribute(
        "aria-label",
        "Latency over the last hour: from 0.04 s to 2.7 s (at 21:29), 25 % of the time worse than the target",
    )
    await is_accessible(page, but=("meta-refresh",))  # it can be switched off, which axe does not see


async def test_all_is_well(visit: Open, watch: Watch) -> None:
    watch.state = GOOD
    page = await visit("/?reload=off")
    await expect(page.get_by_role("heading", level=1)).to_have_text("All 3 objectives are met")
    await is_accessible(page)


async def test_a_phone_in_the_dark_shows_it_all_without_scrolling_sideways(visit: Open) -> None:
    page = await visit("/?reload=off", viewport=PHONE, color_scheme="dark", java_script_enabled=True)
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    await is_accessible(page)


async def test_by_keyboard_a_longer_span_is_chosen_and_the_reloading_stopped(visit: Open, watch: Watch) -> None:
    page = await visit("/", java_script_enabled=False)
    await page.get_by_role("link", name="6 hours").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="6 hours")).to_have_attribute("aria-current", "true")
    await page.get_by_role("link", name="stop reloading").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="reload automatically")).to_be_visible()
    assert await page.locator('meta[http-equiv="refresh"]').count() == 0
    assert watch.requested == [timedelta(hours=1), timedelta(hours=6), timedelta(hours=6)]


async def test_what_a_service_calls_itself_is_never_markup(visit: Open, watch: Watch) -> None:
    key = Key("latency", (("endpoint", HOSTILE),))
    watch.objectives = Objectives.only(replace(LATENCY, by=("endpoint",)))
    watch.state = State(
        tracks={key: track(key, sight=Sight.BLIND, reason=HOSTILE)},
        readings={key: Reading(at=NOW, sight=Sight.BLIND, reason=HOSTILE, by_endpoint=((HOSTILE, 1.0),))},
        evaluated_at=at(3588),
    )
    watch.history = history(values={key: {at(3000).timestamp(): 0.5}}, trouble=HOSTILE)
    page = await visit("/?reload=off&span=<script>", viewport=PHONE)
    assert await page.locator("script, main b > b").count() == 0
    await expect(page.get_by_role("article")).to_contain_text(f"Latency of {HOSTILE}")
    await expect(page.get_by_role("status")).to_contain_text(HOSTILE)
    assert await page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


# Without a browser

Client = TestClient[web.Request, web.Application]


async def page_of(client: Client, path: str = "/") -> str:
    response = await client.get(path)
    assert response.status == 200
    return await response.text()


async def test_when_prometheus_is_away_the_page_comes_and_says_so(client: Client, watch: Watch) -> None:
    watch.history = history(values={}, trouble="it cannot be reached (Connection refused)")
    text = await page_of(client)
    assert "The charts are out of date. Prometheus: it cannot be reached (Connection refused)." in text
    assert "in breach since 21:26:00 (14 min)" in text
    assert "<figure>" not in text


@pytest.mark.parametrize(
    ("state", "headline"),
    [
        pytest.param(State(), "Not evaluated yet", id="before the first evaluation"),
        pytest.param(
            replace(GOOD, evaluated_at=at(3000)), "Unknown: the last evaluation is too old", id="an old evaluation"
        ),
        pytest.param(
            state(latency=NO_DATA, errors=NO_DATA, availability=NO_DATA),
            "Nothing can be judged at the moment",
            id="nothing seen",
        ),
        pytest.param(
            state(latency=NO_DATA, errors=ERRING, availability=ERRING),
            "2 of 3 objectives met, the rest not known",
            id="something seen",
        ),
        pytest.param(replace(GOOD, readings={}), "Nothing can be judged at the moment", id="after a restart"),
        pytest.param(
            state(latency=replace(FINE, recent_seconds=None), errors=ERRING, availability=ERRING),
            "2 of 3 objectives met, the rest not known",
            id="no number",
        ),
    ],
)
async def test_nothing_is_green_without_evidence(client: Client, watch: Watch, state: State, headline: str) -> None:
    watch.state = state
    text = await page_of(client)
    assert f'<h1 class="headline unknown">{headline}</h1>' in text


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(replace(GOOD, evaluated_at=at(3000)), id="an old evaluation"),
        pytest.param(
            state(**dict.fromkeys(("latency", "errors", "availability"), replace(FINE, sight=Sight.STALE))),
            id="numbers without sight",
        ),
    ],
)
async def test_no_objective_is_green_without_evidence_whatever_its_numbers(
    client: Client, watch: Watch, known: State
) -> None:
    watch.state = known
    assert 'class="card slo met"' not in await page_of(client)
    assert {each.verdict for each in watch.view()(Query()).objectives} == {Judgement.UNKNOWN}


async def test_a_number_of_before_is_not_shown_as_the_present_one(client: Client, watch: Watch) -> None:
    old = replace(FINE, sight=Sight.NO_TRAFFIC, reason="no requests", latency_seconds=0.04)
    watch.state = state(latency=old, errors=ERRING, availability=ERRING)
    text = await page_of(client)
    assert '<p class="value"><b>no number</b> p95' in text
    assert "last known 0.04 s" in text


async def test_while_nothing_is_seen_the_last_budget_stands_grey_with_its_time(client: Client, watch: Watch) -> None:
    blind = state(latency=NO_DATA, errors=NO_DATA, availability=NO_DATA)
    last = {key: replace(each, budget=FINE.budget, budget_at=at(3000)) for key, each in blind.tracks.items()}
    watch.state = replace(blind, tracks=last)
    text = await page_of(client)
    assert text.count("Last known 21:30: ") == 3
    assert '<p class="budget past">Last known 21:30: 99.8 % of the error budget of 30 days left, ' in text
    assert text.count('<svg class="left past"') == 3
    assert '<svg class="left"' not in text


async def test_the_budget_of_an_evaluation_that_is_too_old_is_grey(client: Client, watch: Watch) -> None:
    watch.state = replace(GOOD, evaluated_at=at(3000))
    text = await page_of(client)
    assert '<svg class="left past"' in text
    assert '<svg class="left"' not in text


def action(second: float, kind: ActionKind, by: Person, **changes: object) -> Action:
    made = Action(number=0, at=at(second), deed=kind, by=by, chat=address_of(1), cause=f"press {second}")
    return replace(made, **changes)  # type: ignore[arg-type]


ACTS = (
    NO_ACTIONS.with_more([action(2900, ActionKind.ACKNOWLEDGE, Person(7, "Anna <b>"), incident=12)])
    .with_more(
        [
            action(
                3000, ActionKind.SILENCE, Person(8, "Boris"), silence=Silence(at(7200), (), "latency", (), "deploying")
            )
        ]
    )
    .with_more([action(3100, ActionKind.SILENCE, Person(8, "Boris"), silence=Silence(None, ((12, 1),), "errors"))])
)


async def test_who_acknowledged_and_what_is_silenced_until_when_stands_on_card_row_and_in_the_answer(
    client: Client, watch: Watch
) -> None:
    watch.actions = ACTS
    text = await page_of(client)
    acknowledged = "acknowledged by Anna &lt;b&gt; at 21:28:20"
    silenced = "silenced until 22:40:00 by Boris: deploying"
    assert f'<p class="people">{acknowledged}</p>' in text
    assert f'<p class="people">{silenced}</p>' in text
    assert f"{acknowledged}; {silenced}; worst 2.6 s" in text
    assert f"Latency: {silenced}" in text
    assert "Errors: silenced until recovery by Boris" in text
    status = msgspec.json.decode(await (await client.get("/api/status")).read(), type=Status)
    latency, (open_one,) = status.objectives[0], status.open_incidents
    for each in (latency, open_one):
        assert (each.acknowledged_by, each.acknowledged_at) == ("Anna <b>", at(2900))
        assert each.silence == SilenceStatus(
            slo="latency", title="Latency", until=at(7200), by="Boris", since=at(3000), reason="deploying"
        )
    assert [each.slo for each in status.silences] == ["latency", "errors"]
    assert status.recent_incidents[0].acknowledged_by is None


async def test_a_chat_that_cannot_be_reached_and_a_drill_are_named(client: Client, watch: Watch) -> None:
    watch.process = replace(PROCESS, unreachable={address_of(-5): "Forbidden: <b>kicked"})
    watch.state = state(replace(OPEN, is_drill=True), latency=SLOW, errors=ERRING, availability=NO_DATA)
    text = await page_of(client)
    assert "Chat -5 cannot be reached: Forbidden: &lt;b&gt;kicked." in text
    assert f"DRILL · #{OPEN.number} Latency" in text
    assert text.count("DRILL · Latency") == 1, "on its card, and on no other"
    status = msgspec.json.decode(await (await client.get("/api/status")).read(), type=Status)
    assert status.unreachable == {"-5": "Forbidden: <b>kicked"}
    assert [each.is_drill for each in status.open_incidents] == [True]


async def test_what_carries_the_bad_requests_is_named(client: Client, watch: Watch) -> None:
    watch.state = state(
        replace(OPEN, attribution=CAUSED.attribution), latency=SLOW, errors=ERRING, availability=NO_DATA
    )
    assert "98 % of the bad: instance=a:8000, b:8000; version=1.4" in await page_of(client)
    status = msgspec.json.decode(await (await client.get("/api/status")).read(), type=Status)
    (incident,) = status.open_incidents
    cause, equal = incident.causes
    assert (cause.label, cause.values, equal.values) == ("instance", ("a:8000", "b:8000"), ("1.4",))
    assert (cause.bad_events, cause.total_events, cause.other_bad_events, cause.other_total_events) == (45, 46, 1, 12)
    (breakdown,) = incident.breakdown
    assert [(each.value, each.bad_events, each.total_events) for each in breakdown.values] == [
        ("/sleep", 46, 46),
        ("/predict", 0, 12),
    ]
    assert incident.breakdown_over_seconds == 60


async def test_what_is_taken_back_stands_nowhere(client: Client, watch: Watch) -> None:
    watch.actions = ACTS.with_more([action(3200, ActionKind.UNDO, Person(7, "Anna"), of=1)]).with_more(
        [action(3300, ActionKind.END, Person(8, "Boris"), of=2)]
    )
    text = await page_of(client)
    assert "acknowledged" not in text
    assert "deploying" not in text


async def test_targets_that_are_down_are_named(client: Client, watch: Watch) -> None:
    down = replace(ERRING, good_ratio=2 / 3, up_targets=Targets(up=2, known=3, scraped_at=NOW, down=("b:8000",)))
    watch.state = state(latency=FINE, errors=ERRING, availability=down)
    assert "1 of 3 targets down (b:8000)" in await page_of(client)


async def test_burn_rates_of_windows_longer_than_the_history_are_not_shown(client: Client, watch: Watch) -> None:
    burns = replace(LATENCY, burns=BURNS)
    rates = dict.fromkeys(windows(burns), 0.008)
    watch.objectives = Objectives.only(burns)
    for history, shown in ((timedelta(days=3), True), (minutes(4), False)):
        seen = replace(SLOW, budget=Budget(history=history, events=9e4, bad_ratios=rates))
        watch.state = state(OPEN, latency=seen)
        text = await page_of(client)
        assert ("3d 0.16×" in text) is shown
        assert "30d 0.16×" not in text
        assert ("Error budget: 4 min of history so far." in text) is not shown
        assert ("of the error budget" in text) is shown


async def test_an_incident_that_came_back_is_shaded_only_where_it_was_bad(client: Client, watch: Watch) -> None:
    again = replace(
        OPEN, began_at=at(600), again_at=at(2760), openings=2,
        earlier=(Opening(began_at=at(600), last_bad_at=at(900), bad=12, total=40),),
    )  # fmt: skip
    watch.state = state(again, latency=SLOW)
    watch.objectives = Objectives.only(LATENCY)
    text = await page_of(client)
    assert [float(each) for each in re.findall(r'class="breach" x="[\d.]+" y="0" width="([\d.]+)"', text)] == [50, 140]
    assert "500 of 600 bad; in breach 2 times since 20:50:00, 19 min in all, 512 of 640 bad" in text


async def test_rates_are_written_as_people_read_them(client: Client, watch: Watch) -> None:
    watch.state = state(latency=replace(FINE, events_per_second=1234.0))
    assert "1234 requests a second" in await page_of(client)


async def test_a_suspicion_is_no_breach_and_not_green(client: Client, watch: Watch) -> None:
    tracks = {**GOOD.tracks, LATENCY_KEY: track(LATENCY_KEY, Phase.BREACHING)}
    watch.state = replace(GOOD, tracks=tracks)
    text = await page_of(client)
    assert '<h1 class="headline suspicious">A breach is pending</h1>' in text


async def test_a_recovery_that_is_not_sure_yet_says_so(client: Client, watch: Watch) -> None:
    tracks = {**BAD.tracks, LATENCY_KEY: track(LATENCY_KEY, Phase.RECOVERING, incident=12)}
    watch.state = replace(BAD, tracks=tracks)
    assert "recovering, in breach since 21:26:00 (14 min) · #12" in await page_of(client)


async def test_what_never_changed_is_said_in_short(client: Client, watch: Watch) -> None:
    watch.history = history(values={UP_KEY: {at(3000).timestamp(): 0.0, at(3040).timestamp(): 0.0}})
    assert "Availability over the last hour: 0 % down all the time" in await page_of(client)


async def test_of_a_thousand_label_sets_the_worst_are_shown(client: Client, watch: Watch) -> None:
    keys = [Key("latency", (("endpoint", f"/{number:04}"),)) for number in range(1000)]
    watch.objectives = Objectives.only(replace(LATENCY, by=("endpoint",)))
    broken = replace(OPEN, key=keys[700])
    tracks = {key: track(key) for key in keys} | {keys[700]: track(keys[700], Phase.BREACHED, incident=12)}
    watch.state = State(
        tracks=tracks, readings=dict.fromkeys(keys, FINE), incidents={12: broken}, evaluated_at=at(3588)
    )
    text = await page_of(client)
    assert text.count("<article") == MOST_SHOWN
    assert text.index("Latency of /0700") < text.index("Latency of /0000")
    assert "1 to 25 of 1,000, the worst first" in text
    status = msgspec.json.decode(await (await client.get("/api/status")).read(), type=Status)
    assert len(status.objectives) == 1000


# Very many


@pytest.fixture
def many(watch: Watch) -> Watch:
    watch.state, watch.objectives = wide(10_000, 4_980)
    return watch


@pytest.mark.usefixtures("many")
async def test_a_page_of_ten_thousand_label_sets_is_small_and_the_worst_come_first(client: Client) -> None:
    text = await page_of(client)
    assert len(text) < 200_000
    assert text.count("<article") == MOST_SHOWN
    assert '<h1 class="headline breached">4,980 of 10,001 objectives in breach</h1>' in text
    assert text.index("Latency of /04979, eu-2") < text.index("Latency of /04978, eu-1")
    assert "And 4,955 more." in text


@pytest.mark.usefixtures("many")
async def test_a_drill_sees_its_objective_that_is_met_among_thousands_in_breach(client: Client) -> None:
    peer = WatchdogApi(client.session, str(client.make_url("")))
    assert [each.slo for each in (await peer.status("errors")).objectives] == ["errors"]
    assert "errors" not in {each.slo for each in (await peer.status()).objectives}
    assert len((await peer.status("of another slo.yml")).objectives) == MOST_ANSWERED


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("address", "shown", "says"),
    [
        pytest.param("q=04979", 1, "1 of 10,001 match. Left out: 4,979 in breach, 1 not known.", id="text"),
        pytest.param("q=Latency%20zone%3Deu-1%20/0000", 3, "3 of 10,001 match.", id="words of labels"),
        pytest.param("state=unknown", 1, "1 of 10,001 match. Left out: 4,980 in breach.", id="a state"),
        pytest.param("state=met", 25, "Left out: 4,980 in breach, 1 not known.", id="only what is met"),
        pytest.param("objective=errors", 1, "Left out: 4,980 in breach, 1 not known.", id="an objective"),
        pytest.param("service=shop", 1, "Left out: 4,980 in breach, 1 not known.", id="a service"),
        pytest.param("kind=latency&state=breached&page=200", 5, "Left out: 1 not known.", id="the last page"),
        pytest.param("page=999999", 1, "10,001 to 10,001 of 10,001, the worst first", id="a page beyond the last"),
        pytest.param("q=nothing-like-it", 0, "Nothing matches.", id="nothing"),
    ],
)
async def test_a_filtered_view_says_what_it_leaves_out_and_is_never_green(
    client: Client, address: str, shown: int, says: str
) -> None:
    response = await client.get(f"/?{address}")
    text = await response.text()
    assert response.status == 200
    assert text.count("<article") == shown
    assert says in text
    assert "4,980 of 10,001 objectives in breach</h1>" in text
    found = await (await client.get(f"/api/status?{address}&per_page=25")).json()
    assert (len(found["objectives"]), found["selection"]["total"]) == (shown, 10_001)
    assert found["selection"]["by_state"]["breached"] == 4_980


@pytest.mark.parametrize(
    "address",
    ["state=green", "objective=none", "kind=x", "service=%3Cb%3E", "page=0", "page=-1", "page=1e3", f"q={'a' * 201}"],
)
async def test_a_wrong_parameter_is_a_sentence(client: Client, address: str) -> None:
    page, api = await client.get(f"/?{address}"), await client.get(f"/api/status?{address}")
    assert (page.status, api.status) == (400, 400)
    assert "Everything is shown instead." in await page.text()
    problem = await api.json()
    assert problem["detail"].split()[0] in {"There", "page", "q"}
    assert "There is no service &#39;<b>" not in await page.text()


async def test_an_incident_of_the_watchdog_itself_is_in_every_view(client: Client, many: Watch) -> None:
    blind = replace(OPEN, number=9999, key=SIGHT, reason="connection refused")
    many.state = replace(many.state, incidents={**many.state.incidents, 9999: blind})
    assert "#9999 Monitoring lost" in await page_of(client, "/?q=errors")


@pytest.mark.usefixtures("many")
async def test_by_keyboard_somebody_searches_and_turns_the_page_without_a_script(
    browser: Browser, server: AppServer
) -> None:
    async with visiting(browser, str(server.make_url("")).rstrip("/")) as visit:
        page = await visit("/?span=6h&reload=off", java_script_enabled=False, viewport=PHONE, color_scheme="dark")
        await page.get_by_label("Search").focus()
        await page.keyboard.type("zone=eu-2")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Left out: 3,320 in breach, 1 not known.")).to_be_visible()
        await page.get_by_role("link", name="Next").first.press("Enter")
        await expect(page.get_by_text("26 to 50 of 3,333, the worst first").first).to_be_visible()
        assert "span=6h" in page.url
        assert "reload=off" in page.url
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]


@pytest.mark.usefixtures("many")
async def test_who_cannot_see_can_search_too(visit: Open) -> None:
    await is_accessible(await visit("/?q=eu-1&state=breached&reload=off"))


async def test_a_browser_may_load_nothing_from_elsewhere(client: Client) -> None:
    response = await client.get("/")
    headers = HEADERS | {"Content-Security-Policy": SEARCHABLE}
    assert {name: response.headers[name] for name in headers} == headers
    for name in ("style.css", "status.css", "icon.svg"):
        assert (await client.get(f"/web/{name}")).status == 200
    assert (await client.get("/web/status.html")).status == 404


async def test_machines_read_the_same(client: Client, watch: Watch) -> None:
    watch.records = (
        DeliveryRecord(incident=12, chat=address_of(1), stage=Stage.OPENED, opening=1, breach_told_at=at(2788)),
    )
    response = await client.get("/api/status")
    assert response.content_type == "application/json"
    status = msgspec.json.decode(await response.read(), type=Status)
    assert status == watch.view()(Query(per_page=MOST_ANSWERED))
    latency, availability, errors = status.objectives
    assert (latency.slo, latency.verdict, latency.state, latency.incident) == ("latency", "breached", "breached", 12)
    assert (latency.latency_seconds, latency.threshold_seconds, latency.latency_quantile) == (2.44, 1.0, 0.95)
    assert latency.budget_history_seconds == 3 * 86_400
    assert latency.budget_remaining_ratio == pytest.approx(1 - 0.008 / 0.05 * 3 / 30)
    assert (errors.verdict, errors.latency_seconds) == ("met", None)
    assert (availability.verdict, availability.reason) == ("unknown", "no requests")
    assert (status.seconds_since_look, status.overdue, status.blind) == (12.0, False, False)
    (open_one,), (closed,) = status.open_incidents, status.recent_incidents
    assert (open_one.told, open_one.breach_told_at, open_one.worst_seconds) == (Stage.OPENED, at(2788), 2.6)
    assert (closed.number, closed.outcome, closed.worst_bad_ratio) == (11, Outcome.RECOVERED, 0.2)
