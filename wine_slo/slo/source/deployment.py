"""A deployment of a model shortly before an incident: often its cause, and always worth checking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from wine_slo.slo.source.metric_source import instant_of

WITHIN = timedelta(minutes=30)  # a deployment longer before is not reported as a reason
LOOKBACK = 2 * WITHIN  # what served before must be seen too


@dataclass(frozen=True, slots=True)
class Deployment:
    """Another model began to serve.

    Attributes:
        at: When it was first seen.
        before: The sha256 of the model that served before.
        after: Its own.
    """

    at: datetime
    before: str
    after: str

    def may_have_caused(self, since: datetime) -> bool:
        """Return whether it came so shortly before something began that it is worth checking."""
        return timedelta(0) <= since - self.at <= WITHIN


def last_change(first_seen: Mapping[str, float]) -> Deployment | None:
    """Return the last change of the model; None where only one was seen.

    Args:
        first_seen: When each model was first seen in the lookback, in seconds since the epoch, by its
            sha256.

    Raises:
        MetricSourceError: A time is none that can be.
    """
    ordered = sorted(first_seen, key=lambda each: first_seen[each])
    if len(ordered) < 2:
        return None
    return Deployment(instant_of(first_seen[ordered[-1]]), before=ordered[-2], after=ordered[-1])
