"""What only Prometheus knows of the objectives: series that do not exist, bounds that no bucket has.

The file itself can be right and still have an objective that nothing measures. That stops nothing, as the service may
be young, but it is reported, with what to write instead.
"""

from bisect import bisect
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf, isnan

from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram, RequiredSeries
from wine_slo.slo.objectives.near_name import near_name, nearest_name
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.objectives.selector import few, mismatch, parts_of, with_matchers
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Vector
from wine_slo.slo.span import format_seconds

QUANTILE = "quantile"  # the label of the series of a summary

MOST_SERIES = 1000  # whose labels are read
AWAY = "matches no series now, as is so after a restart until the first such event; there were some of late"
HARMLESS = ("by", "breakdown", "clear")  # fields that decide nothing about what is bad


@dataclass(frozen=True, slots=True)
class ObjectiveMistake:
    """One field of one objective, and what is wrong with it.

    Attributes:
        objective: Its name.
        field: The field of slo.yml.
        sentence: What is found of it, as the end of a sentence.
        is_usual: Whether it is so too where all is well, as a failure that never happened has no series.
        is_doubtful: Whether it may be so too where all is well, but hardly.
        is_passing: Whether it can only be said once there are series again.
    """

    objective: str
    field: str
    sentence: str
    is_usual: bool = False
    is_doubtful: bool = False
    is_passing: bool = False

    @property
    def is_settled(self) -> bool:
        """Return whether there is nothing to examine again, as all is well and stays so."""
        return self.is_usual and not self.is_passing

    @property
    def is_of_series(self) -> bool:
        """Return whether something is not counted for it, so that the objective seems to be met, or to be idle."""
        return not self.is_usual and self.field not in HARMLESS


def examinable(objectives: Objectives, readings: Mapping[Key, Reading]) -> Objectives | None:
    """Return the objectives whose series Prometheus has to know; None as long as nothing has any data.

    A target that has been down for five minutes has no series left, and that is no mistake of slo.yml.

    Args:
        objectives: All of them.
        readings: What was read of each label set.
    """
    if not any(each.sight.is_seeing for each in readings.values()):
        return None
    others = {key.objective for key, each in readings.items() if each.sight is not Sight.TARGET_DOWN}
    return replace(objectives, all=tuple(each for each in objectives.all if each.name in others))


async def check_objectives(api: MetricSource, objectives: Objectives) -> list[ObjectiveMistake]:
    """Return what is wrong with the objectives by what Prometheus knows.

    Each is examined by itself: a query that Prometheus refuses hides nothing of the others.

    Raises:
        MetricSourceError: It cannot be queried.
    """
    mistakes = []
    for objective in objectives.all:
        try:
            mistakes += await _of_histogram(api, objective)
        except MetricSourceError as error:
            mistakes.append(_unexamined(objective, "histogram", error))
        try:
            mistakes += await _of_labels(api, objective)
        except MetricSourceError as error:
            mistakes.append(_unexamined(objective, "breakdown" if objective.breakdown else "by", error))
        for required in sorted(objective.source.required, key=lambda each: each.appear_late):  # a total decides
            try:
                mistakes += await _of_series(api, objective, required)
            except MetricSourceError as error:
                mistakes.append(_unexamined(objective, required.field, error))
    return mistakes


def doubts_of(mistakes: Iterable[ObjectiveMistake]) -> dict[str, str]:
    """Return the first thing for each objective that is wrong with its series, by its name."""
    found: dict[str, str] = {}
    for each in mistakes:
        if each.is_of_series:
            found.setdefault(each.objective, f"{each.field} {each.sentence}")
    return found


def _unexamined(objective: Objective, field: str, error: MetricSourceError) -> ObjectiveMistake:
    """Return that a query has no answer.

    Raises:
        MetricSourceError: No query has.
    """
    if not error.is_of_query:
        raise error
    return ObjectiveMistake(objective.name, field, f"cannot be examined: Prometheus: {error}")


async def _of_histogram(api: MetricSource, objective: Objective) -> list[ObjectiveMistake]:
    """Return what is wrong with the histogram of an objective and its bounds."""
    histogram, native = objective.source.bounded, objective.source.native_histogram
    if native is not None:
        return await _of_native(api, objective, native)
    if histogram is None:
        return []
    bounds = await _bounds(api, objective)
    if not bounds:
        return [await _no_histogram(api, objective, histogram)]
    return [
        ObjectiveMistake(objective.name, field, no_bound(seconds, bounds))
        for field, seconds in histogram.bounds
        if seconds not in bounds
    ]


async def _of_series(api: MetricSource, objective: Objective, required: RequiredSeries) -> list[ObjectiveMistake]:
    """Return what is wrong with series that have to exist."""
    if (await api.query(promql.count(required.selector))).samples:
        return []
    sentence = required.missing
    why = await _why_empty(api, required.selector)
    if why.mistake:
        return [ObjectiveMistake(objective.name, required.field, f"{sentence}: it {why.mistake}")]
    metric = parts_of(required.selector)[0]
    names = await _names_beside(api, objective, required.selector)
    others = [each for each in objective.source.required if each != required]
    if not required.appear_late or not all([await _are_known(api, each.selector) for each in others]):
        if near_name(metric, names) is None and await _are_known(api, required.selector):
            return [ObjectiveMistake(objective.name, required.field, AWAY, is_usual=True, is_passing=True)]
        return [ObjectiveMistake(objective.name, required.field, sentence + _nearest(metric, names))]
    used = {parts_of(each.selector)[0] for each in objective.source.required}
    if metric not in names and (near := near_name(metric, names - used)) is not None:
        doubt = f"matches no series, and there is {near}: is that meant?"
        return [ObjectiveMistake(objective.name, required.field, doubt, is_doubtful=True)]
    there = f"; {why.values}" if why.values else ""
    usual = f"matches no series yet, as is so until the first such event{there}"
    return [ObjectiveMistake(objective.name, required.field, usual, is_usual=True)]


async def _are_known(api: MetricSource, selector: str) -> bool:
    """Return whether there are series, or were within some days: what has been started again has none at first."""
    queries = promql.count(selector), promql.count_of_late(selector)
    return any([(await api.query(each)).samples for each in queries])


async def _names_beside(api: MetricSource, objective: Objective, selector: str) -> set[str]:
    """Return the metrics that may be meant by a selector; none where it names no metric, or that cannot be queried."""
    if not parts_of(selector)[0]:
        return set()
    with suppress(MetricSourceError):  # as it would be of too many series
        found = (await api.query(promql.names_beside(selector, objective.scope))).samples
        return {each.labels.get("__name__", "") for each in found} - {""}
    return set()


def _nearest(name: str, names: Collection[str]) -> str:
    """Return the end of a sentence on a metric that does not exist: the one that may be meant, or nothing."""
    nearest = None if name in names else nearest_name(name, names)
    return f"; the nearest name is {nearest}" if nearest else ""


@dataclass(frozen=True, slots=True)
class _WhyEmpty:
    """Why a selector matches nothing: the mistake in it, or the values that there are instead."""

    mistake: str = ""
    values: str = ""


async def _why_empty(api: MetricSource, selector: str) -> _WhyEmpty:
    """Return why a selector matches nothing, found by leaving out one matcher after the other."""
    metric, matchers = parts_of(selector)
    if not metric or not (await api.query(promql.count(metric))).samples:
        return _WhyEmpty()
    values = []
    for matcher in matchers:
        others = [each for each in matchers if each != matcher]
        rest = with_matchers(metric, others)
        if not (await api.query(promql.count(rest))).samples:
            rest = metric  # more than one of them matches nothing
        found = (await api.query(promql.values_of(rest, matcher.label))).samples
        there = sorted({each.labels.get(matcher.label, "") for each in found} - {""})
        if any(map(matcher.matches, there)):
            continue
        one = (await api.query(promql.any_of(rest))).samples
        if mistake := mismatch(matcher, there, [name for each in one for name in each.labels]):
            return _WhyEmpty(mistake=mistake)
        if there and matcher.is_for_a_value:
            values.append(f"{matcher.label} is {few(there)}")
    return _WhyEmpty(values=", ".join(values))


async def _of_labels(api: MetricSource, objective: Objective) -> list[ObjectiveMistake]:
    """Return which labels of `by` and of a breakdown no series has, where there are series."""
    names = [*(("by", name) for name in objective.by), *(("breakdown", name) for name in objective.breakdown or ())]
    if not names:
        return []
    series = (await api.query(promql.label_sets(objective, MOST_SERIES))).samples
    there = {name for each in series for name in each.labels}
    others = few(sorted(there - {"__name__", "job", "le"}))
    return [
        ObjectiveMistake(objective.name, field, f"names the label {name}, which these series do not have: {others}")
        for field, name in names
        if there and name not in there
    ]


async def _of_native(api: MetricSource, objective: Objective, name: str) -> list[ObjectiveMistake]:
    """Return what is wrong with a native histogram."""
    series = objective.source.histogram_series(objective.scope)
    if series is not None and (await api.query(promql.native_histograms(series))).samples:
        return []
    if (await api.query(promql.count(f"{name}_bucket"))).samples:
        return [ObjectiveMistake(objective.name, "native", f"is true, but {name} has buckets; leave it out")]
    if (await api.query(promql.native_histograms(name))).samples:
        return [ObjectiveMistake(objective.name, "selector", f"matches no series of {name}")]
    return [ObjectiveMistake(objective.name, "histogram", f"has no native histogram {name} that Prometheus knows")]


async def _instead_of_buckets(api: MetricSource, name: str) -> str | None:
    """Return what a metric is that has no buckets; None where there is no such metric."""
    if any(each.labels.get(QUANTILE) for each in (await api.query(promql.values_of(name, QUANTILE))).samples):
        return (
            f"is {name}, a summary: it has quantiles of each process, and nothing to count requests within a threshold "
            "by; let the service export a histogram"
        )
    if (await api.query(promql.native_histograms(name))).samples:
        return f"is {name}, a native histogram; write native: true"
    return None


async def _bounds(api: MetricSource, objective: Objective) -> list[float]:
    buckets = promql.bucket_bounds(objective)
    return [] if buckets is None else bounds_in(await api.query(buckets), objective.source.unit_of_values)


async def _no_histogram(api: MetricSource, objective: Objective, histogram: BoundedHistogram) -> ObjectiveMistake:
    """Return what is wrong where there are no buckets."""
    series = f"{histogram.name}_bucket"
    if (other := await _instead_of_buckets(api, histogram.name)) is not None:
        return ObjectiveMistake(objective.name, "histogram", other)
    if histogram.selector and (await api.query(promql.count(series))).samples:
        why = (await _why_empty(api, f"{series}{{{histogram.selector}}}")).mistake
        return ObjectiveMistake(
            objective.name, "selector", f"matches no series of {series}" + (f": it {why}" if why else "")
        )
    beside = await _names_beside(api, objective, series)
    names = {each.removesuffix("_bucket") for each in beside if each.endswith("_bucket")}
    if near_name(histogram.name, names) is None and await _are_known(api, series):
        return ObjectiveMistake(objective.name, "histogram", AWAY, is_usual=True, is_passing=True)
    there = _nearest(histogram.name, names)
    return ObjectiveMistake(objective.name, "histogram", f"has no series {series} that Prometheus knows{there}")


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
    it, low, high = (f"{format_seconds(each)} s" for each in (seconds, below, above if above < inf else 0.0))
    if below == 0.0 and above == inf:
        return f"is {it}, and no bucket but +Inf has a bound: nothing is known of how long requests take"
    if above == inf:
        return f"is {it}, above the highest bucket bound, {low}: slower requests cannot be distinguished"
    off_by = format_seconds(float(f"{above - below:.3g}"))
    return (
        f"is {it}, which is no bucket bound: requests within it cannot be counted, and their quantile is off by up to "
        f"{off_by} s; the nearest bounds are {low} and {high}"
    )
