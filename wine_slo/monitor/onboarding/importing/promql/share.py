"""Which share of what an expression is: of events, of the samples of a gauge, or of a native histogram."""

import re
from dataclasses import dataclass, replace

from wine_slo.monitor.onboarding.importing.promql.events import (
    HARMLESS,
    OVER_TIME,
    RATES,
    Counting,
    Events,
    described,
    is_filler,
)
from wine_slo.monitor.onboarding.importing.promql.expression import (
    COMPARISONS,
    MIRRORED,
    Aggregate,
    Binary,
    Call,
    Expression,
    ExpressionError,
    Number,
    Selector,
)

GUARD = "the other condition of its `{}` is left out"
FLAGS = re.compile(
    r"(.*_)?(up|down|success|succeeded|healthy|health|ready|ok|alive|available|unavailable|availability|reachable|connected"
    r"|running|enabled|synced|status|state|bool|failed|failing|error)([:_].*)?"
)  # how gauges of 0 and 1 are named
NO_FLAGS = re.compile(r".*(seconds|bytes|ratio|percent|total|count|replicas|pods|nodes|connections|workers|time)(_.*)?")


@dataclass(frozen=True, slots=True)
class EventShare:
    """A part of all events; where it is a complement, the others."""

    part: Events
    total: Events
    is_complement: bool = False


@dataclass(frozen=True, slots=True)
class SampleShare:
    """The samples of gauges that compare so with a number; `was_one` where only their largest or mean did."""

    gauge: Selector
    operator: str
    number: float
    is_complement: bool = False
    was_one: bool = False


@dataclass(frozen=True, slots=True)
class NativeShare:
    """The observations of a native histogram that are within a bound."""

    histogram: Selector
    bound: float
    is_complement: bool = False


Share = EventShare | SampleShare | NativeShare


def share(tree: Expression, counting: Counting) -> Share:
    """Return the share that an expression is.

    Raises:
        ExpressionError: It is none.
    """
    match tree:
        case Binary():
            return _of_binary(tree, counting)
        case Aggregate("avg", inner) if (gauge := _gauge(inner)) is not None:
            return _mean(gauge)
        case Call("histogram_fraction", (Number(low), Number(high), inner)):
            return _native(low, high, inner)
        case Call("avg_over_time", (Selector() as gauge,)):
            return _mean(gauge)
        case Call("avg_over_time", (Binary(is_bool=True) as inner,)) | Aggregate("avg", Binary(is_bool=True) as inner):
            return _of_samples(_compared(inner))
        case Aggregate("sum" | "avg" | "max" | "min", inner):
            return share(inner, counting)
        case Call(name, (inner, *_)) if name in (*HARMLESS, *OVER_TIME):
            return share(inner, counting)
    raise ExpressionError(f"is no share of events: {described(tree)}")


def _of_binary(tree: Binary, counting: Counting) -> Share:
    match tree:
        case Binary("/", part, total):
            return _quotient(part, total, counting)
        case Binary("-", Number(1), inner):
            found = share(inner, counting)
            return replace(found, is_complement=not found.is_complement)
        case Binary("or", left, right) if is_filler(right):
            return share(left, counting)
        case Binary(">" | ">=" | "!=", left, Number(0)):
            return share(left, counting)
    raise ExpressionError(f"is no share of events: {described(tree)}")


def unguarded(tree: Expression) -> tuple[Expression, list[str]]:
    """Return an expression without the condition that it is joined with, and a remark on that."""
    match tree:
        case Binary("and" | "unless" as operator, left, _):
            return left, [GUARD.format(operator)]
    return tree, []


def is_flag(gauge: Selector) -> bool:
    """Return whether the name of a gauge says that it is 0 or 1."""
    return FLAGS.fullmatch(gauge.metric) is not None and NO_FLAGS.fullmatch(gauge.metric) is None


def is_share(tree: Expression) -> bool:
    """Return whether an expression has the form of a share: it divides, or takes something from 1."""
    match tree:
        case Binary("/", _, right):
            return not isinstance(right, Number)
        case Binary("-", Number(1), _) | Call("histogram_fraction", _):
            return True
        case Binary(_, left, right):
            return is_share(left) or is_share(right)
        case Aggregate(of=inner) | Call(arguments=(inner,)):
            return is_share(inner)
        case Call(arguments=(inner, *_)):
            return is_share(inner)
    return False


def _quotient(part: Expression, total: Expression, counting: Counting) -> Share:
    """Return a part of all of it."""
    samples, all_samples = _samples(part), _samples(total)
    if samples is not None and all_samples is not None and all_samples.is_all:
        if samples.gauge != all_samples.gauge:
            raise ExpressionError(f"divides samples of {samples.gauge} by those of {all_samples.gauge}")
        if samples.is_all:
            raise ExpressionError("divides a count of samples by itself")
        return _of_samples(samples)
    return EventShare(counting.events(part), counting.events(total))


@dataclass(frozen=True, slots=True)
class _Samples:
    """Samples of a gauge that are counted: all, those of a comparison, or their values added up."""

    gauge: Selector
    is_all: bool = False
    operator: str = ""
    number: float = 0
    was_one: bool = False


def _samples(tree: Expression) -> _Samples | None:
    """Return the samples that an expression counts; None where it counts none."""
    match tree:
        case Binary("or", left, right) if is_filler(right):
            return _samples(left)
        case Binary(operator, left, Number(0)) if operator in (">", ">=", "!=") and _samples(left) is not None:
            return _samples(left)
        case Aggregate("count" | "group", inner) | Call("count_over_time", (inner,)):
            return _counted(inner)
        case Aggregate("sum", inner) | Call("sum_over_time", (inner,)):
            nested = _samples(inner)
            if nested is not None:
                return nested
            if isinstance(inner, Selector):
                return _Samples(inner)
            if isinstance(inner, Call) and inner.function == "avg_over_time":  # of each series, which are added up
                inner = inner.arguments[0]
            return _compared(inner) if isinstance(inner, Binary) and inner.is_bool else None
        case Call(name, (inner, *_)) if name in HARMLESS:
            return _samples(inner)
    return None


def _counted(tree: Expression) -> _Samples | None:
    """Return the samples that are left of something, to be counted."""
    if (gauge := _one(tree)) is not None:
        return _Samples(gauge, is_all=True)
    compared = _compared(tree)
    if compared is not None:
        has_all = isinstance(tree, Binary) and tree.is_bool  # a comparison with `bool` drops none
        return _Samples(compared.gauge, is_all=True) if has_all else compared
    return _samples(tree)


def _compared(tree: Expression) -> _Samples | None:
    """Return the samples of a gauge that compare so with a number; None where it is something else."""
    match tree:
        case Binary(operator, Number() as number, inner) if operator in COMPARISONS:
            return _compared(Binary(MIRRORED[operator], inner, number))
        case Binary(operator, inner, Number(value)) if operator in COMPARISONS and (gauge := _one(inner)) is not None:
            return _Samples(gauge, operator=operator, number=value, was_one=not isinstance(inner, Selector))
    return None


def _of_samples(samples: _Samples | None) -> SampleShare:
    """Return the share that samples are of all of their gauge.

    Raises:
        ExpressionError: They are none of a gauge, or their values say no share.
    """
    if samples is None:
        raise ExpressionError("is a mean of comparisons that slo.yml has no words for")
    if samples.operator:
        return SampleShare(samples.gauge, samples.operator, samples.number, was_one=samples.was_one)
    return _mean(samples.gauge)


def _one(tree: Expression) -> Selector | None:
    """Return a gauge, or that of whose series one value is taken."""
    match tree:
        case Selector():
            return tree
        case Aggregate("max" | "min" | "avg", Selector() as gauge):
            return gauge
    return None


def _gauge(tree: Expression) -> Selector | None:
    """Return the gauge of which a mean over time, or nothing else, is taken."""
    match tree:
        case Selector():
            return tree
        case Call("avg_over_time" | "last_over_time", (Selector() as gauge,)):
            return gauge
    return None


def _mean(gauge: Selector) -> SampleShare:
    """Return the share that the mean of a gauge is, if that is 0 or 1."""
    if not is_flag(gauge):
        raise ExpressionError(
            f"is the mean of {gauge.metric}, which is no share of good events unless it is 0 or 1; "
            f"write `kind: gauge` with `good: {gauge} >= NUMBER` yourself"
        )
    return SampleShare(gauge, "==", 1)


def _native(low: float, high: float, tree: Expression) -> NativeShare:
    match tree:
        case Aggregate("sum", inner):
            return _native(low, high, inner)
        case Call(name, (inner,)) if name in RATES:
            return _native(low, high, inner)
        case Selector() if low <= 0 < high < float("inf"):
            return NativeShare(tree, high)
        case Selector() if 0 < low < high == float("inf"):
            return NativeShare(tree, low, is_complement=True)
    raise ExpressionError(f"takes a share of a native histogram between {low:g} and {high:g}, which cannot be said")
