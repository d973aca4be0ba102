"""The real watchdog, which cannot see and says so, while the chats of its settings come, go, move and refuse."""

from typing import Any

import aiohttp

from tests.support.fakes.bot_api import KICKED, BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Process, Processes
from tests.system.conftest import CHAT

GROUP, SUPERGROUP, OTHER = -5, -1005, 43
SEND = "sendMessage"
CANNOT_SEE = "🟣 Monitoring lost"


def cannot_see(bot_api: BotApi, chat: int) -> bool:
    return any(text.startswith(CANNOT_SEE) for text in bot_api.chat(chat).texts)


async def health(settings: dict[str, str]) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{settings['WINE_SLO_WATCHDOG_PORT']}/health"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def ends(watchdog: Process) -> None:
    assert await watchdog.terminate() == 0, watchdog.output


async def test_a_breach_that_was_printed_is_sent_to_the_chat_that_is_set_up_during_it(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    bot_api.chat(CHAT)
    await prometheus_junk.goes_down()
    without = {name: value for name, value in blind.items() if "TELEGRAM" not in name}
    watchdog = await processes.watchdog(without)
    await watchdog.until_line(CANNOT_SEE)
    await ends(watchdog)
    watchdog = await processes.watchdog(blind)
    await bot_api.until(lambda: cannot_see(bot_api, CHAT), seconds=30)
    assert (await health(blind))[1]["unreachable"] == {}
    assert {call.chat_id for call in bot_api.calls_of(SEND)} == {CHAT}
    await ends(watchdog)


async def test_a_wrong_chat_id_is_named_and_the_right_one_is_notified_of_what_is_open(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(blind)
    await watchdog.until_line(f"chat {CHAT} cannot be reached: Chat not found")
    status, said = await health(blind)
    assert (status, said["status"]) == (503, "a recipient cannot be reached")
    assert said["unreachable"] == {str(CHAT): "Chat not found"}
    doctor = await processes.wine_slo("doctor", settings=blind)
    await doctor.wait(40)
    assert f"cannot reach chat {CHAT}: Chat not found" in doctor.output
    await ends(watchdog)
    bot_api.chat(OTHER)
    watchdog = await processes.watchdog(blind | {"WINE_SLO_TELEGRAM_CHAT_IDS": str(OTHER)})
    await bot_api.until(lambda: cannot_see(bot_api, OTHER), seconds=30)
    assert (await health(blind))[0] == 200
    await ends(watchdog)


async def test_a_bot_that_is_thrown_out_and_added_again_goes_on_where_it_was(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    bot_api.fails_with(403, KICKED, chat=GROUP)
    bot_api.chat(GROUP)
    bot_api.chat(OTHER)
    await prometheus_junk.goes_down()
    settings = blind | {
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(OTHER),
        "WINE_SLO_TELEGRAM_SECOND_CHAT_IDS": str(GROUP),
        "WINE_SLO_ESCALATE_MINUTES": "0.02",
    }
    watchdog = await processes.watchdog(settings)
    await watchdog.until_line(f"chat {GROUP} cannot be reached: {KICKED}")
    await bot_api.until(lambda: any(f"Chat {GROUP} cannot" in each for each in bot_api.chat(OTHER).texts), seconds=10)
    await bot_api.sends_update("my_chat_member", membership("left"))
    await bot_api.says(OTHER, OTHER, "/version")
    await bot_api.until(lambda: len(bot_api.chat(OTHER).messages) > 2, seconds=10)
    sent = [call.chat_id for call in bot_api.calls_of(SEND)]
    assert sent.count(OTHER) == 3, "the breach, the notification and the answer"
    assert sent.count(GROUP) <= 1, "what is known to refuse messages is not tried again for nothing"
    bot_api.recovers()
    await bot_api.sends_update("my_chat_member", membership("member"))
    await watchdog.until_line(f"chat {GROUP} can be reached again")
    await bot_api.until(lambda: cannot_see(bot_api, GROUP), seconds=10)
    assert (await health(settings))[0] == 200
    await ends(watchdog)


def membership(status: str) -> dict[str, Any]:
    bot = {"id": 110201543, "is_bot": True, "first_name": "Wine SLO"}
    return {
        "chat": {"id": GROUP, "type": "group", "title": "Group"},
        "from": {"id": 8, "is_bot": False, "first_name": "Boris"},
        "date": 1_700_000_000,
        "old_chat_member": {"user": bot, "status": "member"},
        "new_chat_member": {"user": bot, "status": status},
    }


async def test_whoever_is_notified_in_a_group_that_has_moved_may_query_and_act_at_once_and_after_a_restart(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    bot_api.chat(GROUP)
    await prometheus_junk.goes_down()
    settings = blind | {"WINE_SLO_TELEGRAM_CHAT_IDS": str(GROUP)}
    watchdog = await processes.watchdog(settings)
    await bot_api.until(lambda: cannot_see(bot_api, GROUP), seconds=30)
    group = bot_api.migrates(GROUP, SUPERGROUP)
    note = {"message_id": 900, "date": 1, "chat": {"id": GROUP, "type": "group"}, "migrate_to_chat_id": SUPERGROUP}
    await bot_api.sends_update("message", note)
    await bot_api.says(SUPERGROUP, 8, "/ack")
    # The message of the breach stayed in the old group, so that it is sent anew, with the act.
    await bot_api.until(lambda: any(each.keyboard for each in group.messages), seconds=15)
    (breach,) = (each for each in group.messages if each.keyboard)
    assert "Acknowledged by Person 8" in breach.text
    pressed = await bot_api.press(breach, "Silence 1 h", 8)
    await bot_api.until(lambda: "silenced until" in bot_api.answers.get(pressed, ""), seconds=15)
    await ends(watchdog)
    watchdog = await processes.watchdog(settings)
    before = len(group.messages)
    await bot_api.says(SUPERGROUP, 8, "/version")
    await bot_api.until(lambda: len(group.messages) > before, seconds=15)
    await ends(watchdog)


async def test_chats_that_all_refuse_messages_and_open_one_by_one_each_receive_once_what_is_open(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chats = (CHAT, OTHER, SUPERGROUP)  # the last one is escalated to
    for chat in chats:
        bot_api.chat(chat)
    bot_api.fails_with(403, KICKED, methods=[SEND, "sendChatAction"])
    await prometheus_junk.goes_down()
    settings = blind | {
        "WINE_SLO_TELEGRAM_CHAT_IDS": f"{CHAT},{OTHER}",
        "WINE_SLO_TELEGRAM_SECOND_CHAT_IDS": str(SUPERGROUP),
        "WINE_SLO_ESCALATE_MINUTES": "0.02",
    }
    watchdog = await processes.watchdog(settings)
    await watchdog.until_line("incident #1 opened")
    for chat in chats:
        await watchdog.until_line(f"chat {chat} cannot be reached: {KICKED}")
    status, said = await health(settings)
    assert (status, set(said["unreachable"])) == (503, {str(chat) for chat in chats})
    bot_api.recovers()
    for number, chat in enumerate(chats, 1):
        for closed in chats[number:]:
            bot_api.fails_with(403, KICKED, chat=closed, methods=[SEND, "sendChatAction"])
        await bot_api.says(chat, 8, "/start")
        await watchdog.until_line(f"chat {chat} can be reached again")
        bot_api.recovers()
    await bot_api.until(lambda: all(cannot_see(bot_api, chat) for chat in chats), seconds=30)
    await watchdog.until_line(f"chat {SUPERGROUP} can be reached again")
    for chat in chats:
        breaches = [text for text in bot_api.chat(chat).texts if text.startswith(CANNOT_SEE)]
        assert len(breaches) == 1, bot_api.seen()
        warnings = [text for text in bot_api.chat(chat).texts if text.startswith("🟠 Chat")]
        assert len(warnings) == len(set(warnings)), "each other chat is named once"
    assert (await health(settings))[0] == 200
    await ends(watchdog)
