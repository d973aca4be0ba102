"""Telegram's HTML: what it reads and the words in which it refuses."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes.telegram_html import MarkupError, visible_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        pytest.param("a <b>bold <i>and</i></b> word", "a bold and word", id="nested"),
        pytest.param("&lt;1 s &amp; &quot;so&quot; &#128308;", '<1 s & "so" 🔴', id="entities"),
        pytest.param("&nbsp; & &unknown;", "&nbsp; & &unknown;", id="what is no entity of Telegram's stays"),
        pytest.param('<a href="https://x.example/?a=1&amp;b=2">link</a>', "link", id="link"),
        pytest.param('<span class="tg-spoiler">end</span>', "end", id="spoiler"),
        pytest.param("<blockquote expandable>long</blockquote>", "long", id="quote"),
        pytest.param("<B>x</>", "x", id="capitals, and an end tag without a name"),
        pytest.param("2 > 1", "2 > 1", id="a lone greater-than"),
    ],
)
def test_it_reads_what_telegram_reads(markup: str, text: str) -> None:
    assert visible_text(markup) == text


@pytest.mark.parametrize(
    ("markup", "description"),
    [
        ("p95 <1 s", 'Unsupported start tag "1" at byte offset 4'),
        ("é <div>", 'Unsupported start tag "div" at byte offset 3'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ('<a href="x', 'Unclosed start tag "a" at byte offset 0'),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ("<a =x>x</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
    ],
)
def test_it_refuses_what_telegram_refuses(markup: str, description: str) -> None:
    with pytest.raises(MarkupError) as refusal:
        visible_text(markup)
    assert str(refusal.value) == description


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_escaped_is_always_read_back(text: str) -> None:
    assert visible_text(html.escape(text).replace("&#x27;", "&#39;")) == text
