"""Markdown as the reference pages have it."""

from collections.abc import Iterable, Sequence
from html import escape


def code(text: str) -> str:
    """Return a text as code; nothing where it is empty.

    A bar in it is written so that both GitHub and mkdocs take it for no end of a cell, and show it alone.
    """
    if "|" in text:
        return f"<code>{escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`" if text else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what would end a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
