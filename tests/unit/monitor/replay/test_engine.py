"""A replay has the alarms that the live watchdog had of the same past, whether or not it leaves evaluations out."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support.fakes.prometheus_past import PastPrometheus, Spell
from tests.support.live_watchdog import POLL, START, Clock, delivery_of, live, place
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import RangeCache
from wine_slo.monitor.replay.story import Story
from wine_slo.slo.evaluation.schedule import SELDOM
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective, Objectives
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Series

HOURS = 2.0
MINUTE = timedelta(minutes=1)
LATENCY = Objective(
    name="latency",
    title="Latency",
    job="wine-slo",
    source=Latency("request_latency_seconds", 1.0),
    ratio=0.95,
    window=timedelta(days=1),
    expires_after=10 * MINUTE,
    burns=(
        Burn(0.02, 20 * MINUTE, 5 * MINUTE, Alert.PAGE),
        Burn(0.05, timedelta(hours=2), 20 * MINUTE, Alert.TICKET),
    ),
)
OBJECTIVES = Objectives.only(LATENCY)
BREACHES_ONLY = Objectives.only(replace(LATENCY, burns=()))
FOUND = (Phase.explicit, Phase.generate)  # making a past of two hours smaller takes many minutes


async def replayed(
    api: MetricSource, objectives: Objectives, until: datetime, *, is_fast: bool, folder: Path | None = None
) -> Story:
    history = RangeCache(api, folder, "fake", until + timedelta(days=10))
    try:
        return await replay(history, objectives, START + MINUTE, until, POLL, is_fast=is_fast)
    finally:
        await history.close()


def past(*spells: Spell, hours: float = HOURS, of: Objective = LATENCY) -> tuple[PastPrometheus, Clock]:
    clock = Clock()
    return PastPrometheus(of, START, hours * 3600, list(spells), clock), clock


@st.composite
def spells(draw: st.DrawFn, *kinds: str) -> list[Spell]:
    found, second = [], 120.0
    for _ in range(draw(st.integers(1, 6))):
        second += draw(st.sampled_from([20, 35, 60, 200, 700, 1900]))
        duration = draw(st.sampled_from([5, 15, 30, 45, 90, 180, 400, 1000]))
        kind = draw(st.sampled_from(kinds))
        found.append(
            Spell(
                second,
                second + duration,
                slow=draw(st.sampled_from([0.02, 0.1, 0.5, 1.0]))
                if kind in {"slow", "down", "away", "gone", "bucket"}
                else 0.0,
                rate=0.0 if kind == "quiet" else draw(st.sampled_from([10.0, 10.0, 0.2])),
                is_down=kind == "down",
                is_away=kind == "away",
                is_gone=kind == "gone",
                bucket=kind != "bucket",
            )
        )
        second += duration
    return found


async def compare(objectives: Objectives, spells: list[Spell], hours: float = HOURS) -> Story:
    return await compare_with(*past(*spells, hours=hours), objectives, hours)


async def compare_with(api: MetricSource, clock: Clock, objectives: Objectives, hours: float) -> Story:
    """Hold two replays to the incidents of a live watchdog over the same past."""
    until = START + timedelta(hours=hours)
    is_scraped_often = all(each.scrape_interval < SELDOM for each in objectives.all)
    delivered, evaluations = await live(api, clock, objectives, START + MINUTE, until)
    stories = [await replayed(api, objectives, until, is_fast=is_fast) for is_fast in (False, True)]
    for story in stories:
        assert [delivery_of(each) for each in sorted(story.alarms, key=place)] == [
            delivered[each] for each in sorted(delivered)
        ]
        assert story.evaluations == pytest.approx(evaluations, rel=0 if is_scraped_often else 0.02)
    slow, fast = stories
    assert slow.alarms == fast.alarms
    assert slow.sights == fast.sights
    if is_scraped_often:
        assert slow.budgets == fast.budgets
    else:  # those that are left out between two ticks renew what is known of a budget, some seconds sooner
        for key, left in slow.budgets.items():
            assert [each.share for each in left] == pytest.approx([each.share for each in fast.budgets[key]], abs=1e-3)
    return fast


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=FOUND)
@given(spells=spells("slow", "slow", "quiet", "down", "away", "gone", "bucket"))
def test_a_replay_has_the_alarms_of_the_live_watchdog_whatever_happened(spells: list[Spell]) -> None:
    asyncio.run(compare(BREACHES_ONLY, spells))


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=FOUND)
@given(spells=spells("slow", "slow", "quiet", "down", "away", "gone"))
@example(spells=[Spell(180, 360, slow=1.0, is_away=True), Spell(3685, 4685, slow=0.1)])
@example(spells=[Spell(140, 540, is_down=True), Spell(3680, 3860, slow=1.0), Spell(4560, 4740, slow=0.5, is_down=True)])
def test_a_replay_has_the_burn_rate_alerts_of_the_live_watchdog(spells: list[Spell]) -> None:
    asyncio.run(compare(Objectives.only(LATENCY), spells))


@pytest.mark.parametrize("every", [15, 30, 60])
def test_a_replay_has_the_alarms_of_the_live_watchdog_at_every_scrape_interval(every: int) -> None:
    objective = replace(LATENCY, scrape_interval=timedelta(seconds=every))
    troubles = [
        Spell(2412, 2700, slow=1.0),
        Spell(3000, 3000 + every, is_away=True),
        Spell(3600, 3900, slow=0.2),
        Spell(5400, 6000, is_down=True),
    ]
    clock = Clock()
    api = PastPrometheus(objective, START, HOURS * 3600, troubles, clock, every=every)
    story = asyncio.run(compare_with(api, clock, Objectives.only(objective), HOURS))
    assert [str(each.key) for each in story.alarms if each.is_breach or each.is_down] == ["latency", "latency", DOWN]


@pytest.mark.parametrize("every", [5, 30])
def test_a_replay_has_a_job_that_goes_down_again_and_again_as_the_live_watchdog_has_it(every: int) -> None:
    objective = replace(LATENCY, scrape_interval=timedelta(seconds=every))
    half = max(20, every)
    crashes = [Spell(1800 + 2 * number * half, 1800 + (2 * number + 1) * half, is_down=True) for number in range(20)]
    restart = Spell(5400, 5460, is_down=True)
    clock = Clock()
    api = PastPrometheus(objective, START, HOURS * 3600, [*crashes, restart], clock, every=every)
    story = asyncio.run(compare_with(api, clock, Objectives.only(objective), HOURS))
    assert [(str(each.key), each.is_again) for each in story.alarms] == [(DOWN, False)]


MONTH = Calendar(CalendarUnit.MONTH, timezone(timedelta(hours=-13)))  # it begins an hour after the past does
OF_MONTH = replace(
    LATENCY,
    window=MONTH.nominal,
    calendar=MONTH,
    burns=(
        Burn(0.005, 20 * MINUTE, 5 * MINUTE, Alert.PAGE),
        Burn(0.01, timedelta(hours=2), 20 * MINUTE, Alert.TICKET),
    ),
)


@settings(max_examples=1, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=FOUND)
@given(spells=spells("slow", "slow", "quiet", "down", "away", "gone"))
@example(spells=[Spell(3000, 4200, slow=0.7)])
@example(spells=[Spell(600, 3500, slow=0.3), Spell(3700, 4000, slow=0.7)])
def test_a_replay_over_the_begin_of_a_month_has_the_alerts_of_the_live_watchdog(spells: list[Spell]) -> None:
    asyncio.run(compare_with(*past(*spells, of=OF_MONTH), Objectives.only(OF_MONTH), HOURS))


async def test_what_was_known_of_a_month_for_minutes_is_not_taken_for_the_next_one() -> None:
    calendar = replace(MONTH, zone=timezone(timedelta(hours=-17)))  # it begins after five hours
    objective = replace(OF_MONTH, calendar=calendar)
    story = await compare_with(
        *past(Spell(9000, 17400, slow=0.7), hours=5.2, of=objective), Objectives.only(objective), 5.2
    )
    ticket = next(each for each in story.alarms if each.key.alert is Alert.TICKET)
    assert ticket.ended_at is not None
    assert timedelta(hours=5) < ticket.ended_at - START < timedelta(hours=5, minutes=2)


DOWN, OF_JOB, OF_OBJECTIVE = 'down{job="wine-slo"}', 'sight{job="wine-slo"}', 'sight{objective="latency"}'
NO_BUCKET = "no bucket of request_latency_seconds ends at 1 s"


@pytest.mark.parametrize(
    ("spell", "key", "reason"),
    [
        pytest.param(
            Spell(600, 1500, is_gone=True),
            DOWN,
            "Prometheus knows none of the 1 targets of wine-slo any more",
            id="all targets vanish",
        ),
        pytest.param(Spell(600, 1500, is_down=True), DOWN, "its only target does not answer", id="no target answers"),
        pytest.param(Spell(600, 1500, is_away=True), OF_JOB, "the last sample of wine-slo is", id="no scrapes"),
        pytest.param(Spell(600, 1500, bucket=False), OF_OBJECTIVE, NO_BUCKET, id="the bucket vanishes"),
        pytest.param(
            Spell(600, 1500, bucket=False, rate=0.0),
            OF_OBJECTIVE,
            NO_BUCKET,
            id="the bucket vanishes while there is no traffic",
        ),
        pytest.param(
            Spell(600, 1500, every=20.0),
            OF_JOB,
            "no two samples of wine-slo lie within 20s",
            id="scrapes are too far apart for intervals",
        ),
    ],
)
async def test_a_replay_knows_why_there_is_no_data_as_live_evaluation_does(spell: Spell, key: str, reason: str) -> None:
    objectives = OBJECTIVES if spell.bucket else BREACHES_ONLY  # Prometheus has no budget without the bucket
    story = await compare(objectives, [spell], hours=0.6)
    found = {str(alarm.key): alarm.reason for alarm in story.alarms}
    assert reason in found[key]


async def test_a_replay_knows_the_buckets_of_a_breach_as_live_evaluation_does() -> None:
    story = await compare(OBJECTIVES, [Spell(600, 700, slow=1.0)], hours=0.6)
    assert story.alarms[0].bounds == (0.5, 1.0, 2.5)


async def test_an_answer_that_no_clock_can_hold_is_blindness_as_live() -> None:
    class Overflowing(PastPrometheus):
        def _last(self, values: list[float], at: float) -> float | None:
            found = super()._last(values, at)
            is_wrong = 600 < at - START.timestamp() < 1500
            return 1e15 if found is not None and found > 1 and is_wrong else found

    clock = Clock()
    api = Overflowing(LATENCY, START, 2160, [], clock)
    story = await compare_with(api, clock, OBJECTIVES, hours=0.6)
    assert {str(alarm.key) for alarm in story.alarms} == {OF_OBJECTIVE}


async def test_evaluations_that_change_nothing_are_left_out() -> None:
    api, _ = past(Spell(3600, 3700, slow=1.0), hours=10)
    until = START + timedelta(hours=10)
    delivered = {}
    for is_fast in (False, True):
        reached: list[datetime] = []
        history = RangeCache(api, None, "fake", until)
        story = await replay(history, OBJECTIVES, START, until, POLL, reached.append, is_fast=is_fast)
        await history.close()
        assert story.evaluations > 10 * 120
        delivered[is_fast] = story.alarms, len(reached)  # it shows its progress after each hundred evaluations
    assert delivered[True][0] == delivered[False][0]
    assert delivered[True][1] < delivered[False][1] / 5


# The answers


class Faulty(PastPrometheus):
    """Fails at questions about ranges before it answers, or refuses long ones."""

    failures = 0
    longest = 10**9
    requested = 0

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self.requested += 1
        if (end - start) // step >= self.longest:
            raise MetricSourceError("it would load too many samples", is_too_much=True)
        if self.failures:
            self.failures -= 1
            raise MetricSourceError("it broke off")
        return await super().query_range(promql, start, end, step)


def faulty() -> Faulty:
    return Faulty(LATENCY, START, HOURS * 3600, [Spell(600, 700, slow=1.0)], Clock())


UNTIL = START + timedelta(hours=HOURS)


async def test_a_query_that_failed_is_retried() -> None:
    api = faulty()
    api.failures = 3
    story = await replayed(api, OBJECTIVES, UNTIL, is_fast=True)
    assert story.alarms[0].key == Key("latency")


async def test_a_query_that_is_too_much_is_split() -> None:
    api = faulty()
    api.longest = 500
    story = await replayed(api, OBJECTIVES, UNTIL, is_fast=True)
    assert story.alarms == (await replayed(faulty(), OBJECTIVES, UNTIL, is_fast=True)).alarms


async def test_an_answer_on_disk_is_not_queried_again(tmp_path: Path) -> None:
    first, again = faulty(), faulty()
    delivered = await replayed(first, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)
    assert (await replayed(again, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)).alarms == delivered.alarms
    assert (first.requested > 10, again.requested) == (True, 0)


async def test_a_damaged_chunk_is_queried_again(tmp_path: Path) -> None:
    delivered = await replayed(faulty(), OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)
    damaged = sorted(tmp_path.iterdir())[:3]  # noqa: ASYNC240  # a file of a test
    for path, content in zip(damaged, (b"", b"no chunk", damaged[2].read_bytes()[:-9]), strict=True):
        path.write_bytes(content)
    api = faulty()
    assert (await replayed(api, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)).alarms == delivered.alarms
    assert api.requested == 3
