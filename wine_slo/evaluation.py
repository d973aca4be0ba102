"""The first of the two loops: look at everything that is promised, move the state on, write it down.

Questions are asked side by side and are as many for a thousand label sets as for one. What cannot be asked is blind
for that objective and costs the others nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from wine_slo.adapters.ledger import Ledger, LedgerError
from wine_slo.adapters.prometheus_api import PrometheusApi, PrometheusError, Sample, Series, Vector
from wine_slo.domain import promql
from wine_slo.domain.budget import Budget, windows
from wine_slo.domain.incident import Phase
from wine_slo.domain.metric_names import ENDPOINT
from wine_slo.domain.notice import Told
from wine_slo.domain.objective import Alert, Key, Latency, Objective, Objectives
from wine_slo.domain.reading import Interval, Reading, Sight, Targets, Traffic, sight_of, unseen
from wine_slo.domain.watch import State, advance, seen_until

log = logging.getLogger(__name__)

CATCHES_UP = timedelta(hours=1)  # after an outage, intervals older than this are not judged any more
LATENESS = 4  # scrape intervals after which a sample that is not there will not come
SELDOM = timedelta(minutes=10)  # for what changes little between two ticks
OF_LATE = timedelta(minutes=1)  # the range over which the rate is told, and endpoints are named as slow or fine


@dataclass(frozen=True, slots=True)
class _Grid:
    """The instants at which intervals end: just after the scrapes of one target, so that none is seen late."""

    first: datetime
    last: datetime
    step: timedelta


@dataclass(frozen=True, slots=True)
class _Rates:
    """What one label set did in each interval, in events a second, by the interval's end in epoch seconds.

    `good` and `clear` are None where the source counts bad events instead.
    """

    total: dict[float, float]
    good: dict[float, float] | None
    bad: dict[float, float]
    clear: dict[float, float] | None
    age: dict[float, float]  # seconds that the oldest request has waited


class Evaluation:
    """Looks, judges and remembers.

    Attributes:
        state: What is known now.
        objectives: What is promised; may be exchanged between two looks.
    """

    def __init__(
        self,
        api: PrometheusApi,
        ledger: Ledger,
        objectives: Objectives,
        state: State,
        chats: Collection[int],
        clock: Callable[[], datetime],
    ) -> None:
        self.state = state
        self.objectives = objectives
        self._api = api
        self._ledger = ledger
        self._chats = chats
        self._clock = clock
        self._ahead = timedelta(0)  # our clock, of Prometheus'
        self._saved = state
        self._unsaved: list[Told] = []
        self._budgets = Budgets(api, clock)

    async def look(self) -> list[Told]:
        """Look once; what is new to be told is returned, and the state has moved on.

        A ledger that cannot be written stops nothing: what is known is kept here and written with the next look.
        """
        readings, now = await self._read()
        before = self.state
        after = advance(before, self.objectives, readings, now)
        opened = after.incidents.keys() - before.incidents.keys()
        told = [Told(incident=number, chat=chat) for number in sorted(opened) for chat in self._chats]
        self.state = after
        self._unsaved += told
        _log_changes(before, after)
        try:
            await asyncio.to_thread(self._ledger.save, self._saved, after, self._unsaved)
            self._saved, self._unsaved = after, []
        except LedgerError as error:
            log.error("%s; it is kept in memory and written as soon as that works", error)  # noqa: TRY400 - expected
        return told

    def now(self) -> datetime:
        """The instant by Prometheus' clock, as far as it is known; every instant in the state is by that clock."""
        return self._clock() - self._ahead

    async def _read(self) -> tuple[dict[Key, Reading], datetime]:
        """What is seen now, by key, and the instant by Prometheus' clock where it answers."""
        answers = await asyncio.gather(*(self._read_one(objective) for objective in self.objectives.all))
        readings = {key: reading for each in answers for key, reading in each.items()}
        seen = [reading.at for reading in readings.values() if reading.sight is not Sight.BLIND]
        if seen:
            self._ahead = self._clock() - max(seen)
        return readings, max(seen, default=self.now())

    async def _read_one(self, objective: Objective) -> dict[Key, Reading]:
        try:
            budgets = await self._budgets.read(objective)
            return await _Look(self._api, objective, self.state, self.now(), budgets).readings()
        except PrometheusError as error:
            keys = _remembered(self.state, objective) or [Key(objective.name)]
            return {key: unseen(self.now(), Sight.BLIND, f"Prometheus: {error}") for key in keys}


class _Look:
    """One look at one objective."""

    def __init__(
        self, api: PrometheusApi, objective: Objective, state: State, now: datetime, budgets: Mapping[Key, Budget]
    ) -> None:
        self._budgets = budgets
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
        everything = Key(objective.name)
        targets = _targets(up, scraped, everything)
        remembered = _remembered(self._state, objective)
        if targets.scraped_at is None:
            sight, reason = sight_of(objective, targets, Traffic(0, 0), now)
            return {key: unseen(now, sight, reason) for key in remembered or [everything]}

        grid = self._grid(now, scraped)
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
                self._instant(promql.quantile(objective, objective.good_for)),
                self._instant(promql.good_ratio(objective, objective.over)),
            ),
            self._by_endpoint(promql.quantile_by_endpoint(objective, OF_LATE)),
        )
        alone = [] if objective.by else [everything]
        readings = {}
        for key in dict.fromkeys((*shown, *total, *remembered, *alone)):
            if isinstance(objective.source, Latency) and key in total and key not in good:
                readings[key] = unseen(now, Sight.BLIND, _no_bucket(objective.source))
                continue
            age = ages.get(key, {})
            rates = _Rates(total.get(key, {}), good.get(key), bad.get(key, {}), clear.get(key), age)
            intervals = self._intervals(rates)
            hangs = bool(age) and self._is_stuck(list(age.values())[-1])
            traffic = Traffic(shown.get(key, 0), long.get(key, 0), hangs)
            sight, reason = sight_of(objective, _targets(up, scraped, key), traffic, now)
            readings[key] = Reading(
                at=now,
                sight=sight,
                reason=reason,
                intervals=intervals,
                latency_seconds=over.get(key),
                recent_seconds=recent.get(key),
                by_endpoint=endpoints.get(key, ()),
                events_per_second=of_late[key] / OF_LATE.total_seconds() if key in of_late else None,
                good_ratio=ratio.get(key),
                waiting_seconds=list(age.values())[-1] if hangs and key not in recent else None,
                budget=self._budgets.get(key),
                next_at=grid.last + grid.step,
            )
        return readings

    def _grid(self, now: datetime, scraped: Vector) -> _Grid:
        """Every scrape since the last look, or over the objective's range at the first one."""
        step = self._objective.scrape_interval
        anchor = datetime.fromtimestamp(min(scraped.samples, key=lambda each: sorted(each.labels.items())).value, UTC)
        last = now - (now - anchor - step / 10) % step  # a tenth of an interval for the scrape itself to arrive
        known = [key for key in self._state.tracks if key.objective == self._objective.name]
        seen = [seen_until(self._state, key, LATENESS * step) for key in known] or [None]
        first = min(now - self._objective.over if each is None else each for each in seen)
        count = (last - max(first, now - CATCHES_UP)) // step
        return _Grid(last - max(count, 1) * step, last, step)

    def _intervals(self, rates: _Rates) -> tuple[Interval, ...]:
        """The intervals with events; where nothing ended but a request hangs, that request is the one bad event."""
        seconds = 1.0 if self._objective.is_up else self._objective.scrape_interval.total_seconds()
        intervals = []
        for at in sorted(rates.total.keys() | rates.age.keys()):
            events = rates.total.get(at, 0.0) * seconds
            failed = (
                rates.bad.get(at, 0.0) * seconds if rates.good is None else events - rates.good.get(at, 0.0) * seconds
            )
            if events < 0.01 and self._is_stuck(rates.age.get(at, 0.0)):
                events = failed = 1.0
            if events >= 0.01:  # less than that is no request but the arithmetic of rates
                failed = min(max(failed, 0.0), events)
                marginal = 0.0 if rates.clear is None else events - failed - rates.clear.get(at, 0.0) * seconds
                ended_at = datetime.fromtimestamp(at, UTC)
                intervals.append(Interval(ended_at, failed, events, min(max(marginal, 0.0), events - failed)))
        return tuple(intervals)

    def _is_stuck(self, age: float) -> bool:
        source = self._objective.source
        return isinstance(source, Latency) and age > source.threshold_seconds

    async def _by_endpoint(self, query: str | None) -> dict[Key, tuple[tuple[str, float], ...]]:
        found: dict[Key, list[tuple[str, float]]] = {}
        for sample in (await self._api.query(query)).samples if query else ():
            found.setdefault(_key(self._objective, sample.labels), []).append(
                (sample.labels.get(ENDPOINT, ""), sample.value)
            )
        return {key: tuple(sorted(each, key=lambda pair: -pair[1])) for key, each in found.items()}

    async def _range(self, query: str | None, grid: _Grid) -> dict[Key, dict[float, float]]:
        if query is None:
            return {}
        series: list[Series] = await self._api.query_range(query, grid.first, grid.last, grid.step)
        return {_key(self._objective, each.labels): each.points for each in series}

    async def _instant(self, query: str | None) -> dict[Key, float]:
        return {} if query is None else _by_key(self._objective, await self._api.query(query))


class Budgets:
    """What is known of the error budgets; long windows are asked for seldom, as little changes in them."""

    def __init__(self, api: PrometheusApi, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._known: dict[str, tuple[datetime, dict[Key, float]]] = {}

    async def read(self, objective: Objective) -> dict[Key, Budget]:
        """What is known of an objective's budgets, by key.

        Raises:
            PrometheusError: An answer is missing or cannot be trusted.
        """
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
        _, history = self._known.get(promql.seconds_of_history(objective), (None, {}))
        return timedelta(seconds=next(iter(history.values()), 0.0))

    async def _ask(self, objective: Objective, query: str, span: timedelta) -> dict[Key, float]:
        """The answer to a question about a span, no older than a hundredth of it."""
        now = self._clock()
        asked_at, answer = self._known.get(query, (None, {}))
        if asked_at is None or now - asked_at >= min(span / 100, SELDOM):
            answer = _by_key(objective, await self._api.query(query))
            self._known[query] = (now, answer)
        return answer


def _remembered(state: State, objective: Objective) -> list[Key]:
    """The keys that must be looked at even where Prometheus shows nothing of them any more."""
    return [
        replace(key, alert=Alert.BREACH)
        for key, track in state.tracks.items()
        if key.objective == objective.name and (track.phase is not Phase.MET or track.incident is not None)
    ]


def _key(objective: Objective, labels: Mapping[str, str]) -> Key:
    return Key(objective.name, tuple((name, labels.get(name, "")) for name in objective.by))


def _by_key(objective: Objective, vector: Vector) -> dict[Key, float]:
    return {_key(objective, each.labels): each.value for each in vector.samples}


def _no_bucket(source: Latency) -> str:
    return f"no bucket of {source.histogram} ends at {source.threshold_seconds:g} s"


def _targets(up: Vector, scraped: Vector, key: Key) -> Targets:
    """The targets of a key: those that bear its labels, or all of the job's where none does (any more)."""

    def of_key(samples: Sequence[Sample]) -> Sequence[Sample]:
        mine = [each for each in samples if all(each.labels.get(name) == value for name, value in key.labels)]
        return mine or samples

    answered, last = of_key(up.samples), max((each.value for each in of_key(scraped.samples)), default=None)
    return Targets(
        up=sum(each.value > 0 for each in answered),
        known=len(answered),
        scraped_at=None if last is None else datetime.fromtimestamp(last, UTC),
    )


def _log_changes(before: State, after: State) -> None:
    for number, incident in after.incidents.items():
        known = before.incidents.get(number)
        if known is None or known.openings < incident.openings:
            log.warning("incident #%d opened: %s, bad since %s", number, incident.key, incident.began_at.isoformat())
        if not incident.is_open and (known is None or known.is_open):
            log.warning("incident #%d closed: %s, %s", number, incident.key, incident.outcome)
    for key, track in after.tracks.items():
        earlier = before.tracks.get(key)
        if earlier is None or earlier.sight is not track.sight:
            log.info("sight of %s is %s%s", key, track.sight, f": {track.reason}" if track.reason else "")
