"""Good or bad, judged by how long it has been so and by more than chance.

A long range is slow to recover and a short one pages on a hiccup, so neither decides. What decides is the run of
intervals since a suspicion arose:

* it is a **breach** when the objective is violated *even without its worst stall* (the adjacent intervals that a short
  stall can touch), and when chance would show that in a service that meets its objective less than once in twenty;
* it is **clear** when the newest intervals are good by more than a little, for long enough, with enough events, and
  when chance would show that in a service that is still as bad as the incident was less than once in twenty;
* where they are good by little, it has **held** when the objective was met over a much longer span.

So full outages and long ones, busy services and quiet ones are all judged by one rule: where there is little to go
by, it waits for more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from wine_slo.slo.chance import chance_of_share
from wine_slo.slo.evaluation.reading import Interval
from wine_slo.slo.evaluation.rules import is_violation
from wine_slo.slo.objectives.objective import Objective

CLEAR_SHARE = 0.8  # of what may be bad; what is worse than that is good by little
CHANCE = 0.05  # a swing that chance explains is no news; the bound below overstates it some four times


def is_bad(objective: Objective, interval: Interval) -> bool:
    """Return whether one interval by itself violates the objective."""
    return bool(is_violation(objective, interval.bad, interval.total))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What a suspicion rests on; events are estimated counts.

    Attributes:
        bad: Bad events since it arose.
        total: All events since then.
        rest_bad: The bad ones outside its worst stall.
        rest_total: All of them outside it.
        allowed: The share of events that may be bad.
        least: With fewer events than this nothing is judged.
    """

    bad: float
    total: float
    rest_bad: float
    rest_total: float
    allowed: float
    least: int

    @property
    def is_enough(self) -> bool:
        """Return whether there are as many events as a judgement needs."""
        return round(self.total) >= self.least

    @property
    def is_bad_without_stall(self) -> bool:
        """Return whether the objective is violated even without the worst stall."""
        return self.rest_total > 0 and self.rest_bad / self.rest_total > self.allowed

    @property
    def chance(self) -> float:
        """Return at most how likely chance shows that in a service that meets its objective; 1 where it is met."""
        if not self.is_bad_without_stall:
            return 1.0
        return chance_of_share(self.rest_bad, self.rest_total, self.allowed)

    @property
    def is_breach(self) -> bool:
        """Return whether it is an incident."""
        return self.is_enough and self.chance < CHANCE


def weigh(objective: Objective, suspicion: Sequence[Interval]) -> Weighing:
    """Return what was seen since a suspicion arose, as it is judged.

    Args:
        objective: The objective.
        suspicion: The intervals with events since the first bad one, oldest first.
    """
    rest_bad, rest_total = _without_worst_stall(objective, suspicion)
    return Weighing(
        bad=sum(each.bad for each in suspicion),
        total=sum(each.total for each in suspicion),
        rest_bad=rest_bad,
        rest_total=rest_total,
        allowed=objective.allowed_bad_ratio,
        least=objective.least_events,
    )


def is_breach(objective: Objective, suspicion: Sequence[Interval]) -> bool:
    """Return whether what was seen since a suspicion arose is an incident.

    Args:
        objective: The objective.
        suspicion: The intervals with events since the first bad one, oldest first.
    """
    return weigh(objective, suspicion).is_breach


def clear_run(
    objective: Objective, seen: Sequence[Interval], *, intervals: int, bad_ratio: float
) -> Sequence[Interval]:
    """Return the newest intervals that show that the objective is met again; none where they do not.

    Args:
        objective: The objective.
        seen: The intervals with events, oldest first, the newest last.
        intervals: How many of them must be judged, at the least.
        bad_ratio: The share of bad events while it was bad.
    """
    unclear = total = 0.0
    for count, interval in enumerate(reversed(seen), start=1):
        unclear += interval.bad + interval.marginal
        total += interval.total
        if count < intervals or round(total) < objective.least_events:
            continue
        if unclear / total > CLEAR_SHARE * objective.allowed_bad_ratio:
            return ()
        if unclear / total < bad_ratio and chance_of_share(unclear, total, bad_ratio) < CHANCE:
            return seen[-count:]
    return ()


def held_run(objective: Objective, seen: Sequence[Interval], span: timedelta) -> Sequence[Interval]:
    """Return the intervals of a span that ends now, where the objective was met over all of it; none where it was not.

    Args:
        objective: The objective.
        seen: The intervals with events, oldest first, the newest last.
        span: How far back it must have been met.
    """
    since = seen[-1].ended_at - span
    if seen[0].ended_at > since:
        return ()
    recent = [each for each in seen if each.ended_at > since]
    total = sum(each.total for each in recent)
    bad = sum(each.bad for each in recent)
    return recent if round(total) >= objective.least_events and bad <= total * objective.allowed_bad_ratio else ()


def _without_worst_stall(objective: Objective, suspicion: Sequence[Interval]) -> tuple[float, float]:
    """Return bad and all events outside the adjacent intervals that hold the most bad ones."""
    span = objective.scrape_interval * (objective.stall_intervals - 0.5)  # ends of intervals jitter a little
    worst = (0.0, 0.0)
    first = 0
    bad = total = 0.0
    for interval in suspicion:
        bad += interval.bad
        total += interval.total
        while interval.ended_at - suspicion[first].ended_at > span:
            bad -= suspicion[first].bad
            total -= suspicion[first].total
            first += 1
        worst = max(worst, (bad, total))
    all_bad = sum(each.bad for each in suspicion)
    all_total = sum(each.total for each in suspicion)
    return max(0.0, all_bad - worst[0]), max(0.0, all_total - worst[1])
