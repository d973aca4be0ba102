"""A command whose libraries are not installed says in one sentence how they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wine_slo.extras import missing

METADATA = """\
Metadata-Version: 2.4
Name: wine-slo
Version: 0.1.0
Provides-Extra: server
Provides-Extra: watchdog
Requires-Dist: aiohttp>=3
Requires-Dist: msgspec[none]>=0.1; extra == 'server'
Requires-Dist: no-such-library>=1; extra == 'server'
Requires-Dist: no-such-loop>=1; (sys_platform != 'win32') and extra == 'server'
Requires-Dist: no-such-store[x,y]<3,>=2; extra == 'watchdog'
Requires-Dist: no_such.other; extra == 'watchdog'
"""
NEED = {
    "server": "server", "train": "server", "watchdog": "watchdog", "doctor": "watchdog", "replay": "watchdog",
    "suggest": "watchdog", "ledger backup copy.db": "watchdog",
}  # fmt: skip
LACKS = {"server": "no-such-library", "watchdog": "no-such-store, no_such.other"}
EACH = """
import json, sys
from typer.testing import CliRunner
from wine_slo.cli import app
said = {each: CliRunner().invoke(app, each.split(), prog_name="wine-slo") for each in sys.argv[1:]}
print(json.dumps({each: (one.exit_code, one.stdout, one.stderr) for each, one in said.items()}))
"""


def write_metadata(folder: Path) -> None:
    """Write a list of requirements of which most are not installed."""
    (folder / "wine_slo-0.1.0.dist-info").mkdir()
    (folder / "wine_slo-0.1.0.dist-info" / "METADATA").write_text(METADATA)


@pytest.mark.parametrize("extra", ["server", "watchdog"])
def test_who_develops_it_has_every_extra(extra: str) -> None:
    assert missing(extra) == []


def test_each_command_without_its_libraries_exits_with_2_and_a_sentence(tmp_path: Path) -> None:
    """As pip leaves it: another list of requirements lies before the one that is installed."""
    write_metadata(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", EACH, *NEED],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(ran.stdout)
    for command, extra in NEED.items():
        name = command.removesuffix(" copy.db")
        sentence = f"`wine-slo {name}` needs more than is installed ({LACKS[extra]}): pip install 'wine-slo[{extra}]'\n"
        assert said[command] == [2, "", sentence]


@pytest.mark.parametrize("process", ["server", "watchdog"])
def test_each_process_without_its_libraries_exits_with_2_and_a_sentence(process: str, tmp_path: Path) -> None:
    """As the units of systemd run it, which start again what ends with another status."""
    write_metadata(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", f"wine_slo.{process}"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    needs = f"`wine-slo {process}` needs more than is installed ({LACKS[process]})"
    assert (ran.returncode, ran.stderr) == (2, f"{needs}: pip install 'wine-slo[{process}]'\n")
