"""`/language`: shown, offered as buttons, and changed for a chat, through the real listener."""

from datetime import UTC

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import ANNA, BORIS, GROUP, Talk, among
from tests.support.scene import ALL
from wine_slo.config import translations
from wine_slo.monitor.chatops.language import LanguageCommand, named
from wine_slo.monitor.chatops.router import Access
from wine_slo.slo.chat.messages import Reception
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter


class Chats:
    """What is spoken where."""

    def __init__(self) -> None:
        self.spoken: dict[int, str] = {}
        self._languages = translations.load()

    def replies(self, chat: int) -> Replies:
        return Replies(Formatter(ALL, UTC, self._languages[self.spoken.get(chat, "en")]))

    async def speak(self, chat: int, language: str) -> None:
        self.spoken[chat] = language

    @property
    def commands(self) -> LanguageCommand:
        return LanguageCommand(self.replies, self.speak)


@pytest.fixture
def talk(bot_api: BotApi) -> Talk:
    for chat in (ANNA, GROUP):
        bot_api.chat(chat)
    return Talk(bot_api, Formatter(ALL, UTC), among())


async def test_it_is_shown_and_the_other_one_is_offered(talk: Talk) -> None:
    chats = Chats()
    async with talk.listening(*chats.commands.commands()):
        answer = await talk.sends(GROUP, ANNA, "/language")
        assert answer.text == "I speak English here."
        assert answer.buttons == ["Русский"]
        await talk.api.press(answer, "Русский", ANNA)
        await talk.api.until(lambda: answer.text == "Здесь я говорю по-русски.")
    assert answer.buttons == ["English"], "written over the question, with the way back"
    assert chats.spoken == {GROUP: "ru"}


@pytest.mark.parametrize("said", ["ru", "RU", "ru-RU", "русский", "Русский"])
async def test_it_is_changed_for_that_chat_alone_and_answered_in_the_new_one(talk: Talk, said: str) -> None:
    chats = Chats()
    async with talk.listening(*chats.commands.commands()):
        answer = await talk.sends(GROUP, ANNA, f"/language {said}")
    assert answer.text == "Здесь я говорю по-русски."
    assert chats.spoken == {GROUP: "ru"}
    assert chats.replies(ANNA).fmt.language.code == "en"


async def test_one_that_we_do_not_have_is_said_and_both_are_offered(talk: Talk) -> None:
    chats = Chats()
    async with talk.listening(*chats.commands.commands()):
        answer = await talk.sends(GROUP, ANNA, "/language <b>klingon")
    assert answer.text == "<b>klingon is not available. Available languages:"
    assert answer.buttons == ["English", "Русский"]
    assert chats.spoken == {}


async def test_where_admins_are_set_only_they_change_it(talk: Talk) -> None:
    chats = Chats()
    talk = Talk(talk.api, talk.fmt, Access(talk.access.chats, [BORIS]))
    async with talk.listening(*chats.commands.commands()):
        await talk.sends(GROUP, ANNA, "/language ru")
    assert talk.received[Reception.REFUSED] == 1
    assert chats.spoken == {}


def test_nothing_names_no_language() -> None:
    assert named("") is None
    assert named("-") is None
