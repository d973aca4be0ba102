"""Folders of running processes for what nobody needs after them, in the system's folder for such (TMPDIR).

A process that is killed leaves its folder, so the next one of its kind removes it. Whether somebody still uses a folder
is known by a lock on it, which the kernel frees when the process that made the folder and all forked since have ended.
Source: https://man7.org/linux/man-pages/man2/flock.2.html
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch_folder(purpose: str, within: Path | None = None) -> Iterator[Path]:
    """Make a folder, and remove it at the end; at first remove those that were left.

    Args:
        purpose: Its name in the names of the folders.
        within: Where they are; the system's folder for such where it is left out.

    Raises:
        OSError: There is no place for it.
    """
    prefix = f"wine-slo-{purpose}-"
    parent = within or Path(tempfile.gettempdir())
    for path in parent.glob(f"{prefix}*"):
        _remove_if_left(path)
    path, lock = _make(parent, prefix)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _make(parent: Path, prefix: str) -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds its lock."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lock = None
        with suppress(FileNotFoundError):  # another process has found it before it was locked, and removed it
            lock = _open(path)
            with suppress(OSError):  # where nothing can be locked, nothing is ever taken for left
                fcntl.flock(lock, fcntl.LOCK_EX)
            path.stat()
            return path, lock
        if lock is not None:
            os.close(lock)


def _remove_if_left(path: Path) -> None:
    """Remove a folder that is ours and that no process uses."""
    try:
        lock = _open(path)
    except OSError:  # somebody else's, no folder, or gone
        return
    try:
        if os.fstat(lock).st_uid == os.geteuid():
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    except OSError:  # it is in use, or nothing can be locked here
        return
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
