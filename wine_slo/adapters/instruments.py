"""The metrics of both processes; the only door to prometheus_client.

Every label set that can be known is created at the start, so that a ratio over it is never empty, and is kept: looking
one up costs three times as much as counting with it. Seconds throughout.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from aiohttp.typedefs import Handler
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
from prometheus_client.aiohttp import make_aiohttp_handler

from wine_slo.domain import metric_names as names
from wine_slo.domain.classifier import Model
from wine_slo.domain.wine import NAMES

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter and histogram, which nothing here asks for

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
MACHINE_ENDPOINTS = ("/metrics", "/health")  # asked by machines; never what someone waits for


class Endpoint:
    """What is counted at one endpoint: a request when it arrives and when it is answered."""

    def __init__(self, name: str, server: "ServerInstruments", statuses: Iterable[int]) -> None:
        self._requests = server.requests.labels(name)
        self._seconds = server.request_seconds.labels(name)
        self._in_flight = server.in_flight.labels(name)
        self._name = name
        self._all_responses = server.responses
        self._responses = {status: server.responses.labels(name, status) for status in statuses}
        self._waiting = {} if name in MACHINE_ENDPOINTS else server.waiting

    def arrive(self, request: object, now: float) -> None:
        """Count a request in."""
        self._requests.inc()
        self._in_flight.inc()
        self._waiting[id(request)] = now

    def leave(self, request: object, now: float, status: int | None) -> None:
        """Count it out; None where it was given up without an answer."""
        self._in_flight.dec()
        seconds = now - self._waiting.pop(id(request))
        if status is not None:
            self._seconds.observe(seconds)
            if status not in self._responses:
                self._responses[status] = self._all_responses.labels(self._name, status)
            self._responses[status].inc()


class ServerInstruments:
    """What the server counts and measures.

    Args:
        endpoints: the route's template of each, with the statuses that it is known to answer.
        now: the clock of `Endpoint.arrive` and `Endpoint.leave`.
    """

    def __init__(self, endpoints: Mapping[str, Iterable[int]], now: Callable[[], float]) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        by_endpoint = (names.ENDPOINT,)
        self.requests = counter(names.REQUESTS, "Requests received.", by_endpoint)
        self.request_seconds = histogram(
            names.REQUEST_SECONDS, "Time from a request's arrival to its answer.", by_endpoint, buckets=REQUEST_BUCKETS
        )
        self.responses = counter(names.RESPONSES, "Requests answered.", (names.ENDPOINT, names.STATUS))
        self.in_flight = gauge(names.REQUESTS_IN_FLIGHT, "Requests that are being answered.", by_endpoint)
        self.waiting: dict[int, float] = {}  # when each arrived, in that order, so the first is the oldest
        gauge(
            names.OLDEST_REQUEST_SECONDS,
            "Age of the oldest request that is being answered, /metrics and /health left out; 0 when there is none.",
        ).set_function(lambda: now() - next(iter(self.waiting.values())) if self.waiting else 0.0)
        self._predictions = counter(names.PREDICTIONS, "Wines classified.", (names.LABEL,))
        self._out_of_range = counter(
            names.FEATURE_OUT_OF_RANGE, "Values beyond the range seen in training.", (names.FEATURE,)
        )
        self._confidence = histogram(
            names.PREDICTION_CONFIDENCE, "Probability of the class that was predicted.", buckets=CONFIDENCE_BUCKETS
        )
        self._inference_seconds = histogram(
            names.MODEL_INFERENCE_SECONDS, "Time of one call of the model.", buckets=INFERENCE_BUCKETS
        )
        self._batch_size = histogram(names.MODEL_BATCH_SIZE, "Wines in one call of the model.", buckets=BATCH_BUCKETS)
        self._model_info = gauge(
            names.MODEL_INFO,
            "The model that serves; always 1.",
            (names.VERSION, names.SHA256, names.SKLEARN, names.ENGINE),
        )
        self._labels: dict[str, Counter] = {}
        self._features = {name: self._out_of_range.labels(name) for name in NAMES}
        self._endpoints = {name: Endpoint(name, self, statuses) for name, statuses in endpoints.items()}
        self.expose: Handler = make_aiohttp_handler(registry)

    def endpoint(self, template: str) -> Endpoint:
        """Return what is counted at a route's template, `unmatched` included."""
        return self._endpoints[template]

    def introduce(self, model: Model) -> None:
        """Say which model serves, and create what is counted by its classes."""
        card = model.card
        self._model_info.labels(card.version, card.sha256, card.sklearn, model.engine).set(1)
        self._labels = {each.name: self._predictions.labels(each.name) for each in card.classes}

    def count_inference(self, samples: int, seconds: float) -> None:
        """Count one call of the model."""
        self._batch_size.observe(samples)
        self._inference_seconds.observe(seconds)

    def count_prediction(self, label: str, confidence: float, out_of_range: Iterable[str]) -> None:
        """Count one wine that was classified."""
        self._labels[label].inc()
        self._confidence.observe(confidence)
        for name in out_of_range:
            self._features[name].inc()
