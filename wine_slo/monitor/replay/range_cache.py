"""The answers to range queries as tables of numbers: queried chunk by chunk, side by side, and kept on disk.

A chunk is one query at a number of instants that Prometheus answers at once. Chunks lie on the calendar, not where a
run begins, so that a run that was interrupted, or another one an hour later, finds them on disk again. Only what lies
near the present of the replay is held in memory. Instants are milliseconds since the epoch, as in Prometheus.
"""

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from wine_slo.slo.backoff import Backoff
from wine_slo.slo.evaluation.sampling import key_of
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.metric_source import MAX_POINTS, MetricSource, MetricSourceError, Sample, Series

Numbers = NDArray[np.float64]  # one value an instant; NaN where there is none
Labels = tuple[tuple[str, str], ...]

AT_ONCE = 4  # queries; Prometheus answers twenty side by side, and has other clients too
BACKOFF = Backoff(timedelta(seconds=0.5), timedelta(seconds=4))  # between two attempts of one query
ATTEMPTS = 5
SETTLED_AFTER = timedelta(minutes=10)  # what is younger may still change, and is not kept on disk
KEPT_ON_DISK = timedelta(days=14)  # since it was last used
# Before 2.47, Prometheus reads all samples anew for each instant of a `timestamp()`, so twice as many instants take
# four times as long: https://github.com/prometheus/prometheus/pull/12579
MOST_OF_TIMESTAMPS = 240
FEW = 100  # instants; a query for no more than that is not split
MAX_INSTANTS = 10_000  # of a chunk; Prometheus answers 11,000
CHUNK = timedelta(hours=12)
SHORT_CHUNK = timedelta(minutes=30)  # for what is needed here and there only
MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


def milliseconds(span: timedelta) -> int:
    """Return a span in milliseconds."""
    return round(span / MILLISECOND)


def instant(at: int) -> datetime:
    """Return the instant so many milliseconds after the epoch."""
    return EPOCH + timedelta(milliseconds=at)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Instants that are one step apart, in chunks of equal length.

    Attributes:
        phase: Where they lie between two multiples of the step, in milliseconds.
        step: How far apart they are, in milliseconds.
        count: How many are in a chunk.
    """

    @classmethod
    def of_long_chunks(cls, at: int, step: int) -> "Lattice":
        """Return the lattice through an instant, in chunks for what every evaluation reads."""
        return cls(at % step, step, max(2, min(MAX_INSTANTS, milliseconds(CHUNK) // step)))

    @classmethod
    def of_short_chunks(cls, at: int, step: int) -> "Lattice":
        """Return the lattice through an instant, in chunks for what only some evaluations read."""
        return cls(at % step, step, max(2, milliseconds(SHORT_CHUNK) // step))

    phase: int
    step: int
    count: int

    def chunk(self, at: int) -> int:
        """Return the number of the chunk that an instant lies in."""
        return (at - self.phase) // (self.step * self.count)

    def first(self, chunk: int) -> int:
        """Return the first instant of a chunk."""
        return self.phase + chunk * self.step * self.count

    def nearest(self, at: int) -> int:
        """Return the nearest instant of the lattice."""
        return self.phase + round((at - self.phase) / self.step) * self.step


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to one query at the instants of one chunk."""

    first: int
    step: int
    count: int
    rows: Mapping[Labels, Numbers]

    @property
    def end(self) -> int:
        """Return the first instant of the next chunk."""
        return self.first + self.step * self.count

    def index(self, at: int) -> int:
        """Return the place of an instant of the lattice."""
        return (at - self.first) // self.step

    def instants(self) -> NDArray[np.int64]:
        """Return every instant."""
        return self.first + self.step * np.arange(self.count, dtype=np.int64)

    def samples(self, at: int) -> list[Sample]:
        """Return the label sets that have a value at an instant, and the values."""
        place = self.index(at)
        found = ((labels, float(row[place])) for labels, row in self.rows.items())
        return [Sample(dict(labels), value) for labels, value in found if value == value]  # noqa: PLR0124  # not NaN

    def by_key(self, objective: Objective) -> dict[Key, Numbers]:
        """Return the rows by the keys of an objective."""
        return {key_of(objective, dict(labels)): row for labels, row in self.rows.items()}


class _Row(msgspec.Struct, array_like=True):
    labels: Labels
    values: bytes


class RangeCache:
    """The answers to range queries about the past.

    Args:
        api: Prometheus.
        folder: Where chunks are kept; None where they are not.
        source: Which Prometheus answered, so that the chunks of two are never mixed up.
        until: The last instant that is queried.
    """

    def __init__(
        self,
        api: MetricSource,
        folder: Path | None,
        source: str,
        until: datetime,
    ) -> None:
        self.api = api
        self._folder = folder
        self._source = source
        self._until = milliseconds(until - EPOCH)
        self._settled = self._until - milliseconds(SETTLED_AFTER)
        self._tables: dict[tuple[str, Lattice, int], Table] = {}
        self._pending: dict[tuple[str, Lattice, int], asyncio.Task[Table]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def tables(self, queries: Iterable[str], lattice: Lattice, chunk: int) -> list[Table]:
        """Return the answers for one chunk.

        Raises:
            MetricSourceError: One is missing after several attempts.
        """
        known = [self._tables.get((query, lattice, chunk)) for query in queries]
        found = [each for each in known if each is not None]
        if len(found) == len(known):
            return found
        return list(await asyncio.gather(*(self._fetch((query, lattice, chunk)) for query in queries)))

    def known(self, query: str, lattice: Lattice, chunk: int) -> Table | None:
        """Return the answer for one chunk where it is in memory."""
        return self._tables.get((query, lattice, chunk))

    def expect(self, queries: Iterable[str], lattice: Lattice, chunk: int) -> None:
        """Start the queries that will be needed soon."""
        if lattice.first(chunk) <= self._until:
            for query in queries:
                self._fetch((query, lattice, chunk))

    def forget(self, before: int) -> None:
        """Drop the chunks that end before an instant."""
        self._tables = {place: table for place, table in self._tables.items() if table.end >= before}

    async def close(self) -> None:
        """Cancel the pending queries."""
        for task in self._pending.values():
            task.cancel()
        await asyncio.gather(*self._pending.values(), return_exceptions=True)

    def _fetch(self, place: tuple[str, Lattice, int]) -> "asyncio.Future[Table]":
        table = self._tables.get(place)
        if table is not None:
            done: asyncio.Future[Table] = asyncio.get_running_loop().create_future()
            done.set_result(table)
            return done
        if place not in self._pending:
            self._pending[place] = asyncio.create_task(self._get(place))
            self._pending[place].add_done_callback(_retrieve_error)
        return self._pending[place]

    async def _get(self, place: tuple[str, Lattice, int]) -> Table:
        try:
            query, lattice, chunk = place
            first = lattice.first(chunk)
            last = min(first + lattice.step * (lattice.count - 1), self._until)
            path = self._path(place) if last <= self._settled else None
            rows = _load(path, lattice.count)
            if rows is None:
                async with self._slots:
                    rows = _rows(await self._query(query, first, last, lattice.step), first, lattice)
                _save(path, rows)
            table = self._tables[place] = Table(first, lattice.step, lattice.count, rows)
            return table
        finally:
            del self._pending[place]

    async def _query(self, query: str, first: int, last: int, step: int) -> list[Series]:
        """Return the answer; retry where that may help, and split the range where it is too much at once."""
        count = (last - first) // step + 1
        if count <= 0:
            return []
        if count < (MOST_OF_TIMESTAMPS if query.startswith("timestamp(") else MAX_POINTS):
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return await self.api.query_range(
                        query, instant(first), instant(last), timedelta(milliseconds=step)
                    )
                except MetricSourceError as error:
                    if error.is_too_much and count > FEW:
                        break
                    if error.is_refused or attempt == ATTEMPTS:
                        raise
                    wait = BACKOFF.wait(attempt).total_seconds()
                    log.info("retrying in %g s: %s", wait, error)
                    await asyncio.sleep(wait)
        middle = first + count // 2 * step
        return [*await self._query(query, first, middle - step, step), *await self._query(query, middle, last, step)]

    def _path(self, place: tuple[str, Lattice, int]) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / (hashlib.sha256(repr((self._source, place)).encode()).hexdigest()[:40] + ".chunk")


def _retrieve_error(task: "asyncio.Task[Table]") -> None:
    """Retrieve the error of a query, so that asyncio does not log it: who needs the chunk queries it again."""
    if not task.cancelled():
        task.exception()


def tidy(folder: Path, now: datetime) -> None:
    """Remove the chunks that have not been used for long."""
    for path in folder.glob("*.chunk"):
        if now.timestamp() - path.stat().st_mtime > KEPT_ON_DISK.total_seconds():
            path.unlink(missing_ok=True)


def _rows(answer: Iterable[Series], first: int, lattice: Lattice) -> dict[Labels, Numbers]:
    rows: dict[Labels, Numbers] = {}
    for series in answer:
        row = rows.setdefault(tuple(sorted(series.labels.items())), np.full(lattice.count, np.nan))
        places = (np.fromiter(series.points, np.float64, len(series.points)) * 1000 - first) / lattice.step
        row[np.rint(places).astype(np.int64)] = np.fromiter(series.points.values(), np.float64, len(series.points))
    return rows


def _load(path: Path | None, count: int) -> dict[Labels, Numbers] | None:
    """Return what is on disk; None where there is no chunk that can be read."""
    if path is None:
        return None
    try:
        rows = msgspec.msgpack.decode(path.read_bytes(), type=list[_Row])
        found = {row.labels: np.frombuffer(zlib.decompress(row.values)) for row in rows}
        path.touch()
    except (OSError, ValueError, zlib.error, msgspec.DecodeError):
        return None
    return found if all(len(row) == count for row in found.values()) else None


def _save(path: Path | None, rows: Mapping[Labels, Numbers]) -> None:
    if path is None:
        return
    content = msgspec.msgpack.encode([_Row(labels, zlib.compress(row.tobytes(), 1)) for labels, row in rows.items()])
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        log.warning("%s cannot be kept: %s", path, error.strerror or error)
