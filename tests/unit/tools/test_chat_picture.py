"""The picture of a chat shows what Telegram was sent, and nothing else."""

from datetime import UTC, datetime

import pytest

from tests.support.fakes.telegram_chats import Button, Chat, Message, Version
from tools.pictures.chat import Conversation, bubble, page_of

AT = datetime(2026, 11, 30, 19, 41, tzinfo=UTC)
BOT = {"id": 1, "is_bot": True, "first_name": "Wine SLO"}
SENT, EDITED = "🔴 <b>2.4 s</b> &amp; more", "⚪️ Resolved"
BUTTONS = ((Button("Acknowledge", "a"),), (Button("Chart", "c"), Button("Runbook", url="https://runbook.example")))


@pytest.fixture
def breach() -> Message:
    chat = Chat(-100)
    message = Message(1, chat, BOT, [Version("🔴 2.4 s & more", SENT, "HTML", AT)], keyboard=BUTTONS)
    chat.history[1] = message
    return message


def page(*messages: Message) -> str:
    return page_of(Conversation("On call <b>", "edited", [bubble(each) for each in messages]), "dark")


def test_a_message_keeps_its_markup_its_time_and_its_buttons(breach: Message) -> None:
    text = page(breach)
    assert f'<div class="text">{SENT}<span class="when">19:41</span></div>' in text
    assert "<span>Acknowledge</span>" in text
    assert '<span>Chart</span><span class="out">Runbook</span>' in text
    assert "On call &lt;b&gt;" in text


def test_what_is_edited_later_leaves_what_was_seen_before(breach: Message) -> None:
    before = bubble(breach)
    breach.versions.append(Version(EDITED, EDITED, "HTML", AT.replace(minute=44)))
    breach.keyboard = ()
    text = page_of(Conversation("On call", "edited", [before], "Later:", [bubble(breach)]), "light")
    assert text.index(SENT) < text.index("Acknowledge") < text.index("Later:") < text.index(EDITED)
    assert f'{EDITED}<span class="when">edited 19:41</span>' in text
    assert text.count("Acknowledge") == 1


def test_a_reply_quotes_what_it_replies_to_and_a_chart_is_in_the_page(breach: Message) -> None:
    caption = Version("a < b", "a < b", None, AT)
    chart = Message(2, breach.chat, BOT, [caption], reply_to=1, photo=b"\x89PNG")
    text = page(chart)
    assert '<div class="quote"><b>Wine SLO</b><span>🔴 2.4 s &amp; more</span></div>' in text
    assert 'src="data:image/png;base64,iVBORw=="' in text
    assert "a &lt; b" in text
