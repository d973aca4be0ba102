"""The error budget: how much may go wrong in its window, how much has, and how fast it burns.

A burn rate of 1 uses the budget up exactly at the end of its window. Where less history is known than the window
holds, the rest of it is taken to be as busy and without a fault. Of a history that is shorter than a thirtieth of the
window (a day of thirty) nothing is said but how long it is: such an estimate says more of the assumption than of the
service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import Any

from wine_slo.slo.objectives.objective import Alert, Burn, Key, Objective

Amount = Any  # a number, or an array with a number for each instant
Condition = Any  # whether something holds: a boolean, or an array of them
YOUNG = 1 / 30  # of the window; with less history than that nothing is said of a budget
SELDOM = timedelta(minutes=10)  # for what changes little between two evaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is known of one objective's budget.

    Attributes:
        history: Over how much of its window that is known.
        events: All events in that time; None where they are not known yet.
        bad_ratios: The share of bad events over each window; a window without events is absent.
    """

    history: timedelta
    events: float | None = None
    bad_ratios: Mapping[timedelta, float] = field(default_factory=dict)

    def burn_rate(self, objective: Objective, window: timedelta) -> float | None:
        """Return the burn rate over a window: 1 spends the budget exactly; None where there were no events."""
        bad_ratio = self.bad_ratios.get(window)
        return None if bad_ratio is None else bad_ratio / objective.allowed_bad_ratio

    def is_young(self, objective: Objective) -> bool:
        """Return whether there is too little history to say anything of the budget."""
        return self.history < YOUNG * objective.window

    def remaining(self, objective: Objective) -> float | None:
        """Return the share of the budget that is left, below 0 where more is gone than there was; None if not known."""
        burn_rate = self.burn_rate(objective, objective.window)
        return None if burn_rate is None else 1 - burn_rate * (self.history / objective.window)

    def share_of(self, objective: Objective, bad_events: float) -> float | None:
        """Return which share of the whole window's budget so many bad events are; None if not known."""
        if not self.events or not self.history:
            return None
        events_in_window = self.events * (objective.window / self.history)
        return bad_events / (events_in_window * objective.allowed_bad_ratio)

    def time_left(self, objective: Objective, window: timedelta) -> timedelta | None:
        """Return how long what is left lasts at the burn rate of a window; None where it lasts, or is not known."""
        remaining, burn_rate = self.remaining(objective), self.burn_rate(objective, window)
        if remaining is None or burn_rate is None or burn_rate <= 1 or remaining <= 0:
            return None
        return remaining * objective.window / burn_rate


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


def is_any_burning(objective: Objective, budget: Budget) -> bool:
    """Return whether any of the burn rates that are alerted on holds."""
    return any(is_burning(objective, budget, burn) for burn in objective.burns)


def windows(objective: Objective) -> tuple[timedelta, ...]:
    """Return every window that has to be queried, shortest first."""
    return tuple(sorted({objective.window, *(each for burn in objective.burns for each in (burn.short, burn.long))}))


def stays_known_for(span: timedelta) -> timedelta:
    """Return for how long what is known of a span is good enough: a hundredth of it at most."""
    return min(span / 100, SELDOM)


def budgets_by_key(
    objective: Objective,
    history: timedelta,
    events: Mapping[Key, float],
    bad_ratios: Mapping[timedelta, Mapping[Key, float]],
) -> dict[Key, Budget]:
    """Return the budget of each label set.

    Args:
        objective: Whose.
        history: For how long Prometheus has known the job.
        events: All events in the compliance window.
        bad_ratios: The share of bad events over each window; a label set without events is absent.
    """
    return {
        key: Budget(
            history=min(history, objective.window),
            events=count,
            bad_ratios={window: each[key] for window, each in bad_ratios.items() if key in each},
        )
        for key, count in events.items()
    }
