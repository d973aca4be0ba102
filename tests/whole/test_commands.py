"""Every command of the menu, asked of the real process in a private chat, a group, and a topic of a forum."""

import pytest

from tests.fakes.bot_api import BotApi
from tests.fakes.prometheus_junk import PrometheusJunk
from tests.fakes.telegram_chats import Message
from tests.real.processes import Processes
from tests.real.prometheus import free_port
from tests.whole.test_restart import ROOT
from wine_slo.conversation import ANSWERS_A_MINUTE

# Each kind of chat several times, as one chat is not answered about everything within a minute.
KINDS = {"private": (7, 8, 9), "group": (-5, -6, -7), "topic": (-1005, -1006, -1007)}
TOPIC = 30
# What a command needs to be understood, where that is something; a drill would make traffic.
ARGUMENTS = {
    "slo": "latency",
    "why": "latency",
    "chart": "latency 1h",
    "incident": "1",
    "silence": "1h latency trying",
    "drill": "stop",
    "language": "en",
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_command_is_answered_where_it_was_asked(
    kind: str, bot_api: BotApi, processes: Processes, prometheus_junk: PrometheusJunk
) -> None:
    chats = KINDS[kind]
    for chat in chats:
        bot_api.chat(chat, topics=[TOPIC] if kind == "topic" else ())
    (processes.folder / "slo.yml").write_text((ROOT / "slo.yml").read_text().replace("blind_for: 2m", "blind_for: 3s"))
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(
        {
            "WINE_SLO_PROMETHEUS_URL": prometheus_junk.url,
            "WINE_SLO_POLL_SECONDS": "1",
            "WINE_SLO_WATCHDOG_PORT": str(free_port()),
            "WINE_SLO_TELEGRAM_TOKEN": bot_api.token,
            "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
            "WINE_SLO_TELEGRAM_CHAT_IDS": ", ".join(
                f"{each}/{TOPIC}" if kind == "topic" else f"{each}" for each in chats
            ),
        }
    )
    await bot_api.until(lambda: all(bot_api.chat(each).messages for each in chats), seconds=40)  # it cannot see: #1
    names = sorted({*bot_api.commands[""], "start"})
    assert set(ARGUMENTS) <= set(names)
    asked = {}
    for number, name in enumerate(names):
        assert number < len(chats) * (ANSWERS_A_MINUTE - 1)
        chat = chats[number % len(chats)]
        at = "@wine_slo_bot" if kind != "private" else ""
        text = f"/{name}{at} {ARGUMENTS.get(name, '')}".strip()
        asked[name] = await bot_api.says(chat, chats[0], text, TOPIC if kind == "topic" else None)

    def answers(name: str) -> list[Message]:
        """What came after it: to it, where many ask; a board answers nobody."""
        to = asked[name]
        later = [each for each in bot_api.chat(to.chat.id).messages if each.id > to.id]
        return later if kind == "private" or name == "board" else [each for each in later if each.reply_to == to.id]

    await bot_api.until(lambda: all(map(answers, asked)), seconds=30)
    for name in asked:
        said = answers(name)[0]
        assert said.topic == (TOPIC if kind == "topic" else None), name
        assert "fault of mine" not in said.text, said.text
    assert "Traceback" not in watchdog.output
