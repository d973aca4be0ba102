"""Sloth's `prometheus/v1` and its Kubernetes resource.

Source: https://sloth.dev/specs/default/ and https://sloth.dev/specs/kubernetes/
"""

from collections.abc import Iterator, Sequence
from functools import partial

from wine_slo.monitor.onboarding.importing.documents import Part, percent
from wine_slo.monitor.onboarding.importing.formats import sloth_plugins
from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import Binary, Expression, ExpressionError, parse
from wine_slo.monitor.onboarding.importing.promql.recorded import Records
from wine_slo.monitor.onboarding.importing.slo import Built, Slo, Terms, built

COUNTING = Counting(bare=False)


def reads(document: Part) -> bool:
    """Return whether a document is one of Sloth's."""
    return document.text("version") == "prometheus/v1" or document.text("kind") == "PrometheusServiceLevel"


def slos(document: Part, recorded: Records) -> Iterator[Slo]:
    """Return the SLOs of a document."""
    spec = document.at("spec") if document.at("spec").content is not None else document
    chain = spec.first("slo_plugins", "sloPlugins").at("chain")
    for part in spec.at("slos").parts():
        yield Slo(part.text("name"), spec.text("service"), part.where, partial(_build, part, chain, recorded))


def _build(part: Part, chain: Part, recorded: Records) -> Sequence[Built]:
    objective, said = percent(part.at("objective"))
    fields, remarks = _alerting(part, chain)
    terms = Terms(objective, fields, [*said, *remarks])
    return built(_error_ratio(part.at("sli")), terms, is_bad=True, counting=COUNTING, recorded=recorded)


def _error_ratio(sli: Part) -> Expression:
    """Return the share of bad events.

    Raises:
        ExpressionError: It is not said, or not known here.
    """
    events, raw, plugin = sli.at("events"), sli.at("raw"), sli.at("plugin")
    if events.content is not None:
        bad, total = (events.first(f"{name}_query", f"{name}Query").text() for name in ("error", "total"))
        if not bad or not total:
            raise ExpressionError("has no error_query and total_query")
        return Binary("/", parse(bad), parse(total))
    if raw.content is not None:
        return parse(raw.first("error_ratio_query", "errorRatioQuery").text())
    if plugin.content is not None:
        return parse(sloth_plugins.error_ratio(plugin))
    raise ExpressionError("has no sli of events, raw or plugin")


def _alerting(part: Part, chain: Part) -> tuple[dict[str, list[object]], list[str]]:
    """Return what alerting means for slo.yml, and remarks on it."""
    alerting = part.at("alerting")
    is_off = [
        alerting.first(f"{name}_alert", f"{name}Alert").at("disable").content is True for name in ("page", "ticket")
    ]
    remarks = []
    if all(is_off):
        remarks.append("its alerts are disabled, so that no burn rate is alerted on; a breach still is")
    elif any(is_off):
        remarks.append(f"its {'page' if is_off[0] else 'ticket'} alert is disabled there, which is not taken over")
    plugins = [each.text("id") for one in (chain, part.at("plugins", "chain")) for each in one.parts()]
    rules = [each for each in dict.fromkeys(plugins) if each]
    if rules:
        remarks.append(f"left out: what Sloth makes of rules by {', '.join(rules)}")
    return {"burns": []} if all(is_off) else {}, remarks
