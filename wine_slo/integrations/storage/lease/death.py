"""Whether another watchdog is dead for certain, by what the kernel says of it.

Two proofs need no waiting: the lock beside an SQLite file, which the kernel frees with the process that has it, and a
process of this boot, seen from the same container, that is gone. A session of PostgreSQL that has ended proves nothing:
its watchdog may be alive and cut off, and speak until its lease ends.
"""

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from wine_slo.slo.lease import Lease, Watchdog

BOOT = Path("/proc/sys/kernel/random/boot_id")
PROC = Path("/proc")
STOPPED = ("T", "t")  # the states of one that was stopped, by a signal or a debugger
ENDED = ("Z", "X")  # the states of a process that has ended and is still listed


def boot() -> str:
    """Return which boot of the kernel this is."""
    try:
        return BOOT.read_text().strip()
    except OSError:
        return uuid4().hex  # no Linux; the name of the machine has to do


def process(pid: int) -> str:
    """Return what distinguishes a process from any other one of this boot; empty where it has ended or is not known.

    Its namespace and its start are in it, as a container counts its processes from 1, and a number is given again.
    """
    with suppress(OSError, IndexError):
        state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        started = fields[18]  # the 22nd field of all: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        has_ended = state in ENDED and len(list((PROC / str(pid) / "task").iterdir())) == 1
        if not has_ended:
            return f"{_namespace()}:{pid}:{started}"
    return ""


def is_suspended(leader: Watchdog, me: Watchdog) -> bool:
    """Return whether another watchdog is known to be suspended: a process seen from here, as by SIGSTOP."""
    if leader.boot != me.boot or not leader.process or process(leader.pid) != leader.process:
        return False
    with suppress(OSError):
        return (PROC / str(leader.pid) / "stat").read_text().rpartition(")")[2].split()[0] in STOPPED
    return False


def is_dead(lease: Lease, me: Watchdog, *, locked: bool | None) -> bool:
    """Return whether the leader is dead for certain.

    Args:
        lease: As it is written.
        me: Who wants to know.
        locked: Whether we have the lock now; None where nothing can be locked.
    """
    leader = lease.leader
    is_here = leader.boot == me.boot
    if locked and lease.is_locked and (is_here or leader.host == me.host):  # or that machine was booted again
        return True
    mine, its = me.process.partition(":")[0], leader.process.partition(":")[0]
    return is_here and bool(its) and its == mine and process(leader.pid) != leader.process


def _namespace() -> str:
    return str(os.stat(PROC / "self" / "ns" / "pid").st_ino)  # noqa: PTH116 - of what the link leads to
