"""When there is something new to evaluate, up to when it is complete, and up to when a key has been judged.

Samples can be found some time after their scrape: at once in Prometheus, up to 4 s later in VictoriaMetrics, and later
where they are sent on. So no clock says whether an interval is complete, but the scrapes that can be found do.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objectives

LONGEST_ARRIVAL = timedelta(milliseconds=500)  # the time that a scrape usually takes at the most
LONGEST_LAG = timedelta(seconds=5)  # by which one target's samples come later than another's; VictoriaMetrics' are 4 s
AGAIN_IN = timedelta(seconds=1)  # samples that are due are queried again
SELDOM = timedelta(seconds=15)  # scrapes so far apart are evaluated one by one, as each may prove a breach
REST = timedelta(seconds=3)  # between two evaluations while nothing is suspicious, as each is of all objectives
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
