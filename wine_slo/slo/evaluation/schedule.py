"""When there is something new to evaluate, and up to when a key has been judged."""

from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objectives

LONGEST_ARRIVAL = timedelta(milliseconds=500)  # the time that a scrape usually takes at the most
LONGEST_SCRAPE = timedelta(seconds=10)  # Prometheus' usual timeout
SELDOM = timedelta(seconds=15)  # scrapes so far apart are evaluated one by one, as each may prove a breach
REST = timedelta(seconds=3)  # between two evaluations while nothing is suspicious, as each is of all objectives
SETTLES_IN = timedelta(milliseconds=100)  # a quick evaluation comes so much after its interval has ended


def arrival(scrape_interval: timedelta) -> timedelta:
    """Return how long after a scrape its interval ends: the time for its samples to arrive, and for it to jitter."""
    return min(scrape_interval / 10, LONGEST_ARRIVAL)


def next_scrape_at(scrape_interval: timedelta, scraped_at: datetime, ended_at: datetime, now: datetime) -> datetime:
    """Return when there will be something new: after the next scrape, or soon where the last one is late.

    A scrape takes as long as the service takes to answer it.

    Args:
        scrape_interval: How far apart scrapes are.
        scraped_at: The last scrape that has arrived.
        ended_at: When the last interval should have ended.
        now: The instant of the evaluation.
    """
    late, has_arrived = now - ended_at, ended_at - scraped_at < scrape_interval / 2
    if scrape_interval < SELDOM or has_arrived or late > min(scrape_interval / 4, LONGEST_SCRAPE):
        return ended_at + scrape_interval
    return now + max(late, LONGEST_ARRIVAL)


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
