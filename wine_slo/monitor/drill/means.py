"""How a drill breaks a service and mends it by requests: slow ones to ours, or any to a URL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from wine_slo.config.slo_extras import DrillEntry
from wine_slo.integrations.peers import OtherServiceError, ServiceApi, ServiceError
from wine_slo.metric_names import DRILL_ENDPOINT, ENDPOINT, REQUESTS
from wine_slo.monitor.drill.result import Drill
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.reason import Reason, ReasonedError, phrase
from wine_slo.slo.source.metric_source import MetricSource
from wine_slo.slo.views.status_schema import ObjectiveStatus

PER_SECOND = 5.0  # requests; five in a scrape interval of a second are enough to judge
MOST_PER_SECOND = 20.0  # a service that has more of its own is not made slow by a drill
MOST_ASLEEP = 80  # requests at once; the service refuses more than a hundred
SHARE = 0.5  # of all requests that are slow in a drill
LEAST_SHARE = 3  # times what may be bad; less could hardly be distinguished from chance
SLOWER = 2  # times the threshold
LONGEST_SLEEP = 10.0  # seconds; the service refuses more
LONGEST_REQUEST = 30.0  # seconds for one request to a URL
PAUSE = 0.2  # seconds between two requests of the same place in the line, so that a fast answer is no flood
MOST_FAILURES = 15  # requests in a row, of as many as there are a second


class DrillRefusedError(ReasonedError):
    """Why there is no drill; nothing was done."""


class DrillStoppedError(ReasonedError):
    """A drill was broken off, and what breaks the service may go on."""


class Means(Protocol):
    """How a service is broken and mended."""

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        ...

    async def plan(self, objective: Objective, slo: ObjectiveStatus, now: datetime) -> Drill:
        """Return what is done to violate an objective, without steps.

        Raises:
            DrillRefusedError: It cannot be done.
        """
        ...

    async def seen(self, objective: Objective) -> bool:
        """Return whether Prometheus has seen more of it than at the first time.

        Raises:
            MetricSourceError: It does not say.
        """
        ...

    def breaking(self, drill: Drill, longest: timedelta) -> AbstractAsyncContextManager[None]:
        """Break it meanwhile, however that ends."""
        ...

    def mending(self, drill: Drill) -> AbstractAsyncContextManager[None]:
        """Have it be well meanwhile."""
        ...

    def trouble(self) -> Reason | None:
        """Return why it cannot go on; None where it can."""
        ...


class Requests:
    """Requests that go on beside something else.

    Args:
        request: Makes one; raises ServiceError where it is not answered.
        patience: How many may fail in a row.
    """

    def __init__(self, request: Callable[[], Awaitable[None]], patience: float) -> None:
        self._request = request
        self._patience = patience
        self._failures = 0  # in a row
        self.answered = 0

    @property
    def have_failed(self) -> bool:
        """Return whether the service does not answer."""
        return self._failures > self._patience

    async def one(self) -> None:
        """Make one."""
        try:
            await self._request()
        except ServiceError:
            self._failures += 1
        else:
            self._failures = 0
            self.answered += 1

    @asynccontextmanager
    async def at(self, per_second: float) -> AsyncIterator[None]:
        """Make so many a second meanwhile; at the end all are answered first, unless it is broken off."""
        requests: set[asyncio.Task[None]] = set()

        async def keep_requesting() -> None:
            while True:
                task = asyncio.create_task(self.one())
                requests.add(task)
                task.add_done_callback(requests.discard)
                await asyncio.sleep(1 / per_second)

        requesting = asyncio.create_task(keep_requesting())
        try:
            yield
            requesting.cancel()
            await asyncio.gather(*requests, return_exceptions=True)
        finally:
            requesting.cancel()
            for task in requests:
                task.cancel()
            await asyncio.gather(requesting, *requests, return_exceptions=True)

    @asynccontextmanager
    async def side_by_side(self, count: int) -> AsyncIterator[None]:
        """Make so many at once meanwhile, each again as soon as it is answered."""

        async def keep_requesting() -> None:
            while True:
                await self.one()
                await asyncio.sleep(PAUSE)

        requesting = [asyncio.create_task(keep_requesting()) for _ in range(count)]
        try:
            yield
        finally:
            for each in requesting:
                each.cancel()
            await asyncio.gather(*requesting, return_exceptions=True)


UNANSWERED = Reason("the service does not answer the drill's requests")


class Sleeping:
    """Requests to `/sleep` of our own service, which counts them at an endpoint of their own.

    So the error budget can leave them out (`budget_selector` in slo.yml) while the judgement does not. Afterwards as
    many fast ones are made, because only requests can show that it is well again.
    """

    def __init__(self, service: ServiceApi, prometheus: MetricSource) -> None:
        self._service = service
        self._prometheus = prometheus
        self._before: float | None = None
        self._requests: Requests | None = None
        self._answered_before = 0

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return self._answered_before + (self._requests.answered if self._requests else 0)

    async def plan(self, objective: Objective, slo: ObjectiveStatus, now: datetime) -> Drill:
        """Return how slow how many requests are to be.

        Raises:
            DrillRefusedError: They would not violate the objective, or the service cannot be made slow.
        """
        threshold = objective.source.threshold
        if threshold is None or not objective.source.can_be_drilled or objective.by:
            raise DrillRefusedError(
                "{name} is not a latency of all requests together; a drill through /sleep can violate only that",
                name=objective.name,
            )
        sleep = min(SLOWER * threshold, LONGEST_SLEEP)
        if sleep <= threshold:
            raise DrillRefusedError(
                "/sleep takes at most {longest} s, which does not violate {name}",
                longest=f"{LONGEST_SLEEP:g}",
                name=objective.name,
            )
        try:
            health = await self._service.health()
            await self._service.sleep(0)
        except OtherServiceError as error:
            raise DrillRefusedError("{why}; `drill` in slo.yml says how to break it", why=error.reason) from error
        except ServiceError as error:
            raise DrillRefusedError(error.reason) from error
        if health.status != "ok":
            raise DrillRefusedError("the service reports a problem: {why}", why=health.reason or health.status)
        most = min(MOST_PER_SECOND, MOST_ASLEEP / sleep)
        per_second = min(most, max(PER_SECOND, (slo.events_per_second or 0.0) * SHARE / (1 - SHARE)))
        share = per_second / (per_second + (slo.events_per_second or 0.0))
        if share < LEAST_SHARE * objective.allowed_bad_ratio:
            raise DrillRefusedError(
                "the service answers {rate} requests per second; the {most} slow ones of a drill would not be detected",
                rate=f"{slo.events_per_second:.0f}",
                most=f"{per_second:g}",
            )
        return Drill(
            slo=objective.name,
            does=Reason(
                phrase("Sending {rate} requests/s of {seconds} s each to violate {slo}."),
                {"rate": f"{round(per_second, 1):g}", "seconds": f"{sleep:g}", "slo": objective.name},
            ),
            mends=Reason(phrase("Sending as many fast requests.")),
            sleep_seconds=sleep,
            requests_per_second=per_second,
            shows_itself=True,
            spares_budget=objective.as_budgeted is not objective,
            started_at=now,
        )

    async def seen(self, objective: Objective) -> bool:
        """Return whether Prometheus has counted more of a drill's requests than at the first time.

        Raises:
            MetricSourceError: It does not say.
        """
        requests = objective.scope.select(REQUESTS, f'{ENDPOINT}="{DRILL_ENDPOINT}"')
        samples = (await self._prometheus.query(f"sum({requests})")).samples
        counted = samples[0].value if samples else 0.0
        if self._before is None:
            self._before = counted
        return counted > self._before

    def breaking(self, drill: Drill, longest: timedelta) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - of `Means`
        """Make slow requests meanwhile."""
        return self._at(drill, drill.sleep_seconds or 0.0)

    def mending(self, drill: Drill) -> AbstractAsyncContextManager[None]:
        """Make as many fast ones meanwhile."""
        return self._at(drill, 0.0)

    def trouble(self) -> Reason | None:
        """Return that the service does not answer."""
        return UNANSWERED if self._requests is not None and self._requests.have_failed else None

    def _at(self, drill: Drill, seconds: float) -> AbstractAsyncContextManager[None]:
        per_second = drill.requests_per_second or PER_SECOND
        self._answered_before = self.requests
        self._requests = Requests(lambda: self._service.sleep(seconds), 3 * per_second)
        return self._requests.at(per_second)


class Fetching:
    """Requests to a URL, so many at once; what is well again shows in the requests of others."""

    def __init__(self, session: aiohttp.ClientSession, entry: DrillEntry) -> None:
        self._session = session
        self._entry = entry
        self._requests = Requests(self._fetch, MOST_FAILURES * entry.parallel)

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return self._requests.answered

    async def plan(self, objective: Objective, slo: ObjectiveStatus, now: datetime) -> Drill:  # noqa: ARG002 - of `Means`
        """Return what is requested.

        Raises:
            DrillRefusedError: Nobody answers there.
        """
        try:
            await self._fetch()
        except ServiceError as error:
            raise DrillRefusedError(error.reason) from error
        what: dict[str, str | int | Reason] = {
            "count": self._entry.parallel,
            "url": _without_query(self._entry.url or ""),
            "slo": objective.name,
        }
        return Drill(
            slo=objective.name,
            does=Reason(phrase("Requesting {url}, {count} at once, to violate {slo}."), what),
            started_at=now,
        )

    async def seen(self, objective: Objective) -> bool:  # noqa: ARG002 - of `Means`
        """Return that a drill's requests are counted among all others."""
        return False

    def breaking(self, drill: Drill, longest: timedelta) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - of `Means`
        """Make requests meanwhile."""
        return self._requests.side_by_side(self._entry.parallel)

    def mending(self, drill: Drill) -> AbstractAsyncContextManager[None]:  # noqa: ARG002 - of `Means`
        """Make none meanwhile."""
        return nothing()

    def trouble(self) -> Reason | None:
        """Return that the service does not answer."""
        return UNANSWERED if self._requests.have_failed else None

    async def _fetch(self) -> None:
        """Make one request; any status is an answer, as an error may be what is wanted.

        Raises:
            ServiceError: There is no answer.
        """
        url = self._entry.url or ""
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=LONGEST_REQUEST)) as response:
                await response.read()
        except TimeoutError:
            return  # a request that takes so long is what is wanted
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise ServiceError(
                "{url} cannot be requested ({error})", url=_without_query(url), error=type(error).__name__
            ) from error


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    """Do nothing meanwhile."""
    yield


def _without_query(url: str) -> str:
    """Return a URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
