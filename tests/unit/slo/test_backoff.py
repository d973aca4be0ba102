"""Waits double from attempt to attempt up to a limit, however long the outage."""

from datetime import timedelta

import pytest

from wine_slo.slo.backoff import Backoff

BACKOFF = Backoff(timedelta(seconds=2), timedelta(minutes=1))


@pytest.mark.parametrize(("failures", "seconds"), [(1, 2), (2, 4), (5, 32), (6, 60), (7, 60), (100_000, 60)])
def test_each_wait_is_twice_the_one_before_up_to_the_longest(failures: int, seconds: float) -> None:
    assert BACKOFF.wait(failures) == timedelta(seconds=seconds)


def test_a_share_shortens_the_wait_and_never_exceeds_the_longest() -> None:
    assert BACKOFF.wait(100, 0.5) == timedelta(seconds=30)
