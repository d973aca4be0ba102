"""Not being able to see, and a service that is down: an incident for each cause, notified and ended by itself."""

from dataclasses import replace

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, KEY, LATENCY, Reader, Scene, at, minutes
from wine_slo.slo.evaluation.engine import SIGHT
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.incidents.group import grouped_text

ERRORS_KEY, UP_KEY = Key("errors"), Key("availability")
OF_LATENCY = Key("sight", (("objective", "latency"),))
OF_JOB = Key("sight", (("job", "wine-slo"),))
DOWN = Key("down", (("job", "wine-slo"),))
REFUSED = "Prometheus: it answered 400: parse error"
UNREACHABLE = "Prometheus: it cannot be reached (connection refused)"


class Watched(Scene):
    """Readings by what they are called here: well, mistaken, away, stale, down, gone."""

    def sees(self, seconds: float, **how: str) -> "Watched":
        for _ in range(round(seconds / 5)):
            self.second += 5
            self.evaluate({Key(name): self.reading(each) for name, each in how.items()})
        return self

    def reading(self, how: str) -> Reading:
        at = self.now
        match how:
            case "well":
                return Reading(at=at, sight=Sight.CLEAR, intervals=(Interval(at, 0, 50),), targets=3)
            case "all scrapes failed":
                return Reading(at=at, sight=Sight.CLEAR, intervals=(Interval(at, 3, 3),), targets=3)
            case "quiet":
                return Reading(at=at, sight=Sight.NO_TRAFFIC, reason="no requests", targets=3)
            case "mistaken":
                return Reading(at=at, sight=Sight.BLIND, reason=REFUSED)
            case "away":
                return Reading(at=at, sight=Sight.BLIND, reason=UNREACHABLE, is_unanswered=True)
            case "stale":
                return Reading(at=at, sight=Sight.STALE, reason="the last sample is old", targets=3)
            case "down":
                return Reading(at=at, sight=Sight.TARGET_DOWN, reason="it does not answer its scrapes", targets=3)
            case "gone":
                reason = Reason(
                    "Prometheus knows none of the {count} targets of {job} any more", {"count": 3, "job": "a"}
                )
                return Reading(at=at, sight=Sight.TARGET_DOWN, reason=reason, targets=3, is_gone=True)
        raise AssertionError(how)

    @property
    def open_keys(self) -> list[Key]:
        return [each.key for each in self.state.open_incidents]


def outcomes(scene: Scene) -> dict[Key, Outcome | None]:
    return {each.key: each.outcome for each in scene.state.incidents.values()}


# Blindness for each cause


def test_prometheus_going_away_is_notified_anew_and_loud_while_an_objective_is_blind_for_a_mistake() -> None:
    scene = Watched(LATENCY, ERRORS).sees(130, latency="mistaken", errors="well")
    reader = Reader(scene)
    assert [each.kind for each in reader.receives()] == [Kind.BREACH]
    scene.sees(130, latency="away", errors="away")
    (notification,) = reader.receives()
    assert (notification.kind, notification.loud) == (Kind.BREACH, True)
    assert notification.text.startswith("🟣 Monitoring lost for <b>2 min</b> · Prometheus: it cannot be reached")
    assert scene.open_keys == [OF_LATENCY, SIGHT]


def test_that_is_so_too_where_the_mistaken_objective_is_the_only_one() -> None:
    scene = Watched(LATENCY).sees(130, latency="mistaken").sees(130, latency="away")
    assert scene.open_keys == [OF_LATENCY, SIGHT]


def test_the_recovery_of_one_cause_does_not_close_the_other() -> None:
    scene = (
        Watched(LATENCY, ERRORS).sees(130, latency="mistaken", errors="well").sees(130, latency="away", errors="away")
    )
    scene.sees(5, latency="mistaken", errors="well")
    assert outcomes(scene) == {OF_LATENCY: None, SIGHT: Outcome.RECOVERED}
    assert (scene.state.incidents[1].number, scene.state.incidents[1].openings) == (1, 1)
    scene.sees(5, latency="well", errors="well")
    assert outcomes(scene) == {OF_LATENCY: Outcome.RECOVERED, SIGHT: Outcome.RECOVERED}


def test_where_prometheus_answers_nobody_the_mistake_of_one_objective_stays_as_it_was() -> None:
    scene = Watched(LATENCY, ERRORS).sees(130, latency="mistaken", errors="well")
    scene.sees(600, latency="away", errors="away")
    assert scene.state.incidents[1].is_open
    assert scene.state.incidents[1].reason == REFUSED


def test_one_question_without_an_answer_is_not_prometheus_being_away() -> None:
    assert Watched(LATENCY, ERRORS).sees(130, latency="away", errors="well").open_keys == [OF_LATENCY]


def test_stale_samples_of_a_job_are_one_incident_however_many_objectives_it_has() -> None:
    scene = Watched(LATENCY, ERRORS).sees(130, latency="stale", errors="stale")
    assert scene.open_keys == [OF_JOB]
    other = Watched(LATENCY, replace(ERRORS, job="other")).sees(130, latency="stale", errors="stale")
    assert other.open_keys == [OF_JOB, Key("sight", (("job", "other"),))]


def test_causes_that_take_turns_are_notified_though_none_is_there_at_each_evaluation() -> None:
    scene = Watched(LATENCY)
    for _ in range(14):
        scene.sees(5, latency="stale").sees(5, latency="away")
    assert OF_JOB in scene.open_keys


def test_blindness_of_an_objective_that_is_withdrawn_is_over() -> None:
    scene = Watched(LATENCY, ERRORS).sees(130, latency="mistaken", errors="well")
    scene.objectives = type(scene.objectives).only(ERRORS)
    assert scene.sees(5, errors="well").open_keys == []


# A service that is down


@pytest.mark.parametrize("how", ["down", "gone"])
def test_a_service_of_which_no_target_answers_is_an_incident_of_its_own(how: str) -> None:
    scene = Watched(LATENCY, ERRORS).sees(60, latency="well", errors="well").sees(120, latency=how, errors=how)
    assert scene.open_keys == []
    scene.sees(5, latency=how, errors=how)
    assert scene.open_keys == [DOWN]
    assert scene.incident.began_at == at(65)


def test_that_it_is_down_is_notified_loud_with_its_targets_and_its_recovery_too() -> None:
    scene = Watched(LATENCY, ERRORS).sees(130, latency="down", errors="down")
    reader = Reader(scene)
    (notification,) = reader.receives()
    assert notification.loud
    assert notification.text.splitlines()[0] == (
        "🔴 <b>wine-slo</b> is down: 3 of 3 targets do not answer since 19:40:05 (2 min)."
    )
    scene.sees(5, latency="well", errors="quiet")
    delivered = [each.text for each in reader.receives() if each.kind is Kind.RECOVERY]
    assert [each.splitlines()[0] for each in delivered] == ["🟢 wine-slo is up again"]


def test_a_target_that_answers_again_without_a_request_is_up() -> None:
    scene = Watched(LATENCY).sees(130, latency="down").sees(5, latency="quiet")
    assert outcomes(scene) == {DOWN: Outcome.RECOVERED}


@pytest.mark.parametrize("how", ["away", "stale", "mistaken"])
def test_what_cannot_be_seen_is_no_recovery_of_a_service_that_is_down(how: str) -> None:
    scene = Watched(LATENCY).sees(130, latency="down").sees(600, latency=how)
    assert scene.state.incidents[1].is_open


def test_one_target_of_several_that_is_down_is_not_the_service() -> None:
    by: Objective = replace(LATENCY, by=("instance",))
    scene = Watched(by)
    a, b = (Key("latency", (("instance", name),)) for name in "ab")
    for _ in range(40):
        scene.second += 5
        scene.evaluate({a: scene.reading("down"), b: scene.reading("well")})
    assert scene.open_keys == []


def test_an_objective_about_the_targets_covers_it_and_nothing_is_notified_twice() -> None:
    scene = Watched(LATENCY, AVAILABILITY).sees(60, latency="well", availability="well")
    scene.sees(600, latency="down", availability="all scrapes failed")
    assert scene.open_keys == [UP_KEY]
    scene.sees(600, latency="gone", availability="gone")
    assert scene.open_keys == [UP_KEY]


def test_vanished_targets_are_notified_where_an_objective_about_them_has_nothing_to_judge() -> None:
    scene = Watched(LATENCY, AVAILABILITY).sees(60, latency="well", availability="well")
    assert scene.sees(130, latency="gone", availability="gone").open_keys == [DOWN]


def test_of_two_jobs_the_one_that_is_down_is_notified() -> None:
    scene = Watched(LATENCY, replace(ERRORS, job="other")).sees(130, latency="down", errors="well")
    assert scene.open_keys == [DOWN]


def test_that_a_service_is_down_mutes_and_heals_nothing() -> None:
    scene = Watched(LATENCY)
    scene.breaks()
    scene.sees(300, latency="down")
    assert {each.key for each in scene.state.open_incidents} == {KEY, DOWN}
    assert not scene.state.is_blind


def test_what_is_about_monitoring_itself_or_a_dead_service_says_so() -> None:
    assert all(key.is_own for key in (SIGHT, OF_LATENCY, OF_JOB, DOWN, Key("ledger"), Key("gap")))
    assert not any(key.is_own for key in (KEY, ERRORS_KEY, UP_KEY))


# An outage that nobody wants to be an incident, or that another incident says


def test_where_it_is_switched_off_an_outage_is_no_incident() -> None:
    scene = Watched(LATENCY, ERRORS)
    scene.objectives = replace(scene.objectives, target_down=False)
    scene.sees(600, latency="down", errors="gone")
    assert scene.state.incidents == {}
    assert scene.state.troubles_since == {}


def test_one_that_is_open_when_it_is_switched_off_is_withdrawn() -> None:
    scene = Watched(LATENCY).sees(130, latency="down")
    reader = Reader(scene)
    reader.receives()
    scene.objectives = replace(scene.objectives, target_down=False)
    scene.sees(5, latency="down")
    assert outcomes(scene) == {DOWN: Outcome.WITHDRAWN}
    assert reader.receives()[-1].text.startswith(
        "⚪️ Targets of wine-slo: outages are not alerted on any more, incident closed; this is not a recovery."
    )


def test_an_objective_about_the_targets_that_takes_longer_is_the_one_incident_there_is() -> None:
    patient = replace(AVAILABILITY, bad_for=minutes(4), over=minutes(10))
    scene = Watched(LATENCY, patient).sees(60, latency="well", availability="well")
    scene.sees(180, latency="down", availability="all scrapes failed")
    assert scene.open_keys == []
    scene.sees(120, latency="down", availability="all scrapes failed")
    assert scene.open_keys == [UP_KEY]


def test_an_objective_about_the_targets_of_another_job_covers_nothing() -> None:
    other = replace(AVAILABILITY, job="other")
    assert Watched(LATENCY, other).sees(130, latency="down", availability="well").open_keys == [DOWN]


# A restart, many targets, several jobs


@pytest.mark.parametrize("how", ["down", "gone"])
def test_a_restart_in_the_middle_neither_forgets_nor_repeats_an_outage(how: str) -> None:
    scene = Watched(LATENCY).sees(60, latency="well").sees(60, latency=how)
    scene.state = replace(scene.state, readings={})  # as the ledger holds it
    scene.sees(65, latency=how)
    assert scene.open_keys == [DOWN]
    assert scene.incident.began_at == at(65)
    scene.state = replace(scene.state, readings={})
    scene.sees(60, latency=how)
    scene.state = replace(scene.state, readings={})
    scene.sees(5, latency="well")
    assert outcomes(scene) == {DOWN: Outcome.RECOVERED}


def test_targets_that_fail_and_then_vanish_are_one_outage() -> None:
    scene = Watched(LATENCY).sees(70, latency="down").sees(70, latency="gone")
    assert scene.open_keys == [DOWN]
    assert scene.incident.began_at == at(5)
    scene.sees(4000, latency="stale")  # after an hour Prometheus knows nothing of them any more
    assert scene.open_keys == [DOWN]


def test_several_jobs_that_are_down_at_once_are_an_incident_each_by_name() -> None:
    names = [f"job{number}" for number in range(4)]
    scene = Watched(*(replace(LATENCY, name=f"latency{each}", job=each) for each in names))
    scene.sees(130, **{f"latency{each}": "down" for each in names[:3]}, latencyjob3="well")
    texts = [each.text.splitlines()[0] for each in Reader(scene).receives()]
    assert [each.split("</b>")[0] for each in texts] == ["🔴 <b>job0", "🔴 <b>job1", "🔴 <b>job2"]


def test_an_only_target_is_called_one() -> None:
    scene = Watched(LATENCY)
    for _ in range(26):
        scene.second += 5
        scene.evaluate({KEY: replace(scene.reading("down"), targets=1)})
    (notification,) = Reader(scene).receives()
    assert notification.text.splitlines()[0] == (
        "🔴 <b>wine-slo</b> is down: its only target does not answer since 19:40:05 (2 min)."
    )


def test_a_breach_names_the_targets_that_are_down_and_not_all_of_two_hundred() -> None:
    scene = Watched(LATENCY)
    down = tuple(f"10.0.0.{number}:80" for number in range(120))
    for _ in range(6):
        scene.second += 5
        interval = Interval(scene.now, 50, 50)
        reading = Reading(
            at=scene.now, sight=Sight.CLEAR, intervals=(interval,), recent_seconds=2.4, targets=200, down=down
        )
        scene.evaluate({KEY: reading})
    (notification,) = Reader(scene).receives()
    (line,) = [each for each in notification.text.splitlines() if "down" in each]
    assert line == "120 of 200 targets down (10.0.0.0:80, 10.0.0.1:80, 10.0.0.2:80 and 117 more)."


def test_a_breach_of_a_service_whose_targets_all_answer_names_none() -> None:
    scene = Watched(LATENCY)
    scene.breaks()
    (notification,) = Reader(scene).receives()
    assert "down" not in notification.text


def test_many_jobs_that_are_down_are_one_message_by_their_names_and_so_is_their_end() -> None:
    names = [f"job{number}" for number in range(12)]
    scene = Watched(*(replace(LATENCY, name=f"latency-{each}", job=each) for each in names))
    scene.sees(130, **{f"latency-{each}": "down" for each in names})
    fmt, down = Reader(scene).fmt, scene.state.open_incidents
    assert grouped_text(fmt, Kind.BREACH, down, scene.state, scene.now).splitlines() == [
        "🔴 <b>12</b> jobs are down",
        "Since 19:40:05 (2 min).",
        "Down: job0, job1, job2, job3, job4 and 7 more.",
        "All: /status",
    ]
    scene.sees(5, **{f"latency-{each}": "well" for each in names})
    ended = list(scene.state.incidents.values())
    text = grouped_text(fmt, Kind.RECOVERY, ended, scene.state, scene.now)
    assert text.startswith("🟢 <b>12</b> of 12 jobs are up again\n")
    off = [replace(each, outcome=Outcome.WITHDRAWN) for each in ended]
    assert grouped_text(fmt, Kind.RECOVERY, off, scene.state, scene.now).startswith(
        "⚪️ <b>12</b> of 12 incidents closed\n"
    )
