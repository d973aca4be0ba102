"""A chart follows its text and never holds it: through the real Telegram client and real drawing processes."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from telegram import Bot
from telegram.request import HTTPXRequest

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import CHAT, KEY, LATENCY, START, Scene, incident
from wine_slo.integrations.drawing.render_process import PNG, ChartProcess
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import chat_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.publish.charts import Charts, NoChartError
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.notification.plan import STORM, Notification
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import BURNS, Key
from wine_slo.slo.source.deployment import Deployment, Reported
from wine_slo.slo.source.metric_source import MetricSourceError, Series, Vector
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.chart_spec import Chart

DRAWS = f"import sys; sys.stdin.read(); sys.stdout.buffer.write({PNG!r} + b'picture')"
ECHOES = f"import sys; sys.stdout.buffer.write({PNG!r} + sys.stdin.buffer.read())"
HANGS = "import time; time.sleep(60)"
CRASHES = "raise RuntimeError('no ink')"
REDRAW = "editMessageMedia"
COUNT = 300.0  # requests over each range


class Answers:
    """A Prometheus that has one value for all time, and remembers its queries."""

    def __init__(self) -> None:
        self.is_away = False
        self.requests: list[tuple[str, datetime, datetime, timedelta]] = []
        self.labels: dict[str, str] = {}

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        raise AssertionError(f"a chart needs ranges, not {promql} at {at}")

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self.requests.append((promql, start, end, step))
        if self.is_away:
            raise MetricSourceError("it cannot be reached")
        value = COUNT if promql.startswith("sum (increase") else 2.4
        instants = [start + number * step for number in range((end - start) // step + 1)]
        return [Series(self.labels, {each.timestamp(): value for each in instants})]


class Studio:
    """A scene, what notifies of it, and what draws of it."""

    def __init__(self, bot_api: BotApi, bot: Bot, folder: Path) -> None:
        self.api = bot_api
        self.folder = folder
        self.prometheus = Answers()
        self.scene = Scene()
        self.outcomes: list[tuple[Kind, str]] = []
        self.reports: tuple[Reported, ...] = ()
        self.ledger = Ledger.open(f"sqlite:///{folder / 'watchdog.db'}")
        self.fmt = Formatter(self.scene.objectives, UTC)
        self._counted = asyncio.Condition()
        self._drawings = ExitStack()
        self._saved = State()
        self._chat = TelegramChannel(bot)
        self.recipients = Recipients(self.ledger, self.ledger.load(), [CHAT], self.scene.now)
        self.localizer = Localizer(self.recipients, lambda _language: self.fmt)
        self.snapshot = FakeSnapshot(lambda: self.scene.state, lambda: self.scene.now)
        self.delivery = Dispatcher(
            lambda _address: self._chat,
            self.ledger,
            self.recipients,
            self.localizer,
            self.snapshot,
            Journal(self.ledger, ()),
            self.count,
            gate=Gate(),
            on_sent=self.follow,
        )
        self.draw_with(DRAWS)

    def follow(self, chat: Address, notification: Notification, message: int) -> None:
        self.charts.follow(chat, notification, message)

    def count(self, kind: Kind, outcome: str) -> None:
        self.outcomes.append((kind, outcome))
        self._notifying = asyncio.create_task(self._notify())

    async def _notify(self) -> None:
        async with self._counted:
            self._counted.notify_all()

    def draw_with(self, program: str, time_box: float = 5.0) -> None:
        drawing = self._drawings.enter_context(ChartProcess([sys.executable, "-S", "-c", program], time_box))
        self.charts = Charts(
            self.prometheus,
            drawing,
            lambda _address: self._chat,
            self.ledger,
            self.snapshot,
            recipients=self.recipients,
            localizer=self.localizer,
            reports=lambda: self.reports,
            on_message=self.count,
        )

    async def close(self) -> None:
        await self.charts.stop()
        self._drawings.close()
        self.ledger.close()

    def save(self) -> None:
        self.ledger.save(self._saved, self.scene.state)
        self._saved = self.scene.state

    async def deliver(self) -> None:
        self.save()
        self.delivery.on_evaluation()
        await self.delivery.deliver()

    async def until_counted(self, outcome: str, times: int = 1) -> None:
        async with asyncio.timeout(30), self._counted:
            await self._counted.wait_for(lambda: self.outcomes.count((Kind.CHART, outcome)) >= times)

    @property
    def charts_sent(self) -> list[Any]:
        return [each for each in self.api.chat(chat_of(CHAT)).messages if each.photo is not None]


@pytest.fixture
async def studio(bot_api: BotApi, tmp_path: Path) -> AsyncIterator[Studio]:
    bot_api.chat(chat_of(CHAT))
    request = HTTPXRequest(read_timeout=2, connect_timeout=2, pool_timeout=2)
    async with Bot(TOKEN, base_url=bot_api.base_url, request=request) as bot:
        studio = Studio(bot_api, bot, tmp_path)
        yield studio
        await studio.close()


# After a breach


async def test_the_first_message_of_a_breach_is_followed_by_a_chart_as_a_quiet_reply(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    breach, chart = studio.api.chat(chat_of(CHAT)).messages
    assert chart.photo == PNG + b"picture"
    assert chart.reply_to == breach.id
    assert chart.is_silent
    assert chart.text.splitlines()[0] == "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s); in breach since 19:40:00"


async def test_it_shows_the_time_from_before_the_breach_to_now(studio: Studio) -> None:
    studio.scene.has(0.0, 60).breaks()
    await studio.deliver()
    await studio.until_counted("told")
    (values, first, last, step), (events, *_) = studio.prometheus.requests
    assert values == promql.value(LATENCY, timedelta(seconds=20))
    assert events == promql.events(LATENCY, timedelta(seconds=20))
    assert last == studio.scene.now
    assert studio.scene.incident.began_at - first == timedelta(minutes=10)
    assert step == LATENCY.scrape_interval


async def test_the_chart_of_a_burn_rate_alert_shows_the_objective_over_the_time_that_it_burnt(studio: Studio) -> None:
    studio.draw_with(ECHOES)
    studio.scene.has(0.0, 60)
    burn = BURNS[0]
    burnt = incident(number=1, key=replace(KEY, alert=burn.alert), burn=burn, began_at=studio.scene.now)
    studio.scene.state = replace(studio.scene.state, incidents={1: burnt})
    chart = await studio.charts.of(burnt.key, studio.fmt)
    assert chart.caption.splitlines()[0].startswith("🔴 Latency: p95 0.05 s (target ≤ 1 s, last 20 s); #1 burn rate")
    (_, first, last, _), _ = studio.prometheus.requests
    assert last - first >= burn.long
    assert b"2.4" in chart.png, "the values are drawn"


async def test_a_chart_has_the_deployments_of_its_own_job_that_were_reported_and_seen(studio: Studio) -> None:
    studio.draw_with(ECHOES)
    studio.scene.has(0.0, 60).breaks()
    now = studio.scene.now
    seen = Deployment(now - timedelta(minutes=3), before="1.4.1", after="1.4.2")
    incident_of_it = replace(studio.scene.incident, change=seen)
    studio.scene.state = replace(studio.scene.state, incidents={incident_of_it.number: incident_of_it})
    studio.reports = (
        Reported(job=LATENCY.job, version="1.4.3", at=now - timedelta(minutes=1)),
        Reported(job="another", version="9.9.9", at=now - timedelta(minutes=1)),
    )
    chart = msgspec.json.decode((await studio.charts.of(KEY, studio.fmt)).png.removeprefix(PNG), type=Chart)
    assert [(each.label, each.at) for each in chart.marks] == [
        ("1.4.2", seen.at.timestamp()),
        ("1.4.3", studio.reports[0].at.timestamp()),
    ]


async def test_nothing_else_of_an_incident_is_followed_by_a_chart(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    studio.scene.has(1.0, 120)
    await studio.deliver()
    studio.scene.has(0.0, 20)
    await studio.deliver()
    studio.scene.breaks()
    await studio.deliver()
    assert studio.scene.incident.openings == 2
    assert [kind for kind, _ in studio.outcomes].count(Kind.BREACH) == 2
    assert [kind for kind, _ in studio.outcomes].count(Kind.CHART) == 1


async def test_a_storm_is_not_followed_by_charts(studio: Studio) -> None:
    number = STORM + 2
    studio.scene.state = State(
        incidents={
            each: incident(number=each, key=Key("latency", (("path", f"/{each}"),))) for each in range(1, number)
        },
        last_number=number,
    )
    await studio.deliver()
    assert [kind for kind, _ in studio.outcomes] == [Kind.BREACH]


# Once it is over


async def test_a_chart_is_replaced_at_recovery_by_the_whole_incident(studio: Studio) -> None:
    studio.draw_with(ECHOES)
    studio.scene.has(0.0, 60).breaks()
    await studio.deliver()
    await studio.until_counted("told")
    (picture,) = studio.charts_sent
    assert picture.text.splitlines()[0].startswith("🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s); in breach since")
    await studio.charts.replace()
    studio.scene.has(0.0, 60)
    await studio.deliver()
    await studio.charts.replace()
    assert picture.text.splitlines() == [
        "🟢 Latency resolved: p95 0.05 s (last 20 s)",
        "Lasted 25 s (19:41:00–19:41:25). Worst 2.4 s at 19:41. #1 · latency",
        "1 January, 19:31 to 19:42 (UTC)",
    ]
    chart = msgspec.json.decode((picture.photo or b"").removeprefix(PNG), type=Chart)
    assert [(each.label, each.until - each.since) for each in chart.breaches] == [("#1", 25.0)]
    assert chart.last - chart.breaches[0].until >= 15, "and what came after it"
    await studio.charts.replace()
    assert len(studio.api.calls_of(REDRAW)) == 1
    assert len(studio.charts_sent) == 1, "it is the same message"


async def test_a_chart_of_an_earlier_process_is_replaced_and_that_is_remembered(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    studio.scene.has(0.0, 60)
    await studio.deliver()
    studio.draw_with(DRAWS)  # as a new process does, which knows nothing but the ledger
    running = asyncio.create_task(studio.charts.run())
    await studio.until_counted("told", times=2)
    running.cancel()
    (picture,) = studio.charts_sent
    assert picture.text.startswith("🟢")
    (kept,) = studio.ledger.charts()
    assert (kept.message, kept.shows_end) == (picture.id, studio.scene.incident.closed_at), "so that no other does it"


async def test_a_chart_that_was_not_replaced_is_tried_again_but_not_for_ever(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    studio.scene.has(0.0, 60)
    await studio.deliver()
    studio.api.fails_with(502, times=1, methods=[REDRAW])
    await studio.charts.replace()
    await studio.charts.replace()
    assert len(studio.api.calls_of(REDRAW)) == 1, "not at once"
    studio.scene.second += 60
    await studio.charts.replace()
    assert studio.charts_sent[0].text.startswith("🟢")


async def test_a_chart_that_somebody_has_deleted_is_given_up(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    del studio.api.chat(chat_of(CHAT)).history[studio.charts_sent[0].id]
    studio.scene.has(0.0, 60)
    await studio.deliver()
    for _ in range(3):
        await studio.charts.replace()
        studio.scene.second += 3600
    assert len(studio.api.calls_of(REDRAW)) == 1
    assert not studio.charts_sent


async def test_an_incident_that_comes_back_has_its_chart_replaced_at_each_end(studio: Studio) -> None:
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("told")
    for _ in range(2):
        studio.scene.has(0.0, 60)
        await studio.deliver()
        await studio.charts.replace()
        studio.scene.breaks()
        await studio.deliver()
        await studio.charts.replace()
    assert studio.scene.incident.openings == 3
    assert len(studio.api.calls_of(REDRAW)) == 2


async def test_a_chart_of_a_drill_says_so_first(studio: Studio) -> None:
    studio.scene.breaks()
    drill = replace(studio.scene.incident, is_drill=True)
    studio.scene.state = replace(studio.scene.state, incidents={drill.number: drill})
    picture = await studio.charts.of(KEY, studio.fmt)
    assert picture.caption.startswith("🔴 DRILL · Latency: p95 2.4 s")
    over = replace(drill, closed_at=studio.scene.now, outcome=Outcome.RECOVERED)
    assert (await studio.charts.of_whole(over, studio.fmt)).caption.startswith("🟢 DRILL · Latency resolved")


async def test_a_chart_while_it_recovers_says_so(studio: Studio) -> None:
    studio.scene.breaks()
    studio.scene.has(0.0, 10)
    picture = await studio.charts.of(KEY, studio.fmt)
    assert picture.caption.startswith("🟡 Latency: p95 ")
    assert "; recovering, in breach since 19:40:00" in picture.caption


# Text first


async def test_a_drawing_that_hangs_holds_no_text_back(studio: Studio) -> None:
    studio.draw_with(HANGS, time_box=60)
    studio.scene.breaks()
    await studio.deliver()
    studio.scene.has(0.0, 20)
    await studio.deliver()
    assert [kind for kind, _ in studio.outcomes] == [Kind.BREACH, Kind.RECOVERY, Kind.CLOSE]


async def test_a_drawing_that_takes_too_long_is_counted_and_forgotten(studio: Studio) -> None:
    studio.draw_with(HANGS, time_box=0.2)
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("failed")
    assert not studio.charts_sent


async def test_a_drawing_that_crashes_holds_no_text_back(studio: Studio) -> None:
    studio.draw_with(CRASHES)
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("failed")
    studio.scene.has(0.0, 20)
    await studio.deliver()
    assert [kind for kind, _ in studio.outcomes] == [Kind.BREACH, Kind.CHART, Kind.RECOVERY, Kind.CLOSE]
    assert not studio.charts_sent


async def test_a_picture_that_telegram_never_takes_holds_no_text_back(studio: Studio) -> None:
    studio.api.hangs(methods=["sendPhoto"])
    studio.scene.breaks()
    await studio.deliver()
    await studio.api.until(lambda: studio.api.calls_of("sendPhoto"))
    studio.scene.has(0.0, 20)
    await studio.deliver()
    assert (Kind.CHART, "failed") not in studio.outcomes
    assert len(studio.api.chat(chat_of(CHAT)).messages) == 2


async def test_a_picture_that_is_refused_is_counted_and_repeats_no_notification(studio: Studio) -> None:
    studio.api.fails_with(400, "Bad Request: not enough rights to send photos to the chat", methods=["sendPhoto"])
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("failed")
    await studio.deliver()
    assert len(studio.api.chat(chat_of(CHAT)).messages) == 1
    assert len(studio.api.calls_of("sendPhoto")) == 1


async def test_without_prometheus_there_is_a_text_and_no_chart(studio: Studio) -> None:
    studio.prometheus.is_away = True
    studio.scene.breaks()
    await studio.deliver()
    await studio.until_counted("failed")
    assert [message.photo for message in studio.api.chat(chat_of(CHAT)).messages] == [None]


async def test_a_ledger_that_cannot_be_read_costs_a_chart_its_old_shades_only(studio: Studio) -> None:
    studio.scene.breaks()
    studio.save()
    (studio.folder / "watchdog.db").write_bytes(b"no ledger any more")
    picture = await studio.charts.of(KEY, studio.fmt)
    assert picture.png.startswith(PNG)


# When requested


async def test_a_chart_can_be_requested_over_any_span(studio: Studio) -> None:
    picture = await studio.charts.of(KEY, studio.fmt, timedelta(hours=6))
    assert picture.caption.splitlines()[1] == "1 January, 13:40 to 19:40 (UTC)"
    (_, first, last, step), _ = studio.prometheus.requests
    assert (first, last, step) == (START - timedelta(hours=6), START, timedelta(seconds=75))


async def test_a_chart_that_cannot_be_made_says_why(studio: Studio) -> None:
    studio.prometheus.is_away = True
    with pytest.raises(NoChartError, match="cannot be reached"):
        await studio.charts.of(KEY, studio.fmt)
    studio.prometheus.is_away = False
    studio.draw_with(CRASHES)
    with pytest.raises(NoChartError, match="no ink"):
        await studio.charts.of(KEY, studio.fmt)
    with pytest.raises(NoChartError, match="nonsense"):
        await studio.charts.of(Key("nonsense"), studio.fmt)
