"""What to send: the difference between an incident and what a chat has received of it.

Levels, not edges: nothing here knows what just changed. A failed send, a restart or an outage of the chat leave a
difference, and the next pass says it.

| incident | delivered to the chat | so |
|---|---|---|
| open | nothing, or that it was over | the breach, loud |
| open, the text differs | open | that message is edited, quietly and at most once a minute |
| open for long, or a silence has run out | open | a reminder, loud |
| open, by now no target answers at all | open, when some still did | that, loud, once |
| open, acknowledged by nobody for long | open | that, loud, once; and the breach in the second chats |
| closed | open | the recovery, as a reply to the breach |
| closed, the first message does not say so | closed | that message is edited |
| closed | nothing | one line for both |

A silence mutes what is said of an open incident, but for what people did about it. Quiet hours hold what makes a sound,
and what would be delivered late anyway. Neither holds the end of what a chat knows of, which is quiet. Both leave a
difference, which is delivered once they are over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.policy import DelayReason, Policy, owes, repetition_due, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.objective import Alert

STORM = 5  # more notifications of a kind than this at once are one message
EDITED_EVERY = timedelta(minutes=1)  # a message that changes more often is read by nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing to say in one chat.

    Attributes:
        edits: The message to edit; None when a new one is to be sent.
        reply_to: The message that a new one answers.
        after: The delivery record once it is delivered, but for the new message's id.
        others: The same of further incidents that are in this message too.
        buttons: What can be pressed under it.
    """

    kind: Kind
    text: str
    after: DeliveryRecord
    edits: int | None = None
    reply_to: int | None = None
    loud: bool = False
    others: tuple[DeliveryRecord, ...] = ()
    buttons: Keyboard = ()

    def delivered(self, message: int) -> tuple[DeliveryRecord, ...]:
        """Return the delivery records once a new message with this id has been sent."""
        records = (self.after, *self.others)
        if self.kind in (Kind.BREACH, Kind.MISSED):
            return tuple(replace(each, message=message) for each in records)
        return records


class Wording(Protocol):
    """How incidents read, as HTML; `IncidentWording` binds it to a chat and an instant."""

    def breach(self, incident: Incident, record: DeliveryRecord, /) -> str:
        """Return the message of an open incident."""

    def escalated(self, text: str, duration: timedelta, /) -> str:
        """Return a breach as it reads in an escalation chat, where nobody acknowledged it for that long."""

    def reminder(self, incident: Incident, /) -> str:
        """Return the reminder of an open incident."""

    def escalation(self, incident: Incident, /) -> str:
        """Return the escalation of an incident that nobody acknowledged."""

    def recovery(self, incident: Incident, record: DeliveryRecord, /) -> str:
        """Return the message that an incident has ended."""

    def closed(self, incident: Incident, /) -> str:
        """Return what the first message reads once the incident has ended."""

    def missed(self, incident: Incident, reason: DelayReason, /) -> str:
        """Return breach and end in one message, for a chat that received neither."""

    def storm(self, kind: Kind, incidents: Sequence[Incident], /) -> str:
        """Return one message for many incidents."""


def next_notification(
    incident: Incident, record: DeliveryRecord, words: Wording, now: datetime, policy: Policy
) -> Notification | None:
    """Return the next thing to say in a chat about an incident; None when it has received everything, or has to wait.

    Args:
        incident: The truth.
        record: What the chat has received.
        words: How it reads.
        now: The instant of this pass.
        policy: How it may be spoken of now.
    """
    match incident.is_open, record.stage:
        case True, Stage.NOTHING | Stage.CLOSED:
            return _breach(incident, record, words, now, policy) if owes(incident, record, now, policy) else None
        case True, Stage.OPENED:
            return _again(incident, record, words, now, policy) or _edit(incident, record, words, now, policy)
        case False, Stage.OPENED:
            return _recovery(incident, record, words)
        case False, Stage.CLOSED if record.opening == incident.openings:
            return _close(incident, record, words, now)
        case False, Stage.NOTHING | Stage.CLOSED:
            return _missed(incident, record, words, now, policy) if owes(incident, record, now, policy) else None
        case _:
            return None


def no_later_than(now: datetime, record: DeliveryRecord) -> DeliveryRecord:
    """Return a record without instants in the future.

    From those a clock that was set back would count waits of hours.
    """
    instants = (record.breach_told_at, record.written_at, record.loud_at)
    if all(each is None or each <= now for each in instants):
        return record
    breach_told_at, written_at, loud_at = (each and min(each, now) for each in instants)
    return replace(record, breach_told_at=breach_told_at, written_at=written_at, loud_at=loud_at)


def _breach(incident: Incident, record: DeliveryRecord, words: Wording, now: datetime, policy: Policy) -> Notification:
    text = _open(incident, record, words, policy)
    after = replace(
        record,
        stage=Stage.OPENED,
        opening=incident.openings,
        text=text,
        held=incident.held,
        is_explained=incident.is_explained,
        breach_told_at=now,
        written_at=now,
        loud_at=now,
        perhaps_sent=False,
        is_folded=False,
        buttons=policy.buttons,
        is_outage=incident.is_outage or incident.has_all_targets_down,
    )
    is_loud = incident.key.alert is not Alert.TICKET
    return Notification(
        kind=Kind.BREACH, text=text, after=after, reply_to=record.message, loud=is_loud, buttons=policy.buttons
    )


def _open(incident: Incident, record: DeliveryRecord, words: Wording, policy: Policy) -> str:
    """Return how an open incident reads; in a chat that is escalated to, why it is sent there."""
    text = words.breach(incident, record)
    if not policy.is_second or policy.is_acknowledged or policy.escalate_after is None:
        return text
    return words.escalated(text, policy.escalate_after)


def _again(
    incident: Incident, record: DeliveryRecord, words: Wording, now: datetime, policy: Policy
) -> Notification | None:
    """Return a sound about what is known already; None where there is no need of one, or where it is muted."""
    kind = repetition_due(incident, record, now, policy)
    if kind is None or suppression_of(incident, record, now, policy) is not None:
        return None
    after = replace(record, loud_at=now, perhaps_sent=False, is_outage=record.is_outage or incident.is_outage)
    if kind is Kind.REMINDER:
        text = words.reminder(incident)
        return Notification(kind=kind, text=text, after=after, reply_to=record.message, loud=True)
    return Notification(
        kind=kind,
        text=words.escalation(incident),
        after=replace(after, escalated=incident.openings),
        reply_to=record.message,
        loud=True,
        buttons=policy.buttons[:1],  # who takes it acknowledges it; all else is under the breach
    )


def _edit(
    incident: Incident, record: DeliveryRecord, words: Wording, now: datetime, policy: Policy
) -> Notification | None:
    acted = policy.buttons != record.buttons  # what people did is shown at once, whatever is muted
    if (policy.is_muted or policy.is_silenced) and not acted:
        return None
    found = incident.is_explained and not record.is_explained  # no alert waits for that, so it comes soon after
    turned = acted or found or incident.held is not record.held or incident.openings != record.opening
    if not turned and record.written_at is not None and now - record.written_at < EDITED_EVERY:
        return None
    text = _open(incident, replace(record, perhaps_sent=False), words, policy)
    if (text == record.text and not acted) or record.message is None or record.is_folded:
        return None
    after = replace(
        record,
        opening=incident.openings,
        text=text,
        held=incident.held,
        is_explained=incident.is_explained,
        written_at=now,
        buttons=policy.buttons,
    )
    return Notification(kind=Kind.EDIT, text=text, after=after, edits=record.message, buttons=policy.buttons)


def _recovery(incident: Incident, record: DeliveryRecord, words: Wording) -> Notification:
    after = replace(record, stage=Stage.CLOSED, opening=incident.openings, perhaps_sent=False)
    return Notification(kind=Kind.RECOVERY, text=words.recovery(incident, record), after=after, reply_to=record.message)


def _close(incident: Incident, record: DeliveryRecord, words: Wording, now: datetime) -> Notification | None:
    text = words.closed(incident)
    if text == record.text or record.message is None or record.is_folded:
        return None
    after = replace(record, text=text, written_at=now, buttons=())
    return Notification(kind=Kind.CLOSE, text=text, after=after, edits=record.message)


def _missed(incident: Incident, record: DeliveryRecord, words: Wording, now: datetime, policy: Policy) -> Notification:
    text = words.missed(incident, policy.delay_reason)
    after = replace(
        record,
        stage=Stage.CLOSED,
        opening=incident.openings,
        text=words.closed(incident),
        written_at=now,
        perhaps_sent=False,
    )
    return Notification(kind=Kind.MISSED, text=text, after=after, reply_to=record.message, buttons=policy.buttons)
