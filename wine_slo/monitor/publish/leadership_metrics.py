"""Who leads, as metrics; the same whether this watchdog leads or stands by."""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from wine_slo import metric_names as names
from wine_slo.slo.lease import Leadership


class LeadershipInstruments:
    """Shows who leads.

    Args:
        registry: Where it is published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        gauge = partial(Gauge, registry=registry)
        self._is_leader = gauge(names.WATCHDOG_IS_LEADER, "1 where this watchdog leads and may notify.")
        self._epoch = gauge(names.WATCHDOG_LEASE_EPOCH, "How often the lead was taken; the fencing number.")
        self._standbys = gauge(names.WATCHDOG_STANDBYS, "Other watchdogs that stand by and give signs of life.")
        self._takeovers = Counter(
            names.WATCHDOG_TAKEOVERS, "Leads that this process took from one that had not let it go.", registry=registry
        )

    def show(self, leadership: Callable[[], Leadership]) -> None:
        """Have the lead read at each scrape; takeovers are those before, as each lead begins with new instruments."""
        self._is_leader.set_function(lambda: leadership().leads)
        self._epoch.set_function(lambda: leadership().number)
        self._standbys.set_function(lambda: len(leadership().standbys))
        self._takeovers.inc(leadership().takeovers)
