"""What only Prometheus knows of `slo.yml`."""

from datetime import timedelta

from wine_slo.monitor.evaluate.objective_checks import bounds_in, no_bound
from wine_slo.slo.source.metric_source import Sample, Vector


def test_labels_that_are_no_bounds_are_no_bounds() -> None:
    labels = ["1", "0.5", "+Inf", "abc", "NaN", "", "1.0"]
    found = Vector(tuple(Sample({"le": each}, 1.0) for each in labels), None)
    assert bounds_in(Vector((*found.samples, Sample({}, 1.0)), None)) == [0.5, 1.0, float("inf")]


def test_a_threshold_above_the_highest_bound_is_reported_though_nothing_says_inf() -> None:
    assert no_bound(3.0, [0.5, 1.0]).startswith("is 3 s, above the highest bucket bound, 1 s")


def test_a_histogram_without_bounds_is_called_that() -> None:
    assert no_bound(timedelta(seconds=1).total_seconds(), [float("inf")]) == (
        "is 1 s, and no bucket but +Inf has a bound: nothing is known of how long requests take"
    )
