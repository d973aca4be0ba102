"""A kill -9 at any step loses nothing and repeats at most one message, which says that it may be a duplicate.

A life (`life.py`) is killed at a step, the next one begins where it ended, later, or when everything is over, until
one comes to its end. What counts is what people then see at the fake Bot API.
"""

import asyncio
import os
import random
import signal
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.telegram_chats import Chat, Message
from tests.system import life
from tests.system.life import AFTERWARDS, TICKS, Life

SOAK = int(os.environ.get("WINE_SLO_SOAK", "0"))  # `make soak`: every step, and so many seeds more
POINTS = 105  # of each way to live, evenly over all steps
SEEDS = SOAK or 1
AT_ONCE = 4  # lives side by side
BORN_WITHIN = 30.0  # seconds; a life takes a fifth of a second
LATER = ("at once", "at the next tick", "when all is over")

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.system.life_preload"])


@dataclass
class Story:
    """A watchdog that is killed and started again, and what became of it."""

    bot_api: BotApi
    ledger: str
    chat: Chat
    forking: asyncio.Lock
    kills: int = 0
    steps: int = 0
    reached: int = TICKS[0]
    log: list[str] = field(default_factory=list)

    async def lives(
        self, ticks: tuple[int, ...], *, dies_at: int | None = None, dies_after: float | None = None, together: bool
    ) -> bool:
        """One life; whether it came to its end."""
        receiver, sender = FORKS.Pipe(duplex=False)
        messages = Life(self.ledger, self.bot_api.url, self.chat.id, ticks, dies_at, dies_after, together)
        process = FORKS.Process(target=life.live, args=(messages, sender))
        async with self.forking:
            await asyncio.to_thread(process.start)
        sender.close()
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(process.sentinel, ended.set)
        async with asyncio.timeout(BORN_WITHIN):
            await ended.wait()
        loop.remove_reader(process.sentinel)
        async with self.forking:  # a start reads the statuses of the dead as well, and each can be read once
            process.join()
            status = process.exitcode
            process.close()
        while receiver.poll():
            try:
                what, number = receiver.recv()
            except EOFError:
                break
            if what == "tick":
                self.reached = number
            else:
                self.steps = number
        receiver.close()
        self.log.append(f"killed in tick {self.reached}" if status else "lived to the end")
        assert status in {0, -signal.SIGKILL, -signal.SIGALRM}, f"it ended with {status}"
        self.kills += status != 0
        return status == 0

    def begins_again(self, *, later: str) -> tuple[int, ...]:
        """The ticks of the next life: from the one that was cut off on, from the next one on, or when all is over."""
        match later:
            case "at once":
                return (*(each for each in TICKS if each >= self.reached),)
            case "at the next tick":
                return (*(each for each in TICKS if each > self.reached),)
            case _:
                return ()

    def sent_with(self, start: str) -> list[Message]:
        return [each for each in self.chat.messages if each.versions[0].text.startswith(start)]

    def check(self) -> None:
        """What people see, whatever happened."""
        breaches, recoveries = self.sent_with("🔴 Latency: p95"), self.sent_with("🟢 Latency resolved")
        missed, gaps = self.sent_with("⚪️ Delivered late"), self.sent_with("🔄")
        seen = f"{self.log}: {self.chat.texts}"
        assert breaches or missed, f"the breach was lost; {seen}"
        assert recoveries or missed, f"the end was lost; {seen}"
        assert len(breaches + recoveries + missed + gaps) == len(self.chat.messages), seen
        ids = [each.id for each in breaches]
        assert all(each.reply_to in ids for each in recoveries), f"a recovery that replies to no breach; {seen}"
        assert max(ids, default=0) < min((each.id for each in recoveries + missed), default=0), f"out of order; {seen}"
        repeats = breaches[1:] + (recoveries + missed)[1:] + (missed if breaches and not recoveries else [])
        assert len(repeats) <= self.kills, f"{len(repeats)} repeats after {self.kills} kills; {seen}"
        assert len(gaps) <= self.kills, seen
        assert all("may be a duplicate" in each.versions[0].text for each in repeats), f"an unmarked repeat; {seen}"
        assert not breaches or missed or breaches[-1].text.startswith("⚪️"), f"the breach still reads so; {seen}"


@dataclass
class Stories:
    """Makes stories, each with a chat and a ledger of its own."""

    bot_api: BotApi
    folder: Path
    made: list[Story] = field(default_factory=list)
    _forking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self) -> Story:
        chat = self.bot_api.chat(len(self.made) + 1)
        self.made.append(Story(self.bot_api, f"sqlite:///{self.folder}/{chat.id}.db", chat, self._forking))
        return self.made[-1]


@pytest.fixture
def stories(bot_api: BotApi, tmp_path: Path) -> Stories:
    return Stories(bot_api, tmp_path)


@dataclass(frozen=True)
class Death:
    """How a life ends, and how the next one begins."""

    later: str
    together: bool
    at_steps: tuple[int, ...] = ()
    after_seconds: tuple[float, ...] = ()

    async def run(self, story: Story) -> None:
        ticks: tuple[int, ...] = TICKS
        for step in self.at_steps:
            if await story.lives(ticks, dies_at=step, together=self.together):
                ticks = ()  # time does not go back
                break
            ticks = story.begins_again(later=self.later)
        for seconds in self.after_seconds:
            if await story.lives(ticks, dies_after=seconds, together=self.together):
                ticks = ()
                break
            ticks = story.begins_again(later=self.later)
        assert await story.lives((*ticks, *AFTERWARDS), together=False), "the last life was killed as well"


async def run_all(stories: Stories, deaths: list[Death]) -> list[Story]:
    """Every one of them, a few at a time; what people see is checked."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def run(death: Death) -> Story:
        story = stories.begin()
        async with turn:
            try:
                await death.run(story)
                story.check()
            except AssertionError as error:
                error.add_note(f"{death}, {story.kills} kills")
                raise
        return story

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(each)) for each in deaths]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [each.result() for each in tasks]


async def steps_of(stories: Stories, *, together: bool) -> int:
    """How many steps a life without a kill has."""
    story = stories.begin()
    assert await story.lives(TICKS, together=together)
    story.check()
    assert len(story.chat.messages) == 2, story.chat.texts
    return story.steps


async def test_a_kill_at_any_step_loses_nothing_and_repeats_at_most_one_message(stories: Stories) -> None:
    deaths = []
    for together in (False, True):
        steps = await steps_of(stories, together=together)
        ways, points = list(LATER), steps if SOAK else POINTS
        deaths += [
            Death(later, together, at_steps=(step,))
            for number, step in enumerate(sorted({1 + steps * each // points for each in range(points)}))
            for later in (ways if SOAK else [ways[number % len(ways)]])
        ]
    messages = await run_all(stories, deaths)
    assert sum(each.kills for each in messages) >= 200
    assert all(each.kills <= 1 for each in messages)
    # Some of these kills came between the server's taking a message and our mark: those repeat it.
    assert any(len(each.sent_with("🔴")) == 2 for each in messages)
    assert any(len(each.sent_with("🟢")) == 2 for each in messages)
    assert any(each.sent_with("⚪️ Delivered late") for each in messages)
    assert any(each.sent_with("🔄 Watchdog restarted") for each in messages)


async def test_kills_of_life_after_life_repeat_at_most_one_message_each(stories: Stories) -> None:
    chance = random.Random(4)
    deaths = [
        Death(
            chance.choice(LATER),
            bool(number % 2),
            at_steps=tuple(chance.randrange(1, 300) for _ in range(3)),
            after_seconds=tuple(chance.uniform(0.02, 0.2) for _ in range(2)),
        )
        for number in range(12 * SEEDS)
    ]
    messages = await run_all(stories, deaths)
    assert sum(each.kills for each in messages) >= 2 * len(deaths)
