"""Good or bad: the chance of a share against exact numbers, the worst stall, and too few events."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes.service import BOUNDS
from tests.support.scene import AVAILABILITY, LATENCY, at
from wine_slo.slo.chance import chance_of_share
from wine_slo.slo.evaluation.judgement import CHANCE, clear_run, is_bad, is_breach
from wine_slo.slo.evaluation.reading import Interval
from wine_slo.slo.evaluation.rules import stuck_events
from wine_slo.slo.objectives.kinds.latency import Latency

QUIET = replace(LATENCY, least_events=5)


def intervals(*shares: float, of: float = 50, every: float = 5) -> list[Interval]:
    """One interval a share, with so many events each."""
    return [Interval(at(every * number), bad=share * of, total=of) for number, share in enumerate(shares, start=1)]


def tail_above(bad: int, total: int, ratio: Fraction) -> Fraction:
    """Exactly how likely so many bad events or more are."""
    return sum(
        (comb(total, each) * ratio**each * (1 - ratio) ** (total - each) for each in range(bad, total + 1)), Fraction(0)
    )


def tail_below(bad: int, total: int, ratio: Fraction) -> Fraction:
    """Exactly how likely so many bad events or fewer are."""
    return tail_above(total - bad, total, 1 - ratio)


@given(
    total=st.integers(1, 150),
    share=st.floats(0, 1),
    ratio=st.sampled_from([Fraction(1, 200), Fraction(1, 100), Fraction(1, 20), Fraction(1, 2), Fraction(9, 10)]),
)
def test_chance_is_never_understated(total: int, share: float, ratio: Fraction) -> None:
    bad = round(share * total)
    bound = chance_of_share(bad, total, float(ratio))
    exact = tail_above(bad, total, ratio) if Fraction(bad, total) >= ratio else tail_below(bad, total, ratio)
    assert bound >= float(exact) * (1 - 1e-9)
    assert bound <= 1 + 1e-12


@pytest.mark.parametrize("total", [1, 5, 40])
@pytest.mark.parametrize("ratio", [Fraction(1, 100), Fraction(1, 20), Fraction(1, 2)])
def test_chance_is_exact_where_all_or_none_are_bad(total: int, ratio: Fraction) -> None:
    assert chance_of_share(total, total, float(ratio)) == pytest.approx(float(ratio**total))
    assert chance_of_share(0, total, float(ratio)) == pytest.approx(float((1 - ratio) ** total))


def test_a_share_that_is_the_ratio_is_no_surprise() -> None:
    assert chance_of_share(5, 100, 0.05) == pytest.approx(1)


def test_what_cannot_be_has_no_chance() -> None:
    assert chance_of_share(1, 100, 0.0) == 0
    assert chance_of_share(99, 100, 1.0) == 0
    assert chance_of_share(0, 100, 0.0) == chance_of_share(100, 100, 1.0) == 1


@given(st.integers(1, 100), st.integers(1, 100))
def test_more_of_the_same_is_less_likely_to_be_chance(bad: int, more: int) -> None:
    total = bad * 4
    assert chance_of_share(bad + more, total + 4 * more, 0.05) < chance_of_share(bad, total, 0.05)


@pytest.mark.parametrize(
    ("share", "bad"),
    [
        pytest.param(0.05, False, id="just the target"),
        pytest.param(0.051, True, id="a little less than the target"),
        pytest.param(0.0, False, id="all good"),
        pytest.param(1.0, True, id="all bad"),
    ],
)
def test_an_interval_is_bad_when_it_violates_the_objective(share: float, bad: bool) -> None:  # noqa: FBT001 - a column
    assert is_bad(LATENCY, *intervals(share, of=1000)) is bad


@pytest.mark.parametrize("percent", [50, 80, 90, 95, 99])
def test_what_just_meets_the_objective_is_not_bad_for_want_of_a_digit(percent: int) -> None:
    objective = replace(LATENCY, ratio=percent / 100)
    assert not is_bad(objective, Interval(at(0), bad=100 - percent, total=100))
    assert is_bad(objective, Interval(at(0), bad=100 - percent + 1, total=100))


@pytest.mark.parametrize(
    ("suspicion", "breach"),
    [
        pytest.param(intervals(1, 1, 1, 1), False, id="what a stall can spoil is nothing"),
        pytest.param(intervals(1, 1, 1, 1, 1), True, id="what outlasts a stall is a breach"),
        pytest.param(intervals(1, 1, 1, 1, 0, 0, 0, 0, 0), False, id="a stall that is over is nothing"),
        pytest.param(intervals(0.05, 1, 1, 1, 1, 0.05), False, id="the worst stall is taken out wherever it is"),
        pytest.param(intervals(1, 1, 1, 1, 0.08, 0.08), False, id="the rest may be chance"),
        pytest.param(intervals(1, 1, 1, 1, 0.2, 0.2), True, id="the rest is no chance"),
        pytest.param(intervals(1, 1, 1, 0, 1, 0, 0, 0), True, id="a bad interval outside the worst stall counts"),
        pytest.param(intervals(1, 1, 1, 0, 1, *[0] * 20), False, id="the good ones after it count too"),
        pytest.param(intervals(1, 1, 1, 1, 1, of=0.9), False, id="four and a half events are too few"),
        pytest.param(intervals(1, 1, 1, 1, 1, of=1), False, id="one slow request beside a stall may be chance"),
        pytest.param(intervals(1, 1, 1, 1, 1, 1, of=1), True, id="two slow requests beside a stall are not"),
        pytest.param(intervals(1, 1, of=5), False, id="many in one stall are a stall"),
        pytest.param(intervals(1, 1, of=5, every=60), True, id="two slow minutes are no stall"),
        pytest.param(intervals(1, 1, 1, 1, 1, every=5.4), True, id="ends that jitter hide nothing"),
        pytest.param(intervals(1, 1, 1, 1, every=5.4), False, id="ends that jitter add nothing"),
        pytest.param(intervals(*[0.1] * 6), False, id="a tenth slow for half a minute may be chance"),
        pytest.param(intervals(*[0.1] * 12), True, id="a tenth slow for a minute is not"),
    ],
)
def test_a_breach_is_what_is_broken_without_its_worst_stall(suspicion: list[Interval], breach: bool) -> None:  # noqa: FBT001 - a column
    assert is_breach(LATENCY, suspicion) is breach


def test_one_failed_scrape_that_comes_back_is_not_the_target_being_down() -> None:
    assert not is_breach(AVAILABILITY, intervals(1, 1, 1, 1, of=1))
    assert is_breach(AVAILABILITY, intervals(1, 1, 1, 1, 1, of=1))


@pytest.mark.parametrize(("every", "failed"), [(5, 4), (10, 2), (15, 2), (30, 1), (60, 1)])
def test_as_many_failed_scrapes_as_a_stall_can_hold_are_no_breach_and_one_more_is(every: int, failed: int) -> None:
    objective = replace(AVAILABILITY, scrape_interval=timedelta(seconds=every))
    assert not is_breach(objective, intervals(*[1] * failed, of=1, every=every))
    assert is_breach(objective, intervals(*[1] * (failed + 1), of=1, every=every))


def test_a_stall_in_which_the_scrapes_of_several_targets_fail_one_after_the_other_is_no_breach() -> None:
    objective = replace(AVAILABILITY, scrape_interval=timedelta(seconds=30))
    suspicion = intervals(2 / 3, 1 / 3, of=3, every=30)
    assert is_breach(objective, suspicion)
    assert not is_breach(objective, suspicion, apart=timedelta(seconds=20))
    assert is_breach(objective, [*suspicion, Interval(at(90), 3, 3)], apart=timedelta(seconds=20))


# Scrapes that are a minute apart: how much of it a stall explains


MINUTES = replace(LATENCY, scrape_interval=timedelta(minutes=1))
USUAL = (600.0, 620.0, 590.0, 610.0, 580.0, 600.0)


@pytest.mark.parametrize(
    ("usual", "seen", "breach"),
    [
        pytest.param(USUAL, [(200, 600)], False, id="as many as come in 20 s"),
        pytest.param(USUAL, [(240, 600)], True, id="more than come in 24 s"),
        pytest.param(USUAL, [(100, 600), (100, 600)], False, id="a stall over the end of a minute"),
        pytest.param(USUAL, [(150, 600), (150, 600)], True, id="30 s over the end of a minute"),
        pytest.param(USUAL, [(750, 1200)], False, id="all of the stall was tried five times"),
        pytest.param(USUAL, [(1000, 1200)], True, id="more was bad than the stall and what was tried again"),
        pytest.param(USUAL, [(150, 350), (200, 800)], False, id="a scrape failed while all of it was tried again"),
        pytest.param(USUAL[:2], [(600, 600)], False, id="what is usual is not known"),
        pytest.param((), [(600, 600), (600, 600)], False, id="two minutes that a stall can touch"),
        pytest.param((), [(600, 600), (600, 600), (600, 600)], True, id="three minutes are more than it can touch"),
        pytest.param((600, 5, 1500, 10, 900, 20), [(600, 600)], False, id="requests come in bursts"),
        pytest.param((6, 5, 7, 6, 6, 6), [(6, 6)], False, id="six requests may all have come in a stall"),
    ],
)
def test_of_a_minute_a_stall_explains_as_many_requests_as_come_in_20_s(
    usual: Sequence[float],
    seen: Sequence[tuple[float, float]],
    breach: bool,  # noqa: FBT001 - a column
) -> None:
    before = [Interval(at(60 * number), 0, total) for number, total in enumerate(usual)]
    first = 60 * len(usual)
    suspicion = [Interval(at(first + 60 * number), *counts) for number, counts in enumerate(seen)]
    assert is_breach(MINUTES, suspicion, before) is breach


@pytest.mark.parametrize(("every", "ages", "needed"), [(5, 99, 6), (15, 99, 2), (30, 99, 1), (60, 99, 1), (60, 15, 2)])
def test_a_request_that_is_stuck_for_longer_than_a_stall_is_a_breach(every: int, ages: int, needed: int) -> None:
    objective = replace(LATENCY, scrape_interval=timedelta(seconds=every))
    events = stuck_events(objective, ages)
    hung = [Interval(at(every * number), events, events, is_stuck=True) for number in range(1, needed + 1)]
    before = [Interval(at(every * -number), 0, 10.0 * every) for number in (6, 5, 4, 3, 2, 1)]
    for usual in ((), before):
        assert is_breach(objective, hung, usual)
        assert not is_breach(objective, hung[:-1], usual)


def test_two_intervals_are_adjacent_where_a_scrape_between_them_is_missing() -> None:
    suspicion = [Interval(at(60), 100, 600), Interval(at(180), 100, 600)]
    assert not is_breach(MINUTES, suspicion)


def test_traffic_that_was_not_there_counts_towards_what_is_usual() -> None:
    """Intervals without events are left out, and yet an interval without any is as usual as one with many."""
    before = [Interval(at(60 * number), 0, 600) for number in (0, 1, 3, 5)]
    assert not is_breach(MINUTES, [Interval(at(360), 300, 600)], before)


def worst_stall_left_out(suspicion: Sequence[Interval]) -> tuple[float, float]:
    """The same as the program's, by trying every stall there can be."""
    length = LATENCY.stall_intervals()
    stalls = [suspicion[first : first + length] for first in range(len(suspicion))]
    worst = max(stalls, key=lambda stall: (sum(each.bad for each in stall), sum(each.total for each in stall)))
    rest = [each for each in suspicion if each not in worst]
    return sum(each.bad for each in rest), sum(each.total for each in rest)


@given(st.lists(st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]), min_size=1, max_size=25))
def test_no_stall_is_worse_than_the_one_that_is_left_out(shares: list[float]) -> None:
    suspicion = intervals(*shares, of=100)
    bad, total = worst_stall_left_out(suspicion)
    expected = total > 0 and bad / total > 0.05 and chance_of_share(bad, total, 1 - LATENCY.ratio) < CHANCE
    near = total > 0 and abs(bad / total - 0.05) < 1e-9
    assert near or is_breach(LATENCY, suspicion) is expected


@pytest.mark.parametrize(
    ("seen", "clear"),
    [
        pytest.param(intervals(1, 0, 0, 0), False, id="three good intervals are too short"),
        pytest.param(intervals(1, 0, 0, 0, 0), True, id="four good intervals after a bad one are clear"),
        pytest.param(intervals(0, 0, 0, 0, 1), False, id="a bad one at the end is not"),
        pytest.param(intervals(1, 0, 0, 0, 0, of=1), False, id="four events are too few"),
        pytest.param(intervals(1, 0, 0, 0, 0, 0, of=1), True, id="five events are enough"),
        pytest.param(intervals(1, 0.045, 0.045, 0.045, 0.045), False, id="short of the clear ratio it is not clear"),
        pytest.param(intervals(1, 0.04, 0.04, 0.04, 0.04), True, id="with the clear ratio it is"),
        pytest.param([], False, id="nothing seen is not clear"),
    ],
)
def test_it_clear_run_when_the_newest_intervals_are(seen: list[Interval], clear: bool) -> None:  # noqa: FBT001 - a column
    assert bool(clear_run(LATENCY, seen, intervals=4, bad_ratio=1.0)) is clear


def test_what_was_bad_by_a_little_takes_longer_to_be_known_as_good() -> None:
    """With a tenth slow, four good intervals of ten requests each happen by chance once in seventy, so quite often."""
    assert not clear_run(LATENCY, intervals(*[0] * 4, of=10), intervals=4, bad_ratio=0.1)
    assert clear_run(LATENCY, intervals(*[0] * 6, of=10), intervals=4, bad_ratio=0.1)


def test_what_is_as_bad_as_it_was_is_not_clear() -> None:
    lenient = replace(LATENCY, ratio=0.5)
    assert not clear_run(lenient, intervals(*[0.4] * 50), intervals=4, bad_ratio=0.4)


# p95 <= threshold is the same as: the share within it is the objective's


def histogram_quantile(share: float, counts: list[int]) -> float:
    """As Prometheus estimates it: linear within the bucket that holds the rank; counts by bound, not cumulative."""
    rank, seen, lower = share * sum(counts), 0, 0.0
    for bound, count in zip(BOUNDS, counts, strict=True):
        if seen + count >= rank - 1e-9 and count:
            return lower + (bound - lower) * min(1.0, (rank - seen) / count)
        seen, lower = seen + count, bound
    return BOUNDS[-1]


@given(
    counts=st.lists(st.integers(0, 40), min_size=len(BOUNDS), max_size=len(BOUNDS)).filter(any),
    ratio=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999]),
    threshold=st.sampled_from(BOUNDS[:-1]),
)
def test_the_quantile_and_the_judgement_say_the_same(counts: list[int], ratio: float, threshold: float) -> None:
    bad = sum(count for bound, count in zip(BOUNDS, counts, strict=True) if bound > threshold)
    interval = Interval(at(0), bad=bad, total=sum(counts))
    objective = replace(LATENCY, source=Latency("seconds", threshold), ratio=ratio)
    assert (histogram_quantile(ratio, counts) <= threshold + 1e-9) == (not is_bad(objective, interval))
