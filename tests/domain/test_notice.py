"""What is said: the difference between the truth and what a chat believes, row by row."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.domain.scene import CHAT, LATENCY, Reader, Scene, at, incident, minutes
from wine_slo.domain.incident import Incident, Outcome
from wine_slo.domain.notice import EDITED_EVERY, Kind, Manner, Notice, Stage, Told, Words, next_notice
from wine_slo.domain.objective import Alert, Key
from wine_slo.domain.reading import Sight

WORDS = Words(
    breach=lambda incident, told: f"breach {incident.value}{' perhaps' * told.perhaps_sent}",
    reminder=lambda incident: f"reminder {incident.number}",
    recovery=lambda incident, _told: f"recovery {incident.number}",
    closed=lambda incident: f"closed {incident.number}",
    escalation=lambda incident: f"nobody has {incident.number}",
    missed=lambda incident, _withheld: f"missed {incident.number}",
    storm=lambda kind, incidents: f"{kind} of {len(incidents)}",
)
OPEN = incident()
CLOSED = incident(closed_at=at(600), outcome=Outcome.RECOVERED)
NOTHING = Told(incident=12, chat=CHAT)
OPENED = Told(
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
    believed: Told,
    now: datetime = LATER,
    *,
    hushed: bool = False,
    words: Words = WORDS,
    **manners: object,
) -> Notice | None:
    manner = Manner(remind_after=LATENCY.remind_after, hushed=hushed, **manners)  # type: ignore[arg-type]
    return next_notice(truth, believed, words, now, manner)


@pytest.mark.parametrize(
    ("truth", "believed", "said"),
    [
        pytest.param(OPEN, NOTHING, (Kind.BREACH, "breach 2.44", None, None, True), id="open, and nothing is known"),
        pytest.param(OPEN, OPENED, None, id="open, and the text says so"),
        pytest.param(WORSE, OPENED, (Kind.EDIT, "breach 3.0", 5, None, False), id="open, and the text differs"),
        pytest.param(CLOSED, OPENED, (Kind.RECOVERY, "recovery 12", None, 5, False), id="closed, and believed open"),
        pytest.param(
            CLOSED,
            replace(OPENED, stage=Stage.CLOSED),
            (Kind.CLOSE, "closed 12", 5, None, False),
            id="closed, and the first message does not say so",
        ),
        pytest.param(CLOSED, ENDED, None, id="closed, and everything says so"),
        pytest.param(CLOSED, NOTHING, (Kind.MISSED, "missed 12", None, None, False), id="closed, and nothing is known"),
        pytest.param(
            REOPENED, ENDED, (Kind.BREACH, "breach 2.44", None, 5, True), id="open again, and believed to be over"
        ),
        pytest.param(
            REOPENED, OPENED, (Kind.EDIT, "breach again", 5, None, False), id="open again, and its end was never told"
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
    truth: Incident, believed: Told, said: tuple[Kind, str, int | None, int | None, bool] | None
) -> None:
    words = replace(WORDS, breach=lambda _, __: "breach again") if said and said[1] == "breach again" else WORDS
    notice = next_of(truth, believed, words=words)
    assert said == (notice and (notice.kind, notice.text, notice.edits, notice.reply_to, notice.loud))


@pytest.mark.parametrize("truth", [OPEN, WORSE, CLOSED, REOPENED], ids=["open", "worse", "closed", "open again"])
@pytest.mark.parametrize("believed", [NOTHING, OPENED, ENDED], ids=["nothing", "opened", "closed"])
def test_what_was_told_is_not_told_again(truth: Incident, believed: Told) -> None:
    told, count = believed, 0
    while notice := next_of(truth, told):
        told = notice.after if notice.edits is not None else notice.told(count + 50)[0]
        count += 1
        assert count <= 2
    assert next_of(truth, told) is None
    assert told.stage is (Stage.OPENED if truth.is_open else Stage.CLOSED)


def test_the_breach_is_told_before_its_end() -> None:
    scene = Scene().breaks()
    reader = Reader(scene)
    reader.hears()
    scene.has(0.0, 20)
    reader.hears()
    kinds = [each.kind for each in reader.notices]
    assert kinds == [Kind.BREACH, Kind.RECOVERY, Kind.CLOSE]
    assert reader.notices[1].reply_to == reader.told[1].message == 100


def test_the_id_of_a_new_message_is_kept_where_it_becomes_the_one_that_lives() -> None:
    breach, recovery, missed = next_of(OPEN, NOTHING), next_of(CLOSED, OPENED), next_of(CLOSED, NOTHING)
    assert breach is not None
    assert recovery is not None
    assert missed is not None
    assert breach.told(77)[0].message == 77
    assert missed.told(77)[0].message == 77
    assert recovery.told(77)[0].message == 5


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


def test_a_message_of_which_no_id_is_known_cannot_be_edited() -> None:
    assert next_of(WORSE, replace(OPENED, message=None)) is None
    assert next_of(CLOSED, replace(ENDED, message=None, text="")) is None


# Reminders


def test_a_reminder_comes_after_the_time_that_the_objective_says_and_is_loud() -> None:
    assert next_of(OPEN, OPENED, MUCH_LATER - timedelta(seconds=1)) is None
    reminder = next_of(OPEN, OPENED, MUCH_LATER)
    assert reminder is not None
    assert (reminder.kind, reminder.loud, reminder.reply_to) == (Kind.REMINDER, True, 5)
    assert reminder.told(99)[0].message == 5, "the first message stays the one that lives"


def test_reminders_are_as_far_apart() -> None:
    reminder = next_of(OPEN, OPENED, MUCH_LATER)
    assert reminder is not None
    believed = reminder.told(99)[0]
    assert next_of(OPEN, believed, MUCH_LATER + LATENCY.remind_after - timedelta(seconds=1)) is None
    assert next_of(OPEN, believed, MUCH_LATER + LATENCY.remind_after) is not None


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


# Hushed while nothing can be seen


@pytest.mark.parametrize("now", [LATER, MUCH_LATER], ids=["an edit", "a reminder"])
def test_nothing_is_said_of_what_cannot_be_seen(now: datetime) -> None:
    assert next_of(WORSE, OPENED, now, hushed=True) is None


def test_a_breach_that_was_not_told_yet_is_told_though_nothing_can_be_seen_now() -> None:
    said = next_of(OPEN, NOTHING, hushed=True)
    assert said is not None
    assert said.kind is Kind.BREACH


def test_the_end_is_told_whatever_is_hushed() -> None:
    said = next_of(CLOSED, OPENED, hushed=True)
    assert said is not None
    assert said.kind is Kind.RECOVERY


# What may have arrived


def test_a_breach_that_may_have_arrived_says_so_when_it_is_sent_again() -> None:
    again = next_of(OPEN, replace(NOTHING, perhaps_sent=True))
    assert again is not None
    assert again.text == "breach 2.44 perhaps"
    assert not again.after.perhaps_sent


def test_the_mark_goes_with_the_next_edit() -> None:
    again = next_of(OPEN, replace(NOTHING, perhaps_sent=True), at(95))
    assert again is not None
    edit = next_of(OPEN, again.told(7)[0], LATER)
    assert edit is not None
    assert (edit.kind, edit.text) == (Kind.EDIT, "breach 2.44")


def test_what_is_believed_is_kept_by_chat() -> None:
    for chat in (1, -100):
        said = next_of(OPEN, replace(NOTHING, chat=chat))
        assert said is not None
        assert said.after.chat == chat
        assert said.after.breach_told_at == said.after.loud_at == LATER
