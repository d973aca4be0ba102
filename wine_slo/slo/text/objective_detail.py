"""One objective in detail: its value, why it was judged so, and its budget."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from html import escape
from types import MappingProxyType

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.judgement import CHANCE, is_bad, weigh
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight, Value
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import Budget, is_any_burning, windows
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.reason import Reason, phrase
from wine_slo.slo.text.formatting import BURNT_IN, MAX_HELD, Formatter
from wine_slo.slo.text.incidents.breach import deployment_line
from wine_slo.slo.text.incidents.burn import budget_line, last_budget, young_budget
from wine_slo.slo.text.incidents.cause import breakdown_lines
from wine_slo.slo.text.language import shortened
from wine_slo.slo.text.status_list import STATUS_LINES, URGENCY, fitting, status_line

LONGEST_QUERY = 700  # characters; a selector that people wrote can be of any length
STRIP = 20  # intervals of evidence that are drawn
BAD, GOOD = "■", "□"
NOTHING_SUPPRESSED: Mapping[int, Suppression] = MappingProxyType({})
SUPPRESSED = {
    Suppression.SILENCE: phrase("No notification of #{number} here: silenced."),
    Suppression.QUIET_HOURS: phrase("No notification of #{number} here until the quiet hours end."),
    Suppression.NO_DATA: phrase("No notification of #{number} here: there is no data."),
    Suppression.SECOND_CHAT: phrase("No notification of #{number} here: it was not escalated to this chat."),
    Suppression.GROUPED: phrase("Notifications of #{number} and others were grouped in one message."),
    Suppression.FLOOD_WAIT: phrase("No notification of #{number} here yet: Telegram requires a wait."),
    Suppression.RETRY: phrase("No notification of #{number} here yet: sending failed and is retried."),
}


def not_a_span(fmt: Formatter, word: str) -> str:
    """Return what was said is no span of time."""
    return fmt.say("{word} is not a duration. Examples: 30m, 6h, 7d.", word=shortened(word))


def span_out_of_range(fmt: Formatter, shortest: timedelta, longest: timedelta) -> str:
    """Return a chart over a span of which there is none."""
    return fmt.say("A chart covers at least {shortest} and at most {longest}.", shortest=shortest, longest=longest)


def no_chart(fmt: Formatter, reason: Reason) -> str:
    """Return a picture that was requested could not be made."""
    return fmt.say("There is no chart: {reason}.", reason=fmt.language.explain(reason))


def no_data_on(fmt: Formatter, name: str) -> str:
    """Return an objective of which nothing is known yet."""
    return fmt.say("No data on {name} yet.", name=shortened(name))


def objective_detail(fmt: Formatter, key: Key, state: State, now: datetime, *, others: int = 0) -> str:
    """Return everything that is known of one objective.

    Args:
        fmt: The readers.
        key: Which.
        state: What is known.
        now: The instant.
        others: How many more label sets it has.
    """
    objective, track = fmt.objectives.of(key), state.tracks.get(key)
    if objective is None or track is None:
        return f"⚪️ {no_data_on(fmt, str(key))}"
    reading = state.readings.get(key)
    lines = [status_line(fmt, track, state, now), _objective_sentence(fmt, objective)]
    if reading is not None and reading.good_ratio is not None:
        good = fmt.language.percent(reading.good_ratio, apart_from=objective.ratio)
        lines.append(
            fmt.say(
                "Good in the last {duration}: {share} (target ≥ {target}).",
                duration=objective.over,
                share=good,
                target=fmt.language.percent(objective.ratio),
            )
        )
    if reading is not None and reading.budget is not None:
        lines += _budget_lines(fmt, objective, reading.budget)
    lines.append(
        fmt.say(
            "Alerts after {bad} of violations, resolves after {good} without.",
            bad=objective.bad_for,
            good=objective.least_good_time,
        )
    )
    lines.append(_phase_line(fmt, track, state, now))
    if others:
        lines.append(_others_line(fmt, objective, others))
    return "\n".join(lines)


def why_text(
    fmt: Formatter,
    key: Key,
    state: State,
    now: datetime,
    *,
    others: int = 0,
    suppressed: Mapping[int, Suppression] = NOTHING_SUPPRESSED,
) -> str:
    """Return what the last judgement of one objective rests on: the query, the numbers, the evidence."""
    objective, track = fmt.objectives.of(key), state.tracks.get(key)
    if objective is None or track is None:
        return f"⚪️ {no_data_on(fmt, str(key))}"
    reading = state.readings.get(key)
    query = promql.value(objective, objective.over)
    if len(query) > LONGEST_QUERY:
        query = f"{query[:LONGEST_QUERY]}…"
    lines = [status_line(fmt, track, state, now), _phase_line(fmt, track, state, now)]
    if reading is not None:
        lines += _measurements(fmt, objective, reading)
    lines += _evidence_lines(fmt, objective, track, now)
    incident = state.incidents.get(track.incident) if track.incident is not None else None
    if incident is not None and incident.is_open:
        if incident.change is not None:
            lines.append(deployment_line(fmt, incident.change, incident.since))
        if incident.attribution is not None:
            lines += breakdown_lines(fmt, incident.attribution, objective)
    lines.append(fmt.say("Query: {query}", query=f"<code>{escape(query)}</code>"))
    held = [
        (number, reason)
        for number, reason in suppressed.items()
        if (incident := state.incidents.get(number)) is not None and incident.key.objective == key.objective
    ]
    held.sort(key=lambda each: state.incidents[each[0]].key.labels != key.labels)  # first of this label set itself
    lines += [fmt.say(SUPPRESSED[reason], number=number) for number, reason in held[:MAX_HELD]]
    if others:
        lines.append(_others_line(fmt, objective, others))
    return "\n".join(lines)


def budget_list(fmt: Formatter, state: State, now: datetime) -> str:
    """Return what is left of every error budget, the least first."""
    ranked = []
    for key, track in state.tracks.items():
        objective, reading = fmt.objectives.of(key), state.readings.get(key)
        if key.alert is not Alert.BREACH or objective is None:
            continue
        budget = reading.budget if reading else None
        remaining = budget.remaining(objective) if budget else None
        ranked.append(((remaining is None, remaining or 0.0, URGENCY.index(track.phase)), key, objective))
    lines = []
    for _, key, objective in nsmallest(STATUS_LINES, ranked, key=lambda each: (each[0], each[1])):
        reading = state.readings.get(key)
        last = last_budget(fmt, state.tracks[key], reading, objective, now)
        one = _one_budget(fmt, key, objective, reading.budget if reading else None)
        lines.append(f"⚪️ {shortened(str(key))}: {last}" if last else one)
    lines = fitting(lines)
    if (rest := len(ranked) - len(lines)) > 0:
        lines.append(fmt.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse."))
    return "\n".join(lines or [f"⚪️ {fmt.say('No data yet.')}"])


def _objective_sentence(fmt: Formatter, objective: Objective) -> str:
    """Return the objective as a sentence."""
    return fmt.say(
        objective.source.text.objective,
        share=fmt.language.percent(objective.ratio),
        threshold=fmt.threshold(objective),
        window=fmt.each_window(objective),
    )


def _phase_line(fmt: Formatter, track: KeyState, state: State, now: datetime) -> str:
    """Return since when it has been as it is; that holds where nothing can be said."""
    incident = state.incidents.get(track.incident) if track.incident is not None else None
    started = incident.since if incident is not None and incident.is_open else track.since
    since, duration = fmt.beginning(started, now), now - started
    match track.phase:
        case Phase.MET:
            text = fmt.say("No breach since {time} ({duration}).", time=since, duration=duration)
        case Phase.BREACHING:
            text = fmt.say("Breach pending since {time} ({duration}).", time=since, duration=duration)
        case Phase.BREACHED:
            text = fmt.say("In breach since {time} ({duration}).", time=since, duration=duration)
        case Phase.RECOVERING:
            good_since = fmt.beginning(track.since, now)
            text = fmt.say(
                "In breach since {time} ({duration}), recovering since {later}.",
                time=since,
                duration=duration,
                later=good_since,
            )
    if track.sight is Sight.CLEAR:
        return text
    return f"{text} {fmt.say('This does not change while it cannot be evaluated.')}"


def _budget_lines(fmt: Formatter, objective: Objective, budget: Budget) -> list[str]:
    """Return what is left, and how fast it goes."""
    lines = [budget_line(fmt, budget, objective)]
    if not budget.is_young(objective):
        rates = [
            f"{_window(fmt, objective, each)} {fmt.language.rate(rate)}×"
            for each in windows(objective)
            if (rate := budget.burn_rate(objective, each)) is not None and budget.covers(objective, each)
        ]
        if rates:
            lines.append(fmt.say("Burn rate: {rates}.", rates=", ".join(rates)))
    return [each for each in lines if each]


def _window(fmt: Formatter, objective: Objective, window: timedelta) -> str:
    if objective.calendar is None or not objective.is_calendar(window):
        return fmt.language.span(window)
    return fmt.say(BURNT_IN[objective.calendar.unit])


def _one_budget(fmt: Formatter, key: Key, objective: Objective, budget: Budget | None) -> str:
    remaining = budget.remaining(objective) if budget else None
    name = shortened(str(key))
    if budget is None or remaining is None:
        return f"⚪️ {name}: {fmt.say('no number yet')}"
    if budget.is_young(objective):
        return f"⚪️ {name}: {young_budget(fmt, budget, objective)}"
    parts = [_remaining(fmt, remaining)]
    burns = is_any_burning(objective, budget)
    if burns and (gone := budget.time_left(objective, objective.burns[0].long)) is not None:
        parts.append(fmt.say("gone in {duration} at this rate", duration=gone))
    if not budget.is_whole(objective):
        parts.append(fmt.say("{duration} of history", duration=budget.history))
    sign = "🔴" if remaining <= 0 else "🟡" if burns else "🟢"
    return f"{sign} {name}: {' · '.join(parts)}"


def _remaining(fmt: Formatter, remaining: float) -> str:
    if remaining < 0:
        return fmt.say("none left, overspent by {share}", share=fmt.language.percent(-remaining))
    return fmt.say("{share} left", share=fmt.language.percent(remaining))


def _measurements(fmt: Formatter, objective: Objective, reading: Reading) -> list[str]:
    """Return what was seen at the last evaluation, over each time range."""
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
        measured = "; ".join(fmt.value(objective, each, reading.bounds) for each in values)
        lines.append(fmt.say("Measured: {values}.", values=measured))
    if missed := fmt.missed(objective, reading.missed):
        lines.append(missed)
    if reading.events_per_second is not None and reading.sight.is_seeing:
        lines.append(fmt.say("{rate} requests/s.", rate=fmt.language.rate(reading.events_per_second)))
    return lines


def _evidence_lines(fmt: Formatter, objective: Objective, track: KeyState, now: datetime) -> list[str]:
    """Return what a suspicion rests on, and what is still missing for a breach."""
    if not track.evidence:
        return [fmt.say("No violations in the last evaluation.")] if track.sight is Sight.CLEAR else []
    weighing = weigh(objective, track.evidence, track.before, track.apart)
    bad_ones = sum(is_bad(objective, each) for each in track.evidence)
    lines = [
        fmt.count(
            len(track.evidence),
            "Since {time}: {n} scrape interval, {bad} with violations. {events}",
            "Since {time}: {n} scrape intervals, {bad} with violations. {events}",
            time=fmt.beginning(track.evidence[0].ended_at - objective.scrape_interval, now),
            bad=fmt.language.number(bad_ones),
            events=fmt.events(objective, weighing.bad, weighing.total),
        ),
        _strip(fmt, objective, track.evidence),
    ]
    rest = fmt.events(objective, weighing.rest_bad, weighing.rest_total)
    if weighing.rest_total > 0:
        lines.append(
            fmt.say(
                "{events} This leaves out the worst stall of {duration}.", duration=objective.longest_stall, events=rest
            )
        )
    if not weighing.is_enough:
        lines.append(
            fmt.count(
                weighing.least,
                "Too few requests: a judgement needs {n}.",
                "Too few requests: a judgement needs {n}.",
            )
        )
    elif not weighing.is_bad_without_stall:
        lines.append(fmt.say("A short stall could still explain this; not a breach yet."))
    elif weighing.is_breach:
        lines.append(fmt.say("Statistically significant: in breach."))
    else:
        chance, limit = fmt.language.percent(weighing.chance), fmt.language.percent(CHANCE)
        lines.append(
            fmt.say(
                "Not yet significant: the probability of chance is {chance}, a breach needs less than {limit}.",
                chance=chance,
                limit=limit,
            )
        )
    if track.phase is Phase.RECOVERING:
        good_for = now - max((each.ended_at for each in track.evidence if is_bad(objective, each)), default=now)
        lines.append(
            fmt.say(
                "No violations for {duration}; a recovery needs {needed}.",
                duration=good_for,
                needed=objective.least_good_time,
            )
        )
    return lines


def _strip(fmt: Formatter, objective: Objective, evidence: Sequence[Interval]) -> str:
    """Return the newest intervals, one sign each."""
    last = evidence[-STRIP:]
    signs = "".join(BAD if is_bad(objective, each) else GOOD for each in last)
    return fmt.say("The latest ({bad} bad, {good} good): {signs}", bad=BAD, good=GOOD, signs=signs)


def _others_line(fmt: Formatter, objective: Objective, others: int) -> str:
    return fmt.count(
        others,
        "This is the worst label set; select one of {n} more by a value of {labels}.",
        "This is the worst label set; select one of {n} more by a value of {labels}.",
        labels=", ".join(objective.by),
    )


def _bad_ratio(reading: Reading) -> float | None:
    return None if reading.good_ratio is None else max(0.0, 1 - reading.good_ratio)


def worst_of(keys: Iterable[Key], state: State) -> Key | None:
    """Return the label set that is worst off; None where none is known."""

    def rank(key: Key) -> tuple[int, float]:
        reading = state.readings.get(key)
        good = reading.good_ratio if reading and reading.good_ratio is not None else 1.0
        return URGENCY.index(state.tracks[key].phase), good

    return min((each for each in keys if each in state.tracks), key=rank, default=None)
