import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.service.model.classifier import FoldedClassifier
from wine_slo.service.model.features import LIMIT, WineSample

FOLD = FoldedClassifier(((1.0,) * 13, (-2.0,) * 13, (0.5,) * 13), (0.0, 1.0, -1.0))


@given(st.tuples(*[st.floats(-LIMIT / 13, LIMIT / 13)] * 13))
def test_probabilities_of_any_sample_are_between_0_and_1_and_add_up_to_1(values: tuple[float, ...]) -> None:
    (probabilities,) = FOLD([WineSample(values)])
    assert all(0 <= share <= 1 for share in probabilities)
    assert sum(probabilities) == pytest.approx(1)


def test_samples_are_answered_in_their_order() -> None:
    low, high = WineSample((-1.0,) * 13), WineSample((1.0,) * 13)
    assert [shares.index(max(shares)) for shares in map(list, FOLD([low, high, low]))] == [1, 0, 1]
