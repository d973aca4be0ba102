"""What one of several watchdogs delivers: nothing while it may not speak, and nothing that is not written before."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.desk import ANNA, REPEAT, Desk, opened_desk
from wine_slo.slo.chat.gate import Gate


class Lead:
    """For how long the watchdog may speak."""

    seconds = 1.0

    def left(self) -> float:
        return self.seconds


@pytest.fixture
def lead() -> Lead:
    return Lead()


@pytest.fixture
async def desk(bot_api: BotApi, lead: Lead, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(bot_api, tmp_path) as desk:
        desk.gate = Gate(lead.left, is_alone=False)
        desk.restart()
        yield desk


async def delivers(desk: Desk) -> list[str]:
    desk.delivery.on_evaluation()
    await desk.delivery.deliver()
    return [text for text in desk.api.chat(ANNA).texts if "🔴" in text]


async def test_nothing_is_tried_while_it_may_not_speak_and_all_that_is_due_is_sent_as_soon_as_it_may(
    desk: Desk, lead: Lead
) -> None:
    lead.seconds = 0.0
    desk.scene.breaks()
    desk.decide()
    assert await delivers(desk) == []
    assert desk.outcomes == [], "that is no failure, after which there would be a wait"
    lead.seconds = 1.0
    (text,) = await delivers(desk)
    assert REPEAT not in text


async def test_a_message_whose_attempt_cannot_be_written_is_not_sent_as_another_one_would_repeat_it_unmarked(
    desk: Desk,
) -> None:
    desk.scene.breaks()
    desk.decide()
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await delivers(desk) == []
    other.close()
    desk.scene.second += 60
    (text,) = await delivers(desk)
    assert REPEAT not in text, "it was not sent"
