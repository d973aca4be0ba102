"""What is done to the leader, a standby or the database: each step strikes, waits for who leads then, and mends."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import cache
from time import time

from tests.support.fakes.bot_api import Outcome
from tests.support.real.postgres import How
from tests.support.takeovers.audit import Trap
from tests.support.takeovers.history import TELEGRAM_AWAY, Blow
from tests.support.takeovers.stage import ELSEWHERE, LEASE, Member, Stage

KILLED, TERMINATED = 15.0, 2.0  # seconds within which another one leads
SOMETHING_IS_SAID_WITHIN = 60.0  # seconds
GIVES_UP_AFTER = 40.0  # seconds in which nobody takes over
SENDS = ("sendMessage",)
HOWS: tuple[How, ...] = ("fast", "immediate")

Step = Callable[[Stage], Awaitable[None]]


@cache
def has_elsewhere() -> bool:
    """Return whether processes can be started here as if on another machine."""
    try:
        return subprocess.run([*ELSEWHERE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@asynccontextmanager
async def blow(stage: Stage, kind: str, who: str, within: float | None = None) -> AsyncIterator[None]:
    """Note what is done within the context; where somebody must take over, wait for that at its end."""
    tenure = await stage.audit.tenure()
    assert tenure
    blows = stage.history.blows
    place = len(blows)
    blows.append(Blow(kind=kind, who=who, at=time(), within=within))
    yield
    if within is not None:
        await stage.until_succeeded(tenure, GIVES_UP_AFTER)
    blows[place] = replace(blows[place], until=time())


async def start_again(stage: Stage, member: Member) -> None:
    """Start a watchdog that has ended, here or elsewhere."""
    await member.process.wait()
    await stage.start_member(member, elsewhere=has_elsewhere() and stage.chance.random() < 1 / 2)


async def _kill(stage: Stage, leader: Member, kind: str) -> None:
    async with blow(stage, f"{kind}, {leader.where}", leader.name, KILLED):
        leader.send(signal.SIGKILL)


async def kill(stage: Stage) -> None:
    """Kill the leader at any moment."""
    leader = await stage.settle()
    await stage.pause(4)
    await _kill(stage, leader, "kill -9")
    await start_again(stage, leader)


@asynccontextmanager
async def _caught(stage: Stage, where: Trap, kind: str) -> AsyncIterator[Member | None]:
    """Stop the leader in a transaction in which it writes an attempt, to be struck there; None where it writes none."""
    leader = await stage.settle()
    async with stage.audit.trap(where) as trap:
        if await trap.until_caught(SOMETHING_IS_SAID_WITHIN) != leader.name:
            yield None
            return
        async with blow(stage, f"{kind}, {leader.where}", leader.name, KILLED):
            yield leader
            await trap.release()


async def kill_in_a_write(stage: Stage) -> None:
    """Kill the leader between a statement and its commit."""
    async with _caught(stage, Trap.WRITE, "kill -9 in a write") as leader:
        if leader:
            leader.send(signal.SIGKILL)
    if leader:
        await start_again(stage, leader)


async def kill_between_attempt_and_send(stage: Stage) -> None:
    """Kill the leader once its attempt is committed, before it knows that and sends; its machine dies with it."""
    async with _caught(stage, Trap.COMMIT, "kill -9 between attempt and send") as leader:
        if leader:
            leader.postgres.stalls()
            leader.send(signal.SIGKILL)
    if leader:
        await leader.postgres.passes()
        await start_again(stage, leader)


async def lose_power_in_a_transaction(stage: Stage) -> None:
    """Take the leader and its machine away in a transaction, of whose end the database never learns."""
    async with _caught(stage, Trap.WRITE, "power loss in a transaction") as leader:
        if leader:
            leader.postgres.stalls()
            leader.send(signal.SIGKILL)
    if leader:
        await leader.postgres.passes()
        await start_again(stage, leader)


@asynccontextmanager
async def _delivery(stage: Stage, outcome: Outcome) -> AsyncIterator[bool]:
    """Wait for the next message, which has that outcome as long as the context lasts; give whether one came."""
    known = len(stage.bot_api.calls)
    if outcome is Outcome.HANGS:
        stage.bot_api.hangs(methods=SENDS, times=1)
    else:
        stage.bot_api.does_then_hangs(methods=SENDS, times=1)
    with suppress(AssertionError):
        await stage.bot_api.until(
            lambda: any(each.outcome is outcome for each in stage.bot_api.calls[known:]), SOMETHING_IS_SAID_WITHIN
        )
    yield any(each.outcome is outcome for each in stage.bot_api.calls[known:])
    stage.bot_api.recovers()


async def kill_in_a_delivery_that_hangs(stage: Stage) -> None:
    """Kill the leader while Telegram does not answer, and does nothing."""
    leader = await stage.settle()
    async with _delivery(stage, Outcome.HANGS) as hangs:
        if hangs:
            await _kill(stage, leader, "kill -9 in a delivery that hangs")
            await start_again(stage, leader)


async def kill_after_a_delivery_without_an_answer(stage: Stage) -> None:
    """Kill the leader when its message has arrived and it does not know that."""
    leader = await stage.settle()
    async with _delivery(stage, Outcome.DONE_THEN_HANGS) as hangs:
        if hangs:
            await _kill(stage, leader, "kill -9 after a delivery without an answer")
            await start_again(stage, leader)


async def kill_while_telegram_is_away(stage: Stage) -> None:
    """Kill the leader while nobody can reach Telegram, which is back later."""
    leader = await stage.settle()
    await stage.bot_api.refuses_connections()
    await _kill(stage, leader, f"kill -9, {TELEGRAM_AWAY}")
    await stage.pause(15)
    await stage.bot_api.accepts_connections()
    await start_again(stage, leader)


async def terminate(stage: Stage) -> None:
    """Have the leader end as for an update."""
    leader = await stage.settle()
    await stage.pause(4)
    async with blow(stage, "SIGTERM", leader.name, TERMINATED):
        leader.send(signal.SIGTERM)
    await start_again(stage, leader)


async def terminate_in_a_delivery_that_hangs(stage: Stage) -> None:
    """Have the leader end while Telegram does not answer."""
    leader = await stage.settle()
    async with _delivery(stage, Outcome.HANGS) as hangs:
        if hangs:
            async with blow(stage, "SIGTERM in a delivery that hangs", leader.name, TERMINATED):
                leader.send(signal.SIGTERM)
            await start_again(stage, leader)


async def suspend(stage: Stage) -> None:
    """Suspend the leader for longer than its lease."""
    leader = await stage.settle()
    await stage.pause(3)
    async with blow(stage, "SIGSTOP", leader.name, KILLED):
        leader.send(signal.SIGSTOP)
    await stage.pause(5)
    leader.send(signal.SIGCONT)
    await asyncio.sleep(2)


async def suspend_a_standby(stage: Stage) -> None:
    """Suspend one that stands by for longer than a lease."""
    leader = await stage.settle()
    standby = stage.chance.choice([each for each in stage.members.values() if each is not leader])
    async with blow(stage, "SIGSTOP of a standby", standby.name):
        standby.send(signal.SIGSTOP)
        await asyncio.sleep(LEASE + stage.chance.uniform(1, 5))
        standby.send(signal.SIGCONT)
        await asyncio.sleep(3)


async def partition(stage: Stage) -> None:
    """Let nothing pass between the leader and the database; what was under way arrives when it is over."""
    leader = await stage.settle()
    await stage.pause(3)
    async with blow(stage, "partition that stalls", leader.name, KILLED):
        leader.postgres.stalls()
    await stage.pause(8)
    await leader.postgres.passes()
    await asyncio.sleep(2)


async def lose_packets(stage: Stage) -> None:
    """Let every packet between the leader and the database vanish, on a line of a network of its own."""
    leader = await stage.settle()
    assert leader.network
    await stage.pause(3)
    async with blow(stage, "partition that loses packets", leader.name, KILLED):
        leader.network.cut()
    await stage.pause(8)
    leader.network.mend()
    await asyncio.sleep(2)


async def lose_packets_in_a_transaction(stage: Stage) -> None:
    """Let every packet vanish while a transaction of the leader is open."""
    async with _caught(stage, Trap.WRITE, "partition that loses packets in a transaction") as leader:
        if leader and leader.network:
            leader.network.cut()
    if leader and leader.network:
        await stage.pause(8)
        leader.network.mend()
        await asyncio.sleep(2)


async def partition_in_an_answer(stage: Stage) -> None:
    """Let nothing pass from the middle of an answer of the database on."""
    leader = await stage.settle()
    async with blow(stage, "partition in an answer", leader.name, KILLED):
        leader.postgres.stalls(after=stage.chance.randrange(1, 200))
    await stage.pause(8)
    await leader.postgres.passes()
    await asyncio.sleep(2)


async def partition_in_a_transaction(stage: Stage) -> None:
    """Let nothing pass while a transaction of the leader is open."""
    async with _caught(stage, Trap.WRITE, "partition in a transaction") as leader:
        if leader:
            leader.postgres.stalls()
    if leader:
        await stage.pause(8)
        await leader.postgres.passes()
        await asyncio.sleep(2)


async def suspend_in_a_transaction(stage: Stage) -> None:
    """Suspend the leader for longer than its lease, while a transaction of it is open."""
    async with _caught(stage, Trap.WRITE, "SIGSTOP in a transaction") as leader:
        if leader:
            leader.send(signal.SIGSTOP)
    if leader:
        await stage.pause(5)
        leader.send(signal.SIGCONT)
        await asyncio.sleep(2)


async def refuse(stage: Stage) -> None:
    """Reset the leader's connections to the database, and refuse new ones."""
    leader = await stage.settle()
    async with blow(stage, "partition that refuses", leader.name, KILLED):
        await leader.postgres.refuses()
    await stage.pause(8)
    await leader.postgres.passes()
    await asyncio.sleep(2)


async def partition_a_standby(stage: Stage) -> None:
    """Let nothing pass between one that stands by and the database."""
    leader = await stage.settle()
    standby = stage.chance.choice([each for each in stage.members.values() if each is not leader])
    async with blow(stage, "partition of a standby", standby.name):
        standby.postgres.stalls()
        await asyncio.sleep(LEASE + stage.chance.uniform(1, 5))
        await standby.postgres.passes()
        await asyncio.sleep(3)


async def restart_database(stage: Stage) -> None:
    """Restart PostgreSQL, or have it crash."""
    await stage.settle()
    how = stage.chance.choice(HOWS)
    server = stage.database.server
    async with blow(stage, f"PostgreSQL restarted, {how}", ""):
        await asyncio.to_thread(server.stop, how)
        await asyncio.to_thread(server.start)
        await until_led(stage)


def stop_database(seconds: float) -> Step:
    """Return what stops PostgreSQL for so long."""

    async def stop(stage: Stage) -> None:
        await stage.settle()
        async with blow(stage, f"PostgreSQL stopped for {seconds:.0f} s", ""):
            async with stage.database.server.away():
                await asyncio.sleep(seconds)
            await until_led(stage)

    return stop


async def until_led(stage: Stage) -> None:
    """Wait until somebody leads whose lease is new; nobody may need longer than after a kill."""
    async with asyncio.timeout(KILLED):
        since = time()
        while (tenure := await stage.audit.tenure()) is None or tenure.since < since:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.1)


# Those after which another one leads.
TAKEOVERS: tuple[Step, ...] = (
    kill,
    kill_in_a_write,
    kill_between_attempt_and_send,
    lose_power_in_a_transaction,
    kill_in_a_delivery_that_hangs,
    kill_after_a_delivery_without_an_answer,
    kill_while_telegram_is_away,
    terminate,
    terminate_in_a_delivery_that_hangs,
    suspend,
    suspend_in_a_transaction,
    partition,
    partition_in_an_answer,
    partition_in_a_transaction,
    refuse,
)
WITH_NETWORKS: tuple[Step, ...] = (lose_packets, lose_packets_in_a_transaction)
OTHERS: tuple[Step, ...] = (suspend_a_standby, partition_a_standby, restart_database)
