"""One ledger, one watchdog: who takes it, who is refused, and when a dead holder is replaced."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wine_slo.integrations.storage.claim import BOOT, Claim, ClaimError
from wine_slo.integrations.storage.holder import Holder
from wine_slo.integrations.storage.ledger import Ledger

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ELSEWHERE = Holder(id="x", host="elsewhere", boot="another", pid=7, since=NOW, number=41, beats=5)

Claiming = Callable[[], Claim]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def claiming(ledger: Ledger) -> Iterator[Claiming]:
    """Make claims of other watchdogs to the same ledger."""
    made: list[Claim] = []

    def claim() -> Claim:
        made.append(Claim(ledger, lambda: NOW, beat_seconds=0.01, stale_seconds=1.5))
        return made[-1]

    yield claim
    for each in made:
        each.free()


async def takes(claim: Claim, *, waits: bool = False) -> bool:
    return await claim.take(asyncio.Event(), lambda: None, waits=waits)


async def test_the_first_takes_it_and_the_second_learns_who_that_is(claiming: Claiming) -> None:
    assert await takes(claiming())
    with pytest.raises(ClaimError) as caught:
        await takes(claiming())
    assert f"process {os.getpid()} on " in str(caught.value)
    assert "since 2026-01-01 12:00:00 UTC" in str(caught.value)
    assert "WINE_SLO_STANDBY" in str(caught.value)


async def test_a_ledger_has_one_lock_whatever_name_it_is_called_by(claiming: Claiming, tmp_path: Path) -> None:
    assert await takes(claiming())
    (tmp_path / "other").symlink_to(tmp_path)
    (tmp_path / "other.db").symlink_to("watchdog.db")
    for name in ("other.db", "other/watchdog.db"):
        linked = Ledger.open(f"sqlite:///{tmp_path / name}")
        with pytest.raises(ClaimError, match="held by another watchdog"):
            await takes(Claim(linked, lambda: NOW))
        linked.close()


async def test_a_link_that_leads_to_itself_locks_nothing_and_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "loop.db").symlink_to("loop.db")
    ledger = Ledger.open_or_remember(f"sqlite:///{tmp_path / 'loop.db'}")
    claim = Claim(ledger, lambda: NOW)
    assert await takes(claim)
    claim.free()
    ledger.close()


async def test_who_waits_takes_it_when_the_first_lets_go(claiming: Claiming) -> None:
    first, second, waiting = claiming(), claiming(), asyncio.Event()
    assert await takes(first)
    task = asyncio.create_task(second.take(asyncio.Event(), waiting.set, waits=True))
    await waiting.wait()
    first.free()
    assert await task


async def test_who_waits_can_be_stopped(claiming: Claiming) -> None:
    stop = asyncio.Event()
    assert await takes(claiming())
    assert not await claiming().take(stop, stop.set, waits=True)


@pytest.mark.parametrize(
    "dead",
    [
        pytest.param({"boot": BOOT.read_text().strip()}, id="killed on this machine, or in another container of it"),
        pytest.param({"host": os.uname().nodename}, id="gone with a reboot of this machine"),
        pytest.param({"is_free": True}, id="ended in order, on another machine"),
    ],
)
async def test_a_dead_holder_is_replaced_at_once(claiming: Claiming, ledger: Ledger, dead: dict[str, object]) -> None:
    gone = Holder(**{"id": "x", "host": "elsewhere", "boot": "b", "pid": 7, "since": NOW, "number": 41, **dead})  # type: ignore[arg-type]
    assert ledger.hold(gone, instead_of=None)
    async with asyncio.timeout(0.5):
        assert await takes(claiming())
    found = ledger.holder()
    assert found
    assert (found.pid, found.number) == (os.getpid(), 42), "the number only grows"


async def test_a_holder_elsewhere_that_gives_no_sign_of_life_is_replaced_after_a_while(
    claiming: Claiming, ledger: Ledger
) -> None:
    ledger.hold(ELSEWHERE, instead_of=None)
    taking = asyncio.create_task(takes(claiming()))
    done, _ = await asyncio.wait({taking}, timeout=1)
    assert not done, "it may be alive"
    async with asyncio.timeout(30):
        assert await taking


async def test_a_holder_elsewhere_that_gives_signs_of_life_is_alive_whatever_the_clocks_say(
    claiming: Claiming, ledger: Ledger
) -> None:
    known = ELSEWHERE
    ledger.hold(known, instead_of=None)

    def beats() -> None:
        nonlocal known
        alive = Holder(id="x", host="elsewhere", boot="another", pid=7, since=NOW, number=41, beats=known.beats + 1)
        assert ledger.hold(alive, instead_of=known)
        known = alive

    with pytest.raises(ClaimError, match="process 7 on elsewhere"):
        await claiming().take(asyncio.Event(), beats, waits=False)


async def test_the_number_grows_with_each_holder_over_a_clean_end_too(claiming: Claiming, ledger: Ledger) -> None:
    for number in (1, 2, 3):
        claim = claiming()
        assert await takes(claim)
        found = ledger.holder()
        assert found
        assert found.number == number
        claim.free()


async def test_signs_of_life_are_written_while_it_is_held(claiming: Claiming, ledger: Ledger) -> None:
    claim = claiming()
    await takes(claim)
    before = ledger.holder()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await claim.keep()
    after = ledger.holder()
    assert before
    assert after
    assert after.id == before.id
    assert after.beats > before.beats + 2


async def test_who_has_lost_it_to_another_machine_learns_so(claiming: Claiming, ledger: Ledger) -> None:
    claim = claiming()
    await takes(claim)
    ledger.hold(ELSEWHERE, instead_of=ledger.holder())
    async with asyncio.timeout(30):
        assert "process 7 on elsewhere" in await claim.keep()


async def test_who_has_lost_the_lock_since_its_file_was_deleted_learns_so(claiming: Claiming, tmp_path: Path) -> None:
    first = claiming()
    await takes(first)
    (tmp_path / "watchdog.db.lock").unlink()
    assert await takes(claiming())
    async with asyncio.timeout(30):
        assert "has taken the ledger" in await first.keep()


async def test_a_ledger_that_is_emptied_while_it_is_held_is_held_again(
    claiming: Claiming, ledger: Ledger, tmp_path: Path
) -> None:
    claim = claiming()
    await takes(claim)
    with sqlite3.connect(tmp_path / "watchdog.db") as connection:
        connection.execute("DELETE FROM facts WHERE name = 'holder'")
    connection.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await claim.keep()
    assert ledger.holder()


async def test_a_ledger_that_another_process_writes_is_taken_by_the_lock_alone(
    claiming: Claiming, ledger: Ledger, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "watchdog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = claiming()
    assert await takes(first)
    with pytest.raises(ClaimError, match="it is not written which"):
        await takes(claiming())
    other.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await first.keep()
    found = ledger.holder()
    assert found
    assert found.pid == os.getpid()
