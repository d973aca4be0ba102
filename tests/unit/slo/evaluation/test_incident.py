"""The one state machine, transition by transition, and what an incident remembers."""

from dataclasses import replace

import pytest

from tests.support.scene import ERRORS, KEY, LATENCY, Scene, at, minutes
from wine_slo.slo.attribution.attribution import Share, attribute
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.objectives.objective import Key, Objectives

Spell = tuple[float, float]  # the share of bad requests, and for how many seconds
BREACH: Spell = (1.0, 25)


@pytest.mark.parametrize(
    ("spells", "phase"),
    [
        pytest.param([(0.0, 300)], Phase.MET, id="what is good stays met"),
        pytest.param([(0.05, 300)], Phase.MET, id="what just meets the objective stays met"),
        pytest.param([(1.0, 5)], Phase.BREACHING, id="one bad interval is a suspicion"),
        pytest.param([(1.0, 20)], Phase.BREACHING, id="four bad intervals are a stall"),
        pytest.param([BREACH], Phase.BREACHED, id="five bad intervals are a breach"),
        pytest.param([(1.0, 20), (0.0, 5), (1.0, 5)], Phase.BREACHED, id="a stall and one more is a breach"),
        pytest.param([(1.0, 5), (0.0, 20)], Phase.BREACHING, id="a suspicion outlives four good intervals"),
        pytest.param([(1.0, 5), (0.0, 25)], Phase.MET, id="five good intervals drop a suspicion"),
        pytest.param([BREACH, (0.0, 5)], Phase.RECOVERING, id="one good interval begins a recovery"),
        pytest.param([BREACH, (0.0, 15)], Phase.RECOVERING, id="three good intervals are no recovery yet"),
        pytest.param([BREACH, (0.0, 20)], Phase.MET, id="four good intervals are a recovery"),
        pytest.param([BREACH, (0.0, 15), (1.0, 5)], Phase.BREACHED, id="a bad interval ends a recovery"),
        pytest.param([BREACH, (0.0, 15), (1.0, 5), (0.0, 15)], Phase.RECOVERING, id="and it begins anew"),
        pytest.param([BREACH, (0.045, 300)], Phase.RECOVERING, id="short of the clear ratio it goes on"),
        pytest.param([BREACH, (0.04, 20)], Phase.MET, id="the clear ratio is a recovery"),
    ],
)
def test_a_phase_follows_from_what_was_seen(spells: list[Spell], phase: Phase) -> None:
    scene = Scene()
    for bad, seconds in spells:
        scene.has(bad, seconds)
    assert scene.track.phase is phase
    assert bool(scene.state.open_incidents) == phase.is_open


def test_a_new_incident_knows_when_it_began_and_when_it_was_certain() -> None:
    incident = Scene().has(0.0, 60).breaks().incident
    assert (incident.number, incident.key, incident.is_open) == (1, KEY, True)
    assert incident.began_at == incident.since == at(60)
    assert incident.opened_at == incident.last_bad_at == at(85)
    assert (incident.bad, incident.total) == (250, 250)


def test_its_counts_end_with_its_last_bad_interval() -> None:
    scene = Scene().has(1.0, 25, of=10).has(0.0, 10, of=10)
    assert (scene.incident.bad, scene.incident.total) == (50, 50)
    scene.has(0.5, 5, of=10)
    assert (scene.incident.bad, scene.incident.total) == (55, 80)
    scene.has(0.0, 60, of=10)
    ended = scene.incident
    assert ended.outcome is Outcome.RECOVERED
    assert (ended.bad, ended.total) == (55, 80)
    assert ended.last_bad_at == at(40)


def test_what_was_bad_in_a_recovery_that_failed_is_counted_once() -> None:
    scene = Scene().has(1.0, 25, of=100)
    for _ in range(3):
        scene.has(0.03, 5, of=100).has(1.0, 5, of=100)
    assert (scene.incident.bad, scene.incident.total) == (500 + 3 * 103, 500 + 3 * 200)


def test_it_remembers_its_worst_value_and_when_that_was() -> None:
    incident = Scene().breaks().has(1.0, p95=3.1).has(1.0, 60, p95=1.9).has(0.0, 20).incident
    assert (incident.worst, incident.worst_at) == (3.1, at(30))
    assert incident.value == 0.05


def test_the_value_of_a_ratio_is_its_share_of_bad_events() -> None:
    scene = Scene(ERRORS)
    scene.has(0.2, 25, key=Key("errors"))
    assert scene.incident.value == pytest.approx(0.2)
    assert scene.incident.worst == pytest.approx(0.2)


def test_an_evaluation_without_a_value_keeps_the_one_before() -> None:
    scene = Scene().breaks()
    scene.second += 5
    scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=(Interval(scene.now, 50, 50),))})
    assert scene.incident.value == 2.4


def test_an_interval_that_was_judged_is_not_judged_again() -> None:
    scene = Scene()
    stall = tuple(Interval(at(second), 50, 50) for second in (5, 10, 15, 20))
    for second in range(20, 60):
        scene.second = second
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=stall)})
    assert scene.track.phase is Phase.BREACHING
    assert scene.track.evidence == stall


def test_an_interval_whose_end_jitters_is_not_judged_twice() -> None:
    scene = Scene()
    for number in range(1, 9):
        scene.second = 2.5 * number
        end = at(5 * (number // 2) + 0.01 * number)  # every interval is seen twice, a little later each time
        scene.evaluate({KEY: Reading(at=end, sight=Sight.CLEAR, intervals=(Interval(end, 50, 50),))})
    assert len(scene.track.evidence) == 5
    assert scene.incident.total == 250


def test_many_intervals_in_one_evaluation_are_judged_as_one_by_one() -> None:
    slow, at_once = Scene().has(0.0, 60).breaks().has(0.0, 20), Scene()
    spells = [0.0] * 12 + [1.0] * 5 + [0.0] * 4
    seen = tuple(Interval(at(5 * number), 50 * bad, 50) for number, bad in enumerate(spells, start=1))
    at_once.second = slow.second
    at_once.evaluate({KEY: Reading(at=at_once.now, sight=Sight.CLEAR, intervals=seen)})
    assert at_once.track == replace(slow.track, since=at_once.track.since, sight_since=at_once.track.sight_since)
    assert at_once.incident.began_at == slow.incident.began_at
    assert (at_once.incident.bad, at_once.incident.total) == (slow.incident.bad, slow.incident.total)


# Coming back


def test_what_comes_back_within_ten_minutes_is_the_same_incident() -> None:
    scene = Scene().breaks().has(0.0, 600).breaks()
    again = scene.incident
    assert (again.number, again.openings, again.is_open, again.outcome) == (1, 2, True, None)
    assert again.began_at == at(0)
    assert again.since == again.again_at == at(625)
    assert again.opened_at == at(650)


def test_what_comes_back_later_is_a_new_one() -> None:
    scene = Scene().breaks().has(0.0, 605).breaks()
    assert list(scene.state.incidents) == [1, 2]
    assert scene.state.incidents[1].outcome is Outcome.RECOVERED
    assert scene.incident.openings == 1


def test_the_counts_of_a_second_opening_leave_the_good_time_between_out_of_the_first() -> None:
    scene = Scene().has(1.0, 25, of=10).has(0.0, 300, of=10).has(1.0, 25, of=10)
    assert scene.incident.bad == 100
    assert scene.incident.worst == 2.4


def test_an_expired_incident_that_is_bad_again_opens_again_however_late() -> None:
    scene = Scene().breaks().lacks(Sight.NO_TRAFFIC, 5 * 3600).breaks()
    assert (scene.incident.number, scene.incident.openings, scene.incident.is_open) == (1, 2, True)
    assert scene.incident.relapses == 0


def test_an_expired_incident_that_was_seen_well_since_is_over() -> None:
    scene = Scene().breaks().lacks(Sight.NO_TRAFFIC, 3600).has(0.0, 60).breaks()
    assert scene.incident.number == 2


def recovery_seconds(scene: Scene) -> float:
    """For how long it must be good until the open incident ends."""
    began = scene.second
    while scene.state.open_incidents:
        scene.has(0.0)
        assert scene.second - began < 3600
    return scene.second - began


def test_each_relapse_makes_the_next_recovery_take_twice_as_long() -> None:
    scene = Scene()
    taken = [recovery_seconds(scene.breaks()) for _ in range(5)]
    assert taken[:3] == [20, 40, 80]
    assert taken[3:] == sorted(taken[3:])
    assert 150 <= taken[3] <= taken[4] <= 300
    assert scene.state.last_number == 1


def test_what_comes_back_after_more_than_three_minutes_is_no_relapse() -> None:
    scene = Scene().breaks().has(0.0, 185).breaks()
    assert scene.incident.relapses == 0
    assert recovery_seconds(scene) == 20


def test_three_minutes_in_between_are_still_a_relapse() -> None:
    scene = Scene().breaks().has(0.0, 180).breaks()
    assert scene.incident.relapses == 1


def test_what_comes_after_a_drill_is_no_relapse() -> None:
    scene = Scene().breaks().has(0.0, 60)
    scene.state = replace(scene.state, incidents={1: replace(scene.incident, is_announced_drill=True)})
    scene.breaks()
    assert (scene.incident.openings, scene.incident.relapses) == (2, 0)
    assert recovery_seconds(scene) == 20


def test_a_drill_soon_after_an_incident_ends_as_soon_as_any() -> None:
    scene = Scene().breaks().has(0.0, 60).breaks()
    scene.state = replace(scene.state, incidents={1: replace(scene.incident, is_announced_drill=True)})
    assert scene.incident.relapses == 1
    assert recovery_seconds(scene) == 20


# Ending otherwise


def test_an_incident_whose_objective_is_withdrawn_says_so() -> None:
    scene = Scene(LATENCY, ERRORS).breaks()
    scene.objectives = Objectives.only(ERRORS)
    scene.lacks(Sight.NO_TRAFFIC, keys=[Key("errors")])
    assert scene.incident.outcome is Outcome.WITHDRAWN
    assert scene.incident.closed_at == scene.now
    assert KEY not in scene.state.tracks


def test_an_objective_that_is_back_begins_anew() -> None:
    scene = Scene(LATENCY, ERRORS).breaks()
    scene.objectives = Objectives.only(ERRORS)
    scene.lacks(Sight.NO_TRAFFIC, keys=[Key("errors")])
    scene.objectives = Objectives.only(LATENCY)
    scene.has(1.0, 20)
    assert scene.state.open_incidents == ()
    scene.has(1.0, 5)
    assert scene.incident.number == 2


def test_a_suspicion_without_further_evidence_is_forgotten() -> None:
    scene = Scene().has(1.0, 20).lacks(Sight.NO_TRAFFIC, 1800)
    assert (scene.track.phase, scene.track.evidence) == (Phase.MET, ())
    assert scene.has(1.0).state.incidents == {}


def test_closed_incidents_are_at_hand_for_a_day() -> None:
    scene = Scene().breaks().has(0.0, 20)
    closed_at = scene.second
    scene.second = closed_at + 86_395
    assert 1 in scene.lacks(Sight.NO_TRAFFIC, 0).state.incidents
    scene.evaluate({})
    assert 1 in scene.state.incidents
    scene.second = closed_at + 86_400
    scene.evaluate({})
    assert 1 not in scene.state.incidents
    assert scene.state.last_number == 2, "the day without an evaluation has a number too"


def test_two_label_sets_are_two_stories() -> None:
    objective = replace(LATENCY, by=("endpoint",))
    slow, fine = (Key("latency", (("endpoint", each),)) for each in ("/sleep", "/predict"))
    scene = Scene(objective)
    for _ in range(6):
        scene.second += 5
        scene.evaluate(
            {
                key: Reading(at=scene.now, sight=Sight.CLEAR, intervals=(Interval(scene.now, bad, 50),))
                for key, bad in ((slow, 50), (fine, 0))
            }
        )
    assert [each.key for each in scene.state.open_incidents] == [slow]
    assert scene.state.tracks[fine].phase is Phase.MET


def test_the_tenth_minute_is_counted_from_the_last_bad_interval() -> None:
    assert Scene().breaks().has(0.0, 600).breaks().incident.again_at == at(25) + minutes(10)


# What carries the bad events

FOUND = attribute({"endpoint": [Share("/sleep", 45, 46), Share("/predict", 0, 212)]}, 0.05, minutes(1))


def test_what_carries_the_bad_events_is_kept_when_the_incident_is_over() -> None:
    scene = Scene().breaks().attributes(FOUND).has(0.0, 60)
    assert not scene.incident.is_open
    assert scene.incident.attribution == FOUND


def test_what_comes_back_has_no_cause_before_one_is_found_again() -> None:
    scene = Scene().breaks().attributes(FOUND).has(0.0, 60).breaks()
    assert scene.incident.openings == 2
    assert scene.incident.attribution is None


# Drills


def slow_at(scene: Scene, *endpoints: str, seconds: float = 25) -> Scene:
    """For so long these endpoints are slow, and one is not."""
    for _ in range(round(seconds / 5)):
        scene.second += 5
        by_endpoint = (
            *((each, 2.4) for each in endpoints),
            ("/predict" if "/predict" not in endpoints else "/ui", 0.01),
        )
        interval = Interval(scene.now, bad=50.0 if endpoints else 0.0, total=50)
        reading = Reading(
            at=scene.now, sight=Sight.CLEAR, intervals=(interval,), recent_seconds=2.4, by_endpoint=by_endpoint
        )
        scene.evaluate({KEY: reading})
    return scene


def test_an_incident_is_a_drill_where_all_that_is_slow_is_what_a_drill_requests() -> None:
    scene = slow_at(Scene(), "/sleep?drill")
    assert scene.incident.is_drill
    slow_at(scene, seconds=30)
    assert not scene.incident.is_open
    assert scene.incident.is_drill, "so its end is marked as that of a drill"


def test_a_real_breach_during_a_drill_is_no_drill() -> None:
    assert not slow_at(Scene(), "/sleep?drill", "/predict").incident.is_drill
    scene = slow_at(Scene(), "/sleep?drill")
    assert not slow_at(scene, "/predict", seconds=5).incident.is_drill


def test_a_real_breach_soon_after_a_drill_opens_its_incident_again_and_is_no_drill() -> None:
    scene = slow_at(slow_at(Scene(), "/sleep?drill"), seconds=60)
    scene.has(1.0, 25)
    assert scene.incident.openings == 2
    assert not scene.incident.is_drill
