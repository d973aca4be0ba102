"""What holds of what people did."""

from dataclasses import replace
from datetime import datetime, timedelta
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.action_examples import ANNA, BORIS, action, actions, silence
from tests.support.scene import KEY, at, incident
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.objectives.objective import Alert, Key
from wine_slo.slo.oncall.actions import KEPT, NO_ACTIONS, UNDONE_WITHIN, Action, ActionKind, Actions, Silence

OPEN = incident()
CLOSED = incident(closed_at=at(600), outcome=Outcome.RECOVERED)
AGAIN = replace(OPEN, openings=2, again_at=at(700), opened_at=at(725))
OTHER = incident(number=13, key=Key("errors"))
PREDICT = Key("latency", (("endpoint", "/predict"),))


def at_hand(*incidents: Incident) -> dict[int, Incident]:
    return {each.number: each for each in incidents}


# Acknowledgements


def test_who_acknowledges_first_has_it() -> None:
    found = actions(action(100), action(110, by=BORIS)).acknowledgement(OPEN)
    assert found is not None
    assert found.by == ANNA


@pytest.mark.parametrize(
    ("truth", "those"),
    [
        pytest.param(OPEN, (), id="nobody did"),
        pytest.param(OTHER, (action(100),), id="it was another one"),
        pytest.param(AGAIN, (action(100),), id="it came back since then"),
        pytest.param(OPEN, (action(100), action(110, ActionKind.UNDO, of=1)), id="it was taken back"),
    ],
)
def test_nobody_has_it(truth: Incident, those: tuple[Action, ...]) -> None:
    assert actions(*those).acknowledgement(truth) is None


# Silences


@pytest.mark.parametrize(
    ("made", "second", "truth", "mutes"),
    [
        pytest.param(silence(100, 3700), 200, OPEN, True, id="of everything"),
        pytest.param(silence(100, 3700), 3700, OPEN, False, id="its time is over"),
        pytest.param(silence(100, 3700, objective="latency"), 200, OPEN, True, id="of its objective"),
        pytest.param(silence(100, 3700, objective="errors"), 200, OPEN, False, id="of another objective"),
        pytest.param(
            silence(100, 3700, objective="latency", labels=PREDICT.labels), 200, OPEN, False, id="of a label set alone"
        ),
        pytest.param(
            silence(100, 3700, objective="latency"), 200, incident(key=PREDICT), True, id="of all its label sets"
        ),
        pytest.param(
            silence(100, 3700, objective="latency"),
            200,
            incident(key=Key("latency", alert=Alert.PAGE)),
            True,
            id="of its budget too",
        ),
        pytest.param(silence(100, incidents=((12, 1),)), 10**6, OPEN, True, id="until recovery, while it lasts"),
        pytest.param(silence(100, incidents=((12, 1),)), 800, AGAIN, False, id="until recovery, and it came back"),
        pytest.param(silence(100, incidents=((12, 1),)), 800, CLOSED, False, id="until recovery, and it is over"),
    ],
)
def test_a_silence_mutes(made: Action, second: float, truth: Incident, mutes: bool) -> None:  # noqa: FBT001 - of the table
    found = actions(made).silence_of(truth, at_hand(truth), at(second))
    assert (found is not None) is mutes


def test_a_silence_until_recovery_mutes_what_else_that_objective_has_to_say() -> None:
    page = incident(number=14, key=replace(KEY, alert=Alert.PAGE))
    made = actions(silence(100, incidents=((12, 1),), objective="latency"))
    assert made.silence_of(page, at_hand(OPEN, page), at(200)) is not None
    assert made.silence_of(page, at_hand(CLOSED, page), at(700)) is None


def test_of_several_the_one_that_lasts_longest_counts() -> None:
    found = actions(silence(100, 3700), silence(110, 9000, BORIS), silence(120, 500)).silence_of(OPEN, {}, at(200))
    assert found is not None
    assert found.by == BORIS


@pytest.mark.parametrize("kind", [ActionKind.UNDO, ActionKind.END])
def test_one_that_was_ended_mutes_nothing_and_did_not_run_out(kind: ActionKind) -> None:
    ended = actions(silence(100, 3700), action(200, kind, of=1))
    assert ended.silences({}, at(300)) == ()
    assert ended.ran_out(KEY, at(5000)) is None
    assert actions(silence(100, 3700)).ran_out(KEY, at(5000)) == at(3700)


@pytest.mark.parametrize(
    ("those", "had"),
    [
        pytest.param((silence(50, 3700),), True, id="it was silenced when it opened"),
        pytest.param((silence(95, 3700),), False, id="it was silenced after that"),
        pytest.param((silence(50, 80),), False, id="the silence was over by then"),
        pytest.param(
            (silence(50, 3700), action(70, ActionKind.END, of=1)), False, id="the silence had been ended by then"
        ),
        pytest.param((silence(50, 3700), action(200, ActionKind.END, of=1)), True, id="the silence was ended later"),
        pytest.param((silence(50, 3700, objective="errors"),), False, id="the silence was about something else"),
        pytest.param((silence(50, incidents=((11, 1),)),), True, id="another one was to recover first"),
        pytest.param((silence(50, incidents=((10, 1),)),), False, id="another one had recovered"),
    ],
)
def test_why_nobody_was_notified(those: tuple[Action, ...], had: bool) -> None:  # noqa: FBT001 - of the table
    others = at_hand(incident(number=11, closed_at=at(500)), incident(number=10, closed_at=at(20)))
    assert actions(*those).had_silence(OPEN, others) is had


# Taking back


def test_ones_last_act_can_be_taken_back_within_five_minutes() -> None:
    mine = actions(action(100), silence(150, 3700), action(160, by=BORIS))
    (last,) = mine.undoable(ANNA.id, at(200))
    assert last.number == 2
    (before,) = mine.with_more([action(210, ActionKind.UNDO, of=2)]).undoable(ANNA.id, at(220))
    assert before.number == 1
    assert mine.undoable(ANNA.id, at(150) + UNDONE_WITHIN + timedelta(seconds=1)) == ()
    assert mine.undoable(99, at(200)) == ()


def test_a_silence_that_was_over_before_an_incident_began_does_not_concern_it() -> None:
    done = actions(
        silence(10, 3700),
        action(20, ActionKind.UNDO, of=1),
        silence(25, 3700, objective="latency"),
        action(30, ActionKind.END, BORIS, of=3),
        silence(35, 50),
        silence(40, 3700, objective="errors"),
        silence(45, 3700),
        action(200, ActionKind.END, of=7),
        silence(700, 3700),
    )
    assert [each.number for each in done.about(CLOSED)] == [7, 8]


def test_what_was_done_about_an_incident_is_found() -> None:
    done = actions(
        action(100),
        action(110, incident=13),
        silence(120, 3700, objective="latency"),
        silence(130, 3700, objective="errors"),
        action(140, ActionKind.END, BORIS, of=3),
        silence(700, 3700),
    )
    assert [each.number for each in done.about(CLOSED)] == [1, 3, 5]


def test_what_is_delivered_twice_is_known() -> None:
    assert actions(action(100)).of_cause(action(100).cause) is not None
    assert actions(action(100)).of_cause("press of another") is None


def test_what_is_old_is_not_kept_at_hand_but_no_number_is_given_twice() -> None:
    old = actions(action(0), action(10))
    later = old.with_more([action((KEPT + timedelta(days=1)).total_seconds())])
    assert [each.number for each in later.all] == [3]


def test_acts_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="in the order"):
        Actions((action(1, number=2), action(2, number=1)))


@given(
    st.lists(
        st.tuples(st.sampled_from(ActionKind), st.integers(0, 2000), st.integers(1, 9), st.sampled_from([ANNA, BORIS])),
        max_size=12,
    ),
    st.integers(0, 9000),
)
def test_whatever_people_did_who_has_it_did_say_so_and_nothing_that_was_ended_mutes(
    actions: list[tuple[ActionKind, int, int, Person]], second: int
) -> None:
    done = NO_ACTIONS
    for kind, when, of, by in sorted(actions, key=lambda each: each[1]):
        fresh = action(when, kind, by, of=of if kind in (ActionKind.UNDO, ActionKind.END) else None)
        if kind is ActionKind.SILENCE:
            fresh = replace(fresh, silence=Silence(until=at(when + 600 * of)))
        done = done.with_more([fresh])
    now: datetime = at(second)
    gone = {each.of for each in done.all}
    taken = done.acknowledgement(OPEN)
    assert taken is None or (taken.deed is ActionKind.ACKNOWLEDGE and taken.number not in gone)
    for running in done.silences({}, now):
        assert running.silence is not None
        assert running.silence.until is not None
        assert running.silence.until > now
        assert running.number not in gone


# Silences that are announced


def test_a_silence_is_announced_again_each_day_as_long_as_it_is_active() -> None:
    day = 86_400
    those = actions(silence(100, 3 * day), silence(200, 3600), silence(300, 7 * day))
    announced = [
        [each.number for each in those.to_announce({}, at(second - 60), at(second))]
        for second in (160, day + 99, day + 130, day + 190, day + 330, 2 * day + 130, 3 * day + 130, 3 * day + 330)
    ]
    assert announced == [[], [], [1], [], [3], [1], [], [3]]
    ended = those.with_more([action(day, ActionKind.END, of=1)])
    assert ended.to_announce({}, at(day + 70), at(day + 130)) == ()


@pytest.mark.parametrize("key", [Key("sight"), Key("ledger"), Key("gap")])
def test_a_silence_of_everything_is_about_objectives_only(key: Key) -> None:
    assert not Silence(until=at(100)).is_about(key)
    assert Silence(until=at(100), objective=key.objective).is_about(key), "but where it is named"


def test_a_silence_of_everything_mutes_no_outage_of_the_whole_service() -> None:
    outage = replace(OPEN, is_outage=True)
    assert not Silence(until=at(9000)).mutes(outage)
    assert Silence(until=at(9000)).mutes(OPEN)
    assert Silence(until=at(9000), objective="latency").mutes(outage)


def test_a_silence_that_was_over_before_an_incident_began_is_not_about_it() -> None:
    done = actions(
        silence(0, 9000),
        action(10, ActionKind.UNDO, of=1),
        silence(20, 9000),
        action(100, ActionKind.END, of=3),
        silence(30, 40),
    )
    assert [each.number for each in done.about(OPEN)] == [3, 4]


def test_acts_that_come_out_of_order_or_twice_are_put_in_order() -> None:
    one, two = (replace(action(second), number=number) for number, second in ((1, 10), (2, 20)))
    found = Actions.kept([two, one, replace(one, cause="again")], last_number=9)
    assert found.all == (one, two)
    assert found.with_more([action(30)]).all[-1].number == 10


# Drills


def test_who_began_a_drill_is_known_of_its_incident_only() -> None:
    done = actions(
        action(10, ActionKind.DRILL, objective="latency"), action(200, ActionKind.DRILL, by=BORIS, objective="latency")
    )
    drill = done.drill_of(replace(OPEN, is_drill=True))
    assert drill is not None
    assert drill.by == ANNA
    assert done.drill_of(OPEN) is None
    assert done.drill_of(replace(OTHER, is_drill=True)) is None


def test_thousands_of_acknowledgements_are_not_searched_for_a_drill_of_each_of_thousands_of_incidents() -> None:
    acknowledged = NO_ACTIONS.with_more(
        [action(10, incident=number, cause=f"press {number}") for number in range(3000)]
    )
    began = thread_time()
    assert not any(acknowledged.is_announced(OPEN) for _ in range(3000))
    assert thread_time() - began < 0.1
