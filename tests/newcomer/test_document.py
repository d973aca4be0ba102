"""What a document has its reader do, and where it cannot be followed."""

import pytest

from tests.newcomer.document import (
    DocumentError,
    Interrupts,
    LeavesOut,
    Sees,
    Step,
    Turns,
    Types,
    Waits,
    commands,
    steps,
)

DOCUMENT = """\
# Title

<!-- newcomer: goes on -->
```sh
cd shop   # a comment stays with its command
# one alone does not
make up
```
```text
It runs.
```

<!-- newcomer: terminal 2; waits 40 s: half a minute -->
1. In a list:

   ```sh
   cat >a.txt <<'EOF'
   one
     two
   EOF
   grep -c \\
     o a.txt
   ```

<!-- newcomer: not typed: needs Docker -->
```sh
docker compose up
```
```yaml
job: shop
```
<!-- newcomer: exits with 2 -->
```sh
false
```
<!-- newcomer: terminal 1; Ctrl-C; has typed: sleep 9 -->
"""


def test_a_document_is_followed_in_its_order() -> None:
    assert steps(DOCUMENT) == [
        Types(line=4, commands=("cd shop   # a comment stays with its command", "make up"), goes_on=True),
        Sees(line=9, lines=("It runs.",)),
        Turns(line=13, terminal="2"),
        Waits(line=13, seconds=40),
        Types(line=16, commands=("cat >a.txt <<'EOF'\none\n  two\nEOF", "grep -c \\\n  o a.txt")),
        LeavesOut(line=26, reason="needs Docker"),
        Types(line=33, commands=("false",), status=2),
        Turns(line=36, terminal="1"),
        Interrupts(line=36),
        Types(line=36, commands=("sleep 9",), goes_on=True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("```\nls\n```", id="a block of no language"),
        pytest.param("```sh\nls", id="a block without an end"),
        pytest.param("```sh\ncat <<EOF\nls\n```", id="a here-document without an end"),
        pytest.param("<!-- newcomer: not typed -->\n```sh\nls\n```", id="no reason"),
        pytest.param("<!-- newcomer: waits 4 s -->", id="no reason to wait"),
        pytest.param("<!-- newcomer: is patient -->", id="no directive"),
        pytest.param("<!-- newcomer: goes on -->\n```text\nIt runs.\n```", id="a directive of what is not typed"),
        pytest.param("```sh\nls\n```\n<!-- newcomer: goes on -->", id="a directive of nothing"),
        pytest.param("```text\nIt runs.\n```", id="what is seen before anything is typed"),
    ],
)
def test_what_nobody_could_follow_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        steps(text)


def test_a_comment_and_a_blank_line_are_not_typed() -> None:
    assert list(commands(["# one", "", "two"])) == ["two"]


def test_every_kind_of_step_says_its_line() -> None:
    every: tuple[type[Step], ...] = (Types, Sees, Turns, Interrupts, Waits, LeavesOut)
    assert {type(each) for each in steps(DOCUMENT)} == set(every)
