"""`wine-slo replay`: what the objectives would have told in the past.

What a person reads goes to standard output, how far it is to standard error. It ends with 0 where there is an answer,
with 2 where what was asked for cannot be, and with 3 where Prometheus cannot be asked or knows nothing of the time.
"""

import asyncio
import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml

from wine_slo.config import slo_file, text_file
from wine_slo.config.environment import SettingsError, read
from wine_slo.monitor.evaluate.objective_checks import bounds_in, measured, no_bound, other_interval
from wine_slo.monitor.evaluate.slow_queries import known_for
from wine_slo.monitor.evaluate.source import connect
from wine_slo.monitor.replay import report as replay_report
from wine_slo.monitor.replay import sweep as sweeps
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.range_cache import EPOCH, History, milliseconds, tidy
from wine_slo.monitor.replay.report import ReplayReport, Run
from wine_slo.monitor.replay.story import Score, Story, Truth, score
from wine_slo.monitor.replay.sweep import Sweep, SweepError
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.redaction import redact, redacted
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError

FOLDER = Path("data/replay")
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)  # seconds; a chunk of a long range takes Prometheus some
BAD_INPUT, AWAY, INTERRUPTED = 2, 3, 130


class InputError(Exception):
    """What was asked for cannot be done; the text says why."""


class NothingError(Exception):
    """Prometheus knows nothing of the time; the text says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for.

    Attributes:
        since: A span until now, or until `until`; None where `start` says it.
        start: An instant as people write it.
        until: The same; None for now.
        objectives: The file; None for the one of the settings.
        sweep: What to try.
        truth: A file of incidents that are known to be true.
        form: `table`, `json` or `csv`.
        html: Where to write a page; None where no page is wanted.
        keep: Whether chunks are kept on disk, so that a run that is broken off goes on where it was.
    """

    since: str | None = None
    start: str | None = None
    until: str | None = None
    objectives: Path | None = None
    sweep: str | None = None
    truth: Path | None = None
    form: str = "table"
    html: Path | None = None
    keep: bool = True


def main(options: Options) -> int:
    """Replay, print, and return the exit status."""
    try:
        report = _replayed(options)
        if options.html is not None:
            options.html.write_text(redact(replay_report.as_html(report)), encoding="utf-8")
    except (SettingsError, slo_file.SloFileError, SweepError, InputError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename} cannot be written: {error.strerror}")
    except MetricSourceError as error:
        kept = "; what has come is kept, so the same command goes on from there" if options.keep else ""
        return _refuse(
            f"Prometheus: {error}{'' if error.is_refused else kept}", BAD_INPUT if error.is_refused else AWAY
        )
    except NothingError as error:
        return _refuse(str(error), AWAY)
    except KeyboardInterrupt:
        return _refuse("broken off; the same command goes on from there" if options.keep else "broken off", INTERRUPTED)
    sys.stdout.write(_shown(report, options))
    return 0


def _replayed(options: Options) -> ReplayReport:
    settings = read(WatchdogSettings)
    objectives = slo_file.load(options.objectives or settings.objectives)
    sweep = sweeps.parse(options.sweep, slo_file.span) if options.sweep else None
    if sweep is not None:
        for value in sweep.values or (sweep.bounds or ())[1:]:
            sweeps.apply(objectives, sweep, value)
    times = _times(options, settings.timezone, datetime.now(UTC))
    truths = _truths(options.truth, settings.timezone) if options.truth else None
    return asyncio.run(_report(settings, options, objectives, sweep, times, truths))


def _shown(report: ReplayReport, options: Options) -> str:
    match options.form:
        case "json":
            content = msgspec.json.encode(redacted(replay_report.as_data(report)))
            return msgspec.json.format(content, indent=2).decode() + "\n"
        case "csv":
            return redact(replay_report.as_csv(report))
        case _:
            page = f"\nThe page with charts: {options.html}\n" if options.html is not None else ""
            return redact(replay_report.print_tables(report)) + page


def _refuse(sentence: str, status: int = BAD_INPUT) -> int:
    sys.stderr.write(f"{redact(sentence)}\n")
    return status


async def _report(
    settings: WatchdogSettings,
    options: Options,
    objectives: Objectives,
    sweep: Sweep | None,
    times: tuple[datetime, datetime],
    truths: Sequence[Truth] | None,
) -> ReplayReport:
    """Ask Prometheus, and replay once or value by value.

    Raises:
        MetricSourceError: It does not answer.
        NothingError: It knows nothing of the time.
        InputError: A threshold is no end of a bucket.
        SweepError: No bucket ends within the sweep's range.
    """
    since, until = times
    poll = timedelta(seconds=settings.poll_seconds)
    folder = FOLDER if options.keep else None
    if folder is not None:
        tidy(folder, datetime.now(UTC))
    async with aiohttp.ClientSession() as session:
        api = connect(session, settings, timeout=TIMEOUT)
        first = await _first_scrape(api, objectives, since, until)
        notes = []
        if first - since > poll:
            notes.append(f"Prometheus remembers nothing before {first:%Y-%m-%d %H:%M} UTC, so it begins there.")
        by_job = {each.job: each for each in objectives.all}.values()
        intervals = [(each, await measured(api, each, until)) for each in by_job]
        notes += [f"scrape_interval {other_interval(each, real)}." for each, real in intervals if real is not None]
        since = _on_tick(max(first, since), poll)
        for objective in objectives.all:
            sweep = await _check_bounds(api, objective, sweep, until)
        tried: list[tuple[float | None, Objectives]] = [(None, objectives)]
        if sweep is not None:
            only = Objectives((objectives.by_name[sweep.objective],), blind_for=objectives.blind_for)
            tried = [(value, sweeps.apply(only, sweep, value)) for value in sweep.values]
        history = History(api, folder, f"{settings.prometheus_url} {settings.prometheus_tenant}", until)
        runs = []
        is_shown = sys.stderr.isatty() and not (options.form == "json" and not sys.stdout.isatty())
        try:
            with replay_report.Bar(is_shown=is_shown) as bar:
                for number, (value, changed) in enumerate(tried):
                    what = "looking back" if sweep is None or value is None else f"{sweep.field} {sweep.shown(value)}"

                    def on_progress(at: datetime, number: int = number, what: str = what) -> None:
                        bar.show((number + (at - since) / (until - since)) / len(tried), what)

                    story = await replay(history, changed, since, until, poll, on_progress)
                    compared = None if truths is None else _score(story, truths)
                    runs.append(Run(story, value, compared))
        finally:
            await history.close()
    return ReplayReport(runs, sweep, poll, notes, settings.timezone)


def _score(story: Story, truths: Sequence[Truth]) -> Score:
    """How a story compares with what is known to be true of its objectives."""
    known = [each for each in truths if not each.objective or each.objective in story.objectives.by_name]
    return score(story.alarms, known, story.since, story.until)


def _on_tick(at: datetime, poll: timedelta) -> datetime:
    """The first whole multiple of the poll that is not before an instant; chunks on disk then fit every run."""
    step = milliseconds(poll)
    return EPOCH + timedelta(milliseconds=-(-milliseconds(at - EPOCH) // step) * step)


async def _first_scrape(api: MetricSource, objectives: Objectives, since: datetime, until: datetime) -> datetime:
    """The first scrape in the time, to ten seconds.

    Raises:
        NothingError: There is none.
    """
    firsts = []
    for objective in objectives.all:
        first = await _seen_since(api, objective, until - since, until)
        if first is not None and first > since:  # which is the hour after it
            first = await _seen_since(api, objective, timedelta(hours=1), first) or first
        firsts += [] if first is None else [first]
    if not firsts:
        jobs = ", ".join(sorted({objective.job for objective in objectives.all}))
        raise NothingError(f"Prometheus knows no target of {jobs} between {since.isoformat()} and {until.isoformat()}")
    return max(since, min(firsts))


async def _seen_since(api: MetricSource, objective: Objective, span: timedelta, until: datetime) -> datetime | None:
    """The first instant of a span at which its targets were known; None where there is none."""
    known = known_for(await api.query(promql.seconds_of_history(objective, span), until))
    return None if known is None else until - known


async def _check_bounds(api: MetricSource, objective: Objective, sweep: Sweep | None, until: datetime) -> Sweep | None:
    """The sweep with its values, where they are the ends of buckets.

    Raises:
        InputError: A threshold is no end of a bucket.
        SweepError: No bucket ends within the range.
    """
    source, buckets = objective.source, promql.bucket_bounds(objective)
    if not isinstance(source, Latency) or buckets is None:
        return sweep
    is_swept = sweep is not None and sweep.objective == objective.name and sweep.is_bound
    found = await api.query(buckets, until)
    bounds = bounds_in(found)
    if not bounds:
        return sweep
    finite = [each for each in bounds if each != float("inf")]
    if is_swept and sweep is not None:
        sweep = sweep.between(finite)
    wanted = [("threshold", source.threshold_seconds), ("clear", source.clear_seconds)]
    if is_swept and sweep is not None:
        wanted = [each for each in wanted if each[0] != sweep.field] + [(sweep.field, each) for each in sweep.values]
    for field, seconds in wanted:
        if seconds is not None and seconds not in bounds:
            raise InputError(f"{objective.name}.{field} {no_bound(seconds, bounds)}")
    return sweep


def _times(options: Options, zone: tzinfo, now: datetime) -> tuple[datetime, datetime]:
    """From when to when.

    Raises:
        InputError: It is no time, or not of the past.
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
            since = until - slo_file.span(options.since or "7d")
        except (ValueError, OverflowError) as error:
            raise InputError(f"--since {options.since} must be a span such as 12h, 7d or 4w") from error
    if until - since < timedelta(minutes=10):
        raise InputError(f"from {since.isoformat()} to {until.isoformat()} is too short: ten minutes are the least")
    return since, until


def _instant(text: str, name: str, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{name} {text} must be an instant such as 2026-10-01 or 2026-10-01T14:00Z") from error
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _truths(path: Path, zone: tzinfo) -> list[Truth]:
    """The incidents of a CSV or YAML file with start, end and perhaps objective.

    Raises:
        InputError: It is none.
    """
    try:
        text = text_file.read(path)
        rows = yaml.safe_load(text) if path.suffix in (".yml", ".yaml") else list(csv.DictReader(io.StringIO(text)))
    except text_file.TextFileError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except (yaml.YAMLError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} must hold a list of incidents, each with start and end")
    return [_truth(row, f"{path}: incident {number}", zone) for number, row in enumerate(rows, start=1)]


def _truth(row: dict[str, Any], where: str, zone: tzinfo) -> Truth:
    missing = [name for name in ("start", "end") if not row.get(name)]
    if missing:
        raise InputError(f"{where} has no {' and no '.join(missing)}")
    begin, end = (_instant(str(row[name]).strip(), f"{where}: {name}", zone) for name in ("start", "end"))
    try:
        return Truth(begin, end, str(row.get("objective") or "").strip())
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
