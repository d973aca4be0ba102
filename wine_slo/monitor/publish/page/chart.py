"""The charts of the status page: a line over a while, in the units of an SVG, and what it says in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise

from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views.series import History
from wine_slo.slo.views.status_schema import IncidentStatus, ObjectiveStatus

percent, seconds = ENGLISH.percent, ENGLISH.seconds

WIDTH, HEIGHT = 600.0, 100.0  # of a picture, in its own units
HEADROOM = 1.25  # of a picture, above what it shows


@dataclass(frozen=True, slots=True)
class PageChart:
    """A line over a while, in the units of an SVG, and what it says in words."""

    paths: tuple[str, ...]
    limit: float | None  # how high the target is; None where it is beyond the picture
    breaches: tuple[tuple[float, float], ...]  # where they begin, and how wide they are
    highest: str
    words: str


def picture_of(
    slo: ObjectiveStatus,
    points: Mapping[float, float],
    history: History,
    incidents: Sequence[IncidentStatus],
    zone: tzinfo,
) -> PageChart:
    """Return the chart of an objective: its values, its target, and where it was in breach.

    Args:
        slo: The objective.
        points: Its values, by epoch seconds.
        history: The time that is drawn.
        incidents: Its incidents.
        zone: Of the times in words.
    """
    limit = 1 - slo.objective_ratio if slo.threshold_seconds is None else slo.threshold_seconds
    top = HEADROOM * max((limit, *points.values()))
    first, length = history.first.timestamp(), (history.last - history.first).total_seconds()

    def across(at: float) -> float:
        return min(max((at - first) / length, 0.0), 1.0) * WIDTH

    def up(value: float) -> float:
        return HEIGHT * (1 - value / top)

    breaches = []
    for each in incidents:
        for bad in each.bad_times:
            ends_at = bad.ended_at or history.last
            begin, end = across(bad.began_at.timestamp()), across(ends_at.timestamp())
            if end > 0 and ends_at >= history.first:
                breaches.append((round(begin, 1), round(max(end - begin, 2.0), 1)))
    return PageChart(
        paths=tuple(
            " ".join(
                f"{'M' if place == 0 else 'L'}{across(at):.1f} {up(points[at]):.1f}" for place, at in enumerate(run)
            )
            + " h0.1"
            for run in _runs(sorted(points), 1.5 * history.step.total_seconds())
        ),
        limit=round(up(limit), 1),
        breaches=tuple(breaches),
        highest=percent(min(top, 1.0)) if slo.threshold_seconds is None else seconds(top),
        words=_in_words(slo, points, limit, zone),
    )


def _runs(instants: Sequence[float], longest: float) -> Iterator[list[float]]:
    """Yield values of instants in a row; a hole in which nothing was scraped is not drawn over."""
    run = list(instants[:1])
    for earlier, later in pairwise(instants):
        if later - earlier > longest:
            yield run
            run = []
        run.append(later)
    if run:
        yield run


def _in_words(slo: ObjectiveStatus, points: Mapping[float, float], limit: float, zone: tzinfo) -> str:
    if not points:
        return "no data in this time"
    bounds, is_share = slo.bucket_bounds_seconds, slo.threshold_seconds is None
    what = f" {KINDS[slo.kind].text.bad}" if is_share else ""

    def say(value: float) -> str:
        return percent(value) if is_share else ENGLISH.latency(value, bounds)

    worst_at, worst = max(points.items(), key=lambda each: each[1])
    best = min(points.values())
    if say(best) == say(worst):
        return f"{say(worst)}{what} all the time"
    when = datetime.fromtimestamp(worst_at, zone)
    above = sum(value > limit for value in points.values()) / len(points)
    broken = f"{percent(above)} of the time worse than the target" if above else "never worse than the target"
    return f"from {say(best)} to {say(worst)}{what} (at {when:%H:%M}), {broken}"
