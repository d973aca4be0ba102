"""The queries, as PromQL; one function for each. What differs by kind of objective comes from its indicator.

An *interval* is what happened between two scrapes. `irate` over four scrape intervals takes the last two samples;
queried at every scrape interval, and only where the newer sample is fresh, each scrape is counted exactly once
whatever the phase, a missed scrape is a hole instead of an echo of the one before, and counter resets are seen
series by series.
"""

from collections.abc import Iterable
from datetime import timedelta

from wine_slo.metric_names import ENDPOINT, MODEL_INFO, SHA256
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.objectives.selector import quoted
from wine_slo.slo.span import format_span

MEASURED_OVER = timedelta(minutes=10)
GONE_FOR = timedelta(hours=1)  # targets that have vanished count as down for so long, and as unknown after that


def targets_up(objective: Objective) -> str:
    """Return whether each target of the job answered its last scrape: 1 or 0."""
    return f"up{{job={quoted(objective.job)}}}"


def targets_scraped_at(objective: Objective) -> str:
    """Return when each target of the job was scraped last, in seconds since the epoch."""
    return f"timestamp({targets_up(objective)})"


def measured_interval(job: str) -> str:
    """Return how far apart a job's scrapes were in the last ten minutes, in seconds; none before there are three.

    The median of its targets: what was not there all the time, or missed scrapes, says less of the job than others do.
    The first sample is found by steps of a second, so that eight of them make an error of an eighth at the most.
    """
    up, span = f"up{{job={quoted(job)}}}", format_span(MEASURED_OVER)
    lasts = f"timestamp({up}) - min_over_time(timestamp({up})[{span}:1s]) > 8"
    return f"quantile(0.5, ({lasts}) / (count_over_time({up}[{span}]) - 1 > 1))"


def targets_of_late(objective: Objective) -> str:
    """Return how many targets the job has or had recently."""
    return f"count(last_over_time({targets_up(objective)}[{format_span(GONE_FOR)}]))"


def model_first_seen(objective: Objective, span: timedelta) -> str:
    """Return when each model that served within a span was first seen, in seconds since the epoch."""
    seen = f"timestamp({MODEL_INFO}{{job={quoted(objective.job)}}})"
    return f"min by ({SHA256}) (min_over_time({seen}[{format_span(span)}:{format_span(objective.scrape_interval)}]))"


def total_per_interval(objective: Objective) -> str:
    """Return the events a second in each interval; of scrapes, how many there were."""
    series = objective.source.all_events(objective.job)
    if series is None:
        return f"count{_by(objective)} ({_fresh(objective, objective.source.scraped(objective.job))})"
    return _interval_rate(objective, series)


def bad_per_interval(objective: Objective) -> str | None:
    """Return the bad events a second in each interval; None where good ones are counted."""
    series = objective.source.bad_events(objective.job)
    return None if series is None else _interval_rate(objective, series)


def good_per_interval(objective: Objective) -> str | None:
    """Return the good events a second in each interval; None where bad ones are counted."""
    source, job = objective.source, objective.job
    if objective.counts_scrapes:
        return f"sum{_by(objective)} ({_good_scrape(objective)} and {_is_fresh(objective, source.scraped(job))})"
    series = source.good_events(job)
    return None if series is None else _interval_rate(objective, series)


def total_settled(objective: Objective) -> str | None:
    """Return how many series of all events exist and existed before; None where scrapes are events."""
    series = objective.source.all_events(objective.job)
    return None if series is None else _settled(objective, series)


def part_settled(objective: Objective) -> str | None:
    """Return the same of the good ones, or of the bad ones where those are counted."""
    series = _part(objective)
    return None if series is None else _settled(objective, series)


def total_across(objective: Objective, gap: timedelta) -> str | None:
    """Return the events from the last sample before a gap to the newest one; None where each scrape is an event."""
    series = objective.source.all_events(objective.job)
    return None if series is None else _difference(objective, series, gap)


def part_across(objective: Objective, gap: timedelta) -> str | None:
    """Return the good ones of these events, or the bad ones where those are counted."""
    series = _part(objective)
    return None if series is None else _difference(objective, series, gap)


def clear_per_interval(objective: Objective) -> str | None:
    """Return the events a second in each interval that are as good as a recovery wants; None where all good are."""
    series = objective.source.clear_events(objective.job)
    return None if series is None else _interval_rate(objective, series)


def oldest_age_per_interval(objective: Objective) -> str | None:
    """Return the age in seconds of the oldest unanswered request; None where that is not exported."""
    series = objective.source.oldest(objective.job)
    return None if series is None else f"max{_by(objective)} ({_fresh(objective, series)})"


def quantile(objective: Objective, over: timedelta, *more: str) -> str | None:
    """Return the objective's quantile in seconds over a range, by label set and by each of `more` labels; else None."""
    buckets = objective.source.buckets(objective.job)
    if buckets is None:
        return None
    rate = f"sum{_by(objective, 'le', *more)} (rate({buckets}[{format_span(over)}]))"
    return f"histogram_quantile({objective.ratio:.10g}, {rate})"


def quantile_by_endpoint(objective: Objective, over: timedelta) -> str | None:
    """Return the objective's quantile in seconds over a range, endpoint by endpoint."""
    return quantile(objective, over, ENDPOINT)


def value(objective: Objective, over: timedelta) -> str:
    """Return what a chart draws: the quantile in seconds, or the share of bad events, over a range."""
    return quantile(objective, over) or f"1 - ({good_ratio(objective, over)})"


def good_ratio(objective: Objective, over: timedelta) -> str:
    """Return the share of good events over a range: the SLI. Nothing where there were no events."""
    source, job = objective.source, objective.job
    by, span = _by(objective), format_span(over)
    total, good = source.all_events(job), source.good_events(job)
    if total is None:
        return f"avg{by} (avg_over_time({_good_scrapes(objective, over)}))"
    events_of_range = f"(sum{by} (increase({total}[{span}])) > 0)"
    if good is not None:
        return f"sum{by} (increase({good}[{span}])) / {events_of_range}"
    bad = f"sum{by} (increase({source.bad_events(job)}[{span}]))"
    return f"1 - ({bad} / {events_of_range} or {events_of_range} * 0)"


def events(objective: Objective, over: timedelta) -> str:
    """Return how many events there were over a range; each failed scrape and each answered one is an event too."""
    total = objective.source.all_events(objective.job)
    if total is None:
        return f"sum{_by(objective)} (count_over_time({objective.source.scraped(objective.job)}[{format_span(over)}]))"
    return f"sum{_by(objective)} (increase({total}[{format_span(over)}]))"


def seconds_of_history(objective: Objective, within: timedelta | None = None) -> str:
    """Return for how long the source has known the job, in seconds, at most a span or else the budget's window.

    To the hour, and to ten seconds while it is younger than that: a finer query over a whole window costs too much.
    """
    # Not `timestamp()`: before 2.47, Prometheus reads all samples anew for each of its instants, which takes seconds.
    seen_at = f"(0 * {targets_up(objective)} + time())"
    # Each with a label of its own, as `or` drops what is labelled like something before it.
    first = " or ".join(
        f'label_replace(min(min_over_time({seen_at}[{each}])), "range", "{name}", "", "")'
        for name, each in (("long", f"{format_span(within or objective.window)}:1h"), ("young", "1h:10s"))
    )
    return f"time() - min({first})"


def bucket_bounds(objective: Objective) -> str | None:
    """Return every bucket bound of the histogram, as label sets; None where there is none."""
    buckets = objective.source.buckets(objective.job)
    return None if buckets is None else f"count by (le) ({buckets})"


def count(selector: str) -> str:
    """Return how many series match."""
    return f"count({selector})"


def values_of(selector: str, label: str) -> str:
    """Return how many series have each value of a label, of the values that most of them have."""
    return f"topk(200, count by ({label}) ({selector}))"


def any_of(selector: str) -> str:
    """Return one of the series that match, with all of its labels."""
    return f"topk(1, {selector})"


def _interval_rate(objective: Objective, series: str) -> str:
    window = format_span(4 * objective.scrape_interval)
    return f"sum{_by(objective)} (irate({series}[{window}]) and {_is_fresh(objective, series)})"


def _difference(objective: Objective, series: str, gap: timedelta) -> str:
    """Return what `increase` has between two samples, but not stretched to the ends of its range."""
    # Not the series alone: where a scrape failed, it ends at once, however young its last sample is.
    newest = f"last_over_time({series}[{format_span(4 * objective.scrape_interval)}])"
    before = f"last_over_time({series}[{format_span(4 * objective.scrape_interval)}] offset {format_span(gap)})"
    # A counter that is lower began anew; one that was not there before says nothing.
    return f"sum{_by(objective)} ({newest} - {before} >= 0 or {newest} and {before})"


def _settled(objective: Objective, series: str) -> str:
    # A series that has just appeared has one sample, and no interval for want of a second one.
    return f"count{_by(objective)} ({series} and {series} offset {format_span(4 * objective.scrape_interval)})"


def _fresh(objective: Objective, series: str) -> str:
    return f"{series} and {_is_fresh(objective, series)}"


def _is_fresh(objective: Objective, series: str) -> str:
    # Not `time() - timestamp()`, for the same reason as above.
    return f"present_over_time({series}[{format_span(objective.scrape_interval)}])"


def _part(objective: Objective) -> str | None:
    """Return the counters of good events, or of bad ones where those are counted."""
    source, job = objective.source, objective.job
    good = source.good_events(job)
    return source.bad_events(job) if good is None else good


def _good_scrape(objective: Objective) -> str:
    series, good = objective.source.scraped(objective.job), objective.source.good_scrape(objective.job)
    return series if good == series else f"({good})"


def _good_scrapes(objective: Objective, over: timedelta) -> str:
    """Return the samples of a range that are 1 where a scrape was good and 0 where it was bad."""
    good = _good_scrape(objective)
    steps = f":{format_span(objective.scrape_interval)}" if good.startswith("(") else ""
    return f"{good}[{format_span(over)}{steps}]"


def _by(objective: Objective, *more: str) -> str:
    labels: Iterable[str] = dict.fromkeys((*objective.by, *more))
    names = ", ".join(labels)
    return f" by ({names})" if names else ""
