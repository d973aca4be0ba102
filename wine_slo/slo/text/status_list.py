"""The status list: each objective in a line, and who leads of several watchdogs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import nsmallest

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight, Value, value_of
from wine_slo.slo.lease import Leadership, Watchdog
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.replicas.replica_state import ReplicaState
from wine_slo.slo.text.formatting import MAX_HELD, Formatter
from wine_slo.slo.text.incidents.breach import drill_mark
from wine_slo.slo.text.incidents.burn import budget_in_short, last_budget
from wine_slo.slo.text.incidents.down import targets_down_in_short
from wine_slo.slo.text.language import shortened
from wine_slo.slo.text.silences import silence_line

ROOM = 3000  # letters of a list; a message has 4,096, with what stands above and below it
STATUS_LINES = 25  # objectives in one answer; a thousand label sets are not read by anyone
URGENCY = (Phase.BREACHED, Phase.RECOVERING, Phase.BREACHING, Phase.MET)


def status_list(
    fmt: Formatter, state: State, now: datetime, actions: Actions = NO_ACTIONS, *, is_overdue: bool = False
) -> str:
    """Return every objective in a line each, and how old that knowledge is; where it is too old, nothing is green."""
    if state.evaluated_at is None:
        return f"⚪️ {fmt.say('Nothing has been evaluated yet.')}"
    tracks = [track for key, track in state.tracks.items() if key.alert is Alert.BREACH]
    burning = {replace(each.key, alert=Alert.BREACH) for each in state.open_incidents if each.burn is not None}
    is_many = len(tracks) > STATUS_LINES

    def rank(track: KeyState) -> tuple[int, bool, float, bool, Key]:
        badness = badness_of(fmt, track, state) if is_many else 0.0
        is_seen = is_many and track.sight.is_seeing  # what is not known comes before what is met
        return URGENCY.index(track.phase), track.key not in burning, -badness, is_seen, track.key

    worst = nsmallest(STATUS_LINES, tracks, key=rank)
    lines = fitting([status_line(fmt, track, state, now, actions) for track in worst])
    rest = len(tracks) - len(lines)
    if is_overdue:
        grey = [re.sub("^[🟢🟡]", "⚪️", line) for line in lines]
        age = fmt.say("No evaluation for {duration}: this is the last known state.", duration=now - state.evaluated_at)
        lines = [f"🟠 {age}", *grey]
    if is_many:
        lines.insert(0, count_line(fmt, tracks))
    if rest > 0:
        lines.append(fmt.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse."))
    if not lines:
        lines = [f"⚪️ {fmt.say('No data yet.')}"]
    seen = (each for each in state.readings.values() if each.sight.is_seeing)  # else it is a rate of before
    rates = [each.events_per_second for each in seen if each.events_per_second is not None]
    last = fmt.say("Evaluated {duration} ago.", duration=now - state.evaluated_at)
    if rates:
        last = f"{fmt.say('{rate} requests/s.', rate=fmt.language.rate(max(rates)))} {last}"
    silences = silence_lines(fmt, state, now, actions)
    if not silences:
        last = f"{last} {fmt.say('No silences.')}"
    return "\n".join([*lines, last, *silences])


def count_line(fmt: Formatter, tracks: Sequence[KeyState]) -> str:
    """Return how many of very many are in breach, and how many nothing is known of."""
    bad = sum(each.phase.is_open for each in tracks)
    unknown = sum(not each.phase.is_open and not each.sight.is_seeing for each in tracks)
    number = fmt.language.number
    text = fmt.say("{bad} of {total} in breach", bad=f"<b>{number(bad)}</b>", total=number(len(tracks)))
    if unknown:
        text = fmt.say("{text}, {count} not known", text=text, count=number(unknown))
    return f"{'🔴' if bad else '⚪️' if unknown else '🟢'} {text}"


def badness_of(fmt: Formatter, track: KeyState, state: State) -> float:
    """Return how bad it is, as a multiple of what its objective allows; 0 where that is not known, or in no breach."""
    objective, reading = fmt.objectives.of(track.key), state.readings.get(track.key)
    if objective is None or reading is None or not track.phase.is_open:
        return 0.0
    value = current_value(objective, reading, track)
    return 0.0 if value is None else value.number / max(objective.limit, 1e-9)


def fitting(lines: Sequence[str], room: int = ROOM) -> list[str]:
    """Return the first lines, as many as one message has room for."""
    kept = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def silence_lines(fmt: Formatter, state: State, now: datetime, actions: Actions) -> list[str]:
    """Return a line for each silence that runs, as far as there is room."""
    silences = actions.silences(state.incidents, now)
    lines = [f"🔇 {silence_line(fmt, each, now)}" for each in silences[:MAX_HELD]]
    if (rest := len(silences) - MAX_HELD) > 0:
        lines.append(fmt.count(rest, "{n} more silence: /silences", "{n} more silences: /silences"))
    return lines


def replica_lines(fmt: Formatter, replicas: Iterable[ReplicaState], now: datetime) -> list[str]:
    """Return a line for each replica of Prometheus that is left out, or by which something is worse."""
    lines = []
    for each in replicas:
        name = shortened(each.name)
        if each.since is not None:
            reason, since = fmt.language.explain(each.reason), now - each.since
            sentence = fmt.say(
                "Prometheus {name} is left out ({duration}): {reason}.", name=name, reason=reason, duration=since
            )
            lines.append(f"🟠 {sentence}")
        elif each.worse:
            named = ", ".join(map(fmt.name, each.worse[:MAX_HELD])) + (" …" if len(each.worse) > MAX_HELD else "")
            sentence = fmt.say("By Prometheus {name} alone it is worse: {objectives}.", name=name, objectives=named)
            lines.append(f"🟠 {sentence}")
    return lines


def objective_line(fmt: Formatter, key: Key, state: State, now: datetime) -> str:
    """Return how one objective stands, in a line that begins with its sign, whether it is a drill, and its title."""
    track, objective = state.tracks.get(key), fmt.objectives.of(key)
    if track is None or objective is None:
        return f"⚪️ {fmt.title(key)}"
    incident = state.incidents.get(track.incident) if track.incident is not None else None
    reading = state.readings.get(key)
    value_text, sign = _unjudged(fmt, track, objective, reading, now), "⚪️"
    if reading is not None and not value_text:
        value = current_value(objective, reading, track)
        value_text = "" if value is None else fmt.kept(objective, value, reading.bounds)
        sign = _sign(fmt, objective, reading, track)
    if incident is None or not incident.is_open:
        line = f"{_burning_sign(sign, key, state)} {fmt.title(key)}: {value_text}"
        return "; ".join([line, *_burn_marks(fmt, key, state, now)])
    since = fmt.beginning(incident.since, now)
    sign, since_text = "🔴", fmt.say("in breach since {time}", time=since)
    if track.phase is Phase.RECOVERING:
        sign, since_text = "🟡", fmt.say("recovering, in breach since {time}", time=since)
    return f"{sign} {' · '.join([*drill_mark(fmt, incident), fmt.title(key)])}: {value_text}; {since_text}"


def status_line(fmt: Formatter, track: KeyState, state: State, now: datetime, actions: Actions = NO_ACTIONS) -> str:
    """Return one objective in a line: sign, name, value, incident, who acknowledged it, silences."""
    objective = fmt.objectives.of(track.key)
    reading = state.readings.get(track.key)
    incident = state.incidents.get(track.incident) if track.incident is not None else None
    is_open = incident is not None and incident.is_open
    sign, value_text = "⚪️", _unjudged(fmt, track, objective, reading, now)
    if objective is not None and reading is not None and not value_text:
        value_text = _value_text(fmt, objective, reading, track)
        sign = _sign(fmt, objective, reading, track)
    sign = "🔴" if is_open else _burning_sign(sign, track.key, state)
    name = " · ".join([*(drill_mark(fmt, incident) if incident is not None and is_open else ()), fmt.name(track.key)])
    line = [f"{sign} {name}: {value_text}"]
    if incident is not None and is_open:
        line.append(
            fmt.say(
                "#{number} since {time} ({duration})",
                number=incident.number,
                time=fmt.beginning(incident.since, now),
                duration=now - incident.since,
            )
        )
        if (who := actions.acknowledgement(incident)) is not None:
            line.append(fmt.say("acknowledged by {name}", name=shortened(who.by.name)))
    line += _burn_marks(fmt, track.key, state, now)
    if track.key.objective in fmt.objectives.doubts:
        line.append(fmt.say("slo.yml may be wrong here: see {command}", command="wine-slo doctor"))
    if objective is not None:
        line += filter(None, [last_budget(fmt, track, reading, objective, now)])
    line += _silence_marks(fmt, track.key, state, now, actions)
    return " · ".join(line)


def _burns_of(key: Key, state: State) -> list[Incident]:
    """Return the open incidents about the error budget of a key."""
    burning = (each for each in state.incidents.values() if each.burn is not None and each.is_open)
    return [each for each in burning if replace(each.key, alert=key.alert) == key]


def _burning_sign(sign: str, key: Key, state: State) -> str:
    """Return the sign of what is in no breach, with what burns its error budget: never green then."""
    alerts = {each.key.alert for each in _burns_of(key, state)}
    return "🔴" if Alert.PAGE in alerts else "🟡" if alerts and sign == "🟢" else sign


def _burn_marks(fmt: Formatter, key: Key, state: State, now: datetime) -> list[str]:
    """Return which incidents about its error budget are open, since when."""
    return [
        fmt.say("#{number} burn rate too high since {time}", number=each.number, time=fmt.beginning(each.since, now))
        for each in _burns_of(key, state)
    ]


def _silence_marks(fmt: Formatter, key: Key, state: State, now: datetime, actions: Actions) -> list[str]:
    """Return that a key is silenced, until when and by whom; nothing where it is not."""
    action = actions.silence_about(key, state.incidents, now)
    if action is None or action.silence is None:
        return []
    name = shortened(action.by.name)
    if action.silence.until is None:
        return [f"🔇 {fmt.say('until recovery, {name}', name=name)}"]
    return [f"🔇 {fmt.say('until {time}, {name}', time=fmt.moment(action.silence.until, now), name=name)}"]


def _unjudged(
    fmt: Formatter, track: KeyState, objective: Objective | None, reading: Reading | None, now: datetime
) -> str:
    """Return why nothing can be said of how it stands; empty where something can."""
    if objective is None or reading is None:
        return fmt.say("not evaluated since the start")
    match track.sight:
        case Sight.CLEAR:
            return missing_value_reason(fmt, objective, reading, track)
        case Sight.NO_TRAFFIC:
            quiet_for = now - (track.quiet_since or track.sight_since)
            return fmt.say("no requests for {duration}", duration=quiet_for)
        case Sight.TOO_FEW:
            return fmt.language.explain(track.reason)
        case Sight.TARGET_DOWN:
            return fmt.say("the service has been down for {duration}", duration=now - track.sight_since)
        case _:
            return fmt.say("no data: {reason}", reason=fmt.language.explain(track.reason))


def _value_text(fmt: Formatter, objective: Objective, reading: Reading, track: KeyState) -> str:
    """Return how it stands, and what of its budget is left."""
    value = current_value(objective, reading, track)
    parts = [] if value is None else [fmt.kept(objective, value, reading.bounds)]
    if reading.up_targets is not None and reading.up_targets.down:
        parts.append(targets_down_in_short(fmt, reading.up_targets.down, reading.up_targets.known))
    return " · ".join([*parts, *filter(None, [budget_in_short(fmt, reading.budget, objective)])])


def _sign(fmt: Formatter, objective: Objective, reading: Reading, track: KeyState) -> str:
    """Return green where the value is within the target and counts what it is to; else it is no breach yet."""
    value = current_value(objective, reading, track)
    is_fine = (
        objective.name not in fmt.objectives.doubts
        and track.phase is not Phase.BREACHING
        and (value is None or value.is_within(objective))
    )
    return "🟢" if is_fine else "🟡"


def missing_value_reason(fmt: Formatter, objective: Objective, reading: Reading, track: KeyState) -> str:
    """Return why there is no value although there is data; empty where there is one."""
    if current_value(objective, reading, track) is not None:
        return ""
    if reading.good_ratio is None and reading.latency_seconds is None:
        return fmt.say("no number yet")
    return fmt.say("no requests in the last {duration}", duration=objective.recent)


def current_value(objective: Objective, reading: Reading, track: KeyState) -> Value | None:
    """Return the value as it is now; None where there is none."""
    return value_of(objective, reading, is_met=track.phase is Phase.MET)


def takeover_text(fmt: Formatter, leadership: Leadership, since: datetime | None, now: datetime) -> str:
    """Return that this watchdog took over from one that had not let go.

    Args:
        fmt: How it reads.
        leadership: Who leads now, and how it came to that.
        since: The last evaluation before; None where there was none.
        now: The first one since.
    """
    taken = leadership.taken
    before = taken.before.leader if taken is not None and taken.before is not None else None
    old, new = name_of(fmt, before, leadership), name_of(fmt, leadership.me, leadership)
    if taken is not None and not taken.is_dead:
        first = fmt.say(
            "🔄 The watchdog on {new} took over from {old}, which gave no sign of life for {duration}.",
            new=new,
            old=old,
            duration=timedelta(seconds=round(taken.silent_for)),
        )
    else:
        first = fmt.say("🔄 The watchdog on {new} took over from {old}, which ended unexpectedly.", new=new, old=old)
    lines = [first]
    if since is not None and now > since:
        beginning = fmt.beginning(since, now)
        lines.append(
            fmt.say("Not evaluating for {duration}, since {beginning}.", duration=now - since, beginning=beginning)
        )
    lines.append(standby_line(fmt, leadership))
    return "\n".join(lines)


def leadership_lines(fmt: Formatter, leadership: Leadership, now: datetime) -> list[str]:
    """Return who leads and who stands by; nothing where there is only one watchdog by the settings."""
    if leadership.is_alone:
        return []
    leads = fmt.say(
        "The watchdog on {name} leads, running since {since}.",
        name=name_of(fmt, leadership.me, leadership),
        since=fmt.beginning(leadership.me.since, now),
    )
    return [f"{leads} {standby_line(fmt, leadership)}" if leadership.standbys else leads, *_missing(fmt, leadership)]


def standby_line(fmt: Formatter, leadership: Leadership) -> str:
    """Return who stands by; a warning where nobody does."""
    if not leadership.standbys:
        return _missing(fmt, leadership)[0]
    names = ", ".join(name_of(fmt, each, leadership) for each in leadership.standbys)
    return fmt.say("On standby: {names}.", names=names)


def name_of(fmt: Formatter, watchdog: Watchdog | None, leadership: Leadership) -> str:
    """Return what people call a watchdog: its machine, with its process or its start where that is not one alone."""
    if watchdog is None:
        return "?"
    taken = leadership.taken
    before = (taken.before.leader,) if taken is not None and taken.before is not None else ()
    namesakes = [each for each in {leadership.me, *leadership.standbys, *before} if each.host == watchdog.host]
    name = shortened(watchdog.host)
    if len(namesakes) <= 1:
        return name
    if sum(each.pid == watchdog.pid for each in namesakes) <= 1:
        return f"{name} ({watchdog.pid})"
    started = fmt.beginning(watchdog.since, leadership.me.since)  # containers count their processes from 1
    return fmt.say("{name} (since {time})", name=name, time=started)


def _missing(fmt: Formatter, leadership: Leadership) -> list[str]:
    if leadership.standbys:
        return []
    return [f"🟠 {fmt.say('No other watchdog stands by: if this one ends, nobody takes over.')}"]
