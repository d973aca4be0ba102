"""The lease as values: who may take it, until when its leader may speak, and that two never may at once."""

import heapq
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wine_slo.slo.lease import TIMING, Lease, Position, Watchdog

SINCE = datetime(2026, 1, 1, 12, tzinfo=UTC)


def watchdog(name: str) -> Watchdog:
    return Watchdog(id=name, host=f"host-{name}", boot=name, pid=1, since=SINCE)


ME, OTHER = watchdog("me"), watchdog("other")
THEIRS = Lease(leader=OTHER, number=3, beats=5)


def leading(at: float, *, is_alone: bool = False) -> Position:
    position = Position(me=ME, is_alone=is_alone)
    return position.renewed(position.next_lease(is_locked=False), at)


def test_a_lease_that_nobody_ever_had_is_taken_at_once_and_one_that_was_let_go_as_well() -> None:
    assert Position(me=ME).may_take(0.0, is_dead=False)
    assert Position(me=ME).observed(replace(THEIRS, is_free=True), 100.0).may_take(100.0, is_dead=False)


def test_a_lease_is_taken_once_it_has_stood_still_for_as_long_as_it_lasts() -> None:
    position = Position(me=ME).observed(THEIRS, 100.0)
    assert not position.may_take(109.9, is_dead=False)
    assert position.may_take(110.0, is_dead=False)
    renewed = position.observed(replace(THEIRS, beats=6), 109.0)
    assert renewed.is_renewed
    assert not renewed.may_take(118.9, is_dead=False)


def test_a_lease_whose_leader_is_dead_for_certain_is_taken_at_once() -> None:
    assert Position(me=ME).observed(THEIRS, 100.0).may_take(100.0, is_dead=True)


def test_each_lease_has_a_higher_number_than_the_one_before() -> None:
    assert Position(me=ME).observed(THEIRS, 1.0).next_lease(is_locked=True).number == 4


def test_a_leader_may_speak_for_less_time_than_its_lease_lasts_counted_from_before_it_was_sent() -> None:
    position = leading(100.0)
    assert position.seconds_left(101.0) == pytest.approx(7.0)
    assert position.seconds_left(108.0) == 0.0
    assert TIMING.silent_after < TIMING.lasts


def test_a_renewal_whose_answer_is_lost_gives_no_time_to_speak_but_to_one_that_is_alone() -> None:
    assert leading(100.0).failed(107.0).seconds_left(108.0) == 0.0
    assert leading(100.0, is_alone=True).failed(107.0).seconds_left(108.0) == pytest.approx(7.0)


def test_one_that_is_alone_and_was_suspended_may_not_speak_before_it_has_tried_to_renew() -> None:
    assert leading(100.0, is_alone=True).seconds_left(1000.0) == 0.0


def test_each_try_to_renew_beats_anew_as_the_one_before_may_have_been_written() -> None:
    position, first = leading(100.0).renewing(is_locked=False)
    _, second = position.failed(101.0).renewing(is_locked=False)
    assert second.beats == first.beats + 1


def test_who_is_overtaken_may_speak_no_more() -> None:
    position = leading(100.0).overtaken(THEIRS, 101.0)
    assert not position.leads
    assert position.seconds_left(101.0) == 0.0
    assert not position.is_mine()


def test_a_lease_that_has_vanished_counts_as_one_that_stands_still() -> None:
    position = Position(me=ME).observed(THEIRS, 100.0).observed(None, 105.0)
    assert not position.may_take(109.0, is_dead=False)
    assert position.may_take(110.0, is_dead=False)


class LostError(Exception):
    """It is not known whether a call was done."""


Answers = Generator[tuple[str, Any], Any, None]


@dataclass
class World:
    """Watchdogs with clocks of their own, and a database that they reach late, in part, or not at all."""

    random: Random
    names: tuple[str, ...]
    is_rough: bool
    lease: Lease | None = None
    now: float = 0.0
    takes: int = 0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    turns: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.offsets = {name: self.random.uniform(-1e6, 1e6) for name in self.names}
        self.positions = {name: Position(me=watchdog(name)) for name in self.names}
        for name in self.names:
            life = self.life(name)
            self.plan(self.random.uniform(0, 1), lambda life=life: self.go_on(life, None))  # type: ignore[misc]

    def plan(self, wait: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + wait, next(self.turns), event))

    def clock(self, name: str) -> float:
        return self.now + self.offsets[name]

    def run(self, seconds: float) -> None:
        while self.events[0][0] < seconds:
            self.now, _, event = heapq.heappop(self.events)
            event()
            speaking = [each for each in self.names if self.positions[each].seconds_left(self.clock(each)) > 0]
            assert len(speaking) <= 1, f"two may speak at {self.now:.2f}: {speaking}"

    def go_on(self, life: Answers, answer: object) -> None:
        kind, what = life.throw(LostError) if answer is LostError else life.send(answer)
        if kind == "sleep":
            self.plan(what + self.delay(1 / 20, 40.0), lambda: self.go_on(life, None))
            return
        there, back = self.delay(1 / 8, 20.0), self.delay(1 / 8, 20.0)
        if self.is_rough and self.random.random() < 1 / 8:  # the answer is lost; the call may be done, and later
            if self.random.random() < 1 / 2:
                self.plan(there, what)
            self.plan(self.random.uniform(0, 5), lambda: self.go_on(life, LostError))
            return
        self.plan(there, lambda: self.reply(life, what(), back))

    def reply(self, life: Answers, answer: object, wait: float) -> None:
        self.plan(wait, lambda: self.go_on(life, answer))

    def delay(self, share: float, longest: float) -> float:
        """Return how long something takes: a pause of the process, or of the network, is among it."""
        is_long = self.is_rough and self.random.random() < share
        return self.random.uniform(0, longest if is_long else 0.2)

    def take(self, lease: Lease, instead_of: Lease | None) -> bool:
        if self.lease != instead_of:
            return False
        self.takes += 1
        self.lease = lease
        return True

    def renew(self, lease: Lease) -> bool:
        is_ours = self.lease is not None and (self.lease.number, self.lease.leader) == (lease.number, lease.leader)
        if is_ours:
            self.lease = lease
        return is_ours

    def life(self, me: str) -> Answers:
        """Live as the keeper of the lease does."""
        while True:
            try:
                if self.positions[me].leads:
                    yield "sleep", TIMING.renewed_every
                    yield from self.keep(me)
                else:
                    yield "sleep", TIMING.tried_every
                    yield from self.try_to_take(me)
            except LostError:
                self.positions[me] = self.positions[me].failed(self.clock(me))

    def try_to_take(self, me: str) -> Answers:
        written = yield "call", lambda: self.lease
        self.positions[me] = position = self.positions[me].observed(written, self.clock(me))
        if position.is_mine():
            yield from self.keep(me)
        elif position.may_take(self.clock(me), is_dead=False):
            sent_at, lease = self.clock(me), position.next_lease(is_locked=False)
            if (yield "call", lambda: self.take(lease, written)):
                self.positions[me] = position.renewed(lease, sent_at)

    def keep(self, me: str) -> Answers:
        self.positions[me], lease = self.positions[me].renewing(is_locked=False)
        sent_at = self.clock(me)
        if (yield "call", lambda: self.renew(lease)):
            self.positions[me] = self.positions[me].renewed(lease, sent_at)
        else:
            written = yield "call", lambda: self.lease
            self.positions[me] = self.positions[me].overtaken(written, self.clock(me))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_two_never_may_speak_at_once_whatever_is_paused_cut_off_or_lost(seed: int) -> None:
    World(Random(seed), ("a", "b", "c"), is_rough=True).run(600.0)


def test_the_lead_changes_often_in_that_world() -> None:
    worlds = [World(Random(seed), ("a", "b", "c"), is_rough=True) for seed in range(10)]
    for world in worlds:
        world.run(600.0)
    assert sum(world.takes for world in worlds) > 50


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_a_leader_that_is_not_cut_off_keeps_the_lease_and_may_always_speak(seed: int) -> None:
    world = World(Random(seed), ("a", "b", "c"), is_rough=False)
    world.run(5.0)
    assert world.takes == 1
    leader = next(each for each in world.names if world.positions[each].leads)
    for second in range(6, 120):
        world.run(float(second))
        assert world.positions[leader].seconds_left(world.clock(leader)) > 0
    assert world.takes == 1
