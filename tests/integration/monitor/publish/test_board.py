"""The board, through the real Telegram client: written when its words change, and only then."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from tests.support.action_examples import BORIS, actions, silence
from tests.support.fakes.bot_api import KICKED, BotApi
from tests.support.fakes.people import ANNA, FORUM, GROUP, TOPIC, Talk, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.fakes.telegram_chats import Message
from tests.support.scene import ALL, KEY, Scene
from wine_slo.config import translations
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.monitor.publish.board import Boards
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.text.formatting import Formatter

EDIT = "editMessageText"
FINE = "🟢 latency: met\nEvaluated at 19:40 or later."


class Wall:
    """Where boards hang."""

    def __init__(self, bot_api: BotApi, path: Path) -> None:
        self.api = bot_api
        self.scene = Scene().has(0.0, 60)
        self.ledger = Ledger.open(f"sqlite:///{path}")
        self.journal = Journal(self.ledger, ())
        self.talk = Talk(bot_api, Formatter(ALL, UTC), among())
        self.outcomes: list[tuple[Kind, str]] = []
        self.bot = connection.connect(bot_api.token, bot_api.url)
        self.chats: tuple[int, ...] = (ANNA, GROUP, FORUM)
        self.boards = self.remembered()

    def remembered(self) -> Boards:
        """The boards after a restart."""
        self.recipients = Recipients(self.ledger, self.ledger.load(), map(address_of, self.chats), self.scene.now)
        return Boards(
            lambda _address: channel.TelegramChannel(self.bot),
            self.ledger,
            FakeSnapshot(lambda: self.scene.state, lambda: self.scene.now),
            self.journal,
            lambda _chat: self.talk.fmt,
            lambda kind, outcome: self.outcomes.append((kind, outcome)),
            recipients=self.recipients,
            kept=self.ledger.boards(),
        )

    async def hangs(self, chat: int = ANNA, topic: int | None = None) -> Message:
        """Somebody requests a board."""
        board = await self.talk.sends(chat, ANNA, "/board", topic)
        await self.talk.is_handled()  # and so it is pinned, and remembered
        return next(each for each in self.api.chat(chat).messages if each.id == board.id)

    @property
    def edits(self) -> int:
        return len(self.api.calls_of(EDIT))


@pytest.fixture
async def wall(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Wall]:
    for chat in (ANNA, GROUP):
        bot_api.chat(chat)
    bot_api.chat(FORUM, topics=[TOPIC])
    wall = Wall(bot_api, tmp_path / "watchdog.db")
    async with wall.bot, wall.talk.listening(*wall.boards.commands()):
        yield wall
    wall.ledger.close()


@pytest.mark.parametrize(("chat", "topic"), [(ANNA, None), (GROUP, None), (FORUM, TOPIC)])
async def test_a_board_is_hung_quietly_and_pinned(wall: Wall, chat: int, topic: int | None) -> None:
    board = await wall.hangs(chat, topic)
    assert wall.api.chat(chat).pinned == [board.id]
    assert (board.text, board.topic, board.is_silent) == (FINE, topic, True)
    assert len(wall.api.chat(chat).messages) == 1, "the board itself is the answer"


async def test_it_is_written_when_its_words_change_and_only_then(wall: Wall) -> None:
    board = await wall.hangs()
    for _ in range(20):
        wall.scene.has(0.0, p95=0.01 + wall.scene.second / 10_000)
        await wall.boards.keep()
    assert wall.edits == 0
    wall.scene.breaks()
    await wall.boards.keep()
    await wall.boards.keep()
    assert wall.edits == 1
    assert board.text.splitlines()[0] == "🔴 latency: p95 2.4 s (target ≤ 1 s, last 20 s) · #1 since 19:42:40"
    wall.scene.has(0.0, 60)
    await wall.boards.keep()
    assert board.text == "🟢 latency: met\nEvaluated at 19:40 or later."
    assert wall.outcomes == [(Kind.BOARD, "told")] * 2


async def test_a_stall_is_not_written(wall: Wall) -> None:
    board = await wall.hangs()
    wall.scene.has(1.0, 15)
    await wall.boards.keep()
    assert board.text == FINE


async def test_it_says_since_when_nothing_can_be_said_and_is_never_green_without_evidence(wall: Wall) -> None:
    board = await wall.hangs()
    for sight, words in (
        (Sight.NO_TRAFFIC, "no requests since 19:4"),
        (Sight.TARGET_DOWN, "the service has been down since 19:4"),
        (Sight.BLIND, "no data since 19:4"),
        (Sight.TOO_FEW, "too few requests to judge"),
    ):
        wall.scene.lacks(sight, 30)
        await wall.boards.keep()
        assert board.text.startswith(f"⚪️ latency: {words}")


async def test_now_and_then_it_shows_that_it_is_evaluated(wall: Wall) -> None:
    board = await wall.hangs()
    for _ in range(120):
        wall.scene.has(0.0, 5)
        await wall.boards.keep()
    assert wall.edits == 1
    assert board.text.splitlines()[-1] == "Evaluated at 19:50 or later."


async def test_the_budget_is_written_in_whole_percents(wall: Wall) -> None:
    board = await wall.hangs()
    window = ALL.by_name["latency"].window
    for bad in (0.0001, 0.0002, 0.0003):
        wall.scene.has(0.0)
        budget = Budget(history=window, events=1e6, bad_ratios={window: bad})
        reading = replace(wall.scene.state.readings[KEY], budget=budget)
        wall.scene.state = replace(wall.scene.state, readings={KEY: reading})
        await wall.boards.keep()
    assert wall.edits == 1
    assert board.text.splitlines()[0] == "🟢 latency: met · budget 99 %"


async def test_it_says_what_is_silenced_by_whom_until_when_and_why(wall: Wall) -> None:
    board = await wall.hangs()
    wall.journal.actions = actions(
        silence(0, until=3600, objective="latency", reason="deploying <v2>"),
        silence(1, by=BORIS, incidents=((1, 1),), objective="latency", labels=(("endpoint", "/predict"),)),
    )
    wall.scene.breaks()
    await wall.boards.keep()
    assert board.text.splitlines()[1:] == [
        "🔇 Latency: silenced until 20:40 by Anna: deploying <v2>.",
        "🔇 Latency of /predict: silenced until recovery by Boris.",
        "Evaluated at 19:40 or later.",
    ]
    wall.scene.has(0.0, 3600)
    await wall.boards.keep()
    assert "🔇" not in board.text, "both are over"


async def test_of_many_silences_it_names_three(wall: Wall) -> None:
    board = await wall.hangs()
    wall.journal.actions = actions(*(silence(each, until=3600) for each in range(5)))
    await wall.boards.keep()
    assert board.text.splitlines()[1:] == [
        *["🔇 Everything: silenced until 20:40 by Anna."] * 3,
        "2 more silences: /silences",
        "Evaluated at 19:40 or later.",
    ]


async def test_it_reads_in_russian(wall: Wall) -> None:
    wall.talk.fmt = replace(wall.talk.fmt, language=translations.load()["ru"])
    wall.journal.actions = actions(
        silence(0, until=3600, objective="latency", reason="выкладка"), *[silence(0, until=90000)] * 3
    )
    board = await wall.hangs()
    assert board.text.splitlines() == [
        "🟢 latency: в норме",
        "🔇 Задержка: заглушено до 20:40, Anna: выкладка.",
        *["🔇 Всё: заглушено до 20:40, 2 января, Anna."] * 2,
        "Ещё 1 заглушено: /silences",
        "Проверено в 19:40 или позже.",
    ]


async def test_it_survives_a_restart(wall: Wall) -> None:
    board = await wall.hangs()
    wall.boards = wall.remembered()
    await wall.boards.keep()
    assert wall.edits == 0
    wall.scene.breaks()
    await wall.boards.keep()
    assert board.text.startswith("🔴")


async def test_a_board_that_somebody_deleted_is_hung_anew(wall: Wall) -> None:
    board = await wall.hangs(FORUM, TOPIC)
    del wall.api.chat(FORUM).history[board.id]
    wall.scene.breaks()
    await wall.boards.keep()
    (fresh,) = wall.api.chat(FORUM).messages
    assert fresh.text.startswith("🔴")
    assert (fresh.topic, wall.api.chat(FORUM).pinned[-1]) == (TOPIC, fresh.id)


async def test_a_second_board_takes_the_place_of_the_first(wall: Wall) -> None:
    first = await wall.hangs()
    second = await wall.hangs()
    assert wall.api.chat(ANNA).pinned == [second.id]
    assert first.text == "⚪️ This board is no longer updated. A new one: /board"
    wall.scene.breaks()
    await wall.boards.keep()
    assert second.text.startswith("🔴")
    assert first.text.startswith("⚪️")


async def test_a_board_can_be_taken_down_for_good(wall: Wall) -> None:
    board = await wall.hangs()
    assert (await wall.talk.sends(ANNA, ANNA, "/board off")).text == "The board is off. A new one: /board"
    assert wall.api.chat(ANNA).pinned == []
    assert board.text == "⚪️ This board is no longer updated. A new one: /board"
    assert wall.ledger.boards() == []
    assert (await wall.talk.sends(ANNA, ANNA, "/board off")).text.startswith("There is no board in this chat.")


async def test_where_nothing_may_be_pinned_that_is_said_and_the_board_is_kept_all_the_same(wall: Wall) -> None:
    refusal = "Bad Request: not enough rights to manage pinned messages in the chat"
    wall.api.fails_with(400, refusal, methods=["pinChatMessage"])
    board = await wall.hangs(GROUP)
    assert wall.api.chat(GROUP).texts[-1].startswith("The bot may not pin messages here (Not enough rights")
    wall.scene.breaks()
    await wall.boards.keep()
    assert board.text.startswith("🔴")


async def test_a_word_that_is_none_is_said(wall: Wall) -> None:
    assert (await wall.talk.sends(ANNA, ANNA, "/board of")).text.startswith("of is not understood.")


async def test_telegram_being_away_loses_nothing(wall: Wall) -> None:
    board = await wall.hangs()
    wall.api.fails_with(502, methods=[EDIT])
    wall.scene.breaks()
    await wall.boards.keep()
    wall.api.recovers()
    await wall.boards.keep()
    assert board.text.startswith("🔴")
    assert wall.outcomes == [(Kind.BOARD, "failed"), (Kind.BOARD, "told")]


async def test_a_chat_that_wants_to_be_left_alone_is(wall: Wall) -> None:
    await wall.hangs()
    wall.api.fails_with(429, retry_after=300, methods=[EDIT])
    wall.scene.breaks()
    await wall.boards.keep()
    wall.scene.has(1.0, 120)
    await wall.boards.keep()
    assert wall.edits == 1
    wall.scene.has(1.0, 200)
    await wall.boards.keep()
    assert wall.edits == 2


async def test_a_chat_that_refuses_its_board_is_left_alone_for_an_hour_and_keeps_it(wall: Wall) -> None:
    board = await wall.hangs(GROUP)
    wall.api.fails_with(403, KICKED, methods=[EDIT])
    wall.scene.breaks()
    await wall.boards.keep()
    await wall.boards.keep()
    assert wall.edits == 1
    wall.api.recovers()
    wall.scene.second += 3600
    await wall.boards.keep()
    assert board.edits


async def test_a_board_whose_edits_are_refused_is_hung_anew_but_not_every_minute(wall: Wall) -> None:
    await wall.hangs()
    wall.api.fails_with(400, "Bad Request: MESSAGE_ID_INVALID", methods=[EDIT])
    wall.scene.breaks()
    for _ in range(5):
        await wall.boards.keep()
        wall.scene.has(1.0, 60)
    assert len([each for each in wall.api.chat(ANNA).messages if each.text.startswith("🔴")]) == 1


async def test_a_chat_that_is_no_recipient_any_more_has_no_board(wall: Wall) -> None:
    board = await wall.hangs(GROUP)
    wall.chats = (ANNA,)
    wall.boards = wall.remembered()
    wall.scene.breaks()
    await wall.boards.keep()
    assert board.edits == []


async def test_a_group_that_became_a_supergroup_keeps_its_board(wall: Wall) -> None:
    await wall.hangs(GROUP)
    wall.api.migrates(GROUP, FORUM)
    wall.scene.breaks()
    await wall.boards.keep()
    await wall.boards.keep()
    (board,) = wall.api.chat(FORUM).messages
    assert board.text.startswith("🔴")
    assert [each.chat for each in wall.ledger.boards()] == [address_of(FORUM)]
    assert wall.recipients.subscriber(address_of(GROUP)).address == address_of(FORUM)
