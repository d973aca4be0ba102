"""A Prometheus that remembers some hours of one service, and answers about any instant of them as the real one does.

Counters are exact, so a live watchdog and a replay that query it at the same instants get exactly the same.
"""

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from wine_slo.metric_names import ENDPOINT
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.source.clocks import SourceTime
from wine_slo.slo.source.metric_source import Sample, Series, Vector
from wine_slo.slo.span import parse_span
from wine_slo.slo.usual_spans import last_scrapes

BOUNDS = ("0.5", "1.0", "2.5", "+Inf")
LOOKBACK = 300.0  # seconds for which an instant query takes an old sample


@dataclass(frozen=True)
class Spell:
    """Some seconds that were not as usual.

    Attributes:
        since: When they begin.
        until: When they end.
        slow: The share of requests that are slow.
        rate: Requests per second.
        is_down: Whether the service answers no scrape.
        is_away: Whether Prometheus is down.
        is_gone: Whether Prometheus has no target any more.
        bucket: Whether the histogram has a bucket that ends at the threshold.
        every: How far apart scrapes are.
    """

    since: float
    until: float
    slow: float = 0.0
    rate: float = 10.0
    is_down: bool = False
    is_away: bool = False
    is_gone: bool = False
    bucket: bool = True
    every: float = 0.0


class PastPrometheus:
    """The fake.

    Args:
        objective: The latency that it knows; every other question has no answer.
        start: The beginning of its history; spells count from it.
        seconds: How long its history is.
        spells: What was not as usual; the first one that covers a second holds.
        clock: The present, for questions that name no instant.
        every: How far apart the scrapes are, in seconds.
        phase: When the first one was, in seconds after the start.
        lag: After how many seconds a sample can be found.
    """

    def __init__(  # noqa: PLR0913  # each by its name
        self,
        objective: Objective,
        start: datetime,
        seconds: float,
        spells: list[Spell],
        clock: Callable[[], datetime],
        *,
        every: float = 5.0,
        phase: float = 1.25,
        lag: float = 0.0,
    ) -> None:
        self._objective = objective
        self._clock = clock
        self._lag = lag
        self._interval = objective.scrape_interval.total_seconds()  # as the queries have it, true or not
        self._start = start.timestamp()
        self._scrapes: list[float] = []  # every scrape that Prometheus made
        self._up: list[float] = []
        self._seen: list[float] = []  # those that were answered
        self._total: list[float] = []
        self._slow: list[float] = []
        self._good: list[float] = []
        self._ended: list[float] = []  # when Prometheus had no target
        self._buckets: list[bool] = []
        total = slow = 0.0
        scraped = -inf
        for number in range(int((seconds - phase) / every) + 1):
            second = phase + number * every
            spell = next((each for each in spells if each.since <= second < each.until), Spell(0, 0))
            total += spell.rate * every
            slow += spell.rate * every * spell.slow
            if spell.is_gone:
                self._ended.append(self._start + second)
            if spell.is_away or spell.is_gone or (spell.every and second - scraped < spell.every):
                continue
            scraped = second
            self._scrapes.append(self._start + second)
            self._up.append(0.0 if spell.is_down else 1.0)
            if not spell.is_down:
                self._seen.append(self._start + second)
                self._total.append(total)
                self._slow.append(slow)
                self._good.append(total - slow)
                self._buckets.append(spell.bucket)
        self._answers: dict[str | None, Callable[[float], float | None]] = {
            promql.targets_up(objective): lambda at: self._last(self._up, at),
            promql.targets_scraped_at(objective): lambda at: self._last(self._scrapes, at),
            promql.total_per_interval(objective): lambda at: self._per_second(self._total, at),
            promql.good_per_interval(objective): self._good_per_second,
            promql.targets_of_late(objective): self._of_late,
            promql.scrapes_unanswered(objective): self._unanswered,
            promql.total_settled(objective): self._settled,
            promql.part_settled(objective): self._part_settled,
            promql.seconds_of_history(objective): self._history(objective.window),
            promql.quantile_by_endpoint(objective, promql.OF_LATE): self._quantile(promql.OF_LATE),
            promql.quantile(objective, objective.over): self._quantile(objective.over),
            promql.quantile(objective, objective.recent): self._quantile(objective.recent),
        }
        spans = {promql.OF_LATE, objective.over, objective.expires_after, objective.window, timedelta(minutes=5)}
        for span in (*spans, *(each for burn in objective.burns for each in (burn.short, burn.long))):
            self._answers[promql.events(objective, span)] = self._events(span)
            self._answers[promql.good_ratio(objective, span)] = self._ratio(span)

    @property
    def _bounds(self) -> str | None:
        return promql.bucket_bounds(self._objective)

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        await asyncio.sleep(0)
        now = at or self._clock()
        if promql == self._bounds:
            return Vector(
                tuple(Sample({"le": le}, 1.0) for le in BOUNDS if self._settled(now.timestamp())), SourceTime(now)
            )
        value = self._answer_to(promql)(round(now.timestamp(), 3))
        if value is None:
            return Vector((), None)
        return Vector((Sample({"job": "wine-slo", ENDPOINT: "/predict"}, value),), SourceTime(now))

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        await asyncio.sleep(0)
        if promql == self._bounds:
            instants = [start + number * step for number in range((end - start) // step + 1)]
            return [Series({"le": le}, {at.timestamp(): 1.0 for at in instants}) for le in BOUNDS]
        answer = self._answer_to(promql)
        found = {}
        begin, every = start.timestamp(), step.total_seconds()
        first = max(0, int((self._start - begin) / every))
        last = min((end - start) // step, int((self._scrapes[-1] + LOOKBACK - begin) / every))
        for number in range(first, last + 1):
            at = round(begin + number * every, 3)
            value = answer(at)
            if value is not None:
                found[at] = value
        return [Series({"job": "wine-slo", ENDPOINT: "/predict"}, found)] if found else []

    def _answer_to(self, question: str) -> Callable[[float], float | None]:
        """The answer to a question; a gap may be of any length, and so may the range of a budget."""
        gap, span = re.search(r" offset (\w+)\)", question), re.search(r"\[(\w+)(?::1h)?\]", question)
        if question not in self._answers and gap is not None:
            across = parse_span(gap[1])
            self._answers[promql.total_across(self._objective, across)] = self._across(self._total, across)
            self._answers[promql.part_across(self._objective, across)] = self._across(self._good, across)
        elif question not in self._answers and span is not None:
            over = parse_span(span[1])
            self._answers.setdefault(promql.events(self._objective, over), self._events(over))
            self._answers.setdefault(promql.good_ratio(self._objective, over), self._ratio(over))
            self._answers.setdefault(promql.seconds_of_history(self._objective, over), self._history(over))
        return self._answers.get(question, lambda _: None)

    def _newest(self, scrapes: list[float], at: float) -> int:
        """The number of the newest scrape that can be found, now, of those until an instant."""
        return bisect_right(scrapes, min(at, self._clock().timestamp() - self._lag) if self._lag else at) - 1

    def _last(self, values: list[float], at: float) -> float | None:
        place = self._newest(self._scrapes, at)
        if place < 0 or at - self._scrapes[place] >= LOOKBACK or self._is_ended(self._scrapes[place], at):
            return None
        return values[place]

    def _is_ended(self, scraped: float, at: float) -> bool:
        """Whether Prometheus has marked series as stale since a scrape, as it had no target."""
        return bisect_right(self._ended, at) > bisect_right(self._ended, scraped)

    def _of_late(self, at: float) -> float | None:
        return 1.0 if bisect_right(self._scrapes, at) > bisect_right(self._scrapes, at - 3600) else None

    def _unanswered(self, at: float) -> float | None:
        """How many of the last scrapes were not answered, while there is a target."""
        span = last_scrapes(self._objective.scrape_interval) * self._interval
        first, last = bisect_left(self._scrapes, at - span), self._newest(self._scrapes, at)
        return None if self._last(self._up, at) is None else self._up[first : last + 1].count(0.0)

    def _settled(self, at: float) -> float | None:
        """One series, where there is a sample of now and one of four intervals ago."""
        return 1.0 if all(self._last(self._up, each) for each in (at, at - 4 * self._interval)) else None

    def _part_settled(self, at: float) -> float | None:
        seen = (bisect_right(self._seen, each) - 1 for each in (at, at - 4 * self._interval))
        return self._settled(at) if all(self._buckets[each] for each in seen) else None

    def _per_second(self, counter: list[float], at: float) -> float | None:
        last = self._newest(self._seen, at)
        if last < 1 or at - self._seen[last] >= self._interval or at - self._seen[last - 1] > 4 * self._interval:
            return None
        return (counter[last] - counter[last - 1]) / (self._seen[last] - self._seen[last - 1])

    def _good_per_second(self, at: float) -> float | None:
        total, slow = self._per_second(self._total, at), self._per_second(self._slow, at)
        if total is None or slow is None or not self._buckets[self._newest(self._seen, at)]:
            return None
        return total - slow

    def _increase(self, counter: list[float], span: timedelta, at: float) -> float | None:
        first = bisect_left(self._seen, at - span.total_seconds())
        last = self._newest(self._seen, at)
        return counter[last] - counter[first] if last > first else None

    def _across(self, counter: list[float], gap: timedelta) -> Callable[[float], float | None]:
        def across(at: float) -> float | None:
            last, first = (bisect_right(self._seen, each) - 1 for each in (at, at - gap.total_seconds()))
            return None if first < 0 else counter[last] - counter[first]

        return across

    def _events(self, span: timedelta) -> Callable[[float], float | None]:
        return lambda at: self._increase(self._total, span, at)

    def _ratio(self, span: timedelta) -> Callable[[float], float | None]:
        def ratio(at: float) -> float | None:
            total, slow = self._increase(self._total, span, at), self._increase(self._slow, span, at)
            return 1 - (slow or 0.0) / total if total else None

        return ratio

    def _quantile(self, span: timedelta) -> Callable[[float], float | None]:
        def quantile(at: float) -> float | None:
            good = self._ratio(span)(at)
            return None if good is None else 0.05 if good >= 0.95 else 1 + (1 - good)

        return quantile

    def _history(self, span: timedelta) -> Callable[[float], float | None]:
        def history(at: float) -> float | None:
            """To the hour or to ten seconds, as the real question has it."""
            first = max(self._scrapes[0], at - span.total_seconds())
            marks = [-(-max(first, at - 3600) // 10) * 10, -(-first // 3600) * 3600]
            seen = [each for each in marks if each <= at]
            return at - min(seen) if seen else None

        return history
