"""Each rule says the same of many instants at once as of each of them alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.support.scene import AVAILABILITY, GAUGE, LATENCY
from wine_slo.slo.evaluation import rules
from wine_slo.slo.evaluation.reading import Finding, findings
from wine_slo.slo.objectives.budget import fires, firing_rate
from wine_slo.slo.objectives.objective import BURNS

AMOUNTS = (-1.0, 0.0, 0.005, 0.01, 0.49, 0.5, 0.51, 1.0, 1.01, 4.4, 4.5, 4.6, 19.9, 20.0, 20.1, 300.0, float("inf"))
PAIRS = [(one, another) for one in AMOUNTS for another in AMOUNTS if np.isfinite([one, another]).all()]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rules.has_events, id="whether there are events"),
        pytest.param(rules.is_no_traffic, id="no traffic"),
        pytest.param(lambda amount: rules.is_old(LATENCY, amount), id="an old sample"),
        pytest.param(lambda amount: rules.is_stuck(LATENCY, amount), id="a stuck request"),
        pytest.param(lambda amount: rules.is_too_few(LATENCY, amount), id="insufficient data"),
    ],
)
def test_a_rule_of_one_number_holds_for_an_array_as_for_each_number(rule: Callable[[Any], Any]) -> None:
    assert rule(np.array(AMOUNTS)).tolist() == [rule(each) for each in AMOUNTS]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(lambda bad, total: rules.is_violation(LATENCY, bad, total), id="a violation"),
        pytest.param(rules.is_without_bucket, id="a missing bucket"),
        pytest.param(lambda long, short: fires(1.0, long, short), id="a burn rate alert"),
        pytest.param(lambda total, good: rules.event_counts(LATENCY, total, good, 0.0)[1], id="bad events"),
    ],
)
def test_a_rule_of_two_numbers_holds_for_arrays_as_for_each_pair(rule: Callable[[Any, Any], Any]) -> None:
    one, another = np.array(PAIRS).T
    assert rule(one, another).tolist() == [rule(*each) for each in PAIRS]


def test_the_findings_of_an_array_are_those_of_each_instant() -> None:
    cases = [
        {
            "age": age,
            "up": up,
            "shown": shown,
            "long": long,
            "is_stuck": is_stuck,
            "has_intervals": has_intervals,
            "is_missing": is_missing,
        }
        for age in (1.0, 21.0)
        for up in (0, 1)
        for shown in (0.0, 3.0)
        for long in (0.0, 50.0)
        for is_stuck in (False, True)
        for has_intervals in (False, True)
        for is_missing in (False, True)
    ]
    columns = {name: np.array([case[name] for case in cases]) for name in cases[0]}
    every = set()
    for objective in (LATENCY, GAUGE, AVAILABILITY):
        found = findings(objective, **columns)
        holds = [np.broadcast_to(each, len(cases)) for _, each in found]
        of_array = [found[place][0] for place in np.select(holds, [*range(len(found))])]
        of_each = [next(name for name, holds in findings(objective, **case) if holds) for case in cases]
        assert of_array == of_each
        every |= {*of_each}
    assert every == {*Finding}


def test_an_alert_never_fires_with_less_history_than_its_short_window() -> None:
    burn = BURNS[0]
    assert firing_rate(LATENCY, burn, burn.short - timedelta(seconds=1)) == float("inf")
    assert firing_rate(LATENCY, burn, burn.short) < float("inf")
