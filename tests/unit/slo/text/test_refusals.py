"""Why a chat refuses messages reads as people say it, in each language."""

import re
from datetime import UTC

import pytest

from tests.support.fakes.bot_api import BLOCKED, KICKED
from tests.support.scene import ALL
from wine_slo.config import translations
from wine_slo.slo.chat.address import Address
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import RUSSIAN
from wine_slo.slo.text.refusals import refusal

WRITTEN = [
    BLOCKED,
    KICKED,
    "Forbidden: bot is not a member of the channel chat",
    "Forbidden: user is deactivated",
    "Forbidden: bot can't initiate conversation with a user",
    "Chat not found",
    "Not enough rights to send text messages to the chat",
    "Need administrator rights in the channel chat",
    "Group chat was deactivated",
    "Topic_closed",
    "Topic_deleted",
    "Message thread not found",
    "The bot may not send messages there",
    "Telegram requires a wait of 300 s",
    "Telegram cannot be reached (ConnectError)",
    "what answers is no Bot API (502)",
    "Telegram does not know the token",
    "it gives no reason",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_refusal_reads_in_the_language_of_the_chat(text: str) -> None:
    spoken = translations.load()
    english, russian = (refusal(Formatter(ALL, UTC, spoken[code]), text) for code in ("en", "ru"))
    assert re.search("[а-я]", russian)
    assert not re.search("[а-яё]", english)
    assert "Forbidden" not in english


def test_what_nobody_knows_is_said_as_telegram_writes_it_and_harms_nothing() -> None:
    assert refusal(Formatter(ALL, UTC), "Forbidden: <b>new") == "Forbidden: &lt;b&gt;new"


def test_a_chat_that_cannot_be_reached_is_named_in_russian_alone() -> None:
    speech = Formatter(ALL, UTC, translations.load()[RUSSIAN.code])
    assert Replies(speech).unreachable(Address("telegram:-5"), KICKED) == (
        "🟠 Чат -5 недоступен: бота удалили из чата. Пока это так, оповещения туда не приходят."
    )
