"""A service, its scrapes and their evaluations, in virtual time: what the watchdog would have notified of, and when."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise

from wine_slo.slo.evaluation.engine import State, advance
from wine_slo.slo.evaluation.incident import Outcome
from wine_slo.slo.evaluation.reading import Interval, Reading, Targets, Traffic, sight_of
from wine_slo.slo.evaluation.schedule import arrival, next_evaluation_at
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Key, Objective, Objectives

START = datetime(2026, 1, 1, tzinfo=UTC)
LATENCY = Objective(
    name="latency",
    title="Latency",
    job="wine-slo",
    source=Latency("request_latency_seconds", 1.0, clear_seconds=0.75),
    ratio=0.95,
)
KEY = Key("latency")
POLL_SECONDS = 30.0


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Alert:
    """What would have been notified at a second: an opening, or how it ended."""

    second: float
    outcome: Outcome | None


class Simulation:
    """One service with one target, or with several that are scraped one after the other.

    Args:
        requests: When each request begins, and how many seconds it takes.
        objective: The latency objective; it says how far apart scrapes are.
        is_up: Whether the service answers its scrape at that second.
        scrape_at: The phase of the scrapes.
        poll_at: The phase of the ticks, 0 to 30 s.
        moved: By how many seconds each scrape comes late, after its number; None where it is missed.
        waits: For how many seconds the scrape of each target waits for the end of an interval; they take turns with
            the requests.
    """

    def __init__(
        self,
        requests: list[tuple[float, float]],
        *,
        objective: Objective = LATENCY,
        is_up: Callable[[float], bool] = lambda _: True,
        scrape_at: float = 0.0,
        poll_at: float = 0.0,
        moved: Callable[[int], float | None] = lambda _: 0.0,
        waits: Sequence[float] = (0.0,),
    ) -> None:
        self.state = State()
        self.alerts: list[Alert] = []
        # A request is counted as if it had ended so much later.
        ended = sorted(
            (begin + seconds + waits[number % len(waits)], seconds) for number, (begin, seconds) in enumerate(requests)
        )
        self._ends = [end for end, _ in ended]
        self._is_slow = list(accumulate((seconds > 1 for _, seconds in ended), initial=0))
        self._is_unclear = list(accumulate((seconds > 0.75 for _, seconds in ended), initial=0))
        self._objectives = Objectives.only(objective)
        self._objective = objective
        self._every = objective.scrape_interval.total_seconds()
        self._arrival = arrival(objective.scrape_interval).total_seconds()
        self._is_up = is_up
        self._scrape_at = scrape_at
        self._poll_at = poll_at
        self._moved = moved
        self._apart = timedelta(seconds=max(waits) - min(waits))

    def run(self, seconds: float) -> list[Alert]:
        """Evaluate for so long; return what would have been notified."""
        second = self._poll_at
        next_poll = second + POLL_SECONDS
        while second < seconds:
            self._evaluate(second)
            again = next_evaluation_at(self.state, self._objectives)
            if again is not None and (again - START).total_seconds() + 0.1 < next_poll:
                second = (again - START).total_seconds() + 0.1
            else:
                second, next_poll = next_poll, next_poll + POLL_SECONDS
        return self.alerts

    @property
    def openings(self) -> list[float]:
        return [each.second for each in self.alerts if each.outcome is None]

    @property
    def endings(self) -> list[float]:
        return [each.second for each in self.alerts if each.outcome is not None]

    def _evaluate(self, second: float) -> None:
        before = self.state
        self.state = advance(before, self._objectives, {KEY: self.reading(second)}, after(second))
        about_requests = {number: each for number, each in self.state.incidents.items() if not each.key.is_own}
        for number, incident in about_requests.items():
            known = before.incidents.get(number)
            if incident.is_open and (known is None or known.openings < incident.openings):
                self.alerts.append(Alert(second, None))
            if not incident.is_open and (known is None or known.is_open):
                self.alerts.append(Alert(second, incident.outcome))

    def reading(self, second: float) -> Reading:
        """What an evaluation reads at a second, by the state as it is."""
        now = after(second)
        last_scrape = int((second - self._arrival - self._scrape_at) // self._every)
        track = self.state.tracks.get(KEY)
        judged_until = track.judged_until if track and track.judged_until else after(second - 300)
        oldest = min((judged_until - START).total_seconds() - 60, second - 8 * self._every)
        first = max(0, int((oldest - self._scrape_at) // self._every))
        scrapes = [
            self._scrape_at + number * self._every + late
            for number in range(first, last_scrape + 1)
            if (late := self._moved(number)) is not None
        ]
        seen = [each for each in scrapes if self._is_up(each)]
        intervals = []
        for earlier, later in pairwise(seen):
            slow, marginal, total = self._between(earlier, later)
            if total and later - earlier < 3.5 * self._every:
                share = self._every / (later - earlier)  # as a rate has it
                intervals.append(Interval(after(later + self._arrival), slow * share, total * share, marginal * share))
        if scrapes:
            targets = Targets(up=int(self._is_up(scrapes[-1])), known=1, scraped_at=after(scrapes[-1]))
        else:
            targets = Targets(up=0, known=0, scraped_at=None)
        latest = seen[-1] if seen else 0.0
        traffic = Traffic(self._between(second - 300, latest)[-1], self._between(second - 1800, latest)[-1])
        sight, reason = sight_of(self._objective, targets, traffic, now)
        next_at = after(self._scrape_at + (last_scrape + 1) * self._every + self._arrival)
        return Reading(
            at=now, sight=sight, reason=reason, intervals=tuple(intervals), next_at=next_at, apart=self._apart
        )

    def _between(self, first: float, last: float) -> tuple[int, int, int]:
        """How many requests that ended in that time were slow, how many by little not, and how many there were."""
        begin, end = bisect_right(self._ends, first), bisect_right(self._ends, last)
        slow = self._is_slow[end] - self._is_slow[begin]
        return slow, self._is_unclear[end] - self._is_unclear[begin] - slow, end - begin


def traffic(
    until: float, seconds_at: Callable[[float], float], *, per_second: float = 10.0, since: float = 0.0
) -> list[tuple[float, float]]:
    """Requests at a constant rate, each taking what the service needs when it begins."""
    count = int((until - since) * per_second)
    begins = [since + number / per_second for number in range(count)]
    return [(begin, seconds_at(begin)) for begin in begins]


def slow_between(*spans: tuple[float, float], sick: float = 1.6, healthy: float = 0.05) -> Callable[[float], float]:
    """How long a request takes that begins at a second."""
    return lambda second: sick if any(first <= second < last for first, last in spans) else healthy
