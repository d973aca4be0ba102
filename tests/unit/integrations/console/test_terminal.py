"""What the commands print in a terminal."""

import pytest

from wine_slo.integrations.console.terminal import Line, Terminal

NAME = "a\x1b]0;title\x07\x1b[31m\u202eb"


def test_no_name_colours_the_terminal_or_turns_the_text_around(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.line(f"{NAME}\nnext")
    terminal.table(("", "objective"), [Line("good", ("met", NAME))])
    printed = capsys.readouterr().out
    assert not set(printed) & {"\x1b", "\x07", "\u202e"}
    assert printed.count(r"a\x1b]0;title\x07\x1b[31m\u202eb") == 2
    assert "\nnext\n" in printed
