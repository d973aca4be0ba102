"""What Grafana does with a dashboard before Prometheus sees it: the steps it queries with, and how it fills in
variables.

Read off the source of Grafana 13.2 (`pkg/promlib/models/query.go`, `@grafana/prometheus`): none can be had here.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "dashboards"
MOST_POINTS = 11_000  # that Prometheus answers, and so the least step is the range over it
PANEL_POINTS = 1_000  # about the width of a panel in pixels
ANNOTATION_POINTS = 100
ALL = "$__all"
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::\w+|\.[\w.]+)?\})")

Json = dict[str, Any]
Values = Mapping[str, str | tuple[str, ...]]


def load(name: str) -> Json:
    """One of the dashboards, by the name of its file."""
    content: Json = json.loads((FOLDER / f"{name}.json").read_text())
    return content


def load_all() -> dict[str, Json]:
    """Every dashboard, by the name of its file."""
    return {path.stem: load(path.stem) for path in sorted(FOLDER.glob("*.json"))}


def panels(dashboard: Json) -> Iterator[Json]:
    """The panels that draw something, those in rows too."""
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", [])


def name_of(match: re.Match[str]) -> str:
    """The name in a match of VARIABLE."""
    return match[1] or match[2]


def variables(dashboard: Json) -> dict[str, Json]:
    return {each["name"]: each for each in dashboard["templating"]["list"]}


def annotations(dashboard: Json) -> list[Json]:
    return list(dashboard["annotations"]["list"])


def expressions(dashboard: Json) -> Iterator[tuple[str, str]]:
    """Every expression with the place where it stands."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for each in annotations(dashboard):
        yield each["name"], each["expr"]


def seconds(span: str) -> float:
    """How long a span such as 5s or 1m is."""
    return float(span[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[span[-1]]


@dataclass(frozen=True)
class View:
    """What somebody views: a range of time, and what is chosen above the panels.

    Attributes:
        start: In seconds since the epoch.
        end: In seconds since the epoch.
        scrape: The data source's `timeInterval`, in seconds.
        chosen: The value of each variable, several of it, or `ALL`.
        options: All values that each variable has.
    """

    start: float
    end: float
    scrape: float
    chosen: Values = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def step(self, interval: str | None, points: int = PANEL_POINTS) -> float:
        """The seconds between two points of a graph whose panel wants at least that interval."""
        span = self.end - self.start
        return max(seconds(interval) if interval else self.scrape, round(span / points), math.ceil(span / MOST_POINTS))

    def fill_in(self, text: str, dashboard: Json, interval: str | None = None, points: int = PANEL_POINTS) -> str:
        """The text with every variable replaced by what stands for it."""
        step = self.step(interval, points)
        scrape = seconds(interval) if interval else self.scrape
        known = variables(dashboard)
        own = {
            "__interval": f"{round(step)}s",
            "__rate_interval": f"{round(max(step + scrape, 4 * scrape))}s",
            "__range": f"{round(self.end - self.start)}s",
        }

        def stand_in(match: re.Match[str]) -> str:
            name = name_of(match)
            return own[name] if name in own else self._value(name, known[name])

        return VARIABLE.sub(stand_in, text)

    def _value(self, name: str, variable: Json) -> str:
        value = self.chosen.get(name, ALL if variable.get("includeAll") else self.options[name][0])
        if not (variable.get("multi") or variable.get("includeAll")):
            return str(value).replace("\\", "\\\\").replace("'", "\\'")
        if value == ALL and variable.get("allValue"):
            return str(variable["allValue"])
        several = self.options[name] if value == ALL else (value,) if isinstance(value, str) else value
        escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", each.replace("\\", "\\\\\\\\")) for each in several]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
