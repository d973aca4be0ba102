"""What an examination of the set-up has found."""

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
