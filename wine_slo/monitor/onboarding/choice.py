"""Which numbers an objective can have: the threshold and the objective that the past has kept with room to spare.

Shares are 0 to 1, thresholds are seconds.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

OBJECTIVES = (0.999, 0.99, 0.95)
OF_LATENCY = OBJECTIVES[1:]  # one request of a thousand is nearly always an outlier of its own
USUAL = 0.99  # where nothing is known
USUAL_THRESHOLD = 0.5  # seconds; the first bound that is not below it
LEAST_EVENTS = 100  # with fewer nothing is known
LEAST_SPAN = timedelta(hours=12)  # in less than that nothing shows what more than the usual objective needs
LEAST_BAD = 10  # bad events that the budget of the window must hold, or a single one of them is much of it
ROOM = 0.5  # of the budget, which is to be left
TIMES = 2.0  # a threshold is so many times the quantile or more ...
TIMES_OF_LITTLE = 4.0  # ... and so many times that of less than LEAST_SPAN, which holds no busy hour and no deployment
WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What happened in a time.

    Attributes:
        span: How long it was.
        events: How many events there were.
        bad: The share of bad ones; None where there were no events.
        within: The share of events within each bucket bound, by the bound in seconds; empty but for a latency.
    """

    span: timedelta
    events: float
    bad: float | None = None
    within: Mapping[float, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """The numbers of an objective.

    Attributes:
        objective: The share of good events that is wanted.
        threshold: Of a latency, in seconds; else None.
        is_known: Whether the past says so; else they are usual ones.
        is_kept: Whether the past has kept them.
        bad: The share of events that were bad by them; None where that is not known.
    """

    objective: float
    threshold: float | None
    is_known: bool
    is_kept: bool
    bad: float | None


def choose(past: Past, bounds: Sequence[float] = (), least: float = 0.0) -> Choice:
    """Return the strictest numbers that the past has kept with room to spare.

    Args:
        past: What happened.
        bounds: The bucket bounds of a latency in seconds, ascending; empty for other kinds.
        least: A lower threshold is not chosen where there is a higher one.
    """
    if past.events < LEAST_EVENTS:
        return Choice(USUAL, _bound_from(bounds, USUAL_THRESHOLD), is_known=False, is_kept=True, bad=None)
    possible = [
        each
        for each in OBJECTIVES
        if past.events * (WINDOW / past.span) * (1 - each) >= LEAST_BAD and (each <= USUAL or past.span >= LEAST_SPAN)
    ]
    return _of_latency(past, bounds, least, possible) if bounds else _of_share(past, possible)


def _of_share(past: Past, possible: Sequence[float]) -> Choice:
    bad = past.bad or 0.0
    kept = [each for each in possible if bad <= (1 - each) * ROOM]
    chosen = kept[0] if kept else OBJECTIVES[-1]
    return Choice(chosen, None, is_known=True, is_kept=bad <= 1 - chosen, bad=bad)


def _of_latency(past: Past, bounds: Sequence[float], least: float, possible: Sequence[float]) -> Choice:
    times = TIMES if past.span >= LEAST_SPAN else TIMES_OF_LITTLE
    for objective in OF_LATENCY:
        time = quantile(past.within, objective)
        bound = None if time is None else _bound_from(bounds, max(times * time, least))
        if objective in possible and bound is not None:
            bad = 1 - past.within[bound]
            if bad <= (1 - objective) * ROOM:
                return Choice(objective, bound, is_known=True, is_kept=True, bad=bad)
    bad = 1 - past.within[bounds[-1]]
    return Choice(OBJECTIVES[-1], bounds[-1], is_known=True, is_kept=bad <= 1 - OBJECTIVES[-1], bad=bad)


def quantile(within: Mapping[float, float], share: float) -> float | None:
    """Return the time within which a share of events was, between the bounds; None where it is above all of them."""
    below = [(0.0, 0.0), *sorted(within.items())]
    for (low, before), (high, now) in pairwise(below):
        if now >= share:
            return high if now == before else low + (high - low) * (share - before) / (now - before)
    return None


def _bound_from(bounds: Sequence[float], seconds: float) -> float | None:
    """Return the first bound that is not below a time, else the last one; None where there is none."""
    return bounds[min(bisect_left(bounds, seconds), len(bounds) - 1)] if bounds else None
