"""The ticks that change nothing: every objective is met, each data quality stays what it is, and no alert fires.

Whole chunks are judged at once, by the rules of the live evaluation. Where these columns of numbers do not show
everything that an evaluation reads, a tick counts as one that must be evaluated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from wine_slo.monitor.replay.range_cache import Numbers, Table, instant, milliseconds
from wine_slo.monitor.replay.tables import ObjectiveTables
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Finding, findings
from wine_slo.slo.evaluation.rules import event_counts, has_events, is_missed, is_stuck, is_violation, is_without_bucket
from wine_slo.slo.evaluation.schedule import arrival
from wine_slo.slo.objectives.objective import Alert, Key

Flags = NDArray[np.bool_]
Instants = NDArray[np.int64]
EVALUATE = -1  # in place of a version: the tick must be evaluated
RECENT = 2  # intervals; one that ended within them is among those of the tick's evaluation
QUIET = (Finding.NO_TRAFFIC, Finding.ENOUGH)  # others come with a reason that changes, or are incidents


@dataclass(slots=True)
class _Ticks:
    """What the ticks of one chunk find.

    Attributes:
        table: A table of the chunk.
        keys: The label sets.
        versions: Equal numbers where all label sets have the same findings; `EVALUATE` where that is not known.
    """

    table: Table
    keys: frozenset[Key]
    versions: NDArray[np.int64]


@dataclass(slots=True)
class _Intervals:
    """What the intervals of one chunk hold.

    Attributes:
        table: A table of the chunk.
        keys: The label sets.
        suspicious_at: The intervals that must be evaluated.
        events_at: The intervals with events, by label set.
        total_at: The intervals for which any label set has a number of events.
        part_at: The same of good events, or of bad ones where those are counted.
    """

    table: Table
    keys: frozenset[Key]
    suspicious_at: Instants
    events_at: Mapping[Key, Instants]
    total_at: Instants
    part_at: Instants


class QuietTicks:
    """Finds the ticks of one objective that change nothing."""

    def __init__(self, tables: ObjectiveTables, poll: int) -> None:
        self._tables = tables
        self._poll = poll
        self._ticks: _Ticks | None = None
        self._intervals: _Intervals | None = None

    def forget_intervals(self) -> None:
        """Drop what is known of intervals, as their lattice has moved."""
        self._ticks = self._intervals = None

    def until(self, state: State, at: int, tick: int, last: int) -> int:
        """Return the last tick, from `tick` to `last`, up to which an objective finds what it found at `at`.

        It is before `tick` where that one must be evaluated.
        """
        intervals, ticks = self._intervals_of(at), self._ticks_of(at)
        name = self._tables.objective.name
        keys = {key for key in state.tracks if key.objective == name and key.alert is Alert.BREACH}
        if ticks is None or intervals is None or keys != ticks.keys or not intervals.keys <= keys:
            return at
        now = ticks.table.index(at)
        if not self._tables.is_tick(at) or ticks.versions[now] == EVALUATE:
            return at
        step = self._tables.step
        last = min(last, ticks.table.end - 1, intervals.table.end - step)
        news = np.flatnonzero(ticks.versions[now:] != ticks.versions[now])
        if len(news):
            last = min(last, ticks.table.first + (now + int(news[0])) * ticks.table.step - 1)
        place = int(intervals.suspicious_at.searchsorted(at - step))
        if place < len(intervals.suspicious_at):
            last = min(last, int(intervals.suspicious_at[place]) - step)
        return tick + (last - tick) // self._poll * self._poll

    def judged_until(self, before: int) -> dict[Key, datetime]:
        """Return up to when each label set has been judged at a tick."""
        judged = {}
        for key, events_at in self._intervals.events_at.items() if self._intervals else ():
            place = int(events_at.searchsorted(before, side="right"))
            if place:
                judged[key] = instant(int(events_at[place - 1]))
        return judged

    def _ticks_of(self, at: int) -> _Ticks | None:
        if self._ticks is None or not self._ticks.table.first <= at < self._ticks.table.end:
            self._ticks = None
            tables = self._tables.known_at_ticks(at)
            if tables is not None and self._tables.grid is not None:
                self._ticks = self._judge_ticks(tables)
        return self._ticks

    def _judge_ticks(self, tables: Mapping[str, Table]) -> _Ticks:
        """Return what each tick of a chunk finds; the sight of a reading for many instants at once."""
        objective = self._tables.objective
        shown, long = tables["shown"].by_key(objective), tables["long"].by_key(objective)
        keys = frozenset(shown) if objective.by else frozenset([Key(objective.name)])
        scraped, up = tables["scraped"], tables["up"]
        count = scraped.count
        if not scraped.rows:
            return _Ticks(scraped, keys, np.full(count, EVALUATE))
        # Label sets may have targets of their own, so the one with the oldest scrape, or that is down, counts for all.
        age = scraped.instants() / 1000 - np.min([*scraped.rows.values()], axis=0)
        targets_up = np.nan_to_num(np.min([*up.rows.values()], axis=0)) if up.rows else np.zeros(count)
        must_evaluate = ~self._are_in_step(scraped) | ~self._have_all(tables)
        if "unanswered" in tables:
            must_evaluate |= np.any([np.nan_to_num(row) > 0 for row in tables["unanswered"].rows.values()], axis=0)
        changes = np.zeros(count, bool)
        may_miss: Flags = np.zeros(count, bool)
        if "total_settled" in tables:
            many = is_missed(np.sum([_row(long, key, count) for key in long], axis=0))
            may_miss |= many & ~_any_value(tables["total_settled"])
        for key in keys:
            must_evaluate |= np.isnan(shown[key]) if objective.by else False
            found = findings(
                objective,
                age=np.nan_to_num(age, nan=np.inf),
                up=targets_up,
                shown=_row(shown, key, count),
                long=_row(long, key, count),
                is_stuck=False,  # a request that is stuck makes its interval suspicious
                has_intervals=True,  # `_have_all` says so
                is_missing=may_miss,
            )
            holds = [np.broadcast_to(each, count) for _, each in found]
            decides = np.select(holds, [*range(len(found))])
            must_evaluate |= ~np.isin(decides, [place for place, (each, _) in enumerate(found) if each in QUIET])
            changes |= np.diff(decides, prepend=decides[:1]) != 0
        return _Ticks(scraped, keys, np.where(must_evaluate, EVALUATE, np.cumsum(changes)))

    def _are_in_step(self, scraped: Table) -> Flags:
        """Return at which ticks the intervals that an evaluation reads end on the lattice of the tables."""
        grid, step = self._tables.grid, self._tables.step
        assert grid is not None  # noqa: S101  # `_ticks_of` checks it
        with np.errstate(invalid="ignore"):
            anchor = 1000 * min(scraped.rows.items())[1]
            drift = (
                anchor + milliseconds(arrival(self._tables.objective.scrape_interval)) - grid.phase + step / 2
            ) % step - step / 2
            return np.abs(drift) <= 1

    def _have_all(self, tables: Mapping[str, Table]) -> Flags:
        """Return at which ticks the counters that are old enough have recent intervals, and the bucket they need."""
        objective, count = self._tables.objective, tables["scraped"].count
        have_all = np.ones(count, bool)
        if "total_settled" not in tables:
            return have_all
        total, part = (tables[name].by_key(objective) for name in ("total_settled", "part_settled"))
        if objective.source.bounded is not None:
            for key, row in total.items():
                have_all &= ~is_without_bucket(np.nan_to_num(row), _row(part, key, count))
        assert self._intervals is not None  # noqa: S101  # `until` reads them first
        for name, ends in (("total_settled", self._intervals.total_at), ("part_settled", self._intervals.part_at)):
            have_all &= ~_any_value(tables[name]) | self._follow(ends, tables["scraped"].instants())
        return have_all

    def _follow(self, ends: Instants, ticks: Instants) -> Flags:
        """Return which ticks come soon after the end of an interval."""
        if not len(ends):
            return np.zeros(len(ticks), bool)
        places = ends.searchsorted(ticks, side="right") - 1
        return (places >= 0) & (ticks - ends[places] <= RECENT * self._tables.step)

    def _intervals_of(self, at: int) -> _Intervals | None:
        if self._intervals is None or not self._intervals.table.first <= at < self._intervals.table.end:
            tables = self._tables.known_intervals(at)
            if tables is None:
                return None
            self._ticks = None  # which rests on them
            self._intervals = self._judge_intervals(tables)
        return self._intervals

    def _judge_intervals(self, tables: Mapping[str, Table]) -> _Intervals:
        """Return what the intervals of a chunk hold: violations, for many at once."""
        objective, total = self._tables.objective, tables["total"]
        by_key = {name: table.by_key(objective) for name, table in tables.items()}
        count, instants = total.count, total.instants()
        suspicious, events_at = np.zeros(count, bool), {}
        for key, row in by_key["total"].items():
            rate = np.nan_to_num(row)
            good = _row(by_key["good"], key, count) if "good" in by_key else None
            events, failed = event_counts(objective, rate, good, _row(by_key.get("bad", {}), key, count))
            happened = has_events(events)
            suspicious |= happened & is_violation(objective, failed, events)
            if objective.source.bounded is not None:  # without good ones there is no bucket for the threshold
                suspicious |= ~np.isnan(row) & np.isnan(by_key["good"].get(key, np.full(count, np.nan)))
            events_at[key] = instants[happened]
        for row in by_key.get("ages", {}).values():
            suspicious |= is_stuck(objective, np.nan_to_num(row))
        return _Intervals(
            table=total,
            keys=frozenset(by_key["total"]),
            suspicious_at=instants[suspicious],
            events_at=events_at,
            total_at=instants[_any_value(total)],
            part_at=instants[_any_value(tables["good"] if "good" in tables else tables["bad"])],
        )


def _any_value(table: Table) -> Flags:
    """Return at which instants any label set has a value."""
    return np.any(~np.isnan([*table.rows.values()]), axis=0) if table.rows else np.zeros(table.count, bool)


def _row(rows: Mapping[Key, Numbers], key: Key, count: int) -> Numbers:
    return np.nan_to_num(rows[key]) if key in rows else np.zeros(count)
