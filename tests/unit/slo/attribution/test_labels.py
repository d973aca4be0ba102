"""Which labels are compared: all that may say where bad events come from, and no others."""

from dataclasses import replace
from itertools import product

import pytest

from tests.support.scene import AVAILABILITY, ERRORS, LATENCY
from wine_slo.slo.attribution.labels import MOST_LABELS, labels_to_compare
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.objective import Objective

ALL = 'http_requests_total{job="api", path=~"/a.*"'
FAILED = replace(ERRORS, source=Ratio((f'{ALL}, code=~"5.."}}',), (f"{ALL}}}",)))


def series(**values: str) -> list[dict[str, str]]:
    """Every combination of values: one letter each, by label."""
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


@pytest.mark.parametrize(
    ("objective", "labels", "wanted"),
    [
        pytest.param(LATENCY, series(endpoint="abc", instance="xy"), ("instance", "endpoint"), id="those with values"),
        pytest.param(LATENCY, series(job="j", instance="xy"), ("instance",), id="no constant"),
        pytest.param(
            LATENCY, series(__name__="ab", le="12", quantile="12", zone="xy"), ("zone",), id="no technical one"
        ),
        pytest.param(LATENCY, series(code="25", zone="xy"), ("code", "zone"), id="what a slow request ended with"),
        pytest.param(
            FAILED, series(code="25", path="ab", zone="xy"), ("path", "zone"), id="not what makes a request bad"
        ),
        pytest.param(FAILED, series(outcome="se", zone="xy"), ("zone",), id="no other word for what makes it bad"),
        pytest.param(
            replace(FAILED, breakdown=("outcome", "code", "path")),
            series(code="25", outcome="se", path="ab", zone="xy"),
            ("outcome", "path"),
            id="what is wanted, but for what makes a request bad",
        ),
        pytest.param(replace(LATENCY, breakdown=()), series(zone="xy"), (), id="none where none is wanted"),
        pytest.param(replace(LATENCY, breakdown=("gone",)), series(zone="xy"), (), id="not what no series has"),
        pytest.param(
            replace(LATENCY, by=("zone",)), series(zone="xy", instance="ab"), ("instance",), id="no label of its own"
        ),
        pytest.param(
            replace(LATENCY, source=Latency("seconds", 1.0, 'path="/a", zone=~"x|y"')),
            series(path="a", zone="xy"),
            ("zone",),
            id="what a selector leaves open",
        ),
        pytest.param(AVAILABILITY, series(job="j", instance="xy"), ("instance",), id="targets"),
    ],
)  # fmt: skip
def test_labels_are_compared_that_may_say_where_bad_events_come_from(
    objective: Objective, labels: list[dict[str, str]], wanted: tuple[str, ...]
) -> None:
    assert labels_to_compare(objective, labels) == wanted


@pytest.mark.parametrize(("values", "is_compared"), [(200, True), (201, False)])
@pytest.mark.parametrize("breakdown", [None, ("user",)])
def test_a_label_with_very_many_values_is_not_compared(
    values: int, breakdown: tuple[str, ...] | None, *, is_compared: bool
) -> None:
    many = [{"user": f"u{number}"} for number in range(values)]
    assert labels_to_compare(replace(LATENCY, breakdown=breakdown), many) == (("user",) if is_compared else ())


def test_a_label_is_not_compared_where_the_label_sets_of_an_objective_make_it_too_many() -> None:
    many = [
        {"endpoint": f"/{own}", "pod": f"p{number}", "zone": "xy"[number % 2]}
        for own in range(50)
        for number in range(50)
    ]
    assert labels_to_compare(replace(LATENCY, by=("endpoint",)), many) == ("zone",)


def test_labels_with_few_values_are_compared_first_and_not_too_many_of_them() -> None:
    many = [{f"label{count:02}": f"v{number % count}" for count in range(2, 20)} for number in range(40)]
    assert labels_to_compare(LATENCY, many) == tuple(f"label{count:02}" for count in range(2, 2 + MOST_LABELS))
