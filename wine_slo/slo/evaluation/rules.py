"""The rules by which numbers are judged, each written once: for one instant, and for many at once.

A live evaluation gives them numbers. A replay gives them NumPy arrays with a value for each instant as well, to find
the evaluations that change nothing. So they use nothing but arithmetic, comparisons and the operators `&`, `|` and `^`,
which booleans and arrays of booleans share; the core does not import NumPy.
"""

from wine_slo.slo.objectives.budget import Amount, Condition
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.usual_spans import grain

ROUNDING = 1e-9  # of a share; 1 - 0.9 is a little less than a tenth, and counts are estimated from rates
FEWEST_EVENTS = 0.01  # of one interval; less is not an event but the arithmetic of rates
MISSED_EVENTS = 300  # in half an hour; after so many, five minutes without any series are no want of requests
STALE_INTERVALS = 4  # scrapes that may be missing before the last sample counts as old


def event_counts(objective: Objective, total: Amount, good: Amount | None, bad: Amount) -> tuple[Amount, Amount]:
    """Return all and bad events of an interval.

    Args:
        objective: Whose they are.
        total: Events per second; scrapes, where these are the events.
        good: The good ones of these; None where bad ones are counted instead.
        bad: The bad ones of these, where they are counted.
    """
    seconds = 1.0 if objective.counts_scrapes else objective.scrape_interval.total_seconds()
    events = total * seconds
    return events, bad * seconds if good is None else events - good * seconds


def has_events(events: Amount) -> Condition:
    """Return whether an estimated count is at least one event, and not the arithmetic of rates."""
    return events >= FEWEST_EVENTS


def is_violation(objective: Objective, bad: Amount, total: Amount) -> Condition:
    """Return whether more events of an interval are bad than the objective allows."""
    return bad > total * (objective.allowed_bad_ratio + ROUNDING)


def is_stuck(objective: Objective, age: Amount) -> Condition:
    """Return whether the oldest unanswered request, `age` seconds old, has exceeded the threshold already."""
    threshold = objective.source.threshold
    return threshold is not None and age > threshold


def stuck_events(objective: Objective, age: float) -> float:
    """Return as how many events a stuck request counts in an interval in which nothing ended: one a step of time."""
    step = grain(objective.scrape_interval).total_seconds()
    return float(max(1, min(age, objective.scrape_interval.total_seconds()) // step))


def is_old(objective: Objective, age: Amount) -> Condition:
    """Return whether a last sample that is `age` seconds old is too old to judge by."""
    return age > STALE_INTERVALS * objective.scrape_interval.total_seconds()


def is_no_traffic(events: Amount) -> Condition:
    """Return whether an estimated count rounds to no event."""
    return events <= 0.5


def is_missed(events: Amount) -> Condition:
    """Return whether there were so many events of late that, where there is no series any more, it is missing."""
    return events >= MISSED_EVENTS


def is_too_few(objective: Objective, events: Amount) -> Condition:
    """Return whether an estimated count rounds to fewer events than the objective needs to be judged."""
    return events < objective.least_events - 0.5


def is_without_bucket(total: Amount, part: Amount) -> Condition:
    """Return whether fewer series have the bucket at the threshold than count all requests."""
    return total - part > 0.5
