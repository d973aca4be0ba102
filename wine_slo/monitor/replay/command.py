"""`wine-slo replay`: the incidents and notifications that the objectives would have had in the past.

The report goes to standard output, the progress to standard error.
"""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, read
from wine_slo.config.slo_file import SloFile
from wine_slo.exit_status import ExitStatus
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, other_interval, scrape_intervals, wrongly_written
from wine_slo.monitor.evaluate.source import connect, info
from wine_slo.monitor.replay import sweep as sweeps
from wine_slo.monitor.replay.engine import replay
from wine_slo.monitor.replay.inputs import (
    InputError,
    NoDataError,
    Options,
    checked_bounds,
    first_scrape,
    known_incidents,
    time_range,
)
from wine_slo.monitor.replay.range_cache import EPOCH, RangeCache, milliseconds, tidy
from wine_slo.monitor.replay.report.content import ReplayReport, Run
from wine_slo.monitor.replay.report.data import as_csv, as_data
from wine_slo.monitor.replay.report.page import as_html
from wine_slo.monitor.replay.report.terminal import ProgressBar, print_tables
from wine_slo.monitor.replay.story import KnownIncident, Score, Story, score
from wine_slo.monitor.replay.sweep import Sweep, SweepError
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.redaction import redact, redacted
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo

FOLDER = Path("data/replay")
TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)  # seconds; a chunk of a long range takes Prometheus some


def main(options: Options) -> ExitStatus:
    """Replay, print, and return the exit status."""
    try:
        report = _replayed(options)
        if options.html is not None:
            options.html.write_text(redact(as_html(report)), encoding="utf-8")
    except (SettingsError, slo_file.SloFileError, SweepError, InputError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename} cannot be written: {error.strerror}")
    except MetricSourceError as error:
        kept = "; the answers so far are kept, and the same command continues from there" if options.keep else ""
        return _refuse(
            f"Prometheus: {error}{'' if error.is_refused else kept}",
            ExitStatus.BAD_INPUT if error.is_refused else ExitStatus.NO_DATA,
        )
    except NoDataError as error:
        return _refuse(str(error), ExitStatus.NO_DATA)
    except KeyboardInterrupt:
        return _refuse(
            "interrupted; the same command continues from there" if options.keep else "interrupted",
            ExitStatus.INTERRUPTED,
        )
    sys.stdout.write(_shown(report, options))
    return ExitStatus.OK


def _replayed(options: Options) -> ReplayReport:
    settings = read(WatchdogSettings)
    file = slo_file.load(options.objectives) if options.objectives else load_objectives(settings)
    sweep = sweeps.parse(options.sweep) if options.sweep else None
    if sweep is not None and not file.silent_scopes:
        _check(sweep, file.objectives())
    times = time_range(options, settings.timezone, datetime.now(UTC))
    known = known_incidents(options.known, settings.timezone) if options.known else None
    return asyncio.run(_report(settings, options, file, sweep, times, known))


def _shown(report: ReplayReport, options: Options) -> str:
    match options.form:
        case "json":
            content = msgspec.json.encode(redacted(as_data(report)))
            return msgspec.json.format(content, indent=2).decode() + "\n"
        case "csv":
            return redact(as_csv(report))
        case _:
            page = f"\nThe page with charts: {options.html}\n" if options.html is not None else ""
            return redact(print_tables(report)) + page


def _refuse(sentence: str, status: ExitStatus = ExitStatus.BAD_INPUT) -> ExitStatus:
    sys.stderr.write(f"{redact(sentence)}\n")
    return status


async def _report(
    settings: WatchdogSettings,
    options: Options,
    file: SloFile,
    sweep: Sweep | None,
    times: tuple[datetime, datetime],
    known: Sequence[KnownIncident] | None,
) -> ReplayReport:
    """Query Prometheus, and replay once, or once for each value of the sweep.

    Raises:
        MetricSourceError: It does not answer.
        NoDataError: It has no data for the time range.
        InputError: A threshold is not a bucket bound.
        SloFileError: At the real scrape intervals they cannot be judged.
        SweepError: A value of the sweep cannot be judged, or there is no bucket bound in its range.
    """
    since, until = times
    poll = timedelta(seconds=settings.poll_seconds)
    folder = FOLDER if options.keep else None
    if folder is not None:
        tidy(folder, datetime.now(UTC))
    async with aiohttp.ClientSession() as session:
        api = connect(session, settings, timeout=TIMEOUT)
        intervals = await real_intervals(file, api, info(session, settings), until)
        objectives = file.objectives({job: each.span for job, each in intervals.items()})
        if sweep is not None:
            _check(sweep, objectives)
        first = await first_scrape(api, objectives, since, until)
        notes = _notes(objectives, intervals, since, first, poll)
        since = on_tick(max(first, since), poll)
        for objective in objectives.all:
            sweep = await checked_bounds(api, objective, sweep, until)
        cache = RangeCache(api, folder, f"{settings.prometheus_url} {settings.prometheus_tenant}", until)
        runs = []
        tried = _tried(objectives, sweep)
        is_shown = sys.stderr.isatty() and not (options.form == "json" and not sys.stdout.isatty())
        try:
            with ProgressBar(is_shown=is_shown) as bar:
                for number, (value, changed) in enumerate(tried):
                    what = "replaying" if sweep is None or value is None else f"{sweep.field} {sweep.shown(value)}"

                    def on_progress(at: datetime, number: int = number, what: str = what) -> None:
                        bar.show((number + (at - since) / (until - since)) / len(tried), what)

                    story = await replay(cache, changed, since, until, poll, on_progress)
                    runs.append(Run.of(story, value, None if known is None else _score(story, known)))
        finally:
            await cache.close()
    return ReplayReport(runs, sweep, poll, notes, settings.timezone)


def _check(sweep: Sweep, objectives: Objectives) -> None:
    """Refuse values that cannot be judged.

    Raises:
        SweepError: There is one.
    """
    for value in sweep.values or (sweep.bounds or ())[1:]:
        sweeps.apply(objectives, sweep, value)


async def real_intervals(
    file: SloFile, api: MetricSource, facts: SourceInfo, until: datetime
) -> dict[str, ScrapeInterval]:
    """Return how often jobs were scraped at the end of the replay, or are scraped now where they were not there."""
    scopes = file.objectives().scopes
    then = await scrape_intervals(scopes, api, facts, until)
    return await scrape_intervals([each for each in scopes if each.name not in then], api, facts) | then


def _notes(
    objectives: Objectives,
    intervals: Mapping[str, ScrapeInterval],
    since: datetime,
    first: datetime,
    poll: timedelta,
) -> list[str]:
    """Return what differs from what was requested: a later begin, or another scrape interval."""
    notes = []
    if first - since > poll:
        notes.append(f"Prometheus has no data before {first:%Y-%m-%d %H:%M} UTC; the replay begins there.")
    notes += [f"scrape_interval {other_interval(each, real)}." for each, real in wrongly_written(objectives, intervals)]
    return notes


def _tried(objectives: Objectives, sweep: Sweep | None) -> list[tuple[float | None, Objectives]]:
    """Return the objectives of each replay, with the value of the sweep."""
    if sweep is None:
        return [(None, objectives)]
    only = replace(objectives, all=(objectives.by_name[sweep.objective],))
    return [(value, sweeps.apply(only, sweep, value)) for value in sweep.values]


def _score(story: Story, known: Sequence[KnownIncident]) -> Score:
    """Return how the alarms of a story compare with the known incidents of its objectives."""
    mine = [each for each in known if not each.objective or each.objective in story.objectives.by_name]
    return score(story, mine)


def on_tick(at: datetime, poll: timedelta) -> datetime:
    """Return the first multiple of the poll that is not before an instant, so that chunks on disk fit every run."""
    step = milliseconds(poll)
    return EPOCH + timedelta(milliseconds=-(-milliseconds(at - EPOCH) // step) * step)
