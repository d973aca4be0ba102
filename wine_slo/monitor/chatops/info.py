"""Commands that show more: one objective, why it was judged so, budgets, charts, incidents; it changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from html import unescape

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Answer, Button, Command, Picture, Press, Question, Reaction
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.objectives.objective import Alert, Key
from wine_slo.slo.oncall.lookup import NUMBER_SIGNS, Named, Names, UnknownNameError
from wine_slo.slo.oncall.spoken_span import take_span
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incident_detail import CLOSED, incident_detail, incident_list, unknown_incident
from wine_slo.slo.text.objective_detail import (
    budget_list,
    not_a_span,
    objective_detail,
    span_out_of_range,
    why_text,
    worst_of,
)
from wine_slo.slo.text.silences import MAX_LABEL
from wine_slo.slo.views.chart_spec import LONGEST

SHORTEST = timedelta(minutes=1)  # a chart of less shows nothing
HIGHEST = 2**31  # no incident has a number beyond it
OFFERED = 8  # objectives to choose from
DETAIL = "tell"  # the button of one of them
LONGEST_ARGUMENT = 30  # bytes of a name that a button can carry

Chart = Callable[[Key, Formatter, timedelta | None], Awaitable[Picture | str]]


class Info:
    """Answers who wants to know more.

    Args:
        ledger: Knows of the incidents that are not at hand any more.
        snapshot: What is known now.
        fmt: How things read in a chat.
        chart: Draws a key over a span, or over the usual one; the reason in words where it cannot.
        action_lines: What people did about an incident, as lines of HTML.
        suppressed: Why notifications are not sent to a chat at present, by the number of the incident.
    """

    def __init__(
        self,
        ledger: Ledger,
        snapshot: Snapshot,
        fmt: Callable[[Address], Formatter],
        chart: Chart,
        action_lines: Callable[[Incident, Formatter], Sequence[str]] = lambda _incident, _fmt: (),
        suppressed: Callable[[Address], Mapping[int, Suppression]] = lambda _chat: {},
    ) -> None:
        self._ledger = ledger
        self._snapshot = snapshot
        self._fmt = fmt
        self._chart = chart
        self._action_lines = action_lines
        self._suppressed = suppressed

    def commands(self) -> tuple[Command | Reaction, ...]:
        """Return the commands and the buttons."""
        one = phrase("[objective]")
        return (
            Command("slo", phrase("One objective: value, target, budget"), self._describe_slo, usage=one),
            Command("why", phrase("What the last judgement is based on"), self._describe_judgement, usage=one),
            Command(
                "budget",
                phrase("Error budget left, by objective"),
                self._describe_budget,
                usage=one,
            ),
            Command("chart", phrase("A chart of one objective"), self._draw, usage=phrase("[objective] [6h]")),
            Command("incidents", phrase("Open incidents, and the last ten"), self._list_incidents),
            Command("incident", phrase("Everything about one incident"), self._describe_incident, usage="12"),
            Reaction("why", self._press_why),
            Reaction("chart", self._press_chart),
            Reaction(DETAIL, self._press_detail),
        )

    async def _describe_slo(self, question: Question) -> Answer:
        return self._of_one("slo", question.chat, question.arguments)

    async def _describe_judgement(self, question: Question) -> Answer:
        return self._of_one("why", question.chat, question.arguments)

    async def _describe_budget(self, question: Question) -> Answer:
        if question.arguments:
            return self._of_one("budget", question.chat, question.arguments)
        return Answer(budget_list(self._explain(question.chat), self._snapshot.state, self._snapshot.now()))

    async def _draw(self, question: Question) -> Answer:
        return self._of_one("chart", question.chat, question.arguments)

    async def _press_detail(self, press: Press) -> Answer:
        command, *words = press.arguments
        return self._of_one(command, press.chat, words)

    async def _list_incidents(self, question: Question) -> Answer:
        state = self._snapshot.state
        at_hand = {each.number: each for each in state.incidents.values()}
        older = await asyncio.to_thread(self._ledger.incidents, last=CLOSED + len(state.open_incidents))
        known = sorted(({each.number: each for each in older} | at_hand).values(), key=lambda each: -each.number)
        opened, closed = ([each for each in known if each.is_open is wanted] for wanted in (True, False))
        return Answer(incident_list(self._explain(question.chat), opened, closed, self._snapshot.now()))

    async def _describe_incident(self, question: Question) -> Answer:
        explain, state = self._explain(question.chat), self._snapshot.state
        word = " ".join(question.arguments)
        incident = await self._incident(word.lstrip("".join(NUMBER_SIGNS)).strip()) or self._last_of(question)
        if incident is None:
            return Answer(unknown_incident(explain, word, state.open_incidents))
        records = await asyncio.to_thread(self._ledger.records_of, [incident.number])
        action_lines = self._action_lines(incident, explain)
        return Answer(incident_detail(explain, incident, records, action_lines, state, self._snapshot.now()))

    async def _press_why(self, press: Press) -> Answer:
        explain = self._explain(press.chat)
        incident = await self._incident("".join(press.arguments))
        if incident is None:
            return Answer(toast=explain.say("That incident is no longer known."))
        key = replace(incident.key, alert=Alert.BREACH)
        return Answer(
            why_text(explain, key, self._snapshot.state, self._snapshot.now(), suppressed=self._suppressed(press.chat))
        )

    async def _press_chart(self, press: Press) -> Answer:
        explain = self._explain(press.chat)
        incident = await self._incident("".join(press.arguments))
        if incident is None or explain.objectives.of(incident.key) is None:
            return Answer(toast=explain.say("There is nothing to chart."))
        key = replace(incident.key, alert=Alert.BREACH)
        return Answer(toast=explain.say("Drawing …"), follow=lambda: self._chart(key, explain, None))

    def _of_one(self, command: str, chat: Address, words: Sequence[str]) -> Answer:
        """Return an answer about one objective, or the choices."""
        explain, state, now = self._explain(chat), self._snapshot.state, self._snapshot.now()
        span, rest = take_span(words) if command == "chart" else (None, words)
        try:
            named = self._named(rest, explain, is_all=command != "chart")
        except UnknownNameError as error:
            return self._offer_choices(command, error, explain, [] if span is None else words[: len(words) - len(rest)])
        key, others = self._key_of(named)
        match command:
            case "slo":
                return Answer(objective_detail(explain, key, state, now, others=others))
            case "why":
                return Answer(why_text(explain, key, state, now, others=others, suppressed=self._suppressed(chat)))
            case "budget":
                tracks = {each: track for each, track in state.tracks.items() if each.objective == named.objective}
                return Answer(budget_list(explain, replace(state, tracks=tracks), now))
        if span is None:
            span, rest = take_span(named.rest)
        else:
            rest = named.rest
        if rest:
            return Answer(not_a_span(explain, " ".join(rest)))
        if span is not None and not SHORTEST <= span <= LONGEST:
            return Answer(span_out_of_range(explain, SHORTEST, LONGEST))
        return Answer(follow=lambda: self._chart(key, explain, span))

    def _offer_choices(self, command: str, error: UnknownNameError, explain: Formatter, span: Sequence[str]) -> Answer:
        """Return the choices, with a button for each."""
        names = [error.near] if error.near else list(error.among or explain.objectives.by_name)[:OFFERED]
        buttons = [
            (Button(unescape(explain.title(Key(each)))[:MAX_LABEL], DETAIL, (command, each, *span)),)
            for each in names
            if len(" ".join((each, *span)).encode()) <= LONGEST_ARGUMENT and "|" not in each
        ]
        return Answer(Replies(explain).unknown_name(error), tuple(buttons))

    def _named(self, words: Sequence[str], explain: Formatter, *, is_all: bool = True) -> Named:
        """Return what was named; where nothing was, the only objective that is in breach.

        Args:
            words: As they were written.
            explain: How things read there.
            is_all: Whether the words say nothing else.

        Raises:
            UnknownNameError: Nothing that there is.
        """
        state = self._snapshot.state
        names = Names(explain.objectives, tuple(state.tracks), state.incidents, explain.title)
        in_breach = {each.key.objective for each in state.open_incidents if explain.objectives.of(each.key)}
        if not words and len(in_breach) == 1:
            return Named(in_breach.pop(), None)
        return names.resolve_only(words) if is_all else names.resolve(words)

    def _last_of(self, question: Question) -> Incident | None:
        """Return the last incident of an objective that was named, or the only open one where nothing was."""
        state = self._snapshot.state
        if not question.arguments:
            return state.open_incidents[0] if len(state.open_incidents) == 1 else None
        try:
            named = self._named(question.arguments, self._explain(question.chat))
        except UnknownNameError:
            return None
        those = [each for each in state.incidents.values() if each.key.objective == named.objective]
        return max(those, key=lambda each: each.number, default=None)

    def _key_of(self, named: Named) -> tuple[Key, int]:
        """Return the label set that was named, else the worst, and then how many others there are."""
        state, wanted = self._snapshot.state, set(named.about.labels)
        if named.key in state.tracks:
            return named.about, 0
        of_it = (key for key in state.tracks if key.objective == named.objective and key.alert is Alert.BREACH)
        keys = [key for key in of_it if wanted <= set(key.labels)]
        worst = worst_of(keys, state)
        return worst or named.about, max(0, len(keys) - 1)

    async def _incident(self, word: str) -> Incident | None:
        """Return the incident of that number, at hand or in the ledger; None where there is none."""
        if not (word.isascii() and word.isdecimal() and 0 < int(word[:12]) < HIGHEST):
            return None
        number = int(word[:12])
        if (known := self._snapshot.state.incidents.get(number)) is not None:
            return known
        return next(iter(await asyncio.to_thread(self._ledger.incidents, numbers=[number])), None)

    def _explain(self, chat: Address) -> Formatter:
        return self._fmt(chat)
