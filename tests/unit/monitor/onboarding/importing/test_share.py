"""What an expression of a share becomes in slo.yml: a table of the shapes that are in use."""

from typing import Any

import pytest

from wine_slo.monitor.onboarding.importing.promql.events import Counting
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError, parse
from wine_slo.monitor.onboarding.importing.promql.indicator import Indicator, indicators
from wine_slo.monitor.onboarding.importing.promql.share import share

LATENCY = {"kind": "latency", "histogram": "served_seconds", "threshold": "300ms"}
SLOW_OR_FAILED = {**LATENCY, "success_selector": 'code!~"5.."'}
RATIO = {"kind": "ratio", "bad": 'done_total{code=~"5.."}', "total": "done_total"}
COUNT = "sum(rate(served_seconds_count[5m]))"
DONE = "sum(rate(done_total[5m]))"
FAST, FASTER, OF_A, SUCCEEDED = "le='0.3'", "le='0.1'", "a='1', le='0.3'", "code!~'5..', le='0.3'"
COUNT_OF_A = "sum(rate(served_seconds_count{a='1'}[5m]))"
COUNT_OF_SUCCEEDED = "sum(rate(served_seconds_count{code!~'5..'}[5m]))"
COUNT_OF_FAILED = "sum(rate(served_seconds_count{code=~'5..'}[5m]))"
OF_GOOD = {"kind": "ratio", "good": 'done_total{code!~"5.."}', "total": "done_total"}


def over(part: str, total: str) -> str:
    return f"({part}) / {total}"


def bucket(matchers: str) -> str:
    return f"sum(rate(served_seconds_bucket{{{matchers}}}[5m]))"


def made(text: str, *, is_bad: bool = True, bare: bool = False) -> list[Indicator]:
    return indicators(share(parse(text), Counting(bare=bare)), is_bad=is_bad)


def only(text: str, *, is_bad: bool = True, bare: bool = False) -> dict[str, Any]:
    (indicator,) = made(text, is_bad=is_bad, bare=bare)
    return dict(indicator.fields)


@pytest.mark.parametrize(
    "text",
    [
        'sum(rate(done_total{code=~"5.."}[5m])) / sum(rate(done_total[5m]))',
        'sum(increase(done_total{code=~"5.."}[1h])) / sum(increase(done_total[1h]))',
        'sum by (job) (irate(done_total{code=~"5.."}[1m])) / ignoring(code) sum by (job) (irate(done_total[1m]))',
        '(sum(rate(done_total{code=~"5.."}[5m])) or vector(0)) / sum(rate(done_total[5m]))',
        '(sum(rate(done_total{code=~"5.."}[5m])) or on() sum(rate(done_total[5m])) * 0) / sum(rate(done_total[5m]))',
        '(sum(rate(done_total{code=~"5.."}[5m])) / (sum(rate(done_total[5m])) > 0)) or on() vector(0)',
        'clamp_max(sum(rate(done_total{code=~"5.."}[5m])) / clamp_min(sum(rate(done_total[5m])), 1), 1)',
        'sum(label_replace(rate(done_total{code=~"5.."}[5m]), "a", "$1", "b", "(.*)")) / sum(rate(done_total[5m]))',
        'sum(rate({__name__="done_total", code=~"5.."}[5m])) / sum(rate(done_total[5m]))',
        'sum_over_time(rate(done_total{code=~"5.."}[5m])[30d:5m]) / sum_over_time(rate(done_total[5m])[30d:])',
        'avg(sum by (a) (rate(done_total{code=~"5.."}[5m])) / sum by (a) (rate(done_total[5m])))',
        '(sum(rate(done_total[5m])) - sum(rate(done_total{code!~"5.."}[5m]))) / sum(rate(done_total[5m]))',
    ],
)
def test_a_share_of_bad_events_is_a_ratio(text: str) -> None:
    found = only(text)
    assert found in (RATIO, {"kind": "ratio", "good": 'done_total{code!~"5.."}', "total": "done_total"})
    assert ("bad" in found) == ("code!~" not in text)


@pytest.mark.parametrize(
    "text",
    [
        '1 - sum(rate(done_total{code!~"5.."}[5m])) / sum(rate(done_total[5m]))',
        '(sum(rate(done_total[5m])) - sum(rate(done_total{code!~"5.."}[5m]))) / sum(rate(done_total[5m]))',
    ],
)
def test_a_share_that_lacks_the_good_events_is_a_ratio_of_good_ones(text: str) -> None:
    assert only(text) == OF_GOOD


def test_metrics_that_are_added_up_are_lists() -> None:
    text = "sum(rate(lost_total[5m])) / (sum(rate(sent_total[5m])) + sum(rate(lost_total[5m])))"
    assert only(text) == {"kind": "ratio", "bad": "lost_total", "total": ["sent_total", "lost_total"]}
    text = 'sum(rate({__name__=~"a_total|b_total", x="1"}[5m])) / sum(rate(all_total[5m]))'
    assert only(text) == {"kind": "ratio", "bad": ['a_total{x="1"}', 'b_total{x="1"}'], "total": "all_total"}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (over(bucket("le='0.3'"), COUNT), LATENCY),
        (over(bucket("le='0.3'"), bucket("le='+Inf'")), LATENCY),
        (
            over(bucket("le=~'0\\\\.3|0\\\\.30', path='/a'"), "sum(rate(served_seconds_count{path='/a'}[5m]))"),
            {**LATENCY, "selector": 'path="/a"'},
        ),
        (over(bucket("le='0.3', code!~'5..'"), COUNT), SLOW_OR_FAILED),
        (
            "sum(rate(took_milliseconds_bucket{le='300'}[5m])) / sum(rate(took_milliseconds_count[5m]))",
            {"kind": "latency", "histogram": "took_milliseconds", "unit": "ms", "threshold": "300ms"},
        ),
        (over(bucket("le='0.00025'"), COUNT), {**LATENCY, "threshold": "250us"}),
        (over(bucket("le='0.0025'"), COUNT), {**LATENCY, "threshold": "2.5ms"}),
        (
            "histogram_fraction(0, 0.3, sum(rate(served_seconds[5m])))",
            {"kind": "latency", "histogram": "served_seconds", "native": True, "threshold": "300ms"},
        ),
        (
            "sum(rate(answer_bytes_bucket{le='1000'}[5m])) / sum(rate(answer_bytes_count[5m]))",
            {"kind": "ratio", "good": 'answer_bytes_bucket{le=~"1000(\\\\.0)?"}', "total": "answer_bytes_count"},
        ),
        (
            over(bucket("le='0.3'"), DONE),
            {"kind": "ratio", "good": 'served_seconds_bucket{le="0.3"}', "total": "done_total"},
        ),
    ],
)
def test_a_bucket_of_its_own_histogram_is_a_latency(text: str, fields: dict[str, Any]) -> None:
    assert only(text, is_bad=False) == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            over(f"{COUNT_OF_A} - {bucket(OF_A)}", COUNT_OF_A),
            {**LATENCY, "selector": 'a="1"'},
        ),
        (
            over(
                f"(sum(rate(served_seconds_count{{code!~'5..'}}[5m])) - {bucket(SUCCEEDED)}) + {COUNT_OF_FAILED}", COUNT
            ),
            SLOW_OR_FAILED,
        ),
    ],
)
def test_what_is_not_in_a_bucket_is_a_latency_too(text: str, fields: dict[str, Any]) -> None:
    assert only(text) == fields


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (
            "(sum_over_time((count(level < 0.75))[5m:]) or on() vector(0)) / sum_over_time((count(level))[5m:])",
            ">= 0.75",
        ),
        ("sum(count_over_time((level > 9)[5m:])) / sum(count_over_time(level[5m]))", "<= 9"),
        ("count(level > 9) / count(level)", "<= 9"),
        ("avg_over_time((level > bool 9)[5m:])", "<= 9"),
        ("avg(level == bool 3)", "!= 3"),
        ("sum(level > bool 9) / count(level)", "<= 9"),
        ("1 - avg_over_time((0.5 < bool level)[5m:])", "> 0.5"),
        ("sum(avg_over_time((level > bool 9)[5m:1m])) / count(level)", "<= 9"),
    ],
)
def test_samples_that_compare_so_are_a_gauge(text: str, good: str) -> None:
    assert only(text) == {"kind": "gauge", "good": f"level {good}"}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('avg_over_time(probe_success{a="1"}[5m])', 'probe_success{a="1"} == 1'),
        ("sum(sum_over_time(pg_up[5m])) / sum(count_over_time(pg_up[5m]))", "pg_up == 1"),
        ("1 - max by (name) (avg_over_time(api_unavailable[5m]))", "api_unavailable == 0"),
    ],
)
def test_the_mean_of_a_gauge_of_0_and_1_is_one(text: str, good: str) -> None:
    assert only(text, is_bad=False) == {"kind": "gauge", "good": good}


@pytest.mark.parametrize(
    "text", ["avg(up)", "sum(up) / count(up)", "count(up == 1) / count(up)", "avg_over_time(up[5m])"]
)
def test_the_share_of_targets_that_are_up_is_that_kind(text: str) -> None:
    assert only(text, is_bad=False) == {"kind": "up"}


def test_slow_and_failed_requests_of_different_metrics_are_an_objective_each() -> None:
    first, second = bucket("verb='GET', scope='a', le='1'"), bucket("verb='GET', scope='b', le=~'5(\\\\.0)?'")
    too_slow = f"sum(rate(served_seconds_count{{verb='GET'}}[1d])) - (({first} or vector(0)) + {second})"
    slow, failed = made(f"(({too_slow}) + sum(rate(done_total{{code=~'5..'}}[1d]))) / {DONE}")
    assert slow.fields == {
        "kind": "ratio",
        "good": [
            'served_seconds_bucket{verb="GET", scope="a", le=~"1(\\\\.0)?"}',
            'served_seconds_bucket{verb="GET", scope="b", le=~"5(\\\\.0)?"}',
        ],
        "total": 'served_seconds_count{verb="GET"}',
    }
    assert failed.fields == RATIO
    assert (slow.suffix, failed.suffix) == ("slow", "failed")
    assert slow.remarks[0].startswith("changed: slow and failed requests are counted by different metrics")


def test_what_a_total_is_less_by_is_left_out_and_said() -> None:
    text = "sum(rate(lost_total[5m])) / (sum(rate(sent_total[5m])) - sum(rate(again_total[5m])))"
    (indicator,) = made(text)
    assert indicator.fields == {"kind": "ratio", "bad": "lost_total", "total": "sent_total"}
    assert indicator.remarks[0].startswith("changed: the total is no longer less again_total")


@pytest.mark.parametrize(
    ("bound", "unit"),
    [("500", {"unit": "ms", "threshold": "500ms"}), ("0.5", {"threshold": "500ms"})],
)
def test_a_unit_that_no_name_says_is_a_remark(bound: str, unit: dict[str, str]) -> None:
    text = f'sum(rate(rq_time_bucket{{le="{bound}"}}[5m])) / sum(rate(rq_time_count[5m]))'
    (indicator,) = made(text, is_bad=False)
    assert indicator.fields == {"kind": "latency", "histogram": "rq_time", **unit}
    assert "does not say its unit" in indicator.remarks[0]


@pytest.mark.parametrize("side", ["good", "bad"])
def test_events_that_are_all_there_are_is_questioned(side: str) -> None:
    (indicator,) = made(over(DONE, DONE), is_bad=side == "bad")
    assert indicator.fields == {"kind": "ratio", side: "done_total", "total": "done_total"}
    assert list(indicator.remarks) == [
        f"see what was meant: {side} and total are the same, so that every event is {side}"
    ]


def test_good_requests_are_some_of_all() -> None:
    (indicator,) = made(over(bucket("le='0.3'"), COUNT_OF_A), is_bad=False)
    assert indicator.fields == {**LATENCY, "selector": 'a="1"'}
    assert indicator.remarks == ('changed: good events are of the same series as all: a="1" holds for both',)


def test_a_latency_of_failed_requests_alone_is_taken_and_questioned() -> None:
    (indicator,) = made(
        'sum(rate(served_seconds_bucket{le="0.3", code=~"5.."}[5m])) / sum(rate(served_seconds_count[5m]))',
        is_bad=False,
    )
    assert indicator.fields["success_selector"] == 'code=~"5.."'
    assert any(each.startswith("see what was meant") for each in indicator.remarks)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sum(rate(done_total[5m]))", "is no share of events: rate(…)"),
        ("free_bytes / size_bytes", "reads free_bytes as it is, which is no count of events"),
        ("sum(sum_over_time(score[5m])) / sum(count_over_time(score[5m]))", "is the mean of score"),
        ("job:errors:rate5m / job:requests:rate5m", "reads job:errors:rate5m, which a recording rule makes"),
        (
            over(bucket("le='0.3'"), COUNT),
            "counts the requests within 0.3 as bad",
        ),
        (
            over(f"({bucket(FAST)} + {bucket(FASTER)}) / 2", COUNT),
            "adds and subtracts in a way that slo.yml has no words for",
        ),
        ("count(level > bool 9) / count(level)", "divides a count of samples by itself"),
        ("topk(3, a) / b", "is no count of events: topk(…)"),
        (
            "rate(served_seconds_sum[5m]) / rate(served_seconds_count[5m])",
            "is a mean, of which no event is good or bad",
        ),
        ("vector(0) / sum(rate(done_total[5m]))", "counts nothing as bad"),
        ("sum(rate(done_total[5m])) / vector(0)", "has a total that counts nothing"),
    ],
)
def test_what_is_no_share_of_events_is_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        made(text)
    assert str(refused.value).startswith(reason)


def test_a_recorded_rate_is_no_counter_even_where_bare_selectors_are() -> None:
    with pytest.raises(ExpressionError, match="reads job:lost:rate5m, which a recording rule makes"):
        made("job:lost:rate5m / job:sent:rate5m", bare=True)


def test_bare_selectors_are_counters_where_a_format_says_so() -> None:
    assert only('sum(done{code="5xx"}) / sum(done)', bare=True) == {
        "kind": "ratio",
        "bad": 'done{code="5xx"}',
        "total": "done",
    }
