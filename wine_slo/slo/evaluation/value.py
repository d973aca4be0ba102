"""The value of an objective: the one number that is said of it everywhere, and the time range it was measured over.

While an objective is met that is the value over its whole range. Where something is wrong it is the value of the last
moments, as it also is where the range still holds bad time that is over: a met objective is not shown as missed. Where
there were no requests in the last moments there is no value then: what is bad and over says nothing of the present, and
a whole range that is good says nothing of what is wrong.
"""

from dataclasses import dataclass
from datetime import timedelta

from wine_slo.slo.evaluation.reading import Reading
from wine_slo.slo.evaluation.rules import ROUNDING
from wine_slo.slo.objectives.objective import Objective


@dataclass(frozen=True, slots=True)
class Value:
    """A number and its time range.

    Attributes:
        number: Seconds of the quantile for a latency, else the share of bad events.
        over: The range; None where it is not known, which is so of what older versions wrote down.
    """

    number: float
    over: timedelta | None = None

    def is_within(self, objective: Objective) -> bool:
        """Return whether it is no worse than the target."""
        if objective.is_latency:
            return self.number <= objective.limit
        return self.number <= objective.allowed_bad_ratio + ROUNDING


def value_of(objective: Objective, reading: Reading, *, is_met: bool) -> Value | None:
    """Return the value of an objective; None where there is none.

    Args:
        objective: Whose.
        reading: What was seen.
        is_met: Whether nothing is wrong, not even a suspicion.
    """
    whole = reading.latency_seconds if objective.is_latency else _bad_ratio(reading)
    recent = reading.recent_seconds if objective.is_latency else reading.recent_bad_ratio(objective)
    over = None if whole is None else Value(whole, objective.over)
    of_late = None if recent is None else Value(recent, objective.recent)
    if is_met:
        return over if over is not None and over.is_within(objective) else of_late
    return of_late or (None if over is not None and over.is_within(objective) else over)


def _bad_ratio(reading: Reading) -> float | None:
    return None if reading.good_ratio is None else max(0.0, 1 - reading.good_ratio)
