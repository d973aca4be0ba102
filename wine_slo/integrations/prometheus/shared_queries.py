"""Queries that are sent together: two hundred objectives make a few requests instead of thousands.

Queries that are wanted at the same time, about the same instants, are joined by `or` into one, each with a label of its
own by which the answer is taken apart; who wanted one gets exactly what it alone would have answered. Equal ones are
sent once. How many are joined follows from what they took when they were answered last.

No query is worse off than by itself: where a joined query has no answer, whatever the reason, each of its queries is
sent alone. What has none even then, while the others have, stays alone until it has one.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import cast

from wine_slo.slo.source.metric_source import MetricSource, Sample, Series, Vector

PART = "slo_query"  # the label by which joined queries differ
MOST_LETTERS = 12_000  # of a joined query; VictoriaMetrics takes 16,384 bytes
AROUND = 10  # letters; a longer number, an `or` and brackets
MORE_LETTERS = 12  # with each that is answered, after they had to be fewer
MOST_SERIES = 2000  # in its answer, as far as that is known
MOST_SECONDS = (
    2.5  # that it may take, as far as that is known; on a busy machine all takes longer, and is no better apart
)
ANSWERED_WITHIN = 5.0  # seconds; then each of its queries has its own usual time
AT_ONCE = 8  # joined queries; with more each takes longer, and none of them says what it costs
WIDE_AT_ONCE = 4  # queries of so many series that they are alone; side by side all of them would be late together
IDLE_TURNS = 2  # of the event loop without another query, then they are sent
MOST_REMEMBERED = 50_000  # queries; that about a calendar window is another one each time

Answer = Vector | list[Series]
Waiting = dict[str, "asyncio.Future[Answer]"]


@dataclass(frozen=True, slots=True)
class When:
    """The instants that a query is about: one, which is now where none is named, or each step of a range."""

    start: datetime | None = None
    end: datetime | None = None
    step: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a query took when it was answered last, by itself or as its part of a joined one.

    Attributes:
        seconds: Its time; before the first answer, a guess.
        series: How many there were in its answer.
        is_alone: Whether it had no answer where those that it was joined with had one.
    """

    seconds: float = MOST_SECONDS / 20
    series: int = 1
    is_alone: bool = False


UNKNOWN = Known()
BY_LABEL_SET = re.compile(r" by \((?!le\)|le, endpoint\))")  # and not only by bucket


class SharedQueries:
    """A metric source that sends queries together.

    Args:
        source: Answers them.
        clock: Reads, in seconds, a clock that nobody sets.
    """

    def __init__(self, source: MetricSource, clock: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._clock = clock
        self._waiting: dict[When, Waiting] = {}
        self._known: dict[str, Known] = {}
        self._widest = UNKNOWN.series  # of all answers, in series
        self._most_letters = MOST_LETTERS
        self._free = asyncio.Semaphore(AT_ONCE)
        self._free_for_wide = asyncio.Semaphore(WIDE_AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()  # the loop alone would forget them

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """Return the answer at an instant of the past, or now.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        return cast("Vector", await self._answer(promql, When(at)))

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return the answer for every `step` from `start` to `end`, both included.

        Raises:
            MetricSourceError: There is none that can be trusted.
        """
        return cast("list[Series]", await self._answer(promql, When(start, end, step)))

    async def _answer(self, text: str, when: When) -> Answer:
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._send_when_idle, 0, IDLE_TURNS)
        queries = self._waiting.setdefault(when, {})
        if text not in queries:
            queries[text] = loop.create_future()
            queries[text].add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it
        return await asyncio.shield(queries[text])  # others may wait for it too

    def _send_when_idle(self, known: int, turns: int) -> None:
        """Send all that waits once no other query has come for some turns of the event loop."""
        count = sum(map(len, self._waiting.values()))
        turns = turns - 1 if count == known else IDLE_TURNS
        if turns:
            asyncio.get_running_loop().call_soon(self._send_when_idle, count, turns)
            return
        waiting, self._waiting = self._waiting, {}
        for when, queries in waiting.items():
            for each in self._together(queries):
                task = asyncio.get_running_loop().create_task(self._send(each, when))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    def _together(self, queries: Waiting) -> Iterable[Waiting]:
        """Yield the queries in groups, each of which may be sent together."""
        group: Waiting = {}
        letters, series, seconds = 0, 0, 0.0
        for text, answered in queries.items():
            known = self._known.get(text) or self._guess(text)
            if known.is_alone:
                yield {text: answered}
                continue
            more = len(_part(text, 0)) + AROUND
            letters, series, seconds = letters + more, series + known.series, seconds + known.seconds
            if group and (letters > self._most_letters or series > MOST_SERIES or seconds > MOST_SECONDS):
                yield group
                group, letters, series, seconds = {}, more, known.series, known.seconds
            group[text] = answered
        if group:
            yield group

    def _guess(self, text: str) -> Known:
        """Return what a query that is new may take: one by label set is as wide as any other may be."""
        return replace(UNKNOWN, series=self._widest) if BY_LABEL_SET.search(text) else UNKNOWN

    async def _send(self, queries: Waiting, when: When) -> None:
        """Have queries answered, together where there are several."""
        texts = list(queries)
        if len(texts) > 1:
            try:
                async with self._free:
                    began = self._clock()
                    async with asyncio.timeout(ANSWERED_WITHIN):
                        answers = _apart(await self._request(joined(texts), when), len(texts))
                    seconds = (self._clock() - began) / len(texts)
            except Exception:  # noqa: BLE001, S110 - whatever it is, each may have an answer by itself
                pass
            else:
                self._most_letters = min(self._most_letters + MORE_LETTERS, MOST_LETTERS)
                for (text, answered), answer in zip(queries.items(), answers, strict=True):
                    self._resolve(text, answered, answer, seconds)
                return
        await self._send_alone(queries, when)

    async def _send_alone(self, queries: Waiting, when: When) -> None:
        """Have each of some queries answered by itself."""
        found = await asyncio.gather(*(self._is_answered(*each, when) for each in queries.items()))
        if not all(found) and any(found):
            for text in (text for text, is_answered in zip(queries, found, strict=True) if not is_answered):
                self._remember(text, replace(self._known.get(text, UNKNOWN), is_alone=True))
        elif len(found) > 1 and all(found):  # together they were too long, or too much
            self._most_letters = max(self._most_letters // 2, 1)

    async def _is_answered(self, text: str, answered: "asyncio.Future[Answer]", when: When) -> bool:
        """Return whether a query has an answer by itself."""
        is_wide = (self._known.get(text) or self._guess(text)).series > MOST_SERIES
        try:
            async with self._free_for_wide if is_wide else nullcontext():
                began = self._clock()
                answer = await self._request(text, when)
        except Exception as error:  # noqa: BLE001 - for whoever wanted it
            answered.set_exception(error)
            return False
        self._resolve(text, answered, answer, self._clock() - began)
        return True

    async def _request(self, text: str, when: When) -> Answer:
        if when.step is None:
            return await self._source.query(text, when.start)
        assert when.start is not None  # noqa: S101 - a range has all of them
        assert when.end is not None  # noqa: S101
        return await self._source.query_range(text, when.start, when.end, when.step)

    def _resolve(self, text: str, answered: "asyncio.Future[Answer]", answer: Answer, seconds: float) -> None:
        self._remember(text, Known(seconds, len(answer.samples if isinstance(answer, Vector) else answer)))
        answered.set_result(answer)

    def _remember(self, text: str, known: Known) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[text] = known
        self._widest = max(self._widest, known.series)


def joined(texts: Sequence[str]) -> str:
    """Return one query for several: their series, each with the number of its query.

    In pairs of pairs, as `or` compares what comes after it with all that is before it.
    """
    parts = [_part(text, number) for number, text in enumerate(texts)]
    while len(parts) > 2:
        pairs = [parts[number : number + 2] for number in range(0, len(parts), 2)]
        parts = [f"({' or '.join(each)})" if len(each) > 1 else each[0] for each in pairs]
    return " or ".join(parts)


def _part(text: str, number: int) -> str:
    """Return the series of a query, each with its number."""
    return f'label_replace({text}, "{PART}", "{number}", "", "")'


def _apart(answer: Answer, count: int) -> list[Answer]:
    """Return the answers of so many queries that were joined, without the labels by which they differ.

    Raises:
        LookupError: It has a series of no such query.
    """
    numbers = [str(number) for number in range(count)]
    if isinstance(answer, Vector):
        samples: dict[str, list[Sample]] = {number: [] for number in numbers}
        for sample in answer.samples:
            samples[sample.labels[PART]].append(replace(sample, labels=_without_part(sample.labels)))
        return [Vector(tuple(each), answer.at if each else None) for each in samples.values()]
    series: dict[str, list[Series]] = {number: [] for number in numbers}
    for one in answer:
        series[one.labels[PART]].append(replace(one, labels=_without_part(one.labels)))
    return list(series.values())


def _without_part(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name != PART}
