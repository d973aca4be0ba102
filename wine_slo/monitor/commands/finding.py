"""What an examination of the set-up has found."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was examined.

    Attributes:
        about: What was examined.
        grade: How it is.
        sentence: What was found.
        remedy: What to do; empty where there is nothing to do.
    """

    about: str
    grade: Grade
    sentence: str
    remedy: str = ""


Findings = AsyncIterator[Finding]


def ok(about: str, sentence: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(about=about, grade=Grade.OK, sentence=sentence)


def warning(about: str, sentence: str, remedy: str) -> Finding:
    """Return that something works, but not as it could."""
    return Finding(about=about, grade=Grade.WARNING, sentence=sentence, remedy=remedy)


def wrong(about: str, sentence: str, remedy: str) -> Finding:
    """Return that something does not work."""
    return Finding(about=about, grade=Grade.WRONG, sentence=sentence, remedy=remedy)
