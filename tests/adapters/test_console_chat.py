"""The chat of who has no Telegram: the same words, printed."""

import pytest

from wine_slo.adapters.console_chat import ConsoleChat
from wine_slo.domain.dialogue import Button


@pytest.fixture
def printed() -> list[str]:
    return []


async def test_a_message_is_printed_framed_and_without_markup(printed: list[str]) -> None:
    number = await ConsoleChat(printed.append).send(0, "🔴 <b>2.4 s</b>, promised &lt; 1 %\n#1")
    assert number == 1
    assert printed == ["┌ message 1\n│ 🔴 2.4 s, promised < 1 %\n│ #1\n└"]


async def test_a_reply_says_what_it_answers_and_numbers_go_on(printed: list[str]) -> None:
    chat = ConsoleChat(printed.append)
    first = await chat.send(0, "one")
    assert await chat.send(0, "two", reply_to=first, loud=False) == 2
    assert printed[1].startswith("┌ message 2, reply to 1\n")


async def test_an_edit_is_one_line(printed: list[str]) -> None:
    await ConsoleChat(printed.append).edit(0, 1, "⚪️ <b>over</b>\nmore")
    assert printed == ["  message 1 now reads: ⚪️ over"]


async def test_the_buttons_it_would_have_are_printed_below() -> None:
    lines: list[str] = []
    rows = ((Button("Acknowledge", "ack"),), (Button("Silence 1 h", "hush"), Button("Until recovery", "hush")))
    await ConsoleChat(lines.append).send(0, "bad", buttons=rows)
    assert lines == ["┌ message 1\n│ bad\n│ [Acknowledge]\n│ [Silence 1 h] [Until recovery]\n└"]
