"""What one evaluation reads from answers: when there is something to judge, and when it only seems so."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, KEY, LATENCY, at
from wine_slo.slo.evaluation.engine import State, advance
from wine_slo.slo.evaluation.reading import Sight, without_data
from wine_slo.slo.evaluation.sampling import Answers, read
from wine_slo.slo.evaluation.schedule import Grid, Scrapes
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Key, Objective, Objectives
from wine_slo.slo.source.metric_source import Points, Sample

NOW = at(3600)
STEP = timedelta(seconds=5)
GRID = Grid(NOW - 6 * STEP, NOW, STEP)
TARGET = {"job": "wine-slo", "instance": "a"}
SCRAPES = Scrapes([Sample(TARGET, 1.0)], [Sample(TARGET, NOW.timestamp() - 1)])
BY = replace(LATENCY, by=("endpoint",))
PREDICT, GONE = (Key("latency", (("endpoint", name),)) for name in ("/predict", "/gone"))


def each_interval(rate: float) -> Points:
    return {(NOW - number * STEP).timestamp(): rate for number in range(6)}


def answers(**changes: object) -> Answers:
    """A busy service that meets its objective."""
    busy: Mapping[Key, Points] = {KEY: each_interval(10)}
    known = Answers(
        at=NOW, scrapes=SCRAPES, grid=GRID, total=busy, good=busy, bad={}, clear={}, ages={},
        shown={KEY: 3000.0}, long={KEY: 18_000.0}, total_settled={KEY: 1.0}, part_settled={KEY: 1.0},
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]


def sight(objective: Objective = LATENCY, key: Key = KEY, **changes: object) -> Sight:
    return read(objective, State(), answers(**changes))[key].sight


def test_how_far_apart_targets_are_scraped_is_that_of_the_label_sets_own() -> None:
    names = {"a": 1.0, "b": 4.0}
    scraped = [Sample({**TARGET, "instance": name}, NOW.timestamp() - wait) for name, wait in names.items()]
    scrapes = Scrapes([Sample(each.labels, 1.0) for each in scraped], scraped)
    assert read(LATENCY, State(), answers(scrapes=scrapes))[KEY].apart == timedelta(seconds=3)
    one = Key("latency", (("instance", "a"),))
    by_instance = replace(LATENCY, by=("instance",))
    assert read(by_instance, State(), answers(scrapes=scrapes, shown={one: 9.0}))[one].apart == timedelta(0)


def test_a_busy_service_is_seen_clearly() -> None:
    assert sight() is Sight.CLEAR


def test_events_over_the_range_without_a_usable_interval_are_stale() -> None:
    assert sight(total={}, good={}) is Sight.STALE


def test_intervals_that_are_all_old_are_no_usable_ones() -> None:
    old = {KEY: {(NOW - timedelta(seconds=25)).timestamp(): 10.0}}
    assert sight(total=old, good=old) is Sight.STALE


def test_where_there_are_no_samples_nothing_is_stale() -> None:
    assert sight(total={}, good={}, shown={KEY: 0.0}) is Sight.NO_TRAFFIC


GONE_SERIES: dict[str, Any] = {"total": {}, "good": {}, "total_settled": {}, "part_settled": {}}


@pytest.mark.parametrize("objective", [LATENCY, BY], ids=["one state", "label sets"])
def test_series_that_had_much_traffic_and_are_all_gone_are_missing_and_no_want_of_requests(
    objective: Objective,
) -> None:
    found = read(objective, State(), answers(**GONE_SERIES, shown={}, long={KEY: 300.0}))
    assert found[KEY].sight is Sight.STALE
    assert str(found[KEY].reason) == (
        'Prometheus has no series of request_latency_seconds_count{job="wine-slo"} any more'
    )


def test_a_service_with_little_traffic_may_have_no_series_after_a_restart() -> None:
    assert sight(LATENCY, KEY, **GONE_SERIES, shown={}, long={KEY: 299.0}) is Sight.NO_TRAFFIC


def test_targets_that_come_back_have_one_sample_of_each_counter_and_are_missing_none() -> None:
    down = {KEY: without_data(NOW, Sight.TARGET_DOWN, "all scrapes fail")}
    state = advance(State(), Objectives.only(LATENCY), down, NOW)
    found = read(LATENCY, state, answers(**GONE_SERIES, shown={}, long={KEY: 300.0}))
    assert found[KEY].sight is Sight.NO_TRAFFIC


def test_series_that_are_there_without_events_are_not_missing() -> None:
    assert sight(total={KEY: each_interval(0)}, good={KEY: each_interval(0)}, shown={}) is Sight.NO_TRAFFIC


def test_what_is_missing_stays_so_until_there_are_series_however_long_that_takes() -> None:
    gone: dict[str, object] = {**GONE_SERIES, "shown": {}}
    first = read(LATENCY, State(), answers(**gone, long={KEY: 300.0}))
    state = advance(State(), Objectives.only(LATENCY), first, NOW)
    state = advance(state, Objectives.only(LATENCY), first, NOW + timedelta(minutes=2))
    assert [str(each.key) for each in state.open_incidents] == ['sight{job="wine-slo"}']
    assert read(LATENCY, state, answers(**gone, long={}))[KEY].sight is Sight.STALE
    assert read(LATENCY, state, answers())[KEY].sight is Sight.CLEAR


def test_series_that_have_just_appeared_are_not_taken_for_samples_that_are_too_far_apart() -> None:
    assert sight(total={}, good={}, total_settled={}, part_settled={}) is Sight.CLEAR


def test_a_label_set_that_is_gone_is_not_taken_for_samples_that_are_too_far_apart() -> None:
    seen = {PREDICT: each_interval(10)}
    found = {"total": seen, "good": seen, "total_settled": {PREDICT: 1.0}, "part_settled": {PREDICT: 1.0}}
    shown = {"shown": {PREDICT: 3000.0, GONE: 200.0}, "long": {PREDICT: 9000.0, GONE: 200.0}}
    assert sight(BY, PREDICT, **found, **shown) is Sight.CLEAR
    assert sight(BY, GONE, **found, **shown) is Sight.CLEAR


def test_bad_events_whose_samples_are_further_apart_than_those_of_all_events_are_stale() -> None:
    key = Key("errors")
    ratio = {"total": {key: each_interval(10)}, "good": {}, "shown": {key: 3000.0}, "long": {key: 18_000.0}}
    settled = {"total_settled": {key: 1.0}}
    assert sight(ERRORS, key, **ratio, **settled, bad={}, part_settled={key: 1.0}) is Sight.STALE
    assert sight(ERRORS, key, **ratio, **settled, bad={}, part_settled={}) is Sight.CLEAR
    assert sight(ERRORS, key, **ratio, **settled, bad={key: each_interval(0)}, part_settled={key: 1.0}) is Sight.CLEAR


def test_where_no_good_event_has_a_series_all_have_failed() -> None:
    key = Key("errors")
    deliveries = replace(ERRORS, source=Ratio(bad=(), total=("mails_total",), good=("mails_delivered_total",)))
    seen = {"total": {key: each_interval(10)}, "good": {}, "shown": {key: 3000.0}, "long": {key: 18_000.0}}
    reading = read(deliveries, State(), answers(**seen, total_settled={key: 1.0}, part_settled={}))[key]
    assert reading.sight is Sight.CLEAR
    assert [each.bad_ratio for each in reading.intervals] == [1.0] * 6


def test_scrapes_themselves_need_no_second_sample() -> None:
    key = Key("availability")
    assert sight(AVAILABILITY, key, total={key: {NOW.timestamp(): 1.0}}, good={}, shown={key: 5.0}) is Sight.CLEAR


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param(SCRAPES, {}, id="an idle service says nothing of label sets that nobody has seen"),
        pytest.param(Scrapes([Sample(TARGET, 0.0)], SCRAPES.at), {KEY: Sight.TARGET_DOWN}, id="no target answers"),
        pytest.param(Scrapes(SCRAPES.up, [Sample(TARGET, 0.0)]), {KEY: Sight.STALE}, id="the samples are old"),
    ],
)
def test_that_nothing_can_be_seen_is_said_too_where_no_label_set_is_known(
    targets: Scrapes, expected: dict[Key, Sight]
) -> None:
    nothing: dict[str, object] = {
        name: {} for name in ("total", "good", "shown", "long", "total_settled", "part_settled")
    }
    found = read(BY, State(), answers(**nothing, scrapes=targets))
    assert {key: each.sight for key, each in found.items()} == expected


# Histograms without a bucket at the threshold


@pytest.mark.parametrize(
    ("settled", "said"),
    [
        pytest.param(0.0, "no bucket of request_latency_seconds ends at 1 s", id="none has it"),
        pytest.param(
            3.0, "1 of 4 series of request_latency_seconds have no bucket that ends at 1 s", id="some do not have it"
        ),
    ],
)
def test_a_histogram_without_a_bound_at_the_threshold_cannot_be_judged(settled: float, said: str) -> None:
    part = {KEY: settled} if settled else {}
    reading = read(LATENCY, State(), answers(total_settled={KEY: 4.0}, part_settled=part))[KEY]
    assert (reading.sight, str(reading.reason)) == (Sight.BLIND, said)


def test_that_is_so_too_while_no_interval_can_be_seen() -> None:
    assert sight(total={}, good={}, part_settled={}) is Sight.BLIND


def test_one_label_set_without_the_bound_costs_the_others_nothing() -> None:
    seen = {PREDICT: each_interval(10), GONE: each_interval(10)}
    found = {"total": seen, "good": {PREDICT: each_interval(10)}, "shown": dict.fromkeys(seen, 3000.0)}
    settled = {"total_settled": dict.fromkeys(seen, 1.0), "part_settled": {PREDICT: 1.0}}
    more = {"long": dict.fromkeys(seen, 9000.0)}
    assert sight(BY, PREDICT, **found, **settled, **more) is Sight.CLEAR
    assert sight(BY, GONE, **found, **settled, **more) is Sight.BLIND
