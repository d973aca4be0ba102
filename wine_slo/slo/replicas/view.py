"""What one replica of the metric source reads of an objective, and which replicas can be judged by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from wine_slo.slo.evaluation.judgement import is_bad
from wine_slo.slo.evaluation.reading import UNTRUSTED, Reading, Sight
from wine_slo.slo.objectives.objective import Key, Objective
from wine_slo.slo.reason import Reason

BEST_FIRST = (Sight.CLEAR, Sight.TOO_FEW, Sight.NO_TRAFFIC, Sight.TARGET_DOWN, Sight.STALE, Sight.BLIND)
CLOCK_OFF_BY = timedelta(seconds=5)  # more than another replica's: an incident's times would jump with a switch
CUT_OFF = 3  # scrapes in a row that fail in one replica alone, each answered in another


@dataclass(frozen=True, slots=True)
class View:
    """What one replica reads of one objective at one evaluation.

    Attributes:
        readings: By key; none where it sees that there is nothing.
        ahead: How far its clock is ahead of this machine's; negative where it is behind.
    """

    readings: Mapping[Key, Reading]
    ahead: timedelta = timedelta(0)

    @property
    def best(self) -> Reading | None:
        """Return the reading of the key that it sees best; None where there is no key."""
        return min(self.readings.values(), key=lambda each: rank(each.sight), default=None)

    @property
    def is_seeing(self) -> bool:
        """Return whether it sees the service's own numbers, or that there are none."""
        return self.best is None or self.best.sight.is_seeing


def rank(sight: Sight) -> int:
    """Return how well is seen: 0 is best."""
    return BEST_FIRST.index(sight)


def unfit(objective: Objective, views: Mapping[str, View]) -> dict[str, Reason | str]:
    """Return why some replicas are left for others, by their names; never all of them.

    A replica that shows more is not better, as an outage may be in what only another one shows. But one that cannot
    see what another one sees says nothing: that target is answered elsewhere.
    """
    best = min(_grade(each) for each in views.values())
    found: dict[str, Reason | str] = {
        name: _why(each.best.reason) for name, each in views.items() if each.best is not None and _grade(each) > best
    }
    left = {name: each for name, each in views.items() if name not in found}
    least = min(abs(each.ahead) for each in left.values())
    for name, each in left.items():
        if abs(each.ahead) - least > CLOCK_OFF_BY:
            found[name] = Reason("its clock is off by {seconds} s", {"seconds": round(abs(each.ahead).total_seconds())})
    left = {name: each for name, each in left.items() if name not in found}
    return found | _cut_off(objective, left)


def _why(reason: Reason | str) -> Reason | str:
    """Return why nothing is seen, of a replica that is named beside it."""
    why = reason.holes["why"] if isinstance(reason, Reason) and reason.sentence == UNTRUSTED else reason
    return reason if isinstance(why, int) else why


def _grade(view: View) -> int:
    """Return how well the best key is seen; few requests and none are as good as many."""
    return 0 if view.best is None or view.is_seeing else rank(view.best.sight)


def _cut_off(objective: Objective, views: Mapping[str, View]) -> dict[str, Reason | str]:
    """Return which replicas do not reach targets whose scrapes are answered to another one.

    One that scrapes fewer targets cannot say that of those that it does not know.
    """
    if not objective.is_up:
        return {}
    failing = {name: [_is_failing(objective, each) for each in view.readings.values()] for name, view in views.items()}
    scrapes = {name: _scrapes(view) for name, view in views.items()}
    answered = [scrapes[name] for name, keys in failing.items() if keys and all(each is False for each in keys)]
    return {
        name: Reason("its scrapes of {job} fail, and another one's do not", {"job": objective.job})
        for name, keys in failing.items()
        if any(keys) and max(answered, default=-CUT_OFF) > scrapes[name] - CUT_OFF  # one may be missing
    }


def _scrapes(view: View) -> float:
    """Return how many scrapes those are by which it is cut off or not."""
    return sum(each.total for reading in view.readings.values() for each in reading.intervals[-CUT_OFF:])


def _is_failing(objective: Objective, reading: Reading) -> bool | None:
    """Return whether each of the last scrapes failed; False where each was answered, None where some were."""
    last: Sequence[bool] = [is_bad(objective, each) for each in reading.intervals[-CUT_OFF:]]
    if len(last) < CUT_OFF or len(set(last)) > 1:
        return None
    return last[0]
