"""Every bad day of the Bot API and of the database, short and long, with the incident going on or over meanwhile.

The real evaluation and delivery over real HTTP, timeouts and all, in virtual time. The table in
docs/explanation/delivery.md is what this run gives; `WINE_SLO_WRITE_RELIABILITY=1` writes it anew.
"""

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import KICKED, TOKEN, BotApi, Call
from tests.support.fakes.prometheus_canned import Slow
from tests.support.fakes.telegram_chats import Message
from tests.support.fakes.virtual_time import VirtualLoop
from tests.support.real.postgres import Postgres
from tests.support.scene import START
from tests.system.loops import loops
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.waits import LONGEST_WAIT

DOCUMENT = Path(__file__).parents[2] / "docs" / "explanation" / "delivery.md"
ANNA, OTHER = -5, 8  # a group, and a person
SUPERGROUP = -1001
TOPIC = 30
EDIT = "editMessageText"
TICK = 15.0  # seconds
SLOW_SINCE, OPENS = 30.0, 60.0  # the service is slow, and the evaluation that is sure of it
OVER, CLOSES = 62.0, 90.0  # the same of the end, where it is over meanwhile
LIVES = 180.0  # seconds after the fault within which everything must have been notified


@dataclass(frozen=True)
class Fault:
    """One kind of bad day: how it begins, and how it ends where `recovers` does not end it."""

    name: str
    begin: Callable[[BotApi], object]
    refuses: bool = False  # the port is closed
    revives: bool = False  # somebody there says something
    in_topic: bool = False  # the settings name a topic of the chat
    adds: bool = False  # the settings name the chat only from the end of it on
    lengths: tuple[float, ...] = (5.0, 180.0)
    loses_answers: bool = False  # what it did not confirm has arrived
    is_unsure: bool = False  # what it did not confirm may have arrived
    stops_database: bool = False  # and the ledger is on PostgreSQL

    async def begins(self, api: BotApi, postgres: Postgres) -> None:
        self.begin(api)
        if self.refuses:
            await api.refuses_connections()
        if self.stops_database:
            await asyncio.to_thread(postgres.stop)

    async def ends(self, api: BotApi, postgres: Postgres, delivery: Dispatcher) -> None:
        api.recovers()
        if self.refuses:
            await api.accepts_connections()
        if self.stops_database:
            await asyncio.to_thread(postgres.start)
        api.chat(ANNA).shut_topics.clear()
        if self.revives:
            await delivery.revive(address_of(ANNA))


def shut(api: BotApi, refusal: str) -> None:
    api.chat(ANNA).shut_topics[TOPIC] = refusal


FAULTS = (
    Fault("refuses connections", lambda _: None, refuses=True),
    Fault("accepts and never answers", lambda api: api.hangs(chat=ANNA)),
    Fault("does it and never says so", lambda api: api.does_then_hangs(chat=ANNA), loses_answers=True),
    Fault("does it and resets", lambda api: api.does_then_resets(chat=ANNA), loses_answers=True),
    Fault("answers after 8 s", lambda api: api.answers_late(8, chat=ANNA)),
    Fault("429, retry after 30 s", lambda api: api.fails_with(429, retry_after=30, chat=ANNA)),
    Fault("500", lambda api: api.fails_with(500, chat=ANNA)),
    Fault("502, a page of HTML", lambda api: api.fails_with(502, chat=ANNA)),
    Fault("401, token not known", lambda api: api.fails_with(401, chat=ANNA)),
    Fault("403, blocked; then /start", lambda api: api.fails_with(403, chat=ANNA), revives=True),
    Fault("403, kicked; then /start", lambda api: api.fails_with(403, KICKED, chat=ANNA), revives=True),
    Fault("400, the group became a supergroup", lambda api: api.migrates(ANNA, SUPERGROUP)),
    Fault("400, chat not found; then /start", lambda api: api.fails_with(400, chat=ANNA), revives=True),
    Fault("403, kicked; nobody says a word", lambda api: api.fails_with(403, KICKED, chat=ANNA), lengths=(5.0,)),
    Fault("403, a page of HTML", lambda api: api.answers_with(403, "<html>Forbidden</html>", chat=ANNA)),
    Fault("400 to edits", lambda api: api.fails_with(400, "Bad Request: MESSAGE_ID_INVALID", methods=[EDIT])),
    Fault("429 to edits, retry after 3600 s", lambda api: api.fails_with(429, retry_after=3600, methods=[EDIT])),
    Fault("400, the topic is closed", lambda api: shut(api, "Bad Request: TOPIC_CLOSED"), in_topic=True),
    Fault("400, the topic is deleted", lambda api: shut(api, "Bad Request: TOPIC_DELETED"), in_topic=True),
    Fault("200, odd JSON", lambda api: api.answers_with(200, '{"ok":true,"result":true}', chat=ANNA), is_unsure=True),
    Fault("the settings name the chat only later", lambda _: None, adds=True),
    Fault("PostgreSQL is stopped, one watchdog alone", lambda _: None, stops_database=True),
)
HEAD = (
    "| fault | for | the incident | notified | after the fault's end | repeated | calls | most in 90 s of the fault |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Cell:
    """What came of one fault."""

    fault: Fault
    length: float
    goes_on: bool
    messages: list[Message]
    calls: list[Call]
    others_late: float  # seconds that the other chat's breach came after its opening
    evaluations: int
    fault_ended: float

    def sent_with(self, start: str) -> list[Message]:
        return [each for each in self.messages if each.versions[0].text.startswith(start)]

    @property
    def begin(self) -> Message | None:
        return next(iter(self.sent_with("🔴") + self.sent_with("⚪️ Delivered late")), None)

    @property
    def end(self) -> Message | None:
        return next(iter(self.sent_with("🟢") + self.sent_with("⚪️ Delivered late")), None)

    @property
    def late(self) -> float:
        """Seconds from the fault's end to the last word on what had happened in it; 0 where it was notified before."""
        word = self.begin if self.goes_on else self.end
        assert word is not None
        return max(0.0, second(word.sent_at) - self.fault_ended)

    @property
    def repeats(self) -> list[Message]:
        return [repeat for messages in self._delivered_alike for repeat in messages[1:]]

    @property
    def deliveries(self) -> int:
        """The most in 180 s of what is one message to us: the breach, or its end."""
        return max(most_within(180, [second(each.sent_at) for each in messages]) for messages in self._delivered_alike)

    @property
    def calls_while_faulty(self) -> int:
        """The most calls in 90 s of the fault."""
        return most_within(90, [at for each in self.calls if OPENS - 2 <= (at := second(each.at)) <= self.fault_ended])

    @property
    def _delivered_alike(self) -> tuple[list[Message], list[Message]]:
        breaches = [
            each for each in self.sent_with("🔴") if each.is_loud
        ]  # a quiet one is sent in place of a refused edit
        return breaches, self.sent_with("🟢") + self.sent_with("⚪️ Delivered late")

    def row(self) -> str:
        messages = "one line" if self.sent_with("⚪️ Delivered late") else "yes" if self.begin and self.end else "**no**"
        late = "at once" if self.late < 1 else f"{self.late:.0f} s"
        repeats = f"{len(self.repeats)}, which says so" if self.repeats else "no"
        series = "goes on" if self.goes_on else "over meanwhile"
        return (
            f"| {self.fault.name} | {self.length:.0f} s | {series} | {messages} | {late} | {repeats} "
            f"| {len(self.calls)} | {self.calls_while_faulty} |"
        )


def second(at: datetime) -> float:
    return (at - START).total_seconds()


def most_within(seconds: float, times: list[float]) -> int:
    return max((sum(first <= each < first + seconds for each in times) for first in times), default=0)


async def live(fault: Fault, length: float, postgres: Postgres, *, goes_on: bool, ledger: str) -> Cell:
    """Live through a fault of so many seconds, in virtual time."""
    loop = asyncio.get_running_loop()

    def clock() -> datetime:
        return START + timedelta(seconds=loop.time())

    hits_both = goes_on or length > CLOSES - OPENS
    fault_begins = OPENS - 2 if hits_both else CLOSES - 2  # a short one cannot hide all of an incident, only its end
    slow_until = fault_begins + length + 60 if goes_on else OVER
    evaluations = 0
    async with BotApi(clock=clock) as api, connection.connect(TOKEN, api.url) as bot:
        memory = Ledger.open(ledger)
        for chat in (ANNA, OTHER):
            api.chat(chat, topics=[TOPIC] if fault.in_topic else [])
        slow = Slow(SLOW_SINCE, slow_until)

        def start(*chats: int) -> tuple[Evaluator, Dispatcher, asyncio.Task[None]]:
            topics = {ANNA: TOPIC} if fault.in_topic else {}
            evaluation, delivery = loops(memory, slow, bot, chats, clock, topics)
            return evaluation, delivery, asyncio.create_task(delivery.run())

        evaluation, delivery, delivering = start(*([] if fault.adds else [ANNA]), OTHER)

        async def misbehave() -> float:
            nonlocal evaluation, delivery, delivering
            await asyncio.sleep(fault_begins)
            await fault.begins(api, postgres)
            await asyncio.sleep(length)
            await fault.ends(api, postgres, delivery)
            if fault.adds:
                await delivery.finish(within=1)
                delivering.cancel()
                evaluation, delivery, delivering = start(ANNA, OTHER)
            return loop.time()

        misbehaving = asyncio.create_task(misbehave())
        while loop.time() < fault_begins + length + LIVES:
            await evaluation.evaluate()
            delivery.on_evaluation()
            evaluations += 1
            await asyncio.sleep(TICK)
        assert not delivering.done(), delivering
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        assert delivery.undelivered_since is None
        opened_at = evaluation.state.incidents[1].opened_at
        memory.close()
        messages = [*api.chat(ANNA).messages, *api.chat(SUPERGROUP).messages]
        of_service = [each for each in messages if "atabase" not in each.versions[0].text]  # which is another incident
        return Cell(
            fault,
            length,
            goes_on,
            sorted(of_service, key=lambda each: each.sent_at),
            [each for each in api.calls if each.chat_id in (ANNA, SUPERGROUP)],
            (api.chat(OTHER).messages[0].sent_at - opened_at).total_seconds(),
            evaluations,
            await misbehaving,
        )


def run(fault: Fault, length: float, folder: Path, postgres: Postgres, *, goes_on: bool) -> Cell:
    ledger = postgres.create().url if fault.stops_database else f"sqlite:///{folder}/watchdog.db"
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(live(fault, length, postgres, goes_on=goes_on, ledger=ledger))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> list[Cell]:
    return [
        run(fault, length, tmp_path_factory.mktemp("cell"), postgres, goes_on=goes_on)
        for fault in FAULTS
        for length in fault.lengths
        for goes_on in (True, False)
        if goes_on or not fault.adds  # what is over before a chat is named is not notified there
    ]


def test_no_fault_loses_anything(cells: list[Cell]) -> None:
    for cell in cells:
        assert cell.begin, cell.row()
        assert cell.end, cell.row()
        assert cell.begin.id <= cell.end.id, cell.row()


def test_no_chat_stays_stuck_once_the_fault_has_gone(cells: list[Cell]) -> None:
    longest = LONGEST_WAIT.total_seconds() + connection.READ_SECONDS + TICK
    assert max(cell.late for cell in cells) <= longest


def test_what_is_repeated_says_so_and_only_where_an_answer_was_lost(cells: list[Cell]) -> None:
    for cell in cells:
        assert all("may be a duplicate" in each.versions[0].text for each in cell.repeats), cell.row()
        assert bool(cell.repeats) == cell.fault.loses_answers, cell.row()


def test_what_was_answered_oddly_says_that_it_may_be_a_repeat(cells: list[Cell]) -> None:
    for cell in cells:
        if cell.fault.is_unsure:
            last = cell.begin if cell.goes_on else cell.end
            assert last
            assert "may be a duplicate" in last.versions[0].text, cell.row()


def test_what_is_repeated_is_repeated_as_seldom_as_people_bear(cells: list[Cell]) -> None:
    """Waits of 15, 30, 60, 60 s… that chance makes half as long at the most: at 0, 7.5, 22.5, 52.5 s…"""
    assert max(cell.deliveries for cell in cells) <= 8


def test_no_fault_is_answered_with_a_burst_of_calls(cells: list[Cell]) -> None:
    assert max(cell.calls_while_faulty for cell in cells) <= 12


def test_one_chats_trouble_holds_neither_evaluation_nor_other_chats(cells: list[Cell]) -> None:
    for cell in cells:
        assert cell.evaluations >= (cell.fault_ended + LIVES) // TICK, cell.row()
        assert cell.others_late < 1 or cell.fault.refuses, cell.row()


def test_an_hour_without_telegram_is_survived(tmp_path: Path, postgres: Postgres) -> None:
    hour = run(next(each for each in FAULTS if each.name == "500"), 3600.0, tmp_path, postgres, goes_on=True)
    assert hour.begin
    assert hour.end
    assert len(hour.calls) > 50


def test_the_table_in_the_docs_is_what_a_run_gives(cells: list[Cell]) -> None:
    rows = [cell.row() for cell in cells]
    if os.environ.get("WINE_SLO_WRITE_RELIABILITY"):
        text = DOCUMENT.read_text()
        head = text[: text.index("| fault |")]
        head = re.sub(r"Made on \d{4}-\d\d-\d\d", f"Made on {datetime.now(UTC):%Y-%m-%d}", head)
        DOCUMENT.write_text(head + "\n".join([*HEAD, *rows, ""]))
    written = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")][len(HEAD) :]
    assert [_without_numbers(row) for row in written] == [_without_numbers(row) for row in rows]


def _without_numbers(row: str) -> list[str]:
    """What of a row is the same in each run: not seconds, and not how many, as waits are random."""
    fault, length, series, messages, _, repeats, *_ = (each.strip() for each in row.strip("|").split("|"))
    return [fault, length, series, messages, repeats.split(", ")[-1]]
