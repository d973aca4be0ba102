"""What the bot answers to who wants to know more, by the commands that people send."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import ANNA, FORUM, GROUP, TOPIC, Talk, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import ALL, AVAILABILITY, ERRORS, KEY, LATENCY, Scene, at, incident, minutes
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.chatops.info import Info
from wine_slo.slo.attribution.attribution import Share, attribute
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Picture
from wine_slo.slo.evaluation.engine import KEPT, State
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Key, Objectives
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incident_detail import unknown_incident

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
BY_PATH = replace(LATENCY, by=("path",))
PREDICT, HEALTH = (Key("latency", (("path", path),)) for path in ("/predict", "/health"))


class Desk:
    """Somebody who sends commands, and what there is to know."""

    def __init__(self, bot_api: BotApi, path: Path) -> None:
        self.scene = Scene(LATENCY, ERRORS, AVAILABILITY)
        self.ledger = Ledger.open(f"sqlite:///{path}")
        self.talk = Talk(bot_api, Formatter(ALL, UTC), among())
        self.suppressed: dict[Address, dict[int, Suppression]] = {}
        self.drawn: list[tuple[Key, timedelta | None]] = []
        self.picture: Picture | str = Picture(PNG, "a caption")
        self.info_commands = Info(
            self.ledger,
            FakeSnapshot(lambda: self.scene.state, lambda: self.scene.now),
            lambda _chat: self.talk.fmt,
            self.draw,
            suppressed=lambda chat: self.suppressed.get(chat, {}),
        )

    async def draw(self, key: Key, _fmt: Formatter, span: timedelta | None) -> Picture | str:
        self.drawn.append((key, span))
        return self.picture

    async def sends(self, text: str) -> list[str]:
        return (await self.talk.sends(ANNA, ANNA, text)).text.splitlines()


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    for chat in (ANNA, GROUP):
        bot_api.chat(chat)
    bot_api.chat(FORUM, topics=[TOPIC])
    desk = Desk(bot_api, tmp_path / "watchdog.db")
    async with desk.talk.listening(*desk.info_commands.commands()):
        yield desk
    desk.ledger.close()


def with_budget(scene: Scene, remaining: float) -> None:
    budget = Budget(
        history=LATENCY.window, events=1e6, bad_ratios={LATENCY.window: (1 - remaining) * LATENCY.allowed_bad_ratio}
    )
    readings = {key: replace(each, budget=budget, good_ratio=0.99) for key, each in scene.state.readings.items()}
    scene.state = replace(scene.state, readings=readings)


def seen(scene: Scene, bad: float, value: float) -> Reading:
    interval = Interval(scene.now, bad=bad * 50, total=50)
    return Reading(at=scene.now, sight=Sight.CLEAR, intervals=(interval,), recent_seconds=value)


# /slo


async def test_slo_shows_target_value_budget_and_since_when(desk: Desk) -> None:
    desk.scene.has(0.0, 60)
    with_budget(desk.scene, 0.97)
    assert await desk.sends("/slo lat") == [
        "🟢 latency: p95 0.05 s (target ≤ 1 s, last 20 s) · budget 97 %",
        "Objective: 95 % of requests within 1 s, over 30 days.",
        "Good in the last 5 min: 99 % (target ≥ 95 %).",
        "Error budget: 97 % left of 30 days.",
        "Burn rate: 30 days 0.03×.",
        "Alerts after 25 s of violations, resolves after 20 s without.",
        "No breach since 19:40:05 (55 s).",
    ]


@pytest.mark.parametrize("command", ["slo", "why", "chart"])
async def test_a_wrong_name_is_answered_with_the_right_ones(desk: Desk, command: str) -> None:
    assert await desk.sends(f"/{command} latenzy") == ["There is no latenzy. Did you mean latency?"]
    assert await desk.sends(f"/{command} xyzzy") == ["There is no xyzzy. Objectives: latency, errors, availability."]
    answer = await desk.talk.sends(ANNA, ANNA, f"/{command}")
    assert answer.text == "Which one? Objectives: latency, errors, availability."
    assert answer.buttons == ["Latency", "Errors", "Availability"]


@pytest.mark.parametrize("command", ["slo", "why", "budget", "incident"])
async def test_words_after_a_name_are_not_passed_over(desk: Desk, command: str) -> None:
    desk.scene.breaks()
    if command == "incident":
        assert (await desk.sends("/incident latency errrs"))[0].startswith("There is no incident")
        return
    assert await desk.sends(f"/{command} latency errrs") == ["There is no errrs. Did you mean errors?"]
    assert await desk.sends(f"/{command} latency xyzzy") == [
        "There is no xyzzy. Objectives: latency, errors, availability."
    ]
    assert await desk.sends(f"/{command} latency and errors") == [
        "Which one? Objectives: latency, errors, availability."
    ]


async def test_what_was_never_seen_is_said_so(desk: Desk) -> None:
    assert await desk.sends("/slo errors") == ["⚪️ No data on errors yet."]


async def test_a_label_set_can_be_chosen_and_else_the_worst_is_shown(desk: Desk) -> None:
    desk.talk.fmt = Formatter(Objectives.only(BY_PATH), UTC)
    desk.scene = Scene(BY_PATH)
    for _ in range(6):
        desk.scene.second += 5
        desk.scene.evaluate({PREDICT: seen(desk.scene, 0.0, 0.05), HEALTH: seen(desk.scene, 1.0, 2.4)})
    assert (await desk.sends("/slo latency /predict"))[0].startswith('🟢 latency{path="/predict"}')
    worst = await desk.sends("/slo latency")
    assert worst[0].startswith('🔴 latency{path="/health"}')
    assert worst[-1] == "This is the worst label set; select one of 1 more by a value of path."


# /why


async def test_why_names_the_query_and_the_evidence(desk: Desk) -> None:
    desk.scene.has(0.0, 60).has(1.0, 30)
    said = await desk.sends("/why latency")
    assert said[0].startswith("🔴 latency: p95 2.4 s (target ≤ 1 s, last 20 s) · #1 since 19:41:00")
    assert said[1:6] == [
        "In breach since 19:41:00 (30 s).",
        "Measured: p95 2.4 s (last 20 s).",
        "Since 19:41:00: 6 scrape intervals, 6 with violations. 300 of 300 requests over 1 s.",
        "The latest (■ bad, □ good): ■■■■■■",
        "100 of 100 requests over 1 s. This leaves out the worst stall of 15 s.",
    ]
    assert said[6] == "Statistically significant: in breach."
    assert said[7].startswith('Query: histogram_quantile(0.95, sum by (le) (rate(request_latency_seconds_bucket{job="')


async def test_why_shows_the_bad_requests_label_by_label(desk: Desk) -> None:
    desk.scene.breaks()
    many = [Share(f"/{number}", 0, 10) for number in range(20)]
    instances = [Share("a:8000", 30, 150), Share("b:8000", 28, 150)]
    tables = {"instance": instances, "endpoint": [Share("/sleep", 58, 60), *many]}
    desk.scene.attributes(attribute(tables, 0.05, minutes(1)))
    said = await desk.sends("/why latency")
    assert said[-3:-1] == [
        "Bad by endpoint, in 1 min: /sleep 58 of 60, /0 0 of 10, /1 0 of 10 and 18 more.",
        "Bad by instance, in 1 min: a:8000 30 of 150, b:8000 28 of 150.",
    ]


async def test_why_shows_nothing_of_the_bad_requests_of_an_incident_that_is_over(desk: Desk) -> None:
    desk.scene.breaks()
    desk.scene.attributes(attribute({"endpoint": [Share("/sleep", 58, 60), Share("/", 0, 90)]}, 0.05, minutes(1)))
    assert any("Bad by endpoint" in line for line in await desk.sends("/why latency"))
    desk.scene.has(0.0, 60)
    assert not any("Bad by" in line for line in await desk.sends("/why latency"))


async def test_why_says_that_no_value_stands_out_or_that_there_is_nothing_to_compare(desk: Desk) -> None:
    desk.scene.breaks().attributes(attribute({"instance": [Share("a", 30, 30), Share("b", 30, 30)]}, 0.05, minutes(1)))
    assert (await desk.sends("/why latency"))[-3:-1] == [
        "Bad by instance, in 1 min: a 30 of 30, b 30 of 30.",
        "No value stands out.",
    ]
    desk.scene.attributes(attribute({}, 0.05, minutes(1)))
    assert (await desk.sends("/why latency"))[-2] == "No label to compare."


async def test_why_says_why_this_chat_gets_no_notification(desk: Desk) -> None:
    desk.scene.breaks()
    desk.suppressed = {address_of(ANNA): {1: Suppression.SILENCE}, address_of(GROUP): {1: Suppression.RETRY}}
    assert (await desk.sends("/why latency"))[-1] == "No notification of #1 here: silenced."
    assert not any("notification" in line for line in await desk.sends("/why errors"))


async def test_why_says_that_a_stall_is_none(desk: Desk) -> None:
    desk.scene.has(0.0, 60).has(1.0, 15)
    assert "A short stall could still explain this; not a breach yet." in await desk.sends("/why latency")


async def test_why_says_that_chance_may_explain_it(desk: Desk) -> None:
    desk.scene.has(0.0, 60).has(0.08, 60, of=10)
    said = await desk.sends("/why latency")
    assert any(line.startswith("Not yet significant: ") for line in said), said


async def test_why_says_what_a_recovery_still_takes(desk: Desk) -> None:
    desk.scene.breaks().has(0.0, 10)
    assert "No violations for 10 s; a recovery needs 20 s." in await desk.sends("/why latency")


async def test_why_claims_nothing_where_nothing_is_seen(desk: Desk) -> None:
    desk.scene.has(0.0, 60).lacks(Sight.NO_TRAFFIC, 60)
    said = await desk.sends("/why latency")
    assert said[:2] == [
        "⚪️ latency: no requests for 1 min",
        "No breach since 19:40:05 (1 min 55 s). This does not change while it cannot be evaluated.",
    ]
    assert not any("bad" in line for line in said)


# /budget


async def test_budget_lists_the_least_first(desk: Desk) -> None:
    desk.scene.second += 5
    desk.scene.evaluate({KEY: seen(desk.scene, 0.0, 0.05), Key("errors"): seen(desk.scene, 0.0, 0.05)})
    with_budget(desk.scene, -0.2)
    unknown = replace(desk.scene.state.readings[KEY], budget=None)
    desk.scene.state = replace(desk.scene.state, readings={**desk.scene.state.readings, KEY: unknown})
    assert await desk.sends("/budget") == [
        "🔴 errors: none left, overspent by 500 %",
        "⚪️ latency: no number yet",
    ]


# /incidents


async def test_incidents_are_the_open_ones_and_the_last_ten_of_all_time(desk: Desk) -> None:
    old = [
        incident(number=number, began_at=at(-9e5 + number), closed_at=at(-8e5), last_bad_at=at(-9e5 + 60 + number))
        for number in range(1, 15)
    ]
    desk.ledger.save(State(), State(incidents={each.number: each for each in old}, evaluated_at=at(0)))
    assert at(0) - at(-8e5) > KEPT
    assert (await desk.sends("/incidents"))[0] == "🟢 No incident is open."
    desk.scene.state = replace(desk.scene.state, last_number=14)
    desk.scene.breaks()
    said = await desk.sends("/incidents")
    assert said[0] == "🔴 #15 Latency: p95 2.4 s (last 20 s), since 19:40:00 (25 s)"
    assert said[1] == "⚪️ #14 Latency: 22 December 09:40:14 (1 min), worst 2.6 s"
    assert [line.split()[1] for line in said[1:-1]] == [f"#{number}" for number in range(14, 4, -1)]
    assert said[-1] == "Details: /incident 15"


async def test_an_incident_is_described_with_who_was_notified_when(desk: Desk) -> None:
    desk.scene.breaks()
    delivered = [DeliveryRecord(incident=1, chat=address_of(chat), breach_told_at=at(27 + chat)) for chat in (0, 9)]
    desk.ledger.save(State(), desk.scene.state)
    desk.ledger.mark(delivered)
    said = await desk.sends("/incident 1")
    assert said[0] == "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)"
    assert said[-3:] == [
        "Began at 19:40:00, confirmed after 25 s.",
        "2 chats were notified, the first after 27 s.",
        "#1 · latency",
    ]


async def test_an_incident_that_is_over_for_long_is_read_from_the_ledger(desk: Desk) -> None:
    old = incident(closed_at=at(140), outcome="recovered")
    desk.ledger.save(State(), State(incidents={12: old}))
    desk.scene.second = 9e5
    said = await desk.sends("/incident #12")
    assert said[0] == "🟢 Latency resolved"
    assert "Began at 1 January 19:41:00, confirmed after 30 s. Closed at 1 January 19:42:20." in said


@pytest.mark.parametrize("word", ["99", "x", "-1", "0", "9" * 300, "1.5", "٣", "12 13"])
async def test_a_number_that_is_none_is_answered_with_where_they_are(desk: Desk, word: str) -> None:
    (said,) = await desk.sends(f"/incident {word}")
    assert said.startswith("There is no incident ")
    assert said.endswith("All incidents: /incidents")


async def test_an_incident_without_a_number_is_answered_with_usage(desk: Desk) -> None:
    assert await desk.sends("/incident") == ["Which one? Give its number: /incident 12. All incidents: /incidents"]


def test_of_several_open_incidents_each_is_named() -> None:
    opened = [incident(), incident(number=13, key=Key("down", (("job", "shop"),)))]
    assert unknown_incident(Formatter(ALL, UTC), "", opened) == (
        "Which one? Open: #12 Latency, #13 Targets of shop. For example: /incident 12. All incidents: /incidents"
    )


# /chart


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("/chart latency", None),
        ("/chart lat 6h", timedelta(hours=6)),
        ("/chart latency 1 day", timedelta(days=1)),
        ("/chart latency 1h30m", minutes(90)),
    ],
)
async def test_a_chart_is_drawn_over_the_span_that_was_said(desk: Desk, text: str, span: timedelta | None) -> None:
    answer = await desk.talk.sends(ANNA, ANNA, text)
    assert answer.photo == PNG
    assert desk.drawn == [(KEY, span)]


async def test_a_chart_is_sent_into_the_topic_in_which_it_was_requested(desk: Desk) -> None:
    answer = await desk.talk.sends(FORUM, ANNA, "/chart latency", TOPIC)
    assert (answer.photo, answer.topic) == (PNG, TOPIC)


@pytest.mark.parametrize("span", ["1s", "36d", "60d", "2000h"])
async def test_a_span_of_which_there_is_no_chart_is_answered_with_the_bounds(desk: Desk, span: str) -> None:
    said = ["A chart covers at least 1 min and at most 35 days."]
    assert await desk.sends(f"/chart latency {span}") == await desk.sends(f"/chart {span} latency") == said
    assert not desk.drawn


@pytest.mark.parametrize("word", ["tomorow", "-5m", "6h please"])
async def test_a_span_that_is_none_is_said(desk: Desk, word: str) -> None:
    (said,) = await desk.sends(f"/chart latency {word}")
    assert said.endswith("Examples: 30m, 6h, 7d.")
    assert not desk.drawn


async def test_why_there_is_no_chart_is_said(desk: Desk) -> None:
    desk.picture = "There is no chart: no ink."
    assert await desk.sends("/chart latency") == ["There is no chart: no ink."]


async def test_a_picture_that_surely_did_not_arrive_is_sent_again(desk: Desk) -> None:
    desk.talk.api.fails_with(429, retry_after=1, methods=["sendPhoto"], times=1)
    assert (await desk.talk.sends(ANNA, ANNA, "/chart latency")).photo == PNG


# What is meant where little is said


@pytest.mark.parametrize("command", ["slo", "why", "budget"])
async def test_what_is_in_breach_is_meant_where_nothing_is_named(desk: Desk, command: str) -> None:
    desk.scene.has(0.0, 60, key=Key("errors")).breaks()
    with_budget(desk.scene, 0.5)
    named = (await desk.sends(f"/{command} latency"))[0]
    assert "latency" in named
    if command != "budget":
        assert (await desk.sends(f"/{command}"))[0] == named


async def test_the_chart_of_what_is_in_breach_is_drawn_where_nothing_is_named(desk: Desk) -> None:
    desk.scene.has(0.0, 60, key=Key("errors")).breaks()
    for text in ("/chart", "/chart 6h", "/chart 6h задержка", "/chart #1 6h", "/chart половина"):
        await desk.talk.sends(ANNA, ANNA, text)
    assert desk.drawn == [(KEY, None), *([(KEY, timedelta(hours=6))] * 3)]


async def test_one_of_several_is_chosen_by_a_button_with_its_span(desk: Desk) -> None:
    request = await desk.talk.sends(ANNA, ANNA, "/chart 6h")
    await desk.talk.api.press(request, "Errors", ANNA)
    await desk.talk.api.until(lambda: bool(desk.drawn))
    assert desk.drawn == [(Key("errors"), timedelta(hours=6))]
    request = await desk.talk.sends(ANNA, ANNA, "/slo latncy")
    assert request.buttons == ["Latency"]
    shown = len(desk.talk.api.chat(ANNA).messages)
    await desk.talk.api.press(request, "Latency", ANNA)
    await desk.talk.api.until(lambda: len(desk.talk.api.chat(ANNA).messages) > shown)
    assert desk.talk.api.chat(ANNA).texts[-1] == "⚪️ No data on latency yet."


@pytest.mark.parametrize("text", ["/incident", "/incident 1", "/incident #1", "/incident №1", "/incident latency"])
async def test_an_incident_is_named_by_its_number_or_its_objective(desk: Desk, text: str) -> None:
    desk.scene.breaks()
    assert (await desk.sends(text))[-1] == "#1 · latency"
