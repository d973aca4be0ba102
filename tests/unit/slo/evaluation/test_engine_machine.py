"""The watch under any readings at all: what may never happen, whatever is seen and whenever."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from wine_slo.slo.evaluation.engine import GAP, LEDGER, State, advance, is_ahead
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import BURNS, Alert, Key, Objective, Objectives

START = datetime(2026, 1, 1, tzinfo=UTC)
SCRAPE = timedelta(seconds=5)


def target(name: str, source: Latency | Ratio | Up, *by: str) -> Objective:
    """An objective whose spans are short, so that few evaluations are enough for everything to happen."""
    return Objective(
        name=name,
        title=name.title(),
        job="wine-slo",
        source=source,
        ratio=0.95,
        scrape_interval=SCRAPE,
        bad_for=3 * SCRAPE,
        good_for=2 * SCRAPE,
        over=timedelta(minutes=1),
        least_events=3,
        expires_after=timedelta(minutes=2),
        by=by,
        burns=BURNS,
    )


ALL = (
    target("latency", Latency("request_latency_seconds", 1.0), "endpoint"),
    target("errors", Ratio(("bad",), ("total",))),
    target("availability", Up()),
)
KEYS = (
    Key("latency", (("endpoint", "/predict"),)),
    Key("latency", (("endpoint", "/sleep"),)),
    Key("errors"),
    Key("availability"),
)
BLIND_FOR = timedelta(seconds=40)

keys = st.sampled_from(KEYS)
steps = st.sampled_from([0.0, 0.3, 1.0, 5.0, 30.0, 90.0, 400.0, 7200.0, 90_000.0, -2.0, -45.0, -4000.0]).map(
    lambda each: timedelta(seconds=each)
)
counts = st.tuples(st.sampled_from([0.2, 1.0, 3.0, 50.0]), st.sampled_from([0.0, 0.03, 0.05, 0.1, 0.5, 1.0]))
budgets = st.none() | st.builds(
    lambda rate, hours: Budget(
        history=timedelta(hours=hours),
        events=1000.0 * hours,
        bad_ratios={each: rate for burn in BURNS for each in (burn.long, burn.short)},
    ),
    st.sampled_from([0.0, 0.06, 0.2, 0.9]),
    st.sampled_from([1, 24, 720]),
)


@st.composite
def intervals_before(draw: st.DrawFn, now: datetime) -> tuple[Interval, ...]:
    """Any counts, any gaps, at phases of their own."""
    phase = draw(st.sampled_from([0.0, 0.1, 2.5]))
    ages = draw(st.lists(st.integers(0, 40), max_size=12, unique=True).map(sorted))
    drawn = []
    for age in reversed(ages):
        total, share = draw(counts)
        drawn.append(Interval(now - age * SCRAPE - timedelta(seconds=phase), bad=total * share, total=total))
    return tuple(drawn)


def restored(state: State) -> State:
    """The state as it comes back from the ledger: through JSON, without its readings."""
    tracks = [msgspec.json.decode(msgspec.json.encode(each), type=KeyState) for each in state.tracks.values()]
    incidents = [msgspec.json.decode(msgspec.json.encode(each), type=Incident) for each in state.incidents.values()]
    troubles_since, evaluated_at = msgspec.json.decode(
        msgspec.json.encode((list(state.troubles_since.items()), state.evaluated_at)),
        type=tuple[list[tuple[Key, datetime]], datetime | None],
    )
    return State(
        tracks={each.key: each for each in tracks},
        incidents={each.number: each for each in incidents},
        last_number=state.last_number,
        troubles_since=dict(troubles_since),
        evaluated_at=evaluated_at,
    )


class Watching(RuleBasedStateMachine):
    """Evaluates whatever hypothesis can think of; every state is checked against the one before."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.now = START
        self.objectives = Objectives(ALL, blind_for=BLIND_FOR)

    @rule(step=steps, data=st.data())
    def anything_is_seen(self, step: timedelta, data: st.DataObject) -> None:
        self.now += step
        readings = {}
        for key in data.draw(st.lists(keys, unique=True), label="keys"):
            at = self.now - data.draw(st.sampled_from([timedelta(0), timedelta(seconds=1), SCRAPE]), label="late by")
            readings[key] = Reading(
                at=at,
                sight=data.draw(st.sampled_from(Sight), label="sight"),
                reason="some reason",
                intervals=data.draw(intervals_before(at), label="intervals"),
                latency_seconds=data.draw(st.sampled_from([None, 0.05, 2.4]), label="p95"),
                budget=data.draw(budgets, label="budget"),
                next_at=at + SCRAPE,
            )
        self.evaluate(readings)

    @rule(key=keys, share=st.sampled_from([0.0, 0.0, 0.2, 1.0, 1.0]), evaluations=st.integers(1, 6))
    def it_is_so_for_a_while(self, key: Key, share: float, evaluations: int) -> None:
        for _ in range(evaluations):
            self.now += 2 * SCRAPE
            seen = tuple(Interval(self.now - back * SCRAPE, bad=20 * share, total=20) for back in (1, 0))
            self.evaluate({key: Reading(at=self.now, sight=Sight.CLEAR, intervals=seen, latency_seconds=2 * share)})

    @rule(sight=st.sampled_from([each for each in Sight if each is not Sight.CLEAR]), evaluations=st.integers(1, 5))
    def nothing_can_be_judged_for_a_while(self, sight: Sight, evaluations: int) -> None:
        for _ in range(evaluations):
            self.now += timedelta(seconds=30)
            self.evaluate({key: Reading(at=self.now, sight=sight, reason="some reason") for key in KEYS})

    @rule(evaluations=st.integers(1, 4))
    def the_ledger_cannot_be_written_for_a_while(self, evaluations: int) -> None:
        for _ in range(evaluations):
            self.now += timedelta(seconds=30)
            self.evaluate({key: Reading(at=self.now, sight=Sight.NO_TRAFFIC, reason="") for key in KEYS}, "disk full")

    @rule(kept=st.lists(st.sampled_from(ALL), min_size=1, unique=True))
    def objectives_change(self, kept: list[Objective]) -> None:
        self.objectives = Objectives(tuple(kept), blind_for=BLIND_FOR)

    @rule()
    def every_objective_is_back(self) -> None:
        self.objectives = Objectives(ALL, blind_for=BLIND_FOR)

    def evaluate(self, readings: Mapping[Key, Reading], unwritten: str = "") -> None:
        before = self.state
        after = advance(before, self.objectives, readings, self.now, unwritten)
        assert advance(before, self.objectives, readings, self.now, unwritten) == after, "advance is a function"
        if not unwritten:  # else there is nothing that a restart could read
            assert advance(restored(before), self.objectives, readings, self.now) == after, "a restart changes nothing"
        assert restored(after).open_incidents == after.open_incidents
        self.check_ends(before, after, readings)
        self.check_numbers(before, after)
        self.check_times(before, after)
        self.check_phases(after)
        self.state = after

    def check_ends(self, before: State, after: State, readings: Mapping[Key, Reading]) -> None:
        """Nothing ends without data, and nothing is well that was not seen well."""
        for opened in before.open_incidents:
            now = after.incidents[opened.number]
            if now.is_open or now.key.is_own:
                continue
            key = replace(now.key, alert=Alert.BREACH)  # what is said of a budget is seen with its objective
            sight = readings[key].sight if key in readings else Sight.NO_TRAFFIC
            if self.objectives.of(now.key) is None:
                assert now.outcome is Outcome.WITHDRAWN
            else:
                assert sight.is_seeing
                assert now.outcome in (Outcome.RECOVERED, Outcome.EXPIRED)
                assert now.outcome is Outcome.EXPIRED or sight is Sight.CLEAR
                assert now.outcome is Outcome.RECOVERED or sight is Sight.NO_TRAFFIC
        for incident in after.open_incidents:
            known = before.incidents.get(incident.number)
            if not incident.key.is_own and (known is None or known.openings < incident.openings):
                seen = readings[replace(incident.key, alert=Alert.BREACH)]
                assert seen.sight is Sight.CLEAR, "nothing opens without data"

    def check_numbers(self, before: State, after: State) -> None:
        assert after.last_number >= before.last_number
        fresh = sorted(after.incidents.keys() - before.incidents.keys())
        assert fresh == list(range(before.last_number + 1, after.last_number + 1))
        open_keys = [each.key for each in after.open_incidents]
        assert len(open_keys) == len(set(open_keys)), "one open incident of a key at most"

    def check_times(self, before: State, after: State) -> None:
        assert after.evaluated_at is not None
        if is_ahead(before, self.now):  # that time was never true: what was recorded by it is in the past now
            assert after.evaluated_at == self.now
            assert GAP in {after.incidents[number].key for number in after.incidents.keys() - before.incidents.keys()}
            before = State()
        assert before.evaluated_at is None or after.evaluated_at >= before.evaluated_at
        for incident in after.incidents.values():
            assert incident.began_at <= incident.since <= incident.opened_at
            assert incident.began_at <= incident.last_bad_at <= after.evaluated_at
            assert incident.opened_at <= after.evaluated_at
            assert incident.closed_at is None or incident.opened_at <= incident.closed_at <= after.evaluated_at
            known = before.incidents.get(incident.number)
            if known is not None:
                assert known.began_at == incident.began_at
                assert known.opened_at <= incident.opened_at
                assert known.last_bad_at <= incident.last_bad_at
                assert known.openings <= incident.openings
                assert known.total <= incident.total
        for key, track in after.tracks.items():
            earlier = before.tracks.get(key)
            if earlier is not None and earlier.judged_until is not None:
                assert track.judged_until is not None
                assert earlier.judged_until <= track.judged_until
            if earlier is not None:
                assert earlier.sight_since <= track.sight_since

    def check_phases(self, after: State) -> None:
        """A phase and its incident agree."""
        for key, track in after.tracks.items():
            incident = after.incidents.get(track.incident) if track.incident is not None else None
            assert track.phase.is_open == (incident is not None and incident.is_open)
            assert incident is None or incident.key == key
            assert track.phase is not Phase.MET or not track.evidence
            assert track.phase is not Phase.BREACHING or track.evidence or key.alert is not Alert.BREACH
        followed = {track.incident for track in after.tracks.values()}
        assert {each.number for each in after.open_incidents if not each.key.is_own} <= followed
        assert (after.unwritten_since is None) <= (LEDGER not in {each.key for each in after.open_incidents})


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
