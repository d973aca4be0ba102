"""Runs the two commands of a drill, as a process of its own: whatever becomes of the drill, the second one is run.

Its standard input is a pipe that the drill holds open and never writes to: the pipe ends when the drill does, also by
SIGKILL. It reports on standard output, a word and the exit status a line: `start 3` where the first command has failed,
`stop 0` at the end. What the commands print goes to standard error.
"""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

EACH = 0.1  # seconds between two polls of the first command
ENDS_WITHIN = 5.0  # seconds for a first command that goes on, until it is killed
STOPS_WITHIN = 60.0  # seconds for the second command
NOT_STARTED, TOO_LONG = 127, 124  # as a shell and `timeout` have them

Running = subprocess.Popen[bytes]


def main() -> None:
    """Start, wait for the end of the pipe or of the time, and stop."""
    plan = json.loads(sys.argv[1])
    is_over = _signalled()
    first = _begin(plan["start"])
    try:
        if first is None:
            _report("start", NOT_STARTED)
        else:
            _wait(first, monotonic() + plan["seconds"], is_over)
    finally:
        if first is not None:
            _end(first)
        _report("stop", _run(plan["stop"]))


def _signalled() -> list[int]:
    """Return a list that is no longer empty once somebody ends this process; a terminal's Ctrl-C is the drill's."""
    received: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: received.append(number))
    return received


def _begin(words: Sequence[str]) -> Running | None:
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True)  # noqa: S603 - the operator's own command
    except OSError as error:
        sys.stderr.write(f"{words[0]}: {error.strerror}\n")
        return None


def _wait(first: Running, until: float, is_over: Sequence[int]) -> None:
    """Wait for the drill to end; for no longer where the first command fails."""
    while monotonic() < until and not is_over:
        if select.select([sys.stdin.fileno()], [], [], EACH)[0] and not os.read(sys.stdin.fileno(), 1):
            return
        if first.poll():
            _report("start", first.returncode)
            return


def _end(first: Running) -> None:
    """End the first command, and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if first.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(first.pid, number)
        with suppress(subprocess.TimeoutExpired):
            first.wait(ENDS_WITHIN)


def _run(words: Sequence[str]) -> int:
    """Return the exit status of the second command."""
    second = _begin(words)
    if second is None:
        return NOT_STARTED
    try:
        return second.wait(STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        _end(second)
        return TOO_LONG


def _report(word: str, status: int) -> None:
    with suppress(BrokenPipeError):  # nobody is there to read it
        sys.stdout.write(f"{word} {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
