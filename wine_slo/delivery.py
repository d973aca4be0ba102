"""The second of the two loops: tell each chat what it does not know yet, as soon as there is something and it may be.

One chat's trouble is that chat's alone. There is no queue: a try that fails leaves a difference between the truth
and what the chat believes, and when its wait has run out the difference is told as it reads then.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from wine_slo.adapters.ledger import Ledger, LedgerError, Memory
from wine_slo.domain.acts import NO_ACTS, Acts
from wine_slo.domain.budget import burning
from wine_slo.domain.buttons import buttons_of
from wine_slo.domain.chat import Chat, ChatError, Standing
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import QuietHours
from wine_slo.domain.notice import Kind, Manner, Notice, Stage, Told, Withheld, fold, next_notice, owes
from wine_slo.domain.objective import Alert, Objective
from wine_slo.domain.watch import SIGHT, State
from wine_slo.domain.words import Speech

log = logging.getLogger(__name__)

FIRST_WAIT = timedelta(seconds=2)
FIRST_WAIT_UNSURE = timedelta(seconds=15)  # what may have arrived is repeated at a pace that people bear
LONGEST_WAIT = timedelta(minutes=1)
REMIND_OF_OURS = timedelta(hours=4)  # of not seeing, or not being able to write down


@dataclass(frozen=True, slots=True)
class _Wait:
    """Until when a chat is left alone, and how often in a row it has failed."""

    until: datetime
    failures: int


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


class Delivery:
    """Tells.

    Args:
        chat: Where it is told.
        memory: What is believed already, from the ledger.
        speech: How things read in a language, by its code; the empty one is that of the settings.
        on_message: Called after each try with the notice's kind and the outcome: `told` or `failed`.

    Attributes:
        on_sent: Called with the address, the notice and the new message's id once that is told and marked; it returns
            at once and never fails.
        acts: What people did.
        rules: When and where may be spoken.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        chat: Chat,
        ledger: Ledger,
        memory: Memory,
        speech: Callable[[str], Speech],
        state: Callable[[], State],
        clock: Callable[[], datetime],
        on_message: Callable[[Kind, str], None],
        *,
        acts: Callable[[], Acts] = lambda: NO_ACTS,
        rules: Rules | None = None,
    ) -> None:
        self._acts = acts
        self._rules = rules or Rules()
        self._chat = chat
        self._ledger = ledger
        self._told = {(each.incident, each.chat): each for each in memory.told}
        self._speech = speech
        self._state = state
        self._clock = clock
        self._on_message = on_message
        self.on_sent: Callable[[int, Notice, int], None] = lambda _address, _notice, _message: None
        self._standings = {each.chat: each for each in memory.standings}
        self._waits: dict[int, _Wait] = {}
        self._unwritten: dict[tuple[int, int], Told] = {}
        self._has_looked = asyncio.Event()
        self._news = asyncio.Event()
        self._news_for: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._telling: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._writing = asyncio.Lock()

    def hear(self, told: Iterable[Told]) -> None:
        """Take note of what is new to be told, and wake up."""
        for each in told:
            self._told.setdefault((each.incident, each.chat), each)
        self._has_looked.set()
        self.wake()

    @property
    def beliefs(self) -> tuple[Told, ...]:
        """What every chat that is open to us believes of every incident that is at hand."""
        return tuple(each for each in self._told.values() if not self._standing(each.chat).is_closed)

    @property
    def acts(self) -> Acts:
        """What people did."""
        return self._acts()

    @property
    def untold_since(self) -> datetime | None:
        """The age of the oldest thing that a chat may know and does not: when its incident was opened or closed."""
        state, now, acts = self._state(), self._clock(), self._acts()
        waiting = []
        for told in self._told.values():
            incident = state.incidents.get(told.incident)
            if incident is None or self._standing(told.chat).is_closed:
                continue
            if owes(incident, told, now, self._manner(incident, told.chat, state, acts, now)):
                waiting.append(incident.closed_at or incident.opened_at)
        return min(waiting, default=None)

    async def run(self) -> None:
        """Tell whatever is to be told, for ever; after a start nothing is said before the first look."""
        await self._has_looked.wait()
        async with asyncio.TaskGroup() as group:
            served: set[int] = set()
            while True:
                self._news.clear()
                for chat in self._chats - served:
                    group.create_task(self._serve(chat), name=f"telling chat {chat}")
                    served.add(chat)
                await self._news.wait()

    async def _serve(self, chat: int) -> None:
        """Tell one chat, for ever; a chat that hangs holds no other."""
        news = self._news_for[chat]
        while True:
            news.clear()
            await self._tell_chat(chat)
            await self._write()
            wait = self._waits.get(chat)
            pause = None if wait is None else max(0.0, (wait.until - self._clock()).total_seconds())
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), pause)

    async def finish(self, within: float) -> None:
        """Let what is being told end, within so many seconds, and begin nothing more."""
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(each.acquire() for each in self._telling.values())), within)

    async def revive(self, chat: int) -> None:
        """Speak again to a chat that was closed to us: somebody there has spoken to us."""
        for standing in list(self._standings.values()):
            if standing.is_closed and chat in (standing.chat, standing.address):
                log.info("chat %d is open to us again", chat)
                await self._stand(replace(standing, closed_because=""))
        self.wake()

    def speech(self, chat: int) -> Speech:
        """How things read in a chat."""
        return self._speech(self._standing_at(chat).language)

    def address(self, chat: int) -> int | None:
        """Where a chat of the settings is written to now; None while it is closed to us."""
        standing = self._standing(chat)
        return None if standing.is_closed else standing.address

    async def speak(self, chat: int, language: str) -> None:
        """Speak another language in a chat; what is open there is edited, quietly."""
        await self._stand(replace(self._standing_at(chat), language=language))
        self.wake()

    async def tell(self) -> None:
        """Tell every chat that may be spoken to what it does not know."""
        await asyncio.gather(*(self._tell_chat(chat) for chat in sorted(self._chats)))
        await self._write()

    @property
    def _chats(self) -> set[int]:
        return {told.chat for told in self._told.values()}

    def wake(self) -> None:
        """Have everything compared anew."""
        incidents = self._state().incidents
        self._told = {key: told for key, told in self._told.items() if key[0] in incidents}
        for chat in self._chats:
            self._news_for[chat].set()
        self._news.set()

    async def _tell_chat(self, chat: int) -> None:
        async with self._telling[chat]:
            wait = self._waits.get(chat)
            if wait is None or self._clock() >= wait.until:
                await self._tell_now(chat)

    async def _tell_now(self, chat: int) -> None:
        if self._standing(chat).is_closed:
            self._waits.pop(chat, None)
            return
        while (notice := self._next(chat)) is not None:
            try:
                await self._say(chat, notice)
            except ChatError as error:
                self._on_message(notice.kind, "failed")
                await self._fail(chat, notice, error)
                return
            self._on_message(notice.kind, "told")
            numbers = ", ".join(f"#{each.incident}" for each in (notice.after, *notice.others))
            log.info("chat %d was told: %s of %s", chat, notice.kind, numbers)
            self._waits.pop(chat, None)
        self._waits.pop(chat, None)  # where what could not be said need not be said any more

    def _next(self, chat: int) -> Notice | None:
        state, now, speech, acts = self._state(), self._clock(), self.speech(chat), self._acts()
        words = speech.words(state, now, acts)
        notices = []
        for (number, to), told in sorted(self._told.items()):
            incident = state.incidents.get(number)
            if to != chat or incident is None:
                continue
            notice = next_notice(incident, told, words, now, self._manner(incident, chat, state, acts, now))
            if notice is not None:
                notices.append((incident, notice))
        return fold(notices, words) or next((notice for _, notice in notices), None)

    def _manner(self, incident: Incident, chat: int, state: State, acts: Acts, now: datetime) -> Manner:
        """How an incident may be spoken of in a chat now."""
        rules, speech = self._rules, self.speech(chat)
        objective = speech.objectives.of(incident.key)
        quiet = rules.quiet_hours
        withheld = Withheld.OUTAGE
        if acts.had_silence(incident, state.incidents):
            withheld = Withheld.SILENCE
        elif quiet is not None and quiet.cover(incident.opened_at):
            withheld = Withheld.QUIET_HOURS
        is_second = chat in rules.second_chats
        return Manner(
            remind_after=objective.remind_after if objective else REMIND_OF_OURS,
            escalate_after=rules.escalate_after,
            hushed=state.is_blind and incident.key != SIGHT,
            is_silenced=acts.silence_of(incident, state.incidents, now) is not None,
            silenced_until=acts.ran_out(incident.key, now),
            is_quiet=(
                quiet is not None
                and quiet.cover(now)
                and not (rules.pages_in_quiet_hours and _is_page(incident, objective))
            ),
            is_acknowledged=acts.acknowledgement(incident) is not None,
            is_second=is_second,
            known_since=self._known_since(incident) if is_second else None,
            withheld=withheld,
            buttons=buttons_of(incident, acts, state.incidents, speech.objectives, now, rules.offers, speech.say),
        )

    def _known_since(self, incident: Incident) -> datetime | None:
        """Since when a first chat knows that an incident is open; where none can be told, since it is open."""
        first = [
            told
            for (number, chat), told in self._told.items()
            if number == incident.number and chat not in self._rules.second_chats
        ]
        knowing = [told.breach_told_at for told in first if told.stage is Stage.OPENED and told.breach_told_at]
        if knowing:
            return min(knowing)
        can_be_told = any(not self._standing(told.chat).is_closed and told.chat not in self._waits for told in first)
        return None if can_be_told else incident.opened_at

    async def _say(self, chat: int, notice: Notice) -> None:
        """Tell one notice, then mark it told.

        Raises:
            ChatError: It was not told, or perhaps not.
        """
        address = self._standing(chat).address
        if notice.edits is None:
            # Telegram has no idempotency key: a crash from here to the mark below repeats this message, and says so.
            beliefs = [self._told[each.incident, chat] for each in (notice.after, *notice.others)]
            await self._mark(replace(each, perhaps_sent=True) for each in beliefs)
            text = notice.text
            if any(each.perhaps_sent for each in beliefs):
                text = self.speech(chat).as_repeat(text)
            try:
                message = await self._chat.send(
                    address,
                    text,
                    topic=self._rules.topics.get(chat),
                    reply_to=notice.reply_to,
                    loud=notice.loud,
                    buttons=notice.buttons,
                )
            except ChatError as error:
                if error.surely_not_sent:
                    await self._mark(beliefs)  # but an earlier try may have arrived
                raise
            await self._mark(notice.told(message))
            self.on_sent(address, notice, message)
            return
        told = notice.after
        try:
            await self._chat.edit(address, notice.edits, notice.text, buttons=notice.buttons)
        except ChatError as error:
            if not error.message_gone:
                raise
            # Somebody deleted it. An open incident needs a message; of a closed one enough has been said.
            if notice.kind is Kind.EDIT:
                topic = self._rules.topics.get(chat)
                message = await self._chat.send(address, notice.text, topic=topic, loud=False, buttons=notice.buttons)
                told = replace(told, message=message)
        await self._mark([told])

    async def _mark(self, beliefs: Iterable[Told]) -> None:
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

    def _standing(self, chat: int) -> Standing:
        return self._standings.get(chat) or Standing(chat=chat)

    def _standing_at(self, address: int) -> Standing:
        """How a chat stands whose people we hear there, wherever it was when the settings were written."""
        moved = (each for each in self._standings.values() if each.moved_to == address)
        return next(moved, self._standing(address))

    async def _stand(self, standing: Standing) -> None:
        """Keep what is known of a chat, and write it down."""
        self._standings[standing.chat] = standing
        try:
            await asyncio.to_thread(self._ledger.stand, standing)
        except LedgerError as error:
            log.error("%s; a restart now would find out about chat %d anew", error, standing.chat)  # noqa: TRY400

    async def _fail(self, chat: int, notice: Notice, error: ChatError) -> None:
        if error.moved_to is not None:
            log.warning("chat %d has moved to %d", chat, error.moved_to)
            await self._stand(replace(self._standing(chat), moved_to=error.moved_to))
            await self._tell_now(chat)
            return
        if error.permanent:
            log.error("chat %d is closed to us until somebody there sends /start: %s", chat, error)
            self._waits.pop(chat, None)
            await self._stand(replace(self._standing(chat), closed_because=str(error)))
            return
        failures = self._waits[chat].failures + 1 if chat in self._waits else 1
        doubled = min(failures - 1, 10)  # no timedelta holds two seconds doubled for every try of a long outage
        first = FIRST_WAIT if error.surely_not_sent or notice.edits is not None else FIRST_WAIT_UNSURE
        backoff = min(first * 2**doubled, LONGEST_WAIT) * random.uniform(0.5, 1)  # noqa: S311 - jitter
        wait = error.retry_after or backoff
        self._waits[chat] = _Wait(self._clock() + wait, failures)
        log.warning("chat %d was not told (%s): %s; again in %.0f s", chat, notice.kind, error, wait.total_seconds())


def _is_page(incident: Incident, objective: Objective | None) -> bool:
    """Whether an incident burns the error budget so fast that somebody must act, whatever it is about."""
    if incident.key.alert is not Alert.BREACH:
        return incident.key.alert is Alert.PAGE
    if objective is None or incident.budget is None:
        return False
    return burning(objective, incident.budget, Alert.PAGE) is not None
