"""A container of a pod without a cluster: its command with its variables, its user, its files, and nothing to write to.

It has a root of its own: Python, this project and its libraries, read-only; `/tmp` and the other volumes in memory;
Secrets and ConfigMaps as files. It is process 1 on a host of its own name, has no capabilities and cannot get any. The
network is this machine's, so each pod of one Deployment needs a port of its own. Wants root and Linux.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.real.processes import Process
from wine_slo.config.files.shipped import PACKAGE

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/dev", "/etc/ssl")
FOLDERS = (*SYSTEM, sys.base_prefix, str(PACKAGE.parent), sys.prefix)
FILES = ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/ld.so.cache")
IMAGE = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}  # the Dockerfile's
SCRIPT = f"""
import json, os, socket, subprocess, sys
pod = json.loads(sys.stdin.readline())
os.close(0); os.open("/dev/null", os.O_RDONLY)
root = pod["root"]
mount = lambda *words: subprocess.run(["mount", *words], check=True)
mount("-t", "tmpfs", "-o", "mode=755", "pod", root)
for path in {FOLDERS!r}:
    if os.path.islink(path):
        os.symlink(os.readlink(path), root + path)
    elif os.path.isdir(path) and not os.path.exists(root + path):
        os.makedirs(root + path)
        mount("--rbind", path, root + path)
        mount("-o", "remount,bind,ro", root + path)
for path in {FILES!r}:
    if os.path.exists(path):
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        open(root + path, "wb").write(open(path, "rb").read())
for path, size in pod["volumes"].items():
    os.makedirs(root + path, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={{size}},mode=2770,uid=0,gid={{pod['user']}}", "volume", root + path)
for path, text in pod["files"].items():
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "wb") as file:
        file.write(text.encode())
    os.chown(root + path, 0, pod["user"])
    os.chmod(root + path, 0o440)
os.makedirs(root + "/app", exist_ok=True)
os.makedirs(root + "/proc")
mount("-t", "proc", "proc", root + "/proc")
socket.sethostname(pod["name"])
mount("-o", "remount,ro", root)
os.chroot(root); os.chdir("/app")
own = ["setpriv", f"--reuid={{pod['user']}}", f"--regid={{pod['user']}}", "--clear-groups", "--inh-caps=-all",
       "--bounding-set=-all", "--no-new-privs"]
os.execvpe(own[0], [*own, *pod["command"]], pod["environment"])
"""


class PodProcess(Process):
    """The first process of a container; what was started waits for its end, and ends as it does."""

    @property
    def pid(self) -> int:
        """Its number outside of the container."""
        waiting = super().pid
        return int(Path(f"/proc/{waiting}/task/{waiting}/children").read_text().split()[0])

    def send(self, number: signal.Signals) -> None:
        with suppress(OSError, IndexError):  # it has ended
            os.kill(self.pid, number)


@dataclass(frozen=True, kw_only=True)
class Container:
    """What a container is given.

    Attributes:
        command: With `python` as the first word for that of this machine.
        environment: Its variables.
        files: What is mounted from Secrets and ConfigMaps.
        volumes: The sizes of what can be written to, by its path.
        user: Its user, and its group.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    user: int = 10001

    async def start(self, name: str, root: Path) -> "PodProcess":
        """Start it, with a root that is mounted at an empty folder."""
        pod = {
            "name": name,
            "root": str(root),
            "command": [sys.executable if word == "python" else word for word in self.command],
            "environment": {**IMAGE, **self.environment},
            "files": dict(self.files),
            "volumes": dict(self.volumes),
            "user": self.user,
        }
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--uts", "--ipc"),
            *(sys.executable, "-c", SCRIPT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=2**20,  # bytes of one line
        )
        assert process.stdin
        process.stdin.write(json.dumps(pod).encode() + b"\n")
        await process.stdin.drain()
        return PodProcess(name, process)
