"""What an evaluation asks the metric source about one objective: queries out, readings in."""

import asyncio
from collections.abc import Mapping, Sequence

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Reading
from wine_slo.slo.evaluation.sampling import (
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
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.source.clocks import SourceTime, WallClock, WallTime, agree
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Sample, Series

MAX_LABEL_SETS = 3000  # of one objective; 168 MB and two seconds of processor time an evaluation
CLOCK_FORMAT = "%Y-%m-%d %H:%M"  # not to the second, so that a message that says it is not edited all the time


class ObjectiveQueries:
    """The queries of one objective in one evaluation."""

    def __init__(
        self,
        api: MetricSource,
        objective: Objective,
        state: State,
        now: SourceTime,
        budgets: Mapping[Key, Budget],
        bounds: tuple[float, ...],
        clock: WallClock,
    ) -> None:
        self._budgets = budgets
        self._bounds = bounds
        self._clock = clock
        self._api = api
        self._objective = objective
        self._state = state
        self._now = now

    async def readings(self) -> dict[Key, Reading]:
        """Return what is seen, by key.

        Raises:
            MetricSourceError: An answer is missing or cannot be trusted.
        """
        objective, asked_at = self._objective, self._clock()
        up, scraped = await asyncio.gather(
            self._api.query(promql.targets_up(objective)), self._api.query(promql.targets_scraped_at(objective))
        )
        _refuse_other_time(scraped.at, asked_at, self._clock())
        now = scraped.at or self._now
        scrapes = Scrapes(up.samples, scraped.samples)
        if not scrapes.at:
            gone = await self._api.query(promql.targets_of_late(objective))
            return read_nothing(objective, self._state, now, gone=round(sum(each.value for each in gone.samples)))

        grid = Grid.since_last_look(objective, self._state, scrapes.anchor, now)
        ranges, instants = await asyncio.gather(
            asyncio.gather(
                self._range(promql.total_per_interval(objective), grid),
                self._range(promql.good_per_interval(objective), grid),
                self._range(promql.bad_per_interval(objective), grid),
                self._range(promql.clear_per_interval(objective), grid),
                self._range(promql.oldest_age_per_interval(objective), grid),
            ),
            asyncio.gather(
                self._instant(promql.events(objective, OF_LATE)),
                self._instant(promql.events(objective, objective.over)),
                self._instant(promql.events(objective, objective.expires_after)),
                self._instant(promql.quantile(objective, objective.over)),
                self._instant(promql.quantile(objective, objective.recent)),
                self._instant(promql.good_ratio(objective, objective.over)),
                self._instant(promql.total_settled(objective)),
                self._instant(promql.part_settled(objective)),
                self._instant(promql.quantile_by_endpoint(objective, OF_LATE)),
            ),
        )
        return await asyncio.to_thread(self._read, now, scrapes, grid, ranges, instants)

    def _read(
        self,
        now: SourceTime,
        scrapes: Scrapes,
        grid: Grid,
        ranges: Sequence[Sequence[Series]],
        instants: Sequence[Sequence[Sample]],
    ) -> dict[Key, Reading]:
        """Read the answers to the queries of `readings`, in their order."""
        objective = self._objective
        total, good, bad, clear, ages = (
            {key_of(objective, series.labels): series.points for series in each} for each in ranges
        )
        *by_objective, endpoints = instants
        of_late, shown, long, over, recent, ratio, total_settled, part_settled = (
            by_key(objective, each) for each in by_objective
        )
        if (count := max(len(shown), len(total))) > MAX_LABEL_SETS:
            raise MetricSourceError(
                "its labels have {count} sets of values, more than the {most} that can be judged",
                is_of_query=True,
                count=count,
                most=MAX_LABEL_SETS,
            )
        answers = Answers(
            at=now,
            scrapes=scrapes,
            grid=grid,
            total=total,
            good=good,
            bad=bad,
            clear=clear,
            ages=ages,
            of_late=of_late,
            shown=shown,
            long=long,
            over=over,
            recent=recent,
            ratio=ratio,
            by_endpoint=by_endpoint(objective, endpoints),
            budgets=self._budgets,
            bounds=self._bounds,
            total_settled=total_settled,
            part_settled=part_settled,
        )
        return read(objective, self._state, answers)

    async def _range(self, query: str | None, grid: Grid) -> list[Series]:
        return [] if query is None else await self._api.query_range(query, grid.first, grid.last, grid.step)

    async def _instant(self, query: str | None) -> Sequence[Sample]:
        return () if query is None else (await self._api.query(query)).samples


def _refuse_other_time(theirs: SourceTime | None, asked_at: WallTime, answered_at: WallTime) -> None:
    """Refuse an answer that was given at a time which is not now.

    Args:
        theirs: The instant of the answer by the source's clock; None where it names none.
        asked_at: When the query was sent.
        answered_at: When the answer was there.

    Raises:
        MetricSourceError: The clocks do not agree.
    """
    if theirs is None or agree(theirs, asked_at, answered_at):
        return
    raise MetricSourceError(
        "its clock and the watchdog's differ: {theirs} there, {ours} here (UTC)",
        theirs=f"{theirs:{CLOCK_FORMAT}}",
        ours=f"{answered_at:{CLOCK_FORMAT}}",
    )
