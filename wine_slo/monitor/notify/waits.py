"""When a recipient may be tried again: after a failed attempt, in a flood wait, and while it refuses messages."""

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.backoff import Backoff
from wine_slo.slo.chat.address import Address
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import Kind

FIRST_WAIT = timedelta(seconds=2)
FIRST_WAIT_UNSURE = timedelta(seconds=15)  # what may have arrived is repeated as seldom as people bear
LONGEST_WAIT = timedelta(minutes=1)
LONGEST_FLOOD = timedelta(minutes=5)  # after a longer wait of Telegram's it is tried again all the same
LONG_FLOOD = timedelta(minutes=2)  # a chat that wants to be left alone for so long cannot be reached
LONGEST_RETRY_CLOSED = timedelta(hours=1)
CLOSED = Backoff(timedelta(minutes=1), LONGEST_RETRY_CLOSED)  # what refuses messages is tried again after so long
CONTACT_PAUSE = timedelta(seconds=5)  # between two tries that people's messages lead to
ELSEWHERE = 0  # where a wait belongs to no incident; these are numbered from 1
MANY_FAILURES = 6  # in a row, which take a minute or two, of a chat that has not been reached since the start

Due = frozenset[tuple[int, int, Kind]]  # new messages: of which incident, its opening, and what each is for


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when something is not tried again, and how often in a row it has failed."""

    until: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The last try to reach a chat that refuses messages.

    Attributes:
        at: When that was.
        again_at: When it is tried again.
        failures: How often in a row it has failed.
        openings: Which incidents were open then, and how often each had been opened; a new one is a reason to try.
        due: The new messages that were due then; one more is a reason to try as well.
    """

    at: datetime
    again_at: datetime
    failures: int
    openings: frozenset[tuple[int, int]]
    due: Due


class Waits:
    """Keep until when each recipient is left alone; each notification has a wait of its own and holds no other.

    Args:
        recipients: Know which of them refuse messages.
        snapshot: What is known now.
    """

    def __init__(self, recipients: Recipients, snapshot: Snapshot) -> None:
        self._recipients = recipients
        self._snapshot = snapshot
        self._waits: dict[tuple[Address, int, bool], _Wait] = {}  # by chat, incident, and whether it is an edit
        self._floods: dict[tuple[Address, bool], datetime] = {}  # by chat, and whether it is about edits
        self._long_floods: dict[Address, str] = {}  # what Telegram required, by chat
        self._refusals: dict[Address, _Refusal] = {}
        self._contacted_at: dict[Address, datetime] = {}  # when an update came from a recipient
        self._unproven = dict.fromkeys(recipients, "")  # not reached since the start, and why not

    @property
    def unreachable(self) -> dict[Address, str]:
        """Return why each recipient that cannot be reached for minutes cannot be, by its id in the settings."""
        now = self._snapshot.now()
        floods = {
            chat: reason
            for chat, reason in self._long_floods.items()
            if now < self._floods[chat, False] + LONGEST_WAIT  # and the try that follows
        }
        return floods | self._recipients.closed

    @property
    def unreached(self) -> dict[Address, str]:
        """Return why each recipient was never reached since the start, though it has been tried for a while."""
        failures = {chat: wait.failures for (chat, number, _), wait in self._waits.items() if number == ELSEWHERE}
        unproven = {chat: reason for chat, reason in self._unproven.items() if failures.get(chat, 0) >= MANY_FAILURES}
        return unproven | self.unreachable

    def is_in_doubt(self, chat: Address) -> bool:
        """Return whether it is not known that a chat accepts messages."""
        return chat in self._unproven or self._recipients.subscriber(chat).is_closed

    async def may_try(self, chat: Address, due: Callable[[], Awaitable[Due]]) -> bool:
        """Return whether a chat is tried now.

        One that refuses messages is tried by a schedule, at each new incident, and whenever a new message falls due.
        """
        refusal = self._refusals.get(chat)
        if refusal is None or not self._recipients.subscriber(chat).is_closed:
            return True
        is_over = _is_over(refusal.again_at, self._snapshot.now(), LONGEST_RETRY_CLOSED)
        return is_over or not self._openings() <= refusal.openings or not await due() <= refusal.due

    def is_free(self, chat: Address, number: int, *, is_edit: bool) -> bool:
        """Return whether nothing that is to be sent in a chat, or edited, has to wait."""
        now = self._snapshot.now()
        wait, flood = self._waits.get((chat, number, is_edit)), self._floods.get((chat, is_edit))
        return (wait is None or _is_over(wait.until, now, LONGEST_WAIT)) and (
            flood is None or _is_over(flood, now, LONGEST_FLOOD)
        )

    def is_flooded(self, chat: Address, *, is_edit: bool) -> bool:
        """Return whether Telegram requires that nothing is sent in a chat, or edited."""
        flood = self._floods.get((chat, is_edit))
        return flood is not None and not _is_over(flood, self._snapshot.now(), LONGEST_FLOOD)

    def has_failed(self, chat: Address, number: int) -> bool:
        """Return whether the last attempt to send a new message of an incident failed."""
        return (chat, number, False) in self._waits

    def are_any(self, chat: Address) -> bool:
        """Return whether anything has to wait in a chat."""
        now = self._snapshot.now()
        return any(
            to == chat and not _is_over(wait.until, now, LONGEST_WAIT) for (to, _, _), wait in self._waits.items()
        )

    def reason(self, chat: Address) -> Suppression:
        """Return why a new message has to wait."""
        return Suppression.FLOOD_WAIT if self.is_flooded(chat, is_edit=False) else Suppression.RETRY

    def pause(self, chat: Address, compared_at: datetime) -> float | None:
        """Return for how many seconds there is nothing to do in a chat; None where that is so until there is news.

        A wait that has ended since all was compared the last time is over at once.
        """
        instants = [wait.until for (to, _, _), wait in self._waits.items() if to == chat]
        instants += [until for (to, _), until in self._floods.items() if to == chat]
        if chat in self._refusals:
            instants.append(self._refusals[chat].again_at)
        until = min((each for each in instants if each > compared_at), default=None)
        return None if until is None else max(0.0, (until - self._snapshot.now()).total_seconds())

    def forget_closed(self) -> None:
        """Forget the waits of incidents that are not at hand any more."""
        incidents = self._snapshot.state.incidents
        self._waits = {key: wait for key, wait in self._waits.items() if key[1] in incidents or key[1] == ELSEWHERE}

    def fail(self, chat: Address, numbers: Iterable[int], first: timedelta = FIRST_WAIT, *, is_edit: bool) -> timedelta:
        """Have a notification tried again later, and later each time; return how much.

        Args:
            chat: Where.
            numbers: Of the incidents that it is about; they are tried again together.
            first: How much later after the first failure.
            is_edit: Whether it is an edit.
        """
        those = [(chat, number, is_edit) for number in numbers]
        failures = 1 + max((self._waits[each].failures for each in those if each in self._waits), default=0)
        wait = Backoff(first, LONGEST_WAIT).wait(failures, random.uniform(0.5, 1))  # noqa: S311 - jitter
        self._waits |= dict.fromkeys(those, _Wait(self._snapshot.now() + wait, failures))
        return wait

    def succeed(self, chat: Address, number: int, *, is_edit: bool) -> None:
        """Note that a notification was delivered."""
        self._waits.pop((chat, number, is_edit), None)

    def flood(self, chat: Address, reason: str, wait: timedelta, *, is_edit: bool) -> bool:
        """Leave a chat alone, or edit nothing there, for so long; return whether it cannot be reached so long."""
        self._floods[chat, is_edit] = self._snapshot.now() + wait
        if is_edit or wait < LONG_FLOOD:
            return False
        self._long_floods[chat] = reason
        return True

    def refuse(self, chat: Address, due: Due, tried_at: datetime) -> None:
        """Note that a chat refuses messages, and which new ones were due there.

        What came from it while it was being tried is a reason to try it again soon: it may accept them since.

        Args:
            chat: Which.
            due: The new messages that are due there.
            tried_at: When the try began that was refused.
        """
        now, last = self._snapshot.now(), self._refusals.get(chat)
        failures = last.failures + 1 if last else 1
        contacted_at = self._contacted_at.get(chat)
        wait = CLOSED.wait(failures) if contacted_at is None or contacted_at < tried_at else CONTACT_PAUSE
        self._refusals[chat] = _Refusal(now, now + wait, failures, self._openings(), due)

    def doubt(self, chat: Address, reason: str) -> None:
        """Note why a chat could not be reached, where it has not been since the start."""
        if chat in self._unproven:
            self._unproven[chat] = reason

    def accept(self, chat: Address) -> None:
        """Note that a chat accepts messages."""
        self._refusals.pop(chat, None)
        self._long_floods.pop(chat, None)
        self._unproven.pop(chat, None)

    def revive(self, chat: Address) -> bool:
        """Try a chat that refuses messages soon; return whether it is one."""
        if chat in self._recipients:
            self._contacted_at[chat] = self._snapshot.now()
        refusal = self._refusals.get(chat)
        if refusal is None:
            return False
        again_at = min(refusal.again_at, max(self._snapshot.now(), refusal.at + CONTACT_PAUSE))
        self._refusals[chat] = replace(refusal, again_at=again_at)
        return True

    def _openings(self) -> frozenset[tuple[int, int]]:
        return frozenset((each.number, each.openings) for each in self._snapshot.state.open_incidents)


def _is_over(until: datetime, now: datetime, longest: timedelta) -> bool:
    """Return whether a wait is over.

    One that would last longer than any was begun by a clock that has been set back since.
    """
    return not timedelta(0) < until - now <= longest
