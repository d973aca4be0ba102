"""The shipped dashboards have no problem, and each problem that one could have is found."""

import json
from typing import Any

import pytest

from tests.repo.dashboards.changes import Change, expression, of_panel
from tests.repo.dashboards.checks import EXCEPTIONS, problems
from tests.repo.dashboards.grafana import expressions, load_all, panels, variables
from wine_slo import metric_names
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Sight

DASHBOARDS = load_all()
UIDS = {each["uid"]: each for each in DASHBOARDS.values()}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_shipped_dashboard_has_no_problem(name: str) -> None:
    assert problems(DASHBOARDS[name], UIDS) == []


def test_there_are_four_with_uids_of_their_own() -> None:
    assert DASHBOARDS.keys() == {"overview", "service", "model", "watchdog"}
    assert UIDS.keys() == {f"wine-slo-{name}" for name in DASHBOARDS}


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_each_exception_from_the_linters_rules_is_needed(exception: str) -> None:
    others = EXCEPTIONS.keys() - {exception}
    found = [problem for each in DASHBOARDS.values() for problem in problems(each, UIDS, others)]
    assert found
    assert all(problem.startswith(exception) for problem in found)


def test_every_metric_of_ours_is_drawn() -> None:
    drawn = " ".join(text for dashboard in DASHBOARDS.values() for _, text in expressions(dashboard))
    ours = {value for name, value in vars(metric_names).items() if name.isupper() and "_" in value}  # no label has one
    assert {name for name in ours if name not in drawn} == set()


def test_the_words_for_states_and_sights_are_those_of_the_watchdog() -> None:
    words = {
        tuple(
            each["text"].lower().replace(" ", "_")
            for each in panel["fieldConfig"]["defaults"]["mappings"][0]["options"].values()
        )
        for dashboard in DASHBOARDS.values()
        for panel in panels(dashboard)
        if any("slo_state" in target["expr"] or "slo_sight" in target["expr"] for target in panel["targets"])
    }
    assert words == {tuple(Phase), tuple(Sight)}


def put(path: str, value: object) -> Change:
    """A change that puts a value where a path such as `fieldConfig.defaults.unit` leads."""

    def change(part: Any) -> None:
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        for step in steps:
            part = part[step]
        part[last] = value

    return change


P95, BAR, TILE = "p95 by endpoint", "Requests by endpoint", "State now"
MISTAKES: dict[str, tuple[Change, str]] = {
    "a misspelt metric": (of_panel(P95, expression("_latency_", "_latencies_")), "nothing exports request_latencies"),
    "a metric only of another version": (
        of_panel(BAR, expression("requests_total", "http_requests_total")),
        "nothing exports",
    ),
    "no PromQL": (of_panel(P95, expression("0.95,", "0.95")), "target-promql"),
    "a counter without its rate": (
        of_panel(BAR, put("targets.0.expr", 'sum by (endpoint) (requests_total{job=~"$job"})')),
        "target-counter-agg",
    ),
    "the rate of a gauge": (
        of_panel(TILE, put("targets.0.expr", 'rate(slo_state{job=~"$watchdog"}[$__rate_interval])')),
        "target-counter-agg",
    ),
    "a rate over a span of its own": (of_panel(P95, expression("$__rate_interval", "1m")), "target-rate-interval"),
    "whoever's metric": (of_panel(TILE, expression('job=~"$watchdog", ', "")), "target-job"),
    "one value where several can be chosen": (of_panel(P95, expression("job=~", "job=")), "must be matched with =~"),
    "a variable that is not there": (of_panel(P95, expression("$job", "$service")), "no variable service"),
    "a variable that nothing uses": (
        lambda it: it["templating"]["list"].append({**variables(it)["slo"], "name": "class"}),
        "nothing uses the variable class",
    ),
    "a variable that is never queried anew": (put("templating.list.1.refresh", 0), "template-on-time-change-reload"),
    "a variable of a metric that is not there": (
        put("templating.list.1.query.query", "label_values(request_total, job)"),
        "nothing exports request_total",
    ),
    "no choice of the data source": (lambda it: it["templating"]["list"].pop(0), "template-datasource"),
    "a data source of one machine": (of_panel(P95, put("datasource.uid", "P1809F7CD0C75ACF3")), "panel-datasource"),
    "a unit that does not exist": (of_panel(P95, put("fieldConfig.defaults.unit", "second")), "panel-units"),
    "no unit": (of_panel(P95, lambda it: it["fieldConfig"]["defaults"].pop("unit")), "panel-units"),
    "a panel of a plugin": (of_panel(P95, put("type", "natel-discrete-panel")), "no panel that every Grafana has"),
    "an old panel": (of_panel(P95, put("type", "graph")), "no panel that every Grafana has"),
    "no description": (of_panel(P95, put("description", "")), "panel-title-description"),
    "a misspelt option": (of_panel(P95, put("options.legend.showLegends", value=True)), "unknown to Grafana's schema"),
    "a misspelt option of a line": (
        of_panel(P95, put("fieldConfig.defaults.custom.lineWidht", 2)),
        "unknown to Grafana's schema",
    ),
    "an option that is none of its choices": (
        of_panel(P95, put("options.tooltip.mode", "all")),
        "not what Grafana's schema says",
    ),
    "a threshold line of no style": (
        of_panel(P95, put("fieldConfig.defaults.custom.thresholdsStyle.mode", "dotted")),
        "not what Grafana's schema says",
    ),
    "a word where a number belongs": (
        of_panel(P95, put("fieldConfig.defaults.max", "1")),
        "not what Grafana's schema says",
    ),
    "thresholds that fall": (
        of_panel("Burn rate", put("fieldConfig.defaults.thresholds.steps.1.value", 20)),
        "thresholds do not rise",
    ),
    "the same id twice": (of_panel(P95, put("id", 1)), "ids are missing or not unique"),
    "one panel over another": (of_panel(P95, put("gridPos.x", 1)), "lies over"),
    "a panel beyond the page": (of_panel(P95, put("gridPos.w", 25)), "wider than the page"),
    "a link to nowhere": (
        of_panel(P95, put("links.0.url", "/d/wine-slo-servce?${__url_time_range}&${__all_variables}")),
        "no dashboard of ours",
    ),
    "a link that loses the time": (
        of_panel(P95, put("links.0.url", "/d/wine-slo-service?${__all_variables}")),
        "loses the range of time",
    ),
    "a link that loses what is chosen": (
        of_panel(P95, put("links.0.url", "/d/wine-slo-service?${__url_time_range}")),
        "loses the variables",
    ),
    "a link that sets what is not there": (
        of_panel(P95, put("links.0.url", "/d/wine-slo-model?${__url_time_range}&${job:queryparam}&var-endpoint=x")),
        "sets endpoint",
    ),
    "a tag that no dashboard has": (put("links.0.tags", ["wine"]), "no dashboard has the tags"),
    "breaches are not drawn": (put("annotations.list.0.enable", value=False), "breaches are not shown"),
    "an annotation of what is not there": (
        put("annotations.list.0.expr", 'slo_status{job=~"$watchdog"} == 2'),
        "nothing exports slo_status",
    ),
    "what Grafana writes at an export": (put("version", 7), "Grafana's own"),
    "a schema that is not provisioned": (put("schemaVersion", 36), "schemaVersion"),
    "a dashboard that can be changed": (put("editable", value=True), "uneditable-dashboard"),
    "a graph that counts the whole range at each point": (
        of_panel(BAR, lambda it: it["targets"][0].update(instant=False, range=True)),
        "query at an instant",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found(change: Change, sentence: str) -> None:
    overview = json.loads(json.dumps(DASHBOARDS["overview"]))
    change(overview)
    found = problems(overview, UIDS)
    assert any(sentence in problem for problem in found), found
