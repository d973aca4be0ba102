"""What people do in the chat, with the real process: it is kept before it is answered, whatever kills it."""

import sqlite3

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.telegram_chats import Message
from tests.support.real.processes import Process, Processes

GROUP, FORUM, TOPIC, ANNA, BORIS, STRANGER = -42, -10042, 30, 7, 8, 666
BLIND = "🟣 Monitoring lost"


@pytest.fixture
async def settings(bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]) -> dict[str, str]:
    """Those of a watchdog that has something to deliver, and an admin."""
    bot_api.chat(GROUP)
    bot_api.chat(FORUM, topics=[TOPIC])
    bot_api.names |= {ANNA: "Anna", BORIS: "Boris"}
    await prometheus_junk.goes_down()
    return blind | {
        "WINE_SLO_TELEGRAM_CHAT_IDS": f"{GROUP}, {FORUM}/{TOPIC}",
        "WINE_SLO_TELEGRAM_ADMIN_IDS": f"{ANNA}",
    }


async def begins(bot_api: BotApi, processes: Processes, settings: dict[str, str]) -> tuple[Process, Message, Message]:
    """A watchdog, and the message that it has for each chat."""
    watchdog = await processes.watchdog(settings)
    group, forum = bot_api.chat(GROUP), bot_api.chat(FORUM)
    await bot_api.until(lambda: group.messages and forum.messages, seconds=30)
    for line in (f"chat {GROUP} was notified", f"chat {FORUM} was notified", "Telegram knows this bot as"):
        await watchdog.until_line(line)
    return watchdog, group.messages[0], forum.messages[0]


async def test_a_kill_between_a_press_and_its_saving_loses_nothing_and_answers_nothing_falsely(
    bot_api: BotApi, processes: Processes, settings: dict[str, str]
) -> None:
    watchdog, group, forum = await begins(bot_api, processes, settings)
    assert forum.topic == TOPIC
    other = sqlite3.connect(processes.folder / "data" / "watchdog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    press = await bot_api.press(group, "Acknowledge", ANNA)
    await watchdog.until_line("Anna .7. did: acknowledge, action 1")
    assert press not in bot_api.answers
    await watchdog.kill()
    other.execute("ROLLBACK")
    assert other.execute("SELECT count(*) FROM acts").fetchone() == (0,)

    await processes.watchdog(settings)
    for message in (group, forum):
        await bot_api.until(lambda message=message: "Acknowledged by Anna" in message.text, seconds=20)  # type: ignore[misc]
    assert bot_api.answers[press] == "You acknowledged #1."
    assert other.execute("SELECT count(*) FROM acts").fetchone() == (1,)
    other.close()


async def test_people_in_a_group_and_in_a_topic_do_what_they_may(
    bot_api: BotApi, processes: Processes, settings: dict[str, str]
) -> None:
    watchdog, group, forum = await begins(bot_api, processes, settings)
    refused = await bot_api.press(forum, "Silence 1 h", BORIS)
    await bot_api.until(lambda: "Only an admin" in bot_api.answers.get(refused, ""), seconds=10)
    forged = await bot_api.press_with(forum, group.button("Silence 1 h").data or "", ANNA)
    await bot_api.until(lambda: "does not belong to this bot" in bot_api.answers.get(forged, ""), seconds=10)
    done = await bot_api.press(forum, "Silence 1 h", ANNA)
    await bot_api.until(lambda: "silenced until" in bot_api.answers.get(done, ""), seconds=10)
    await bot_api.until(lambda: "by Anna." in group.text, seconds=10)
    assert group.buttons == ["Acknowledge", "End the silence"]

    elsewhere = bot_api.chat(-77)
    await bot_api.says(-77, STRANGER, "/silences")
    await bot_api.says(GROUP, BORIS, "/silences@another_bot")
    await bot_api.says(FORUM, BORIS, "/silences@wine_slo_bot", TOPIC)
    await bot_api.until(lambda: any("🔇 Monitoring" in each.text for each in bot_api.chat(FORUM).messages), seconds=10)
    answer = bot_api.chat(FORUM).messages[-1]
    assert (answer.topic, answer.is_silent) == (TOPIC, True)
    assert elsewhere.messages == []
    await bot_api.until(lambda: len(group.chat.messages) > 1, seconds=10)
    (announced,) = group.chat.messages[1:]
    assert announced.text.startswith("🔇 Monitoring: silenced until")
    assert announced.is_silent
    assert await watchdog.terminate() == 0
