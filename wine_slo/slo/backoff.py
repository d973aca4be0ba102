"""How long to wait before what has failed is tried again: twice as long each time, up to a limit."""

from dataclasses import dataclass
from datetime import timedelta

MOST_DOUBLINGS = 10  # no timedelta holds two seconds doubled for every attempt of a long outage


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits between attempts.

    Attributes:
        first: The wait after the first failure.
        longest: No wait is longer.
    """

    first: timedelta
    longest: timedelta

    def wait(self, failures: int, share: float = 1.0) -> timedelta:
        """Return the wait after so many failures in a row, from 1 on.

        Args:
            failures: How many.
            share: Of the whole wait; drawn at random by who must not try at the same instant as others.
        """
        wait: timedelta = min(self.first * 2 ** min(failures - 1, MOST_DOUBLINGS), self.longest) * share
        return wait
