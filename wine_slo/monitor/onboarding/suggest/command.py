"""`wine-slo suggest`: which thresholds and objectives the past would have kept, for slo.yml or for what is discovered.

The report goes to standard output, what is wrong to standard error. The exit status is 0 with a report, 2 where
settings or a file cannot be used, and 3 where Prometheus does not answer or has no data.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec

from wine_slo.config import slo_file
from wine_slo.config.environment import SettingsError, read
from wine_slo.config.slo_file import SloFile
from wine_slo.exit_status import ExitStatus
from wine_slo.integrations.console.terminal import Terminal
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.evaluate.queries.slow_queries import known_for
from wine_slo.monitor.evaluate.source import connect, info
from wine_slo.monitor.onboarding.discovery import conventions
from wine_slo.monitor.onboarding.discovery.candidates import LEAST_BOUND
from wine_slo.monitor.onboarding.discovery.found import Metric
from wine_slo.monitor.onboarding.discovery.queries import discover
from wine_slo.monitor.onboarding.init import proposals_of, written
from wine_slo.monitor.onboarding.suggest.counts import counts
from wine_slo.monitor.onboarding.suggest.grid import grid
from wine_slo.monitor.onboarding.suggest.report import LEAST_SPAN, Report, as_data, print_report, too_little
from wine_slo.monitor.onboarding.suggest.suggestion import Case, suggest
from wine_slo.monitor.replay.command import FOLDER, TIMEOUT, on_tick, real_intervals
from wine_slo.monitor.replay.inputs import NoDataError
from wine_slo.monitor.replay.range_cache import RangeCache, tidy
from wine_slo.monitor.replay.report.terminal import ProgressBar
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.redaction import redact, redacted
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo

LONGEST = timedelta(days=28)  # whole weeks, as people work by weeks
UNKNOWN = "how often its job is scraped is not known: it has just begun, or is not scraped now"


def main(objectives: Path | None, *, is_discovering: bool, as_json: bool) -> ExitStatus:
    """Count, replay, print, and return the exit status."""
    try:
        settings = read(WatchdogSettings)
        file = None if is_discovering else slo_file.load(objectives) if objectives else load_objectives(settings)
        report = asyncio.run(_report(settings, file))
    except (SettingsError, slo_file.SloFileError) as error:
        return _refuse(str(error), ExitStatus.BAD_INPUT)
    except MetricSourceError as error:
        return _refuse(f"Prometheus: {error}", ExitStatus.NO_DATA)
    except NoDataError as error:
        return _refuse(str(error), ExitStatus.NO_DATA)
    except KeyboardInterrupt:
        return _refuse("interrupted; the same command continues from there", ExitStatus.INTERRUPTED)
    if as_json:
        content = msgspec.json.encode(redacted(as_data(report)))
        sys.stdout.write(f"{msgspec.json.format(content, indent=2).decode()}\n")
    else:
        print_report(Terminal(), report)
    return ExitStatus.OK if report.knows_enough else ExitStatus.NO_DATA


async def _report(settings: WatchdogSettings, file: SloFile | None) -> Report:
    """Query Prometheus, and replay the objectives of a file, or without one those that can be discovered.

    Raises:
        MetricSourceError: It does not answer.
        NoDataError: It has no data.
        SloFileError: At the real scrape intervals the objectives cannot be judged.
    """
    until = datetime.now(UTC)
    poll = timedelta(seconds=settings.poll_seconds)
    tidy(FOLDER, until)
    async with aiohttp.ClientSession() as session:
        api = connect(session, settings, timeout=TIMEOUT)
        facts = info(session, settings)
        file = file or await _discovered(settings, api, facts)
        intervals = {job: each.span for job, each in (await real_intervals(file, api, facts, until)).items()}
        objectives = file.objectives(intervals)
        unknown = {each.name for each in file.silent_scopes} - intervals.keys()
        known = {each.name: await _known(api, each, until) for each in objectives.all}
        if not any(known.values()):
            raise NoDataError(f"Prometheus knows nothing of {', '.join(sorted({each.job for each in objectives.all}))}")
        since = on_tick(until - max(known.values()), poll)
        cache = RangeCache(api, FOLDER, f"{settings.prometheus_url} {settings.prometheus_tenant}", until)
        try:
            with ProgressBar(is_shown=sys.stderr.isatty()) as bar:
                cases = [await _case(cache, each, known[each.name], until) for each in objectives.all]
                for each in cases:
                    if each.objective.job in unknown:
                        each.why_not = UNKNOWN
                enough = [each for each in cases if not each.why_not]
                await suggest(cache, enough, (since, until), poll, lambda done: bar.show(done, "replaying"))
        finally:
            await cache.close()
    return Report(cases)


async def _discovered(settings: WatchdogSettings, api: MetricSource, facts: SourceInfo) -> SloFile:
    """Return the objectives that `wine-slo init` would write.

    Raises:
        MetricSourceError: It does not answer.
        NoDataError: Nothing is scraped.
    """
    jobs = await discover(api, facts)
    if not jobs:
        raise NoDataError(f"Prometheus at {settings.prometheus_url} has no job yet")
    return slo_file.parse(written(settings, jobs, await proposals_of(api, jobs)), "what is discovered")


async def _known(api: MetricSource, objective: Objective, until: datetime) -> timedelta:
    """Return for how long Prometheus has known what an objective is about; nothing where it does not."""
    known = known_for(await api.query(promql.seconds_of_history(objective, LONGEST), until))
    return min(known or timedelta(0), LONGEST)


async def _case(cache: RangeCache, objective: Objective, known: timedelta, until: datetime) -> Case:
    """Return an objective with its quick counts, or with why nothing can be suggested."""
    if known < LEAST_SPAN:
        return Case(objective, known, None, why_not=too_little(known, None))
    found = await counts(cache, objective, until - known, until)
    histogram = objective.source.bounded
    group = conventions.group_of(Metric(name=histogram.name)) if histogram else None
    least = LEAST_BOUND.get(group, 0.0) if group else 0.0
    counted = grid(found, known, [objective.ratio]) if found else None
    return Case(objective, known, counted, least, too_little(known, counted.events if counted else 0.0))


def _refuse(sentence: str, status: ExitStatus) -> ExitStatus:
    sys.stderr.write(f"{redact(sentence)}\n")
    return status
