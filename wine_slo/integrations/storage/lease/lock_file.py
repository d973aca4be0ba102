"""A lock between the processes of one machine, its containers included: the kernel frees it when its holder dies.

It is a file of its own: SQLite locks the database itself in another way, and who deletes the database keeps the lock.
Source: https://man7.org/linux/man-pages/man2/flock.2.html
"""

import fcntl
import os
from pathlib import Path


class LockFile:
    """The lock that a file stands for.

    Args:
        path: The file; it is made, and never deleted, as somebody may just be opening it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool | None:
        """Take the lock; return False where another process has it, None where nothing can be locked there."""
        if self._is_held():
            return True
        self.free()
        try:
            descriptor = self._open()
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            return False if isinstance(error, BlockingIOError) else None
        self._descriptor = descriptor
        return True

    def free(self) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        except OSError:  # it may only be read: that is enough for a lock
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)

    def _is_held(self) -> bool:
        """Return whether what we have locked is still the file of that name."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False
