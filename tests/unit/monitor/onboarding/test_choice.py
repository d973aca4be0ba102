"""The numbers of an objective are the strictest that the past has kept with room to spare."""

from datetime import timedelta

import pytest

from wine_slo.monitor.onboarding.choice import Choice, Past, choose, quantile

DAY = timedelta(days=1)
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def latency(*within: float, events: float = 100_000.0, span: timedelta = DAY) -> Past:
    return Past(span=span, events=events, within=dict(zip(BOUNDS, within, strict=True)))


def share(bad: float, events: float = 100_000.0, span: timedelta = DAY) -> Past:
    return Past(span=span, events=events, bad=bad, within={})


@pytest.mark.parametrize(
    ("past", "threshold", "objective"),
    [
        pytest.param(latency(0.90, 0.999, 1, 1, 1, 1), 0.25, 0.99, id="twice the quantile, not the quantile itself"),
        pytest.param(latency(1, 1, 1, 1, 1, 1), 0.1, 0.99, id="nobody waits for less than a tenth of a second"),
        pytest.param(latency(0.2, 0.3, 0.9, 0.97, 0.98, 0.98), 1.0, 0.95, id="a lower objective where one is needed"),
        pytest.param(latency(0.2, 0.3, 0.5, 0.8, 0.995, 0.999), 2.5, 0.99, id="a higher bound where it is slow"),
    ],
)
def test_a_threshold_has_room_over_what_the_past_has_needed(past: Past, threshold: float, objective: float) -> None:
    choice = choose(past, BOUNDS, least=0.1)
    assert (choice.threshold, choice.objective, choice.is_known, choice.is_kept) == (threshold, objective, True, True)


def test_a_short_past_is_given_more_room() -> None:
    within = (0.90, 0.999, 1, 1, 1, 1)
    assert choose(latency(*within), BOUNDS).threshold == 0.25
    assert choose(latency(*within, span=timedelta(hours=1)), BOUNDS).threshold == 0.5


def test_a_latency_that_no_bound_keeps_is_said_to_be_not_kept() -> None:
    assert choose(latency(0, 0, 0, 0.1, 0.2, 0.5), BOUNDS) == Choice(0.95, 2.5, is_known=True, is_kept=False, bad=0.5)


@pytest.mark.parametrize(
    ("past", "objective"),
    [
        pytest.param(share(0.0), 0.999, id="nothing failed"),
        pytest.param(share(0.0008), 0.99, id="most of a budget is no room"),
        pytest.param(share(0.02), 0.95, id="a hundredth and more"),
        pytest.param(share(0.0, events=150), 0.99, id="of few events a thousandth is not even one"),
        pytest.param(share(0.0, span=timedelta(hours=2)), 0.99, id="two hours say nothing of a thousandth"),
    ],
)
def test_an_objective_leaves_half_of_the_budget(past: Past, objective: float) -> None:
    choice = choose(past)
    assert (choice.objective, choice.threshold, choice.is_known, choice.is_kept) == (objective, None, True, True)


def test_an_objective_that_the_past_has_not_met_is_said_to_be_not_kept() -> None:
    assert choose(share(0.2)) == Choice(0.95, None, is_known=True, is_kept=False, bad=0.2)


def test_without_events_the_numbers_are_usual_ones_and_that_is_said() -> None:
    assert choose(latency(1, 1, 1, 1, 1, 1, events=99.0), BOUNDS) == Choice(
        0.99, 0.5, is_known=False, is_kept=True, bad=None
    )
    assert choose(share(0.9, events=10.0)) == Choice(0.99, None, is_known=False, is_kept=True, bad=None)


def test_a_usual_threshold_is_a_bound_of_the_histogram() -> None:
    assert choose(Past(span=DAY, events=0.0, within={}), (0.001, 0.3)).threshold == 0.3


def test_a_quantile_lies_between_bounds() -> None:
    assert quantile({0.1: 0.5, 0.2: 1.0}, 0.75) == pytest.approx(0.15)
    assert quantile({0.1: 0.5, 0.2: 0.6}, 0.75) is None
