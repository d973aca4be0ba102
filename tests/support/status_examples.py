"""A state with everything met and one with a breach, as pages and commands show them."""

from dataclasses import replace
from datetime import timedelta

from tests.support.scene import ERRORS, LATENCY, START, at, incident
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.budget import Budget, windows
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.views.status import Process

NOW = at(3600)
PROCESS = Process(version="1.2.3", poll=timedelta(seconds=30), overdue_after=timedelta(seconds=90))
LATENCY_KEY, ERRORS_KEY, UP_KEY = Key("latency"), Key("errors"), Key("availability")
OPEN = incident(
    number=12, began_at=at(2760), opened_at=at(2787), last_bad_at=at(3595), bad=512, total=640, worst=2.6,
    worst_at=at(2940),
)  # fmt: skip
PAST = incident(
    number=11, key=ERRORS_KEY, began_at=at(300), opened_at=at(325), last_bad_at=at(720), closed_at=at(745),
    outcome=Outcome.RECOVERED, value=0.0, worst=0.2, worst_at=at(400), bad=31, total=300,
)  # fmt: skip


def budget(objective: Objective, bad_ratio: float) -> Budget:
    return Budget(history=timedelta(days=3), events=90_000, bad_ratios=dict.fromkeys(windows(objective), bad_ratio))


def track(key: Key, phase: Phase = Phase.MET, sight: Sight = Sight.CLEAR, **changes: object) -> KeyState:
    made = KeyState(key=key, phase=phase, since=at(2787), sight=sight, sight_since=START)
    return replace(made, **changes)  # type: ignore[arg-type]


def state(*incidents: Incident, **readings: Reading) -> State:
    phases = {each.key: Phase.BREACHED for each in incidents if each.is_open}
    open_ones = {each.key: each.number for each in incidents if each.is_open}
    tracks = {}
    for name, reading in readings.items():
        key = Key(name)
        tracks[key] = track(
            key, phases.get(key, Phase.MET), reading.sight, reason=reading.reason, incident=open_ones.get(key)
        )
    return State(
        tracks=tracks,
        readings={Key(name): reading for name, reading in readings.items()},
        incidents={each.number: each for each in incidents},
        last_number=12,
        evaluated_at=at(3588),
    )


FINE = Reading(
    at=NOW, sight=Sight.CLEAR, good_ratio=0.9996, recent_seconds=0.043, events_per_second=9.8,
    by_endpoint=(("/predict", 0.043), ("/ui", 0.012)), budget=budget(LATENCY, 0.001),
)  # fmt: skip


SLOW = replace(
    FINE, recent_seconds=2.44, good_ratio=0.2, by_endpoint=(("/sleep", 2.4), ("/predict", 0.03)),
    budget=budget(LATENCY, 0.008),
)  # fmt: skip


ERRING = replace(FINE, budget=budget(ERRORS, 0.0004), recent_seconds=None)
NO_DATA = Reading(at=NOW, sight=Sight.NO_TRAFFIC, reason="no requests")
GOOD = state(latency=FINE, errors=ERRING, availability=replace(ERRING, good_ratio=1.0, events_per_second=0.2))
BAD = state(OPEN, PAST, latency=SLOW, errors=ERRING, availability=NO_DATA)


WIDE = replace(LATENCY, by=("endpoint", "zone"))


def wide(count: int, broken: int) -> tuple[State, Objectives]:
    """So many label sets of one objective, the first ones in breach and one without data, beside another objective."""
    keys = [Key("latency", (("endpoint", f"/{number:05}"), ("zone", f"eu-{number % 3}"))) for number in range(count)]
    incidents = [
        replace(OPEN, number=number, key=key, worst=1 + number / 100, value=1 + number / 100)
        for number, key in enumerate(keys[:broken], 1)
    ]
    numbers = {each.key: each.number for each in incidents}
    blind = Reading(at=NOW, sight=Sight.NO_TRAFFIC, reason="no requests for 5 min")
    readings = {key: replace(SLOW, recent_seconds=1 + numbers[key] / 100) if key in numbers else FINE for key in keys}
    readings |= {keys[-1]: blind, ERRORS_KEY: FINE}
    tracks = {
        key: track(
            key,
            Phase.BREACHED if key in numbers else Phase.MET,
            reading.sight,
            incident=numbers.get(key),
            reason=reading.reason,
        )
        for key, reading in readings.items()
    }
    state = State(
        tracks=tracks,
        readings=readings,
        incidents={each.number: each for each in incidents},
        last_number=len(incidents),
        evaluated_at=at(3588),
    )
    return state, Objectives.only(WIDE, replace(ERRORS, job="shop"))
