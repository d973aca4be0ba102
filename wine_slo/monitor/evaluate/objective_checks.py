"""What only Prometheus knows of the objectives: series that do not exist, bounds that no bucket has.

The file itself can be right and still have an objective that nothing measures. That stops nothing, as the service may
be young, but it is reported, with what to write instead.
"""

from bisect import bisect
from contextlib import suppress
from dataclasses import dataclass
from math import inf, isnan

from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram
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
        histogram = objective.source.bounded
        bounds = [] if histogram is None else await _bounds(api, objective)
        if histogram is not None and not bounds:
            mistakes.append(await _no_histogram(api, objective, histogram))
            continue
        for field, seconds in histogram.bounds if histogram else ():
            if seconds not in bounds:
                mistakes.append(ObjectiveMistake(objective.name, field, no_bound(seconds, bounds)))
        mistakes += [
            ObjectiveMistake(objective.name, each.field, each.missing)
            for each in objective.source.required
            if not (await api.query(promql.count(each.selector))).samples
        ]
    return mistakes


async def _bounds(api: MetricSource, objective: Objective) -> list[float]:
    buckets = promql.bucket_bounds(objective)
    return [] if buckets is None else bounds_in(await api.query(buckets), objective.source.unit_of_values)


async def _no_histogram(api: MetricSource, objective: Objective, histogram: BoundedHistogram) -> ObjectiveMistake:
    """Return what is wrong where there are no buckets."""
    series = f"{histogram.name}_bucket"
    if histogram.selector and (await api.query(promql.count(series))).samples:
        return ObjectiveMistake(objective.name, "selector", f"matches no series of {series}")
    return ObjectiveMistake(objective.name, "histogram", f"has no series {series} that Prometheus knows")


def bounds_in(vector: Vector, unit: float = 1.0) -> list[float]:
    """Return the bucket bounds among label sets in seconds, lowest first; what is no number is no bound.

    Args:
        vector: The label sets.
        unit: How many seconds a bound of 1 is.
    """
    bounds = set()
    for each in vector.samples:
        with suppress(ValueError):
            bounds.add(float(f"{float(each.labels.get('le', '')) * unit:.12g}"))
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
