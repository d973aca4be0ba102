"""What was found in Prometheus: jobs, and those metrics of each that an objective can be made of.

Names of histograms are without `_bucket`; bounds are in the histogram's own unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wine_slo.monitor.evaluate.scrape_intervals import ScrapeInterval

Labels = Mapping[str, tuple[str, ...]]  # the values of each label, the most frequent ones where there are very many


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of one job.

    Attributes:
        name: Its name.
        labels: Its labels without those that every series of a target has; empty where they were not queried.
        bounds: The finite bucket bounds of a histogram, ascending.
    """

    name: str
    labels: Labels = field(default_factory=dict)
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job.

    Attributes:
        name: Its name.
        targets: How many targets it has; 0 where there is no `up`, as its metrics are pushed.
        targets_up: How many of them answered the last scrape.
        interval: How often it is scraped; None where that is not known.
        histograms: Every histogram with buckets.
        counters: Every counter with a label that says how an event ended.
        switches: Gauges that are 0 or 1.
        moments: Gauges that hold when something last succeeded, in seconds since the epoch.
        bare: Summaries that could be a latency if they had buckets.
    """

    name: str
    targets: int = 0
    targets_up: int = 0
    interval: ScrapeInterval | None = None
    histograms: tuple[Metric, ...] = ()
    counters: tuple[Metric, ...] = ()
    switches: tuple[Metric, ...] = ()
    moments: tuple[Metric, ...] = ()
    bare: tuple[str, ...] = ()
