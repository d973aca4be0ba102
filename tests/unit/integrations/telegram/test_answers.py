"""What is let through of an answer of the Bot API."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.integrations.telegram.answers import LONGEST_MEMBER, UnreadableError, parse, reduced, whole

PIECES = ("\\ud83d", "\\ude00", "\\\\", "a", "\\n", "\\uD800", "\\uDFFF", "ud800", "\\u0441", '\\"')


def read(result: Any) -> Any:
    """Return what python-telegram-bot gets to see."""
    return parse(reduced(json.dumps({"ok": True, "result": result}).encode()))["result"]


@pytest.mark.parametrize("result", [True, 5, "text", None, {}, {"message_id": 5, "chat": {"id": 7}}])
def test_what_is_short_is_let_through(result: Any) -> None:
    assert read(result) == result


def test_of_a_message_what_is_long_is_left_out() -> None:
    assert read({"message_id": 5, "text": "x" * LONGEST_MEMBER, "entities": [{}] * LONGEST_MEMBER}) == {"message_id": 5}


def test_of_a_list_the_elements_stay_json() -> None:
    assert read([{"update_id": 1}, 5]) == [b'{"update_id": 1}', b"5"]


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{}", b"[]", b"null", b"<html>", b'{"ok":true}', b'{"ok":false,"result":{}}', b'{"ok":1,"result":{}}'),
        pytest.param(b'{"ok":true,"result":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}", id="lists in lists"),
        pytest.param(b'{"ok":true,"result":"' + b"\\ud800" * 200_000 + b'"}', id="a MiB of half characters"),
    ],
)
def test_anything_else_is_no_answer(payload: bytes) -> None:
    with pytest.raises(UnreadableError):
        reduced(payload)


def test_a_list_of_more_than_updates_can_hold_is_no_answer() -> None:
    with pytest.raises(UnreadableError):
        parse(reduced(b'{"ok":true,"result":[' + b"1," * 600_000 + b"1]}"))


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_half_a_character_is_a_question_mark_and_nothing_else_changes(text: str) -> None:
    wanted = json.loads(f'"{text}"').encode(errors="replace").decode()
    assert json.loads(whole(f'"{text}"'.encode())) == wanted
    assert read(json.loads(f'{{"name": "{text}"}}')) == {"name": wanted}
