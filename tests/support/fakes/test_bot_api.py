"""The fake Bot API, driven by the real python-telegram-bot."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters, Update
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes
from telegram.request import HTTPXRequest

from tests.support.fakes.bot_api import KICKED, TOKEN, BotApi, Outcome

ANNA = 7
GROUP = -5
SUPERGROUP = -1001
TOPIC = 30
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)

Say = Callable[[Bot], Awaitable[object]]
Context = ContextTypes.DEFAULT_TYPE


def make_bot(api: BotApi, seconds: float) -> Bot:
    return Bot(TOKEN, base_url=api.base_url, request=HTTPXRequest(read_timeout=seconds, connect_timeout=seconds))


@pytest.fixture
async def bot(bot_api: BotApi) -> AsyncIterator[Bot]:
    bot_api.chat(ANNA)
    async with make_bot(bot_api, seconds=5) as bot:
        yield bot


@pytest.fixture
async def impatient_bot(bot_api: BotApi) -> AsyncIterator[Bot]:
    bot_api.chat(ANNA)
    async with make_bot(bot_api, seconds=0.3) as bot:
        yield bot


def keyboard(data: str = "ack:1") -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup.from_button(InlineKeyboardButton("Acknowledge", callback_data=data))


# What a chat shows


async def test_a_message_is_seen_as_people_read_it(bot_api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANNA, "<b>p95</b> 2 s &gt; 1 s", "HTML", disable_notification=True, reply_markup=keyboard())

    (message,) = bot_api.chat(ANNA).messages

    assert message.text == "p95 2 s > 1 s"
    assert message.source == "<b>p95</b> 2 s &gt; 1 s"
    assert (message.parse_mode, message.is_silent, message.buttons) == ("HTML", True, ["Acknowledge"])


async def test_an_edit_keeps_what_it_said_before(bot_api: BotApi, bot: Bot) -> None:
    sent = await bot.send_message(ANNA, "bad", reply_markup=keyboard())

    await bot.edit_message_text("worse", ANNA, sent.message_id, reply_markup=keyboard())
    await bot.edit_message_reply_markup(ANNA, sent.message_id)

    (message,) = bot_api.chat(ANNA).messages
    assert [version.text for version in message.versions] == ["bad", "worse"]
    assert message.buttons == []


async def test_a_reply_a_photo_a_pin_and_a_deletion(bot_api: BotApi, bot: Bot) -> None:
    first = await bot.send_message(ANNA, "breach")
    photo = await bot.send_photo(ANNA, PNG, caption="p95", reply_parameters=ReplyParameters(first.message_id))
    await bot.pin_chat_message(ANNA, first.message_id)
    await bot.pin_chat_message(ANNA, photo.message_id)
    await bot.unpin_chat_message(ANNA, photo.message_id)
    chat = bot_api.chat(ANNA)

    assert chat.messages[1].reply_to == first.message_id
    assert chat.messages[1].photo == PNG
    assert chat.pinned == [first.message_id]

    await bot.delete_message(ANNA, first.message_id)

    assert chat.texts == ["p95"]


async def test_what_else_a_bot_requests(bot_api: BotApi, bot: Bot) -> None:
    bot_api.chat(SUPERGROUP, topics=[TOPIC]).members[ANNA] = "left"

    await bot.set_my_commands([BotCommand("status", "How it is")])
    await bot.send_chat_action(SUPERGROUP, "typing")
    await bot.send_message(SUPERGROUP, "in a topic", message_thread_id=TOPIC)

    assert bot_api.commands == {"": {"status": "How it is"}}
    assert (await bot.get_chat(SUPERGROUP)).is_forum
    assert (await bot.get_chat(ANNA)).type == "private"
    assert (await bot.get_chat_member(SUPERGROUP, bot.id)).status == "member"
    assert (await bot.get_chat_member(SUPERGROUP, ANNA)).status == "left"
    assert bot_api.chat(SUPERGROUP).messages[0].topic == TOPIC


# What Telegram refuses


@pytest.mark.parametrize(
    ("say", "description"),
    [
        pytest.param(lambda bot: bot.send_message(ANNA, "x" * 4097), "Message is too long", id="4,097 characters"),
        pytest.param(lambda bot: bot.send_message(ANNA, " \n"), "Message text is empty", id="only white space"),
        pytest.param(lambda bot: bot.send_message(ANNA, "<b></b>", "HTML"), "Message text is empty", id="only markup"),
        pytest.param(
            lambda bot: bot.send_photo(ANNA, PNG, caption="x" * 1025), "Message caption is too long", id="caption"
        ),
        pytest.param(lambda bot: bot.send_photo(ANNA, b"not a picture"), "Image_process_failed", id="no picture"),
        pytest.param(
            lambda bot: bot.send_message(ANNA, "x", reply_markup=keyboard("x" * 65)),
            "Button_data_invalid",
            id="65 bytes in a button",
        ),
        pytest.param(
            lambda bot: bot.send_message(
                ANNA, "x", reply_markup=InlineKeyboardMarkup.from_button(InlineKeyboardButton("A", "http://localhost/"))
            ),
            "Inline keyboard button url 'http://localhost/' is invalid: wrong http url",
            id="a link to a host without a dot",
        ),
        pytest.param(lambda bot: bot.send_message(8, "x"), "Chat not found", id="a chat nobody named"),
        pytest.param(
            lambda bot: bot.send_message(ANNA, "x", message_thread_id=3), "Message thread not found", id="no such topic"
        ),
        pytest.param(
            lambda bot: bot.edit_message_text("x", ANNA, 99), "Message to edit not found", id="edit of nothing"
        ),
        pytest.param(
            lambda bot: bot.send_message(ANNA, "x", reply_to_message_id=99),
            "Message to be replied not found",
            id="reply to nothing",
        ),
        pytest.param(lambda bot: bot.delete_message(ANNA, 99), "Message to delete not found", id="deletion of nothing"),
        pytest.param(lambda bot: bot.pin_chat_message(ANNA, 99), "Message to pin not found", id="pin of nothing"),
        pytest.param(lambda bot: bot.unpin_chat_message(ANNA), "Message to unpin not found", id="no pin to take off"),
        pytest.param(
            lambda bot: bot.answer_callback_query("99"),
            "Query is too old and response timeout expired or query id is invalid",
            id="a query that never was",
        ),
        pytest.param(
            lambda bot: bot.set_my_commands([("Status", "How it is")]), "Bot_command_invalid", id="capital in a command"
        ),
    ],
)
async def test_a_bad_request_is_refused_in_telegrams_words(bot: Bot, say: Say, description: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        await say(bot)
    assert refusal.value.message == description


async def test_the_limit_of_a_text_is_counted_after_entities(bot_api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANNA, "<b>" + "&lt;" * 4096 + "</b>", "HTML")

    assert bot_api.chat(ANNA).texts == ["<" * 4096]


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot) -> None:
    sent = await bot.send_message(ANNA, "same", reply_markup=keyboard())
    with pytest.raises(BadRequest, match=r"^Message is not modified: specified new message content"):
        await bot.edit_message_text("same", ANNA, sent.message_id, reply_markup=keyboard())


async def test_what_people_said_cannot_be_edited(bot_api: BotApi, bot: Bot) -> None:
    said = await bot_api.says(ANNA, ANNA, "hello")
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", ANNA, said.id)


async def test_a_photo_has_no_text_to_edit(bot: Bot) -> None:
    photo = await bot.send_photo(ANNA, PNG)
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("x", ANNA, photo.message_id)


async def test_a_reply_to_nothing_is_sent_where_that_is_allowed(bot_api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANNA, "x", reply_to_message_id=99, allow_sending_without_reply=True)

    assert bot_api.chat(ANNA).messages[0].reply_to is None


async def test_a_wrong_token_is_unauthorized(bot_api: BotApi) -> None:
    async with HTTPXRequest() as request:
        with pytest.raises(InvalidToken):
            await Bot("1:WRONG", base_url=bot_api.base_url, request=request).get_me()

    assert bot_api.calls[0].refusal == "Unauthorized"


async def test_a_method_it_does_not_have_is_not_found(bot: Bot) -> None:
    with pytest.raises(InvalidToken, match="Not Found"):
        await bot.send_dice(ANNA)


async def test_two_pollers_of_one_token_are_in_conflict(bot_api: BotApi, bot: Bot) -> None:
    async with make_bot(bot_api, seconds=5) as other, asyncio.TaskGroup() as group:
        first = group.create_task(_conflict_of(bot.get_updates(timeout=5)))
        await bot_api.until(lambda: bot_api.calls_of("getUpdates"))
        await other.get_updates(timeout=0)
    assert first.result().startswith("Conflict: terminated by other getUpdates request")


async def _conflict_of(polling: Awaitable[object]) -> str:
    with pytest.raises(Conflict) as conflict:
        await polling
    return conflict.value.message


# Bad days


@pytest.mark.parametrize(
    ("status", "description", "error"),
    [
        pytest.param(429, None, RetryAfter, id="429"),
        pytest.param(500, None, NetworkError, id="500"),
        pytest.param(502, None, NetworkError, id="502 with a page of HTML"),
        pytest.param(403, None, Forbidden, id="blocked"),
        pytest.param(403, KICKED, Forbidden, id="kicked"),
        pytest.param(400, None, BadRequest, id="chat not found"),
    ],
)
async def test_it_refuses_as_many_calls_as_wanted(
    bot_api: BotApi, bot: Bot, status: int, description: str | None, error: type[Exception]
) -> None:
    bot_api.fails_with(status, description, times=2)

    for _ in range(2):
        with pytest.raises(error):
            await bot.send_message(ANNA, "lost")
    await bot.send_message(ANNA, "told")

    assert bot_api.chat(ANNA).texts == ["told"]


async def test_a_429_says_how_long_to_wait(bot_api: BotApi, bot: Bot) -> None:
    bot_api.fails_with(429, retry_after=35)
    with pytest.raises(RetryAfter, match="Retry in 35 seconds"):
        await bot.send_message(ANNA, "x")


async def test_a_fault_can_be_one_chats_and_one_methods_alone(bot_api: BotApi, bot: Bot) -> None:
    bot_api.chat(GROUP)
    bot_api.fails_with(500, chat=GROUP, methods=["sendMessage"])

    await bot.send_message(ANNA, "here")
    await bot.send_chat_action(GROUP, "typing")
    with pytest.raises(NetworkError):
        await bot.send_message(GROUP, "there")

    bot_api.recovers()
    await bot.send_message(GROUP, "there")


async def test_a_group_that_became_a_supergroup_names_its_new_id(bot_api: BotApi, bot: Bot) -> None:
    bot_api.chat(GROUP)
    bot_api.migrates(GROUP, SUPERGROUP)

    with pytest.raises(ChatMigrated) as migrated:
        await bot.send_message(GROUP, "x")
    await bot.send_message(migrated.value.new_chat_id, "x")

    assert bot_api.chat(SUPERGROUP).texts == ["x"]


async def test_a_closed_port_refuses_and_opens_again(bot_api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANNA, "before")
    await bot_api.refuses_connections()
    with pytest.raises(NetworkError, match="ConnectError"):
        await bot.send_message(ANNA, "meanwhile")
    await bot_api.accepts_connections()
    await bot.send_message(ANNA, "after")

    assert bot_api.chat(ANNA).texts == ["before", "after"]


@pytest.mark.parametrize(
    ("spoil", "error", "outcome"),
    [
        pytest.param(BotApi.hangs, TimedOut, Outcome.HANGS, id="hangs"),
        pytest.param(BotApi.does_then_hangs, TimedOut, Outcome.DONE_THEN_HANGS, id="does it, then hangs"),
        pytest.param(BotApi.does_then_resets, NetworkError, Outcome.DONE_THEN_RESET, id="does it, then resets"),
        pytest.param(lambda api: api.answers_late(5), TimedOut, Outcome.DONE_LATE, id="too late"),
    ],
)
async def test_without_an_answer_it_may_have_been_done(
    bot_api: BotApi, impatient_bot: Bot, spoil: Callable[[BotApi], None], error: type[Exception], outcome: Outcome
) -> None:
    spoil(bot_api)

    with pytest.raises(error):
        await impatient_bot.send_message(ANNA, "x")

    assert bot_api.chat(ANNA).texts == ([] if outcome is Outcome.HANGS else ["x"])
    assert bot_api.calls_of("sendMessage")[0].outcome is outcome


async def test_a_slow_answer_is_an_answer(bot_api: BotApi, bot: Bot) -> None:
    bot_api.answers_late(0.1)
    sent = await bot.send_message(ANNA, "x")
    assert sent.text == "x"


# What people do


async def test_an_update_stays_until_it_is_confirmed(bot_api: BotApi, bot: Bot) -> None:
    for text in ("one", "two", "three"):
        await bot_api.says(ANNA, ANNA, text)

    first, *_ = await bot.get_updates(limit=1)
    rest = await bot.get_updates(offset=first.update_id + 1)
    (newest,) = await bot.get_updates(offset=-1)

    assert [update.message.text for update in (first, *rest, newest) if update.message] == [
        "one",
        "two",
        "three",
        "three",
    ]


async def test_a_poll_without_news_comes_back_empty(bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == ()


async def test_an_application_receives_commands_topics_and_buttons(bot_api: BotApi) -> None:
    bot_api.names[ANNA] = "Anna"
    bot_api.chat(SUPERGROUP, topics=[TOPIC])
    application = _greeter(bot_api)
    async with application:
        await application.start()
        assert application.updater
        await application.updater.start_polling()

        await bot_api.says(SUPERGROUP, ANNA, "/status now", topic=TOPIC)
        await bot_api.until(lambda: bot_api.chat(SUPERGROUP).messages)
        greeting = bot_api.chat(SUPERGROUP).messages[0]
        query = await bot_api.press(greeting, "Acknowledge", user_id=ANNA)
        await bot_api.until(lambda: query in bot_api.answers)

        await application.updater.stop()
        await application.stop()

    assert (greeting.text, greeting.topic) == ("Hello Anna: now", TOPIC)
    assert bot_api.answers[query] == "Thanks, Anna (ack:1)"


def _greeter(api: BotApi) -> Application[Any, Any, Any, Any, Any, Any]:
    async def greet(update: Update, context: Context) -> None:
        assert update.effective_message
        assert update.effective_user
        words = " ".join(context.args or [])
        await update.effective_message.reply_text(
            f"Hello {update.effective_user.first_name}: {words}", reply_markup=keyboard()
        )

    async def thank(update: Update, _: Context) -> None:
        query = update.callback_query
        assert query
        await query.answer(f"Thanks, {query.from_user.first_name} ({query.data})")

    application = Application.builder().token(TOKEN).base_url(api.base_url).job_queue(None).build()
    application.add_handler(CommandHandler("status", greet))
    application.add_handler(CallbackQueryHandler(thank))
    return application


async def test_json_bodies_are_read_too(bot_api: BotApi) -> None:
    bot_api.chat(ANNA)
    async with aiohttp.ClientSession() as session:
        body = {"chat_id": ANNA, "text": "x", "disable_notification": True}
        async with session.post(f"{bot_api.base_url}{TOKEN}/sendMessage", json=body) as response:
            assert (await response.json())["ok"]
    assert bot_api.chat(ANNA).messages[0].is_silent


async def test_waiting_in_vain_says_what_was_seen(bot_api: BotApi, bot: Bot) -> None:
    await bot.send_message(ANNA, "something else")
    with pytest.raises(AssertionError, match=r"(?s)seen:.*something else.*sendMessage done"):
        await bot_api.until(lambda: False, seconds=0.05)
