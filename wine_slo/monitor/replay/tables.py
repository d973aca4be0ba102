"""The tables of one objective: the answers that an evaluation reads at its instant, and those of intervals.

Ticks read tables at one poll. Quick evaluations come one scrape interval apart and read tables at that step, which
are queried where they are needed. What happened in each interval is in tables at one scrape interval.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from wine_slo.monitor.replay.range_cache import EPOCH, Lattice, Numbers, RangeCache, Table, milliseconds
from wine_slo.slo.evaluation.schedule import Grid
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.metric_source import Points, Sample, finite_bounds

OUT_OF_STEP = 20  # a scrape may be late by a twentieth of an interval and still lie on its lattice
FINE_STEP = 5_000  # milliseconds; the scrapes of longer intervals jitter no more
BOUNDS_EVERY = timedelta(minutes=1)  # bucket bounds change only with a release

ALWAYS = (
    "shown",
    "long",
    "total_settled",
    "part_settled",
    "with_bucket_settled",
    "unanswered",
)  # of `instant_queries`: what every evaluation reads
DETAILS = ("over", "recent", "by_endpoint", "missed")  # what only an incident reads


class ObjectiveTables:
    """The tables of one objective.

    Args:
        cache: The answers of Prometheus.
        objective: Whose.
        since: The first tick.
        poll: How far apart ticks are.

    Attributes:
        ticks: The lattice of the ticks.
        grid: The lattice of the intervals; None before the first scrape.
        step: One scrape interval in milliseconds.
    """

    def __init__(self, cache: RangeCache, objective: Objective, since: datetime, poll: timedelta) -> None:
        self.objective = objective
        self.step = milliseconds(objective.scrape_interval)
        self._cache = cache
        self._since = milliseconds(since - EPOCH)
        self._poll = milliseconds(poll)
        self.ticks = Lattice.of_long_chunks(self._since, self._poll)
        self.grid: Lattice | None = None
        self._short_ticks = Lattice.of_short_chunks(self._since, self._poll)
        self._quick: Lattice | None = None
        instants = promql.instant_queries(objective)
        self._at_instant = {
            "up": promql.targets_up(objective),
            "scraped": promql.targets_scraped_at(objective),
            **_present({name: instants[name] for name in ALWAYS}),
        }
        self._details = _present({name: instants[name] for name in DETAILS})
        self._intervals = promql.interval_queries(objective)
        self._keyed: dict[tuple[str, Lattice, int], dict[Key, Numbers]] = {}
        self._expected: dict[Lattice, int] = {}

    def is_tick(self, at: int) -> bool:
        """Return whether an evaluation at an instant is a tick."""
        return (at - self._since) % self._poll == 0

    def snap(self, at: int) -> int:
        """Return the instant of an evaluation: quick ones lie on one lattice, though scrapes jitter a little."""
        if self.is_tick(at):
            return at
        if self._quick is not None:
            near, step = self._quick.nearest(at), min(self.step, FINE_STEP)
            if -step // 100 <= near - at <= step // OUT_OF_STEP:
                return near
        self._quick = Lattice.of_short_chunks(at, self.step)
        return at

    def follow(self, last: int) -> bool:
        """Move the lattice of the intervals to the end of the last one; return whether it has moved."""
        if self.grid is not None and abs(self.grid.nearest(last) - last) <= self.step // OUT_OF_STEP:
            return False
        self.grid = Lattice.of_long_chunks(last, self.step)
        return True

    async def at(self, at: int) -> dict[str, list[Sample]]:
        """Return what every evaluation reads at its instant, by name.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        is_tick = self.is_tick(at)
        lattice = self.ticks if is_tick else Lattice.of_short_chunks(at, self.step)
        chunk, queries = lattice.chunk(at), [*self._at_instant.values()]
        if is_tick:
            self._expect(queries, lattice, chunk + 1)
        tables = await self._cache.tables(queries, lattice, chunk)
        return {name: table.samples(at) for name, table in zip(self._at_instant, tables, strict=True)}

    async def gone(self, at: int) -> int:
        """Return how many targets the job had recently, where it has none.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        samples = await self._few([promql.targets_of_late(self.objective)], at)
        return round(sum(each.value for each in samples[0]))

    async def details(self, at: int) -> tuple[dict[str, list[Sample]], tuple[float, ...]]:
        """Return what only an incident reads: the quantiles by name, and the bucket bounds.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        samples = await self._few([*self._details.values()], at) if self._details else []
        found, query = dict(zip(self._details, samples, strict=True)), promql.bucket_bounds(self.objective)
        if query is None:
            return found, ()
        lattice = Lattice.of_long_chunks(0, milliseconds(BOUNDS_EVERY))
        (table,) = await self._cache.tables([query], lattice, lattice.chunk(at))
        place = lattice.first(lattice.chunk(at)) + table.index(at) * table.step
        return found, finite_bounds(table.samples(place), self.objective.source.unit_of_values)

    async def intervals(self, grid: Grid) -> dict[str, dict[Key, Points]]:
        """Return the intervals of one evaluation, by the names of `interval_queries`.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        first, last = milliseconds(grid.first - EPOCH), milliseconds(grid.last - EPOCH)
        self.follow(last)
        lattice = self.grid
        assert lattice is not None  # noqa: S101  # `follow` sets it
        shift = last - lattice.nearest(last)
        queries = _present(self._intervals)
        begin, end = lattice.chunk(first - shift), lattice.chunk(last - shift)
        self._expect([*queries.values()], lattice, end + 1)
        found: dict[str, dict[Key, dict[float, float]]] = {name: {} for name in self._intervals}
        for chunk in range(begin, end + 1):
            tables = await self._cache.tables(queries.values(), lattice, chunk)
            for (name, query), table in zip(queries.items(), tables, strict=True):
                start = max(0, table.index(first - shift))
                stop = min(table.count, table.index(last - shift) + 1)
                for key, row in self._keys_of(query, lattice, chunk, table).items():
                    points = found[name].setdefault(key, {})
                    for place, value in enumerate(row[start:stop].tolist(), start):
                        if value == value:  # noqa: PLR0124  # not NaN
                            points[(table.first + place * table.step + shift) / 1000] = value
        return {name: {key: points for key, points in each.items() if points} for name, each in found.items()}

    def known_at_ticks(self, at: int) -> dict[str, Table] | None:
        """Return the tables of the chunk of a tick by name, where they are in memory."""
        return self._known(self._at_instant, self.ticks, at)

    def known_intervals(self, at: int) -> dict[str, Table] | None:
        """Return the tables of intervals of the chunk of an instant by name, where they are in memory."""
        return None if self.grid is None else self._known(_present(self._intervals), self.grid, at)

    def _known(self, queries: Mapping[str, str], lattice: Lattice, at: int) -> dict[str, Table] | None:
        chunk = lattice.chunk(at)
        found = {name: self._cache.known(query, lattice, chunk) for name, query in queries.items()}
        tables = {name: table for name, table in found.items() if table is not None}
        return tables if len(tables) == len(found) else None

    async def _few(self, queries: Sequence[str], at: int) -> list[list[Sample]]:
        """Return the answers at an instant to queries that only some evaluations need."""
        lattice = self._short_ticks if self.is_tick(at) else Lattice.of_short_chunks(at, self.step)
        return [table.samples(at) for table in await self._cache.tables(queries, lattice, lattice.chunk(at))]

    def _expect(self, queries: Sequence[str], lattice: Lattice, chunk: int) -> None:
        if self._expected.get(lattice) != chunk:
            self._expected[lattice] = chunk
            self._cache.expect(queries, lattice, chunk)

    def _keys_of(self, query: str, lattice: Lattice, chunk: int, table: Table) -> dict[Key, Numbers]:
        place = (query, lattice, chunk)
        if place not in self._keyed:
            self._keyed = {each: rows for each, rows in self._keyed.items() if each[2] >= chunk - 1}
            self._keyed[place] = table.by_key(self.objective)
        return self._keyed[place]


def _present(queries: Mapping[str, str | None]) -> dict[str, str]:
    return {name: query for name, query in queries.items() if query is not None}
