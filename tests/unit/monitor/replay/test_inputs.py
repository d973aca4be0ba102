"""The time range of a replay."""

from datetime import UTC, datetime

import pytest

from wine_slo.monitor.replay.inputs import InputError, Options, time_range


def test_a_time_range_that_is_too_short_is_named_to_the_second() -> None:
    now = datetime(2026, 11, 30, 18, 19, 51, 831974, tzinfo=UTC)
    with pytest.raises(InputError, match="is too short: ten minutes are the least") as refused:
        time_range(Options(since="5m"), UTC, now)
    assert str(refused.value).startswith("from 2026-11-30T18:14:51+00:00 to 2026-11-30T18:19:51+00:00 is")
