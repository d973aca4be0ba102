"""The questions put to Prometheus, as PromQL; one function for each question.

An *interval* is what happened between two scrapes. `irate` over four scrape intervals takes the last two samples;
asked at every scrape interval, and only where the newer sample is fresh, each scrape is counted exactly once
whatever the phase, a missed scrape is a hole instead of an echo of the one before, and counter resets are seen
series by series.
"""

from collections.abc import Iterable
from datetime import timedelta

from wine_slo.metric_names import ENDPOINT, MODEL_INFO, SHA256
from wine_slo.slo.objectives.objective import Latency, Objective, Ratio, Up, duration

MEASURED_OVER = timedelta(minutes=10)
GONE_FOR = timedelta(hours=1)  # targets that have vanished count as down for so long, and as unknown after that


def targets_up(objective: Objective) -> str:
    """Whether each target of the job answered its last scrape: 1 or 0."""
    return f'up{{job="{objective.job}"}}'


def targets_scraped_at(objective: Objective) -> str:
    """When each target of the job was scraped last, in seconds since the epoch."""
    return f"timestamp({targets_up(objective)})"


def measured_interval(objective: Objective) -> str:
    """How far apart the job's scrapes are, in seconds, by their number in ten minutes; nothing for a younger job."""
    up, span = targets_up(objective), duration(MEASURED_OVER)
    scrapes = f"max(count_over_time({up}[{span}]) and {up} offset {span})"
    return f"{MEASURED_OVER.total_seconds():g} / {scrapes}"


def targets_of_late(objective: Objective) -> str:
    """How many targets the job has or had of late."""
    return f"count(last_over_time({targets_up(objective)}[{duration(GONE_FOR)}]))"


def model_first_seen(objective: Objective, span: timedelta) -> str:
    """When each model that served within a span was first seen, in seconds since the epoch."""
    seen = f'timestamp({MODEL_INFO}{{job="{objective.job}"}})'
    return f"min by ({SHA256}) (min_over_time({seen}[{duration(span)}:{duration(objective.scrape_interval)}]))"


def total_per_interval(objective: Objective) -> str:
    """Events a second in each interval."""
    match objective.source:
        case Latency(histogram=histogram):
            return _interval_rate(objective, _select(objective, f"{histogram}_count"))
        case Ratio(total=total):
            return _interval_rate(objective, total)
        case Up():
            return f"count{_by(objective)} ({_fresh(objective, targets_up(objective))})"


def bad_per_interval(objective: Objective) -> str | None:
    """Bad events a second in each interval; None where good ones are what can be asked for."""
    if isinstance(objective.source, Ratio):
        return _interval_rate(objective, objective.source.bad)
    return None


def good_per_interval(objective: Objective) -> str | None:
    """Good events a second in each interval; None where bad ones are what can be asked for."""
    match objective.source:
        case Latency():
            return _interval_rate(objective, _within(objective, objective.source, objective.source.threshold_seconds))
        case Up():
            return f"sum{_by(objective)} ({_fresh(objective, targets_up(objective))})"
        case Ratio():
            return None


def total_settled(objective: Objective) -> str | None:
    """How many series of all events there are, and were before an interval could end; None where scrapes are events."""
    match objective.source:
        case Latency(histogram=histogram):
            return _settled(objective, _select(objective, f"{histogram}_count"))
        case Ratio(total=total):
            return _settled(objective, total)
        case Up():
            return None


def part_settled(objective: Objective) -> str | None:
    """The same of the good ones, or of the bad ones where those are what can be asked for."""
    match objective.source:
        case Latency() as source:
            return _settled(objective, _within(objective, source, source.threshold_seconds))
        case Ratio(bad=bad):
            return _settled(objective, bad)
        case Up():
            return None


def total_across(objective: Objective, gap: timedelta) -> str | None:
    """Events from the last sample before a gap to the newest one; None where each scrape is an event."""
    match objective.source:
        case Latency(histogram=histogram):
            return _difference(objective, _select(objective, f"{histogram}_count"), gap)
        case Ratio(total=total):
            return _difference(objective, total, gap)
        case Up():
            return None


def part_across(objective: Objective, gap: timedelta) -> str | None:
    """The good ones of these events, or the bad ones where those are what can be asked for."""
    match objective.source:
        case Latency() as source:
            return _difference(objective, _within(objective, source, source.threshold_seconds), gap)
        case Ratio(bad=bad):
            return _difference(objective, bad, gap)
        case Up():
            return None


def clear_per_interval(objective: Objective) -> str | None:
    """Events a second in each interval that are as good as a recovery wants; None where every good one is."""
    match objective.source:
        case Latency(clear_seconds=float(bound)) as source:
            return _interval_rate(objective, _within(objective, source, bound))
        case _:
            return None


def oldest_age_per_interval(objective: Objective) -> str | None:
    """The age in seconds of the oldest request still being answered; None where the service does not tell."""
    match objective.source:
        case Latency(oldest_age=str(gauge)):
            return f"max{_by(objective)} ({_fresh(objective, _select(objective, gauge, plain=True))})"
        case _:
            return None


def quantile(objective: Objective, over: timedelta, *more: str) -> str | None:
    """The promised quantile in seconds over a range, for each label set and each of `more` labels beside."""
    if not isinstance(objective.source, Latency):
        return None
    buckets = _select(objective, f"{objective.source.histogram}_bucket")
    rate = f"sum{_by(objective, 'le', *more)} (rate({buckets}[{duration(over)}]))"
    return f"histogram_quantile({objective.ratio:.10g}, {rate})"


def quantile_by_endpoint(objective: Objective, over: timedelta) -> str | None:
    """The promised quantile in seconds over a range, endpoint by endpoint."""
    return quantile(objective, over, ENDPOINT)


def value(objective: Objective, over: timedelta) -> str:
    """What a picture draws: the promised quantile in seconds, or the share of bad events, over a range."""
    return quantile(objective, over) or f"1 - ({good_ratio(objective, over)})"


def good_ratio(objective: Objective, over: timedelta) -> str:
    """The share of good events over a range: the SLI. Nothing where there were no events."""
    by, span = _by(objective), duration(over)
    match objective.source:
        case Latency(histogram=histogram) as source:
            good = f"sum{by} (increase({_within(objective, source, source.threshold_seconds)}[{span}]))"
            return f"{good} / (sum{by} (increase({_select(objective, f'{histogram}_count')}[{span}])) > 0)"
        case Ratio(bad=bad, total=total):
            events = f"(sum{by} (increase({total}[{span}])) > 0)"
            return f"1 - (sum{by} (increase({bad}[{span}])) / {events} or {events} * 0)"
        case Up():
            return f"avg{by} (avg_over_time({targets_up(objective)}[{span}]))"


def events(objective: Objective, over: timedelta) -> str:
    """How many events there were over a range; each failed scrape and each answered one is an event too."""
    match objective.source:
        case Latency(histogram=histogram):
            series = _select(objective, f"{histogram}_count")
        case Ratio(total=total):
            series = total
        case Up():
            return f"sum{_by(objective)} (count_over_time({targets_up(objective)}[{duration(over)}]))"
    return f"sum{_by(objective)} (increase({series}[{duration(over)}]))"


def seconds_of_history(objective: Objective, within: timedelta | None = None) -> str:
    """For how long Prometheus has known the job, in seconds, at most a span or else the budget's window.

    To the hour, and to ten seconds while it is younger than that: a finer look over a whole window costs too much.
    """
    # Not `timestamp()`: before 2.47, Prometheus reads all samples anew for each of its instants, which takes seconds.
    seen_at = f"(0 * {targets_up(objective)} + time())"
    # Each with a label of its own, as `or` drops what is labelled like something before it.
    first = " or ".join(
        f'label_replace(min(min_over_time({seen_at}[{each}])), "look", "{name}", "", "")'
        for name, each in (("long", f"{duration(within or objective.window)}:1h"), ("young", "1h:10s"))
    )
    return f"time() - min({first})"


def bucket_bounds(objective: Objective, source: Latency) -> str:
    """Every bucket bound of the histogram, as label sets."""
    return f"count by (le) ({_select(objective, f'{source.histogram}_bucket')})"


def count(selector: str) -> str:
    """How many series match."""
    return f"count({selector})"


def _interval_rate(objective: Objective, series: str) -> str:
    window = duration(4 * objective.scrape_interval)
    return f"sum{_by(objective)} (irate({series}[{window}]) and {_is_fresh(objective, series)})"


def _difference(objective: Objective, series: str, gap: timedelta) -> str:
    """What `increase` has between two samples, but not stretched to the ends of its range."""
    # Not the series alone: where a scrape failed, it ends at once, however young its last sample is.
    newest = f"last_over_time({series}[{duration(4 * objective.scrape_interval)}])"
    before = f"last_over_time({series}[{duration(4 * objective.scrape_interval)}] offset {duration(gap)})"
    # A counter that is lower began anew; one that was not there before says nothing.
    return f"sum{_by(objective)} ({newest} - {before} >= 0 or {newest} and {before})"


def _settled(objective: Objective, series: str) -> str:
    # A series that has just appeared has one sample, and no interval for want of a second one.
    return f"count{_by(objective)} ({series} and {series} offset {duration(4 * objective.scrape_interval)})"


def _fresh(objective: Objective, series: str) -> str:
    return f"{series} and {_is_fresh(objective, series)}"


def _is_fresh(objective: Objective, series: str) -> str:
    # Not `time() - timestamp()`, for the same reason as above.
    return f"present_over_time({series}[{duration(objective.scrape_interval)}])"


def _within(objective: Objective, source: Latency, bound: float) -> str:
    # The Python client writes 1.0, others and Prometheus 3 write 1: both are the same bound.
    bounds = "|".join(dict.fromkeys((str(float(bound)), f"{bound:.10g}"))).replace(".", "\\\\.")
    return _select(objective, f"{source.histogram}_bucket", f'le=~"{bounds}"')


def _select(objective: Objective, metric: str, matcher: str = "", *, plain: bool = False) -> str:
    selector = objective.source.selector if isinstance(objective.source, Latency) and not plain else ""
    matchers = [f'job="{objective.job}"', *filter(None, (selector, matcher))]
    return f"{metric}{{{', '.join(matchers)}}}"


def _by(objective: Objective, *more: str) -> str:
    labels: Iterable[str] = dict.fromkeys((*objective.by, *more))
    names = ", ".join(labels)
    return f" by ({names})" if names else ""
