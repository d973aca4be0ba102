"""How each of several Prometheus that scrape the same targets is doing, as metrics; none where there is but one."""

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from wine_slo import metric_names as names
from wine_slo.slo.replicas.replica_state import ReplicaState


class ReplicaInstruments:
    """Counts what befalls each replica.

    Args:
        registry: Where they are published.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        counter, by_replica = partial(Counter, registry=registry), (names.REPLICA,)
        self._queries = counter(
            names.WATCHDOG_REPLICA_QUERIES, "Of several Prometheus, the queries of each.", (*by_replica, names.OUTCOME)
        )
        self._switches = counter(
            names.WATCHDOG_REPLICA_SWITCHES,
            "Times that an objective was judged by this Prometheus from then on.",
            by_replica,
        )
        self._disagreements = counter(
            names.WATCHDOG_REPLICA_DISAGREEMENTS,
            "Times that something was worse by this Prometheus than by others, for longer than their scrapes explain.",
            by_replica,
        )
        self._sight = Gauge(
            names.WATCHDOG_REPLICA_SIGHT,
            "1 where this Prometheus sees all that others see, 0 where not.",
            by_replica,
            registry=registry,
        )

    def count(self, what: str, replica: str) -> None:
        """Count a query by its outcome, `switched_to` or `worse_than_others`."""
        match what:
            case "switched_to":
                self._switches.labels(replica).inc()
            case "worse_than_others":
                self._disagreements.labels(replica).inc()
            case _:
                self._queries.labels(replica, what).inc()

    def show(self, replicas: Iterable[ReplicaState]) -> None:
        """Publish which of them can see."""
        for each in replicas:
            self._sight.labels(each.name).set(not each.reason)
            self._switches.labels(each.name)
            self._disagreements.labels(each.name)
            for outcome in names.QUERY_OUTCOMES:
                self._queries.labels(each.name, outcome)
