"""The board: one pinned message in a chat that always reads how everything stands.

It is a level: what it should read is compared with what it reads, and the difference is written. So that it is not
written all the time it says no more than matters from afar: numbers only of what is broken, times instead of ages.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest

from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.objective import Alert, Objective
from wine_slo.slo.oncall.actions import NO_ACTIONS, Actions
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.text.incidents.breach import drill_mark
from wine_slo.slo.text.language import shortened
from wine_slo.slo.text.refusals import refusal
from wine_slo.slo.text.status_list import (
    STATUS_LINES,
    URGENCY,
    count_line,
    current_value,
    fitting,
    missing_value_reason,
    silence_lines,
)

WRITTEN_EVERY = timedelta(minutes=1)  # a message that changes more often is read by nobody
SIGN_OF_LIFE = timedelta(minutes=10)  # how exactly it says when it was right last


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRecord:
    """The board of one chat, as it was written last.

    Attributes:
        message: Its id.
        address: Where it stands: a chat, or a thread of it.
        text: What it reads.
        written_at: Since when.
    """

    address: Address
    message: int
    text: str
    written_at: datetime

    @property
    def chat(self) -> Address:
        """Return the chat whose board it is."""
        return self.address.chat


def board_text(fmt: Formatter, state: State, now: datetime, actions: Actions = NO_ACTIONS) -> str:
    """Return how everything stands, in words that change only when that matters."""
    tracks = [track for key, track in state.tracks.items() if key.alert is Alert.BREACH]
    worst = nsmallest(
        STATUS_LINES,
        tracks,
        key=lambda track: (URGENCY.index(track.phase) if track.phase.is_open else len(URGENCY), track.key),
    )
    lines = fitting([_line(fmt, track, state, now, actions) for track in worst])
    rest = len(tracks) - len(lines)
    if len(tracks) > STATUS_LINES:
        lines.insert(0, count_line(fmt, tracks))
    if rest > 0:
        lines.append(fmt.count(rest, "… and {n} more, no worse.", "… and {n} more, none of them worse."))
    if state.evaluated_at is None or not lines:
        return f"⚪️ {fmt.say('No data yet.')}"
    lines += silence_lines(fmt, state, now, actions)
    evaluated_at = state.evaluated_at.astimezone(fmt.zone)
    minute = evaluated_at.minute - evaluated_at.minute % int(SIGN_OF_LIFE / timedelta(minutes=1))
    lines.append(fmt.say("Evaluated at {time} or later.", time=f"{evaluated_at.replace(minute=minute):%H:%M}"))
    return "\n".join(lines)


def board_ended(fmt: Formatter) -> str:
    """Return what a board reads that is not kept any more."""
    return f"⚪️ {fmt.say('This board is no longer updated. A new one: /board')}"


def board_off(fmt: Formatter) -> str:
    """Return a board was given up."""
    return fmt.say("The board is off. A new one: /board")


def board_too_soon(fmt: Formatter, seconds: int) -> str:
    """Return a new one was hung just now."""
    return fmt.say("The board was renewed just now; another one is possible in {seconds} s.", seconds=seconds)


def no_board(fmt: Formatter) -> str:
    """Say that there is no board to be given up."""
    return fmt.say("There is no board in this chat. A new one: /board")


def board_not_pinned(fmt: Formatter, reason: str) -> str:
    """Return a board is kept but could not be pinned."""
    return fmt.say(
        "The bot may not pin messages here ({reason}). The board is updated anyway; "
        "pin it yourself, or let the bot pin messages and send /board again.",
        reason=shortened(reason),
    )


def board_not_sent(fmt: Formatter, reason: str) -> str:
    """Return a board could not be sent."""
    return fmt.say("There is no board: {reason}.", reason=refusal(fmt, reason))


def board_not_understood(fmt: Formatter, word: str) -> str:
    """Return a word after /board that is none."""
    return fmt.say("{word} is not understood. Possible: /board and /board off.", word=shortened(word))


def _line(fmt: Formatter, track: KeyState, state: State, now: datetime, actions: Actions) -> str:
    objective, reading = fmt.objectives.of(track.key), state.readings.get(track.key)
    incident = state.incidents.get(track.incident) if track.incident is not None else None
    is_open = incident is not None and incident.is_open
    sign, parts = "⚪️", [_unjudged_since(fmt, track, objective, reading, now)]
    if objective is not None and reading is not None and not parts[0]:
        sign = "🟢"
        value = current_value(objective, reading, track)
        is_shown = is_open and value is not None
        parts = [fmt.kept(objective, value, reading.bounds) if is_shown and value else fmt.say("met")]
        parts += filter(None, [_whole_budget(fmt, reading, objective)])
    if incident is not None and is_open:
        sign = "🔴"
        since = fmt.beginning(incident.since, now)
        parts.append(fmt.say("#{number} since {time}", number=incident.number, time=since))
        if (who := actions.acknowledgement(incident)) is not None:
            parts.append(fmt.say("acknowledged by {name}", name=shortened(who.by.name)))
    name = " · ".join([*(drill_mark(fmt, incident) if incident is not None and is_open else ()), fmt.name(track.key)])
    return f"{sign} {name}: {' · '.join(parts)}"


def _whole_budget(fmt: Formatter, reading: Reading, objective: Objective) -> str:
    """Return what of the budget is left, in whole percents; empty where that is not known, or too little history is."""
    left = reading.budget.remaining(objective) if reading.budget else None
    if reading.budget is None or left is None or reading.budget.is_young(objective):
        return ""
    whole = math.floor(max(left, 0.0) * 100) / 100
    return fmt.say("budget {share}", share=fmt.language.percent(whole))


def _unjudged_since(
    fmt: Formatter, track: KeyState, objective: Objective | None, reading: Reading | None, now: datetime
) -> str:
    """Return why nothing can be said, and since when; empty where something can."""
    if objective is None or reading is None:
        return fmt.say("not evaluated since the start")
    since = fmt.beginning(track.quiet_since or track.sight_since, now)
    match track.sight:
        case Sight.CLEAR:
            return missing_value_reason(fmt, objective, reading, track)
        case Sight.NO_TRAFFIC:
            return fmt.say("no requests since {time}", time=since)
        case Sight.TOO_FEW:
            return fmt.say("too few requests to judge")
        case Sight.TARGET_DOWN:
            return fmt.say("the service has been down since {time}", time=since)
        case _:
            return fmt.say("no data since {time}", time=since)
