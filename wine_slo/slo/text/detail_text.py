"""What the chat reads when somebody wants to know more: one objective, why it was judged so, budgets, incidents.

Nothing here is said unasked. As all texts these are HTML, with `<code>` for what can be copied beside `<b>`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Self

from wine_slo.slo.evaluation.engine import GAP, State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.evaluation.judgement import CHANCE, is_bad, weigh
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.evaluation.value import Value
from wine_slo.slo.notification.plan import DeliveryRecord
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import Budget, is_any_burning, windows
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS
from wine_slo.slo.reason import Reason
from wine_slo.slo.text.incident_text import STATUS_LINES, URGENCY, WHOLE, Speech
from wine_slo.slo.text.language import shortened

LONGEST_QUERY = 700  # characters; a selector that people wrote can be of any length
STRIP = 20  # intervals of evidence that are drawn
BAD, GOOD = "■", "□"
CLOSED = 10  # incidents that are over, in a list
OPEN = 20  # incidents that are not


@dataclass(frozen=True, slots=True)
class Explanation(Speech):
    """The longer answers, for the readers of one chat."""

    @classmethod
    def of(cls, speech: Speech) -> Self:
        """The same readers, told more."""
        return cls(speech.objectives, speech.zone, speech.language)

    def no_number(self, word: str) -> str:
        """What was said is no incident's number."""
        if not word:
            return self.say("Which one? Give its number: /incident 12. All incidents: /incidents")
        return self.say("There is no incident {word}. All incidents: /incidents", word=shortened(word))

    def no_span(self, word: str) -> str:
        """What was said is no span of time."""
        return self.say("{word} is not a duration. Examples: 30m, 6h, 7d.", word=shortened(word))

    def no_such_span(self, shortest: timedelta, longest: timedelta) -> str:
        """A chart over a span of which there is none."""
        return self.say("A chart covers at least {shortest} and at most {longest}.", shortest=shortest, longest=longest)

    def no_chart(self, reason: Reason) -> str:
        """A picture that was asked for could not be made."""
        return self.say("There is no chart: {reason}.", reason=self.language.tell(reason))

    def not_looked(self, name: str) -> str:
        """An objective of which nothing is known yet."""
        return self.say("No data on {name} yet.", name=shortened(name))

    # One objective

    def objective(self, key: Key, state: State, now: datetime, *, others: int = 0) -> str:
        """Everything that is known of one objective.

        Args:
            key: Which.
            state: What is known.
            now: The instant.
            others: How many more label sets it has.
        """
        objective, track = self.objectives.of(key), state.tracks.get(key)
        if objective is None or track is None:
            return f"⚪️ {self.not_looked(str(key))}"
        reading = state.readings.get(key)
        lines = [self._status_line(track, state, now), self._objective(objective)]
        if reading is not None and reading.good_ratio is not None:
            good = self.language.percent(reading.good_ratio, apart_from=objective.ratio)
            lines.append(
                self.say(
                    "Good in the last {duration}: {share} (target ≥ {target}).",
                    duration=objective.over,
                    share=good,
                    target=self.language.percent(objective.ratio),
                )
            )
        if reading is not None and reading.budget is not None:
            lines += self._budget_lines(objective, reading.budget)
        lines.append(
            self.say(
                "Alerts after {bad} of violations, resolves after {good} without.",
                bad=objective.bad_for,
                good=objective.good_for,
            )
        )
        lines.append(self._phase(track, state, now))
        if others:
            lines.append(self._others(objective, others))
        return "\n".join(lines)

    def why(self, key: Key, state: State, now: datetime, *, others: int = 0) -> str:
        """What the last verdict of one objective rests on: the query, the numbers, the evidence."""
        objective, track = self.objectives.of(key), state.tracks.get(key)
        if objective is None or track is None:
            return f"⚪️ {self.not_looked(str(key))}"
        reading = state.readings.get(key)
        query = promql.value(objective, objective.over)
        if len(query) > LONGEST_QUERY:
            query = f"{query[:LONGEST_QUERY]}…"
        lines = [self._status_line(track, state, now), self._phase(track, state, now)]
        if reading is not None:
            lines += self._numbers(objective, reading)
        lines += self._evidence(objective, track, now)
        lines.append(self.say("Query: {query}", query=f"<code>{escape(query)}</code>"))
        if others:
            lines.append(self._others(objective, others))
        return "\n".join(lines)

    def budgets(self, state: State) -> str:
        """What is left of every error budget, the least first."""
        found = []
        for key, track in sorted(state.tracks.items()):
            objective, reading = self.objectives.of(key), state.readings.get(key)
            if key.alert is not Alert.BREACH or objective is None:
                continue
            budget = reading.budget if reading else None
            remaining = budget.remaining(objective) if budget else None
            rank = (remaining is None, remaining or 0.0, URGENCY.index(track.phase))
            found.append((rank, self._budget_line(key, objective, budget)))
        lines = [line for _, line in sorted(found, key=lambda each: each[0])]
        if (rest := len(lines) - STATUS_LINES) > 0:
            more = self.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse.")
            lines = [*lines[:STATUS_LINES], more]
        return "\n".join(lines or [f"⚪️ {self.say('No data yet.')}"])

    # Incidents

    def incidents(self, opened: Sequence[Incident], closed: Sequence[Incident], now: datetime) -> str:
        """Those that are open, and the last that are over."""
        lines = [self._open_line(each, now) for each in opened[:OPEN]]
        if (rest := len(opened) - OPEN) > 0:
            lines.append(self.count(rest, "… and {n} more is open.", "… and {n} more are open."))
        if not lines:
            lines = [f"🟢 {self.say('No incident is open.')}"]
        lines += [self._closed_line(each, now) for each in closed[:CLOSED]]
        if opened or closed:
            number = (*opened, *closed)[0].number
            lines.append(self.say("Details: /incident {number}", number=number))
        return "\n".join(lines)

    def incident(
        self, incident: Incident, told: Sequence[DeliveryRecord], deeds: Sequence[str], state: State, now: datetime
    ) -> str:
        """Everything that is known of one incident.

        Args:
            incident: Which.
            told: What each chat was told of it.
            deeds: What people did about it, oldest first, as HTML.
            state: What is known.
            now: The instant.
        """
        first = min((each for each in told if each.breach_told_at), key=_told_at, default=None)
        belief = first or DeliveryRecord(incident=incident.number, chat=0)
        if incident.is_open:
            *lines, foot = self.as_drill(self.breach(incident, belief, state, now), incident, NO_ACTIONS).split("\n")
        elif incident.key == GAP:
            *lines, foot = self.closed(incident), self._foot(incident)
        else:
            *lines, foot = self.as_drill(self.recovery(incident, belief), incident, NO_ACTIONS).split("\n")
            if not lines:  # an end that is no recovery is one line
                lines, foot = [foot], self._foot(incident)
        lines.append(self._course(incident, now))
        is_said = first is not None and len(told) == 1 and not incident.is_open  # the recovery says it
        if told and not is_said:
            lines.append(self._told(incident, first, told))
        return "\n".join([*lines, *deeds, foot])

    def _objective(self, objective: Objective) -> str:
        """The objective as a sentence."""
        share, window = self.language.percent(objective.ratio), objective.window
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return self.say(
                    "Objective: {share} of requests within {threshold}, over {window}.",
                    share=share,
                    threshold=self.seconds(threshold),
                    window=window,
                )
            case Up():
                return self.say("Objective: up {share} of the time, over {window}.", share=share, window=window)
            case _:
                return self.say("Objective: {share} of requests succeed, over {window}.", share=share, window=window)

    def _phase(self, track: KeyState, state: State, now: datetime) -> str:
        """Since when it has been as it is; it holds where nothing can be said."""
        incident = state.incidents.get(track.incident) if track.incident is not None else None
        started = incident.since if incident is not None and incident.is_open else track.since
        since, duration = self.beginning(started, now), now - started
        match track.phase:
            case Phase.MET:
                text = self.say("No breach since {time} ({duration}).", time=since, duration=duration)
            case Phase.BREACHING:
                text = self.say("Breach pending since {time} ({duration}).", time=since, duration=duration)
            case Phase.BREACHED:
                text = self.say("In breach since {time} ({duration}).", time=since, duration=duration)
            case Phase.RECOVERING:
                good_since = self.beginning(track.since, now)
                text = self.say(
                    "In breach since {time} ({duration}), recovering since {later}.",
                    time=since,
                    duration=duration,
                    later=good_since,
                )
        if track.sight is Sight.CLEAR:
            return text
        return f"{text} {self.say('This does not change while it cannot be evaluated.')}"

    def _budget_lines(self, objective: Objective, budget: Budget) -> list[str]:
        """What is left, and how fast it goes."""
        lines = [self.budget_left(budget, objective)]
        if not budget.is_young(objective):
            rates = [
                f"{self.language.span(each)} {self.language.rate(rate)}×"
                for each in windows(objective)
                if (rate := budget.burn_rate(objective, each)) is not None and each <= budget.history
            ]
            if rates:
                lines.append(self.say("Burn rate: {rates}.", rates=", ".join(rates)))
        return [each for each in lines if each]

    def _budget_line(self, key: Key, objective: Objective, budget: Budget | None) -> str:
        remaining = budget.remaining(objective) if budget else None
        name = shortened(str(key))
        if budget is None or remaining is None:
            return f"⚪️ {name}: {self.say('no number yet')}"
        if budget.is_young(objective):
            return f"⚪️ {name}: {self.budget_in_short(budget, objective)}"
        parts = [self._remaining(remaining)]
        burns = is_any_burning(objective, budget)
        if burns and (gone := budget.lasts_for(objective, objective.burns[0].long)) is not None:
            parts.append(self.say("gone in {duration} at this rate", duration=gone))
        if budget.history < objective.window * WHOLE:
            parts.append(self.say("{duration} of history", duration=budget.history))
        sign = "🔴" if remaining <= 0 else "🟡" if burns else "🟢"
        return f"{sign} {name}: {' · '.join(parts)}"

    def _remaining(self, remaining: float) -> str:
        if remaining < 0:
            return self.say("none left, overspent by {share}", share=self.language.percent(-remaining))
        return self.say("{share} left", share=self.language.percent(remaining))

    def _numbers(self, objective: Objective, reading: Reading) -> list[str]:
        """What was seen at the last evaluation, over each time range."""
        values = [
            Value(number, over)
            for number, over in (
                (reading.latency_seconds if objective.is_latency else _bad_ratio(reading), objective.over),
                (
                    reading.recent_seconds if objective.is_latency else reading.recent_bad_ratio(objective),
                    objective.recent,
                ),
            )
            if number is not None
        ]
        lines = []
        if values:
            told = "; ".join(self._value(objective, each, reading.bounds) for each in values)
            lines.append(self.say("Measured: {values}.", values=told))
        if reading.events_per_second is not None and not objective.is_up:
            lines.append(self.say("{rate} requests/s.", rate=self.language.rate(reading.events_per_second)))
        return lines

    def _evidence(self, objective: Objective, track: KeyState, now: datetime) -> list[str]:
        """What a suspicion rests on, and what is still missing for a breach."""
        if not track.evidence:
            return [self.say("No violations in the last evaluation.")] if track.sight is Sight.CLEAR else []
        weighing = weigh(objective, track.evidence)
        bad_ones = sum(is_bad(objective, each) for each in track.evidence)
        lines = [
            self.count(
                len(track.evidence),
                "Since {time}: {n} scrape interval, {bad} with violations. {events}",
                "Since {time}: {n} scrape intervals, {bad} with violations. {events}",
                time=self.beginning(track.evidence[0].ended_at - objective.scrape_interval, now),
                bad=self.language.number(bad_ones),
                events=self._events(objective, weighing.bad, weighing.total),
            ),
            self._strip(objective, track.evidence),
        ]
        stall = objective.scrape_interval * (objective.stall_intervals - 1)
        rest = self._events(objective, weighing.rest_bad, weighing.rest_total)
        if weighing.rest_total > 0:
            lines.append(
                self.say("{events} This leaves out the worst stall of {duration}.", duration=stall, events=rest)
            )
        if not weighing.is_enough:
            lines.append(
                self.count(
                    weighing.least,
                    "Too few requests: a judgement needs {n}.",
                    "Too few requests: a judgement needs {n}.",
                )
            )
        elif not weighing.is_bad_without_stall:
            lines.append(self.say("A short stall could still explain this; not a breach yet."))
        elif weighing.is_breach:
            lines.append(self.say("Statistically significant: in breach."))
        else:
            chance, limit = self.language.percent(weighing.chance), self.language.percent(CHANCE)
            lines.append(
                self.say(
                    "Not yet significant: the probability of chance is {chance}, a breach needs less than {limit}.",
                    chance=chance,
                    limit=limit,
                )
            )
        if track.phase is Phase.RECOVERING:
            good_for = now - max((each.ended_at for each in track.evidence if is_bad(objective, each)), default=now)
            lines.append(
                self.say(
                    "No violations for {duration}; a recovery needs {needed}.",
                    duration=good_for,
                    needed=objective.good_for,
                )
            )
        return lines

    def _strip(self, objective: Objective, evidence: Sequence[Interval]) -> str:
        """The newest intervals, one sign each."""
        last = evidence[-STRIP:]
        signs = "".join(BAD if is_bad(objective, each) else GOOD for each in last)
        return self.say("The latest ({bad} bad, {good} good): {signs}", bad=BAD, good=GOOD, signs=signs)

    def _others(self, objective: Objective, others: int) -> str:
        return self.count(
            others,
            "This is the worst label set; select one of {n} more by a value of {labels}.",
            "This is the worst label set; select one of {n} more by a value of {labels}.",
            labels=", ".join(objective.by),
        )

    def _open_line(self, incident: Incident, now: datetime) -> str:
        title, number, since = self.about(incident), incident.number, self.beginning(incident.since, now)
        duration, objective = now - incident.since, self.objectives.of(incident.key)
        if objective is None or incident.shown is None or incident.burn is not None:
            text = self.say(
                "#{number} {title}: since {time} ({duration})",
                number=number,
                title=title,
                time=since,
                duration=duration,
            )
        else:
            text = self.say(
                "#{number} {title}: {value}, since {time} ({duration})",
                number=number,
                title=title,
                value=self._value(objective, incident.shown, incident.bounds),
                time=since,
                duration=duration,
            )
        sign = "🟡" if incident.key.alert is Alert.TICKET else "🔴"
        return f"{sign} {', '.join([text, *self.drill_mark(incident)])}"

    def _closed_line(self, incident: Incident, now: datetime) -> str:
        objective = self.objectives.of(incident.key)
        parts = [
            self.say(
                "#{number} {title}: {time} ({duration})",
                number=incident.number,
                title=self.about(incident),
                time=self.beginning(incident.began_at, now),
                duration=incident.bad_for(now),
            )
        ]
        if objective is not None and incident.worst is not None and not objective.is_up:
            value = self._number(objective, incident.worst, incident.bounds)
            parts.append(self.say("worst {value}", value=value))
        parts += self.drill_mark(incident)
        if incident.outcome is Outcome.EXPIRED:
            parts.append(self.say("expired"))
        if incident.outcome is Outcome.WITHDRAWN:
            parts.append(self.say("objective removed"))
        return f"⚪️ {', '.join(parts)}"

    def _course(self, incident: Incident, now: datetime) -> str:
        """When it began, when it was certain, when it was over."""
        began, opened = self.beginning(incident.began_at, now), incident.opened_at
        if incident.key == GAP or incident.openings > 1:
            text = self.say("Began at {time}.", time=began)
        else:
            text = self.say(
                "Began at {time}, confirmed after {duration}.",
                time=began,
                duration=opened - incident.began_at,
            )
        if incident.closed_at is None:
            return text
        return f"{text} {self.say('Closed at {time}.', time=self.beginning(incident.closed_at, now))}"

    def _told(self, incident: Incident, first: DeliveryRecord | None, told: Sequence[DeliveryRecord]) -> str:
        heard = sum(each.breach_told_at is not None for each in told)
        if first is None or first.breach_told_at is None:
            return self.count(len(told), "{n} chat has not been notified.", "{n} chats have not been notified.")
        duration = max(timedelta(0), first.breach_told_at - incident.since)
        return self.count(
            heard,
            "{n} chat was notified, after {duration}.",
            "{n} chats were notified, the first after {duration}.",
            duration=duration,
        )


def _bad_ratio(reading: Reading) -> float | None:
    return None if reading.good_ratio is None else max(0.0, 1 - reading.good_ratio)


def _told_at(told: DeliveryRecord) -> datetime:
    if told.breach_told_at is None:
        raise ValueError(f"chat {told.chat} was not told of #{told.incident}")
    return told.breach_told_at


def worst_of(keys: Iterable[Key], state: State) -> Key | None:
    """The label set that is worst off; None where none is known."""

    def rank(key: Key) -> tuple[int, float]:
        reading = state.readings.get(key)
        good = reading.good_ratio if reading and reading.good_ratio is not None else 1.0
        return URGENCY.index(state.tracks[key].phase), good

    return min((each for each in keys if each in state.tracks), key=rank, default=None)
