"""What a killed process leaves is removed, and what a living one uses is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wine_slo.config.files.scratch_folder import scratch_folder

HOLDS = """
import os, sys
from wine_slo.config.files.scratch_folder import scratch_folder
with scratch_folder("test") as folder:
    (folder / "file").write_text("x")
    if "fork" in sys.argv and os.fork():
        print(folder, flush=True)
        os._exit(0)
    if "fork" not in sys.argv:
        print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def holder(stack: ExitStack, temporary: Path, *arguments: str) -> tuple[subprocess.Popen[str], Path]:
    """Return a process that has such a folder, and the folder."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", HOLDS, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
    )
    stack.callback(process.kill)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_removed_at_the_end(tmp_path: Path) -> None:
    with scratch_folder("test", tmp_path) as folder:
        (folder / "file").write_text("x")
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_the_folder_of_a_killed_process_is_removed_by_the_next_of_its_kind(stack: ExitStack, tmp_path: Path) -> None:
    process, left = holder(stack, tmp_path)
    process.kill()
    process.wait()
    with scratch_folder("other", tmp_path):
        assert left.exists()
    with scratch_folder("test", tmp_path):
        assert not left.exists()


def test_the_folder_of_a_living_process_stays(stack: ExitStack, tmp_path: Path) -> None:
    _, used = holder(stack, tmp_path)
    with scratch_folder("test", tmp_path) as folder:
        assert (used / "file").exists()
        assert folder != used


def test_the_folder_of_a_process_whose_child_lives_stays(stack: ExitStack, tmp_path: Path) -> None:
    process, used = holder(stack, tmp_path, "fork")
    with scratch_folder("test", tmp_path):
        assert (used / "file").exists()
    process.kill()


def test_what_is_no_folder_of_ours_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    (tmp_path / "wine-slo-test-link").symlink_to(elsewhere)
    (tmp_path / "wine-slo-test-file").write_text("x")
    os.mkfifo(tmp_path / "wine-slo-test-pipe")
    with scratch_folder("test", tmp_path):
        pass
    assert (elsewhere / "file").exists()
    assert len(list(tmp_path.iterdir())) == 4
