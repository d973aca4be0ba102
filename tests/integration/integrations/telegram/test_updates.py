"""The loop that reads Telegram's updates: odd answers, numbers that begin anew, and what is received live."""

import asyncio
import gzip
import json
from datetime import UTC, timedelta

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import ANNA, BORIS, GROUP, Talk, among
from tests.support.scene import ALL
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.slo.chat.messages import Answer, Button, Command, Press, Question, Reaction
from wine_slo.slo.text.formatting import Formatter

UPDATES = ["getUpdates"]
DEEP = "[" * 100_000 + "]" * 100_000
BOMB = gzip.compress(b'{"ok": true, "result": ["' + b"x" * 100_000_000 + b'"]}')
ODD: dict[str, str | bytes] = {
    "an empty object": "{}",
    "a list": "[]",
    "null": "null",
    "a text": '"x"',
    "nothing": "",
    "a page": "<html>Log in</html>",
    "deep nesting": DEEP,
    "deep nesting in the result": f'{{"ok": true, "result": {DEEP}}}',
    "ok without a result": '{"ok": true}',
    "a result that is no list": '{"ok": true, "result": {}}',
    "a result that is true": '{"ok": true, "result": true}',
    "a number of 10,000 digits": f'{{"ok": true, "result": [{{"update_id": {"9" * 10_000}}}]}}',
    "no UTF-8": b'{"ok": true, "result": "\xff\xfe"}',
    "4 MB and more": json.dumps({"ok": True, "result": ["x" * 5 * 2**20]}),
    "updates without numbers": '{"ok": true, "result": [{}, 1, null, {"update_id": null}, {"update_id": true}]}',
    "a number beyond all": f'{{"ok": true, "result": [{{"update_id": {2**63}}}]}}',
}


async def hello(_: Question) -> Answer:
    return Answer("hello")


HELLO = Command("hello", "Says hello", hello)


@pytest.fixture
def talk(bot_api: BotApi) -> Talk:
    for chat in (ANNA, GROUP):
        bot_api.chat(chat)
    return Talk(bot_api, Formatter(ALL, UTC), among())


@pytest.mark.parametrize("what", ODD)
async def test_an_odd_answer_is_a_try_that_failed(talk: Talk, what: str) -> None:
    talk.api.answers_with(200, ODD[what], methods=UPDATES, times=1)
    async with talk.listening(HELLO):
        await talk.api.until(lambda: len(talk.api.calls_of("getUpdates")) > 1)
        assert (await talk.sends(ANNA, ANNA, "/hello")).text == "hello"
    assert talk.listens[0] is False


async def test_an_answer_that_unpacks_to_very_much_is_not_unpacked(talk: Talk) -> None:
    talk.api.answers_with(200, BOMB, {"Content-Encoding": "gzip"}, methods=UPDATES, times=1)
    async with talk.listening(HELLO):
        await talk.api.until(lambda: len(talk.api.calls_of("getUpdates")) > 1)
    assert talk.listens[0] is False


async def test_after_odd_answers_updates_are_requested_less_and_less_often(talk: Talk) -> None:
    talk.api.answers_with(200, "{}", methods=UPDATES)
    async with talk.listening(HELLO):
        await asyncio.sleep(2.5)
    assert 2 <= len(talk.api.calls_of("getUpdates")) <= 3


async def test_numbers_that_begin_anew_are_followed(talk: Talk) -> None:
    talk.api.numbers_updates_from(900_000)
    async with talk.listening(HELLO):
        await talk.sends(ANNA, ANNA, "/hello")
        talk.api.numbers_updates_from(5)
        await talk.sends(ANNA, ANNA, "/hello")
        await talk.sends(ANNA, ANNA, "/hello")
        polls = len(talk.api.calls_of("getUpdates"))
        await asyncio.sleep(0.5)  # so long a poll that spins would have been seen to
    assert len(talk.api.calls_of("getUpdates")) <= polls + 1
    assert talk.api.chat(ANNA).texts == ["hello"] * 3


async def test_updates_that_come_again_are_answered_once_and_requested_with_a_pause(talk: Talk) -> None:
    async with talk.listening(HELLO):
        await talk.sends(ANNA, ANNA, "/hello")
        again = {"update_id": 7, "message": {"message_id": 1, "date": 0, "chat": {"id": ANNA}, "text": "/hello"}}
        again["message"]["date"] = int(talk.clock().timestamp())  # type: ignore[index]
        talk.api.answers_with(200, json.dumps({"ok": True, "result": [again]}), methods=UPDATES)
        await talk.api.says(GROUP, ANNA, "nothing, so that the running poll ends")
        await asyncio.sleep(2)
    assert talk.api.chat(ANNA).texts.count("hello") == 2
    assert len(talk.api.calls_of("getUpdates")) < 8


async def test_the_first_press_after_a_restart_is_live_when_it_is_received_live(talk: Talk) -> None:
    pressed: list[Press] = []

    async def offer(_: Question) -> Answer:
        return Answer("Choose", buttons=((Button("Do it", "do"),),))

    async def note(press: Press) -> Answer:
        pressed.append(press)
        return Answer(toast="done")

    async with talk.listening(Command("offer", "Offers", offer), Reaction("do", note)):
        message = await talk.sends(ANNA, ANNA, "/offer")
    talk.listened_at = talk.clock() - timedelta(hours=3)
    while_away = await talk.api.press(message, "Do it")
    async with talk.listening(Reaction("do", note)):
        await talk.is_handled()
        live = await talk.api.press(message, "Do it")
        await talk.api.until(lambda: live in talk.api.answers)
    assert talk.api.answers[while_away].startswith("This was sent while the bot was offline")
    assert talk.api.answers[live] == "done"
    assert pressed[0].pressed_at is not None


ACTIVE = {
    "a message": ("message", {"message_id": 1, "chat": {"id": GROUP}, "text": "hm"}),
    "a post in a channel": ("channel_post", {"message_id": 1, "chat": {"id": GROUP}}),
    "the bot is let in": (
        "my_chat_member", {"chat": {"id": GROUP}, "new_chat_member": {"status": "member"}}
    ),
    "the bot may write": (
        "my_chat_member", {"chat": {"id": GROUP}, "new_chat_member": {"status": "administrator"}}
    ),
}  # fmt: skip
THROWN_OUT = ("my_chat_member", {"chat": {"id": BORIS}, "new_chat_member": {"status": "kicked"}})


@pytest.mark.parametrize("what", ACTIVE)
async def test_any_update_from_a_chat_shows_that_it_is_open(talk: Talk, what: str) -> None:
    async with talk.listening(HELLO):
        await talk.api.sends_update(*THROWN_OUT)
        await talk.api.sends_update(*ACTIVE[what])
        await talk.is_handled()
    assert talk.active_chat == [address_of(GROUP)]
    requested = talk.api.calls_of("getUpdates")[-1].json("allowed_updates")
    assert requested == ["message", "callback_query", "channel_post", "my_chat_member"]


@pytest.mark.parametrize("has_webhook", [False, True], ids=["another program", "a webhook"])
async def test_whoever_has_the_updates_instead_is_named(
    talk: Talk, caplog: pytest.LogCaptureFixture, *, has_webhook: bool
) -> None:
    webhook = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first"
    talk.api.fails_with(409, webhook if has_webhook else None, methods=UPDATES)
    async with talk.listening(HELLO):
        async with asyncio.timeout(30):
            assert await talk.conflicts.get() is has_webhook
    assert ("go to a webhook" in caplog.text) == has_webhook


async def test_a_command_received_live_is_answered_whatever_telegrams_clock_says(talk: Talk) -> None:
    async with talk.listening(HELLO):
        await talk.sends(ANNA, ANNA, "/hello")
        for ago in (timedelta(hours=-1), timedelta(hours=1)):
            before = len(talk.api.chat(ANNA).texts)
            await talk.api.says(ANNA, ANNA, "/hello", ago=ago)
            await talk.api.until(
                lambda: len(talk.api.chat(ANNA).texts) > before  # noqa: B023 - it is waited for here
            )
    assert talk.api.chat(ANNA).texts == ["hello"] * 3


@pytest.mark.parametrize("body", ["<html>Log in</html>", '{"ok": "true"}', ""])
async def test_who_cannot_show_a_menu_answers_all_the_same(talk: Talk, body: str) -> None:
    talk.api.answers_with(200, body, methods=["setMyCommands"])
    async with talk.listening(HELLO):
        assert (await talk.sends(ANNA, ANNA, "/hello")).text == "hello"
        assert (await talk.sends(GROUP, ANNA, "/hello@wine_slo_bot")).text == "hello"


async def test_the_menu_is_tried_again(talk: Talk) -> None:
    talk.api.fails_with(429, retry_after=3600, methods=["setMyCommands"], times=1)
    async with talk.listening(HELLO):
        await talk.api.until(lambda: talk.api.commands)
        await talk.sends(ANNA, ANNA, "/hello")
        await talk.sends_in_vain(GROUP, ANNA, "/hello@another_bot")


@pytest.mark.parametrize(
    "body", ['{"ok": true, "result": [1]}', "<html></html>", '{"ok": true, "result": {"a": null}}']
)
async def test_an_odd_answer_to_what_is_shown_to_who_presses_loses_no_answer(talk: Talk, body: str) -> None:
    async def offer(_: Question) -> Answer:
        return Answer("Which?", buttons=((Button("This", "choose"),),))

    async def choose(_: Press) -> Answer:
        return Answer("chosen", toast="chosen")

    async with talk.listening(Command("offer", "Offers", offer), Reaction("choose", choose)):
        offered = await talk.sends(ANNA, ANNA, "/offer")
        talk.api.answers_with(200, body, methods=["answerCallbackQuery"])
        await talk.api.press(offered, "This")
        await talk.api.until(lambda: talk.api.chat(ANNA).texts[-1] == "chosen")
