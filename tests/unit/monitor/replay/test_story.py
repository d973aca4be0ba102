"""The figures of a story, and how it compares with known incidents."""

from datetime import UTC, timedelta

import pytest

from tests.support.scene import ALL, KEY, at, minutes
from wine_slo.monitor.replay.report.content import ReplayReport, Run
from wine_slo.monitor.replay.report.terminal import print_tables
from wine_slo.monitor.replay.story import Alarm, BudgetLeft, KnownIncident, Quartiles, Score, Story, days, score
from wine_slo.slo.evaluation.engine import DOWN, SIGHT
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.objectives.objective import Alert, Key


def alarm(
    begins: float, ends: float, *, key: Key = KEY, after: float = 30, outcome: Outcome | None = Outcome.RECOVERED
) -> Alarm:
    return Alarm(
        number=1,
        key=key,
        began_at=at(begins),
        notified_at=at(begins + after),
        last_bad_at=at(ends),
        ended_at=None if outcome is None else at(ends + 20),
        outcome=outcome,
        worst=2.0,
        bounds=(),
        reason="",
        bad=1,
        total=1,
        is_again=False,
    )


def story(*alarms: Alarm, duration: timedelta = timedelta(days=14)) -> Story:
    return Story(
        objectives=ALL, since=at(0), until=at(0) + duration, evaluations=1, alarms=alarms, budgets={}, sights={}
    )


def test_a_story_in_figures() -> None:
    delivered = story(
        alarm(0, 600),
        alarm(5000, 5060, after=50),
        alarm(9000, 9100, outcome=Outcome.EXPIRED),
        alarm(7000, 7300, key=Key("latency", alert=Alert.PAGE)),
        alarm(8000, 8300, key=Key("errors")),
        alarm(8000, 8300, key=SIGHT),
    )
    summary = delivered.summary("latency")
    assert (summary.alarms, summary.breaches, summary.a_week) == (4, 3, 2.0)
    assert summary.in_breach == timedelta(seconds=760)
    assert summary.detected_in == Quartiles(timedelta(seconds=30), timedelta(seconds=50))
    assert summary.recovered_in == Quartiles(timedelta(seconds=20), timedelta(seconds=20)), (
        "what expired did not recover"
    )
    assert delivered.summary().alarms == 5, "missing data is no alarm of an objective"


def test_no_alarm_has_no_spread() -> None:
    summary = story().summary()
    assert (summary.alarms, summary.detected_in, summary.recovered_in) == (0, None, None)


def compared(*alarms: Alarm, known: list[KnownIncident], duration: float = 90_000) -> Score:
    return score(story(*alarms, duration=timedelta(seconds=duration)), known)


def test_alarms_are_compared_with_the_known_incidents() -> None:
    known = [
        KnownIncident(at(0), at(600)),
        KnownIncident(at(4990), at(5030), "latency"),
        KnownIncident(at(20000), at(20100)),
        KnownIncident(at(-900), at(-800)),  # before the replay
    ]
    found = compared(alarm(10, 600), alarm(300, 620), alarm(5000, 5060), alarm(9000, 9100), known=known)
    assert (found.alarms, found.true_alarms, found.precision) == (4, 3, 0.75)
    assert (found.known, found.detected) == (3, 2)
    assert found.recall == pytest.approx(2 / 3)
    assert found.detected_in == Quartiles(timedelta(seconds=40), timedelta(seconds=40))


@pytest.mark.parametrize(
    ("job", "objective", "detected"),
    [
        pytest.param("wine-slo", "", 1, id="an incident of any objective"),
        pytest.param("wine-slo", "latency", 1, id="an incident of an objective of the job"),
        pytest.param("other", "latency", 0, id="an incident of an objective of another job"),
    ],
)
def test_an_alarm_that_a_job_is_down_detects_its_incidents(job: str, objective: str, detected: int) -> None:
    down = alarm(30, 600, key=Key(DOWN, (("job", job),)))
    found = compared(down, known=[KnownIncident(at(0), at(600), objective)])
    assert (found.alarms, found.true_alarms, found.detected) == (1, detected, detected)


def test_missing_data_is_neither_a_true_alarm_nor_a_false_one() -> None:
    assert compared(alarm(30, 600, key=SIGHT), known=[KnownIncident(at(0), at(600))]).alarms == 0


def test_a_known_incident_of_another_objective_is_not_detected() -> None:
    assert compared(alarm(0, 60), known=[KnownIncident(at(0), at(60), "errors")], duration=90).detected == 0


def test_without_alarms_and_known_incidents_there_are_no_shares() -> None:
    found = compared(known=[], duration=60)
    assert (found.precision, found.recall, found.detected_in) == (None, None, None)


def test_an_incident_ends_after_it_began() -> None:
    with pytest.raises(ValueError, match="an incident must end after it began"):
        KnownIncident(at(60), at(60))


def test_the_last_of_each_day_is_kept() -> None:
    lefts = [BudgetLeft(at(0) + minutes(360 * number), 1 - number / 10) for number in range(5)]
    assert [each.share for each in days(lefts)] == [1.0, 0.6]


def test_in_eighty_columns_no_name_is_folded() -> None:
    told = story(
        alarm(0, 600),
        alarm(5000, 5060, key=Key("latency", (("endpoint", "/api/v1/orders"),))),
        alarm(8000, 8300, key=Key(DOWN, (("job", "checkout"),))),
    )
    report = ReplayReport(runs=[Run.of(told)], sweep=None, poll=minutes(0.5), notes=(), zone=UTC)
    text = print_tables(report, width=80)
    assert max(map(len, text.splitlines())) <= 80
    for word in ('{endpoint="/api/v1/orders"}', '{job="checkout"}', "availability ", "recovered", "2026-01-01 19:40"):
        assert word in text
