"""What the chat reads when somebody wants to know more: one objective, why it was judged so, budgets, incidents.

Nothing here is said unasked. As all texts these are HTML, with `<code>` for what can be copied beside `<b>`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Self

from wine_slo.domain import promql
from wine_slo.domain.acts import NO_ACTS
from wine_slo.domain.budget import Budget, windows
from wine_slo.domain.incident import Incident, Outcome, Phase, Track
from wine_slo.domain.notice import Told
from wine_slo.domain.objective import Alert, Key, Latency, Objective, Up
from wine_slo.domain.phrases import Reason, shortened
from wine_slo.domain.reading import Interval, Reading, Sight
from wine_slo.domain.verdict import CHANCE, is_bad, weigh
from wine_slo.domain.watch import GAP, State
from wine_slo.domain.words import STATUS_LINES, URGENCY, Speech

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
            return self.say("Which one? Say its number: /incident 12. All of them: /incidents")
        return self.say("There is no incident {word}. All of them: /incidents", word=shortened(word))

    def no_span(self, word: str) -> str:
        """What was said is no span of time."""
        return self.say("I did not understand {word}. Spans are written 30m, 6h or 7d.", word=shortened(word))

    def no_such_span(self, shortest: timedelta, longest: timedelta) -> str:
        """A chart over a span of which there is none."""
        return self.say("A chart is of {shortest} at least and {longest} at most.", shortest=shortest, longest=longest)

    def no_chart(self, reason: Reason) -> str:
        """A picture that was asked for could not be made."""
        return self.say("There is no chart: {reason}.", reason=self.language.tell(reason))

    def not_looked(self, name: str) -> str:
        """An objective of which nothing is known yet."""
        return self.say("Nothing is known of {name} yet.", name=shortened(name))

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
        lines = [self._status_line(track, state, now), self._promised(objective)]
        if reading is not None and reading.good_ratio is not None:
            good = self.language.percent(reading.good_ratio)
            lines.append(self.say("Good in the last {duration}: {share}.", duration=objective.over, share=good))
        if reading is not None and reading.budget is not None:
            lines += self._budget_lines(objective, reading.budget)
        lines.append(
            self.say(
                "A breach takes {bad} of bad, a recovery {good} of good.",
                bad=objective.bad_for,
                good=objective.good_for,
            )
        )
        lines.append(self._phase(track, now))
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
        lines = [self._status_line(track, state, now), self._phase(track, now)]
        if reading is not None:
            lines += self._numbers(objective, reading)
        lines += self._evidence(objective, track, now)
        lines.append(self.say("Asked: {query}", query=f"<code>{escape(query)}</code>"))
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
        return "\n".join(lines or [f"⚪️ {self.say('Nothing is known yet.')}"])

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
            lines.append(self.say("One of them: /incident {number}", number=number))
        return "\n".join(lines)

    def incident(
        self, incident: Incident, told: Sequence[Told], deeds: Sequence[str], state: State, now: datetime
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
        belief = first or Told(incident=incident.number, chat=0)
        if incident.is_open:
            *lines, foot = self.as_drill(self.breach(incident, belief, state, now), incident, NO_ACTS).split("\n")
        elif incident.key == GAP:
            *lines, foot = self.closed(incident), self._foot(incident)
        else:
            *lines, foot = self.as_drill(self.recovery(incident, belief), incident, NO_ACTS).split("\n")
            if not lines:  # an end that is no recovery is one line
                lines, foot = [foot], self._foot(incident)
        lines.append(self._course(incident, now))
        is_said = first is not None and len(told) == 1 and not incident.is_open  # the recovery says it
        if told and not is_said:
            lines.append(self._told(incident, first, told))
        return "\n".join([*lines, *deeds, foot])

    def _promised(self, objective: Objective) -> str:
        """The promise as a sentence."""
        share, window = self.language.percent(objective.ratio), objective.window
        match objective.source:
            case Latency(threshold_seconds=threshold):
                return self.say(
                    "Promised: {share} of requests within {threshold}, over {window}.",
                    share=share,
                    threshold=self.language.seconds(threshold),
                    window=window,
                )
            case Up():
                return self.say("Promised: {share} of scrapes answered, over {window}.", share=share, window=window)
            case _:
                return self.say("Promised: {share} of requests well, over {window}.", share=share, window=window)

    def _phase(self, track: Track, now: datetime) -> str:
        """Since when it has been as it is; it holds where nothing can be said."""
        since, duration = self._when(track.since, now), now - track.since
        match track.phase:
            case Phase.MET:
                text = self.say("No breach since {time} ({duration}).", time=since, duration=duration)
            case Phase.BREACHING:
                text = self.say("Suspicious since {time} ({duration}).", time=since, duration=duration)
            case Phase.BREACHED:
                text = self.say("In breach since {time} ({duration}).", time=since, duration=duration)
            case Phase.RECOVERING:
                text = self.say("Recovering since {time} ({duration}).", time=since, duration=duration)
        if track.sight is Sight.CLEAR:
            return text
        return f"{text} {self.say('It stays so while nothing can be judged.')}"

    def _budget_lines(self, objective: Objective, budget: Budget) -> list[str]:
        """What is left, and how fast it goes."""
        lines = []
        if (remaining := budget.remaining(objective)) is not None:
            lines.append(
                self.say(
                    "Budget of {window}: {left}, from {history} of history.",
                    window=objective.window,
                    left=self._remaining(remaining),
                    history=budget.history,
                )
            )
        rates = [
            f"{self.language.span(each)} {self.language.rate(pace)}"
            for each in windows(objective)
            if (pace := budget.burn_rate(objective, each)) is not None and each <= max(budget.history, objective.over)
        ]
        if rates:
            lines.append(self.say("It burns (1 lasts): {rates}.", rates=", ".join(rates)))
        return lines

    def _remaining(self, remaining: float) -> str:
        if remaining < 0:
            return self.say("none left, overspent by {share}", share=self.language.percent(-remaining))
        return self.say("{share} left", share=self.language.percent(remaining))

    def _budget_line(self, key: Key, objective: Objective, budget: Budget | None) -> str:
        remaining = budget.remaining(objective) if budget else None
        name = shortened(str(key))
        if budget is None or remaining is None:
            return f"⚪️ {name}: {self.say('no number yet')}"
        gone = budget.lasts_for(objective, objective.burns[0].long) if objective.burns else None
        parts = [self._remaining(remaining)]
        if gone is not None:
            parts.append(self.say("at this pace gone in {duration}", duration=gone))
        if budget.history < objective.window * 0.95:
            parts.append(self.say("{duration} of history", duration=budget.history))
        sign = "🔴" if remaining <= 0 else "🟡" if gone is not None else "🟢"
        return f"{sign} {name}: {' · '.join(parts)}"

    def _numbers(self, objective: Objective, reading: Reading) -> list[str]:
        """What was seen at the last look."""
        lines = []
        if objective.is_latency and reading.latency_seconds is not None:
            over = self.language.seconds(reading.latency_seconds)
            if reading.recent_seconds is None:
                lines.append(
                    self.say("Over {duration}: {value}; no request of late.", duration=objective.over, value=over)
                )
            else:
                lines.append(
                    self.say(
                        "Over {duration}: {value}; over the last {recently}: {recent}.",
                        duration=objective.over,
                        value=over,
                        recently=objective.good_for,
                        recent=self.language.seconds(reading.recent_seconds),
                    )
                )
        elif reading.good_ratio is not None:
            bad = self.language.percent(1 - reading.good_ratio)
            lines.append(self.say("Bad in the last {duration}: {share}.", duration=objective.over, share=bad))
        if reading.events_per_second is not None and not objective.is_up:
            lines.append(self.say("Requests {rate}/s.", rate=self.language.rate(reading.events_per_second)))
        return lines

    def _evidence(self, objective: Objective, track: Track, now: datetime) -> list[str]:
        """What a suspicion rests on, and what is still missing for a breach."""
        if not track.evidence:
            return [self.say("Nothing bad was seen in the last look.")] if track.sight is Sight.CLEAR else []
        weighing = weigh(objective, track.evidence)
        bad_ones = sum(is_bad(objective, each) for each in track.evidence)
        lines = [
            self.count(
                len(track.evidence),
                "Seen since {time}: {n} interval, {bad} of them bad. {events}",
                "Seen since {time}: {n} intervals, {bad} of them bad. {events}",
                time=f"{track.evidence[0].ended_at.astimezone(self.zone):%H:%M:%S}",
                bad=self.language.number(bad_ones),
                events=self._events(objective, weighing.bad, weighing.total),
            ),
            self._strip(objective, track.evidence),
        ]
        stall = objective.scrape_interval * (objective.stall_intervals - 1)
        rest = self._events(objective, weighing.rest_bad, weighing.rest_total)
        if weighing.rest_total > 0:
            lines.append(self.say("Without the worst stall of {duration}: {events}", duration=stall, events=rest))
        if not weighing.is_enough:
            lines.append(
                self.count(
                    weighing.least,
                    "Too few to judge: a verdict needs {n} request.",
                    "Too few to judge: a verdict needs {n} requests.",
                )
            )
        elif not weighing.is_bad_without_stall:
            lines.append(self.say("So far a short stall explains it: no breach."))
        elif weighing.is_breach:
            lines.append(self.say("Chance does not explain that: a breach."))
        else:
            chance, limit = self.language.percent(weighing.chance), self.language.percent(CHANCE)
            lines.append(
                self.say(
                    "Chance may still explain it: {chance}, and a breach takes less than {limit}.",
                    chance=chance,
                    limit=limit,
                )
            )
        if track.phase is Phase.RECOVERING:
            good_for = now - max((each.ended_at for each in track.evidence if is_bad(objective, each)), default=now)
            lines.append(
                self.say(
                    "Good for {duration}; a recovery takes {needed} that is surely better.",
                    duration=good_for,
                    needed=objective.good_for,
                )
            )
        return lines

    def _strip(self, objective: Objective, evidence: Sequence[Interval]) -> str:
        """The newest intervals, one sign each."""
        last = evidence[-STRIP:]
        signs = "".join(BAD if is_bad(objective, each) else GOOD for each in last)
        return self.say("The last of them ({bad} bad, {good} good): {signs}", bad=BAD, good=GOOD, signs=signs)

    def _events(self, objective: Objective, bad: float, total: float) -> str:
        """How many of how many were bad, as a sentence."""
        n, those = round(total), self.language.number(bad)
        match objective.source:
            case Latency():
                return self.count(n, "{bad} of {n} request was slow.", "{bad} of {n} requests were slow.", bad=those)
            case Up():
                return self.count(
                    n, "{bad} of {n} scrape was not answered.", "{bad} of {n} scrapes were not answered.", bad=those
                )
            case _:
                return self.count(n, "{bad} of {n} request failed.", "{bad} of {n} requests failed.", bad=those)

    def _others(self, objective: Objective, others: int) -> str:
        return self.count(
            others,
            "This is the worst of them; {n} more can be named by a value of {labels}.",
            "This is the worst of them; {n} more can be named by a value of {labels}.",
            labels=", ".join(objective.by),
        )

    def _open_line(self, incident: Incident, now: datetime) -> str:
        title, number, since = self._about(incident), incident.number, self._when(incident.since, now)
        duration, objective = now - incident.since, self.objectives.of(incident.key)
        if objective is None or incident.value is None or incident.burn is not None:
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
                value=self._value(objective, incident.value),
                time=since,
                duration=duration,
            )
        return f"{'🟡' if incident.key.alert is Alert.TICKET else '🔴'} {text}"

    def _closed_line(self, incident: Incident, now: datetime) -> str:
        objective = self.objectives.of(incident.key)
        parts = [
            self.say(
                "#{number} {title}: {time} ({duration})",
                number=incident.number,
                title=self._about(incident),
                time=self._when(incident.began_at, now),
                duration=incident.last_bad_at - incident.began_at,
            )
        ]
        if objective is not None and incident.worst is not None and not objective.is_up:
            parts.append(self.say("worst {value}", value=self._number(objective, incident.worst)))
        if incident.outcome is Outcome.EXPIRED:
            parts.append(self.say("expired"))
        if incident.outcome is Outcome.WITHDRAWN:
            parts.append(self.say("no longer promised"))
        return f"⚪️ {', '.join(parts)}"

    def _about(self, incident: Incident) -> str:
        """What it is called in a list."""
        if incident.key == GAP:
            return self.say("Nobody looked")
        if incident.burn is not None:
            return self.say("Error budget of {title}", title=self.title(incident.key))
        return self.title(incident.key)

    def _course(self, incident: Incident, now: datetime) -> str:
        """When it began, when it was certain, when it was over."""
        began, opened = self._when(incident.began_at, now), incident.opened_at
        if incident.key == GAP or incident.openings > 1:
            text = self.say("It began {time}.", time=began)
        else:
            text = self.say(
                "It began {time} and was certain after {duration}.",
                time=began,
                duration=opened - incident.began_at,
            )
        if incident.closed_at is None:
            return text
        return f"{text} {self.say('It was closed {time}.', time=self._when(incident.closed_at, now))}"

    def _told(self, incident: Incident, first: Told | None, told: Sequence[Told]) -> str:
        heard = sum(each.breach_told_at is not None for each in told)
        if first is None or first.breach_told_at is None:
            return self.count(
                len(told), "{n} chat has not been told of the breach.", "{n} chats have not been told of the breach."
            )
        duration = max(timedelta(0), first.breach_told_at - incident.since)
        return self.count(
            heard,
            "{n} chat was told, after {duration}.",
            "{n} chats were told, the first after {duration}.",
            duration=duration,
        )

    def _when(self, instant: datetime, now: datetime) -> str:
        """A time of day, with the day where that is not today."""
        local, today = instant.astimezone(self.zone), now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        return self.say("{day} {time}", day=self.language.date(local), time=f"{local:%H:%M}")


def _told_at(told: Told) -> datetime:
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
