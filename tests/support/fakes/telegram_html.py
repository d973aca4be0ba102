"""Telegram's HTML, as strict as Telegram reads it.

Follows `do_parse_html` of tdlib (https://github.com/tdlib/td/blob/master/td/telegram/MessageEntity.cpp) and gives
its own descriptions; offsets count the bytes of UTF-8.
"""

import html
import re

TAGS = frozenset(
    "a b strong i em s strike del u ins tg-spoiler tg-emoji span pre code blockquote".split()  # noqa: SIM905
)

_TOKEN = re.compile(rb"&(?:lt|gt|amp|quot|#[0-9]+|#x[0-9a-fA-F]+);|<")
_NAME = re.compile(rb"[^\s>]*")
_ATTRIBUTE = re.compile(rb"""\s*([^\s=>]+)\s*=\s*("[^"]*"|'[^']*'|[a-zA-Z0-9.-]+(?=[\s>]))""")
_EXPANDABLE = re.compile(rb"\s*expandable(?=[\s>])")
_REST_OF_TAG = re.compile(rb"\s*>")


class MarkupError(ValueError):
    """Telegram could not read it; the text is what Telegram says after "can't parse entities: "."""


def visible_text(markup: str) -> str:
    """Return what a person reads of it.

    Raises:
        MarkupError: a tag is unknown, unclosed, unmatched or badly written.
    """
    text = markup.encode()
    shown = bytearray()
    open_tags: list[str] = []
    at = 0
    while found := _TOKEN.search(text, at):
        shown += text[at : found.start()]
        at = found.end()
        if found.group() != b"<":
            shown += html.unescape(found.group().decode()).encode()
        elif text[at : at + 1] == b"/":
            at = _close(text, at, open_tags)
        else:
            at = _open(text, at, open_tags)
    if open_tags:
        raise MarkupError(f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"')
    return (shown + text[at:]).decode()


def _open(text: bytes, at: int, open_tags: list[str]) -> int:
    """Read a start tag whose name begins at `at`; return where the text goes on."""
    begin = at - 1
    name = _NAME.match(text, at)
    assert name is not None
    at = name.end()
    tag = name.group().decode().lower()
    if at == len(text):
        raise MarkupError(f"Unclosed start tag at byte offset {begin}")
    if tag not in TAGS:
        raise MarkupError(f'Unsupported start tag "{tag}" at byte offset {begin}')
    attributes: dict[str, str] = {}
    while not (rest := _REST_OF_TAG.match(text, at)):
        if attribute := _ATTRIBUTE.match(text, at):
            attributes[attribute.group(1).decode().lower()] = attribute.group(2).decode().strip("\"'")
        elif not (tag == "blockquote" and (attribute := _EXPANDABLE.match(text, at))):
            raise MarkupError(_complaint(text, at, tag, begin))
        at = attribute.end()
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise MarkupError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
    open_tags.append(tag)
    return rest.end()


def _complaint(text: bytes, at: int, tag: str, begin: int) -> str:
    if b">" not in text[at:]:
        return f'Unclosed start tag "{tag}" at byte offset {begin}'
    if text[at:].lstrip().startswith(b"="):
        return f'Empty attribute name in the tag "{tag}" at byte offset {begin}'
    return f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {begin}'


def _close(text: bytes, at: int, open_tags: list[str]) -> int:
    """Read an end tag whose slash is at `at`; return where the text goes on."""
    begin = at - 1
    if not open_tags:
        raise MarkupError(f"Unexpected end tag at byte offset {begin}")
    name = _NAME.match(text, at + 1)
    assert name is not None
    rest = _REST_OF_TAG.match(text, name.end())
    if rest is None:
        raise MarkupError(f"Unclosed end tag at byte offset {begin}")
    expected, found = open_tags.pop(), name.group().decode()
    if found not in {"", expected}:
        raise MarkupError(
            f'Unmatched end tag at byte offset {begin}, expected "</{expected}>", found "</{found}>"',
        )
    return rest.end()
