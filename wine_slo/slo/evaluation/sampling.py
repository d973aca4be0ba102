"""What one evaluation reads from answers: numbers in, readings out, live and in a replay alike.

Who queries, and when, is no matter here: `Answers` holds what Prometheus said of one objective at one instant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from wine_slo.metric_names import ENDPOINT
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import (
    Interval,
    Reading,
    Sight,
    Targets,
    Traffic,
    no_series,
    sight_of,
    without_data,
)
from wine_slo.slo.evaluation.rules import event_counts, has_events, is_missed, is_stuck, is_without_bucket, stuck_events
from wine_slo.slo.evaluation.schedule import LATENESS, Grid, Scrapes, next_interval_at
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.budget import Budget
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.metric_source import Points, Sample
from wine_slo.slo.span import format_seconds

MOST_KEYS = 2**15  # remembered, of those that were made last


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What Prometheus said of one objective at one instant; everything that can differ by label set is by key.

    Attributes:
        at: The instant.
        scrapes: The last ones.
        grid: The instants that the four rates and the ages are for.
        total: Events a second in each interval.
        good: The same of good ones; nothing where bad ones are counted instead.
        bad: The same of bad ones; nothing where good ones are counted instead.
        clear: The same of those that are as good as a recovery wants; nothing where every good one is.
        ages: Seconds that the oldest request has waited.
        of_late: Events in the last minute.
        shown: Events over the objective's range.
        long: Events over the span after which an incident expires.
        over: The quantile in seconds over the objective's range.
        recent: The same over the last moments.
        ratio: The share of good events over the objective's range.
        by_endpoint: Endpoints and their quantile over the last minute, slowest first.
        budgets: What is known of the error budgets.
        bounds: The finite bucket bounds of the histogram in seconds, ascending.
        total_settled: How many series of all events are old enough to have intervals; empty where that is not queried.
        part_settled: The same of the good ones, or of the bad ones where those are counted.
        with_bucket_settled: The same of those that must have the bucket of the threshold, where not all must.
        missed: The value of a gauge that is furthest from good; absent where all are good.
        unanswered: How many of the last scrapes the target that answered most of them did not answer.
    """

    at: datetime
    scrapes: Scrapes
    grid: Grid
    total: Mapping[Key, Points]
    good: Mapping[Key, Points]
    bad: Mapping[Key, Points]
    clear: Mapping[Key, Points]
    ages: Mapping[Key, Points]
    shown: Mapping[Key, float]
    long: Mapping[Key, float]
    of_late: Mapping[Key, float] = field(default_factory=dict)
    over: Mapping[Key, float] = field(default_factory=dict)
    recent: Mapping[Key, float] = field(default_factory=dict)
    ratio: Mapping[Key, float] = field(default_factory=dict)
    by_endpoint: Mapping[Key, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    budgets: Mapping[Key, Budget] = field(default_factory=dict)
    bounds: tuple[float, ...] = ()
    total_settled: Mapping[Key, float] = field(default_factory=dict)
    part_settled: Mapping[Key, float] = field(default_factory=dict)
    with_bucket_settled: Mapping[Key, float] = field(default_factory=dict)
    missed: Mapping[Key, float] = field(default_factory=dict)
    unanswered: float | None = None

    @property
    def have_intervals(self) -> bool:
        """Return whether all counters whose series are old enough have an interval of late.

        One label set alone may have none, as it may be gone; where no label set has any, samples are too far apart.
        """
        since = self._late
        for settled, points in ((self.total_settled, self.total), (self.part_settled, self.good or self.bad)):
            if settled and not any(at >= since for each in points.values() for at in each):
                return False
        return True

    def has_interval(self, key: Key) -> bool:
        """Return whether a label set has an interval of late."""
        return any(at >= self._late for at in self.total.get(key, {}))

    @property
    def have_series(self) -> bool:
        """Return whether any series counts events; one that is a few scrapes old may seem not to be there."""
        return any(self.total_settled.values()) or any(map(self.has_interval, self.total))

    @property
    def _late(self) -> float:
        return (self.grid.last - LATENESS * self.grid.step).timestamp()


def answers_of(  # noqa: PLR0913  # values of a record, each by its name
    objective: Objective,
    *,
    at: datetime,
    scrapes: Scrapes,
    grid: Grid,
    intervals: Mapping[str, Mapping[Key, Points]],
    instants: Mapping[str, Iterable[Sample]],
    budgets: Mapping[Key, Budget],
    bounds: tuple[float, ...],
) -> Answers:
    """Return the answers to the queries about one objective at one instant.

    Args:
        objective: Whose they are.
        at: The instant.
        scrapes: The last ones.
        grid: The ends of the intervals.
        intervals: The answers to `promql.interval_queries`, by their names.
        instants: The answers to those of `promql.instant_queries` that were made, by their names.
        budgets: What is known of the error budgets.
        bounds: The finite bucket bounds of the histogram in seconds, ascending.
    """

    def instant(name: str) -> dict[Key, float]:
        return by_key(objective, instants.get(name, ()))

    return Answers(
        at=at,
        scrapes=scrapes,
        grid=grid,
        total=intervals["total"],
        good=intervals["good"],
        bad=intervals["bad"],
        clear=intervals["clear"],
        ages=intervals["ages"],
        of_late=instant("of_late"),
        shown=instant("shown"),
        long=instant("long"),
        over=instant("over"),
        recent=instant("recent"),
        ratio=instant("ratio"),
        by_endpoint=by_endpoint(objective, instants.get("by_endpoint", ())),
        budgets=budgets,
        bounds=bounds,
        total_settled=instant("total_settled"),
        part_settled=instant("part_settled"),
        with_bucket_settled=instant("with_bucket_settled"),
        missed=instant("missed"),
        unanswered=next((each.value for each in instants.get("unanswered", ())), None),
    )


def key_of(objective: Objective, labels: Mapping[str, str]) -> Key:
    """Return whose a label set is."""
    return _key(objective.name, objective.by, tuple(labels.get(name, "") for name in objective.by))


@lru_cache(maxsize=MOST_KEYS)
def _key(objective: str, names: tuple[str, ...], values: tuple[str, ...]) -> Key:
    """Return the key of these values, the same one each time, as all that is known is found by it."""
    return Key(objective, tuple(zip(names, values, strict=True)))


def by_key(objective: Objective, answer: Iterable[Sample]) -> dict[Key, float]:
    """Return an answer of one value a label set, by key."""
    return {key_of(objective, each.labels): each.value for each in answer}


def by_endpoint(objective: Objective, answer: Iterable[Sample]) -> dict[Key, tuple[tuple[str, float], ...]]:
    """Return an answer of one value an endpoint, by key, highest first, and those of one value by name."""
    found: dict[Key, list[tuple[str, float]]] = {}
    for each in answer:
        if name := each.labels.get(ENDPOINT, "").strip():  # without a name it would say nothing of where
            found.setdefault(key_of(objective, each.labels), []).append((name, each.value))
    return {key: tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0]))) for key, pairs in found.items()}


def remembered(state: State, objective: Objective) -> list[Key]:
    """Return the keys that must be evaluated even where Prometheus shows nothing of them any more."""
    return [
        replace(key, alert=Alert.BREACH)
        for key, track in state.tracks.items()
        if key.objective == objective.name and (track.phase is not Phase.MET or track.incident is not None)
    ]


def read_blind(
    objective: Objective, state: State, now: datetime, reason: Reason, *, is_unanswered: bool = False
) -> dict[Key, Reading]:
    """Return that nothing can be judged of an objective, for a reason that no data show."""
    reading = Reading(at=now, sight=Sight.BLIND, reason=reason, is_unanswered=is_unanswered)
    known = [key for key in state.tracks if key.objective == objective.name and key.alert is Alert.BREACH]
    return dict.fromkeys(known or [Key(objective.name)], reading)


def read_nothing(objective: Objective, state: State, now: datetime, *, gone: int = 0) -> dict[Key, Reading]:
    """Return what is seen where Prometheus knows no target at all.

    Args:
        objective: Whose.
        state: What is known.
        now: The instant.
        gone: How many targets of the job it knew of late.
    """
    sight, reason = sight_of(objective, Targets(up=0, known=0, scraped_at=None), Traffic(0, 0), now)
    if gone and objective.scope.has_up:
        sight = Sight.TARGET_DOWN
        reason = Reason(
            "Prometheus knows none of the {count} targets of {job} any more", {"count": gone, "job": objective.job}
        )
    reading = Reading(at=now, sight=sight, reason=reason, targets=gone, is_gone=gone > 0)
    return dict.fromkeys(remembered(state, objective) or [Key(objective.name)], reading)


def read(objective: Objective, state: State, answers: Answers) -> dict[Key, Reading]:
    """Return what is seen of each key."""
    now, found = answers.at, {}
    alone = [] if objective.by else [Key(objective.name)]
    targets, have_intervals = answers.scrapes.targets(objective.by, answers.grid), answers.have_intervals
    # Targets that have just come back have one sample of each counter, which shows no more than none.
    known = (each for key, each in state.tracks.items() if key.objective == objective.name)
    was_down = any(each.sight is Sight.TARGET_DOWN for each in known)
    missing, next_at = no_series(objective), next_interval_at(answers.grid.last, answers.grid.step, now)
    is_known = any(each.reason == missing for each in state.open_incidents)
    histogram, intervals_of = objective.source.bounded, _IntervalsOf(objective, answers)
    all_must = promql.with_bucket_settled(objective) is None
    is_missing = not (answers.have_series or was_down) and (is_known or is_missed(sum(answers.long.values())))
    for key in dict.fromkeys((*answers.shown, *answers.total, *remembered(state, objective), *alone)):
        if histogram is not None and (no_bucket := _no_bucket(histogram, answers, key, all_must=all_must)):
            found[key] = without_data(now, Sight.BLIND, no_bucket)
            continue
        ages = answers.ages.get(key, {})
        hangs = bool(ages) and is_stuck(objective, list(ages.values())[-1])
        is_there = answers.has_interval(key) if objective.counts_scrapes else have_intervals
        traffic = Traffic(answers.shown.get(key, 0), answers.long.get(key, 0), hangs, is_there, is_missing)
        mine = targets.get(tuple(value for _, value in key.labels), targets[None])
        sight, reason = sight_of(objective, mine, traffic, now)
        per_minute = None if objective.counts_scrapes else answers.of_late.get(key)
        found[key] = Reading(
            at=now,
            sight=sight,
            reason=reason,
            intervals=intervals_of(key),
            latency_seconds=answers.over.get(key),
            recent_seconds=answers.recent.get(key),
            by_endpoint=answers.by_endpoint.get(key, ()),
            events_per_second=None if per_minute is None else per_minute / promql.OF_LATE.total_seconds(),
            missed=answers.missed.get(key),
            good_ratio=answers.ratio.get(key),
            waiting_seconds=list(ages.values())[-1] if hangs and key not in answers.recent else None,
            bounds=answers.bounds,
            budget=answers.budgets.get(key),
            up_targets=mine if objective.is_up else None,
            next_at=next_at,
            targets=targets[None].known,
            down=targets[None].down,
            unanswered=answers.unanswered,
            apart=mine.apart,
        )
    if not found:  # no label set is known, which is worth a word where that is for want of samples
        traffic = Traffic(0, 0, has_intervals=not objective.counts_scrapes, is_missing=is_missing)
        sight, reason = sight_of(objective, targets[None], traffic, now)
        if not sight.is_seeing:
            found[Key(objective.name)] = Reading(
                at=now, sight=sight, reason=reason, targets=targets[None].known, unanswered=answers.unanswered
            )
    return found


class _IntervalsOf:
    """Make the intervals of each key of an objective; what is the same for all of them is found out once."""

    def __init__(self, objective: Objective, answers: Answers) -> None:
        self._objective = objective
        self._answers = answers
        self._counts_good = promql.good_per_interval(objective) is not None
        self._ends: dict[float, datetime] = {}

    def __call__(self, key: Key) -> tuple[Interval, ...]:
        """Return those with events; where none ended but a request is stuck, that request is what is bad."""
        objective, answers = self._objective, self._answers
        total, ages = answers.total.get(key, {}), answers.ages.get(key, {})
        good, bad, clear = answers.good.get(key, {}), answers.bad.get(key, {}), answers.clear.get(key)
        intervals = []
        for at in sorted(total.keys() | ages.keys() if ages else total):
            rate = total.get(at, 0.0)
            good_rate = good.get(at, 0.0) if self._counts_good else None  # where none has a series, all are bad
            events, failed = event_counts(objective, rate, good_rate, bad.get(at, 0.0))
            hangs = bool(ages) and not has_events(events) and is_stuck(objective, ages.get(at, 0.0))
            if hangs:
                events = failed = stuck_events(objective, ages[at])
            if has_events(events):
                failed = min(max(failed, 0.0), events)
                marginal = 0.0 if clear is None else event_counts(objective, rate, clear.get(at, 0.0), 0.0)[1] - failed
                marginal = min(max(marginal, 0.0), events - failed)
                intervals.append(Interval(self._end(at), failed, events, marginal, hangs))
        return tuple(intervals)

    def _end(self, at: float) -> datetime:
        """Return the end of an interval, which all label sets have in common."""
        if at not in self._ends:
            self._ends[at] = datetime.fromtimestamp(at, UTC)
        return self._ends[at]


def _no_bucket(bounded: BoundedHistogram, answers: Answers, key: Key, *, all_must: bool) -> Reason | None:
    """Return why the requests within the threshold cannot be counted; None where they can.

    Args:
        bounded: The histogram.
        answers: What is known of it.
        key: Whose requests.
        all_must: Whether each series must have the bucket of the threshold.
    """
    must = answers.total_settled if all_must else answers.with_bucket_settled
    series, part = must.get(key, 0), answers.part_settled.get(key, 0)
    is_without = is_without_bucket(series, part)
    if not is_without and not (all_must and key in answers.total and key not in answers.good):
        return None
    histogram, threshold = bounded.name, format_seconds(bounded.threshold)
    if is_without and part > 0:
        return Reason(
            "{without} of {series} series of {histogram} have no bucket that ends at {threshold} s",
            {"without": round(series - part), "series": round(series), "histogram": histogram, "threshold": threshold},
        )
    return Reason("no bucket of {histogram} ends at {threshold} s", {"histogram": histogram, "threshold": threshold})
