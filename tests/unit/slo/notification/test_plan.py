"""What is sent: the difference between the truth and what a chat has received, row by row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import CHAT, LATENCY, Reader, Scene, at, incident, minutes
from wine_slo.slo.attribution.attribution import Share, attribute
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Button
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.plan import EDITED_EVERY, Notification, Wording, next_notification
from wine_slo.slo.notification.policy import DelayReason, Policy
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.objective import Alert, Key


class Words:
    """Texts that say which message it is, and of which incident."""

    def breach(self, incident: Incident, record: DeliveryRecord, /) -> str:
        return f"breach {incident.value}{' perhaps' * record.perhaps_sent}"

    def escalated(self, text: str, _duration: timedelta, /) -> str:
        return text

    def reminder(self, incident: Incident, /) -> str:
        return f"reminder {incident.number}"

    def escalation(self, incident: Incident, /) -> str:
        return f"nobody has {incident.number}"

    def recovery(self, incident: Incident, _record: DeliveryRecord, /) -> str:
        return f"recovery {incident.number}"

    def closed(self, incident: Incident, /) -> str:
        return f"closed {incident.number}"

    def missed(self, incident: Incident, _reason: DelayReason, /) -> str:
        return f"missed {incident.number}"

    def storm(self, kind: Kind, incidents: Sequence[Incident], /) -> str:
        return f"{kind} of {len(incidents)}"


class Reworded(Words):
    """The same incident, worded in another way."""

    def breach(self, _incident: Incident, _record: DeliveryRecord, /) -> str:
        return "breach again"


WORDS = Words()
OPEN = incident()
CLOSED = incident(closed_at=at(600), outcome=Outcome.RECOVERED)
NOTHING = DeliveryRecord(incident=12, chat=CHAT)
OPENED = DeliveryRecord(
    incident=12,
    chat=CHAT,
    stage=Stage.OPENED,
    opening=1,
    message=5,
    text="breach 2.44",
    breach_told_at=at(95),
    written_at=at(95),
    loud_at=at(95),
)
WORSE = replace(OPEN, value=3.0)
REOPENED = replace(OPEN, openings=2, again_at=at(700), opened_at=at(725))
ENDED = replace(OPENED, stage=Stage.CLOSED, text="closed 12")
LATER = at(95) + EDITED_EVERY
MUCH_LATER = at(95) + LATENCY.remind_after


def next_of(
    truth: Incident,
    record: DeliveryRecord,
    now: datetime = LATER,
    *,
    muted: bool = False,
    words: Wording = WORDS,
    **policies: Any,
) -> Notification | None:
    policy = Policy(remind_after=LATENCY.remind_after, is_muted=muted, **policies)
    return next_notification(truth, record, words, now, policy)


@pytest.mark.parametrize(
    ("truth", "record", "said"),
    [
        pytest.param(OPEN, NOTHING, (Kind.BREACH, "breach 2.44", None, None, True), id="open, and nothing is known"),
        pytest.param(OPEN, OPENED, None, id="open, and the text says so"),
        pytest.param(WORSE, OPENED, (Kind.EDIT, "breach 3.0", 5, None, False), id="open, and the text differs"),
        pytest.param(
            CLOSED, OPENED, (Kind.RECOVERY, "recovery 12", None, 5, False), id="closed, and delivered as open"
        ),
        pytest.param(
            CLOSED,
            replace(OPENED, stage=Stage.CLOSED),
            (Kind.CLOSE, "closed 12", 5, None, False),
            id="closed, and the first message does not say so",
        ),
        pytest.param(CLOSED, ENDED, None, id="closed, and everything says so"),
        pytest.param(CLOSED, NOTHING, (Kind.MISSED, "missed 12", None, None, False), id="closed, and nothing is known"),
        pytest.param(
            REOPENED, ENDED, (Kind.BREACH, "breach 2.44", None, 5, True), id="open again, and delivered as over"
        ),
        pytest.param(
            REOPENED,
            OPENED,
            (Kind.EDIT, "breach again", 5, None, False),
            id="open again, and its end was never notified",
        ),
        pytest.param(
            replace(REOPENED, closed_at=at(900), outcome=Outcome.RECOVERED),
            ENDED,
            (Kind.MISSED, "missed 12", None, 5, False),
            id="over again, and of the second time nothing is known",
        ),
    ],
)
def test_the_difference_is_said(
    truth: Incident, record: DeliveryRecord, said: tuple[Kind, str, int | None, int | None, bool] | None
) -> None:
    words = Reworded() if said and said[1] == "breach again" else WORDS
    notification = next_of(truth, record, words=words)
    assert said == (
        notification
        and (notification.kind, notification.text, notification.edits, notification.reply_to, notification.loud)
    )


@pytest.mark.parametrize("truth", [OPEN, WORSE, CLOSED, REOPENED], ids=["open", "worse", "closed", "open again"])
@pytest.mark.parametrize("record", [NOTHING, OPENED, ENDED], ids=["nothing", "opened", "closed"])
def test_what_was_delivered_is_not_sent_again(truth: Incident, record: DeliveryRecord) -> None:
    count = 0
    while notification := next_of(truth, record):
        record = notification.after if notification.edits is not None else notification.delivered(count + 50)[0]
        count += 1
        assert count <= 2
    assert next_of(truth, record) is None
    assert record.stage is (Stage.OPENED if truth.is_open else Stage.CLOSED)


def test_the_breach_is_notified_before_its_end() -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.receives()
    scene.has(0.0, 20)
    reader.receives()
    kinds = [each.kind for each in reader.notifications]
    assert kinds == [Kind.BREACH, Kind.RECOVERY, Kind.CLOSE]
    assert reader.notifications[1].reply_to == reader.record[1].message == 100


def test_the_id_of_a_new_message_is_kept_where_it_becomes_the_one_that_lives() -> None:
    breach, recovery, missed = next_of(OPEN, NOTHING), next_of(CLOSED, OPENED), next_of(CLOSED, NOTHING)
    assert breach is not None
    assert recovery is not None
    assert missed is not None
    assert breach.delivered(77)[0].message == 77
    assert missed.delivered(77)[0].message == 77
    assert recovery.delivered(77)[0].message == 5


# Edits


def test_a_message_is_edited_once_a_minute_at_most() -> None:
    assert next_of(WORSE, OPENED, LATER - timedelta(seconds=1)) is None
    assert next_of(WORSE, OPENED, LATER) is not None


def test_edits_are_counted_from_the_last_one() -> None:
    edit = next_of(WORSE, OPENED, LATER)
    assert edit is not None
    worst = replace(WORSE, value=4.0)
    assert next_of(worst, edit.after, LATER + EDITED_EVERY - timedelta(seconds=1)) is None
    again = next_of(worst, edit.after, LATER + EDITED_EVERY)
    assert again is not None
    assert again.text == "breach 4.0"


def test_that_it_is_held_is_said_at_once() -> None:
    held = replace(WORSE, held=Sight.TARGET_DOWN)
    edit = next_of(held, OPENED, at(96))
    assert edit is not None
    assert edit.kind is Kind.EDIT
    assert edit.after.held is Sight.TARGET_DOWN
    assert next_of(replace(WORSE, value=9.0), edit.after, at(97)) is not None, "and so is that it is not any more"


def test_who_is_to_blame_is_said_as_soon_as_it_is_known_and_later_as_all_else() -> None:
    found = attribute({"endpoint": [Share("/sleep", 45, 46), Share("/predict", 0, 212)]}, 0.05, minutes(1))
    explained = replace(WORSE, attribution=found)
    edit = next_of(explained, OPENED, at(96))
    assert edit is not None
    assert edit.kind is Kind.EDIT
    assert next_of(replace(explained, value=9.0), edit.after, at(97)) is None
    assert next_of(WORSE, edit.after, at(97)) is None


def test_a_message_of_which_no_id_is_known_cannot_be_edited() -> None:
    assert next_of(WORSE, replace(OPENED, message=None)) is None
    assert next_of(CLOSED, replace(ENDED, message=None, text="")) is None


# Reminders


def test_a_reminder_comes_after_the_time_that_the_objective_says_and_is_loud() -> None:
    assert next_of(OPEN, OPENED, MUCH_LATER - timedelta(seconds=1)) is None
    reminder = next_of(OPEN, OPENED, MUCH_LATER)
    assert reminder is not None
    assert (reminder.kind, reminder.loud, reminder.reply_to) == (Kind.REMINDER, True, 5)
    assert reminder.delivered(99)[0].message == 5, "the first message stays the one that lives"


def test_an_outage_of_the_last_target_that_answered_is_loud_once_also_where_somebody_has_acknowledged() -> None:
    partly = incident(key=Key("availability"), targets=3, down=("a",))
    outage = replace(partly, down=("a", "b", "c"), is_outage=True)
    policy = Policy(remind_after=LATENCY.remind_after, is_acknowledged=True)
    opened = next_notification(partly, NOTHING, WORDS, at(95), policy)
    assert opened is not None
    (record,) = opened.delivered(5)
    assert next_notification(partly, record, WORDS, at(100), policy) is None
    rings = next_notification(outage, record, WORDS, at(100), policy)
    assert rings is not None
    assert (rings.kind, rings.loud, rings.reply_to) == (Kind.REMINDER, True, 5)
    (record,) = rings.delivered(6)
    assert record.message == 5
    for truth in (outage, partly, outage):
        assert next_notification(truth, record, WORDS, at(105), policy) is None


def test_an_outage_of_all_targets_from_the_start_is_loud_only_as_a_breach() -> None:
    early = incident(key=Key("availability"), targets=3, down=("a", "b", "c"))  # one answered a scrape before
    policy = Policy(remind_after=LATENCY.remind_after)
    opened = next_notification(early, NOTHING, WORDS, at(95), policy)
    assert opened is not None
    (record,) = opened.delivered(5)
    assert next_notification(replace(early, is_outage=True), record, WORDS, at(100), policy) is None


def test_reminders_are_as_far_apart() -> None:
    reminder = next_of(OPEN, OPENED, MUCH_LATER)
    assert reminder is not None
    record = reminder.delivered(99)[0]
    assert next_of(OPEN, record, MUCH_LATER + LATENCY.remind_after - timedelta(seconds=1)) is None
    assert next_of(OPEN, record, MUCH_LATER + LATENCY.remind_after) is not None


def test_a_quiet_edit_does_not_put_a_reminder_off() -> None:
    edit = next_of(WORSE, OPENED, MUCH_LATER - minutes(1))
    assert edit is not None
    assert edit.kind is Kind.EDIT
    reminder = next_of(WORSE, edit.after, MUCH_LATER)
    assert reminder is not None
    assert reminder.kind is Kind.REMINDER


def test_a_ticket_is_quiet_and_nobody_is_reminded_of_it() -> None:
    ticket = replace(OPEN, key=Key("latency", alert=Alert.TICKET))
    said = next_of(ticket, NOTHING)
    assert said is not None
    assert (said.kind, said.loud) == (Kind.BREACH, False)
    assert next_of(ticket, OPENED, MUCH_LATER) is None


def test_a_page_of_the_budget_is_loud() -> None:
    said = next_of(replace(OPEN, key=Key("latency", alert=Alert.PAGE)), NOTHING)
    assert said is not None
    assert said.loud


# Muted while there are no data


@pytest.mark.parametrize("now", [LATER, MUCH_LATER], ids=["an edit", "a reminder"])
def test_nothing_is_said_of_what_cannot_be_seen(now: datetime) -> None:
    assert next_of(WORSE, OPENED, now, muted=True) is None


def test_a_breach_that_was_not_notified_yet_is_notified_though_there_are_no_data_now() -> None:
    said = next_of(OPEN, NOTHING, muted=True)
    assert said is not None
    assert said.kind is Kind.BREACH


def test_the_end_is_notified_whatever_is_muted() -> None:
    said = next_of(CLOSED, OPENED, muted=True)
    assert said is not None
    assert said.kind is Kind.RECOVERY


# Silences


MUTED: dict[str, Any] = {"is_silenced": True}
BUTTONS = ((Button("Undo", "undo", ("1",)),),)


@pytest.mark.parametrize(
    ("truth", "record", "said"),
    [
        pytest.param(OPEN, NOTHING, None, id="no breach"),
        pytest.param(REOPENED, ENDED, None, id="nor that it is open again"),
        pytest.param(WORSE, OPENED, None, id="no edit"),
        pytest.param(CLOSED, OPENED, Kind.RECOVERY, id="but its end"),
        pytest.param(CLOSED, replace(OPENED, stage=Stage.CLOSED), Kind.CLOSE, id="and in the first message too"),
        pytest.param(CLOSED, NOTHING, Kind.MISSED, id="one quiet line where the breach was never notified"),
    ],
)
def test_under_a_silence_is_said(truth: Incident, record: DeliveryRecord, said: Kind | None) -> None:
    notification = next_of(truth, record, **MUTED)
    assert (notification and notification.kind) == said
    assert notification is None or not notification.loud


def test_under_a_silence_nobody_is_reminded() -> None:
    assert next_of(OPEN, OPENED, MUCH_LATER, **MUTED) is None


def test_what_people_did_is_shown_at_once_whatever_is_muted() -> None:
    ways: tuple[dict[str, Any], ...] = ({"is_silenced": True}, {"muted": True}, {"is_quiet": True})
    for muted in ways:
        edit = next_of(OPEN, OPENED, at(96), buttons=BUTTONS, **muted)
        assert edit is not None
        assert (edit.kind, edit.buttons, edit.after.buttons) == (Kind.EDIT, BUTTONS, BUTTONS)
        assert next_of(OPEN, edit.after, at(97), buttons=BUTTONS, **muted) is None


def test_once_a_silence_is_over_what_it_kept_back_is_notified() -> None:
    said = next_of(OPEN, NOTHING, silenced_until=at(500))
    assert said is not None
    assert (said.kind, said.loud) == (Kind.BREACH, True)


def test_a_silence_that_runs_out_while_it_is_open_is_a_reminder_once() -> None:
    ran_out: dict[str, Any] = {"silenced_until": at(500)}
    assert next_of(OPEN, OPENED, at(501)) is None
    reminder = next_of(OPEN, OPENED, at(501), **ran_out)
    assert reminder is not None
    assert (reminder.kind, reminder.loud) == (Kind.REMINDER, True)
    assert next_of(OPEN, reminder.delivered(9)[0], at(502), **ran_out) is None
    assert next_of(OPEN, OPENED, at(501), is_silenced=True, **ran_out) is None, "another one runs"


def test_one_that_ran_out_before_the_breach_was_notified_reminds_nobody() -> None:
    assert next_of(OPEN, OPENED, at(501), silenced_until=at(90)) is None


# Quiet hours


@pytest.mark.parametrize(
    ("truth", "record", "said"),
    [
        pytest.param(OPEN, NOTHING, None, id="no breach"),
        pytest.param(REOPENED, ENDED, None, id="nor that it is open again"),
        pytest.param(CLOSED, NOTHING, None, id="nor what is late anyway"),
        pytest.param(WORSE, OPENED, Kind.EDIT, id="but edits, which make no sound"),
        pytest.param(CLOSED, OPENED, Kind.RECOVERY, id="and the end of what is known"),
    ],
)
def test_in_quiet_hours_is_said(truth: Incident, record: DeliveryRecord, said: Kind | None) -> None:
    notification = next_of(truth, record, is_quiet=True)
    assert (notification and notification.kind) == said
    assert notification is None or not notification.loud


def test_in_quiet_hours_nobody_is_reminded_but_after_them() -> None:
    assert next_of(OPEN, OPENED, MUCH_LATER, is_quiet=True) is None
    assert next_of(OPEN, OPENED, at(501), is_quiet=True, silenced_until=at(500)) is None
    for after in (next_of(OPEN, OPENED, MUCH_LATER), next_of(OPEN, OPENED, at(502), silenced_until=at(500))):
        assert after is not None
        assert after.kind is Kind.REMINDER


# Nobody has it


ESCALATES: dict[str, Any] = {"escalate_after": minutes(15)}
UNACKNOWLEDGED = at(95) + minutes(15)


def test_what_nobody_acknowledges_is_escalated_loud_and_once() -> None:
    assert next_of(OPEN, OPENED, UNACKNOWLEDGED - timedelta(seconds=1), **ESCALATES) is None
    again = next_of(OPEN, OPENED, UNACKNOWLEDGED, **ESCALATES)
    assert again is not None
    assert (again.kind, again.text, again.loud, again.reply_to) == (Kind.ESCALATION, "nobody has 12", True, 5)
    record = again.delivered(9)[0]
    assert record.message == 5
    assert next_of(OPEN, record, UNACKNOWLEDGED + minutes(30), **ESCALATES) is None


def test_what_came_back_is_escalated_anew() -> None:
    record = replace(OPENED, opening=2, escalated=1)
    again = next_of(REOPENED, record, UNACKNOWLEDGED, **ESCALATES)
    assert again is not None
    assert again.after.escalated == 2


@pytest.mark.parametrize(
    ("truth", "policy"),
    [
        pytest.param(OPEN, {"is_acknowledged": True}, id="somebody has it"),
        pytest.param(OPEN, {"is_silenced": True}, id="it is silenced"),
        pytest.param(OPEN, {"is_quiet": True}, id="it is night"),
        pytest.param(OPEN, {"muted": True}, id="nothing can be seen"),
        pytest.param(OPEN, {"escalate_after": None}, id="it is not wanted"),
        pytest.param(replace(OPEN, held=Sight.NO_TRAFFIC), {}, id="no requests any more"),
        pytest.param(replace(OPEN, key=Key("latency", alert=Alert.TICKET)), {}, id="it is a ticket"),
    ],
)
def test_nobody_is_woken(truth: Incident, policy: dict[str, Any]) -> None:
    said = next_of(truth, replace(OPENED, held=truth.held), UNACKNOWLEDGED, **(ESCALATES | policy))
    assert said is None


def test_a_service_that_is_down_wakes_people_though_nothing_can_be_judged() -> None:
    down = replace(OPEN, held=Sight.TARGET_DOWN)
    said = next_of(down, replace(OPENED, held=Sight.TARGET_DOWN), UNACKNOWLEDGED, **ESCALATES)
    assert said is not None
    assert said.kind is Kind.ESCALATION


SECOND: dict[str, Any] = {"is_second": True, "known_since": at(95), **ESCALATES}


@pytest.mark.parametrize(
    ("truth", "record", "now", "said"),
    [
        pytest.param(
            OPEN, NOTHING, UNACKNOWLEDGED - timedelta(seconds=1), None, id="not before nobody has it for long"
        ),
        pytest.param(OPEN, NOTHING, UNACKNOWLEDGED, Kind.BREACH, id="then the breach"),
        pytest.param(WORSE, OPENED, UNACKNOWLEDGED + minutes(1), Kind.ESCALATION, id="and then as others are"),
        pytest.param(CLOSED, OPENED, UNACKNOWLEDGED, Kind.RECOVERY, id="its end too"),
        pytest.param(CLOSED, NOTHING, UNACKNOWLEDGED, None, id="but no end of what it never received"),
        pytest.param(REOPENED, ENDED, at(96), None, id="nor that it is open again, at once"),
        pytest.param(REOPENED, ENDED, UNACKNOWLEDGED, Kind.BREACH, id="but where nobody has it again"),
    ],
)
def test_a_second_chat_is_notified(truth: Incident, record: DeliveryRecord, now: datetime, said: Kind | None) -> None:
    notification = next_of(truth, record, now, **SECOND)
    assert (notification and notification.kind) == said


def test_a_second_chat_is_not_notified_while_no_first_one_knows_or_somebody_has_acknowledged() -> None:
    assert next_of(OPEN, NOTHING, UNACKNOWLEDGED, **(SECOND | {"known_since": None})) is None
    assert next_of(OPEN, NOTHING, UNACKNOWLEDGED, **(SECOND | {"is_acknowledged": True})) is None


# Whatever holds


POLICIES = st.fixed_dictionaries(
    {
        "muted": st.booleans(),
        "is_silenced": st.booleans(),
        "is_quiet": st.booleans(),
        "is_acknowledged": st.booleans(),
        "is_second": st.booleans(),
        "silenced_until": st.sampled_from([None, at(90), at(400)]),
        "known_since": st.sampled_from([None, at(95)]),
        "escalate_after": st.sampled_from([None, minutes(15)]),
        "buttons": st.sampled_from([(), BUTTONS]),
    }
)
COURSE = (OPEN, WORSE, replace(WORSE, held=Sight.NO_TRAFFIC), CLOSED, REOPENED, replace(CLOSED, openings=2))


@given(st.lists(POLICIES, min_size=len(COURSE), max_size=len(COURSE)), st.integers(1, 1800))
def test_whatever_is_muted_breach_comes_before_end_and_nothing_muted_makes_a_sound(
    policies: list[dict[str, Any]], apart: int
) -> None:
    record, now, kinds = NOTHING, at(95), []
    for truth, policy in zip(COURSE, policies, strict=True):
        now += timedelta(seconds=apart)
        for count in range(10):
            notification = next_of(truth, record, now, **policy)
            if notification is None:
                break
            assert count < 5, "it never stops saying things"
            assert not (notification.loud and (policy["is_silenced"] or policy["is_quiet"]))
            record = notification.after if notification.edits is not None else notification.delivered(50)[0]
            kinds.append(notification.kind)
    opened = False
    for kind in kinds:
        if kind is Kind.BREACH:
            opened = True
        elif kind is Kind.RECOVERY:
            assert opened, kinds
            opened = False
        elif kind in (Kind.EDIT, Kind.REMINDER, Kind.ESCALATION):
            assert opened, kinds


@given(POLICIES)
def test_once_nothing_is_muted_everybody_knows_the_truth(policy: dict[str, Any]) -> None:
    record, now = NOTHING, at(95)
    for truth in COURSE:
        now += minutes(2)
        while notification := next_of(truth, record, now, **policy):
            record = notification.after if notification.edits is not None else notification.delivered(50)[0]
    while notification := next_of(COURSE[-1], record, now):
        record = notification.after if notification.edits is not None else notification.delivered(50)[0]
    assert record.stage is Stage.CLOSED
    assert record.opening == 2


# What may have arrived


def test_a_breach_that_may_have_arrived_says_so_when_it_is_sent_again() -> None:
    again = next_of(OPEN, replace(NOTHING, perhaps_sent=True))
    assert again is not None
    assert again.text == "breach 2.44 perhaps"
    assert not again.after.perhaps_sent


def test_the_mark_goes_with_the_next_edit() -> None:
    again = next_of(OPEN, replace(NOTHING, perhaps_sent=True), at(95))
    assert again is not None
    edit = next_of(OPEN, again.delivered(7)[0], LATER)
    assert edit is not None
    assert (edit.kind, edit.text) == (Kind.EDIT, "breach 2.44")


def test_delivery_records_are_kept_by_chat() -> None:
    for chat in (Address("telegram:1"), Address("webhook:operations")):
        said = next_of(OPEN, replace(NOTHING, chat=chat))
        assert said is not None
        assert said.after.chat == chat
        assert said.after.breach_told_at == said.after.loud_at == LATER
