"""Where samples can be found late, or ranges are moved, nothing is missed: it is only later."""

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.prometheus_past import PastPrometheus, Spell
from tests.support.scene import KEY, LATENCY, START, at
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.schedule import AGAIN_IN, SETTLES_IN, next_evaluation_at
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.source.metric_source import Series

POLL = 30.0  # seconds
BEGINS, LASTS = 900.0, 240.0  # the outage, in seconds
STALL = 15.0  # seconds; long before the outage
SCRAPES = LATENCY.scrape_interval.total_seconds()


class Frontend(PastPrometheus):
    """One that moves ranges back to multiples of their step, as that of Thanos does."""

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        first, last = (
            datetime.fromtimestamp(each.timestamp() // step.total_seconds() * step.total_seconds(), UTC)
            for each in (start, end)
        )
        return await super().query_range(promql, first, last, step)


async def lived(kind: type[PastPrometheus], phase: float, lag: float, poll_at: float) -> State:
    """What a watchdog knows after a stall, and an outage from its beginning to a while after its end."""
    objectives, state, now = Objectives.only(LATENCY), State(), at(300 + poll_at)
    spells = [Spell(600, 600 + STALL, slow=1.0), Spell(BEGINS, BEGINS + LASTS, slow=1.0)]
    prometheus = kind(LATENCY, START, 3600, spells, lambda: now, phase=phase, lag=lag)
    collector, poll = Collector(prometheus, lambda: WallTime(now)), now + timedelta(seconds=POLL)
    while now < at(BEGINS + LASTS + 120):
        state = await collector.evaluate(state, objectives)
        soon = next_evaluation_at(state, objectives)
        if soon is not None and soon + SETTLES_IN < poll:
            now = max(soon, now) + SETTLES_IN
        else:
            now, poll = poll, poll + timedelta(seconds=POLL)
    return state


@given(
    st.sampled_from([PastPrometheus, Frontend]),
    st.floats(0.05, SCRAPES - 0.05),
    st.floats(0.0, 4.0),
    st.floats(0.0, POLL),
)
@settings(max_examples=15)
def test_samples_that_come_late_make_an_alert_later_by_no_more_than_that_and_a_stall_no_incident(
    kind: type[PastPrometheus], phase: float, lag: float, poll_at: float
) -> None:
    state = asyncio.run(lived(kind, phase, lag, poll_at))
    (incident,) = state.incidents.values()
    usual = LATENCY.bad_for.total_seconds() + 2 * SCRAPES + (SCRAPES if kind is Frontend else 0.0)
    latest = usual + lag + AGAIN_IN.total_seconds() + 0.5
    assert incident.key == KEY
    assert incident.opened_at - at(BEGINS) <= timedelta(seconds=latest)
    assert incident.closed_at is not None
    assert incident.closed_at - at(BEGINS + LASTS) <= timedelta(seconds=latest)
    assert abs(incident.bad - LASTS * 10) <= 1, "each request is counted once"
