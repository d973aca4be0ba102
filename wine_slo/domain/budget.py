"""The error budget: how much may go wrong in its window, how much has, and how fast it burns.

A pace of 1 uses the budget up exactly at the end of its window. Where less history is known than a window holds, a
share of the budget needs a faster pace to be burnt in it, so a young history does not cry wolf.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from wine_slo.domain.objective import Alert, Burn, Objective


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
        """How many times the lasting pace the budget burns over a window; None where there were no events."""
        bad_ratio = self.bad_ratios.get(window)
        return None if bad_ratio is None else bad_ratio / objective.allowed_bad_ratio

    def remaining(self, objective: Objective) -> float | None:
        """The share of the budget that is left, below 0 where more is gone than there was; None if not known."""
        burnt = self.burn_rate(objective, objective.window)
        return None if burnt is None else 1 - burnt

    def share_of(self, objective: Objective, bad_events: float) -> float | None:
        """Which share of the budget so many bad events are; None if not known."""
        if not self.events:
            return None
        return bad_events / (self.events * objective.allowed_bad_ratio)

    def lasts_for(self, objective: Objective, window: timedelta) -> timedelta | None:
        """How long what is left lasts at the pace of a window; None where it lasts, or is not known."""
        remaining, pace = self.remaining(objective), self.burn_rate(objective, window)
        if remaining is None or pace is None or pace <= 1 or remaining <= 0:
            return None
        return remaining * objective.window / pace


def is_burning(objective: Objective, budget: Budget, burn: Burn) -> bool | None:
    """Whether a pace holds over both of its windows; None where one of them had no events."""
    long, short = budget.burn_rate(objective, burn.long), budget.burn_rate(objective, burn.short)
    if long is None or short is None:
        return None
    factor = burn.factor(objective.window, budget.history)
    return long >= factor and short >= factor


def burning(objective: Objective, budget: Budget, alert: Alert) -> Burn | None:
    """The first pace of an alert that holds; None where none does."""
    return next((burn for burn in objective.burns if burn.alert is alert and is_burning(objective, budget, burn)), None)


def windows(objective: Objective) -> tuple[timedelta, ...]:
    """Every window that has to be asked for, shortest first."""
    return tuple(sorted({objective.window, *(each for burn in objective.burns for each in (burn.short, burn.long))}))
