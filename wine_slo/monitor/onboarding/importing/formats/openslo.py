"""OpenSLO's SLO in v1, v1alpha and v2alpha, with the SLIs and data sources that stand beside it.

Source: https://github.com/OpenSLO/OpenSLO
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from wine_slo.monitor.onboarding.importing.documents import Part, percent, ratio
from wine_slo.monitor.onboarding.importing.formats.openslo_window import Window, window
from wine_slo.monitor.onboarding.importing.promql.alert import conditions
from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import Binary, Expression, ExpressionError, Number, parse
from wine_slo.monitor.onboarding.importing.promql.recorded import Records
from wine_slo.monitor.onboarding.importing.remarks import CHANGED
from wine_slo.monitor.onboarding.importing.slo import Built, Slo, Terms, built, built_from

COUNTING = Counting(bare=True)
OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
PROMETHEUS = ("prometheus", "promql", "thanos", "mimir", "cortex", "victoriametrics", "grafana")


@dataclass(frozen=True, slots=True)
class Others:
    """What an SLO may refer to: documents by their kind and name, and recording rules."""

    parts: Mapping[tuple[str, str], Part]
    recorded: Records

    def named(self, kind: str, name: str) -> Part | None:
        """Return a document; None where it is in none of the files."""
        return self.parts.get((kind, name))


def reads(document: Part) -> bool:
    """Return whether a document is one of OpenSLO's."""
    return document.text("apiVersion").startswith("openslo")


def others(documents: Sequence[Part], recorded: Records) -> Others:
    """Return the documents that SLOs may refer to."""
    return Others(
        {(each.text("kind"), each.text("metadata", "name")): each for each in documents if reads(each)}, recorded
    )


def slos(document: Part, beside: Others) -> Iterator[Slo]:
    """Return the SLOs of a document: one for each of its objectives."""
    if document.text("kind") != "SLO":
        return
    spec, name = document.at("spec"), document.text("metadata", "name")
    objectives = list(spec.at("objectives").parts())
    if not objectives and spec.at("target").content is not None:  # as some write it, who have one objective only
        objectives = [spec]
    if not objectives:
        where = document.at("metadata", "name").where
        yield Slo(name, spec.text("service"), where, partial(_refuse, "has no objectives"))
    for number, objective in enumerate(objectives, start=1):
        shown = objective.text("displayName")
        found = window(spec if spec.first("timeWindow", "timeWindows").content is not None else objective)
        several = len(objectives) > 1
        title = document.text("metadata", "displayName")
        yield Slo(
            f"{name}-{shown or number}" if several else name,
            spec.text("service"),
            document.at("metadata", "name").where if not several else objective.where,
            partial(_build, spec, objective, beside, found),
            f"{title}: {shown or number}" if several and title else title,
            found.time_zone,
        )


def _refuse(reason: str) -> Sequence[Built]:
    raise ExpressionError(reason)


def _build(spec: Part, objective: Part, beside: Others, found: Window) -> Sequence[Built]:
    in_percent = objective.at("targetPercent")
    target, said = ratio(objective.at("target")) if in_percent.content is None else percent(in_percent)
    remarks = [*said, *found.remarks]
    method = spec.text("budgetingMethod")
    if method and method.lower() != "occurrences":
        slices = objective.text("timeSliceWindow") or objective.text("timeSliceTarget")
        remarks.append(
            f"{CHANGED}the budget counts events, not {method}{' of ' + slices if slices else ''}: "
            "a minute of full traffic weighs more than one of little"
        )
    if spec.at("alertPolicies").content:
        remarks.append("left out: its alertPolicies; the usual burn rates are alerted on")
    sli = _sli(spec, objective, beside)
    fields = {"window": found.text}
    threshold = sli.first("thresholdMetric")
    if threshold.content is not None:
        return _of_threshold(threshold, objective, beside, Terms(target, fields, remarks))
    terms = Terms(target, fields, remarks)
    events = sli.first("ratioMetric", "ratioMetrics")
    raw = events.at("raw")
    if raw.content is not None:
        is_bad = events.text("rawType") == "failure"
        return built(_query(raw, beside), terms, is_bad=is_bad, counting=COUNTING, recorded=beside.recorded)
    good, bad, total = events.at("good"), events.at("bad"), events.at("total")
    part = good if good.content is not None else bad
    if part.content is None or total.content is None:
        raise ExpressionError("has no thresholdMetric, and no ratioMetric with good or bad, and total")
    tree = Binary("/", _query(part, beside), _query(total, beside))
    return built(tree, terms, is_bad=good.content is None, counting=COUNTING, recorded=beside.recorded)


def _sli(spec: Part, objective: Part, beside: Others) -> Part:
    """Return what is measured, inline or by reference.

    Raises:
        ExpressionError: It refers to an SLI that is in none of the files.
    """
    for part in (objective, spec):
        if any(part.at(each).content is not None for each in ("ratioMetrics", "ratioMetric", "thresholdMetric")):
            return part
        reference = part.text("indicatorRef") or part.text("sliRef")
        if reference:
            document = beside.named("SLI", reference)
            if document is None:
                raise ExpressionError(f"refers to the SLI {reference}, which is in none of the files")
            return document.at("spec")
        inline = part.first("indicator", "sli")
        if inline.content is not None:
            return inline.at("spec") if inline.at("spec").content is not None else inline
    raise ExpressionError("has no indicator")


def _query(part: Part, beside: Others) -> Expression:
    """Return the expression of a metric.

    Raises:
        ExpressionError: It is not for Prometheus, or there is none.
    """
    metric = part.at("metricSource") if part.at("metricSource").content is not None else part
    source = metric.text("type") or part.text("source")
    reference = metric.text("metricSourceRef") or part.text("dataSourceRef")
    if not source and reference:
        document = beside.named("DataSource", reference)
        source = document.text("spec", "type") if document is not None else ""
    if source and not source.lower().startswith(PROMETHEUS):
        raise ExpressionError(f"is measured by {source}, not by Prometheus")
    spec = metric.at("spec") if metric.at("spec").content is not None else metric
    text = spec.first("query", "promql", "expr").text()
    if not text:
        raise ExpressionError("has no query")
    return parse(text)


def _of_threshold(threshold: Part, objective: Part, beside: Others, terms: Terms) -> Sequence[Built]:
    """Return a metric that is held to a threshold.

    Raises:
        ExpressionError: slo.yml cannot say it.
    """
    operator = OPERATORS.get(objective.text("op") or threshold.text("operator"))
    if operator is None:
        raise ExpressionError("has a thresholdMetric without the op lt, lte, gt or gte")
    value = objective.at("value") if objective.at("value").content is not None else threshold.at("threshold")
    good = Binary(operator, _query(threshold, beside), Number(float(value.number())))
    made = []
    for each in conditions(good, COUNTING, is_good=True):
        remarks = list(terms.remarks)
        share = each.objective
        if share is not None:
            remarks.append(
                f"{CHANGED}each request counts, of which {share:g} are to be good; before, {terms.objective:g} of the "
                "time had to be so"
            )
        made.append(built_from(each.indicator, Terms(share or terms.objective, terms.fields, remarks)))
    return made
