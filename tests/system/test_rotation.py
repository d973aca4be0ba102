"""A token whose file is rotated is used at once, without a restart, and no output shows either of the two."""

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.real.processes import Processes
from tests.system.at_debug import start_at_debug
from tests.system.conftest import CHAT

ROTATED = "110201543:AArotated_0123456789_abcdefghijklmno"


async def test_a_rotated_token_is_read_again_when_the_old_one_is_refused(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    file = processes.folder / "token"
    file.write_text(f"{TOKEN}\n")
    del blind["WINE_SLO_TELEGRAM_TOKEN"]
    watchdog = await start_at_debug(processes, blind | {"WINE_SLO_TELEGRAM_TOKEN_FILE": "token"})
    await watchdog.until_line("Telegram knows this bot")
    bot_api.token = ROTATED
    file.write_text(f"{ROTATED}\n")
    await prometheus_junk.goes_down()
    await bot_api.until(lambda: any("Monitoring lost" in text for text in chat.texts), seconds=30)
    await bot_api.says(CHAT, 7, "/version")
    await bot_api.until(lambda: any("wine-slo" in text for text in chat.texts), seconds=40)
    assert await watchdog.terminate() == 0
    for token in (TOKEN, ROTATED):
        assert token.partition(":")[2] not in watchdog.output


async def test_a_token_that_is_wrong_at_the_start_is_used_as_soon_as_its_file_is_right(
    processes: Processes, bot_api: BotApi, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    chat = bot_api.chat(CHAT)
    file = processes.folder / "token"
    file.write_text(ROTATED)
    del blind["WINE_SLO_TELEGRAM_TOKEN"]
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(blind | {"WINE_SLO_TELEGRAM_TOKEN_FILE": "token"})
    await watchdog.until_line("chat 42 was not notified .*Telegram does not know the token")
    file.write_text(TOKEN)
    await bot_api.until(lambda: chat.messages, seconds=30)
