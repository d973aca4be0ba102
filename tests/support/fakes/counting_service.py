"""A service that gets ten requests a second, which fail while it is ill; scraped at as many addresses as there are."""

import time

from aiohttp import web

from tests.support.fakes.loopback import Loopback

PER_SECOND = 10  # requests


class CountingService:
    """The fake: each of its addresses has the same counters, and can be closed alone.

    Args:
        addresses: How many there are.
    """

    def __init__(self, addresses: int) -> None:
        self.addresses = [Loopback(self._scrape) for _ in range(addresses)]
        self._counts = {"200": 0.0, "500": 0.0}
        self._is_ill = False
        self._counted_at = time.monotonic()

    def falls_ill(self) -> None:
        self._count()
        self._is_ill = True

    def is_well_again(self) -> None:
        self._count()
        self._is_ill = False

    async def open(self) -> None:
        for each in self.addresses:
            await each.open()

    async def close(self) -> None:
        for each in self.addresses:
            await each.close()

    def _count(self) -> None:
        now = time.monotonic()
        self._counts["500" if self._is_ill else "200"] += PER_SECOND * (now - self._counted_at)
        self._counted_at = now

    async def _scrape(self, _request: web.BaseRequest) -> web.StreamResponse:
        self._count()
        lines = (f'requests_total{{status="{status}"}} {int(count)}' for status, count in self._counts.items())
        return web.Response(text="\n".join(("# TYPE requests_total counter", *lines, "")))
