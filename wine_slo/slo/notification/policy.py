"""The policy: whether a notification may be sent to a recipient at an instant, and why it is not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.objectives.objective import Alert

GRACE = timedelta(minutes=1)  # after an acknowledgement was taken back: a slip of the thumb wakes nobody else


class DelayReason(StrEnum):
    """Why a notification was not delivered in time."""

    OUTAGE = "outage"  # it could not be
    SILENCE = "silence"
    QUIET_HOURS = "quiet hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How a recipient may be notified of an incident, at one instant.

    Attributes:
        remind_after: A reminder of a breach is sent after so long.
        escalate_after: An escalation is sent after so long without an acknowledgement; None for never.
        is_muted: Whether there are no data, so that edits and reminders would say what nobody knows.
        is_silenced: Whether somebody has silenced it.
        silenced_until: When the last silence ran out by itself; None where none did.
        is_quiet: Whether nothing may make a sound now.
        is_acknowledged: Whether somebody has acknowledged it.
        given_up_at: When somebody took an acknowledgement back; None where nobody did.
        is_second: Whether the chat receives only what nobody acknowledges in the others.
        known_since: Where it is: since when another chat knows of it; None where none does yet.
        delay_reason: Why it was not delivered in time, where it was not.
        buttons: What can be done about it.
    """

    remind_after: timedelta
    escalate_after: timedelta | None = None
    is_muted: bool = False
    is_silenced: bool = False
    silenced_until: datetime | None = None
    is_quiet: bool = False
    is_acknowledged: bool = False
    given_up_at: datetime | None = None
    is_second: bool = False
    known_since: datetime | None = None
    delay_reason: DelayReason = DelayReason.OUTAGE
    buttons: Keyboard = ()


class Suppression(StrEnum):
    """Why a notification that an incident calls for is not sent at an instant."""

    SILENCE = "silence"  # somebody has silenced it
    QUIET_HOURS = "quiet_hours"
    NO_DATA = "no_data"  # there are no data, so nobody knows whether it still holds
    SECOND_CHAT = "second_chat"  # nobody has been given the time to acknowledge it in the others yet, or need be
    GROUPED = "grouped"  # it is in the message of many others
    FLOOD_WAIT = "flood_wait"  # the channel wants the recipient to be left alone
    RETRY = "retry"  # an attempt failed, and the next one has to wait


def owes(incident: Incident, record: DeliveryRecord, now: datetime, policy: Policy) -> bool:
    """Return whether an opening or an end that a recipient does not know may be sent there now."""
    return is_unknown(incident, record) and suppression_of(incident, record, now, policy) is None


def suppression_of(incident: Incident, record: DeliveryRecord, now: datetime, policy: Policy) -> Suppression | None:
    """Return why the policy holds a notification with a sound of its own, or of the end of one that was held.

    None where none is called for, or where it may be sent.

    Args:
        incident: The truth.
        record: What the recipient has received of it.
        now: The instant of this pass.
        policy: What holds for it now.
    """
    if not is_unknown(incident, record):
        return _suppression_of_repetition(incident, record, now, policy)
    if not incident.is_open and record.stage is Stage.OPENED:
        return None
    if incident.is_open and policy.is_silenced:
        return Suppression.SILENCE
    if policy.is_quiet:
        return Suppression.QUIET_HOURS
    if policy.is_second and not (incident.is_open and is_unacknowledged(incident, policy.known_since, now, policy)):
        return Suppression.SECOND_CHAT
    return None


def repetition_due(incident: Incident, record: DeliveryRecord, now: datetime, policy: Policy) -> Kind | None:
    """Return whether a recipient that knows of an open incident is due a reminder or an escalation, muted or not."""
    if incident.key.alert is Alert.TICKET or record.loud_at is None:
        return None
    if incident.is_outage and not record.is_outage:
        return Kind.REMINDER
    if policy.silenced_until is not None and record.loud_at < policy.silenced_until <= now:
        return Kind.REMINDER
    if record.escalated < incident.openings and is_unacknowledged(incident, record.loud_at, now, policy):
        return Kind.ESCALATION
    return Kind.REMINDER if now - record.loud_at >= policy.remind_after else None


def _suppression_of_repetition(
    incident: Incident, record: DeliveryRecord, now: datetime, policy: Policy
) -> Suppression | None:
    if not incident.is_open or repetition_due(incident, record, now, policy) is None:
        return None
    if policy.is_silenced:
        return Suppression.SILENCE
    if policy.is_quiet:
        return Suppression.QUIET_HOURS
    return Suppression.NO_DATA if policy.is_muted else None


def is_unknown(incident: Incident, record: DeliveryRecord) -> bool:
    """Return whether a recipient does not know that an incident is open, or that it is over."""
    if incident.is_open:
        return record.stage is not Stage.OPENED
    return record.stage is not Stage.CLOSED or record.opening < incident.openings


def is_unacknowledged(incident: Incident, known_since: datetime | None, now: datetime, policy: Policy) -> bool:
    """Return whether nobody has acknowledged for so long what has been known since then."""
    return (
        policy.escalate_after is not None
        and known_since is not None
        and now - known_since >= policy.escalate_after
        and not policy.is_acknowledged
        and (policy.given_up_at is None or not timedelta(0) <= now - policy.given_up_at < GRACE)
        and incident.key.alert is not Alert.TICKET
        and incident.held in (None, Sight.TARGET_DOWN)  # where there are no requests any more nobody is woken
    )
