"""The second of the two loops: tell each recipient what it does not know yet, as soon as it may be told.

What is to be delivered is derived at every evaluation, from the incidents at hand and the recipients of the settings.
There is no queue: an attempt that fails leaves a difference between the truth and a delivery record, and when its wait
has run out the difference is delivered as it reads then. Each notification has a wait of its own and holds no other;
only a flood wait, which Telegram asks for, holds all sends of a chat, or all edits. A chat that refuses messages is
tried again by a schedule, and what others need to know of it is delivered to them. At the start each chat is tried
without a message, so that a wrong id is known before the first incident.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.chat.channel import Channel, ChannelError
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.keyboard import buttons_of
from wine_slo.slo.notification.plan import (
    DelayReason,
    DeliveryRecord,
    Kind,
    Notification,
    Policy,
    Stage,
    fold,
    next_notification,
    no_later_than,
    owes,
)
from wine_slo.slo.objectives.budget import burning
from wine_slo.slo.objectives.objective import Alert, Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import repeat_marked
from wine_slo.slo.text.wording import IncidentWording

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(seconds=2)
FIRST_WAIT_UNSURE = timedelta(seconds=15)  # what may have arrived is repeated at a pace that people bear
LONGEST_WAIT = timedelta(minutes=1)
REMIND_OF_OURS = timedelta(hours=4)  # of not seeing, or not being able to write down
LONGEST_FLOOD = timedelta(minutes=5)  # what Telegram asks for beyond is tried again all the same
LONG_FLOOD = timedelta(minutes=2)  # a chat that wants to be left alone for so long cannot be reached
FIRST_RETRY_CLOSED = timedelta(minutes=1)  # what refuses messages is tried again after so long, then twice that …
LONGEST_RETRY_CLOSED = timedelta(hours=1)
MANY_FAILURES = 6  # in a row, which take a minute or two, of a chat that has not been reached since the start
HEARD_PAUSE = timedelta(seconds=5)  # between two tries that people's messages lead to
MOST_MOVES = 3  # in a row; more is no group that has become a supergroup
ELSEWHERE = 0  # where a wait belongs to no incident; these are numbered from 1


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
    """

    at: datetime
    again_at: datetime
    failures: int
    openings: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When and where may be spoken, by the settings.

    Attributes:
        topics: The topic to which a forum is told, by its id.
        second_chats: The ids of chats that are told only of what nobody acknowledges in the others.
        escalate_after: After how long that is; None for never.
        quiet_hours: When nothing may make a sound; None for never.
        pages_in_quiet_hours: Whether what burns the error budget fast is told all the same.
        offers: What can be done by pressing a button.
    """

    topics: Mapping[int, int] = field(default_factory=dict)
    second_chats: Collection[int] = ()
    escalate_after: timedelta | None = None
    quiet_hours: QuietHours | None = None
    pages_in_quiet_hours: bool = True
    offers: Collection[str] = ()


class Dispatcher:
    """Delivers.

    Args:
        chat: Where it is delivered.
        recipients: To whom.
        speech: How things read in a language, by its code; the empty one is that of the settings.
        on_message: Called after each try with the notice's kind and the outcome: `told` or `failed`.

    Attributes:
        on_sent: Called with the address, the notice and the new message's id once that is delivered and recorded; it
            returns at once and never fails.
        acts: What people did.
        rules: When and where may be spoken.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        chat: Channel,
        ledger: Ledger,
        recipients: Recipients,
        speech: Callable[[str], Formatter],
        state: Callable[[], State],
        clock: Callable[[], datetime],
        on_message: Callable[[Kind, str], None],
        *,
        acts: Callable[[], Actions] = lambda: NO_ACTIONS,
        rules: Rules | None = None,
    ) -> None:
        self._acts = acts
        self._rules = rules or Rules()
        self._chat = chat
        self._ledger = ledger
        self._recipients = recipients
        self._told = {(each.incident, each.chat): each for each in recipients.records}
        self._speech = speech
        self._state = state
        self._clock = clock
        self._on_message = on_message
        self.on_sent: Callable[[int, Notification, int], None] = lambda _address, _notice, _message: None
        self._waits: dict[tuple[int, int, bool], _Wait] = {}  # by chat, incident, and whether it is an edit
        self._floods: dict[tuple[int, bool], datetime] = {}  # by chat, and whether it is about edits
        self._long_floods: dict[int, str] = {}  # what Telegram asked for, by chat
        self._refusals: dict[int, _Refusal] = {}
        self._unproven = dict.fromkeys(recipients, "")  # not reached since the start, and why not
        self._replaced: set[tuple[int, int, int]] = set()  # incident, chat and opening whose message was sent anew
        self._unwritten: dict[tuple[int, int], DeliveryRecord] = {}
        self._has_looked = asyncio.Event()
        self._news: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._telling: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._writing = asyncio.Lock()

    def hear(self) -> None:
        """Take note of an evaluation: record what each recipient is to know, and wake up."""
        for number, incident in self._state().incidents.items():
            for chat in self._recipients:
                if (number, chat) not in self._told and self._recipients.is_due(chat, incident):
                    self._told[number, chat] = self._unwritten[number, chat] = DeliveryRecord(
                        incident=number, chat=chat
                    )
        now = self._clock()
        self._told = {key: no_later_than(now, told) for key, told in self._told.items()}
        self._has_looked.set()
        self.wake()

    @property
    def beliefs(self) -> tuple[DeliveryRecord, ...]:
        """What every recipient believes of each incident at hand of which it is to know at present."""
        state, now, acts = self._state(), self._clock(), self._acts()
        due = []
        for told in self._records():
            incident = state.incidents.get(told.incident)
            if incident is None:
                continue
            knows = told.stage is Stage.OPENED or told.opening == incident.openings
            manner = self._manner(incident, told.chat, state, acts, now)
            if knows or not manner.is_second or owes(incident, told, now, manner):
                due.append(told)
        return tuple(due)

    @property
    def is_quiet(self) -> bool:
        """Whether quiet hours hold messages now."""
        quiet = self._rules.quiet_hours
        return quiet is not None and quiet.cover(self._clock())

    @property
    def acts(self) -> Actions:
        """What people did."""
        return self._acts()

    @property
    def untold_since(self) -> datetime | None:
        """Since when something has not been delivered: when the oldest such incident was opened or closed."""
        state, now, acts = self._state(), self._clock(), self._acts()
        waiting = []
        for told in self._records():
            incident = state.incidents.get(told.incident)
            if incident is not None and owes(incident, told, now, self._manner(incident, told.chat, state, acts, now)):
                waiting.append(incident.closed_at or incident.opened_at)
        return min(waiting, default=None)

    @property
    def unreachable(self) -> dict[int, str]:
        """Why each recipient that cannot be reached for minutes cannot be, by its id in the settings."""
        now = self._clock()
        floods = {
            chat: reason
            for chat, reason in self._long_floods.items()
            if now < self._floods[chat, False] + LONGEST_WAIT  # and the try that follows
        }
        return floods | self._recipients.closed

    @property
    def unreached(self) -> dict[int, str]:
        """The same, and why each recipient was never reached since the start, though it has been tried for a while."""
        failures = {chat: wait.failures for (chat, number, _), wait in self._waits.items() if number == ELSEWHERE}
        unproven = {chat: reason for chat, reason in self._unproven.items() if failures.get(chat, 0) >= MANY_FAILURES}
        return unproven | self.unreachable

    async def run(self) -> None:
        """Deliver whatever there is, for ever; after a start nothing is said before the first evaluation."""
        await self._has_looked.wait()
        async with asyncio.TaskGroup() as group:
            for chat in self._recipients:
                group.create_task(self._serve(chat), name=f"telling chat {chat}")

    async def _serve(self, chat: int) -> None:
        """Deliver to one chat, for ever; a chat that hangs holds no other."""
        news = self._news[chat]
        while True:
            news.clear()
            try:
                await self._tell_chat(chat)
                await self._write()
                pause = self._pause(chat)
            except Exception:  # whatever it is, it must not end what delivers
                log.exception(
                    "chat %d: delivery failed by a fault of ours; again in %.0f s", chat, LONGEST_WAIT.seconds
                )
                pause = LONGEST_WAIT.total_seconds()
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause)

    def _pause(self, chat: int) -> float | None:
        """How many seconds there is nothing to do in a chat; None where that is so until there is news."""
        now = self._clock()
        instants = [wait.until for (to, _, _), wait in self._waits.items() if to == chat]
        instants += [until for (to, _), until in self._floods.items() if to == chat]
        if chat in self._refusals:
            instants.append(self._refusals[chat].again_at)
        return min(((each - now).total_seconds() for each in instants if each > now), default=None)

    async def finish(self, within: float) -> None:
        """Let what is being told end, within so many seconds, and begin nothing more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(each.acquire() for each in self._telling.values())), within)

    async def revive(self, address: int) -> None:
        """Try a chat again that refuses messages: it has been heard from."""
        chat = self._recipients.standing_at(address).chat
        refusal = self._refusals.get(chat)
        if refusal is not None:
            again_at = min(refusal.again_at, max(self._clock(), refusal.at + HEARD_PAUSE))
            self._refusals[chat] = replace(refusal, again_at=again_at)
            self._news[chat].set()

    def speech(self, chat: int) -> Formatter:
        """How things read in a chat."""
        return self._speech(self._recipients.standing_at(chat).language)

    def known_in(self, address: int) -> frozenset[int]:
        """The numbers of the open incidents of which a chat was told, by where its people are heard."""
        chat = self._recipients.standing_at(address).chat
        told = (each for each in self._told.values() if each.chat == chat and each.stage is Stage.OPENED)
        return frozenset(each.incident for each in told)

    async def speak(self, chat: int, language: str) -> None:
        """Speak another language in a chat; what is open there is edited, quietly."""
        await self._recipients.keep(replace(self._recipients.standing_at(chat), language=language))
        self.wake()

    async def tell(self) -> None:
        """Deliver to every recipient what it does not know and may be told now."""
        await asyncio.gather(*(self._tell_chat(chat) for chat in self._recipients))
        await self._write()

    def wake(self) -> None:
        """Have everything compared anew."""
        incidents = self._state().incidents
        self._told = {key: told for key, told in self._told.items() if key[0] in incidents}
        self._waits = {key: wait for key, wait in self._waits.items() if key[1] in incidents or key[1] == ELSEWHERE}
        self._replaced = {key for key in self._replaced if key[0] in incidents}
        for chat in self._recipients:
            self._news[chat].set()

    def _records(self) -> Iterable[DeliveryRecord]:
        """The delivery records, in the order of the incidents' numbers."""
        chats = set(self._recipients)
        return [told for (_, chat), told in sorted(self._told.items()) if chat in chats]

    async def _tell_chat(self, chat: int) -> None:
        async with self._telling[chat]:
            await self._tell_now(chat)

    async def _tell_now(self, chat: int) -> None:
        moves = 0
        while self._may_try(chat) and (notice := self._next(chat)) is not None:
            address = self._recipients.standing(chat).address
            await self._try(chat, notice)
            moves += self._recipients.standing(chat).address != address
            if moves > MOST_MOVES:
                self._wait(chat, notice.after.incident, FIRST_WAIT, is_edit=notice.edits is not None)
        is_in_doubt = chat in self._unproven or self._recipients.standing(chat).is_closed
        is_free = self._is_free(chat, ELSEWHERE, is_edit=False) and not self._waits_at_all(chat)
        if is_in_doubt and is_free and self._may_try(chat):
            await self._reach(chat)
        if not self._recipients.standing(chat).is_closed:
            await self._announce(chat)

    def _may_try(self, chat: int) -> bool:
        """Whether a chat is to be tried now; one that refuses messages is by a schedule, and at each new incident."""
        refusal = self._refusals.get(chat)
        if refusal is None or not self._recipients.standing(chat).is_closed:
            return True
        is_over = _is_over(refusal.again_at, self._clock(), LONGEST_RETRY_CLOSED)
        return is_over or not self._openings() <= refusal.openings

    def _openings(self) -> frozenset[tuple[int, int]]:
        return frozenset((each.number, each.openings) for each in self._state().open_incidents)

    def _waits_at_all(self, chat: int) -> bool:
        now = self._clock()
        return any(
            to == chat and not _is_over(wait.until, now, LONGEST_WAIT) for (to, _, _), wait in self._waits.items()
        )

    async def _try(self, chat: int, notice: Notification) -> None:
        """Deliver one notification, or note why not and when it is tried again."""
        numbers = [each.incident for each in (notice.after, *notice.others)]
        is_edit = notice.edits is not None
        try:
            await self._say(chat, notice)
        except ChannelError as error:
            await self._fail(chat, error, notice.kind, numbers, is_edit=is_edit)
            return
        except Exception:
            log.exception("chat %d was not told (%s): a fault of ours", chat, notice.kind)
            self._on_message(notice.kind, "failed")
            for number in numbers:
                self._wait(chat, number, FIRST_WAIT, is_edit=is_edit)
            return
        self._on_message(notice.kind, "told")
        log.info("chat %d was told: %s of %s", chat, notice.kind, ", ".join(f"#{each}" for each in numbers))
        for number in numbers:
            self._waits.pop((chat, number, is_edit), None)
        if not is_edit:
            await self._has_arrived(chat)

    async def _has_arrived(self, chat: int) -> None:
        """Note that a chat accepts messages."""
        self._refusals.pop(chat, None)
        self._long_floods.pop(chat, None)
        self._unproven.pop(chat, None)
        await self._recipients.open(chat)

    async def _reach(self, chat: int) -> None:
        """Try a chat that refuses messages, or has not been tried since the start, and is owed none."""
        try:
            await self._chat.reach(self._recipients.standing(chat).address)
        except ChannelError as error:
            if chat in self._unproven:
                self._unproven[chat] = str(error)
            await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
        else:
            self._waits.pop((chat, ELSEWHERE, False), None)
            await self._has_arrived(chat)

    async def _close(self, chat: int, error: ChannelError) -> None:
        now, last = self._clock(), self._refusals.get(chat)
        failures = last.failures + 1 if last else 1
        wait = min(FIRST_RETRY_CLOSED * 2 ** min(failures - 1, 10), LONGEST_RETRY_CLOSED)
        self._refusals[chat] = _Refusal(now, now + wait, failures, self._openings())
        await self._recipients.close(chat, str(error) or "it gives no reason")
        for other in self._recipients:
            self._news[other].set()  # they are to know of it

    async def _announce(self, chat: int) -> None:
        """Let a recipient know once of each other one that cannot be reached."""
        for other, reason in self.unreachable.items():
            standing = self._recipients.standing(other)
            if other == chat or chat in standing.announced_to or not self._is_free(chat, ELSEWHERE, is_edit=False):
                continue
            text = Replies(self.speech(chat)).unreachable(standing.address, reason)
            try:
                await self._send(chat, text, loud=False)
            except ChannelError as error:
                await self._fail(chat, error, Kind.UNREACHABLE, [ELSEWHERE], is_edit=False)
                return
            self._on_message(Kind.UNREACHABLE, "told")
            standing = self._recipients.standing(other)
            await self._recipients.keep(replace(standing, announced_to=(*standing.announced_to, chat)))

    def _is_free(self, chat: int, number: int, *, is_edit: bool) -> bool:
        """Whether nothing that is to be sent in a chat, or edited, has to wait."""
        now = self._clock()
        wait, flood = self._waits.get((chat, number, is_edit)), self._floods.get((chat, is_edit))
        return (wait is None or _is_over(wait.until, now, LONGEST_WAIT)) and (
            flood is None or _is_over(flood, now, LONGEST_FLOOD)
        )

    def _next(self, chat: int) -> Notification | None:
        """The next notification for a chat that does not have to wait; only new messages while it refuses them."""
        state, now, speech, acts = self._state(), self._clock(), self.speech(chat), self._acts()
        words = IncidentWording(speech, state, now, acts)
        is_closed = self._recipients.standing(chat).is_closed
        notices = []
        for told in self._records():
            incident = state.incidents.get(told.incident)
            if told.chat != chat or incident is None:
                continue
            if not any(self._is_free(chat, told.incident, is_edit=each) for each in (False, True)):
                continue
            try:
                manner = self._manner(incident, chat, state, acts, now)
                notice = next_notification(incident, told, words, now, manner)
            except Exception:  # one incident that cannot be worded holds no other
                log.exception("chat %d: nothing can be said of #%d: a fault of ours", chat, told.incident)
                self._on_message(Kind.BREACH if incident.is_open else Kind.RECOVERY, "failed")
                for is_edit in (False, True):
                    self._wait(chat, told.incident, FIRST_WAIT, is_edit=is_edit)
                continue
            if notice is None or (is_closed and notice.edits is not None):
                continue
            if self._is_free(chat, told.incident, is_edit=notice.edits is not None):
                notices.append((incident, notice))
        try:
            folded = fold(notices, words)
        except Exception:
            log.exception("chat %d: what is too much at once is told one by one: a fault of ours", chat)
            folded = None
        return folded or next((notice for _, notice in notices), None)

    def _manner(self, incident: Incident, chat: int, state: State, acts: Actions, now: datetime) -> Policy:
        """How an incident may be spoken of in a chat now."""
        rules, speech = self._rules, self.speech(chat)
        objective = speech.objectives.of(incident.key)
        quiet = rules.quiet_hours
        withheld = DelayReason.OUTAGE
        if acts.had_silence(incident, state.incidents):
            withheld = DelayReason.SILENCE
        elif quiet is not None and quiet.cover(incident.opened_at):
            withheld = DelayReason.QUIET_HOURS
        is_second = chat in rules.second_chats
        return Policy(
            remind_after=objective.remind_after if objective else REMIND_OF_OURS,
            escalate_after=rules.escalate_after,
            hushed=state.is_blind and not incident.key.is_own,
            is_silenced=acts.silence_of(incident, state.incidents, now) is not None,
            silenced_until=acts.ran_out(incident.key, now),
            is_quiet=(
                quiet is not None
                and quiet.cover(now)
                and not (rules.pages_in_quiet_hours and _is_page(incident, objective))
            ),
            is_acknowledged=acts.acknowledgement(incident) is not None,
            given_up_at=acts.given_up_at(incident),
            is_second=is_second,
            known_since=self._known_since(incident) if is_second else None,
            withheld=withheld,
            buttons=buttons_of(incident, acts, state.incidents, speech.objectives, now, rules.offers, speech.say),
        )

    def _known_since(self, incident: Incident) -> datetime | None:
        """Since when a first chat knows that an incident is open; where none can be told, since it is open."""
        first = [
            told
            for told in self._records()
            if told.incident == incident.number and told.chat not in self._rules.second_chats
        ]
        knowing = [told.breach_told_at for told in first if told.stage is Stage.OPENED and told.breach_told_at]
        if knowing:
            return min(knowing)
        can_be_told = any(
            told.chat not in self.unreachable and (told.chat, incident.number, False) not in self._waits
            for told in first
        )
        return None if can_be_told else incident.opened_at

    async def _send(
        self, chat: int, text: str, *, loud: bool, reply_to: int | None = None, buttons: Keyboard = ()
    ) -> int:
        """Send a new message to a recipient, wherever it is now, and return its id.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        return await self._chat.send(
            self._recipients.standing(chat).address,
            text,
            topic=self._rules.topics.get(chat),
            reply_to=reply_to,
            loud=loud,
            buttons=buttons,
        )

    async def _say(self, chat: int, notice: Notification) -> None:
        """Tell one notice, then mark it told.

        Raises:
            ChannelError: It was not told, or perhaps not.
        """
        if notice.edits is not None:
            await self._edit(chat, notice, notice.edits)
            return
        # Telegram has no idempotency key: a crash from here to the mark below repeats this message, and says so.
        beliefs = [self._told[each.incident, chat] for each in (notice.after, *notice.others)]
        await self._mark(replace(each, perhaps_sent=True) for each in beliefs)
        text = notice.text
        if any(each.perhaps_sent for each in beliefs):
            text = repeat_marked(self.speech(chat), text)
        try:
            message = await self._send(chat, text, loud=notice.loud, reply_to=notice.reply_to, buttons=notice.buttons)
        except ChannelError as error:
            if error.surely_not_sent:
                await self._mark(beliefs)  # but an earlier try may have arrived
            raise
        await self._mark(notice.told(message))
        self.on_sent(self._recipients.standing(chat).address, notice, message)

    async def _edit(self, chat: int, notice: Notification, message: int) -> None:
        """Edit a message, then record it; one that cannot be edited is sent anew, or given up.

        Raises:
            ChannelError: It was not edited, or perhaps not.
        """
        address, told = self._recipients.standing(chat).address, notice.after
        try:
            await self._chat.edit(address, message, notice.text, buttons=notice.buttons)
        except ChannelError as error:
            if error.permanent:
                await self._chat.reach(address)  # it may be the chat that refuses, and not the edit
            elif not error.message_gone:
                raise
            log.warning("chat %d: message %d cannot be edited: %s", chat, message, error)
            incident = self._state().incidents.get(told.incident)
            replaced = (told.incident, chat, told.opening)
            # An open incident needs a message, but not one a minute; of a closed one enough has been said.
            if notice.kind is Kind.EDIT and replaced not in self._replaced and incident is not None:
                fresh = await self._send(chat, notice.text, loud=False, buttons=notice.buttons)
                self._replaced.add(replaced)
                told = replace(told, message=fresh)
        await self._mark([told])

    async def _mark(self, beliefs: Iterable[DeliveryRecord]) -> None:
        """Keep what a chat believes now, and write it down."""
        for told in beliefs:
            self._told[told.incident, told.chat] = told
            self._unwritten[told.incident, told.chat] = told
        await self._write()

    async def _write(self) -> None:
        """Write down what is not written yet; what cannot be is tried again with the next."""
        async with self._writing:  # one after the other, so that no older belief is written over a newer one
            waiting = list(self._unwritten.values())
            if not waiting:
                return
            try:
                await asyncio.to_thread(self._ledger.mark, waiting)
            except LedgerError as error:
                log.error("%s; a restart now would tell some things once more", error)  # noqa: TRY400 - expected
                return
            for told in waiting:
                if self._unwritten.get((told.incident, told.chat)) is told:
                    del self._unwritten[told.incident, told.chat]

    async def _fail(self, chat: int, error: ChannelError, kind: Kind, numbers: Iterable[int], *, is_edit: bool) -> None:
        """Note what a failure means for a chat, or for what was tried: the notification of these incidents."""
        self._on_message(kind, "failed")
        if error.moved_to not in (None, self._recipients.standing(chat).address):
            await self._recipients.move(chat, error.moved_to)
        elif error.permanent:
            await self._close(chat, error)
        elif error.retry_after is not None:
            self._flood(chat, error, error.retry_after, is_edit=is_edit)
        else:
            first = FIRST_WAIT if error.surely_not_sent or is_edit else FIRST_WAIT_UNSURE
            waits = [self._wait(chat, each, first, is_edit=is_edit) for each in numbers]
            again = min(waits).total_seconds()
            log.warning("chat %d was not told (%s): %s; again in %.0f s", chat, kind, error, again)

    def _flood(self, chat: int, error: ChannelError, wait: timedelta, *, is_edit: bool) -> None:
        """Send nothing into a chat, or edit nothing there, for as long as Telegram asks."""
        self._floods[chat, is_edit] = self._clock() + wait
        log.warning("chat %d %s: %s", chat, "must not be edited in" if is_edit else "must be left alone", error)
        if not is_edit and wait >= LONG_FLOOD:
            self._long_floods[chat] = str(error)
            for other in self._recipients:
                self._news[other].set()

    def _wait(self, chat: int, number: int, first: timedelta, *, is_edit: bool) -> timedelta:
        """Try one notification again later, and later each time; return how much."""
        last = self._waits.get((chat, number, is_edit))
        failures = last.failures + 1 if last else 1
        doubled = min(failures - 1, 10)  # no timedelta holds two seconds doubled for every try of a long outage
        wait: timedelta = min(first * 2**doubled, LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        self._waits[chat, number, is_edit] = _Wait(self._clock() + wait, failures)
        return wait


def _is_over(until: datetime, now: datetime, longest: timedelta) -> bool:
    """Whether a wait is over; one that would last longer than any was begun by a clock that has been set back since."""
    return not timedelta(0) < until - now <= longest


def _is_page(incident: Incident, objective: Objective | None) -> bool:
    """Whether an incident burns the error budget so fast that somebody must act, whatever it is about."""
    if incident.key.alert is not Alert.BREACH:
        return incident.key.alert is Alert.PAGE
    if objective is None or incident.budget is None:
        return False
    return burning(objective, incident.budget, Alert.PAGE) is not None
