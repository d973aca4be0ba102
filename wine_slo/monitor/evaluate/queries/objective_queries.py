"""The queries of an evaluation for one objective: queries out, readings in."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from wine_slo.monitor.evaluate.queries.aside import worked_out
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Reading
from wine_slo.slo.evaluation.sampling import answers_of, key_of, read, read_nothing
from wine_slo.slo.evaluation.schedule import Grid, Scrapes
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.clocks import SourceTime, WallClock, WallTime, agree, ahead
from wine_slo.slo.source.metric_source import (
    CLOCK_FORMAT,
    MetricSource,
    MetricSourceError,
    Sample,
    Series,
    instant_of,
)

MAX_LABEL_SETS = 10_000  # of one objective; what an answer may hold

Read = Callable[[Mapping[Key, Budget], tuple[float, ...]], dict[Key, Reading]]  # of budgets and bucket bounds


class ObjectiveQueries:
    """The queries of one objective in one evaluation.

    Attributes:
        ahead: How far the source's clock is ahead of this machine's, as far as the answers have shown.
    """

    def __init__(
        self,
        api: MetricSource,
        objective: Objective,
        state: State,
        now: SourceTime,
        clock: WallClock,
    ) -> None:
        self.ahead = timedelta(0)
        self._clock = clock
        self._api = api
        self._objective = objective
        self._state = state
        self._now = now

    async def answers(self) -> Read:
        """Return what reads the answers to all queries but those that are made seldom.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, sent_at = self._objective, self._clock()
        up, scraped, shown = await asyncio.gather(
            self._api.query(promql.targets_up(objective)),
            self._api.query(promql.targets_scraped_at(objective)),
            self._shown_at_first(),
        )
        answered_at = self._clock()
        _refuse_other_time(scraped.at, sent_at, answered_at)
        if scraped.at is not None:
            self.ahead = ahead(scraped.at, sent_at, answered_at)
        now = scraped.at or self._now
        scrapes = Scrapes(up.samples, scraped.samples)
        if not scrapes.at:
            gone = await self._api.query(promql.targets_of_late(objective))
            count = round(sum(each.value for each in gone.samples))
            return lambda _budgets, _bounds: read_nothing(objective, self._state, now, gone=count)

        by_instant = promql.instant_queries(objective) | ({"shown": None} if shown else {})
        (grid, intervals), instants = await asyncio.gather(
            self._intervals(scrapes, now, len(shown)),
            asyncio.gather(*(self._instant(query) for query in by_instant.values())),
        )
        answers = dict(zip(by_instant, instants, strict=True)) | ({"shown": shown} if shown else {})
        return partial(self._read, now, scrapes, grid, intervals, answers)

    async def _intervals(
        self, scrapes: Scrapes, now: SourceTime, label_sets: int
    ) -> tuple[Grid, dict[str, Sequence[Series]]]:
        """Return the ends of the intervals, and the answers about each of them.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        size = len(self._state.tracks) + len(scrapes.at)
        grid = await worked_out(size, lambda: self._grid(scrapes, now, label_sets))
        queries = promql.interval_queries(self._objective)
        answers = await asyncio.gather(*(self._range(query, grid) for query in queries.values()))
        return grid, dict(zip(queries, answers, strict=True))

    async def _shown_at_first(self) -> Sequence[Sample]:
        """Return the events of each label set, which are so many, before any is known; nothing later."""
        objective = self._objective
        if not objective.by or any(key.objective == objective.name for key in self._state.tracks):
            return ()
        return await self._instant(promql.instant_queries(objective)["shown"])

    def _grid(self, scrapes: Scrapes, now: SourceTime, label_sets: int) -> Grid:
        """Return the ends of the intervals.

        Raises:
            MetricSourceError: A target was scraped at no time that can be.
        """
        scrapes.check(self._objective, now)
        return Grid.since_last_evaluation(self._objective, self._state, scrapes, now, label_sets)

    def _read(
        self,
        now: SourceTime,
        scrapes: Scrapes,
        grid: Grid,
        intervals: Mapping[str, Sequence[Series]],
        instants: Mapping[str, Sequence[Sample]],
        budgets: Mapping[Key, Budget],
        bounds: tuple[float, ...],
    ) -> dict[Key, Reading]:
        """Return what the answers to the queries say, by key.

        Raises:
            MetricSourceError: One cannot be trusted.
        """
        objective = self._objective
        _refuse_other_instants((series for each in intervals.values() for series in each), grid)
        answers = answers_of(
            objective,
            at=now,
            scrapes=scrapes,
            grid=grid,
            intervals={
                name: {key_of(objective, series.labels): series.points for series in each}
                for name, each in intervals.items()
            },
            instants=instants,
            budgets=budgets,
            bounds=bounds,
        )
        if (count := max(len(answers.shown), len(answers.total))) > MAX_LABEL_SETS:
            raise MetricSourceError(
                "its labels have {count} sets of values, more than the {most} that can be judged",
                is_of_query=True,
                count=count,
                most=MAX_LABEL_SETS,
            )
        return read(objective, self._state, answers)

    async def _range(self, query: str | None, grid: Grid) -> list[Series]:
        return [] if query is None else await self._api.query_range(query, grid.first, grid.last, grid.step)

    async def _instant(self, query: str | None) -> Sequence[Sample]:
        return () if query is None else (await self._api.query(query)).samples


def _refuse_other_instants(answers: Iterable[Series], grid: Grid) -> None:
    """Refuse intervals of another time than was queried.

    What is judged once is not judged again, so an interval that is still to come would hide all that comes before it.
    Some sources move the beginning of a range back by less than a step.

    Raises:
        MetricSourceError: There is such an interval.
    """
    first, last = (grid.first - grid.step).timestamp(), (grid.last + grid.step / 2).timestamp()
    for series in answers:
        for at in (min(series.points), max(series.points)) if series.points else ():
            if not first <= at <= last:
                raise MetricSourceError(
                    "its answer has values of {theirs} (UTC), a time that was not queried",
                    theirs=f"{instant_of(at):{CLOCK_FORMAT}}",
                )


def _refuse_other_time(theirs: SourceTime | None, sent_at: WallTime, answered_at: WallTime) -> None:
    """Refuse an answer that was given at a time which is not now.

    Args:
        theirs: The instant of the answer by the source's clock; None where it names none.
        sent_at: When the query was sent.
        answered_at: When the answer was there.

    Raises:
        MetricSourceError: The clocks do not agree.
    """
    if theirs is None or agree(theirs, sent_at, answered_at):
        return
    raise MetricSourceError(
        "its clock and the watchdog's differ: {theirs} there, {ours} here (UTC)",
        theirs=f"{theirs:{CLOCK_FORMAT}}",
        ours=f"{answered_at:{CLOCK_FORMAT}}",
    )
