"""Which regular expressions and strings Prometheus takes, and what is wrong with others."""

import pytest

from wine_slo.slo.objectives.expression import matches_all, unquoted, wrong_with_expression, wrong_with_string
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
        "a(?i)+",
        "a*(?i)*",
        "a{01}+",
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
        (r"a\Q.b", r"has \Q without its \E"),
        ("[[:word:]", "has a [ that is not closed"),
        ("[^]", "has a [ that is not closed"),
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


@pytest.mark.parametrize("escape", [r"\400", r"\12", r"\ud800", r"\U00110000", r"\x4"])
def test_an_escape_that_is_no_letter_is_refused(escape: str) -> None:
    assert wrong_with_string(f'"{escape}"') is not None


def test_a_quote_is_escaped_in_its_own_string_alone() -> None:
    assert wrong_with_string(r"""'\''""") is None
    assert wrong_with_string(r"""'\"'""") == r"""has \" in a string of other quotes; write " alone there"""


def test_an_expression_is_read_behind_the_escapes_of_its_string() -> None:
    assert wrong_with_matchers(r'path=~"\x28a\u007cb)\057\n"') is None
    assert wrong_with_matchers(r'path=~"\x28a"') == r'has path=~"\x28a", which has a ( that is not closed'
    assert unquoted(r'"\x28\\d\t\"\101"') == '(\\d\t"A'


def test_what_python_reads_in_another_way_is_not_known() -> None:
    assert matches_all("5[[:digit:]]{2}", "500") is None
    assert matches_all(r"\Q5\E..", "500") is None
    assert matches_all("5..", "500") is True
    assert matches_all("5..", "5000") is False


def test_a_selector_with_such_a_value_is_refused() -> None:
    said = 'has code=~"5(", which has a ( that is not closed'
    assert wrong_with_selector('x_total{job="a", code=~"5("}') == said
    assert wrong_with_matchers('code=~"5("') == said
    assert wrong_with_selector('x_total{code="5("}') is None
    assert wrong_with_selector(r'x_total{code!~"\d"}') == (
        r'has code!~"\d", which has \d in a string, which is no escape there; write \\d, or the string in backquotes'
    )
