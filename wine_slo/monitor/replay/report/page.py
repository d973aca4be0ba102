"""The report as one HTML page with charts.

It loads nothing from elsewhere and runs no script, so that it can be sent and kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from wine_slo.http.pages import SHARED, template
from wine_slo.monitor.replay.report.content import (
    ReplayReport,
    Run,
    budget_left,
    headline,
    moment,
    score_line,
    share,
    short_spread,
    span,
    spread,
    worst,
)
from wine_slo.monitor.replay.story import Story
from wine_slo.slo.objectives.objective import Objective

WEB = Path(__file__).parents[1] / "web"
WIDTH, HEIGHT = 600.0, 90.0  # of a picture, in its own units


@dataclass(frozen=True, slots=True)
class ReportChart:
    """A budget over the replay, in the units of an SVG, with the alarms behind it."""

    path: str
    zero: float  # how high an empty budget is
    top: str
    bottom: str
    alarms: tuple[tuple[float, float, str], ...]  # where each begins, how wide it is, and what it was
    days: tuple[tuple[float, str], ...]


def as_html(report: ReplayReport) -> str:
    """Return the report as one page."""
    runs = report.runs
    return template(WEB, "replay.html").render(
        headline=headline(report),
        styles=[path.read_text(encoding="utf-8") for path in (SHARED / "style.css", WEB / "replay.css")],
        report=report,
        sweep=report.sweep,
        rows=_sweep_rows(report) if report.sweep else [],
        story=runs[0].story,
        cards=[] if report.sweep else _cards(runs[0], report.zone),
        alarms=[] if report.sweep else runs[0].story.alarms,
        score_line=score_line(runs[0].score) if runs[0].score else "",
        span=span,
        spread=spread,
        short_spread=short_spread,
        worst=worst,
        moment=lambda at: moment(at, report.zone, seconds=True),
        clock=lambda at: f"{at.astimezone(report.zone):%H:%M:%S}",
    )


def _cards(run: Run, zone: tzinfo) -> list[dict[str, Any]]:
    story = run.story
    return [
        {
            "objective": objective,
            "summary": run.summaries[objective.name],
            "left": budget_left(story, objective),
            "picture": _picture(story, objective, zone),
        }
        for objective in story.objectives.all
    ]


def _picture(story: Story, objective: Objective, zone: tzinfo) -> ReportChart | None:
    budgets = {key: each for key, each in story.budgets.items() if key.objective == objective.name}
    if not budgets or not story.span:
        return None
    lefts = min(budgets.values(), key=lambda each: each[-1].share)
    low = min(0.0, *(each.share for each in lefts))
    high = max(1.0, *(each.share for each in lefts))

    def across(at: datetime) -> float:
        return round(WIDTH * ((at - story.since) / story.span), 2)

    def down(share: float) -> float:
        return round(HEIGHT * (high - share) / (high - low), 2)

    alarms = tuple(
        (
            across(each.began_at),
            max(1.5, across(each.ended_at or story.until) - across(each.began_at)),
            f"#{each.number} {each.key}, {moment(each.began_at, zone)}, {span(each.lasted)}",
        )
        for each in story.alarms
        if each.key.objective == objective.name
    )
    path = "M" + " L".join(f"{across(each.at)} {down(each.share)}" for each in lefts)
    return ReportChart(path, down(0.0), f"{100 * high:.0f} %", f"{100 * low:.0f} %", alarms, _days(story, zone))


def _days(story: Story, zone: tzinfo) -> tuple[tuple[float, str], ...]:
    """Return some days along the bottom, and where they begin in percent of the width."""
    marks = []
    for number in range(4):
        at = story.since + story.span * (number / 4)
        form = "%d %b" if story.span > timedelta(days=2) else "%H:%M"
        marks.append((25.0 * number, at.astimezone(zone).strftime(form)))
    return tuple(marks)


def _sweep_rows(report: ReplayReport) -> list[Mapping[str, Any]]:
    sweep = report.sweep
    assert sweep is not None  # noqa: S101  # `as_html` calls it with a sweep only
    most = max((run.summaries[sweep.objective].a_week for run in report.runs), default=0.0) or 1.0
    rows: list[Mapping[str, Any]] = []
    for run in report.runs:
        summary = run.summaries[sweep.objective]
        rows.append(
            {
                "value": sweep.shown(run.value or 0.0),
                "summary": summary,
                "left": budget_left(run.story, run.story.objectives.by_name[sweep.objective]),
                "share": 100 * summary.a_week / most,
                "precision": share(run.score.precision) if run.score else None,
                "recall": share(run.score.recall) if run.score else None,
                "detected_in": short_spread(run.score.detected_in) if run.score else None,
            }
        )
    return rows
