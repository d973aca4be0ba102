"""Many breaches at once, in every shape: what a chat reads of them, through the real client and a fake Bot API."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.desk import ANNA, EDIT, GROUP, SEND, Desk, keys, opened_desk, storm
from tests.support.fakes.telegram_chats import Message
from tests.support.held_loop import held_loop
from tests.support.scene import ERRORS, LATENCY, Scene
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.notify.policies import Rules
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.keyboard import VERBS
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import Action, ActionKind
from wine_slo.slo.oncall.time_phrases import QuietHours

MANY = 40
BY_ENDPOINT = replace(LATENCY, by=("endpoint",))


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened_desk(bot_api, tmp_path) as desk:
        desk.scene = Scene(BY_ENDPOINT, ERRORS)
        yield desk


def seen(scene: Scene, seconds: int, *, bad: Iterable[Key] = (), good: Iterable[Key] = ()) -> None:
    """For so long these are bad, and those are good."""
    shares = {**dict.fromkeys(bad, 1.0), **dict.fromkeys(good, 0.0)}
    for _ in range(seconds // 5):
        scene.second += 5
        scene.evaluate(
            {
                key: Reading(
                    at=scene.now,
                    sight=Sight.CLEAR,
                    intervals=(Interval(scene.now, 50 * share, 50),),
                    recent_seconds=0.05 + 2 * share,
                    good_ratio=1 - share,
                )
                for key, share in shares.items()
            }
        )


def said(desk: Desk, chat: int = ANNA) -> list[Message]:
    """What was said, but for times without an evaluation, as the clock jumps here."""
    return [each for each in desk.messages(chat) if not each.text.startswith("🔄")]


def firsts(desk: Desk) -> list[str]:
    return [each.text.splitlines()[0] for each in said(desk)]


def undelivered(desk: Desk) -> list[int]:
    """The incidents of which the ledger does not say that the chat knows how they stand."""
    incidents = desk.scene.state.incidents
    stages = {each.incident: each.stage for each in desk.ledger.records_of(incidents)}
    wanted = {number: Stage.OPENED if each.is_open else Stage.CLOSED for number, each in incidents.items()}
    return [number for number, stage in wanted.items() if stages.get(number) is not stage]


async def test_further_waves_are_edits_of_the_message_of_the_storm(desk: Desk) -> None:
    for count in (MANY, 2 * MANY, 2 * MANY + 1, 2 * MANY + 7):
        seen(desk.scene, 30, bad=keys(count), good=keys(3 * MANY)[count:])
        await desk.deliver()
    (message,) = said(desk)
    assert message.text.startswith(f"🔴 Latency: {2 * MANY + 7} of {3 * MANY} label sets in breach")
    assert undelivered(desk) == []


async def test_stragglers_of_ten_minutes_are_edits_too(desk: Desk) -> None:
    for minute in range(12):
        seen(desk.scene, 60, bad=keys(MANY + minute))
        await desk.deliver()
    assert len(said(desk)) == 1
    assert undelivered(desk) == []


async def test_another_wave_as_large_as_the_storm_hours_later_makes_a_sound(desk: Desk) -> None:
    storm(desk.scene, keys(MANY), 1.0, 25)
    await desk.deliver()
    desk.scene.second += 600
    seen(desk.scene, 30, bad=keys(3 * MANY))
    await desk.deliver()
    first, second = said(desk)
    assert second.is_loud
    assert first.text.startswith(f"🔴 Latency: {MANY} of")


async def test_a_single_breach_of_another_objective_has_a_message_of_its_own(desk: Desk) -> None:
    seen(desk.scene, 30, bad=[*keys(MANY), Key("errors")])
    await desk.deliver()
    texts = firsts(desk)
    assert len(texts) == 2
    assert sum(each.startswith("🔴 Errors: ") for each in texts) == 1


async def test_what_comes_during_a_storm_and_is_of_another_objective_makes_a_sound(desk: Desk) -> None:
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    seen(desk.scene, 30, bad=[*keys(MANY), Key("errors")])
    await desk.deliver()
    assert firsts(desk)[-1].startswith("🔴 Errors: ")
    assert said(desk)[-1].is_loud


async def test_two_breaches_before_the_storm_and_the_storm_are_three_messages(desk: Desk) -> None:
    """Those with more traffic are certain sooner, while all others are suspicious."""
    names = keys(MANY)
    for count in (1, 2, 4, 9, MANY):
        seen(desk.scene, 25, bad=names[:count])
        seen(desk.scene, 5, bad=names)
        await desk.deliver()
    assert len(said(desk)) <= 3
    assert undelivered(desk) == []


async def test_a_storm_that_ends_in_waves_has_one_recovery_that_accounts_for_all(desk: Desk) -> None:
    names = keys(MANY)
    seen(desk.scene, 30, bad=names)
    await desk.deliver()
    for over in (10, 30, MANY):
        seen(desk.scene, 30, bad=names[over:], good=names[:over])
        await desk.deliver()
        await desk.deliver()
    first, recovery = said(desk)
    assert recovery.text.startswith(f"🟢 Latency: {MANY} of {MANY} label sets resolved\n")
    assert recovery.reply_to == first.id
    assert first.text.startswith(f"⚪️ Resolved: Latency, {MANY} label sets, ")
    assert undelivered(desk) == []


async def test_what_goes_on_after_a_storm_is_named_in_its_recovery_and_has_a_recovery_later(desk: Desk) -> None:
    names = keys(MANY)
    seen(desk.scene, 30, bad=names)
    await desk.deliver()
    for _ in range(6):
        seen(desk.scene, 30, bad=names[-2:], good=names[:-2])
        await desk.deliver()
    assert said(desk)[-1].text.splitlines()[0] == f"🟢 Latency: {MANY - 2} of {MANY} label sets resolved"
    assert said(desk)[-1].text.splitlines()[-1].startswith("2 still in breach: /38 (2 s), /39 (2 s).")
    assert said(desk)[0].text.startswith(f"🔴 Latency: 2 of {MANY} label sets still in breach")
    seen(desk.scene, 30, good=names)
    await desk.deliver()
    assert len(said(desk)) == 3
    assert undelivered(desk) == []


async def test_parts_that_flap_are_no_messages(desk: Desk) -> None:
    names = keys(MANY)
    seen(desk.scene, 30, bad=names)
    await desk.deliver()
    for _ in range(4):
        seen(desk.scene, 30, bad=names[10:], good=names[:10])
        await desk.deliver()
        seen(desk.scene, 60, bad=names)
        await desk.deliver()
    assert len(said(desk)) == 1


async def test_a_storm_that_comes_back_after_its_recovery_is_one_new_message(desk: Desk) -> None:
    names = keys(MANY)
    for _ in range(2):
        seen(desk.scene, 30, bad=names)
        await desk.deliver()
        seen(desk.scene, 200, good=names)
        await desk.deliver(after=60)
    assert [each[0] for each in firsts(desk)] == ["⚪", "🟢", "⚪", "🟢"]
    assert undelivered(desk) == []


async def test_one_press_acknowledges_all_and_what_comes_later_is_not(desk: Desk) -> None:
    desk.rules = Rules(offers=VERBS)
    desk.restart()
    desk.scene = Scene(BY_ENDPOINT)
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    chat = address_of(ANNA)
    numbers = desk.delivery.sharing(chat, min(desk.scene.state.incidents))
    assert len(numbers) == MANY
    actions = [
        Action(
            number=0,
            at=desk.scene.now,
            deed=ActionKind.ACKNOWLEDGE,
            by=Person(7, "Anna"),
            chat=chat,
            cause=f"press 1 #{number}",
            incident=number,
        )
        for number in sorted(numbers)
    ]
    await desk.journal.add_all(actions)
    await desk.deliver()
    (message,) = said(desk)
    assert "Acknowledged by Anna at 19:40." in message.text
    assert message.buttons == []
    seen(desk.scene, 30, bad=keys(MANY + 2))
    await desk.deliver()
    assert f"Acknowledged: {MANY} of {MANY + 2}, the last by Anna at 19:40." in message.text
    assert message.buttons == ["Acknowledge all"]


async def test_reminders_and_escalations_of_a_storm_are_one_each(desk: Desk) -> None:
    desk.notifies((ANNA, GROUP))
    desk.rules = Rules(second_chats={address_of(GROUP)}, escalate_after=timedelta(minutes=15))
    desk.restart()
    desk.scene = Scene(BY_ENDPOINT)
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    assert said(desk, GROUP) == []
    seen(desk.scene, 900, bad=keys(MANY))
    await desk.deliver()
    assert len(said(desk, ANNA)) == 2
    assert said(desk, ANNA)[-1].text.startswith("⏱ Escalation: nobody acknowledged these for 15 min: Latency, 40 ")
    (second,) = said(desk, GROUP)
    assert "Escalated: nobody acknowledged it for 15 min." in second.text
    desk.scene.second += BY_ENDPOINT.remind_after.total_seconds()
    seen(desk.scene, 5, bad=keys(MANY))
    await desk.deliver()
    assert said(desk, ANNA)[-1].text.startswith("⏱ Still open after ")
    assert (len(said(desk, ANNA)), len(said(desk, GROUP))) == (3, 2)


async def test_many_that_were_notified_one_by_one_are_one_reminder(desk: Desk) -> None:
    for number in range(STORM + 3):
        seen(desk.scene, 30, bad=keys(number + 1))
        await desk.deliver()
        desk.scene.second += 700
    before = len(said(desk))
    desk.scene.second += BY_ENDPOINT.remind_after.total_seconds()
    seen(desk.scene, 5, bad=keys(STORM + 3))
    await desk.deliver()
    assert len(said(desk)) == before + 1


async def test_a_storm_while_telegram_is_away_is_one_message(desk: Desk) -> None:
    await desk.api.refuses_connections()
    for count in (MANY, MANY + 10, MANY + 20):
        seen(desk.scene, 30, bad=keys(count))
        await desk.deliver()
    await desk.api.accepts_connections()
    await desk.deliver(after=60)
    await desk.deliver(after=60)
    (message,) = said(desk)
    assert message.text.startswith(f"🔴 Latency: {MANY + 20} of ")
    assert undelivered(desk) == []


async def test_a_flood_limit_on_edits_lets_a_second_message_through_and_no_third(desk: Desk) -> None:
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    desk.api.fails_with(429, retry_after=3600, methods=[EDIT])
    for count in range(MANY + 1, MANY + 20):
        seen(desk.scene, 20, bad=keys(count))
        await desk.deliver()
    assert len(said(desk)) <= 3
    desk.api.recovers()
    seen(desk.scene, 400, bad=keys(MANY + 20))
    await desk.deliver()
    await desk.deliver(after=60)
    assert len(said(desk)) <= 3
    assert undelivered(desk) == []


@pytest.mark.parametrize("kills_after", [0, 1])
async def test_a_restart_in_the_middle_repeats_nothing_and_knows_the_storm(desk: Desk, kills_after: int) -> None:
    desk.restart()
    desk.scene = Scene(BY_ENDPOINT)
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    for number in range(3):
        if number >= kills_after:
            desk.restart()
        seen(desk.scene, 30, bad=keys(MANY + number + 1))
        await desk.deliver()
    (message,) = said(desk)
    assert message.text.startswith(f"🔴 Latency: {MANY + 3} of {MANY + 3} label sets in breach")


async def test_a_send_that_may_have_arrived_is_repeated_once_and_says_so(desk: Desk) -> None:
    desk.api.does_then_hangs(methods=[SEND], times=1)
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    await desk.deliver(after=60)
    first, second = said(desk)
    assert "This may be a duplicate" in second.versions[0].text
    assert "This may be a duplicate" not in first.versions[0].text


async def test_a_message_of_a_storm_that_was_deleted_is_sent_anew_for_all(desk: Desk) -> None:
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    del desk.api.chat(ANNA).history[said(desk)[0].id]
    for count in (MANY + 1, MANY + 2):
        seen(desk.scene, 60, bad=keys(count))
        await desk.deliver()
    (message,) = said(desk)
    assert message.text.startswith(f"🔴 Latency: {MANY + 2} of ")
    assert undelivered(desk) == []


async def test_quiet_hours_hold_a_storm_which_is_one_message_after_them(desk: Desk) -> None:
    desk.rules = Rules(quiet_hours=QuietHours.parse("19:00-20:00", UTC), pages_in_quiet_hours=False)
    desk.restart()
    desk.scene = Scene(BY_ENDPOINT)
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    assert said(desk) == []
    desk.scene.second += 1300
    seen(desk.scene, 30, bad=keys(MANY))
    await desk.deliver()
    assert len(said(desk)) == 1


async def test_a_storm_of_thousands_is_worded_and_edited_beside_the_event_loop(desk: Desk) -> None:
    storm(desk.scene, keys(8000), 1.0, 30)
    desk.decide()
    by = Person(ANNA, "Anna")
    done = Action(number=0, at=desk.scene.now, deed=ActionKind.ACKNOWLEDGE, by=by, chat=address_of(ANNA), cause="")
    async with held_loop() as held:
        await desk.delivery.deliver()
    taken = [replace(done, incident=number, cause=f"press #{number}") for number in range(1, 8001)]
    await desk.journal.add_all(taken)
    async with held_loop() as edited:
        desk.scene.second += 61
        await desk.delivery.deliver()
    assert len(said(desk)) == 1
    assert said(desk)[0].text.startswith("🔴 Latency: 8,000 of 8,000 label sets in breach")
    assert "Acknowledged by Anna" in said(desk)[0].text
    assert max(held.longest, edited.longest) < 0.1, (held.longest, edited.longest)
