"""The real process links its messages to the page that the settings name."""

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from tests.system.conftest import CHAT

PAGE = "https://example.org/runbook/"


async def test_an_alert_and_a_message_about_lost_commands_link_their_sections(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    bot_api.fails_with(409, methods=["getUpdates"])
    await prometheus_junk.goes_down()
    await processes.watchdog(blind | {"WINE_SLO_RUNBOOK_URL": PAGE})
    await bot_api.until(lambda: len(chat.messages) == 2, seconds=60)
    linked = {each.keyboard[-1][-1].url: each.text.split(" for ")[0].split(",")[0] for each in chat.messages}
    assert linked == {
        f"{PAGE}#prometheus": "🟣 Monitoring lost",
        f"{PAGE}#commands-not-received": "⚪️ Another program reads the messages to this bot",
    }
