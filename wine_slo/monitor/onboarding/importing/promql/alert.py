"""What an alert's expression holds to a number: a share, a quantile, a gauge, an age, or targets that are up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wine_slo.monitor.onboarding.importing.promql.events import (
    COUNTER,
    RATES,
    Counting,
    aggregates,
    described,
    grouping,
)
from wine_slo.monitor.onboarding.importing.promql.expression import (
    COMPARISONS,
    MIRRORED,
    OPPOSITE,
    Aggregate,
    Binary,
    Call,
    Expression,
    ExpressionError,
    Number,
    Selector,
)
from wine_slo.monitor.onboarding.importing.promql.factors import constant, scaled
from wine_slo.monitor.onboarding.importing.promql.indicator import OF_EACH, Indicator, gauge, indicators, quantile
from wine_slo.monitor.onboarding.importing.promql.share import GUARD, Share, is_flag, is_share, share
from wine_slo.monitor.onboarding.importing.remarks import CHANGED

ADDED_UP = f"{CHANGED}all series are added up, where the alert judged each by itself; write their labels into `by`"
OF_EVENTS = ("ratio", "latency")
GROWTH = (*RATES, "predict_linear", "deriv", "delta", "idelta")
UP = (("==", 1), (">", 0), (">=", 1), ("!=", 0))  # of what is 0 or 1


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is held to a number.

    Attributes:
        objective: The share that has to be good; None where the expression says none.
        is_budget: The number was a burn rate of a budget, so that the objective is that of the budget.
        by: Labels, each set of which is judged by itself.
        is_of_each: Each series is judged by itself, whatever its labels are.
    """

    indicator: Indicator
    objective: float | None = None
    is_budget: bool = False
    by: tuple[str, ...] = ()
    is_of_each: bool = True


def conditions(tree: Expression, counting: Counting, *, is_good: bool = False) -> list[Condition]:
    """Return what an expression holds to numbers.

    Args:
        tree: A comparison, or several that are joined.
        counting: How bare selectors are read.
        is_good: It holds where all is well; else where something is wrong, as that of an alert.

    Raises:
        ExpressionError: slo.yml cannot say it.
    """
    match tree:
        case Binary("and" | "unless" as operator, left, right):
            return _joined(operator, left, right, counting, is_good=is_good)
        case Binary("or", left, right):
            return _either(left, right, counting, is_good=is_good)
        case Call() | Number():
            return _of_absence(tree)
        case Binary(operator, Call("absent" | "absent_over_time", _) as inner, Number(_)) if operator in COMPARISONS:
            return _of_absence(inner)
        case Binary(operator, Aggregate("count" | "sum", Binary(inner, _, _) as compared), Number(0)) if (
            operator in (">", "!=", ">=") and inner in COMPARISONS
        ):
            return conditions(compared, counting, is_good=is_good)
        case Binary(operator, left, right) if operator in COMPARISONS:
            return _compared(operator, left, right, counting, is_good=is_good)
        case Aggregate(of=Binary(operator, _, _) as inner, by=by) if operator in (*COMPARISONS, "and", "or", "unless"):
            found = conditions(inner, counting, is_good=is_good)
            return [replace(each, by=each.by or by or ()) for each in found]
    raise ExpressionError(f"compares nothing with a number: {described(tree)}")


def _of_absence(tree: Call | Number) -> list[Condition]:
    """Return the targets whose absence an expression is about.

    Raises:
        ExpressionError: It is about something else.
    """
    match tree:
        case Call("absent" | "absent_over_time", (Selector("up") as up,)):
            return [Condition(gauge(up, "==", 1))]
        case Call("absent" | "absent_over_time", (Binary("==", Selector("up") as up, Number(1)),)):
            return [Condition(gauge(up, "==", 1))]
        case Call("absent" | "absent_over_time", (Selector() as selector,)):
            raise ExpressionError(f"alerts where {selector.metric or selector} is absent, which is reported as no data")
        case Number() | Call("vector", (Number(),)):
            raise ExpressionError("fires always, to show that alerting works: the watchdog has a heartbeat for that")
    raise ExpressionError(f"compares nothing with a number: {described(tree)}")


def _joined(
    operator: str, left: Expression, right: Expression, counting: Counting, *, is_good: bool
) -> list[Condition]:
    """Return the conditions of what is joined: one side is the same over another range, or a guard.

    Raises:
        ExpressionError: Neither side can be said, or what is left of them without the other is a mere guard.
    """
    sides: list[list[Condition]] = []
    reasons: dict[int, ExpressionError] = {}
    for number, each in enumerate((left, right)):
        try:
            sides.append(conditions(each, counting, is_good=is_good))
        except ExpressionError as error:
            sides.append([])
            reasons[number] = error
    first, second = sides
    main = 1 if operator == "and" and (not first or (_are_of_events(second) and not _are_of_events(first))) else 0
    if not sides[main]:
        raise reasons[0]
    if operator == "and" and 1 - main in reasons and not _are_of_events(sides[main]):
        other = (left, right)[1 - main]
        if not _is_guard(other) and (main == 1 or _has_rates(other)):
            raise reasons[1 - main]
    known = [each.indicator.fields for each in first]
    if operator == "and" and first and second and all(each.indicator.fields in known for each in second):
        return first
    guard = GUARD.format(operator)
    if not any(map(_is_guard, (left, right))):  # which has to be there for anything to be judged
        guard = f"{CHANGED}{guard}"
    return [replace(each, indicator=_remarked(each.indicator, guard)) for each in sides[main]]


def _are_of_events(found: Sequence[Condition]) -> bool:
    return any(each.indicator.fields["kind"] in OF_EVENTS for each in found)


def _has_rates(tree: Expression) -> bool:
    """Return whether an expression reads how fast something grows, anywhere in it."""
    match tree:
        case Call(name, _) if name in GROWTH:
            return True
        case Call(arguments=parts):
            return any(map(_has_rates, parts))
        case Aggregate(of=inner):
            return _has_rates(inner)
        case Binary(_, left, right):
            return _has_rates(left) or _has_rates(right)
    return False


def _is_guard(tree: Expression) -> bool:
    """Return whether a condition is that there is some traffic, or that targets are up."""
    match tree:
        case Binary(operator, Selector("up"), right) if (operator, constant(right)) in UP:
            return True
        case Binary(">" | ">=", left, right) if constant(right) is not None:
            return _is_rate(left)
    return False


def _is_rate(tree: Expression) -> bool:
    """Return whether an expression is a rate of something, or a sum of such."""
    match tree:
        case Aggregate("sum", inner):
            return _is_rate(inner)
        case Call(name, _):
            return name in RATES
    return False


def _either(left: Expression, right: Expression, counting: Counting, *, is_good: bool) -> list[Condition]:
    """Return the conditions of both sides."""
    found: list[Condition] = []
    reason = None
    for each in (left, right):
        try:
            found += conditions(each, counting, is_good=is_good)
        except ExpressionError as error:
            reason = error
    if not found and reason is not None:
        raise reason
    remark = None if reason is None else f"{CHANGED}one side of its `or` is left out, as that {reason}"
    return [replace(each, indicator=_remarked(each.indicator, remark)) for each in found] if remark else found


def _compared(
    operator: str, left: Expression, right: Expression, counting: Counting, *, is_good: bool
) -> list[Condition]:
    """Return what one comparison is about."""
    number = constant(right)
    if number is None and (number := constant(left)) is not None:
        operator, left, right = MIRRORED[operator], right, left
    if number is None:
        left, number = _part_of(left, right)
    bad = OPPOSITE[operator] if is_good else operator
    factor, inner = scaled(left)
    threshold = number / factor
    by = grouping(left)
    if (phi := _quantile(inner)) is not None:
        return [Condition(_of_quantile(phi[1], bad, threshold), phi[0], by=by)]
    if is_share(inner) or _is_mean_of_flag(inner, threshold):
        found = _of_share(share(inner, counting), bad, threshold, _budget(right), by)
        is_of_all = aggregates(inner)
        return [replace(each, is_of_each=False) if is_of_all else _of_each(each) for each in found]
    if (age := _age(inner)) is not None:
        selector, remarks = _single(age)
        return [Condition(_remarked(gauge(selector, OPPOSITE[bad], threshold, is_age=True), *remarks), by=by)]
    selector, remarks = _single(inner)
    if selector.metric in ("ALERTS", "ALERTS_FOR_STATE"):
        raise ExpressionError("is about other alerts")
    if COUNTER.fullmatch(selector.metric):
        raise ExpressionError(f"compares the counter {selector.metric}, which only ever grows, with a number")
    if ":" in selector.metric and not counting.bare:
        raise ExpressionError(
            f"reads {selector.metric}, which a recording rule makes: import the file with that rule together"
        )
    held = gauge(selector, OPPOSITE[bad], threshold)
    if selector.metric == "up" and held.fields["kind"] != "up":
        raise ExpressionError(f"holds {described(inner)} of `up` to {threshold:g}, which is no outage of any target")
    return [Condition(_remarked(held, *remarks), by=by)]


def _part_of(left: Expression, right: Expression) -> tuple[Expression, float]:
    """Return the share that is held to a number by `errors > 0.01 * requests`, and that number.

    Raises:
        ExpressionError: It is no part of a whole.
    """
    number, whole = scaled(right)
    if number == 1:
        raise ExpressionError("compares two metrics with each other")
    if _age(scaled(left)[1]) is not None:
        raise ExpressionError("compares an age with another metric")
    return Binary("/", left, whole), number


def _of_each(condition: Condition) -> Condition:
    """Return a condition that holds for each series; events are added up all the same, and that is said."""
    if condition.indicator.fields["kind"] not in OF_EVENTS:
        return condition
    return replace(condition, indicator=_remarked(condition.indicator, ADDED_UP))


def _budget(tree: Expression) -> float | None:
    """Return the error budget where a number is a burn rate times that, as multi-burn-rate alerts have it."""
    match tree:
        case Binary("-", Number(1), inner):  # of good events
            return _budget(inner)
        case Binary("*", left, right):
            first, second = constant(left), constant(right)
            if first is not None and second is not None and min(first, second) < 1 <= max(first, second):
                return min(first, second)
    return None


def _of_share(found: Share, bad: str, number: float, budget: float | None, by: tuple[str, ...]) -> list[Condition]:
    """Return a share that is bad where it compares so with a number, or with a burn rate of a budget."""
    if bad not in ("<", "<=", ">", ">="):
        raise ExpressionError(f"compares a share by {bad}")
    is_bad = bad in (">", ">=")
    objective = round(1 - number if is_bad else number, 10) if budget is None else round(1 - budget, 10)
    if objective == 1 and is_bad:
        return [Condition(each, by=by) for each in indicators(found, is_bad=is_bad)]  # no failure at all is allowed
    if not 0 < objective < 1:
        raise ExpressionError(f"compares a share with {number:g}, which leaves no objective between 0 and 1")
    is_budget = budget is not None
    return [Condition(each, objective, is_budget, by) for each in indicators(found, is_bad=is_bad)]


def _quantile(tree: Expression) -> tuple[float, Selector] | None:
    """Return the quantile and the histogram of a `histogram_quantile`; None where it is something else."""
    match tree:
        case Call("histogram_quantile", (phi, inner)) if constant(phi) is not None:
            return constant(phi) or 0, _rated(inner)
        case Aggregate("max" | "min" | "avg", inner):
            return _quantile(inner)
    return None


def _rated(tree: Expression) -> Selector:
    match tree:
        case Selector():
            return tree
        case Aggregate("sum", inner):
            return _rated(inner)
        case Call(name, (inner, *_)) if name in (*RATES, "label_replace", "sum_over_time"):
            return _rated(inner)
    raise ExpressionError(f"takes a quantile of {described(tree)}")


def _of_quantile(histogram: Selector, bad: str, bound: float) -> Indicator:
    if bad not in (">", ">=") or bound <= 0:
        raise ExpressionError("holds a quantile to be above a number, not below it")
    found = quantile(histogram, bound)
    return (
        _remarked(found, "the threshold has to be a bound of the histogram's buckets")
        if ("native" not in found.fields)
        else found
    )


def _is_mean_of_flag(tree: Expression, threshold: float) -> bool:
    """Return whether an expression is the mean of a gauge that is 0 or 1, held to a share."""
    match tree:
        case Aggregate("avg", inner):
            return _is_mean_of_flag(inner, threshold) if isinstance(inner, Call) else _is_held_flag(inner, threshold)
        case Aggregate("max" | "min" | "sum", Call() as inner):
            return _is_mean_of_flag(inner, threshold)
        case Call("avg_over_time", (inner,)):
            return _is_held_flag(inner, threshold) or isinstance(inner, Binary)
    return False


def _is_held_flag(tree: Expression, threshold: float) -> bool:
    return isinstance(tree, Selector) and is_flag(tree) and 0 < threshold < 1


def _age(tree: Expression) -> Expression | None:
    """Return what a time is taken from now; None where it is something else."""
    match tree:
        case Binary("-", Call("time", ()), inner):
            return inner
        case Aggregate("max" | "min" | "avg", inner):
            return _age(inner)
    return None


def _single(tree: Expression) -> tuple[Selector, Sequence[str]]:
    """Return the gauge that is compared, and what changes as each of its series is judged by itself.

    Raises:
        ExpressionError: It is no gauge alone.
    """
    match tree:
        case Selector():
            return tree, []
        case Aggregate("max" | "min" | "avg", inner):
            return _single(inner)[0], [OF_EACH]
        case Aggregate("sum" | "count", inner) if (up := _up(inner)) is not None:
            return up, [OF_EACH]
        case Call("avg_over_time" | "max_over_time" | "min_over_time" | "last_over_time", (inner,)):
            return _single(inner)[0], [OF_EACH]
        case Call("label_replace" | "label_join" | "scalar" | "abs" | "round", (inner, *_)):
            return _single(inner)
        case Call(name, (_, *_)) if name in RATES:
            raise ExpressionError(f"compares {name}(…) with a number, without a total that it would be a share of")
        case Aggregate("sum", inner) if _is_rate(inner):
            raise ExpressionError("compares a sum of rates with a number, without a total that it would be a share of")
    raise ExpressionError(f"compares {described(tree)} with a number, where slo.yml compares each series")


def _up(tree: Expression) -> Selector | None:
    match tree:
        case Selector("up", _):
            return tree
        case Binary("==", Selector("up", _) as up, Number(1)):
            return up
    return None


def _remarked(indicator: Indicator, *remarks: str) -> Indicator:
    return replace(indicator, remarks=(*indicator.remarks, *remarks))
