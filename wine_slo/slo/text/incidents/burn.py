"""The error budget: its burn rate, and what is left of it."""

from datetime import datetime, timedelta

from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.reading import Reading
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Alert, Burn, Objective
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.formatting import NEW, Formatter
from wine_slo.slo.text.incidents.cause import cause_line


def burn_lines(fmt: Formatter, incident: Incident, burn: Burn, objective: Objective) -> list[str]:
    """Return the message of a burn-rate alert."""
    budget = incident.budget
    rate = budget.burn_rate(objective, burn.long) if budget else None
    over, whole = (
        (min(burn.long, budget.history), budget.length(objective)) if budget else (burn.long, objective.window)
    )
    factor = burn.factor(objective.window)
    head = fmt.say(
        phrase("{title}: error budget burn rate {rate}: {spent} of it spent in {window}. No action needed tonight.")
        if burn.alert is Alert.TICKET
        else phrase("{title}: error budget burn rate {rate}: {spent} of it spent in {window}."),
        title=fmt.title(incident.key),
        rate=f"<b>{fmt.language.rate(factor if rate is None else rate)}×</b>",
        window=over,
        spent=fmt.language.percent(burn.budget if rate is None else rate * (over / whole)),
    )
    lines = [
        f"{'🟡' if burn.alert is Alert.TICKET else '🔴'} {head}",
        *filter(None, [cause_line(fmt, incident, objective)]),
    ]
    return [*lines, *filter(None, [budget_line(fmt, budget, objective, at_rate_of=burn.long)])]


def budget_line(
    fmt: Formatter,
    budget: Budget | None,
    objective: Objective,
    *,
    spent: float | None = None,
    at_rate_of: timedelta | None = None,
) -> str:
    """Return the line on the error budget; empty where nothing is known.

    Args:
        fmt: The readers.
        budget: What is known of it.
        objective: Whose.
        spent: Which share of it an incident has spent, where that is to be shown.
        at_rate_of: The window whose burn rate says how long it lasts, where that is to be shown.
    """
    left = budget.remaining(objective) if budget else None
    if budget is None or left is None:
        return ""
    if budget.is_young(objective):
        return fmt.say("Error budget: {facts}.", facts=young_budget(fmt, budget, objective))
    window, share = fmt.window(objective), fmt.language.percent(max(left, 0.0))
    gone = budget.time_left(objective, at_rate_of) if at_rate_of else None
    if left <= 0:
        facts = fmt.say("none left of {window}", window=window)
    elif gone is not None:
        facts = fmt.say(
            "{share} left of {window}, gone in {duration} at this rate", share=share, window=window, duration=gone
        )
    else:
        facts = fmt.say("{share} left of {window}", share=share, window=window)
    if spent is not None:
        facts = fmt.say("{spent} spent, {facts}", spent=fmt.language.percent(spent), facts=facts)
    line = fmt.say("Error budget: {facts}.", facts=facts)
    if budget.is_whole(objective):
        return line
    return f"{line} {fmt.say('Known from {duration} of history.', duration=budget.history)}"


def last_budget(fmt: Formatter, track: KeyState, reading: Reading | None, objective: Objective, now: datetime) -> str:
    """Return what of a budget was left when it was known last; empty where it is known now, or never was."""
    budget, at = track.last_budget(reading) or (None, now)
    short = budget_in_short(fmt, budget, objective)
    if budget is None or not short or budget.is_young(objective) or budget.is_over(now):
        return ""
    return fmt.say("{budget} (last known {time})", budget=short, time=fmt.moment(at, now))


def budget_in_short(fmt: Formatter, budget: Budget | None, objective: Objective) -> str:
    """Return what of a budget is left, as a part of a line; empty where nothing is known."""
    left = budget.remaining(objective) if budget else None
    if budget is None or left is None:
        return ""
    if budget.is_young(objective):
        return fmt.say("budget: {facts}", facts=young_budget(fmt, budget, objective))
    return fmt.say("budget {share}", share=fmt.language.percent(max(left, 0.0)))


def young_budget(fmt: Formatter, budget: Budget, objective: Objective) -> str:
    """Return why nothing is said of a budget yet: it has just begun anew, or little of it is known."""
    if objective.calendar is None or budget.period is None or not budget.is_whole(objective):
        return fmt.say("{duration} of history so far", duration=budget.history)
    return fmt.say(
        "reset {duration} ago ({window})", duration=budget.period.passed, window=fmt.say(NEW[objective.calendar.unit])
    )
