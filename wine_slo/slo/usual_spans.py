"""The spans by which objectives are judged where nothing else is written, and the shortest that can be judged.

They are the same at every scrape interval, as the rule itself follows that.
"""

from datetime import timedelta
from math import ceil

USUAL_BAD_FOR = timedelta(seconds=25)
USUAL_GOOD_FOR = timedelta(seconds=20)
FINE = timedelta(seconds=5)  # scrapes that are farther apart hide when within an interval a request was bad
STALL_SHARE = 0.6  # of bad_for, for which it may be bad at once
LEAST_OVER_INTERVALS = 5  # of which a range must have some, where scrapes are far apart
UNANSWERED_FOR = timedelta(minutes=2)  # in all; what restarts once is back sooner
UNANSWERED_SHARE = 0.4  # of the last scrapes; a service that answers half of them does not answer more than that
FEWEST_UNANSWERED = 3  # scrapes; two far apart may be one restart each


def grain(scrape_interval: timedelta) -> timedelta:
    """Return the steps in which spans are judged: scrape intervals, but no longer than fine ones."""
    return min(scrape_interval, FINE)


def least_bad_for(scrape_interval: timedelta) -> timedelta:
    """Return the shortest span that leaves room for a stall."""
    return 3 * grain(scrape_interval)


def least_good_for(scrape_interval: timedelta) -> timedelta:
    """Return the shortest span that says something of a recovery."""
    return 2 * grain(scrape_interval)


def least_over(scrape_interval: timedelta, bad_for: timedelta, good_for: timedelta) -> timedelta:
    """Return the shortest range in which a breach and its recovery can be seen."""
    return max(bad_for + good_for, LEAST_OVER_INTERVALS * scrape_interval)


def most_unanswered(scrape_interval: timedelta) -> int:
    """Return with how many of its last scrapes unanswered a target goes down again and again."""
    return max(FEWEST_UNANSWERED, ceil(UNANSWERED_FOR / scrape_interval) + 1)


def last_scrapes(scrape_interval: timedelta) -> int:
    """Return how many scrapes these are of: five minutes of them, or more where there would be few."""
    return ceil(most_unanswered(scrape_interval) / UNANSWERED_SHARE)
