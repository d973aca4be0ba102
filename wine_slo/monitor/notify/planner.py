"""What each recipient is to receive next, and why something is not sent to it at present."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Policies, Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.notify.records import DeliveryRecords
from wine_slo.monitor.notify.waits import Due, Waits
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError
from wine_slo.slo.chat.messages import Button, Keyboard
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.notification.keyboard import storm_buttons
from wine_slo.slo.notification.plan import STORM, Notification, Wording, next_notification
from wine_slo.slo.notification.policy import Policy, Suppression, is_unknown, owes, suppression_of
from wine_slo.slo.notification.record import DeliveryRecord, Kind, Stage
from wine_slo.slo.notification.runbook import Section
from wine_slo.slo.notification.storm import MOST_NEW, Member, Storm, family_of, onsets, recent_messages
from wine_slo.slo.notification.storm_messages import (
    Buttons,
    begun,
    has_own_message,
    is_settling,
    joined,
    missed,
    next_of_storm,
    together_again,
)
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.text.wording import IncidentWording

OnSuppressed = Callable[[Suppression], None]
T = TypeVar("T")

AT_A_TIME = 250  # records that are compared before all else has its turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One comparison of what there is with what a chat has received.

    Attributes:
        chat: The chat.
        words: How things read there.
        now: The instant.
        held: Why something is not sent, by the number of its incident; it is filled on the way.
    """

    chat: Address
    words: Wording
    now: datetime
    held: dict[int, Suppression] = field(default_factory=dict)


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
        can_edit: Whether the messages of a recipient can be edited.
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
        can_edit: Callable[[Address], bool],
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
        self._has_edits = can_edit
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
            is_second = record.chat in self._rules.second_chats
            if knows or not is_second or owes(incident, record, now, self._policy(incident, record.chat)):
                due.append(record)
        return tuple(due)

    @property
    def undelivered_since(self) -> datetime | None:
        """Return since when something has not been delivered: when the oldest such incident was opened or closed."""
        state, now = self._snapshot.state, self._snapshot.now()
        waiting = [
            (incident.closed_at or incident.opened_at, incident, record)
            for record in self._book.all()
            if (incident := state.incidents.get(record.incident)) is not None
            and is_unknown(incident, record)
            and not is_settling(incident, record, now)
        ]
        waiting.sort(key=lambda each: each[0])
        owed = (at for at, incident, each in waiting if owes(incident, each, now, self._policy(incident, each.chat)))
        return next(owed, None)

    def suppressed(self, chat: Address) -> Mapping[int, Suppression]:
        """Return why notifications are not sent to a chat at present, by the number of the incident."""
        return self._suppressed.get(self._recipients.subscriber_at(chat).chat, {})

    def _note_suppressed(self, chat: Address, held: dict[int, Suppression]) -> None:
        """Keep why notifications are not sent to a chat, and count what is new of it."""
        before, self._suppressed[chat] = self._suppressed.get(chat, {}), held
        for number, reason in held.items():
            if before.get(number) is not reason and self._on_suppressed is not None:
                self._on_suppressed(reason)

    async def due(self, chat: Address) -> Due:
        """Return the new messages that are due in a chat and do not have to wait."""
        planned, _ = await self._planned(chat)
        return frozenset(
            (record.incident, record.opening, notification.kind)
            for notification in planned
            if notification.edits is None
            for record in (notification.after, *notification.others)
        )

    async def next(self, chat: Address) -> Notification | None:
        """Return the next notification for a chat that need not wait; only new messages while it refuses them."""
        planned, held = await self._planned(chat)
        self._note_suppressed(chat, held)
        return min(planned, key=_urgency, default=None)

    async def _planned(self, chat: Address) -> tuple[list[Notification], dict[int, Suppression]]:
        """Return the notifications for a chat, and why others are not sent."""
        state, now, fmt = self._snapshot.state, self._snapshot.now(), self._localizer.fmt(chat)
        words = IncidentWording(fmt, state, now, self._journal.actions)
        this = _Pass(chat=chat, words=words, now=now)
        plain, sharing, begun_ones, late = await self._sorted(this, state)
        storms = [Storm(message=message, members=tuple(those)) for message, those in sorted(sharing.items())]
        planned = [each for member in plain if (each := self._single(member, this)) is not None]
        if (group := await _worded(lambda: together_again(planned, words), len(planned))) is not None:
            numbers = {group.after.incident, *(each.incident for each in group.others)}
            planned = [(member, each) for member, each in planned if member.incident.number not in numbers]
        found = [] if group is None else [group]
        found += [each for _, each in planned]
        can_edit = self._can_edit(chat)
        found += await self._of_onsets(
            begun_ones, storms if can_edit else (), this
        )  # before edits that bring nothing new
        for storm in storms:
            if len(storm.members) > 1:
                found += await self._of_storm(storm, this, can_edit=can_edit)
        many = [each for each in late if family_of(each.incident)]
        if len(many) > STORM:
            found += await self._together(lambda: missed(many, words, now), many, this)
            late = [each for each in late if not family_of(each.incident)]
        found += self._singly(late, this)
        is_closed = self._recipients.subscriber(chat).is_closed
        return [each for each in found if not (is_closed and each.edits is not None)], this.held

    async def _sorted(
        self, this: _Pass, state: State
    ) -> tuple[list[Member], dict[int, list[Member]], list[Member], list[Member]]:
        """Return what a chat has received, and is to receive, by how it is planned.

        That is: incidents with a message of their own; those that share one, by its id; breaches of which it knows
        nothing; incidents that are over and of which it knows nothing.

        Args:
            this: The pass.
            state: What is known.
        """
        chat, held = this.chat, this.held
        plain, begun_ones, late = list[Member](), list[Member](), list[Member]()
        sharing: dict[int, list[Member]] = {}
        for place, record in enumerate(list(self._book.in_chat(chat)), 1):
            if place % AT_A_TIME == 0:
                await asyncio.sleep(0)
            incident = state.incidents.get(record.incident)
            if incident is None:
                continue
            is_unsaid = is_unknown(incident, record)
            if not self._waits.is_free(chat, record.incident, is_edit=False) and is_unsaid:
                held[record.incident] = self._waits.reason(chat)
            policy = self._policy(incident, chat)
            reason = suppression_of(incident, record, this.now, policy)
            if reason is not None:
                held.setdefault(record.incident, reason)
            member = Member(incident=incident, record=record, policy=policy)
            is_shared = record.is_folded and record.message is not None and record.stage is not Stage.NOTHING
            if is_shared and record.message is not None:
                sharing.setdefault(record.message, []).append(member)
            if is_unsaid and record.stage is not Stage.OPENED:
                if reason is None and self._waits.is_free(chat, record.incident, is_edit=False):
                    (begun_ones if incident.is_open else late).append(member)
            elif not is_shared:
                plain.append(member)
        lone = [those[0] for those in sharing.values() if len(those) == 1]
        plain += [each for each in lone if has_own_message(each, this.now)]
        return plain, sharing, begun_ones, late

    def _policy(self, incident: Incident, chat: Address) -> Policy:
        return self._policies.of(incident, chat, self._known_since(incident, chat), has_buttons=False)

    def _can_edit(self, chat: Address) -> bool:
        """Return whether breaches may be brought into a message by editing it."""
        try:
            return self._has_edits(chat)
        except ChannelError:
            return False

    def _single(self, member: Member, this: _Pass) -> tuple[Member, Notification] | None:
        """Return the next notification of an incident with a message of its own; None where there is none now."""
        incident, record = member.incident, member.record
        chat, number = record.chat, incident.number
        if not any(self._waits.is_free(chat, number, is_edit=each) for each in (False, True)):
            return None
        try:
            policy = self._policies.of(incident, chat, self._known_since(incident, chat))
            notification = next_notification(incident, replace(record, is_folded=False), this.words, this.now, policy)
        except Exception:  # one incident that cannot be worded holds no other
            log.exception("chat %s: nothing can be said of #%d: a fault of ours", chat.place, number)
            self._on_message(Kind.BREACH if incident.is_open else Kind.RECOVERY, "failed")
            for is_edit in (False, True):
                self._waits.fail(chat, [number], is_edit=is_edit)
            this.held[number] = Suppression.RETRY
            return None
        if notification is None:
            return None
        if not self._waits.is_free(chat, number, is_edit=notification.edits is not None):
            if notification.edits is None:
                this.held[number] = self._waits.reason(chat)
            return None
        after = replace(notification.after, is_folded=record.is_folded)  # others may still come into that message
        return member, replace(notification, after=after)

    def _singly(self, those: Iterable[Member], this: _Pass) -> list[Notification]:
        found = (self._single(each, this) for each in those)
        return [each[1] for each in found if each is not None]

    async def _together(
        self, make: Callable[[], Notification], those: Sequence[Member], this: _Pass
    ) -> list[Notification]:
        """Return one notification of many incidents; one by one where it cannot be worded."""
        try:
            group = await _worded(make, len(those))
        except Exception:
            chat = those[0].record.chat
            log.exception("chat %s: what is too much at once is sent one by one: a fault of ours", chat.place)
            return self._singly(those, this)
        this.held.update(dict.fromkeys((each.incident for each in group.others), Suppression.GROUPED))
        return [group]

    async def _of_storm(
        self,
        storm: Storm,
        this: _Pass,
        *,
        can_edit: bool,
    ) -> list[Notification]:
        """Return what is to be said of incidents that share a message and need not wait."""
        chat, numbers = this.chat, [each.incident.number for each in storm.members]
        for each in numbers[1:]:
            this.held.setdefault(each, Suppression.GROUPED)
        try:
            buttons = self._buttons(chat)
            found = await _worded(
                lambda: next_of_storm(storm, this.words, buttons, this.now, edits=can_edit), len(storm.members)
            )
        except Exception:
            log.exception("chat %s: nothing can be said of many incidents at once: a fault of ours", chat.place)
            for is_edit in (False, True):
                self._waits.fail(chat, numbers, is_edit=is_edit)
            return []
        return [each for each in found if self._is_free(chat, each)]

    async def _of_onsets(
        self,
        due: Sequence[Member],
        storms: Iterable[Storm],
        this: _Pass,
    ) -> list[Notification]:
        """Return how the breaches that are due are sent: one by one, in one message, or into one that there is."""
        if not due:
            return []
        chat, state = this.chat, self._snapshot.state
        objectives = self._localizer.fmt(chat).objectives
        recent = recent_messages(self._book.in_chat(chat), this.now)
        if self._waits.is_flooded(chat, is_edit=True) and recent < MOST_NEW:
            storms = ()
        suspicious = Counter(key.objective for key, each in state.tracks.items() if each.phase is Phase.BREACHING)
        found: list[Notification] = []

        def job_of(key: Key) -> str:
            objective = objectives.of(key)
            return objective.job if objective else dict(key.labels).get("job", "")

        buttons = self._buttons(chat)
        for onset in onsets(due, storms, this.now, recent=recent, suspicious=suspicious, job_of=job_of):
            found += self._singly(onset.single, this)
            if onset.together:
                found += await self._in_one(onset.together, buttons, this)
            if onset.joining and (storm := onset.storm) is not None:
                joining, count = onset.joining, len(onset.joining) + len(storm.members)
                edit = await _worded(partial(joined, storm, joining, this.words, buttons, this.now), count)
                this.held.update(dict.fromkeys((each.incident.number for each in onset.joining), Suppression.GROUPED))
                found += [edit] if edit is not None and self._is_free(chat, edit) else []
        return found

    async def _in_one(self, those: Sequence[Member], buttons: Buttons, this: _Pass) -> list[Notification]:
        """Return one message for breaches; of a single one its own, into which others can come."""
        if len(those) > 1:
            return await self._together(lambda: begun(those, this.words, buttons, this.now), those, this)
        return [replace(each, after=replace(each.after, is_folded=True)) for each in self._singly(those, this)]

    def _is_free(self, chat: Address, notification: Notification) -> bool:
        return self._waits.is_free(chat, notification.after.incident, is_edit=notification.edits is not None)

    def _buttons(self, chat: Address) -> Buttons:
        """Return what says which buttons are under a message about many incidents."""
        say, rules = self._localizer.fmt(chat).say, self._rules
        runbook = rules.runbook.of(Section.MANY)
        links = ((say("Status page"), rules.status_page), (say("Runbook"), runbook))
        row = tuple(Button(label, url=url) for label, url in links if url)

        def buttons(members: Sequence[Member]) -> Keyboard:
            still = [each for each in members if each.incident.is_open]
            return storm_buttons(
                min(each.incident.number for each in members),
                rules.offers,
                say,
                (row,) if row else (),
                acknowledged=sum(each.policy.is_acknowledged for each in members),
                is_acknowledged=all(each.policy.is_acknowledged for each in still),
            )

        return buttons

    def _known_since(self, incident: Incident, chat: Address) -> datetime | None:
        """Return since when a first chat knows, for a second one; since the opening where none can know of it."""
        if chat not in self._rules.second_chats:
            return None
        first = [
            record for record in self._book.of_incident(incident.number) if record.chat not in self._rules.second_chats
        ]
        knowing = [record.breach_told_at for record in first if record.stage is Stage.OPENED and record.breach_told_at]
        if knowing:
            return min(knowing)
        can_be_reached = any(
            record.chat not in self._waits.unreachable and not self._waits.has_failed(record.chat, incident.number)
            for record in first
        )
        return None if can_be_reached else incident.opened_at


async def _worded(make: Callable[[], T], count: int) -> T:
    """Return what is made of so many incidents: of many beside the event loop, which has its turn meanwhile."""
    return await asyncio.to_thread(make) if count > AT_A_TIME else make()


def _urgency(notification: Notification) -> int:
    """Return the order in which notifications go out: what makes a sound, then other new messages, then edits."""
    if notification.edits is not None:
        return 2
    return 0 if notification.loud else 1
