"""What people ask to know more: one objective, why it was judged so, budgets, charts, incidents; it changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.adapters.ledger import Ledger
from wine_slo.domain.chart import LONGEST
from wine_slo.domain.dialogue import Answer, Command, Picture, Press, Question, Reaction
from wine_slo.domain.explanation import CLOSED, Explanation, worst_of
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import take_span
from wine_slo.domain.naming import Named, UnknownNameError, resolve
from wine_slo.domain.objective import Alert, Key
from wine_slo.domain.phrases import phrase
from wine_slo.domain.watch import State
from wine_slo.domain.words import Speech

SHORTEST = timedelta(minutes=1)  # a chart of less shows nothing
HIGHEST = 2**31  # no incident has a number beyond it

Chart = Callable[[Key, Speech, timedelta | None], Awaitable[Picture | str]]


class Inquiry:
    """Answers who wants to know more.

    Args:
        ledger: Knows of the incidents that are not at hand any more.
        state: What is known now.
        speech: How things read in a chat.
        now: The instant, by the clock of the state.
        chart: Draws a key over a span, or over the usual one; the reason in words where it cannot.
        deeds: What people did about an incident, as lines of HTML.
    """

    def __init__(
        self,
        ledger: Ledger,
        state: Callable[[], State],
        speech: Callable[[int], Speech],
        now: Callable[[], datetime],
        chart: Chart,
        deeds: Callable[[Incident, Speech], Sequence[str]] = lambda _incident, _speech: (),
    ) -> None:
        self._ledger = ledger
        self._state = state
        self._speech = speech
        self._now = now
        self._chart = chart
        self._deeds = deeds

    def commands(self) -> tuple[Command | Reaction, ...]:
        """What can be asked and pressed."""
        return (
            Command("slo", phrase("One objective: value, promise, budget"), self._tell_slo, usage="latency"),
            Command("why", phrase("Why it was judged so"), self._tell_why, usage="latency"),
            Command("budget", phrase("What is left of every error budget"), self._tell_budget),
            Command("chart", phrase("A chart of one objective"), self._draw, usage="latency 6h"),
            Command("incidents", phrase("Open incidents, and the last ten"), self._tell_incidents),
            Command("incident", phrase("Everything about one incident"), self._tell_incident, usage="12"),
            Reaction("why", self._press_why),
            Reaction("chart", self._press_chart),
        )

    async def _tell_slo(self, question: Question) -> Answer:
        return self._of_one(question, Explanation.objective)

    async def _tell_why(self, question: Question) -> Answer:
        return self._of_one(question, Explanation.why)

    async def _tell_budget(self, question: Question) -> Answer:
        return Answer(self._explain(question.chat).budgets(self._state()))

    async def _draw(self, question: Question) -> Answer:
        explain = self._explain(question.chat)
        try:
            named = self._named(question.arguments, explain)
        except UnknownNameError as error:
            return Answer(explain.unknown(error))
        span, rest = take_span(named.rest)
        if rest:
            return Answer(explain.no_span(" ".join(rest)))
        if span is not None and not SHORTEST <= span <= LONGEST:
            return Answer(explain.no_such_span(" ".join(named.rest), SHORTEST, LONGEST))
        key, _ = self._key_of(named)
        return Answer(follow=lambda: self._chart(key, explain, span))

    async def _tell_incidents(self, question: Question) -> Answer:
        state = self._state()
        at_hand = {each.number: each for each in state.incidents.values()}
        older = await asyncio.to_thread(self._ledger.incidents, last=CLOSED + len(state.open_incidents))
        known = sorted(({each.number: each for each in older} | at_hand).values(), key=lambda each: -each.number)
        opened, closed = ([each for each in known if each.is_open is wanted] for wanted in (True, False))
        return Answer(self._explain(question.chat).incidents(opened, closed, self._now()))

    async def _tell_incident(self, question: Question) -> Answer:
        explain, state = self._explain(question.chat), self._state()
        word = " ".join(question.arguments)
        incident = await self._incident(word.removeprefix("#"))
        if incident is None:
            return Answer(explain.no_number(word))
        told = await asyncio.to_thread(self._ledger.told_of, [incident.number])
        deeds = self._deeds(incident, explain)
        return Answer(explain.incident(incident, told, deeds, state, self._now()))

    async def _press_why(self, press: Press) -> Answer:
        explain = self._explain(press.chat)
        incident = await self._incident("".join(press.arguments))
        if incident is None:
            return Answer(toast=explain.say("That incident is not known any more."))
        key = replace(incident.key, alert=Alert.BREACH)
        return Answer(explain.why(key, self._state(), self._now()))

    async def _press_chart(self, press: Press) -> Answer:
        explain = self._explain(press.chat)
        incident = await self._incident("".join(press.arguments))
        if incident is None or explain.objectives.of(incident.key) is None:
            return Answer(toast=explain.say("There is nothing to be drawn of it."))
        key = replace(incident.key, alert=Alert.BREACH)
        return Answer(toast=explain.say("Drawing …"), follow=lambda: self._chart(key, explain, None))

    def _of_one(self, question: Question, tell: Callable[..., str]) -> Answer:
        """An answer about one objective, or what there is to ask about."""
        explain = self._explain(question.chat)
        try:
            key, others = self._key_of(self._named(question.arguments, explain))
        except UnknownNameError as error:
            return Answer(explain.unknown(error))
        return Answer(tell(explain, key, self._state(), self._now(), others=others))

    def _named(self, words: Sequence[str], explain: Explanation) -> Named:
        """What was named.

        Raises:
            UnknownNameError: Nothing that there is.
        """
        return resolve(words, explain.objectives, self._state().tracks)

    def _key_of(self, named: Named) -> tuple[Key, int]:
        """The label set that was named, else the worst, and then how many others there are."""
        if named.key is not None:
            return named.key, 0
        state = self._state()
        keys = [key for key in state.tracks if key.objective == named.objective and key.alert is Alert.BREACH]
        worst = worst_of(keys, state)
        return worst or Key(named.objective), max(0, len(keys) - 1)

    async def _incident(self, word: str) -> Incident | None:
        """The incident of that number, at hand or in the ledger; None where there is none."""
        if not (word.isascii() and word.isdecimal() and 0 < int(word[:12]) < HIGHEST):
            return None
        number = int(word[:12])
        if (known := self._state().incidents.get(number)) is not None:
            return known
        return next(iter(await asyncio.to_thread(self._ledger.incidents, numbers=[number])), None)

    def _explain(self, chat: int) -> Explanation:
        return Explanation.of(self._speech(chat))
