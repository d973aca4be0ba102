"""Who may do what: real-shaped updates from the fake Bot API, through the real listener, to the real conversation."""

import asyncio
from datetime import UTC, timedelta

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.people import ANNA, BORIS, ELSEWHERE, FORUM, GROUP, STRANGER, TOPIC, Talk, among
from tests.support.fakes.telegram_chats import Button as Shown
from tests.support.scene import ALL
from wine_slo.integrations.telegram.callback_data import MAX_BYTES, CallbackData
from wine_slo.monitor.chatops.router import (
    ANSWERS_A_MINUTE,
    PERSONAL_A_MINUTE,
    QUESTIONS_A_MINUTE,
    REFUSALS_A_MINUTE,
    REPEATS,
    STRANGERS_A_MINUTE,
    Access,
)
from wine_slo.slo.chat.messages import Answer, Button, Command, Picture, Press, Question, Reaction, Reception
from wine_slo.slo.text.formatting import Formatter

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HOURS_AGO = timedelta(hours=3)


@pytest.fixture
def talk(bot_api: BotApi) -> Talk:
    for chat in (ANNA, GROUP, ELSEWHERE, STRANGER):
        bot_api.chat(chat)
    bot_api.chat(FORUM, topics=[TOPIC])
    return Talk(bot_api, Formatter(ALL, UTC), among())


async def say_hello(question: Question) -> Answer:
    return Answer(f"hello {question.person.name}: {' '.join(question.arguments)}")


HELLO = Command("hello", "Says hello", say_hello)
CHANGE = Command("change", "Changes something", say_hello, changes=True)


def with_admins(talk: Talk, *admins: int) -> Talk:
    return Talk(talk.api, talk.fmt, Access(talk.access.chats, admins))


# Where


@pytest.mark.parametrize(
    ("chat", "text", "topic"),
    [
        pytest.param(ANNA, "/hello a  b", None, id="a private chat"),
        pytest.param(GROUP, "/hello a b", None, id="a group"),
        pytest.param(GROUP, "/hello@wine_slo_bot a b", None, id="a group, by the bot's name"),
        pytest.param(GROUP, "/HELLO@Wine_SLO_bot a\nb", None, id="by a name in other letters"),
        pytest.param(FORUM, "/hello a b", None, id="a supergroup"),
        pytest.param(FORUM, "/hello@wine_slo_bot a b", TOPIC, id="a topic of a forum"),
    ],
)
async def test_a_command_is_answered_where_it_is_sent(talk: Talk, chat: int, text: str, topic: int | None) -> None:
    async with talk.listening(HELLO):
        answer = await talk.sends(chat, ANNA, text, topic)
    assert answer.text == f"hello Person {ANNA}: a b"
    assert answer.topic == topic
    question = next(each for each in talk.api.chat(chat).history.values() if not each.is_from_bot)
    assert answer.reply_to == (None if chat == ANNA else question.id)
    assert answer.is_silent
    assert talk.received == {Reception.ANSWERED: 1}


@pytest.mark.parametrize("text", ["/hello@another_bot", "hello", "say /hello", "/", "/hello!", "/ hello"])
async def test_what_is_not_for_us_is_left_alone(talk: Talk, text: str) -> None:
    async with talk.listening(HELLO):
        await talk.sends_in_vain(GROUP, ANNA, text)
    assert not talk.received


async def test_a_thread_of_replies_is_no_topic(talk: Talk) -> None:
    async with talk.listening(HELLO):
        message = (await talk.api.says(FORUM, ANNA, "/id")).as_json()
        await talk.is_handled()
        await talk.api.sends_update("message", message | {"message_id": 99, "text": "/hello", "message_thread_id": 12})
        await talk.api.until(lambda: len(talk.api.chat(FORUM).messages) == 2)
    assert talk.api.chat(FORUM).messages[1].topic is None


# Who


@pytest.mark.parametrize("chat", [ANNA, GROUP, FORUM])
async def test_whoever_is_in_a_chat_of_ours_may_query_and_where_no_admins_are_set_change(talk: Talk, chat: int) -> None:
    async with talk.listening(HELLO, CHANGE):
        await talk.sends(chat, BORIS, "/hello")
        assert (await talk.sends(chat, BORIS, "/change")).text.startswith("hello")


async def test_where_admins_are_set_only_they_may_change_something_wherever_they_are(talk: Talk) -> None:
    talk = with_admins(talk, BORIS)
    talk.api.chat(BORIS)
    async with talk.listening(HELLO, CHANGE):
        for chat in (GROUP, BORIS, ELSEWHERE):
            assert (await talk.sends(chat, BORIS, "/change")).text.startswith("hello")
        assert (await talk.sends(GROUP, ANNA, "/hello")).text.startswith("hello")
        refused = await talk.sends(GROUP, ANNA, "/change")
    assert refused.text == "Only an admin of this bot may do that. Your id is 7."
    assert talk.received[Reception.REFUSED] == 1


async def test_a_stranger_learns_the_id_of_the_chat_and_nothing_else(talk: Talk) -> None:
    async with talk.listening(HELLO):
        await talk.sends_in_vain(ELSEWHERE, STRANGER, "/hello")
        await talk.sends_in_vain(ELSEWHERE, STRANGER, "/help")
        await talk.sends_in_vain(STRANGER, STRANGER, "/helo")
        answer = await talk.sends(ELSEWHERE, STRANGER, "/id")
        assert answer.text == "This chat's id is -77.\nYours is 666."
        await talk.sends_in_vain(ELSEWHERE, STRANGER, "/id")
        assert (await talk.sends(ELSEWHERE, STRANGER + 1, "/start")).text == "This chat's id is -77.\nYours is 667."
    assert talk.received == {Reception.STRANGER: 6}


async def test_strangers_cannot_use_up_what_telegram_lets_us_say(talk: Talk) -> None:
    async with talk.listening():
        for number in range(STRANGERS_A_MINUTE + 5):
            await talk.api.says(ELSEWHERE, 1000 + number, "/id")
        await talk.is_handled()
    assert len(talk.api.chat(ELSEWHERE).messages) <= STRANGERS_A_MINUTE
    assert talk.received == {Reception.STRANGER: STRANGERS_A_MINUTE + 5}


async def test_somebody_who_speaks_as_the_group_is_the_group_and_no_admin(talk: Talk) -> None:
    talk = with_admins(talk, ANNA)
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    async with talk.listening(HELLO, CHANGE):
        message = (await talk.api.says(GROUP, ANNA, "hm")).as_json()
        speaking = message | {"from": anonymous, "sender_chat": talk.api.chat(GROUP).as_json()}
        await talk.api.sends_update("message", speaking | {"text": "/hello"})
        await talk.api.until(lambda: talk.api.chat(GROUP).texts == ["hello Chat -5:"])
        await talk.api.sends_update("message", speaking | {"text": "/change"})
        await talk.api.until(lambda: talk.received[Reception.REFUSED])


async def test_another_bot_is_not_answered(talk: Talk) -> None:
    async with talk.listening(HELLO):
        message = (await talk.api.says(GROUP, ANNA, "hm")).as_json()
        await talk.api.sends_update(
            "message", message | {"from": {"id": 5, "is_bot": True, "first_name": "Bot"}, "text": "/hello"}
        )
        await talk.is_handled()
    assert not talk.api.chat(GROUP).messages


async def test_one_chat_cannot_use_up_what_telegram_lets_us_say_but_what_changes_is_always_done(talk: Talk) -> None:
    changed = []

    async def change(question: Question) -> Answer:
        changed.append(question.arguments)
        return Answer()

    async with talk.listening(HELLO, Command("change", "Changes", change, changes=True)):
        for number in range(ANSWERS_A_MINUTE + 3):
            await talk.api.says(GROUP, 1000 + number, "/hello")
        await talk.api.says(GROUP, ANNA, "/change it")
        await talk.sends(ANNA, ANNA, "/hello")
        await talk.api.until(lambda: changed)
        await talk.is_handled()
    assert talk.received[Reception.LIMITED] == 3
    limited = [
        text for text in talk.api.chat(GROUP).texts if text.startswith("Too many commands at once: try again in")
    ]
    assert len(limited) == 1, "said once, to the first"


# Help


async def test_the_menu_and_the_help_come_from_one_list(talk: Talk) -> None:
    async with talk.listening(HELLO, CHANGE):
        text = (await talk.sends(ANNA, ANNA, "/help")).text
    names = [line.split()[0].removeprefix("/") for line in text.splitlines()[1:]]
    assert names == list(talk.api.commands[""]) == ["hello", "change", "help", "id", "version"]
    assert talk.api.commands[""]["hello"] == "Says hello"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        pytest.param("/helo", "There is no command /helo. Did you mean /hello?", id="nearly"),
        pytest.param("/xyzzy", "There is no command /xyzzy. All commands: /help", id="not at all"),
    ],
)
async def test_a_slip_is_answered_with_what_may_have_been_meant(talk: Talk, typed: str, said: str) -> None:
    async with talk.listening(HELLO):
        assert (await talk.sends(ANNA, ANNA, typed)).text == said
        assert (await talk.sends(GROUP, ANNA, f"{typed}@wine_slo_bot")).text == said
        if "Did you mean" in said:
            assert (await talk.sends(GROUP, ANNA, typed)).text == said
        else:
            await talk.sends_in_vain(GROUP, ANNA, typed)


async def test_the_version_is_answered(talk: Talk) -> None:
    async with talk.listening():
        assert (await talk.sends(ANNA, ANNA, "/version")).text == "wine-slo 1.2.3"


async def test_the_id_of_a_topic_is_answered_as_the_settings_want_it(talk: Talk) -> None:
    async with talk.listening():
        answer = await talk.sends(FORUM, ANNA, "/id", TOPIC)
    assert answer.text == "This chat's id is -1001.\nThis topic alone is -1001/30.\nYours is 7."


# What goes wrong


async def test_a_fault_of_ours_is_answered_logged_and_stops_nothing(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Question) -> Answer:
        raise ZeroDivisionError

    async with talk.listening(HELLO, Command("fail", "Fails", fail)):
        assert (await talk.sends(ANNA, ANNA, "/fail")).text.startswith("Internal error: the command failed")
        await talk.sends(ANNA, ANNA, "/hello")
    assert "/fail was not answered by a fault of ours" in caplog.text
    assert talk.received == {Reception.FAILED: 1, Reception.ANSWERED: 1}


STRANGE: list[tuple[str, object]] = [
    ("message", {}),
    ("message", None),
    ("message", {"message_id": "x", "chat": 5}),
    ("message", {"message_id": 2**80, "chat": {"id": -5, "type": "group"}, "text": "/hello", "date": 10**30}),
    ("callback_query", {"id": 5}),
    ("callback_query", {"id": "a", "from": {"id": 7, "first_name": "A"}, "inline_message_id": "x", "data": "ack"}),
    ("poll_answer", {"poll_id": "1"}),
    ("edited_message", {"message_id": 5}),
    ("something_new", [1, 2, 3]),
]


async def test_strange_updates_are_passed_over(talk: Talk) -> None:
    async with talk.listening(HELLO):
        for kind, content in STRANGE:
            await talk.api.sends_update(kind, content)
        await talk.sends(ANNA, ANNA, "/hello")


async def test_what_was_sent_while_nobody_listened_is_not_done_and_that_is_answered_once(talk: Talk) -> None:
    for _ in range(5):
        await talk.api.says(ANNA, ANNA, "/change it", ago=HOURS_AGO)
    async with talk.listening(CHANGE):
        await talk.is_handled()
        assert talk.api.chat(ANNA).texts == [
            "This was sent while the bot was offline, so it was not carried out. Send it again if it still applies."
        ]
        assert (await talk.sends(ANNA, ANNA, "/change it")).text == "hello Person 7: it"
    assert talk.received == {Reception.OLD: 5, Reception.ANSWERED: 1}


async def test_what_counts_late_is_done_however_late(talk: Talk) -> None:
    late = Command("late", "Counts late", say_hello, changes=True, counts_late=True)
    await talk.api.says(ANNA, ANNA, "/late", ago=HOURS_AGO)
    async with talk.listening(late):
        await talk.api.until(lambda: talk.api.chat(ANNA).texts == ["hello Person 7:"])


async def test_an_update_is_confirmed_only_once_what_it_led_to_is_done(talk: Talk) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def do(_: Question) -> Answer:
        begun.set()
        await may_end.wait()
        return Answer("done")

    async with talk.listening(Command("do", "Does", do)):
        await talk.api.says(ANNA, ANNA, "/do")
        async with asyncio.timeout(30):
            await begun.wait()
        await asyncio.wait([asyncio.create_task(talk.is_handled())], timeout=0.2)
        assert all(call.integer("offset") is None for call in talk.api.calls_of("getUpdates"))
        may_end.set()
        await talk.is_handled()
    assert talk.api.chat(ANNA).texts == ["done"]


async def test_an_answer_is_tried_again_where_it_surely_did_not_arrive(talk: Talk) -> None:
    talk.api.fails_with(429, retry_after=1, methods=["sendMessage"], times=1)
    async with talk.listening(HELLO):
        await talk.sends(ANNA, ANNA, "/hello")


# Buttons


SHOWN = Button("Do it", "do", ("12", "latency"))


def offering(*, changes: bool = False) -> tuple[Command, Reaction, list[Press]]:
    pressed: list[Press] = []

    async def offer(_: Question) -> Answer:
        return Answer("press", buttons=((SHOWN,),))

    async def do(press: Press) -> Answer:
        pressed.append(press)
        return Answer(toast=f"done {' '.join(press.arguments)}")

    return Command("offer", "Offers", offer), Reaction("do", do, changes=changes), pressed


@pytest.mark.parametrize("chat", [ANNA, GROUP, FORUM])
async def test_a_press_is_answered_to_who_pressed(talk: Talk, chat: int) -> None:
    offer, do, pressed = offering()
    async with talk.listening(offer, do):
        message = await talk.sends(chat, ANNA, "/offer")
        press = await talk.api.press(message, "Do it", BORIS)
        await talk.api.until(lambda: talk.api.answers.get(press) == "done 12 latency")
    assert [(each.person.id, each.verb, each.arguments, each.message) for each in pressed] == [
        (BORIS, "do", ("12", "latency"), message.id)
    ]


async def test_it_works_after_a_restart(talk: Talk) -> None:
    offer, do, pressed = offering()
    async with talk.listening(offer, do):
        message = await talk.sends(ANNA, ANNA, "/offer")
    press = await talk.api.press(message, "Do it")
    talk.listened_at = talk.clock()
    async with talk.listening(offer, do):
        await talk.api.until(lambda: press in talk.api.answers)
    assert len(pressed) == 1


@pytest.mark.parametrize(
    "data",
    [
        "",
        "do",
        "do|12|latency",
        "do|12|latency|",
        "do|12|latency|AAAAAAAAAAAAAAAA",
        "do|13|latency|{signature}",
        "|{signature}",
        "\u0434\u0430|{signature}",
    ],
)
async def test_forged_data_is_refused_and_counted(talk: Talk, data: str) -> None:
    offer, do, pressed = offering()
    async with talk.listening(offer, do):
        message = await talk.sends(ANNA, ANNA, "/offer")
        signature = (message.button("Do it").data or "").rpartition("|")[2]
        press = await talk.api.press_with(message, data.format(signature=signature))
        await talk.api.until(lambda: talk.api.answers.get(press) == "This button does not belong to this bot.")
    assert not pressed
    assert talk.received[Reception.FORGED] == 1


async def test_what_is_of_another_chat_or_of_another_bot_is_refused(talk: Talk) -> None:
    offer, do, pressed = offering()
    async with talk.listening(offer, do):
        mine = await talk.sends(ANNA, ANNA, "/offer")
        theirs = await talk.sends(GROUP, ANNA, "/offer")
        await talk.api.press_with(mine, theirs.button("Do it").data or "")
        await talk.api.press_with(mine, CallbackData("another token").close(ANNA, SHOWN))
        await talk.api.until(lambda: talk.received[Reception.FORGED] == 2)
    assert not pressed


async def test_the_presser_is_authorised_and_not_the_chat(talk: Talk) -> None:
    talk = with_admins(talk, BORIS)
    offer, do, pressed = offering(changes=True)
    async with talk.listening(offer, do):
        message = await talk.sends(GROUP, ANNA, "/offer")
        refused = await talk.api.press(message, "Do it", ANNA)
        await talk.api.until(lambda: "Only an admin" in talk.api.answers.get(refused, ""))
        await talk.api.press(message, "Do it", BORIS)
        await talk.api.until(lambda: pressed)
    assert [each.person.id for each in pressed] == [BORIS]


async def test_a_press_while_nobody_listened_counts_only_where_it_may_be_late(talk: Talk) -> None:
    offer, do, pressed = offering()
    late: list[Press] = []

    async def do_late(press: Press) -> Answer:
        late.append(press)
        return Answer()

    async with talk.listening(offer, do):
        message = await talk.sends(ANNA, ANNA, "/offer")
    signature = CallbackData(talk.api.token)
    press = await talk.api.press(message, "Do it")
    await talk.api.press_with(message, signature.close(ANNA, Button("Late", "late")))
    talk.listened_at = talk.clock() - HOURS_AGO
    async with talk.listening(Reaction("late", do_late, counts_late=True)):
        await talk.api.until(lambda: late)
        await talk.is_handled()
        assert talk.api.answers[press].startswith("This was sent while the bot was offline")
        again = await talk.api.press(message, "Do it")
        await talk.api.until(lambda: again in talk.api.answers)
    assert late[0].pressed_at is None
    assert [each.id for each in pressed] == [again]


async def test_a_picture_follows_its_text_as_a_reply(talk: Talk) -> None:
    async def draw() -> Picture:
        await talk.api.until(lambda: talk.api.chat(FORUM).messages)
        return Picture(PNG, "<b>p95</b>")

    async def chart(_: Question) -> Answer:
        return Answer("here", follow=draw)

    async with talk.listening(Command("chart", "Draws", chart)):
        await talk.sends(FORUM, ANNA, "/chart", TOPIC)
        await talk.api.until(lambda: len(talk.api.chat(FORUM).messages) == 2)
    text, picture = talk.api.chat(FORUM).messages
    assert (picture.photo, picture.text, picture.reply_to, picture.topic) == (PNG, "p95", text.id, TOPIC)


async def test_a_press_can_change_the_message_that_it_is_under(talk: Talk) -> None:
    offer, _, _ = offering()

    async def replace_it(_: Press) -> Answer:
        return Answer("pressed", replaces=True)

    async with talk.listening(offer, Reaction("do", replace_it)):
        message = await talk.sends(ANNA, ANNA, "/offer")
        await talk.api.press(message, "Do it")
        await talk.api.until(lambda: message.text == "pressed")
    assert message.keyboard == ()


def test_what_does_not_fit_into_a_button_is_refused_when_it_is_made() -> None:
    signature = CallbackData("secret")
    longest = "x" * (MAX_BYTES - len("do|") - len("|") - 16)
    assert len(signature.close(-1001, Button("", "do", (longest,))).encode()) == MAX_BYTES
    with pytest.raises(ValueError, match="carries more than 64 bytes"):
        signature.close(-1001, Button("Do", "do", (longest + "x",)))
    with pytest.raises(ValueError, match="an argument with"):
        signature.close(1, Button("Do", "do", ("a|b",)))
    assert Shown("x", signature.close(1, SHOWN)).data == signature.close(1, SHOWN)


# Another poller


async def test_where_another_program_polls_it_says_so_once_and_stops(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    talk.api.fails_with(409, methods=["getUpdates"])
    async with talk.listening(HELLO):
        async with asyncio.timeout(30):
            await talk.conflicts.get()
        assert len(talk.api.calls_of("getUpdates")) == 2
        await talk.api.until(lambda: True)
    assert talk.conflicts.empty()
    assert talk.listens == [False]
    assert "another program reads this bot's updates" in caplog.text


# How often


async def test_refusals_are_limited_to_a_person_and_leave_the_others_room(talk: Talk) -> None:
    talk = with_admins(talk, BORIS)
    async with talk.listening(HELLO, CHANGE):
        for _ in range(30):
            await talk.api.says(GROUP, ANNA, "/change")
        await talk.is_handled()
        assert len(talk.api.chat(GROUP).messages) == REFUSALS_A_MINUTE + 1
        assert (await talk.sends(GROUP, BORIS, "/hello")).text.startswith("hello")
    assert talk.received[Reception.REFUSED] == REFUSALS_A_MINUTE


async def test_acts_of_who_may_are_not_limited_but_for_the_same_one_again_and_again(talk: Talk) -> None:
    done = []

    async def change(question: Question) -> Answer:
        done.append(question.arguments)
        return Answer()

    async with talk.listening(Command("change", "Changes", change, changes=True)):
        for number in range(40):
            await talk.api.says(GROUP, ANNA, f"/change {number}")
        for _ in range(10):
            await talk.api.says(GROUP, ANNA, "/change it")
        await talk.is_handled()
    assert done == [*((str(number),) for number in range(40)), *([("it",)] * REPEATS)]
    assert len(talk.api.chat(GROUP).texts) == 1, "and that is said once"


async def test_a_private_chat_has_room_for_thirty_questions_a_minute(talk: Talk) -> None:
    async with talk.listening(HELLO):
        for _ in range(QUESTIONS_A_MINUTE + 5):
            await talk.api.says(ANNA, ANNA, "/hello")
        await talk.api.until(lambda: talk.received[Reception.LIMITED] == 5, seconds=30)
        await talk.api.until(lambda: len(talk.api.chat(ANNA).messages) == QUESTIONS_A_MINUTE + 1, seconds=30)


async def test_a_press_too_many_is_answered_too(talk: Talk) -> None:
    async def press(_: Press) -> Answer:
        return Answer(toast="pressed")

    async def offer(_: Question) -> Answer:
        return Answer("there", ((Button("More", "more"),),))

    async with talk.listening(Command("offer", "Offers", offer), Reaction("more", press)):
        message = await talk.sends(GROUP, ANNA, "/offer")
        presses = [await talk.api.press(message, "More", ANNA) for _ in range(PERSONAL_A_MINUTE + 2)]
        await talk.api.until(lambda: all(each in talk.api.answers for each in presses))
    toasts = [talk.api.answers[each] for each in presses]
    assert toasts[: PERSONAL_A_MINUTE - 1] == ["pressed"] * (PERSONAL_A_MINUTE - 1)
    assert toasts[PERSONAL_A_MINUTE - 1].startswith("Too many commands at once")
    assert set(toasts[PERSONAL_A_MINUTE:]) == {""}, "the program of who pressed stops waiting"


# What people write instead


STATUS = Command("status", "Says how it is", say_hello)
MUTE = Command("silence", "Mutes", say_hello, changes=True)


@pytest.mark.parametrize("text", ["/mute 1h", "/snooze 1h", "/тишина 1h", "/Mute@wine_slo_bot 1h"])
async def test_a_usual_word_for_a_command_is_that_command(talk: Talk, text: str) -> None:
    async with talk.listening(MUTE):
        assert (await talk.sends(GROUP, ANNA, text)).text == "hello Person 7: 1h"


@pytest.mark.parametrize("text", ["/stauts", "/stat", "/статуc", "/statu"])
async def test_a_near_miss_is_answered_in_a_group(talk: Talk, text: str) -> None:
    async with talk.listening(STATUS):
        assert (await talk.sends(GROUP, ANNA, text)).text.endswith("Did you mean /status?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status", "Commands begin with a slash. Did you mean /status?"),
        ("статус?", "Commands begin with a slash. Did you mean /status?"),
        ("how is it going", "Commands begin with a slash. All commands: /help"),
    ],
)
async def test_plain_words_get_a_hint_in_a_private_chat_and_nothing_in_a_group(
    talk: Talk, text: str, said: str
) -> None:
    async with talk.listening(STATUS):
        assert (await talk.sends(ANNA, ANNA, text)).text == said
        await talk.sends_in_vain(GROUP, ANNA, text)
        await talk.sends_in_vain(STRANGER, STRANGER, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@wine_slo_bot status", "Commands begin with a slash. Did you mean /status?"),
        ("@Wine_SLO_Bot, statsu", "Commands begin with a slash. Did you mean /status?"),
        ("статус @wine_slo_bot", "Commands begin with a slash. Did you mean /status?"),
        ("@wine_slo_bot how is it going", "Commands begin with a slash. All commands: /help"),
        ("/statsu@wine_slo_bot", "There is no command /statsu. Did you mean /status?"),
        ("/xyz@wine_slo_bot", "There is no command /xyz. All commands: /help"),
        ("@wine_slo_bot /Status", "hello Person 7: "),
        ("/Status", "hello Person 7: "),
        ("/статус", "hello Person 7: "),
    ],
)
async def test_who_names_the_bot_in_a_group_is_answered(talk: Talk, text: str, said: str) -> None:
    async with talk.listening(STATUS):
        await talk.is_introduced()
        assert (await talk.sends(GROUP, ANNA, text)).text.strip() == said.strip()


@pytest.mark.parametrize("text", ["@another_bot status", "anna@wine_slo_bot.example status", "status, @wine_slo_bots"])
async def test_who_names_another_is_not_answered(talk: Talk, text: str) -> None:
    async with talk.listening(STATUS):
        await talk.is_introduced()
        await talk.sends_in_vain(GROUP, ANNA, text)


async def test_of_replies_to_the_bot_only_what_is_nearly_a_command_is_answered(talk: Talk) -> None:
    async with talk.listening(STATUS):
        message = await talk.sends(GROUP, ANNA, "/status")
        for text in ("rolled back, it should be over soon", "и что теперь?"):
            await talk.api.says(GROUP, ANNA, text, reply_to=message.id)
            await talk.is_handled()
        assert len(talk.api.chat(GROUP).messages) == 1
        await talk.api.says(GROUP, ANNA, "statsu", reply_to=message.id)
        await talk.api.until(lambda: len(talk.api.chat(GROUP).messages) == 2)
        assert talk.api.chat(GROUP).messages[-1].text == "Commands begin with a slash. Did you mean /status?"


async def test_a_press_carries_out_what_was_nearly_said_once(talk: Talk) -> None:
    async with talk.listening(MUTE):
        hint = await talk.sends(GROUP, ANNA, "/silense 1h latency")
        assert hint.buttons == ["/silence 1h latency"]
        first, second = [await talk.api.press(hint, hint.buttons[0], BORIS) for _ in range(2)]
        await talk.api.until(lambda: {first, second} <= talk.api.answers.keys())
        assert hint.text == "hello Person 8: 1h latency"
        assert talk.api.answers[second] == "These buttons have expired. Send the command again."


async def test_who_may_not_change_anything_does_not_by_a_press_on_what_was_nearly_said(talk: Talk) -> None:
    talk = Talk(talk.api, talk.fmt, among(admins=[ANNA]))
    async with talk.listening(MUTE):
        hint = await talk.sends(GROUP, ANNA, "/silense 1h latency")
        await talk.api.press(hint, hint.buttons[0], BORIS)
        await talk.api.until(lambda: "Only an admin" in hint.text)


# Who acts


@pytest.mark.parametrize(
    ("who", "said"),
    [
        pytest.param({"forward_origin": {"type": "user"}}, "A forwarded message changes nothing", id="who forwards"),
        pytest.param({"forward_date": 1}, "A forwarded message changes nothing", id="who forwards, on an older server"),
        pytest.param(
            {"sender_chat": {"id": GROUP, "type": "group", "title": "Chat"}},
            "This needs a person",
            id="an anonymous admin",
        ),
        pytest.param(
            {
                "sender_chat": {"id": -100777, "type": "channel", "title": "Anna"},
                "is_automatic_forward": True,
                "forward_origin": {"type": "channel"},
            },
            "This needs a person",
            id="a channel",
        ),
        pytest.param({"from": None}, "This needs a person", id="nobody"),
    ],
)
@pytest.mark.parametrize("admins", [[], [ANNA, GROUP]])
async def test_nobody_acts_without_a_person(talk: Talk, who: dict[str, object], said: str, admins: list[int]) -> None:
    talk = with_admins(talk, *admins)
    async with talk.listening(CHANGE):
        message = (await talk.api.says(GROUP, ANNA, "hm")).as_json()
        await talk.api.sends_update("message", message | {"text": "/change"} | who)
        await talk.api.until(lambda: talk.received[Reception.REFUSED])
        await talk.api.until(lambda: talk.api.chat(GROUP).texts)
    assert talk.api.chat(GROUP).texts[0].startswith(said)


async def test_what_cannot_be_seen_of_a_name_or_a_text_is_left_out(talk: Talk) -> None:
    hostile = {"id": ANNA, "is_bot": False, "first_name": "Eve\n2026 CRITICAL\x1b[31m\ud800\u202e"}
    async with talk.listening(HELLO):
        message = (await talk.api.says(GROUP, ANNA, "hm")).as_json()
        await talk.api.sends_update("message", message | {"from": hostile, "text": "/hello a\ud800b\x00c"})
        await talk.api.until(lambda: talk.api.chat(GROUP).texts == ["hello Eve 2026 CRITICAL [31m?: a?b c"])


async def test_a_press_just_after_the_start_is_known_to_be_of_now(talk: Talk) -> None:
    async def press(press: Press) -> Answer:
        return Answer(toast="late" if press.pressed_at is None else "now")

    async def offer(_: Question) -> Answer:
        return Answer("there", ((Button("More", "more"),),))

    commands = (Command("offer", "Offers", offer), Reaction("more", press, counts_late=True))
    async with talk.listening(*commands):
        message = await talk.sends(GROUP, ANNA, "/offer")
    before = await talk.api.press(message, "More", ANNA)
    talk.api.calls.clear()
    async with Talk(talk.api, talk.fmt, talk.access).listening(*commands):
        await talk.api.until(lambda: before in talk.api.answers)
        after = await talk.api.press(message, "More", ANNA)
        await talk.api.until(lambda: after in talk.api.answers)
    assert (talk.api.answers[before], talk.api.answers[after]) == ("late", "now")
