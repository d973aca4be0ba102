"""What a replay found, for people and machines: a table in the terminal, JSON, CSV, and one HTML file with charts.

The HTML loads nothing from elsewhere and runs no script, so that it can be sent and kept.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from wine_slo.http.pages import SHARED, templates
from wine_slo.monitor.replay.story import Alarm, Left, Quartiles, Score, Story, Summary, days
from wine_slo.monitor.replay.sweep import Sweep
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.text.language import ENGLISH

WEB = Path(__file__).parent / "web"
BARS = "▁▂▃▄▅▆▇█"
WIDTH, HEIGHT = 600.0, 90.0  # of a picture, in its own units
MOST_SHOWN = 200  # alarms in the terminal; the other forms have them all

CANNOT_SEE = (
    "When the live watchdog's ticks were: here they are on whole multiples of the poll, so seconds may differ.",
    "Objectives as they were then, silences, acknowledgements, reminders, and what became of messages.",
    "Whether the service or Prometheus was away where there are no samples; that counts as not seen, as it does live.",
    "That Prometheus could not be asked though it went on scraping: it is seen here and was not live.",
    "Label sets that Prometheus no longer keeps, and requests that hung where no gauge of their age was recorded.",
    "Budgets to the last digit: over more than six hours they are sums of five minutes.",
    "What the counters told after a gap of only some targets, or of one before the first look: no budget holds it.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One replay: its value where several were tried, what came of it, and how that compares with the truth."""

    story: Story
    value: float | None = None
    score: Score | None = None


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Everything that is told of a replay.

    Attributes:
        runs: One, or one for each value of the sweep.
        sweep: What was tried; None where nothing was.
        poll: How far apart ticks were.
        notes: What else people should know of this replay.
        zone: In which instants are told.
    """

    runs: Sequence[Run]
    sweep: Sweep | None
    poll: timedelta
    notes: Sequence[str]
    zone: tzinfo

    @property
    def caveats(self) -> tuple[str, ...]:
        """What this replay cannot know."""
        return (*self.notes, *CANNOT_SEE)


# The terminal


class Bar:
    """How far it is, on standard error."""

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
        self._task = self._progress.add_task("looking back", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, share: float, what: str) -> None:
        """Show which share is done, and of what."""
        self._progress.update(self._task, completed=share, description=what)


def print_tables(report: ReplayReport, *, width: int | None = None) -> str:
    """The report as text; as wide as the terminal where no width is given."""
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
        console.print(_objective_table(story))
        console.print(_alarm_table(story, report.zone))
        if len(story.alarms) > MOST_SHOWN:
            console.print(f"and {len(story.alarms) - MOST_SHOWN} more: --csv and --json have all of them")
        score = report.runs[0].score
        if score is not None:
            console.print(_score_line(score))
    console.print("\nWhat a replay cannot see:", style="bold")
    for each in report.caveats:
        console.print(f"- {each}")
    return out.getvalue()


def headline(report: ReplayReport) -> str:
    """What was replayed: `Replay of 30 days, 1 to 31 October`."""
    story = report.runs[0].story
    looks = sum(run.story.looks for run in report.runs)
    return (
        f"Replay of {ENGLISH.span(story.span)}: {_moment(story.since, report.zone)} to "
        f"{_moment(story.until, report.zone)}, {ENGLISH.number(looks)} looks"
    )


def _objective_table(story: Story) -> Table:
    table = _table(
        "objective", "alarms", "a week", "in breach", "told after", "recovery after", "budget left", "by day"
    )
    for objective in story.objectives.all:
        summary = story.summary(objective.name)
        table.add_row(
            objective.name,
            str(summary.alarms),
            f"{summary.a_week:.1f}",
            _span(summary.in_breach),
            _short_spread(summary.detected_in),
            _short_spread(summary.recovered_in),
            _left(story, objective),
            _sparkline(_lefts(story, objective)),
        )
    if len(story.objectives.all) > 1:
        both = story.summary()
        table.add_section()
        table.add_row(
            "all", str(both.alarms), f"{both.a_week:.1f}", _span(both.in_breach), _short_spread(both.detected_in),
            _short_spread(both.recovered_in), "", "",
        )  # fmt: skip
    return table


def _alarm_table(story: Story, zone: tzinfo) -> Table | str:
    if not story.alarms:
        return "Nobody would have been told anything."
    table = _table("#", "what", "began", "told", "over", "lasted", "worst", "ended")
    for alarm in story.alarms[:MOST_SHOWN]:
        ended = f"{alarm.ended_at.astimezone(zone):%H:%M:%S}" if alarm.ended_at else ""
        table.add_row(
            f"{alarm.number}{' again' if alarm.is_again else ''}",
            str(alarm.key),
            _moment(alarm.began_at, zone, seconds=True),
            f"+{_span(alarm.detected_in)}",
            ended,
            _span(alarm.lasted),
            worst(alarm, story),
            str(alarm.outcome or "still open"),
        )
    return table


def _sweep_table(report: ReplayReport, sweep: Sweep) -> Table:
    scored = any(run.score for run in report.runs)
    extra = ("precision", "recall", "found after") if scored else ()
    table = _table(
        f"{sweep.objective}.{sweep.field}", "alarms", "a week", "in breach", "told after", "recovery after",
        "budget left", *extra,
    )  # fmt: skip
    for run in report.runs:
        summary = run.story.summary(sweep.objective)
        objective = run.story.objectives.by_name[sweep.objective]
        table.add_row(
            sweep.shown(run.value or 0.0),
            str(summary.alarms),
            f"{summary.a_week:.1f}",
            _span(summary.in_breach),
            _short_spread(summary.detected_in),
            _short_spread(summary.recovered_in),
            _left(run.story, objective),
            *_score_cells(run.score),
        )
    return table


def _score_cells(score: Score | None) -> tuple[str, ...]:
    return () if score is None else (_share(score.precision), _share(score.recall), _short_spread(score.found_in))


def _score_line(score: Score) -> str:
    return (
        f"Of {score.told} breaches told {score.right} were right (precision {_share(score.precision)}). "
        f"Of {score.true} true incidents {score.found} were told (recall {_share(score.recall)}), "
        f"after {_spread(score.found_in)}."
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("told after", "recovery after", "found after"))
    return table


def _span(span: timedelta) -> str:
    return ENGLISH.span(span)


def _spread(spread: Quartiles | None) -> str:
    return "–" if spread is None else f"{_span(spread.median)}, {_span(spread.longest)} at most"


def _short_spread(spread: Quartiles | None) -> str:
    return "–" if spread is None else f"{_span(spread.median)}, ≤ {_span(spread.longest)}"


def _share(share: float | None) -> str:
    return "–" if share is None else ENGLISH.percent(share)


def _moment(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}{at.astimezone(zone):{':%S' if seconds else ' %Z'}}"


def worst(alarm: Alarm, story: Story) -> str:
    """The worst value of an alarm, in its unit."""
    objective = story.objectives.of(alarm.key)
    if alarm.worst is None or objective is None:
        return ""
    if objective.is_latency:
        return ENGLISH.seconds(alarm.worst)
    return f"{ENGLISH.percent(alarm.worst)} {'down' if objective.is_up else 'bad'}"


def _lefts(story: Story, objective: Objective) -> list[Left]:
    """What was left of a budget, day by day; the least of its label sets."""
    mine = [days(each) for key, each in story.budgets.items() if key.objective == objective.name]
    return min(mine, key=lambda each: each[-1].share) if mine else []


def _left(story: Story, objective: Objective) -> str:
    lefts = _lefts(story, objective)
    return "–" if not lefts else ENGLISH.percent(lefts[-1].share)


def _sparkline(lefts: Sequence[Left]) -> str:
    shares = [min(max(each.share, 0.0), 1.0) for each in lefts[-40:]]
    return "".join(BARS[round(share * (len(BARS) - 1))] for share in shares)


# For machines


def as_data(report: ReplayReport) -> dict[str, Any]:
    """The report as one JSON document: instants in UTC, spans in seconds, ratios 0 to 1."""
    first = report.runs[0]
    content: dict[str, Any] = {
        "since": first.story.since,
        "until": first.story.until,
        "poll_seconds": report.poll.total_seconds(),
    }
    if report.sweep is None:
        content |= _run_data(first)
    else:
        content["sweep"] = f"{report.sweep.objective}.{report.sweep.field}"
        content["values"] = [{"value": run.value, **_run_data(run)} for run in report.runs]
    return content | {"cannot_see": report.caveats}


def _run_data(run: Run) -> dict[str, Any]:
    story = run.story
    return {
        "looks": story.looks,
        "all": _summary_data(story.summary()),
        "objectives": {
            objective.name: _summary_data(story.summary(objective.name))
            | {
                "budget_left": [
                    {"labels": dict(key.labels), "at": left.at, "share": left.share}
                    for key, each in story.budgets.items()
                    if key.objective == objective.name
                    for left in days(each)
                ],
                "sight_seconds": _sight_data(story, objective.name),
            }
            for objective in story.objectives.all
        },
        "alarms": [_alarm_data(alarm) for alarm in story.alarms],
        "score": None if run.score is None else _score_data(run.score),
    }


def _summary_data(summary: Summary) -> dict[str, Any]:
    return {
        "alarms": summary.alarms,
        "breaches": summary.breaches,
        "incidents": summary.incidents,
        "breach_minutes": summary.in_breach.total_seconds() / 60,
        "alarms_a_week": summary.a_week,
        "detected_in_seconds": _spread_data(summary.detected_in),
        "recovered_in_seconds": _spread_data(summary.recovered_in),
    }


def _sight_data(story: Story, objective: str) -> dict[str, float]:
    total: dict[Sight, float] = {}
    for key, spans in story.sights.items():
        for sight, span in spans.items() if key.objective == objective else ():
            total[sight] = total.get(sight, 0.0) + span.total_seconds()
    return {str(sight): seconds for sight, seconds in total.items()}


def _score_data(score: Score) -> dict[str, Any]:
    return {
        "told": score.told,
        "right": score.right,
        "true": score.true,
        "found": score.found,
        "precision": score.precision,
        "recall": score.recall,
        "found_in_seconds": _spread_data(score.found_in),
    }


def _spread_data(spread: Quartiles | None) -> dict[str, float] | None:
    if spread is None:
        return None
    return {"median": spread.median.total_seconds(), "max": spread.longest.total_seconds()}


def _alarm_data(alarm: Alarm) -> dict[str, Any]:
    recovered_in = alarm.recovered_in
    return {
        "incident": alarm.number,
        "objective": alarm.key.objective,
        "labels": dict(alarm.key.labels),
        "alert": str(alarm.key.alert),
        "again": alarm.is_again,
        "began_at": alarm.began_at,
        "told_at": alarm.told_at,
        "last_bad_at": alarm.last_bad_at,
        "ended_at": alarm.ended_at,
        "outcome": alarm.outcome and str(alarm.outcome),
        "worst": alarm.worst,
        "bad_events": round(alarm.bad, 3),
        "events": round(alarm.total, 3),
        "lasted_seconds": alarm.lasted.total_seconds(),
        "detected_in_seconds": alarm.detected_in.total_seconds(),
        "recovered_in_seconds": recovered_in and recovered_in.total_seconds(),
    }


def as_csv(report: ReplayReport) -> str:
    """A row an alarm; of a sweep, a row a value."""
    if report.sweep is None:
        rows = [_alarm_data(alarm) for alarm in report.runs[0].story.alarms]
        names = list(_alarm_data(_NOBODY))
        rows = [{**row, "labels": ";".join(f"{name}={value}" for name, value in row["labels"].items())} for row in rows]
    else:
        rows = [_row(run, report.sweep) for run in report.runs]
        names = list(rows[0])
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


def _row(run: Run, sweep: Sweep) -> dict[str, Any]:
    data = _summary_data(run.story.summary(sweep.objective))
    flat: dict[str, Any] = {"value": run.value}
    for name, value in data.items():
        if name.endswith("_seconds"):
            flat |= {f"{name}_median": value and value["median"], f"{name}_max": value and value["max"]}
        else:
            flat[name] = value
    objective = run.story.objectives.by_name[sweep.objective]
    lefts = _lefts(run.story, objective)
    flat["budget_left"] = lefts[-1].share if lefts else None
    if run.score is not None:
        flat |= {"precision": run.score.precision, "recall": run.score.recall}
    return flat


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value


_EPOCH = datetime.fromtimestamp(0).astimezone()
_NOBODY = Alarm(
    number=0, key=Key("nobody"), began_at=_EPOCH, told_at=_EPOCH, last_bad_at=_EPOCH, ended_at=None, outcome=None,
    worst=None, bad=0.0, total=0.0, is_again=False,
)  # fmt: skip


# One file with charts


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
    """The report as one page."""
    runs = report.runs
    return (
        templates(WEB)
        .get_template("replay.html")
        .render(
            headline=headline(report),
            styles=[path.read_text(encoding="utf-8") for path in (SHARED / "style.css", WEB / "replay.css")],
            report=report,
            sweep=report.sweep,
            rows=_sweep_rows(report) if report.sweep else [],
            story=runs[0].story,
            cards=[] if report.sweep else _cards(runs[0].story, report.zone),
            alarms=[] if report.sweep else runs[0].story.alarms,
            summary=runs[0].story.summary(),
            score_line=_score_line(runs[0].score) if runs[0].score else "",
            span=_span,
            spread=_spread,
            short_spread=_short_spread,
            worst=worst,
            moment=lambda at: _moment(at, report.zone, seconds=True),
            clock=lambda at: f"{at.astimezone(report.zone):%H:%M:%S}",
        )
    )


def _cards(story: Story, zone: tzinfo) -> list[dict[str, Any]]:
    return [
        {
            "objective": objective,
            "summary": story.summary(objective.name),
            "left": _left(story, objective),
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
            f"#{each.number} {each.key}, {_moment(each.began_at, zone)}, {_span(each.lasted)}",
        )
        for each in story.alarms
        if each.key.objective == objective.name
    )
    path = "M" + " L".join(f"{across(each.at)} {down(each.share)}" for each in lefts)
    return ReportChart(path, down(0.0), f"{100 * high:.0f} %", f"{100 * low:.0f} %", alarms, _days(story, zone))


def _days(story: Story, zone: tzinfo) -> tuple[tuple[float, str], ...]:
    """Some days along the bottom, and where they begin in percent of the width."""
    marks = []
    for number in range(4):
        at = story.since + story.span * (number / 4)
        form = "%d %b" if story.span > timedelta(days=2) else "%H:%M"
        marks.append((25.0 * number, at.astimezone(zone).strftime(form)))
    return tuple(marks)


def _sweep_rows(report: ReplayReport) -> list[Mapping[str, Any]]:
    sweep = report.sweep
    assert sweep is not None  # noqa: S101  # only asked for where there is one
    most = max((run.story.summary(sweep.objective).a_week for run in report.runs), default=0.0) or 1.0
    rows: list[Mapping[str, Any]] = []
    for run in report.runs:
        summary = run.story.summary(sweep.objective)
        rows.append(
            {
                "value": sweep.shown(run.value or 0.0),
                "summary": summary,
                "left": _left(run.story, run.story.objectives.by_name[sweep.objective]),
                "share": 100 * summary.a_week / most,
                "precision": _share(run.score.precision) if run.score else None,
                "recall": _share(run.score.recall) if run.score else None,
                "found_in": _short_spread(run.score.found_in) if run.score else None,
            }
        )
    return rows
