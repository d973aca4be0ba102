"""A recording of `make up` and, in a second terminal below it, of a drill, as an animated SVG.

Both really run, in a copy of this folder whose `.venv` and `.tools` are there already. Waiting is cut short, so that
two minutes play in less than one; what the drill prints are the seconds that it really took.
"""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import aiohttp
import pyte

from tools.pictures.images import IMAGES, ROOT
from wine_slo.integrations.peers import WatchdogApi, WatchdogError
from wine_slo.slo.views.status_schema import Judgement

COLUMNS, UPPER, LOWER = 112, 24, 9  # characters
LONGEST_WAIT, PLAYS = 1.2, 38.0  # seconds: between two changes, and all of them
TO_READ, LAST_FRAME = 4.0, 6.0  # seconds that a message stays, and what is seen at the end
EMOJI = "\N{VARIATION SELECTOR-16}".encode()  # ends the row in the picture
MESSAGE = "└".encode()  # ends one that is printed
SHORTEST = 0.35  # seconds of a picture
KEY = 0.07  # seconds between two letters that are typed
IN_TIME = 240.0  # seconds
LARGEST = 300_000  # bytes
PROMPT = "\x1b[32m$\x1b[0m "
COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")  # as pyte calls them
PORTS = (8000, 8001, 9090)


class Change(NamedTuple):
    """What is written to the terminal that shows both."""

    at: float  # seconds
    written: str
    is_message: bool = False


class Terminal:
    """One of the two: what it shows, and where that stands in the picture.

    Args:
        top: The row of the picture in which it begins, from 0.
        rows: How many it has.
        cast: What is recorded.
    """

    def __init__(self, top: int, rows: int, cast: list[Change]) -> None:
        self._top, self._rows, self._cast = top, rows, cast
        self._screen = pyte.Screen(COLUMNS, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._process: asyncio.subprocess.Process | None = None

    async def type(self, words: str) -> None:
        """Type a command, as a person does."""
        self._show(PROMPT.encode())
        for letter in words:
            await asyncio.sleep(KEY)
            self._show(letter.encode())
        await asyncio.sleep(4 * KEY)
        self._show(b"\r\n")

    async def run(self, command: list[str], folder: Path) -> None:
        """Start a command whose terminal this is."""
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self._rows, COLUMNS, 0, 0))
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        asyncio.get_running_loop().add_reader(ours, self._read, ours)

    async def wait(self) -> None:
        """Wait until the command has ended."""
        if self._process is not None:
            async with asyncio.timeout(IN_TIME):
                await self._process.wait()

    async def end(self) -> None:
        """Press Ctrl-C, as far as the command still runs."""
        if self._process is not None and self._process.returncode is None:
            os.killpg(self._process.pid, signal.SIGINT)
            await self.wait()

    def _read(self, ours: int) -> None:
        try:
            content = os.read(ours, 2**16)
        except OSError:  # as a terminal says that nobody writes to it any more
            content = b""
        if not content:
            asyncio.get_running_loop().remove_reader(ours)
            os.close(ours)
            return
        self._show(content)

    def _show(self, content: bytes) -> None:
        self._stream.feed(content.replace(EMOJI, b""))
        rows = "".join(
            f"\x1b[{self._top + row + 1};1H\x1b[0m\x1b[K{self._line(row)}" for row in sorted(self._screen.dirty)
        )
        self._screen.dirty.clear()
        self._cast.append(Change(monotonic(), rows, is_message=MESSAGE in content))

    def _line(self, row: int) -> str:
        return "".join(_styled(self._screen.buffer[row][column]) for column in range(COLUMNS)).rstrip()


async def draw(folder: Path) -> None:
    """Record both, and draw what they showed."""
    _check_ports()
    copy = _copy(folder)
    cast = [Change(monotonic(), f"\x1b[?25l\x1b[{UPPER + 1};1H\x1b[90m{'─' * COLUMNS}\x1b[0m")]
    upper, lower = Terminal(0, UPPER, cast), Terminal(UPPER + 1, LOWER, cast)
    try:
        await upper.type("make up")
        await upper.run(["make", "up"], copy)
        await _until_evaluated()
        await lower.type("wine-slo drill")
        await lower.run([str(ROOT / ".venv" / "bin" / "wine-slo"), "drill"], copy)
        await lower.wait()
        await asyncio.sleep(1)
        shown = tuple(cast)  # without its end
    finally:
        await lower.end()
        await upper.end()
    recording = folder / "make-up.cast"
    recording.write_text("\n".join(_asciicast(shown)) + "\n")
    _render(recording, IMAGES / "make-up.svg")


async def _until_evaluated() -> None:
    """Wait until the watchdog knows that the service is up."""
    async with asyncio.timeout(IN_TIME), aiohttp.ClientSession() as session:
        while True:
            with suppress(WatchdogError):
                status = await WatchdogApi(session, "http://127.0.0.1:8001").status()
                if all(each.verdict is Judgement.MET for each in status.objectives if each.slo == "availability"):
                    return
            await asyncio.sleep(0.5)


def _check_ports() -> None:
    """Find out whether `make up` can run.

    Raises:
        SystemExit: A port of it is in use.
    """
    for port in PORTS:
        with socket.socket() as taken:
            if taken.connect_ex(("127.0.0.1", port)) == 0:
                raise SystemExit(f"127.0.0.1:{port} is in use, and `make up` needs it; end what listens there first")


def _copy(folder: Path) -> Path:
    """Copy what git knows, without data of a run before."""
    copy = folder / "wine-slo"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    for name in (".venv", ".tools"):
        (copy / name).symlink_to(ROOT / name)
    return copy


def _asciicast(cast: Sequence[Change]) -> Iterator[str]:
    """Yield the lines of a recording of version 2 (https://docs.asciinema.org/manual/asciicast/v2/)."""
    waits = [min(later.at - earlier.at, LONGEST_WAIT) for earlier, later in pairwise(cast)]
    speed = min(1.0, PLAYS / sum(waits))
    yield json.dumps({"version": 2, "width": COLUMNS, "height": UPPER + 1 + LOWER})
    at, drawn_at, written = 0.0, 0.0, ""
    for change, wait in zip(cast, [*waits, LAST_FRAME], strict=True):
        written += change.written
        following = at + wait * speed + (TO_READ if change.is_message else 0.0)
        if following - drawn_at >= SHORTEST:  # what follows sooner is drawn together with this
            yield json.dumps([round(at, 3), "o", written])
            drawn_at, written = following, ""
        at = following


def _render(recording: Path, picture: Path) -> None:
    """Draw a recording.

    Raises:
        SystemExit: It is too large for a page.
    """
    times = ["-D", str(round(LAST_FRAME * 1000)), "-t", "window_frame"]
    command = [sys.executable, "-m", "termtosvg", "render", str(recording), str(picture), *times]
    subprocess.run(command, check=True, capture_output=True)
    size = picture.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{picture.name} has {size} bytes; wanted: at most {LARGEST}")
    print(f"  {picture.name}  {size // 1000} kB", flush=True)


def _styled(char: pyte.screens.Char) -> str:
    """Return a character with the escape codes of its colours."""
    codes = ["1"] if char.bold else []
    codes += ["7"] if char.reverse else []
    codes += _colour(char.fg, "3", "9")
    return f"\x1b[{';'.join(codes)}m{char.data}\x1b[0m" if codes else char.data


def _colour(name: str, normal: str, bright: str) -> list[str]:
    if name in COLOURS:
        return [f"{normal}{COLOURS.index(name)}"]
    if name.startswith("bright") and name.removeprefix("bright") in COLOURS:
        return [f"{bright}{COLOURS.index(name.removeprefix('bright'))}"]
    return []
