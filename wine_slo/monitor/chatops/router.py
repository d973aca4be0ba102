"""Who may do what, and who answers it: a table of commands, a table of buttons, and default deny before both.

Nothing here knows Telegram: a question comes in as a value and an answer goes out as one.

Who may query: everybody in a chat of the settings, and the admins of the settings wherever they are. Who may change
something: where admins are set, only they; otherwise everybody in a chat of the settings. It is the person who sends
or presses that counts, not the chat that a message is in; who writes as a group or a channel is nobody, and what is
forwarded is what somebody else wrote. A stranger learns the id of their chat, at most once a minute, and nothing else.

Limits come first, so that whoever writes too much holds up nobody else. What somebody does who may do it is not
limited, but for the same thing over and over.
"""

import difflib
import logging
from collections.abc import Callable, Collection, Container, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.monitor.chatops.offers import Offers
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.limits import Excess, Limit
from wine_slo.slo.chat.messages import Answer, Button, Command, Press, Question, Reaction, Reception, Refusal
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.command_text import Replies

log = logging.getLogger(__name__)

OLD_AFTER = timedelta(minutes=5)  # what was sent longer ago is not what is wanted now
QUESTIONS_A_MINUTE = 30  # in a private chat
ANSWERS_A_MINUTE = 12  # in a group; Telegram lets it have 20, and an alert must have room
PERSONAL_A_MINUTE = 10  # of one person in groups, so that others have room
REFUSALS_A_MINUTE = 3  # to one person
ACTIONS_A_MINUTE = 60  # of one person; nobody does more by hand
REPEATS = 3  # of the same action within ten seconds, which is a stuck key and no request
REPEATS_WITHIN = timedelta(seconds=10)
STRANGERS_A_MINUTE = 20  # all of them together, for the same reason as in a group
NEAR = 0.6  # how alike a command must be to be what was meant; difflib's usual
NEAR_IN_GROUPS = 0.75  # the same where it may have been said to another bot
BEGINS = 3  # letters that a command may be shortened to
LONGEST_LABEL = 60  # characters of a button
GUESS = "guess"  # the button of what was probably meant
HELP, ID, VERSION, START = "help", "id", "version", "start"
LAST = (HELP, ID, VERSION, START)  # of the list of commands: the rare ones
OF_STRANGERS = (ID, START)
ALIASES = {
    **dict.fromkeys(("mute", "snooze", "hush", "quiet", "shh", "тишина", "заглушить", "молчать"), "silence"),
    **dict.fromkeys(("unsilence", "unmute", "unsnooze", "silenced", "muted", "тишины"), "silences"),
    **dict.fromkeys(("acknowledge", "take", "mine", "беру", "взять", "принять"), "ack"),
    **dict.fromkeys(("state", "статус", "состояние", "как"), "status"),
    **dict.fromkeys(("revert", "cancel", "отмена", "отменить"), "undo"),
    **dict.fromkeys(("graph", "plot", "график"), "chart"),
    **dict.fromkeys(("explain", "почему"), "why"),
    **dict.fromkeys(("objective", "цель"), "slo"),
    **dict.fromkeys(("budgets", "бюджет", "бюджеты"), "budget"),
    **dict.fromkeys(("alerts", "инциденты"), "incidents"),
    **dict.fromkeys(("alert", "инцидент"), "incident"),
    **dict.fromkeys(("lang", "язык"), "language"),
    **dict.fromkeys(("commands", "помощь", "справка", "команды"), HELP),
    **dict.fromkeys(("ver", "версия"), VERSION),
}


@dataclass(frozen=True, slots=True)
class Access:
    """Who is known.

    Attributes:
        chats: The recipients; a group that has become a supergroup is there by either id.
        admins: The people of the settings.
        is_second: Whether a chat is only escalated to.
    """

    chats: Container[Address]
    admins: Collection[int]
    is_second: Callable[[Address], bool] = lambda _chat: False

    def may_query(self, request: Question | Press) -> bool:
        """Return whether that person may read what we know, in that chat."""
        return request.chat in self.chats or request.person.id in self.admins

    def may_change(self, request: Question | Press) -> bool:
        """Return whether that person may change something, from that chat."""
        return self.refusal(request) is None

    def refusal(self, request: Question | Press) -> Refusal | None:
        """Return why that person may change nothing, from that chat; None where they may."""
        if not request.person.is_known:
            return Refusal.NOBODY
        if isinstance(request, Question) and request.is_forwarded:
            return Refusal.FORWARDED
        if self.admins and request.person.id not in self.admins:
            return Refusal.NO_ADMIN
        return None if self.admins or request.chat in self.chats else Refusal.NO_ADMIN

    def is_limited_to_escalations(self, request: Question | Press) -> bool:
        """Return whether that person may act only on what was escalated to that chat."""
        return self.is_second(request.chat) and request.person.id not in self.admins


class Router:
    """Answers.

    Args:
        access: Who is known.
        replies: How to answer in a chat.
        clock: Reads the time by which a question is old.
        version: What `/version` says.
        on_reception: Called with what became of each question and each press.
    """

    def __init__(
        self,
        access: Access,
        replies: Callable[[Address], Replies],
        clock: Callable[[], datetime],
        version: str,
        on_reception: Callable[[Reception], None],
    ) -> None:
        self._access = access
        self._replies = replies
        self._clock = clock
        self._version = version
        self._on_reception = on_reception
        self._commands: dict[str, Command] = {}
        self._reactions: dict[str, Reaction] = {}
        self._in_private = Limit(QUESTIONS_A_MINUTE)
        self._in_groups = Limit(ANSWERS_A_MINUTE)
        self._of_people = Limit(PERSONAL_A_MINUTE)
        self._refusals = Limit(REFUSALS_A_MINUTE)
        self._actions = Limit(ACTIONS_A_MINUTE)
        self._repeats = Limit(REPEATS, REPEATS_WITHIN)
        self._stranger = Limit(1)
        self._strangers = Limit(STRANGERS_A_MINUTE)
        self._guesses = Offers[Question]()
        self._old_answered: dict[Address, datetime] = {}
        self.add(
            Command(HELP, phrase("All commands"), self._help),
            Command(ID, phrase("The id of this chat, and yours"), self._id),
            Command(VERSION, phrase("The version that is running"), self._show_version),
            Reaction(HELP, self._press_help),
            Reaction(GUESS, self._press_guess),
        )

    def add(self, *those: Command | Reaction) -> None:
        """Answer these too; the help and the menu have them in the order in which they came."""
        for each in those:
            if isinstance(each, Command):
                self._commands[each.name] = each
            else:
                self._reactions[each.verb] = each

    @property
    def commands(self) -> list[Command]:
        """Return every command, the rare ones last; it grows with what is added."""
        usual = [each for name, each in self._commands.items() if name not in LAST]
        return usual + [self._commands[name] for name in LAST if name in self._commands]

    @property
    def verbs(self) -> Collection[str]:
        """Return what buttons can do; it grows with what is added."""
        return self._reactions.keys()

    def menu(self, replies: Replies) -> list[tuple[str, str]]:
        """Return every command with its line, as the chat's program lists them."""
        return [(each.name, replies.say(each.help)) for each in self._listed()]

    async def answer(self, question: Question) -> Answer | None:
        """Return the answer to a command; None where there is none to give."""
        reception, answer = await self._answer(question)
        self._on_reception(reception)
        return answer

    async def press(self, press: Press) -> Answer:
        """Return the answer to a press of a button; every press has one."""
        answer = await self._press(press)
        self._on_reception(answer.reception)
        return answer

    def refuse(self, chat: Address) -> Answer:
        """Return the answer to a press of a button that is not ours, or is of another chat."""
        log.warning("a button in chat %s was refused: it is not one of ours, or not of that chat", chat.place)
        self._on_reception(Reception.FORGED)
        return Answer(toast=self._replies(chat).forged())

    async def _answer(self, question: Question) -> tuple[Reception, Answer | None]:
        replies = self._replies(question.chat)
        if not self._access.may_query(question):
            return Reception.STRANGER, self._receive_stranger(question, replies)
        command = self._commands.get(question.command) or self._commands.get(ALIASES.get(question.command, ""))
        is_old = self._clock() - question.sent_at > OLD_AFTER
        if is_old and not (command and command.counts_late):
            return Reception.OLD, self._turn_down_old(question.chat, replies)
        guess = self._guess(question, replies) if command is None else None
        if command is None and guess is None:
            return Reception.UNKNOWN, None
        refusal = self._refusal(question, command) if command is not None and command.changes else None
        said = (question.command, *question.arguments) if command is not None and command.changes else None
        if (excess := self._excess(question, said, refusal)) is not None:
            return Reception.LIMITED, Answer(replies.too_often(excess.seconds)) if excess.is_first else None
        if refusal is not None:
            return Reception.REFUSED, Answer(replies.refused(refusal, question.person))
        if command is None:
            return Reception.UNKNOWN, guess
        try:
            answer = await command.answer(question)
        except Exception:
            log.exception("/%s was not answered by a fault of ours", command.name)
            return Reception.FAILED, Answer(replies.failed())
        return answer.reception, answer

    async def _press(self, press: Press) -> Answer:
        replies = self._replies(press.chat)
        if not self._access.may_query(press):
            return Answer(toast=replies.stranger(), reception=Reception.STRANGER)
        reaction = self._reactions.get(press.verb)
        if reaction is None:
            return Answer(toast=replies.forged(), reception=Reception.FORGED)
        refusal = self._access.refusal(press) if reaction.changes else None
        said = (press.verb, *press.arguments) if reaction.changes else None
        if (excess := self._excess(press, said, refusal)) is not None:
            toast = replies.too_often(excess.seconds) if excess.is_first else ""
            return Answer(toast=toast, reception=Reception.LIMITED)
        if refusal is not None:
            return Answer(toast=replies.refused(refusal, press.person), reception=Reception.REFUSED)
        if press.pressed_at is None and not reaction.counts_late:
            answer = self._turn_down_old(press.chat, replies)
            return replace(answer or Answer(), toast=replies.too_old(), reception=Reception.OLD)
        try:
            return await reaction.answer(press)
        except Exception:
            log.exception("a press of %s was not answered by a fault of ours", press.verb)
            return Answer(toast=replies.failed(), reception=Reception.FAILED)

    def _receive_stranger(self, question: Question, replies: Replies) -> Answer | None:
        """Answer with their id where they request it: once a minute each, and not often for all together."""
        now = self._clock()
        log.info(
            "person %d sent /%s in chat %s and is not known", question.person.id, question.command, question.chat.place
        )
        if (
            question.command not in OF_STRANGERS
            or now - question.sent_at > OLD_AFTER
            or _counted(((self._stranger, question.person.id), (self._strangers, "all")), now) is not None
        ):
            return None
        return Answer(replies.ids(question.address, question.person))

    def _turn_down_old(self, chat: Address, replies: Replies) -> Answer | None:
        """Answer that what was sent long ago is not done: once, however much there is of it."""
        now = self._clock()
        last = self._old_answered.get(chat)
        self._old_answered[chat] = now
        if last is not None and now - last < OLD_AFTER:
            return None
        return Answer(replies.too_old())

    def _refusal(self, question: Question, command: Command) -> Refusal | None:
        if command.is_for_first_chats and self._access.is_limited_to_escalations(question):
            return Refusal.SECOND_CHAT
        return self._access.refusal(question)

    def _excess(self, request: Question | Press, action: Hashable | None, refusal: Refusal | None) -> Excess | None:
        """Return which limit is reached; it counts where none is.

        Args:
            request: The command or the press.
            action: What is to be done; None where nothing is, so that it is a question.
            refusal: Why that may not be done.
        """
        person, limits = request.person.id, []
        if action is not None and refusal is None:
            limits = [(self._actions, person), (self._repeats, (person, request.chat, action))]
        elif request.is_private:
            limits = [(self._in_private, request.chat)]
        else:
            limits = [(self._of_people, person), (self._in_groups, request.chat)]
        if refusal is not None:
            limits = [(self._refusals, person), *limits]
        return _counted(limits, self._clock())

    def _guess(self, question: Question, replies: Replies) -> Answer | None:
        """Return what may have been meant; what was probably said to another bot is left to it."""
        if question.command:
            near = self._near(question.command, NEAR if question.is_to_us else NEAR_IN_GROUPS)
            text, words = replies.unknown(question.command, near), [*question.arguments]
        else:
            word, *words = question.arguments or ("",)
            near = self._near(word.casefold().strip(".,!?"), NEAR_IN_GROUPS)
            text = replies.no_command(near)
        if near is None:
            return Answer(text) if question.is_to_us else None
        place = self._guesses.keep(question, replace(question, command=near, arguments=tuple(words)))
        label = f"/{' '.join((near, *words))}"[:LONGEST_LABEL]
        return Answer(text, ((Button(label, GUESS, (place,)),),))

    async def _press_guess(self, press: Press) -> Answer:
        """Carry out what was probably meant, as who presses."""
        question = self._guesses.take(press)
        if question is None:
            return Answer(toast=self._replies(press.chat).chosen_already(), reception=Reception.OLD)
        question = replace(question, person=press.person, is_forwarded=False, sent_at=press.pressed_at or self._clock())
        reception, answer = await self._answer(question)
        return replace(answer or Answer(), reception=reception, replaces=True)

    def _near(self, word: str, cutoff: float) -> str | None:
        """Return the command that was probably meant by a word."""
        names = {each: ALIASES.get(each, each) for each in (*ALIASES, *self._commands)}
        names = {each: name for each, name in names.items() if name in self._commands}
        beginning = {name for name in self._commands if name.startswith(word)}
        if len(word) >= BEGINS and len(beginning) == 1:
            return beginning.pop()
        near = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
        return names[near[0]] if near else None

    def _listed(self) -> list[Command]:
        """Return what a chat is shown: a bot that is known already need not introduce itself."""
        return [each for each in self.commands if each.name != START]

    async def _help(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).help(self._listed()))

    async def _press_help(self, press: Press) -> Answer:
        return Answer(self._replies(press.chat).help(self._listed()))

    async def _id(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).ids(question.address, question.person))

    async def _show_version(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).version(self._version))


def _counted(limits: Iterable[tuple[Limit, Hashable]], now: datetime) -> Excess | None:
    """Return the first limit that is reached; where none is, one more is counted in each."""
    limits = tuple(limits)
    for limit, who in limits:
        if (excess := limit.excess(who, now)) is not None:
            return excess
    for limit, who in limits:
        limit.count(who, now)
    return None
