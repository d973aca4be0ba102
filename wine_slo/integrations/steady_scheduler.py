"""APScheduler, planning by a clock that nobody sets.

APScheduler 3 keeps its plan in wall-clock time, so that a clock which is set back puts every job off by as much
(https://github.com/agronholm/apscheduler/issues/351). Its timer is the event loop's, which is monotonic: here the plan
is moved along with the wall clock before it is read, so a job runs when its time has passed by the loop's clock.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

STEP = timedelta(milliseconds=50)  # what the wall clock is off by less than this is no step


class _Following(AsyncIOScheduler):  # type: ignore[misc]  # it ships no types
    """A scheduler whose plan follows the wall clock."""

    _zero: datetime | None = None  # what the wall clock said when the loop's clock was 0

    def start(self) -> None:
        super().start()
        self.follow()

    def wakeup(self) -> None:
        """Read the plan; called by its timer and after each change of the plan."""
        self.follow()
        super().wakeup()

    def follow(self) -> None:
        """Move the plan by as much as the wall clock has been set since the last time."""
        if self._eventloop is None:
            return
        zero = datetime.now(UTC) - timedelta(seconds=self._eventloop.time())
        step = zero - (self._zero or zero)
        if self._zero is not None and abs(step) < STEP:
            return
        self._zero = zero
        for job in self.get_jobs() if step else ():
            if job.next_run_time is not None:
                job.modify(next_run_time=job.next_run_time + step)
        if abs(step) > timedelta(seconds=1):
            log.warning(
                "the clock of this machine was set by %+.0f s; what is planned is not affected", step.total_seconds()
            )


class SteadyScheduler:
    """Runs jobs in the event loop, one at a time each; what a job raises is logged and ends nothing."""

    def __init__(self) -> None:
        self._scheduler = _Following(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._scheduler.add_listener(_complain, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Start; the event loop must run."""
        self._scheduler.start()

    def stop(self) -> None:
        """Run no job any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def every(self, seconds: float, job: Callable[[], Awaitable[None]], name: str) -> None:
        """Run a job now, and again each time that so much time has passed."""
        self._scheduler.follow()
        job, now = partial(_run, job), datetime.now(UTC)
        self._scheduler.add_job(job, "interval", seconds=seconds, next_run_time=now, id=name, name=name)

    def after(self, wait: timedelta, job: Callable[[], Awaitable[None]], name: str) -> None:
        """Run a job once, after a wait; in place of the one of that name which still waits."""
        self._scheduler.follow()
        run_date = datetime.now(UTC) + wait
        self._scheduler.add_job(
            partial(_run, job), "date", run_date=run_date, id=name, name=name, replace_existing=True
        )


async def _run(job: Callable[[], Awaitable[None]]) -> None:
    """Run a job; to APScheduler one that is cancelled by its own `shutdown` would be an error."""
    try:
        await job()
    except asyncio.CancelledError:
        log.debug("a tick was cancelled, as nothing runs any more")
    except Exception:
        log.exception("a tick failed by a fault of ours")


def _complain(_: JobEvent) -> None:
    log.warning("a tick was skipped: the one before has not ended")
