"""What can be wrong with a dashboard that nobody has opened yet, as sentences; none where all is well."""

import enum
import json
import re
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any

import promql_parser as promql
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import units

from tests.repo.dashboards.grafana import VARIABLE, Json, annotations, expressions, name_of, panels, variables
from wine_slo import metric_names

register_default_plugins()

SCHEMA_VERSION = 42  # of Grafana 12.3 to 13.2
COLUMNS = 24
TAG = "wine-slo"
PANELS = {"bargauge", "heatmap", "state-timeline", "stat", "table", "timeseries"}
TRANSFORMATIONS = {"merge", "organize"}
MATCHERS = {"byName", "byRegexp"}
OWN_VARIABLES = {"__rate_interval", "__interval", "__range", "__url_time_range", "__all_variables", "__all", "__field"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
COUNTERS = ("_total", "_bucket", "_sum", "_count")
KEEPS_TIME = "${__url_time_range}"
SPANS = {"__rate_interval": "5m", "__interval": "1m", "__range": "1h"}
RATES = {"rate", "irate"}
COUNTS = RATES | {"increase"}
JOBS = {"<job>", "<watchdog>", "<job>|<watchdog>"}
# What Prometheus and prometheus_client say of every target.
ABOUT_TARGETS = {
    *("up", "scrape_duration_seconds", "scrape_samples_scraped"),
    *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"),
    *("process_open_fds", "process_max_fds"),
}

# Rules of the mixin linter (grafana/dashboard-linter) that are broken on purpose, each by a variable or a dashboard.
EXCEPTIONS = {
    "template-all-value: job": "`.+` would be every job; process metrics bear the same names in all of them",
    "template-all-value: instance": "as job",
    "template-multi: watchdog": "one watchdog speaks; its job is known so that `up` can name it",
    "target-instance: overview": "instances are added up: an objective is about the service, not about one of them",
    "template-instance: overview": "as its targets",
    "template-instance: watchdog": "there is one",
}


def problems(dashboard: Json, uids: Mapping[str, Json], exceptions: Collection[str] = EXCEPTIONS) -> list[str]:
    """Everything that is wrong with a dashboard, which links to others of these uids."""
    checks: tuple[Callable[[Json, Mapping[str, Json]], Iterator[str]], ...] = (
        _form,
        _loss,
        _page,
        _layout,
        _panels,
        _variables,
        _queries,
        _links,
        _annotations,
    )
    found = (problem for check in checks for problem in check(dashboard, uids))
    return [problem for problem in found if ": ".join(problem.split(": ")[:2]) not in exceptions]


def name(dashboard: Json) -> str:
    """What a dashboard is called in an exception: its uid without what all have in common."""
    return str(dashboard["uid"]).removeprefix(f"{TAG}-")


def _form(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    """Values that Grafana's schema does not allow, at any depth."""
    yield from _misfits(model.Dashboard.from_json(dashboard), model.Dashboard, "")


def _misfits(value: object, hint: object, place: str) -> Iterator[str]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        yield from min((list(_misfits(value, each, place)) for each in inner), key=len)
    elif origin is list and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _misfits(each, inner[0], f"{place}[{number}]")
    elif hasattr(value, "to_json"):
        for name, each in _hints(typing.cast(Any, type(value))).items():
            if (found := getattr(value, name)) is not None:
                yield from _misfits(found, each, f"{place}.{name}")
    elif not _fits(value, hint, origin):
        yield f"{place}: {value!r} is not what Grafana's schema says: {hint}"


@cache
def _hints(kind: type) -> dict[str, object]:
    return typing.get_type_hints(kind)


def _fits(value: object, hint: object, origin: object) -> bool:
    if origin is typing.Literal:
        return value in typing.get_args(hint)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return value in [each.value for each in hint]
    if hint in (int, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return hint not in (str, bool, NoneType) or isinstance(value, typing.cast("type", hint))


def _loss(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    """Keys that Grafana's schema does not know, at any depth: they are lost on the way through it."""
    kept = json.loads(JSONEncoder().encode(model.Dashboard.from_json(dashboard)))
    yield from _lost(dashboard, kept, "")


def _lost(ours: object, theirs: object, place: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from _lost(value, theirs[key], f"{place}.{key}")
            else:
                yield f"{place}.{key} is unknown to Grafana's schema"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _lost(mine, other, f"{place}[{number}]")
    elif ours != theirs:
        yield f"{place}: {ours!r} becomes {theirs!r}"


def _page(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    if dashboard["schemaVersion"] != SCHEMA_VERSION:
        yield f"schemaVersion is {dashboard['schemaVersion']}, not {SCHEMA_VERSION}"
    if dashboard.get("editable") is not False:
        yield "uneditable-dashboard: editable is not false"
    if TAG not in dashboard["tags"]:
        yield f"there is no tag {TAG}, by which the dashboards find each other"
    if dashboard.get("timezone") != "browser" or dashboard.get("graphTooltip") != 1:
        yield "timezone is not browser, or graphTooltip not 1"
    if not dashboard.get("description"):
        yield "it has no description"
    for key in ("id", "version", "iteration", "__inputs", "__requires"):
        if key in dashboard:
            yield f"{key} is Grafana's own, and differs with each export"


def _layout(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    everything = [each for panel in dashboard["panels"] for each in (panel, *panel.get("panels", []))]
    ids = [panel.get("id") for panel in everything]
    if None in ids or len(set(ids)) < len(ids):
        yield f"panel ids are missing or not unique: {ids}"
    taken: dict[tuple[int, int], str] = {}
    for panel in everything:
        place = panel["gridPos"]
        if place["x"] + place["w"] > COLUMNS:
            yield f"{panel['title']}: wider than the page"
        cells = [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        for other in {taken[cell] for cell in cells if cell in taken}:
            yield f"{panel['title']} lies over {other}"
        taken.update(dict.fromkeys(cells, panel["title"]))


@cache
def _units() -> frozenset[str]:
    literals = vars(units).values()
    return frozenset(each for each in literals if isinstance(each, str))


def _is_unit(unit: object) -> bool:
    return isinstance(unit, str) and (unit in _units() or unit.startswith(("suffix:", "prefix:")))


def _panels(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    for panel in panels(dashboard):
        if panel["type"] not in PANELS:
            yield f"{panel['title']}: {panel['type']} is no panel that every Grafana has"
        elif not panel.get("targets"):
            yield f"panel-no-targets: {panel['title']}"
        else:
            yield from _words(panel)
            yield from _units_of(panel)
            yield from _targets(panel)


def _words(panel: Json) -> Iterator[str]:
    if not panel["title"] or not panel.get("description"):
        yield f"panel-title-description: {panel['title']!r} lacks one of them"
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["id"] not in MATCHERS:
            yield f"{panel['title']}: {override['matcher']['id']} is no matcher"
    for each in panel.get("transformations", []):
        if each["id"] not in TRANSFORMATIONS:
            yield f"{panel['title']}: {each['id']} is no transformation"
    bounds = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    if bounds[0] is not None or bounds[1:] != sorted(bounds[1:]):
        yield f"{panel['title']}: thresholds do not rise from nothing: {bounds}"


def _units_of(panel: Json) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    own = defaults.get("unit", panel["options"].get("yAxis", {}).get("unit"))
    properties = [each for override in panel["fieldConfig"]["overrides"] for each in override["properties"]]
    for unit in (own, *(each["value"] for each in properties if each["id"] == "unit")):
        if not (unit is None and defaults.get("mappings")) and not _is_unit(unit):
            yield f"panel-units: {panel['title']}: {unit!r} is no unit of Grafana's"


def _targets(panel: Json) -> Iterator[str]:
    for each in (panel, *panel["targets"]):
        if each.get("datasource") != SOURCE:
            yield f"panel-datasource: {panel['title']} does not query ${{datasource}}"
    refs = [target["refId"] for target in panel["targets"]]
    if len(set(refs)) < len(refs):
        yield f"{panel['title']}: refIds are not unique: {refs}"
    for target in panel["targets"]:
        if target["instant"] == target["range"]:
            yield f"{panel['title']}: queries at one instant and over a range, or neither"
        if "$__range" in target["expr"] and target["range"]:
            yield f"{panel['title']}: counts over the whole range at every point of it; query at an instant"


def _variables(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    known = variables(dashboard)
    source = known.get("datasource", {})
    if (source.get("type"), source.get("query"), source.get("label")) != ("datasource", "prometheus", "Data source"):
        yield "template-datasource: there is no variable datasource"
    for wanted in ("job", "instance"):
        if wanted not in known:
            yield f"template-{wanted}: {name(dashboard)}: there is none"
    for variable in known.values():
        if variable["type"] == "query":
            yield from _variable(variable, known)
    text = json.dumps([dashboard["panels"], dashboard["annotations"], dashboard["templating"]])
    used = {name_of(match) for match in VARIABLE.finditer(text)}
    for each in known.keys() - used:
        yield f"nothing uses the variable {each}"
    for each in used - known.keys() - OWN_VARIABLES:
        yield f"there is no variable {each}"


def _variable(variable: Json, known: Mapping[str, Json]) -> Iterator[str]:
    wanted = {
        "template-on-time-change-reload": variable["refresh"] == 2,
        "template-label": bool(variable.get("label")),
        "template-multi": bool(variable.get("multi") and variable.get("includeAll")),
        "template-all-value": variable.get("allValue") == ".+" or not variable.get("includeAll"),
        "template-datasource": variable["datasource"] == SOURCE,
    }
    for rule, is_kept in wanted.items():
        if not is_kept:
            yield f"{rule}: {variable['name']}"
    query = label_values(variable)
    if query is None:
        yield f"template-label-promql: {variable['name']} does not query label_values"
    else:
        yield from _misnamed(query[0], f"the variable {variable['name']}", known)


def label_values(variable: Json) -> tuple[str, str] | None:
    """The selector and the label of a variable's query."""
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    return (match[1], match[2]) if match else None


def parse(expression: str) -> promql.Expr:
    """An expression with something in the place of each variable.

    Raises:
        ValueError: it is no PromQL.
    """
    return promql.parse(VARIABLE.sub(lambda match: SPANS.get(name_of(match), _stand_in(name_of(match))), expression))


def _stand_in(variable: str) -> str:
    return f"<{variable}>"


@cache
def exported() -> frozenset[str]:
    """The names of everything that can be queried."""
    ours = {value for name, value in vars(metric_names).items() if name.isupper()}
    histograms = {f"{name}_{part}" for name in ours for part in ("bucket", "sum", "count")}
    return frozenset(ours | histograms | ABOUT_TARGETS)


def _nodes(expression: object, outer: tuple[str, ...] = ()) -> Iterator[tuple[promql.VectorSelector, tuple[str, ...]]]:
    """Every selector with the functions round it, the outermost first."""
    match expression:
        case promql.VectorSelector():
            yield expression, outer
        case promql.MatrixSelector():
            yield expression.vector_selector, outer
        case promql.Call():
            for each in expression.args:
                yield from _nodes(each, (*outer, expression.func.name))
        case promql.AggregateExpr():
            yield from _nodes(expression.expr, outer)
        case promql.BinaryExpr():
            yield from _nodes(expression.lhs, outer)
            yield from _nodes(expression.rhs, outer)
        case promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            yield from _nodes(expression.expr, outer)


def _misnamed(expression: str, place: str, known: Mapping[str, Json]) -> Iterator[str]:
    try:
        parsed = parse(expression)
    except ValueError as error:
        yield f"target-promql: {place}: {error}"
        return
    for selector, _ in _nodes(parsed):
        if selector.name not in exported():
            yield f"{place}: nothing exports {selector.name}"
        for matcher in selector.matchers.matchers:
            if matcher.value in map(_stand_in, known) and matcher.op != promql.MatchOp.Re:
                yield f"{place}: {matcher.name} must be matched with =~, as several may be chosen"


def _queries(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    for place, expression in expressions(dashboard):
        if found := list(_misnamed(expression, place, variables(dashboard))):
            yield from found
            continue
        for selector, functions in _nodes(parse(expression)):
            yield from (f"{rule}: {name(dashboard)}: {place}: {selector.name}" for rule in _of_whom(selector))
            counts, is_counter = bool(COUNTS & set(functions)), str(selector.name).endswith(COUNTERS)
            if counts != is_counter:
                yield f"target-counter-agg: {place}: {selector.name}: increase and rate are for counters, and only they"
        for function, span in re.findall(r"(\w+)\([^()]*?\[([^\]]+)\]\)", expression):
            if function in RATES and span != "$__rate_interval":
                yield f"target-rate-interval: {place}: {function} over {span}"


def _of_whom(selector: promql.VectorSelector) -> Iterator[str]:
    matchers = {each.name: each.value for each in selector.matchers.matchers}
    if matchers.get("job") not in JOBS:
        yield "target-job"
    elif matchers["job"] == _stand_in("job") and matchers.get("instance") != _stand_in("instance"):
        yield "target-instance"


def _links(dashboard: Json, uids: Mapping[str, Json]) -> Iterator[str]:
    for link in dashboard["links"]:
        if link["type"] == "dashboards" and not any(set(link["tags"]) <= set(each["tags"]) for each in uids.values()):
            yield f"no dashboard has the tags {link['tags']}"
        if not (link["keepTime"] and link["includeVars"]):
            yield "the links to other dashboards lose the range of time or the variables"
    for panel in panels(dashboard):
        for link in (*panel.get("links", []), *panel["fieldConfig"]["defaults"].get("links", [])):
            yield from (f"{panel['title']}: {problem}" for problem in _link(link["url"], uids))


def _link(url: str, uids: Mapping[str, Json]) -> Iterator[str]:
    path, _, query = url.partition("?")
    uid = path.removeprefix("/d/")
    if uid == path or uid not in uids:
        yield f"a link leads to {path}, which is no dashboard of ours"
        return
    if KEEPS_TIME not in query:
        yield f"the link to {uid} loses the range of time"
    if "queryparam" not in query and "${__all_variables}" not in query:
        yield f"the link to {uid} loses the variables"
    for variable in re.findall(r"var-(\w+)=", query):
        if variable not in variables(uids[uid]):
            yield f"a link sets {variable}, which {uid} does not have"


def _annotations(dashboard: Json, _: Mapping[str, Json]) -> Iterator[str]:
    shown = [each for each in annotations(dashboard) if each["enable"] and "slo_state" in each["expr"]]
    if not shown:
        yield "breaches are not shown on its graphs"
    for each in annotations(dashboard):
        if each["datasource"] != SOURCE:
            yield f"panel-datasource: the annotation {each['name']} does not query ${{datasource}}"
