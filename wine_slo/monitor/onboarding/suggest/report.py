"""How suggestions read: a sentence for each objective with the table behind it, or one JSON document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wine_slo.integrations.console.terminal import Line, Terminal
from wine_slo.monitor.onboarding.choice import LEAST_EVENTS
from wine_slo.monitor.onboarding.suggest.grid import Cell, Grid
from wine_slo.monitor.onboarding.suggest.suggestion import Case, Tried
from wine_slo.slo.span import format_span
from wine_slo.slo.text.language import ENGLISH

LEAST_SPAN = timedelta(days=1)  # of data; a day is the least in which people do what they do


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        span: How long the time is that is known.
        cases: The objectives.
    """

    span: timedelta
    cases: Sequence[Case]

    @property
    def knows_enough(self) -> bool:
        """Return whether there is enough data for any objective."""
        return any(not too_little(self.span, each.events) for each in self.cases)


def too_little(span: timedelta, events: float) -> str:
    """Return why there is no suggestion; empty where there is enough data."""
    if span >= LEAST_SPAN and events >= LEAST_EVENTS:
        return ""
    known = f"{ENGLISH.span(span)} with {events:,.0f} events"
    wanted = f"{ENGLISH.span(LEAST_SPAN)} with {LEAST_EVENTS} events"
    return f"no suggestion: {known} are known, and {wanted} are needed at the least"


def print_report(terminal: Terminal, report: Report) -> None:
    """Print it."""
    known = ENGLISH.span(report.span)
    terminal.line(f"By the last {known}; 28 days at the most, where Prometheus has known the jobs for so long.")
    for case in report.cases:
        terminal.line("")
        terminal.line(sentence(case, report.span), "good" if case.suggested else "care")
        if case.now is not None:
            terminal.line(f"  now: {_numbers(case.now)} {_outcome(case.now)}")
        if case.grid is not None:
            _print_grid(terminal, case.grid)


def sentence(case: Case, span: timedelta) -> str:
    """Return what is suggested for an objective."""
    name = case.objective.name
    lacks = too_little(span, case.events)
    if lacks:
        return f"{name}: {lacks}"
    if case.suggested is None:
        return f"{name}: no suggestion: no numbers in the table would have been met with room to spare"
    return f"{name}: {_numbers(case.suggested)} {_outcome(case.suggested)}"


def _numbers(tried: Tried) -> str:
    threshold = tried.objective.source.threshold
    share = f"{tried.objective.ratio * 100:g} %"
    return share if threshold is None else f"{format_span(timedelta(seconds=threshold))} at {share}"


def _outcome(tried: Tried) -> str:
    times = "once" if tried.alerts == 1 else f"{tried.alerts} times"
    alerted = f"would have alerted {times}" if tried.alerts else "would never have alerted"
    return alerted if tried.left is None else f"{alerted} and left {ENGLISH.percent(tried.left)} of the budget"


def _print_grid(terminal: Terminal, grid: Grid) -> None:
    columns = [f"{each.objective * 100:g} %" for each in grid.cells[0]]
    terminal.table(("", *columns), (_row(each) for each in grid.cells))


def _row(row: Sequence[Cell]) -> Line:
    threshold = row[0].threshold
    first = "" if threshold is None else format_span(timedelta(seconds=threshold))
    return Line("grey", (f"  {first}", *(_cell(each) for each in row)))


def _cell(cell: Cell) -> str:
    left = ENGLISH.percent(cell.left) if cell.left >= 0 else "none"
    return f"{cell.spells} × bad, {left} left"


def as_data(report: Report) -> dict[str, Any]:
    """Return it as one JSON document: spans in seconds, shares 0 to 1."""
    return {
        "span_seconds": report.span.total_seconds(),
        "objectives": {each.objective.name: _case_data(each, report.span) for each in report.cases},
    }


def _case_data(case: Case, span: timedelta) -> dict[str, Any]:
    grid = case.grid
    return {
        "events": case.events,
        "too_little": too_little(span, case.events) or None,
        "now": case.now and _tried_data(case.now),
        "suggested": case.suggested and _tried_data(case.suggested),
        "counts": [
            {
                "threshold_seconds": each.threshold,
                "objective": each.objective,
                "spells": each.spells,
                "budget_left": each.left,
            }
            for row in (grid.cells if grid else ())
            for each in row
        ],
    }


def _tried_data(tried: Tried) -> dict[str, Any]:
    return {
        "threshold_seconds": tried.objective.source.threshold,
        "objective": tried.objective.ratio,
        "alerts": tried.alerts,
        "breach_minutes": tried.breach.total_seconds() / 60,
        "budget_left": tried.left,
    }
