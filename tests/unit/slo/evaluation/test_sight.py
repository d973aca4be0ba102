"""Whether there can be a judgement, and what becomes of an incident while there cannot."""

from datetime import timedelta

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, KEY, LATENCY, Reader, Scene, at, minutes
from wine_slo.slo.evaluation.engine import SIGHT
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, Targets, Traffic, sight_of
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import Key, Objective

NOT_CLEAR = [sight for sight in Sight if sight is not Sight.CLEAR]
UP = Targets(up=1, known=1, scraped_at=at(0))
BUSY = Traffic(shown=3000, long=18_000)


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_losing_sight_neither_closes_an_incident_nor_says_so(sight: Sight) -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    assert [each.kind for each in reader.receives()] == [Kind.BREACH]

    said = []
    for _ in range(29):
        scene.lacks(sight, 60)
        said += reader.receives()

    assert scene.incident.is_open
    assert scene.track.phase is Phase.BREACHED
    assert {each.kind for each in said} <= {Kind.EDIT, Kind.BREACH}
    assert not any("🟢" in each.text or "back" in each.text for each in said)


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_good_numbers_without_sight_heal_nothing(sight: Sight) -> None:
    scene = Scene().breaks().has(0.0, 600, sight=sight)
    assert scene.incident.is_open


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_bad_numbers_without_sight_open_nothing(sight: Sight) -> None:
    scene = Scene().has(1.0, 600, sight=sight)
    assert [each.key for each in scene.state.incidents.values() if each.key != SIGHT] == []


@pytest.mark.parametrize("sight", [each for each in NOT_CLEAR if not each.is_seeing])
def test_numbers_that_come_without_sight_are_no_evidence(sight: Sight) -> None:
    scene = Scene().has(1.0, 20, sight=sight)
    assert (scene.track.phase, scene.track.evidence) == (Phase.MET, ())
    scene.breaks()
    bad = scene.incident.bad
    assert scene.has(1.0, 20, sight=sight).incident.bad == bad


@pytest.mark.parametrize("sight", [each for each in NOT_CLEAR if not each.is_seeing])
def test_time_without_sight_counts_neither_as_good_nor_as_bad(sight: Sight) -> None:
    scene = Scene().has(1.0, 20).lacks(sight, 300).has(0.0, 20)
    assert scene.track.phase.value == "breaching"
    scene.has(0.0, 5)
    assert scene.track.phase.value == "met"

    scene = Scene().breaks().has(0.0, 15).lacks(sight, 300)
    assert scene.track.phase.value == "recovering"
    scene.has(0.0, 5)
    assert scene.track.phase.value == "met"


@pytest.mark.parametrize(
    ("objective", "targets", "traffic", "sight", "reason"),
    [
        pytest.param(LATENCY, UP, BUSY, Sight.CLEAR, "", id="a busy service that answers is seen"),
        pytest.param(
            LATENCY,
            Targets(up=0, known=0, scraped_at=None),
            BUSY,
            Sight.STALE,
            "Prometheus knows no target of the job wine-slo",
            id="a job without targets is not known",
        ),
        pytest.param(
            LATENCY,
            Targets(up=1, known=1, scraped_at=at(-21)),
            BUSY,
            Sight.STALE,
            "the last sample of wine-slo is 21 s old",
            id="more than four scrapes without a sample is old",
        ),
        pytest.param(
            LATENCY,
            Targets(up=1, known=1, scraped_at=at(-20)),
            BUSY,
            Sight.CLEAR,
            "",
            id="four scrapes without a sample is not old yet",
        ),
        pytest.param(
            AVAILABILITY,
            Targets(up=0, known=1, scraped_at=at(-21)),
            BUSY,
            Sight.STALE,
            "the last sample of wine-slo is 21 s old",
            id="an old sample says nothing of availability either",
        ),
        pytest.param(
            LATENCY,
            Targets(up=0, known=2, scraped_at=at(0)),
            BUSY,
            Sight.TARGET_DOWN,
            "all scrapes of wine-slo fail",
            id="no target that answers is down",
        ),
        pytest.param(
            LATENCY, Targets(up=1, known=2, scraped_at=at(0)), BUSY, Sight.CLEAR, "", id="one of two targets is enough"
        ),
        pytest.param(
            AVAILABILITY,
            Targets(up=0, known=1, scraped_at=at(0)),
            Traffic(shown=0, long=0),
            Sight.CLEAR,
            "",
            id="that a target is down is just what availability judges",
        ),
        pytest.param(
            LATENCY, UP, Traffic(shown=0, long=50), Sight.NO_TRAFFIC, "no requests", id="no request is no traffic"
        ),
        pytest.param(
            ERRORS,
            UP,
            Traffic(shown=0.3, long=50),
            Sight.NO_TRAFFIC,
            "no requests",
            id="a third of a request is arithmetic and no request",
        ),
        pytest.param(
            LATENCY,
            UP,
            Traffic(shown=4, long=4),
            Sight.TOO_FEW,
            "only 4 of the 5 requests that a judgement needs",
            id="four requests in the longest span are too few",
        ),
        pytest.param(
            LATENCY,
            UP,
            Traffic(shown=1, long=4.6),
            Sight.CLEAR,
            "",
            id="five requests in the longest span are enough, to the nearest",
        ),
        pytest.param(
            LATENCY,
            UP,
            Traffic(shown=0, long=0, hangs=True),
            Sight.CLEAR,
            "",
            id="a service that hangs is seen, though no request ends",
        ),
        pytest.param(
            LATENCY,
            Targets(up=0, known=1, scraped_at=at(0)),
            Traffic(shown=0, long=0, hangs=True),
            Sight.TARGET_DOWN,
            "all scrapes of wine-slo fail",
            id="what hung before it went down is down",
        ),
    ],
)
def test_sight_is_as_it_must_be(
    objective: Objective, targets: Targets, traffic: Traffic, sight: Sight, reason: str
) -> None:
    seen, why = sight_of(objective, targets, traffic, at(0))
    assert (seen, str(why)) == (sight, reason)


def test_only_the_services_own_numbers_count_as_seeing() -> None:
    assert {each for each in Sight if each.is_seeing} == {Sight.CLEAR, Sight.NO_TRAFFIC, Sight.TOO_FEW}


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        pytest.param(-1, 5, id="fewer than no bad events"),
        pytest.param(6, 5, id="more bad events than events"),
        pytest.param(float("nan"), 5, id="a number that is none"),
    ],
)
def test_an_interval_cannot_hold(bad: float, total: float) -> None:
    with pytest.raises(ValueError, match="events"):
        Interval(at(0), bad=bad, total=total)


def test_a_reading_keeps_its_intervals_in_order() -> None:
    first, second = Interval(at(0), 0, 1), Interval(at(5), 0, 1)
    with pytest.raises(ValueError, match="in order"):
        Reading(at=at(9), sight=Sight.CLEAR, intervals=(second, first))
    with pytest.raises(ValueError, match="in order"):
        Reading(at=at(9), sight=Sight.CLEAR, intervals=(first, first))


# Seeing nothing at all


@pytest.mark.parametrize("sight", [Sight.BLIND, Sight.STALE])
def test_being_blind_for_two_minutes_is_an_incident_of_its_own(sight: Sight) -> None:
    scene = Scene().has(0.0, 60).lacks(sight, 120)
    assert scene.state.incidents == {}
    scene.lacks(sight)

    (blind,) = scene.state.open_incidents
    assert blind.key.objective == SIGHT.objective
    assert blind.began_at == at(65)
    assert blind.reason == f"{sight} is the reason"
    assert scene.state.is_blind


@pytest.mark.parametrize(
    "sight", [pytest.param(Sight.CLEAR, id="clear"), *(each for each in NOT_CLEAR if each.is_seeing)]
)
def test_blindness_ends_with_the_first_evaluation_that_has_data(sight: Sight) -> None:
    scene = Scene().lacks(Sight.BLIND, 300)
    number = scene.incident.number
    scene.lacks(sight)

    ended = scene.state.incidents[number]
    assert ended.outcome is Outcome.RECOVERED
    assert ended.closed_at == scene.now
    assert not scene.state.is_blind


def test_an_evaluation_with_data_begins_the_two_minutes_anew() -> None:
    scene = Scene().lacks(Sight.BLIND, 120).has(0.0).lacks(Sight.BLIND, 120)
    assert scene.state.incidents == {}


def test_blindness_that_goes_on_is_one_incident() -> None:
    scene = Scene().lacks(Sight.BLIND, 3600)
    assert list(scene.state.incidents) == [1]


@pytest.mark.parametrize("sight", [each for each in Sight if each.is_seeing])
def test_other_sights_are_no_blindness(sight: Sight) -> None:
    assert Scene().lacks(sight, 600).state.incidents == {}


def test_one_objective_without_data_for_long_is_notified_and_mutes_no_other() -> None:
    scene = Scene(LATENCY, ERRORS)
    for _ in range(100):
        scene.second += 5
        blind = Reading(at=scene.now, sight=Sight.BLIND, reason="422")
        seen = Reading(at=scene.now, sight=Sight.CLEAR, intervals=(Interval(scene.now, 0, 50),))
        scene.evaluate({KEY: blind, Key("errors"): seen})
    assert [each.key for each in scene.state.open_incidents] == [Key("sight", (("objective", "latency"),))]
    assert not scene.state.is_blind


def test_blindness_mutes_what_cannot_be_known_and_nothing_is_lost_by_it() -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.receives()
    scene.lacks(Sight.BLIND, 130)
    reader.receives()

    scene.lacks(Sight.BLIND, 3600)
    about = [each.after.incident for each in reader.receives()]
    assert 1 not in about

    scene.has(0.0, 20)
    assert Kind.RECOVERY in [each.kind for each in reader.receives() if each.after.incident == 1]


# Holding


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_a_held_incident_keeps_its_last_value_and_says_why_it_is_held(sight: Sight) -> None:
    scene = Scene().breaks().lacks(sight, 90)
    held = scene.incident
    assert (held.held, held.reason) == (sight, f"{sight} is the reason")
    assert (held.value, held.worst) == (2.4, 2.4)
    since = at(25) if sight is Sight.NO_TRAFFIC else at(30)  # the last request, or the first evaluation without data
    assert held.held_since == since


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_one_or_two_evaluations_without_data_are_not_notified(sight: Sight) -> None:
    scene = Scene().breaks().lacks(sight, 60 if sight is not Sight.NO_TRAFFIC else 55)
    assert scene.incident.held is None


@pytest.mark.parametrize("sight", NOT_CLEAR)
def test_holding_ends_with_sight(sight: Sight) -> None:
    incident = Scene().breaks().lacks(sight, 65).has(1.0, p95=1.9).incident
    assert (incident.held, incident.held_since, incident.reason) == (None, None, "")
    assert incident.value == 1.9


def test_a_minute_without_a_request_holds_though_the_range_still_has_some() -> None:
    scene = Scene().breaks()
    for _ in range(13):
        scene.second += 5
        scene.evaluate({KEY: Reading(at=scene.now, sight=Sight.CLEAR, latency_seconds=2.4)})
    assert scene.incident.held is Sight.NO_TRAFFIC
    assert scene.incident.held_since == at(25)


# Nobody feeds it any more


@pytest.mark.parametrize("sight", [Sight.NO_TRAFFIC, Sight.TARGET_DOWN, Sight.BLIND])
def test_a_recovery_says_for_how_long_nothing_could_be_judged(sight: Sight) -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.receives()
    scene.lacks(sight, 240).has(1.0, 30).lacks(sight, 120).has(0.0, 20)
    recovery = next(each.text for each in reader.receives() if each.kind is Kind.RECOVERY)
    assert "Not evaluated for 6 min." in recovery.splitlines()


def test_a_recovery_says_nothing_of_one_or_two_evaluations_without_data() -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.receives()
    scene.lacks(Sight.BLIND, 30).has(1.0, 30).has(0.0, 20)
    recovery = next(each.text for each in reader.receives() if each.kind is Kind.RECOVERY)
    assert "nothing could be judged" not in recovery


def test_an_incident_that_nobody_feeds_ends_as_expired_and_not_as_recovered() -> None:
    scene = Scene().breaks().lacks(Sight.NO_TRAFFIC, 1795)
    assert scene.incident.is_open
    scene.lacks(Sight.NO_TRAFFIC)
    assert scene.incident.outcome is Outcome.EXPIRED
    assert scene.incident.closed_at == scene.now == at(25) + minutes(30)
    assert scene.track.phase is Phase.MET


def test_expiry_is_notified_in_those_words() -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.receives()
    scene.lacks(Sight.NO_TRAFFIC, 1800)
    delivered = [each for each in reader.receives() if each.kind is Kind.RECOVERY]
    assert len(delivered) == 1
    assert delivered[0].text == (
        "⚪️ Latency: no requests since 19:40. Incident #1 expired after 30 min without data; this is not a recovery."
    )


@pytest.mark.parametrize("sight", [each for each in Sight if not each.is_seeing])
def test_what_could_not_be_seen_is_no_silence(sight: Sight) -> None:
    scene = Scene().breaks().lacks(Sight.NO_TRAFFIC, 1700).lacks(sight, 3600).lacks(Sight.NO_TRAFFIC, 1700)
    assert scene.state.incidents[1].is_open
    scene.lacks(Sight.NO_TRAFFIC, 200)
    assert scene.state.incidents[1].outcome is Outcome.EXPIRED


def test_a_label_set_that_is_not_there_any_more_counts_as_no_requests() -> None:
    scene = Scene(LATENCY, ERRORS).breaks()
    for _ in range(60):
        scene.second += 30
        scene.evaluate({Key("errors"): Reading(at=scene.now, sight=Sight.CLEAR)})
    assert scene.state.incidents[1].outcome is Outcome.EXPIRED


def test_one_request_in_between_begins_the_silence_anew() -> None:
    scene = Scene().breaks().lacks(Sight.NO_TRAFFIC, 1700).has(1.0, of=1).lacks(Sight.NO_TRAFFIC, 1700)
    assert scene.incident.is_open


def test_the_silence_is_as_long_as_the_objective_says() -> None:
    assert LATENCY.expires_after == timedelta(minutes=30)
