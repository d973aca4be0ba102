"""How many events an expression counts: selectors of counters, each with a factor.

A sum of rates, an increase, a difference and whatever keeps the number as it is come to the same: what is counted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from wine_slo.monitor.onboarding.importing.promql.expression import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Expression,
    ExpressionError,
    Matcher,
    Number,
    Selector,
)

Events = Mapping[Selector, float]
RATES = ("rate", "irate", "increase", "histogram_count")
HARMLESS = (
    "abs", "ceil", "clamp", "clamp_max", "clamp_min", "floor", "label_join", "label_replace", "round", "scalar", "sort",
    "sort_by_label", "sort_by_label_desc", "sort_desc", "vector",
)  # fmt: skip
OVER_TIME = ("avg_over_time", "sum_over_time", "last_over_time")
ADDED = ("sum", "avg", "max", "min")  # of one value that is left, these are the same
COUNTER = re.compile(r".*(_total|_count|_bucket|_sum)")
NO_COUNTER = re.compile(r":.*(rate|ratio|increase|burn)")  # how recorded series are named that are no counters
LITERAL = re.compile(r"[\w:.-]+(\|[\w:.-]+)*")
MOST_TERMS = 50
NOTHING = 1e-9  # a smaller count is a difference of floats


@dataclass(frozen=True, slots=True)
class Counting:
    """How bare selectors are read.

    Attributes:
        bare: A selector without a rate is a counter whatever its name is, as formats have it that name metrics only.
    """

    bare: bool

    def events(self, tree: Expression) -> Events:
        """Return what an expression counts.

        Raises:
            ExpressionError: It does not count events.
        """
        match tree:
            case Selector():
                found = self._of_selector(tree)
            case Call(name, (inner, *_)):
                found = self._of_call(name, inner)
            case Aggregate("sum", inner):
                found = self.events(inner)
            case Binary():
                found = self._of_binary(tree)
            case Number(0):
                found = {}
            case _:
                raise ExpressionError(f"is no count of events: {described(tree)}")
        if len(found) > MOST_TERMS:
            raise ExpressionError(f"adds up more than {MOST_TERMS} metrics")
        return merged(found)

    def _of_call(self, name: str, inner: Expression) -> Events:
        if name in RATES:
            return self._of_rate(name, inner)
        if name in (*HARMLESS, *OVER_TIME) and not _is_gauge(name, inner):
            return self.events(inner)
        raise ExpressionError(f"is no count of events: {name}(…)")

    def _of_binary(self, tree: Binary) -> Events:
        match tree:
            case Binary("or", left, right) if is_filler(right):
                return self.events(left)
            case Binary("+", left, right):
                return _added(self.events(left), self.events(right), 1)
            case Binary("-", left, right):
                return _added(self.events(left), self.events(right), -1)
            case Binary("*", left, Number(factor)) | Binary("*", Number(factor), left):
                return {each: count * factor for each, count in self.events(left).items()}
            case Binary("/", left, Number(divisor)) if divisor:
                return {each: count / divisor for each, count in self.events(left).items()}
            case Binary(">" | ">=" | "!=", left, Number(0)):
                return self.events(left)
        raise ExpressionError(f"is no count of events: {described(tree)}")

    def _of_rate(self, function: str, tree: Expression) -> Events:
        """Return what a rate of something counts."""
        match tree:
            case Selector():
                return dict.fromkeys(_named(tree), 1.0)
            case Call(name, (inner, *_)) if name in RATES and function == "histogram_count":
                return self._of_rate(name, inner)
            case Aggregate("sum", inner):
                return self._of_rate(function, inner)
        return self.events(tree)

    def _of_selector(self, selector: Selector) -> Events:
        if ":" in selector.metric and (not self.bare or NO_COUNTER.search(selector.metric)):
            raise ExpressionError(
                f"reads {selector.metric}, which a recording rule makes: import the file with that rule together"
            )
        if self.bare or COUNTER.fullmatch(selector.metric):
            return dict.fromkeys(_named(selector), 1.0)
        raise ExpressionError(f"reads {selector.metric or selector} as it is, which is no count of events")


def is_filler(tree: Expression) -> bool:
    """Return whether an expression only stands in where there is no series: a constant, or something times 0."""
    match tree:
        case Number() | Call("vector", (Number(),)):
            return True
        case Binary("*", _, Number(0)) | Binary("*", Number(0), _):
            return True
        case Call("absent", _):
            return True
    return False


def grouping(tree: Expression) -> tuple[str, ...]:
    """Return the labels that the outermost aggregation keeps, without those of a histogram's buckets."""
    match tree:
        case Aggregate(by=by, of=inner):
            return tuple(each for each in by if each not in ("le", "vmrange")) if by is not None else grouping(inner)
        case Binary(left=left, right=right):
            return grouping(left) or grouping(right)
        case Call(arguments=arguments):
            return next(filter(None, map(grouping, arguments)), ())
    return ()


def aggregates(tree: Expression) -> bool:
    """Return whether an expression puts series together anywhere."""
    match tree:
        case Aggregate():
            return True
        case Binary(left=left, right=right):
            return aggregates(left) or aggregates(right)
        case Call(arguments=arguments):
            return any(map(aggregates, arguments))
    return False


def selectors(tree: Expression) -> Sequence[Selector]:
    """Return all selectors of an expression, from left to right."""
    match tree:
        case Selector():
            return [tree]
        case Aggregate(of=inner):
            return selectors(inner)
        case Binary(left=left, right=right):
            return [*selectors(left), *selectors(right)]
        case Call(arguments=arguments):
            return [each for argument in arguments for each in selectors(argument)]
    return []


def merged(events: Events) -> Events:
    """Return events with selectors of opposite matchers put together, and without what cancels out."""
    same: dict[tuple[str, frozenset[Matcher]], Selector] = {}
    sums: dict[Selector, float] = {}
    for each, count in events.items():
        first = same.setdefault((each.metric, frozenset(each.matchers)), each)
        sums[first] = sums.get(first, 0) + count
    terms = {each: count for each, count in sums.items() if abs(count) > NOTHING}
    for (one, count), (other, other_count) in combinations(terms.items(), 2):
        whole = _whole(one, other)
        if whole is not None and abs(count - other_count) < NOTHING:
            rest = {each: number for each, number in terms.items() if each not in (one, other)}
            return merged(_added(rest, {whole: count}, 1))
    return terms


def described(tree: Expression) -> str:
    """Return in words what an expression does, for a sentence."""
    match tree:
        case Call(name, _):
            return f"{name}(…)"
        case Aggregate(name, _):
            return f"{name}(…)"
        case Binary(operator, _, _) if operator in COMPARISONS:
            return f"a comparison by {operator}"
        case Binary(operator, _, _):
            return f"an expression with {operator}"
        case Number(value):
            return f"the number {value:g}"
    return str(tree)


def _is_gauge(function: str, inner: Expression) -> bool:
    """Return whether a function over time sums up values of a gauge."""
    return function in ("avg_over_time", "sum_over_time") and isinstance(inner, Selector)


def _named(selector: Selector) -> Sequence[Selector]:
    """Return a selector for each name that a regular expression of names allows; le="+Inf" is the count."""
    names = selector.matcher("__name__")
    if names is not None and names.operator == "=~" and LITERAL.fullmatch(names.value):
        rest = selector.without("__name__")
        return [each for name in names.value.split("|") for each in _named(rest.of(name))]
    bound = selector.matcher("le")
    if bound == Matcher("le", "=", "+Inf") and selector.metric.endswith("_bucket"):
        return [selector.without("le").of(f"{selector.metric.removesuffix('_bucket')}_count")]
    return [selector]


def _added(first: Events, second: Events, sign: float) -> Events:
    total = dict(first)
    for each, count in second.items():
        total[each] = total.get(each, 0) + sign * count
    return total


def _whole(first: Selector, second: Selector) -> Selector | None:
    """Return what two selectors are together where one has exactly what the other has not."""
    ours, theirs = set(first.matchers) - set(second.matchers), set(second.matchers) - set(first.matchers)
    if first.metric != second.metric or len(ours) != 1 or len(theirs) != 1:
        return None
    (one,), (other,) = ours, theirs
    opposite = {"=": "!=", "!=": "=", "=~": "!~", "!~": "=~"}[one.operator]
    if replace(one, operator=opposite) != other:
        return None
    return Selector(first.metric, tuple(each for each in first.matchers if each != one))
