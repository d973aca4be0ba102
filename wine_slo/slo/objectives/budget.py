"""The error budget: how much may go wrong in its window, how much has, and how fast it burns.

A burn rate of 1 uses the budget up exactly at the end of its window. Where less history is known than the window
holds, the rest of it is taken to be as busy and without a fault. Of a history that is shorter than a thirtieth of the
window (a day of thirty) nothing is said but how long it is: such an estimate says more of the assumption than of the
service.

The budget of a calendar window is that of its present turn: nothing before its begin counts, for a burn rate neither,
and what is still to come of it is the rest that is taken to be without a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf
from typing import Any

from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective
from wine_slo.slo.objectives.window import Period

Amount = Any  # a number, or an array with a number for each instant
Condition = Any  # whether something holds: a boolean, or an array of them
YOUNG = 1 / 30  # of the window; with less history than that nothing is said of a budget
WHOLE = 0.95  # of what has passed of a window; with so much history it counts as known
LEAST_PASSED = timedelta(seconds=1)  # of a calendar window that begins now: a range of no time cannot be queried
SELDOM = timedelta(minutes=10)  # for what changes little between two evaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is known of one objective's budget.

    Attributes:
        history: Over how much of its window that is known.
        events: All events in that time; None where they are not known yet.
        bad_ratios: The share of bad events over each window; a window without events is absent.
        period: The turn of the calendar window that it is about; None where the window always ends now.
    """

    history: timedelta
    events: float | None = None
    bad_ratios: Mapping[timedelta, float] = field(default_factory=dict)
    period: Period | None = None

    def burn_rate(self, objective: Objective, window: timedelta) -> float | None:
        """Return the burn rate over a window: 1 spends the budget exactly; None where there were no events."""
        bad_ratio = self.bad_ratios.get(window)
        return None if bad_ratio is None else bad_ratio / objective.allowed_bad_ratio

    def length(self, objective: Objective) -> timedelta:
        """Return how long its window is in all."""
        return objective.window if self.period is None else self.period.length

    def reach(self, objective: Objective) -> timedelta:
        """Return how far back its window goes: of a calendar window, what has passed."""
        return objective.window if self.period is None else self.period.passed

    def is_young(self, objective: Objective) -> bool:
        """Return whether there is too little history to say anything of the budget."""
        return self.history < YOUNG * self.length(objective)

    def is_whole(self, objective: Objective) -> bool:
        """Return whether so much of its window is known that it counts as all of it."""
        return self.history >= WHOLE * self.reach(objective)

    def covers(self, objective: Objective, window: timedelta) -> bool:
        """Return whether all of a window is known: of a calendar window, all that has passed."""
        return self.is_whole(objective) if objective.is_calendar(window) else self.history >= window

    def is_over(self, at: datetime) -> bool:
        """Return whether another budget has begun since: its calendar window is over."""
        return self.period is not None and self.period.is_over(at)

    def remaining(self, objective: Objective) -> float | None:
        """Return the share of the budget that is left, below 0 where more is gone than there was; None if not known."""
        burn_rate = self.burn_rate(objective, objective.window)
        return None if burn_rate is None else 1 - burn_rate * (self.history / self.length(objective))

    def share_of(self, objective: Objective, bad_events: float) -> float | None:
        """Return which share of the whole window's budget so many bad events are; None if not known."""
        if not self.events or not self.history:
            return None
        events_in_window = self.events * (self.length(objective) / self.history)
        return bad_events / (events_in_window * objective.allowed_bad_ratio)

    def time_left(self, objective: Objective, window: timedelta) -> timedelta | None:
        """Return how long what is left lasts at the burn rate of a window; None where it lasts, or is not known."""
        remaining, burn_rate = self.remaining(objective), self.burn_rate(objective, window)
        if remaining is None or burn_rate is None or remaining <= 0:
            return None
        if self.period is None:
            return remaining * objective.window / burn_rate if burn_rate > 1 else None
        left = self.period.left
        return remaining * self.period.length / burn_rate if burn_rate * left > remaining * self.period.length else None


def firing_rate(objective: Objective, burn: Burn, history: timedelta) -> float:
    """Return the burn rate at which an alert fires; infinite while less history is known than its short window."""
    return inf if history < burn.short else burn.factor(objective.window, history)


def fires(rate: Amount, long: Amount, short: Amount) -> Condition:
    """Return whether an alert fires, for one instant or for arrays of many.

    Args:
        rate: The burn rate at which it does.
        long: The burn rate over its long window; below 0 where there were no events.
        short: The same over its short window.
    """
    return (long >= rate) & (short >= rate)


def is_burning(objective: Objective, budget: Budget, burn: Burn) -> bool | None:
    """Return whether a burn rate holds over both of its windows.

    None where one had no events or exceeds all history.
    """
    rate = firing_rate(objective, burn, budget.history)
    long, short = budget.burn_rate(objective, burn.long), budget.burn_rate(objective, burn.short)
    if rate == inf or long is None or short is None:
        return None
    return bool(fires(rate, long, short))


def burning(objective: Objective, budget: Budget, alert: Alert) -> Burn | None:
    """Return the first burn rate of an alert that holds; None where none does."""
    return next((burn for burn in objective.burns if burn.alert is alert and is_burning(objective, budget, burn)), None)


def going_on(objective: Objective, budget: Budget, burn: Burn | None, since: datetime) -> Burn | None:
    """Return the burn rate of an alert that a new budget must not end: it is as high, and its share is not burnt yet.

    Args:
        objective: Whose.
        budget: What is known of the new budget.
        burn: The burn rate that was alerted on; None where none was.
        since: When that was.
    """
    if burn is None or budget.period is None or budget.period.begins_at <= since:
        return None
    long, short = budget.burn_rate(objective, burn.long), budget.burn_rate(objective, burn.short)
    if long is None or short is None:
        return burn if budget.history < burn.short else None
    return burn if fires(burn.factor(objective.window), long, short) else None


def is_any_burning(objective: Objective, budget: Budget) -> bool:
    """Return whether any of the burn rates that are alerted on holds."""
    return any(is_burning(objective, budget, burn) for burn in objective.burns)


def windows(objective: Objective) -> tuple[timedelta, ...]:
    """Return every window that has to be queried, shortest first."""
    return tuple(sorted({objective.window, *(each for burn in objective.burns for each in (burn.short, burn.long))}))


def reach(window: timedelta, objective: Objective, period: Period | None) -> timedelta:
    """Return how far back a window goes: never before the begin of a calendar window, whose own is all of that."""
    if period is None:
        return window
    passed = max(period.passed, LEAST_PASSED)
    return passed if objective.is_calendar(window) else min(window, passed)


def stays_known_for(span: timedelta) -> timedelta:
    """Return for how long what is known of a span is good enough: a hundredth of it at most."""
    return min(span / 100, SELDOM)


def budgets_by_key(
    objective: Objective,
    history: timedelta,
    events: Mapping[Key, float],
    bad_ratios: Mapping[timedelta, Mapping[Key, float]],
    period: Period | None = None,
) -> dict[Key, Budget]:
    """Return the budget of each label set.

    Args:
        objective: Whose.
        history: For how long Prometheus has known the job.
        events: All events in the compliance window.
        bad_ratios: The share of bad events over each window; a label set without events is absent.
        period: The turn of the calendar window; None where the window always ends now.
    """
    history = min(history, reach(objective.window, objective, period))
    return {
        key: Budget(
            history=history,
            events=count,
            bad_ratios={window: each[key] for window, each in bad_ratios.items() if key in each},
            period=period,
        )
        for key, count in events.items()
    }
