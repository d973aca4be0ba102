"""Who is on call, and the watchdog: commands and buttons through the fake Bot API, to the real conversation, delivery
and ledger; time passes when the test says so."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.people import ANNA, BORIS, FORUM, GROUP, TOPIC, Talk, among
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.fakes.telegram_chats import Message
from tests.support.scene import ALL, AVAILABILITY, LATENCY, START, Scene
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.chatops.oncall import OnCall
from wine_slo.monitor.chatops.router import Access
from wine_slo.monitor.notify.announcements import Announcements
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.messages import Press, Question, Reception
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Alert, Burn, Key
from wine_slo.slo.oncall.actions import NO_ACTIONS
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.text.formatting import Formatter

ACKNOWLEDGE, SILENCE, UNTIL_RECOVERY, END, UNDO = (
    "Acknowledge",
    "Silence 1 h",
    "Silence until resolved",
    "End the silence",
    "Undo",
)
BREACH = [ACKNOWLEDGE, SILENCE, UNTIL_RECOVERY]
SECOND = -99
MINUTE = 60.0


@dataclass
class Post:
    """A watchdog at its post, and the people who talk to it."""

    api: BotApi
    path: Path
    rules: Rules = field(default_factory=Rules)
    chats: tuple[int, ...] = (ANNA, GROUP)
    access: Access = field(default_factory=among)
    scene: Scene = field(default_factory=lambda: Scene(*ALL.all))
    outcomes: list[tuple[Kind, str]] = field(default_factory=list)
    ledger: Ledger = field(init=False)
    delivery: Dispatcher = field(init=False)
    journal: Journal = field(init=False)
    announcements: Announcements = field(init=False)
    talk: Talk = field(init=False)
    listened_ago: timedelta = timedelta(0)
    announces: bool = False
    topics: dict[int, int] = field(default_factory=dict)
    _saved: State = field(default_factory=State)

    def now(self) -> datetime:
        return self.scene.now

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """From a start to an end; what is in memory is gone at the end, what is in the ledger is not."""
        self.ledger = Ledger.open(f"sqlite:///{self.path}")
        memory = self.ledger.load()
        fmt = Formatter(self.scene.objectives, UTC)
        self.talk = Talk(self.api, fmt, self.access, listened_at=datetime.now(UTC) - self.listened_ago)
        async with connection.connect(TOKEN, self.api.url) as bot:
            addresses = [address_of(chat, self.topics.get(chat)) for chat in self.chats]
            recipients = Recipients(self.ledger, memory, addresses, self.scene.now)
            alerts = channel.TelegramChannel(bot)
            answers = alerts.for_answers
            localizer = Localizer(recipients, lambda _language: fmt)
            snapshot = FakeSnapshot(lambda: self.scene.state, self.now)
            self.journal = Journal(self.ledger, memory.actions, again_after=0.01, last_number=memory.last_action)
            self.delivery = Dispatcher(
                lambda _address: alerts,
                self.ledger,
                recipients,
                localizer,
                snapshot,
                self.journal,
                lambda kind, outcome: self.outcomes.append((kind, outcome)),
                gate=Gate(),
                rules=Rules(
                    second_chats=self.rules.second_chats,
                    escalate_after=self.rules.escalate_after,
                    quiet_hours=self.rules.quiet_hours,
                    pages_in_quiet_hours=self.rules.pages_in_quiet_hours,
                    offers=self.talk.router.verbs,
                ),
            )
            self.announcements = Announcements(
                lambda _address: answers,
                recipients,
                localizer,
                again_after=0.01,
            )
            announcing = asyncio.create_task(self.announcements.run())
            oncall_commands = OnCall(
                snapshot,
                localizer.replies,
                self.journal,
                self.delivery.revive,
                self.announcements.announce if self.announces else lambda _text, _but: None,
                self.reach,
            )
            async with self.talk.listening(*oncall_commands.commands()):
                yield
            announcing.cancel()
        self.ledger.close()

    def reach(self, request: Question | Press) -> frozenset[int] | None:
        """What people in a second chat may act on, as the watchdog wires it."""
        return self.delivery.known_in(request.chat) if self.access.is_limited_to_escalations(request) else None

    async def deliver(self, after: float = 0) -> None:
        """What was seen is saved, as evaluation does it, and delivered."""
        self.scene.second += after
        self.ledger.save(self._saved, self.scene.state)
        self._saved = self.scene.state
        self.delivery.on_evaluation()
        await self.delivery.deliver()

    async def press(self, message: Message, button: str, person: int = ANNA) -> str:
        """Somebody presses; what they are shown. What follows from it is delivered."""
        press = await self.api.press(message, button, person)
        await self.api.until(lambda: press in self.api.answers)
        await self.delivery.deliver()
        return self.api.answers[press]

    async def sends(self, text: str, chat: int = ANNA, person: int = ANNA, topic: int | None = None) -> Message:
        """Somebody writes, and is answered. What follows from it is delivered."""
        answer = await self.talk.sends(chat, person, text, topic)
        await self.delivery.deliver()
        return answer

    def messages(self, chat: int = ANNA) -> list[Message]:
        return self.api.chat(chat).messages

    def heads(self, chat: int = ANNA) -> list[str]:
        return [each.text.splitlines()[0] for each in self.messages(chat)]


@pytest.fixture
def post(bot_api: BotApi, tmp_path: Path) -> Post:
    bot_api.names |= {ANNA: "Anna", BORIS: "Boris <b>"}
    for chat in (ANNA, GROUP, SECOND):
        bot_api.chat(chat)
    bot_api.chat(FORUM, topics=[TOPIC])
    return Post(bot_api, tmp_path / "watchdog.db")


# Acknowledge


async def test_who_presses_acknowledge_has_it_and_every_chat_sees_who_and_when(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages(GROUP)[0]
        assert message.buttons == BREACH
        assert await post.press(message, ACKNOWLEDGE) == "You acknowledged #1."
        for chat in (ANNA, GROUP):
            assert "Acknowledged by Anna at 19:40." in post.messages(chat)[0].text.splitlines()
            assert post.messages(chat)[0].buttons == [UNDO, SILENCE, UNTIL_RECOVERY]
        post.scene.has(1.0, 120)
        assert await post.press(message, UNDO, BORIS) == "Only Anna can undo that."
        post.scene.has(1.0, 200)
        await post.deliver()
        assert message.buttons == [SILENCE, UNTIL_RECOVERY]
        post.scene.has(0.0, 30)
        await post.deliver()
    assert "Notified after 25 s, acknowledged by Anna after 25 s." in post.messages(GROUP)[1].text
    assert message.buttons == []


async def test_the_second_who_presses_reads_who_has_acknowledged(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages(GROUP)[0]
        acknowledge = message.button(ACKNOWLEDGE).data or ""
        await post.press(message, ACKNOWLEDGE, BORIS)
        late = await post.api.press_with(message, acknowledge, ANNA)
        await post.api.until(lambda: late in post.api.answers)
        written = await post.sends("/ack")
    assert (written.text, written.parse_mode) == ("Already acknowledged by Boris <b> at 19:40.", "HTML")
    assert post.api.answers[late] == "Already acknowledged by Boris <b> at 19:40."
    assert "Acknowledged by Boris <b> at 19:40." in message.text


async def test_what_was_taken_by_mistake_is_taken_back(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages()[0]
        await post.press(message, ACKNOWLEDGE)
        assert await post.press(message, UNDO) == "Undone: your acknowledgement of #1."
        assert "Acknowledged by" not in message.text
        assert message.buttons == BREACH


@pytest.mark.parametrize(
    "text",
    [
        "/ack",
        "/ack 1",
        "/ack #1",
        "/ack latency",
        "/ack all",
        "/ack №1",
        "/ack Latency, 1",
        "/ack 1 and latency",
        "/ack задержку",
        "/ack всё",
        "/беру",
    ],
)
async def test_it_can_be_written_too(post: Post, text: str) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        assert (await post.sends(text, GROUP)).text == "Acknowledged by Anna: #1 Latency."
        assert "Acknowledged by Anna at 19:40." in post.messages()[0].text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/ack 2", "There is no #2."),
        ("/ack №99", "There is no #99."),
        ("/ack errors", "Errors is not in breach."),
        ("/ack ошибки", "Errors is not in breach."),
        ("/ack latncy now", "“latncy” is not understood. Did you mean latency?"),
        ("/ack xyzzy", "“xyzzy” is not understood. For example: /ack 12, or /ack all."),
    ],
)
async def test_a_wrong_argument_is_answered_with_a_right_one(post: Post, text: str, said: str) -> None:
    async with post.life():
        assert (await post.sends("/ack")).text == "Nothing is in breach."
        post.scene.breaks()
        await post.deliver()
        assert (await post.sends(text)).text == said


async def test_an_acknowledgement_pressed_while_nobody_listened_counts_and_a_silence_does_not(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
    message = post.messages()[0]
    for button in (SILENCE, SILENCE, ACKNOWLEDGE):
        await post.api.press(message, button)
    post.listened_ago = timedelta(hours=8)
    async with post.life():
        await post.talk.is_handled()
        await post.deliver()
    assert "Acknowledged by Anna" in message.text
    assert "Silenced" not in message.text
    assert [each.text for each in post.messages()[1:]] == [
        "This was sent while the bot was offline, so it was not carried out. Send it again if it still applies."
    ]


async def test_an_acknowledgement_written_while_nobody_listened_counts_from_then_and_for_what_was_open_then(
    post: Post,
) -> None:
    post.scene.second = (datetime.now(UTC) - START).total_seconds() // 1 - 3600  # Telegram's clock is the real one
    async with post.life():
        post.scene.breaks()
        await post.deliver()
    await post.api.says(ANNA, ANNA, "/ack", ago=timedelta(minutes=50))
    await post.api.says(ANNA, ANNA, "/silence 1h", ago=timedelta(minutes=49))
    post.scene.has(1.0, 3600)
    async with post.life():
        await post.talk.is_handled()
        (action,) = post.journal.actions.all
    assert abs((datetime.now(UTC) - action.at) - timedelta(minutes=50)) < timedelta(minutes=1)


async def test_what_is_over_cannot_be_taken_and_that_is_counted(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages()[0]
        data = [each.data or "" for row in message.keyboard for each in row]
        post.scene.has(0.0, 30)
        await post.deliver()
        for each in data:
            press = await post.api.press_with(message, each)
            await post.api.until(lambda press=press: press in post.api.answers)  # type: ignore[misc]
            assert post.api.answers[press] == "#1 is closed; this button no longer applies."
        assert post.talk.received[Reception.OLD] == 3
        assert post.journal.actions.all == ()


# Silences


async def test_a_silence_by_button_mutes_and_its_end_is_announced(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages()[0]
        assert await post.press(message, SILENCE) == "Latency: silenced until 20:40 UTC (1 h)."
        assert "Silenced until 20:40 by Anna." in message.text.splitlines()
        assert message.buttons == [ACKNOWLEDGE, END]
        edits = len(message.edits)
        for _ in range(10):
            post.scene.has(1.0, 300)
            await post.deliver()
        assert len(message.edits) == edits
        post.scene.has(1.0, 601)
        await post.deliver()
        assert [each.is_loud for each in post.messages()] == [True, True]
        assert post.heads()[1] == "⏱ Still open after 1 h, not acknowledged: Latency, p95 2.4 s (last 20 s). #1"
        assert "Silenced" not in message.text


async def test_a_breach_under_a_silence_is_not_notified_but_its_end_is_in_a_quiet_line(post: Post) -> None:
    async with post.life():
        answer = await post.sends("/silence 1h latency deploying", GROUP)
        assert answer.text.splitlines() == [
            "🔇 Latency: silenced until 20:40 UTC (1 h).",
            "Reason: deploying",
            "Evaluation continues; recoveries are still sent, without sound. To undo: /undo",
        ]
        post.scene.breaks()
        await post.deliver()
        assert post.messages() == []
        assert post.delivery.undelivered_since is None
        post.scene.has(0.0, 30)
        await post.deliver()
        (line,) = post.messages()
        assert line.text == (
            "⚪️ Delivered after a silence: Latency in breach 19:40:00–19:40:25 (25 s), worst 2.4 s, resolved since. #1"
        )
        assert line.is_silent


@pytest.mark.parametrize("how", ["it runs out", "its button", "/undo"])
async def test_when_a_silence_is_over_what_is_open_is_notified(post: Post, how: str) -> None:
    async with post.life():
        answer = await post.sends("/silence 2m all", GROUP, BORIS)
        post.scene.breaks()
        await post.deliver()
        assert post.messages() == []
        if how == "it runs out":
            post.scene.has(1.0, 120)
        elif how == "/undo":
            assert (await post.sends("/undo", GROUP, BORIS)).text == "Undone: the silence of Everything."
        else:
            assert answer.buttons == ["End: Everything, until 19:42"]
            assert await post.press(answer, answer.buttons[0], ANNA) == "Silence ended: Everything."
            again = await post.press(answer, answer.buttons[0], ANNA)
            assert again == "That silence has already ended."
        await post.deliver()
    assert post.heads()[0].startswith("🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)")
    assert post.messages()[0].is_loud


async def test_a_silence_until_recovery_ends_with_it(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages()[0]
        assert await post.press(message, UNTIL_RECOVERY) == "Latency: silenced until recovery."
        post.scene.has(0.0, 30)
        await post.deliver()
        assert post.heads()[1].startswith("🟢 Latency resolved")
        assert post.messages()[1].is_silent
        assert (await post.sends("/silences")).text == "No silences. To make one: /silence 1h all"
        post.scene.has(1.0, 25)
        await post.deliver()
        assert "Latency again" in post.messages()[-1].text
        assert post.messages()[-1].is_loud


async def test_silences_are_listed_with_who_when_until_and_why(post: Post) -> None:
    async with post.life():
        await post.sends("/silence until 21:00 errors known & <old>", GROUP, BORIS)
        await post.sends("/silence 2d latency", GROUP)
        listed = await post.sends("/silences")
        status = await post.sends("/status")
    assert listed.text.splitlines() == [
        "🔇 Errors: silenced until 21:00 by Boris <b>: known & <old>. Made at 19:40.",
        "🔇 Latency: silenced until 19:40 on 3 January by Anna. Made at 19:40.",
    ]
    assert listed.buttons == ["End: Errors, until 21:00", "End: Latency, until 19:40 on 3 January"]
    assert "🔇 Errors: silenced until 21:00 by Boris <b>: known & <old>" in status.text or "Nothing" in status.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/silence", "What should be silenced, and for how long?"),
        ("/silence until tomorow 9:00", "“tomorow” is not understood. Did you mean tomorrow?"),
        ("/silence untli 18:00 all", "“untli” is not understood. Did you mean until?"),
        ("/silence today 9:00 all", "today 9:00 is in the past."),
        ("/silence 99d", "99d is too long: at most 7 days."),
    ],
)
async def test_what_is_not_understood_is_said_with_a_right_example(post: Post, text: str, said: str) -> None:
    async with post.life():
        answer = (await post.sends(text)).text
        assert answer == f"{said} For example: /silence 1h latency deploying, or /silence until 18:00 all."
        assert post.journal.actions.all == ()
        waits = (await post.sends("/silence until recovery all")).text
        assert waits.startswith("It is not in breach")


async def test_only_admins_silence_where_there_are_any(post: Post) -> None:
    post.access = among(admins=[BORIS])
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages(GROUP)[0]
        assert "Only an admin" in await post.press(message, SILENCE, ANNA)
        assert "Only an admin" in (await post.sends("/silence 1h all", GROUP, ANNA)).text
        assert "silenced" in await post.press(message, SILENCE, BORIS)
        assert [each.by.id for each in post.journal.actions.all] == [BORIS]


async def test_acts_outlive_a_restart_and_what_is_delivered_twice_counts_once(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        await post.press(post.messages()[0], ACKNOWLEDGE)
        request = await post.api.says(ANNA, ANNA, "/silence 1h errors")
        await post.talk.is_handled()
        kept = post.journal.actions
    await post.api.sends_update("message", request.as_json())
    async with post.life():
        await post.talk.is_handled()
        assert post.journal.actions == kept
        await post.deliver()
    assert "Acknowledged by Anna at 19:40." in post.messages()[0].text


async def test_a_ledger_that_cannot_be_written_is_reported_and_loses_nothing(post: Post) -> None:
    async with post.life():
        writing = asyncio.create_task(post.journal.run())
        other = sqlite3.connect(post.path, isolation_level=None)
        for action in ("INSERT", "UPDATE"):
            other.execute(
                f"CREATE TRIGGER no_{action} BEFORE {action} ON acts BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
            )
        answer = await post.sends("/silence 1h all")
        assert answer.text.endswith("the database cannot be written: a restart would lose it.")
        post.scene.breaks()
        await post.deliver()
        assert post.messages()[1:] == [], "it holds all the same"
        for action in ("INSERT", "UPDATE"):
            other.execute(f"DROP TRIGGER no_{action}")
        async with asyncio.timeout(30):
            while post.ledger.load().actions != post.journal.actions.all:  # noqa: ASYNC110 - nothing signals it
                await asyncio.sleep(0.01)
        other.close()
        writing.cancel()


# Quiet hours and nobody who has it


async def test_quiet_hours_hold_what_makes_a_sound_until_they_are_over(post: Post) -> None:
    post.rules = Rules(quiet_hours=QuietHours.parse("19:00-20:00", UTC))
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        assert post.messages() == []
        assert post.delivery.undelivered_since is None
        post.scene.has(1.0, 19.5 * MINUTE)
        await post.deliver()
        assert post.messages() == []
        post.scene.has(1.0, MINUTE)
        await post.deliver()
        assert post.messages()[0].is_loud
        assert post.messages()[0].sent_at is not None
        assert post.now() >= START + timedelta(minutes=20)


@pytest.mark.parametrize("delivered", [True, False], ids=["where that is wanted", "where it is not"])
async def test_a_fast_burn_is_notified_in_quiet_hours(post: Post, delivered: bool) -> None:  # noqa: FBT001
    burn = Burn(0.02, timedelta(hours=1), timedelta(minutes=5), Alert.PAGE)
    post.scene = Scene(replace(LATENCY, burns=(burn,)))
    post.rules = Rules(quiet_hours=QuietHours.parse("19:00-20:00", UTC), pages_in_quiet_hours=delivered)
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        assert post.messages() == []
        fast = Budget(history=timedelta(days=30), events=1e6, bad_ratios={burn.short: 0.9, burn.long: 0.8})
        burning = replace(post.scene.incident, budget=fast)
        post.scene.state = replace(post.scene.state, incidents={1: burning})
        await post.deliver()
        assert bool(post.messages()) is delivered


async def test_what_came_and_went_in_quiet_hours_is_notified_in_a_line_after_them(post: Post) -> None:
    post.rules = Rules(quiet_hours=QuietHours.parse("19:00-20:00", UTC))
    async with post.life():
        post.scene.breaks().has(0.0, 30)
        await post.deliver()
        assert post.messages() == []
        await post.deliver(after=20 * MINUTE)
        assert post.heads() == [
            (
                "⚪️ Delivered after quiet hours: Latency in breach 19:40:00–19:40:25 (25 s), "
                "worst 2.4 s, resolved since. #1"
            )
        ]


async def test_what_nobody_acknowledges_is_escalated_to_a_second_chat_which_receives_the_rest(post: Post) -> None:
    post.rules = Rules(escalate_after=timedelta(minutes=15), second_chats=[address_of(SECOND)])
    post.chats = (ANNA, SECOND)
    post.access = among([ANNA, SECOND])
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        post.scene.has(1.0, 15 * MINUTE - 5)
        await post.deliver()
        assert (len(post.messages()), post.messages(SECOND)) == (1, [])
        post.scene.has(1.0, 10)
        await post.deliver()
        assert post.heads()[1] == "⏱ Escalation: nobody acknowledged Latency, p95 2.4 s (last 20 s) for 15 min. #1"
        assert post.messages()[1].is_loud
        assert post.messages()[1].buttons == [ACKNOWLEDGE]
        assert post.heads(SECOND)[0].startswith("🔴 Latency")
        assert post.messages(SECOND)[0].text.splitlines()[1] == "Escalated: nobody acknowledged it for 15 min."
        assert post.messages(SECOND)[0].buttons[0] == ACKNOWLEDGE
        await post.press(post.messages(SECOND)[0], ACKNOWLEDGE, BORIS)
        assert "Acknowledged by Boris <b>" in post.messages()[0].text
        post.scene.has(1.0, 40 * MINUTE)
        await post.deliver()
        post.scene.has(0.0, 60)
        await post.deliver()
    assert len(post.messages()) == 3
    assert post.heads(SECOND)[1].startswith("🟢 Latency resolved")
    assert "acknowledged by Boris <b> after 15 min" in post.messages(SECOND)[1].text


async def test_a_second_chat_receives_nothing_of_what_is_acknowledged(post: Post) -> None:
    post.rules = Rules(escalate_after=timedelta(minutes=15), second_chats=[address_of(SECOND)])
    post.chats = (ANNA, SECOND)
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        await post.press(post.messages()[0], ACKNOWLEDGE)
        post.scene.has(1.0, 30 * MINUTE).has(0.0, 60)
        await post.deliver()
        assert post.messages(SECOND) == []
        assert post.delivery.undelivered_since is None


# Topics


async def test_a_topic_of_a_forum_is_notified_and_answered_there(post: Post) -> None:
    post.topics = {FORUM: TOPIC}
    post.chats = (FORUM,)
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        message = post.messages(FORUM)[0]
        await post.press(message, ACKNOWLEDGE, BORIS)
        await post.sends("/silence@wine_slo_bot 1h all", FORUM, ANNA, TOPIC)
        post.scene.has(0.0, 60)
        await post.deliver()
    assert [each.topic for each in post.messages(FORUM)] == [TOPIC] * 3
    assert "Acknowledged by Boris <b>" in message.versions[1].text


async def test_where_a_topic_is_gone_the_chat_is_notified(post: Post) -> None:
    post.topics = {FORUM: 31}
    post.chats = (FORUM,)
    async with post.life():
        post.scene.breaks()
        await post.deliver()
    assert post.messages(FORUM)[0].topic is None


# What is answered with choices


async def test_a_name_that_is_not_known_silences_nothing_and_is_answered_with_choices(post: Post) -> None:
    async with post.life():
        request = await post.sends("/silence 1h predict", GROUP)
        assert request.text == "“predict” is not understood. What should be silenced?\nUntil 20:40 UTC (1 h)."
        assert request.buttons == ["Everything", "Latency", "Errors", "Availability"]
        assert post.journal.actions == NO_ACTIONS
        post.scene.second += 60
        await post.press(request, "Errors", BORIS)
        await post.api.until(lambda: request.text.startswith("🔇 Errors: silenced until 20:40 UTC (59 min)."))
        (action,) = post.journal.actions.all
        assert action.silence is not None
        assert (action.by.id, action.silence.objective, action.silence.until) == (
            BORIS,
            "errors",
            START + timedelta(hours=1),
        )
        assert request.buttons == ["End: Errors, until 20:40"]


async def test_who_may_not_silence_may_not_choose_either(post: Post) -> None:
    post.access = among(admins=[BORIS])
    async with post.life():
        request = await post.sends("/silence 1h", GROUP, BORIS)
        assert "Only an admin" in await post.press(request, "Everything", ANNA)
        assert post.journal.actions == NO_ACTIONS
        await post.press(request, "Everything", BORIS)
        assert len(post.journal.actions.all) == 1
        again = await post.api.press_with(request, request.button(request.buttons[0]).data or "", BORIS)
        await post.api.until(lambda: again in post.api.answers)


async def test_a_choice_of_an_earlier_process_is_not_mistaken_for_another_one(post: Post) -> None:
    async with post.life():
        request = await post.sends("/silence 1h", GROUP)
        await post.talk.is_handled()
    async with post.life():
        await post.sends("/silence 1h", GROUP)
        assert await post.press(request, "Everything") == "These buttons have expired. Send the command again."
        assert post.journal.actions == NO_ACTIONS


@pytest.mark.parametrize(
    ("text", "said", "buttons"),
    [
        (
            "/silence latency",
            "For how long?",
            ["30 min, until 20:10 UTC", "1 h, until 20:40 UTC", "4 h, until 23:40 UTC"],
        ),
        ("/silence 2 latency", "“2”: until when?", ["2 min, until 19:42 UTC", "2 h, until 21:40 UTC"]),
        (
            "/silence 1h latncy",
            "There is no “latncy”. Did you mean Latency?\nUntil 20:40 UTC (1 h).",
            ["Latency", "Everything"],
        ),
        ("/silence 1h #99", "There is no #99.", []),
        ("/silence off", "No silences. To make one: /silence 1h all", []),
    ],
)
async def test_what_is_missing_is_offered_as_choices(post: Post, text: str, said: str, buttons: list[str]) -> None:
    async with post.life():
        answer = await post.sends(text)
        assert (answer.text, answer.buttons[: len(buttons)]) == (said, buttons)
        assert post.journal.actions == NO_ACTIONS


async def test_several_objectives_are_silenced_at_once_and_taken_back_at_once(post: Post) -> None:
    async with post.life():
        answer = await post.sends("/silence latency, ошибки 1h deploying")
        assert answer.text.splitlines()[:3] == [
            "🔇 Latency: silenced until 20:40 UTC (1 h).",
            "🔇 Errors: silenced until 20:40 UTC (1 h).",
            "Reason: deploying",
        ]
        back = await post.sends("/undo")
        assert back.text.splitlines() == [
            "Undone: the silence of Latency.",
            "Undone: the silence of Errors.",
        ]
        assert (await post.sends("/silences")).text.startswith("No silences")


async def test_which_incident_is_acknowledged_can_be_pressed(post: Post) -> None:
    async with post.life():
        post.scene.breaks()
        post.scene.has(1.0, 25, key=Key("errors"))
        await post.deliver()
        request = await post.sends("/ack")
        assert request.buttons == ["#1 Latency", "#2 Errors"]
        assert await post.press(request, "#2 Errors") == "You acknowledged #2."


# What is never silenced, and who is notified of silences


async def test_a_silence_of_everything_mutes_neither_lost_monitoring_nor_an_outage_of_the_whole_service(
    post: Post,
) -> None:
    up = Key(AVAILABILITY.name)
    async with post.life():
        await post.sends("/silence 1h all", GROUP)
        post.scene.breaks()
        post.scene.has(0.34, 60, key=up, of=3)
        await post.deliver()
        assert post.messages() == [], "one replica of three is down, and latency is in breach"
        post.scene.has(1.0, 60, key=up, of=3)
        await post.deliver()
        assert [each.split(":")[0] for each in post.heads()] == ["🔴 Availability"]
        assert post.messages()[0].is_loud
        post.scene.lacks(Sight.BLIND, 300, keys=(Key("latency"), Key("errors"), up))
        await post.deliver()
        assert post.heads()[-1].startswith("🟣 Monitoring lost")
        assert post.messages()[-1].is_loud


async def test_a_silence_whose_announcement_an_end_of_the_process_cut_short_is_announced_after_it(post: Post) -> None:
    post.scene.has(0.0, 30)
    async with post.life():  # in which nothing announces
        await post.sends("/silence 1h latency")
        post.scene.second += 5 * MINUTE
        post.scene.has(0.0, 5)
        await post.sends("/silence 1h errors deploying")
    async with post.life():
        reminding = asyncio.create_task(
            post.announcements.remind(post.journal, FakeSnapshot(lambda: post.scene.state, post.now))
        )
        await post.api.until(lambda: post.messages(GROUP))
        reminding.cancel()
    assert [each.text for each in post.messages(GROUP)] == ["🔇 Errors: silenced until 20:45 by Anna: deploying."]


async def test_a_silence_its_end_and_what_is_taken_back_are_announced_in_every_other_chat(post: Post) -> None:
    post.announces = True
    async with post.life():
        await post.sends("/silence 1h all fixing <it>", GROUP, BORIS)
        await post.api.until(lambda: len(post.messages()) == 1)
        assert post.messages()[0].text == "🔇 Everything: silenced until 20:40 by Boris <b>: fixing <it>."
        assert post.messages()[0].is_silent
        await post.sends("/undo", GROUP, BORIS)
        await post.api.until(lambda: len(post.messages()) == 2)
        assert post.messages()[1].text == "🔔 Boris <b> ended the silence: Everything."
        post.scene.breaks()
        await post.deliver()
        await post.press(post.messages()[-1], SILENCE)
        await post.api.until(lambda: post.messages(GROUP)[-1].text == "🔇 Latency: silenced until 20:40 by Anna.")
    assert not any(each.text.startswith("🔔") for each in post.messages(GROUP)), "there it is the answer"


# A second chat


async def test_a_second_chat_acts_only_on_what_was_escalated_to_it(post: Post) -> None:
    post.rules = Rules(escalate_after=timedelta(minutes=15), second_chats=[address_of(SECOND)])
    post.chats = (ANNA, SECOND)
    post.access = Access([address_of(ANNA), address_of(SECOND)], [], lambda chat: chat == address_of(SECOND))
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        for text in ("/silence 1h all", "/silence 1h latency", "/silence 1h #1", "/ack", "/ack 1"):
            assert (await post.sends(text, SECOND, BORIS)).text.startswith("In this chat you can act only on"), text
        assert post.journal.actions == NO_ACTIONS
        post.scene.has(1.0, 15 * MINUTE)
        await post.deliver()
        assert "is not in breach" not in (await post.sends("/ack 1", SECOND, BORIS)).text
        assert (await post.sends("/silence 1h all", SECOND, BORIS)).text.startswith("In this chat you can act only on")
        assert (await post.sends("/silence 1h #1", SECOND, BORIS)).text.startswith("🔇 Latency")
        assert [each.by.id for each in post.journal.actions.all] == [BORIS, BORIS]


async def test_an_admin_acts_from_a_second_chat_as_from_a_first(post: Post) -> None:
    post.access = Access([address_of(ANNA), address_of(SECOND)], [BORIS], lambda chat: chat == address_of(SECOND))
    async with post.life():
        assert (await post.sends("/silence 1h all", SECOND, BORIS)).text.startswith("🔇 Everything")
        assert "Only an admin" in (await post.sends("/silence 1h all", SECOND, ANNA)).text


async def test_an_acknowledgement_that_is_taken_back_escalates_after_a_minute_of_grace(post: Post) -> None:
    post.rules = Rules(escalate_after=timedelta(minutes=15), second_chats=[address_of(SECOND)])
    post.chats = (ANNA, SECOND)
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        post.scene.has(1.0, 14 * MINUTE)
        await post.press(post.messages()[0], ACKNOWLEDGE)
        post.scene.has(1.0, 2 * MINUTE)
        await post.press(post.messages()[0], UNDO)
        post.scene.has(1.0, 55)
        await post.deliver()
        assert (len(post.messages()), post.messages(SECOND)) == (1, [])
        post.scene.has(1.0, 5)
        await post.deliver()
        assert len(post.messages()) == 2
        assert post.messages(SECOND)[0].is_loud


# Who it was


async def test_two_people_of_one_name_are_distinguished(post: Post) -> None:
    post.api.names[BORIS] = "anna"
    async with post.life():
        post.scene.breaks()
        await post.deliver()
        await post.press(post.messages(GROUP)[0], ACKNOWLEDGE, ANNA)
        await post.press(post.messages(GROUP)[0], SILENCE, BORIS)
        lines = post.messages()[0].text.splitlines()
        assert "Acknowledged by Anna at 19:40." in lines
        assert f"Silenced until 20:40 by anna ({BORIS})." in lines
        action_lines = post.journal.lines(post.scene.incident, post.talk.fmt)
    assert action_lines[0] == f"19:40 Anna ({ANNA}) acknowledged."
    assert str(BORIS) in action_lines[1]


async def test_what_is_garbage_in_the_ledger_hides_no_act_and_stops_none(post: Post) -> None:
    async with post.life():
        await post.sends("/silence 1h errors")
        await post.sends("/silence 1h latency")
        await post.talk.is_handled()
    other = sqlite3.connect(post.path, isolation_level=None)
    other.execute("UPDATE acts SET value = json_set(value, '$.number', 77) WHERE number = 1")
    for number, value in ((3, "{}"), (9, "no json"), (10, "[1")):
        other.execute(
            "INSERT INTO acts VALUES (?, '2026-01-01T19:41:00+00:00', NULL, ?, ?)", (number, f"x{number}", value)
        )
    async with post.life():
        assert [each.number for each in post.journal.actions.all] == [1, 2]
        assert (await post.sends("/silence 1h availability")).text.endswith("To undo: /undo")
        assert post.journal.actions.all[-1].number == 11
    assert other.execute("SELECT max(number), count(*) FROM acts").fetchone() == (11, 6)
    other.close()


async def test_an_act_with_half_a_letter_in_it_is_kept_and_holds_up_no_later_one(post: Post) -> None:
    async with post.life():
        await post.sends("/silence 1h errors")
        (good,) = post.journal.actions.all
        broken = replace(good, cause="broken", by=replace(good.by, name="half \ud800"))
        await post.journal.add(broken)
        _, is_written = await post.journal.add(replace(good, cause="later"))
        assert is_written
        assert [each.cause for each in post.ledger.load().actions] == [good.cause, "broken", "later"]


async def test_start_says_who_the_bot_is_and_what_it_watches(post: Post) -> None:
    async with post.life():
        said = await post.sends("/start")
        assert said.text.startswith(
            "This is wine-slo. It monitors the objectives of wine-slo: Latency, Errors, Availability."
        )
        assert said.buttons == ["Status", "Commands", "Language"]
        post.scene.has(0.0, 30)
        shown = len(post.messages())
        await post.press(said, "Status")
        await post.api.until(lambda: len(post.messages()) > shown)
        assert post.messages()[-1].text.startswith("🟢 latency")


async def test_status_of_one_objective_is_of_that_one(post: Post) -> None:
    async with post.life():
        post.scene.has(0.0, 30)
        post.scene.has(0.0, 30, key=Key("errors"))
        assert "latency" not in (await post.sends("/status ошибки")).text
        assert (await post.sends("/status latncy")).text == "There is no latncy. Did you mean latency?"
        assert (await post.sends("/status latency and errors")).text == (await post.sends("/status")).text
        for text in ("/status errors latncy", "/status errors, latncy", "/status errors и latncy"):
            assert (await post.sends(text)).text == "There is no latncy. Did you mean latency?"
