"""One ledger, one leader: who takes the lease, who is refused, who stands by, and when a dead leader is replaced."""

import asyncio
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wine_slo.integrations.storage.lease.death import BOOT, process
from wine_slo.integrations.storage.lease.fence import OvertakenError
from wine_slo.integrations.storage.lease.keeper import LeaseError, LeaseKeeper
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.ticker import steady
from wine_slo.slo.lease import Lease, Timing, Watchdog

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ELSEWHERE = Watchdog(id="x", host="elsewhere", boot="another", pid=7, since=NOW)
THEIRS = Lease(leader=ELSEWHERE, number=41, beats=5)
FAST = Timing(renewed_every=0.2, lasts=1.5, silent_after=1.2, tried_every=0.02)

Keeping = Callable[..., LeaseKeeper]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watchdog.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{path}")
    yield ledger
    ledger.close()


@pytest.fixture
async def keeping(ledger: Ledger) -> AsyncIterator[Keeping]:
    """Make keepers of the same lease, each of another watchdog."""
    made: list[LeaseKeeper] = []

    def keeper(**options: Any) -> LeaseKeeper:
        made.append(LeaseKeeper(ledger, lambda: NOW, steady, **{"is_alone": True, "timing": FAST, **options}))
        return made[-1]

    yield keeper
    for each in made:
        await each.release(within=1)


async def takes(keeper: LeaseKeeper) -> bool:
    return await keeper.take(asyncio.Event(), lambda: None)


@asynccontextmanager
async def kept(keeper: LeaseKeeper) -> AsyncIterator["asyncio.Task[str]"]:
    task = asyncio.create_task(keeper.keep(lambda: None))
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - a thread cannot set an event here
            await asyncio.sleep(0.01)


async def test_the_first_takes_it_and_the_second_learns_who_that_is(keeping: Keeping) -> None:
    assert await takes(keeping())
    with pytest.raises(LeaseError) as caught:
        await takes(keeping())
    assert f"process {os.getpid()} on " in str(caught.value)
    assert "since 2026-01-01 12:00:00 UTC" in str(caught.value)
    assert "WINE_SLO_STANDBY" in str(caught.value)


async def test_a_ledger_has_one_lock_whatever_name_it_is_called_by(keeping: Keeping, tmp_path: Path) -> None:
    assert await takes(keeping())
    (tmp_path / "other").symlink_to(tmp_path)
    (tmp_path / "other.db").symlink_to("watchdog.db")
    for name in ("other.db", "other/watchdog.db"):
        linked = Ledger.open(f"sqlite:///{tmp_path / name}")
        keeper = LeaseKeeper(linked, lambda: NOW, steady, is_alone=True)
        with pytest.raises(LeaseError, match="held by another watchdog"):
            await takes(keeper)
        await keeper.release(within=1)
        linked.close()


async def test_a_link_that_leads_to_itself_locks_nothing_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop.db").symlink_to("loop.db")
    ledger = Ledger.open_or_remember(f"sqlite:///{tmp_path / 'loop.db'}")
    keeper = LeaseKeeper(ledger, lambda: NOW, steady, is_alone=True)
    assert await takes(keeper)
    assert keeper.seconds_left() > 0
    await keeper.release(within=1)
    ledger.close()


async def test_one_that_is_alone_renews_in_memory_until_a_damaged_ledger_is_moved_away(path: Path) -> None:
    path.write_text("certainly not a database" * 100)  # noqa: ASYNC240  # a file of a test
    ledger = Ledger.open_or_remember(f"sqlite:///{path}", again_after=1)
    keeper = LeaseKeeper(ledger, lambda: NOW, steady, is_alone=True, timing=FAST)
    assert await takes(keeper)
    async with kept(keeper) as task:
        await asyncio.sleep(FAST.silent_after + FAST.renewed_every)
        assert keeper.seconds_left() > 0
        assert not task.done()
        path.rename(path.with_name("damaged.db"))  # noqa: ASYNC240  # a file of a test
        await until(lambda: task.done() or keeper.leadership().number)
        assert keeper.seconds_left() > 0
    written = ledger.lease.read()
    assert written is not None
    assert written.leader == keeper.leadership().me
    await keeper.release(within=1)
    ledger.close()


async def test_who_stands_by_takes_it_when_the_first_lets_go(keeping: Keeping) -> None:
    first, second, waiting = keeping(is_alone=False), keeping(is_alone=False), asyncio.Event()
    assert await takes(first)
    task = asyncio.create_task(second.take(asyncio.Event(), waiting.set))
    await waiting.wait()
    assert second.seconds_left() == 0
    await first.release(within=1)
    assert first.seconds_left() == 0
    assert await task
    taken = second.leadership().taken
    assert taken
    assert taken.is_planned
    assert second.leadership().takeovers == 0


async def test_who_stands_by_can_be_stopped(keeping: Keeping) -> None:
    stop = asyncio.Event()
    assert await takes(keeping(is_alone=False))
    assert not await keeping(is_alone=False).take(stop, stop.set)


@pytest.mark.parametrize(
    ("leader", "lease"),
    [
        pytest.param({"boot": BOOT.read_text().strip()}, {"is_locked": True}, id="killed here, or in a container here"),
        pytest.param({"host": os.uname().nodename}, {"is_locked": True}, id="gone with a reboot of this machine"),
        pytest.param({}, {"is_free": True}, id="ended in order, on another machine"),
        pytest.param(
            {"boot": BOOT.read_text().strip(), "process": process(os.getpid()).rpartition(":")[0] + ":1"},
            {},
            id="a process of this boot that is gone, without a lock",
        ),
    ],
)
async def test_a_dead_leader_is_replaced_at_once(
    keeping: Keeping, ledger: Ledger, leader: dict[str, Any], lease: dict[str, bool]
) -> None:
    gone = Watchdog(**{"id": "x", "host": "elsewhere", "boot": "b", "pid": os.getpid(), "since": NOW, **leader})
    assert ledger.lease.take(Lease(leader=gone, number=41, **lease), instead_of=None)
    async with asyncio.timeout(0.5):
        assert await takes(keeping())
    found = ledger.lease.read()
    assert found
    assert (found.leader.pid, found.number) == (os.getpid(), 42), "the number only grows"


async def test_a_leader_elsewhere_that_gives_no_sign_of_life_is_replaced_after_a_while(
    keeping: Keeping, ledger: Ledger
) -> None:
    ledger.lease.take(THEIRS, instead_of=None)
    keeper = keeping(is_alone=False)
    taking = asyncio.create_task(takes(keeper))
    done, _ = await asyncio.wait({taking}, timeout=1)
    assert not done, "it may be alive"
    async with asyncio.timeout(30):
        assert await taking
    taken = keeper.leadership().taken
    assert taken
    assert taken.before == THEIRS
    assert not taken.is_planned
    assert taken.silent_for >= 1.5
    assert keeper.leadership().takeovers == 1


async def test_a_leader_elsewhere_that_gives_signs_of_life_is_alive_whatever_the_clocks_say(
    keeping: Keeping, ledger: Ledger
) -> None:
    beats = 5
    ledger.lease.take(THEIRS, instead_of=None)

    def beat() -> None:
        nonlocal beats
        beats += 1
        assert ledger.lease.renew(Lease(leader=ELSEWHERE, number=41, beats=beats))

    with pytest.raises(LeaseError, match="process 7 on elsewhere"):
        await keeping().take(asyncio.Event(), beat)


async def test_the_lock_of_a_suspended_leader_does_not_hold_up_a_takeover(keeping: Keeping) -> None:
    suspended, standby = keeping(is_alone=False), keeping(is_alone=False)
    assert await takes(suspended)  # and renews it no more
    async with asyncio.timeout(30):
        assert await takes(standby)
    assert suspended.seconds_left() == 0
    async with kept(suspended) as lost:
        assert f"process {os.getpid()} on " in await lost
    assert standby.seconds_left() > 0


WRITES_AND_STOPS = """
import os, signal, sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None)
ledger.execute("BEGIN IMMEDIATE")
print("writing", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
"""


async def test_a_leader_that_is_suspended_in_the_middle_of_a_write_is_named_with_what_ends_that(
    keeping: Keeping, ledger: Ledger, path: Path
) -> None:
    command = [sys.executable, "-c", WRITES_AND_STOPS, str(path)]
    leader = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    me = Watchdog(id="it", host="here", boot=BOOT.read_text().strip(), pid=leader.pid, since=NOW)
    assert leader.stdout
    assert ledger.lease.take(Lease(leader=replace(me, process=process(leader.pid))), instead_of=None)
    await leader.stdout.readline()
    standby = keeping(is_alone=False)
    taking = asyncio.create_task(takes(standby))
    hint = f"is suspended in the middle of a write: kill -CONT {leader.pid}, or kill -9 {leader.pid}"
    await until(lambda: hint in standby.leadership().trouble)
    leader.kill()
    assert await taking
    assert not standby.leadership().trouble
    await leader.wait()


async def test_the_number_grows_with_each_leader_over_a_clean_end_too(keeping: Keeping, ledger: Ledger) -> None:
    for number in (1, 2, 3):
        keeper = keeping()
        assert await takes(keeper)
        found = ledger.lease.read()
        assert found
        assert found.number == number
        await keeper.release(within=1)


async def test_a_leader_that_renews_may_speak_for_ever(keeping: Keeping, ledger: Ledger) -> None:
    keeper = keeping(is_alone=False, timing=Timing(renewed_every=0.02, lasts=0.6, silent_after=0.4, tried_every=0.02))
    await takes(keeper)
    before = ledger.lease.read()
    async with kept(keeper):
        for _ in range(20):
            assert keeper.seconds_left() > 0
            await asyncio.sleep(0.05)
    after = ledger.lease.read()
    assert before
    assert after
    assert after.leader == before.leader
    assert after.beats > before.beats + 2


@pytest.mark.parametrize("is_alone", [True, False])
async def test_a_database_that_cannot_be_written_silences_one_of_several_and_no_other(
    keeping: Keeping, path: Path, *, is_alone: bool
) -> None:
    keeper = keeping(is_alone=is_alone, timing=Timing(renewed_every=0.1, lasts=1.0, silent_after=0.8, tried_every=0.02))
    assert await takes(keeper)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    regained = asyncio.Event()
    keeping_it = asyncio.create_task(keeper.keep(regained.set))
    await until(lambda: keeper.leadership().trouble)
    if is_alone:
        for _ in range(20):
            await asyncio.sleep(0.05)
            assert keeper.seconds_left() > 0
    else:
        await until(lambda: not keeper.seconds_left())
    other.close()
    if not is_alone:
        async with asyncio.timeout(30):
            await regained.wait()
        assert keeper.seconds_left() > 0
    keeping_it.cancel()
    await asyncio.gather(keeping_it, return_exceptions=True)


async def test_who_has_lost_it_to_another_machine_learns_so_and_writes_nothing_more(
    keeping: Keeping, ledger: Ledger
) -> None:
    keeper = keeping()
    await takes(keeper)
    mine = keeper.fenced()
    mine.mark([])
    assert ledger.lease.take(THEIRS, instead_of=ledger.lease.read())
    with pytest.raises(OvertakenError):
        await asyncio.to_thread(mine.mark, [])
    await until(lambda: not keeper.seconds_left())
    async with asyncio.timeout(30), kept(keeper) as lost:
        assert "process 7 on elsewhere" in await lost


async def test_a_write_of_an_earlier_lead_is_refused_after_the_same_watchdog_leads_again(
    keeping: Keeping, ledger: Ledger
) -> None:
    keeper = keeping(is_alone=False)
    await takes(keeper)
    earlier = keeper.fenced()
    ledger.lease.take(THEIRS, instead_of=ledger.lease.read())
    async with asyncio.timeout(30), kept(keeper) as lost:
        await lost
    await takes(keeper)
    keeper.fenced().mark([])
    with pytest.raises(OvertakenError):
        await asyncio.to_thread(earlier.mark, [])


async def test_who_has_lost_the_lock_since_its_file_was_deleted_learns_so(keeping: Keeping, path: Path) -> None:
    first = keeping()
    await takes(first)
    path.with_name("watchdog.db.lock").unlink()
    assert await takes(keeping())
    async with asyncio.timeout(30), kept(first) as lost:
        assert "has taken the lead" in await lost


async def test_a_lease_that_somebody_deletes_is_written_anew(keeping: Keeping, ledger: Ledger, path: Path) -> None:
    keeper = keeping()
    await takes(keeper)
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM lease")
    connection.close()
    async with kept(keeper):
        await until(ledger.lease.read)
    assert keeper.seconds_left() > 0


async def test_a_lease_that_nobody_can_read_is_waited_for_as_that_of_a_stranger(
    keeping: Keeping, ledger: Ledger, path: Path
) -> None:
    ledger.lease.take(THEIRS, instead_of=None)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE lease SET value = ?", ("[" * 100_000,))
    connection.close()
    async with asyncio.timeout(30):
        assert await takes(keeping())
    found = ledger.lease.read()
    assert found
    assert found.number == 42


async def test_a_ledger_that_another_process_writes_is_led_by_the_lock_alone(
    keeping: Keeping, ledger: Ledger, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    timing = Timing(renewed_every=2, lasts=10, silent_after=8, tried_every=0.02)
    first = keeping(timing=timing)
    assert await takes(first)
    assert first.seconds_left() > 0
    with pytest.raises(LeaseError, match="it is not written which"):
        await takes(keeping(timing=timing))
    other.close()
    async with kept(first):
        await until(ledger.lease.read)


async def test_a_leader_sees_who_stands_by_until_that_ends_or_gives_no_sign_of_life_any_more(keeping: Keeping) -> None:
    leader, killed, ended = (keeping(is_alone=False) for _ in range(3))
    await takes(leader)
    stop = asyncio.Event()
    waiting = asyncio.create_task(ended.take(stop, lambda: None))
    gone = asyncio.create_task(killed.take(asyncio.Event(), lambda: None))
    async with kept(leader):
        await until(lambda: len(leader.leadership().standbys) == 2)
        stop.set()
        await waiting
        await ended.release(within=1)
        await until(lambda: len(leader.leadership().standbys) == 1)
        gone.cancel()
        await until(lambda: not leader.leadership().standbys)
