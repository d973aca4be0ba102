"""The queries, as PromQL; one function for each. What differs by kind of objective comes from its indicator.

An *interval* is what happened between two scrapes. `irate` over four scrape intervals takes the last two samples;
queried at every scrape interval, and only where the newer sample is fresh, each scrape is counted exactly once
whatever the phase, a missed scrape is a hole instead of an echo of the one before, and counter resets are seen
series by series.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil

from wine_slo.metric_names import ENDPOINT
from wine_slo.slo.objectives.kinds import counting
from wine_slo.slo.objectives.kinds.indicator import Events
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.objectives.scope import JOB, Scope
from wine_slo.slo.objectives.selector import parts_of
from wine_slo.slo.source.deployment import VERSION_LABELS, VersionSeries
from wine_slo.slo.span import format_range
from wine_slo.slo.usual_spans import last_scrapes

MEASURED_OVER = timedelta(minutes=10)
OF_LATE = timedelta(minutes=1)  # the range over which the rate is given, and endpoints are named as slow or fine
GONE_FOR = timedelta(hours=1)  # targets that have vanished count as down for so long, and as unknown after that
SERIES_KNOWN_FOR, SERIES_SEEN_EVERY = timedelta(days=3), timedelta(minutes=5)
ESTABLISHED = 0.75  # of the last scrapes; a target that has had so many is not new, though Prometheus was restarted
BEHIND = 1_000_000  # scrapes; more than there can be, so that new targets come after all others
SAMPLED_OVER, SAMPLED_EVERY = timedelta(hours=6), timedelta(minutes=1)  # in longer ranges not each scrape is compared


def interval_queries(objective: Objective) -> dict[str, str | None]:
    """Return the query of each answer that has a value for each interval, by its name; None where it has none."""
    return {
        "total": total_per_interval(objective),
        "good": good_per_interval(objective),
        "bad": bad_per_interval(objective),
        "clear": clear_per_interval(objective),
        "ages": oldest_age_per_interval(objective),
    }


def instant_queries(objective: Objective) -> dict[str, str | None]:
    """Return the query of each answer that has one value at the instant, by its name; None where it has none."""
    return {
        "of_late": events(objective, OF_LATE),
        "shown": events(objective, objective.over),
        "long": events(objective, objective.expires_after),
        "over": quantile(objective, objective.over),
        "recent": quantile(objective, objective.recent),
        "ratio": good_ratio(objective, objective.over),
        "total_settled": total_settled(objective),
        "part_settled": part_settled(objective),
        "with_bucket_settled": with_bucket_settled(objective),
        "missed": missed_value(objective),
        "unanswered": scrapes_unanswered(objective),
        "by_endpoint": quantile_by_endpoint(objective, OF_LATE),
    }


def targets_up(objective: Objective) -> str:
    """Return whether each target answered its last scrape, 1 or 0; 1 for each label set of what has no `up`."""
    scope = objective.scope
    return scope.samples if scope.has_up else f"{targets_scraped_at(objective)} * 0 + 1"


def targets_scraped_at(objective: Objective) -> str:
    """Return when each target was scraped last, or each label set of what has no `up`, in seconds since the epoch."""
    scope, counted = objective.scope, objective.source.all_events(objective.scope)
    if scope.has_up:
        return f"timestamp({scope.samples})"
    series = (scope.samples,) if counted is None else counted.selectors
    return f"max{_by(objective)} ({counting.joined(f'timestamp({each})' for each in series)})"


def scrapes_unanswered(objective: Objective) -> str | None:
    """Return how many of the last scrapes were not answered by the target that answered most of them, of all there are.

    A target that has just joined says nothing of the others, so it counts only where all are new. What is scraped more
    often than others is counted by its share.

    None where the targets have no `up`, or are themselves what the objective is about.
    """
    samples, interval = objective.scope.samples, objective.scrape_interval
    if not objective.scope.has_up or objective.is_up:
        return None
    most = last_scrapes(interval)
    seen = f"{samples}[{format_range(most * interval)}]"
    missed = f"(1 - avg_over_time({seen})) * clamp_max(count_over_time({seen}), {most})"
    is_new = f"(count_over_time({seen}) < bool {ceil(ESTABLISHED * most)})"
    return f"min({missed} + {BEHIND} * {is_new} and {samples}) % {BEHIND}"


def measured_interval(scope: Scope) -> str:
    """Return how far apart scrapes were in the last ten minutes, in seconds; none before there are three.

    The median of its targets: what was not there all the time, or missed scrapes, says less of the job than others do.
    The first sample is found by steps of a second, so that eight of them make an error of an eighth at the most.
    """
    series, span = scope.samples, format_range(MEASURED_OVER)
    lasts = f"timestamp({series}) - min_over_time(timestamp({series})[{span}:1s]) > 8"
    return f"quantile(0.5, ({lasts}) / (count_over_time({series}[{span}]) - 1 > 1))"


def targets_of_late(objective: Objective) -> str:
    """Return how many targets the job has or had recently, or how many series that show what has no `up`."""
    return f"count(last_over_time({objective.scope.samples}[{format_range(GONE_FOR)}]))"


def infos(scope: Scope) -> str | None:
    """Return the gauges called `…_info` with the labels that may be a version; None where they are of any job."""
    if not scope.matcher:
        return None
    gauges = scope.select("", '__name__=~".+_info"')
    return f"count by (__name__, {', '.join(VERSION_LABELS)}) ({gauges})"


def versions_first_seen(objective: Objective, series: VersionSeries, span: timedelta) -> str | None:
    """Return when each version was first seen within a span, in seconds since the epoch; None of another job.

    A selector that names no job is one of the objective's own.
    """
    metric, matchers = parts_of(series.selector)
    of_job = [each for each in matchers if each.label == JOB]
    if any(not any(map(each.matches, objective.job.split(", "))) for each in of_job):
        return None
    is_whole = bool(of_job) or not metric
    selector = series.selector if is_whole else objective.scope.select(metric, *map(str, matchers))
    step = format_range(objective.scrape_interval)
    return f"min by ({series.label}) (min_over_time(timestamp({selector})[{format_range(span)}:{step}]))"


def started_at(scope: Scope) -> str:
    """Return when the process of each target started, in seconds since the epoch."""
    return scope.select("process_start_time_seconds")


def total_per_interval(objective: Objective) -> str:
    """Return the events a second in each interval; of scrapes, how many there were."""
    events = objective.source.all_events(objective.scope)
    if events is None:
        return f"count{_by(objective)} ({_fresh_scrapes(objective)})"
    return _interval_rate(objective, events)


def bad_per_interval(objective: Objective) -> str | None:
    """Return the bad events a second in each interval; None where good ones are counted."""
    events = objective.source.bad_events(objective.scope)
    return None if events is None else _interval_rate(objective, events)


def good_per_interval(objective: Objective) -> str | None:
    """Return the good events a second in each interval; None where bad ones are counted."""
    if objective.counts_scrapes:
        return f"sum{_by(objective)} ({_fresh_scrapes(objective)})"
    events = objective.source.good_events(objective.scope)
    return None if events is None else _interval_rate(objective, events)


def total_settled(objective: Objective) -> str | None:
    """Return how many series of all events exist and existed before; None where scrapes are events."""
    return _settled(objective, objective.source.all_events(objective.scope))


def part_settled(objective: Objective) -> str | None:
    """Return the same of the good ones, or of the bad ones where those are counted."""
    return _settled(objective, _part(objective))


def with_bucket_settled(objective: Objective) -> str | None:
    """Return the same of those that must have the bucket of the threshold; None where all or none must."""
    source, scope = objective.source, objective.scope
    events = source.with_bucket(scope)
    return None if source.bounded is None or events == source.all_events(scope) else _settled(objective, events)


def total_across(objective: Objective, gap: timedelta) -> str | None:
    """Return the events from the last sample before a gap to the newest one; None where each scrape is an event."""
    return _difference(objective, objective.source.all_events(objective.scope), gap)


def part_across(objective: Objective, gap: timedelta) -> str | None:
    """Return the good ones of these events, or the bad ones where those are counted."""
    return _difference(objective, _part(objective), gap)


def clear_per_interval(objective: Objective) -> str | None:
    """Return the events a second in each interval that are as good as a recovery wants; None where all good are."""
    events = objective.source.clear_events(objective.scope)
    return None if events is None else _interval_rate(objective, events)


def oldest_age_per_interval(objective: Objective) -> str | None:
    """Return the age in seconds of the oldest unanswered request; None where that is not exported."""
    series = objective.source.oldest(objective.scope)
    return None if series is None else f"max{_by(objective)} ({counting.fresh(series, objective.scrape_interval)})"


def missed_value(objective: Objective) -> str | None:
    """Return the value of a gauge that is furthest from good, of those that are not good; None of other kinds."""
    source, scope = objective.source, objective.scope
    missed = source.missed(scope)
    if missed is None:
        return None
    furthest, values = missed
    return f"{furthest}{_by(objective)} ({counting.fresh(values, objective.scrape_interval, source.scraped(scope))})"


def quantile(objective: Objective, over: timedelta, *more: str) -> str | None:
    """Return the objective's quantile in seconds over a range, by label set and by `more` labels it has; else None."""
    # A series without such a label says nothing by it, and where none has it, as is usual, the query costs nothing.
    named = [f'{label}!=""' for label in more]
    series, bounded = objective.source.histogram_series(objective.scope, *named), objective.source.bounded
    if series is None or not objective.is_latency:
        return None
    le = () if bounded is None else ("le",)
    rate = f"sum{_by(objective, *le, *more)} (rate({series}[{format_range(over)}]))"
    unit = objective.source.unit_of_values
    found = f"histogram_quantile({objective.ratio:.10g}, {rate})"
    return found if unit == 1 else f"{found} * {unit:.10g}"


def quantile_by_endpoint(objective: Objective, over: timedelta) -> str | None:
    """Return the objective's quantile in seconds over a range, endpoint by endpoint."""
    return quantile(objective, over, ENDPOINT)


def value(objective: Objective, over: timedelta) -> str:
    """Return what a chart draws: the quantile in seconds, or the share of bad events, over a range."""
    return quantile(objective, over) or f"1 - ({good_ratio(objective, over)})"


def good_ratio(objective: Objective, over: timedelta) -> str:
    """Return the share of good events over a range: the SLI. Nothing where there were no events."""
    source, scope = objective.source, objective.scope
    total, good, bad = source.all_events(scope), source.good_events(scope), source.bad_events(scope)
    if total is None:
        return f"avg{_by(objective)} (avg_over_time({_good_scrapes(objective, over)}))"
    events_of_range = f"({_increase(objective, total, over)} > 0)"
    if bad is not None:
        return f"1 - ({_increase(objective, bad, over)} / {events_of_range} or {events_of_range} * 0)"
    assert good is not None  # noqa: S101  # a kind counts either of them
    some = f"{_increase(objective, good, over)} / {events_of_range}"
    if total == source.with_bucket(scope) and source.bounded is not None:
        return some  # without a good one there is no bucket
    return f"{some} >= 0 or {events_of_range} * 0"


def events(objective: Objective, over: timedelta) -> str:
    """Return how many events there were over a range; each failed scrape and each answered one is an event too."""
    total = objective.source.all_events(objective.scope)
    if total is None:
        series = objective.source.scraped(objective.scope)
        return f"sum{_by(objective)} (count_over_time({series}[{format_range(over)}]))"
    return _increase(objective, total, over)


def seconds_of_history(objective: Objective, within: timedelta | None = None) -> str:
    """Return for how long the source has known the job, in seconds, at most a span or else the budget's window.

    To the hour, and to ten seconds while it is younger than that: a finer query over a whole window costs too much.
    """
    # Not `timestamp()`: before 2.47, Prometheus reads all samples anew for each of its instants, which takes seconds.
    samples = objective.scope.samples
    seen_at = f"(0 * {samples if objective.scope.has_up else f'count({samples})'} + time())"
    # Each with a label of its own, as `or` drops what is labelled like something before it.
    first = " or ".join(
        f'label_replace(min(min_over_time({seen_at}[{each}])), "range", "{name}", "", "")'
        for name, each in (("long", f"{format_range(within or objective.window)}:1h"), ("young", "1h:10s"))
    )
    return f"time() - min({first})"


def label_sets(objective: Objective, most: int) -> str:
    """Return the series of all events that there were in the objective's range; at most so many."""
    source, scope = objective.source, objective.scope
    counted = source.all_events(scope)
    selectors = (source.scraped(scope),) if counted is None else counted.selectors
    series = " or ".join(f"present_over_time({each}[{format_range(objective.over)}])" for each in selectors)
    return f"topk({most}, {series})"


def bucket_bounds(objective: Objective) -> str | None:
    """Return every bucket bound of the histogram, as label sets; None where there is none."""
    buckets = objective.source.histogram_series(objective.scope)
    return None if objective.source.bounded is None else f"count by (le) ({buckets})"


def increase_by_bound(objective: Objective, over: timedelta) -> str | None:
    """Return the events over a range within each bucket bound; None where other things make them good or bad."""
    if objective.source.bounded is None or not objective.is_latency:
        return None
    buckets = objective.source.histogram_series(objective.scope)
    return f"sum{_by(objective, 'le')} (increase({buckets}[{format_range(over)}]))"


def count(selector: str) -> str:
    """Return how many series match."""
    return f"count({selector})"


def count_of_late(selector: str) -> str:
    """Return how many series have matched within some days, so that a weekend without any is covered."""
    spans = format_range(GONE_FOR), f"{format_range(SERIES_KNOWN_FOR)}:{format_range(SERIES_SEEN_EVERY)}"
    return f"count({' or '.join(f'last_over_time({selector}[{each}])' for each in spans)})"


def names_beside(selector: str, scope: Scope) -> str:
    """Return the metrics of the same job, or where no job is named those that begin alike, whose first letter is equal.

    Args:
        selector: It names the metric, and perhaps the job.
        scope: The series of the targets.
    """
    metric, matchers = parts_of(selector)
    jobs = [str(each) for each in matchers if each.label == JOB] or [each for each in (scope.matcher,) if each]
    beginning = metric[:1] if jobs else metric.partition("_")[0]
    selected = ", ".join([*jobs, f'__name__=~"{beginning}.*"'])
    return f"count by (__name__) ({{{selected}}})"


def native_histograms(selector: str) -> str:
    """Return how many native histograms match."""
    return f"count(histogram_count({selector}))"


def values_of(selector: str, label: str) -> str:
    """Return how many series have each value of a label, of the values that most of them have."""
    return f"topk(200, count by ({label}) ({selector}))"


def any_of(selector: str) -> str:
    """Return one of the series that match, with all of its labels."""
    return f"topk(1, {selector})"


def _interval_rate(objective: Objective, events: Events) -> str:
    return f"sum{_by(objective)} ({counting.rate_per_interval(events, objective.scrape_interval)})"


def _increase(objective: Objective, events: Events, over: timedelta) -> str:
    return counting.increase(events, over, f"sum{_by(objective)}")


def _difference(objective: Objective, events: Events | None, gap: timedelta) -> str | None:
    if events is None:
        return None
    return f"sum{_by(objective)} ({counting.difference(events, objective.scrape_interval, gap)})"


def _settled(objective: Objective, events: Events | None) -> str | None:
    if events is None:
        return None
    return f"count{_by(objective)} ({counting.settled(events, objective.scrape_interval)})"


def _part(objective: Objective) -> Events | None:
    """Return what counts good events, or bad ones where those are counted."""
    source, scope = objective.source, objective.scope
    good = source.good_events(scope)
    return source.bad_events(scope) if good is None else good


def _fresh_scrapes(objective: Objective) -> str:
    """Return 1 for each series whose scrape in the interval was good, and 0 for each whose was bad."""
    source, scope = objective.source, objective.scope
    return counting.fresh(source.good_scrape(scope), objective.scrape_interval, source.scraped(scope))


def _good_scrapes(objective: Objective, over: timedelta) -> str:
    """Return the samples of a range that are 1 where a scrape was good and 0 where it was bad."""
    source, scope = objective.source, objective.scope
    good = source.good_scrape(scope)
    if good == source.scraped(scope):
        return f"{good}[{format_range(over)}]"
    step = objective.scrape_interval if over <= SAMPLED_OVER else max(objective.scrape_interval, SAMPLED_EVERY)
    return f"{good}[{format_range(over)}:{format_range(step)}]"


def _by(objective: Objective, *more: str) -> str:
    labels: Iterable[str] = dict.fromkeys((*objective.by, *more))
    names = ", ".join(labels)
    return f" by ({names})" if names else ""
