"""Targets that do not answer."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import MAX_HELD, Formatter, job_of
from wine_slo.slo.text.language import shortened


def service_down_lines(fmt: Formatter, incident: Incident, state: State, now: datetime) -> list[str]:
    """Return the message that no target of a job answers."""
    sentence = phrase("{job} is down: {reason} since {time} ({duration}).")
    if incident.relapses:
        sentence = phrase("{job} goes down again and again: {reason}. Since {time} ({duration}).")
    head = fmt.say(
        sentence,
        job=f"<b>{shortened(job_of(incident))}</b>",
        reason=fmt.language.explain(incident.reason),
        time=fmt.beginning(incident.since, now),
        duration=fmt.so_far(now - incident.since),
    )
    lines = [f"🔴 {head}"]
    if state.evaluated_at is not None and incident.last_bad_at < state.evaluated_at:
        last = fmt.beginning(incident.last_bad_at, now)
        lines.append(fmt.say("It answers at the moment; it was last down at {time}.", time=last))
    if incident.openings > 1:
        lines.append(times_down_line(fmt, incident, now))
    return [*lines, *_stay_open(fmt, state)]


def times_down_line(fmt: Formatter, incident: Incident, now: datetime) -> str:
    """Return how often a job was down, and for how long in all."""
    return fmt.count(
        incident.openings,
        "Down {n} time since {time}, {duration} in all.",
        "Down {n} times since {time}, {duration} in all.",
        time=fmt.beginning(incident.began_at, incident.since),
        duration=incident.bad_for(now),
    )


def targets_down_lines(
    fmt: Formatter, incident: Incident, objective: Objective, state: State, now: datetime
) -> list[str]:
    """Say which targets do not answer: which of how many, and what that holds open."""
    return [f"🔴 {targets_down_head(fmt, incident, objective, now)}", *_stay_open(fmt, state)]


def targets_down_head(fmt: Formatter, incident: Incident, objective: Objective, now: datetime) -> str:
    """Return which targets of how many do not answer, and since when that violates the objective."""
    down_for = f"<b>{fmt.so_far(now - incident.since)}</b>"
    labels = ", ".join(value for _, value in incident.key.labels if value.strip())
    name = shortened(f"{objective.job} ({labels})") if labels else escape(objective.job)
    what = _which_are_down(fmt, name, incident.down, incident.targets)
    since = fmt.beginning(incident.since, now)
    if _were_others_down(incident):
        return fmt.say("{what}; in breach for {duration} (since {time})", what=what, duration=down_for, time=since)
    return fmt.say("{what} for {duration} (since {time})", what=what, duration=down_for, time=since)


def _were_others_down(incident: Incident) -> bool:
    """Return whether more or fewer targets were down since it began than are now, by the scrapes that failed."""
    seen = incident.this_opening
    as_now = seen.total * len(incident.down) / max(incident.targets, 1)
    return abs(seen.bad - as_now) > incident.targets  # a scrape of each, as not all fail at once


def _stay_open(fmt: Formatter, state: State) -> list[str]:
    """Return the incidents that stay open because no target answers, as far as there is room."""
    held = [each for each in state.open_incidents if each.held is Sight.TARGET_DOWN]
    lines = [
        fmt.say("{title} #{number} stays open.", title=fmt.title(each.key), number=each.number)
        for each in held[:MAX_HELD]
    ]
    if (rest := len(held) - MAX_HELD) > 0:
        lines.append(fmt.count(rest, "{n} more stays open.", "{n} more stay open."))
    return lines


def _which_are_down(fmt: Formatter, name: str, down: Sequence[str], known: int) -> str:
    """Return how many of how many targets do not answer; which they are where others do."""
    if known == 1:
        return fmt.say("{name} is down: all scrapes fail", name=name)
    if len(down) >= known:
        return fmt.count(
            known,
            "{name} is down: {down} of {n} target does not answer",
            "{name} is down: {down} of {n} targets do not answer",
            name=name,
            down=fmt.language.number(len(down)),
        )
    return fmt.count(
        known,
        "{name}: {down} of {n} target down ({which})",
        "{name}: {down} of {n} targets down ({which})",
        name=name,
        down=fmt.language.number(len(down)),
        which=fmt.few([shortened(each) for each in down]),
    )


def targets_down_in_short(fmt: Formatter, down: Sequence[str], known: int) -> str:
    """Return how many targets are down and which, as a part of a line."""
    return fmt.count(
        known,
        "{down} of {n} target down ({which})",
        "{down} of {n} targets down ({which})",
        down=fmt.language.number(len(down)),
        which=fmt.few([shortened(each) for each in down]),
    )
