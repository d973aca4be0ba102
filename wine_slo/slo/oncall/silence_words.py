"""The words of a request for a silence, one by one: which mean everything, a reason, or a label."""

import re
from collections.abc import Sequence

from wine_slo.slo.oncall.actions import LONGEST_REASON

ALL = ("all", "everything", "every", "*", "всё", "все", "всего", "всем")
VERBS = (  # what the command says already
    *("silence", "mute", "snooze", "quiet", "please", "pls"),
    *("заглуши", "заглушить", "замолчи", "молчи", "тишина", "выключи", "пожалуйста"),
)
BECAUSE = (
    *(":", "-", "–", "—", "because", "reason", "due", "during", "while", "as", "since"),
    *("потому", "причина", "пока", "из-за", "ввиду"),
)


def bare(word: str) -> str:
    """Return a word as it is compared with ours: small, and without what surrounds it."""
    return word.lower().strip("\"'`“”„«»()[]<>.!?;") or word


def is_all(word: str) -> bool:
    """Return whether a word means everything."""
    return bare(word) in ALL


def is_because(word: str) -> bool:
    """Return whether a reason follows a word."""
    return bare(word) in BECAUSE or set(word) == {":"}


def is_label(word: str) -> bool:
    """Return whether a word can be only a label set, or a value: `/predict`, `endpoint=/predict`, `{code="500"}`."""
    return bare(word).startswith(("/", "{")) or bool(re.match(r"\w+\s*!?=", bare(word)))


def before_reason(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words before the first colon, and the others."""
    stop = next((number for number, each in enumerate(words) if set(each) == {":"}), len(words))
    return words[:stop], words[stop:]


def parted(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words before the first comma or colon, and the others."""
    stop = next((number for number, each in enumerate(words) if each == "," or set(each) == {":"}), len(words))
    return words[:stop], words[stop:]


def trimmed(reason: str) -> str:
    """Return a reason without the sign or the word that separates it, and no longer than may be."""
    return reason.lstrip(" ,:-–—").strip()[:LONGEST_REASON]
