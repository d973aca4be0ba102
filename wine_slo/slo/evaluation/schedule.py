"""When there is something new to evaluate, up to when it is complete, and up to when a key has been judged.

Samples can be found some time after their scrape: at once in Prometheus, up to 4 s later in VictoriaMetrics, and later
where they are sent on. So no clock says whether an interval is complete, but the scrapes that can be found do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.judgement import INTERVALS_BEFORE
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight, Targets, target_name
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.source.clocks import CLOCKS_AGREE
from wine_slo.slo.source.metric_source import MAX_INSTANT, MetricSourceError, Sample, instant_of

LONGEST_ARRIVAL = timedelta(milliseconds=500)  # the time that a scrape usually takes at the most
LONGEST_LAG = timedelta(seconds=5)  # by which one target's samples come later than another's; VictoriaMetrics' are 4 s
AGAIN_IN = timedelta(seconds=1)  # samples that are due are queried again
SELDOM = timedelta(seconds=15)  # scrapes so far apart are evaluated one by one, as each may prove a breach
REST = timedelta(seconds=3)  # between two evaluations while nothing is suspicious, as each is of all objectives
CATCHES_UP = timedelta(hours=1)  # after an outage, intervals older than this are not judged any more
MOST_INTERVALS = 1_000_000  # of all label sets of an objective; an answer with more of them is refused as too large
MOST_AT_FIRST = 200_000  # the same at the first evaluation, which would take the most memory of all
LATENESS = 4  # scrape intervals after which a sample that is not there will not come
SETTLES_IN = timedelta(milliseconds=100)  # a quick evaluation comes so much after its interval has ended


def arrival(scrape_interval: timedelta) -> timedelta:
    """Return how long after a scrape its interval ends: the time for its samples to arrive, and for it to jitter."""
    return min(scrape_interval / 10, LONGEST_ARRIVAL)


def next_evaluation_at(state: State, objectives: Objectives) -> datetime | None:
    """Return when to evaluate again before the next tick.

    None where every objective is met and scraped often, or there are no requests.
    """
    instants = []
    for key, track in state.tracks.items():
        objective, reading = objectives.of(key), state.readings.get(key)
        if objective is None or reading is None or reading.next_at is None:
            continue
        is_moving = bool(track.evidence) and track.phase is not Phase.MET and track.sight is Sight.CLEAR
        if objective.scrape_interval >= SELDOM:
            instants.append(reading.next_at if is_moving else max(reading.next_at, reading.at + REST))
        elif is_moving and reading.at - track.evidence[-1].ended_at <= objective.bad_for:
            instants.append(reading.next_at)
    return min(instants, default=None)


def seen_until(state: State, key: Key, lateness: timedelta) -> datetime | None:
    """Up to when a key has been judged, so that the next evaluation need not go further back; None before the first.

    Args:
        state: What is known.
        key: Whose.
        lateness: A sample that has not arrived after so long will not.
    """
    track = state.tracks.get(key)
    if track is None or state.evaluated_at is None:
        return None
    known = [track.judged_until] if track.judged_until else []
    if track.sight.is_seeing:
        known.append(state.evaluated_at - lateness)
    return max(known, default=None)


def complete_before(scraped_at: Collection[float], step: timedelta) -> datetime:
    """Return when the next scrape is due: what ended before that is complete, as every scrape of it can be found.

    A target that is much later than the others is down, and is not waited for.

    Args:
        scraped_at: When each target was scraped last, in seconds since the epoch; at least one.
        step: How far apart scrapes are.
    """
    patience = step + max(step / 10, min(step, LONGEST_LAG))
    oldest = max(scraped_at) - patience.total_seconds()
    return datetime.fromtimestamp(min(each for each in scraped_at if each >= oldest), UTC) + step


def apart(scraped_at: Collection[float], ends_at: datetime, step: timedelta) -> timedelta:
    """Return how far apart targets are scraped within the intervals that all of them are counted in.

    Args:
        scraped_at: When each target was scraped last, in seconds since the epoch; none where there are no targets.
        ends_at: When one of the intervals ends.
        step: How long these are.
    """
    waited = [(ends_at.timestamp() - each) % step.total_seconds() for each in scraped_at] or [0.0]
    return timedelta(seconds=max(waited) - min(waited))


def next_interval_at(last: datetime, step: timedelta, now: datetime) -> datetime:
    """Return when the interval after the last one will be there to see; one that is late is tried again soon."""
    late = now - (last + step)
    if late < timedelta(0):
        return last + step
    return now + AGAIN_IN if late < LONGEST_LAG else now + step - late % step


@dataclass(frozen=True, slots=True)
class Scrapes:
    """The last scrape of each target: whether it was answered (1 or 0), and when it was, in seconds since the epoch."""

    up: Sequence[Sample]
    at: Sequence[Sample]

    def check(self, objective: Objective, now: datetime) -> None:
        """Refuse scrapes at a time that cannot be, or that is still to come: they would never be old.

        Raises:
            MetricSourceError: One was at such a time.
        """
        latest = (now + CLOCKS_AGREE).timestamp()
        for each in self.at:
            if not 0 <= each.value <= latest:
                raise MetricSourceError(
                    "it says that {job} was scraped at {text}; wanted: seconds since 1970, none to come",
                    is_of_query=True,
                    job=objective.job,
                    text=f"{each.value:.0f}" if 0 <= each.value <= MAX_INSTANT else f"{each.value:g}",
                )

    @property
    def anchor(self) -> datetime:
        """Return when the first target was scraped; there must be one.

        Raises:
            MetricSourceError: It was scraped at no time that can be.
        """
        return instant_of(min(self.at, key=lambda each: sorted(each.labels.items())).value)

    def targets(self, names: Sequence[str], grid: "Grid") -> "dict[tuple[str, ...] | None, Targets]":
        """Return the targets by their values of some labels; all by None, for what has none of its own (any more).

        Grouped once for all keys of an objective, as there may be thousands of both.

        Raises:
            MetricSourceError: One was scraped at no time that can be.
        """
        groups: dict[tuple[str, ...] | None, tuple[list[Sample], list[Sample]]] = {None: ([], [])}
        for number, answer in enumerate((self.up, self.at)):
            for each in answer:
                groups[None][number].append(each)
                values = tuple(each.labels.get(name, "") for name in names)
                groups.setdefault(values, ([], []))[number].append(each)
        all_up, all_at = groups[None]
        return {
            values: Targets(
                up=sum(each.value > 0 for each in up or all_up),
                known=len(up or all_up),
                scraped_at=instant_of(max(each.value for each in at or all_at)) if all_at else None,
                down=tuple(sorted(target_name(each.labels) for each in up or all_up if each.value <= 0)),
                apart=apart([each.value for each in at or all_at], grid.last, grid.step),
            )
            for values, (up, at) in groups.items()
        }


@dataclass(frozen=True, slots=True)
class Grid:
    """The instants at which complete intervals end: just after the scrapes of one target, so that none is seen late."""

    first: datetime
    last: datetime
    step: timedelta

    @classmethod
    def since_last_evaluation(
        cls, objective: Objective, state: State, scrapes: Scrapes, now: datetime, label_sets: int = 0
    ) -> "Grid":
        """Return every scrape since the last evaluation and of the last moments; at the first one of the whole range.

        Args:
            objective: Whose.
            state: What is known; the last evaluation is in it.
            scrapes: The last ones; there must be one.
            now: The instant of the evaluation.
            label_sets: How many there are, where it is the first one.
        """
        step = objective.scrape_interval
        last = now - (now - scrapes.anchor - arrival(step)) % step
        incomplete = last - complete_before([each.value for each in scrapes.at], step)
        last -= max(0, incomplete // step + 1) * step
        known = [key for key in state.tracks if key.objective == objective.name]
        seen = [seen_until(state, key, LATENESS * step) for key in known] or [None]
        first = min(now - objective.over if each is None else each for each in seen)
        most = MOST_AT_FIRST // label_sets if label_sets else MOST_INTERVALS // len(seen)
        count = min((last - max(first, now - CATCHES_UP)) // step, most)
        return cls(last - max(count, round(objective.recent / step), INTERVALS_BEFORE + 1) * step, last, step)
