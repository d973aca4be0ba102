"""The queries of a discovery: which jobs there are, and what metrics each has.

Four queries a job, and one for each metric that an objective may be made of. Whatever speaks PromQL can answer them.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval, scrape_intervals
from wine_slo.monitor.onboarding.discovery import conventions
from wine_slo.monitor.onboarding.discovery.found import Job, Labels, Metric
from wine_slo.monitor.onboarding.discovery.statuses import STATUS_LABELS
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.selector import NAME
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError, Sample, SourceInfo, finite_bounds

AT_ONCE = 4  # jobs; a large Prometheus is busy with each
MOST_SERIES = 500  # of one metric whose labels are read; of more, the busiest
MOST_METRICS = 12  # of a job whose labels are read
OF_TARGET = (  # what every series of a target has, or that distinguishes replicas
    "__name__", "job", "instance", "le", "pod", "pod_name", "namespace", "container", "node", "service",
    "cluster", "replica", "prometheus", "host", "hostname", "otel_scope_name", "otel_scope_version",
)  # fmt: skip
COUNTERS = ("_total", "_count")
CLASSIC = re.compile(NAME)  # since Prometheus 3 a name may have any letters, which slo.yml has no fields for
SWITCH = re.compile(r"probe_success|[a-z0-9]+_up")  # not node_network_up: an interface may well be down
MOMENT = re.compile(r".*last_?(success|successful|completed)\w*(time|timestamp|seconds)\w*|push_time_seconds")


async def discover(source: MetricSource, info: SourceInfo) -> list[Job]:
    """Return every job with what was found of it, by name; empty where nothing is scraped.

    Args:
        source: Answers queries.
        info: Says how often jobs are scraped.

    Raises:
        MetricSourceError: It cannot be queried.
    """
    targets = {each.labels.get("job", ""): round(each.value) for each in await _vector(source, "count by (job) (up)")}
    answering = {each.labels.get("job", ""): round(each.value) for each in await _vector(source, "sum by (job) (up)")}
    pushed = await _vector(source, 'count by (job) ({job!="", __name__=~".+_(total|bucket|count)|push_time_seconds"})')
    names = sorted(filter(None, {*targets, *(each.labels.get("job", "") for each in pushed)}))
    intervals = await scrape_intervals([Scope.of_jobs(each) for each in names if each in targets], source, info)
    slots = asyncio.Semaphore(AT_ONCE)

    async def found(name: str) -> Job:
        async with slots:
            return await _job(source, name, targets.get(name, 0), answering.get(name, 0), intervals.get(name))

    return list(await asyncio.gather(*map(found, names)))


async def _job(source: MetricSource, name: str, targets: int, up: int, interval: ScrapeInterval | None) -> Job:
    bounds = await _bounds(source, name)
    statuses = await _statuses(source, name)
    histograms = [Metric(name=each, bounds=of) for each, of in sorted(bounds.items())]
    counters = [
        Metric(name=each, labels=labels)
        for each, labels in sorted(statuses.items())
        if labels and not (each.endswith("_count") and each.removesuffix("_count") in bounds) and _is_counter(each)
    ]
    bare = sorted(
        each.removesuffix("_count")
        for each in statuses
        if each.endswith("_count") and each.removesuffix("_count") not in bounds
    )
    return Job(
        name=name,
        targets=targets,
        targets_up=up,
        interval=interval,
        histograms=tuple(await _with_labels(source, name, histograms, "_count", conventions.points_of_histogram)),
        counters=tuple(await _with_labels(source, name, counters, "", conventions.points_of_counter)),
        switches=tuple(await _switches(source, name, filter(SWITCH.fullmatch, statuses))),
        moments=tuple(Metric(name=each) for each in sorted(statuses) if MOMENT.fullmatch(each)),
        bare=tuple(each for each in bare if conventions.unit_of(Metric(name=each)) is not None),
    )


async def _bounds(source: MetricSource, job: str) -> dict[str, tuple[float, ...]]:
    """Return the bucket bounds of each histogram of a job."""
    buckets = _select("", job, '__name__=~".+_bucket"')
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for each in await _vector(source, f"count by (__name__, le) ({buckets})"):
        samples[each.labels.get("__name__", "").removesuffix("_bucket")].append(each)
    bounds = {name: finite_bounds(each) for name, each in samples.items()}
    return {name: each for name, each in bounds.items() if each and CLASSIC.fullmatch(name)}


async def _statuses(source: MetricSource, job: str) -> dict[str, Labels]:
    """Return each metric of a job, with the values of its labels that may say how events ended."""
    others = _select("", job, '__name__!~".+_(bucket|sum|created)"')
    values: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in await _vector(source, f"count by (__name__, {', '.join(STATUS_LABELS)}) ({others})"):
        of_metric = values[each.labels.get("__name__", "")]
        for label in STATUS_LABELS:
            if each.labels.get(label):
                of_metric[label].add(each.labels[label])
    return {name: _sorted(labels) for name, labels in values.items() if CLASSIC.fullmatch(name)}


async def _with_labels(
    source: MetricSource, job: str, metrics: Sequence[Metric], suffix: str, points: Callable[[Metric], int]
) -> list[Metric]:
    """Return metrics, those with their labels that an objective is most likely made of."""
    likely = sorted(metrics, key=lambda each: (-points(each), each.name))[:MOST_METRICS]
    read = await asyncio.gather(*(_labels(source, _select(f"{each.name}{suffix}", job)) for each in likely))
    known = {each.name: labels for each, labels in zip(likely, read, strict=True)}
    return [Metric(name=each.name, bounds=each.bounds, labels=known.get(each.name, each.labels)) for each in metrics]


async def _labels(source: MetricSource, selector: str) -> Labels:
    """Return the labels of a metric with their values, but for those that every series of a target has."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    samples = await _vector(source, f"topk({MOST_SERIES}, {selector})")
    for each in samples:
        for label, value in each.labels.items():
            if label not in OF_TARGET:
                values[label].add(value)
    if len(samples) >= MOST_SERIES:  # those with few events, such as the failed ones, may not be among them
        for label in [each for each in values if each in STATUS_LABELS]:
            rest = await _vector(source, f"count by ({label}) ({selector})")
            values[label] |= {each.labels.get(label, "") for each in rest}
    return _sorted(values)


async def _switches(source: MetricSource, job: str, names: Iterable[str]) -> list[Metric]:
    """Return those gauges that are 0 or 1."""
    wanted = sorted(set(names) - {"up"})
    if not wanted:
        return []
    selector = _select("", job, f'__name__=~"{"|".join(wanted)}"')
    others = {each.labels.get("__name__") for each in await _vector(source, f"({selector} != 0) != 1")}
    return [Metric(name=each) for each in wanted if each not in others]


async def _vector(source: MetricSource, promql: str) -> Sequence[Sample]:
    """Return an answer; nothing where this query alone has none, as it would be too large."""
    try:
        return (await source.query(promql)).samples
    except MetricSourceError as error:
        if error.is_of_query:
            return ()
        raise


def _select(metric: str, job: str, *matchers: str) -> str:
    return Scope.of_jobs(job).select(metric, *matchers)


def _is_counter(name: str) -> bool:
    return name.endswith(COUNTERS) or conventions.convention_of(name).points > 0


def _sorted(values: Mapping[str, set[str]]) -> Labels:
    return {label: tuple(sorted(each - {""})) for label, each in sorted(values.items()) if each - {""}}
