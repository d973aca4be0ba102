"""PromQL as a tree of ours; the only door to the parser.

Ranges are dropped on purpose: slo.yml is judged over ranges of its own, so two expressions that differ by them alone
are equal here.
"""

import re
from dataclasses import dataclass
from typing import Any

import promql_parser as parser

from wine_slo.slo.objectives.selector import quoted

LONGEST = 20_000  # letters
MOST_SIGNS = 1000  # operators and brackets; the parser overflows its stack at some 5,000 that are nested
DEEPEST = 60
_STRING = r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)"""
_RANGE_OR_STRING = re.compile(rf"{_STRING}|\[(?P<range>[^\]]*)\]", re.DOTALL)
_DURATION = re.compile(r"\s*(\d+(ms|[smhdwy]))*\s*")
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\$\{?\w+\}?", re.DOTALL)
_SIGN = re.compile(r"[-+*/%^(<>=!]|\b(?:and|or|unless)\b", re.IGNORECASE)
_GROUP = re.compile(r"\$\d+|\$\{\d+\}")  # what label_replace refers to


_OPERATORS = [
    (parser.MatchOp.Equal, "="),
    (parser.MatchOp.NotEqual, "!="),
    (parser.MatchOp.Re, "=~"),
    (parser.MatchOp.NotRe, "!~"),
]


class ExpressionError(Exception):
    """An expression cannot be taken over; the sentence says why, and goes on after "it"."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label matcher."""

    name: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Return it as PromQL has it."""
        name = self.name if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", self.name) else quoted(self.name)
        return f"{name}{self.operator}{quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of a metric; its name is empty where matchers alone select it."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        """Return it as PromQL has it."""
        if not self.metric or re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", self.metric):
            return f"{self.metric}{{{self.inside}}}" if self.matchers or not self.metric else self.metric
        return f"{{{', '.join([quoted(self.metric), *map(str, self.matchers)])}}}"

    @property
    def inside(self) -> str:
        """Return what stands between its braces."""
        return ", ".join(map(str, self.matchers))

    def matcher(self, name: str) -> Matcher | None:
        """Return its first matcher of a label."""
        return next((each for each in self.matchers if each.name == name), None)

    def without(self, *names: str) -> "Selector":
        """Return it without its matchers of some labels."""
        return Selector(self.metric, tuple(each for each in self.matchers if each.name not in names))

    def of(self, metric: str) -> "Selector":
        """Return the same matchers of another metric."""
        return Selector(metric, self.matchers)


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text, such as label_replace takes."""

    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of something, over a range or not."""

    function: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation; `by` is None where it keeps no labels or names those it drops."""

    operator: str
    of: "Expression"
    by: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Binary:
    """Two expressions and what is between them; a comparison with `bool` gives 0 and 1."""

    operator: str
    left: "Expression"
    right: "Expression"
    is_bool: bool = False


Expression = Selector | Number | Text | Call | Aggregate | Binary


COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
MIRRORED = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def parse(text: str) -> Expression:
    """Return the tree of an expression; a placeholder of a range, such as `[{{.window}}]`, counts as a range.

    Raises:
        ExpressionError: It cannot be read.
    """
    if len(text) > LONGEST or len(_SIGN.findall(text)) > MOST_SIGNS:
        raise ExpressionError(f"has an expression of more than {LONGEST:,} letters or {MOST_SIGNS:,} signs")
    filled = _RANGE_OR_STRING.sub(_with_range, text)
    if found := _PLACEHOLDER.search(_GROUP.sub("", filled)):
        raise ExpressionError(f"holds the placeholder {found[0]}, which has to be filled in first")
    try:
        tree = parser.parse(filled)
    except ValueError as error:
        raise ExpressionError(_reason(str(error).splitlines()[0])) from error
    return _tree(tree, DEEPEST)


def _with_range(found: re.Match[str]) -> str:
    if found["string"]:
        return found[0]
    parts = found["range"].rsplit(":", 1)
    if _DURATION.fullmatch(parts[0]) and parts[0].strip():
        return found[0] if _DURATION.fullmatch(parts[-1]) else f"[{parts[0]}:]"
    return "[5m:]" if len(parts) == 2 else "[5m]"


def _tree(node: Any, depth: int) -> Expression:
    """Return a tree of the parser as one of ours.

    Raises:
        ExpressionError: It is nested too deeply.
    """
    if depth == 0:
        raise ExpressionError(f"has an expression that is nested more than {DEEPEST} deep")
    below = depth - 1
    match node:
        case parser.ParenExpr():
            return _tree(node.expr, below)
        case parser.SubqueryExpr():
            _refuse_shift(node)
            return _tree(node.expr, below)
        case parser.UnaryExpr():
            inner = _tree(node.expr, below)
            return Number(-inner.value) if isinstance(inner, Number) else Binary("-", Number(0), inner)
        case parser.Call():
            return Call(node.func.name, tuple(_tree(each, below) for each in node.args))
        case parser.AggregateExpr():
            return _aggregate(node, below)
        case parser.BinaryExpr():
            is_bool = node.modifier is not None and node.modifier.return_bool
            return Binary(str(node.op), _tree(node.lhs, below), _tree(node.rhs, below), is_bool)
    return _leaf(node)


def _aggregate(node: parser.AggregateExpr, depth: int) -> Aggregate:
    by = None
    if node.modifier is not None and node.modifier.type == parser.AggModifierType.By:
        by = tuple(node.modifier.labels)
    return Aggregate(str(node.op), _tree(node.expr, depth), by)


def _leaf(node: Any) -> Expression:
    match node:
        case parser.NumberLiteral():
            return Number(node.val)
        case parser.StringLiteral():
            return Text(node.val)
        case parser.MatrixSelector():
            return _selector(node.vector_selector)
    return _selector(node)


def _refuse_shift(node: Any) -> None:
    if node.offset is not None or node.at is not None:
        raise ExpressionError("compares with another time, by `offset` or `@`")


def _selector(node: Any) -> Selector:
    _refuse_shift(node)
    if node.matchers.or_matchers:
        raise ExpressionError("selects series by an `or` between matchers, which Prometheus does not know")
    matchers = []
    metric = node.name or ""
    for each in node.matchers.matchers:
        operator = next(text for operator, text in _OPERATORS if operator == each.op)
        if each.name == "__name__" and operator == "=" and not metric:
            metric = each.value
        else:
            matchers.append(Matcher(each.name, operator, each.value))
    return Selector(metric, tuple(dict.fromkeys(matchers)))


def _reason(complaint: str) -> str:
    """Return why the parser takes an expression for none."""
    unknown = re.search(r"unknown function with name '(\w+)'", complaint)
    if unknown:
        return f"uses {unknown[1]}(…), which Prometheus does not know"
    return f"has an expression that is no PromQL: {complaint}"
