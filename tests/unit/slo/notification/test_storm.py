"""What begins, joins or stays beside a storm, decided with values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.scene import CHAT, LATENCY, at, incident
from wine_slo.slo.evaluation.engine import DOWN, SIGHT
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.notification.plan import STORM
from wine_slo.slo.notification.policy import Policy
from wine_slo.slo.notification.record import DeliveryRecord, Stage
from wine_slo.slo.notification.storm import FEW, MOST_NEW, ONSET, Member, Onset, Storm, family_of, onsets
from wine_slo.slo.notification.storm_messages import has_own_message, is_settling
from wine_slo.slo.objectives.objective import Alert, Key

NOW = at(1000)


def member(
    number: int, objective: str = "latency", *, notified_at: datetime | None = None, **changes: object
) -> Member:
    truth = incident(number=number, key=Key(objective, (("endpoint", f"/{number}"),)), **changes)
    record = DeliveryRecord(incident=number, chat=CHAT)
    if notified_at is not None:
        record = replace(record, stage=Stage.OPENED, opening=1, message=5, breach_told_at=notified_at, is_folded=True)
    return Member(incident=truth, record=record, policy=Policy(remind_after=LATENCY.remind_after))


def due(count: int, objective: str = "latency", first: int = 1) -> list[Member]:
    return [member(number, objective) for number in range(first, first + count)]


def planned(those: Sequence[Member], *storms: Storm, recent: int = 0, suspicious: int = 0) -> tuple[int, int, int]:
    """How many are sent one by one, in one message, and by an edit."""
    found: list[Onset] = onsets(
        those, storms, NOW, recent=recent, suspicious={"latency": suspicious}, job_of=lambda key: key.objective
    )
    return (
        sum(len(each.single) for each in found),
        sum(len(each.together) for each in found),
        sum(len(each.joining) for each in found),
    )


def storm(count: int, began_at: datetime, later: int = 0) -> Storm:
    first = [member(number, notified_at=began_at) for number in range(1, count + 1)]
    then = began_at + ONSET + timedelta(minutes=1)
    others = [member(number, notified_at=then) for number in range(count + 1, count + later + 1)]
    return Storm(message=5, members=(*first, *others))


@pytest.mark.parametrize(
    ("those", "recent", "suspicious", "expected"),
    [
        pytest.param(due(STORM), 0, 0, (STORM, 0, 0), id="a few are sent one by one"),
        pytest.param(due(STORM + 1), 0, 0, (0, STORM + 1, 0), id="more are one message"),
        pytest.param(due(1), STORM, 0, (0, 1, 0), id="what follows many messages begins one that others can come into"),
        pytest.param(due(2), 0, 50, (2, 0, 0), id="two are sent while many are suspicious"),
        pytest.param(due(3), 0, 50, (0, 3, 0), id="three are not"),
        pytest.param(due(1), 2, 50, (0, 1, 0), id="nor is the third"),
        pytest.param([*due(40), *due(1, "errors", 90)], 0, 0, (1, 40, 0), id="another objective speaks for itself"),
        pytest.param(
            [*due(40), *(each for n in range(FEW + 1) for each in due(1, f"errors-{n}", 90 + n))],
            0,
            0,
            (0, 40 + FEW + 1, 0),
            id="many other objectives do not",
        ),
    ],
)
def test_how_breaches_begin(those: list[Member], recent: int, suspicious: int, expected: tuple[int, int, int]) -> None:
    assert planned(those, recent=recent, suspicious=suspicious) == expected


@pytest.mark.parametrize(
    ("running", "those", "recent", "expected"),
    [
        pytest.param(storm(40, NOW), due(500, first=100), 1, (0, 0, 500), id="a wave within minutes joins"),
        pytest.param(storm(40, NOW), due(1, "errors", 100), 1, (1, 0, 0), id="another objective does not"),
        pytest.param(
            storm(40, NOW), due(1, "errors", 100), MOST_NEW, (1, 0, 0), id="however much the chat has had of the storm"
        ),
        pytest.param(
            storm(40, NOW),
            [each for n in range(STORM) for each in due(1, f"errors-{n}", 100 + n)],
            MOST_NEW,
            (0, 0, STORM),
            id="unless nearly everything is bad, and the chat has had its share",
        ),
        pytest.param(storm(40, at(0)), due(10, first=100), 0, (0, 0, 10), id="a few later ones join"),
        pytest.param(storm(40, at(0)), due(41, first=100), 0, (0, 41, 0), id="as many again later make a sound"),
        pytest.param(
            storm(40, at(0), later=35), due(6, first=100), 0, (0, 6, 0), id="so do those that add up to as many"
        ),
        pytest.param(storm(STORM, at(0)), due(1, first=100), 0, (1, 0, 0), id="what is left of a storm is none"),
    ],
)
def test_what_joins_a_storm(running: Storm, those: list[Member], recent: int, expected: tuple[int, int, int]) -> None:
    assert planned(those, running, recent=recent) == expected


def test_what_comes_back_after_its_end_was_reported_does_not_join() -> None:
    over = storm(40, NOW)
    reported = tuple(replace(each, record=replace(each.record, stage=Stage.CLOSED)) for each in over.members)
    assert planned(due(40), Storm(message=5, members=reported)) == (0, 40, 0)


def test_a_job_that_is_down_slow_burns_and_lost_monitoring_are_families_of_their_own() -> None:
    keys = [Key("latency"), Key("latency", alert=Alert.PAGE), Key("latency", alert=Alert.TICKET), Key(DOWN), SIGHT]
    assert [family_of(incident(key=key)) for key in keys] == ["breach", "breach", "ticket", DOWN, ""]


def test_the_end_of_a_part_waits_a_little_and_what_is_left_alone_speaks_for_itself() -> None:
    over = member(1, notified_at=at(0), closed_at=at(990), outcome=Outcome.RECOVERED)
    assert is_settling(over.incident, over.record, NOW)
    assert not is_settling(over.incident, over.record, NOW + timedelta(hours=1))
    assert has_own_message(over, NOW)
    reported = replace(over, record=replace(over.record, stage=Stage.CLOSED))
    assert not has_own_message(reported, NOW + timedelta(days=1)), "the others are forgotten by then"
