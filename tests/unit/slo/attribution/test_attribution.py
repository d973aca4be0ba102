"""Attribution: the right cause for each shape of an incident, and none where chance explains it."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.slo.attribution.attribution import MOST_KEPT, Attribution, Share, attribute

OVER = timedelta(minutes=1)
ERRORS, SLOW = 0.01, 0.05  # the share of events that may be bad


def table(**counts: tuple[float, float]) -> list[Share]:
    """Bad and all events by value."""
    return [Share(value, bad, total) for value, (bad, total) in counts.items()]


def found(allowed: float = ERRORS, **tables: list[Share]) -> Attribution:
    return attribute(tables, allowed, OVER)


def named(attribution: Attribution) -> dict[str, set[str]]:
    """The values that are named, by label."""
    return {each.label: set(each.values) for each in attribution.causes}


ALIKE = table(a=(30, 100), b=(32, 100), c=(31, 100))


@pytest.mark.parametrize(
    ("tables", "allowed", "wanted"),
    [
        pytest.param(
            {"endpoint": table(sleep=(45, 46), predict=(1, 212)), "instance": ALIKE},
            SLOW, {"endpoint": {"sleep"}}, id="one endpoint",
        ),
        pytest.param(
            {"endpoint": table(x=(10, 40), y=(21, 80)), "instance": table(a=(0, 40), b=(31, 40), c=(0, 40))},
            ERRORS, {"instance": {"b"}}, id="one instance",
        ),
        pytest.param(
            {"instance": table(a=(0, 40), b=(31, 40), c=(0, 40)), "version": table(new=(31, 40), old=(0, 80))},
            ERRORS, {"instance": {"b"}, "version": {"new"}}, id="the only instance of a version",
        ),
        pytest.param(
            {"instance": table(a=(30, 40), b=(31, 40), c=(0, 40)), "version": table(new=(61, 80), old=(0, 40))},
            ERRORS, {"instance": {"a", "b"}, "version": {"new"}}, id="all instances of a version",
        ),
        pytest.param(
            {"zone": table(x=(40, 80), y=(0, 80)), "instance": table(a=(40, 40), b=(0, 40), c=(0, 40), d=(0, 40))},
            ERRORS, {"instance": {"a"}}, id="one instance rather than the zone that it is in",
        ),
        pytest.param(
            {"endpoint": table(x=(20, 60), y=(25, 60), z=(0, 60), w=(0, 200))},
            ERRORS, {"endpoint": {"x", "y"}}, id="two endpoints together",
        ),
        pytest.param(
            {"instance": table(a=(3, 60), b=(48, 60), c=(4, 60))},
            SLOW, {"instance": {"b"}}, id="one instance while all are a little slower",
        ),
        pytest.param(
            {"endpoint": table(report=(10, 10), **{f"e{n}": (0, 49) for n in range(10)})},
            ERRORS, {"endpoint": {"report"}}, id="one of many endpoints with two in a hundred requests",
        ),
        pytest.param({"endpoint": ALIKE, "instance": ALIKE}, ERRORS, {}, id="everything is bad everywhere"),
        pytest.param(
            {"endpoint": table(predict=(97, 970), health=(3, 30))}, ERRORS, {}, id="most of the traffic is no cause"
        ),
        pytest.param(
            {"endpoint": table(predict=(290, 970), health=(0, 30))}, ERRORS, {},
            id="almost all of the traffic is no cause even where the rest is fine",
        ),
        pytest.param({"endpoint": table(a=(4, 4), b=(1, 3))}, ERRORS, {}, id="too few to be more than chance"),
        pytest.param(
            {"user": [Share(f"u{n}", n % 2, 2) for n in range(200)]}, ERRORS, {}, id="a label with very many values"
        ),
        pytest.param(
            {"instance": [Share(f"pod{n}", 40.0 * (n == 7), 40) for n in range(200)]},
            ERRORS, {"instance": {"pod7"}}, id="one of very many instances",
        ),
        pytest.param(
            {"instance": table(**{f"i{n}": (20 * (n < 5), 40) for n in range(10)})},
            ERRORS, {}, id="half of the instances are not one cause",
        ),
        pytest.param(
            {"endpoint": [Share("", 40, 40), Share("/a", 0, 100)]}, ERRORS, {},
            id="series without the label have no name",
        ),
        pytest.param(
            {"endpoint": [Share("", 40, 0), Share("/a", 0, 100), Share("/b", 0, 100)]},
            ERRORS, {}, id="bad events without the label that all events have",
        ),
        pytest.param({"endpoint": table(a=(0, 40), b=(0, 40))}, ERRORS, {}, id="nothing is bad"),
        pytest.param({"endpoint": table(a=(20, 40))}, ERRORS, {}, id="a single value"),
        pytest.param({}, ERRORS, {}, id="no label"),
        pytest.param(
            {"endpoint": table(a=(160, 800), b=(16, 200))}, SLOW, {}, id="a small difference is none however certain"
        ),
        pytest.param(
            {"instance": table(a=(50, 100), b=(44, 900))}, SLOW, {}, id="half of the bad events is not most of them"
        ),
        pytest.param(
            {"instance": table(a=(90, 100), b=(30, 200))}, SLOW, {}, id="others that are in violation too are not fine"
        ),
        pytest.param(
            {"endpoint": table(a=(19, 20), b=(1, 20))}, ERRORS, {"endpoint": {"a"}},
            id="a single bad event among few others is no violation",
        ),
    ],
)  # fmt: skip
def test_the_cause_is_named_and_nothing_else(
    tables: Mapping[str, list[Share]], allowed: float, wanted: dict[str, set[str]]
) -> None:
    assert named(attribute(tables, allowed, OVER)) == wanted


def test_a_cause_has_the_counts_of_its_values_and_of_all_others() -> None:
    (cause,) = found(SLOW, endpoint=table(sleep=(45, 46), predict=(1, 212), ui=(0, 8))).causes
    assert (cause.bad, cause.total, cause.other_bad, cause.other_total) == (45, 46, 1, 220)
    assert cause.share == pytest.approx(45 / 46)
    assert cause.other_ratio == pytest.approx(1 / 220)


def test_the_breakdown_has_the_label_of_the_cause_first_and_its_worst_values_first() -> None:
    attribution = found(SLOW, instance=ALIKE, endpoint=table(predict=(1, 212), sleep=(45, 46), ui=(0, 8)))
    first, second = attribution.breakdowns
    assert [each.value for each in first.values] == ["sleep", "predict", "ui"]
    assert second.label == "instance"


def test_a_breakdown_keeps_a_few_values_and_counts_the_others() -> None:
    attribution = found(endpoint=table(**{f"e{n:02}": (n, 100) for n in range(30)}))
    (breakdown,) = attribution.breakdowns
    assert [each.value for each in breakdown.values] == [f"e{n:02}" for n in range(29, 19, -1)]
    assert breakdown.more == 30 - MOST_KEPT


# Noise


def spread(random: Random, values: int, total: int, ratio: float) -> list[Share]:
    """Events that are bad by chance alone, however the traffic is spread over the values."""
    weights = [random.paretovariate(1) for _ in range(values)]
    alls, bads = [0] * values, [0] * values
    for value in random.choices(range(values), weights, k=total):
        alls[value] += 1
        bads[value] += random.random() < ratio
    return [Share(f"v{number}", bad, total) for number, (bad, total) in enumerate(zip(bads, alls, strict=True))]


@pytest.mark.parametrize("allowed", [0.001, ERRORS, SLOW])
@pytest.mark.parametrize("total", [15, 60, 400])
def test_noise_has_a_cause_less_than_once_in_a_hundred(allowed: float, total: int) -> None:
    random, draws = Random(7), 700
    false = 0
    for _ in range(draws):
        ratio = min(1.0, allowed * random.choice([2, 5, 10, 20]))
        tables = {f"label{number}": spread(random, random.randint(2, 12), total, ratio) for number in range(4)}
        false += bool(attribute(tables, allowed, OVER).causes)
    assert false / draws < 0.01


@pytest.mark.parametrize(("values", "total"), [(2, 60), (3, 120), (10, 400), (100, 2000)])
def test_a_cause_that_there_is_is_found_in_noise(values: int, total: int) -> None:
    random, draws = Random(7), 60
    right = 0
    for _ in range(draws):
        alls = [total // values] * values
        shares = [
            Share(f"v{number}", sum(random.random() < (0.9 if number == 0 else 0.001) for _ in range(each)), each)
            for number, each in enumerate(alls)
        ]
        noise = spread(random, 8, total, sum(each.bad for each in shares) / total)
        right += named(attribute({"cause": shares, "noise": noise}, ERRORS, OVER)) == {"cause": {"v0"}}
    assert right / draws > 0.95


counts = st.floats(0, 1e6) | st.integers(0, 50).map(float)
shares = st.lists(st.builds(Share, st.sampled_from(["", "a", "b", "c", "d", "e"]), counts, counts), max_size=6)


@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), shares), st.floats(1e-6, 0.5))
def test_any_counts_have_an_attribution_whose_causes_keep_to_the_rules(
    tables: dict[str, list[Share]], allowed: float
) -> None:
    for cause in attribute(tables, allowed, OVER).causes:
        assert all(cause.values)
        assert cause.share >= 0.7
        assert cause.bad / cause.total > allowed
        assert cause.total <= 0.9 * (cause.total + cause.other_total)
