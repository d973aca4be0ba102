"""Looking at Prometheus: what is asked, and the state after it.

Questions are asked side by side and are as many for a thousand label sets as for one. What cannot be asked is blind
for that objective and costs the others nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from wine_slo.adapters.prometheus_api import PrometheusApi, PrometheusError, Series, Vector
from wine_slo.domain import promql
from wine_slo.domain.budget import SELDOM, Budget, stays_known_for, windows
from wine_slo.domain.change import Change, last_change
from wine_slo.domain.look import (
    OF_LATE,
    Answers,
    Grid,
    Labelled,
    Scrapes,
    by_endpoint,
    by_key,
    finite_bounds,
    key_of,
    read,
    read_nothing,
    remembered,
)
from wine_slo.domain.metric_names import SHA256
from wine_slo.domain.objective import Key, Latency, Objective, Objectives
from wine_slo.domain.phrases import Reason
from wine_slo.domain.reading import Reading, Sight, unseen
from wine_slo.domain.watch import State, advance

log = logging.getLogger(__name__)


class Lookout:
    """Looks at Prometheus; remembers nothing but what its clock says and what is known of the budgets."""

    def __init__(self, api: PrometheusApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._ahead = timedelta(0)  # our clock, of Prometheus'
        self._budgets = Budgets(api, clock)
        self._bounds = Bounds(api, clock)

    async def look(self, state: State, objectives: Objectives, unwritten: str = "") -> State:
        """The state after one look; after the first one, what the objectives' ranges show is known.

        Args:
            state: What was known.
            objectives: What is promised.
            unwritten: Why the ledger cannot be written; empty where it can.
        """
        answers = await asyncio.gather(*(self._read_one(objective, state) for objective in objectives.all))
        readings = {key: reading for each in answers for key, reading in each.items()}
        seen = [reading.at for reading in readings.values() if reading.sight is not Sight.BLIND]
        if seen:
            self._ahead = self._clock() - max(seen)
        after = advance(state, objectives, readings, max(seen, default=self.now()), unwritten)
        return await self._with_changes(state, after, objectives)

    def now(self) -> datetime:
        """The instant by Prometheus' clock, as far as it is known; every instant in a state is by that clock."""
        return self._clock() - self._ahead

    async def _with_changes(self, before: State, after: State, objectives: Objectives) -> State:
        """The state in which the incidents that were opened just now have the change of the model before them."""
        opened = [
            (incident, objective)
            for number, incident in after.incidents.items()
            if incident.is_open
            and (number not in before.incidents or before.incidents[number].openings < incident.openings)
            and (objective := objectives.of(incident.key)) is not None
        ]
        by_job = {objective.job: objective for _, objective in opened}  # one question, however many label sets
        changes = dict(zip(by_job, await asyncio.gather(*map(self._last_change, by_job.values())), strict=True))
        changed = {
            incident.number: replace(incident, change=change)
            for incident, objective in opened
            if (change := changes[objective.job]) is not None and change.may_have_caused(incident.since)
        }
        return replace(after, incidents={**after.incidents, **changed}) if changed else after

    async def _last_change(self, objective: Objective) -> Change | None:
        """The last change of the model; None also where it is not known, as nothing else waits for it."""
        try:
            seen = (await self._api.query(promql.model_first_seen(objective))).samples
        except PrometheusError as error:
            log.info("whether the model of %s changed is not known: %s", objective.job, error)
            return None
        return last_change({each.labels.get(SHA256, ""): each.value for each in seen})

    async def _read_one(self, objective: Objective, state: State) -> dict[Key, Reading]:
        """What is seen now, by key."""
        try:
            budgets, bounds = await asyncio.gather(self._budgets.read(objective), self._bounds.read(objective))
            return await _Look(self._api, objective, state, self.now(), budgets, bounds).readings()
        except PrometheusError as error:
            keys = remembered(state, objective) or [Key(objective.name)]
            return {
                key: unseen(self.now(), Sight.BLIND, Reason("Prometheus: {why}", {"why": error.reason})) for key in keys
            }


class _Look:
    """One look at one objective."""

    def __init__(
        self,
        api: PrometheusApi,
        objective: Objective,
        state: State,
        now: datetime,
        budgets: Mapping[Key, Budget],
        bounds: tuple[float, ...],
    ) -> None:
        self._budgets = budgets
        self._bounds = bounds
        self._api = api
        self._objective = objective
        self._state = state
        self._now = now

    async def readings(self) -> dict[Key, Reading]:
        """What is seen, by key.

        Raises:
            PrometheusError: An answer is missing or cannot be trusted.
        """
        objective = self._objective
        up, scraped = await asyncio.gather(
            self._api.query(promql.targets_up(objective)), self._api.query(promql.targets_scraped_at(objective))
        )
        now = scraped.at or self._now
        scrapes = Scrapes(_labelled(up), _labelled(scraped))
        if not scrapes.at:
            return read_nothing(objective, self._state, now)

        grid = Grid.since_last_look(objective, self._state, scrapes.anchor, now)
        (total, good, bad, clear, ages), (of_late, shown, long, over, recent, ratio), endpoints = await asyncio.gather(
            asyncio.gather(
                self._range(promql.total_per_interval(objective), grid),
                self._range(promql.good_per_interval(objective), grid),
                self._range(promql.bad_per_interval(objective), grid),
                self._range(promql.clear_per_interval(objective), grid),
                self._range(promql.oldest_age_per_interval(objective), grid),
            ),
            asyncio.gather(
                self._instant(promql.events(objective, OF_LATE)),
                self._instant(promql.events(objective, objective.over)),
                self._instant(promql.events(objective, objective.expires_after)),
                self._instant(promql.quantile(objective, objective.over)),
                self._instant(promql.quantile(objective, objective.recent)),
                self._instant(promql.good_ratio(objective, objective.over)),
            ),
            self._by_endpoint(promql.quantile_by_endpoint(objective, OF_LATE)),
        )
        answers = Answers(
            at=now,
            scrapes=scrapes,
            grid=grid,
            total=total,
            good=good,
            bad=bad,
            clear=clear,
            ages=ages,
            of_late=of_late,
            shown=shown,
            long=long,
            over=over,
            recent=recent,
            ratio=ratio,
            by_endpoint=endpoints,
            budgets=self._budgets,
            bounds=self._bounds,
        )
        return read(objective, self._state, answers)

    async def _by_endpoint(self, query: str | None) -> dict[Key, tuple[tuple[str, float], ...]]:
        return by_endpoint(self._objective, _labelled(await self._api.query(query))) if query else {}

    async def _range(self, query: str | None, grid: Grid) -> dict[Key, dict[float, float]]:
        if query is None:
            return {}
        series: list[Series] = await self._api.query_range(query, grid.first, grid.last, grid.step)
        return {key_of(self._objective, each.labels): each.points for each in series}

    async def _instant(self, query: str | None) -> dict[Key, float]:
        return {} if query is None else by_key(self._objective, _labelled(await self._api.query(query)))


class Bounds:
    """The bucket bounds of the histograms; asked for seldom, as they change only with a release of the service."""

    def __init__(self, api: PrometheusApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._known: dict[str, tuple[datetime, tuple[float, ...]]] = {}

    async def read(self, objective: Objective) -> tuple[float, ...]:
        """The finite bounds of an objective's histogram in seconds, ascending; empty where they are not known."""
        if not isinstance(objective.source, Latency):
            return ()
        query, now = promql.bucket_bounds(objective, objective.source), self._clock()
        asked_at, bounds = self._known.get(query, (None, ()))
        if asked_at is None or not bounds or now - asked_at >= SELDOM:
            try:
                bounds = finite_bounds(_labelled(await self._api.query(query)))
            except PrometheusError as error:
                log.info("the bucket bounds of %s are not known anew: %s", objective.name, error)
            else:
                self._known[query] = (now, bounds)
        return bounds


class Budgets:
    """What is known of the error budgets; long windows are asked for seldom, as little changes in them."""

    def __init__(self, api: PrometheusApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        # By objective too: two of them may ask the same, and each has the answer by keys of its own.
        self._known: dict[tuple[str, str], tuple[datetime, dict[Key, float]]] = {}

    async def read(self, objective: Objective) -> dict[Key, Budget]:
        """What is known of an objective's budgets, by key.

        Raises:
            PrometheusError: An answer is missing or cannot be trusted.
        """
        objective = objective.as_budgeted
        history = await self._ask(objective, promql.seconds_of_history(objective), self._known_for(objective))
        known_for = timedelta(seconds=next(iter(history.values()), 0.0))
        spans = windows(objective)
        events, *ratios = await asyncio.gather(
            self._ask(objective, promql.events(objective, objective.window), known_for),
            *(self._ask(objective, promql.good_ratio(objective, each), min(each, known_for)) for each in spans),
        )
        budgets = {}
        for key in events:
            bad = {span: max(0.0, 1 - each[key]) for span, each in zip(spans, ratios, strict=True) if key in each}
            budgets[key] = Budget(history=min(known_for, objective.window), events=events[key], bad_ratios=bad)
        return budgets

    def _known_for(self, objective: Objective) -> timedelta:
        """How long the history was when it was last asked for."""
        _, history = self._known.get((objective.name, promql.seconds_of_history(objective)), (None, {}))
        return timedelta(seconds=next(iter(history.values()), 0.0))

    async def _ask(self, objective: Objective, query: str, span: timedelta) -> dict[Key, float]:
        """The answer to a question about a span, not too old for it."""
        now = self._clock()
        asked_at, answer = self._known.get((objective.name, query), (None, {}))
        if asked_at is None or now - asked_at >= stays_known_for(span):
            answer = by_key(objective, _labelled(await self._api.query(query)))
            self._known[objective.name, query] = (now, answer)
        return answer


def _labelled(vector: Vector) -> list[Labelled]:
    return [(each.labels, each.value) for each in vector.samples]
