"""The messages about a storm: the first one, what is brought into it, and how it goes on and ends."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.plan import EDITED_EVERY, STORM, Notification, Wording
from wine_slo.slo.notification.policy import repetition_due, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.notification.storm import Member, Storm
from wine_slo.slo.objectives.objective import Alert

JOINED_EVERY = timedelta(seconds=15)  # between two edits that bring new breaches into a message
SETTLED = timedelta(minutes=2)  # without one more recovery, after which the recovered ones are reported
LONGEST_SETTLING = timedelta(minutes=10)
CLOSED_WITHIN = timedelta(hours=12)  # the message says that all is over; later, parts of it are forgotten

Buttons = Callable[[Sequence[Member]], Keyboard]


def begun(those: Sequence[Member], words: Wording, buttons: Buttons, now: datetime) -> Notification:
    """Return one new message for breaches."""
    first = those[0]
    text = _open_text(those, words)
    keyboard = buttons(those)
    records = [_opened(each, now) for each in those]
    head = replace(records[0], text=text, buttons=keyboard, written_at=now)
    return Notification(
        kind=Kind.BREACH,
        text=text,
        after=head,
        others=tuple(records[1:]),
        reply_to=first.record.message,
        loud=any(each.incident.key.alert is not Alert.TICKET for each in those),
        buttons=keyboard,
    )


def joined(
    storm: Storm, joining: Sequence[Member], words: Wording, buttons: Buttons, now: datetime
) -> Notification | None:
    """Return the edit that brings breaches into the message of a storm; None where it was edited just now."""
    numbers = {each.incident.number for each in joining}
    members = sorted(
        (*(each for each in storm.members if each.incident.number not in numbers), *joining),
        key=lambda each: each.incident.number,
    )
    written_at = _head(storm).record.written_at
    if written_at is not None and now - written_at < JOINED_EVERY:
        return None
    after = [replace(_opened(each, now), message=storm.message) for each in joining]
    return _edited(storm, after, _open_text(members, words), buttons(members), now)


def missed(those: Sequence[Member], words: Wording, now: datetime) -> Notification:
    """Return one message for incidents that are over and of which the chat has received nothing."""
    records = [
        replace(
            each.record,
            stage=Stage.CLOSED,
            opening=each.incident.openings,
            text="",
            written_at=now,
            perhaps_sent=False,
            is_folded=True,
        )
        for each in those
    ]
    incidents = [each.incident for each in those]
    head = replace(records[0], text=words.storm(Kind.CLOSE, incidents))  # it needs no edit
    text = words.storm(Kind.MISSED, incidents)
    return Notification(kind=Kind.MISSED, text=text, after=head, others=tuple(records[1:]))


def next_of_storm(storm: Storm, words: Wording, buttons: Buttons, now: datetime, *, edits: bool) -> list[Notification]:
    """Return what is to be said of a storm next: what makes a sound, its recovery, an edit.

    Args:
        storm: The storm.
        words: How it reads.
        buttons: What can be pressed under its message.
        now: The instant of this pass.
        edits: Whether its message can be edited.
    """
    found = (_again(storm, words, buttons, now), _recovery(storm, words, now))
    edit = _edit(storm, words, buttons, now) if edits else None
    return [each for each in (*found, edit) if each is not None]


def together_again(those: Sequence[tuple[Member, Notification]], words: Wording) -> Notification | None:
    """Return one message for reminders or escalations that are due of incidents with a message each.

    None where there are so few that each has a message of its own.
    """
    for kind in (Kind.ESCALATION, Kind.REMINDER):
        due = [(member, each) for member, each in those if each.kind is kind]
        if len(due) > STORM:
            text = words.storm(kind, [member.incident for member, _ in due])
            records = [each.after for _, each in due]
            return Notification(kind=kind, text=text, after=records[0], others=tuple(records[1:]), loud=True)
    return None


def has_own_message(alone: Member, now: datetime) -> bool:
    """Return whether what is left of a storm is spoken of as an incident of its own, as it is the only one left.

    What was over long ago is not: the others are forgotten, and the message says what they were.
    """
    incident, record = alone.incident, alone.record
    if incident.closed_at is not None and record.stage is Stage.CLOSED:
        return record.opening == incident.openings and now - incident.closed_at <= CLOSED_WITHIN
    return record.stage is Stage.OPENED


def is_settling(incident: Incident, record: DeliveryRecord, now: datetime) -> bool:
    """Return whether the end of an incident may wait a little, to be reported with that of others."""
    return (
        record.is_folded
        and record.stage is Stage.OPENED
        and incident.closed_at is not None
        and now - incident.closed_at < LONGEST_SETTLING
    )


def _opened(member: Member, now: datetime) -> DeliveryRecord:
    incident = member.incident
    return replace(
        member.record,
        stage=Stage.OPENED,
        opening=incident.openings,
        text="",
        held=incident.held,
        is_explained=incident.is_explained,
        breach_told_at=now,
        written_at=None,
        loud_at=now,
        perhaps_sent=False,
        is_folded=True,
        buttons=(),
        is_outage=incident.is_outage or incident.has_all_targets_down,
    )


def _open_text(members: Sequence[Member], words: Wording) -> str:
    text = words.storm(Kind.BREACH, [each.incident for each in members])
    second = next((each.policy for each in members if each.policy.is_second and not each.policy.is_acknowledged), None)
    if second is None or second.escalate_after is None:
        return text
    return words.escalated(text, second.escalate_after)


def _head(storm: Storm) -> Member:
    """Return the member whose record says what the message reads: the one with a text, else the first."""
    return next((each for each in storm.members if each.record.text), storm.members[0])


def _edit(storm: Storm, words: Wording, buttons: Buttons, now: datetime) -> Notification | None:
    """Return the edit of a storm's message; None where it reads what it should, or was edited just now."""
    still, head = storm.open_members, _head(storm).record
    if not still:
        return _close(storm, words, now)
    keyboard = buttons(storm.members)
    has_acted = keyboard != head.buttons
    if not has_acted:
        if all(each.policy.is_muted or each.policy.is_silenced for each in still):
            return None
        if head.written_at is not None and now - head.written_at < EDITED_EVERY:
            return None
    text = _open_text(storm.members, words)
    if text == head.text and not has_acted:
        return None
    reopened = [
        replace(each.record, opening=each.incident.openings)
        for each in still
        if each.record.stage is Stage.OPENED and each.record.opening != each.incident.openings
    ]
    return _edited(storm, reopened, text, keyboard, now)


def _edited(
    storm: Storm, records: Sequence[DeliveryRecord], text: str, keyboard: Keyboard, now: datetime
) -> Notification:
    """Return the edit of a storm's message to what it is to read, after which those records hold."""
    head = _head(storm).record
    changed = {each.incident: each for each in records}
    after = replace(changed.pop(head.incident, head), text=text, written_at=now, buttons=keyboard)
    return Notification(
        kind=Kind.EDIT,
        text=text,
        after=after,
        others=tuple(changed.values()),
        edits=storm.message,
        buttons=keyboard,
    )


def _close(storm: Storm, words: Wording, now: datetime) -> Notification | None:
    head = _head(storm).record
    ends = [each.incident.closed_at or now for each in storm.members]
    is_said = all(each.record.stage is Stage.CLOSED for each in storm.members)  # the recovery comes first
    if not is_said or now - max(ends) > CLOSED_WITHIN:
        return None
    text = words.storm(Kind.CLOSE, [each.incident for each in storm.members])
    if text == head.text:
        return None
    after = replace(head, text=text, written_at=now, buttons=())
    return Notification(kind=Kind.CLOSE, text=text, after=after, edits=storm.message)


def _recovery(storm: Storm, words: Wording, now: datetime) -> Notification | None:
    over = [each for each in storm.members if each.is_over_unsaid]
    if not over:
        return None
    if storm.open_members:
        ends = [each.incident.closed_at or now for each in over]
        if now - max(ends) < SETTLED and now - min(ends) < LONGEST_SETTLING:
            return None
    records = [
        replace(each.record, stage=Stage.CLOSED, opening=each.incident.openings, perhaps_sent=False) for each in over
    ]
    return Notification(
        kind=Kind.RECOVERY,
        text=words.storm(Kind.RECOVERY, [each.incident for each in storm.members]),
        after=records[0],
        others=tuple(records[1:]),
        reply_to=storm.message,
    )


def _again(storm: Storm, words: Wording, buttons: Buttons, now: datetime) -> Notification | None:
    """Return a sound about a storm that is known: for all of it that is open and not muted, as soon as one is due."""
    able = [
        each
        for each in storm.open_members
        if each.record.stage is Stage.OPENED
        and each.incident.key.alert is not Alert.TICKET
        and not (each.policy.is_silenced or each.policy.is_quiet or each.policy.is_muted)
    ]
    due = [(each, kind) for each in able if (kind := _repetition(each, now)) is not None]
    if not due:
        return None
    kind = Kind.ESCALATION if any(each is Kind.ESCALATION for _, each in due) else Kind.REMINDER
    those = [each for each in able if kind is Kind.REMINDER or not each.policy.is_acknowledged]
    records = [
        replace(
            each.record,
            loud_at=now,
            perhaps_sent=False,
            escalated=each.incident.openings if kind is Kind.ESCALATION else each.record.escalated,
            is_outage=each.record.is_outage or each.incident.is_outage,
        )
        for each in those
    ]
    return Notification(
        kind=kind,
        text=words.storm(kind, [each.incident for each in those]),
        after=records[0],
        others=tuple(records[1:]),
        reply_to=storm.message,
        loud=True,
        buttons=buttons(storm.members)[:1] if kind is Kind.ESCALATION else (),
    )


def _repetition(member: Member, now: datetime) -> Kind | None:
    incident, record, policy = member.incident, member.record, member.policy
    kind = repetition_due(incident, record, now, policy)
    return None if kind is None or suppression_of(incident, record, now, policy) is not None else kind
