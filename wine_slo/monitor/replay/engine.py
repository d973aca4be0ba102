"""The past as the watchdog would have looked at it: the same looks, answered out of tables instead of by questions.

Each look is read by `domain.look.read`, as live. What differs is only where the answers come from:

* what happened in each interval, from tables at one scrape interval;
* what a tick asks for at its instant, from tables at one poll; quick looks come one scrape interval apart, so theirs
  are tables at one scrape interval too, made where they are needed;
* the quantiles, only where an incident reads them;
* budgets, from sums of intervals, as a question over 30 days at each tick would take Prometheus hours.

Where every promise is kept, every sight stays what it is and no budget burns, a look changes nothing but how far has
been judged, so such looks are left out.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wine_slo.monitor.replay.range_cache import EPOCH, History, Lattice, Numbers, Table, instant, milliseconds
from wine_slo.monitor.replay.story import Left, Replay, Story
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.judgement import ROUNDING, is_bad
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import STALE_INTERVALS, Reading
from wine_slo.slo.evaluation.sampling import (
    CATCHES_UP,
    OF_LATE,
    Answers,
    Grid,
    Scrapes,
    by_endpoint,
    by_key,
    key_of,
    read,
    read_nothing,
)
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import SELDOM, Budget, is_burning, stays_known_for, windows
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.source.metric_source import Points, Sample

CHUNK = timedelta(hours=12)
MOST_INSTANTS = 10_000  # a chunk; Prometheus answers 11,000
SHORT_CHUNK = timedelta(minutes=30)  # for what is needed here and there only
FINE = timedelta(hours=6)  # budgets over no longer than this are summed interval by interval, others in marks
MARK = timedelta(minutes=5)
OUT_OF_STEP = 20  # a scrape may be late by a twentieth of an interval and still lie on its lattice
HOLE = 3  # intervals; a rate over the hole that a missed scrape leaves counts all of it
BREATHES_AFTER = 100  # looks; then questions that wait get their turn

NOTHING = 1e-6  # events; less than that is the arithmetic of rates
HISTORY, EVENTS = timedelta(-1), timedelta(-2)  # stand beside the spans of a budget, for what is asked of no span
SPENT_EVERY = timedelta(hours=6)  # what is left of a budget is noted


async def replay(
    history: History,
    objectives: Objectives,
    since: datetime,
    until: datetime,
    poll: timedelta,
    on_progress: Callable[[datetime], None] = lambda _: None,
    *,
    is_fast: bool = True,
) -> Story:
    """What would have been told.

    Args:
        history: What Prometheus remembers.
        objectives: What is promised.
        since: The first look; a multiple of the poll since the epoch.
        until: No look comes after it.
        poll: How far apart ticks are.
        on_progress: Called now and then with the instant that was reached.
        is_fast: Whether looks that change nothing may be left out.

    Raises:
        MetricSourceError: An answer is missing or cannot be trusted.
    """
    run = Replay(objectives, since, poll)
    pasts = [_Past(history, objective, since, poll) for objective in objectives.all]
    await asyncio.gather(*(past.open() for past in pasts))
    note_at = since
    looks = 0
    while run.at <= until:
        at = pasts[0].snap(milliseconds(run.at - EPOCH))
        readings: dict[Key, Reading] = {}
        for past in pasts:
            readings |= await past.look(run.state, at)
        run.look(readings, instant(at))
        if instant(at) >= note_at:
            note_at += SPENT_EVERY
            for past in pasts:
                past.note(run, instant(at))
        looks += 1
        if is_fast and run.is_calm:
            _skip(run, pasts, min(until, note_at))
        if looks % BREATHES_AFTER == 0:
            history.forget(at - milliseconds(CATCHES_UP + SHORT_CHUNK))
            on_progress(instant(at))
            await asyncio.sleep(0)
    for past in pasts:
        past.note(run, run.state.looked_at or since)
    on_progress(until)
    return run.story()


def _skip(run: Replay, pasts: Sequence["_Past"], until: datetime) -> None:
    """Leave out the ticks before the last one of those that change nothing."""
    at = milliseconds((run.state.looked_at or until) - EPOCH)
    tick, poll = milliseconds(run.next_tick - EPOCH), milliseconds(run.poll)
    last = milliseconds(until - EPOCH)
    for past in pasts:
        last = min(last, past.calm_until(run.state, at, tick, last))
        if last < tick + poll:
            return
    ticks = (last - tick) // poll  # of those that are calm, the last one is looked at
    before = tick + (ticks - 1) * poll
    judged: dict[Key, datetime] = {}
    for past in pasts:
        judged |= past.pass_over(tick, before)
    run.skip(ticks, judged)


@dataclass(slots=True)
class _Calm:
    """What the ticks of one chunk see, tick by tick."""

    table: Table
    keys: frozenset[Key]
    sights: NDArray[np.int8]  # equal numbers are equal sights; below 0 is what must be looked at


@dataclass(slots=True)
class _Intervals:
    """What the intervals of one chunk hold."""

    table: Table
    keys: frozenset[Key]
    suspicious_at: NDArray[np.int64]
    events_at: Mapping[Key, NDArray[np.int64]]


class _Past:
    """One objective's past."""

    def __init__(self, history: History, objective: Objective, since: datetime, poll: timedelta) -> None:
        self._history = history
        self._objective = objective
        self._since = milliseconds(since - EPOCH)
        self._poll = milliseconds(poll)
        self._step = milliseconds(objective.scrape_interval)
        self._ticks = _long(self._since % self._poll, self._poll)
        self._short_ticks = _short(self._since % self._poll, self._poll)
        self._grid: Lattice | None = None  # known with the first scrape
        self._quick: Lattice | None = None
        self._budgets = _Budgets(history, objective, self._since)
        self._at_look = [
            promql.targets_up(objective),
            promql.targets_scraped_at(objective),
            promql.events(objective, objective.over),
            promql.events(objective, objective.expires_after),
        ]
        self._per_interval = [
            promql.total_per_interval(objective),
            promql.good_per_interval(objective),
            promql.bad_per_interval(objective),
            promql.clear_per_interval(objective),
            promql.oldest_age_per_interval(objective),
        ]
        self._told = [
            promql.quantile(objective, objective.over),
            promql.quantile(objective, objective.recent),
            promql.quantile_by_endpoint(objective, OF_LATE),
        ]
        self._calm: _Calm | None = None
        self._intervals: _Intervals | None = None
        self._keyed: dict[tuple[str, Lattice, int], dict[Key, Numbers]] = {}
        self._expected: dict[Lattice, int] = {}

    async def open(self) -> None:
        """Get ready for the first look."""
        await self._budgets.open()

    def snap(self, at: int) -> int:
        """The instant of a look: a quick one comes where the others of its kind do, as scrapes jitter a little."""
        if self._is_tick(at):
            return at
        if self._quick is not None:
            near = self._quick.nearest(at)
            if -self._step // 100 <= near - at <= self._step // OUT_OF_STEP:
                return near
        self._quick = _short(at % self._step, self._step)
        return at

    async def look(self, state: State, at: int) -> dict[Key, Reading]:
        """What the look at an instant sees.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, now = self._objective, instant(at)
        lattice = self._ticks if self._is_tick(at) else self._of_quick(at)
        tables = await self._tables(self._at_look, lattice, at)
        up, scraped, shown, long = (_samples(table, at) for table in tables)
        if not scraped:
            if self._grid is not None:
                await self._budgets.reach(at, self._grid)
                self._budgets.read(at)
            return read_nothing(objective, state, now)
        scrapes = Scrapes(up, scraped)
        grid = Grid.since_last_look(objective, state, scrapes.anchor, now)
        last = milliseconds(grid.last - EPOCH)
        if self._grid is None or abs(self._grid.nearest(last) - last) > self._step // OUT_OF_STEP:
            self._grid = _long(last % self._step, self._step)
            self._intervals = None
        total, good, bad, clear, ages = await self._points(self._grid, grid)
        await self._budgets.reach(at, self._grid)
        self._budgets.begins(scrapes.anchor)
        answers = Answers(
            at=now,
            scrapes=scrapes,
            grid=grid,
            total=total,
            good=good,
            bad=bad,
            clear=clear,
            ages=ages,
            shown=by_key(objective, shown),
            long=by_key(objective, long),
            budgets=self._budgets.read(at),
        )
        found = read(objective, state, answers)
        if self._told[0] is not None and _is_told(objective, state, found):
            over, recent, endpoints = await self._told_at(at)
            detailed = replace(answers, over=over, recent=recent, by_endpoint=endpoints)
            return read(objective, state, detailed)
        return found

    def note(self, run: Replay, now: datetime) -> None:
        """Remember what is left of the budgets."""
        for key, budget in self._budgets.known.items():
            share = budget.remaining(self._objective)
            if share is not None:
                run.note_budget(key, Left(now, share))

    # Looks that change nothing

    def calm_until(self, state: State, at: int, tick: int, last: int) -> int:
        """The last tick up to which this objective sees what it sees now; one before `tick` where it sees news."""
        calm, intervals = self._calm_of(at), self._intervals_of(at)
        keys = {key for key in state.tracks if key.objective == self._objective.name and key.alert is Alert.BREACH}
        if calm is None or intervals is None or keys != calm.keys or not intervals.keys <= keys:
            return at
        now = calm.table.index(at)
        if not self._is_tick(at) or calm.sights[now] < 0:
            return at
        last = min(last, calm.table.end - 1, intervals.table.end - self._step)
        news = np.flatnonzero(calm.sights[now:] != calm.sights[now])
        if len(news):
            last = min(last, calm.table.first + (now + int(news[0])) * calm.table.step - 1)
        place = int(intervals.suspicious_at.searchsorted(at - self._step))
        if place < len(intervals.suspicious_at):
            last = min(last, int(intervals.suspicious_at[place]) - self._step)
        last = tick + (last - tick) // self._poll * self._poll
        return self._budgets.calm_until(tick, last, self._poll) if last >= tick + self._poll else at

    def pass_over(self, tick: int, before: int) -> dict[Key, datetime]:
        """Note that the ticks from one to another were left out; return how far each key would have been judged."""
        self._budgets.pass_over(tick, before, self._poll)
        judged = {}
        intervals = self._intervals
        for key, events_at in intervals.events_at.items() if intervals else ():
            place = int(events_at.searchsorted(before, side="right"))
            if place:
                judged[key] = instant(int(events_at[place - 1]))
        return judged

    def _calm_of(self, at: int) -> _Calm | None:
        if self._calm is None or not self._calm.table.first <= at < self._calm.table.end:
            chunk = self._ticks.chunk(at)
            tables = [self._history.known(query, self._ticks, chunk) for query in self._at_look]
            self._calm = None if None in tables else self._see(*[each for each in tables if each is not None])
        return self._calm

    def _see(self, up: Table, scraped: Table, shown: Table, long: Table) -> _Calm | None:
        """What each tick of a chunk sees; `sight_of` for many instants at once, where it is simple."""
        objective, grid = self._objective, self._grid
        if grid is None:
            return None
        shown_by, long_by = _by_key(objective, shown), _by_key(objective, long)
        keys = frozenset(shown_by) if objective.by else frozenset([Key(objective.name)])
        count, ticks = scraped.count, scraped.instants()
        sights = np.zeros(count, np.int8)
        if not scraped.rows:
            return _Calm(scraped, keys, np.full(count, -1, np.int8))
        # Where label sets have targets of their own, each tick of a chunk in which one was down must be looked at.
        oldest = np.min([1000 * row for row in scraped.rows.values()], axis=0)
        with np.errstate(invalid="ignore"):
            fresh = ticks - oldest <= STALE_INTERVALS * self._step
            up_everywhere = np.min(list(up.rows.values()), axis=0) > 0 if up.rows else fresh & False
            anchor = 1000 * min(scraped.rows.items())[1]
            drift = (anchor + self._step / 10 - grid.phase + self._step / 2) % self._step - self._step / 2
            in_step = np.abs(drift) <= 1
        sure = fresh & in_step & (True if objective.is_up else up_everywhere)
        for number, key in enumerate(sorted(keys)):
            asked = np.nan_to_num(shown_by[key]) if key in shown_by else np.zeros(count)
            lately = np.nan_to_num(long_by[key]) if key in long_by else np.zeros(count)
            quiet, few = np.round(asked) == 0, np.round(lately) < objective.least_events
            seen = np.where(quiet, 1, np.where(few, 2, 0)) if not objective.is_up else np.zeros(count, np.int64)
            sights = np.where((seen == sights) | (number == 0), seen, -1).astype(np.int8)
            if objective.by and key in shown_by:
                sure &= ~np.isnan(shown_by[key])
        sights[~sure | (sights == 2)] = -1  # few requests are told by their number, which changes
        return _Calm(scraped, keys, sights)

    def _intervals_of(self, at: int) -> _Intervals | None:
        if self._grid is None:
            return None
        if self._intervals is None or not self._intervals.table.first <= at < self._intervals.table.end:
            chunk = self._grid.chunk(at)
            asked = [query for query in self._per_interval if query is not None]
            if any(self._history.known(query, self._grid, chunk) is None for query in asked):
                return None
            self._intervals = self._judge(*[self._interval_table(query, chunk) for query in self._per_interval])
        return self._intervals

    def _interval_table(self, query: str | None, chunk: int) -> Table | None:
        return None if query is None or self._grid is None else self._history.known(query, self._grid, chunk)

    def _judge(
        self, total: Table | None, good: Table | None, bad: Table | None, _: Table | None, ages: Table | None
    ) -> _Intervals | None:
        """What the intervals of a chunk hold; `is_bad` for many at once, a little stricter."""
        objective = self._objective
        if total is None:
            return None
        seconds = 1.0 if objective.is_up else objective.scrape_interval.total_seconds()
        totals, suspicious, events_at = _by_key(objective, total), np.zeros(total.count, bool), {}
        goods, bads = _by_key(objective, good), _by_key(objective, bad)
        instants = total.instants()
        for key, row in totals.items():
            events = np.nan_to_num(row) * seconds
            failed = np.nan_to_num(bads[key]) * seconds if key in bads else np.zeros(total.count)
            if good is not None:
                failed = events - np.nan_to_num(goods[key]) * seconds if key in goods else events
            happened = events >= 0.01
            suspicious |= happened & (failed > events * (objective.allowed_bad_ratio + ROUNDING) * (1 - 1e-9))
            events_at[key] = instants[happened]
        if isinstance(objective.source, Latency):
            for row in _by_key(objective, ages).values():
                suspicious |= np.nan_to_num(row) > objective.source.threshold_seconds
        return _Intervals(total, frozenset(totals), instants[suspicious], events_at)

    # Tables

    def _is_tick(self, at: int) -> bool:
        return (at - self._since) % self._poll == 0

    def _of_quick(self, at: int) -> Lattice:
        return _short(at % self._step, self._step)

    async def _tables(self, queries: Sequence[str], lattice: Lattice, at: int) -> list[Table]:
        chunk = lattice.chunk(at)
        if lattice is self._ticks:
            self._expect(queries, lattice, chunk + 1)
        return await self._history.tables(queries, lattice, chunk)

    async def _points(self, lattice: Lattice, grid: Grid) -> list[dict[Key, Points]]:
        """The intervals of one look, question by question."""
        first, last = milliseconds(grid.first - EPOCH), milliseconds(grid.last - EPOCH)
        shift = last - lattice.nearest(last)
        asked = [query for query in self._per_interval if query is not None]
        begin, end = lattice.chunk(first - shift), lattice.chunk(last - shift)
        self._expect(asked, lattice, end + 1)
        found: list[dict[Key, dict[float, float]]] = [{} for _ in self._per_interval]
        for chunk in range(begin, end + 1):
            tables = dict(zip(asked, await self._history.tables(asked, lattice, chunk), strict=True))
            for answer, query in zip(found, self._per_interval, strict=True):
                if query is None:
                    continue
                table = tables[query]
                start = max(0, table.index(first - shift))
                stop = min(table.count, table.index(last - shift) + 1)
                for key, row in self._keys_of(query, lattice, chunk, table).items():
                    points = answer.setdefault(key, {})
                    for place, value in enumerate(row[start:stop].tolist(), start):
                        if value == value:  # noqa: PLR0124  # not NaN
                            points[(table.first + place * table.step + shift) / 1000] = value
        return [{key: points for key, points in answer.items() if points} for answer in found]

    def _expect(self, queries: Sequence[str], lattice: Lattice, chunk: int) -> None:
        if self._expected.get(lattice) != chunk:
            self._expected[lattice] = chunk
            self._history.expect(queries, lattice, chunk)

    def _keys_of(self, query: str, lattice: Lattice, chunk: int, table: Table) -> dict[Key, Numbers]:
        place = (query, lattice, chunk)
        if place not in self._keyed:
            self._keyed = {each: rows for each, rows in self._keyed.items() if each[2] >= chunk - 1}
            self._keyed[place] = _by_key(self._objective, table)
        return self._keyed[place]

    async def _told_at(
        self, at: int
    ) -> tuple[dict[Key, float], dict[Key, float], dict[Key, tuple[tuple[str, float], ...]]]:
        """What the message of an incident reads beside its intervals."""
        lattice = self._short_ticks if self._is_tick(at) else self._of_quick(at)
        queries = [query for query in self._told if query is not None]
        over, recent, endpoints = await self._history.tables(queries, lattice, lattice.chunk(at))
        objective = self._objective
        return (
            by_key(objective, _samples(over, at)),
            by_key(objective, _samples(recent, at)),
            by_endpoint(objective, _samples(endpoints, at)),
        )


class _Sums:
    """How many events were bad, of how many, up to each instant: fine for some hours, in marks for longer."""

    def __init__(self) -> None:
        self.times = np.zeros(0, np.int64)
        self.bad = np.zeros(0)
        self.total = np.zeros(0)
        self.mark_times = np.zeros(0, np.int64)
        self.mark_bad = np.zeros(0)
        self.mark_total = np.zeros(0)

    def extend(self, times: NDArray[np.int64], bad: Numbers, total: Numbers, keep: int) -> None:
        """Add events at the end; what is older than `keep` milliseconds is only kept in marks."""
        if not len(self.mark_times):
            self.add_marks(times[:1] - 1, np.zeros(1), np.zeros(1))
        bad = np.cumsum(bad) + (self.bad[-1] if len(self.bad) else self.mark_bad[-1])
        total = np.cumsum(total) + (self.total[-1] if len(self.total) else self.mark_total[-1])
        from_ = int(self.times.searchsorted(int(times[0]) - keep))
        self.times = np.concatenate([self.times[from_:], times])
        self.bad = np.concatenate([self.bad[from_:], bad])
        self.total = np.concatenate([self.total[from_:], total])
        mark = milliseconds(MARK)
        places = np.flatnonzero(np.diff(times // mark, append=times[-1] // mark + 1))  # the last of each mark
        self.add_marks(times[places], bad[places], total[places])

    def add_marks(self, times: NDArray[np.int64], bad: Numbers, total: Numbers) -> None:
        """Add sums up to some instants."""
        self.mark_times = np.concatenate([self.mark_times, times])
        self.mark_bad = np.concatenate([self.mark_bad, bad])
        self.mark_total = np.concatenate([self.mark_total, total])

    def bridge(self, first: int, last: int, bad: float, total: float) -> None:
        """Add what happened between two samples that lie far apart, seen with the last, none of it without the first.

        Args:
            first: One interval after the first sample, which is the last instant of which there are sums.
            last: When the last one came.
            bad: Bad events between them.
            total: All events between them.
        """
        bad_before, total_before = self.bad[-1], self.total[-1]
        sums_bad, sums_total = np.array([bad_before, bad_before + bad]), np.array([total_before, total_before + total])
        self.add_marks(np.array([first, first + 1]), sums_bad, sums_total)
        self.times = np.append(self.times, last)
        self.bad, self.total = np.append(self.bad, sums_bad[1]), np.append(self.total, sums_total[1])

    def trim(self, before: int) -> None:
        """Forget the marks before an instant, but for one."""
        from_ = max(0, int(self.mark_times.searchsorted(before)) - 1)
        self.mark_times = self.mark_times[from_:]
        self.mark_bad, self.mark_total = self.mark_bad[from_:], self.mark_total[from_:]

    def up_to(self, at: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """Bad and all events up to some instants."""
        place = self.times.searchsorted(at, side="right") - 1
        if len(place) and place.min() >= 0:
            return self.bad[place], self.total[place]
        bad, total = self.in_marks(at)
        if not len(self.times):
            return bad, total
        return np.where(place < 0, bad, self.bad[place]), np.where(place < 0, total, self.total[place])

    def before(self, begin: NDArray[np.int64], step: int) -> tuple[Numbers, Numbers]:
        """Bad and all events up to the first sample of spans that begin at some instants."""
        if not len(self.times):
            return self.in_marks(begin + step)
        place = np.minimum(self.times.searchsorted(begin), len(self.times) - 1)
        bad, total = self.bad[place], self.total[place]
        early = begin + step < self.times[0]
        if not early.any():
            return bad, total
        bad_in_marks, total_in_marks = self.in_marks(begin + step)
        return np.where(early, bad_in_marks, bad), np.where(early, total_in_marks, total)

    def in_marks(self, at: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """The same from the marks: events are spread evenly over the five minutes before the mark that counts them."""
        if len(self.mark_times) < 2:
            nothing = np.zeros(len(at))
            return nothing, nothing
        right = np.clip(self.mark_times.searchsorted(at, side="right"), 1, len(self.mark_times) - 1)
        ends = self.mark_times[right]
        begins = np.maximum(self.mark_times[right - 1], ends - milliseconds(MARK))
        share = np.clip((at - begins) / (ends - begins), 0.0, 1.0)

        def between(sums: Numbers) -> Numbers:
            return sums[right - 1] + share * (sums[right] - sums[right - 1])

        return between(self.mark_bad), between(self.mark_total)


class _Budgets:
    """One objective's budgets over time, by key, known for as long as live ones are."""

    def __init__(self, history: History, objective: Objective, since: int) -> None:
        self.known: dict[Key, Budget] = {}
        self._history = history
        self._objective = objective.as_budgeted
        self._since = since
        self._step = milliseconds(objective.scrape_interval)
        self._spans = windows(objective)
        self._sums: dict[Key, _Sums] = {}
        self._summed_until = 0
        self._last_total: dict[Key, int] = {}
        self._first_scrape: int | None = None
        self._asked_at: dict[timedelta, int] = {}
        self._stays: tuple[timedelta, dict[timedelta, int]] = (timedelta(-1), {})
        self._history_span = timedelta(0)
        self._ratios: dict[timedelta, dict[Key, float]] = {}
        self._events: dict[Key, float] = {}

    async def open(self) -> None:
        """Sum what came before the first look.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, mark = self._objective, milliseconds(MARK)
        young = await self._history.api.query(promql.seconds_of_history(objective), instant(self._since))
        for sample in young.samples:
            self._first_scrape = self._since - round(1000 * sample.value)
        lattice = Lattice(0, mark, 1000)
        begin = lattice.nearest(self._since - milliseconds(objective.window)) + mark
        end = lattice.nearest(self._since - milliseconds(FINE))
        queries = [promql.events(objective, MARK), promql.good_ratio(objective, MARK)]
        for chunk in range(lattice.chunk(begin), lattice.chunk(end) + 1):
            events, ratios = await self._history.tables(queries, lattice, chunk)
            good = _by_key(objective, ratios)
            instants = events.instants()
            wanted = (instants > begin) & (instants <= end)
            for key, row in _by_key(objective, events).items():
                total = np.nan_to_num(row)
                bad = total * np.clip(1 - np.nan_to_num(good.get(key, np.ones(len(row))), nan=1.0), 0, 1)
                sums = self._sums.setdefault(key, _Sums())
                before = (sums.mark_bad[-1], sums.mark_total[-1]) if len(sums.mark_times) else (0.0, 0.0)
                if not len(sums.mark_times):
                    sums.add_marks(np.array([begin]), np.zeros(1), np.zeros(1))
                if wanted.any():
                    sums.add_marks(
                        instants[wanted], np.cumsum(bad[wanted]) + before[0], np.cumsum(total[wanted]) + before[1]
                    )
        self._summed_until = end

    async def reach(self, at: int, grid: Lattice) -> None:
        """Sum up to an instant, and as far as the chunk goes that it lies in.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        while self._summed_until < at + self._step:
            chunk = grid.chunk(self._summed_until + self._step)
            objective = self._objective
            share = promql.good_per_interval(objective) or promql.bad_per_interval(objective) or ""
            queries = [promql.total_per_interval(objective), share]
            total, part = await self._history.tables(queries, grid, chunk)
            await self._add(total, part)
            self._summed_until = total.end - self._step

    async def _add(self, total: Table, part: Table) -> None:
        objective = self._objective
        parts, instants = _by_key(objective, part), total.instants()
        wanted = instants > self._summed_until + self._step // 2
        keep = milliseconds(FINE) + total.count * self._step
        seconds = 1.0 if objective.is_up else objective.scrape_interval.total_seconds()
        for key, row in _by_key(objective, total).items():
            places = np.flatnonzero(wanted & ~np.isnan(row))
            if not len(places):
                continue
            last = self._last_total.get(key, int(instants[places[0]]) - self._step)
            apart = np.diff(instants[places], prepend=last) / self._step
            is_gap = (apart > HOLE + 0.5) & (not objective.is_up)
            apart = np.where(is_gap | objective.is_up, 1, np.rint(apart))
            self._last_total[key] = int(instants[places[-1]])
            events = row[places] * seconds * apart
            share = np.nan_to_num(parts[key][places]) * seconds * apart if key in parts else np.zeros(len(places))
            bad = share if isinstance(objective.source, Ratio) else events - share
            sums = self._sums.setdefault(key, _Sums())
            bad = np.clip(bad, 0, events)
            begins = sorted({0, *np.flatnonzero(is_gap).tolist(), len(places)})
            for begin, end in pairwise(begins):
                if is_gap[begin]:
                    first = int(instants[places[begin]])  # that ends an interval; what the counters hid came before it
                    before = int(instants[places[begin - 1]]) if begin else last
                    bad_across, across = await self._across(key, before, first)
                    hidden = max(0.0, bad_across - bad[begin]), max(0.0, across - events[begin])
                    sums.bridge(before + self._step, first - self._step, *hidden)
                sums.extend(instants[places[begin:end]], bad[begin:end], events[begin:end], keep)
            sums.trim(int(instants[0]) - milliseconds(objective.window) - total.count * self._step)

    async def _across(self, key: Key, before: int, after: int) -> tuple[float, float]:
        """Bad and all events between two instants that have samples and nothing between them, as the counters tell.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, gap = self._objective, timedelta(milliseconds=after - before)
        total, part = promql.total_across(objective, gap), promql.part_across(objective, gap)
        if total is None or part is None or gap > objective.window:
            return 0.0, 0.0
        lattice = Lattice(after % self._step, self._step, 1)
        tables = await self._history.tables([total, part], lattice, lattice.chunk(after))
        found = [_by_key(objective, table).get(key) for table in tables]
        events, some = (0.0 if row is None else max(0.0, float(np.nan_to_num(row[0]))) for row in found)
        bad = some if isinstance(objective.source, Ratio) else events - some
        return min(max(0.0, bad), events), events

    def begins(self, scraped_at: datetime) -> None:
        """Take the first scrape that is seen for the first there was, where nothing older is known."""
        if self._first_scrape is None:
            self._first_scrape = milliseconds(scraped_at - EPOCH)

    def read(self, at: int) -> Mapping[Key, Budget]:
        """What is known of the budgets at a look."""
        asks = {}
        for what in (HISTORY, EVENTS, *self._spans):
            stays = self._stays_known_for(self._history_span)[what]
            if at - self._asked_at.get(what, at - stays) >= stays:
                asks[what] = at
                if what == HISTORY:
                    self._history_span = self._known_for(at)
        self._ask(asks)
        return self.known

    def calm_until(self, tick: int, last: int, poll: int) -> int:
        """The last tick up to which no pace holds, by what a look at each of them would know."""
        objective = self._objective
        if any(is_burning(objective, budget, burn) for budget in self.known.values() for burn in objective.burns):
            return tick - poll
        plan = self._plan(tick, last, poll)
        ticks = np.arange(tick, last + 1, poll, dtype=np.int64)
        newest = {what: np.array(asks, np.int64).searchsorted(ticks, side="right") for what, asks in plan.items()}
        spans = [self._history_span, *map(self._known_for, plan[HISTORY])]
        history = np.array([milliseconds(each) for each in spans])[newest[HISTORY]]
        burning = np.zeros(len(ticks), bool)
        for key, sums in self._sums.items():
            ratios = {
                span: np.append(self._ratios.get(span, {}).get(key, -1.0), self._bad_ratios(sums, span, plan[span]))
                for span in self._spans
            }
            for burn in objective.burns:
                long, short = milliseconds(burn.long), milliseconds(burn.short)
                pace = np.maximum(1.0, burn.budget * milliseconds(objective.window) / np.clip(history, short, long))
                limit = pace * objective.allowed_bad_ratio * (1 - 1e-6)
                holds = [ratios[span][newest[span]] >= limit for span in (burn.long, burn.short)]
                burning |= holds[0] & holds[1] & (history >= short)
        stops = np.flatnonzero(burning)
        return int(ticks[stops[0]]) - poll if len(stops) else last

    def pass_over(self, tick: int, before: int, poll: int) -> None:
        """Know what would be known had each tick from one to another been looked at."""
        asks = {what: each[-1] for what, each in self._plan(tick, before, poll).items() if each}
        if HISTORY in asks:
            self._history_span = self._known_for(asks[HISTORY])
        self._ask(asks)

    def _plan(self, tick: int, last: int, poll: int) -> dict[timedelta, list[int]]:
        """The ticks, of those from one to another, at which each thing would be asked for, as live."""
        plan: dict[timedelta, list[int]] = {what: [] for what in self._asked_at}
        asked_at, known_for, begin = dict(self._asked_at), self._history_span, tick
        while begin <= last:
            stays = self._stays_known_for(known_for)
            due = {what: tick - (tick - at - stays[what]) // poll * poll for what, at in asked_at.items()}
            if due[HISTORY] <= begin and asked_at[HISTORY] < begin:
                plan[HISTORY].append(begin)
                asked_at[HISTORY], known_for = begin, self._known_for(begin)
                continue
            end = min(max(due[HISTORY], begin + poll), last + 1)
            for what in (EVENTS, *self._spans):
                asks = range(max(begin, due[what]), end, max(poll, -(-stays[what] // poll) * poll))
                if asks:
                    plan[what] += asks
                    asked_at[what] = asks[-1]
            begin = tick - (tick - end) // poll * poll
        return plan

    def _ask(self, asks: Mapping[timedelta, int]) -> None:
        """Know what is asked for, each at an instant of its own."""
        self._asked_at |= asks
        objective, counts = self._objective, [what for what in asks if what != HISTORY]
        if counts:
            spans = np.array([milliseconds(objective.window if each == EVENTS else each) for each in counts])
            instants = np.array([asks[each] for each in counts])
            found: dict[timedelta, dict[Key, float]] = {what: {} for what in counts}
            for key, sums in self._sums.items():
                for what, bad, total in zip(counts, *self._counts(sums, spans, instants), strict=True):
                    if what == EVENTS and total > 0:
                        found[what][key] = float(total)
                    elif what != EVENTS and total > NOTHING:
                        found[what][key] = float(min(1.0, bad / total))
            self._events = found.pop(EVENTS, self._events)
            self._ratios |= found
        if asks:
            history = min(self._history_span, objective.window)
            self.known = {
                key: Budget(
                    history=history,
                    events=events,
                    bad_ratios={span: each[key] for span, each in self._ratios.items() if key in each},
                )
                for key, events in self._events.items()
            }

    def _stays_known_for(self, history: timedelta) -> dict[timedelta, int]:
        """For how many milliseconds each answer is good enough, as live."""
        history = min(history, 100 * SELDOM)  # more makes no difference, and is as often another
        if history != self._stays[0]:
            whole = milliseconds(stays_known_for(history))
            stays = {span: milliseconds(stays_known_for(min(span, history))) for span in self._spans}
            self._stays = history, {HISTORY: whole, EVENTS: whole, **stays}
        return self._stays[1]

    def _known_for(self, at: int) -> timedelta:
        """For how long Prometheus has known the job; as `seconds_of_history` says it."""
        hour, fine = 3_600_000, 10_000
        first = max(self._first_scrape or at, at - milliseconds(self._objective.window))
        long, young = -(-first // hour) * hour, -(-max(first, at - hour) // fine) * fine
        return timedelta(milliseconds=max(0, at - min(long, young)))

    def _bad_ratios(self, sums: _Sums, span: timedelta, at: Sequence[int]) -> Numbers:
        """The share of bad events over a span that ends at each of some instants; -1 where there were none."""
        bad, total = self._counts(sums, np.array(milliseconds(span)), np.array(at, np.int64))
        return np.where(total > NOTHING, np.minimum(1.0, bad / np.maximum(total, NOTHING)), -1.0)

    def _counts(self, sums: _Sums, spans: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """Bad and all events over spans that end at some instants."""
        end = at + self._step // 10
        begin = end - spans  # an interval that begins before a span is outside of it
        bad, total = sums.up_to(end)
        bad_before, total_before = sums.up_to(begin) if self._objective.is_up else sums.before(begin, self._step)
        return np.maximum(0.0, bad - bad_before), np.maximum(0.0, total - total_before)


def _long(phase: int, step: int) -> Lattice:
    return Lattice(phase, step, max(2, min(MOST_INSTANTS, milliseconds(CHUNK) // step)))


def _short(phase: int, step: int) -> Lattice:
    return Lattice(phase, step, max(2, milliseconds(SHORT_CHUNK) // step))


def _samples(table: Table, at: int) -> list[Sample]:
    place = table.index(at)
    found = ((labels, float(row[place])) for labels, row in table.rows.items())
    return [Sample(dict(labels), value) for labels, value in found if value == value]  # noqa: PLR0124  # not NaN


def _by_key(objective: Objective, table: Table | None) -> dict[Key, Numbers]:
    rows = table.rows.items() if table is not None else ()
    return {key_of(objective, dict(labels)): row for labels, row in rows}


def _is_told(objective: Objective, state: State, found: Mapping[Key, Reading]) -> bool:
    """Whether an incident reads what this look saw: one is open, or may be after it."""
    mine = [track for key, track in state.tracks.items() if key.objective == objective.name]
    if any(track.phase is not Phase.MET or track.incident is not None for track in mine):
        return True
    return any(is_bad(objective, each) for reading in found.values() for each in reading.intervals)
