"""The report in the terminal: tables, and the progress of the replay."""

import io
from collections.abc import Sequence
from datetime import tzinfo
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from wine_slo.monitor.replay.report.content import (
    ReplayReport,
    Run,
    budget_by_day,
    budget_left,
    headline,
    moment,
    score_line,
    share,
    short_spread,
    span,
    worst,
)
from wine_slo.monitor.replay.story import BudgetLeft, Score, Story
from wine_slo.monitor.replay.sweep import Sweep

BARS = "▁▂▃▄▅▆▇█"
WIDE = 100  # columns; where there are fewer, what --csv and --json have too is left out, so that no word is folded
WHOLE = ("objective", "what", "detected after", "recovery after", "known after")  # columns that are not folded
MOST_SHOWN = 200  # alarms; the other forms have all of them


class ProgressBar:
    """The progress, on standard error."""

    def __init__(self, *, is_shown: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not is_shown,
            transient=True,
        )
        self._task = self._progress.add_task("replaying", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, share: float, what: str) -> None:
        """Show which share of what is done."""
        self._progress.update(self._task, completed=share, description=what)


def print_tables(report: ReplayReport, *, width: int | None = None) -> str:
    """Return the report as text; as wide as the terminal where no width is given."""
    out = io.StringIO()
    terminal = Console()
    console = Console(
        file=out,
        width=width or max(terminal.width, 100 if not terminal.is_terminal else 40),
        force_terminal=terminal.is_terminal,
        no_color=not terminal.is_terminal,
        highlight=False,
        emoji=False,
        markup=False,
    )
    console.print(headline(report), style="bold")
    if report.sweep is not None:
        console.print(_sweep_table(report, report.sweep))
    else:
        story = report.runs[0].story
        is_wide = console.width >= WIDE
        console.print(_objective_table(report.runs[0], has_days=is_wide))
        console.print(_alarm_table(story, report.zone, is_wide=is_wide))
        if len(story.alarms) > MOST_SHOWN:
            console.print(f"and {len(story.alarms) - MOST_SHOWN} more: --csv and --json have all of them")
        score = report.runs[0].score
        if score is not None:
            console.print(score_line(score))
    console.print("\nWhat a replay cannot know:", style="bold")
    for each in report.limits:
        console.print(f"- {each}")
    return out.getvalue()


def _objective_table(run: Run, *, has_days: bool) -> Table:
    story = run.story
    days = ("by day",) if has_days else ()
    table = _table(
        "objective", "alarms", "a week", "in breach", "detected after", "recovery after", "budget left", *days
    )
    for objective in story.objectives.all:
        summary = run.summaries[objective.name]
        table.add_row(
            objective.name,
            str(summary.alarms),
            f"{summary.a_week:.1f}",
            span(summary.in_breach),
            short_spread(summary.detected_in),
            short_spread(summary.recovered_in),
            budget_left(story, objective),
            *(_sparkline(budget_by_day(story, objective)) for _ in days),
        )
    if len(story.objectives.all) > 1:
        both = run.total
        table.add_section()
        table.add_row(
            "all", str(both.alarms), f"{both.a_week:.1f}", span(both.in_breach), short_spread(both.detected_in),
            short_spread(both.recovered_in), "", *("" for _ in days),
        )  # fmt: skip
    return table


def _alarm_table(story: Story, zone: tzinfo, *, is_wide: bool) -> Table | str:
    if not story.alarms:
        return "There would have been no alarm."
    table = _table(
        "#",
        "what",
        "began",
        "alarm",
        *(("recovery",) if is_wide else ()),
        "lasted",
        *(("worst",) if is_wide else ()),
        "ended",
    )
    for alarm in story.alarms[:MOST_SHOWN]:
        ended = f"{alarm.ended_at.astimezone(zone):%H:%M:%S}" if alarm.ended_at else ""
        outcome = str(alarm.outcome or "still open")
        table.add_row(
            f"{alarm.number}{' again' if alarm.is_again else ''}",
            str(alarm.key) if is_wide else str(alarm.key).replace("{", "\n{"),
            moment(alarm.began_at, zone, seconds=is_wide),
            f"+{span(alarm.detected_in)}",
            *((ended,) if is_wide else ()),
            span(alarm.lasted),
            *((worst(alarm, story), outcome) if is_wide else (outcome,)),
        )
    return table


def _sweep_table(report: ReplayReport, sweep: Sweep) -> Table:
    scored = any(run.score for run in report.runs)
    extra = ("precision", "recall", "known after") if scored else ()
    table = _table(
        f"{sweep.objective}.{sweep.field}", "alarms", "a week", "in breach", "detected after", "recovery after",
        "budget left", *extra,
    )  # fmt: skip
    for run in report.runs:
        summary = run.summaries[sweep.objective]
        objective = run.story.objectives.by_name[sweep.objective]
        table.add_row(
            sweep.shown(run.value or 0.0),
            str(summary.alarms),
            f"{summary.a_week:.1f}",
            span(summary.in_breach),
            short_spread(summary.detected_in),
            short_spread(summary.recovered_in),
            budget_left(run.story, objective),
            *_score_cells(run.score),
        )
    return table


def _score_cells(score: Score | None) -> tuple[str, ...]:
    return () if score is None else (share(score.precision), share(score.recall), short_spread(score.detected_in))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in WHOLE)
    return table


def _sparkline(lefts: Sequence[BudgetLeft]) -> str:
    shares = [min(max(each.share, 0.0), 1.0) for each in lefts[-40:]]
    return "".join(BARS[round(share * (len(BARS) - 1))] for share in shares)
