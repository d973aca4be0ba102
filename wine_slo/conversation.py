"""Who may ask what, and who answers it: a table of commands, a table of buttons, and default deny before both.

Nothing here knows Telegram: a question comes in as a value and an answer goes out as one.

Who may ask: everybody in a chat of the settings, and the admins of the settings wherever they are. Who may change
something: where admins are set, only they; otherwise everybody in a chat of the settings. It is the person who asks
or presses that counts, not the chat that a message is in. A stranger learns the id of their chat, at most once a
minute, and nothing else.
"""

import difflib
import logging
from collections import deque
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from wine_slo.domain.dialogue import Answer, Command, Press, Question, Reaction, Reception
from wine_slo.domain.phrases import phrase
from wine_slo.domain.replies import Replies

log = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
OLD_AFTER = timedelta(minutes=5)  # what was asked longer ago is not what is wanted now
ANSWERS_A_MINUTE = 10  # in one chat; Telegram lets a group have 20, and a breach must have room
STRANGERS_A_MINUTE = 20  # all of them together, for the same reason
STRANGERS_KEPT = 1000  # of whom the last time is remembered
NEAR = 0.6  # how alike a command must be to be what was meant; difflib's usual


@dataclass(frozen=True, slots=True)
class Access:
    """Who is known.

    Attributes:
        chats: The recipients; a group that has become a supergroup is there by either id.
        admins: The people of the settings.
    """

    chats: Container[int]
    admins: Collection[int]

    def may_ask(self, asked: Question | Press) -> bool:
        """Whether that person may read what we know, in that chat."""
        return asked.chat in self.chats or asked.person.id in self.admins

    def may_change(self, asked: Question | Press) -> bool:
        """Whether that person may change something, from that chat."""
        return asked.person.id in self.admins if self.admins else asked.chat in self.chats


class Conversation:
    """Answers.

    Args:
        access: Who is known.
        replies: How to answer in a chat.
        clock: Tells the time by which a question is old.
        version: What `/version` says.
        on_reception: Called with what became of each question and each press.
    """

    def __init__(
        self,
        access: Access,
        replies: Callable[[int], Replies],
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
        self._answered: dict[int, deque[datetime]] = {}
        self._strangers: dict[int, datetime] = {}
        self._strangers_lately: deque[datetime] = deque()
        self._old_told: dict[int, datetime] = {}
        self.add(
            Command("help", phrase("What I can be asked"), self._help),
            Command("id", phrase("The id of this chat, and yours"), self._id),
            Command("version", phrase("Which version runs"), self._tell_version),
        )

    def add(self, *those: Command | Reaction) -> None:
        """Answer these too; the help and the menu have them in the order in which they came."""
        for each in those:
            if isinstance(each, Command):
                self._commands[each.name] = each
            else:
                self._reactions[each.verb] = each

    @property
    def verbs(self) -> Collection[str]:
        """What buttons can do; it grows with what is added."""
        return self._reactions.keys()

    def menu(self, replies: Replies) -> list[tuple[str, str]]:
        """Every command with its line, as the chat's program lists them."""
        return [(each.name, replies.say(each.help)) for each in self._listed()]

    async def ask(self, question: Question) -> Answer | None:
        """The answer to a command; None where there is none to give."""
        reception, answer = await self._ask(question)
        self._on_reception(reception)
        return answer

    async def press(self, press: Press) -> Answer:
        """The answer to a press of a button; every press has one."""
        answer = await self._press(press)
        self._on_reception(answer.reception)
        return answer

    def refuse(self, chat: int) -> Answer:
        """The answer to a press of a button that is not ours, or is of another chat."""
        log.warning("a button in chat %d was refused: it is not one of ours, or not of that chat", chat)
        self._on_reception(Reception.FORGED)
        return Answer(toast=self._replies(chat).forged())

    async def _ask(self, question: Question) -> tuple[Reception, Answer | None]:
        replies = self._replies(question.chat)
        if not self._access.may_ask(question):
            return Reception.STRANGER, self._receive_stranger(question, replies)
        command = self._commands.get(question.command)
        is_old = self._clock() - question.asked_at > OLD_AFTER
        if is_old and not (command and command.counts_late):
            return Reception.OLD, self._turn_down_old(question.chat, replies)
        if command is not None and command.changes and not self._access.may_change(question):
            return Reception.REFUSED, Answer(replies.not_allowed(question.person))
        if not (command and command.changes) and self._is_too_often(question.chat):
            return Reception.LIMITED, None
        if command is None:
            return Reception.UNKNOWN, self._guess(question, replies)
        try:
            answer = await command.answer(question)
        except Exception:
            log.exception("/%s was not answered by a fault of ours", command.name)
            return Reception.FAILED, Answer(replies.failed())
        return answer.reception, answer

    async def _press(self, press: Press) -> Answer:
        replies = self._replies(press.chat)
        if not self._access.may_ask(press):
            return Answer(toast=replies.stranger(), reception=Reception.STRANGER)
        reaction = self._reactions.get(press.verb)
        if reaction is None:
            return Answer(toast=replies.forged(), reception=Reception.FORGED)
        if reaction.changes and not self._access.may_change(press):
            return Answer(toast=replies.not_allowed(press.person), reception=Reception.REFUSED)
        if press.pressed_at is None and not reaction.counts_late:
            told = self._turn_down_old(press.chat, replies)
            return replace(told or Answer(), toast=replies.asked_long_ago(), reception=Reception.OLD)
        if not reaction.changes and self._is_too_often(press.chat):
            return Answer(toast=replies.too_often(), reception=Reception.LIMITED)
        try:
            return await reaction.answer(press)
        except Exception:
            log.exception("a press of %s was not answered by a fault of ours", press.verb)
            return Answer(toast=replies.failed(), reception=Reception.FAILED)

    def _receive_stranger(self, question: Question, replies: Replies) -> Answer | None:
        """Their id, where it is asked for, at most once a minute each and not often for all of them together."""
        now = self._clock()
        log.info("person %d asked /%s in chat %d and is not known", question.person.id, question.command, question.chat)
        last = self._strangers.get(question.person.id)
        while self._strangers_lately and now - self._strangers_lately[0] >= MINUTE:
            self._strangers_lately.popleft()
        if (
            question.command not in ("id", "start")
            or (last is not None and now - last < MINUTE)
            or len(self._strangers_lately) >= STRANGERS_A_MINUTE
            or now - question.asked_at > OLD_AFTER
        ):
            return None
        self._strangers.pop(question.person.id, None)  # so that the oldest is always the first
        self._strangers[question.person.id] = now
        if len(self._strangers) > STRANGERS_KEPT:
            del self._strangers[next(iter(self._strangers))]
        self._strangers_lately.append(now)
        return Answer(replies.ids(question.chat, question.person, question.topic))

    def _turn_down_old(self, chat: int, replies: Replies) -> Answer | None:
        """That what was asked long ago is not done; said once, however much there is of it."""
        now = self._clock()
        last = self._old_told.get(chat)
        self._old_told[chat] = now
        if last is not None and now - last < OLD_AFTER:
            return None
        return Answer(replies.asked_long_ago())

    def _is_too_often(self, chat: int) -> bool:
        now = self._clock()
        lately = self._answered.setdefault(chat, deque(maxlen=ANSWERS_A_MINUTE))
        if len(lately) == ANSWERS_A_MINUTE and now - lately[0] < MINUTE:
            return True
        lately.append(now)
        return False

    def _guess(self, question: Question, replies: Replies) -> Answer | None:
        """What may have been meant; what may have been said to another bot is left to it."""
        if not question.is_to_us:
            return None
        near = difflib.get_close_matches(question.command, self._commands, n=1, cutoff=NEAR)
        return Answer(replies.unknown(question.command, near[0] if near else None))

    def _listed(self) -> Iterable[Command]:
        """Every command, what is asked for seldom last."""
        last = ("help", "id", "version", "start")
        yield from (each for each in self._commands.values() if each.name not in last)
        yield from (self._commands[name] for name in last[:-1])

    async def _help(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).help(self._listed()))

    async def _id(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).ids(question.chat, question.person, question.topic))

    async def _tell_version(self, question: Question) -> Answer:
        return Answer(self._replies(question.chat).version(self._version))
