"""A document is followed in a real terminal; what it says wrongly, and what it leaves running, is found."""

from pathlib import Path

import pytest

from tests.newcomer.__main__ import Patience, Walk, running_in
from tests.newcomer.terminal import TerminalError

SHORT = Patience(ends=20, prints=1, settles=0.2, ends_by_itself=0.5)
RIGHT = """\
<!-- newcomer: goes on -->
```sh
mkdir shop && cd shop
echo "It runs: 12:00, 3 s."; tail -f /dev/null
```
```text
It runs: 13:30, 4 s.
```
<!-- newcomer: terminal 2 -->
```sh
basename "$PWD"   # the folder of the first
cat >a.txt <<'EOF'
one
EOF
cat a.txt; printf 'no end'
```
```text
shop
one
no end
```
<!-- newcomer: exits with 3 -->
```sh
(exit 3)
```
<!-- newcomer: terminal 1; Ctrl-C; goes on -->
```sh
echo again; tail -f /dev/null
```
"""


def follow(text: str, home: Path) -> list[str]:
    """Follow a document, and return what was left running."""
    walk = Walk("shop.md", text, home, SHORT)
    try:
        walk.follow()
    finally:
        left = walk.close()
    return left


def test_a_document_that_is_right_is_followed_to_its_end(tmp_path: Path) -> None:
    assert follow(RIGHT, tmp_path) == []
    assert list(running_in(tmp_path)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        pytest.param(
            "It runs: 13:30", "It walks: 13:30", "shop.md:6: this is not what one sees: 'It walks", id="a log"
        ),
        pytest.param("\none\nno end", "\ntwo\nno end", "shop.md:17: this is not what one sees: 'two'", id="an output"),
        pytest.param("\nno end\n```", "\n```", "more is printed than the document says:\nno end", id="more"),
        pytest.param("(exit 3)", "(exit 4)", "'(exit 4)' ended with 4", id="another status"),
        pytest.param("again; tail -f /dev/null", "again", "has ended in terminal 1", id="what goes on ends"),
        pytest.param("terminal 1; Ctrl-C;", "terminal 1;", "where a newcomer can type nothing", id="no Ctrl-C"),
    ],
)
def test_a_difference_is_found_with_its_place(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    assert RIGHT.count(right) == 1
    with pytest.raises(TerminalError) as found:
        follow(RIGHT.replace(right, wrong), tmp_path)
    assert says in str(found.value)
    assert list(running_in(tmp_path)) == []


def test_what_a_document_leaves_running_is_found_and_ended(tmp_path: Path) -> None:
    left = follow("```sh\nsetsid tail -f /dev/null &\n```\n", tmp_path)
    assert left == ["tail -f /dev/null"]
    assert list(running_in(tmp_path)) == []
