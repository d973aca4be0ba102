"""The drill: an incident made on purpose, to measure how soon it is detected, notified and resolved.

The service is made slow through its own `/sleep`, by requests that it counts at an endpoint of their own, so that the
error budget can leave them out (`budget_selector` in slo.yml) while the judgement does not. Then as many quick requests
follow, because only requests can show that it is well again. However it ends, no requests are sent afterwards.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from wine_slo.integrations.peers import ServiceApi, ServiceError, WatchdogError
from wine_slo.metric_names import DRILL_ENDPOINT, ENDPOINT, REQUESTS
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.reason import Reason, ReasonedError, phrase
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError
from wine_slo.slo.views.status_schema import IncidentStatus, Judgement, ObjectiveStatus, Status

PER_SECOND = 5.0  # requests; five in a scrape interval of a second are enough to judge
MOST_PER_SECOND = 20.0  # a service that has more of its own is not made slow by a drill
MOST_ASLEEP = 80  # requests at once; the service refuses more than a hundred
SHARE = 0.5  # of all requests that are slow in a drill
LEAST_SHARE = 3  # times what may be bad; less could hardly be distinguished from chance
SLOWER = 2  # times the threshold
LONGEST_SLEEP = 10.0  # seconds; the service refuses more
EACH = 0.25  # seconds between two polls of the watchdog
DELIVERY = timedelta(seconds=5)  # what a message may take once there is something to deliver
SEEN_WITHIN = 6  # scrape intervals; what Prometheus has not seen by then it does not scrape


class DrillRefusedError(ReasonedError):
    """Why there is no drill; nothing was done."""


class Watchdog(Protocol):
    """The status, from the watchdog wherever it runs."""

    def __call__(self) -> Awaitable[Status]:
        """Return the status.

        Raises:
            WatchdogError: It does not answer.
        """
        ...


class DrillFailedError(ReasonedError):
    """What did not happen."""


async def run(
    service: ServiceApi,
    watchdog: Watchdog,
    prometheus: MetricSource,
    objective: Objective,
    *,
    longest: timedelta,
    clock: Callable[[], datetime],
    on_progress: Callable[[Drill], None] = lambda _: None,
) -> Drill:
    """Make an incident, wait for its notifications, end it, wait for those, and return how long each took.

    Args:
        service: The one that is made slow.
        watchdog: The one that must detect it.
        prometheus: The one that must scrape.
        objective: The latency objective that is broken.
        longest: For at most so long it is slow, and for at most so long a recovery is waited for.
        clock: Read for the drill's own instants.
        on_progress: Called whenever something has happened.

    Raises:
        DrillRefusedError: There was no drill, and why not.
    """
    drill = await prepare(service, watchdog, objective, clock)
    running = _Running(service, watchdog, prometheus, objective, drill, on_progress)
    try:
        before = await running.counted()
    except MetricSourceError as error:
        raise DrillRefusedError("Prometheus: {why}", why=error.reason) from error
    try:
        await running.break_it(before, longest, clock)
    except DrillFailedError as error:
        running.fail(error)
    if running.drill.incident is not None:
        try:
            await running.mend_it(longest)
        except DrillFailedError as error:
            running.fail(error)
    return running.drill


async def prepare(
    service: ServiceApi, watchdog: Watchdog, objective: Objective, clock: Callable[[], datetime]
) -> Drill:
    """Return the drill that can be done, or why there can be none.

    Raises:
        DrillRefusedError: There can be none.
    """
    threshold = objective.source.threshold
    if threshold is None or not objective.source.can_be_drilled or objective.by:
        raise DrillRefusedError(
            "{name} is not a latency of all requests together; a drill can violate only that", name=objective.name
        )
    sleep = min(SLOWER * threshold, LONGEST_SLEEP)
    if sleep <= threshold:
        raise DrillRefusedError(
            "/sleep takes at most {longest} s, which does not violate {name}",
            longest=f"{LONGEST_SLEEP:g}",
            name=objective.name,
        )
    try:
        health = await service.health()
        await service.sleep(0)
        status = await watchdog()
    except (ServiceError, WatchdogError) as error:
        raise DrillRefusedError(error.reason) from error
    if health.status != "ok":
        raise DrillRefusedError("the service reports a problem: {why}", why=health.reason or health.status)
    slo = next((each for each in status.objectives if each.slo == objective.name), None)
    if slo is None:
        raise DrillRefusedError(
            "the watchdog has no objective {name}; does it read another slo.yml?", name=objective.name
        )
    _refuse_unless_calm(status, slo)
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
        slo=slo.slo,
        sleep_seconds=sleep,
        requests_per_second=per_second,
        started_at=clock(),
        steps=_steps(objective, timedelta(seconds=status.poll_seconds), timedelta(seconds=sleep)),
    )


def _refuse_unless_calm(status: Status, slo: ObjectiveStatus) -> None:
    """Refuse where an incident of a drill would be mistaken, or could not be seen.

    Raises:
        DrillRefusedError: It would.
    """
    if status.overdue:
        raise DrillRefusedError("the last evaluation is too long ago")
    if slo.incident is not None:
        raise DrillRefusedError("{name} is already in breach: #{number}", name=slo.slo, number=slo.incident)
    if slo.silence is not None:
        raise DrillRefusedError(
            "{name} is silenced by {person}, so that nobody would be notified", name=slo.slo, person=slo.silence.by
        )
    if status.quiet_hours:
        raise DrillRefusedError("quiet hours hold the messages of a drill until they are over")
    if slo.verdict is Judgement.SUSPICIOUS:
        raise DrillRefusedError("a breach of {name} is pending; wait until it is decided", name=slo.slo)
    if slo.sight not in (Sight.CLEAR, Sight.NO_TRAFFIC, Sight.TOO_FEW):
        raise DrillRefusedError("{name} cannot be evaluated: {why}", name=slo.slo, why=slo.reason)


def _steps(objective: Objective, poll: timedelta, sleep: timedelta) -> tuple[Step, ...]:
    """Return what must happen, and within how long by the settings.

    Two scrapes are for what jitters and what is settled late.
    """
    scrapes = 2 * objective.scrape_interval
    detected = max(objective.bad_for, poll) + scrapes + sleep
    recovered = objective.good_for + 2 * scrapes + timedelta(seconds=2)
    parts = (
        ("scraped", phrase("seen by Prometheus"), scrapes),
        ("detected", phrase("breach confirmed"), detected),
        ("notified", phrase("all chats notified"), detected + DELIVERY),
        ("recovered", phrase("recovery confirmed"), recovered),
        ("recovery_notified", phrase("all chats notified of the recovery"), recovered + DELIVERY),
    )
    return tuple(
        Step(name=name, title=title, seconds=None, expected_seconds=within.total_seconds())
        for name, title, within in parts
    )


class _Running:
    """A drill while it runs."""

    def __init__(
        self,
        service: ServiceApi,
        watchdog: Watchdog,
        prometheus: MetricSource,
        objective: Objective,
        drill: Drill,
        on_progress: Callable[[Drill], None],
    ) -> None:
        self.drill = drill
        self._service = service
        self._watchdog = watchdog
        self._prometheus = prometheus
        self._objective = objective
        self._on_progress = on_progress
        self._failures = 0  # in a row
        self._began = monotonic()

    def fail(self, error: DrillFailedError) -> None:
        """Keep what went wrong first."""
        self.drill = replace(self.drill, trouble=self.drill.trouble or error.reason)
        self._on_progress(self.drill)

    async def break_it(self, before: float, longest: timedelta, clock: Callable[[], datetime]) -> None:
        """Make it slow until every chat is notified.

        Args:
            before: How many of a drill's requests Prometheus knew before.
            longest: For how long at the most.
            clock: Read when it has ended.

        Raises:
            DrillFailedError: That did not happen in time.
        """
        self._began = monotonic()
        try:
            async with self._requesting(self.drill.sleep_seconds):
                await self._until(self._is_notified, longest, before)
        finally:
            self.drill = replace(self.drill, stopped_at=clock())
        self._began = monotonic()

    async def mend_it(self, longest: timedelta) -> None:
        """Make it quick until every chat is notified that it is over.

        Raises:
            DrillFailedError: That did not happen in time.
        """
        self._show()
        async with self._requesting(0.0):
            await self._until(self._is_over, longest, None)

    async def _until(self, happened: Callable[[Status], bool], longest: timedelta, before: float | None) -> None:
        while True:
            elapsed = monotonic() - self._began
            if before is not None and not self.drill.has("scraped"):
                await self._wait_for_scrape(before, elapsed)
            with suppress(WatchdogError):  # a moment's absence shows in the time that everything takes
                if happened(await self._watchdog()):
                    return
            if elapsed > longest.total_seconds():
                missing = next(each for each in self.drill.steps if each.seconds is None)
                raise DrillFailedError(
                    "{what}: not within {seconds} s",
                    seconds=f"{elapsed:.0f}",
                    what=Reason(missing.title),
                )
            if self._failures > 3 * self.drill.requests_per_second:
                raise DrillFailedError("the service does not answer the drill's requests")
            await asyncio.sleep(EACH)

    async def _wait_for_scrape(self, before: float, elapsed: float) -> None:
        with suppress(MetricSourceError):
            if await self.counted() > before:
                self._reach("scraped", elapsed)
        interval = self._objective.scrape_interval.total_seconds()
        if not self.drill.has("scraped") and elapsed > SEEN_WITHIN * interval:
            raise DrillFailedError(
                "Prometheus has not seen the drill in {seconds} s: does it scrape this service, as the job {job}?",
                seconds=f"{elapsed:.0f}",
                job=self._objective.job,
            )

    async def counted(self) -> float:
        """Return how many of a drill's requests Prometheus knows.

        Raises:
            MetricSourceError: It does not say.
        """
        requests = self._objective.scope.select(REQUESTS, f'{ENDPOINT}="{DRILL_ENDPOINT}"')
        samples = (await self._prometheus.query(f"sum({requests})")).samples
        return samples[0].value if samples else 0.0

    def _is_notified(self, status: Status) -> bool:
        incident = self._incident(status.open_incidents)
        if incident is None:
            return False
        elapsed = monotonic() - self._began
        if not self.drill.has("detected"):
            self.drill = replace(self.drill, incident=incident.number)
            self._reach("detected", elapsed)
        if incident.told is Stage.OPENED:
            self._reach("notified", elapsed)
        return self.drill.has("notified")

    def _is_over(self, status: Status) -> bool:
        incident = self._incident((*status.open_incidents, *status.recent_incidents))
        if incident is None or incident.is_open:
            return False
        elapsed = monotonic() - self._began
        if not self.drill.has("recovered"):
            self._reach("recovered", elapsed)
        if incident.told is Stage.CLOSED:
            self._reach("recovery_notified", elapsed)
        return self.drill.has("recovery_notified")

    def _incident(self, those: tuple[IncidentStatus, ...]) -> IncidentStatus | None:
        number = self.drill.incident
        return next((each for each in those if each.slo == self.drill.slo and number in (None, each.number)), None)

    def _reach(self, name: str, elapsed: float) -> None:
        self.drill = self.drill.reached(name, round(elapsed, 1))
        self._show()

    def _show(self) -> None:
        self._on_progress(self.drill)

    @asynccontextmanager
    async def _requesting(self, seconds: float) -> AsyncIterator[None]:
        """Send requests at a steady rate meanwhile; at the end all are answered first, unless it is broken off."""
        requests: set[asyncio.Task[None]] = set()

        async def request() -> None:
            try:
                await self._service.sleep(seconds)
            except ServiceError:
                self._failures += 1
            else:
                self._failures = 0
                self.drill = replace(self.drill, requests=self.drill.requests + 1)

        async def keep_requesting() -> None:
            while True:
                task = asyncio.create_task(request())
                requests.add(task)
                task.add_done_callback(requests.discard)
                await asyncio.sleep(1 / self.drill.requests_per_second)

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
