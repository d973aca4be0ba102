"""When labels are compared: while a breach opens and while it lasts, and no alert waits for that."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.fakes.prometheus_canned import CannedPrometheus, Slow
from tests.support.scene import CHAT, KEY, LATENCY, START, incident
from wine_slo.metric_names import ENDPOINT
from wine_slo.monitor.evaluate.attributor import MANY, MOST_SERIES, Attributor
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.attribution.attribution import Attribution
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import MOST_ATTRIBUTED
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import BURNS, Alert, Key, Objective, Objectives
from wine_slo.slo.source.clocks import SourceTime, WallTime
from wine_slo.slo.source.metric_source import MetricSourceError, Sample, Series, Vector
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import breach_text

PATIENT = 10.0  # seconds that a test waits for what must come
BY = replace(LATENCY, by=(ENDPOINT,))
LABELS = promql.label_sets(LATENCY, MOST_SERIES)
COMPARED = (promql.total_per_interval(BY), promql.good_per_interval(BY))


class Labelled(CannedPrometheus):
    """Half of the requests are for /sleep, and these are slow from the first minute on.

    Attributes:
        seen: The queries about labels, in the order in which they came.
        free: While it is not set, these have no answer.
        error: What these end with.
    """

    def __init__(self) -> None:
        self.now = START
        super().__init__(lambda: self.now, Slow(60, 3600))
        self.seen: list[str | None] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        if promql != LABELS:
            return await super().query(promql, at)
        await self._note(promql)
        series = ({"job": "wine-slo", ENDPOINT: endpoint} for endpoint in ("/sleep", "/predict"))
        return Vector(tuple(Sample(each, 1.0) for each in series), SourceTime(self.now))

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        if promql not in COMPARED:
            return await super().query_range(promql, start, end, step)
        await self._note(promql)
        instants = [(start + number * step).timestamp() for number in range((end - start) // step + 1)]
        rates = {"/predict": 5.0, "/sleep": 0.0 if promql == COMPARED[1] else 5.0}
        return [Series({ENDPOINT: name}, dict.fromkeys(instants, rate)) for name, rate in rates.items()]

    async def _note(self, query: str) -> None:
        self.seen.append(query)
        await self.free.wait()
        if self.error is not None:
            raise self.error


class Life:
    """A watchdog, evaluated every five seconds."""

    def __init__(self, objective: Objective = LATENCY) -> None:
        self.prometheus = Labelled()
        self.state = State()
        self._objectives = Objectives.only(objective)
        self._collector = Collector(self.prometheus, lambda: WallTime(self.prometheus.now))

    async def goes_on(self, seconds: float) -> None:
        for _ in range(round(seconds / 5)):
            self.prometheus.now += timedelta(seconds=5)
            self.state = await self._collector.evaluate(self.state, self._objectives)

    async def breaks(self) -> Incident:
        """Go on until an incident opens."""
        while not self.state.open_incidents:
            await self.goes_on(5)
        return self.incident

    @property
    def incident(self) -> Incident:
        (incident,) = self.state.open_incidents
        return incident


def causes(incident: Incident) -> list[tuple[str, tuple[str, ...]]]:
    attribution = incident.attribution
    return [] if attribution is None else [(each.label, each.values) for each in attribution.causes]


async def test_nothing_is_queried_while_all_is_well() -> None:
    life = Life()
    await life.goes_on(60)
    assert life.prometheus.seen == []


async def test_a_breach_opens_with_its_cause_after_one_query_and_two_for_each_label() -> None:
    life = Life()
    assert causes(await life.breaks()) == [(ENDPOINT, ("/sleep",))]
    assert life.prometheus.seen == [LABELS, *COMPARED]


async def test_labels_are_compared_again_while_the_breach_lasts_but_not_at_every_evaluation() -> None:
    life = Life()
    await life.breaks()
    await life.goes_on(120)
    assert life.prometheus.seen.count(LABELS) == 1 + 120 // 30
    (cause,) = life.incident.attribution.causes if life.incident.attribution else ()
    assert cause.bad == pytest.approx(5 * (120 + 25), rel=0.05)


async def test_a_long_breach_is_attributed_by_the_range_of_its_objective() -> None:
    life = Life()
    await life.breaks()
    await life.goes_on(600)
    assert life.incident.attribution is not None
    assert life.incident.attribution.over == LATENCY.over


async def test_of_a_very_long_range_only_the_newest_intervals_are_compared() -> None:
    life = Life(replace(LATENCY, over=timedelta(hours=2)))
    await life.breaks()
    await life.goes_on(1800)
    assert life.incident.attribution is not None
    assert life.incident.attribution.over == MOST_ATTRIBUTED * LATENCY.scrape_interval


async def test_a_breach_opens_in_time_without_a_cause_that_is_not_known_yet_and_has_it_later() -> None:
    life = Life()
    life.prometheus.free.clear()
    async with asyncio.timeout(PATIENT):
        assert (await life.breaks()).attribution is None
        await life.goes_on(5)
        assert life.incident.attribution is None
        assert life.prometheus.seen == [LABELS], "it is queried once, and not again before there is an answer"
        life.prometheus.free.set()
        while life.incident.attribution is None:
            await life.goes_on(5)
    assert causes(life.incident) == [(ENDPOINT, ("/sleep",))]


@pytest.mark.parametrize(
    "error", [MetricSourceError("it cannot be reached"), ZeroDivisionError(), RuntimeError("closed"), KeyError("odd")]
)
async def test_a_breach_opens_without_a_cause_where_it_cannot_be_queried_and_has_it_once_it_can(
    error: Exception,
) -> None:
    life = Life()
    life.prometheus.error = error
    assert (await life.breaks()).attribution is None
    life.prometheus.error = None
    await life.goes_on(5)
    assert causes(life.incident) == [(ENDPOINT, ("/sleep",))]


async def test_queries_that_keep_failing_are_made_less_and_less_often_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    life = Life()
    life.prometheus.error = MetricSourceError("it answered 422: too many samples")
    await life.breaks()
    await life.goes_on(300)
    assert life.prometheus.seen.count(LABELS) <= 3 + 300 // 30
    assert caplog.text.count("who is to blame for latency is not known") == 1
    life.prometheus.error = None
    await life.goes_on(35)
    assert causes(life.incident) == [(ENDPOINT, ("/sleep",))]


async def test_nothing_is_queried_where_no_label_is_wanted() -> None:
    life = Life(replace(LATENCY, breakdown=()))
    await life.breaks()
    assert life.prometheus.seen == []


# What burns an error budget

BURN = BURNS[0]
BURNING_KEY = replace(KEY, alert=Alert.PAGE)
COUNTS = {"/sleep": (1800.0, 0.2), "/predict": (34200.0, 1.0)}  # in an hour: requests, and which share of them is good
EVENTS, GOOD = promql.events(BY, BURN.long), promql.good_ratio(BY, BURN.long)


class Burnt(Labelled):
    """What it counted in an hour, by endpoint."""

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        if promql not in (EVENTS, GOOD):
            return await super().query(promql, at)
        await self._note(promql)
        samples = (Sample({ENDPOINT: name}, pair[promql == GOOD]) for name, pair in COUNTS.items())
        return Vector(tuple(samples), SourceTime(self.now))


async def test_what_burns_a_budget_is_attributed_over_its_window_and_not_often() -> None:
    prometheus = Burnt()
    objectives = Objectives.only(replace(LATENCY, burns=BURNS))
    burning = incident(key=BURNING_KEY, burn=BURN)
    state, attributor = State(incidents={12: burning}), Attributor(prometheus)
    found: dict[Key, Attribution] = {}
    for minute in range(11):
        reading = Reading(at=START + timedelta(minutes=minute), sight=Sight.CLEAR)
        found |= await attributor.attributions(state, objectives, {KEY: reading}, ())
    assert prometheus.seen == [LABELS, EVENTS, GOOD] * 2
    explained = replace(burning, attribution=found[BURNING_KEY])
    assert causes(explained) == [(ENDPOINT, ("/sleep",))]
    (cause,) = found[BURNING_KEY].causes
    assert (round(cause.bad), round(cause.total)) == (1440, 1800)
    assert found[BURNING_KEY].over == BURN.long
    text = breach_text(Formatter(objectives, UTC), explained, DeliveryRecord(incident=12, chat=CHAT), state, START)
    assert "100 % of the bad requests: endpoint=/sleep. All others are fine." in text.splitlines()


LABELS_BY = promql.label_sets(BY, MOST_SERIES)


class Counting(CannedPrometheus):
    """It has no labels to compare, and counts how often that was read."""

    def __init__(self) -> None:
        super().__init__(lambda: START)
        self.reads = 0

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        self.reads += promql == LABELS_BY
        return Vector((), SourceTime(at or START))


@pytest.mark.parametrize(("count", "reads"), [(1, 10), (MANY, 10), (MANY + 1, 1)])
async def test_a_storm_is_attributed_once_and_then_not_often_as_its_queries_hold_up_those_that_judge(
    count: int, reads: int
) -> None:
    prometheus, objectives = Counting(), Objectives.only(BY)
    attributor, those = Attributor(prometheus), [Key(BY.name, ((ENDPOINT, f"/{n}"),)) for n in range(count)]
    for minute in range(10):
        now = START + timedelta(minutes=minute)
        reading = Reading(at=now, sight=Sight.CLEAR, intervals=(Interval(now, 50, 50),))
        await attributor.attributions(State(), objectives, dict.fromkeys(those, reading), those)
    assert prometheus.reads == reads
