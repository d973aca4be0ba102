"""Prometheus alerting rules: files of groups, PrometheusRule resources, and the bare lists of jsonnet libraries.

Alerts on the same share, over other ranges or at other burn rates, are one objective.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from wine_slo.monitor.onboarding.importing.documents import Part
from wine_slo.monitor.onboarding.importing.promql.alert import Condition, conditions
from wine_slo.monitor.onboarding.importing.promql.events import Counting, selectors
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError, Selector, parse
from wine_slo.monitor.onboarding.importing.promql.recorded import Record, Records, resolved
from wine_slo.monitor.onboarding.importing.slo import Built, Slo, Terms, built_from
from wine_slo.slo.span import parse_span

MOST_PLACES = 3  # of alerts in several files that a sentence names
COUNTING = Counting(bare=False)
USUAL_OBJECTIVE = 0.99  # for what an alert only says that it must not be
OF_INSTANCES = "each instance is judged by itself; where one has several of these series, write their labels into `by`"
NO_OBJECTIVE = f"the alert says no objective: {USUAL_OBJECTIVE:g} stands here until you write yours"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule."""

    part: Part
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one alert is about."""

    alert: Alert
    condition: Condition


def reads(document: Part) -> bool:
    """Return whether a document holds rules."""
    return any(True for _ in _rules(document))


def records(documents: Sequence[Part]) -> Records:
    """Return the recording rules of all documents by their names; those that cannot be read are left out."""
    found: dict[str, list[Record]] = defaultdict(list)
    for document in documents:
        for part in _rules(document):
            name = part.text("record")
            if name:
                labels = part.at("labels").content
                try:
                    tree = parse(part.text("expr"))
                except ExpressionError:
                    continue
                known = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
                found[name].append(Record(name, known, tree))
    return found


def slos(documents: Sequence[Part], recorded: Records) -> Iterator[Slo]:
    """Return an SLO for each thing that alerts are about, and one for each alert that cannot be taken over."""
    groups: dict[str, list[Found]] = {}
    order: list[tuple[Alert, str | ExpressionError]] = []
    for alert in _alerts(documents):
        try:
            found = [Found(alert, each) for each in _conditions(alert, recorded)]
        except ExpressionError as error:
            order.append((alert, error))
            continue
        for each in found:
            key = _key(each.condition)
            if key not in groups:
                order.append((alert, key))
            groups.setdefault(key, []).append(each)
    often = Counter(name for name, _ in {(alert.name, alert.part.where) for alert, _ in order})
    for alert, key_or_error in order:
        if isinstance(key_or_error, ExpressionError):
            yield Slo(alert.name, "", alert.part.where, partial(_refuse, key_or_error))
        else:
            yield from _of_group(groups[key_or_error], is_one_of_several=often[alert.name] > 1)


def _rules(document: Part) -> Iterator[Part]:
    """Return the rules of a document, wherever it has them."""
    spec = document.at("spec") if document.text("kind") == "PrometheusRule" else document
    for group in spec.at("groups").parts():
        yield from group.at("rules").parts()
    for name in ("alerts", "recordingrule", "rules"):
        for part in document.at(name).parts():
            if "expr" in part.content:
                yield part
    if "expr" in document.content and document.at("expr").content:
        yield document


def _alerts(documents: Sequence[Part]) -> Iterator[Alert]:
    for document in documents:
        for part in _rules(document):
            if not part.text("record") and (part.text("alert") or part.text("expr")):
                yield Alert(part, part.text("alert") or _metric(part.text("expr")))


def _metric(text: str) -> str:
    """Return the first metric of an expression, for an alert without a name."""
    try:
        return next((each.metric for each in selectors(parse(text)) if each.metric), "alert")
    except ExpressionError:
        return "alert"


def _conditions(alert: Alert, recorded: Records) -> list[Condition]:
    text = alert.part.text("expr")
    if not text:
        raise ExpressionError("has no expression")
    return [
        replace(each, indicator=each.indicator.named(one.suffix))
        for one in resolved(parse(text), recorded)
        for each in conditions(one.tree, COUNTING)
    ]


def _key(condition: Condition) -> str:
    """Return what is the same for all conditions of one thing."""
    return json.dumps([dict(condition.indicator.fields), list(map(str, condition.indicator.selectors)), condition.by])


def _of_group(group: Sequence[Found], *, is_one_of_several: bool) -> Iterator[Slo]:
    """Return the SLO of alerts on one thing; one for each threshold where no budget is said.

    Args:
        group: What the alerts are about.
        is_one_of_several: Others have its name, so that its severity is a part of it.
    """
    budgets = list(dict.fromkeys(each.condition.objective for each in group if each.condition.is_budget))
    objectives = budgets or list(dict.fromkeys(each.condition.objective for each in group))
    for objective in objectives:
        of_it = group if budgets else [each for each in group if each.condition.objective == objective]
        first = of_it[0]
        severity = first.alert.part.text("labels", "severity")
        name = (
            f"{first.alert.name}-{severity}"
            if (len(objectives) > 1 or is_one_of_several) and severity
            else first.alert.name
        )
        yield Slo(name, "", first.alert.part.where, partial(_build, of_it, objective))


def _build(group: Sequence[Found], objective: float | None) -> Sequence[Built]:
    first = group[0]
    condition = first.condition
    fields: dict[str, object] = {}
    remarks = []
    lines = list(dict.fromkeys(each.alert.part.where for each in group))
    if len(lines) > 1:
        remarks.append(f"one objective for {len(lines)} alerts: {_listed(lines)}")
    by = _by(condition)
    if by:
        fields["by"] = list(by)
    if condition.indicator.fields["kind"] == "gauge" and condition.is_of_each and not condition.by:
        remarks.append(OF_INSTANCES)
    long = first.alert.part.text("for")
    if objective is None:
        remarks.append(NO_OBJECTIVE)
        fields |= _bad_for(long)
    if long and "bad_for" not in fields:
        remarks.append(f"left out: `for: {long}`; the usual `bad_for` holds instead")
    made = built_from(condition.indicator, Terms(objective or USUAL_OBJECTIVE, fields, remarks))
    return [replace(made, suffix=condition.indicator.suffix)]


def _listed(places: Sequence[str]) -> str:
    """Return places in a sentence: their lines alone where all are in one file."""
    files = {each.rsplit(":", 1)[0] for each in places}
    if len(files) > 1:
        others = f" and {len(places) - MOST_PLACES} others" if len(places) > MOST_PLACES else ""
        return f"{', '.join(places[:MOST_PLACES])}{others}"
    return f"lines {', '.join(each.rsplit(':', 1)[1] for each in places)}"


def _by(condition: Condition) -> tuple[str, ...]:
    """Return the labels by which an objective has a state for each set: those of the alert; each series of a gauge."""
    if condition.by:
        return tuple(each for each in condition.by if not _is_fixed(each, condition.indicator.selectors))
    return ("instance",) if condition.is_of_each and condition.indicator.fields["kind"] in ("up", "gauge") else ()


def _is_fixed(label: str, series: Sequence[Selector]) -> bool:
    """Return whether a label has one value in all series, or is what distinguishes bad events from others."""
    found = {each.matcher(label) for each in series}
    only = next(iter(found))
    return len(found) > 1 or (only is not None and only.operator == "=")


def _bad_for(text: str) -> dict[str, object]:
    """Return for how long a gauge has to be bad, as the alert's `for` says where that is long."""
    try:
        long = parse_span(text).total_seconds() > 60 if text else False
    except ValueError:
        long = False
    return {"bad_for": text} if long else {}


def _refuse(error: ExpressionError) -> Sequence[Built]:
    raise error
