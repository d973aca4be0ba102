"""The texts of incidents as they read in one chat at one instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.policy import DelayReason
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import breach_text, drill_marked
from wine_slo.slo.text.incidents.group import grouped_text
from wine_slo.slo.text.incidents.reminder import escalated_text, escalation_text, reminder_text
from wine_slo.slo.text.incidents.resolved import closed_text, late_text, recovery_text


@dataclass(frozen=True, slots=True)
class IncidentWording:
    """The texts of incidents; it implements `Wording` of the notification plan.

    Attributes:
        fmt: The readers.
        state: What is known.
        now: The instant.
        actions: What people have done.
    """

    fmt: Formatter
    state: State
    now: datetime
    actions: Actions = NO_ACTIONS

    def breach(self, incident: Incident, record: DeliveryRecord) -> str:
        """Return the message of an open incident."""
        return self._marked(breach_text(self.fmt, incident, record, self.state, self.now, self.actions), incident)

    def escalated(self, text: str, duration: timedelta) -> str:
        """Return a breach as it reads in an escalation chat."""
        return escalated_text(self.fmt, text, duration)

    def reminder(self, incident: Incident) -> str:
        """Return the reminder of an open incident."""
        return self._marked(reminder_text(self.fmt, incident, self.now, self.actions), incident)

    def escalation(self, incident: Incident) -> str:
        """Return the escalation of an incident that nobody acknowledged."""
        return self._marked(escalation_text(self.fmt, incident, self.now), incident)

    def recovery(self, incident: Incident, record: DeliveryRecord) -> str:
        """Return the message that an incident has ended."""
        return self._marked(recovery_text(self.fmt, incident, record, self.actions), incident)

    def closed(self, incident: Incident) -> str:
        """Return what the first message reads once the incident has ended."""
        return self._marked(closed_text(self.fmt, incident), incident)

    def missed(self, incident: Incident, reason: DelayReason) -> str:
        """Return breach and end in one message, for a chat that received neither."""
        return self._marked(late_text(self.fmt, incident, self.state, reason), incident)

    def storm(self, kind: Kind, incidents: Sequence[Incident]) -> str:
        """Return one message for many incidents."""
        return grouped_text(self.fmt, kind, incidents, self.state, self.now, self.actions)

    def _marked(self, text: str, incident: Incident) -> str:
        return drill_marked(self.fmt, text, incident, self.actions)
