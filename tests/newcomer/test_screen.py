"""What a terminal shows."""

import pytest

from tests.newcomer.screen import Screen


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("one\r\ntwo\r\n", ["one", "two"]),
        ("\x1b[36m12:00 server |\x1b[0m up\r\n", ["12:00 server | up"]),
        ("50 %\r100 %\r\n", ["100 %"]),
        ("wait\r\x1b[2Kdone\r\n", ["done"]),
        ("a 1\r\nb 1\r\n\x1b[2A\r\x1b[2Ka 2\r\nb 2\r\n", ["a 2", "b 2"]),
        ("\x1b[?25lone\x1b[?25h\r\n", ["one"]),
        ("one\r\n\x1e0\x1ftwo", ["one", "two"]),
    ],
)
def test_a_screen_shows_what_a_person_would_see_however_it_comes(printed: str, shown: list[str]) -> None:
    whole, one_by_one = Screen(), Screen()
    whole.print(printed)
    for each in printed:
        one_by_one.print(each)
    assert whole.since(0) == one_by_one.since(0) == shown
    assert whole.statuses == one_by_one.statuses


def test_the_status_of_each_command_is_kept() -> None:
    screen = Screen()
    screen.print("\x1e0\x1fone\r\n\x1e12\x1f")
    assert screen.statuses == [0, 12]
