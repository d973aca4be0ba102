"""The policy of each notification, by the settings and by what people did."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Localizer
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.keyboard import buttons_of
from wine_slo.slo.notification.policy import DelayReason, Policy
from wine_slo.slo.notification.runbook import Runbook
from wine_slo.slo.objectives.budget import burning
from wine_slo.slo.objectives.objective import Alert, Objective
from wine_slo.slo.oncall.time_phrases import QuietHours

REMIND_OF_OURS = timedelta(hours=4)  # of having no data, or not being able to write to the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When and where may be notified, by the settings.

    Attributes:
        second_chats: The ids of chats that receive only what nobody acknowledges in the others.
        escalate_after: After how long that is; None for never.
        quiet_hours: When nothing may make a sound; None for never.
        pages_in_quiet_hours: Whether a fast burn of the error budget is sent all the same.
        offers: What can be done by pressing a button.
        runbook: Where people read what to do.
        status_page: The address of the status page, as browsers reach it; empty where it is not known.
    """

    second_chats: Collection[Address] = ()
    escalate_after: timedelta | None = None
    quiet_hours: QuietHours | None = None
    pages_in_quiet_hours: bool = True
    offers: Collection[str] = ()
    runbook: Runbook = field(default_factory=Runbook)
    status_page: str = ""


class Policies:
    """Say how each recipient may be notified of an incident.

    Args:
        rules: What the settings say.
        localizer: How things read for a recipient.
        snapshot: What is known now.
        journal: What people did.
    """

    def __init__(self, rules: Rules, localizer: Localizer, snapshot: Snapshot, journal: Journal) -> None:
        self._rules = rules
        self._localizer = localizer
        self._snapshot = snapshot
        self._journal = journal
        self._blindness: tuple[State | None, bool] = (None, False)

    def of(
        self, incident: Incident, chat: Address, known_since: datetime | None, *, has_buttons: bool = True
    ) -> Policy:
        """Return how a recipient may be notified of an incident now.

        Args:
            incident: Which.
            chat: The recipient.
            known_since: Of a second chat: since when a first one knows of it; None where none does.
            has_buttons: Whether there are to be buttons, which need as long as all else.
        """
        state, actions, now = self._snapshot.state, self._journal.actions, self._snapshot.now()
        rules, fmt = self._rules, self._localizer.fmt(chat)
        objective = fmt.objectives.of(incident.key)
        quiet = rules.quiet_hours
        delay_reason = DelayReason.OUTAGE
        if actions.had_silence(incident, state.incidents):
            delay_reason = DelayReason.SILENCE
        elif quiet is not None and quiet.cover(incident.opened_at):
            delay_reason = DelayReason.QUIET_HOURS
        return Policy(
            remind_after=objective.remind_after if objective else REMIND_OF_OURS,
            escalate_after=rules.escalate_after,
            is_muted=self._is_blind(state) and not incident.key.is_own,
            is_silenced=actions.silence_of(incident, state.incidents, now) is not None,
            silenced_until=actions.ran_out(incident.key, now),
            is_quiet=(
                quiet is not None
                and quiet.cover(now)
                and not (rules.pages_in_quiet_hours and _is_page(incident, objective))
            ),
            is_acknowledged=actions.acknowledgement(incident) is not None,
            given_up_at=actions.given_up_at(incident),
            is_second=chat in rules.second_chats,
            known_since=known_since,
            delay_reason=delay_reason,
            buttons=buttons_of(
                incident,
                actions,
                state.incidents,
                fmt.objectives,
                now,
                rules.offers,
                fmt.say,
                runbook=rules.runbook.of_incident(incident, objective),
            )
            if has_buttons
            else (),
        )

    def _is_blind(self, state: State) -> bool:
        """Return whether nothing at all can be seen, found out once for thousands of incidents."""
        if self._blindness[0] is not state:
            self._blindness = (state, state.is_blind)
        return self._blindness[1]


def _is_page(incident: Incident, objective: Objective | None) -> bool:
    """Return whether an incident burns the error budget so fast that somebody must act, whatever it is about."""
    if incident.key.alert is not Alert.BREACH:
        return incident.key.alert is Alert.PAGE
    if objective is None or incident.budget is None:
        return False
    return burning(objective, incident.budget, Alert.PAGE) is not None
