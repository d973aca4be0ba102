"""One SLO of another tool, and what it becomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import Expression
from wine_slo.monitor.onboarding.importing.promql.indicator import Indicator, indicators
from wine_slo.monitor.onboarding.importing.promql.recorded import Records, resolved
from wine_slo.monitor.onboarding.importing.promql.share import share, unguarded
from wine_slo.monitor.onboarding.importing.targets import targets

ORDER = (
    "kind", "objective", "window", "job", "up", "histogram", "native", "unit", "threshold", "selector",
    "success_selector", "good", "bad", "total", "by", "bad_for", "burns",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    """An objective as slo.yml has it, but for its name.

    Attributes:
        suffix: Distinguishes the objectives that one SLO becomes.
        remarks: What was changed or left out, and why.
    """

    fields: Mapping[str, Any]
    remarks: Sequence[str] = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Slo:
    """An SLO as it was found.

    Attributes:
        owner: The service that it is of; part of the name where two SLOs have the same.
        where: File and line.
        build: Makes objectives of it; raises an `ExpressionError` with the reason why it cannot.
        title: What messages call it; empty where the name does.
        time_zone: Of its calendar window; empty without one.
    """

    name: str
    owner: str
    where: str
    build: Callable[[], Sequence[Built]]
    title: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an SLO says beside what it counts."""

    objective: float
    fields: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()


def built(
    tree: Expression, terms: Terms, *, is_bad: bool, counting: Counting, recorded: Records = MappingProxyType({})
) -> list[Built]:
    """Return what an expression of the share of bad or of good events becomes.

    Args:
        tree: The expression.
        terms: What else is said.
        is_bad: It is the share of bad events.
        counting: How bare selectors are read.
        recorded: What makes the series that it reads.

    Raises:
        ExpressionError: slo.yml cannot say it.
    """
    tree, remarks = unguarded(tree)
    terms = replace(terms, remarks=[*remarks, *terms.remarks])
    return [
        built_from(each.named(one.suffix), terms)
        for one in resolved(tree, recorded)
        for each in indicators(share(one.tree, counting), is_bad=is_bad)
    ]


def built_from(indicator: Indicator, terms: Terms) -> Built:
    """Return what an indicator becomes."""
    found = targets(indicator.selectors, are_up=indicator.fields["kind"] == "up")
    fields = {**indicator.fields, "objective": terms.objective, **found, **terms.fields}
    if "job" in found and "selector" in fields:  # a latency is of its job alone in any case
        selector = indicator.selectors[0].without("job", "le").inside
        fields = {**fields, "selector": selector} if selector else {k: v for k, v in fields.items() if k != "selector"}
    return Built(
        {name: fields[name] for name in ORDER if name in fields},
        list(dict.fromkeys([*indicator.remarks, *terms.remarks])),
        indicator.suffix,
    )
