"""What people on call ask and do: how everything stands, who has what, what is to be hushed.

What somebody does is kept first and answered then. A ledger that cannot be written is told in the answer, and the act
holds all the same; it is written as soon as that works.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.adapters.ledger import Ledger, LedgerError
from wine_slo.domain.acts import Act, Acts, Deed, Silence
from wine_slo.domain.buttons import ACKNOWLEDGE, END, RECOVERY, SILENCE, UNDO
from wine_slo.domain.dialogue import Answer, Button, Command, Press, Question, Reaction, Reception
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import NotUnderstoodError
from wine_slo.domain.objective import Key
from wine_slo.domain.phrases import phrase
from wine_slo.domain.replies import MAX_SILENCES, Replies
from wine_slo.domain.watch import State
from wine_slo.domain.wishes import parse_silence
from wine_slo.domain.words import Speech

log = logging.getLogger(__name__)

JUST_NOW = timedelta(minutes=1)  # a question that took no longer to arrive was asked when it came


class Journal:
    """Keeps what people did: at once for everybody, and in the ledger as soon as it can be written.

    Args:
        ledger: Where it is written.
        acts: What is written there.
        on_act: Called after each act.
        again_after: Seconds between two tries to write what could not be written.

    Attributes:
        acts: All of them, as far as they matter.
    """

    def __init__(
        self, ledger: Ledger, acts: Sequence[Act], on_act: Callable[[], None], again_after: float = 10.0
    ) -> None:
        self.acts = Acts(tuple(acts))
        self._ledger = ledger
        self._on_act = on_act
        self._again_after = again_after
        self._unwritten: list[Act] = []
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()

    async def add(self, act: Act) -> tuple[Act, bool]:
        """Keep an act; it with its number, and whether it is written down. One of the same cause counts once."""
        async with self._turn:
            known = self.acts.of_cause(act.cause)
            if known is None:
                self.acts = self.acts.with_one_more(act)
                known = self.acts.all[-1]
                self._unwritten.append(known)
                log.info("%s (%d) did: %s, act %d", known.by.name, known.by.id, known.deed, known.number)
            if self._unwritten:
                await self._write()
        self._on_act()
        return known, known not in self._unwritten

    def lines(self, incident: Incident, speech: Speech) -> list[str]:
        """What was done about an incident, a line each."""
        return [Replies(speech).deed(act, incident) for act in self.acts.about(incident)]

    async def run(self) -> None:
        """Write down, for ever, what could not be written at once."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._unwritten:
                await asyncio.sleep(self._again_after)
                async with self._turn:
                    await self._write()

    async def _write(self) -> None:
        waiting = list(self._unwritten)
        try:
            await asyncio.to_thread(self._ledger.act, waiting)
        except LedgerError as error:
            log.error("%s; what people did is kept in memory and written as soon as that works", error)  # noqa: TRY400 - expected
            self._news.set()
        except Exception:
            log.exception("what people did was not written by a fault of ours; it is kept in memory and tried again")
            self._news.set()
        else:
            self._unwritten.clear()


class Duty:
    """Answers who is on call.

    Args:
        state: What is known now.
        replies: How to answer in a chat.
        now: The instant, by the clock of the state.
        journal: Keeps what is done.
        revive: Called with the id of a chat in which somebody has sent `/start`.
    """

    def __init__(
        self,
        state: Callable[[], State],
        replies: Callable[[int], Replies],
        now: Callable[[], datetime],
        journal: Journal,
        revive: Callable[[int], Awaitable[None]],
    ) -> None:
        self._state = state
        self._replies = replies
        self._now = now
        self._journal = journal
        self._revive = revive

    def commands(self) -> tuple[Command | Reaction, ...]:
        """What can be asked and pressed."""
        return (
            Command("status", phrase("How every objective stands, live"), self._status),
            Command(
                "ack",
                phrase("Say that you have it"),
                self._take,
                changes=True,
                counts_late=True,
                usage=phrase("[number]"),
            ),
            Command(
                "silence",
                phrase("Mute messages for a while"),
                self._hush,
                changes=True,
                usage=phrase("1h | until 18:00 | until recovery [objective] [reason]"),
            ),
            Command("silences", phrase("What is muted, by whom, until when"), self._silences),
            Command("undo", phrase("Take back what you did last"), self._undo_last, changes=True),
            Command("start", phrase("Tell this chat again, where it was closed"), self._start, counts_late=True),
            Reaction(ACKNOWLEDGE, self._press_take, changes=True, counts_late=True),
            Reaction(SILENCE, self._press_hush, changes=True),
            Reaction(END, self._press_end, changes=True),
            Reaction(UNDO, self._press_undo, changes=True),
        )

    async def _status(self, question: Question) -> Answer:
        speech = self._replies(question.chat).speech
        return Answer(speech.status(self._state(), self._now(), self._journal.acts))

    async def _start(self, question: Question) -> Answer:
        await self._revive(question.chat)
        return await self._status(question)

    # Who has it

    async def _take(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._now()
        is_late = now - question.asked_at > JUST_NOW
        at = question.asked_at if is_late else now
        those = [each for each in self._state().open_incidents if not is_late or each.opened_at <= at]
        acts = self._journal.acts
        named = self._named(question.arguments, those)
        if named is None:
            return Answer(replies.not_an_incident(" ".join(question.arguments)))
        free = [each for each in named if acts.acknowledgement(each) is None]
        if not free:
            taken = next((act for each in named if (act := acts.acknowledgement(each))), None)
            return Answer(replies.taken_already(taken) if taken else replies.none_open())
        if len(free) > 1 and not question.arguments:
            return Answer(replies.which(free))
        written = True
        for incident in free:
            act = _acknowledgement(question, at, incident)
            act = replace(act, cause=f"{question.cause} #{incident.number}")  # one question can be about several
            _, written = await self._journal.add(act)
        return Answer(_with(replies, replies.taken_all(free, question.person), written=written))

    def _named(self, words: Sequence[str], incidents: Sequence[Incident]) -> list[Incident] | None:
        """The open incidents that the words mean; None where they mean none."""
        if not words or [each.lower() for each in words] == ["all"]:
            return list(incidents)
        found: list[Incident] = []
        for word in words:
            name = word.removeprefix("#").rstrip(",").lower()
            those = [
                each for each in incidents if name in (str(each.number), each.key.objective, str(each.key).lower())
            ]
            if not those:
                return None
            found += [each for each in those if each not in found]
        return found

    async def _press_take(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._now()
        incident = self._pressed(press)
        if incident is None:
            return self._over(press, replies)
        taken = self._journal.acts.acknowledgement(incident)
        if taken is not None and taken.cause != press.cause:
            return Answer(toast=replies.taken_already(taken))
        _, written = await self._journal.add(_acknowledgement(press, now, incident))
        return Answer(toast=_with(replies, replies.taken(incident), written=written))

    # Silences

    async def _hush(self, question: Question) -> Answer:
        replies, now, state = self._replies(question.chat), self._now(), self._state()
        speech = replies.speech
        keys = {*state.tracks, *(Key(name) for name in speech.objectives.by_name)}
        try:
            wish = parse_silence(question.arguments, keys, state.incidents, now, speech.zone)
        except NotUnderstoodError as error:
            return Answer(replies.silence_not_understood(error, next(iter(speech.objectives.by_name))))
        silence = Silence(
            until=wish.until,
            objective=wish.key.objective if wish.key else "",
            labels=wish.key.labels if wish.key else (),
            reason=wish.reason,
        )
        if wish.until is None:
            those = [each for each in state.open_incidents if silence.is_about(each.key)]
            if not those:
                return Answer(replies.nothing_to_wait_for())
            silence = replace(silence, incidents=tuple((each.number, each.openings) for each in those))
        act, written = await self._journal.add(_silence(question, now, silence))
        text = replies.hushed_in_full(silence, now)
        buttons = ((self._end_button(replies, act, now),),)
        return Answer(_with(replies, text, written=written), buttons=buttons)

    async def _press_hush(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._now()
        incident = self._pressed(press)
        if incident is None:
            return self._over(press, replies)
        known = self._journal.acts.silence_of(incident, self._state().incidents, now)
        if known is not None and known.silence is not None:
            return Answer(toast=replies.hushed(known.silence, now))
        span = press.arguments[2]
        until = None if span == RECOVERY else now + timedelta(minutes=int(span))
        which = ((incident.number, incident.openings),) if until is None else ()
        silence = Silence(until, which, incident.key.objective, incident.key.labels)
        act, written = await self._journal.add(_silence(press, now, silence))
        return Answer(toast=_with(replies, replies.hushed(act.silence or silence, now), written=written))

    async def _silences(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._now()
        acts = self._journal.acts.silences(self._state().incidents, now)
        buttons = tuple((self._end_button(replies, act, now),) for act in acts[:MAX_SILENCES])
        return Answer(replies.silences(acts, now), buttons=buttons)

    def _end_button(self, replies: Replies, act: Act, now: datetime) -> Button:
        return Button(replies.end_of(act.silence or Silence(), now), END, (str(act.number),))

    async def _press_end(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._now()
        act = self._journal.acts.of_number(int(press.arguments[0]))
        running = self._journal.acts.silences(self._state().incidents, now)
        if act is None or act.silence is None or act not in running:
            return Answer(toast=replies.no_such_silence(), reception=Reception.OLD)
        return await self._revoke(press, act, Deed.END, replies.ended(act.silence))

    # Taking back

    async def _undo_last(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._now()
        act = self._journal.acts.undoable(question.person.id, now)
        done = self._journal.acts.of_cause(question.cause)
        if done is not None and done.of is not None:  # delivered twice, and done already
            act = self._journal.acts.of_number(done.of)
        if act is None:
            return Answer(replies.nothing_to_take_back())
        answer = await self._revoke(question, act, Deed.UNDO, replies.taken_back(act))
        return Answer(answer.toast)

    async def _press_undo(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._now()
        acts = self._journal.acts
        act = acts.of_number(int(press.arguments[0]))
        if act is None or acts.was_ended(act.number) or not act.is_fresh(now):
            return Answer(toast=replies.nothing_to_take_back(), reception=Reception.OLD)
        if act.by.id != press.person.id:
            return Answer(toast=replies.not_yours(act), reception=Reception.REFUSED)
        return await self._revoke(press, act, Deed.UNDO, replies.taken_back(act))

    async def _revoke(self, asked: Question | Press, act: Act, deed: Deed, text: str) -> Answer:
        revocation = replace(_act(asked, self._now(), deed), of=act.number)
        _, written = await self._journal.add(revocation)
        return Answer(toast=_with(self._replies(asked.chat), text, written=written))

    # What is pressed

    def _pressed(self, press: Press) -> Incident | None:
        """The open incident that a button is about; None where it is over, or is open for another time."""
        incident = self._state().incidents.get(int(press.arguments[0]))
        if incident is None or not incident.is_open or str(incident.openings) != press.arguments[1]:
            return None
        return incident

    def _over(self, press: Press, replies: Replies) -> Answer:
        return Answer(toast=replies.over(int(press.arguments[0])), reception=Reception.OLD)


def _act(asked: Question | Press, at: datetime, deed: Deed) -> Act:
    return Act(number=0, at=at, deed=deed, by=asked.person, chat=asked.chat, cause=asked.cause)


def _acknowledgement(asked: Question | Press, at: datetime, incident: Incident) -> Act:
    return replace(_act(asked, at, Deed.ACKNOWLEDGE), incident=incident.number, opening=incident.openings)


def _silence(asked: Question | Press, at: datetime, silence: Silence) -> Act:
    return replace(_act(asked, at, Deed.SILENCE), silence=silence)


def _with(replies: Replies, text: str, *, written: bool) -> str:
    return text if written else f"{text} {replies.not_written()}"
