"""`/drill`: one at a time, stopped by command or when the watchdog ends, and refused in words."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import ALL, CHAT, START, at, incident
from wine_slo.config import translations
from wine_slo.config.slo_extras import DrillEntry
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.drill.chat_command import DrillCommand, said
from wine_slo.monitor.drill.means import DrillRefusedError, DrillStoppedError
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.monitor.drill.runner import Marks
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Person, Question
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.oncall.actions import ActionKind
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter

NAMES = ("scraped", "detected", "notified", "recovered", "recovery_notified")
DONE = Drill(
    slo="latency",
    does=Reason("Breaking it."),
    sleep_seconds=2,
    requests_per_second=5,
    shows_itself=True,
    spares_budget=True,
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
    stop_fails: DrillStoppedError | None = None
    messages: int = 0
    language: str = "en"
    entry: DrillEntry | None = None
    now: datetime = START
    announced: list[tuple[str, Address]] = field(default_factory=list)
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
            entry=lambda: self.entry,
            journal=self.journal,
            announce=lambda text, but: self.announced.append((text(Replies(self.fmt(but))), but)),
        )

    def fmt(self, _chat: Address) -> Formatter:
        return Formatter(ALL, UTC, translations.load()[self.language])

    async def prepare(self, objective: Objective) -> Drill:
        if self.refuses:
            raise self.refuses
        if self.entry is None:
            return DONE
        return replace(DONE, slo=objective.name, shows_itself=False, spares_budget=False)

    async def run(self, objective: Objective, marks: Marks) -> Drill:
        try:
            async with marks(await self.prepare(objective), timedelta(minutes=3)):
                await self.over.wait()
        except asyncio.CancelledError:
            self.was_stopped = True
            if self.stop_fails:
                raise self.stop_fails from None
            raise
        if self.refuses:
            raise self.refuses
        return DONE

    async def request(self, *words: str) -> Answer:
        (command,) = self.drills.commands()
        self.messages += 1
        requested = Question(
            address=CHAT,
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
    assert stage.announced == [(begun.text, CHAT)], "all other chats are notified who makes the next breach"
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
    assert (await stage.request("STOP")).text == "The drill is stopped: nothing breaks the service any more."
    assert stage.announced[-1] == ("⚪️ Anna stopped the drill.", CHAT)
    assert await following is None
    assert stage.was_stopped


async def test_a_drill_whose_stop_command_fails_is_not_said_to_be_over(stage: Stage) -> None:
    stage.stop_fails = DrillStoppedError(
        "the stop command ended with {status}: the service may still be broken", status=3
    )
    begun = await stage.request()
    assert begun.follow
    following = asyncio.ensure_future(begun.follow())
    await asyncio.sleep(0)
    assert (await stage.request("stop")).text == "The drill is being stopped."
    assert await following == ("🔴 Drill failed: the stop command ended with 3: the service may still be broken")


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
    fmt = stage.fmt(CHAT)
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


# A drill that slo.yml describes


async def test_it_breaks_any_objective_and_says_that_the_budget_counts_it(stage: Stage) -> None:
    stage.entry = DrillEntry(url="http://shop/slow")
    assert (await stage.request("errors")).text == (
        "🟠 DRILL by Anna: errors is broken on purpose for at most 3 min, until every chat is notified. "
        "The next breach is a drill. The error budget counts it."
    )


async def test_it_breaks_the_objective_that_the_file_names(stage: Stage) -> None:
    stage.entry = DrillEntry(url="http://shop/slow", objective="availability")
    assert (await stage.request()).text.startswith("🟠 DRILL by Anna: availability is broken on purpose")


async def test_an_objective_that_there_is_not_is_refused_in_words(stage: Stage) -> None:
    stage.entry = DrillEntry(url="http://shop/slow")
    assert (await stage.request("speed")).text == "There is no objective speed."


async def test_what_begins_while_it_runs_is_a_drills_and_what_begins_later_is_not(stage: Stage) -> None:
    stage.entry = DrillEntry(start=["break"], stop=["mend"])
    begun = await stage.request("latency")
    opened = incident(began_at=at(-5), opened_at=at(25))
    assert stage.journal.actions.is_announced(opened)
    assert not stage.journal.actions.is_announced(replace(opened, key=Key("errors")))
    stage.now = at(30)
    stage.over.set()
    assert begun.follow
    await begun.follow()
    assert stage.journal.actions.is_announced(opened)
    assert not stage.journal.actions.is_announced(incident(began_at=at(40), opened_at=at(65)))


async def test_a_service_that_a_drill_takes_down_is_marked_as_a_drill(stage: Stage) -> None:
    stage.entry = DrillEntry(start=["break"], stop=["mend"])
    await stage.request("latency")
    down = incident(key=Key("down", (("job", "wine-slo"),)), began_at=at(5), opened_at=at(125))
    assert stage.journal.is_announced_drill(down, "latency")
    assert not stage.journal.is_announced_drill(down, "errors")
    marked = replace(down, is_announced_drill=True)
    action = stage.journal.actions.drill_of(marked)
    assert action
    assert action.by.name == "Anna"


async def test_a_drill_whose_end_nobody_could_keep_ends_by_itself(stage: Stage) -> None:
    stage.entry = DrillEntry(url="http://shop/slow")
    await stage.request("latency")
    assert stage.journal.actions.is_announced(incident(began_at=at(170), opened_at=at(195)))
    assert not stage.journal.actions.is_announced(incident(began_at=at(185), opened_at=at(210)))
