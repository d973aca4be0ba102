"""`make up` decides what to start by the product's own reading of `.env`, and honcho reads nothing of it."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.real.processes import Processes

ROOT = Path(__file__).parents[2]
HARD = """\
WINE_SLO_DIGEST_AT=friday 17:00
WINE_SLO_PROMETHEUS_USERNAME=it's
WINE_SLO_PROMETHEUS_PASSWORD=Tr0ub4#dor${HOME}
"""


@pytest.mark.parametrize(
    ("file", "environment", "status"),
    [
        (HARD, {}, 1),
        (f"{HARD}WINE_SLO_PROMETHEUS_URL='http://127.0.0.1:9091'\n", {}, 0),
        (HARD, {"WINE_SLO_PROMETHEUS_URL": "http://127.0.0.1:9091"}, 0),
        ("WINE_SLO_PROMETHEUS_URL=\n", {}, 1),
        ("WINE_SLO_PROMETHEUS_URL='http\n", {}, 2),
    ],
)
async def test_whether_prometheus_is_set_is_answered_by_our_own_reader(
    processes: Processes, file: str, environment: dict[str, str], status: int
) -> None:
    (processes.folder / ".env").write_text(file)
    requested = await processes.wine_slo("is-set", "WINE_SLO_PROMETHEUS_URL", settings=environment)
    assert await requested.wait(30) == status


def test_make_up_starts_prometheus_where_none_is_set_and_hands_no_file_to_honcho(tmp_path: Path) -> None:
    script = tmp_path / "bin"
    script.mkdir()
    for name, does in {"honcho": 'echo "$@"', "wine-slo": "exit $IS_SET"}.items():
        (script / name).write_text(f"#!/bin/sh\n{does}\n")
        (script / name).chmod(0o755)
    recipe = re.search(r"^up:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    lines = recipe[1].replace("$$", "$").replace("\\\n", "")
    command = "\n".join(line.strip().removeprefix("@") for line in lines.splitlines() if "honcho" in line)

    def runs(is_set: int) -> tuple[int, str]:
        environment = {"PATH": f"{script}:/usr/bin:/bin", "IS_SET": str(is_set)}
        ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=environment, check=False)
        return ran.returncode, ran.stdout.strip()

    assert runs(0) == (0, "start --env /dev/null server watchdog")
    assert runs(1) == (0, "start --env /dev/null server prometheus watchdog")
    assert runs(2) == (2, "")


def test_make_up_starts_nothing_where_a_port_is_in_use_and_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "WINE_SLO_PORT": "0",
            "WINE_SLO_WATCHDOG_PORT": str(port),
            "WINE_SLO_PROMETHEUS_URL": "http://127.0.0.1:9",
        }
        command = [sys.executable, "-m", "tools.addresses"]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        f"127.0.0.1:{port} is in use, and the watchdog is to listen there. End what listens there, or set "
        "WINE_SLO_WATCHDOG_PORT in .env, and the target in prometheus.yml.\n"
    )
    assert "\t@python -m tools.addresses\n" in (ROOT / "Makefile").read_text()
