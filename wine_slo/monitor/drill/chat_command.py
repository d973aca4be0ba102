"""`/drill` in a chat: whether the alert works, tried on the real service, and answered when it is over."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

from wine_slo.config.slo_extras import DrillEntry
from wine_slo.monitor.drill.commands import to_break
from wine_slo.monitor.drill.means import DrillRefusedError, DrillStoppedError
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.monitor.drill.runner import Marks
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Command, Person, Question
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.oncall.actions import Action, ActionKind, ended
from wine_slo.slo.oncall.lookup import Names, UnknownNameError
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.language import shortened

STOP = ("stop", "off", "стоп", "выкл")
STOPS_SOON = 2.0  # seconds; a stop command may take longer
PAUSE = timedelta(minutes=5)  # between two drills, each of which is loud in every chat
SENTENCES = {
    "scraped": phrase("Seen by Prometheus after {took} s, expected within {expected} s."),
    "detected": phrase("Breach confirmed after {took} s, expected within {expected} s."),
    "notified": phrase("All chats notified after {took} s, expected within {expected} s."),
    "recovered": phrase("Recovery confirmed {took} s after it, expected within {expected} s."),
    "recovery_notified": phrase("All chats notified of the recovery {took} s after it, expected within {expected} s."),
}

log = logging.getLogger(__name__)


class DrillCommand:
    """Answers who wants to try the alert.

    Args:
        snapshot: What is known now.
        fmt: How things read in a chat.
        entry: How slo.yml has a drill break the service; None where it does not say.
        prepare: The drill of an objective that can be done; raises DrillRefusedError where there can be none.
        run: Does it, and returns what came of it; raises DrillRefusedError. It is given how its incident is marked.
        longest: For how long it is slow at the most.
        journal: Keeps who began a drill, so that its incident can be marked as one.
        announce: Notifies every chat but one.
    """

    def __init__(  # noqa: PLR0913 - one place wires it, by name
        self,
        snapshot: Snapshot,
        fmt: Callable[[Address], Formatter],
        prepare: Callable[[Objective], Awaitable[Drill]],
        run: Callable[[Objective, Marks], Awaitable[Drill]],
        longest: timedelta,
        *,
        entry: Callable[[], DrillEntry | None] = lambda: None,
        journal: Journal,
        announce: Callable[[Callable[[Replies], str], Address], None] = lambda _text, _but: None,
    ) -> None:
        self._snapshot = snapshot
        self._fmt = fmt
        self._prepare = prepare
        self._run = run
        self._longest = longest
        self._entry = entry
        self._journal = journal
        self._announce = announce
        self._next_at: datetime | None = None
        self._running: asyncio.Task[Drill] | None = None

    def commands(self) -> tuple[Command, ...]:
        """Return the commands."""
        return (
            Command(
                "drill",
                phrase("Test alerting on the real service"),
                self._drill,
                changes=True,
                usage=phrase("[stop]"),
                is_for_first_chats=True,
            ),
        )

    async def _drill(self, question: Question) -> Answer:
        fmt = self._fmt(question.chat)
        if question.arguments and question.arguments[0].lower() in STOP:
            return Answer(await self._stop(fmt, question))
        if self._running is not None:
            return Answer(fmt.say("A drill is running. To stop it: /drill stop"))
        now = self._snapshot.now()
        if self._next_at is not None and timedelta(0) < (wait := self._next_at - now) <= PAUSE:
            return Answer(fmt.say("There was a drill just now; the next one can begin in {wait}.", wait=wait))
        objective = self._chosen(question.arguments, fmt)
        if objective is None:
            return Answer(self._nothing_to_break(fmt, question))
        try:
            drill = await self._prepare(objective)
        except DrillRefusedError as error:
            return Answer(fmt.say("⚪️ No drill: {why}", why=fmt.language.explain(error.reason)))
        if self._running is not None:  # somebody else began one meanwhile
            return Answer(fmt.say("A drill is running. To stop it: /drill stop"))
        log.warning("person %d in chat %s begins a drill", question.person.id, question.chat.place)
        self._next_at = now + PAUSE
        action = await self._keep(question, drill, now)
        if self._running is not None:  # somebody else began one meanwhile
            return Answer(fmt.say("A drill is running. To stop it: /drill stop"))
        running = asyncio.create_task(_done(self._run(objective, partial(self._marked, action))), name="the drill")
        running.add_done_callback(self._forget)
        self._running = running
        self._announce(lambda others: announcement(others.fmt, question.person, drill, self._longest), question.chat)
        begun = announcement(fmt, question.person, drill, self._longest)
        return Answer(begun, follow=lambda: self._report_end(running, question.chat))

    async def _keep(self, question: Question, drill: Drill, now: datetime) -> Action:
        """Keep who begins it, before there is an incident that is to be marked as a drill."""
        action = Action(
            number=0,
            at=now,
            deed=ActionKind.DRILL,
            by=self._journal.distinguished(question.person),
            chat=question.chat,
            cause=question.cause,
            objective=drill.slo,
            until=None if drill.shows_itself else now + self._longest,
        )
        return (await self._journal.add(action))[0]

    @asynccontextmanager
    async def _marked(self, action: Action, _drill: Drill, _longest: timedelta) -> AsyncIterator[None]:
        """Keep that the drill has ended, so that what begins later is none."""
        try:
            yield
        finally:
            if action.until is not None:
                await self._journal.add(ended(action, self._snapshot.now()))

    async def _stop(self, fmt: Formatter, question: Question) -> str:
        if self._running is None:
            return fmt.say("No drill is running.")
        running = self._running
        running.cancel()
        await asyncio.wait({running}, timeout=STOPS_SOON)
        self._announce(
            lambda others: stopped(others.fmt, question.person),
            question.chat,
        )
        if running.cancelled():
            return fmt.say("The drill is stopped: nothing breaks the service any more.")
        return fmt.say("The drill is being stopped.")

    async def _report_end(self, running: asyncio.Task[Drill], chat: Address) -> str | None:
        """Return what came of it, once it is over; nothing where it was stopped."""
        try:
            return said(await running, self._fmt(chat))
        except DrillRefusedError as error:
            fmt = self._fmt(chat)
            return fmt.say("⚪️ No drill: {why}", why=fmt.language.explain(error.reason))
        except (asyncio.CancelledError, DrillStoppedError) as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it is we who are to end, and the drill ends with us
                raise asyncio.CancelledError from error
            if isinstance(error, asyncio.CancelledError):
                return None
            fmt = self._fmt(chat)
            return fmt.say("🔴 Drill failed: {why}", why=fmt.language.explain(error.reason))

    def _forget(self, _running: asyncio.Task[Drill]) -> None:
        self._running = None
        self._next_at = self._snapshot.now() + PAUSE

    def _nothing_to_break(self, fmt: Formatter, question: Question) -> str:
        name = shortened(" ".join(question.arguments))
        if self._entry() is not None:
            return fmt.say("There is no objective {name}.", name=name)
        return fmt.say("{name} is not a latency; a drill can only violate a latency.", name=name)

    def _chosen(self, words: tuple[str, ...], fmt: Formatter) -> Objective | None:
        """Return the objective that is named, or the first that can be broken."""
        objectives = self._snapshot.objectives
        name = None
        if words:
            try:
                name = Names(objectives, title=fmt.title).resolve(words).objective
            except UnknownNameError:
                name = ""
        return to_break(objectives.all, self._entry(), name)


def announcement(fmt: Formatter, person: Person, drill: Drill, longest: timedelta) -> str:
    """Return that a drill begins, and whether the error budget counts what it breaks."""
    name, slo = shortened(person.name), shortened(drill.slo)
    if drill.shows_itself:
        head = fmt.say(
            "🟠 DRILL by {name}: {slo} is made slow for at most {longest}, until every chat is notified.",
            name=name,
            slo=slo,
            longest=longest,
        )
    else:
        head = fmt.say(
            "🟠 DRILL by {name}: {slo} is broken on purpose for at most {longest}, until every chat is notified.",
            name=name,
            slo=slo,
            longest=longest,
        )
    sentences = [head, fmt.say("The next breach is a drill.")]
    if not drill.spares_budget:
        sentences.append(fmt.say("The error budget counts it."))
    return " ".join(sentences)


def stopped(fmt: Formatter, person: Person) -> str:
    """Return that somebody has ended a drill."""
    return fmt.say("⚪️ {name} stopped the drill.", name=shortened(person.name))


async def _done(drill: Awaitable[Drill]) -> Drill:
    return await drill


def said(drill: Drill, fmt: Formatter) -> str:
    """Return what came of a drill; the first line says whether it worked."""
    if drill.trouble is not None:
        first = fmt.say("🔴 Drill failed: {why}", why=fmt.language.explain(drill.trouble))
    elif drill.has_worked:
        first = fmt.say("🟢 Drill passed: everyone was notified in time.")
    else:
        first = fmt.say("🟡 Drill passed, but slower than the settings imply.")
    return "\n".join([first, *(_line(each, each.seconds, fmt) for each in drill.steps if each.seconds is not None)])


def _line(step: Step, seconds: float, fmt: Formatter) -> str:
    return fmt.say(
        SENTENCES[step.name], took=fmt.language.rate(seconds), expected=fmt.language.rate(step.expected_seconds)
    )
