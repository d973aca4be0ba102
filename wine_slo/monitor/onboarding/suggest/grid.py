"""Quick counts for every threshold and objective: how often it would have been bad, and its budget.

A replay says exactly which alarms there would have been; the counts only show where to try one. Events are counted in
steps of five minutes. Shares are 0 to 1, thresholds are seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from wine_slo.monitor.onboarding.choice import LEAST_BAD, OBJECTIVES, OF_LATENCY, TIMES, WINDOW, quantile
from wine_slo.monitor.replay.range_cache import Numbers

STEP = timedelta(minutes=5)
LEAST_EVENTS = 20  # in a step; with fewer a single bad one is a spell
ROOM = 0.25  # of the budget that a suggestion leaves
A_WEEK = 1.0  # spells that a suggestion may have
WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """The events of one label set, a number for each step.

    Attributes:
        total: All of them.
        bad: The bad ones, by the threshold in seconds; by None where there is none.
    """

    total: Numbers
    bad: Mapping[float | None, Numbers]


@dataclass(frozen=True, slots=True)
class Cell:
    """One threshold with one objective.

    Attributes:
        threshold: In seconds; None where there is none.
        objective: The share of good events.
        spells: How often the share of bad events was too high in one step or in several one after another.
        left: The share of the budget that would be left if all of its window were like the time that is known.
    """

    threshold: float | None
    objective: float
    spells: int
    left: float


@dataclass(frozen=True, slots=True)
class Grid:
    """What was counted of one objective.

    Attributes:
        span: How long the time is.
        events: How many events there were.
        within: The share of events within each threshold; empty where there is none.
        cells: Every threshold with every objective, in rows of one threshold.
    """

    span: timedelta
    events: float
    within: Mapping[float, float]
    cells: tuple[tuple[Cell, ...], ...]

    def ladder(self, least: float = 0.0) -> list[Cell]:
        """Return the cells that can be tried, the strictest first: those that leave some budget and are seldom bad.

        Args:
            least: A lower threshold is left out where there is a higher one; seconds.
        """
        weeks = max(self.span / WEEK, 1.0)
        possible = [
            each
            for row in self.cells
            for each in row
            if self.events * (WINDOW / self.span) * (1 - each.objective) >= LEAST_BAD
            and each.left >= ROOM
            and each.spells <= A_WEEK * weeks
            and self._has_room(each, least)
        ]
        return sorted(possible, key=lambda each: (-each.objective, each.threshold or 0.0))

    def _has_room(self, cell: Cell, least: float) -> bool:
        if cell.threshold is None:
            return True
        time = quantile(self.within, cell.objective)
        highest = self.cells[-1][0].threshold
        return cell.threshold == highest or (time is not None and cell.threshold >= max(least, TIMES * time))


def grid(counts: Sequence[Counts], span: timedelta, objectives: Sequence[float] = ()) -> Grid:
    """Return what the counts of an objective's label sets come to.

    Args:
        counts: One for each label set; not empty.
        span: How long the time is.
        objectives: Those that are tried besides the usual ones.
    """
    thresholds = sorted({each for one in counts for each in one.bad}, key=lambda each: each or 0.0)
    is_latency = thresholds != [None]
    tried = sorted({*(OF_LATENCY if is_latency else OBJECTIVES), *objectives})
    total = sum(float(np.nansum(each.total)) for each in counts)
    within = {
        each: 1 - sum(float(np.nansum(one.bad[each])) for one in counts if each in one.bad) / total
        for each in thresholds
        if each is not None and total
    }
    rows = tuple(tuple(_cell(counts, threshold, each) for each in tried) for threshold in thresholds)
    return Grid(span, total, within, rows)


def _cell(counts: Sequence[Counts], threshold: float | None, objective: float) -> Cell:
    """Return the spells of all label sets together, and what is left of the budget of the worst one."""
    of_each = [(each.total, each.bad[threshold]) for each in counts if threshold in each.bad]
    spells = sum(_spells(total, bad, 1 - objective) for total, bad in of_each)
    left = min((_left(total, bad, 1 - objective) for total, bad in of_each), default=1.0)
    return Cell(threshold, objective, spells, left)


def _spells(total: Numbers, bad: Numbers, allowed: float) -> int:
    with np.errstate(invalid="ignore"):
        is_bad = (bad > allowed * total) & (total >= LEAST_EVENTS)
    return int(np.count_nonzero(is_bad & ~np.concatenate(([False], is_bad[:-1]))))


def _left(total: Numbers, bad: Numbers, allowed: float) -> float:
    events = float(np.nansum(total))
    return 1 - float(np.nansum(bad)) / (events * allowed) if events else 1.0
