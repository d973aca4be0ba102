"""The standard streams of a process, where somebody has closed them, stopped reading, or has no room left.

What a command prints is not what it finds out: its exit status is the same whoever reads it. Only where output is lost
that somebody wanted, on a full disk, a status of 0 would be untrue.
"""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from wine_slo.exit_status import ExitStatus

if TYPE_CHECKING:
    from typing_extensions import Buffer

STDOUT, STDERR = 1, 2
CLOSED = -1  # no descriptor has this number


def reserve() -> bool:
    """Keep other files from the numbers of the standard streams; return whether there is a standard output.

    A file that is opened while one of them is closed would get its number, and what is printed.
    """
    has_output = True
    for number in (0, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
            has_output = has_output and number != STDOUT
    if sys.stdin is None:  # as each is where it is closed
        sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123  # as long as the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123  # as above
    return has_output


class Output(io.RawIOBase):
    """A stream that raises nothing: what cannot be written is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._error: OSError | None = None

    def writable(self) -> bool:
        """Return that it is for writing."""
        return True

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self._descriptor != CLOSED and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return its descriptor; one that cannot be written where it is closed."""
        return self._descriptor

    def write(self, data: "Buffer") -> int:
        """Write some of it, or drop all."""
        if self._error is None and self._descriptor != CLOSED:
            try:
                return os.write(self._descriptor, data)
            except OSError as error:
                self._error = error
        return memoryview(data).nbytes

    def status(self, status: int) -> int:
        """Return the exit status of a command, and say where its output is lost."""
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        if self._error is None or self._error.errno == errno.EPIPE:  # whoever read it has seen enough
            return status
        with suppress(OSError, ValueError):
            sys.stderr.write(f"standard output cannot be written: {self._error.strerror}\n")
        return status or ExitStatus.OUTPUT_LOST


def open_output() -> Output:
    """Return what standard output is from now on, and let standard error raise nothing either.

    A letter that a stream does not have is a question mark.
    """
    has_output = reserve()
    encoding = (sys.stdout.encoding if has_output else None) or "utf-8"
    output = Output(STDOUT if has_output else CLOSED)
    sys.stdout = _text(output, encoding, by_line=output.isatty())
    sys.stderr = _text(Output(STDERR), sys.stderr.encoding, by_line=True)
    return output


def _text(stream: Output, encoding: str, *, by_line: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(stream), encoding=encoding, errors="replace", line_buffering=by_line)
