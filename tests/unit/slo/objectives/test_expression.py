"""Which regular expressions and strings Prometheus takes, and what is wrong with others."""

import pytest

from wine_slo.slo.objectives.expression import wrong_with_expression, wrong_with_string
from wine_slo.slo.objectives.selector import wrong_with_matchers, wrong_with_selector


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5..",
        r"5\d\d",
        "/api/(users|orders)/.*",
        "(?i:get|post)",
        "(?i)get",
        "(?P<first>a)|b",
        "[^]a-z[:digit:]]+?",
        r"[\]]*",
        r"\p{Greek}+\pN",
        r"\x41\x{10FFFF}\012\07",
        r"\Q(((\E+",
        "a{2}b{2,}c{2,1000}?",
        "a{,3}{",
        "^a*$",
        "|a|",
        r"\.\-\/",
    ],
)
def test_what_prometheus_takes_is_an_expression(text: str) -> None:
    assert wrong_with_expression(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(?!5..).*", "has (?!5, which is not known in RE2, the language of Prometheus"),
        ("a(?=b)", "has (?=b, which is not known in RE2, the language of Prometheus"),
        ("(?<=a)b", "has (?<=, which is not known in RE2, the language of Prometheus"),
        ("(?>a)", "has (?>a, which is not known in RE2, the language of Prometheus"),
        (r"(a)\1", r"refers back to a group with \1, which RE2, the language of Prometheus, does not have"),
        (r"a\Z", r"has \Z, which is not known in RE2, the language of Prometheus"),
        ("(a|b", "has a ( that is not closed"),
        ("a|b)", "has a ) without its ("),
        ("[a-z", "has a [ that is not closed"),
        ("*.example.com", "repeats nothing with *"),
        ("a|+", "repeats nothing with +"),
        ("(?i)*", "repeats nothing with *"),
        ("a**", "repeats nothing with *"),
        ("a{1001}", "repeats more than 1000 times with {1001}"),
        ("a\\", "ends with a backslash"),
    ],
)
def test_what_prometheus_does_not_take_is_refused_with_the_reason(text: str, said: str) -> None:
    assert wrong_with_expression(text) == said


def test_strings_know_few_escapes() -> None:
    assert wrong_with_string(r'"5\d\d"') == (
        r"has \d in a string, which is no escape there; write \\d, or the string in backquotes"
    )
    assert wrong_with_string(r'"5\\d\\d"') is None
    assert wrong_with_string(r"`5\d\d`") is None
    assert wrong_with_string(r'"\"\n\x41\u00e9\101"') is None


def test_a_selector_with_such_a_value_is_refused() -> None:
    said = 'has code=~"5(", which has a ( that is not closed'
    assert wrong_with_selector('x_total{job="a", code=~"5("}') == said
    assert wrong_with_matchers('code=~"5("') == said
    assert wrong_with_selector('x_total{code="5("}') is None
    assert wrong_with_selector(r'x_total{code!~"\d"}') == (
        r'has code!~"\d", which has \d in a string, which is no escape there; write \\d, or the string in backquotes'
    )
