"""What each recipient is to receive next, and why something is not sent to it at present."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Policies, Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.notify.records import DeliveryRecords
from wine_slo.monitor.notify.waits import Due, Waits
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.keyboard import link_to
from wine_slo.slo.notification.plan import Notification, Wording, fold, next_notification
from wine_slo.slo.notification.policy import Suppression, is_unknown, owes, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.notification.runbook import Section
from wine_slo.slo.text.wording import IncidentWording

OnSuppressed = Callable[[Suppression], None]

log = logging.getLogger(__name__)


class Planner:
    """Compare the incidents at hand with what each recipient has received of them.

    Args:
        book: What each has received.
        waits: Until when each is left alone.
        recipients: Know which of them refuse messages.
        localizer: How things read for a recipient.
        snapshot: What is known now.
        journal: What people did.
        rules: When and where may be notified.
        on_message: Called with the kind and `failed` where a notification cannot be worded.
        on_suppressed: Called once with why a notification is not sent, when that begins.
    """

    def __init__(  # noqa: PLR0913 - the dispatcher alone makes it, by name
        self,
        *,
        book: DeliveryRecords,
        waits: Waits,
        recipients: Recipients,
        localizer: Localizer,
        snapshot: Snapshot,
        journal: Journal,
        rules: Rules,
        on_message: Callable[[Kind, str], None],
        on_suppressed: OnSuppressed | None,
    ) -> None:
        self._book = book
        self._waits = waits
        self._recipients = recipients
        self._localizer = localizer
        self._snapshot = snapshot
        self._journal = journal
        self._rules = rules
        self._policies = Policies(rules, localizer, snapshot, journal)
        self._on_message = on_message
        self._on_suppressed = on_suppressed
        self._suppressed: dict[Address, dict[int, Suppression]] = {}  # by chat and incident

    @property
    def records(self) -> tuple[DeliveryRecord, ...]:
        """Return the delivery record of each recipient for each incident at hand of which it is to know at present."""
        state, now = self._snapshot.state, self._snapshot.now()
        due = []
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if incident is None:
                continue
            knows = record.stage is Stage.OPENED or record.opening == incident.openings
            policy = self._policies.of(incident, record.chat, self._known_since(incident, record.chat))
            if knows or not policy.is_second or owes(incident, record, now, policy):
                due.append(record)
        return tuple(due)

    @property
    def undelivered_since(self) -> datetime | None:
        """Return since when something has not been delivered: when the oldest such incident was opened or closed."""
        state, now = self._snapshot.state, self._snapshot.now()
        waiting = []
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if incident is not None and owes(
                incident,
                record,
                now,
                self._policies.of(incident, record.chat, self._known_since(incident, record.chat)),
            ):
                waiting.append(incident.closed_at or incident.opened_at)
        return min(waiting, default=None)

    def suppressed(self, chat: Address) -> Mapping[int, Suppression]:
        """Return why notifications are not sent to a chat at present, by the number of the incident."""
        return self._suppressed.get(self._recipients.subscriber_at(chat).chat, {})

    def _note_suppressed(self, chat: Address, held: dict[int, Suppression]) -> None:
        """Keep why notifications are not sent to a chat, and count what is new of it."""
        before, self._suppressed[chat] = self._suppressed.get(chat, {}), held
        for number, reason in held.items():
            if before.get(number) is not reason and self._on_suppressed is not None:
                self._on_suppressed(reason)

    def due(self, chat: Address) -> Due:
        """Return the new messages that are due in a chat and do not have to wait."""
        planned, _ = self._planned(chat, self._wording(chat))
        return frozenset(
            (incident.number, incident.openings, notification.kind)
            for incident, notification in planned
            if notification.edits is None
        )

    def _wording(self, chat: Address) -> Wording:
        state, now = self._snapshot.state, self._snapshot.now()
        return IncidentWording(self._localizer.fmt(chat), state, now, self._journal.actions)

    def next(self, chat: Address) -> Notification | None:
        """Return the next notification for a chat that need not wait; only new messages while it refuses them."""
        words = self._wording(chat)
        planned, held = self._planned(chat, words)
        try:
            link = link_to(self._rules.runbook.of(Section.MANY), self._localizer.fmt(chat).say)
            group = fold(planned, words, link)
        except Exception:
            log.exception("chat %s: what is too much at once is sent one by one: a fault of ours", chat.place)
            group = None
        if group is not None:
            held |= dict.fromkeys((each.incident for each in group.others), Suppression.GROUPED)
        self._note_suppressed(chat, held)
        notifications = [notification for _, notification in planned]
        return min([group, *notifications] if group else notifications, key=_urgency, default=None)

    def _planned(
        self, chat: Address, words: Wording
    ) -> tuple[list[tuple[Incident, Notification]], dict[int, Suppression]]:
        """Return the notifications for a chat, each with its incident, and why others are not sent."""
        state, now = self._snapshot.state, self._snapshot.now()
        is_closed = self._recipients.subscriber(chat).is_closed
        planned: list[tuple[Incident, Notification]] = []
        held: dict[int, Suppression] = {}
        for record in self._book.all():
            incident = state.incidents.get(record.incident)
            if record.chat != chat or incident is None:
                continue
            notification, reason = self._plan(incident, record, words, now)
            if reason is not None:
                held[record.incident] = reason
            if notification is not None and not (is_closed and notification.edits is not None):
                planned.append((incident, notification))
        return planned, held

    def _plan(
        self, incident: Incident, record: DeliveryRecord, words: Wording, now: datetime
    ) -> tuple[Notification | None, Suppression | None]:
        """Return the next notification of an incident, or why it is not sent."""
        chat = record.chat
        if not any(self._waits.is_free(chat, record.incident, is_edit=each) for each in (False, True)):
            return None, self._waits.reason(chat) if is_unknown(incident, record) else None
        try:
            policy = self._policies.of(incident, chat, self._known_since(incident, chat))
            reason = suppression_of(incident, record, now, policy)
            notification = next_notification(incident, record, words, now, policy)
        except Exception:  # one incident that cannot be worded holds no other
            log.exception("chat %s: nothing can be said of #%d: a fault of ours", chat.place, record.incident)
            self._on_message(Kind.BREACH if incident.is_open else Kind.RECOVERY, "failed")
            for is_edit in (False, True):
                self._waits.fail(chat, record.incident, is_edit=is_edit)
            return None, Suppression.RETRY
        if notification is not None and not self._waits.is_free(
            chat, record.incident, is_edit=notification.edits is not None
        ):
            return None, reason if notification.edits is not None else self._waits.reason(chat)
        return notification, reason

    def _known_since(self, incident: Incident, chat: Address) -> datetime | None:
        """Return since when a first chat knows, for a second one; since the opening where none can know of it."""
        if chat not in self._rules.second_chats:
            return None
        first = [
            record
            for record in self._book.all()
            if record.incident == incident.number and record.chat not in self._rules.second_chats
        ]
        knowing = [record.breach_told_at for record in first if record.stage is Stage.OPENED and record.breach_told_at]
        if knowing:
            return min(knowing)
        can_be_reached = any(
            record.chat not in self._waits.unreachable and not self._waits.has_failed(record.chat, incident.number)
            for record in first
        )
        return None if can_be_reached else incident.opened_at


def _urgency(notification: Notification) -> int:
    """Return the order in which notifications go out: what makes a sound, then other new messages, then edits."""
    if notification.edits is not None:
        return 2
    return 0 if notification.loud else 1
