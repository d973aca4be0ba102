"""Who stands by: each gives signs of life, and is seen for as long as these go on."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from wine_slo.integrations.storage.lease.rows import LeaseRows, Standby
from wine_slo.slo.lease import Timing, Watchdog

FORGOTTEN_AFTER = 60  # times as long as a lease lasts; who gives no sign for so long was killed


@dataclass(frozen=True, slots=True)
class _Sign:
    standby: Standby
    first: int  # the sign that was read first: no evidence, as it may be of long ago
    at: float


class Standbys:
    """Gives the signs of life of one that stands by, and knows those of the others.

    Args:
        rows: Where they are written.
        me: Who this is.
        clock: Reads, in seconds, a clock that nobody sets.
        timing: How often things happen.
    """

    def __init__(self, rows: LeaseRows, me: Watchdog, clock: Callable[[], float], timing: Timing) -> None:
        self._rows = rows
        self._me = me
        self._clock = clock
        self._timing = timing
        self._beats = 0
        self._shown_at = -inf
        self._signs: dict[str, _Sign] = {}

    def show(self) -> None:
        """Give a sign of life where the last one is long enough ago, and read those of the others.

        Raises:
            LedgerError: It is not written.
        """
        if self._clock() - self._shown_at < self._timing.renewed_every:
            return
        self._shown_at = self._clock()
        self._beats += 1
        self._rows.show_standby(Standby(self._me, self._beats))
        self.read()

    def leave(self) -> None:
        """Stand by no more.

        Raises:
            LedgerError: It is still written.
        """
        self._shown_at = -inf
        self._rows.drop_standbys([self._me.id])

    def read(self) -> None:
        """Read the signs of life of the others, and forget who gave none for long.

        Raises:
            LedgerError: They cannot be read.
        """
        now = self._clock()
        signs = {}
        for each in self._rows.standbys():
            known = self._signs.get(each.watchdog.id)
            is_new = known is None or known.standby.beats != each.beats
            signs[each.watchdog.id] = _Sign(each, known.first if known else each.beats, now if is_new else known.at)  # type: ignore[union-attr]
        self._signs = signs
        longest = FORGOTTEN_AFTER * self._timing.lasts
        if gone := [name for name, sign in signs.items() if now - sign.at > longest]:
            self._rows.drop_standbys(gone)

    def seen(self) -> tuple[Watchdog, ...]:
        """Return the others that stand by, as far as they give signs of life."""
        now = self._clock()
        alive = [
            sign.standby.watchdog
            for name, sign in list(self._signs.items())
            if name != self._me.id and sign.standby.beats > sign.first and now - sign.at < self._timing.lasts
        ]
        return tuple(sorted(alive, key=lambda each: (each.host, each.pid)))
