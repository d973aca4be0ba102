"""The error budgets of one objective over a past: events are summed once, and each window is a difference of two sums.

A query over thirty days at each tick would take Prometheus hours. Sums are per interval for some hours, and in marks of
five minutes for longer. Each answer counts as known for as long as the live collector keeps it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wine_slo.monitor.evaluate.queries.slow_queries import Query, history_within, known_for
from wine_slo.monitor.replay.range_cache import EPOCH, Lattice, Numbers, RangeCache, Table, instant, milliseconds
from wine_slo.slo.evaluation.rules import event_counts
from wine_slo.slo.evaluation.schedule import arrival
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import (
    SELDOM,
    Budget,
    budgets_by_key,
    fires,
    firing_rate,
    is_any_burning,
    reach,
    stays_known_for,
    windows,
)
from wine_slo.slo.objectives.objective import Burn, Key, Objective
from wine_slo.slo.objectives.window import Period

FINE = timedelta(hours=6)  # windows that are no longer than this are summed interval by interval, others in marks
MARK = timedelta(minutes=5)
LONGEST_RATE = 3  # intervals; a rate over the gap that a missed scrape leaves counts all of it
NO_EVENTS = 1e-6  # events; less is the arithmetic of rates


Queried = Query | timedelta  # a query about a budget; a window stands for its share of bad events


class EventSums:
    """How many events were bad, of how many, up to each instant: per interval for some hours, in marks for longer."""

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
        """Add the events between two samples that lie far apart: they count from the last one, and all at once.

        Args:
            first: One interval after the first sample, which is the last instant with a sum.
            last: The instant of the last one.
            bad: Bad events between them.
            total: All events between them.
        """
        bad_before, total_before = self.bad[-1], self.total[-1]
        sums_bad, sums_total = np.array([bad_before, bad_before + bad]), np.array([total_before, total_before + total])
        self.add_marks(np.array([first, first + 1]), sums_bad, sums_total)
        self.times = np.append(self.times, last)
        self.bad, self.total = np.append(self.bad, sums_bad[1]), np.append(self.total, sums_total[1])

    def trim(self, before: int) -> None:
        """Drop the marks before an instant, but for one."""
        from_ = max(0, int(self.mark_times.searchsorted(before)) - 1)
        self.mark_times = self.mark_times[from_:]
        self.mark_bad, self.mark_total = self.mark_bad[from_:], self.mark_total[from_:]

    def up_to(self, at: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """Return bad and all events up to some instants."""
        place = self.times.searchsorted(at, side="right") - 1
        if len(place) and place.min() >= 0:
            return self.bad[place], self.total[place]
        bad, total = self.in_marks(at)
        if not len(self.times):
            return bad, total
        return np.where(place < 0, bad, self.bad[place]), np.where(place < 0, total, self.total[place])

    def before(self, begin: NDArray[np.int64], step: int) -> tuple[Numbers, Numbers]:
        """Return bad and all events up to the first sample of spans that begin at some instants."""
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
        """Return the same from the marks; events are spread evenly over the five minutes before each mark."""
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


class BudgetHistory:
    """The error budgets of one objective over time, by label set, each known for as long as live."""

    def __init__(self, cache: RangeCache, objective: Objective, since: int) -> None:
        self.known: dict[Key, Budget] = {}
        self._cache = cache
        self._objective = objective.as_budgeted
        self._counts_bad = self._objective.source.bad_events(objective.scope) is not None
        self._since = since
        self._step = milliseconds(objective.scrape_interval)
        self._spans = windows(objective)
        self._sums: dict[Key, EventSums] = {}
        self._summed_until = 0
        self._last_total: dict[Key, int] = {}
        self._first_scrape: int | None = None
        self._queried_at: dict[Queried, int] = {}
        self._stays: tuple[timedelta | None, dict[Queried, int]] = (None, {})
        self._rates: dict[tuple[Burn, timedelta], float] = {}
        self._history_span = timedelta(0)
        self._ratios: dict[timedelta, dict[Key, float]] = {}
        self._events: dict[Key, float] = {}
        self._period: Period | None = None

    async def open(self) -> None:
        """Sum the events before the first evaluation.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, mark = self._objective, milliseconds(MARK)
        within = history_within(objective, objective.period(instant(self._since)))
        young = await self._cache.api.query(promql.seconds_of_history(objective, within), instant(self._since))
        if (history := known_for(young)) is not None:
            self._first_scrape = self._since - milliseconds(history)
        lattice = Lattice(0, mark, 1000)
        begin = lattice.nearest(self._since - self._reach(objective.window, self._since)) + mark
        end = lattice.nearest(self._since - milliseconds(FINE))
        queries = [promql.events(objective, MARK), promql.good_ratio(objective, MARK)]
        for chunk in range(lattice.chunk(begin), lattice.chunk(end) + 1):
            events, ratios = await self._cache.tables(queries, lattice, chunk)
            good = ratios.by_key(objective)
            instants = events.instants()
            wanted = (instants > begin) & (instants <= end)
            for key, row in events.by_key(objective).items():
                total = np.nan_to_num(row)
                bad = total * np.clip(1 - np.nan_to_num(good.get(key, np.ones(len(row))), nan=1.0), 0, 1)
                sums = self._sums.setdefault(key, EventSums())
                before = (sums.mark_bad[-1], sums.mark_total[-1]) if len(sums.mark_times) else (0.0, 0.0)
                if not len(sums.mark_times):
                    sums.add_marks(np.array([begin]), np.zeros(1), np.zeros(1))
                if wanted.any():
                    sums.add_marks(
                        instants[wanted], np.cumsum(bad[wanted]) + before[0], np.cumsum(total[wanted]) + before[1]
                    )
        self._summed_until = end

    async def reach(self, at: int, grid: Lattice) -> None:
        """Sum the events up to an instant, and to the end of its chunk.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        while self._summed_until < at + self._step:
            chunk = grid.chunk(self._summed_until + self._step)
            objective = self._objective
            share = promql.good_per_interval(objective) or promql.bad_per_interval(objective) or ""
            queries = [promql.total_per_interval(objective), share]
            total, part = await self._cache.tables(queries, grid, chunk)
            await self._add(total, part)
            self._summed_until = total.end - self._step

    async def _add(self, total: Table, part: Table) -> None:
        objective = self._objective
        parts, instants = part.by_key(objective), total.instants()
        wanted = instants > self._summed_until + self._step // 2
        keep = milliseconds(FINE) + total.count * self._step
        for key, row in total.by_key(objective).items():
            places = np.flatnonzero(wanted & ~np.isnan(row))
            if not len(places):
                continue
            last = self._last_total.get(key, int(instants[places[0]]) - self._step)
            apart = np.diff(instants[places], prepend=last) / self._step
            is_gap = (apart > LONGEST_RATE + 0.5) & (not objective.counts_scrapes)
            apart = np.where(is_gap | objective.counts_scrapes, 1, np.rint(apart))
            self._last_total[key] = int(instants[places[-1]])
            some = np.nan_to_num(parts[key][places]) if key in parts else np.zeros(len(places))
            good = None if self._counts_bad else some
            events, bad = (each * apart for each in event_counts(objective, row[places], good, some))
            sums = self._sums.setdefault(key, EventSums())
            bad = np.clip(bad, 0, events)
            begins = sorted({0, *np.flatnonzero(is_gap).tolist(), len(places)})
            for begin, end in pairwise(begins):
                if is_gap[begin]:
                    first = int(instants[places[begin]])  # it ends an interval; what the counters hid came before it
                    before = int(instants[places[begin - 1]]) if begin else last
                    bad_across, across = await self._across(key, before, first)
                    hidden = max(0.0, bad_across - bad[begin]), max(0.0, across - events[begin])
                    sums.bridge(before + self._step, first - self._step, *hidden)
                sums.extend(instants[places[begin:end]], bad[begin:end], events[begin:end], keep)
            sums.trim(int(instants[0]) - milliseconds(objective.longest_window) - total.count * self._step)

    async def _across(self, key: Key, before: int, after: int) -> tuple[float, float]:
        """Return bad and all events between two samples with a gap between them, as the counters count them.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, gap = self._objective, timedelta(milliseconds=after - before)
        total, part = promql.total_across(objective, gap), promql.part_across(objective, gap)
        if total is None or part is None or gap > objective.window:
            return 0.0, 0.0
        lattice = Lattice(after % self._step, self._step, 1)
        tables = await self._cache.tables([total, part], lattice, lattice.chunk(after))
        found = [table.by_key(objective).get(key) for table in tables]
        events, some = (0.0 if row is None else max(0.0, float(np.nan_to_num(row[0]))) for row in found)
        bad = some if self._counts_bad else events - some
        return min(max(0.0, bad), events), events

    def begins(self, scraped_at: datetime) -> None:
        """Take a scrape for the first one, where none that is older is known."""
        if self._first_scrape is None:
            self._first_scrape = milliseconds(scraped_at - EPOCH)

    def read(self, at: int) -> Mapping[Key, Budget]:
        """Return what is known of the budgets at an evaluation."""
        before, self._period = self._period, self._objective.period(instant(at))
        if before is not None and before.is_over(instant(at)):  # a budget that begins anew is queried anew
            self._queried_at, self._history_span, self._ratios, self._events = {}, timedelta(0), {}, {}
        queried: dict[Queried, int] = {}
        queries: tuple[Queried, ...] = (Query.HISTORY, Query.EVENTS, *self._spans)
        for what in queries:
            stays = self._stays_known_for(self._history_span)[what]
            if at - self._queried_at.get(what, at - stays) >= stays:
                queried[what] = at
                if what is Query.HISTORY:
                    self._history_span = self._known_for(at)
        self._query(queried)
        return self.known

    def calm_until(self, tick: int, last: int, poll: int) -> int:
        """Return the last tick up to which no alert fires, by what an evaluation at each of them would know."""
        objective = self._objective
        if any(is_any_burning(objective, budget) for budget in self.known.values()):
            return tick - poll
        if self._period is not None:
            last = min(last, milliseconds(self._period.ends_at - EPOCH) - 1)
            if last < tick:
                return tick - poll
        plan = self._plan(tick, last, poll)
        ticks = np.arange(tick, last + 1, poll, dtype=np.int64)
        newest = {what: np.array(queried, np.int64).searchsorted(ticks, side="right") for what, queried in plan.items()}
        histories = [self._history_span, *map(self._known_for, plan[Query.HISTORY])]
        firing = {
            burn: np.array([self._firing_rate(burn, each) for each in histories])[newest[Query.HISTORY]]
            for burn in objective.burns
        }
        burning = np.zeros(len(ticks), bool)
        for key, sums in self._sums.items():
            rates = {
                span: np.append(self._ratios.get(span, {}).get(key, -1.0), self._bad_ratios(sums, span, plan[span]))
                / objective.allowed_bad_ratio
                for span in self._spans
            }
            for burn, rate in firing.items():
                long, short = (rates[span][newest[span]] for span in (burn.long, burn.short))
                burning |= fires(rate, long, short)
        stops = np.flatnonzero(burning)
        return int(ticks[stops[0]]) - poll if len(stops) else last

    def _firing_rate(self, burn: Burn, history: timedelta) -> float:
        """Return the burn rate at which an alert fires, as live."""
        place = burn, min(history, self._objective.window, burn.long)  # with more history it is the same
        if place not in self._rates:
            self._rates[place] = firing_rate(self._objective, *place)
        return self._rates[place]

    def pass_over(self, tick: int, before: int, poll: int) -> None:
        """Know what would be known if each tick from one to another had been evaluated."""
        self._period = self._objective.period(instant(before))
        queried = {what: each[-1] for what, each in self._plan(tick, before, poll).items() if each}
        if Query.HISTORY in queried:
            self._history_span = self._known_for(queried[Query.HISTORY])
        self._query(queried)

    def _plan(self, tick: int, last: int, poll: int) -> dict[Queried, list[int]]:
        """Return the ticks, of those from one to another, at which each query would be made, as live."""
        plan: dict[Queried, list[int]] = {what: [] for what in self._queried_at}
        counted: tuple[Queried, ...] = (Query.EVENTS, *self._spans)
        queried_at, history, begin = dict(self._queried_at), self._history_span, tick
        while begin <= last:
            stays = self._stays_known_for(history)
            due = {what: tick - (tick - at - stays[what]) // poll * poll for what, at in queried_at.items()}
            if due[Query.HISTORY] <= begin and queried_at[Query.HISTORY] < begin:
                plan[Query.HISTORY].append(begin)
                queried_at[Query.HISTORY], history = begin, self._known_for(begin)
                continue
            end = min(max(due[Query.HISTORY], begin + poll), last + 1)
            for what in counted:
                queried = range(max(begin, due[what]), end, max(poll, -(-stays[what] // poll) * poll))
                if queried:
                    plan[what] += queried
                    queried_at[what] = queried[-1]
            begin = tick - (tick - end) // poll * poll
        return plan

    def _query(self, queried: Mapping[Queried, int]) -> None:
        """Answer some queries, each at an instant of its own."""
        self._queried_at |= queried
        objective = self._objective
        counted = {what: at for what, at in queried.items() if what is not Query.HISTORY}
        if counted:
            windows = [what if isinstance(what, timedelta) else objective.window for what in counted]
            reaches = [self._reach(each, at) for each, at in zip(windows, counted.values(), strict=True)]
            spans, instants = np.array(reaches), np.array([*counted.values()])
            if Query.EVENTS in counted:
                self._events = {}
            self._ratios |= {what: {} for what in counted if isinstance(what, timedelta)}
            for key, sums in self._sums.items():
                for what, bad, total in zip(counted, *self._counts(sums, spans, instants), strict=True):
                    if isinstance(what, timedelta):
                        if total > NO_EVENTS:
                            self._ratios[what][key] = float(min(1.0, bad / total))
                    elif total > 0:
                        self._events[key] = float(total)
        if queried or self._period is not None:
            self.known = budgets_by_key(objective, self._history_span, self._events, self._ratios, self._period)

    def _stays_known_for(self, history: timedelta) -> dict[Queried, int]:
        """Return for how many milliseconds each answer is kept, as live."""
        history = min(history, 100 * SELDOM)  # more makes no difference
        if history != self._stays[0]:
            whole = milliseconds(stays_known_for(history))
            stays: dict[Queried, int] = {Query.HISTORY: whole, Query.EVENTS: whole}
            stays |= {span: milliseconds(stays_known_for(min(span, history))) for span in self._spans}
            self._stays = history, stays
        return self._stays[1]

    def _known_for(self, at: int) -> timedelta:
        """Return for how long Prometheus has known the job, as `seconds_of_history` has it."""
        hour, fine = 3_600_000, 10_000
        period = self._objective.period(instant(at))
        first = max(self._first_scrape or at, at - milliseconds(history_within(self._objective, period)))
        long, young = -(-first // hour) * hour, -(-max(first, at - hour) // fine) * fine
        return timedelta(milliseconds=min(max(0, at - min(long, young)), self._reach(self._objective.window, at)))

    def _reach(self, window: timedelta, at: int) -> int:
        """Return how many milliseconds a window goes back at an instant."""
        return milliseconds(reach(window, self._objective, self._objective.period(instant(at))))

    def _bad_ratios(self, sums: EventSums, span: timedelta, at: Sequence[int]) -> Numbers:
        """Return the share of bad events over a span that ends at some instants; -1 where there were none."""
        reaches = [self._reach(span, each) for each in at] if self._period else milliseconds(span)
        bad, total = self._counts(sums, np.array(reaches), np.array(at, np.int64))
        return np.where(total > NO_EVENTS, np.minimum(1.0, bad / np.maximum(total, NO_EVENTS)), -1.0)

    def _counts(self, sums: EventSums, spans: NDArray[np.int64], at: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
        """Return bad and all events over spans that end at some instants."""
        end = at + milliseconds(arrival(self._objective.scrape_interval))
        begin = end - spans  # an interval that begins before a span is outside of it
        bad, total = sums.up_to(end)
        bad_before, total_before = (
            sums.up_to(begin) if self._objective.counts_scrapes else sums.before(begin, self._step)
        )
        return np.maximum(0.0, bad - bad_before), np.maximum(0.0, total - total_before)
