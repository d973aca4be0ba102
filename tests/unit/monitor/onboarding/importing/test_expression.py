"""PromQL as a tree: what is read, and what is refused with a reason."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.monitor.onboarding.importing.promql.expression import (
    Call,
    ExpressionError,
    Matcher,
    Selector,
    parse,
)

RATE = Call("rate", (Selector("done_total", (Matcher("code", "=~", "[45].."),)),))


@pytest.mark.parametrize(
    "window",
    [
        "5m",
        "{{.window}}",
        "{{ .window }}",
        '{{"{{.window}}"}}',
        "$__rate_interval",
        "${w}",
        "$window",
        "window",
        "1h30m",
    ],
)
def test_a_placeholder_of_a_range_counts_as_a_range(window: str) -> None:
    assert parse(f'rate(done_total{{code=~"[45].."}}[{window}])') == RATE


@pytest.mark.parametrize("window", ["5m:", "{{.window}}:", "30d:5m", "{{.window}}:{{.step}}", "$__range:1m"])
def test_a_placeholder_of_a_subquery_counts_as_one(window: str) -> None:
    assert parse(f"count_over_time((up == 0)[{window}])") == parse("count_over_time((up == 0)[5m:])")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('sum(rate(a_total{job="$job"}[5m]))', "holds the placeholder $job, which has to be filled in first"),
        ("a_total{{{ .filter }}}", "holds the placeholder {{{ .filter }}, which has to be filled in first"),
        ("rate(a_total[5m] offset 1w)", "compares with another time, by `offset` or `@`"),
        ("max_over_time(a[1h:] @ 5)", "compares with another time, by `offset` or `@`"),
        ("histogram_share(1, a)", "uses histogram_share(…), which Prometheus does not know"),
        ('a{b="1" or c="2"}', "selects series by an `or` between matchers, which Prometheus does not know"),
        ("(" * 100 + "a" + ")" * 100, "has an expression that is nested more than 60 deep"),
        ("a" + "+a" * 2000, "has an expression of more than 20,000 letters or 1,000 signs"),
        ("a" * 30_000, "has an expression of more than 20,000 letters or 1,000 signs"),
    ],
)
def test_what_cannot_be_taken_over_is_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert str(refused.value) == reason


def test_what_is_no_promql_is_a_reason() -> None:
    with pytest.raises(ExpressionError, match="has an expression that is no PromQL: "):
        parse("sum(rate(a_total[5m])")


@pytest.mark.parametrize(
    "text",
    [
        "done_total",
        'done_total{code=~"5..", path!~"/a\\\\.b|\\"c\\""}',
        '{"http.done", code="200"}',
        '{"http.done"}',
        'done_total{"http.code"="200"}',
    ],
)
def test_a_selector_is_written_as_it_was_read(text: str) -> None:
    assert str(parse(text)) == text


def test_a_name_among_the_matchers_is_the_metric() -> None:
    assert str(parse('{job="a", __name__="done_total"}')) == 'done_total{job="a"}'


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_reason(text: str) -> None:
    with suppress(ExpressionError):
        parse(text)


@given(st.text(min_size=1, max_size=20).filter(lambda each: "$" not in each and "{" not in each))
def test_any_value_of_a_label_survives(value: str) -> None:
    selector = Selector("done_total", (Matcher("path", "=", value),))
    assert parse(str(selector)) == selector
