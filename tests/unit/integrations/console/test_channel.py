"""The chat of who has no Telegram: the same words, printed."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wine_slo.integrations.console.channel import CONSOLE, ConsoleChannel
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.messages import Button

FRAMED = "┌ message 1\n│ 🔴 2.4 s, target < 1 %\n│ #1\n└\n"


class Console:
    """A console that is a file."""

    def __init__(self, path: Path, encoding: str = "utf-8") -> None:
        self._path = path
        self._encoding = encoding
        self.stream = path.open("w", encoding=encoding)

    @property
    def printed(self) -> str:
        return self._path.read_text(self._encoding)


@pytest.fixture
def console(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Console]:
    console = Console(tmp_path / "console", getattr(request, "param", "utf-8"))
    with console.stream:
        yield console


@pytest.fixture
def chat(console: Console) -> ConsoleChannel:
    return ConsoleChannel(console.stream)


async def test_a_message_is_printed_framed_and_without_markup(chat: ConsoleChannel, console: Console) -> None:
    number = await chat.send(CONSOLE, "🔴 <b>2.4 s</b>, target &lt; 1 %\n#1")
    assert number == 1
    assert console.printed == FRAMED


async def test_a_reply_says_what_it_answers_and_numbers_go_on(chat: ConsoleChannel, console: Console) -> None:
    first = await chat.send(CONSOLE, "one")
    assert await chat.send(CONSOLE, "two", reply_to=first, loud=False) == 2
    assert "┌ message 2, reply to 1\n" in console.printed


async def test_an_edit_is_one_line_that_says_more_than_that_it_is_a_drill(
    chat: ConsoleChannel, console: Console
) -> None:
    await chat.edit(CONSOLE, 1, "🟠 DRILL\n⚪️ Resolved: <b>Latency</b>\nmore")
    await chat.edit(CONSOLE, 1, "⚪️ over")
    assert console.printed.splitlines() == [
        "  message 1 now reads: 🟠 DRILL · ⚪️ Resolved: Latency",
        "  message 1 now reads: ⚪️ over",
    ]


async def test_the_buttons_it_would_have_are_printed_below(chat: ConsoleChannel, console: Console) -> None:
    rows = ((Button("Acknowledge", "ack"),), (Button("Silence 1 h", "hush"), Button("Silence until resolved", "hush")))
    await chat.send(CONSOLE, "bad", buttons=rows)
    assert console.printed == "┌ message 1\n│ bad\n│ [Acknowledge]\n│ [Silence 1 h] [Silence until resolved]\n└\n"


async def test_a_button_that_opens_a_page_is_printed_with_its_address(chat: ConsoleChannel, console: Console) -> None:
    page = Button("Runbook", url="https://example.org/runbook/#latency")
    await chat.send(CONSOLE, "bad", buttons=((Button("Chart", "chart"), page), (page,)))
    link = f"│ [Runbook] {page.url}\n"
    assert console.printed == f"┌ message 1\n│ bad\n│ [Chart]\n{link}{link}└\n"


@pytest.mark.parametrize("console", ["ascii", "latin-1", "cp1251", "koi8-r"], indirect=True)
async def test_a_console_of_any_encoding_shows_what_it_can(chat: ConsoleChannel, console: Console) -> None:
    await chat.send(CONSOLE, "🔴 Задержка 2.4 s")
    assert "2.4 s" in console.printed
    assert ("Задержка" in console.printed) == (console.stream.encoding in {"cp1251", "koi8-r"})


def closed_pipe() -> io.TextIOWrapper:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", encoding="utf-8")


def closed_stream() -> io.TextIOWrapper:
    stream = closed_pipe()
    stream.close()
    return stream


@pytest.mark.parametrize("console", [closed_pipe, closed_stream, lambda: None])
async def test_a_console_that_nobody_reads_is_a_chat_that_cannot_be_reached(
    console: Callable[[], io.TextIOWrapper | None],
) -> None:
    stream = console()
    with pytest.raises(ChannelError) as error:
        await ConsoleChannel(stream).send(CONSOLE, "words")
    assert error.value.surely_not_sent
    assert not error.value.permanent
    if stream is not None:
        stream.close()  # what was not written does not fail once more


async def test_no_name_in_a_message_colours_the_terminal_or_turns_the_text_around(console: Console) -> None:
    channel = ConsoleChannel(console.stream)
    await channel.send(CONSOLE, "🔴 a\x1b]52;c;ZXZpbA\x07\x1b[31m\u202eb\nc")
    await channel.edit(CONSOLE, 1, "\x1b[2Jd")
    assert "\x1b" not in console.printed
    assert "\u202e" not in console.printed
    assert "│ 🔴 a\\x1b]52;c;ZXZpbA\\x07\\x1b[31m\\u202eb\n│ c\n" in console.printed
