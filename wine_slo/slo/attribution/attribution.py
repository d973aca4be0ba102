"""Which values of which label carry the bad events of an incident: counts in, causes out.

A cause is a few values of one label, such as one endpoint or two instances. It is named only where all of this holds:

* it carries most of the bad events, and violates the objective, value by value;
* all other events meet the objective, or nearly, and are bad several times more rarely;
* it has not almost all of the traffic, so that there is something to compare it with;
* chance would show that somewhere among all labels and values less than once in a hundred.

Of several labels with a cause, the one that explains best is taken, and those that explain as well: an instance may be
the only one of its version. Counts are of events and may be estimated, so not whole numbers; ratios are 0 to 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import comb, log

from wine_slo.slo.chance import chance_of_share

MOST_NAMED = 3  # values that are a cause together; more are not one cause
MOST_EQUAL = 3  # labels that explain equally well and are named
MOST_KEPT = 10  # values of one label that are kept
MOST_BAD = 0.7  # of the bad events, that a cause carries at the least
MOST_TRAFFIC = 0.9  # of all events, that a cause has at the most
NEARLY = 2.0  # times what may be bad; all other events nearly meet the objective
CONTRAST = 3.0  # times more rarely all other events are bad
CHANCE = 0.01  # that any cause is named where there is none
SWING = 0.05  # a violation by the others that chance explains so often is none
EQUAL = 0.99  # of the best explanation; what explains so much is as good
MISMATCH = 0.05  # of the bad events, that may exceed all events of their value; more do not belong together


@dataclass(frozen=True, slots=True)
class Share:
    """The events of one value of a label, or of several, `bad` of `total`."""

    value: str
    bad: float
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The events by the values of one label.

    Attributes:
        label: Its name.
        values: Those with the most bad events, in that order.
        more: How many values are left out.
    """

    label: str
    values: tuple[Share, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Values of one label that carry most of the bad events.

    Attributes:
        label: Its name.
        values: The values, the one with the most bad events first.
        bad: Their bad events.
        total: All their events.
        other_bad: The bad events of all other values.
        other_total: All events of these.
    """

    label: str
    values: tuple[str, ...]
    bad: float
    total: float
    other_bad: float
    other_total: float

    @property
    def share(self) -> float:
        """Return the share of the bad events that it carries."""
        return self.bad / (self.bad + self.other_bad)

    @property
    def other_ratio(self) -> float:
        """Return the share of bad ones among all other events."""
        return self.other_bad / self.other_total

    @property
    def gain(self) -> float:
        """Return how much it explains: the likelihood of the events with it, by that without it, as a logarithm."""
        ratio = (self.bad + self.other_bad) / (self.total + self.other_total)
        return _information(self.bad, self.total, ratio) + _information(self.other_bad, self.other_total, ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What was found about the bad events of an incident.

    Attributes:
        over: The time range of the counts, which ends with the last bad interval.
        breakdowns: The counts by label, the label that explains most first.
        causes: The best explanation, and those that are as good; empty where nothing stands out.
    """

    over: timedelta
    breakdowns: tuple[Breakdown, ...]
    causes: tuple[Cause, ...] = ()


def attribute(tables: Mapping[str, Sequence[Share]], allowed: float, over: timedelta) -> Attribution:
    """Return which values of which label carry the bad events.

    Args:
        tables: The events by value, by the name of each label.
        allowed: The share of events that may be bad.
        over: The time range of the events.
    """
    usable = {label: shares for label, each in tables.items() if (shares := _consistent(each))}
    chance = CHANCE / (MOST_NAMED * max(1, len(usable)))  # of one label, for one number of values
    found = [cause for label, shares in usable.items() if (cause := _cause(label, shares, allowed, chance))]
    best = max((each.gain for each in found), default=0.0)
    equal = sorted((each for each in found if each.gain >= EQUAL * best), key=lambda each: -each.gain)
    causes = tuple(equal[:MOST_EQUAL])
    named = [each.label for each in causes]
    ordered = sorted(usable.items(), key=lambda each: (each[0] not in named, -_spread(each[1])))
    return Attribution(
        over=over,
        breakdowns=tuple(_breakdown(label, shares) for label, shares in ordered),
        causes=causes,
    )


def _consistent(shares: Sequence[Share]) -> Sequence[Share]:
    """Return the values with events; none where nothing is bad, or bad events are no part of all."""
    kept = [Share(each.value, min(each.bad, each.total), each.total) for each in shares if each.total > 0]
    bad = sum(each.bad for each in shares)
    if bad <= 0 or bad - sum(each.bad for each in kept) > MISMATCH * bad:
        return ()
    return kept


def _cause(label: str, shares: Sequence[Share], allowed: float, chance: float) -> Cause | None:
    """Return the fewest values of a label that are a cause together; None where none are.

    Args:
        label: Its name.
        shares: The events by value; some events are bad.
        allowed: The share of events that may be bad.
        chance: How likely it may be at the most that chance shows any cause of so many values.
    """
    suspects = sorted(shares, key=lambda each: allowed * each.total - each.bad)
    for count in range(1, min(MOST_NAMED, len(shares) - 1) + 1):
        named, others = suspects[:count], suspects[count:]
        if not named[-1].value or named[-1].bad <= allowed * named[-1].total:
            return None
        cause = Cause(
            label=label,
            values=tuple(each.value for each in sorted(named, key=lambda each: -each.bad)),
            bad=sum(each.bad for each in named),
            total=sum(each.total for each in named),
            other_bad=sum(each.bad for each in others),
            other_total=sum(each.total for each in others),
        )
        if _explains(cause, allowed) and _chance(cause) * comb(len(shares), count) < chance:
            return cause
    return None


def _explains(cause: Cause, allowed: float) -> bool:
    """Return whether values carry most of the bad events while all others are fine, or nearly."""
    others_nearly_met = cause.other_ratio <= NEARLY * allowed or (
        chance_of_share(cause.other_bad, cause.other_total, allowed) >= SWING
    )
    return (
        cause.share >= MOST_BAD
        and cause.total <= MOST_TRAFFIC * (cause.total + cause.other_total)
        and others_nearly_met
        and cause.bad / cause.total >= CONTRAST * cause.other_ratio
    )


def _chance(cause: Cause) -> float:
    """Return at most how likely so many of the bad events have these values where these have nothing to do with it.

    That is the tail of a hypergeometric distribution, which is bounded in each of the four ways to draw it.
    Source: Hoeffding, 1963, https://doi.org/10.1080/01621459.1963.10500830, theorem 4
    """
    bad, good = cause.bad + cause.other_bad, cause.total - cause.bad + cause.other_total - cause.other_bad
    by_value, by_kind = bad / (bad + good), cause.total / (bad + good)
    bounds = [
        chance_of_share(cause.bad, cause.total, by_value),
        chance_of_share(cause.other_bad, cause.other_total, by_value),
        chance_of_share(cause.bad, bad, by_kind),
    ]
    if good > 0:
        bounds.append(chance_of_share(max(0.0, cause.total - cause.bad), good, by_kind))
    return min(bounds)


def _breakdown(label: str, shares: Sequence[Share]) -> Breakdown:
    worst_first = sorted(shares, key=lambda each: (-each.bad, -each.total, each.value))
    return Breakdown(label=label, values=tuple(worst_first[:MOST_KEPT]), more=max(0, len(shares) - MOST_KEPT))


def _spread(shares: Sequence[Share]) -> float:
    """Return how much the values of a label differ: the information in them about what is bad, for each value more."""
    ratio = sum(each.bad for each in shares) / sum(each.total for each in shares)
    return sum(_information(each.bad, each.total, ratio) for each in shares) / max(1, len(shares) - 1)


def _information(bad: float, total: float, ratio: float) -> float:
    """Return how much more likely events are by their own share of bad ones than by another one, as a logarithm."""
    parts = ((bad, total * ratio), (total - bad, total * (1 - ratio)))
    return sum(seen * log(seen / expected) for seen, expected in parts if seen > 0 and expected > 0)
