"""A service as Prometheus sees it: the server's metrics, with values that a test sets."""

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tests.support.fakes.loopback import Loopback, never
from wine_slo import metric_names

BOUNDS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 2.5, 5.0, 10.0)  # seconds


class Service:
    """The fake; its counters begin at 0 each time it comes back, as a restarted process's do."""

    def __init__(self) -> None:
        self.hangs = False  # while True, a scrape is accepted and never answered
        self.oldest_request_seconds = 0.0  # the age of the request that has waited longest
        self._server = Loopback(self._handle)
        self._reset()

    def _reset(self) -> None:
        self._registry = CollectorRegistry()
        endpoint = [metric_names.ENDPOINT]
        self._requests = Counter(metric_names.REQUESTS, "Requests.", endpoint, registry=self._registry)
        self._responses = Counter(
            metric_names.RESPONSES, "Responses.", [*endpoint, metric_names.STATUS], registry=self._registry
        )
        self._seconds = Histogram(
            metric_names.REQUEST_SECONDS, "Seconds.", endpoint, buckets=BOUNDS, registry=self._registry
        )
        self._model = Gauge(metric_names.MODEL_INFO, "1.", [metric_names.SHA256], registry=self._registry)
        oldest = Gauge(metric_names.OLDEST_REQUEST_SECONDS, "Seconds.", registry=self._registry)
        oldest.set_function(lambda: self.oldest_request_seconds)
        self.answers(0)

    @property
    def target(self) -> str:
        """Its host and port, as a scrape configuration names them."""
        return f"127.0.0.1:{self._server.port}"

    def answers(self, good: int = 0, slow: int = 0, failed: int = 0, endpoint: str = "/predict") -> None:
        """Count that many more requests: good ones took 0.05 s, slow ones 1.6 s, failed ones 0.05 s and a 500."""
        for seconds, status, count in ((0.05, "200", good), (1.6, "200", slow), (0.05, "500", failed)):
            self._requests.labels(endpoint).inc(count)
            self._responses.labels(endpoint, status).inc(count)
            self.observes(seconds, count, endpoint)

    def serves(self, sha256: str) -> None:
        """Serve that model from now on."""
        self._model.clear()
        self._model.labels(sha256).set(1)

    def observes(self, seconds: float, count: int = 1, endpoint: str = "/predict") -> None:
        """Put requests of that many seconds into the histogram alone."""
        histogram = self._seconds.labels(endpoint)
        for _ in range(count):
            histogram.observe(seconds)

    async def comes_back(self) -> None:
        """Listen, on the port of before if there was one, with every counter at 0."""
        self._reset()
        await self._server.open()

    async def goes_down(self) -> None:
        """Refuse connections."""
        await self._server.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.hangs:
            return await never()
        if request.path != "/metrics":
            return web.Response(status=404)
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
