"""Sweeps: what can be tried, and what a text that names none is answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.scene import ALL, ERRORS, LATENCY
from wine_slo.monitor.replay.sweep import Sweep, SweepError, apply, parse
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.objective import BURNS, Objectives


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("latency.objective=0.9,0.95,0.99", (0.9, 0.95, 0.99), id="a list"),
        pytest.param("errors.bad_for=15s,1m", (15, 60), id="a list of spans"),
        pytest.param("latency.bad_for=15s..60s:15s", (15, 30, 45, 60), id="a range with a step"),
        pytest.param("latency.objective=0.9..0.98", (0.9, 0.92, 0.94, 0.96, 0.98), id="a range in four steps"),
        pytest.param("latency.threshold=500ms,1", (0.5, 1), id="a threshold as a span or in seconds"),
        pytest.param("errors.least=5,5,1", (5, 1), id="what is there twice is tried once"),
    ],
)
def test_a_text_names_values(text: str, values: tuple[float, ...]) -> None:
    assert parse(text).values == values


def test_a_range_of_thresholds_is_all_buckets_that_end_within_it() -> None:
    sweep = parse("latency.threshold=0.5..2")
    assert sweep.between([2.0, 0.25, 0.5, 1.0, 5.0]).values == (0.5, 1.0, 2.0)
    with pytest.raises(SweepError, match=r"no bucket ends between 0\.5 s and 2 s"):
        sweep.between([0.1, 5.0])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("latency", "'latency' is no sweep; it must read such as latency.threshold=0.5..2 or errors.least=1,5,20"),
        ("latency.colour=1", "'colour' cannot be swept; what can be is objective, least, bad_for, "),
        ("latency.bad_for=1,2", "'1' is not a span such as 25s or 5m"),
        ("latency.objective=high", "'high' is not a number"),
        ("latency.threshold=soon", "'soon' is not a span such as 25s or 5m"),
        ("latency.objective=0.9..0.8", "'0.9..0.8' must go from less to more"),
        ("latency.objective=0.8..0.9:0", "the step in '0.8..0.9:0' must be more than 0"),
        ("latency.least=1..100:1", "that is more than 50 values; each is a replay of its own"),
    ],
)
def test_a_text_that_names_none_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SweepError) as refused:
        parse(text)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("speed.objective=0.9", "there is no objective 'speed'; there are latency, errors, availability"),
        ("latency.objective=1.5", "latency.objective = 1.5: must lie between 0 and 1, both left out"),
        ("latency.least=2.5", "latency.least = 2.5: must be a whole number"),
        ("errors.threshold=1", "errors.threshold = 1s: is a field of latencies only"),
        (
            "latency.bad_for=1s",
            "latency.bad_for = 1s: is 1s; with scrape_interval: 5s it must be at least 15s to keep stalls quiet",
        ),
        ("latency.clear=2s", "latency.clear = 2s: must be a time longer than 0 and at most the threshold"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    sweep = parse(text)
    with pytest.raises(SweepError) as refused:
        apply(ALL, sweep, sweep.values[0])
    assert str(refused.value) == sentence


def test_only_the_field_changes() -> None:
    changed = apply(ALL, Sweep("errors", "bad_for", ()), 60)
    assert changed.by_name["errors"] == replace(ERRORS, bad_for=timedelta(minutes=1))
    assert changed.all[0] == LATENCY


def test_a_threshold_takes_a_higher_clear_bound_along() -> None:
    swings = replace(LATENCY, source=Latency("request_latency_seconds", 1.0, clear_seconds=0.75))
    for threshold, clear in ((0.5, None), (2.0, 0.75)):
        changed = apply(Objectives.only(swings), Sweep("latency", "threshold", ()), threshold).all[0].source
        assert changed == Latency("request_latency_seconds", threshold, clear_seconds=clear)


def test_a_modest_objective_leaves_out_burn_rates_that_can_never_be_reached() -> None:
    burnt = Objectives.only(replace(LATENCY, burns=BURNS))
    assert len(apply(burnt, Sweep("latency", "objective", ()), 0.6).all[0].burns) < len(BURNS)
