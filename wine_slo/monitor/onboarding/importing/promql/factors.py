"""The numbers in an expression: what it comes to, and by what it is multiplied."""

from dataclasses import replace

from wine_slo.monitor.onboarding.importing.promql.expression import Aggregate, Binary, Call, Expression, Number


def constant(tree: Expression) -> float | None:
    """Return the number that an expression is; None where it is none."""
    match tree:
        case Number(value):
            return value
        case Call("vector" | "scalar", (inner,)):
            return constant(inner)
        case Binary(operator, left, right) if operator in "+-*/":
            first, second = constant(left), constant(right)
            if first is None or second is None or (operator == "/" and second == 0):
                return None
            results = {"+": first + second, "-": first - second, "*": first * second}
            return round(results[operator] if operator in results else first / second, 12)
    return None


def scaled(tree: Expression) -> tuple[float, Expression]:
    """Return the constant by which an expression is multiplied, not 0, and the expression without it."""
    match tree:
        case Binary("*", left, right) if constant(left):
            return _times(constant(left), right)
        case Binary("*", left, right) if constant(right):
            return _times(constant(right), left)
        case Binary("/", left, right) if number := constant(right):
            return _times(1 / number, left)
        case Binary("/", left, right):
            (above, part), (below, total) = scaled(left), scaled(right)
            return above / below, Binary("/", part, total)
        case Binary("-", Number(whole), right) if whole and scaled(right)[0] == whole:
            return whole, Binary("-", Number(1), scaled(right)[1])
        case Aggregate("sum" | "avg" | "max" | "min", inner):
            factor, rest = scaled(inner)
            return factor, replace(tree, of=rest)
        case Call("round" | "abs" | "clamp_max" | "clamp_min" | "sort" | "sort_desc", (inner, *_)):
            return scaled(inner)
    return 1, tree


def _times(number: float | None, tree: Expression) -> tuple[float, Expression]:
    factor, inner = scaled(tree)
    return factor * (number or 1), inner
