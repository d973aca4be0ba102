"""What docs/tutorials/telegram.md says that the bot answers is what it answers, at the fake Bot API."""

from datetime import UTC
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import Talk, among
from tests.support.scene import ALL
from wine_slo.slo.text.formatting import Formatter

TUTORIAL = (Path(__file__).parents[4] / "docs" / "tutorials" / "telegram.md").read_text()
ANNA, GROUP, FORUM, TOPIC, CHANNEL = 7, -5, -1001234567890, 30, -1009876543210


def row(where: str) -> str:
    """The row of the table of step 3 about a kind of chat."""
    (found,) = [line for line in TUTORIAL.splitlines() if line.startswith(f"| {where} |") and "id is" in line]
    return found


@pytest.fixture
def talk(bot_api: BotApi) -> Talk:
    """A bot that nobody has put into the settings yet."""
    for chat in (ANNA, GROUP, CHANNEL):
        bot_api.chat(chat)
    bot_api.chat(FORUM, topics=[TOPIC])
    return Talk(bot_api, Formatter(ALL, UTC), among(chats=()))


@pytest.mark.parametrize(
    ("where", "chat", "topic"),
    [
        ("a private chat", ANNA, None),
        ("a group", GROUP, None),
        ("a supergroup", FORUM, None),
        ("a topic of a forum", FORUM, TOPIC),
    ],
)
async def test_the_bot_answers_with_the_ids_that_the_tutorial_shows(
    talk: Talk, where: str, chat: int, topic: int | None
) -> None:
    async with talk.listening():
        answer = await talk.sends(chat, ANNA, "/start" if where == "a private chat" else "/id", topic)
    said = [line for line in answer.text.splitlines() if line != "Yours is 7." or where == "a group"]
    assert [line for line in said if f"`{line}`" not in row(where)] == []


async def test_a_post_in_a_channel_is_answered_with_the_id_of_the_channel_alone(talk: Talk) -> None:
    channel = {"id": CHANNEL, "type": "channel", "title": "Shop"}
    async with talk.listening():
        posted = (await talk.api.says(CHANNEL, ANNA, "hm")).as_json()
        del posted["from"]
        post = posted | {"text": "/id", "chat": channel, "sender_chat": channel}
        await talk.api.sends_update("channel_post", post)
        await talk.api.until(lambda: talk.api.chat(CHANNEL).texts)
    (answer,) = talk.api.chat(CHANNEL).texts
    assert f"`{answer}`" in row("a channel")
