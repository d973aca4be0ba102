"""What is wrong with words that say no time, or none that can be acted upon."""

from collections.abc import Iterable, Sequence
from datetime import datetime


class NotUnderstoodError(ValueError):
    """Words that say no span and no moment.

    Attributes:
        word: What was not understood, as it was written; empty where something is missing.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class SlipError(NotUnderstoodError):
    """A word that is nearly another one.

    Attributes:
        near: The other one.
    """

    def __init__(self, word: str, near: str) -> None:
        super().__init__(word)
        self.near = near


class TooLongError(NotUnderstoodError):
    """A span that has no end, or none that can be counted."""


class TooShortError(NotUnderstoodError):
    """A span that is over at once."""


class PastError(NotUnderstoodError):
    """A moment that is over."""


class SeveralEndsError(NotUnderstoodError):
    """Words that say an end, but not surely which: `2`, `10.12`, `at 18:00`.

    Attributes:
        ends: What they may mean, the likeliest first.
        rest: The words after them.
        begins_later: Whether they say when something is to begin.
    """

    def __init__(self, word: str, ends: Iterable[datetime], rest: Sequence[str], *, begins_later: bool = False) -> None:
        super().__init__(word)
        self.ends = tuple(ends)
        self.rest = rest
        self.begins_later = begins_later
