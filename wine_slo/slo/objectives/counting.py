"""How events are counted in PromQL: between two scrapes, over a range, across a gap; of counters and native histograms.

Of several counters each is counted by itself and gets a label of its own, so that `or` joins them: series of equal
labels are summed, and one that is not there takes nothing away from the others.

`irate` knows native histograms only since Prometheus 3. So what a native histogram has counted is subtracted from what
it had counted one scrape interval before, which is the same; the events up to a value are interpolated in its buckets.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import inf

from wine_slo.slo.objectives.kinds.indicator import Events
from wine_slo.slo.span import format_range

PART = "slo_part"  # the label by which several counters differ
RATE_INTERVALS = 4  # scrapes that a rate may span, so that some may be missing


def rate_per_interval(events: Events, scrape_interval: timedelta) -> str:
    """Return the events a second of each series between its last two samples, where the newer one is fresh."""
    if events.up_to is None:
        window = format_range(RATE_INTERVALS * scrape_interval)
        return joined(f"irate({each}[{window}]) and {is_fresh(each, scrape_interval)}" for each in events.selectors)
    seconds = scrape_interval.total_seconds()
    return joined(
        f"({_grown(events, each, f'{each} offset {format_range(scrape_interval)}')}) / {seconds:.10g} "
        f"and {is_fresh(each, scrape_interval)}"
        for each in events.selectors
    )


def increase(events: Events, over: timedelta, total: str) -> str:
    """Return the events over a range; `total` is the aggregation, such as `sum by (handler)`."""
    series = joined(f"increase({each}[{format_range(over)}])" for each in events.selectors)
    return _counted(f"{total} ({series})", events.up_to)


def difference(events: Events, scrape_interval: timedelta, gap: timedelta) -> str:
    """Return what `increase` has between two samples, but not stretched to the ends of its range."""
    window = format_range(RATE_INTERVALS * scrape_interval)

    def across(series: str) -> str:
        if events.are_native:  # of which 2.42 knows no `last_over_time`
            return _grown(events, series, f"{series} offset {format_range(gap)}")
        # Not the series alone: where a scrape failed, it ends at once, however young its last sample is.
        newest = f"last_over_time({series}[{window}])"
        return _grown(events, newest, f"last_over_time({series}[{window}] offset {format_range(gap)})")

    return joined(map(across, events.selectors))


def settled(events: Events, scrape_interval: timedelta) -> str:
    """Return the series that exist and existed before."""
    # A series that has just appeared has one sample, and no interval for want of a second one.
    before = format_range(RATE_INTERVALS * scrape_interval)
    return joined(f"{each} and {each} offset {before}" for each in events.selectors)


def fresh(values: str, scrape_interval: timedelta, series: str = "") -> str:
    """Return the values whose series, which are they themselves if not said, have a sample in the last interval."""
    return f"{values} and {is_fresh(series or values, scrape_interval)}"


def is_fresh(series: str, scrape_interval: timedelta) -> str:
    """Return something for each series that has a sample in the last interval."""
    # Not `time() - timestamp()`: before 2.47, Prometheus reads all samples anew for each of its instants.
    return f"present_over_time({series}[{format_range(scrape_interval)}])"


def _grown(events: Events, newest: str, before: str) -> str:
    """Return what has been counted between two samples of each series."""
    # A counter that is lower began anew; one that was not there before says nothing.
    now = _counted(newest, events.up_to)
    since_new = f"{now} and {before}" if events.up_to is None else f"{now} >= 0 and {before}"
    return f"{now} - {_counted(before, events.up_to)} >= 0 or {since_new}"


def _counted(series: str, up_to: float | None) -> str:
    """Return how many events each series has: its value, or those in a native histogram up to a value."""
    if up_to is None:
        return series
    count = f"histogram_count({series})"
    return count if up_to == inf else f"histogram_fraction(-Inf, {up_to:.10g}, {series}) * {count}"


def joined(parts: Iterable[str]) -> str:
    """Return the series of several expressions, none of which hides another's."""
    first, *more = parts
    if not more:
        return first
    return " or ".join(
        f'label_replace({each}, "{PART}", "{number}", "", "")' for number, each in enumerate((first, *more))
    )
