"""The link to the runbook, through the real Telegram client: where it stands, and that it costs no message anything."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import KICKED, BotApi
from tests.support.fakes.desk import ANNA, GROUP, SUPERGROUP, Desk, keys, opened_desk, storm
from tests.support.fakes.telegram_chats import Message
from tests.support.scene import LATENCY, Scene
from wine_slo.monitor.notify.policies import Rules
from wine_slo.slo.notification.keyboard import VERBS
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.runbook import Runbook

TOPIC = 30
PAGE = Runbook("https://example.org/runbook/")


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(bot_api, tmp_path) as desk:
        yield desk


def pressed(message: Message) -> list[list[str]]:
    return [[each.url or each.text for each in row] for row in message.keyboard]


async def test_an_alert_links_its_section_until_it_is_over(desk: Desk) -> None:
    desk.rules = Rules(offers=VERBS, runbook=PAGE)
    desk.notifies((ANNA,))
    desk.scene.breaks()
    await desk.deliver()
    (breach,) = desk.messages()
    assert pressed(breach)[-1] == ["Chart", "Why", "https://example.org/runbook/#latency"]
    desk.scene.has(1.0, 60)
    await desk.deliver()
    assert pressed(breach)[-1][-1] == "https://example.org/runbook/#latency"
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert [pressed(each) for each in desk.messages()] == [[], []]


async def test_a_message_about_a_chat_that_cannot_be_reached_links_its_section(desk: Desk) -> None:
    desk.rules = Rules(runbook=PAGE)
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(403, KICKED, chat=GROUP)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver()
    (said,) = [each for each in desk.messages() if "cannot be reached" in each.text]
    assert pressed(said) == [["https://example.org/runbook/#chat-unreachable"]]


async def test_a_message_about_many_breaches_links_its_section(desk: Desk) -> None:
    desk.rules = Rules(offers=VERBS, runbook=PAGE, status_page="https://slo.example.org/")
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.restart()
    storm(desk.scene, keys(STORM + 1), 1.0, 25)
    await desk.deliver()
    (said,) = desk.messages()
    assert pressed(said) == [
        ["Acknowledge all"],
        ["https://slo.example.org/", "https://example.org/runbook/#many-at-once"],
    ]


async def test_a_message_about_a_time_without_evaluations_links_its_section(desk: Desk) -> None:
    desk.rules = Rules(offers=VERBS, runbook=PAGE)
    desk.restart()
    desk.scene.has(0.0, 30)
    desk.decide()
    desk.scene.second += 600
    desk.scene.has(0.0, 5)
    await desk.deliver()
    (said,) = desk.messages()
    assert said.text.startswith("🔄 Not evaluating for 10 min")
    assert pressed(said) == [["https://example.org/runbook/#restart"]]


async def test_a_page_that_is_set_while_an_incident_is_open_is_linked_from_then_on(desk: Desk) -> None:
    desk.rules = Rules(offers=VERBS)
    desk.notifies((ANNA,))
    desk.scene.breaks()
    await desk.deliver()
    desk.rules = Rules(offers=VERBS, runbook=PAGE)
    desk.restart()
    await desk.deliver(after=5)
    (breach,) = desk.messages()
    assert pressed(breach)[-1][-1] == "https://example.org/runbook/#latency"


@pytest.mark.parametrize("topic", [None, TOPIC])
async def test_a_link_that_telegram_refuses_costs_a_message_neither_its_buttons_nor_its_markup(
    desk: Desk, topic: int | None
) -> None:
    chat = ANNA if topic is None else SUPERGROUP
    desk.api.chat(SUPERGROUP, topics=[TOPIC])
    desk.topics = {} if topic is None else {SUPERGROUP: TOPIC}
    desk.rules = Rules(offers=VERBS, runbook=Runbook("http://localhost/runbook"))
    desk.notifies((chat,))
    desk.scene.breaks()
    await desk.deliver()
    (breach,) = desk.messages(chat)
    assert (breach.parse_mode, breach.topic) == ("HTML", topic)
    assert pressed(breach)[-1] == ["Chart", "Why"]
    desk.scene.has(1.0, 600)
    await desk.deliver()
    (breach,) = desk.messages(chat)
    assert "10 min" in breach.text, "it is still edited"
    assert pressed(breach)[-1] == ["Chart", "Why"]
