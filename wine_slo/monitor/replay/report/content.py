"""What every form of the report shows: the figures of each replay, computed once, and how values read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Self

from wine_slo.monitor.replay.story import Alarm, BudgetLeft, Quartiles, Score, Story, Summary, days
from wine_slo.monitor.replay.sweep import Sweep
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.text.language import ENGLISH

LIMITS = (
    "The ticks of the live watchdog: here they are on whole multiples of the poll, so instants may differ by seconds.",
    "Objectives as they were then, silences, acknowledgements, reminders, and whether messages were delivered.",
    "Whether targets or Prometheus were down where there are no samples: they then count as targets that are down.",
    "Times in which Prometheus scraped but did not answer: here it answers.",
    "Label sets that Prometheus no longer keeps, and stuck requests where no gauge of their age was recorded.",
    "The last digits of budgets: windows of more than six hours are sums of five minutes.",
    "Events during a gap of only some targets, or during one before the begin: they are in no budget.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One replay.

    Attributes:
        story: Its result.
        value: The value of the sweep; None without one.
        score: How it compares with the known incidents; None without these.
        total: The figures of all objectives together.
        summaries: The figures of each objective, by name.
    """

    story: Story
    value: float | None
    score: Score | None
    total: Summary
    summaries: Mapping[str, Summary]

    @classmethod
    def of(cls, story: Story, value: float | None = None, score: Score | None = None) -> Self:
        """Return a replay with its figures."""
        summaries = {name: story.summary(name) for name in story.objectives.by_name}
        return cls(story=story, value=value, score=score, total=story.summary(), summaries=summaries)


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """Everything that the report of a replay shows.

    Attributes:
        runs: One, or one for each value of the sweep.
        sweep: The field and the values that are compared; None where there is one replay.
        poll: How far apart ticks were.
        notes: What else applies to this replay.
        zone: In which instants are shown.
    """

    runs: Sequence[Run]
    sweep: Sweep | None
    poll: timedelta
    notes: Sequence[str]
    zone: tzinfo

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what this replay cannot know."""
        return (*self.notes, *LIMITS)


def headline(report: ReplayReport) -> str:
    """Return what was replayed: `Replay of 30 days: 2026-10-01 to 2026-10-31, 21,767 evaluations`."""
    story = report.runs[0].story
    evaluations = sum(run.story.evaluations for run in report.runs)
    return (
        f"Replay of {span(story.span)}: {moment(story.since, report.zone)} to "
        f"{moment(story.until, report.zone)}, {ENGLISH.number(evaluations)} evaluations"
    )


def score_line(score: Score) -> str:
    """Return how the alarms compare with the known incidents, as sentences."""
    return (
        f"{score.true_alarms} of {score.alarms} alarms were true (precision {share(score.precision)}). "
        f"{score.detected} of {score.known} known incidents were detected (recall {share(score.recall)}), "
        f"after {spread(score.detected_in)}."
    )


def span(value: timedelta) -> str:
    """Return a span as people read it."""
    return ENGLISH.span(value)


def spread(quartiles: Quartiles | None) -> str:
    """Return the median and the longest of some spans, in words."""
    return "–" if quartiles is None else f"{span(quartiles.median)}, {span(quartiles.longest)} at most"


def short_spread(quartiles: Quartiles | None) -> str:
    """Return the same for a column of a table."""
    return "–" if quartiles is None else f"{span(quartiles.median)}, ≤ {span(quartiles.longest)}"


def share(value: float | None) -> str:
    """Return a share in percent."""
    return "–" if value is None else ENGLISH.percent(value)


def moment(at: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """Return an instant in a zone."""
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}{local:{':%S' if seconds else ' %Z'}}"


def worst(alarm: Alarm, story: Story) -> str:
    """Return the worst value of an alarm in its unit, no more exact than the buckets of the histogram."""
    objective = story.objectives.of(alarm.key)
    if alarm.worst is None or objective is None:
        return ""
    if objective.is_latency:
        return ENGLISH.latency(alarm.worst, alarm.bounds, apart_from=objective.source.threshold)
    return f"{ENGLISH.percent(alarm.worst)} {'down' if objective.is_up else 'bad'}"


def budget_by_day(story: Story, objective: Objective) -> list[BudgetLeft]:
    """Return what was left of a budget at the end of each day; of the label set that has least."""
    mine = [days(each) for key, each in story.budgets.items() if key.objective == objective.name]
    return min(mine, key=lambda each: each[-1].share) if mine else []


def budget_left(story: Story, objective: Objective) -> str:
    """Return what is left of a budget at the end, in percent."""
    left = budget_by_day(story, objective)
    return share(left[-1].share if left else None)
