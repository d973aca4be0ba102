"""What a replay says of the numbers that the quick counts lead to, one objective after another.

The strictest numbers that the counts allow are replayed with the real evaluator. Where these would have alerted too
often or left too little of the budget, the next more lenient ones are, for a few rounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil

from wine_slo.monitor.onboarding.suggest.grid import A_WEEK, ROOM, WEEK, Cell, Grid
from wine_slo.monitor.replay import sweep as sweeps
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import RangeCache
from wine_slo.monitor.replay.report.content import budget_by_day
from wine_slo.monitor.replay.story import Story
from wine_slo.monitor.replay.sweep import Sweep
from wine_slo.slo.objectives.objective import Objective, Objectives

ROUNDS = 3  # replays of one objective
OF_NOW = "-now"  # behind the name of an objective with the numbers that it has


@dataclass(frozen=True, slots=True)
class Tried:
    """Numbers, and what a replay says of them.

    Attributes:
        objective: With these numbers.
        alerts: How often it would have alerted, of breaches and of burn rates.
        breach: How long it would have been in breach.
        left: The share of the budget that was left at the end; None where too little is known.
    """

    objective: Objective
    alerts: int
    breach: timedelta
    left: float | None

    def is_good(self, span: timedelta) -> bool:
        """Return whether it would have alerted seldom, and left some of the budget."""
        seldom = self.alerts <= ceil(A_WEEK * max(span / WEEK, 1.0))
        return seldom and (self.left is None or self.left >= ROOM)


@dataclass
class Case:
    """One objective, and what is known of it so far.

    Attributes:
        objective: As it is written.
        known: For how long Prometheus knows what it is about.
        grid: Its quick counts; None where there is too little to count.
        least: A lower threshold is not suggested; seconds.
        why_not: Why nothing can be suggested; empty where something may.
        now: What a replay says of the numbers that it has.
        suggested: What a replay says of the numbers that are suggested; None where none is.
        waiting: Numbers that can still be tried, the strictest first.
    """

    objective: Objective
    known: timedelta
    grid: Grid | None
    least: float = 0.0
    why_not: str = ""
    now: Tried | None = None
    suggested: Tried | None = None
    waiting: list[Cell] = field(default_factory=list)


async def suggest(
    cache: RangeCache,
    cases: Sequence[Case],
    times: tuple[datetime, datetime],
    poll: timedelta,
    on_progress: Callable[[float], None],
) -> None:
    """Replay what there is, and what is suggested, until that is good.

    Args:
        cache: The answers of Prometheus.
        cases: Their `now` and `suggested` are set.
        times: The first evaluation, a multiple of the poll since the epoch, and the last one.
        poll: How far apart ticks are.
        on_progress: Called with the share that is done.

    Raises:
        MetricSourceError: An answer is missing.
    """
    since, until = times
    for each in cases:
        each.waiting = [] if each.grid is None else each.grid.ladder(each.least)
    for number in range(ROUNDS):
        trials: dict[str, Objective] = {}
        for case in cases:
            if case.now is None:
                trials[case.objective.name + OF_NOW] = case.objective
            if case.waiting and not (case.suggested and case.suggested.is_good(case.known)):
                trials[case.objective.name] = with_numbers(case.objective, case.waiting.pop(0))
        if not trials:
            break

        def advance(at: datetime, done: int = number) -> None:
            on_progress((done + (at - since) / (until - since)) / ROUNDS)

        renamed = tuple(replace(objective, name=name) for name, objective in trials.items())
        story = await replay(cache, Objectives(renamed), since, until, poll, advance)
        _note(cases, trials, story)


def _note(cases: Sequence[Case], trials: Mapping[str, Objective], story: Story) -> None:
    for case in cases:
        name = case.objective.name
        if name + OF_NOW in trials:
            case.now = _tried(story, name + OF_NOW, case.objective)
        if name in trials:
            case.suggested = _tried(story, name, trials[name])


def _tried(story: Story, name: str, objective: Objective) -> Tried:
    summary, left = story.summary(name), budget_by_day(story, story.objectives.by_name[name])
    return Tried(objective, summary.alarms, summary.in_breach, left[-1].share if left else None)


def with_numbers(objective: Objective, cell: Cell) -> Objective:
    """Return an objective with other numbers.

    Raises:
        SweepError: It cannot have them.
    """
    changed = Objectives.only(objective)
    for name, value in (("threshold", cell.threshold), ("objective", cell.objective)):
        if value is not None:
            changed = sweeps.apply(changed, Sweep(objective.name, name, ()), value)
    return changed.all[0]
