"""Whatever is sent to the bot, it answers in what Telegram takes, or not at all, and goes on."""

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from telegram.ext import ExtBot

from tests.support.fakes.bot_api import BotApi, Outcome
from tests.support.fakes.people import ANNA, BORIS, ELSEWHERE, FORUM, GROUP, STRANGER, TOPIC, Talk, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import ALL, Scene
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.connection import BotApiRequest
from wine_slo.monitor.chatops.info import Info
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.messages import Command, Picture, Reception
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

UPDATES = 500
CHATS = (ANNA, GROUP, FORUM, ELSEWHERE, STRANGER, 10**15, -1)
PEOPLE = (ANNA, BORIS, STRANGER)
KINDS = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member", "inline_query", "brand_new")
WORDS = (
    *("latency", "lat", "errors", "availability", "latency{}", "6h", "1h30m", "-5m", "99999999d", "12", "1", "#1", "0"),
    *("until", "18:00", "25:99", "tomorrow", "recovery", "off", "on", "ru", "en", "undo", "-1", "9" * 400, "1e999"),
    *("", "/", "//", "@", "&lt;", "<b>", "</b>", "&", "<code>", "{}", "{0}", "{name}", "%s", "%(x)s", "\\", "$x$"),
    *(
        "'",
        '"',
        "\x00",
        "\x07",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\ufffd",
        "\U0001f468\u200d\U0001f469",
        "\U0001f377" * 500,
    ),
    *("Ω", "задержка", "час", "٣", "①", "ﷺ", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A", "a" * 5000, "<" * 4096, "&amp;" * 1000),
)


NO_SUCH_TOPIC = "Bad Request: message thread not found"  # it is sent outside of the topic then
NO_SUCH_CHAT = "Bad Request: chat not found"  # bent ids
YEAR_2100 = 4_102_444_800


class HurriedTalk(Talk):
    """A minute passes whenever somebody reads the clock, so that nobody sends too much."""

    minutes = 0

    def clock(self) -> datetime:
        self.minutes += 1
        return datetime.now(UTC) + timedelta(minutes=self.minutes)


class Fuzz:
    """Updates of a seed: of real shape, and then bent."""

    def __init__(self, seed: int, commands: list[str]) -> None:
        self._dice = random.Random(seed)
        self._commands = commands

    def update(self) -> tuple[str, Any]:
        """Its kind and its content."""
        kind = self._dice.choice(KINDS) if self._dice.random() < 0.4 else "message"
        content: Any = self._query() if kind == "callback_query" else self._message()
        for _ in range(self._dice.choice((0, 0, 0, 1, 2, 5))):
            content = self._bent(content)
        return kind, content

    def _message(self) -> dict[str, Any]:
        dice = self._dice
        chat = dice.choice(CHATS)
        kind = "private" if chat > 0 else "supergroup" if chat == FORUM else "group"
        message: dict[str, Any] = {
            "message_id": dice.randrange(1, 10**6),
            "date": dice.choice((YEAR_2100, YEAR_2100, YEAR_2100, YEAR_2100, 0, 10**9)),
            "chat": {"id": chat, "type": kind, "title": self._word()},
            "from": self._user(),
            "text": self._text(),
        }
        extras = {
            "message_thread_id": dice.choice((TOPIC, 31, 10**9)),
            "is_topic_message": True,
            "sender_chat": {"id": chat, "type": kind, "title": self._word()},
            "forward_origin": {"type": "hidden_user", "sender_user_name": self._word()},
            "photo": [],
            "caption": self._text(),
            "entities": [{"type": "bot_command", "offset": -5, "length": 10**9}],
            "new_chat_members": [self._user()],
            "migrate_to_chat_id": -100123,
            "sticker": {"file_id": "x"},
        }
        return message | {name: value for name, value in extras.items() if dice.random() < 0.1}

    def _query(self) -> dict[str, Any]:
        data = self._dice.choice(("ack|1", "chart|1|", "why", "", "\x00" * 64, self._word(), None, 5))
        return {
            "id": str(self._dice.randrange(10**9)),
            "from": self._user(),
            "message": self._message(),
            "data": data,
            "chat_instance": "1",
        }

    def _user(self) -> dict[str, Any]:
        return {
            "id": self._dice.choice(PEOPLE),
            "is_bot": self._dice.random() < 0.1,
            "first_name": self._word(),
            "language_code": self._dice.choice(("en", "ru", "xx", "", self._word())),
        }

    def _text(self) -> str:
        words = [self._word() for _ in range(self._dice.choice((0, 1, 1, 2, 3, 30)))]
        if self._dice.random() < 0.9:
            name = self._dice.choice(("", "", "", "@wine_slo_bot", "@Wine_SLO_bot", "@other_bot", "@", "@@"))
            words.insert(0, f"/{self._dice.choice(self._commands)}{name}")
        return self._dice.choice((" ", " ", " ", "\n", "\t", "\u00a0")).join(words)

    def _word(self) -> str:
        return self._dice.choice(WORDS)

    def _bent(self, content: Any) -> Any:
        """With one thing gone, or of another type, somewhere in it."""
        dice = self._dice
        if not isinstance(content, dict) or not content:
            return dice.choice((None, [], {}, 0, "x", True, 1.5, 10**30))
        name = dice.choice(list(content))
        rest = {each: value for each, value in content.items() if each != name}
        if dice.random() < 0.4:
            return rest
        return rest | {name: self._bent(content[name])}


async def draw(_key: Key, _fmt: Formatter, _span: timedelta | None) -> Picture | str:
    return "There is no chart."


async def never_mind(_chat: int) -> None:
    pass


def unhurried(token: str, url: str) -> ExtBot[int]:
    """Without the pauses that keep the real bot below Telegram's limits."""
    bot: ExtBot[int] = ExtBot(  # type: ignore[assignment]
        token, base_url=f"{url}/bot", request=BotApiRequest(), get_updates_request=BotApiRequest()
    )
    return bot


@pytest.mark.parametrize("seed", range(2 * int(os.environ.get("WINE_SLO_SOAK", "1"))))
async def test_no_update_stops_the_bot_and_every_answer_is_one_that_telegram_takes(
    bot_api: BotApi, tmp_path: Path, seed: int
) -> None:
    scene = Scene().breaks()
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    ledger.save(State(), scene.state)
    for chat in CHATS:
        bot_api.chat(chat, topics=[TOPIC] if chat == FORUM else [])
    talk = HurriedTalk(bot_api, Formatter(ALL, UTC), among(CHATS), connect=unhurried)
    snapshot = FakeSnapshot(lambda: scene.state, lambda: scene.now)
    info_commands = Info(ledger, snapshot, lambda _chat: talk.fmt, draw)
    journal = Journal(ledger, ())
    oncall_commands = OnCall(snapshot, lambda _chat: Replies(talk.fmt), journal, never_mind)
    commands = (*oncall_commands.commands(), *info_commands.commands())
    names = [each.name for each in commands if isinstance(each, Command)]
    fuzz = Fuzz(seed, [*names, "help", "id", "version", "nonsense", ""])
    async with talk.listening(*commands):
        for _ in range(UPDATES):
            await bot_api.sends_update(*fuzz.update())
        await talk.is_handled(seconds=60)
        await bot_api.says(ANNA, ANNA, "/id", ago=timedelta(days=-9999))  # after all the minutes that have passed
        await bot_api.until(lambda: bot_api.chat(ANNA).texts[-1] == f"This chat's id is {ANNA}.")
    said = [call for call in bot_api.calls if call.method in {"sendMessage", "sendPhoto", "editMessageText"}]
    assert len(said) > UPDATES / 10, "the fuzz is answered too seldom to prove anything"
    assert {call.refusal for call in said if call.outcome is Outcome.REFUSED} <= {NO_SUCH_TOPIC, NO_SUCH_CHAT}
    assert not talk.received[Reception.FAILED]

    ledger.close()
