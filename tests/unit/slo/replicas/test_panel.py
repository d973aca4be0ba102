"""Two replicas of the metric source through an incident: which of them is judged by, and that nobody is misled."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.simulation import KEY, LATENCY, Simulation, after, slow_between, traffic
from wine_slo.slo.evaluation.engine import State, advance
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, without_data
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.reason import Reason
from wine_slo.slo.replicas.panel import Panel, choose
from wine_slo.slo.replicas.replica_state import replica_states
from wine_slo.slo.replicas.view import View, unfit

A, B = "a:9090", "b:9090"
BREACH = (100.0, 260.0)
END = 500
Second = float
AWAY = Reason("it cannot be reached")


class Pair:
    """Two replicas, scraped two seconds apart, and one state.

    Args:
        a: What the first one counts.
        b: What the second one counts; the same where it is left out.
        sees: Whether a replica can be read at a second.
        changed: Makes another reading of what a replica reads.
    """

    def __init__(
        self,
        a: list[tuple[float, float]],
        b: list[tuple[float, float]] | None = None,
        *,
        sees: Callable[[str, Second], bool] = lambda _name, _second: True,
        changed: Callable[[str, Second, Reading], Reading] = lambda _name, _second, reading: reading,
        ahead: Callable[[str, Second], float] = lambda _name, _second: 0.0,
    ) -> None:
        self.replicas = {A: Simulation(a), B: Simulation(a if b is None else b, scrape_at=2.0)}
        self.state = State()
        self.panel = Panel()
        self.mains: list[str] = []
        self._sees, self._changed, self._ahead = sees, changed, ahead

    def run(self, until: int, *, since: int = 0, every: int = 5) -> None:
        for second in range(since, until, every):
            self._evaluate(second + 0.7)

    def _evaluate(self, second: Second) -> None:
        views = {}
        for name, each in self.replicas.items():
            each.state = self.state
            blind = replace(without_data(after(second), Sight.BLIND, AWAY), is_unanswered=True)
            reading = self._changed(name, second, each.reading(second)) if self._sees(name, second) else blind
            views[name] = View({KEY: reading}, timedelta(seconds=self._ahead(name, second)))
        choice = choose(LATENCY, self.state, views, self.panel)
        self.panel = choice.panel
        self.mains.append(self.panel.main)
        tracks = {**self.state.tracks, **choice.tracks}
        state = replace(self.state, tracks=tracks)
        self.state = advance(state, Objectives.only(LATENCY), choice.readings, after(second))

    @property
    def openings(self) -> list[int]:
        return [each.openings for each in self.state.incidents.values() if each.key == KEY]

    @property
    def is_open(self) -> bool:
        return any(each.key == KEY for each in self.state.open_incidents)

    @property
    def outcomes(self) -> list[Outcome | None]:
        return [each.outcome for each in self.state.incidents.values() if each.key == KEY]


def requests(*slow: tuple[float, float]) -> list[tuple[float, float]]:
    return traffic(END, slow_between(*slow))


def test_what_both_see_is_one_incident_and_no_switch() -> None:
    pair = Pair(requests(BREACH))
    pair.run(END)
    assert (pair.openings, pair.outcomes, set(pair.mains)) == ([1], [Outcome.RECOVERED], {A})
    assert pair.panel.disagreements(LATENCY, after(END)) == {}


@pytest.mark.parametrize("died_at", range(25, 320, 45))
def test_a_replica_that_dies_at_any_moment_is_left_at_once_without_a_second_incident_or_a_false_end(
    died_at: int,
) -> None:
    pair = Pair(requests(BREACH), sees=lambda name, second: name == B or second < died_at)
    pair.run(END)
    assert (pair.openings, pair.outcomes) == ([1], [Outcome.RECOVERED])
    (incident,) = [each for each in pair.state.incidents.values() if each.key == KEY]
    assert incident.opened_at <= after(BREACH[0] + 45)
    assert incident.closed_at is not None
    assert after(BREACH[1]) < incident.closed_at <= after(BREACH[1] + 60)
    assert pair.mains[died_at // 5 - 1] == A
    assert pair.mains[died_at // 5] == B


def test_a_replica_that_comes_back_is_not_returned_to_while_the_other_one_sees() -> None:
    pair = Pair(requests(BREACH), sees=lambda name, second: name == B or not 50 <= second < 80)
    pair.run(END)
    assert pair.mains[60 // 5 :] == [B] * (END // 5 - 60 // 5)


def test_a_replica_that_comes_back_is_not_judged_by_what_it_has_of_before() -> None:
    pair = Pair(requests(), requests((200.0, 299.0)), sees=lambda name, second: name == A or not 50 <= second < 300)
    pair.run(END)
    assert pair.openings == []


def test_an_outage_that_only_one_replica_sees_is_an_incident() -> None:
    pair = Pair(requests(), requests(BREACH))
    pair.run(200)
    assert pair.is_open
    (differs,) = pair.panel.disagreements(LATENCY, after(200)).values()
    assert (differs.bad, differs.good) == ((B,), (A,))
    (_, worse) = replica_states((A, B), [(LATENCY, pair.panel)], after(200))
    assert worse.worse == (KEY,)
    pair.run(END, since=200)
    assert (pair.openings, pair.outcomes) == ([1], [Outcome.RECOVERED])
    assert set(pair.mains) == {A}  # it sees well, and is no worse a witness


def test_what_one_replica_calls_over_is_not_over_while_another_one_shows_it() -> None:
    pair = Pair(requests((100.0, 180.0)), requests((100.0, 400.0)))
    pair.run(395)
    assert pair.is_open
    pair.run(END, since=395)
    assert (pair.openings, pair.outcomes) == ([1], [Outcome.RECOVERED])


def test_an_incident_that_the_only_witness_has_seen_stays_open_when_it_dies_until_the_other_proves_the_end() -> None:
    pair = Pair(requests(BREACH), requests(), sees=lambda name, second: name == B or second < 160)
    pair.run(165)
    assert pair.is_open
    pair.run(END, since=165)
    assert pair.outcomes == [Outcome.RECOVERED]


def test_that_one_replica_knows_of_no_requests_is_no_end_while_the_other_one_counts_them() -> None:
    def emptied(name: str, second: Second, reading: Reading) -> Reading:
        is_empty = name == A and 150 <= second < 400
        return without_data(reading.at, Sight.NO_TRAFFIC, Reason("no requests")) if is_empty else reading

    pair = Pair(requests((100.0, 400.0)), changed=emptied)
    pair.run(395)
    (incident,) = pair.state.open_incidents
    assert incident.held is None
    pair.run(END, since=395)
    assert (pair.openings, pair.outcomes) == ([1], [Outcome.RECOVERED])


def test_a_replica_that_no_scrape_of_is_answered_is_left_for_one_whose_scrapes_are() -> None:
    def cut(name: str, second: Second, reading: Reading) -> Reading:
        is_cut = name == A and second >= 150
        return without_data(reading.at, Sight.TARGET_DOWN, Reason("all scrapes fail")) if is_cut else reading

    pair = Pair(requests(BREACH), changed=cut)
    pair.run(END)
    assert (pair.openings, pair.outcomes) == ([1], [Outcome.RECOVERED])
    assert not pair.state.troubles_since
    (left, _) = replica_states((A, B), [(LATENCY, pair.panel)], after(END))
    assert (str(left.reason), left.since) == ("all scrapes fail", after(150.7))


def test_a_replica_whose_clock_is_off_is_left_for_one_whose_clock_is_right() -> None:
    pair = Pair(requests(BREACH), ahead=lambda name, _: 20.0 if name == A else 1.0)
    pair.run(50)
    assert pair.mains[1:] == [B] * 9  # after its first scrape
    (left, _) = replica_states((A, B), [(LATENCY, pair.panel)], after(50))
    assert str(left.reason) == "its clock is off by 20 s"


def test_where_none_sees_the_reason_is_that_of_the_one_that_was_judged_by() -> None:
    pair = Pair(requests(), sees=lambda _name, second: second < 50)
    pair.run(100)
    assert pair.state.readings[KEY].reason == AWAY
    assert pair.state.readings[KEY].is_unanswered


UP = Objective(name="up", title="Availability", job="shop", source=Up(), ratio=0.99)


def scraped(*good: bool) -> Reading:
    at = after(100)
    intervals = tuple(
        Interval(at - (len(good) - number) * UP.scrape_interval, float(not each), 1.0)
        for number, each in enumerate(good)
    )
    return Reading(at=at, sight=Sight.CLEAR, intervals=intervals)


@pytest.mark.parametrize(
    ("a", "b", "main"),
    [
        pytest.param([True, False, False, False], [True] * 4, B, id="what only one cannot reach is reached"),
        pytest.param([True, False, False, False], [True, False, False, False], A, id="what none reaches is down"),
        pytest.param([True, False, False, False], [True, True, False, True], A, id="some failures are no certainty"),
        pytest.param([True, True, False, False], [True] * 4, A, id="it takes three in a row"),
    ],
)
def test_a_target_whose_scrapes_another_replica_has_answered_is_not_down(
    a: list[bool], b: list[bool], main: str
) -> None:
    views = {A: View({Key("up"): scraped(*a)}), B: View({Key("up"): scraped(*b)})}
    assert choose(UP, State(), views, Panel(main=A)).panel.main == main


def test_a_replica_that_scrapes_fewer_targets_does_not_hide_that_one_it_does_not_know_is_down() -> None:
    def of_targets(reading: Reading, count: float) -> Reading:
        intervals = tuple(replace(each, total=each.total * count) for each in reading.intervals)
        return replace(reading, intervals=intervals)

    half, all_of_them = of_targets(scraped(*[True] * 4), 2), of_targets(scraped(*[True] + 3 * [False]), 4)
    views = {A: View({Key("up"): half}), B: View({Key("up"): all_of_them})}
    assert not unfit(UP, views)
    views[A] = View({Key("up"): of_targets(half, 2)})
    assert list(unfit(UP, views)) == [B]


def test_a_replica_that_knows_of_no_label_set_does_not_hide_what_another_one_cannot_reach() -> None:
    assert not unfit(UP, {A: View({}), B: View({Key("up"): scraped(*[False] * 3)})})


def test_the_error_budget_is_that_of_the_replica_that_has_known_the_job_for_longest() -> None:
    short, long = Budget(history=timedelta(minutes=5)), Budget(history=timedelta(days=30))
    clear = Reading(at=after(10), sight=Sight.CLEAR)
    views = {A: View({KEY: replace(clear, budget=short)}), B: View({KEY: replace(clear, budget=long)})}
    choice = choose(LATENCY, State(), views, Panel())
    assert choice.panel.main == A
    assert choice.readings[KEY].budget == long
