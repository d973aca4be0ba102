"""A full outage is an incident, or lost monitoring is, whatever scrape interval is written."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.fakes.prometheus_past import PastPrometheus, Spell
from tests.support.scene import KEY, LATENCY, START
from wine_slo.monitor.evaluate.collector import Collector
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.schedule import SETTLES_IN, next_evaluation_at
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.usual_spans import least_over

POLL = 30.0  # seconds
BEGINS, LASTS = 1200.0, 300.0  # the outage, in seconds
REPORTED_WITHIN = 300.0  # seconds of its beginning


@dataclass
class Run:
    """A watchdog in virtual time."""

    objective: Objective
    prometheus: PastPrometheus
    now: datetime

    async def until(self, seconds: float, poll_at: float) -> State:
        """Evaluate at each poll, and sooner where something is suspicious."""
        objectives, state = Objectives.only(self.objective), State()
        collector = Collector(self.prometheus, lambda: WallTime(self.now))
        poll = START + timedelta(seconds=poll_at)
        while self.now < START + timedelta(seconds=seconds):
            state = await collector.evaluate(state, objectives)
            soon = next_evaluation_at(state, objectives)
            if soon is not None and soon + SETTLES_IN < poll:
                self.now = max(soon + SETTLES_IN, self.now + SETTLES_IN)
            else:
                self.now, poll = poll, poll + timedelta(seconds=POLL)
        return state


def at_interval(written: float) -> Objective:
    interval = timedelta(seconds=written)
    over = max(timedelta(minutes=5), least_over(interval, LATENCY.bad_for, LATENCY.good_for))
    return replace(LATENCY, scrape_interval=interval, over=over)


def lived(
    real: float, written: float, *, phase: float = 0.3, poll_at: float = 7.0, missed: Iterable[int] = ()
) -> list[Incident]:
    """Return the incidents of an hour with one outage in which every request is slow."""
    objective = at_interval(written)
    outage = Spell(BEGINS, BEGINS + LASTS, slow=1.0)
    gaps = [
        Spell(BEGINS + at, BEGINS + at + real, slow=float(at < LASTS), is_away=True)
        for at in (each * real for each in missed)
    ]
    now = START + timedelta(seconds=900)
    run = Run(
        objective,
        PastPrometheus(objective, START, 3600, [*gaps, outage], lambda: run.now, every=real, phase=phase),
        now,
    )
    state = asyncio.run(run.until(BEGINS + LASTS + 600, 900 + poll_at))
    return list(state.incidents.values())


def is_reported(incident: Incident) -> bool:
    """Return whether people know, before the outage is over, of it or of there being nothing to see."""
    begins = START + timedelta(seconds=BEGINS)
    is_there = incident.closed_at is None or incident.closed_at > begins
    is_soon = incident.opened_at <= begins + timedelta(seconds=REPORTED_WITHIN)
    return is_there and is_soon and (incident.key == KEY or incident.key.is_own)


REAL = st.sampled_from([5.0, 15.0, 30.0, 60.0])
WRITTEN = st.sampled_from([1.0, 5.0, 10.0, 15.0, 30.0, 60.0])


@given(REAL, WRITTEN, st.floats(0.01, 0.99), st.floats(0, POLL), st.sets(st.integers(0, 19), max_size=2))
@example(60.0, 5.0, 0.5, 7.0, set())
@example(30.0, 5.0, 0.5, 7.0, set())
@example(15.0, 60.0, 0.5, 7.0, set())
@settings(max_examples=40)
def test_an_outage_of_five_minutes_is_an_incident_or_lost_monitoring_is_whatever_interval_is_written(
    real: float, written: float, phase: float, poll_at: float, missed: set[int]
) -> None:
    incidents = lived(real, written, phase=phase * real, poll_at=poll_at, missed=missed)
    assert any(is_reported(each) for each in incidents), incidents


@given(REAL, st.floats(0.01, 0.99), st.floats(0, POLL))
@settings(max_examples=12)
def test_at_the_real_interval_it_is_the_breach_and_its_recovery_and_nothing_else(
    real: float, phase: float, poll_at: float
) -> None:
    (incident,) = lived(real, real, phase=phase * real, poll_at=poll_at)
    assert incident.key == KEY
    assert incident.closed_at is not None
