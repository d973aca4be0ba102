"""The inputs of a replay: its options, the time range, the known incidents, and what Prometheus knows of them."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from wine_slo.config.files import text_file, yaml_file
from wine_slo.monitor.evaluate.objective_checks import bounds_in, no_bound
from wine_slo.monitor.evaluate.queries.slow_queries import known_for
from wine_slo.monitor.replay.range_cache import EPOCH
from wine_slo.monitor.replay.story import KnownIncident
from wine_slo.monitor.replay.sweep import Sweep
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.span import parse_span

LEAST = timedelta(minutes=10)  # of a replay


class InputError(Exception):
    """An option or a file cannot be used; the text says why."""


class NoDataError(Exception):
    """Prometheus has no data for the time range; the text says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command.

    Attributes:
        since: How long the time range is; None where `start` is given.
        start: Its begin, as people write an instant.
        until: Its end; None for now.
        objectives: The file of the objectives; None for the one of the settings.
        sweep: A field of an objective and the values to compare.
        known: A file of known incidents.
        form: `table`, `json` or `csv`.
        html: Where to write the report as a page; None for no page.
        keep: Whether answers are kept on disk, so that an interrupted run continues where it was.
    """

    since: str | None = None
    start: str | None = None
    until: str | None = None
    objectives: Path | None = None
    sweep: str | None = None
    known: Path | None = None
    form: str = "table"
    html: Path | None = None
    keep: bool = True


def time_range(options: Options, zone: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """Return the begin and the end of the replay.

    Raises:
        InputError: It is not a time range, or not of the past.
    """
    if options.since and options.start:
        raise InputError("--since and --from say the same thing twice; give one of them")
    until = _instant(options.until, "--to", zone) if options.until else now
    if until > now:
        raise InputError(f"--to {options.until} lies in the future")
    if options.start:
        since = _instant(options.start, "--from", zone)
    else:
        try:
            since = until - parse_span(options.since or "7d")
        except (ValueError, OverflowError) as error:
            raise InputError(f"--since {options.since} must be a span such as 12h, 7d or 4w") from error
    if since < EPOCH:
        raise InputError(f"{_shown(since)} lies before 1970, when the time of Prometheus begins")
    if until - since < LEAST:
        raise InputError(f"from {_shown(since)} to {_shown(until)} is too short: ten minutes are the least")
    return since, until


def _instant(text: str, name: str, zone: tzinfo) -> datetime:
    """Return an instant as people write it; in a zone where it names none.

    Raises:
        InputError: It is not an instant, or not one that a clock can show in every zone.
    """
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} {text} must be an instant such as 2026-10-01 or 2026-10-01T14:00Z") from error


def known_incidents(path: Path, zone: tzinfo) -> list[KnownIncident]:
    """Return the incidents of a CSV or YAML file with start, end and perhaps objective.

    Raises:
        InputError: The file cannot be read, or does not hold such a list.
    """
    try:
        text = text_file.read(path)
        is_yaml = path.suffix in (".yml", ".yaml")
        rows = yaml_file.read(text)[1] if is_yaml else list(csv.DictReader(io.StringIO(text)))
    except text_file.TextFileError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except yaml_file.YamlError as error:
        raise InputError(f"{path}:{error.line}: {error}") from error
    except csv.Error as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} must hold a list of incidents, each with start and end")
    return [_known_incident(row, f"{path}: incident {number}", zone) for number, row in enumerate(rows, start=1)]


def _known_incident(row: dict[str, Any], where: str, zone: tzinfo) -> KnownIncident:
    missing = [name for name in ("start", "end") if not row.get(name)]
    if missing:
        raise InputError(f"{where} has no {' and no '.join(missing)}")
    begin, end = (_instant(str(row[name]).strip(), f"{where}: {name}", zone) for name in ("start", "end"))
    try:
        return KnownIncident(begin, end, str(row.get("objective") or "").strip())
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


async def first_scrape(api: MetricSource, objectives: Objectives, since: datetime, until: datetime) -> datetime:
    """Return the first scrape in the time range, to ten seconds.

    Raises:
        NoDataError: There is none.
    """
    firsts = []
    for objective in objectives.all:
        first = await _seen_since(api, objective, until - since, until)
        if first is not None and first > since:  # which is the hour after it
            first = await _seen_since(api, objective, timedelta(hours=1), first) or first
        firsts += [] if first is None else [first]
    if not firsts:
        jobs = ", ".join(sorted({objective.job for objective in objectives.all}))
        raise NoDataError(f"Prometheus knows no target of {jobs} between {_shown(since)} and {_shown(until)}")
    return max(since, min(firsts))


def _shown(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


async def _seen_since(api: MetricSource, objective: Objective, span: timedelta, until: datetime) -> datetime | None:
    """Return the first instant of a span at which the targets were known; None where there is none."""
    known = known_for(await api.query(promql.seconds_of_history(objective, span), until))
    return None if known is None else until - known


async def checked_bounds(api: MetricSource, objective: Objective, sweep: Sweep | None, until: datetime) -> Sweep | None:
    """Return the sweep with its values, where thresholds are bucket bounds.

    Raises:
        InputError: A threshold is not a bucket bound.
        SweepError: There is no bucket bound in the range.
    """
    histogram, buckets = objective.source.bounded, promql.bucket_bounds(objective)
    if histogram is None or buckets is None:
        return sweep
    is_swept = sweep is not None and sweep.objective == objective.name and sweep.is_bound
    found = await api.query(buckets, until)
    bounds = bounds_in(found, objective.source.unit_of_values)
    if not bounds:
        return sweep
    finite = [each for each in bounds if each != float("inf")]
    if is_swept and sweep is not None:
        sweep = sweep.between(finite)
    wanted = list(histogram.bounds)
    if is_swept and sweep is not None:
        wanted = [each for each in wanted if each[0] != sweep.field] + [(sweep.field, each) for each in sweep.values]
    for field, seconds in wanted:
        if seconds not in bounds:
            raise InputError(f"{objective.name}.{field} {no_bound(seconds, bounds)}")
    return sweep
