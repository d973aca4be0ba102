"""What people on call do: read the status, acknowledge, silence.

What somebody does is kept first and answered then. A ledger that cannot be written is reported in the answer, and the
action holds all the same; it is written as soon as that works.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape

from wine_slo.monitor.chatops.offers import Offers
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Button, Command, Press, Question, Reaction, Reception
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.lease import Leadership
from wine_slo.slo.notification import keyboard
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import LONGEST_SILENCE, Action, ActionKind, Silence
from wine_slo.slo.oncall.lookup import AND, NUMBER_SIGNS, UnknownNameError, UnknownNumberError
from wine_slo.slo.oncall.not_understood import NotUnderstoodError
from wine_slo.slo.oncall.silence_request import SilenceRequest, UnclearError, parse_silence
from wine_slo.slo.oncall.silence_words import ALL
from wine_slo.slo.reason import phrase
from wine_slo.slo.source.clocks import SourceTime, WallTime, age
from wine_slo.slo.text.command_text import MAX_SILENCES, Replies
from wine_slo.slo.text.silences import MAX_LABEL, silence_choice, silence_not_understood
from wine_slo.slo.text.status_list import leadership_lines, replica_lines, status_list

JUST_NOW = timedelta(minutes=1)  # a question that took no longer to arrive was sent when it came
OFF = ("off", "stop", "end", "none", "выкл", "стоп", "снять")  # of silences
MOST_NAMED = 8  # incidents that are offered to be acknowledged

Reach = Collection[int] | None


class OnCall:
    """Answers who is on call.

    Args:
        snapshot: What is known now.
        replies: How to answer in a chat.
        journal: Keeps what is done.
        revive: Called with the id of a chat in which somebody has sent `/start`.
        announce: Notifies every chat but one of what somebody has done there.
        reach: The numbers of the only incidents on which that person may act from that chat; None for everything.
        sharing: The numbers of the incidents of which a chat knows by the same message as of one of them.
        is_overdue: Whether the last evaluation is so old that it does not show the present.
        leadership: Who leads of several watchdogs; None where there is only one.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        snapshot: Snapshot,
        replies: Callable[[Address], Replies],
        journal: Journal,
        revive: Callable[[Address], Awaitable[None]],
        announce: Callable[[Callable[[Replies], str], Address], None] = lambda _text, _but: None,
        reach: Callable[[Question | Press], Reach] = lambda _request: None,
        *,
        sharing: Callable[[Address, int], Collection[int]] = lambda _chat, _number: (),
        is_overdue: Callable[[], bool] = lambda: False,
        leadership: Callable[[], Leadership] | None = None,
    ) -> None:
        self._leadership = leadership
        self._snapshot = snapshot
        self._replies = replies
        self._journal = journal
        self._revive = revive
        self._announce = announce
        self._reach = reach
        self._sharing = sharing
        self._is_overdue = is_overdue
        self._offers = Offers[UnclearError]()

    def commands(self) -> tuple[Command | Reaction, ...]:
        """Return the commands and the buttons."""
        return (
            Command("status", phrase("Status of every objective"), self._status, usage=phrase("[objective]")),
            Command(
                "ack",
                phrase("Acknowledge an incident"),
                self._take,
                changes=True,
                counts_late=True,
                usage=phrase("[number]"),
            ),
            Command(
                "silence",
                phrase("Silence alerts for a while"),
                self._answer_silence,
                changes=True,
                usage=phrase("1h | until 18:00 | until recovery, objective | all, [reason]"),
            ),
            Command("silences", phrase("What is silenced, by whom, until when"), self._silences),
            Command("undo", phrase("Undo your last action"), self._undo_last, changes=True),
            Command("start", phrase("About this bot and what it monitors"), self._start, counts_late=True),
            Reaction(keyboard.ACKNOWLEDGE, self._press_take, changes=True, counts_late=True),
            Reaction(keyboard.ACKNOWLEDGE_ALL, self._press_take_all, changes=True, counts_late=True),
            Reaction(keyboard.SILENCE, self._press_silence, changes=True),
            Reaction(keyboard.END, self._press_end, changes=True),
            Reaction(keyboard.UNDO, self._press_undo, changes=True),
            Reaction(keyboard.CHOOSE, self._press_choose, changes=True),
            Reaction(keyboard.SHOW, self._press_show),
        )

    async def _status(self, question: Question) -> Answer:
        replies, state = self._replies(question.chat), self._snapshot.state
        if not question.arguments:
            return self._shown(replies)
        try:
            named = replies.names(state).resolve_each(question.arguments)
        except UnknownNameError as error:
            return Answer(replies.unknown_name(error))
        wanted = [Silence(None, (), *_named(each.about)) for each in named]
        tracks = {key: each for key, each in state.tracks.items() if any(one.is_about(key) for one in wanted)}
        return self._shown(replies, replace(state, tracks=tracks))

    def _shown(self, replies: Replies, state: State | None = None) -> Answer:
        """Return how everything stands, or what is left of it in a state."""
        fmt, shown, now = replies.fmt, self._snapshot.state if state is None else state, self._snapshot.now()
        listed = status_list(fmt, shown, now, self._journal.actions, is_overdue=self._is_overdue())
        leads = leadership_lines(fmt, self._leadership(), now) if self._leadership else []
        return Answer("\n".join([listed, *replica_lines(fmt, self._snapshot.replicas, now), *leads]))

    async def _press_show(self, press: Press) -> Answer:
        return self._shown(self._replies(press.chat))

    async def _start(self, question: Question) -> Answer:
        await self._revive(question.chat)
        replies = self._replies(question.chat)
        buttons = (
            Button(replies.say("Status"), keyboard.SHOW),
            Button(replies.say("Commands"), "help"),
            Button(replies.say("Language"), "language"),
        )
        return Answer(replies.introduction(), (buttons,))

    # Who has it

    async def _take(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._snapshot.now()
        is_late = age(WallTime(question.sent_at), SourceTime(now)) > JUST_NOW
        at = question.sent_at if is_late else now
        those = [each for each in self._snapshot.state.open_incidents if not is_late or each.opened_at <= at]
        reach, actions = self._reach(question), self._journal.actions
        if reach is not None and those:
            those = [each for each in those if each.number in reach]
            if not those:
                return Answer(replies.not_here())
        named, complaint = self._named(question.arguments, those, replies)
        if complaint:
            return Answer(complaint)
        free = [each for each in named if actions.acknowledgement(each) is None]
        if not free:
            taken = next((action for each in named if (action := actions.acknowledgement(each))), None)
            return Answer(replies.taken_already(taken) if taken else replies.none_open())
        if len(free) > 1 and not question.arguments:
            offered = [(f"#{each.number} {unescape(replies.fmt.title(each.key))}", each) for each in free[:MOST_NAMED]]
            buttons = [
                Button(title[:MAX_LABEL], keyboard.ACKNOWLEDGE, keyboard.which_of(each)) for title, each in offered
            ]
            return Answer(replies.which(free), tuple((each,) for each in buttons))
        written = await self._acknowledge(question, at, free)
        return Answer(_with(replies, replies.taken_all(free, question.person), written=written))

    async def _acknowledge(self, request: Question | Press, at: datetime, incidents: Sequence[Incident]) -> bool:
        """Keep that somebody has these; return whether it is written down."""
        those = [self._acknowledgement(request, at, each) for each in incidents]
        numbered = [replace(each, cause=f"{request.cause} #{each.incident}") for each in those]
        return (await self._journal.add_all(numbered))[1]

    def _named(
        self, words: Sequence[str], incidents: Sequence[Incident], replies: Replies
    ) -> tuple[list[Incident], str]:
        """Return the open incidents that the words mean, and what is wrong with the words.

        That is empty where nothing is.
        """
        if not words or (len(words) == 1 and words[0].lower() in ALL):
            return list(incidents), ""
        names, found = replies.names(self._snapshot.state), list[Incident]()
        words = [each for each in " ".join(words).replace(",", " ").split() if each.lower() not in AND]
        while words:
            if words[0].isascii() and words[0].isdecimal():
                words = [f"#{words[0]}", *words[1:]]
            number = words[0][1:] or "".join(words[1:2]) if words[0].startswith(NUMBER_SIGNS) else ""
            try:
                named = names.resolve(words)
            except UnknownNumberError as error:
                return [], replies.no_number(error.word)
            except UnknownNameError as error:
                return [], replies.not_an_incident(error.word, error.near)
            if number:
                those = [each for each in incidents if each.number == int(number)]
            else:
                wanted = Silence(None, (), *_named(named.about))
                those = [each for each in incidents if wanted.is_about(each.key)]
            if not those:
                return [], replies.closed_already(int(number)) if number else replies.not_in_breach(named.about)
            found += [each for each in those if each not in found]
            words = list(named.rest)
        return found, ""

    async def _press_take(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._snapshot.now()
        incident = self._pressed(press)
        if incident is None:
            return self._over(press, replies)
        taken = self._journal.actions.acknowledgement(incident)
        if taken is not None and taken.cause != press.cause:
            return Answer(toast=replies.taken_already(taken))
        _, written = await self._journal.add(self._acknowledgement(press, now, incident))
        return Answer(toast=_with(replies, replies.taken(incident), written=written))

    async def _press_take_all(self, press: Press) -> Answer:
        replies, state, reach = self._replies(press.chat), self._snapshot.state, self._reach(press)
        number, actions = int(press.arguments[0]), self._journal.actions
        numbers = [each for each in self._sharing(press.chat, number) if reach is None or each in reach]
        those = [each for key in sorted(numbers) if (each := state.incidents.get(key)) is not None and each.is_open]
        if not those:
            return self._over(press, replies)
        taken = [action for each in those if (action := actions.acknowledgement(each)) is not None]
        free = [each for each in those if actions.acknowledgement(each) is None]
        if not free and not any(each.request == press.cause for each in taken):
            return Answer(toast=replies.taken_already(taken[0]))
        written = await self._acknowledge(press, self._snapshot.now(), free)
        count = len(free) or sum(each.request == press.cause for each in taken)
        return Answer(toast=_with(replies, replies.taken_many(count), written=written))

    # Silences

    async def _answer_silence(self, question: Question) -> Answer:
        replies, now, state = self._replies(question.chat), self._snapshot.now(), self._snapshot.state
        if question.arguments and question.arguments[0].lower() in OFF:
            return await self._silences(question)
        try:
            silence_request = parse_silence(question.arguments, replies.names(state), now, replies.fmt.zone)
        except NotUnderstoodError as error:
            return self._offer_choices(question, error, replies)
        return await self._make(question, silence_request)

    def _offer_choices(self, question: Question, error: NotUnderstoodError, replies: Replies) -> Answer:
        """Return what was wrong with a silence, and what to choose from where that can be said."""
        now = self._snapshot.now()
        text = silence_not_understood(replies.fmt, error, next(iter(replies.fmt.objectives.by_name)), now)
        if not isinstance(error, UnclearError):
            return Answer(text)
        place = self._offers.keep(question, error)
        labels = [silence_choice(replies.fmt, each, error, now) for each in error.choices]
        buttons = [(Button(label, keyboard.CHOOSE, (place, str(number))),) for number, label in enumerate(labels)]
        return Answer(text, tuple(buttons))

    async def _press_choose(self, press: Press) -> Answer:
        """Take one of the choices that were offered; the first who presses chooses for all."""
        replies = self._replies(press.chat)
        error = self._offers.take(press)
        silence_request = error.choices[int(press.arguments[1])] if error else None
        if silence_request is None or (
            silence_request.until is not None and silence_request.until <= self._snapshot.now()
        ):
            return Answer(toast=replies.chosen_already(), reception=Reception.OLD)
        return replace(await self._make(press, silence_request), replaces=True)

    async def _make(self, request: Question | Press, silence_request: SilenceRequest) -> Answer:
        """Begin the silences that somebody wants."""
        replies, now, state = self._replies(request.chat), self._snapshot.now(), self._snapshot.state
        reach, silences = self._reach(request), []
        for about in silence_request.keys or (None,):
            silence = Silence(silence_request.until, (), *_named(about), reason=silence_request.reason)
            those = [each for each in state.open_incidents if silence.is_about(each.key)]
            if reach is not None and (about is None or not those or any(each.number not in reach for each in those)):
                return Answer(replies.not_here())
            if silence_request.until is None:
                silence = replace(silence, incidents=tuple((each.number, each.openings) for each in those))
            if silence_request.until is not None or those:
                silences.append(silence)
        if not silences:
            return Answer(replies.nothing_to_wait_for())
        made = [
            await self._journal.add(replace(self._silence(request, now, each), cause=f"{request.cause} #{number}"))
            for number, each in enumerate(silences)
        ]
        actions = [action for action, _ in made]
        self._announce(lambda others: others.announced(actions, now), request.chat)
        buttons = tuple((self._end_button(replies, action, now),) for action in actions)
        text = replies.silenced_in_full(silences, now)
        return Answer(_with(replies, text, written=all(written for _, written in made)), buttons=buttons)

    async def _press_silence(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._snapshot.now()
        incident = self._pressed(press)
        if incident is None:
            return self._over(press, replies)
        known = self._journal.actions.silence_of(incident, self._snapshot.state.incidents, now)
        if known is not None and known.silence is not None:
            return Answer(toast=replies.silenced(known.silence, now))
        span = press.arguments[2]
        until = None if span == keyboard.RECOVERY else now + min(timedelta(minutes=int(span)), LONGEST_SILENCE)
        which = ((incident.number, incident.openings),) if until is None else ()
        silence = Silence(until, which, incident.key.objective, incident.key.labels)
        action, written = await self._journal.add(self._silence(press, now, silence))
        self._announce(lambda others: others.announced([action], now), press.chat)
        return Answer(toast=_with(replies, replies.silenced(action.silence or silence, now), written=written))

    async def _silences(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._snapshot.now()
        actions = self._journal.actions.silences(self._snapshot.state.incidents, now)
        buttons = tuple((self._end_button(replies, action, now),) for action in actions[:MAX_SILENCES])
        return Answer(replies.silences(actions, now), buttons=buttons)

    def _end_button(self, replies: Replies, action: Action, now: datetime) -> Button:
        return Button(replies.end_of(action.silence or Silence(), now), keyboard.END, (str(action.number),))

    async def _press_end(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._snapshot.now()
        action = self._journal.actions.of_number(int(press.arguments[0]))
        running = self._journal.actions.silences(self._snapshot.state.incidents, now)
        if action is None or action.silence is None or action not in running:
            return Answer(toast=replies.no_such_silence(), reception=Reception.OLD)
        return await self._revoke(press, [action], ActionKind.END, replies.ended(action.silence))

    # Taking back

    async def _undo_last(self, question: Question) -> Answer:
        replies, now = self._replies(question.chat), self._snapshot.now()
        actions = self._journal.actions
        done = [each.of for each in actions.all if each.request == question.cause]  # delivered twice, and done already
        those = [each for each in actions.all if each.number in done] or actions.undoable(question.person.id, now)
        if not those:
            return Answer(replies.nothing_to_take_back())
        text = replies.taken_back_all(those)
        answer = await self._revoke(question, those, ActionKind.UNDO, text)
        return Answer(answer.toast)

    async def _press_undo(self, press: Press) -> Answer:
        replies, now = self._replies(press.chat), self._snapshot.now()
        actions = self._journal.actions
        action = actions.of_number(int(press.arguments[0]))
        if action is None or actions.was_ended(action.number) or not action.is_fresh(now):
            return Answer(toast=replies.nothing_to_take_back(), reception=Reception.OLD)
        if action.by.id != press.person.id:
            return Answer(toast=replies.not_yours(action), reception=Reception.REFUSED)
        return await self._revoke(press, [action], ActionKind.UNDO, replies.taken_back(action))

    async def _revoke(
        self, request: Question | Press, actions: Sequence[Action], kind: ActionKind, text: str
    ) -> Answer:
        one = self._action(request, self._snapshot.now(), kind)
        those = [replace(one, of=each.number, cause=f"{request.cause} #{each.number}") for each in actions]
        _, written = await self._journal.add_all(those)
        if silences := [action for action in actions if action.silence is not None]:
            self._announce(lambda others: others.announced_end(request.person, silences), request.chat)
        return Answer(toast=_with(self._replies(request.chat), text, written=written))

    # What is pressed

    def _pressed(self, press: Press) -> Incident | None:
        """Return the open incident that a button is about; None where it is over, or is open for another time."""
        incident = self._snapshot.state.incidents.get(int(press.arguments[0]))
        if incident is None or not incident.is_open or str(incident.openings) != press.arguments[1]:
            return None
        return incident

    def _over(self, press: Press, replies: Replies) -> Answer:
        return Answer(toast=replies.over(int(press.arguments[0])), reception=Reception.OLD)

    # What is kept

    def _action(self, request: Question | Press, at: datetime, kind: ActionKind) -> Action:
        by = self._journal.distinguished(request.person)
        return Action(number=0, at=at, deed=kind, by=by, chat=request.chat, cause=request.cause)

    def _acknowledgement(self, request: Question | Press, at: datetime, incident: Incident) -> Action:
        return replace(
            self._action(request, at, ActionKind.ACKNOWLEDGE), incident=incident.number, opening=incident.openings
        )

    def _silence(self, request: Question | Press, at: datetime, silence: Silence) -> Action:
        return replace(self._action(request, at, ActionKind.SILENCE), silence=silence)


def _named(key: Key | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the objective and the labels of a silence of a key; of everything where there is none."""
    return (key.objective, key.labels) if key else ("", ())


def _with(replies: Replies, text: str, *, written: bool) -> str:
    return text if written else f"{text} {replies.not_written()}"
