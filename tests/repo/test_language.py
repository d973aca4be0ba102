"""Names, docstrings, comments, messages and documents use the field's standard terms: no private word occurs."""

import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("wine_slo", "tests", "benchmarks", "tools", "docs", "dashboards", "config", "deploy", ".ci")
SUFFIXES = {
    ".py",
    ".md",
    ".ipynb",
    ".json",
    ".po",
    ".yml",
    ".toml",
    ".sh",
    ".service",
    ".html",
    ".css",
    ".js",
    ".jsx",
    ".lua",
    ".txt",
}
FOREIGN = {"package-lock.json", Path(__file__).name}  # others wrote the first; this file has to spell the words out

# What must not be written, as a regular expression without regard to case, and what the field calls it.
STANDARD = {
    "told|tells?|telling|untold": "notify, deliver, report, distinguish",
    "promis(?:e[sd]?|ing)": "objective, target",
    "ask(?:s|ed|ing)?": "request, query",
    "wish(?:e[sd])?": "request",
    "deeds?": "action",
    "hush(?:e[sd])?": "silence",
    "look(?:s|ed|ing)?|lookouts?": "evaluation, collector, see",
    "verdicts?": "judgement",
    "standings?": "subscriber",
    "manners?": "policy",
    "withheld|withh[eo]lds?": "delayed, suppressed",
    "dut(?:y|ies)": "on call",
    "naming": "lookup",
    "notice[sd]?": "notification, detected",
    "hears?|heard|unheard": "receive, notified",
    "beliefs?|believe[sd]?": "delivery record",
    "paces?": "burn rate",
    "unseen": "no data",
    "as fast as[a-z ]* lasts?": "burn rate",
    "nobody has requested": "no requests",
}
FORBIDDEN = re.compile("|".join(rf"(?<![a-z])(?:{each})(?![a-z])" for each in STANDARD), re.IGNORECASE)

# Names that are written in ledgers, scraped or read by users' scripts, so that they stay. No sentence has these.
PERSISTED = {
    "breach_told_at": "a field of the status document and of delivery records in the ledger",
    "looked_at": "a field of the status document, and a fact in the ledger",
    "seconds_since_look": "a field of the status document",
    "untold_seconds": "a field of the status document",
    "watchdog_untold_seconds": "a metric",
}
# These are words too, so that only a field, a quoted text, a table and a column may have them.
PERSISTED_WORDS = {
    "deed": "a field of the actions in the ledger",
    "hush": "the button of messages that are in the chats, and another word for /silence",
    "standings": "a table of the ledger",
    "tell": "the button of messages that are in the chats",
    "told": "a field of the status document, a table and a column of the ledger, and a label value of a metric",
    "verdict": "a field of the status document",
}
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NAMED = re.compile(
    rf"\b({'|'.join(PERSISTED)})\b"
    rf"|(?:(?<=[`\"'.])|(?<=EXISTS )|(?<=INSERT ON )|(?<=NULL, )|^ +|(?<=\\n) +)"
    rf"({'|'.join(PERSISTED_WORDS)})(?=[`\"',:]| \(| TEXT| BEGIN| =| }})",
    re.MULTILINE,
)


class Offence(NamedTuple):
    """A private word.

    Attributes:
        line: Where, from 1.
        word: The word.
    """

    line: int
    word: str


def test_no_private_word_is_used() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{each.line}: {each.word}"
        for path in _files()
        for each in offences(_text(path), is_code=path.suffix == ".py")
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "def tell_all(): ...",
        "class ToldChats: ...",
        "is_TOLD = 1",
        '"""Return what was told."""',
        "x = 1  # is told",
        'raise ValueError("has been told")',
        "def f(told_of): ...",
        "def f(told): ...",
        "told = 1 if told else 2",
    ],
)
def test_a_private_word_is_found_in_code(code: str) -> None:
    assert [each.line for each in offences(code, is_code=True)] == [1]


@pytest.mark.parametrize(
    "code", ["state.looked_at", 'outcome == "told"', "x = 1  # `told` or `failed`", "retold", "lookback", "mask"]
)
def test_a_persisted_name_and_other_words_are_no_offence(code: str) -> None:
    assert list(offences(code, is_code=True)) == []


def test_a_private_word_is_found_in_a_document() -> None:
    assert list(offences("One.\nEvery chat is told.\nThe field `told`.", is_code=False)) == [Offence(2, "told")]


def offences(text: str, *, is_code: bool) -> Iterator[Offence]:
    """Yield the private words of a file."""
    if FORBIDDEN.search(HUMP.sub("_", text)) is None:
        return
    if not is_code:
        yield from _in_text(text, 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and not _is_persisted(token):
            yield from _in_text(HUMP.sub("_", token.string), token.start[0])
        elif token.type in {tokenize.STRING, tokenize.COMMENT}:
            yield from _in_text(token.string, token.start[0])


def _is_persisted(token: tokenize.TokenInfo) -> bool:
    """Return whether a name in code is one that stays: a constant of a metric, or a field that is declared or used."""
    before, after = token.line[: token.start[1]].rstrip(), token.line[token.end[1] :].lstrip()
    is_field = before.endswith(".") or (not before and after.startswith(":")) or (after[:1] == "=" != after[1:2])
    return token.string.lower() in PERSISTED or (token.string in PERSISTED_WORDS and is_field)


def _in_text(text: str, first: int) -> Iterator[Offence]:
    masked = NAMED.sub(lambda found: "-" * len(found[0]), text)
    for found in FORBIDDEN.finditer(masked):
        yield Offence(first + masked.count("\n", 0, found.start()), found[0])


def _text(path: Path) -> str:
    """Return what is written in a file; of a notebook, its cells without what they put out."""
    if path.suffix != ".ipynb":
        return path.read_text()
    return "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])


def _files() -> list[Path]:
    named = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES]
    others = [ROOT / name for name in ("Makefile", "Dockerfile", "Procfile", ".env.example", ".ci/run")]
    beside = [path for path in ROOT.iterdir() if path.suffix in {".md", ".yml"} or path.name == "pyproject.toml"]
    return sorted(path for path in {*named, *others, *beside} if path.name not in FOREIGN)
