"""What an alert's expression becomes: objective, and what is counted."""

from typing import Any

import pytest

from wine_slo.monitor.onboarding.importing.promql.alert import Condition, conditions
from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError, parse

SHARE = 'sum(rate(done_total{code=~"5.."}[5m])) / sum(rate(done_total[5m]))'
GOOD = 'sum(rate(done_total{code!~"5.."}[5m])) / sum(rate(done_total[5m]))'
RATIO = {"kind": "ratio", "bad": 'done_total{code=~"5.."}', "total": "done_total"}
OF_GOOD = {"kind": "ratio", "good": 'done_total{code!~"5.."}', "total": "done_total"}
QUANTILE = "histogram_quantile(0.95, sum by (le) (rate(served_seconds_bucket[5m])))"


def found(text: str, *, is_good: bool = False) -> list[Condition]:
    return conditions(parse(text), Counting(bare=False), is_good=is_good)


def only(text: str) -> Condition:
    (condition,) = found(text)
    return condition


@pytest.mark.parametrize(
    ("text", "fields", "objective"),
    [
        (f"{SHARE} > 0.05", RATIO, 0.95),
        (f"0.05 < {SHARE}", RATIO, 0.95),
        (f"({SHARE}) * 100 > 5", RATIO, 0.95),
        (f"100 * {SHARE} > 5", RATIO, 0.95),
        (f"round(({SHARE}) * 100, 0.1) >= 5", RATIO, 0.95),
        (f"{GOOD} < 0.99", OF_GOOD, 0.99),
        (f"1 - {GOOD} > 0.01", OF_GOOD, 0.99),
        (f"100 - (100 * {SHARE}) < 99.5", RATIO, 0.995),
        (f"100 * (1 - {SHARE}) < 99.5", RATIO, 0.995),
        (f"sum by (job) ({SHARE}) > 0.05", RATIO, 0.95),
        (f"{SHARE} > 0", RATIO, None),
    ],
)
def test_a_share_held_to_a_number_has_its_objective(text: str, fields: dict[str, Any], objective: float) -> None:
    condition = only(text)
    assert condition.indicator.fields == fields
    assert condition.objective == objective
    assert not condition.is_budget


@pytest.mark.parametrize("number", ["(14.4 * 0.001)", "14.4 * (1 - 0.999)", "(6 * 0.0009999999999999)", "0.001 * 14"])
def test_a_burn_rate_has_the_objective_of_its_budget(number: str) -> None:
    condition = only(f"{SHARE} > {number} and {SHARE} > {number}")
    assert condition.objective == 0.999
    assert condition.is_budget
    assert not condition.indicator.remarks


def test_a_burn_rate_of_good_events_has_the_objective_of_its_budget() -> None:
    condition = only(f"{GOOD} < 1 - (14.4 * 0.001)")
    assert (condition.indicator.fields, condition.objective, condition.is_budget) == (OF_GOOD, 0.999, True)


@pytest.mark.parametrize(
    ("text", "threshold"),
    [(f"{QUANTILE} > 0.3", "300ms"), (f"{QUANTILE} * 1000 > 300", "300ms"), (f"{QUANTILE} >= 2", "2s")],
)
def test_a_quantile_is_a_latency_with_the_quantile_as_its_objective(text: str, threshold: str) -> None:
    condition = only(text)
    assert condition.indicator.fields == {"kind": "latency", "histogram": "served_seconds", "threshold": threshold}
    assert condition.objective == 0.95


def test_a_quantile_of_no_buckets_is_one_of_a_native_histogram() -> None:
    fields = only("histogram_quantile(0.95, sum(rate(served_seconds[5m]))) > 0.3").indicator.fields
    assert fields == {"kind": "latency", "histogram": "served_seconds", "native": True, "threshold": "300ms"}


@pytest.mark.parametrize(
    "text",
    [
        'up{job="a"} == 0', 'up{job="a"} < 1', 'up{job="a"} != 1', 'sum(up{job="a"}) == 0',
        'absent(up{job="a"})', 'absent(up{job="a"} == 1)', 'absent(up{job="a"}) == 1',
        'count(up{job="a"} == 0) > 0', 'max by (a) (up{job="a"} == 0)',
    ],
)  # fmt: skip
def test_targets_that_are_down_are_of_the_kind_up(text: str) -> None:
    condition = only(text)
    assert condition.indicator.fields == {"kind": "up"}
    assert [str(each) for each in condition.indicator.selectors] == ['up{job="a"}']
    assert condition.objective is None


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("probe_success == 0", "probe_success == 1"),
        ("pg_up != 1", "pg_up == 1"),
        ('queue_length{queue="a"} > 100', 'queue_length{queue="a"} <= 100'),
        ("100 < queue_length", "queue_length <= 100"),
        ("free_bytes / 1024 < 10", "free_bytes >= 10240"),
        ("time() - done_timestamp_seconds > 86400", "time() - done_timestamp_seconds <= 1d"),
        ("(time() - done_timestamp_seconds) / 3600 > 26", "time() - done_timestamp_seconds <= 26h"),
        ("time() - done_timestamp_seconds > 60 * 90", "time() - done_timestamp_seconds <= 90m"),
    ],
)
def test_a_gauge_held_to_a_number_is_good_otherwise(text: str, good: str) -> None:
    condition = only(text)
    assert condition.indicator.fields == {"kind": "gauge", "good": good}
    assert not condition.indicator.remarks


@pytest.mark.parametrize("text", ["max(queue_length) > 100", "avg_over_time(queue_length[10m]) > 100"])
def test_a_gauge_of_which_one_value_was_taken_is_judged_by_its_series(text: str) -> None:
    condition = only(text)
    assert condition.indicator.fields["good"] == "queue_length <= 100"
    assert condition.indicator.remarks == ("changed: each series is judged by itself, at each scrape",)


def test_a_condition_that_holds_where_all_is_well_is_good_itself() -> None:
    (condition,) = found("queue_length < 100", is_good=True)
    assert condition.indicator.fields["good"] == "queue_length < 100"


def test_what_a_share_is_joined_with_is_left_out_and_said() -> None:
    condition = only(f"({SHARE} > 0.05) and sum(rate(done_total[5m])) > 10")
    assert condition.indicator.fields == RATIO
    assert condition.indicator.remarks == ("the other condition of its `and` is left out",)


def test_another_condition_that_a_share_is_joined_with_changes_it() -> None:
    condition = only(f"({SHARE} > 0.05) and queue_length > 10")
    assert condition.indicator.remarks == ("changed: the other condition of its `and` is left out",)


def test_what_a_gauge_is_joined_with_changes_it() -> None:
    condition = only("queue_length > 100 unless on() maintenance == 1")
    assert condition.indicator.remarks == ("changed: the other condition of its `unless` is left out",)


def test_both_sides_of_an_or_are_conditions() -> None:
    assert [each.indicator.fields["good"] for each in found("a_length > 1 or b_length > 2")] == [
        "a_length <= 1",
        "b_length <= 2",
    ]


def test_a_side_of_an_or_that_cannot_be_said_is_a_change() -> None:
    condition = only("a_length > 1 or b_length > c_length")
    assert condition.indicator.remarks == (
        "changed: one side of its `or` is left out, as that compares two metrics with each other",
    )


def test_the_labels_of_an_alert_are_kept() -> None:
    assert only("sum by (job, queue) (rate(a_total[5m])) / sum by (job, queue) (rate(b_total[5m])) > 0.1").by == (
        "job",
        "queue",
    )
    assert only("histogram_quantile(0.9, sum by (job, le) (rate(a_seconds_bucket[5m]))) > 1").by == ("job",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vector(1)", "fires always, to show that alerting works"),
        ("increase(restarts_total[1h]) > 5", "compares increase(…) with a number, without a total"),
        ("sum(rate(lost_total[5m])) > 1", "compares a sum of rates with a number, without a total"),
        ("sum(queue_length) > 100", "compares sum(…) with a number, where slo.yml compares each series"),
        ("lost_total > 5", "compares the counter lost_total, which only ever grows"),
        ("job:lost:rate5m > 5", "reads job:lost:rate5m, which a recording rule makes"),
        ("a > b", "compares two metrics with each other"),
        ("absent(done_total)", "alerts where done_total is absent, which is reported as no data"),
        (f"{QUANTILE} < 1", "holds a quantile to be above a number"),
        (f"{SHARE} == 0.5", "compares a share by =="),
        (f"{SHARE} > 2", "compares a share with 2, which leaves no objective between 0 and 1"),
        ('ALERTS{severity="info"} == 1', "is about other alerts"),
        ("queue_length", "compares nothing with a number: queue_length"),
        ("predict_linear(free_bytes[1h], 3600) < 0", "compares predict_linear(…) with a number"),
    ],
)
def test_an_alert_that_no_objective_can_say_is_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        found(text)
    assert str(refused.value).startswith(reason)


def test_a_guard_may_stand_first() -> None:
    condition = only(f"sum(rate(done_total[5m])) > 10 and {SHARE} > 0.05")
    assert condition.indicator.fields == RATIO
    assert condition.indicator.remarks == ("the other condition of its `and` is left out",)


@pytest.mark.parametrize(
    "guard", ["queue_length > 100", "replication_factor > 1", "up == 1", "sum(up) > 1", "predict_linear(a[1h], 9) < 0"]
)
def test_a_share_goes_before_whatever_it_is_joined_with(guard: str) -> None:
    for text in (f"{guard} and {SHARE} > 0.05", f"{SHARE} > 0.05 and {guard}"):
        assert only(text).indicator.fields == RATIO


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("free_bytes / size_bytes < 0.03 and used_bytes > 0", "reads free_bytes as it is"),
        ("(free_bytes / size_bytes < 0.03 and used_bytes > 0) unless read_only == 1", "reads free_bytes as it is"),
        ("predict_linear(free_bytes[6h], 3600) < 0 and node_ready == 1", "compares predict_linear(…) with a number"),
        ("node_ready == 1 and predict_linear(free_bytes[6h], 3600) < 0", "compares predict_linear(…) with a number"),
        ("sum by (node) (changes(ready[15m])) > 2 and on (node) unschedulable == 0", "compares sum(…) with a number"),
        (f"replication_factor > 1 and {SHARE} > max(allowed_failures)", "compares two metrics with each other"),
    ],
)
def test_a_guard_is_not_taken_for_what_an_alert_is_about(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        found(text)
    assert str(refused.value).startswith(reason), str(refused.value)


def test_a_gauge_of_targets_that_are_up_is_that_gauge() -> None:
    for text in ("up == 1 and on (instance) queue_length > 100", "queue_length > 100 and on (instance) up == 1"):
        condition = only(text)
        assert condition.indicator.fields == {"kind": "gauge", "good": "queue_length <= 100"}
        assert condition.indicator.remarks == ("the other condition of its `and` is left out",)


@pytest.mark.parametrize("text", ["sum by (job) (up) > 1", "count(up == 1) < 3", "sum(up) < 2", "up == 1", "up > 0"])
def test_a_number_of_targets_that_are_up_is_no_outage(text: str) -> None:
    with pytest.raises(ExpressionError, match="which is no outage of any target"):
        found(text)


def test_an_age_held_to_another_metric_is_a_reason() -> None:
    with pytest.raises(ExpressionError, match="compares an age with another metric"):
        found("time() - max by (group) (last_evaluation_seconds) > 10 * max by (group) (interval_seconds)")


def test_bad_events_held_to_a_part_of_all_are_a_share() -> None:
    condition = only('sum(rate(done_total{code=~"5.."}[5m])) > 0.01 * sum(rate(done_total[5m]))')
    assert (condition.indicator.fields, condition.objective) == (RATIO, 0.99)


def test_series_that_the_alert_judged_one_by_one_are_added_up_and_that_is_said() -> None:
    condition = only('rate(done_total{code=~"5.."}[5m]) / rate(done_total[5m]) > 0.05')
    assert condition.indicator.fields == RATIO
    assert condition.indicator.remarks[0].startswith("changed: all series are added up")
