"""What can be said of a story, and how it compares with the truth."""

from datetime import timedelta

import pytest

from tests.support.scene import ALL, KEY, at, minutes
from wine_slo.monitor.replay.story import Alarm, Left, Quartiles, Story, Truth, days, score
from wine_slo.slo.evaluation.engine import SIGHT
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.objectives.objective import Alert, Key


def alarm(
    begins: float, ends: float, *, key: Key = KEY, told: float = 30, outcome: Outcome | None = Outcome.RECOVERED
) -> Alarm:
    return Alarm(
        number=1,
        key=key,
        began_at=at(begins),
        told_at=at(begins + told),
        last_bad_at=at(ends),
        ended_at=None if outcome is None else at(ends + 20),
        outcome=outcome,
        worst=2.0,
        bad=1,
        total=1,
        is_again=False,
    )


def story(*alarms: Alarm, lasts: timedelta = timedelta(days=14)) -> Story:
    return Story(objectives=ALL, since=at(0), until=at(0) + lasts, looks=1, alarms=alarms, budgets={}, sights={})


def test_a_story_in_figures() -> None:
    told = story(
        alarm(0, 600),
        alarm(5000, 5060, told=50),
        alarm(9000, 9100, outcome=Outcome.EXPIRED),
        alarm(7000, 7300, key=Key("latency", alert=Alert.PAGE)),
        alarm(8000, 8300, key=Key("errors")),
        alarm(8000, 8300, key=SIGHT),
    )
    summary = told.summary("latency")
    assert (summary.alarms, summary.breaches, summary.a_week) == (4, 3, 2.0)
    assert summary.in_breach == timedelta(seconds=760)
    assert summary.detected_in == Quartiles(timedelta(seconds=30), timedelta(seconds=50))
    assert summary.recovered_in == Quartiles(timedelta(seconds=20), timedelta(seconds=20)), (
        "what expired did not recover"
    )
    assert told.summary().alarms == 5, "that nothing could be seen is no alarm of a promise"


def test_nothing_told_has_no_spread() -> None:
    summary = story().summary()
    assert (summary.alarms, summary.detected_in, summary.recovered_in) == (0, None, None)


def test_what_is_told_is_compared_with_what_was() -> None:
    truths = [
        Truth(at(0), at(600)),
        Truth(at(4990), at(5030), "latency"),
        Truth(at(20000), at(20100)),
        Truth(at(-900), at(-800)),  # before the replay
    ]
    told = [alarm(10, 600), alarm(300, 620), alarm(5000, 5060), alarm(9000, 9100)]
    compared = score(told, truths, at(0), at(90000))
    assert (compared.told, compared.right, compared.precision) == (4, 3, 0.75)
    assert (compared.true, compared.found) == (3, 2)
    assert compared.recall == pytest.approx(2 / 3)
    assert compared.found_in == Quartiles(timedelta(seconds=40), timedelta(seconds=40))


def test_a_truth_of_another_objective_is_not_found() -> None:
    assert score([alarm(0, 60)], [Truth(at(0), at(60), "errors")], at(0), at(90)).found == 0


def test_nothing_told_and_nothing_true_have_no_share() -> None:
    compared = score([], [], at(0), at(60))
    assert (compared.precision, compared.recall, compared.found_in) == (None, None, None)


def test_an_incident_ends_after_it_began() -> None:
    with pytest.raises(ValueError, match="an incident must end after it began"):
        Truth(at(60), at(60))


def test_the_last_of_each_day_is_kept() -> None:
    lefts = [Left(at(0) + minutes(360 * number), 1 - number / 10) for number in range(5)]
    assert [each.share for each in days(lefts)] == [1.0, 0.6]
