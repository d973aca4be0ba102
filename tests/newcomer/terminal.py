"""A terminal with bash in it, in which somebody types; what is printed is read all the time, by a thread."""

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Condition, Event, Thread

from tests.newcomer.screen import Screen

SETTINGS = {"PS1": r"\036$?\037", "PS2": "", "TERM": "xterm", "NO_COLOR": "1", "VIRTUAL_ENV_DISABLE_PROMPT": "1"}
ROWS, COLUMNS = 50, 160
POLL = 0.1  # seconds after which a reader sees that it is closed
ENDS_WITHIN = 30  # seconds for what a Ctrl-C ends


class TerminalError(Exception):
    """Something is not as it should be; the text says what, with what was printed."""


class Terminal:
    """One terminal; `screen` is what it shows.

    Args:
        folder: Where it is opened.
        environment: Of bash; prompts are added.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.screen = Screen()
        self._changed = Condition()
        self._is_open = True
        self._closes = Event()
        self._file, shown = pty.openpty()
        _prepare(shown)
        self._bash = subprocess.Popen(
            ["setsid", "--ctty", "bash", "--noprofile", "--norc", "--noediting", "-i"],
            cwd=folder,
            env={**environment, **SETTINGS},
            stdin=shown,
            stdout=shown,
            stderr=shown,
        )
        os.close(shown)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.until("bash waits", lambda: self.screen.statuses, ENDS_WITHIN)

    @property
    def folder(self) -> Path:
        """The folder that bash is in; Linux knows it of every process."""
        return Path(f"/proc/{self._bash.pid}/cwd").resolve()

    def enter(self, command: str) -> None:
        """Type a command, and do not wait for its end."""
        with self._changed:
            self.screen.print("\r\n")  # as Enter does where what is typed is shown
        os.write(self._file, f"{command}\n".encode())

    def run(self, command: str, seconds: float) -> int:
        """Type a command, wait for its end and return its status.

        Raises:
            TerminalError: It does not end in time.
        """
        before = len(self.screen.statuses)
        self.enter(command)
        self.until(f"{command!r} ends", lambda: len(self.screen.statuses) > before, seconds)
        return self.screen.statuses[-1]

    def interrupt(self) -> int:
        """Press Ctrl-C, wait for the end of what runs and return its status.

        Raises:
            TerminalError: It does not end in time.
        """
        before = len(self.screen.statuses)
        os.write(self._file, b"\x03")
        self.until("Ctrl-C ends it", lambda: len(self.screen.statuses) > before, ENDS_WITHIN)
        return self.screen.statuses[-1]

    def until(self, what: str, claim: Callable[[], object], seconds: float) -> None:
        """Wait until something holds of what has been printed.

        Raises:
            TerminalError: It does not, in time.
        """
        ends_at = time.monotonic() + seconds
        with self._changed:
            while not claim():
                left = ends_at - time.monotonic()
                if left <= 0 or not self._is_open:
                    raise TerminalError(f"not within {seconds:g} s: {what}\n{self.tail()}")
                self._changed.wait(left)

    def tail(self) -> str:
        """Return the last lines, for whoever reads what went wrong."""
        return "\n".join(self.screen.since(0)[-60:])

    def close(self) -> None:
        """End bash and, as a terminal that is closed does, all that runs in it."""
        if os.tcgetpgrp(self._file) != self._bash.pid:
            with suppress(TerminalError):  # what does not end by this is ended by the next
                self.interrupt()
        self._bash.send_signal(signal.SIGHUP)
        try:
            self._bash.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._bash.kill()
            self._bash.wait()
        self._closes.set()
        self._reader.join()
        os.close(self._file)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while not self._closes.is_set() and self._is_open:
            if not select.select([self._file], [], [], POLL)[0]:
                continue
            try:
                read = os.read(self._file, 65536)
            except OSError:  # EIO: nobody has it open any more
                read = b""
            with self._changed:
                self.screen.print(decoder.decode(read))
                self._is_open = bool(read)
                self._changed.notify_all()


def _prepare(terminal: int) -> None:
    """Have a terminal show what is printed and not what is typed, in a window of our size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)
