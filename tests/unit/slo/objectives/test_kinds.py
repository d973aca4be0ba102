"""What each kind of objective says of itself, which nothing else knows."""

import re

import pytest

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import BoundedHistogram, Indicator
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.span import parse_span

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


@pytest.mark.parametrize(
    ("seconds", "spellings"),
    [
        pytest.param(1.0, ["1", "1.0"], id="a second"),
        pytest.param(0.005, ["0.005"], id="five milliseconds"),
        pytest.param(0.00025, ["0.00025", "2.5e-04", "2.5e-4", "2.5E-4"], id="250 microseconds, also in Java"),
        pytest.param(0.0001, ["0.0001", "1e-04", "1.0E-4"], id="100 microseconds"),
        pytest.param(0.000025, ["2.5e-05", "0.000025", "2.5e-5", "2.5E-5"], id="25 microseconds in Python and Go"),
        pytest.param(0.000001, ["1e-06", "0.000001", "1e-6", "1.0E-6"], id="a microsecond"),
        pytest.param(2e6, ["2000000", "2000000.0", "2e+06", "2.0E6"], id="a long one"),
    ],
)
def test_a_bucket_bound_is_found_however_a_client_writes_it(seconds: float, spellings: list[str]) -> None:
    (selector,) = Latency("seconds", seconds).good_events(Scope.of_jobs("api")).selectors
    matcher = re.search('le=~"([^"]*)"', selector)
    assert matcher
    pattern = matcher[1].replace("\\\\", "\\")
    assert all(re.fullmatch(pattern, each) for each in spellings)
    others = [f"{seconds * 10:g}", f"{seconds / 10:g}", f"1{spellings[0]}", f"{spellings[0]}1", "+Inf", "Inf"]
    assert not any(re.fullmatch(pattern, each) for each in others)


def test_the_bound_of_a_span_is_the_very_number_that_a_client_exports() -> None:
    spans = {"250us": 0.00025, "2.5ms": 0.0025, "25us": 2.5e-05, "100ms": 0.1, "0.3s": 0.3, "7.5s": 7.5}
    assert {each: parse_span(each).total_seconds() for each in spans} == spans
