"""A service that gets ten requests a second and fails now and then, counted anew for whoever scrapes which job.

What happens to a job begins half a scrape interval after a scrape, so that each server sees the same, whatever the
phases of its scrapes.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from tests.support.fakes.loopback import OnLoopback

PER_SECOND = 10  # requests


@dataclass(frozen=True, slots=True)
class Trouble:
    """For some seconds every request fails; `since` counts from the first scrape."""

    since: float
    lasts: float


class TroubledService(OnLoopback):
    """The fake: `/SERVER/JOB` are the metrics of a job.

    Args:
        troubles: What happens to each job.
        every: How far apart its scrapes are, in seconds.
    """

    def __init__(self, troubles: Mapping[str, Sequence[Trouble]], every: float) -> None:
        self._troubles = troubles
        self._every = every
        self._begun_at: dict[tuple[str, str], float] = {}  # Unix time of the first scrape
        super().__init__(self._scrape)

    def when(self, server: str, job: str, trouble: Trouble) -> float:
        """When it begins for a server, in Unix time."""
        return self._begun_at[server, job] + trouble.since // self._every * self._every + self._every / 2

    async def _scrape(self, request: web.BaseRequest) -> web.StreamResponse:
        server, job = request.path.strip("/").split("/")
        now = time.time()
        begun_at = self._begun_at.setdefault((server, job), now)
        failed = sum(min(max(0.0, now - self.when(server, job, each)), each.lasts) for each in self._troubles[job])
        counts = {"200": now - begun_at - failed, "500": failed}
        lines = (
            f'requests_total{{status="{status}"}} {int(seconds * PER_SECOND)}' for status, seconds in counts.items()
        )
        return web.Response(text="\n".join(("# TYPE requests_total counter", *lines, "")))
