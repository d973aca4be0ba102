"""What may be written as a selector, and how a text becomes a string of PromQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.slo.objectives.selector import SPECIAL, quoted, wrong_with_matchers, wrong_with_selector

NAMES = st.from_regex(r"[a-z_:][a-z0-9_:]{0,8}", fullmatch=True)
LABELS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
SIGNS = st.sampled_from(["=", "!=", "=~", "!~"])
TEXTS = st.text(max_size=9).map(lambda text: SPECIAL.sub(r"\\\1", text))  # which matches itself alone
MATCHER = st.builds(lambda name, sign, value: f"{name}{sign}{quoted(value)}", LABELS, SIGNS, TEXTS)
MATCHERS = st.lists(MATCHER, max_size=4)


@given(NAMES, MATCHERS, st.sampled_from([",", ", ", " ,\n"]))
def test_a_metric_with_any_matchers_is_a_selector(name: str, matchers: list[str], between: str) -> None:
    assert wrong_with_selector(f"{name}{{{between.join(matchers)}}}") is None
    assert wrong_with_matchers(between.join(matchers)) is None


@pytest.mark.parametrize(
    "text",
    [
        "up",
        "job:requests:rate5m",
        '{__name__=~"http_.*", code="500"}',
        '{"http.requests", "odd.label"=\'x\'}',
        'x{path="/a(b)[c]{d}", }',
        'x{query=`a"b`}',
        'x{a="\\\\", b="\\""}',
        " x {} ",
    ],
)
def test_whatever_prometheus_takes_for_a_selector_is_one(text: str) -> None:
    assert wrong_with_selector(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a + b",
        "a / b",
        "rate(a[5m])",
        "a[5m]",
        "a offset 5m",
        "a{b}",
        "a{b=c}",
        'a{b="c"',
        'a{b="c"}}',
        '"a"',
        "1",
        'a{b=="c"}',
    ],
)
def test_whatever_it_does_not_is_none(text: str) -> None:
    assert wrong_with_selector(text) is not None


@pytest.mark.parametrize("text", ["a" * 10**5 + "!", "a{" + ' b="c",' * 20_000 + "!", " " * 10**5 + "!", '"' * 100_001])
def test_a_long_text_that_is_none_is_refused_at_once(text: str) -> None:
    assert wrong_with_selector(text) is not None
    assert wrong_with_matchers(text) is not None


@given(st.text())
def test_a_string_of_promql_holds_the_text_and_ends_where_it_ends(text: str) -> None:
    assert wrong_with_selector(f"up{{job={quoted(text)}}}") is None
