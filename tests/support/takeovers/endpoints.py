"""A service with many endpoints, each with ten requests a second, that all fail while it is in breach."""

from time import time

from aiohttp import web

from tests.support.fakes.loopback import OnLoopback

PER_SECOND = 10  # requests of each endpoint
OBJECTIVES = """\
job: wine-slo
blind_for: 1m
objectives:
  - name: errors
    title: Error rate
    kind: ratio
    objective: 0.99
    bad: responses_total{job="wine-slo", status="500"}
    total: responses_total{job="wine-slo"}
    by: [endpoint]
    bad_for: 5s
    good_for: 4s
    over: 1m
"""


class Endpoints(OnLoopback):
    """The fake.

    Args:
        count: How many endpoints there are.

    Attributes:
        failing: Those that are in breach now.
    """

    def __init__(self, count: int) -> None:
        self.names = [f"/e{number}" for number in range(count)]
        self.failing: set[str] = set()
        self._good = dict.fromkeys(self.names, 0.0)
        self._bad = dict.fromkeys(self.names, 0.0)
        self._counted_at = time()
        super().__init__(self._handle)

    @property
    def target(self) -> str:
        """Its host and port, as a scrape configuration names them."""
        return self.url.removeprefix("http://")

    def fails(self, name: str) -> None:
        """Fail every request of an endpoint from now on."""
        self._count()
        self.failing.add(name)

    def recovers(self, name: str) -> None:
        """Answer every request of an endpoint from now on."""
        self._count()
        self.failing.discard(name)

    def _count(self) -> None:
        now = time()
        for name in self.names:
            counts = self._bad if name in self.failing else self._good
            counts[name] += (now - self._counted_at) * PER_SECOND
        self._counted_at = now

    async def _handle(self, _: web.BaseRequest) -> web.Response:
        self._count()
        lines = ["# TYPE responses_total counter"]
        for status, counts in (("200", self._good), ("500", self._bad)):
            lines += [
                f'responses_total{{endpoint="{name}",status="{status}"}} {count:.0f}' for name, count in counts.items()
            ]
        return web.Response(text="\n".join([*lines, ""]), content_type="text/plain")
