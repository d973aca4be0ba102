"""A simulated service: many replicas, each with its own load and its own troubles, as Prometheus would scrape them.

Nothing runs between two scrapes: a scrape moves its replica on to now. A request is observed when it ends. Times are
seconds since the run began.
"""

import heapq
import math
import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, count

from aiohttp import web

from tests.support.fakes.loopback import Loopback
from wine_slo import metric_names
from wine_slo.service.metrics.instruments import REQUEST_BUCKETS

BOUNDS = (*REQUEST_BUCKETS, math.inf)  # seconds
HEALTHY = 0.05  # seconds
SICK = 1.6  # seconds
RELOADED = 2.0  # seconds that a page takes which someone reloads


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` until just before `end`."""

    start: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Slow(Span):
    """That share of the requests is sick."""

    share: float = 1.0

    def seconds(self, at: float) -> float:  # noqa: ARG002 - the same at any time
        """Return how long a request takes that begins then."""
        return SICK if random.random() < self.share else HEALTHY


@dataclass(frozen=True, slots=True)
class Swinging(Span):
    """Every request takes 0.9 to 1.1 s, up and down once in `period` seconds."""

    period: float

    def seconds(self, at: float) -> float:
        """Return how long a request takes that begins then."""
        return 1 + 0.1 * math.sin(math.tau * (at - self.start) / self.period)


@dataclass(frozen=True, slots=True)
class Swaying(Swinging):
    """Requests are as long as chance makes them, exponentially; it is their p95 that swings."""

    def seconds(self, at: float) -> float:
        """Return how long a request takes that begins then."""
        return random.expovariate(math.log(20) / Swinging.seconds(self, at))


@dataclass(frozen=True, slots=True)
class Frozen(Span):
    """Nothing is answered before the end, and then everything at once."""

    def seconds(self, at: float) -> float:
        """Return how long a request takes that begins then."""
        return self.end - at + HEALTHY


Trouble = Slow | Swinging | Frozen


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    begun_at: float
    seconds: float

    @property
    def ended_at(self) -> float:
        """Return when it is observed."""
        return self.begun_at + self.seconds


def steady(per_second: float, troubles: Iterable[Trouble]) -> Iterator[Request]:
    """Send requests at a constant rate, healthy where no trouble is."""
    troubles = tuple(troubles)
    phase = random.random()
    for number in count():
        at = (number + phase) / per_second
        trouble = next((trouble for trouble in troubles if at in trouble), None)
        yield Request(at, trouble.seconds(at) if trouble else HEALTHY)


def reloaded(span: Span) -> Iterator[Request]:
    """Yield one person who reloads as soon as the page is there, and nobody else."""
    at = span.start
    while at in span:
        yield Request(at, RELOADED)
        at += RELOADED


class Replica:
    """One process of the service; while `gone` it is dead, and after that a new one."""

    def __init__(self, name: str, requests: Iterator[Request], gone: Span | None = None) -> None:
        self.name = name
        self.gone = gone
        self._has_died = False
        self._requests = requests
        self._next = next(requests, None)
        self._restart()

    def _restart(self) -> None:
        self._pending: list[tuple[float, float]] = []  # when each will end, and when it began
        self._counts = [0] * len(BOUNDS)
        self._sum = 0.0

    def scrape(self, now: float) -> str | None:
        """Return its metrics as text; None while it is gone."""
        if self.gone and not self._has_died and now >= self.gone.start:
            self._has_died = True
            self._advance(self.gone.start)
            self._restart()
        self._advance(now)
        return None if self.gone and now in self.gone else self._exposition(now)

    def _advance(self, now: float) -> None:
        while self._next and self._next.begun_at <= now:
            if not (self.gone and self._next.begun_at in self.gone):
                heapq.heappush(self._pending, (self._next.ended_at, self._next.begun_at))
            self._next = next(self._requests, None)
        while self._pending and self._pending[0][0] <= now:
            ended_at, begun_at = heapq.heappop(self._pending)
            seconds = round(ended_at - begun_at, 6)
            self._counts[next(n for n, bound in enumerate(BOUNDS) if seconds <= bound)] += 1
            self._sum += seconds

    def _exposition(self, now: float) -> str:
        endpoint = f'{metric_names.ENDPOINT}="/predict"'
        oldest = min((begun_at for _, begun_at in self._pending), default=now)
        total = sum(self._counts)
        buckets = [
            f'{metric_names.REQUEST_SECONDS}_bucket{{{endpoint},le="{"+Inf" if bound == math.inf else bound}"}} {below}'
            for bound, below in zip(BOUNDS, accumulate(self._counts), strict=True)
        ]
        lines = [
            f"# TYPE {metric_names.REQUEST_SECONDS} histogram",
            *buckets,
            f"{metric_names.REQUEST_SECONDS}_count{{{endpoint}}} {total}",
            f"{metric_names.REQUEST_SECONDS}_sum{{{endpoint}}} {self._sum:.3f}",
            f"# TYPE {metric_names.REQUESTS} counter",
            f"{metric_names.REQUESTS}{{{endpoint}}} {total}",
            f"# TYPE {metric_names.RESPONSES} counter",
            f'{metric_names.RESPONSES}{{{endpoint},{metric_names.STATUS}="200"}} {total}',
            f"# TYPE {metric_names.REQUESTS_IN_FLIGHT} gauge",
            f"{metric_names.REQUESTS_IN_FLIGHT}{{{endpoint}}} {len(self._pending)}",
            f"# TYPE {metric_names.OLDEST_REQUEST_SECONDS} gauge",
            f"{metric_names.OLDEST_REQUEST_SECONDS} {now - oldest:.3f}",
        ]
        return "\n".join([*lines, ""])


class Service:
    """Serves every replica at `/<name>/metrics` of one port."""

    def __init__(self, replicas: Iterable[Replica]) -> None:
        self._began_at: float | None = None  # Unix time
        self._replicas = {replica.name: replica for replica in replicas}
        self._server = Loopback(self._handle)

    @property
    def target(self) -> str:
        """Return host and port, as a scrape configuration names them."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def now(self) -> float:
        """Return the seconds since the run began; 0 before that."""
        return 0.0 if self._began_at is None else time.time() - self._began_at

    async def open(self) -> None:
        """Answer scrapes; until the run begins, there are no requests yet."""
        await self._server.open()

    def begin(self) -> float:
        """Begin the run now; return the Unix time of that."""
        self._began_at = time.time()
        return self._began_at

    async def close(self) -> None:
        """Answer no more."""
        await self._server.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        name = request.path.strip("/").partition("/")[0]
        text = self._replicas[name].scrape(self.now)
        if text is None and request.transport:
            request.transport.abort()  # as a port that nobody listens on: the scrape fails
        return web.Response(text=text)
