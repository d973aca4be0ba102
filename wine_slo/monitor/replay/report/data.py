"""The report for machines: JSON and CSV."""

import csv
import io
from datetime import datetime
from typing import Any

from wine_slo.monitor.replay.report.content import ReplayReport, Run, budget_by_day
from wine_slo.monitor.replay.story import Alarm, Quartiles, Score, Story, Summary, days
from wine_slo.monitor.replay.sweep import Sweep
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key


def as_data(report: ReplayReport) -> dict[str, Any]:
    """Return the report as one JSON document: instants in UTC, spans in seconds, ratios 0 to 1."""
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
    return content | {"limits": report.limits}


def _run_data(run: Run) -> dict[str, Any]:
    story = run.story
    return {
        "evaluations": story.evaluations,
        "all": _summary_data(run.total),
        "objectives": {
            objective.name: _summary_data(run.summaries[objective.name])
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
        "alarms": score.alarms,
        "true_alarms": score.true_alarms,
        "known": score.known,
        "detected": score.detected,
        "precision": score.precision,
        "recall": score.recall,
        "detected_in_seconds": _spread_data(score.detected_in),
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
        "notified_at": alarm.notified_at,
        "last_bad_at": alarm.last_bad_at,
        "ended_at": alarm.ended_at,
        "outcome": alarm.outcome and str(alarm.outcome),
        "reason": alarm.reason,
        "worst": alarm.worst,
        "bad_events": round(alarm.bad, 3),
        "events": round(alarm.total, 3),
        "lasted_seconds": alarm.lasted.total_seconds(),
        "detected_in_seconds": alarm.detected_in.total_seconds(),
        "recovered_in_seconds": recovered_in and recovered_in.total_seconds(),
    }


def as_csv(report: ReplayReport) -> str:
    """Return a row for each alarm; of a sweep, a row for each value."""
    if report.sweep is None:
        rows = [_alarm_data(alarm) for alarm in report.runs[0].story.alarms]
        names = list(_alarm_data(_EXAMPLE))
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
    data = _summary_data(run.summaries[sweep.objective])
    flat: dict[str, Any] = {"value": run.value}
    for name, value in data.items():
        if name.endswith("_seconds"):
            flat |= {f"{name}_median": value and value["median"], f"{name}_max": value and value["max"]}
        else:
            flat[name] = value
    objective = run.story.objectives.by_name[sweep.objective]
    left = budget_by_day(run.story, objective)
    flat["budget_left"] = left[-1].share if left else None
    if run.score is not None:
        flat |= {"precision": run.score.precision, "recall": run.score.recall}
    return flat


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return round(value, 6) if isinstance(value, float) else value


_EPOCH = datetime.fromtimestamp(0).astimezone()
_EXAMPLE = Alarm(
    number=0, key=Key("example"), began_at=_EPOCH, notified_at=_EPOCH, last_bad_at=_EPOCH, ended_at=None, outcome=None,
    worst=None, bounds=(), reason="", bad=0.0, total=0.0, is_again=False,
)  # fmt: skip
