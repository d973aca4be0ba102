"""Markdown as GitHub reads it, for mkdocs, which reads it otherwise."""

import re
from collections.abc import Callable, Iterator
from html import escape

LINK = re.compile(r"\[([^]\[]*)\]\((?![a-z]+:|#|/)([^)\s#]+)")  # a relative one, without its anchor
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FENCE = re.compile(r"( *)(```+|~~~+)")
ITEM = re.compile(r"( *)([*+-]|\d+\.) +")
LONG_CODE = re.compile(r"<code>([^<\s]{41,})</code>")
JOINT = re.compile(r"(?<!<)(/|::|_)")  # not of a tag
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


def breakable(html: str) -> str:
    """Return a page whose long words of code, such as the path of a test, can be broken at their joints."""
    return LONG_CODE.sub(lambda code: JOINT.sub(lambda joint: f"{joint[0]}<wbr>", code[0]), html)


def for_mkdocs(markdown: str) -> str:
    """Return a page so that mkdocs reads it as GitHub does.

    mkdocs wants what belongs to an item of a list indented by four, and an empty line between a paragraph and a list.
    """
    lines: list[str] = []
    columns: list[int] = []  # where the text of each item begins that is open, outermost first
    was_code = False
    for line, is_code in _lines(markdown):
        if not line.strip():
            lines.append("")
            continue
        indent = len(line) - len(line.lstrip())
        if not (is_code and was_code):
            columns = [each for each in columns if each <= indent]
        item, was_code = None if is_code else ITEM.match(line), is_code
        if item and _interrupts(item, lines[-1] if lines else ""):
            lines.append("")
        shift = INDENT * len(columns) - columns[-1] if columns else 0
        lines.append(" " * max(0, indent + shift) + line.lstrip())
        if item:
            columns.append(len(item[0]))
    return "\n".join(lines)


def _interrupts(item: re.Match[str], before: str) -> bool:
    """Return whether an item is the first of a list that follows a line of a paragraph at once."""
    is_first = item[2] in "*+-" or item[2] == "1."
    return is_first and bool(before.strip()) and not ITEM.match(before) and not before.startswith((" ", "#", "|"))


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
