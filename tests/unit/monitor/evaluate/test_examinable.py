"""Which objectives are compared with the series that Prometheus knows."""

from tests.support.scene import AVAILABILITY, ERRORS, LATENCY, at
from wine_slo.monitor.evaluate.objective_checks import examinable
from wine_slo.slo.evaluation.reading import Reading, Sight
from wine_slo.slo.objectives.objective import Key, Objectives

ALL = Objectives.only(LATENCY, ERRORS, AVAILABILITY)


def names(**sights: Sight) -> list[str]:
    readings = {Key(name): Reading(at=at(0), sight=sight) for name, sight in sights.items()}
    found = examinable(ALL, readings)
    return [] if found is None else list(found.by_name)


def test_nothing_is_compared_while_no_objective_has_data() -> None:
    assert names(latency=Sight.BLIND, errors=Sight.STALE, availability=Sight.TARGET_DOWN) == []


def test_an_objective_whose_target_is_down_is_not_compared_with_series_that_are_gone() -> None:
    assert names(latency=Sight.TARGET_DOWN, errors=Sight.CLEAR, availability=Sight.NO_TRAFFIC) == [
        "errors",
        "availability",
    ]


def test_an_objective_without_samples_is_compared_as_its_series_may_have_a_wrong_name() -> None:
    assert names(latency=Sight.STALE, errors=Sight.CLEAR, availability=Sight.CLEAR) == [
        "latency",
        "errors",
        "availability",
    ]
