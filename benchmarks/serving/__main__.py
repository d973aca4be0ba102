"""Measures our server beside its peers, prints the table, and keeps a whole one in docs/benchmarks.md.

Usage: python -m benchmarks.serving [--rounds N] [--seconds S] [NAME ...]

Each peer gets an environment of its own under .tools/peers, the shipped model, and one core; wrk gets the other. The
servers take turns, a few seconds each, round after round, so that whatever else the machine does falls on all of them;
ratios are to the floor of the same round, and the table shows the median over rounds. Needs Linux and wrk.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import page

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
PEERS = HERE / "peers"
ENVIRONMENTS = PROJECT / ".tools" / "peers"
MODEL = PROJECT / "models" / "model.pkl"
CONNECTIONS = (1, 16, 64)
STARTS = 3  # of each server; the first may have to compile
SHARED = ("scikit-learn==1.9.1", "joblib", "msgspec")  # the model's own version; the rest for reading it
HEAD = """\
| server | throughput at 1 / 16 / 64 connections, ratio | p50 at 16, ms | p99 at 16, ms | p99, ratio \
| CPU a request, µs | memory, MiB | start, s | installed, MiB | |
|---|---|---|---|---|---|---|---|---|---|"""
# With bytecode kept, as it is wherever a server starts a second time.
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
TICKS = os.sysconf("SC_CLK_TCK")

VALUES = (14.1, 2.02, 2.4, 18.8, 103.0, 2.75, 2.92, 0.32, 2.38, 6.2, 1.07, 2.75, 1060.0)
NAMES = (
    *("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids"),
    *("nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline"),
)
WINE = json.dumps(dict(zip(NAMES, VALUES, strict=True)))
ROWS = json.dumps({"wines": [VALUES]})
TENSOR = json.dumps({"inputs": [{"name": "x", "shape": [1, 13], "datatype": "FP64", "data": VALUES}]})


@dataclass(frozen=True)
class Server:
    """How to start one server and what to send to it."""

    name: str
    command: tuple[str, ...]  # {port} is filled in
    packages: tuple[str, ...] = ()  # none: it runs in this project's environment
    path: str = "/predict"
    body: str = WINE
    settings: dict[str, str] = field(default_factory=dict)
    note: str = ""


OURS = (sys.executable, "-m", "wine_slo.server")
SERVERS = (
    Server("floor", (sys.executable, str(PEERS / "floor.py"), "{port}"), note="aiohttp, constant answer, uvloop"),
    Server("ours, folded", OURS, note="the shipped model; metrics, log and validation on"),
    Server("ours, estimator", OURS, settings={"WINE_SLO_MODEL": "{unfolded}"}, note="any model; the same on"),
    Server(
        "FastAPI",
        ("uvicorn", "fastapi_app:app", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
        ("fastapi", "uvicorn[standard]"),
        note="uvicorn, uvloop, httptools",
    ),
    Server(
        "Litestar",
        ("granian", "--interface", "asgi", "--port", "{port}", "--no-access-log", "litestar_app:app"),
        ("litestar", "granian[uvloop]"),
        note="granian, msgspec",
    ),
    Server(
        "Flask",
        (
            "gunicorn",
            "-b",
            "127.0.0.1:{port}",
            "-k",
            "gthread",
            "--threads",
            "4",
            "--keep-alive",
            "60",
            "flask_app:app",
        ),
        ("flask", "gunicorn"),
        note="gunicorn, one worker of 4 threads",
    ),
    Server(
        "BentoML",
        ("bentoml", "serve", "bento_service:Wines", "--port", "{port}"),
        ("bentoml",),
        body=ROWS,
        note="adaptive batching; body is a list of rows",
    ),
    Server(
        "MLServer",
        ("mlserver", "start", "mlserver_wine"),
        ("mlserver",),
        path="/v2/models/wine/infer",
        body=TENSOR,
        settings={"MLSERVER_PARALLEL_WORKERS": "0"},
        note="adaptive batching; V2 protocol",
    ),
)


@dataclass(frozen=True)
class Run:
    """One turn of one server: requests a second, latencies in ms, CPU in µs a request."""

    rate: float
    p50: float
    p99: float
    cpu: float


def environment(server: Server) -> Path:
    """Return the folder of programs for a server, made where it is missing."""
    if not server.packages:
        return Path(sys.executable).parent
    folder = ENVIRONMENTS / server.name.lower()
    stamp = folder / "installed"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = (str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, *SHARED, *server.packages], check=True)
        stamp.touch()
    return folder / "bin"


def unfolded() -> Path:
    """Return a copy of the shipped model whose card has no fold, so that the estimator itself must serve."""
    folder = ENVIRONMENTS / "unfolded"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(MODEL, folder)
    card = json.loads(MODEL.with_suffix(".json").read_text())
    (folder / "model.json").write_text(json.dumps(card | {"folded": None}))
    return folder / "model.pkl"


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *(each for child in children for each in tree(int(child)))]
    return []


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its descendants."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            columns = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(columns[11]) + int(columns[12])
    return total / TICKS


def resident_mebibytes(pid: int) -> float:
    """Return the memory of a process and its descendants, what they share counted once (PSS)."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
    return total / 1024


def installed_mebibytes(programs: Path) -> float:
    """Return the size of an environment's packages."""
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    return sum(each.stat().st_size for each in packages.rglob("*") if each.is_file()) / 1024**2


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(server: Server) -> Iterator[tuple[int, str, float]]:
    """Run a server on core 0; yield its process, its URL, and the seconds to its first answer."""
    port = free_port()
    programs = environment(server)
    settings = {name: value.format(unfolded=unfolded()) for name, value in server.settings.items()}
    settings |= {"WINE_SLO_PORT": str(port), "MLSERVER_HTTP_PORT": str(port), "WINE_SLO_MODEL": str(MODEL)} | settings
    settings |= {"MLSERVER_GRPC_PORT": str(free_port()), "MLSERVER_METRICS_PORT": str(free_port())}
    path = f"{programs}:{os.environ['PATH']}"
    url = f"http://127.0.0.1:{port}{server.path}"
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", "0", *(part.format(port=port) for part in server.command)],
        cwd=PEERS,
        env=ENVIRON | {"PATH": path, "PYTHONPATH": f"{PEERS}:{PROJECT}"} | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        request = urllib.request.Request(url, server.body.encode(), {"Content-Type": "application/json"})
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as response:
                if response.status == 200:
                    break
            if process.poll() is not None or time.perf_counter() - started > 60:
                raise RuntimeError(f"{server.name} does not answer")
            time.sleep(0.01)
        yield process.pid, url, time.perf_counter() - started
    finally:
        for each in reversed(tree(process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, 9)
        process.wait()


def load(server: Server, pid: int, url: str, connections: int, seconds: float) -> Run:
    """Send requests from core 1 and return what came of it."""
    before = cpu_seconds(pid)
    wrk = [
        "taskset",
        "-c",
        "1",
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds:g}s",
        "--timeout",
        "10s",
        "-s",
        str(HERE / "wrk.lua"),
        url,
    ]
    said = subprocess.run([*wrk, "--", server.body], capture_output=True, text=True, check=True).stdout
    requests, microseconds, p50, p99, errors = (float(number) for number in said.splitlines()[-1].split())
    if errors:
        raise RuntimeError(f"{server.name}: {errors:g} of {requests:g} requests failed")
    return Run(requests / microseconds * 1e6, p50, p99, (cpu_seconds(pid) - before) / requests * 1e6)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these, and the floor")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each turn")
    chosen = parser.parse_args()
    servers = [each for each in SERVERS if not chosen.names or each.name in {"floor", *chosen.names}]
    runs: dict[tuple[str, int], list[Run]] = {}
    starts: dict[str, list[float]] = {}
    memory, sizes = {}, {}
    with contextlib.ExitStack() as stack:
        up = []
        for server in servers:
            for _ in range(STARTS - 1):
                with running(server) as (_, _, seconds):
                    starts.setdefault(server.name, []).append(seconds)
            pid, url, seconds = stack.enter_context(running(server))
            starts[server.name].append(seconds)
            sizes[server.name] = installed_mebibytes(environment(server))
            up.append((server, pid, url))
            load(server, pid, url, 16, 1)  # warm
        for turn in range(chosen.rounds):
            sys.stderr.write(f"round {turn + 1} of {chosen.rounds}\n")
            for connections in CONNECTIONS:
                for server, pid, url in up:
                    run = load(server, pid, url, connections, chosen.seconds)
                    runs.setdefault((server.name, connections), []).append(run)
        memory = {server.name: resident_mebibytes(pid) for server, pid, _ in up}

    def ratio(name: str, connections: int, figure: str) -> float:
        pairs = zip(runs[name, connections], runs["floor", connections], strict=True)
        return float(statistics.median(getattr(ours, figure) / getattr(floor, figure) for ours, floor in pairs))

    def median(name: str, connections: int, figure: str) -> float:
        return float(statistics.median(getattr(run, figure) for run in runs[name, connections]))

    lines = [HEAD]
    for server in servers:
        name = server.name
        throughput = " / ".join(f"{ratio(name, each, 'rate'):.2f}" for each in CONNECTIONS)
        lines.append(
            f"| {name} | {throughput} "
            f"| {median(name, 16, 'p50'):.1f} | {median(name, 16, 'p99'):.1f} | {ratio(name, 16, 'p99'):.1f} "
            f"| {median(name, 16, 'cpu'):.0f} | {memory[name]:.0f} | {statistics.median(starts[name]):.1f} "
            f"| {sizes[name]:.0f} | {server.note} |"
        )
    table = "\n".join(lines)
    print(table)
    if not chosen.names:
        page.write("serving", f"{datetime.now(UTC):%Y-%m-%d}:", table)


if __name__ == "__main__":
    main()
