"""How often each job is really scraped: by the metric source's own word, else by what it has scraped of late."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.source.metric_source import MetricSource, SourceInfo
from wine_slo.slo.span import format_span

LISTED_OFF_BY, MEASURED_OFF_BY = (
    1.1,
    1.5,
)  # times; where it is measured, a few scrapes that are missing are no other one
USUAL = (1, 2, 3, 5, 10, 15, 20, 30, 60, 90, 120, 180, 300)  # seconds
SHORTEST = 0.1  # seconds; less is not the distance of scrapes
NEAR = 0.15  # of a usual one; a scrape of ten that is missing, or one too many


@dataclass(frozen=True, slots=True)
class ScrapeInterval:
    """How often the targets of a job are scraped.

    Attributes:
        span: Of those that are scraped least often, where they differ: nothing is lost of them at that grain.
        is_measured: Whether the source does not say it, so that it is only as exact as scrapes are regular.
    """

    span: timedelta
    is_measured: bool = False

    def differs_from(self, written: timedelta) -> bool:
        """Return whether this is another one than what is written."""
        off_by = MEASURED_OFF_BY if self.is_measured else LISTED_OFF_BY
        return max(self.span / written, written / self.span) >= off_by


async def scrape_intervals(
    scopes: Collection[Scope], source: MetricSource, info: SourceInfo, at: datetime | None = None
) -> dict[str, ScrapeInterval]:
    """Return how often jobs are scraped, by their names; what nobody can know yet is left out.

    A source lists its targets by their jobs. What is selected otherwise, or pushes, is measured by its samples.

    Args:
        scopes: The series of these jobs.
        source: Whose samples are counted where it does not list its targets.
        info: What it says of itself, which is always about now.
        at: An instant of the past at which samples are counted; now where it is left out.

    Raises:
        MetricSourceError: It cannot be queried.
    """
    targets = (await info.targets() or []) if at is None else []
    found = {}
    for scope in scopes:
        listed = [each.interval for each in targets if each.interval is not None and scope.covers(each.job)]
        interval = ScrapeInterval(max(listed)) if listed else await _measured(scope, source, at)
        if interval is not None:
            found[scope.name] = interval
    return found


def wrongly_written(
    objectives: Objectives, real: Mapping[str, ScrapeInterval]
) -> list[tuple[Objective, ScrapeInterval]]:
    """Return the first objective of each job and scrape interval that is not the real one, with the real one."""
    firsts = {(each.job, each.scrape_interval): each for each in reversed(objectives.all)}
    found = [(each, real[each.job]) for each in reversed(firsts.values()) if each.job in real]
    return [(each, interval) for each, interval in found if interval.differs_from(each.scrape_interval)]


def other_interval(objective: Objective, real: ScrapeInterval) -> str:
    """Say what is wrong with a scrape interval that is written and is not the real one."""
    written, found = format_span(objective.scrape_interval), format_span(real.span)
    return (
        f"is {written}, but {objective.job} is scraped every {found}: leave it out, as everything is judged interval "
        "by interval"
    )


async def _measured(scope: Scope, source: MetricSource, at: datetime | None) -> ScrapeInterval | None:
    samples = (await source.query(promql.measured_interval(scope), at)).samples
    if not samples or not SHORTEST <= samples[0].value <= promql.MEASURED_OVER.total_seconds():
        return None
    seconds = samples[0].value
    nearest = min(USUAL, key=lambda usual: abs(seconds - usual))
    is_near = abs(seconds - nearest) <= NEAR * nearest
    return ScrapeInterval(timedelta(seconds=nearest if is_near else round(seconds, 1)), is_measured=True)
