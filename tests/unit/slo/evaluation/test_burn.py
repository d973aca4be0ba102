"""A budget that burns too fast: notified once, and not to who has just been notified of the breach that burnt it."""

from dataclasses import replace
from datetime import timedelta

from tests.support.scene import KEY, LATENCY, Scene, minutes
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import BURNS, Alert

BURNING = replace(LATENCY, burns=BURNS)
PAGE, TICKET = replace(KEY, alert=Alert.PAGE), replace(KEY, alert=Alert.TICKET)
SPANS = {each for burn in BURNS for each in (burn.long, burn.short)}
FAST = Budget(history=timedelta(days=30), events=1e6, bad_ratios=dict.fromkeys(SPANS, 0.9))
CALM = replace(FAST, bad_ratios=dict.fromkeys(SPANS, 0.0))
SLOW = Budget(history=timedelta(days=30), events=1e6, bad_ratios=dict.fromkeys(SPANS, 0.06))  # of 0.05 that are allowed


def burns(scene: Scene, budget: Budget, seconds: float, *, bad: float = 0.0) -> Scene:
    """For so long the budget reads so, whatever share of requests is bad."""
    for _ in range(round(seconds / 5)):
        scene.second += 5
        seen = Interval(scene.now, bad=50 * bad, total=50)
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, intervals=(seen,), budget=budget)})
    return scene


def opened(scene: Scene) -> list[Alert]:
    return [each.key.alert for each in scene.state.incidents.values()]


def test_a_fast_burn_without_a_breach_is_a_page_and_ends_when_it_lasts_again() -> None:
    scene = burns(Scene(BURNING), FAST, 5)
    assert opened(scene) == [Alert.PAGE, Alert.TICKET]
    burns(scene, CALM, 5)
    assert [each.outcome for each in scene.state.incidents.values()] == [Outcome.RECOVERED, Outcome.RECOVERED]


def test_a_slow_burn_is_a_ticket_alone() -> None:
    assert opened(burns(Scene(BURNING), SLOW, 5)) == [Alert.TICKET]


def test_what_a_breach_burns_is_notified_with_it() -> None:
    scene = Scene(BURNING).breaks()
    assert opened(burns(scene, FAST, 60, bad=1.0)) == [Alert.BREACH]


def test_nobody_is_woken_for_the_burn_of_a_breach_that_has_just_ended() -> None:
    scene = burns(Scene(BURNING).breaks(), FAST, 60, bad=1.0)
    burns(scene, FAST, 60)
    assert scene.state.incidents[1].outcome is Outcome.RECOVERED
    assert Alert.PAGE not in opened(scene)
    burns(scene, FAST, minutes(31).total_seconds())
    assert Alert.PAGE in opened(scene), "it burns on without the breach"


def test_what_burns_anew_is_another_incident() -> None:
    scene = burns(Scene(BURNING), SLOW, 5)
    burns(scene, CALM, 5)
    assert scene.state.tracks[TICKET].incident is None
    assert opened(burns(scene, SLOW, 5)) == [Alert.TICKET, Alert.TICKET]
    assert PAGE not in scene.state.tracks
