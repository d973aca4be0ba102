"""The metrics of the service, as counters, gauges and histograms of prometheus_client.

Every label set that can be known exists from the start, so that a ratio over it is never empty. Times are in seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wine_slo import metric_names as names
from wine_slo.http.exposition import Exposition
from wine_slo.service.metrics.shared_counts import SharedCounts
from wine_slo.service.model.classifier import Model
from wine_slo.service.model.features import NAMES

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter, which nobody queries

# From a fourth of a millisecond, which a prediction takes, to ten seconds, the longest /sleep. The shipped objective's
# threshold, 1.0, is a bound, with two on either side of it.
REQUEST_BUCKETS = (
    *(0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0),
)
INFERENCE_BUCKETS = (
    *(5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 1.0),
)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
CONFIDENCE_BUCKETS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
MACHINE_ENDPOINTS = ("/metrics", "/health")  # requested by machines; no person waits for them


class Endpoint:
    """The metrics of one endpoint, which count a request when it arrives and when it has been answered."""

    def __init__(self, server: "ServerInstruments", name: str, statuses: Iterable[int]) -> None:
        self._requests = server.requests.labels(name)
        self._in_flight = server.in_flight.labels(name)
        self._seconds = server.request_seconds.labels(name)
        self._open = None if name in MACHINE_ENDPOINTS else server.open_requests
        self._response: Callable[[str], Counter] = lambda status: server.responses.labels(name, status)
        self._responses = {status: self._response(str(status)) for status in statuses}

    def arrive(self, request: object, now: float) -> None:
        """Count a request in."""
        self._requests.inc()
        self._in_flight.inc()
        if self._open:
            self._open.add(request, now)

    def put_aside(self, request: object) -> None:
        """Let it grow no older while its client is waited for."""
        if self._open:
            self._open.remove(request)

    def take_up(self, request: object, now: float) -> None:
        """Go on with it."""
        if self._open:
            self._open.add(request, now)

    def leave(self, request: object, seconds: float, status: int | None) -> None:
        """Count it out after so many seconds; the status is None where its client disconnected before the response."""
        self._in_flight.dec()
        if self._open:
            self._open.remove(request)
        if status is None:
            return
        self._seconds.observe(seconds)
        responses = self._responses.get(status)
        if responses is None:
            responses = self._responses[status] = self._response(str(status))
        responses.inc()


class OpenRequests:
    """The arrivals of the requests that are being answered.

    Args:
        oldest: holds when the oldest of them arrived; infinity when there is none.
    """

    def __init__(self, oldest: Gauge) -> None:
        self._arrivals: dict[int, float] = {}  # in the order of arrival, so the first is the oldest
        self._oldest = oldest
        oldest.set(inf)

    def add(self, request: object, now: float) -> None:
        """Add a request that has just arrived."""
        if not self._arrivals:
            self._oldest.set(now)
        self._arrivals[id(request)] = now

    def remove(self, request: object) -> None:
        """Remove a request that is no longer being answered."""
        arrived_at = self._arrivals.pop(id(request))
        oldest_at = next(iter(self._arrivals.values()), inf)
        if arrived_at <= oldest_at:
            self._oldest.set(oldest_at)


class WithAges(Collector):
    """Metrics in which the arrival of the oldest open request is shown as its age at the scrape.

    A worker that is stuck cannot update its gauge, and its oldest request grows older all the same.

    Args:
        source: collects them.
        now: the clock of the arrivals.
    """

    def __init__(self, source: Collector | CollectorRegistry, now: Callable[[], float]) -> None:
        self._source = source
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Return each metric."""
        for metric in self._source.collect():
            yield self._age(metric) if metric.name == names.OLDEST_REQUEST_SECONDS else metric

    def _age(self, arrival: Metric) -> Metric:
        (sample,) = arrival.samples
        age = 0.0 if sample.value == inf else self._now() - sample.value
        return GaugeMetricFamily(arrival.name, arrival.documentation, value=age)


class ServerInstruments:
    """What the service counts and measures.

    Args:
        endpoints: the route's template of each, with the statuses that it is known to respond with.
        now: the clock of `Endpoint.arrive`; all processes of this machine must read the same from it.
        shared: the folder in which workers count together (see `shared_counts`); None for a single process.
    """

    def __init__(
        self, endpoints: Mapping[str, Iterable[int]], now: Callable[[], float], shared: Path | None = None
    ) -> None:
        counts = CollectorRegistry()
        by_endpoint = [names.ENDPOINT]
        self.requests = Counter(names.REQUESTS, "Requests received.", by_endpoint, registry=counts)
        self.request_seconds = Histogram(
            names.REQUEST_SECONDS,
            "Time from a request's arrival to its answer, without the time in which its body came in.",
            by_endpoint,
            buckets=REQUEST_BUCKETS,
            registry=counts,
        )
        self.responses = Counter(names.RESPONSES, "Requests answered.", [names.ENDPOINT, names.STATUS], registry=counts)
        self.in_flight = Gauge(
            names.REQUESTS_IN_FLIGHT,
            "Requests that are being answered.",
            by_endpoint,
            registry=counts,
            multiprocess_mode="livesum",
        )
        oldest = Gauge(
            names.OLDEST_REQUEST_SECONDS,
            "Age of the oldest request that is being answered, /metrics and /health left out; 0 when there is none.",
            registry=counts,
            multiprocess_mode="livemin",
        )
        self.open_requests = OpenRequests(oldest)
        self._endpoints = {name: Endpoint(self, name, statuses) for name, statuses in endpoints.items()}
        out_of_range = Counter(
            names.FEATURE_OUT_OF_RANGE, "Values beyond the range seen in training.", [names.FEATURE], registry=counts
        )
        self._out_of_range = {name: out_of_range.labels(name) for name in NAMES}
        self._confidence = Histogram(
            names.PREDICTION_CONFIDENCE,
            "Probability of the class that was predicted.",
            buckets=CONFIDENCE_BUCKETS,
            registry=counts,
        )
        self._inference_seconds = Histogram(
            names.MODEL_INFERENCE_SECONDS, "Time of one call of the model.", buckets=INFERENCE_BUCKETS, registry=counts
        )
        self._batch_size = Histogram(
            names.MODEL_BATCH_SIZE, "Wines in one call of the model.", buckets=BATCH_BUCKETS, registry=counts
        )
        self._predictions: dict[str, Counter] = {}
        self.counts = counts
        self.registry = registry_of_process()
        self.registry.register(WithAges(SharedCounts(shared) if shared else counts, now))
        self.exposition = Exposition(self.registry)

    def endpoint(self, template: str) -> Endpoint:
        """Return the metrics of a route's template, `unmatched` included."""
        return self._endpoints[template]

    def introduce(self, model: Model) -> None:
        """Show which model serves, and create what is counted by its classes."""
        card = model.card
        facts = {
            names.VERSION: card.version,
            names.SHA256: card.sha256,
            names.SKLEARN: card.sklearn,
            names.ENGINE: model.engine,
        }
        Gauge(
            names.MODEL_INFO,
            "The model that serves; always 1.",
            list(facts),
            registry=self.counts,
            multiprocess_mode="livemax",
        ).labels(**facts).set(1)
        predictions = Counter(names.PREDICTIONS, "Wines classified.", [names.LABEL], registry=self.counts)
        self._predictions = {each.name: predictions.labels(each.name) for each in card.classes}

    def count_inference(self, samples: int, seconds: float) -> None:
        """Count one call of the model."""
        self._batch_size.observe(samples)
        self._inference_seconds.observe(seconds)

    def count_prediction(self, label: str, confidence: float, out_of_range: Iterable[str]) -> None:
        """Count one wine that was classified."""
        self._predictions[label].inc()
        self._confidence.observe(confidence)
        for name in out_of_range:
            self._out_of_range[name].inc()


def registry_of_process() -> CollectorRegistry:
    """Return a registry with the metrics of this process itself."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
