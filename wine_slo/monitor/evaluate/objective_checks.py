"""What only Prometheus knows of the objectives: series that do not exist, bounds that no bucket has.

The file itself can be right and still have an objective that nothing measures. That stops nothing, as the service may
be young, but it is reported, with what to write instead.
"""

from bisect import bisect
from contextlib import suppress
from dataclasses import dataclass
from math import inf, isnan

from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Objective, Objectives
from wine_slo.slo.source.metric_source import MetricSource, Vector


@dataclass(frozen=True, slots=True)
class ObjectiveMistake:
    """One field of one objective, and what is wrong with it."""

    objective: str
    field: str
    sentence: str


async def check_objectives(api: MetricSource, objectives: Objectives) -> list[ObjectiveMistake]:
    """Return what is wrong with the objectives by what Prometheus knows.

    Raises:
        MetricSourceError: It cannot be queried.
    """
    mistakes = []
    for objective in objectives.all:
        match objective.source:
            case Latency() as source:
                mistakes += await _check_latency(api, objective, source)
            case Ratio(bad=bad, total=total):
                for field, selector in (("bad", bad), ("total", total)):
                    if not (await api.query(promql.count(selector))).samples:
                        mistakes.append(
                            ObjectiveMistake(objective.name, field, "matches no series that Prometheus knows")
                        )
    return mistakes


async def _check_latency(api: MetricSource, objective: Objective, source: Latency) -> list[ObjectiveMistake]:
    buckets = promql.bucket_bounds(objective)
    bounds = [] if buckets is None else bounds_in(await api.query(buckets))
    if not bounds:
        histogram = f"{source.histogram}_bucket"
        if source.selector and (await api.query(promql.count(histogram))).samples:
            return [ObjectiveMistake(objective.name, "selector", f"matches no series of {histogram}")]
        return [ObjectiveMistake(objective.name, "histogram", f"has no series {histogram} that Prometheus knows")]
    mistakes = []
    for field, seconds in (("threshold", source.threshold_seconds), ("clear", source.clear_seconds)):
        if seconds is not None and seconds not in bounds:
            mistakes.append(ObjectiveMistake(objective.name, field, no_bound(seconds, bounds)))
    if source.oldest_age and not (await api.query(promql.count(source.oldest_age))).samples:
        mistakes.append(
            ObjectiveMistake(objective.name, "oldest_age", f"names {source.oldest_age}, which has no series")
        )
    return mistakes


def bounds_in(vector: Vector) -> list[float]:
    """Return the bucket bounds among label sets, lowest first; what is no number is no bound."""
    bounds = set()
    for each in vector.samples:
        with suppress(ValueError):
            bounds.add(float(each.labels.get("le", "")))
    return sorted(bound for bound in bounds if not isnan(bound))


def no_bound(seconds: float, bounds: list[float]) -> str:
    """Return what is wrong with a threshold that is none of these sorted bounds."""
    place = bisect(bounds, seconds)
    below, above = (bounds[place - 1] if place else 0.0), (*bounds, inf)[place]
    if below == 0.0 and above == float("inf"):
        return f"is {seconds:g} s, and no bucket but +Inf has a bound: nothing is known of how long requests take"
    if above == float("inf"):
        return f"is {seconds:g} s, above the highest bucket bound, {below:g} s: slower requests cannot be distinguished"
    return (
        f"is {seconds:g} s, which is no bucket bound: requests within it cannot be counted, and their quantile is off "
        f"by up to {above - below:.3g} s; the nearest bounds are {below:g} s and {above:g} s"
    )
