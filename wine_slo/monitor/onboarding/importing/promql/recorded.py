"""Recording rules, put in the place of the series that they make."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wine_slo.monitor.onboarding.importing.promql.events import selectors
from wine_slo.monitor.onboarding.importing.promql.expression import (
    Aggregate,
    Binary,
    Call,
    Expression,
    ExpressionError,
    Matcher,
    Selector,
)
from wine_slo.slo.objectives.expression import matches_all

DEEPEST = 5  # rules that read what others make
MOST = 20  # sets of labels of one rule
MOST_SERIES = 200  # selectors of one expression
RANGE = re.compile(r"(\d+(ms|[smhdwy]))+")  # a label that names the range of a rate


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule."""

    name: str
    labels: Mapping[str, str]
    tree: Expression

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """Return the labels by which it differs from others of its name, without the range of its rates."""
        return tuple(sorted(each for each in self.labels.items() if not RANGE.fullmatch(each[1])))


Records = Mapping[str, Sequence[Record]]  # by the names of the series that they make


@dataclass(frozen=True, slots=True)
class Resolved:
    """An expression of raw series, and the values of labels by which it differs from others that one became."""

    tree: Expression
    suffix: str = ""


def resolved(tree: Expression, records: Records) -> list[Resolved]:
    """Return an expression with what makes the series that it reads; one for each set of labels they are made with.

    Raises:
        ExpressionError: Rules read each other in circles.
    """
    for _ in range(DEEPEST):
        first = next((each for each in selectors(tree) if each.metric in records), None)
        if first is None:
            return [Resolved(tree)]
        variants = list(dict.fromkeys(each.kept for each in _fitting(first, records)))
        if len(variants) > MOST or len(selectors(tree)) > MOST_SERIES:
            raise ExpressionError("reads more recording rules than one objective can be made of")
        if len(variants) > 1:
            return [
                replace(one, suffix="-".join(filter(None, [_different(labels, variants), one.suffix])))
                for labels in variants
                for one in resolved(_filled(tree, records, labels), records)
            ]
        tree = _filled(tree, records, variants[0] if variants else ())
    raise ExpressionError("reads recording rules that read each other")


def _different(labels: tuple[tuple[str, str], ...], variants: Sequence[tuple[tuple[str, str], ...]]) -> str:
    """Return the values of labels that not all variants have."""
    return "-".join(value for name, value in labels if any((name, value) not in each for each in variants))


def _filled(tree: Expression, records: Records, labels: tuple[tuple[str, str], ...]) -> Expression:
    """Return an expression in which each recorded series, of these labels, is what makes it."""
    match tree:
        case Selector() if tree.metric in records:
            fitting = _fitting(tree, records)
            record = next((each for each in fitting if each.kept == labels), fitting[0])
            rest = [each for each in tree.matchers if each.name not in record.labels]
            return _narrowed(record.tree, rest)
        case Binary():
            return replace(tree, left=_filled(tree.left, records, labels), right=_filled(tree.right, records, labels))
        case Aggregate():
            return replace(tree, of=_filled(tree.of, records, labels))
        case Call():
            return replace(tree, arguments=tuple(_filled(each, records, labels) for each in tree.arguments))
    return tree


def _fitting(selector: Selector, records: Records) -> list[Record]:
    """Return the rules that make what a selector selects.

    Raises:
        ExpressionError: None does.
    """
    found = [
        each
        for each in records[selector.metric]
        if all(_matches(one, each.labels[one.name]) for one in selector.matchers if one.name in each.labels)
    ]
    if not found:
        raise ExpressionError(f"reads {selector}, which none of the recording rules of that name makes")
    return found


def _narrowed(tree: Expression, matchers: Sequence[Matcher]) -> Expression:
    """Return an expression all of whose selectors have more matchers."""
    match tree:
        case Selector():
            new = [each for each in matchers if each not in tree.matchers]
            return replace(tree, matchers=(*tree.matchers, *new))
        case Binary():
            return replace(tree, left=_narrowed(tree.left, matchers), right=_narrowed(tree.right, matchers))
        case Aggregate():
            return replace(tree, of=_narrowed(tree.of, matchers))
        case Call():
            return replace(tree, arguments=tuple(_narrowed(each, matchers) for each in tree.arguments))
    return tree


def _matches(matcher: Matcher, value: str) -> bool:
    is_equal = matcher.value == value if matcher.operator in ("=", "!=") else matches_all(matcher.value, value)
    return is_equal is None or is_equal == (matcher.operator in ("=", "=~"))
