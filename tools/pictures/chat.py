"""A chat as a person sees it: the messages that the fake Telegram was sent, drawn by the browser."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from playwright.async_api import Browser

from tests.support.fakes.telegram_chats import Keyboard, Message
from tools.pictures.images import SHARP, take

WIDTH = 450  # pixels of the page; a phone shows it a little smaller
PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a message replies to, in short."""

    sender: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message as it is at a moment.

    Attributes:
        html: Its text; Telegram's markup is HTML.
        photo: As a `data:` address; empty where there is none.
        rows: The buttons below it: their text, and whether they lead out of Telegram.
    """

    sender: str
    html: Markup
    at: datetime
    is_edited: bool = False
    photo: str = ""
    quote: Quote | None = None
    rows: tuple[tuple[tuple[str, bool], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one picture shows.

    Attributes:
        title: The name of the chat.
        edited: What stands beside the time of a message that was edited.
        bubbles: Its messages, oldest first.
        later: What stands over those of a later moment.
        afterwards: Messages as they are then.
    """

    title: str
    edited: str
    bubbles: list[Bubble]
    later: str = ""
    afterwards: list[Bubble] = field(default_factory=list)


def page_of(conversation: Conversation, theme: str) -> str:
    """Return the page of a chat; the theme is `light` or `dark`."""
    return PAGES.get_template("chat.html").render(chat=conversation, theme=theme)


async def draw(browser: Browser, conversation: Conversation, theme: str, name: str) -> None:
    """Draw a chat."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": 400}, device_scale_factor=SHARP)
    await page.set_content(page_of(conversation, theme))
    await page.evaluate("document.fonts.ready")
    await take(page, name)
    await page.close()


def bubble(message: Message) -> Bubble:
    """Return a message as it is at this moment."""
    replied = message.chat.history.get(message.reply_to) if message.reply_to is not None else None
    source = message.source if message.parse_mode == "HTML" else escape(message.source)
    return Bubble(
        sender=message.sender["first_name"],
        html=Markup(source),
        at=message.sent_at,
        is_edited=bool(message.edits),
        photo=f"data:image/png;base64,{base64.b64encode(message.photo).decode()}" if message.photo else "",
        quote=None if replied is None else Quote(sender=replied.sender["first_name"], text=replied.text),
        rows=_rows(message.keyboard),
    )


def _rows(keyboard: Keyboard) -> tuple[tuple[tuple[str, bool], ...], ...]:
    return tuple(tuple((button.text, button.url is not None) for button in row) for row in keyboard)
