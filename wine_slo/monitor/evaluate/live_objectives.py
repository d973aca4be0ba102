"""The objectives of `slo.yml`, each at the interval at which its job is really scraped."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from wine_slo.config import slo_file
from wine_slo.config.environment import PREFIX, is_set
from wine_slo.config.files import shipped
from wine_slo.config.slo_file import SloFile, SloFileError
from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, other_interval, scrape_intervals, wrongly_written
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, SourceInfo
from wine_slo.slo.span import format_span

REFRESHED_EVERY = 60.0  # seconds; whoever has Prometheus scrape at another interval restarts or reloads it
LONGEST_WAIT = 5.0  # seconds; the evaluation that waits for it must not be late

log = logging.getLogger("wine_slo.watchdog")


def load_objectives(settings: WatchdogSettings) -> SloFile:
    """Return what slo.yml says, and log where it is the one that comes with the package.

    Raises:
        SloFileError: It cannot be read, or not every line of it can be used.
    """
    file = slo_file.load(settings.objectives)
    if settings.objectives != Path(shipped.OBJECTIVES) and not is_set(f"{PREFIX}OBJECTIVES"):
        log.warning(
            "there is no %s in this folder, so the objectives of the service that comes with wine-slo are used; "
            "`wine-slo init` writes your own",
            shipped.OBJECTIVES,
        )
    return file


async def at_real_intervals(file: SloFile, source: MetricSource, info: SourceInfo) -> Objectives:
    """Return the objectives of a file as they are now; at what it says alone where the source cannot be queried.

    Raises:
        SloFileError: At the real intervals they cannot be judged.
    """
    try:
        found = await scrape_intervals(file.silent_scopes, source, info)
    except MetricSourceError:
        found = {}
    return file.objectives({job: each.span for job, each in found.items()})


class LiveObjectives:
    """Reads the objectives, and follows how often their jobs are scraped.

    Args:
        path: The file.
        file: What it says.
        source: Where samples are counted.
        info: What it says of itself.
        steady: Reads, in seconds, a clock that nobody sets.

    Attributes:
        file: What the file says.
        current: The objectives, by what is known of their jobs.
    """

    def __init__(
        self, path: Path, file: SloFile, source: MetricSource, info: SourceInfo, steady: Callable[[], float]
    ) -> None:
        self._path = path
        self.file = file
        self._source = source
        self._info = info
        self._steady = steady
        self._known: dict[str, ScrapeInterval] = {}
        self._next_at = 0.0  # by the steady clock
        self._logged: set[str] = set()
        self._taken: dict[str, timedelta] = {}  # the intervals of the current objectives
        self._doubts: Mapping[str, str] = {}
        self.current = file.objectives()
        self._take()

    async def refresh(self) -> Objectives:
        """Find out how often the jobs are scraped, where it is time to, and return the objectives at that.

        Until a job's is known it is queried each time; what was known goes on where the source cannot be queried.
        """
        scopes = self.current.scopes
        if self._steady() < self._next_at and {each.name for each in scopes} <= self._known.keys():
            return self.current
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                found = await scrape_intervals(scopes, self._source, self._info)
        except (MetricSourceError, TimeoutError):
            return self.current
        self._next_at = self._steady() + REFRESHED_EVERY
        news = {job: each for job, each in found.items() if self._is_news(job, each)}
        if news:
            self._known |= news
            self._take()
        return self.current

    def _is_news(self, job: str, found: ScrapeInterval) -> bool:
        """Return whether a job is scraped at another interval than is known; a few missed scrapes are none."""
        known = self._known.get(job)
        if known is None or not found.is_measured:
            return found != known
        return found.differs_from(known.span)

    async def reload(self) -> None:
        """Read the file anew, in a thread: a long one takes seconds.

        Raises:
            SloFileError: It cannot be used, or not at the real intervals; nothing has changed.
        """
        file = await asyncio.to_thread(slo_file.load, self._path)
        objectives = file.objectives(self._intervals)
        self.file = file
        self._logged.clear()
        self._doubts = {}
        self._use(objectives, self._intervals)

    def doubt(self, doubts: Mapping[str, str]) -> Objectives:
        """Keep what is wrong with the series of objectives, by their names, and return the objectives with that."""
        self._doubts, self.current = doubts, replace(self.current, doubts=doubts)
        return self.current

    @property
    def _intervals(self) -> dict[str, timedelta]:
        return {job: each.span for job, each in self._known.items()}

    def _take(self) -> None:
        """Judge by what is known; a job that cannot be judged at its interval stays as it was, and alone."""
        intervals = self._intervals
        while True:
            try:
                objectives = self.file.objectives(intervals)
            except SloFileError as error:
                for mistake in error.mistakes:
                    self._log_once(logging.ERROR, mistake)
                news = {job for job in error.jobs if intervals.get(job) != self._taken.get(job)}
                if not news:
                    return
                kept = {job: each for job, each in self._taken.items() if job in news}
                intervals = {job: each for job, each in intervals.items() if job not in news} | kept
            else:
                self._use(objectives, intervals)
                return

    def _use(self, objectives: Objectives, intervals: dict[str, timedelta]) -> None:
        self.current, self._taken = replace(objectives, doubts=self._doubts), intervals
        for job in [each.name for each in self.file.silent_scopes if each.name in intervals]:
            self._log_once(logging.INFO, f"{job} is scraped every {format_span(intervals[job])}")
        for sentence in self.file.left_out(self.current):
            self._log_once(logging.INFO, sentence)
        for sentence in self.file.lengthened(self.current, intervals):
            self._log_once(logging.WARNING, sentence)
        known = {job: each for job, each in self._known.items() if intervals.get(job) == each.span}
        for each, real in wrongly_written(self.current, known):
            where = self.file.place(each.name, "scrape_interval")
            self._log_once(logging.WARNING, f"{where}: scrape_interval {other_interval(each, real)}")

    def _log_once(self, level: int, sentence: str) -> None:
        if sentence not in self._logged:
            self._logged.add(sentence)
            log.log(level, "%s", sentence)
