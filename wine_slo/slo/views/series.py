"""How the value of everything went over the last while, for a picture of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wine_slo.slo.objectives.objective import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The values at every `step` from `first` to `last`.

    Attributes:
        first: Where it begins.
        last: Where it ends.
        step: How far apart the values are; each is over so long a range.
        values: Seconds of the objective's quantile for a latency, else the share of bad events; by epoch seconds. Where
            there were no requests there is no value.
        names: The objectives that were queried.
        trouble: Why there are none that are new; empty where there are.
    """

    first: datetime
    last: datetime
    step: timedelta
    values: Mapping[Key, Mapping[float, float]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    trouble: str = ""
