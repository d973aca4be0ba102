"""Which selectors will never match, by what the series have instead, and which only have nothing to match yet."""

import pytest

from wine_slo.slo.objectives.selector import Matcher, few, mismatch, parts_of, with_matchers


def test_a_selector_is_taken_apart_and_put_together_again() -> None:
    metric, matchers = parts_of('x_total{code=~"5\\\\d+", path!="/a\\"b", c=`d`}')
    assert (metric, [(each.label, each.operator, each.value) for each in matchers]) == (
        "x_total",
        [("code", "=~", r"5\d+"), ("path", "!=", '/a"b'), ("c", "=", "d")],
    )
    assert parts_of(with_matchers(metric, matchers)) == (metric, matchers)
    assert parts_of("up") == ("up", ())
    assert parts_of('{__name__="up"}')[0] == ""


@pytest.mark.parametrize(
    ("matcher", "values", "said"),
    [
        pytest.param(
            Matcher("status", "=", "5xx"),
            ["200", "404"],
            'has status="5xx", and status is 200, 404',
            id="class of codes",
        ),
        pytest.param(Matcher("status", "=~", "5.."), ["2xx", "4xx"], None, id="an expression that both forms match"),
        pytest.param(
            Matcher("status", "=~", r"5\d\d"),
            ["2xx"],
            r'has status=~"5\\d\\d", and status is 2xx',
            id="codes of a class",
        ),
        pytest.param(Matcher("r", "=", "ERROR"), ["error", "ok"], 'has r="ERROR", and r is error, ok', id="case"),
        pytest.param(
            Matcher("code", "=~", "5.."),
            [],
            "names the label code, which these series do not have: path, status",
            id="label",
        ),
        pytest.param(Matcher("status", "=~", "5.."), ["200", "404"], None, id="no failure yet"),
        pytest.param(Matcher("status", "=", "500"), ["200"], None, id="none of this code yet"),
        pytest.param(Matcher("r", "=", "error"), ["ok"], None, id="no such word yet"),
        pytest.param(Matcher("code", "!~", "5.."), [], None, id="what is left out may be missing"),
        pytest.param(Matcher("code", "=~", "(?P<"), ["200"], None, id="an expression of another language"),
        pytest.param(Matcher("code", "=~", "5[[:digit:]]{2}"), ["200", "404"], None, id="a class by its name"),
    ],
)
def test_a_value_that_will_never_match_is_distinguished_from_one_that_has_not_come(
    matcher: Matcher, values: list[str], said: str | None
) -> None:
    assert mismatch(matcher, values, ["__name__", "instance", "job", "path", "status"]) == said


def test_many_names_are_cut_short() -> None:
    assert few(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
