"""What is left for after the answers is done in order, once, and whatever fails."""

import asyncio
import logging

import pytest

from wine_slo.service.metrics.after_answers import AfterAnswers


async def test_calls_of_one_turn_are_made_in_order_before_the_next() -> None:
    after, made = AfterAnswers(), list[str]()
    after.do(made.append, "a")
    after.do(made.append, "b")
    asyncio.get_running_loop().call_soon(made.append, "later")
    assert made == []
    await asyncio.sleep(0)
    assert made == ["a", "b", "later"]
    after.do(made.append, "c")
    await asyncio.sleep(0)
    assert made[3:] == ["c"]


async def test_a_call_that_fails_stops_none_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    after, made = AfterAnswers(), list[str]()
    after.do({}.__getitem__, "nothing")
    after.do(made.append, "b")
    await asyncio.sleep(0)
    assert made == ["b"]
    assert [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR] == [
        "a request could not be counted"
    ]
