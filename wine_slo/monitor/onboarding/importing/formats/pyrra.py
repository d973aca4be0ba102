"""Pyrra's ServiceLevelObjective.

Source: https://github.com/pyrra-dev/pyrra, kubernetes/api/v1alpha1/servicelevelobjective_types.go
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from wine_slo.monitor.onboarding.importing.documents import Part, percent
from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import Binary, ExpressionError, Selector, parse
from wine_slo.monitor.onboarding.importing.promql.indicator import gauge, native
from wine_slo.monitor.onboarding.importing.slo import Built, Slo, Terms, built, built_from
from wine_slo.slo.span import parse_span

COUNTING = Counting(bare=True)


def reads(document: Part) -> bool:
    """Return whether a document is one of Pyrra's."""
    is_of_pyrra = document.text("kind") == "ServiceLevelObjective"
    return is_of_pyrra and document.at("spec", "indicator").content is not None


def slos(document: Part) -> Iterator[Slo]:
    """Return the SLO of a document."""
    name = document.at("metadata", "name")
    yield Slo(name.text(), document.text("metadata", "namespace"), name.where, partial(_build, document.at("spec")))


def _build(spec: Part) -> Sequence[Built]:
    indicator, part = _indicator(spec)
    by = part.at("grouping").strings() or spec.at("grouping").strings()
    fields: dict[str, object] = {"window": spec.text("window") or "30d"}
    if by:
        fields["by"] = by
    objective, remarks = percent(spec.at("target"))
    alerting = spec.at("alerting")
    if alerting.at("disabled").content is True or alerting.at("burnrates").content is False:
        fields["burns"] = []
        remarks.append("its alerts are disabled, so that no burn rate is alerted on; a breach still is")
    terms = Terms(objective, fields, remarks)
    match indicator:
        case "ratio":
            tree = Binary("/", _metric(part.at("errors")), _metric(part.at("total")))
            return built(tree, terms, is_bad=True, counting=COUNTING)
        case "latency":
            tree = Binary("/", _metric(part.at("success")), _metric(part.at("total")))
            return built(tree, terms, is_bad=False, counting=COUNTING)
        case "latencyNative":
            bound = Decimal(str(_span(part.at("latency")))).normalize()
            return [built_from(native(_metric(part.at("total")), float(bound)), terms)]
    return [built_from(gauge(_metric(part), "==", 1), terms)]


def _indicator(spec: Part) -> tuple[str, Part]:
    """Return the indicator's name and what it says.

    Raises:
        ExpressionError: There is none that is known.
    """
    for name in ("ratio", "latency", "latencyNative", "boolGauge", "bool_gauge"):
        part = spec.at("indicator", name)
        if part.content is not None:
            return name, part
    raise ExpressionError("has none of the indicators ratio, latency, latencyNative and bool_gauge")


def _span(part: Part) -> float:
    try:
        return parse_span(part.text()).total_seconds()
    except ValueError as error:
        raise ExpressionError(f"has the latency {part.text()!r}, which {error}") from error


def _metric(part: Part) -> Selector:
    """Return the series of a metric.

    Raises:
        ExpressionError: It is no selector.
    """
    tree = parse(part.text("metric"))
    if not isinstance(tree, Selector):
        raise ExpressionError(f"has an expression as its metric, where Pyrra wants a selector: {part.text('metric')}")
    return tree
