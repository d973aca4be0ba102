"""Markdown as GitHub reads it and as mkdocs reads it: links, and what the second would show otherwise."""

import re
from collections.abc import Callable, Iterator
from html import escape

LINK = re.compile(r"\[([^]\[]*)\]\((?![a-z]+:|#|/)([^)\s#]+)")  # a relative one, without its anchor
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FENCE = re.compile(r"( *)(```+|~~~+)")
ITEM = re.compile(r"( *)(?:[*+-]|\d+\.) ")
INDENT = 4  # spaces by which mkdocs wants what belongs to an item


def links_replaced(markdown: str, replace: Callable[[str, str], tuple[str, str]]) -> str:
    """Return a page with each of its relative links replaced; those in code stay.

    Args:
        markdown: The page.
        replace: Returns the text and the target of a link in the place of those that it gets.
    """

    def replaced(found: re.Match[str]) -> str:
        text, target = replace(found[1], found[2])
        return f"[{text}]({target}"

    return "\n".join(line if is_code else LINK.sub(replaced, line) for line, is_code in _lines(markdown))


def title_of(markdown: str) -> str:
    """Return the title of a page; empty where it has none."""
    found = TITLE.search(markdown)
    return found[1] if found else ""


def diagram(source: str, _language: str, css_class: str, *_others: object, **_more: object) -> str:
    """Return a diagram of Mermaid as HTML, in a box that a narrow screen can move."""
    return f'<div class="diagram"><pre class="{css_class}"><code>{escape(source)}</code></pre></div>'


def unrendered(markdown: str) -> list[int]:
    """Return the lines, from 1, that mkdocs does not read as GitHub does.

    A fence in an item that is not indented by a multiple of four, and a list that follows a paragraph at once.
    """
    found, before = [], ""
    for number, (line, is_code) in enumerate(_lines(markdown), 1):
        fence, item = FENCE.match(line), ITEM.match(line)
        if fence and len(fence[1]) % INDENT:
            found.append(number)
        if item and not is_code and before.strip() and not ITEM.match(before) and not before.startswith(" "):
            found.append(number)
        before = line
    return found


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it is code or the fence of some."""
    fence = ""
    for line in markdown.split("\n"):
        found = FENCE.match(line)
        if found and not fence:
            fence = found[2]
            yield line, True
        elif found and line.strip() == fence:
            fence = ""
            yield line, True
        else:
            yield line, bool(fence)
