"""Read objectives through one metric source; whatever goes wrong is a reading without data."""

import asyncio
import logging
from collections.abc import Callable

from wine_slo.monitor.evaluate.queries.objective_queries import ObjectiveQueries
from wine_slo.monitor.evaluate.queries.slow_queries import Bounds, Budgets
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import unjudged, untrusted
from wine_slo.slo.evaluation.sampling import read_blind
from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.replicas.view import View
from wine_slo.slo.source.clocks import SourceClock, WallClock
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError

log = logging.getLogger(__name__)

LATE = MetricSourceError("it did not answer in time")


class Reader:
    """Reads objectives through one metric source, and remembers what changes slowly of it.

    Args:
        api: The metric source.
        clock: Reads the wall clock of this machine.
        steady: Reads, in seconds, a clock that nobody sets.
        now: Reads the clock of the state.
        within: Seconds in which all that an objective needs must be answered.
    """

    def __init__(
        self, api: MetricSource, clock: WallClock, steady: Callable[[], float], now: SourceClock, within: float
    ) -> None:
        self._api = api
        self._clock = clock
        self._now = now
        self._within = within
        self._budgets = Budgets(api, steady)
        self._bounds = Bounds(api, steady)
        self._faults: dict[str, str] = {}  # what was raised last, by objective, so that each is logged once

    async def read(self, objective: Objective, state: State) -> View:
        """Return what is seen of an objective now."""
        try:
            async with asyncio.timeout(self._within):
                now = self._now()
                queries = ObjectiveQueries(self._api, objective, state, now, self._clock)
                # All at once, as what they have in common is queried once.
                read, budgets, bounds = await asyncio.gather(
                    queries.answers(), self._budgets.read(objective, now), self._bounds.read(objective)
                )
                readings = await asyncio.to_thread(read, budgets, bounds)
        except TimeoutError:
            return View(read_blind(objective, state, self._now(), untrusted(LATE), is_unanswered=True))
        except MetricSourceError as error:
            is_unanswered = not error.is_of_query
            return View(read_blind(objective, state, self._now(), untrusted(error), is_unanswered=is_unanswered))
        except Exception as error:  # whatever it is, people are notified that nothing can be judged
            if self._faults.get(objective.name) != type(error).__name__:
                log.exception("%s cannot be evaluated", objective.name)
            self._faults[objective.name] = type(error).__name__
            return View(read_blind(objective, state, self._now(), unjudged(error)))
        self._faults.pop(objective.name, None)
        return View(readings, queries.ahead)
