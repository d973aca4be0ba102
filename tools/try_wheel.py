"""Build the sdist and the wheel, and try the wheel as somebody installs it: `make wheel`.

Both are built twice, from copies of what git has that lie in different folders under different umasks, and must be the
same to the byte; so must the wheel that is built from the sdist. The wheel is then installed into bare venvs outside of
this folder, alone and with each extra, and run in empty folders: the server predicts, the watchdog evaluates what a
Prometheus scrapes from it, `init` and `validate` work, and what is not installed is said in one sentence. It ends with
status 1 at the first thing that is not so. What was built is in dist/.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROMETHEUS = ROOT / ".tools" / "bin" / "prometheus"
UV = Path(sys.executable).with_name("uv")
BAROLO = "14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,1065"
NOTHING: Mapping[str, str] = {}
WAIT = 60  # seconds, on a machine that has other work
NEED = {
    "server": ("server", "train"),
    "watchdog": ("watchdog", "doctor", "replay", "suggest", "ledger backup copy.db"),
}


class WrongError(Exception):
    """Something is not as it should be."""


def expect(is_so: object, sentence: str) -> None:
    """Go on only where something is so.

    Raises:
        WrongError: It is not.
    """
    if not is_so:
        raise WrongError(sentence)


def run(*command: str | Path, folder: Path = ROOT, status: int = 0, settings: Mapping[str, str] = NOTHING) -> str:
    """Return what a command prints to both streams.

    Raises:
        WrongError: It ended with another status.
    """
    ran = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**environment(), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode != status:
        raise WrongError(f"{' '.join(map(str, command))} ended with {ran.returncode}:\n{ran.stdout[-3000:]}")
    return ran.stdout


def environment() -> dict[str, str]:
    """Return that of somebody who has neither this folder nor its settings."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("WINE_SLO_", "PYTHON", "VIRTUAL_ENV"))
    }


# Building


def build(work: Path) -> Path:
    """Build sdist and wheel into dist/, and return the wheel.

    Raises:
        WrongError: A build is not the same each time.
    """
    built = [built_from(copy(work / name, mask), work / f"{name}-dist") for name, mask in (("a", 0o022), ("b", 0o077))]
    sdist, wheel = built[0]
    for first, second in zip(*built, strict=True):
        expect(first.read_bytes() == second.read_bytes(), f"{first.name} differs from build to build")
    run("tar", "-xzf", sdist, "-C", work)
    _, again = built_from(work / sdist.name.removesuffix(".tar.gz"), work / "again")
    expect(again.read_bytes() == wheel.read_bytes(), f"{wheel.name} of the sdist differs")
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    for each in (sdist, wheel):
        shutil.copy(each, dist)
        report(f"{each.name}: {each.stat().st_size / 1000:.0f} kB, the same from each build")
    return dist / wheel.name


def copy(folder: Path, mask: int) -> Path:
    """Return a copy of what git has or would take, as a clone under a umask writes it."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in filter(None, names):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod((0o777 if os.access(source, os.X_OK) else 0o666) & ~mask)
    return folder


def built_from(folder: Path, into: Path) -> tuple[Path, Path]:
    """Return the sdist and the wheel of a folder."""
    run(sys.executable, "-m", "hatchling", "build", "--directory", into, folder=folder)
    return next(into.glob("*.tar.gz")), next(into.glob("*.whl"))


# Installing


class Installed:
    """The wheel with an extra, in a venv of its own."""

    def __init__(self, work: Path, wheel: Path, extra: str) -> None:
        self.name, self.wheel = extra or "plain", wheel
        self.venv, self.folder = work / f"venv-{self.name}", work / f"empty-{self.name}"
        self.folder.mkdir()
        run(UV, "venv", "--quiet", "--python", sys.executable, self.venv)
        what = f"{wheel}[{extra}]" if extra else str(wheel)
        install = (UV, "pip", "install", "--quiet", "--python", self.venv / "bin" / "python")
        run(*install, "--constraint", ROOT / "requirements.txt", what, folder=self.folder)

    @property
    def program(self) -> Path:
        """Return the command."""
        return self.venv / "bin" / "wine-slo"

    def says(self, *arguments: str, status: int = 0, settings: Mapping[str, str] = NOTHING) -> str:
        """Return what the command prints.

        Raises:
            WrongError: It ended with another status.
        """
        return run(self.program, *arguments, folder=self.folder, status=status, settings=settings)

    def lacks(self, extra: str) -> None:
        """Go on only where each command of an extra names it.

        Raises:
            WrongError: One does not.
        """
        for command in NEED[extra]:
            said = self.says(*command.split(), status=2)
            ends = f": pip install 'wine-slo[{extra}]'\n"
            expect(said.endswith(ends) and said.count("\n") == 1, f"{self.name}: {command} says {said}")
        module = f"wine_slo.{extra}"
        said = run(self.venv / "bin" / "python", "-m", module, folder=self.folder, status=2)
        expect(said.endswith(ends) and said.count("\n") == 1, f"{self.name}: python -m {module} says {said}")

    def has(self, module: str) -> bool:
        """Return whether a module can be imported."""
        code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
        with suppress(WrongError):
            run(self.venv / "bin" / "python", "-c", code, folder=self.folder)
            return True
        return False

    def size(self) -> float:
        """Return what the venv takes, in MB."""
        return sum(each.stat().st_size for each in self.venv.rglob("*") if each.is_file()) / 1e6


# Running


@contextmanager
def process(folder: Path, settings: Mapping[str, str], *command: str | Path) -> Iterator[Path]:
    """Run a program in a folder, and stop it at the end; yields the file of what it prints."""
    log = folder / f"{Path(command[0]).name}-{command[1]}.log".replace("/", "-")
    with log.open("w") as file:
        running = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env={**environment(), **settings},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield log
            expect(running.poll() is None, f"{command[1]} has ended:\n{log.read_text()[-3000:]}")
        finally:
            running.terminate()
            status = running.wait(timeout=WAIT)
    expect(status == 0, f"{command[1]} ended with {status}:\n{log.read_text()[-3000:]}")


def until(what: str, get: Callable[[], Any]) -> Any:
    """Return the first value that is one, trying again and again.

    Raises:
        WrongError: There is none within a minute.
    """
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        with suppress(OSError, ValueError, KeyError, StopIteration):
            if value := get():
                return value
        time.sleep(0.2)
    raise WrongError(f"not within {WAIT} s: {what}")


def fetch(port: int, path: str, data: str | None = None) -> Any:
    """Return what a port of this machine answers, which is JSON."""
    body = None if data is None else data.encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=5) as answer:
        return json.load(answer)


def free_ports(count: int) -> Sequence[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def nowhere() -> dict[str, str]:
    """Return settings by which no Prometheus and no watchdog is found, whatever else runs on this machine."""
    (port,) = free_ports(1)
    return {f"WINE_SLO_{name}_URL": f"http://127.0.0.1:{port}" for name in ("WATCHDOG", "PROMETHEUS")}


def try_plain(plain: Installed) -> None:
    """Try what works without an extra, and what says what it needs."""
    version = plain.wheel.name.split("-")[1]
    expect(plain.says("--version") == f"wine-slo {version}\n", "--version prints another version")
    said = plain.says("init", "--example")
    expect("config/slo.yml, slo.schema.json, prometheus.yml and .env are written." in said, f"init says {said}")
    expect("latency, errors, availability" in plain.says("validate", "config/slo.yml"), "validate names no objectives")
    said = plain.says("status", status=3, settings=nowhere())
    expect("cannot be reached" in said, f"status says {said} where no watchdog runs")
    said = plain.says("check", status=3, settings=nowhere())
    expect("cannot be reached" in said, f"check says {said} where no Prometheus runs")
    plain.lacks("server")
    plain.lacks("watchdog")
    for module in ("sklearn", "numpy", "matplotlib", "telegram", "sqlalchemy"):
        expect(not plain.has(module), f"the wheel alone brings {module}")


def try_together(server: Installed, watchdog: Installed) -> None:
    """Try each process from its own extra, in an empty folder, with a Prometheus of `init --example` between them."""
    server.lacks("watchdog")
    watchdog.lacks("server")
    expect(not server.has("matplotlib") and not server.has("telegram"), "the server's extra brings the watchdog's")
    expect(not watchdog.has("sklearn") and not watchdog.has("joblib"), "the watchdog's extra brings the server's")
    ours, theirs, prometheus = free_ports(3)
    scraping = watchdog.folder.parent / "prometheus"
    scraping.mkdir()
    run(watchdog.program, "init", "--example", folder=scraping)
    file = scraping / "prometheus.yml"
    file.write_text(file.read_text().replace(":8000", f":{ours}").replace(":8001", f":{theirs}"))
    settings = {
        "WINE_SLO_PORT": str(ours),
        "WINE_SLO_WATCHDOG_PORT": str(theirs),
        "WINE_SLO_PROMETHEUS_URL": f"http://127.0.0.1:{prometheus}",
        "WINE_SLO_SERVICE_URL": f"http://127.0.0.1:{ours}",
        "WINE_SLO_POLL_SECONDS": "2",
    }
    flags = ("--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{prometheus}", "--log.level=warn")
    with (
        process(server.folder, settings, server.program, "server"),
        process(scraping, {}, PROMETHEUS, *flags),
        process(watchdog.folder, settings, watchdog.program, "watchdog") as log,
    ):
        prediction = until("the server predicts", lambda: fetch(ours, "/predict", f"request={BAROLO}"))
        expect("Barolo" in json.dumps(prediction), f"the server answers {prediction}")
        until("the watchdog evaluates", lambda: not fetch(theirs, "/api/status")["blind"])
        until("availability is judged", lambda: is_met(fetch(theirs, "/api/status"), "availability"))
        expect(
            "there is no config/slo.yml in this folder" in log.read_text(), "the watchdog does not say what it reads"
        )
        expect("availability" in watchdog.says("status", settings=settings), "status shows no availability")
        found = json.loads(says_json(watchdog, "doctor", settings))["findings"]
        expect(any(each["about"] == "model" and each["grade"] == "ok" for each in found), f"doctor says {found}")
        until("init proposes objectives", lambda: discovered(watchdog, settings))


def is_met(status: Any, name: str) -> bool:
    """Return whether an objective is met by the watchdog's document."""
    return any(each["slo"] == name and each["verdict"] == "met" for each in status["objectives"])


def says_json(installed: Installed, command: str, settings: dict[str, str]) -> str:
    """Return the document that a command prints, whatever else is logged."""
    ran = subprocess.run(
        [installed.program, command, "--json"],
        cwd=installed.folder,
        env=environment() | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout


def discovered(installed: Installed, settings: dict[str, str]) -> bool:
    """Return whether `init` has written a file of objectives that can be used."""
    folder = installed.folder / "own"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    url = settings["WINE_SLO_PROMETHEUS_URL"]
    with suppress(WrongError):
        run(installed.program, "init", "--prometheus", url, "--yes", folder=folder)
        return "wine-slo-latency" in run(installed.program, "validate", "slo.yml", folder=folder)
    return False


def try_all(everything: Installed) -> None:
    """Try what needs both extras: nothing is missing, and the model can be trained anew."""
    expect("version" in everything.says("train"), "train does not say what it has trained")
    expect("objectives" in everything.says("doctor", status=1, settings=nowhere()), "doctor says nothing of objectives")
    expect((everything.folder / "models" / "model.pkl").is_file(), "train has written no model")


def try_uvx(wheel: Path, work: Path) -> None:
    """Try to run the wheel without installing it."""
    folder = work / "uvx"
    folder.mkdir()
    uvx = (UV.with_name("uvx"), "--quiet", "--python", sys.executable, "--from", wheel, "wine-slo")
    expect("wine-slo " in run(*uvx, "--version", folder=folder), "uvx does not run it")
    expect(".env are written." in run(*uvx, "init", "--example", folder=folder), "uvx does not run init")


def report(sentence: str) -> None:
    """Print what is right."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main() -> int:
    """Try everything, and return the exit status."""
    with tempfile.TemporaryDirectory(prefix="wine-slo-wheel-") as name:
        work = Path(name)
        try:
            wheel = build(work)
            installed = {extra: Installed(work, wheel, extra) for extra in ("", "server", "watchdog", "all")}
            for each in installed.values():
                report(f"{each.name}: {each.size():.0f} MB installed")
            try_plain(installed[""])
            report("plain: init, validate, status and check work, and all others say what they need")
            try_together(installed["server"], installed["watchdog"])
            report("server and watchdog: each works with its own extra alone, in an empty folder")
            try_all(installed["all"])
            try_uvx(wheel, work)
            report("all, and uvx: work")
        except WrongError as error:
            sys.stderr.write(f"wrong: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
