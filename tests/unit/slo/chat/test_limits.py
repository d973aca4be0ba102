"""How often somebody may send commands, and what the first question too many is answered."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.support.scene import at
from wine_slo.slo.chat.limits import Excess, Limit


def test_the_first_one_over_the_limit_is_answered_with_the_seconds_to_wait_and_later_ones_are_not() -> None:
    limit = Limit(2)
    for second in (0, 10):
        assert limit.excess("a", at(second)) is None
        limit.count("a", at(second))
    assert limit.excess("a", at(20)) == Excess(40, is_first=True)
    assert limit.excess("a", at(30)) == Excess(30, is_first=False)
    assert limit.excess("b", at(30)) is None, "everybody has a limit of their own"
    assert limit.excess("a", at(60)) is None
    limit.count("a", at(60))
    assert limit.excess("a", at(61)) == Excess(9, is_first=True), "who has waited as long as was said is answered anew"
    assert limit.excess("a", at(62)) == Excess(8, is_first=False)


def test_a_clock_that_was_put_back_leaves_nobody_waiting() -> None:
    limit = Limit(1)
    limit.count("a", at(86_400))
    assert limit.excess("a", at(0)) is None


@given(st.lists(st.integers(0, 200), max_size=60).map(sorted), st.integers(1, 5))
def test_no_minute_has_more_than_the_limit(seconds: list[int], most: int) -> None:
    limit, taken = Limit(most), []
    for second in seconds:
        if limit.excess("a", at(second)) is None:
            limit.count("a", at(second))
            taken.append(second)
    for second in taken:
        assert sum(second <= each < second + 60 for each in taken) <= most


def test_what_is_remembered_is_bounded() -> None:
    limit = Limit(1, timedelta(days=1))
    for person in range(5000):
        limit.count(person, at(0))
    assert limit.excess(4999, at(1)) is not None
    assert limit.excess(0, at(1)) is None
