"""Every expression, variable and annotation, sent to the real Prometheus as Grafana would send it."""

import json
import math
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.repo.dashboards.changes import Change, expression, of_panel
from tests.repo.dashboards.checks import label_values
from tests.repo.dashboards.conftest import SCRAPE, Act, World
from tests.repo.dashboards.grafana import (
    ANNOTATION_POINTS,
    Json,
    View,
    annotations,
    load_all,
    panels,
    variables,
)

DASHBOARDS = load_all()
MONTH = 30 * 86400  # seconds
CHOICES: dict[str, dict[str, str | tuple[str, ...]]] = {
    "everything is chosen": {},
    "one of each is chosen": {"job": "wine-slo", "endpoint": "/predict", "slo": "latency"},
    "two of each are chosen": {"endpoint": ("/predict", "/web/{file}"), "slo": ("latency", "errors")},
}

pytestmark = pytest.mark.asyncio(loop_scope="package")


@dataclass(frozen=True)
class Line:
    """What one query drew: its points by the labels of each series."""

    labels: Mapping[str, str]
    points: list[tuple[float, float]]

    @property
    def finite(self) -> list[float]:
        return [value for _, value in self.points if math.isfinite(value)]


@dataclass(frozen=True)
class Grafana:
    """Sends Prometheus the queries of a dashboard."""

    session: aiohttp.ClientSession
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def view(self, act: Act, **chosen: str | tuple[str, ...]) -> View:
        return View(act.start, act.end, SCRAPE, chosen, self.options)

    def month(self, act: Act) -> View:
        """The month that ends with the act."""
        return View(act.end - MONTH, act.end, SCRAPE, {}, self.options)

    async def learn(self, view: View, dashboard: Json) -> None:
        """Query the values of its variables, in their order, as one may use those before it."""
        for name, variable in variables(dashboard).items():
            if query := label_values(variable) if variable["type"] == "query" else None:
                selector = view.fill_in(query[0], dashboard)
                found = await self._get("series", {"match[]": selector, "start": view.start, "end": view.end})
                self.options[name] = tuple(sorted({each[query[1]] for each in found}))
                assert self.options[name], f"the variable {name} has no values"

    async def draw(self, view: View, dashboard: Json, panel: Json, target: Json) -> list[Line]:
        """What a target draws."""
        interval = panel.get("interval")
        query = view.fill_in(target["expr"], dashboard, interval)
        if target["instant"]:
            answer = await self._get("query", {"query": query, "time": view.end})
            return [Line(each["metric"], [_point(each["value"])]) for each in answer["result"]]
        return await self.range(query, view, view.step(interval))

    async def annotate(self, view: View, dashboard: Json, annotation: Json) -> list[Line]:
        step = view.step(annotation["step"], ANNOTATION_POINTS)
        lines = await self.range(
            view.fill_in(annotation["expr"], dashboard, annotation["step"], ANNOTATION_POINTS), view, step
        )
        return [line for line in lines if any(value > 0 for value in line.finite)]

    async def range(self, query: str, view: View, step: float) -> list[Line]:
        # Grafana puts points on multiples of the step. Long steps would miss these short acts: here the end is a point.
        start = view.end - (view.end - view.start) // step * step
        answer = await self._get("query_range", {"query": query, "start": start, "end": view.end, "step": step})
        return [Line(each["metric"], list(map(_point, each["values"]))) for each in answer["result"]]

    async def _get(self, path: str, question: dict[str, Any]) -> Any:
        async with self.session.get(f"/api/v1/{path}", params=question) as response:
            answer = await response.json()
        assert answer["status"] == "success", f"{question}: {answer}"
        assert not answer.get("warnings"), f"{question}: {answer}"
        return answer["data"]


def _point(pair: list[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])


@pytest_asyncio.fixture(loop_scope="package")
async def grafana(world: World) -> AsyncIterator[Grafana]:
    async with aiohttp.ClientSession(world.prometheus.url) as session:
        yield Grafana(session)


async def problems(grafana: Grafana, dashboard: Json, view: View) -> list[str]:
    """What a viewer would miss: panels without numbers, and lines that cannot be distinguished."""
    await grafana.learn(view, dashboard)
    found = []
    for panel in panels(dashboard):
        for target in panel["targets"]:
            place = f"{panel['title']} {target['refId']}"
            lines = await grafana.draw(view, dashboard, panel, target)
            if not any(line.finite for line in lines):
                found.append(f"{place}: no data")
            found += [f"{place}: {problem}" for problem in _legend_problems(panel, target, lines)]
    return found


def _legend_problems(panel: Json, target: Json, lines: list[Line]) -> list[str]:
    if target.get("format") == "heatmap":
        bounds = [line.labels.get("le", "") for line in lines]
        return [] if len(bounds) == len(set(bounds)) > 1 and "+Inf" in bounds else [f"no buckets: {bounds}"]
    if panel["type"] == "table":
        columns = panel["transformations"][-1]["options"]["indexByName"].keys()
        missing = {name for name in columns if not name.startswith("Value")} - {
            each for line in lines for each in line.labels
        }
        return [f"no column {each}" for each in missing]
    legend = target.get("legendFormat", "")
    wanted = re.findall(r"\{\{(\w+)\}\}", legend)
    missing = {label for line in lines for label in wanted if not line.labels.get(label)}
    names = [_named(legend, line.labels) for line in lines]
    twice = {name for name in names if names.count(name) > 1}
    return [f"no label {each}" for each in missing] + [f"several lines are called {each!r}" for each in twice]


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)


def act_of(world: World, name: str) -> Act:
    return {"well": world.well, "sick": world.sick}[name]


@pytest.mark.parametrize("chosen", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("act", ["well", "sick"])
@pytest.mark.parametrize("name", DASHBOARDS)
async def test_every_panel_has_numbers_and_a_legend(
    world: World, grafana: Grafana, name: str, act: str, chosen: dict[str, str | tuple[str, ...]]
) -> None:
    assert await problems(grafana, DASHBOARDS[name], grafana.view(act_of(world, act), **chosen)) == []


@pytest.mark.parametrize("name", DASHBOARDS)
async def test_a_month_can_be_shown(world: World, grafana: Grafana, name: str) -> None:
    assert await problems(grafana, DASHBOARDS[name], grafana.month(world.sick)) == []


async def values(grafana: Grafana, view: View, name: str, title: str) -> dict[str, list[float]]:
    """What the lines of a panel's first query show, by the last of their labels."""
    dashboard = DASHBOARDS[name]
    await grafana.learn(view, dashboard)
    panel = next(panel for panel in panels(dashboard) if panel["title"] == title)
    lines = await grafana.draw(view, dashboard, panel, panel["targets"][0])
    return {"".join(list(line.labels.values())[-1:]): line.finite for line in lines}


async def test_a_service_that_is_well_is_shown_well(world: World, grafana: Grafana) -> None:
    view = grafana.view(world.well)
    assert await values(grafana, view, "overview", "Answered with 5xx") == {"": [0]}
    assert await values(grafana, view, "overview", "Answered within 1 s") == {"": [1]}
    assert await values(grafana, view, "overview", "Open incidents") == {"": [0]}
    assert set(map(tuple, (await values(grafana, view, "overview", "State now")).values())) == {(0.0,)}
    failed = await values(grafana, view, "service", "Share answered with 5xx")
    assert {"/ui", "/predict", "/docs"} <= failed.keys()  # those without any 5xx are there, with 0
    assert {each for line in failed.values() for each in line} == {0}
    assert max((await values(grafana, view, "overview", "p95 by endpoint"))["/ui"]) < 1


async def test_a_service_that_is_not_is_shown_so(world: World, grafana: Grafana) -> None:
    view = grafana.view(world.sick)
    assert (await values(grafana, view, "overview", "Answered with 5xx"))[""][0] > 0.01
    assert (await values(grafana, view, "overview", "Answered within 1 s"))[""][0] < 0.95
    assert (await values(grafana, view, "overview", "Open incidents"))[""][0] >= 2
    states = await values(grafana, view, "overview", "State now")
    assert (states["latency"], states["errors"]) == ([2], [2])
    assert max((await values(grafana, view, "overview", "p95 by endpoint"))["/sleep"]) > 1
    assert (await values(grafana, view, "service", "Share answered with 5xx"))["/fail"][-1] == 1
    assert (await values(grafana, view, "model", "Values beyond the training range"))["proline"][0] > 0


async def test_a_breach_shows_in_a_month_although_it_is_over(world: World, grafana: Grafana) -> None:
    states = await values(grafana, grafana.month(world.recovering), "overview", "State over time")
    assert states["errors"][-1] == 2
    assert states["latency"][-1] == 2


@pytest.mark.parametrize("name", DASHBOARDS)
async def test_breaches_and_restarts_are_drawn_and_only_they(world: World, grafana: Grafana, name: str) -> None:
    dashboard = DASHBOARDS[name]
    breaches, restarts, deployments = annotations(dashboard)
    await grafana.learn(grafana.view(world.sick), dashboard)
    drawn = await grafana.annotate(grafana.view(world.sick), dashboard, breaches)
    assert {line.labels["slo"] for line in drawn} >= {"latency", "errors"}
    assert await grafana.annotate(grafana.view(world.well), dashboard, breaches) == []
    restarted = await grafana.annotate(grafana.view(world.sick), dashboard, restarts)
    assert {line.labels["job"] for line in restarted} == {"wine-slo"}
    assert {"instance", "job"} <= restarted[0].labels.keys()
    assert await grafana.annotate(grafana.view(world.sick), dashboard, deployments) == []
    drawn = await grafana.annotate(grafana.month(world.recovering), dashboard, breaches)
    assert {line.labels["slo"] for line in drawn} >= {"latency", "errors"}


MISTAKES: dict[str, tuple[str, Change, str]] = {
    "a dropped by": (
        "overview",
        of_panel("p95 by endpoint", expression("by (endpoint, le)", "by (le)")),
        "no label endpoint",
    ),
    "no by at all": ("service", of_panel("In flight", expression("sum by (endpoint) ", "sum ")), "no label endpoint"),
    "a bound that is no bucket": (
        "overview",
        of_panel("Answered within 1 s", expression('le="1.0"', 'le="1.05"')),
        "Answered within 1 s A: no data",
    ),
    "a label that is not there": (
        "model",
        of_panel("Share of each class", lambda it: it["targets"][0].update(legendFormat="{{class}}")),
        "no label class",
    ),
    "an own metric that the code does not export": (
        "watchdog",
        of_panel("Up", expression("up{", "watchdog_up{")),
        "Up A: no data",
    ),
    "lines that nothing distinguishes": (
        "watchdog",
        of_panel("Messages", lambda it: it["targets"][0].update(legendFormat="{{kind}}")),
        "several lines are called",
    ),
    "one value where several are chosen": (
        "service",
        of_panel("Requests a second", expression("endpoint=~", "endpoint=")),
        "Requests a second A: no data",
    ),
    "buckets that are added up": ("service", of_panel("Distribution", expression("sum by (le)", "sum")), "no buckets"),
    "a column that is not there": (
        "watchdog",
        of_panel("Version", expression("(instance, version)", "(instance)")),
        "no column version",
    ),
}


@pytest.mark.parametrize(("name", "change", "sentence"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_is_seen(world: World, grafana: Grafana, name: str, change: Change, sentence: str) -> None:
    dashboard = json.loads(json.dumps(DASHBOARDS[name]))
    change(dashboard)
    found = await problems(grafana, dashboard, grafana.view(world.sick))
    assert any(sentence in problem for problem in found), found
