"""A replay tells what the live watchdog told of the same past, whether or not it leaves looks out."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.support.fakes.prometheus_past import PastPrometheus, Spell
from tests.support.live_watchdog import POLL, START, Clock, live, place, telling
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import History
from wine_slo.monitor.replay.story import Story
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective, Objectives
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
FOUND = (Phase.explicit, Phase.generate)  # making a past of two hours smaller takes many minutes


async def replayed(
    api: MetricSource, objectives: Objectives, until: datetime, *, is_fast: bool, folder: Path | None = None
) -> Story:
    history = History(api, folder, "fake", until + timedelta(days=10))
    try:
        return await replay(history, objectives, START + MINUTE, until, POLL, is_fast=is_fast)
    finally:
        await history.close()


def past(*spells: Spell, hours: float = HOURS) -> tuple[PastPrometheus, Clock]:
    clock = Clock()
    return PastPrometheus(LATENCY, START, hours * 3600, list(spells), clock), clock


@st.composite
def spells(draw: st.DrawFn, *kinds: str) -> list[Spell]:
    found, second = [], 120.0
    for _ in range(draw(st.integers(1, 6))):
        second += draw(st.sampled_from([20, 35, 60, 200, 700, 1900]))
        lasts = draw(st.sampled_from([5, 15, 30, 45, 90, 180, 400, 1000]))
        kind = draw(st.sampled_from(kinds))
        found.append(
            Spell(
                second,
                second + lasts,
                slow=draw(st.sampled_from([0.02, 0.1, 0.5, 1.0])) if kind in {"slow", "down", "away"} else 0.0,
                rate=0.0 if kind == "quiet" else draw(st.sampled_from([10.0, 10.0, 0.2])),
                is_down=kind == "down",
                is_away=kind == "away",
            )
        )
        second += lasts
    return found


async def compare(objectives: Objectives, spells: list[Spell]) -> None:
    """Let a live watchdog and two replays live through the same, and hold them to the same words."""
    api, clock = past(*spells)
    until = START + timedelta(hours=HOURS)
    told, looks = await live(api, clock, objectives, START + MINUTE, until)
    stories = [await replayed(api, objectives, until, is_fast=is_fast) for is_fast in (False, True)]
    for story in stories:
        assert [telling(each) for each in sorted(story.alarms, key=place)] == [told[each] for each in sorted(told)]
        assert story.looks == looks
    slow, fast = stories
    assert slow.alarms == fast.alarms
    assert slow.sights == fast.sights
    assert slow.budgets == fast.budgets


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=FOUND)
@given(spells=spells("slow", "slow", "quiet", "down", "away"))
def test_a_replay_tells_what_the_live_watchdog_told_whatever_happened(spells: list[Spell]) -> None:
    asyncio.run(compare(Objectives.only(replace(LATENCY, burns=())), spells))


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=FOUND)
@given(spells=spells("slow", "slow", "quiet", "down", "away"))
@example(spells=[Spell(180, 360, slow=1.0, is_away=True), Spell(3685, 4685, slow=0.1)])
@example(spells=[Spell(140, 540, is_down=True), Spell(3680, 3860, slow=1.0), Spell(4560, 4740, slow=0.5, is_down=True)])
def test_a_replay_tells_of_budgets_what_the_live_watchdog_told(spells: list[Spell]) -> None:
    asyncio.run(compare(Objectives.only(LATENCY), spells))


async def test_looks_that_change_nothing_are_left_out() -> None:
    api, _ = past(Spell(3600, 3700, slow=1.0), hours=10)
    until = START + timedelta(hours=10)
    told = {}
    for is_fast in (False, True):
        reached: list[datetime] = []
        history = History(api, None, "fake", until)
        story = await replay(history, OBJECTIVES, START, until, POLL, reached.append, is_fast=is_fast)
        await history.close()
        assert story.looks > 10 * 120
        told[is_fast] = story.alarms, len(reached)  # it says how far it is after each hundred looks that it makes
    assert told[True][0] == told[False][0]
    assert told[True][1] < told[False][1] / 5


# The answers


class Faulty(PastPrometheus):
    """Fails at questions about ranges before it answers, or refuses long ones."""

    failures = 0
    longest = 10**9
    asked = 0

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self.asked += 1
        if (end - start) // step >= self.longest:
            raise MetricSourceError("it would load too many samples", is_too_much=True)
        if self.failures:
            self.failures -= 1
            raise MetricSourceError("it broke off")
        return await super().query_range(promql, start, end, step)


def faulty() -> Faulty:
    return Faulty(LATENCY, START, HOURS * 3600, [Spell(600, 700, slow=1.0)], Clock())


UNTIL = START + timedelta(hours=HOURS)


async def test_a_question_that_failed_is_asked_again() -> None:
    api = faulty()
    api.failures = 3
    story = await replayed(api, OBJECTIVES, UNTIL, is_fast=True)
    assert story.alarms[0].key == Key("latency")


async def test_a_question_that_is_too_much_is_asked_in_halves() -> None:
    api = faulty()
    api.longest = 500
    story = await replayed(api, OBJECTIVES, UNTIL, is_fast=True)
    assert story.alarms == (await replayed(faulty(), OBJECTIVES, UNTIL, is_fast=True)).alarms


async def test_what_was_answered_once_is_not_asked_again(tmp_path: Path) -> None:
    first, again = faulty(), faulty()
    told = await replayed(first, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)
    assert (await replayed(again, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)).alarms == told.alarms
    assert (first.asked > 10, again.asked) == (True, 0)


async def test_a_chunk_that_is_damaged_is_asked_for_again(tmp_path: Path) -> None:
    told = await replayed(faulty(), OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)
    damaged = sorted(tmp_path.iterdir())[:3]  # noqa: ASYNC240  # a file of a test
    for path, content in zip(damaged, (b"", b"no chunk", damaged[2].read_bytes()[:-9]), strict=True):
        path.write_bytes(content)
    api = faulty()
    assert (await replayed(api, OBJECTIVES, UNTIL, is_fast=True, folder=tmp_path)).alarms == told.alarms
    assert api.asked == 3
