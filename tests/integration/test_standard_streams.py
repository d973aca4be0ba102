"""The command line where nobody reads what it prints: its exit status is the same, and nothing is a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = f"{sys.executable} -m wine_slo check"
WRONG = {"WINE_SLO_PROMETHEUS_URL": "nowhere"}  # which is status 2
TITLE = "objectives: 'Задержка 🍷'"  # of which a mistake is said, with its text


def run(command: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[bytes]":
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **more}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=env, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "streams",
    [
        ">&-",
        "2>&-",
        "<&- >&- 2>&-",
        ">/dev/full 2>/dev/full",
        "2>/dev/full",
        "2> >(true)",
        "--json >&-",
        "--json >/dev/full",
    ],
)
def test_the_exit_status_is_that_of_the_command_whoever_reads_it(streams: str, tmp_path: Path) -> None:
    done = run(f"{CHECK} {streams}", tmp_path, **WRONG)
    assert done.returncode == 2
    assert b"Traceback" not in done.stdout + done.stderr
    assert b"Exception" not in done.stdout + done.stderr


def test_without_an_input_nobody_is_questioned(tmp_path: Path) -> None:
    done = run(f"{sys.executable} -m wine_slo init <&-", tmp_path)
    said = b"there is no terminal for questions; --yes takes what is proposed\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.parametrize(("to", "status"), [("/dev/full", 74), ("/dev/null", 0), ("&-", 0)])
def test_lost_output_is_a_sentence_and_a_status_of_its_own(to: str, status: int, tmp_path: Path) -> None:
    done = run(f"{sys.executable} -m wine_slo --help >{to}", tmp_path)
    assert done.returncode == status
    said = "standard output cannot be written: No space left on device\n" if status else ""
    assert done.stderr.decode() == said


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    done = run(f"{sys.executable} -m wine_slo --help | head -1; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1"])
def test_a_console_that_lacks_letters_shows_the_rest(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "slo.yml").write_text(TITLE)
    more = {"PYTHONIOENCODING": encoding, "WINE_SLO_OBJECTIVES": "slo.yml", "TERM": "", "COLUMNS": "1"}
    done = run(CHECK, tmp_path, **more)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"slo.yml:1" in done.stderr


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "from wine_slo.integrations.console import standard_streams; standard_streams.reserve()\n"
        "import os, sys; file = open('ledger', 'w'); os.write(1, b'printed'); os.write(2, b'printed'); file.close()\n"
        "sys.stderr.write('said')"
    )
    done = run(f'{sys.executable} -c "$CODE" <&- >&- 2>&-', tmp_path, CODE=code, PYTHONPATH=str(Path.cwd()))
    assert done.returncode == 0
    assert (tmp_path / "ledger").read_text() == ""
