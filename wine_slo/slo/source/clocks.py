"""The two clocks, as two types, and the one place that compares them.

Every instant in a state, in an incident and in what is rendered of them is by the clock of the metric source. The wall
clock of this machine, and the instants that a chat gives its messages, are never used in its place.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NewType

SourceTime = NewType("SourceTime", datetime)  # by the clock of the metric source
WallTime = NewType("WallTime", datetime)  # by the clock of this machine, or of the chat
SourceClock = Callable[[], SourceTime]
WallClock = Callable[[], WallTime]

CLOCKS_AGREE = timedelta(minutes=1)  # two clocks that differ by more are not the same time


def age(at: WallTime, now: SourceTime) -> timedelta:
    """Return how old an instant of the wall clock is; exact to the minute by which the clocks may differ."""
    return _apart(now, at)


def ahead(theirs: SourceTime, sent_at: WallTime, answered_at: WallTime) -> timedelta:
    """Return how far the source's clock is ahead of this machine's; negative where it is behind.

    Args:
        theirs: The instant of an answer by the source's clock.
        sent_at: When the query was sent; an answer of any time since then shows no difference.
        answered_at: When the answer was there.
    """
    if _apart(theirs, answered_at) > timedelta(0):
        return _apart(theirs, answered_at)
    return min(_apart(theirs, sent_at), timedelta(0))


def agree(theirs: SourceTime, sent_at: WallTime, answered_at: WallTime) -> bool:
    """Return whether both clocks show the same time; as `ahead`, but to a minute."""
    return abs(ahead(theirs, sent_at, answered_at)) <= CLOCKS_AGREE


def _apart(later: datetime, earlier: datetime) -> timedelta:
    return later - earlier
