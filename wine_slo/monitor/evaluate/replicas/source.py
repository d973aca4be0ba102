"""Several replicas of a metric source as one: whoever queries it gets the answer of one that answers.

Evaluations read each replica by itself (`readers`); this is for all else, such as charts and the doctor.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from wine_slo.slo.source.metric_source import (
    MetricSource,
    MetricSourceError,
    Series,
    SourceInfo,
    Target,
    Vector,
)

T = TypeVar("T")

PATIENCE = 1.0  # seconds that the others are waited for once one has said what it scrapes

Count = Callable[[str, str], None]  # what happened, and of which replica


class Replicas(MetricSource):
    """A metric source of several.

    Args:
        members: Each replica by its name, at least one, in the order in which they are queried.
        count: Called with `switched_to` and the replica that an objective is judged by from now on, and with
            `worse_than_others` and each replica that shows a breach where others do not.

    Attributes:
        members: The same.
        count: The same.
    """

    def __init__(self, members: Mapping[str, MetricSource], count: Count = lambda _what, _name: None) -> None:
        self.members = members
        self.count = count
        self._order = list(members)  # the one first that is judged by now
        self._away: set[str] = set()  # those whose last query failed

    def each(self, changed: Callable[[MetricSource], MetricSource]) -> "Replicas":
        """Return the same replicas, each changed; both prefer the same one."""
        found = Replicas({name: changed(member) for name, member in self.members.items()}, self.count)
        found._order, found._away = self._order, self._away
        return found

    def prefer(self, name: str) -> None:
        """Query a replica before the others."""
        self._order.sort(key=lambda other: other != name)

    async def query(self, promql: str, at: datetime | None = None) -> Vector:
        """Return the answer at an instant of the past, or now.

        Raises:
            MetricSourceError: No replica has one that can be trusted.
        """
        return await self._first(lambda each: each.query(promql, at), lambda found: not found.samples)

    async def query_range(self, promql: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return the answer for every `step` from `start` to `end`, both included.

        Raises:
            MetricSourceError: No replica has one that can be trusted.
        """
        return await self._first(lambda each: each.query_range(promql, start, end, step), lambda found: not found)

    async def _first(self, query: Callable[[MetricSource], Awaitable[T]], is_empty: Callable[[T], bool]) -> T:
        """Return the first answer with something in it, else the first; a query that is refused is no failure.

        A replica that began with an empty disk, or scrapes fewer targets, knows nothing of what another one knows.
        """
        empty: list[T] = []
        failures: list[MetricSourceError] = []
        for name in tuple(self._order):
            if empty and name in self._away:
                continue  # or each query that finds nothing would wait for it
            try:
                found = await query(self.members[name])
            except MetricSourceError as error:
                if error.is_of_query or error.is_refused:
                    raise
                failures.append(error)
                self._away.add(name)
                continue
            self._away.discard(name)
            if not empty:
                self.prefer(name)
            if not is_empty(found):
                return found
            empty.append(found)
        if not empty:
            raise failures[-1]
        return empty[0]


class ReplicaInfo(SourceInfo):
    """What replicas say of themselves: each answer is that of the first one that gives it, and targets those of all.

    Args:
        members: The replicas.
    """

    def __init__(self, members: Sequence[SourceInfo]) -> None:
        self._members = members

    async def server(self) -> str | None:
        """Return what it is, and its version."""
        return await _first(each.server() for each in self._members)

    async def retention(self) -> timedelta | None:
        """Return for how long it keeps samples."""
        return await _first(each.retention() for each in self._members)

    async def targets(self) -> list[Target] | None:
        """Return what each of them scrapes, of those that answer in time: they may scrape at other intervals."""
        tasks = [asyncio.create_task(each.targets()) for each in self._members]
        running = set(tasks)
        try:
            while running and not any(each.done() and each.result() is not None for each in tasks):
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if running:
                await asyncio.wait(running, timeout=PATIENCE)
            found = [each.result() for each in tasks if each.done()]
        finally:
            for task in tasks:
                task.cancel()
        known = [each for each in found if each is not None]
        return [target for each in known for target in each] if known else None


async def _first(answers: Iterable[Coroutine[Any, Any, T | None]]) -> T | None:
    """Return the first answer that is one; the others are not waited for."""
    running = [asyncio.create_task(each) for each in answers]
    try:
        for each in asyncio.as_completed(running):
            found = await each
            if found is not None:
                return found
    finally:
        for task in running:
            task.cancel()
    return None
