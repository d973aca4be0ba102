"""The metrics of both processes; the only door to prometheus_client.

Every label set that can be known is created at the start, so that a ratio over it is never empty, and is kept: looking
one up costs three times as much as counting with it. Seconds throughout.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
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
from wine_slo.domain.incident import Phase
from wine_slo.domain.notice import Kind
from wine_slo.domain.objective import Objectives
from wine_slo.domain.reading import Sight
from wine_slo.domain.watch import State
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
TICK_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
PHASES = tuple(Phase)  # their numbers are those of the help text
SIGHTS = tuple(Sight)
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


class WatchdogInstruments:
    """What the watchdog believes and how it is doing.

    Args:
        version: the watchdog's own.
        untold_seconds: asked at each scrape.
    """

    def __init__(self, version: str, untold_seconds: Callable[[], float]) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        gauge = partial(Gauge, registry=registry)
        counter = partial(Counter, registry=registry)
        by_slo = (names.SLO,)
        self._state = gauge(names.SLO_STATE, "0 met, 1 breaching, 2 breached, 3 recovering.", by_slo)
        self._sight = gauge(
            names.SLO_SIGHT, "0 clear, 1 no traffic, 2 too few, 3 target down, 4 stale, 5 blind.", by_slo
        )
        self._latency = gauge(names.SLO_LATENCY_SECONDS, "The promised quantile over the objective's range.", by_slo)
        self._sli = gauge(names.SLO_SLI_RATIO, "The share of good events over the objective's range.", by_slo)
        self._objective = gauge(names.SLO_OBJECTIVE_RATIO, "The share of good events that is promised.", by_slo)
        self._last_tick = gauge(
            names.WATCHDOG_LAST_TICK_TIMESTAMP_SECONDS, "When the last tick was complete, since the epoch."
        )
        self._tick_seconds = Histogram(
            names.WATCHDOG_TICK_SECONDS, "Time of one tick.", buckets=TICK_BUCKETS, registry=registry
        )
        self._queries = counter(names.WATCHDOG_QUERIES, "Questions put to Prometheus.", (names.OUTCOME,))
        self._messages = counter(names.WATCHDOG_MESSAGES, "Messages told or not.", (names.KIND, names.OUTCOME))
        self._incidents_open = gauge(names.WATCHDOG_INCIDENTS_OPEN, "Incidents that are open.")
        gauge(names.WATCHDOG_UNTOLD_SECONDS, "Age of the oldest thing not yet told.").set_function(untold_seconds)
        gauge(names.WATCHDOG_INFO, "The version that runs; always 1.", (names.VERSION,)).labels(version).set(1)
        for outcome in ("answered", "failed"):
            self._queries.labels(outcome)
        for kind in Kind:
            for outcome in ("told", "failed"):
                self._messages.labels(kind, outcome)
        self._shown: set[str] = set()
        self.expose: Handler = make_aiohttp_handler(registry)

    def count_query(self, outcome: str) -> None:
        """Count a question: `answered` or `failed`."""
        self._queries.labels(outcome).inc()

    def count_message(self, kind: Kind, outcome: str) -> None:
        """Count a try to tell something: `told` or `failed`."""
        self._messages.labels(kind, outcome).inc()

    def count_tick(self, ended_at: datetime, seconds: float) -> None:
        """Count a complete tick."""
        self._last_tick.set(ended_at.timestamp())
        self._tick_seconds.observe(seconds)

    def show(self, state: State, objectives: Objectives) -> None:
        """Publish what is believed; what is not known is absent instead of 0."""
        self._incidents_open.set(len(state.open_incidents))
        shown = set()
        for key, track in state.tracks.items():
            objective, reading, slo = objectives.of(key), state.readings.get(key), str(key)
            if objective is None:
                continue
            shown.add(slo)
            self._state.labels(slo).set(PHASES.index(track.phase))
            self._sight.labels(slo).set(SIGHTS.index(track.sight))
            self._objective.labels(slo).set(objective.ratio)
            _set(self._latency, slo, reading.latency_seconds if reading else None)
            _set(self._sli, slo, reading.good_ratio if reading else None)
        for slo in self._shown - shown:
            for metric in (self._state, self._sight, self._objective, self._latency, self._sli):
                _set(metric, slo, None)
        self._shown = shown


def _set(gauge: Gauge, label: str, value: float | None) -> None:
    if value is not None:
        gauge.labels(label).set(value)
    elif (label,) in gauge._metrics:  # noqa: SLF001  # removing what is not there warns
        gauge.remove(label)
