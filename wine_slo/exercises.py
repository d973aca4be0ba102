"""`/drill` in a chat: whether the alert works, tried on the real service, and answered when it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from wine_slo.domain.dialogue import Answer, Command, Question
from wine_slo.domain.exercise import Drill, Step
from wine_slo.domain.objective import Objective, Objectives
from wine_slo.domain.phrases import phrase, shortened
from wine_slo.domain.words import Speech
from wine_slo.drill import DrillRefusedError

STOP = "stop"
SENTENCES = {
    "scraped": phrase("Prometheus saw it after {took} s, expected within {expected} s."),
    "detected": phrase("I was sure after {took} s, expected within {expected} s."),
    "told": phrase("Every chat was told after {took} s, expected within {expected} s."),
    "recovered": phrase("I was sure of its end {took} s after it, expected within {expected} s."),
    "recovery_told": phrase("Every chat was told of its end {took} s after it, expected within {expected} s."),
}

log = logging.getLogger(__name__)


class Exercises:
    """Answers who wants to try the alert.

    Args:
        objectives: What is promised at the moment.
        speech: How things read in a chat.
        prepare: The drill of an objective that can be done; raises DrillRefusedError where there can be none.
        run: Does it, and returns what came of it; raises DrillRefusedError.
        longest: For how long it is slow at the most.
    """

    def __init__(
        self,
        objectives: Callable[[], Objectives],
        speech: Callable[[int], Speech],
        prepare: Callable[[Objective], Awaitable[Drill]],
        run: Callable[[Objective], Awaitable[Drill]],
        longest: timedelta,
    ) -> None:
        self._objectives = objectives
        self._speech = speech
        self._prepare = prepare
        self._run = run
        self._longest = longest
        self._running: asyncio.Task[Drill] | None = None

    def commands(self) -> tuple[Command, ...]:
        """What can be asked."""
        return (Command("drill", phrase("Try the alert on the real service"), self._drill, changes=True, usage=STOP),)

    async def _drill(self, question: Question) -> Answer:
        speech = self._speech(question.chat)
        if question.arguments == (STOP,):
            return Answer(self._stop(speech))
        if self._running is not None:
            return Answer(speech.say("A drill is running. /drill stop ends it."))
        name = " ".join(question.arguments)
        objective = self._chosen(name)
        if objective is None:
            return Answer(speech.say("There is no latency {name} that a drill could break.", name=shortened(name)))
        try:
            drill = await self._prepare(objective)
        except DrillRefusedError as error:
            return Answer(speech.say("⚪️ No drill: {why}", why=speech.language.tell(error.reason)))
        if self._running is not None:  # somebody else asked meanwhile
            return Answer(speech.say("A drill is running. /drill stop ends it."))
        log.warning("person %d in chat %d begins a drill", question.person.id, question.chat)
        running = asyncio.create_task(_done(self._run(objective)), name="the drill")
        running.add_done_callback(self._forget)
        self._running = running
        begun = speech.say(
            "Drill: I make {name} slow for at most {longest}, until every chat is told. The next breach is mine.",
            name=shortened(drill.slo),
            longest=self._longest,
        )
        return Answer(begun, follow=lambda: self._tell_end(running, question.chat))

    def _stop(self, speech: Speech) -> str:
        if self._running is None:
            return speech.say("No drill is running.")
        self._running.cancel()
        return speech.say("The drill is stopped: I ask for nothing any more.")

    async def _tell_end(self, running: asyncio.Task[Drill], chat: int) -> str | None:
        """What came of it, once it is over; nothing where it was stopped."""
        try:
            return said(await running, self._speech(chat))
        except DrillRefusedError as error:
            speech = self._speech(chat)
            return speech.say("⚪️ No drill: {why}", why=speech.language.tell(error.reason))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it is we who are to end, and the drill ends with us
                raise
            return None

    def _forget(self, _running: asyncio.Task[Drill]) -> None:
        self._running = None

    def _chosen(self, name: str) -> Objective | None:
        """The latency of a name, or the first."""
        latencies = (each for each in self._objectives().all if each.is_latency)
        return next((each for each in latencies if name in ("", each.name)), None)


async def _done(drill: Awaitable[Drill]) -> Drill:
    return await drill


def said(drill: Drill, speech: Speech) -> str:
    """What came of a drill; the first line says whether it worked."""
    if drill.trouble is not None:
        first = speech.say("🔴 The drill did not work: {why}", why=speech.language.tell(drill.trouble))
    elif drill.has_worked:
        first = speech.say("🟢 The drill worked: everything was told in time.")
    else:
        first = speech.say("🟡 The drill worked, but not as soon as the settings make it expect.")
    return "\n".join([first, *(_line(each, each.seconds, speech) for each in drill.steps if each.seconds is not None)])


def _line(step: Step, seconds: float, speech: Speech) -> str:
    return speech.say(
        SENTENCES[step.name], took=speech.language.rate(seconds), expected=speech.language.rate(step.expected_seconds)
    )
