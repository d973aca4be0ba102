"""How often somebody may send commands: of what is too much, the first is answered with how long to wait.

Nothing more is answered in that time, and after it the next one is, so that nobody who waits meets silence.

Telegram lets a bot say 20 things a minute in a group and about one a second in a private chat. Answers stay well below
that, so that an alert has room at any time. Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
"""

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

MINUTE = timedelta(minutes=1)
SAID_EVERY = timedelta(seconds=20)  # at the most, as what is said takes room as well
KEPT = 1000  # whose last times are remembered


@dataclass(frozen=True, slots=True)
class Excess:
    """One too many.

    Attributes:
        seconds: In how many the next may be sent.
        is_first: Whether it is the first one too many of late, so that it is answered.
    """

    seconds: int
    is_first: bool


@dataclass(slots=True)
class _Lately:
    """When somebody sent the last one, and until when nothing more is said of sending too many."""

    times: deque[datetime] = field(default_factory=deque)
    notified_until: datetime | None = None


class Limit:
    """At most so many within a span, for each sender.

    Args:
        most: How many.
        within: The span.
    """

    def __init__(self, most: int, within: timedelta = MINUTE) -> None:
        self._most = most
        self._within = within
        self._lately: OrderedDict[Hashable, _Lately] = OrderedDict()

    def excess(self, who: Hashable, now: datetime) -> Excess | None:
        """Return what there is too much of, where that one sends once more now; None where there is room."""
        lately = self._of(who, now)
        if len(lately.times) < self._most:
            return None
        free_at = lately.times[0] + self._within
        is_first = lately.notified_until is None or now >= lately.notified_until
        if is_first:
            lately.notified_until = max(free_at, now + SAID_EVERY)
        return Excess(max(1, ceil((free_at - now).total_seconds())), is_first)

    def count(self, who: Hashable, now: datetime) -> None:
        """Count one."""
        self._of(who, now).times.append(now)

    def _of(self, who: Hashable, now: datetime) -> _Lately:
        lately = self._lately.setdefault(who, _Lately())
        self._lately.move_to_end(who)
        if len(self._lately) > KEPT:
            self._lately.popitem(last=False)
        while lately.times and not timedelta(0) <= now - lately.times[0] < self._within:
            lately.times.popleft()  # also what a clock that was put back has left in the future
        return lately
