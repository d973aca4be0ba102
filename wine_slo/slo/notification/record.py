"""The delivery record: what a recipient has received of an incident."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.reading import Sight


class Stage(StrEnum):
    """How much of an incident a chat has been notified of."""

    NOTHING = "nothing"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What one chat has received of one incident.

    Attributes:
        opening: Which opening of the incident it was notified of.
        message: The id of the live message.
        text: What that message reads.
        held: Why it was said to be held.
        is_explained: Whether it said which values carry the bad events.
        breach_told_at: When the breach was notified.
        written_at: When the live message was written last.
        loud_at: When the chat last made a sound for it.
        perhaps_sent: A send was begun and its end is not known, so it may have arrived.
        is_folded: Its message is about other incidents too, so it is not edited.
        buttons: What can be pressed under the live message.
        escalated: The opening that was escalated to it.
        is_outage: It knows that no target answers at all.
    """

    incident: int
    chat: Address
    stage: Stage = Stage.NOTHING
    opening: int = 0
    message: int | None = None
    text: str = ""
    held: Sight | None = None
    is_explained: bool = False
    breach_told_at: datetime | None = None
    written_at: datetime | None = None
    loud_at: datetime | None = None
    perhaps_sent: bool = False
    is_folded: bool = False
    buttons: Keyboard = ()
    escalated: int = 0
    is_outage: bool = False


class Kind(StrEnum):
    """What a notification is for."""

    BREACH = "breach"
    EDIT = "edit"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RECOVERY = "recovery"
    CLOSE = "close"
    MISSED = "missed"
    CHART = "chart"  # these four are sent beside, and are never the difference of an incident
    BOARD = "board"
    DIGEST = "digest"
    UNREACHABLE = "unreachable"  # that another recipient cannot be reached
