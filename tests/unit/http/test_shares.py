"""Who gets how much of what many share."""

from hypothesis import given
from hypothesis import strategies as st

from wine_slo.http.shares import Places, Room


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
