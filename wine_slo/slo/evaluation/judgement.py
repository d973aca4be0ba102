"""Good or bad, judged by how long it has been so and by more than chance.

A long range is slow to recover and a short one pages on a hiccup, so neither decides. What decides is the run of
intervals since a suspicion arose:

* it is a **breach** when the objective is violated *even without its worst stall* (the adjacent intervals that a short
  stall can touch, or as many requests as it can spoil, whichever are fewer), and when chance would show that in a
  service that meets its objective less than once in twenty;
* it is **clear** when the newest intervals are good by more than a little, for long enough, with enough events, and
  when chance would show that in a service that is still as bad as the incident was less than once in five hundred;
* where they are good by little, it has **held** when the objective was met over a much longer span.

So full outages and long ones, busy services and quiet ones are all judged by one rule: where there is little to go
by, it waits for more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import inf, sqrt

from wine_slo.slo.chance import chance_of_share
from wine_slo.slo.evaluation.reading import Interval
from wine_slo.slo.evaluation.rules import is_violation
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.usual_spans import grain

CLEAR_SHARE = 0.8  # of what may be bad; what is worse than that is good by little
INTERVALS_BEFORE = 6  # that show what traffic is usual
FEWEST_BEFORE = 3  # with fewer that is not known
FEWEST_TOUCHED = 2  # intervals, by a stall however short
DEVIATIONS = 4.0  # by which a stall may have more requests than usual
CHANCE = 0.05  # a swing that chance explains is no news; the bound below overstates it some four times
CHANCE_OF_RECOVERY = 0.002  # each interval is another try, for as long as the incident lasts


def is_bad(objective: Objective, interval: Interval) -> bool:
    """Return whether one interval by itself violates the objective."""
    return bool(is_violation(objective, interval.bad, interval.total))


@dataclass(frozen=True, slots=True)
class Traffic:
    """The traffic that is usual.

    Attributes:
        per_second: Events.
        dispersion: How far the counts of intervals are apart: 1 where chance alone explains that, more for bursts.
    """

    per_second: float
    dispersion: float

    @classmethod
    def of(cls, objective: Objective, before: Sequence[Interval]) -> "Traffic | None":
        """Return what some intervals show, of which those without events are left out; None where they are too few."""
        if len(before) < FEWEST_BEFORE or objective.counts_scrapes:
            return None
        count = round((before[-1].ended_at - before[0].ended_at) / objective.scrape_interval) + 1
        mean = sum(each.total for each in before) / count
        squares = sum((each.total - mean) ** 2 for each in before) + (count - len(before)) * mean**2
        return cls(mean / objective.scrape_interval.total_seconds(), max(1.0, squares / (count - 1) / mean))

    def spoilt_by_stall(self, objective: Objective, touched: Sequence[Interval]) -> float:
        """Return how many events a stall can spoil at the most.

        Args:
            objective: The objective; it says how long a stall is.
            touched: The intervals that the stall may touch. What one of them has more than usual may all have come in
                the stall, as requests that were held back, or tried again; what another has less hides none of that,
                as a scrape may have failed in the stall too.
        """
        usual = self.per_second * objective.longest_stall.total_seconds()
        surely = usual + DEVIATIONS * sqrt(usual * self.dispersion)
        each_usually = self.per_second * objective.scrape_interval.total_seconds()
        more = sum(max(0.0, each.total - each_usually) for each in touched)
        return max(self.per_second * objective.judged_stall.total_seconds(), surely) + more


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


def weigh(
    objective: Objective,
    suspicion: Sequence[Interval],
    before: Sequence[Interval] = (),
    apart: timedelta = timedelta(0),
) -> Weighing:
    """Return what was seen since a suspicion arose, as it is judged.

    Args:
        objective: The objective.
        suspicion: The intervals with events since the first bad one, oldest first.
        before: Those just before the first bad one, oldest first; without them nothing is known of the usual traffic.
        apart: How far apart within an interval the targets are scraped.
    """
    most = objective.stall_intervals(apart)
    rest_bad, rest_total = _without_worst_stall(objective, suspicion, Traffic.of(objective, before), most)
    return Weighing(
        bad=sum(each.bad for each in suspicion),
        total=sum(each.total for each in suspicion),
        rest_bad=rest_bad,
        rest_total=rest_total,
        allowed=objective.allowed_bad_ratio,
        least=objective.least_to_judge,
    )


def is_breach(
    objective: Objective,
    suspicion: Sequence[Interval],
    before: Sequence[Interval] = (),
    apart: timedelta = timedelta(0),
) -> bool:
    """Return whether what was seen since a suspicion arose is an incident.

    Args:
        objective: The objective.
        suspicion: The intervals with events since the first bad one, oldest first.
        before: Those just before the first bad one, oldest first.
        apart: How far apart within an interval the targets are scraped.
    """
    return weigh(objective, suspicion, before, apart).is_breach


def just_before(objective: Objective, seen: Sequence[Interval], first: Interval) -> tuple[Interval, ...]:
    """Return the intervals that show what traffic is usual when a suspicion arises with one interval."""
    since = first.ended_at - objective.scrape_interval * (INTERVALS_BEFORE + 0.5)  # as their ends jitter
    return tuple(each for each in seen if since < each.ended_at < first.ended_at)


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
        if count < intervals or round(total) < objective.least_to_judge:
            continue
        if unclear / total > CLEAR_SHARE * objective.allowed_bad_ratio:
            return ()
        if unclear / total < bad_ratio and chance_of_share(unclear, total, bad_ratio) < CHANCE_OF_RECOVERY:
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
    return recent if round(total) >= objective.least_to_judge and bad <= total * objective.allowed_bad_ratio else ()


def _without_worst_stall(
    objective: Objective, suspicion: Sequence[Interval], traffic: Traffic | None, most: int
) -> tuple[float, float]:
    """Return bad and all events outside the stall that explains the most bad ones, of at most so many intervals."""
    # Ends of intervals jitter a little; two that are scraped seldom are adjacent too where a scrape between is missing.
    span = objective.scrape_interval * (most - 0.5 + (most == FEWEST_TOUCHED))
    worst = (0.0, 0.0)
    first = 0
    bad = total = 0.0
    for number, interval in enumerate(suspicion):
        bad += interval.bad
        total += interval.total
        while number - first >= most or interval.ended_at - suspicion[first].ended_at > span:
            bad -= suspicion[first].bad
            total -= suspicion[first].total
            first += 1
        if all(each.is_stuck for each in suspicion[first : number + 1]):
            spoilt = objective.judged_stall / grain(objective.scrape_interval)
        else:
            touched = suspicion[first : number + 1]
            spoilt = inf if traffic is None else traffic.spoilt_by_stall(objective, touched)
        worst = max(worst, (bad, total) if bad <= spoilt else (spoilt, spoilt))
    all_bad = sum(each.bad for each in suspicion)
    all_total = sum(each.total for each in suspicion)
    return max(0.0, all_bad - worst[0]), max(0.0, all_total - worst[1])
