"""What each kind of objective says of itself, which nothing else knows."""

import pytest

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram, Indicator
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up

LATENCY = Latency("request_latency_seconds", 1.0, 'code="200"', "oldest_seconds", clear_seconds=0.5)
RATIO = Ratio(("bad_total",), ("all_total",))


def test_each_kind_is_known_by_its_name() -> None:
    every = {"latency": Latency, "slow_or_failed": SlowOrFailed, "ratio": Ratio, "gauge": Gauge, "up": Up}
    assert every == KINDS


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        (LATENCY, [("oldest_age", "oldest_seconds")]),
        (Latency("request_latency_seconds", 1.0), []),
        (RATIO, [("bad", "bad_total"), ("total", "all_total")]),
        (Up(), []),
    ],
)
def test_a_kind_names_the_series_that_must_exist(kind: Indicator, required: list[tuple[str, str]]) -> None:
    assert [(each.field, each.selector) for each in kind.required] == required


def test_only_a_latency_has_a_histogram_with_bounds() -> None:
    bounds = (("threshold", 1.0), ("clear", 0.5))
    assert LATENCY.bounded == BoundedHistogram("request_latency_seconds", 'code="200"', bounds)
    assert LATENCY.bounded is not None
    assert LATENCY.bounded.threshold == 1.0
    assert RATIO.bounded is Up().bounded is None


def test_a_threshold_below_the_bound_of_a_quick_recovery_lowers_that_too() -> None:
    lower, higher = LATENCY.with_bound("threshold", 0.25), LATENCY.with_bound("threshold", 2.0)
    assert (lower.threshold_seconds, lower.clear_seconds) == (0.25, None)
    assert (higher.threshold_seconds, higher.clear_seconds) == (2.0, 0.5)
    assert LATENCY.with_bound("clear", 0.75).clear_seconds == 0.75


def test_a_kind_without_bounds_has_no_field_for_one() -> None:
    with pytest.raises(ObjectiveError, match="is a field of latencies only"):
        RATIO.with_bound("threshold", 1.0)
