"""A network of its own for one watchdog, of which one line can go dead: packets vanish, and nobody says so.

It needs root, and a network namespace around the tests with nothing in it but loopback, so that the machine's own
network is not touched: `unshare --net sh -c 'ip link set lo up && python -m pytest …'`.
"""

import os
import subprocess
from pathlib import Path
from typing import Self

NOBODYS = "02:00:00:00:00:99"  # an address of no interface: what is sent there arrives nowhere
LINES = ("all", "database")


def is_possible() -> bool:
    """Return whether the tests run in a network namespace of their own, and may make more."""
    routes = Path("/proc/self/net/route")
    return os.geteuid() == 0 and routes.is_file() and len(routes.read_text().splitlines()) == 1  # no way leads out


class Network:
    """A namespace that is linked to ours by two lines: one to the database, and one to everything else.

    Args:
        number: Another one for each.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._holder: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Our own address, as seen from there."""
        return self._addresses("all")[0]

    @property
    def database_host(self) -> str:
        """Our own address on the line to the database."""
        return self._addresses("database")[0]

    @property
    def prefix(self) -> list[str]:
        """What a command is started with to run there."""
        assert self._holder
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]

    def __enter__(self) -> Self:
        # It lasts as long as this process, which lasts as long as the pipe that we hold.
        ready = ["unshare", "--net", "sh", "-c", "ip link set lo up; echo; exec cat"]
        self._holder = subprocess.Popen(ready, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout
        self._holder.stdout.readline()
        for line in LINES:
            ours, theirs = self._ends(line)
            here, there = self._addresses(line)
            _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", str(self._holder.pid))
            _run("ip", "address", "add", f"{here}/30", "dev", ours)
            _run("ip", "link", "set", ours, "up")
            _run(*self.prefix, "ip", "address", "add", f"{there}/30", "dev", theirs)
            _run(*self.prefix, "ip", "link", "set", theirs, "up")
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder:
            self._holder.communicate()

    def cut(self) -> None:
        """Let every packet between there and the database vanish, in both directions."""
        (ours, theirs), (here, there) = self._ends("database"), self._addresses("database")
        lost = ("lladdr", NOBODYS, "nud", "permanent")
        _run(*self.prefix, "ip", "neighbour", "replace", here, *lost, "dev", theirs)
        _run("ip", "neighbour", "replace", there, *lost, "dev", ours)

    def mend(self) -> None:
        """Let packets arrive again."""
        (ours, theirs), (here, there) = self._ends("database"), self._addresses("database")
        _run(*self.prefix, "ip", "neighbour", "delete", here, "dev", theirs)
        _run("ip", "neighbour", "delete", there, "dev", ours)

    def _ends(self, line: str) -> tuple[str, str]:
        return f"our-{line[:4]}-{self._number}", f"its-{line[:4]}-{self._number}"

    def _addresses(self, line: str) -> tuple[str, str]:
        """Return our address on a line, and the one there."""
        net = f"10.213.{self._number}.{4 * LINES.index(line)}".rpartition(".")
        return f"{net[0]}.{int(net[2]) + 1}", f"{net[0]}.{int(net[2]) + 2}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
