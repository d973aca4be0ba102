"""What is let through of an answer of the Bot API, so that no answer can hold up the event loop.

python-telegram-bot trusts whatever comes and makes an object of each thing in it, which takes seconds for some MiB of
lists in lists. So an answer is bounded in bytes before it is read (see `connection`). Then msgspec passes over what is
in it without making anything of that: of an object only short members are handed on, of a list the elements as text.
"""

import json
import re
from http import HTTPStatus
from typing import Any

import msgspec

MAX_UPDATES_BYTES = 4 * 2**20  # fifty updates of the longest texts, each a reply to such a one, are 3 MiB
MAX_BYTES = 2**17  # of any other answer; a message of the longest text, in reply to such a one, is 90 KiB
MOST_COMMAS = 500_000  # in a list; the texts of fifty updates that are nothing else have 410,000
LONGEST_MEMBER = 4096  # bytes; what is longer is text, or what a message is a reply to, and we read neither
MOST_MENDED = 2**20  # bytes in which half characters are searched for; Telegram sends none
# Half of a character that has two, as JSON escapes it: a first that no second follows, or a second after no first.
HALF = re.compile(
    rb"\\u[dD](?:"
    rb"[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|"
    rb"(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)


class UnreadableError(Exception):
    """What came is no answer of a Bot API."""


class Answer(msgspec.Struct):
    """What an answer is in."""

    ok: bool
    result: msgspec.Raw


class Listed(msgspec.Struct):
    """The same, where that is a list."""

    result: list[msgspec.Raw]


ANSWER = msgspec.json.Decoder(Answer)
LISTED = msgspec.json.Decoder(Listed)
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_success(code: int) -> bool:
    """Return whether a status says that it was done."""
    return HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES


def reduced(payload: bytes) -> bytes:
    """Return the answer that something was done, without what we do not read.

    Raises:
        UnreadableError: it is none.
    """
    try:
        try:
            answer = ANSWER.decode(payload)
        except msgspec.DecodeError:
            payload = whole(payload)
            answer = ANSWER.decode(payload)
        if not answer.ok:
            raise UnreadableError
        is_list = starts_with(b"[", answer.result)
        if (is_list and payload.count(b",") > MOST_COMMAS) or (not is_list and len(payload) > MAX_BYTES):
            raise UnreadableError
        if not starts_with(b"{", answer.result):
            return payload
        members = MEMBERS.decode(answer.result)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise UnreadableError from error
    short = {name: value for name, value in members.items() if memoryview(value).nbytes <= LONGEST_MEMBER}
    return msgspec.json.encode({"ok": True, "result": short})


def parse(payload: bytes) -> dict[str, Any]:
    """Return an answer that was reduced, or a refusal; what is in a list stays text."""
    try:
        return {"result": [bytes(each) for each in LISTED.decode(payload).result]}
    except msgspec.DecodeError:  # it is no list
        answer: dict[str, Any] = json.loads(payload)
        return answer


def starts_with(bracket: bytes, raw: msgspec.Raw) -> bool:
    """Return whether JSON is an object, or a list."""
    return bytes(memoryview(raw)[:1]) == bracket


def whole(text: bytes) -> bytes:
    """Return JSON with question marks for halves of characters, which UTF-8 cannot hold.

    They would fail wherever they are kept or shown.
    """
    if len(text) > MOST_MENDED:
        return text
    return HALF.sub(b"?", text.replace(rb"\\", rb"\u005c"))  # so that each backslash begins an escape
