"""Which targets an indicator is of, by the jobs that its selectors name."""

from typing import Any

import pytest

from wine_slo.monitor.onboarding.importing.promql.events import selectors
from wine_slo.monitor.onboarding.importing.promql.expression import parse
from wine_slo.monitor.onboarding.importing.targets import targets


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('a{job="shop"} / b{job="shop"}', {"job": "shop"}),
        ('a{job="shop"} / b', {"job": "shop"}),
        ('a{job="shop"} / b{job="cart"}', {"job": ["shop", "cart"]}),
        ('a{job=~"shop|cart"} / b{job="shop"}', {"job": ["shop", "cart"]}),
        ('a{job=~"shop.*"} / b{job=~"shop.*"}', {"up": 'up{job=~"shop.*"}'}),
        ('a{job=~"shop.eu"}', {"up": 'up{job=~"shop.eu"}'}),
        ('a{job!="test"}', {"up": 'up{job!="test"}'}),
        ('a{service="shop"} / b', {"up": "none"}),
        ('a{job=""}', {"up": "none"}),
    ],
)
def test_jobs_are_those_that_any_selector_names(expression: str, expected: dict[str, Any]) -> None:
    assert targets(selectors(parse(expression))) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ('up{job="shop"}', {"job": "shop"}),
        ('up{job="shop", cluster="eu"}', {"up": 'up{job="shop", cluster="eu"}'}),
        ("up", {"up": "up"}),
    ],
)
def test_an_objective_of_targets_names_all_that_selects_them(selector: str, expected: dict[str, Any]) -> None:
    assert targets(selectors(parse(selector)), are_up=True) == expected
