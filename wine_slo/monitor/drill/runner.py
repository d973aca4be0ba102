"""The drill: an incident made on purpose, to measure how soon it is detected, notified and resolved.

`means` breaks the service and mends it. However the drill ends, nothing goes on breaking it afterwards.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from wine_slo.integrations.peers import WatchdogError
from wine_slo.monitor.drill.means import DrillRefusedError, DrillStoppedError, Means
from wine_slo.monitor.drill.result import Drill, Step
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.notification.record import Stage
from wine_slo.slo.objectives.objective import Alert, Objective
from wine_slo.slo.reason import Reason, ReasonedError, phrase
from wine_slo.slo.source.metric_source import MetricSourceError
from wine_slo.slo.views.status_schema import IncidentStatus, Judgement, ObjectiveStatus, Status

EACH = 0.25  # seconds between two polls of the watchdog
DELIVERY = timedelta(seconds=5)  # what a message may take once there is something to deliver
SEEN_WITHIN = 6  # scrape intervals; what Prometheus has not seen by then it does not scrape


class Watchdog(Protocol):
    """The status, from the watchdog wherever it runs."""

    def __call__(self) -> Awaitable[Status]:
        """Return the status.

        Raises:
            WatchdogError: It does not answer.
        """
        ...


class Marks(Protocol):
    """Has the watchdog mark what opens meanwhile as a drill's."""

    def __call__(self, drill: Drill, longest: timedelta) -> AbstractAsyncContextManager[None]:
        """Begin, and end at the end."""
        ...


class DrillFailedError(ReasonedError):
    """What did not happen."""


async def run(
    means: Means,
    watchdog: Watchdog,
    objective: Objective,
    *,
    marks: Marks,
    longest: timedelta,
    clock: Callable[[], datetime],
    on_progress: Callable[[Drill], None] = lambda _: None,
) -> Drill:
    """Make an incident, wait for its notifications, end it, wait for those, and return how long each took.

    Args:
        means: Breaks the service and mends it.
        watchdog: The one that must detect it.
        objective: The objective that is broken.
        marks: Has the incident marked as a drill's, where it does not show that by itself.
        longest: For at most so long it is broken, and for at most so long a recovery is waited for.
        clock: Read for the drill's own instants.
        on_progress: Called whenever something has happened.

    Raises:
        DrillRefusedError: There was no drill, and why not.
        DrillStoppedError: It was cancelled, and the service may still be broken.
    """
    drill = await prepare(means, watchdog, objective, clock)
    running = _Running(means, watchdog, objective, drill, on_progress)
    try:
        await means.seen(objective)
    except MetricSourceError as error:
        raise DrillRefusedError("Prometheus: {why}", why=error.reason) from error
    try:
        async with marks(drill, longest):
            await running.break_it(longest, clock)
    except DrillFailedError as error:
        running.fail(error)
    except asyncio.CancelledError:
        if (trouble := means.trouble()) is not None:
            raise DrillStoppedError(trouble) from None
        raise
    if running.drill.incident is not None:
        try:
            await running.mend_it(longest)
        except DrillFailedError as error:
            running.fail(error)
    return running.drill


async def prepare(means: Means, watchdog: Watchdog, objective: Objective, clock: Callable[[], datetime]) -> Drill:
    """Return the drill that can be done, or why there can be none.

    Raises:
        DrillRefusedError: There can be none.
    """
    try:
        status = await watchdog()
    except WatchdogError as error:
        raise DrillRefusedError(error.reason) from error
    slos = [each for each in status.objectives if each.objective == objective.name]
    if not slos:
        raise DrillRefusedError(
            "the watchdog has no objective {name}; does it read another slo.yml?", name=objective.name
        )
    for slo in slos:
        _refuse_unless_calm(status, slo)
    drill = await means.plan(objective, slos[0], clock())
    request = timedelta(seconds=drill.sleep_seconds or 0.0)
    steps = _steps(objective, timedelta(seconds=status.poll_seconds), request, is_seen=drill.shows_itself)
    return replace(drill, steps=steps)


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


def _steps(objective: Objective, poll: timedelta, sleep: timedelta, *, is_seen: bool) -> tuple[Step, ...]:
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
        if is_seen or name != "scraped"
    )


class _Running:
    """A drill while it runs."""

    def __init__(
        self,
        means: Means,
        watchdog: Watchdog,
        objective: Objective,
        drill: Drill,
        on_progress: Callable[[Drill], None],
    ) -> None:
        self.drill = drill
        self._means = means
        self._watchdog = watchdog
        self._objective = objective
        self._on_progress = on_progress
        self._began = monotonic()

    def fail(self, error: DrillFailedError) -> None:
        """Keep what went wrong first."""
        self.drill = replace(self.drill, trouble=self.drill.trouble or error.reason)
        self._show()

    async def break_it(self, longest: timedelta, clock: Callable[[], datetime]) -> None:
        """Break it until every chat is notified.

        Args:
            longest: For how long at the most.
            clock: Read when it has ended.

        Raises:
            DrillFailedError: That did not happen in time.
        """
        self._began = monotonic()
        self._show()
        try:
            async with self._means.breaking(self.drill, longest):
                await self._until(self._is_notified, longest)
        finally:
            self.drill = replace(self.drill, stopped_at=clock(), requests=self._means.requests)
        self._refuse_trouble()
        self._began = monotonic()

    async def mend_it(self, longest: timedelta) -> None:
        """Have it be well until every chat is notified that it is over.

        Raises:
            DrillFailedError: That did not happen in time.
        """
        self._show()
        async with self._means.mending(self.drill):
            await self._until(self._is_over, longest)

    async def _until(self, happened: Callable[[Status], bool], longest: timedelta) -> None:
        while True:
            elapsed = monotonic() - self._began
            self.drill = replace(self.drill, requests=self._means.requests)
            if not self.drill.has("scraped") and self.drill.stopped_at is None and self.drill.shows_itself:
                await self._wait_for_scrape(elapsed)
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
            self._refuse_trouble()
            await asyncio.sleep(EACH)

    def _refuse_trouble(self) -> None:
        """Go on no longer where what breaks the service, or mends it, does not work.

        Raises:
            DrillFailedError: It does not.
        """
        if (trouble := self._means.trouble()) is not None:
            raise DrillFailedError(trouble)

    async def _wait_for_scrape(self, elapsed: float) -> None:
        with suppress(MetricSourceError):
            if await self._means.seen(self._objective):
                self._reach("scraped", elapsed)
        interval = self._objective.scrape_interval.total_seconds()
        if not self.drill.has("scraped") and elapsed > SEEN_WITHIN * interval:
            raise DrillFailedError(
                "Prometheus has not seen the drill in {seconds} s: does it scrape this service, as the job {job}?",
                seconds=f"{elapsed:.0f}",
                job=self._objective.job,
            )

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
        return next(
            (
                each
                for each in those
                if each.slo.partition("{")[0] == self.drill.slo
                and each.alert is Alert.BREACH
                and number in (None, each.number)
            ),
            None,
        )

    def _reach(self, name: str, elapsed: float) -> None:
        self.drill = self.drill.reached(name, round(elapsed, 1))
        self._show()

    def _show(self) -> None:
        self._on_progress(self.drill)
