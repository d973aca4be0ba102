"""How long a request takes us: the time in which its client sends the body is the client's."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from aiohttp import web

from wine_slo.service.metrics.after_answers import AfterAnswers
from wine_slo.service.metrics.instruments import Endpoint


class Timer:
    """Counts a request in, and has it counted out when it has been answered.

    Args:
        endpoint: where it arrives.
        request: which now begins.
    """

    __slots__ = ("_endpoint", "_request", "_started", "_theirs")

    def __init__(self, endpoint: Endpoint, request: web.BaseRequest) -> None:
        self._endpoint = endpoint
        self._request = request
        self._started = perf_counter()
        self._theirs = 0.0
        endpoint.arrive(request, self._started)

    @contextmanager
    def waiting_for_client(self) -> Iterator[None]:
        """Leave out what passes meanwhile."""
        began = perf_counter()
        self._endpoint.put_aside(self._request)
        try:
            yield
        finally:
            now = perf_counter()
            self._theirs += now - began
            self._endpoint.take_up(self._request, now)

    def end(self, status: int | None, after: AfterAnswers) -> float:
        """Have the request counted out; return how many seconds it took altogether.

        Args:
            status: of the response; None where its client disconnected before that.
            after: has it counted.
        """
        seconds = perf_counter() - self._started
        after.do(self._endpoint.leave, self._request, seconds - self._theirs, status)
        return seconds


TIMER = web.RequestKey("TIMER", Timer)
