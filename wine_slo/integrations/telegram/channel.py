"""Telegram as a channel: sending and editing, plainer where Telegram refuses a message as it is."""

import logging
from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

from telegram import (
    Bot,
    ChatMemberAdministrator,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
)
from telegram.constants import ChatAction, ChatType, MessageLimit, ParseMode
from telegram.error import TelegramError

from wine_slo.integrations.telegram.addresses import chat_of, topic_of
from wine_slo.integrations.telegram.callback_data import CallbackData
from wine_slo.integrations.telegram.connection import ANSWER, LARGEST_ID
from wine_slo.integrations.telegram.errors import ABOUT_LINK, ABOUT_TOPIC, NO_MESSAGE, NOT_MODIFIED, guarded
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Capabilities, Channel, ChannelError
from wine_slo.slo.chat.messages import Button, Keyboard, Picture
from wine_slo.slo.redaction import redact
from wine_slo.slo.text.formatting import plain

log = logging.getLogger(__name__)


class TelegramChannel(Channel):
    """Send and edit through a bot, and sign what its buttons carry.

    Args:
        bot: The bot.

    Attributes:
        callback_data: Signs what the buttons carry, and reads it.
    """

    capabilities = Capabilities(edit=True, buttons=True, pictures=True, pin=True)

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._limits: dict[str, Any] = {}
        self.callback_data = CallbackData(bot.token)

    @property
    def for_answers(self) -> Self:
        """Return the same channel for messages that wait until every alert is out; the bot is one of `connect`."""
        answers = copy(self)
        answers._limits = {"rate_limit_args": ANSWER}  # noqa: SLF001 - of this class
        return answers

    async def send(
        self, address: Address, text: str, *, reply_to: int | None = None, loud: bool = True, buttons: Keyboard = ()
    ) -> int:
        """Send a message and return its id; plainer where Telegram refuses it, and outside of a topic that it refuses.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        chat, topic = chat_of(address), topic_of(address)
        text = redact(text)

        async def send_as(form: _Form) -> int:
            message = await self._bot.send_message(
                chat,
                text if form.is_html else _clipped(text),
                parse_mode=ParseMode.HTML if form.is_html else None,
                message_thread_id=form.topic,
                reply_parameters=None if form.is_bare or form.topic != topic else _reply(reply_to),
                disable_notification=not loud,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=None if form.is_bare else self._markup(chat, buttons, has_links=form.has_links),
                **self._limits,
            )
            return _id_of(message)

        refusal: ChannelError | None = None
        for form in _forms(topic):
            if form.topic and _is_about(ABOUT_TOPIC, refusal):
                continue
            if form.has_links is _is_about(ABOUT_LINK, refusal) and not form.is_bare:
                continue
            try:
                return await guarded(send_as(form))
            except ChannelError as error:
                if not error.refused:
                    raise
                refusal = error
            where = f"topic {form.topic} of chat {chat}" if form.topic else f"chat {chat}"
            log.warning("%s refuses a message as it is: %s", where, refusal)
        raise ChannelError(str(refusal), permanent=True) from refusal

    async def edit(self, address: Address, message: int, text: str, *, buttons: Keyboard = ()) -> None:
        """Exchange a message's text and buttons; plain, and clipped, where Telegram refuses the markup.

        Raises:
            ChannelError: It was not edited, or perhaps not.
        """
        chat = chat_of(address)
        text = redact(text)

        async def edit_as(words: str, mode: str | None, *, has_links: bool = True) -> None:
            try:
                await self._bot.edit_message_text(
                    words,
                    chat_id=chat,
                    message_id=message,
                    parse_mode=mode,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_markup=self._markup(chat, buttons, has_links=has_links),
                    **self._limits,
                )
            except TelegramError as error:
                if NOT_MODIFIED not in str(error).lower():
                    raise

        try:
            await guarded(edit_as(text, ParseMode.HTML))
        except ChannelError as error:
            if not error.refused:
                raise
            if any(each in str(error).lower() for each in NO_MESSAGE):
                raise ChannelError(str(error), message_gone=True) from error
            is_link = _is_about(ABOUT_LINK, error)
        else:
            return
        plainer = edit_as(text, ParseMode.HTML, has_links=False) if is_link else edit_as(_clipped(text), None)
        try:
            await guarded(plainer)
        except ChannelError as error:
            if not error.refused:
                raise
            raise ChannelError(str(error), message_gone=True) from error

    async def show(self, address: Address, picture: Picture, *, reply_to: int | None = None) -> int:
        """Send a picture, quietly, and return its id; outside of a topic that Telegram refuses.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        chat, topic = chat_of(address), topic_of(address)

        async def show_in(thread: int | None) -> int:
            message = await self._bot.send_photo(
                chat,
                picture.png,
                caption=redact(picture.caption) or None,
                parse_mode=ParseMode.HTML,
                message_thread_id=thread,
                reply_parameters=_reply(reply_to) if thread == topic else None,
                disable_notification=True,
                **self._limits,
            )
            return _id_of(message)

        try:
            return await guarded(show_in(topic))
        except ChannelError as error:
            if topic is None or not error.refused:
                raise
            log.warning("chat %d refuses a picture in topic %d: %s", chat, topic, error)
            return await guarded(show_in(None))

    async def redraw(self, address: Address, message: int, picture: Picture) -> None:
        """Exchange a message's picture and its caption.

        Raises:
            ChannelError: It was not exchanged, or perhaps not.
        """
        media = InputMediaPhoto(picture.png, caption=redact(picture.caption) or None, parse_mode=ParseMode.HTML)

        async def redraw() -> None:
            try:
                await self._bot.edit_message_media(media, chat_id=chat_of(address), message_id=message, **self._limits)
            except TelegramError as error:
                if NOT_MODIFIED not in str(error).lower():
                    raise

        try:
            await guarded(redraw())
        except ChannelError as error:
            if not error.refused:
                raise
            raise ChannelError(str(error), message_gone=True) from error

    async def reach(self, address: Address) -> None:
        """See whether a chat accepts messages, by showing that one is being written; a channel, by the bot's rights.

        Raises:
            ChannelError: It does not, or it is not known.
        """
        chat = chat_of(address)
        try:
            await guarded(self._bot.send_chat_action(chat, ChatAction.TYPING))
        except ChannelError as error:
            if not error.refused:
                raise
            if not await self._may_post(chat):
                raise ChannelError(str(error), permanent=True) from error

    async def _may_post(self, chat: int) -> bool:
        """Return whether a chat is a channel in which the bot may post.

        The Bot API knows nobody who writes in a channel.

        Raises:
            ChannelError: It may not, or that is not known.
        """
        found = await guarded(self._bot.get_chat(chat))
        if found.type != ChatType.CHANNEL:
            return False
        bot_id = int(self._bot.token.partition(":")[0])  # who the bot is need not be known yet
        me = await guarded(self._bot.get_chat_member(chat, bot_id))
        if isinstance(me, ChatMemberAdministrator) and me.can_post_messages:
            return True
        raise ChannelError("The bot may not send messages there", permanent=True)

    async def pin(self, address: Address, message: int) -> None:
        """Pin a message, without a sound.

        Raises:
            ChannelError: It was not pinned, or perhaps not.
        """
        await guarded(self._bot.pin_chat_message(chat_of(address), message, disable_notification=True, **self._limits))

    async def unpin(self, address: Address, message: int) -> None:
        """Unpin a message.

        Raises:
            ChannelError: It is still pinned, or perhaps.
        """
        await guarded(self._bot.unpin_chat_message(chat_of(address), message, **self._limits))

    def _markup(self, chat: int, buttons: Keyboard, *, has_links: bool = True) -> InlineKeyboardMarkup | None:
        rows = [[self._button(chat, each) for each in row if has_links or not each.url] for row in buttons]
        return InlineKeyboardMarkup([row for row in rows if row]) if any(rows) else None

    def _button(self, chat: int, button: Button) -> InlineKeyboardButton:
        if button.url:
            return InlineKeyboardButton(button.label, url=button.url)
        return InlineKeyboardButton(button.label, callback_data=self.callback_data.close(chat, button))


def _id_of(message: Message) -> int:
    """Return the id of a message, which python-telegram-bot takes as it comes; one that is none could not be kept.

    Raises:
        TypeError: It is none.
    """
    number: object = message.message_id
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < LARGEST_ID:
        raise TypeError("no id of a message")
    return number


@dataclass(frozen=True, slots=True)
class _Form:
    """How a message is tried.

    Attributes:
        has_links: With the buttons that open a page.
        is_bare: Without buttons, and as a reply to nothing.
    """

    topic: int | None
    is_html: bool = True
    has_links: bool = True
    is_bare: bool = False


def _forms(topic: int | None) -> Iterator[_Form]:
    """Yield the forms in which a message is tried, each plainer than the one before.

    A topic is left before the buttons.

    Outside of its topic a message is no reply: one that is goes to the topic of what it replies to.
    """
    for place in dict.fromkeys((topic, None)):
        yield _Form(place)
        yield _Form(place, has_links=False)
        yield _Form(place, is_html=False)
    yield _Form(None, is_html=False, is_bare=True)


def _is_about(what: Collection[str], refusal: ChannelError | None) -> bool:
    """Return whether a message was refused for one thing of it."""
    return refusal is not None and any(each in str(refusal).lower() for each in what)


def _reply(message: int | None) -> ReplyParameters | None:
    return ReplyParameters(message, allow_sending_without_reply=True) if message else None


def _clipped(text: str) -> str:
    words = plain(text)
    limit = MessageLimit.MAX_TEXT_LENGTH
    return words if len(words) <= limit else words[: limit - 2] + " …"
