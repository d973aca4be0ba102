"""How much of everything is shown, as machines read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How much of everything is shown.

    Attributes:
        total: All label sets of all objectives.
        by_state: How many of these are judged so.
        matching: How many match what was searched for and chosen; all where nothing was.
        matching_by_state: How many of these are judged so.
        page: Which page of them is shown, from 1.
        pages: How many there are.
        per_page: How many are on each.
    """

    total: int
    by_state: dict[str, int]
    matching: int
    matching_by_state: dict[str, int]
    page: int
    pages: int
    per_page: int
