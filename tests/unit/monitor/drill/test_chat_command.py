"""`/drill`: one at a time, stopped by command or when the watchdog ends, and refused in words."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import ALL, START
from wine_slo.config import translations
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.drill.chat_command import DrillCommand, said
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.monitor.drill.runner import DrillRefusedError
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.messages import Answer, Person, Question
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.oncall.actions import ActionKind
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

NAMES = ("scraped", "detected", "notified", "recovered", "recovery_notified")
DONE = Drill(
    slo="latency",
    sleep_seconds=2,
    requests_per_second=5,
    started_at=START,
    incident=12,
    steps=tuple(
        Step(name=name, title=name, seconds=took, expected_seconds=42)
        for name, took in zip(NAMES, (4.1, 33.0, 33.3, 24.7, 24.9), strict=True)
    ),
)


@dataclass
class Stage:
    """A drill that takes until it is over, and who requests it."""

    ledger: Ledger
    refuses: DrillRefusedError | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    was_stopped: bool = False
    messages: int = 0
    language: str = "en"
    now: datetime = START
    announced: list[tuple[str, int]] = field(default_factory=list)
    journal: Journal = field(init=False)
    drills: DrillCommand = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.ledger, ())
        self.drills = DrillCommand(
            FakeSnapshot(State, lambda: self.now),
            self.fmt,
            self.prepare,
            self.run,
            timedelta(minutes=3),
            journal=self.journal,
            announce=lambda text, but: self.announced.append((text(Replies(self.fmt(0))), but)),
        )

    def fmt(self, _chat: int) -> Formatter:
        return Formatter(ALL, UTC, translations.load()[self.language])

    async def prepare(self, _objective: Objective) -> Drill:
        if self.refuses:
            raise self.refuses
        return DONE

    async def run(self, _objective: Objective) -> Drill:
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            self.was_stopped = True
            raise
        if self.refuses:
            raise self.refuses
        return DONE

    async def request(self, *words: str) -> Answer:
        (command,) = self.drills.commands()
        self.messages += 1
        requested = Question(
            chat=1,
            message=self.messages,
            person=Person(3, "Anna"),
            command="drill",
            arguments=words,
            sent_at=START,
        )
        return await command.answer(requested)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    yield Stage(ledger)
    ledger.close()


async def test_what_came_of_it_follows_when_it_is_over(stage: Stage) -> None:
    begun = await stage.request("latency")
    assert begun.text == (
        "🟠 DRILL by Anna: latency is made slow for at most 3 min, until every chat is notified. "
        "The next breach is a drill."
    )
    assert stage.announced == [(begun.text, 1)], "all other chats are notified who makes the next breach"
    (action,) = stage.journal.actions.all
    assert (action.deed, action.by.name, action.objective, action.at) == (ActionKind.DRILL, "Anna", "latency", START)
    assert begun.follow
    following = asyncio.ensure_future(begun.follow())
    assert (await stage.request()).text == "A drill is running. To stop it: /drill stop"
    stage.over.set()
    assert await following == (
        "🟢 Drill passed: everyone was notified in time.\n"
        "Seen by Prometheus after 4.1 s, expected within 42 s.\n"
        "Breach confirmed after 33 s, expected within 42 s.\n"
        "All chats notified after 33 s, expected within 42 s.\n"
        "Recovery confirmed 25 s after it, expected within 42 s.\n"
        "All chats notified of the recovery 25 s after it, expected within 42 s."
    )
    assert (await stage.request("stop")).text == "No drill is running."


async def test_a_drill_can_be_stopped(stage: Stage) -> None:
    begun = await stage.request()
    assert begun.follow
    following = asyncio.ensure_future(begun.follow())
    await asyncio.sleep(0)
    assert (await stage.request("STOP")).text == "The drill is stopped: no more requests are sent."
    assert stage.announced[-1] == ("⚪️ Anna stopped the drill.", 1)
    assert await following is None
    assert stage.was_stopped


async def test_the_end_of_the_watchdog_ends_it(stage: Stage) -> None:
    begun = await stage.request()
    assert begun.follow
    following = asyncio.ensure_future(begun.follow())
    await asyncio.sleep(0)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert stage.was_stopped


async def test_one_that_there_cannot_be_is_refused_in_the_chats_language(stage: Stage) -> None:
    stage.refuses = DrillRefusedError("{name} is already in breach: #{number}", name="latency", number=12)
    assert (await stage.request()).text == "⚪️ No drill: latency is already in breach: #12"
    stage.language = "ru"
    assert (await stage.request()).text == "⚪️ Учебной тревоги не будет: latency уже нарушена: № 12"
    assert (
        await stage.request("errors")
    ).text == "errors — не задержка; учебная тревога умеет нарушать только задержку."


async def test_one_that_is_refused_at_its_start_is_reported(stage: Stage) -> None:
    begun = await stage.request()
    stage.refuses = DrillRefusedError("Prometheus: {why}", why="it is away")
    stage.over.set()
    assert begun.follow
    assert await begun.follow() == "⚪️ No drill: Prometheus: it is away"


def test_what_did_not_work_says_so_first(stage: Stage) -> None:
    fmt = stage.fmt(1)
    late = replace(DONE, steps=(replace(DONE.steps[0], seconds=50), *DONE.steps[1:]))
    assert said(late, fmt).startswith("🟡 Drill passed, but slower than the settings imply.\n")
    failed = replace(DONE, steps=(replace(DONE.steps[0], seconds=None),), trouble=Reason("it is away"))
    assert said(failed, fmt) == "🔴 Drill failed: it is away"


async def test_the_next_drill_has_to_wait_and_the_answer_says_how_long(stage: Stage) -> None:
    begun = await stage.request()
    stage.over.set()
    assert begun.follow
    await begun.follow()
    await asyncio.sleep(0)
    stage.now += timedelta(minutes=2)
    assert (await stage.request()).text == "There was a drill just now; the next one can begin in 3 min."
    stage.now += timedelta(minutes=3)
    assert (await stage.request()).follow


@pytest.mark.parametrize("name", ["latency", "Latency", "lat", "задержка", "latency now"])
async def test_what_a_drill_breaks_is_named_as_in_every_command(stage: Stage, name: str) -> None:
    assert (await stage.request(*name.split())).follow
    await asyncio.sleep(0)
    assert (await stage.request("stop")).text
    await asyncio.sleep(0)
