"""What docs/tutorials/telegram.md says that the bot answers is what it answers, at the fake Bot API."""

from datetime import UTC
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import Talk, among
from tests.support.scene import ALL
from wine_slo.slo.chat.messages import Answer, Command, Question
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


async def posts(talk: Talk, text: str) -> str:
    """Somebody posts in the channel; return what the bot answers there."""
    channel = {"id": CHANNEL, "type": "channel", "title": "Shop"}
    posted = (await talk.api.says(CHANNEL, ANNA, "hm")).as_json()
    del posted["from"]
    known = len(talk.api.chat(CHANNEL).texts)
    post = posted | {"text": text, "chat": channel, "sender_chat": channel}
    await talk.api.sends_update("channel_post", post)
    await talk.api.until(lambda: len(talk.api.chat(CHANNEL).texts) > known)
    return talk.api.chat(CHANNEL).texts[-1]


async def test_a_post_in_a_channel_is_answered_with_the_id_of_the_channel_alone(talk: Talk) -> None:
    async with talk.listening():
        assert f"`{await posts(talk, '/id')}`" in row("a channel")


async def test_a_command_in_a_channel_of_the_settings_is_answered_and_changes_nothing(talk: Talk) -> None:
    ours = Talk(talk.api, talk.fmt, among(chats=(CHANNEL,)))

    async def say_done(_question: Question) -> Answer:
        return Answer("done")

    async with ours.listening(Command("change", "Changes something", say_done, changes=True)):
        assert await posts(ours, "/version") == "wine-slo 1.2.3"
        assert (await posts(ours, "/change")).startswith("This needs a person: write as yourself")
