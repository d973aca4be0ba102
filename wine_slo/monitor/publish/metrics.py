"""What the watchdog knows and how it is doing, as metrics; what is not known is absent instead of 0."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from wine_slo import metric_names as names
from wine_slo.http.exposition import Exposition
from wine_slo.monitor.evaluate.replicas.instruments import ReplicaInstruments
from wine_slo.monitor.publish.leadership_metrics import LeadershipInstruments
from wine_slo.slo.chat.messages import Reception
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import Objectives
from wine_slo.slo.source.deployment import Reported
from wine_slo.slo.views.deployments import known_deployments
from wine_slo.slo.views.objective_samples import DESCRIBED, samples_of

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter, which nobody uses

TICK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MOST_DEPLOYMENTS = 50  # that are published


class WatchdogInstruments:
    """What the watchdog knows and how it is doing.

    Args:
        version: the watchdog's own.

    Attributes:
        leadership: Whether it leads, and who stands by.
        replicas: Those of each replica of the metric source.
    """

    def __init__(self, version: str) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        gauge = partial(Gauge, registry=registry)
        counter = partial(Counter, registry=registry)
        for name, (text, labels) in DESCRIBED.items():
            gauge(name, text, labels)
        self._last_tick = gauge(
            names.WATCHDOG_LAST_TICK_TIMESTAMP_SECONDS, "When the last tick was complete, since the epoch."
        )
        self._tick_seconds = Histogram(
            names.WATCHDOG_TICK_SECONDS, "Time of one tick.", buckets=TICK_BUCKETS, registry=registry
        )
        by = (names.OUTCOME,)
        self._queries = counter(names.WATCHDOG_QUERIES, "Queries of Prometheus, by whether they were answered.", by)
        self._messages = counter(names.WATCHDOG_MESSAGES, "Messages delivered or failed.", (names.KIND, names.OUTCOME))
        self._suppressed = counter(
            names.WATCHDOG_NOTIFICATIONS_SUPPRESSED,
            "Notifications not sent for the time being, by why.",
            (names.REASON,),
        )
        self._questions = counter(
            names.WATCHDOG_QUESTIONS, "Commands and presses of buttons, by what became of them.", (names.OUTCOME,)
        )
        self._listening = gauge(
            names.WATCHDOG_LISTENING, "1 where commands and buttons are received, 0 where they are not."
        )
        self._incidents_open = gauge(names.WATCHDOG_INCIDENTS_OPEN, "Incidents that are open.")
        self._silences = gauge(names.WATCHDOG_SILENCES_ACTIVE, "Silences that mute messages now.")
        self._undelivered = gauge(names.WATCHDOG_UNTOLD_SECONDS, "Age of the oldest notification not yet delivered.")
        self._unreachable = gauge(
            names.WATCHDOG_RECIPIENTS_UNREACHABLE, "Chats of the settings that cannot be reached; /health says why."
        )
        gauge(names.WATCHDOG_INFO, "The version that runs; always 1.", (names.VERSION,)).labels(version).set(1)
        self._deployed = gauge(
            names.WATCHDOG_DEPLOYMENT_TIMESTAMP_SECONDS,
            "When a version was deployed, since the epoch: as it was reported, or seen beside a breach.",
            (names.SERVICE, names.VERSION),
        )
        self.leadership = LeadershipInstruments(registry)
        self.replicas = ReplicaInstruments(registry)
        self._begin_counts()
        self._versions: frozenset[tuple[str, str]] = frozenset()
        self._samples: Mapping[str, bytes] = {}
        self.registry = registry
        self.exposition = Exposition(registry, lambda: self._samples)

    def _begin_counts(self) -> None:
        """Publish every counter from the start, at 0."""
        for outcome in names.QUERY_OUTCOMES:
            self._queries.labels(outcome)
        for kind in Kind:
            for outcome in ("told", "failed"):
                self._messages.labels(kind, outcome)
        for reason in Suppression:
            self._suppressed.labels(reason)
        for reception in Reception:
            self._questions.labels(reception)

    def read_at_scrape(
        self,
        *,
        undelivered_seconds: Callable[[], float],
        unreachable: Callable[[], float],
        silences: Callable[[], float],
    ) -> None:
        """Have these read at each scrape.

        Args:
            undelivered_seconds: The age of the oldest notification that is not delivered.
            unreachable: How many recipients cannot be reached.
            silences: How many silences there are.
        """
        self._undelivered.set_function(undelivered_seconds)
        self._unreachable.set_function(unreachable)
        self._silences.set_function(silences)

    def count_query(self, what: str, replica: str = "") -> None:
        """Count a query, or what befalls a replica.

        Args:
            what: `answered` or `failed`; `switched_to` or `worse_than_others`.
            replica: The name of the replica; empty where there is but one.
        """
        if what in names.QUERY_OUTCOMES:
            self._queries.labels(what).inc()
        if replica:
            self.replicas.count(what, replica)

    def count_message(self, kind: Kind, outcome: str) -> None:
        """Count an attempt to deliver something: `told` or `failed`."""
        self._messages.labels(kind, outcome).inc()

    def count_suppressed(self, reason: Suppression) -> None:
        """Count a notification that is not sent."""
        self._suppressed.labels(reason).inc()

    def count_question(self, reception: Reception) -> None:
        """Count a command or a press of a button."""
        self._questions.labels(reception).inc()

    def show_listening(self, listening: bool) -> None:  # noqa: FBT001 - it says what it is
        """Publish whether commands and buttons are received."""
        self._listening.set(listening)

    def count_tick(self, ended_at: datetime, seconds: float) -> None:
        """Count a complete tick."""
        self._last_tick.set(ended_at.timestamp())
        self._tick_seconds.observe(seconds)

    def show(self, state: State, objectives: Objectives, reports: Sequence[Reported] = ()) -> None:
        """Publish what is known; what is not known is absent instead of 0. It may run beside a scrape.

        Args:
            state: What is known.
            objectives: All objectives.
            reports: The deployments that were reported, oldest first; the last of them are published.
        """
        self._incidents_open.set(len(state.open_incidents))
        self._samples = samples_of(state, objectives)
        versions = {
            (job, each.after): each.at.timestamp()
            for job, each in known_deployments(state.incidents.values(), objectives, reports[-MOST_DEPLOYMENTS:])
        }
        for labels, at in versions.items():
            self._deployed.labels(*labels).set(at)
        for labels in self._versions - versions.keys():  # not before: a scrape may come between
            self._deployed.remove(*labels)
        self._versions = frozenset(versions)
