"""Who is notified, and that nothing goes silent: chats that come, go, move, refuse, and answers that nobody foresaw."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import TextIO

import pytest

from tests.support.fakes.bot_api import KICKED, TOKEN, BotApi
from tests.support.fakes.desk import (
    ANNA,
    BACK,
    BREACH,
    EDIT,
    GROUP,
    REPEAT,
    SEND,
    SUPERGROUP,
    Desk,
    keys,
    opened_desk,
    storm,
)
from tests.support.fakes.people import Talk, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import LATENCY, Scene
from wine_slo.integrations.console.channel import CONSOLE, ConsoleChannel
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.updates import TelegramUpdates
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.notify.waits import CONTACT_PAUSE, LONGEST_WAIT, Due, Waits
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.messages import Person, Picture
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.oncall.actions import Action, ActionKind, Silence
from wine_slo.slo.text.formatting import Formatter

TOPIC = 30
CHANNEL = -1009
HTML_403 = "<html><head><title>403 Forbidden</title></head><body>nginx</body></html>"


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(bot_api, tmp_path) as desk:
        yield desk


async def two_breaches(desk: Desk) -> None:
    """Two incidents are open, and the chat knows of both."""
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.restart()
    storm(desk.scene, keys(2), 1.0, 25)
    await desk.deliver()
    assert len(desk.texts()) == 2


# The settings decide


async def test_a_chat_that_is_added_while_an_incident_is_open_is_notified_of_it_and_the_others_are_not_again(
    desk: Desk,
) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.notifies((ANNA, GROUP))
    await desk.deliver()
    assert desk.texts(ANNA) == desk.texts(GROUP) == [BREACH]


async def test_a_chat_that_is_added_between_two_openings_of_an_incident_is_notified_of_the_second(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    desk.notifies((GROUP,))
    desk.scene.has(0.0, 60).breaks()
    await desk.deliver()
    assert desk.scene.incident.openings == 2
    assert len(desk.texts(GROUP)) == 1
    assert desk.texts(GROUP)[0].startswith("🔴 Latency")


async def test_a_chat_that_is_taken_out_gets_nothing_more_and_is_not_waited_for(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.scene.breaks()
    await desk.deliver()
    desk.notifies((ANNA,))
    desk.scene.has(0.0, 20)
    await desk.deliver()
    desk.scene.has(0.0, 60).breaks()
    await desk.deliver()
    calls = [call for call in desk.api.calls if call.chat_id == GROUP]
    assert len(calls) == 1
    assert desk.delivery.undelivered_since is None
    assert {each.chat for each in desk.delivery.records} == {address_of(ANNA)}


async def test_a_chat_that_is_listed_again_reads_the_end_of_what_it_knew_and_nothing_of_the_time_between(
    desk: Desk,
) -> None:
    desk.notifies((ANNA, GROUP))
    desk.scene.breaks()
    await desk.deliver()
    desk.notifies((ANNA,))
    desk.scene.has(0.0, 20)
    await desk.deliver()
    desk.scene.has(0.0, 700).breaks().has(0.0, 20)
    await desk.deliver()
    desk.notifies((ANNA, GROUP))
    await desk.deliver()
    assert [text.split(":")[0] for text in desk.texts(GROUP)[1:]] == ["🟢 Latency resolved"]


async def test_what_was_over_before_a_chat_was_a_recipient_is_not_notified_there(desk: Desk) -> None:
    desk.scene.breaks().has(0.0, 20)
    desk.chats = ()
    desk.restart()
    desk.scene.breaks().has(0.0, 20)
    desk.decide()
    desk.notifies((ANNA,))
    await desk.deliver()
    assert desk.texts() == []
    desk.scene.has(0.0, 700).breaks().has(0.0, 20)
    await desk.deliver()
    assert [text.split(":")[0] for text in desk.texts()] == ["⚪️ Delivered late (messages could not be sent)"]


async def test_the_terminal_is_no_telegram_chat_and_nothing_is_sent_to_it(desk: Desk) -> None:
    desk.chats = ()
    desk.restart()
    desk.scene.breaks()
    desk.decide()
    desk.ledger.mark([DeliveryRecord(incident=1, chat=CONSOLE)])
    desk.notifies((ANNA,))
    await desk.deliver()
    assert desk.texts() == [BREACH]
    assert {call.chat_id for call in desk.api.calls} <= {ANNA, None}


async def test_the_terminal_prints_also_on_a_ledger_in_which_it_was_closed(desk: Desk, tmp_path: Path) -> None:
    recipients = Recipients(desk.ledger, desk.ledger.load(), [CONSOLE], desk.scene.now)
    await recipients.close(CONSOLE, "Chat not found")
    recipients = Recipients(desk.ledger, desk.ledger.load(), [CONSOLE], desk.scene.now)
    with (tmp_path / "terminal").open("w") as terminal:
        await notify_on(terminal, desk, recipients)
    assert BREACH in (tmp_path / "terminal").read_text()


async def notify_on(terminal: TextIO, desk: Desk, recipients: Recipients) -> None:
    delivery = Dispatcher(
        lambda _address: ConsoleChannel(terminal),
        desk.ledger,
        recipients,
        Localizer(recipients, lambda _language: Formatter(desk.scene.objectives, UTC)),
        FakeSnapshot(lambda: desk.scene.state, desk.clock),
        Journal(desk.ledger, ()),
        lambda _kind, _outcome: None,
        gate=Gate(),
    )
    desk.scene.breaks()
    delivery.on_evaluation()
    await delivery.deliver()
    assert delivery.unreachable == {}


async def test_what_is_delivered_late_is_counted_as_incidents_and_names_no_inner_thing(desk: Desk) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.restart()
    await desk.api.refuses_connections()
    storm(desk.scene, keys(STORM + 2), 1.0, 25)
    storm(desk.scene, keys(STORM + 2), 0.0, 20)
    desk.scene.second += 600  # without an evaluation, which is an incident of our own
    storm(desk.scene, keys(1), 0.0, 5)
    await desk.deliver()
    await desk.api.accepts_connections()
    await desk.deliver(after=60)
    late, gap = desk.texts()
    assert late == ("⚪️ Delivered late: Latency, 7 label sets, in breach for 25 s (19:40:00–19:40:25), resolved since.")
    assert gap.startswith("🔄 ")


# A chat that cannot be reached


async def test_a_403_that_no_bot_api_has_written_is_waited_out_and_closes_no_chat(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.api.answers_with(403, HTML_403, methods=[SEND])
    desk.scene.breaks()
    await desk.deliver()
    assert desk.delivery.unreachable == {}
    desk.api.recovers()
    await desk.deliver(after=2)
    assert desk.texts(ANNA) == desk.texts(GROUP) == [BREACH]
    assert REPEAT not in desk.messages(ANNA)[0].text


async def test_a_chat_that_refuses_messages_is_tried_at_the_next_incident(desk: Desk) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.restart()
    desk.api.fails_with(403, KICKED, methods=[SEND])
    storm(desk.scene, keys(1), 1.0, 25)
    await desk.deliver()
    desk.api.recovers()
    await desk.deliver(after=5)
    assert desk.sends_to(ANNA) == 1
    storm(desk.scene, keys(2), 1.0, 25)
    await desk.deliver()
    assert len(desk.texts()) == 2


async def test_a_chat_that_is_owed_nothing_is_found_reachable_again_without_a_message(desk: Desk) -> None:
    await desk.recipients.close(address_of(ANNA), KICKED)
    desk.api.fails_with(403, KICKED)
    await desk.deliver()
    assert desk.delivery.unreachable == {address_of(ANNA): KICKED}
    desk.api.recovers()
    await desk.deliver(after=3600)
    assert desk.delivery.unreachable == {}
    assert desk.texts() == []


async def test_each_start_tries_a_chat_that_refused_messages(desk: Desk) -> None:
    await desk.recipients.close(address_of(ANNA), KICKED)
    desk.restart()
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts() == [BREACH]
    assert desk.delivery.unreachable == {}


async def test_all_chats_may_refuse_messages_at_once_and_each_is_notified_once_it_can_be(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(403, KICKED)
    desk.scene.breaks()
    await desk.deliver()
    assert set(desk.delivery.unreachable) == {address_of(ANNA), address_of(GROUP)}
    desk.api.recovers()
    await desk.delivery.revive(address_of(GROUP))
    await desk.deliver(after=5)
    assert desk.texts(GROUP)[0] == BREACH
    await desk.deliver(after=3600)
    assert desk.texts(ANNA)[0].startswith("🔴")


async def test_what_comes_from_a_chat_while_a_try_of_it_is_refused_has_it_tried_again_soon(desk: Desk) -> None:
    chat, now = address_of(ANNA), desk.clock()
    waits = Waits(desk.recipients, FakeSnapshot(lambda: desk.scene.state, lambda: now))
    await desk.recipients.close(chat, KICKED)
    tried_at = now

    async def nothing() -> Due:
        return frozenset()

    now += timedelta(milliseconds=5)
    waits.revive(chat)
    waits.refuse(chat, frozenset(), tried_at)
    now += CONTACT_PAUSE / 2
    assert not await waits.may_try(chat, nothing)
    now += CONTACT_PAUSE / 2
    assert await waits.may_try(chat, nothing)
    waits.refuse(chat, frozenset(), now)
    now += CONTACT_PAUSE
    assert not await waits.may_try(chat, nothing), "nothing has come from it since that try began"


async def test_a_wrong_chat_id_is_known_from_the_start_before_anything_is_to_be_sent(desk: Desk) -> None:
    desk.chats = (ANNA, 404)
    desk.restart()
    await desk.deliver()
    assert desk.delivery.unreached == {address_of(404): "Chat not found"}
    await desk.deliver()
    (text,) = desk.texts(ANNA)
    assert text.startswith("🟠 Chat 404 cannot be reached: chat not found; the id is wrong")
    assert desk.sends_to(404) == 0


async def test_a_chat_that_can_be_reached_is_tried_once_at_the_start_and_no_more(desk: Desk) -> None:
    await desk.deliver()
    await desk.deliver(after=3600)
    assert desk.tries("sendChatAction") == 1
    assert desk.tries() == 0


async def test_a_token_that_is_refused_is_known_although_nothing_is_to_be_sent(desk: Desk) -> None:
    desk.api.fails_with(401)
    for _ in range(20):
        await desk.deliver(after=30)
    assert desk.delivery.unreached == {address_of(ANNA): "Telegram does not know the token"}
    assert desk.delivery.unreachable == {}, "the other chats would read of what hits them all"
    desk.api.recovers()
    await desk.deliver(after=120)
    assert desk.delivery.unreached == {}


async def test_a_channel_in_which_nobody_can_be_seen_typing_is_reached_all_the_same(desk: Desk) -> None:
    channel = desk.api.chat(CHANNEL)
    channel.is_channel = True
    channel.members[110201543] = "administrator"
    channel.rights[110201543] = {"can_post_messages"}
    desk.notifies((CHANNEL,))
    await desk.deliver()
    assert desk.delivery.unreached == {}
    channel.rights[110201543] = set()
    desk.restart()
    await desk.deliver()
    assert desk.delivery.unreached == {address_of(CHANNEL): "The bot may not send messages there"}


async def test_that_a_second_chat_cannot_be_reached_is_known_although_nothing_is_due_there(desk: Desk) -> None:
    desk.rules = Rules(second_chats=frozenset([address_of(GROUP)]), escalate_after=timedelta(minutes=15))
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(403, KICKED, chat=GROUP)
    desk.scene.breaks()
    await desk.deliver()
    assert list(desk.delivery.unreachable) == [address_of(GROUP)]
    assert desk.sends_to(GROUP) == 0
    assert any("Chat -5 cannot be reached" in text for text in desk.texts())


async def test_a_second_chat_is_due_only_once_the_incident_is_escalated_to_it(desk: Desk) -> None:
    desk.rules = Rules(second_chats=frozenset([address_of(GROUP)]), escalate_after=timedelta(minutes=15))
    desk.notifies((ANNA, GROUP))
    desk.scene.breaks()
    await desk.deliver()
    assert {each.chat for each in desk.delivery.records} == {address_of(ANNA)}
    desk.scene.has(1.0, 16 * 60)
    await desk.deliver()
    assert {each.chat for each in desk.delivery.records} == {address_of(ANNA), address_of(GROUP)}
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert {each.chat for each in desk.delivery.records} == {address_of(ANNA), address_of(GROUP)}


async def refuses_for_hours(desk: Desk, chat: int) -> None:
    """A chat refuses messages, and the next try is an hour away."""
    desk.api.fails_with(403, KICKED, chat=chat)
    for _ in range(10):
        await desk.deliver(after=3600)
    assert address_of(chat) in desk.delivery.unreachable


async def test_a_second_chat_that_refused_messages_is_tried_at_once_when_an_escalation_falls_due(desk: Desk) -> None:
    desk.rules = Rules(second_chats=frozenset([address_of(GROUP)]), escalate_after=timedelta(minutes=15))
    desk.notifies((ANNA, GROUP))
    await refuses_for_hours(desk, GROUP)
    desk.scene.breaks()
    await desk.deliver()
    desk.api.recovers()
    desk.scene.has(1.0, 14 * 60)
    await desk.deliver()
    assert desk.sends_to(GROUP) == 0
    desk.scene.has(1.0, 65)
    await desk.deliver()
    assert [text.split(":")[0] for text in desk.texts(GROUP)] == ["🔴 Latency"]
    assert address_of(GROUP) not in desk.delivery.unreachable


async def test_what_falls_due_in_a_chat_that_refuses_messages_is_tried_once_and_not_at_every_evaluation(
    desk: Desk,
) -> None:
    desk.scene.breaks()
    await desk.deliver()
    await refuses_for_hours(desk, ANNA)
    before = desk.tries()
    desk.scene.has(0.0, 20)
    for _ in range(10):
        await desk.deliver(after=5)
    assert desk.tries() == before + 1, "the recovery"


async def test_the_end_of_a_silence_tries_a_chat_that_refused_messages(desk: Desk) -> None:
    await refuses_for_hours(desk, ANNA)
    desk.scene.breaks()
    silence = Silence(until=desk.scene.now + timedelta(minutes=10), objective="latency")
    await desk.journal.add(
        Action(
            number=0,
            at=desk.scene.now,
            deed=ActionKind.SILENCE,
            by=Person(8, "Boris"),
            chat=address_of(GROUP),
            cause="1",
            silence=silence,
        )
    )
    await desk.deliver()
    desk.api.recovers()
    desk.scene.has(1.0, 9 * 60)
    await desk.deliver()
    assert desk.texts() == []
    desk.scene.has(1.0, 65)
    await desk.deliver()
    assert desk.texts()[0].startswith("🔴 Latency")


# Topics


@pytest.mark.parametrize(
    "refusal",
    [
        "Bad Request: TOPIC_CLOSED",
        "Bad Request: TOPIC_DELETED",
        "Bad Request: message thread not found",
        "Bad Request: something that nobody has seen yet",
    ],
)
async def test_what_a_topic_refuses_goes_to_the_chat_itself(desk: Desk, refusal: str) -> None:
    forum = desk.api.chat(SUPERGROUP, topics=[TOPIC])
    forum.shut_topics[TOPIC] = refusal
    desk.topics = {SUPERGROUP: TOPIC}
    desk.notifies((SUPERGROUP,))
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(SUPERGROUP) == [BREACH]
    assert desk.messages(SUPERGROUP)[0].parse_mode == "HTML"
    assert desk.delivery.unreachable == {}
    forum.shut_topics.clear()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert [message.topic for message in desk.messages(SUPERGROUP)] == [None, TOPIC]


async def test_what_replies_into_a_topic_that_was_closed_since_is_whole_in_the_chat_itself(desk: Desk) -> None:
    forum = desk.api.chat(SUPERGROUP, topics=[TOPIC])
    desk.topics = {SUPERGROUP: TOPIC}
    desk.rules = Rules(offers=("ack",), escalate_after=timedelta(minutes=15))
    desk.notifies((SUPERGROUP,))
    desk.scene.breaks()
    await desk.deliver()
    forum.shut_topics[TOPIC] = "Bad Request: TOPIC_CLOSED"
    desk.scene.has(1.0, 16 * 60)
    await desk.deliver()
    first, escalation = desk.messages(SUPERGROUP)
    assert (first.topic, escalation.topic) == (TOPIC, None)
    assert escalation.text.startswith("⏱ Escalation")
    assert escalation.parse_mode == "HTML"
    assert escalation.keyboard, "it can be acknowledged"
    assert desk.delivery.unreachable == {}


async def test_a_chat_that_refuses_even_the_plainest_message_cannot_be_reached(desk: Desk) -> None:
    desk.api.fails_with(400, "Bad Request: something that nobody has seen yet", methods=[SEND])
    desk.scene.breaks()
    await desk.deliver()
    assert list(desk.delivery.unreachable) == [address_of(ANNA)]
    desk.api.recovers()
    await desk.deliver(after=60)
    assert desk.texts() == [BREACH]


# One notification holds no other


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (400, "Bad Request: MESSAGE_ID_INVALID"),
        (400, "Bad Request: message can't be edited"),
        (400, "Bad Request: something that nobody has seen yet"),
        (403, "Forbidden: MESSAGE_AUTHOR_REQUIRED"),
        (404, "Not Found"),
        (500, "Internal Server Error"),
    ],
)
async def test_an_edit_that_is_refused_holds_neither_a_recovery_nor_a_breach(
    desk: Desk, status: int, refusal: str
) -> None:
    await two_breaches(desk)
    desk.api.fails_with(status, refusal, methods=[EDIT])
    storm(desk.scene, keys(1), 0.0, 20)
    await desk.deliver()
    assert sum("resolved" in text for text in desk.texts()) == 1
    storm(desk.scene, keys(3)[2:], 1.0, 25)
    await desk.deliver()
    assert any("/2" in text for text in desk.texts())
    assert desk.delivery.unreachable == {}
    assert desk.delivery.undelivered_since is None


async def test_a_message_whose_edits_are_refused_is_sent_anew_once_and_not_every_minute(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.api.fails_with(400, "Bad Request: MESSAGE_ID_INVALID", methods=[EDIT])
    for _ in range(10):
        desk.scene.has(1.0, 60)
        await desk.deliver()
    assert len(desk.texts()) == 2


async def test_a_flood_wait_for_edits_holds_no_breach(desk: Desk) -> None:
    await two_breaches(desk)
    desk.api.fails_with(429, retry_after=3600, methods=[EDIT])
    storm(desk.scene, keys(2), 1.0, 70)
    await desk.deliver()
    assert desk.tries(EDIT) == 1, "Telegram takes no more edits"
    storm(desk.scene, keys(3)[2:], 1.0, 25)
    await desk.deliver()
    assert len(desk.texts()) == 3
    assert desk.delivery.unreachable == {}
    desk.api.recovers()
    await desk.deliver(after=300)
    assert desk.messages()[0].edits, "an hour is not waited for"


async def test_a_flood_wait_for_seeing_whether_a_chat_can_be_reached_holds_no_breach(desk: Desk) -> None:
    desk.api.fails_with(429, retry_after=3600, methods=["sendChatAction"])
    await desk.deliver()
    assert desk.tries("sendChatAction") == 1
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts() == [BREACH]
    assert desk.delivery.unreached == {}


async def test_a_flood_wait_of_minutes_is_known_elsewhere_and_not_waited_out_for_ever(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(429, retry_after=86400, methods=[SEND], chat=ANNA)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver()
    assert desk.delivery.unreachable == {address_of(ANNA): "Telegram requires a wait of 86400 s"}
    assert desk.texts(GROUP)[1].startswith("🟠 Chat 7 cannot be reached: Telegram requires a wait of 86400 s.")
    desk.api.recovers()
    await desk.deliver(after=300)
    assert len(desk.texts(ANNA)) == 1
    assert desk.delivery.unreachable == {}


RETRY_AFTER = ("0.4", '"7"', '"abc"', "null", "-5", "1e12", "34560000", "{}", "true", "1" * 4301)


async def test_a_clock_that_is_set_back_prolongs_no_wait(desk: Desk) -> None:
    desk.scene.breaks()
    desk.api.fails_with(500, methods=[SEND])
    await desk.deliver()
    desk.api.recovers()
    desk.scene.second -= 3600
    desk.delivery.on_evaluation()
    await desk.delivery.deliver()
    assert desk.texts() == [BREACH]


async def test_what_was_written_before_a_clock_was_set_back_is_edited_and_escalated_in_time(desk: Desk) -> None:
    desk.rules = Rules(escalate_after=timedelta(minutes=15))
    desk.restart()
    desk.scene.breaks()
    await desk.deliver()
    desk.scene.second -= 3600
    for _ in range(16):
        desk.delivery.on_evaluation()
        await desk.delivery.deliver()
        desk.scene.second += 60
    assert len(desk.messages()[0].edits) > 0
    assert any(text.startswith("⏱ Escalation") for text in desk.texts())


async def test_a_flood_wait_is_taken_for_a_second_to_five_minutes_whatever_is_written(desk: Desk) -> None:
    for given in RETRY_AFTER:
        body = f'{{"ok":false,"error_code":429,"description":"x","parameters":{{"retry_after":{given}}}}}'
        desk.api.answers_with(429, body, methods=[SEND], times=1)
    desk.scene.breaks()
    for tries, given in enumerate(RETRY_AFTER, 1):
        await desk.deliver()
        await desk.deliver()
        assert desk.tries() == tries, given
        desk.scene.second += 300
    await desk.deliver()
    assert len(desk.texts()) == 1
    assert REPEAT not in desk.messages()[0].text


ODD: tuple[str | bytes, ...] = (
    "{}",
    "[]",
    "null",
    "7",
    '{"ok":true}',
    '{"ok":true,"result":true}',
    '{"ok":true,"result":[]}',
    '{"ok":true,"result":null}',
    '{"ok":true,"result":{"message_id":"x","date":"y"}}',
    '{"ok":true,"result":{"message_id":"7","date":1,"chat":{"id":7,"type":"private"}}}',
    '{"ok":true,"result":{"message_id":[7],"date":1,"chat":{"id":7,"type":"private"}}}',
    '{"ok":true,"result":{"message_id":true,"date":1,"chat":{"id":7,"type":"private"}}}',
    '{"ok":true,"result":{"message_id":' + "9" * 400 + ',"date":1,"chat":{"id":7,"type":"private"}}}',
    '{"ok":true,"result":{"message_id":1,"date":1' + "0" * 18 + ',"chat":{"id":7,"type":"private"}}}',
    '{"ok":false,"description":7}',
    b"\xff\xfe\x00",
    "[" * 100_000,
    HTML_403,
    "",
)


async def test_an_answer_that_nobody_foresaw_ends_nothing_and_the_message_may_be_a_repeat(desk: Desk) -> None:
    for body in ODD:
        desk.api.answers_with(200, body, methods=[SEND], times=1)
    desk.scene.breaks()
    for tries, body in enumerate(ODD, 1):
        await desk.deliver(after=LONGEST_WAIT.total_seconds())
        assert desk.tries() == tries, body
    await desk.deliver(after=LONGEST_WAIT.total_seconds())
    (message,) = desk.messages()
    assert REPEAT in message.text


@pytest.mark.parametrize("body", ["{}", "[]", b"\xff", HTML_403], ids=["object", "list", "bytes", "page"])
async def test_whatever_answers_instead_of_telegram_is_waited_out(desk: Desk, body: str | bytes) -> None:
    for status in (201, 302, 400, 401, 403, 404, 413, 429, 500, 503, 599):
        desk.api.answers_with(status, body, methods=[SEND], times=1)
    desk.scene.breaks()
    for tries in range(1, 13):
        await desk.deliver(after=LONGEST_WAIT.total_seconds())
        assert desk.tries() == tries
        assert desk.delivery.unreachable == {}
    assert len(desk.texts()) == 1


async def test_odd_answers_to_edits_hold_no_breach(desk: Desk) -> None:
    await two_breaches(desk)
    for body in ODD:
        desk.api.answers_with(200, body, methods=[EDIT], times=2)
    for number in range(2, 5):
        storm(desk.scene, keys(number + 1), 1.0, 70)
        await desk.deliver()
    assert len(desk.texts()) == 5


class BrokenFormatter(Formatter):
    """Has no words for one of the endpoints, as a fault of ours would have it."""

    def foot(self, incident: Incident) -> str:
        if "/0" in str(incident.key):
            raise ZeroDivisionError
        return super().foot(incident)


async def test_an_incident_that_cannot_be_worded_is_logged_and_counted_and_holds_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.fmt = lambda _language: BrokenFormatter(desk.scene.objectives, UTC)
    desk.restart()
    storm(desk.scene, keys(2), 1.0, 25)
    await desk.deliver()
    assert len(desk.texts()) == 1
    assert "nothing can be said of #1: a fault of ours" in caplog.text
    assert (Kind.BREACH, "failed") in desk.outcomes
    assert desk.delivery.undelivered_since is not None


# Groups that move


async def test_a_group_that_moves_twice_is_followed(desk: Desk) -> None:
    desk.notifies((GROUP,))
    desk.api.migrates(GROUP, SUPERGROUP)
    desk.scene.breaks()
    await desk.deliver()
    desk.api.migrates(SUPERGROUP, -1002)
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert desk.texts(-1002)[0].startswith(BACK)
    assert address_of(GROUP) in desk.recipients
    assert address_of(-1002) in desk.recipients
    assert address_of(SUPERGROUP) not in desk.recipients


async def test_groups_that_move_in_a_circle_are_not_followed_round_it(desk: Desk) -> None:
    desk.notifies((GROUP,))
    desk.api.migrates(GROUP, SUPERGROUP)
    desk.api.migrates(SUPERGROUP, GROUP)
    desk.scene.breaks()
    await desk.deliver()
    assert desk.tries() < 10


async def test_a_group_that_is_in_the_settings_by_both_its_ids_is_notified_once(desk: Desk) -> None:
    desk.notifies((GROUP, SUPERGROUP))
    desk.api.migrates(GROUP, SUPERGROUP)
    await desk.recipients.move(address_of(GROUP), address_of(SUPERGROUP))
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(SUPERGROUP) == [BREACH]


async def test_settings_that_name_the_new_id_of_a_group_repeat_nothing_and_keep_its_language(desk: Desk) -> None:
    desk.notifies((GROUP,))
    desk.api.migrates(GROUP, SUPERGROUP)
    desk.scene.breaks()
    await desk.deliver()
    await desk.delivery.set_language(address_of(SUPERGROUP), "ru")
    desk.notifies((SUPERGROUP,))
    assert desk.recipients.subscriber(address_of(SUPERGROUP)).language == "ru"
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert [text.split(":")[0] for text in desk.texts(SUPERGROUP)][1:] == ["🟢 Latency resolved"]


async def test_a_group_that_has_moved_and_refuses_messages_is_tried_under_its_new_id(desk: Desk) -> None:
    desk.notifies((GROUP,))
    desk.api.migrates(GROUP, SUPERGROUP)
    await desk.recipients.move(address_of(GROUP), address_of(SUPERGROUP))
    desk.api.fails_with(403, KICKED, chat=SUPERGROUP)
    desk.scene.breaks()
    await desk.deliver()
    assert list(desk.delivery.unreachable) == [address_of(GROUP)]
    desk.api.recovers()
    await desk.delivery.revive(address_of(SUPERGROUP))
    await desk.deliver(after=5)
    assert len(desk.texts(SUPERGROUP)) == 1


# The edge


@pytest.mark.parametrize("action", ["send", "edit", "show", "reach", "pin", "unpin"])
async def test_whatever_telegram_answers_an_attempt_succeeds_or_is_a_chat_error(bot_api: BotApi, action: str) -> None:
    bot_api.chat(ANNA)
    async with connection.connect(TOKEN, bot_api.url) as bot:
        chat = channel.TelegramChannel(bot)
        attempts: dict[str, Callable[[], Awaitable[object]]] = {
            "send": lambda: chat.send(address_of(ANNA), "text"),
            "edit": lambda: chat.edit(address_of(ANNA), 1, "text"),
            "show": lambda: chat.show(address_of(ANNA, TOPIC), Picture(b"png", "caption")),
            "reach": lambda: chat.reach(address_of(ANNA)),
            "pin": lambda: chat.pin(address_of(ANNA), 1),
            "unpin": lambda: chat.unpin(address_of(ANNA), 1),
        }
        for body in ODD:
            for status in (200, 400, 403, 500):
                bot_api.answers_with(status, body)
                with suppress(ChannelError):
                    await attempts[action]()
                bot_api.recovers()


async def test_a_picture_that_a_topic_refuses_goes_to_the_chat_itself(bot_api: BotApi) -> None:
    forum = bot_api.chat(SUPERGROUP, topics=[TOPIC])
    async with connection.connect(TOKEN, bot_api.url) as bot:
        for refusal in (
            "Bad Request: TOPIC_CLOSED",
            "Bad Request: TOPIC_DELETED",
            "Bad Request: message thread not found",
        ):
            forum.shut_topics[TOPIC] = refusal
            await channel.TelegramChannel(bot).show(address_of(SUPERGROUP, TOPIC), Picture(b"\x89PNG\r\n", "Latency"))
        del forum.shut_topics[TOPIC]
        breach = await channel.TelegramChannel(bot).send(address_of(SUPERGROUP, TOPIC), "breach")
        forum.shut_topics[TOPIC] = "Bad Request: TOPIC_CLOSED"
        picture = Picture(b"\x89PNG\r\n", "Latency")
        await channel.TelegramChannel(bot).show(address_of(SUPERGROUP, TOPIC), picture, reply_to=breach)
    assert [message.topic for message in forum.messages] == [None, None, None, TOPIC, None]


async def test_every_update_from_a_chat_is_noted_and_so_are_its_moves(bot_api: BotApi) -> None:
    talk = Talk(bot_api, Formatter(Objectives.only(LATENCY), UTC), among())

    def membership(chat: int, status: str) -> dict[str, object]:
        return {"chat": {"id": chat, "type": "group"}, "new_chat_member": {"status": status}}

    def message(chat: int, **more: object) -> dict[str, object]:
        return {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "supergroup"}, **more}

    async with talk.listening():
        await bot_api.says(ANNA, ANNA, "good morning")
        await bot_api.sends_update("channel_post", message(-1007, text="news"))
        await bot_api.sends_update("my_chat_member", membership(-20, "kicked"))
        await bot_api.sends_update("my_chat_member", membership(-21, "administrator"))
        sender = {"id": 8, "is_bot": False, "first_name": "Boris"}
        press = {"id": "1", "from": sender, "message": message(-22), "chat_instance": "1", "data": "x"}
        await bot_api.sends_update("callback_query", press)
        await bot_api.sends_update("message", message(GROUP, migrate_to_chat_id=SUPERGROUP))
        await bot_api.sends_update("message", message(SUPERGROUP, migrate_from_chat_id=GROUP))
        await talk.is_handled()
    assert talk.active_chat == [address_of(chat) for chat in (ANNA, -1007, -21, -22, GROUP, SUPERGROUP)]
    assert talk.moves == [(address_of(GROUP), address_of(SUPERGROUP))] * 2


async def test_an_odd_answer_to_who_the_bot_is_does_not_end_what_listens(bot_api: BotApi) -> None:
    bot_api.chat(ANNA)
    bot_api.answers_with(200, '{"ok":true,"result":true}', methods=["getMe"])
    talk = Talk(bot_api, Formatter(Objectives.only(LATENCY), UTC), among())

    bot = connection.connect(TOKEN, bot_api.url)
    listens = TelegramUpdates(
        bot, channel.TelegramChannel(bot), replace(talk.listener(), menus={}, listened_at=talk.clock()), Gate()
    )
    task = asyncio.create_task(listens.run())
    await bot_api.says(ANNA, ANNA, "/version")
    await bot_api.says(ANNA, ANNA, "/id@wine_slo_bot")
    await bot_api.until(lambda: len(bot_api.chat(ANNA).messages) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
