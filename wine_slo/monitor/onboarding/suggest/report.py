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
        cases: The objectives.
    """

    cases: Sequence[Case]

    @property
    def knows_enough(self) -> bool:
        """Return whether there is enough data for any objective."""
        return any(not each.why_not for each in self.cases)


def too_little(span: timedelta, events: float | None) -> str:
    """Return why nothing can be suggested, with how many events where they are counted; empty where there is enough."""
    if span >= LEAST_SPAN and events is not None and events >= LEAST_EVENTS:
        return ""
    known = ENGLISH.span(span) + ("" if events is None else f" with {events:,.0f} events")
    wanted = f"{ENGLISH.span(LEAST_SPAN)} with {LEAST_EVENTS} events"
    return f"{known} are known, and {wanted} are needed at the least"


def print_report(terminal: Terminal, report: Report) -> None:
    """Print it."""
    for number, case in enumerate(report.cases):
        if number:
            terminal.line("")
        terminal.line(sentence(case), "good" if case.suggested else "care")
        if case.now is not None:
            terminal.line(f"  now: {_numbers(case.now)} {_outcome(case.now)}")
        if case.grid is not None:
            _print_grid(terminal, case.grid)


def sentence(case: Case) -> str:
    """Return what is suggested for an objective."""
    name = case.objective.name
    if case.why_not:
        return f"{name}: no suggestion: {case.why_not}"
    if case.suggested is None:
        return f"{name}: no suggestion: no numbers in the table would have been met with room to spare"
    return f"{name}: {_numbers(case.suggested)} {_outcome(case.suggested)}, by the last {ENGLISH.span(case.known)}"


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
        "objectives": {each.objective.name: _case_data(each) for each in report.cases},
    }


def _case_data(case: Case) -> dict[str, Any]:
    grid = case.grid
    return {
        "known_seconds": case.known.total_seconds(),
        "events": None if grid is None else grid.events,
        "why_not": case.why_not or None,
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
