"""When there is something new to evaluate, and up to when a key has been judged."""

from datetime import datetime, timedelta

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight
from wine_slo.slo.objectives.objective import Key, Objectives

SETTLES_IN = timedelta(milliseconds=100)  # a quick evaluation comes so much after its interval has ended


def next_evaluation_at(state: State, objectives: Objectives) -> datetime | None:
    """Return when to evaluate again before the next tick.

    None where every objective is met, or there are no requests.
    """
    instants = []
    for key, track in state.tracks.items():
        objective, reading = objectives.of(key), state.readings.get(key)
        if objective is None or reading is None or reading.next_at is None or not track.evidence:
            continue
        is_moving = track.phase is not Phase.MET and track.sight is Sight.CLEAR
        if is_moving and reading.at - track.evidence[-1].ended_at <= objective.bad_for:
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
