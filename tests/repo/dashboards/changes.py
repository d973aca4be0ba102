"""Changes of a dashboard, to break it."""

import json
from collections.abc import Callable
from typing import Any
import pytest
from tests.repo.dashboards.checks import EXCEPTIONS, problems
from tests.repo.dashboards.grafana import Json, expressions, load_all, panels, variables
from wine_slo import metric_names
from wine_slo.slo.evaluation.incident import Phase
from wine_slo.slo.evaluation.reading import Sight


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
