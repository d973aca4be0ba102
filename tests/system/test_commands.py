"""Every command of the menu, sent to the real process in a private chat, a group, and a topic of a forum."""

from dataclasses import dataclass

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.prometheus_junk import PrometheusJunk
from tests.support.fakes.telegram_chats import Message
from tests.support.real.processes import Processes
from wine_slo.monitor.chatops.router import ANSWERS_A_MINUTE

TOPIC = 30
# Each kind of chat several times, as one chat is not answered about everything within a minute.
KINDS = {"private": (7, 8, 9), "group": (-5, -6, -7), "topic": (-1005, -1006, -1007)}
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


@dataclass(frozen=True)
class Answers:
    """A command, and its message."""

    name: str
    kind: str
    message: Message

    def answers(self) -> list[Message]:
        """What came after it: to it, where many send; a board answers nobody."""
        later = [each for each in self.message.chat.messages if each.id > self.message.id]
        if self.kind == "private" or self.name == "board":
            return later
        return [each for each in later if each.reply_to == self.message.id]


async def test_every_command_is_answered_where_it_was_sent(
    bot_api: BotApi, processes: Processes, prometheus_junk: PrometheusJunk, blind: dict[str, str]
) -> None:
    ids = []
    for kind, chats in KINDS.items():
        for chat in chats:
            bot_api.chat(chat, topics=[TOPIC] if kind == "topic" else ())
            ids.append(f"{chat}/{TOPIC}" if kind == "topic" else str(chat))
    await prometheus_junk.goes_down()
    watchdog = await processes.watchdog(blind | {"WINE_SLO_TELEGRAM_CHAT_IDS": ", ".join(ids)})
    everywhere = [bot_api.chat(chat) for chats in KINDS.values() for chat in chats]
    await bot_api.until(lambda: all(each.messages for each in everywhere), seconds=40)  # it cannot see: #1
    names = sorted({*bot_api.commands[""], "start"})
    assert set(ARGUMENTS) <= set(names)
    requested = []
    for kind, chats in KINDS.items():
        for number, name in enumerate(names):
            assert number < len(chats) * (ANSWERS_A_MINUTE - 1)
            command = f"/{name}" if kind == "private" else f"/{name}@wine_slo_bot"
            text = f"{command} {ARGUMENTS.get(name, '')}".strip()
            topic = TOPIC if kind == "topic" else None
            said = await bot_api.says(chats[number % len(chats)], 20 + number, text, topic)
            requested.append(Answers(name, kind, said))
    await bot_api.until(lambda: all(each.answers() for each in requested), seconds=60)
    for each in requested:
        answer = each.answers()[0]
        assert answer.topic == (TOPIC if each.kind == "topic" else None), each.name
        assert "fault of mine" not in answer.text, answer.text
    assert "Traceback" not in watchdog.output
