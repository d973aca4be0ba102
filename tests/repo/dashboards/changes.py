"""Changes to a dashboard, each of which breaks something."""

from collections.abc import Callable
from typing import Any

from tests.repo.dashboards.grafana import Json, panels


def panel_of(dashboard: Json, title: str) -> Json:
    return next(panel for panel in panels(dashboard) if panel["title"] == title)


Change = Callable[[Json], Any]


def of_panel(title: str, change: Change) -> Change:
    return lambda dashboard: change(panel_of(dashboard, title))


def expression(before: str, after: str, number: int = 0) -> Change:
    def change(panel: Json) -> None:
        target = panel["targets"][number]
        assert before in target["expr"]
        target["expr"] = target["expr"].replace(before, after)

    return change
