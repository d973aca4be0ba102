"""Google's slo-generator with the backend Prometheus, and Globo's slo-generator.

Source: https://github.com/google/slo-generator, https://github.com/globocom/slo-generator
"""

from collections.abc import Iterator, Sequence
from functools import partial

from wine_slo.monitor.onboarding.importing.documents import Part, percent, ratio
from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import (
    Binary,
    Expression,
    ExpressionError,
    Matcher,
    Selector,
    parse,
)
from wine_slo.monitor.onboarding.importing.promql.indicator import plain
from wine_slo.monitor.onboarding.importing.slo import Built, Slo, Terms, built

COUNTING = Counting(bare=True)


def reads(document: Part) -> bool:
    """Return whether a document is one of Google's slo-generator."""
    spec = document.at("spec", "service_level_indicator").content is not None
    return spec or (document.at("backend").content is not None and document.at("slo_name").content is not None)


def slos(document: Part) -> Iterator[Slo]:
    """Return the SLO of a document, in the form of v2 or v1."""
    name = document.at("metadata", "name")
    if name.content is not None:
        labels = document.at("metadata", "labels")
        build = partial(_build, document.at("spec"))
        yield Slo(name.text(), labels.text("service_name"), name.where, build)
        return
    parts = [document.text(each) for each in ("service_name", "feature_name", "slo_name")]
    build = partial(_build_of_v1, document)
    yield Slo("-".join(filter(None, parts)), parts[0], document.at("slo_name").where, build)


def _build(spec: Part) -> Sequence[Built]:
    backend, goal = spec.text("backend"), spec.at("goal")
    return _built(backend, spec.text("method"), spec.at("service_level_indicator"), goal)


def _build_of_v1(document: Part) -> Sequence[Built]:
    backend = document.at("backend")
    return _built(backend.text("class"), backend.text("method"), backend.at("measurement"), document.at("slo_target"))


def _built(backend: str, method: str, sli: Part, goal: Part) -> Sequence[Built]:
    if not backend.lower().startswith("prometheus"):
        raise ExpressionError(f"is measured by {backend or 'another backend'}, not by Prometheus")
    tree, is_bad = _share(method, sli)
    objective, remarks = ratio(goal)
    return built(tree, Terms(objective, remarks=remarks), is_bad=is_bad, counting=COUNTING)


def _share(method: str, sli: Part) -> tuple[Expression, bool]:
    """Return the share that a method measures, and whether it is that of bad events.

    Raises:
        ExpressionError: It measures none.
    """
    expression = sli.text("expression")
    if method == "distribution_cut":
        buckets = parse(expression)
        if not isinstance(buckets, Selector) or not buckets.metric.endswith("_bucket"):
            raise ExpressionError("is cut from something that is not the buckets of a histogram")
        bound = Matcher("le", "=", plain(sli.at("threshold_bucket").number()))
        total = buckets.of(f"{buckets.metric.removesuffix('_bucket')}_count")
        return Binary("/", Selector(buckets.metric, (*buckets.matchers, bound)), total), False
    if method == "query_sli" and expression:
        return parse(expression), False
    good, bad, valid = (sli.text(f"filter_{each}") for each in ("good", "bad", "valid"))
    if good and (valid or bad):
        return Binary("/", parse(good), parse(valid) if valid else Binary("+", parse(good), parse(bad))), False
    if bad and valid:
        return Binary("/", parse(bad), parse(valid)), True
    raise ExpressionError(f"is measured by the method {method or 'none'}, with nothing that can be read")


def reads_globo(document: Part) -> bool:
    """Return whether a document is one of Globo's slo-generator."""
    return any(
        part.at(each).content is not None
        for part in document.at("slos").parts()
        for each in ("errorRateRecord", "latencyRecord")
    )


def globo_slos(document: Part) -> Iterator[Slo]:
    """Return the SLOs of a document: its availability, and a latency for each bound."""
    for part in document.at("slos").parts():
        name, objectives = part.text("name"), part.at("objectives")
        available = objectives.at("availability")
        if available.content is None:
            available = part.at("availabilityObjectivePercent")
        if available.content is not None:
            yield Slo(f"{name}-availability", "", available.where, partial(_availability, part, available))
        latencies = objectives.at("latency")
        if latencies.content is None:
            latencies = part.at("latencyObjectiveBuckets")
        for latency in latencies.parts():
            bound = latency.text("le")
            yield Slo(f"{name}-latency-{bound}", "", latency.where, partial(_latency, part, latency))


def _availability(part: Part, target: Part) -> Sequence[Built]:
    tree = parse(part.text("errorRateRecord", "expr"))
    objective, remarks = percent(target)
    return built(tree, Terms(objective, remarks=remarks), is_bad=True, counting=COUNTING)


def _latency(part: Part, latency: Part) -> Sequence[Built]:
    text = part.text("latencyRecord", "expr").replace("$le", f"{latency.at('le').number():f}")
    objective, remarks = percent(latency.at("target"))
    return built(parse(text), Terms(objective, remarks=remarks), is_bad=False, counting=COUNTING)
