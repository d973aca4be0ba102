"""Nothing reaches Telegram from a watchdog that does not lead, at whatever moment it has lost the lead."""

from collections.abc import Callable
from itertools import count

import pytest

from tests.support.fakes.bot_api import BotApi
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import connect
from wine_slo.slo.chat.gate import Gate, SilentError

ANNA = 7


def closing_after(checks: int) -> Callable[[], float]:
    """A gate that is checked so many times before it is shut."""
    checked = count()
    return lambda: 0.0 if next(checked) >= checks else 1.0


@pytest.mark.parametrize(
    "checks",
    [
        pytest.param(0, id="before the request"),
        pytest.param(1, id="while it waited for a connection"),
        pytest.param(2, id="between its head and its body"),
    ],
)
async def test_a_message_of_one_that_loses_the_lead_before_the_last_byte_is_written_does_not_arrive(
    bot_api: BotApi, checks: int
) -> None:
    chat = bot_api.chat(ANNA)
    bot = connect(bot_api.token, bot_api.url, gate=Gate(closing_after(checks), is_alone=False))
    with pytest.raises(SilentError) as caught:
        await TelegramChannel(bot).send(address_of(ANNA), "Hello")
    assert caught.value.surely_not_sent
    await bot.request.shutdown()
    other = connect(bot_api.token, bot_api.url)
    await TelegramChannel(other).send(address_of(ANNA), "Later")  # what left before has arrived by then
    await other.request.shutdown()
    assert [each.text for each in chat.messages] == ["Later"]


async def test_a_message_of_one_that_leads_until_it_is_written_arrives(bot_api: BotApi) -> None:
    chat = bot_api.chat(ANNA)
    bot = connect(bot_api.token, bot_api.url, gate=Gate(closing_after(3), is_alone=False))
    await TelegramChannel(bot).send(address_of(ANNA), "Hello")
    assert [each.text for each in chat.messages] == ["Hello"]
    await bot.request.shutdown()
