"""Delivery through the real Telegram client against a Bot API that has bad days; time passes when the test says so."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import KICKED, TOKEN, BotApi
from tests.support.fakes.desk import (
    ANNA,
    BACK,
    BREACH,
    CLOSED,
    EDIT,
    GROUP,
    REPEAT,
    SEND,
    SUPERGROUP,
    Desk,
    keys,
    opened_desk,
    storm,
)  # fmt: skip
from tests.support.scene import LATENCY, Scene
from wine_slo.config import translations
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.notify.waits import FIRST_WAIT, FIRST_WAIT_UNSURE, LONGEST_WAIT
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.status_list import status_list


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(bot_api, tmp_path) as desk:
        yield desk


# Good days


async def test_a_breach_is_notified_once_and_loud(desk: Desk) -> None:
    desk.scene.breaks()
    for _ in range(3):
        await desk.deliver()
    assert desk.texts() == [BREACH]
    assert desk.messages()[0].is_loud
    assert desk.outcomes == [(Kind.BREACH, "told")]
    assert desk.tries() == 1


async def test_its_recovery_is_a_quiet_reply_and_the_first_message_says_that_it_is_over(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    await desk.deliver()
    first, second = desk.messages()
    assert (first.text, second.text.splitlines()[0]) == (CLOSED, BACK)
    assert second.reply_to == first.id
    assert second.is_silent
    assert [kind for kind, _ in desk.outcomes] == [Kind.BREACH, Kind.RECOVERY, Kind.CLOSE]


async def test_while_it_lasts_its_message_is_kept_up_to_date_once_a_minute(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    for _ in range(24):
        desk.scene.has(1.0)
        await desk.deliver()
    (message,) = desk.messages()
    assert len(message.edits) == 2
    assert message.text.splitlines()[0] == "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s) · 2 min"


async def test_a_restart_repeats_nothing_and_the_recovery_is_still_a_reply(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.restart()
    await desk.deliver()
    assert desk.texts() == [BREACH]
    desk.scene.has(0.0, 20)
    desk.restart()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    first, second = desk.messages()
    assert second.reply_to == first.id


async def test_nothing_is_sent_before_the_first_evaluation(desk: Desk) -> None:
    desk.scene.breaks()
    desk.decide()
    desk.restart()
    running = asyncio.create_task(desk.delivery.run())
    await asyncio.wait([running], timeout=0.1)
    assert desk.tries() == 0
    desk.delivery.on_evaluation()
    await desk.api.until(lambda: desk.texts() == [BREACH])
    running.cancel()


async def test_every_chat_is_notified(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(ANNA) == desk.texts(GROUP) == [BREACH]


# Not sent for certain


async def test_what_was_surely_not_sent_is_sent_once_it_can_be_and_is_no_repeat(desk: Desk) -> None:
    await desk.api.refuses_connections()
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver()
    assert desk.outcomes == [(Kind.BREACH, "failed")], "it is not tried again at once"
    assert desk.delivery.undelivered_since == desk.scene.incident.opened_at
    await desk.api.accepts_connections()
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    assert desk.texts() == [BREACH]
    assert REPEAT not in desk.messages()[0].text
    assert desk.delivery.undelivered_since is None


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_bad_day_of_telegram_is_waited_out(desk: Desk, status: int) -> None:
    desk.api.fails_with(status, "Bad day", methods=[SEND], times=2)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    assert desk.texts() == []
    await desk.deliver(after=2 * FIRST_WAIT.total_seconds())
    assert desk.texts() == [BREACH]
    assert desk.tries() == 3


async def test_waits_grow_up_to_a_minute_and_are_forgotten_with_the_first_success(desk: Desk) -> None:
    desk.api.fails_with(500, methods=[SEND])
    desk.scene.breaks()
    await desk.deliver()
    waits = []
    for _ in range(8):
        began, tries = desk.scene.second, desk.tries()
        while desk.tries() == tries:
            await desk.deliver(after=0.5)
        waits.append(desk.scene.second - began)
    for number, wait in enumerate(waits):
        longest = min(FIRST_WAIT.total_seconds() * 2**number, LONGEST_WAIT.total_seconds())
        assert longest / 2 <= wait <= longest + 0.5
    desk.api.recovers()
    await desk.deliver(after=LONGEST_WAIT.total_seconds())
    assert len(desk.texts()) == 1
    desk.api.fails_with(500, methods=[SEND], times=1)
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert BACK not in desk.texts()
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    assert BACK in desk.texts()


async def test_too_many_requests_are_waited_for_as_long_as_telegram_says_and_by_that_chat_alone(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(429, retry_after=35, methods=[SEND], chat=ANNA)
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(GROUP) == [BREACH]
    desk.api.recovers()
    await desk.deliver(after=34)
    assert desk.texts(ANNA) == []
    await desk.deliver(after=1)
    assert len(desk.texts(ANNA)) == 1
    assert REPEAT not in desk.messages(ANNA)[0].text


# Perhaps sent


async def test_what_was_never_answered_is_sent_again_and_says_that_it_may_be_a_repeat(desk: Desk) -> None:
    desk.api.hangs(methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver(after=FIRST_WAIT_UNSURE.total_seconds())
    (message,) = desk.messages()
    assert REPEAT in message.text


@pytest.mark.parametrize("fault", ["hangs", "resets"])
async def test_what_may_have_arrived_is_repeated_once_and_the_repeat_says_so(desk: Desk, fault: str) -> None:
    if fault == "hangs":
        desk.api.does_then_hangs(methods=[SEND], times=1)
    else:
        desk.api.does_then_resets(methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver(after=FIRST_WAIT_UNSURE.total_seconds())
    await desk.deliver(after=60)
    first, second = desk.messages()
    assert REPEAT not in first.versions[0].text
    assert REPEAT in second.versions[0].text
    assert REPEAT not in second.text, "the next edit takes the mark off"


async def test_a_sure_failure_after_an_unsure_one_does_not_take_the_mark_off(desk: Desk) -> None:
    desk.api.does_then_hangs(methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    await desk.api.refuses_connections()
    await desk.deliver(after=FIRST_WAIT_UNSURE.total_seconds())
    await desk.api.accepts_connections()
    await desk.deliver(after=2 * FIRST_WAIT_UNSURE.total_seconds())
    assert REPEAT in desk.messages()[-1].text


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_an_edit_that_may_have_arrived_is_simply_repeated(desk: Desk, fault: str) -> None:
    desk.scene.breaks()
    await desk.deliver()
    desk.scene.has(1.0, 120)
    if fault == "before":
        desk.api.hangs(methods=[EDIT], times=1)
    else:
        desk.api.does_then_hangs(methods=[EDIT], times=1)
    await desk.deliver()
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    (message,) = desk.messages()
    assert len(message.edits) == 1
    assert message.text.splitlines()[0].endswith("· 2 min")
    assert REPEAT not in message.text
    assert desk.outcomes[-1] == (Kind.EDIT, "told"), "that it reads so already is success"


async def test_a_kill_between_sending_and_marking_repeats_one_message_and_says_so(desk: Desk) -> None:
    desk.api.does_then_hangs(methods=[SEND], times=1)
    desk.scene.breaks()
    desk.decide()
    delivering = asyncio.create_task(desk.delivery.deliver())
    await desk.api.until(lambda: desk.texts() == [BREACH])
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)

    desk.restart()
    for _ in range(3):
        await desk.deliver()
    assert len(desk.messages()) == 2
    assert REPEAT in desk.messages()[1].text


async def test_a_kill_before_sending_loses_nothing(desk: Desk) -> None:
    desk.scene.breaks()
    desk.decide()
    desk.restart()
    await desk.deliver()
    assert desk.texts() == [BREACH]
    assert REPEAT not in desk.messages()[0].text


# Order


async def test_what_began_and_ended_undelivered_is_notified_in_one_line(desk: Desk) -> None:
    await desk.api.refuses_connections()
    desk.scene.breaks()
    await desk.deliver()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    await desk.api.accepts_connections()
    await desk.deliver(after=60)
    (message,) = desk.messages()
    assert message.text.startswith("⚪️ Delivered late (messages could not be sent): Latency in breach")
    assert message.is_silent


async def test_a_recovery_is_never_dropped(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    await desk.api.refuses_connections()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    desk.restart()
    await desk.deliver(after=3600)
    await desk.api.accepts_connections()
    await desk.deliver(after=3600)
    first, second = desk.messages()
    assert second.text.startswith(BACK)
    assert second.reply_to == first.id


# What people do to messages


async def test_a_message_that_was_deleted_is_replaced_while_it_is_open(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    del desk.api.chat(ANNA).history[desk.messages()[0].id]
    desk.scene.has(1.0, 60)
    await desk.deliver()
    (fresh,) = desk.messages()
    assert fresh.is_silent
    desk.scene.has(1.0, 60)
    await desk.deliver()
    assert len(fresh.edits) == 1, "the new message is the one that lives"
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert desk.messages()[1].reply_to == fresh.id


@pytest.mark.parametrize("fault", ["does_then_hangs", "does_then_resets"])
async def test_a_replacement_that_may_have_arrived_is_repeated_and_says_so(desk: Desk, fault: str) -> None:
    desk.scene.breaks()
    await desk.deliver()
    del desk.api.chat(ANNA).history[desk.messages()[0].id]
    getattr(desk.api, fault)(methods=[SEND], times=1)
    desk.scene.has(1.0, 60)
    await desk.deliver()
    assert desk.ledger.load().records[0].perhaps_sent, "a restart now knows it as well"
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    first, second = desk.messages()
    assert REPEAT not in first.text
    assert REPEAT in second.text
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert desk.messages()[2].reply_to == second.id
    assert REPEAT not in desk.messages()[2].text


async def test_of_what_is_over_a_deleted_message_is_not_replaced(desk: Desk) -> None:
    desk.scene.breaks()
    await desk.deliver()
    del desk.api.chat(ANNA).history[desk.messages()[0].id]
    desk.scene.has(0.0, 20)
    await desk.deliver()
    await desk.deliver()
    assert desk.texts() == [BACK]
    assert desk.messages()[0].reply_to is None
    assert desk.tries(EDIT) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param("Bad Request: can't parse entities: Unsupported start tag", id="markup"),
        pytest.param("Bad Request: message is too long", id="length"),
    ],
)
async def test_refused_words_are_sent_plain_at_once(desk: Desk, refusal: str) -> None:
    desk.api.fails_with(400, refusal, methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    (message,) = desk.messages()
    assert message.text.startswith(BREACH)
    assert message.parse_mode is None
    assert "<b>" not in message.source

    desk.api.fails_with(400, refusal, methods=[EDIT], times=1)
    desk.scene.has(1.0, 120)
    await desk.deliver()
    assert message.parse_mode is None
    assert message.text.splitlines()[0].endswith("· 2 min")


# A chat that is closed to us, or moves


@pytest.mark.parametrize(
    ("status", "description"),
    [
        pytest.param(403, None, id="blocked"),
        pytest.param(403, KICKED, id="kicked"),
        pytest.param(400, "Bad Request: chat not found", id="not found"),
        pytest.param(400, "Bad Request: not enough rights to send text messages to the chat", id="no rights"),
    ],
)
async def test_a_chat_that_refuses_messages_is_tried_now_and_then_and_said_to_be_unreachable(
    desk: Desk, caplog: pytest.LogCaptureFixture, status: int, description: str | None
) -> None:
    desk.notifies((ANNA, GROUP))
    desk.api.fails_with(status, description, methods=[SEND], chat=ANNA)
    desk.scene.breaks()
    for _ in range(10):
        await desk.deliver(after=5)
    assert desk.sends_to(ANNA) == 1
    assert list(desk.delivery.unreachable) == [address_of(ANNA)]
    assert "chat 7 cannot be reached: " in caplog.text
    assert desk.delivery.undelivered_since == desk.scene.incident.opened_at
    assert desk.texts(GROUP)[0] == BREACH
    assert desk.texts(GROUP)[1].startswith("🟠 Chat 7 cannot be reached: ")
    await desk.deliver(after=3600)
    assert desk.sends_to(ANNA) == 2
    desk.restart()
    for _ in range(10):
        await desk.deliver(after=5)
    assert desk.sends_to(ANNA) == 3, "a restart tries it at once"
    assert sum(text.startswith("🟠 Chat 7") for text in desk.texts(GROUP)) == 1

    desk.api.recovers()
    await desk.delivery.revive(address_of(ANNA))
    await desk.deliver()
    assert desk.texts(ANNA)
    assert REPEAT not in desk.messages(ANNA)[0].text
    assert desk.delivery.unreachable == {}
    assert desk.delivery.undelivered_since is None


async def test_a_group_that_becomes_a_supergroup_is_followed_also_after_a_restart(desk: Desk) -> None:
    desk.notifies((GROUP,))
    desk.api.migrates(GROUP, SUPERGROUP)
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(SUPERGROUP) == [BREACH]
    desk.restart()
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert desk.messages(SUPERGROUP)[1].reply_to == desk.messages(SUPERGROUP)[0].id
    assert len([call for call in desk.api.calls_of(SEND) if call.chat_id == GROUP]) == 1


async def test_a_token_that_is_not_known_is_waited_for_and_not_written_into_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.api.fails_with(401, methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    assert "Telegram does not know the token" in caplog.text
    assert TOKEN not in caplog.text
    await desk.deliver(after=FIRST_WAIT.total_seconds())
    assert desk.texts() == [BREACH]


# Storms


async def test_a_storm_is_one_message_and_so_is_its_end(desk: Desk) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    storm(desk.scene, keys(STORM + 15), 1.0, 25)
    await desk.deliver()
    await desk.deliver(after=70)
    (first,) = desk.messages()
    assert first.is_loud
    assert first.text.startswith(f"🔴 Latency: {STORM + 15} of {STORM + 15} label sets in breach")
    storm(desk.scene, keys(STORM + 15), 0.0, 20)
    await desk.deliver()
    desk.restart()
    await desk.deliver()
    _, second = desk.messages()
    assert second.text.startswith(f"🟢 Latency: {STORM + 15} of {STORM + 15} label sets resolved\n")
    assert second.is_silent
    assert second.reply_to == first.id


async def test_a_few_at_once_are_notified_one_by_one(desk: Desk) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    storm(desk.scene, keys(STORM), 1.0, 25)
    await desk.deliver()
    assert len(desk.messages()) == STORM


# Why something is not sent


async def test_of_a_group_all_but_the_message_itself_are_counted_as_grouped_once(desk: Desk) -> None:
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    storm(desk.scene, keys(STORM + 1), 1.0, 25)
    await desk.deliver()
    await desk.deliver(after=70)
    assert desk.suppressions == [Suppression.GROUPED] * STORM


async def test_what_waits_for_a_flood_to_end_is_counted_once_and_known_to_the_chat(desk: Desk) -> None:
    desk.api.fails_with(429, retry_after=35, methods=[SEND], chat=ANNA, times=1)
    desk.scene.breaks()
    await desk.deliver()
    await desk.deliver(after=5)
    assert desk.suppressions == [Suppression.FLOOD_WAIT]
    assert dict(desk.delivery.suppressed(address_of(ANNA))) == {1: Suppression.FLOOD_WAIT}
    await desk.deliver(after=40)
    assert not desk.delivery.suppressed(address_of(ANNA))


async def test_a_send_that_failed_is_counted_as_a_retry_until_it_succeeds(desk: Desk) -> None:
    desk.api.fails_with(500, methods=[SEND], times=1)
    desk.scene.breaks()
    await desk.deliver()
    assert desk.suppressions == [Suppression.RETRY]
    await desk.deliver(after=70)
    assert not desk.delivery.suppressed(address_of(ANNA))


# The ledger, and the loop


async def test_a_ledger_that_cannot_be_written_holds_no_message_back_and_is_written_later(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.scene.breaks()
    desk.decide()
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("CREATE TRIGGER broken BEFORE INSERT ON told BEGIN SELECT RAISE(ABORT, 'broken'); END")
    await desk.delivery.deliver()
    assert desk.texts() == [BREACH]
    assert "cannot be written: broken" in caplog.text
    other.execute("DROP TRIGGER broken")
    other.close()
    await desk.delivery.deliver()
    desk.restart()
    await desk.deliver()
    assert desk.texts() == [BREACH]


class LateLedger(Ledger):
    """Writes the record of Anna no sooner than what came of the group's message, if it can."""

    _group_was_notified = threading.Event()

    def mark(self, delivered: Iterable[DeliveryRecord]) -> None:
        records = list(delivered)
        is_sent_to_group = any(each.chat == address_of(GROUP) and each.stage is Stage.OPENED for each in records)
        if not is_sent_to_group and any(each.chat == address_of(ANNA) for each in records):
            self._group_was_notified.wait(0.3)
        super().mark(records)
        if is_sent_to_group:
            self._group_was_notified.set()


async def test_no_older_record_is_written_over_a_newer_one(desk: Desk) -> None:
    desk.ledger.close()
    desk.ledger = LateLedger.open(f"sqlite:///{desk.path}")
    desk.restart()
    desk.notifies((ANNA, GROUP))
    desk.scene.breaks()
    await desk.deliver()
    assert {(each.chat, each.stage) for each in desk.ledger.load().records} == {
        (address_of(ANNA), Stage.OPENED),
        (address_of(GROUP), Stage.OPENED),
    }


async def test_the_loop_retries_by_itself_when_a_wait_is_over(desk: Desk) -> None:
    desk.is_real_time = True
    desk.api.fails_with(429, retry_after=1, methods=[SEND], times=1)
    desk.scene.breaks()
    desk.decide()
    running = asyncio.create_task(desk.delivery.run())
    await desk.api.until(desk.texts)
    running.cancel()
    assert desk.tries() == 2


async def test_a_wait_that_ends_while_something_else_is_being_sent_is_not_forgotten(
    bot_api: BotApi, tmp_path: Path
) -> None:
    async with opened_desk(bot_api, tmp_path, read_seconds=60) as desk:
        desk.is_real_time = True
        desk.notifies((ANNA, GROUP))
        bot_api.fails_with(403, KICKED, chat=GROUP)
        bot_api.fails_with(500, methods=[SEND], chat=ANNA, times=1)
        bot_api.answers_late(FIRST_WAIT.total_seconds() + 0.5, methods=[SEND], chat=ANNA, times=1)
        desk.scene.breaks()
        desk.decide()
        running = asyncio.create_task(desk.delivery.run())
        await bot_api.until(lambda: any(each.startswith(BREACH) for each in desk.texts()), seconds=30)
        assert desk.texts()[0].startswith(f"🟠 Chat {GROUP} cannot be reached: ")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_at_the_end_what_is_being_sent_is_sent_and_nothing_more_is_begun(desk: Desk) -> None:
    desk.api.answers_late(0.1, methods=[SEND])
    desk.scene.breaks()
    desk.decide()
    delivering = asyncio.create_task(desk.delivery.deliver())
    await desk.api.until(lambda: desk.texts() == [BREACH])
    await desk.delivery.finish(5)
    assert delivering.done()
    desk.scene.has(0.0, 20)
    desk.decide()
    more = asyncio.create_task(desk.delivery.deliver())
    await asyncio.wait([more], timeout=0.1)
    assert desk.texts() == [BREACH]
    more.cancel()


# What is urgent goes first


async def by_endpoint(desk: Desk, count: int) -> None:
    """So many incidents are open, and the chat knows of them."""
    desk.scene = Scene(replace(LATENCY, by=("endpoint",)))
    desk.restart()
    storm(desk.scene, keys(count), 1.0, 25)
    await desk.deliver()
    assert len(desk.texts()) == count


async def test_a_breach_is_sent_before_the_edits_and_the_recoveries_of_older_incidents(desk: Desk) -> None:
    await by_endpoint(desk, 3)
    storm(desk.scene, keys(3)[2:], 0.0, 20)
    storm(desk.scene, keys(2), 1.0, 70)
    storm(desk.scene, keys(4)[3:], 1.0, 25)
    before = len(desk.api.calls)
    await desk.deliver()
    calls = [call for call in desk.api.calls[before:] if call.method in (SEND, EDIT)]
    assert [call.method for call in calls[:3]] == [SEND, SEND, EDIT]
    assert not calls[0].is_set("disable_notification"), "the breach makes a sound"


async def test_a_try_whether_a_chat_can_be_reached_holds_no_breach_when_it_hangs(
    bot_api: BotApi, tmp_path: Path
) -> None:
    async with opened_desk(bot_api, tmp_path, read_seconds=60) as desk:
        bot_api.hangs(methods=["sendChatAction"])
        desk.decide()
        running = asyncio.create_task(desk.delivery.run())
        await bot_api.until(lambda: desk.tries("sendChatAction") == 1)
        desk.scene.breaks()
        desk.decide()
        await bot_api.until(lambda: desk.texts() == [BREACH], seconds=30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_edit_that_hangs_holds_no_breach(bot_api: BotApi, tmp_path: Path) -> None:
    async with opened_desk(bot_api, tmp_path, read_seconds=60) as desk:
        await by_endpoint(desk, 2)
        bot_api.hangs(methods=[EDIT])
        storm(desk.scene, keys(2), 1.0, 70)
        desk.decide()
        running = asyncio.create_task(desk.delivery.run())
        await bot_api.until(lambda: desk.tries(EDIT) == 1)
        storm(desk.scene, keys(3)[2:], 1.0, 25)
        desk.decide()
        await bot_api.until(lambda: len(desk.texts()) == 3, seconds=30)
        await bot_api.until(lambda: desk.tries(EDIT) == 2)
        desk.decide()
        bot_api.recovers()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await desk.deliver()
        assert desk.messages()[0].edits, "what was given up is edited all the same"
        assert len(desk.texts()) == 3


async def test_a_refused_edit_holds_no_breach_when_the_chat_does_not_answer(bot_api: BotApi, tmp_path: Path) -> None:
    async with opened_desk(bot_api, tmp_path, read_seconds=60) as desk:
        await by_endpoint(desk, 2)
        reaches = desk.tries("sendChatAction")
        bot_api.fails_with(403, methods=[EDIT])
        bot_api.hangs(methods=["sendChatAction"])
        storm(desk.scene, keys(2), 1.0, 70)
        desk.decide()
        running = asyncio.create_task(desk.delivery.run())
        await bot_api.until(lambda: desk.tries("sendChatAction") > reaches)
        storm(desk.scene, keys(3)[2:], 1.0, 25)
        desk.decide()
        await bot_api.until(lambda: len(desk.texts()) == 3, seconds=30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_edit_that_hangs_does_not_hold_a_breach_whose_wait_is_over(bot_api: BotApi, tmp_path: Path) -> None:
    async with opened_desk(bot_api, tmp_path, read_seconds=60) as desk:
        await by_endpoint(desk, 2)
        desk.is_real_time = True
        bot_api.hangs(methods=[EDIT])
        bot_api.fails_with(500, methods=[SEND], times=1)
        storm(desk.scene, keys(2), 1.0, 70)
        storm(desk.scene, keys(3)[2:], 1.0, 25)
        desk.decide()
        running = asyncio.create_task(desk.delivery.run())
        await bot_api.until(lambda: desk.tries(EDIT) == 1)
        before = len(desk.texts())
        await bot_api.until(lambda: len(desk.texts()) > before, seconds=30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


# Languages


async def test_another_language_is_used_at_once_also_while_a_chat_is_being_tried(two_languages: Desk) -> None:
    desk = two_languages
    desk.scene.breaks()
    await desk.deliver()
    desk.restart()
    desk.api.answers_late(0.2, methods=["sendChatAction"], chat=ANNA)
    tries = desk.tries("sendChatAction")
    desk.decide()
    running = asyncio.create_task(desk.delivery.run())
    await desk.api.until(lambda: desk.tries("sendChatAction") > tries)
    desk.scene.second += 60
    await desk.delivery.set_language(address_of(ANNA), "ru")
    await desk.api.until(lambda: desk.messages()[0].edits)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def two_languages(desk: Desk) -> Desk:
    spoken = translations.load()
    desk.fmt = lambda language: Formatter(desk.scene.objectives, UTC, spoken[language or "en"])
    desk.notifies((ANNA, GROUP))
    desk.restart()
    return desk


async def test_each_chat_is_notified_in_its_own_language(two_languages: Desk) -> None:
    desk = two_languages
    await desk.delivery.set_language(address_of(GROUP), "ru")
    desk.scene.breaks()
    await desk.deliver()
    assert desk.texts(ANNA) == ["🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)"]
    assert desk.texts(GROUP) == ["🔴 Задержка: p95 2,4 с (цель ≤ 1 с, за 20 с)"]
    desk.scene.has(0.0, 20)
    await desk.deliver()
    assert desk.texts(GROUP)[1] == "🟢 Задержка в норме: p95 0,05 с (за 20 с)"
    said = status_list(desk.localizer.fmt(address_of(GROUP)), desk.scene.state, desk.clock())
    assert said.startswith("🟢 latency: p95 0,05 с (цель ≤ 1 с, за 20 с)")


async def test_another_language_is_a_quiet_edit_of_what_is_there_and_nothing_new(two_languages: Desk) -> None:
    desk = two_languages
    desk.scene.breaks()
    await desk.deliver()
    await desk.delivery.set_language(address_of(GROUP), "ru")
    desk.scene.has(1.0, 60)
    await desk.deliver()
    (message,) = desk.messages(GROUP)
    assert message.text.startswith("🔴 Задержка: ")
    assert len(message.edits) == 1
    desk.scene.has(0.0, 20)
    await desk.deliver()
    await desk.delivery.set_language(address_of(GROUP), "en")
    await desk.deliver()
    assert desk.texts(GROUP)[0].startswith("⚪️ Resolved: Latency in breach")
    assert len(desk.messages(GROUP)) == 2, "and of what is over only the first message"


async def test_the_language_of_a_chat_outlives_a_restart_and_a_move(two_languages: Desk) -> None:
    desk = two_languages
    desk.scene.breaks()
    await desk.deliver()
    await desk.delivery.set_language(address_of(GROUP), "ru")
    desk.api.migrates(GROUP, SUPERGROUP)
    desk.restart()
    desk.scene.has(1.0, 60)
    await desk.deliver()
    assert desk.localizer.fmt(address_of(SUPERGROUP)).language.code == "ru"
    await desk.delivery.set_language(address_of(SUPERGROUP), "en")
    assert desk.localizer.fmt(address_of(GROUP)).language.code == "en"
    desk.restart()
    assert desk.localizer.fmt(address_of(SUPERGROUP)).language.code == "en"


async def test_a_gap_without_evaluations_is_notified_once_whatever_the_language_is_later(two_languages: Desk) -> None:
    desk = two_languages
    desk.notifies((ANNA,))
    desk.scene.has(0.0, 20)
    desk.scene.second += 600
    desk.scene.has(0.0, 5)
    await desk.deliver()
    assert desk.texts() == ["🔄 Not evaluating for 10 min: the watchdog was suspended. No incident is open."]
    await desk.delivery.set_language(address_of(ANNA), "ru")
    await desk.deliver()
    assert len(desk.messages()) == 1
    assert desk.texts()[0].startswith("🔄 ")
