"""Who gets how much of what many share."""

import asyncio
from time import thread_time

from hypothesis import given
from hypothesis import strategies as st

from wine_slo.http.shares import MOST_IN_TURN, TURN, Places, Room, Turns


def test_one_client_gets_half_of_the_places_the_next_a_quarter() -> None:
    places = Places(8)
    assert [places.take("a") for _ in range(6)] == [True] * 4 + [False] * 2
    assert [places.take("b") for _ in range(3)] == [True] * 2 + [False]
    assert places.take("c")


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = Places(2)
    assert places.take("a")
    assert not places.take("a")
    places.give("a")
    assert places.take("a")


def test_large_holders_leave_a_quarter_of_the_room_for_small_ones() -> None:
    room = Room(100, small=10)
    assert room.take(70)
    assert not room.take(11)
    assert room.take(10)
    assert not room.take(10, already=10)
    assert room.take(10)
    assert room.take(10)
    assert not room.take(1)
    room.give(70)
    assert room.take(45)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_there_are_never_more_places_taken_than_there_are(acts: list[tuple[str, bool]]) -> None:
    places, held = Places(5), {"a": 0, "b": 0, "c": 0}
    for client, takes in acts:
        if takes:
            held[client] += places.take(client)
        elif held[client]:
            places.give(client)
            held[client] -= 1
        assert sum(held.values()) <= 5


async def turns_of(works: int, seconds: float) -> list[int]:
    """Do pieces of work, so long each; return how many were done in each turn of the loop."""
    turns, done = Turns(), list[int]()

    async def work(number: int) -> None:
        await turns.take()
        began = thread_time()
        while thread_time() - began < seconds:
            pass
        done.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(works)]
    counts = []
    while len(done) < works:
        await asyncio.sleep(0)
        counts.append(len(done))
    await asyncio.gather(*tasks)
    assert done == list(range(works))
    return [after - before for before, after in zip([0, *counts], counts, strict=False)]


async def test_work_is_done_in_the_order_of_arrival_and_some_in_each_turn() -> None:
    assert max(await turns_of(100, 0.0)) == MOST_IN_TURN


async def test_of_work_that_takes_long_less_is_done_in_a_turn() -> None:
    assert max((await turns_of(40, 1.1 * TURN))[-10:]) == 1


async def test_one_who_no_longer_waits_takes_no_turn() -> None:
    turns = Turns()
    for _ in range(MOST_IN_TURN):
        await turns.take()
    waiting = [asyncio.create_task(turns.take()) for _ in range(2 * MOST_IN_TURN)]
    await asyncio.sleep(0)
    for each in waiting[:-1]:
        each.cancel()
    async with asyncio.timeout(30):
        await waiting[-1]
        await turns.take()


async def test_who_is_patient_lets_all_others_go_first() -> None:
    turns, done = Turns(), list[str]()

    async def work(name: str, *, is_patient: bool) -> None:
        await turns.take(is_patient=is_patient)
        done.append(name)

    for _ in range(MOST_IN_TURN):
        await turns.take()
    async with asyncio.TaskGroup() as group:
        for _ in range(2 * MOST_IN_TURN):
            group.create_task(work("patient", is_patient=True))
        group.create_task(work("other", is_patient=False))
    assert done.index("other") <= MOST_IN_TURN
    assert len(done) == 2 * MOST_IN_TURN + 1
