"""Answers, edits and alerts share Telegram's limits: however much of the others waits, an alert goes out at once."""

import asyncio
from time import monotonic
from typing import Any

from tests.support.fakes.bot_api import TOKEN, BotApi
from wine_slo.integrations.telegram import connection
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import ANSWERS_A_MINUTE, QUIET_A_MINUTE

GROUP = -5
QUEUED = 60


async def test_an_alert_goes_out_while_more_answers_wait_than_a_group_may_have(bot_api: BotApi) -> None:
    group = bot_api.chat(GROUP)
    async with connection.connect(TOKEN, bot_api.url) as bot:
        answers, alerts = TelegramChannel(bot).for_answers, TelegramChannel(bot)
        waiting = [asyncio.create_task(answers.send(GROUP, f"answer {number}")) for number in range(QUEUED)]
        await bot_api.until(lambda: len(group.messages) == ANSWERS_A_MINUTE)
        began = monotonic()
        for number in range(4):
            await alerts.send(GROUP, f"alert {number}")
        assert monotonic() - began < 20, "behind the answers it would wait for minutes"
        assert len(group.messages) < 20, "Telegram lets a group have twenty a minute"
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_an_alert_goes_out_while_more_edits_wait_than_a_group_may_have(bot_api: BotApi) -> None:
    group = bot_api.chat(GROUP)
    async with connection.connect(TOKEN, bot_api.url) as bot:
        answers, alerts = TelegramChannel(bot).for_answers, TelegramChannel(bot)
        message = await alerts.send(GROUP, "breach 0")
        waiting: list[asyncio.Task[Any]] = [
            asyncio.create_task(answers.send(GROUP, f"answer {number}")) for number in range(QUEUED)
        ]
        waiting += [asyncio.create_task(alerts.edit(GROUP, message, f"edit {number}")) for number in range(QUEUED)]
        await bot_api.until(lambda: len(bot_api.calls_of("editMessageText")) + len(group.messages) > QUIET_A_MINUTE)
        began = monotonic()
        for number in range(1, 4):
            await alerts.send(GROUP, f"breach {number}")
        assert monotonic() - began < 20, "behind the edits it would wait for minutes"
        spent = len(bot_api.calls_of("editMessageText")) + len(bot_api.calls_of("sendMessage"))
        assert spent <= 20, "Telegram lets a group have twenty a minute"
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
