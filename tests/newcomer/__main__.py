"""Follow README and the tutorials as a newcomer does: `make newcomer`, or `python -m tests.newcomer DOCUMENT…`.

Each document is followed in a fresh clone of what is committed here, in a home of its own without any cache: what the
document says to type is typed in a real terminal, and what is printed is compared with what the document says one sees.
The first difference ends it with status 1. Everything that was started is ended, and that is checked, too. Standard
library only, as what is tried includes the installation. Linux only, as it reads /proc.

The ports that the documents name must be free. The clone that the documents write comes from this folder, whatever
its address is.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.newcomer.document import DocumentError, Interrupts, LeavesOut, Sees, Step, Turns, Types, Waits, steps
from tests.newcomer.expectation import farthest, find
from tests.newcomer.screen import PROMPT
from tests.newcomer.terminal import Terminal, TerminalError

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/tutorials/first-run.md", "docs/tutorials/own-service.md")
CLONE = re.compile(r"\bgit(?: clone |\+)(https://[^\s'\"]+)")  # by a reader, or by pip
KEPT = ("PATH", "LANG", "LC_ALL", "USER", "TMPDIR")  # and how packages are reached, by these:
REACHING = re.compile(r"(?:PIP|UV|SSL|REQUESTS|CURL|NODE|npm)_\w+|\w*_proxy", re.IGNORECASE)
CACHES = re.compile(r".*CACHE.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds are waited at the most.

    Attributes:
        ends: For the end of a command; the longest installs everything, without a cache.
        prints: For what something that goes on prints.
        settles: For what goes on to end by a fault, before the document is taken for right.
        ends_by_itself: For what is to end with its terminal.
    """

    ends: float = 900
    prints: float = 300
    settles: float = 10
    ends_by_itself: float = 20


class Walk:
    """One document, followed by one newcomer.

    Args:
        name: Of the document.
        text: What stands in it.
        home: A new folder; the newcomer's home.
        patience: How long is waited.
    """

    def __init__(self, name: str, text: str, home: Path, patience: Patience) -> None:
        self.name, self.text, self.home = name, text, home
        self._patience = patience
        self._environment = environment(home)
        self._terminals: dict[str, Terminal] = {}
        self._seen: dict[str, int] = {}  # of each terminal, the first line that is not known yet
        self._going_on: dict[str, int] = {}  # terminals in which something does not end by itself, and what had before
        self._logs: set[str] = set()  # and those in which something did not, until something else is typed
        self._now = "1"

    def follow(self) -> None:
        """Follow the document to its end.

        Raises:
            DocumentError: Nobody could follow it.
            TerminalError: What is printed is not what it says.
        """
        all_steps = steps(self.text)
        if not any(isinstance(each, Types) for each in all_steps):
            raise DocumentError("nothing is typed")
        self._have_clones()
        self._open("1", self.home)
        for step in all_steps:
            begun = time.monotonic()
            try:
                said = self._take(step)
            except TerminalError as error:
                raise TerminalError(f"{self.name}:{step.line}: {error}") from None
            say(f"ok    {self.name}:{step.line}: {said} ({time.monotonic() - begun:.0f} s)")

        time.sleep(self._patience.settles)
        for name, ended in self._going_on.items():
            if len(self._terminals[name].screen.statuses) > ended:
                raise TerminalError(
                    f"{self.name}: what goes on has ended in terminal {name}\n{self._terminals[name].tail()}"
                )

    def close(self) -> list[str]:
        """End everything, and return what was not ended by a terminal's end, but by force."""
        for terminal in self._terminals.values():
            terminal.close()
        ends_at = time.monotonic() + self._patience.ends_by_itself
        while (left := list(running_in(self.home))) and time.monotonic() < ends_at:
            time.sleep(0.5)
        for process, _ in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while left and list(running_in(self.home)):  # a busy machine ends them a little later
            time.sleep(0.05)
        return [name for _, name in left]

    def _have_clones(self) -> None:
        """Have every clone come from here."""
        with (self.home / ".gitconfig").open("w") as config:
            for each in set(CLONE.findall(self.text)):
                config.write(f'[url "file://{ROOT}"]\n\tinsteadOf = {each}\n')

    def _take(self, step: Step) -> str:
        """Do what the document says, and return what that was."""
        match step:
            case Types():
                return self._type(step)
            case Sees():
                return self._compare(step)
            case Turns():
                if step.terminal not in self._terminals:
                    self._open(step.terminal, self._terminals[self._now].folder)
                self._now = step.terminal
                return f"terminal {self._now}"
            case Interrupts():
                status = self._terminals[self._now].interrupt()
                self._going_on.pop(self._now, None)
                return f"Ctrl-C, status {status}"
            case Waits():
                time.sleep(step.seconds)
                return "waited"
            case LeavesOut():
                return f"not typed: {step.reason}"

    def _type(self, step: Types) -> str:
        terminal = self._terminals[self._now]
        if self._now in self._going_on:
            raise TerminalError(f"something goes on in terminal {self._now}, where a newcomer can type nothing")
        self._seen[self._now] = len(terminal.screen.lines)
        self._logs.discard(self._now)
        *_, last = step.commands
        for number, command in enumerate(step.commands, 1):
            is_last = number == len(step.commands)
            if is_last and step.goes_on:
                self._going_on[self._now] = len(terminal.screen.statuses)
                terminal.enter(command)
                self._logs.add(self._now)
                break
            status = terminal.run(command, self._patience.ends)
            if status != (step.status if is_last else 0):
                raise TerminalError(f"{command!r} ended with {status}:\n{terminal.tail()}")
        return last.splitlines()[0]

    def _compare(self, step: Sees) -> str:
        """Find what is to be seen in what was printed since then; wait for it where something goes on."""
        terminal, begin = self._terminals[self._now], self._seen[self._now]
        is_log = self._now in self._logs

        def there() -> tuple[int, int] | None:
            return find(step.lines, terminal.screen.since(begin), with_others=is_log)

        if self._now in self._going_on:
            with suppress(TerminalError):
                terminal.until("it is printed", there, self._patience.prints)
        printed, place = terminal.screen.since(begin), there()
        if place is None:
            raise TerminalError(
                f"this is not what one sees: {farthest(step.lines, printed)!r}\n"
                "--- what the document says\n" + "\n".join(step.lines) + "\n--- what was printed\n" + "\n".join(printed)
            )
        if not is_log and (others := [*printed[: place[0]], *printed[place[1] :]]):
            raise TerminalError("more is printed than the document says:\n" + "\n".join(others))
        self._seen[self._now] = begin + _rows(terminal.screen.lines[begin:], place[1])
        return f"{len(step.lines)} lines are as they are said to be"

    def _open(self, name: str, folder: Path) -> None:
        self._terminals[name] = Terminal(folder, self._environment)
        self._seen[name] = 0


def environment(home: Path) -> dict[str, str]:
    """Return what a newcomer's shell has: nothing of this project's environments, and no cache."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or (REACHING.fullmatch(name) and not CACHES.match(name))
    }
    path = [each for each in kept.get("PATH", "").split(os.pathsep) if not Path(each).is_relative_to(ROOT)]
    return {**kept, "PATH": os.pathsep.join(path), "HOME": str(home), "PIP_NO_CACHE_DIR": "1"}


def _rows(lines: Sequence[str], count: int) -> int:
    """Return how many lines there are up to that one of those that are not blank."""
    filled = [row for row, line in enumerate(lines, 1) if PROMPT.sub("", line).strip()]
    return filled[count - 1] if count else 0


def running_in(home: Path) -> Iterator[tuple[int, str]]:
    """Yield the id and the command of each process that has this home."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"HOME={home}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()


@contextmanager
def new_home() -> Iterator[Path]:
    """Make a home that nobody has used, and remove it."""
    home = Path(tempfile.mkdtemp(prefix="newcomer-")).resolve()
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def follow(name: str) -> None:
    """Follow one document.

    Raises:
        DocumentError: Nobody could follow it.
        TerminalError: What is printed is not what it says, or something still ran at the end.
    """
    with new_home() as home:
        walk = Walk(name, (ROOT / name).read_text(), home, Patience())
        left = list[str]()
        try:
            walk.follow()
        finally:
            left += walk.close()
        if left:
            raise TerminalError(f"{name}: still ran at the end: {', '.join(left)}")


def main() -> None:
    """Follow each document, and end with 1 at the first difference."""
    for name in sys.argv[1:] or DOCUMENTS:
        begun = time.monotonic()
        try:
            follow(name)
        except (DocumentError, TerminalError) as error:
            sys.exit(f"wrong {error}")
        say(f"{name}: all of it, in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
