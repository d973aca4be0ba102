"""Hours of incidents with random faults on real processes: nobody misses one, and nobody falls silent undetected.

`make soak` runs it for `WINE_SLO_SOAK_MINUTES`; a test run does not collect it. The watchdog, Prometheus and the HTTP
between them and the fake Bot API are real; the service is a set of counters, and a supervisor starts the watchdog again
whenever it ends, as systemd would. An episode is one incident with some faults in it. After each, every recipient that
no fault closed has been notified of every incident of it and of its end, `/health` is green, and the others are named
there. The last episode has no fault, and after it nobody lacks anything.
"""

import asyncio
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.fakes.bot_api import KICKED, BotApi
from tests.support.fakes.service import Service
from tests.support.fakes.telegram_chats import Chat, Message
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import TOOLS, Prometheus, free_port, scraping
from tests.system.conftest import fast_objectives

MINUTES = float(os.environ.get("WINE_SLO_SOAK_MINUTES", "2"))
SEED = int(os.environ.get("WINE_SLO_SOAK_SEED", str(random.SystemRandom().randrange(10**6))))
PERSON, GROUP, FORUM, SECOND = 42, -5, -1001, 99
TOPIC = 30
PER_SECOND = 10  # requests
SETTLES_WITHIN = 150.0  # seconds from the end of incident and faults: the longest retry, the longest timeout, a poll
SOUND = ("🔴", "🟣", "🟠")  # the first sign of a message that says that an incident is open
LATE = "⚪️"  # and of one that says that it is over


@dataclass
class Traffic:
    """Requests of the service, good or bad."""

    service: Service
    kind: str = "good"

    async def run(self) -> None:
        while True:
            await asyncio.sleep(1 / PER_SECOND)
            self.service.answers(good=self.kind == "good", slow=self.kind == "slow", failed=self.kind == "failed")


@dataclass
class Supervised:
    """The watchdog, started again whenever it ends; its clock can be turned."""

    processes: Processes
    settings: dict[str, str]
    clock: Path
    statuses: list[int] = field(default_factory=list)
    process: Process | None = None
    expects_kill: bool = False

    async def run(self) -> None:
        while True:
            self.process = await self.processes.watchdog(self.settings)
            status = await self.process.wait(seconds=10**6)
            if not self.expects_kill:
                self.statuses.append(status)
                assert status != 0, f"the watchdog ended with status 0:\n{self.process.output[-4000:]}"
            self.expects_kill = False
            await asyncio.sleep(1)

    async def kill(self) -> None:
        assert self.process
        self.expects_kill = True
        self.process.send(signal.SIGKILL)

    async def suspend(self, seconds: float) -> None:
        assert self.process
        process = self.process
        process.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)

    def turn_clock(self, seconds: float) -> None:
        self.clock.write_text(f"{seconds:+.0f}\n")


@dataclass
class Scene:
    """Everything that runs."""

    api: BotApi
    service: Service
    traffic: Traffic
    prometheus: Prometheus
    watchdog: Supervised
    url: str
    chance: random.Random
    chats: dict[str, Chat]
    groups: int = 0

    async def get(self, path: str) -> tuple[int, Any]:
        """The status and the JSON of a page of the watchdog; 0 where it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.get(f"{self.url}{path}") as response,
            ):
                return response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError):
            return 0, {}

    async def until(self, claim: Callable[[], Awaitable[str]], seconds: float) -> None:
        """Wait until a claim finds nothing to complain of.

        Raises:
            AssertionError: it still complains after that time; says of what.
        """
        deadline = time.monotonic() + seconds
        while complaint := await claim():
            assert time.monotonic() < deadline, f"after {seconds:g} s: {complaint}\n{self.api.seen()}"
            await asyncio.sleep(1)


Begin = Callable[[Scene], Awaitable[None] | None]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong for some seconds, and what ends it beside `recovers`."""

    name: str
    begin: Begin
    end: Begin = lambda _: None
    closes: tuple[str, ...] = ()  # the recipients whose chat it may close

    async def do(self, step: Begin, scene: Scene) -> None:
        done = step(scene)
        if done is not None:
            await done


async def _prometheus_back(scene: Scene) -> None:
    await scene.prometheus.start()


def _migrate(scene: Scene) -> None:
    """The group becomes a supergroup, once; people see both as one chat."""
    if scene.groups == 0:
        scene.groups = 1
        new = scene.api.migrates(GROUP, -1009)
        scene.chats["the group, moved"] = new


EDITS = ("editMessageText",)
SENDS = ("sendMessage",)
POLLS = ("getUpdates", "get_Updates")
FAULTS = (
    Fault("edits refused", lambda s: s.api.fails_with(400, "Bad Request: MESSAGE_ID_INVALID", methods=EDITS)),
    Fault(
        "edits refused in new words",
        lambda s: s.api.fails_with(400, "Bad Request: NEW_WORDING", methods=EDITS),
    ),
    Fault("flood wait of an hour on edits", lambda s: s.api.fails_with(429, retry_after=3600, methods=EDITS)),
    Fault("flood wait of 5 s on all", lambda s: s.api.fails_with(429, retry_after=5)),
    Fault("negative flood wait", lambda s: s.api.fails_with(429, retry_after=-5, methods=SENDS)),
    Fault("500", lambda s: s.api.fails_with(500)),
    Fault("502, a page of HTML", lambda s: s.api.fails_with(502)),
    Fault("403, kicked from the group", lambda s: s.api.fails_with(403, KICKED, chat=GROUP), closes=("the group",)),
    Fault("400, chat not found", lambda s: s.api.fails_with(400, chat=FORUM), closes=("the forum",)),
    Fault("403, blocked by the person", lambda s: s.api.fails_with(403, chat=PERSON), closes=("the person",)),
    Fault(
        "topic deleted",
        lambda s: s.api.fails_with(400, "Bad Request: TOPIC_DELETED", chat=FORUM, times=1),
    ),
    Fault("topic gone", lambda s: s.api.chat(FORUM).topics.clear(), lambda s: s.api.chat(FORUM).topics.add(TOPIC)),
    Fault(
        "topic closed",
        lambda s: s.api.chat(FORUM).shut_topics.update({TOPIC: "Bad Request: TOPIC_CLOSED"}),
        lambda s: s.api.chat(FORUM).shut_topics.clear(),
    ),
    Fault("403, a page of a filter", lambda s: s.api.answers_with(403, "<html>403 Forbidden</html>")),
    Fault("200, an empty object", lambda s: s.api.answers_with(200, "{}")),
    Fault("200, ok without a message", lambda s: s.api.answers_with(200, '{"ok":true,"result":true}', methods=SENDS)),
    Fault("updates of an odd shape", lambda s: s.api.answers_with(200, '{"ok":true,"result":{}}', methods=POLLS)),
    Fault(
        "429 with a text to wait",
        lambda s: s.api.answers_with(
            429, '{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":"7"}}', methods=SENDS
        ),
    ),
    Fault("accepts and never answers", lambda s: s.api.hangs(chat=GROUP)),
    Fault("does it and resets", lambda s: s.api.does_then_resets(chat=PERSON, times=2)),
    Fault("refuses connections", lambda s: s.api.refuses_connections(), lambda s: s.api.accepts_connections()),
    Fault("kill -9", lambda s: s.watchdog.kill()),
    Fault("suspended for 8 s", lambda s: s.watchdog.suspend(8)),
    Fault("Prometheus killed", lambda s: s.prometheus.kill(), _prometheus_back),
    Fault("clock an hour back", lambda s: s.watchdog.turn_clock(-3600), lambda s: s.watchdog.turn_clock(0)),
    Fault("clock a day ahead", lambda s: s.watchdog.turn_clock(86400), lambda s: s.watchdog.turn_clock(0)),
    Fault("group becomes a supergroup", _migrate),
)


@dataclass(frozen=True)
class Trouble:
    """One kind of incident of the service."""

    name: str
    begin: Begin
    end: Begin


async def _up(scene: Scene) -> None:
    await scene.service.comes_back()


def _kind(kind: str) -> Begin:
    def be(scene: Scene) -> None:
        scene.traffic.kind = kind

    return be


TROUBLES = (
    Trouble("slow", _kind("slow"), _kind("good")),
    Trouble("failing", _kind("failed"), _kind("good")),
    Trouble("down", lambda s: s.service.goes_down(), _up),
)


async def live_through(fault: Fault, scene: Scene, after: float, seconds: float) -> None:
    await asyncio.sleep(after)
    await fault.do(fault.begin, scene)
    await asyncio.sleep(seconds)
    await fault.do(fault.end, scene)


@dataclass
class Book:
    """What there was, and who was notified of it."""

    scene: Scene
    incidents: dict[int, dict[str, Any]] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)  # up to which incident each recipient was found complete

    async def take_note(self) -> str:
        """Take note of the incidents; complain while one is open or something is not delivered."""
        status, answer = await self.scene.get("/api/status")
        if status != 200:
            return f"/api/status answers {status}"
        for each in answer["open_incidents"] + answer["recent_incidents"]:
            self.incidents[each["number"]] = each
        if opened := [each["number"] for each in answer["open_incidents"]]:
            return f"still open: {opened}"
        if unmet := [each["slo"] for each in answer["objectives"] if each["verdict"] != "met"]:
            return f"not met: {unmet}: {answer['objectives']}"
        return ""

    def missing(self, name: str, chat: Chat) -> str:
        """What a recipient was not notified of; empty where nothing is missing."""
        first = self.since.get(name, 0)
        for number, incident in sorted(self.incidents.items()):
            if number <= first or incident["slo"] == "gap":
                continue
            texts = [each.versions[0].text for each in self._messages(name, chat)]
            began = [text for text in texts if text.startswith(SOUND) and _names(text, number)]
            ended = [text for text in texts if text.startswith(("🟢", LATE)) and _names(text, number)]
            edited = [
                each for each in self._messages(name, chat) if each.text.startswith(LATE) and _names(each.text, number)
            ]
            folded = [text for text in texts if re.search(r"\d+ (incidents|objectives)", text.splitlines()[0])]
            if not (ended or folded) or not (began or edited or ended or folded):
                return f"{name} lacks #{number} ({incident['slo']}, {incident['outcome']})"
        return ""

    def _messages(self, name: str, chat: Chat) -> list[Message]:
        moved = self.scene.chats.get("the group, moved")
        return [*chat.messages, *(moved.messages if moved and name == "the group" else [])]

    def tick_off(self, name: str) -> None:
        self.since[name] = max(self.incidents, default=0)


def _names(text: str, number: int) -> bool:
    return re.search(rf"#{number}\b", text) is not None


async def episode(scene: Scene, book: Book, log: Counter[str], deferred: set[str], *, calm: bool) -> None:
    """One incident with some faults, and what everybody knows of it afterwards."""
    trouble = scene.chance.choice(TROUBLES)
    faults = [] if calm else scene.chance.sample(FAULTS, k=scene.chance.choice((1, 1, 2, 3)))
    duration = scene.chance.uniform(12, 40)
    names = ", ".join(each.name for each in faults) or "no fault"
    print(f"{datetime.now(UTC):%H:%M:%S} {trouble.name} for {duration:.0f} s; {names}", flush=True)  # noqa: T201
    log.update([f"incident: {trouble.name}", *(f"fault: {each.name}" for each in faults)])
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            after = scene.chance.uniform(0, duration)
            group.create_task(live_through(fault, scene, after, scene.chance.uniform(3, 45)))
        await trouble_continues(trouble, scene, duration)
    scene.api.recovers()
    closed = {name for each in faults for name in each.closes}
    await scene.until(book.take_note, SETTLES_WITHIN)

    async def all_know() -> str:
        await book.take_note()
        lacks = [book.missing(name, chat) for name, chat in recipients(scene).items() if name not in closed]
        return "; ".join(filter(None, lacks))

    await scene.until(all_know, SETTLES_WITHIN)
    for name in recipients(scene):
        if name not in closed:
            book.tick_off(name)
            deferred.discard(name)
    late = {name for name in closed if book.missing(name, recipients(scene)[name])}
    deferred |= late
    deferred &= closed | deferred

    async def health_says_so() -> str:
        status, answer = await scene.get("/health")
        wanted = 503 if late else 200
        return "" if status == wanted else f"/health is {status} ({answer}), wanted {wanted}; closed: {late}"

    await scene.until(health_says_so, SETTLES_WITHIN)


async def trouble_continues(trouble: Trouble, scene: Scene, seconds: float) -> None:
    done = trouble.begin(scene)
    if done is not None:
        await done
    await asyncio.sleep(seconds)
    done = trouble.end(scene)
    if done is not None:
        await done


def recipients(scene: Scene) -> dict[str, Chat]:
    return {name: chat for name, chat in scene.chats.items() if name != "the group, moved"}


@pytest.fixture
async def scene(bot_api: BotApi, processes: Processes, service: Service, tmp_path: Path) -> AsyncIterator[Scene]:
    chats = {
        "the person": bot_api.chat(PERSON),
        "the group": bot_api.chat(GROUP),
        "the forum": bot_api.chat(FORUM, topics=(TOPIC,)),
    }
    bot_api.chat(SECOND)
    (tmp_path / "slo.yml").write_text(fast_objectives())
    prometheus = Prometheus(tmp_path / "prometheus", scraping(service.target))
    await prometheus.start()
    port = free_port()
    clock = tmp_path / "clock"
    settings = {
        "WINE_SLO_TELEGRAM_TOKEN": bot_api.token,
        "WINE_SLO_TELEGRAM_API_URL": bot_api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": f"{PERSON},{GROUP},{FORUM}/{TOPIC}",
        "WINE_SLO_TELEGRAM_SECOND_CHAT_IDS": str(SECOND),
        "WINE_SLO_PROMETHEUS_URL": prometheus.url,
        "WINE_SLO_WATCHDOG_PORT": str(port),
        "WINE_SLO_POLL_SECONDS": "2",
        "LD_PRELOAD": str(TOOLS.parent / "lib" / "libfaketime.so"),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    watchdog = Supervised(processes, settings, clock)
    watchdog.turn_clock(0)
    scene = Scene(
        bot_api,
        service,
        Traffic(service),
        prometheus,
        watchdog,
        f"http://127.0.0.1:{port}",
        random.Random(SEED),
        chats,
    )
    yield scene
    await prometheus.kill()


async def test_hours_of_random_faults_leave_nothing_undelivered_and_nobody_silent(scene: Scene) -> None:
    print(f"seed {SEED}, {MINUTES:g} minutes")  # noqa: T201
    book, log, deferred = Book(scene), Counter[str](), set[str]()
    ends = time.monotonic() + timedelta(minutes=MINUTES).total_seconds()
    supervising = asyncio.create_task(scene.watchdog.run())
    traffic = asyncio.create_task(scene.traffic.run())
    try:
        await scene.until(book.take_note, SETTLES_WITHIN)
        while time.monotonic() < ends:
            assert not supervising.done(), supervising.exception()
            await episode(scene, book, log, deferred, calm=False)
        await episode(scene, book, log, deferred, calm=True)
        assert not deferred, f"never notified again of what they missed: {deferred}"
        assert len(log) > 1
    finally:
        for task in (supervising, traffic):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(supervising, traffic, return_exceptions=True)
    for name, count in sorted(log.items()):
        print(f"{count:4} {name}")  # noqa: T201
    print(f"{len(book.incidents)} incidents; ended by itself: {scene.watchdog.statuses}")  # noqa: T201
