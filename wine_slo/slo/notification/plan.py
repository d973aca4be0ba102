"""What to say: the difference between an incident and what a chat believes of it.

Levels, not edges: nothing here knows what just changed. A failed send, a restart or an outage of the chat leave a
difference, and the next pass says it.

| truth | the chat believes | so |
|---|---|---|
| open | nothing, or that it was over | the breach, loud |
| open, the text differs | open | that message is edited, quietly and at most once a minute |
| open for long, or a silence has run out | open | a reminder, loud |
| open, acknowledged by nobody for long | open | that, loud, once; and the breach in the second chats |
| closed | open | the recovery, as a reply to the breach |
| closed, the first message does not say so | closed | that message is edited |
| closed | nothing | one line for both |

A silence mutes what is said of an open incident, but for what people did about it. Quiet hours hold what makes a
sound, and what would be told late anyway. Neither holds the end of what a chat knows of, which is quiet. Both leave a
difference, which is told once they are over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.engine import GAP, LEDGER, SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.policy import DelayReason, Policy, owes, repetition_due, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.objective import Alert

STORM = 5  # more notices of a kind than this at once are one message
EDITED_EVERY = timedelta(minutes=1)  # a message that changes more often is read by nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing to say in one chat.

    Attributes:
        edits: The message to edit; None when a new one is to be sent.
        reply_to: The message that a new one answers.
        after: What the chat believes once it is told, but for the new message's id.
        others: The same of further incidents that this message tells too.
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

    def told(self, message: int) -> tuple[DeliveryRecord, ...]:
        """What the chat believes once a new message with this id has been sent."""
        beliefs = (self.after, *self.others)
        if self.kind in (Kind.BREACH, Kind.MISSED):
            return tuple(replace(each, message=message) for each in beliefs)
        return beliefs


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
    incident: Incident, told: DeliveryRecord, words: Wording, now: datetime, manner: Policy
) -> Notification | None:
    """The next thing to say in a chat about an incident; None when the chat believes the truth, or has to wait for it.

    Args:
        incident: The truth.
        told: What the chat believes.
        words: How it reads.
        now: The instant of this pass.
        manner: How it may be spoken of now.
    """
    match incident.is_open, told.stage:
        case True, Stage.NOTHING | Stage.CLOSED:
            return _breach(incident, told, words, now, manner) if owes(incident, told, now, manner) else None
        case True, Stage.OPENED:
            return _again(incident, told, words, now, manner) or _edit(incident, told, words, now, manner)
        case False, Stage.OPENED:
            return _recovery(incident, told, words)
        case False, Stage.CLOSED if told.opening == incident.openings:
            return _close(incident, told, words, now)
        case False, Stage.NOTHING | Stage.CLOSED:
            return _missed(incident, told, words, now, manner) if owes(incident, told, now, manner) else None
        case _:
            return None


def no_later_than(now: datetime, told: DeliveryRecord) -> DeliveryRecord:
    """A record without instants in the future, from which a clock that was set back would count waits of hours."""
    instants = (told.breach_told_at, told.written_at, told.loud_at)
    if all(each is None or each <= now for each in instants):
        return told
    breach_told_at, written_at, loud_at = (each and min(each, now) for each in instants)
    return replace(told, breach_told_at=breach_told_at, written_at=written_at, loud_at=loud_at)


def _breach(incident: Incident, told: DeliveryRecord, words: Wording, now: datetime, manner: Policy) -> Notification:
    text = _open(incident, told, words, manner)
    after = replace(
        told,
        stage=Stage.OPENED,
        opening=incident.openings,
        text=text,
        held=incident.held,
        breach_told_at=now,
        written_at=now,
        loud_at=now,
        perhaps_sent=False,
        is_folded=False,
        buttons=manner.buttons,
    )
    is_loud = incident.key.alert is not Alert.TICKET
    return Notification(
        kind=Kind.BREACH, text=text, after=after, reply_to=told.message, loud=is_loud, buttons=manner.buttons
    )


def _open(incident: Incident, told: DeliveryRecord, words: Wording, manner: Policy) -> str:
    """How an open incident reads; in a chat that is escalated to, why it is told there."""
    text = words.breach(incident, told)
    if not manner.is_second or manner.is_acknowledged or manner.escalate_after is None:
        return text
    return words.escalated(text, manner.escalate_after)


def _again(
    incident: Incident, told: DeliveryRecord, words: Wording, now: datetime, manner: Policy
) -> Notification | None:
    """A sound about what is known already; None where there is no need of one, or where it is muted."""
    kind = repetition_due(incident, told, now, manner)
    if kind is None or suppression_of(incident, told, now, manner) is not None:
        return None
    after = replace(told, loud_at=now, perhaps_sent=False)
    if kind is Kind.REMINDER:
        text = words.reminder(incident)
        return Notification(kind=kind, text=text, after=after, reply_to=told.message, loud=True)
    return Notification(
        kind=kind,
        text=words.escalation(incident),
        after=replace(after, escalated=incident.openings),
        reply_to=told.message,
        loud=True,
        buttons=manner.buttons[:1],  # who takes it acknowledges it; all else is under the breach
    )


def _edit(
    incident: Incident, told: DeliveryRecord, words: Wording, now: datetime, manner: Policy
) -> Notification | None:
    acted = manner.buttons != told.buttons  # what people did is shown at once, whatever is muted
    if (manner.is_muted or manner.is_silenced) and not acted:
        return None
    turned = acted or incident.held is not told.held or incident.openings != told.opening
    if not turned and told.written_at is not None and now - told.written_at < EDITED_EVERY:
        return None
    text = _open(incident, replace(told, perhaps_sent=False), words, manner)
    if (text == told.text and not acted) or told.message is None or told.is_folded:
        return None
    after = replace(
        told, opening=incident.openings, text=text, held=incident.held, written_at=now, buttons=manner.buttons
    )
    return Notification(kind=Kind.EDIT, text=text, after=after, edits=told.message, buttons=manner.buttons)


def _recovery(incident: Incident, told: DeliveryRecord, words: Wording) -> Notification:
    after = replace(told, stage=Stage.CLOSED, opening=incident.openings, perhaps_sent=False)
    return Notification(kind=Kind.RECOVERY, text=words.recovery(incident, told), after=after, reply_to=told.message)


def _close(incident: Incident, told: DeliveryRecord, words: Wording, now: datetime) -> Notification | None:
    text = words.closed(incident)
    if text == told.text or told.message is None or told.is_folded:
        return None
    after = replace(told, text=text, written_at=now, buttons=())
    return Notification(kind=Kind.CLOSE, text=text, after=after, edits=told.message)


def _missed(incident: Incident, told: DeliveryRecord, words: Wording, now: datetime, manner: Policy) -> Notification:
    text = words.missed(incident, manner.withheld)
    after = replace(
        told,
        stage=Stage.CLOSED,
        opening=incident.openings,
        text=words.closed(incident),
        written_at=now,
        perhaps_sent=False,
    )
    return Notification(kind=Kind.MISSED, text=text, after=after, reply_to=told.message)


def fold(notices: Sequence[tuple[Incident, Notification]], words: Wording) -> Notification | None:
    """One notice for all of a kind of which there are too many to be read; None where there are not.

    Args:
        notices: What is to be told in one chat, with what each is about.
        words: How it reads.
    """
    for kind in (Kind.BREACH, Kind.RECOVERY, Kind.MISSED):
        those = [
            (incident, notice)
            for incident, notice in notices
            if notice.kind is kind and incident.key not in (SIGHT, LEDGER, GAP)  # these have sentences of their own
        ]
        if len(those) > STORM:
            beliefs = tuple(replace(notice.after, is_folded=True) for _, notice in those)
            return Notification(
                kind=kind,
                text=words.storm(kind, [incident for incident, _ in those]),
                after=beliefs[0],
                others=beliefs[1:],
                reply_to=those[0][1].reply_to if kind is Kind.RECOVERY else None,
                loud=any(notice.loud for _, notice in those),
            )
    return None
