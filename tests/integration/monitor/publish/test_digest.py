"""The digest is sent once a week to each chat, whatever happens around it."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.fakes.bot_api import BLOCKED, KICKED, BotApi
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import LATENCY, at, incident
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import channel, connection
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.monitor.publish.digest import PATIENCE, Digests
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.oncall.actions import Action, ActionKind
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Vector
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.digest_text import LATE, Weekly

ANNA, GROUP = 7, -5
MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SEND = "sendMessage"


class Answers:
    """A Prometheus that has one answer to everything."""

    def __init__(self) -> None:
        self.is_away = False

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        if self.is_away:
            raise MetricSourceError("it cannot be reached")
        assert at is not None
        assert (at - MONDAY) % timedelta(days=7) == timedelta(0)
        assert "[7d]" in promql
        return Vector((Sample({}, 0.993),), None)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise AssertionError(f"a digest needs instants, not {promql} from {start} to {end} each {step}")


class Desk:
    def __init__(self, bot_api: BotApi, path: Path) -> None:
        self.api = bot_api
        self.prometheus = Answers()
        self.ledger = Ledger.open(f"sqlite:///{path}")
        self.bot = connection.connect(bot_api.token, bot_api.url)
        self.chats: dict[int, int | None] = {ANNA: None, GROUP: None}
        self.now = MONDAY - timedelta(days=2)
        self.outcomes: list[tuple[Kind, str]] = []
        self.digests = self.remembered()

    def remembered(self) -> Digests:
        """What sends the digests after a restart."""
        fmt = Formatter(Objectives.only(LATENCY), UTC)
        topics = {chat: topic for chat, topic in self.chats.items() if topic is not None}
        self.recipients = Recipients(self.ledger, self.ledger.load(), self.chats, self.now, topics=topics)
        self.journal = Journal(self.ledger, ())
        return Digests(
            self.prometheus,
            self.ledger,
            chat=channel.TelegramChannel(self.bot),
            recipients=self.recipients,
            but=(),
            weekly=Weekly.parse("monday 9:00", UTC),
            snapshot=FakeSnapshot(lambda: State(evaluated_at=self.now), lambda: self.now),
            fmt=lambda _chat: fmt,
            journal=self.journal,
            on_message=lambda kind, outcome: self.outcomes.append((kind, outcome)),
        )

    async def deliver(self, now: datetime) -> None:
        self.now = now
        await self.digests.deliver()

    def texts(self, chat: int = ANNA) -> list[str]:
        return self.api.chat(chat).texts


@pytest.fixture
async def desk(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Desk]:
    for chat in (ANNA, GROUP):
        bot_api.chat(chat)
    desk = Desk(bot_api, tmp_path / "watchdog.db")
    async with desk.bot:
        await desk.digests.deliver()  # two days before, so that the chats are not new
        assert not desk.texts()
        yield desk
    desk.ledger.close()


async def test_it_is_sent_once_quietly_to_every_chat(desk: Desk) -> None:
    for minute in range(-2, 5):
        await desk.deliver(MONDAY + minute * MINUTE)
    for chat in (ANNA, GROUP):
        (message,) = desk.api.chat(chat).messages
        assert message.is_silent
        assert message.text.splitlines()[:2] == [
            "📊 The week from 29 December to 5 January",
            "🟢 latency: 99.3 % within 1 s (target ≥ 95 %)",
        ]
    assert desk.outcomes == [(Kind.DIGEST, "told")] * 2


async def test_it_is_sent_to_a_topic_in_place_of_its_chat(desk: Desk) -> None:
    desk.api.chat(GROUP, topics=[30])
    desk.chats[GROUP] = 30
    desk.digests = desk.remembered()
    await desk.deliver(MONDAY)
    assert [message.topic for message in desk.api.chat(GROUP).messages] == [30]


async def test_a_group_that_became_a_supergroup_is_sent_the_digest_at_once(desk: Desk) -> None:
    supergroup = desk.api.migrates(GROUP, -1001)
    await desk.deliver(MONDAY)
    assert len(supergroup.messages) == 1
    assert -1001 in desk.recipients
    assert desk.recipients.subscriber(GROUP).address == -1001


async def test_a_chat_that_refuses_the_digest_is_sent_it_once_it_can_be_reached_again(desk: Desk) -> None:
    desk.api.fails_with(403, BLOCKED, methods=[SEND], chat=ANNA)
    await desk.deliver(MONDAY)
    assert desk.recipients.closed == {ANNA: BLOCKED}
    desk.api.recovers()
    await desk.recipients.open(ANNA)
    await desk.deliver(MONDAY + MINUTE)
    assert len(desk.texts()) == 1


async def test_no_digest_is_sent_while_no_chat_can_be_reached(desk: Desk) -> None:
    for chat in (ANNA, GROUP):
        await desk.recipients.close(chat, KICKED)
    await desk.deliver(MONDAY)
    assert desk.api.calls_of(SEND) == []


async def test_a_restart_does_not_send_it_again_and_the_next_week_does(desk: Desk) -> None:
    await desk.deliver(MONDAY)
    desk.digests = desk.remembered()
    await desk.deliver(MONDAY + MINUTE)
    assert len(desk.texts()) == 1
    await desk.deliver(MONDAY + timedelta(days=7))
    assert len(desk.texts()) == 2


async def test_what_was_missed_is_sent_within_a_day_and_not_later(desk: Desk) -> None:
    desk.digests = desk.remembered()
    await desk.deliver(MONDAY + LATE - MINUTE)
    assert len(desk.texts()) == 1
    await desk.deliver(MONDAY + timedelta(days=7) + LATE + MINUTE)
    assert len(desk.texts()) == 1


async def test_a_new_chat_receives_it_from_its_first_whole_week_on(desk: Desk) -> None:
    desk.chats[8] = None
    desk.api.chat(8)
    desk.digests = desk.remembered()
    await desk.deliver(MONDAY + MINUTE)
    assert not desk.texts(8)
    await desk.deliver(MONDAY + timedelta(days=7))
    assert len(desk.texts(8)) == 1


async def test_one_chat_s_trouble_is_that_chat_s_alone(desk: Desk) -> None:
    desk.api.fails_with(502, methods=[SEND], chat=ANNA)
    await desk.deliver(MONDAY)
    assert (len(desk.texts(ANNA)), len(desk.texts(GROUP))) == (0, 1)
    desk.api.recovers()
    await desk.deliver(MONDAY + MINUTE)
    assert (len(desk.texts(ANNA)), len(desk.texts(GROUP))) == (1, 1)


async def test_a_chat_that_is_closed_is_tried_once_a_week(desk: Desk) -> None:
    desk.api.fails_with(403, BLOCKED, methods=[SEND], chat=ANNA)
    for minute in range(3):
        await desk.deliver(MONDAY + minute * MINUTE)
    assert len([call for call in desk.api.calls_of(SEND) if call.chat_id == ANNA]) == 1


async def test_it_waits_for_prometheus_an_hour_and_is_then_sent_without_it(desk: Desk) -> None:
    desk.prometheus.is_away = True
    await desk.deliver(MONDAY + MINUTE)
    assert not desk.texts()
    await desk.deliver(MONDAY + PATIENCE)
    assert "it cannot be reached" in desk.texts()[0]


async def test_it_counts_the_incidents_in_the_ledger(desk: Desk) -> None:
    long_ago = {
        each.number: each
        for each in (
            incident(closed_at=at(140)),
            incident(number=13, began_at=at(7200), last_bad_at=at(7800), closed_at=at(7820)),
            incident(number=11, began_at=at(-9e5), last_bad_at=at(-9e5 + 60), closed_at=at(-9e5 + 80)),
        )
    }
    delivered = [
        DeliveryRecord(incident=number, chat=chat, breach_told_at=at(second)) for number, chat, second in DELIVERED
    ]
    desk.ledger.save(State(), State(incidents=long_ago, evaluated_at=at(0)))
    desk.ledger.mark(delivered)
    await desk.journal.add(acknowledged(long_ago[12]))
    await desk.deliver(MONDAY)
    assert desk.texts()[0].splitlines()[-3:-1] == [
        "2 incidents, 10 min in all: /incidents",
        "Notified after 35 s at the median. Acknowledged after 2 min.",
    ]


def acknowledged(incident: Incident) -> Action:
    """Somebody has acknowledged it two minutes after it began."""
    return Action(
        number=0,
        at=incident.since + 2 * MINUTE,
        deed=ActionKind.ACKNOWLEDGE,
        by=Person(ANNA, "Anna"),
        chat=ANNA,
        cause="a press",
        incident=incident.number,
        opening=incident.openings,
    )


DELIVERED = ((12, ANNA, 60 + 30), (12, GROUP, 60 + 99), (13, ANNA, 7200 + 40), (11, ANNA, -9e5 + 1000))


async def test_a_ledger_that_cannot_be_read_holds_it_back_instead_of_sending_it_every_minute(
    desk: Desk, tmp_path: Path
) -> None:
    desk.digests = desk.remembered()
    with sqlite3.connect(tmp_path / "watchdog.db") as connection:
        connection.execute("DROP TABLE digests")
    connection.close()
    await desk.deliver(MONDAY)
    assert not desk.texts()
