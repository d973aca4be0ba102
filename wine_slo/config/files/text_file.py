"""Read the small text files that people write: settings, secrets, objectives, a list of incidents, a model's card.

Only a regular file is read: a pipe would block the process. A byte order mark is skipped. A refusal names the user who
was refused and the owner of the file, as that is what has to be changed.
"""

import errno
import os
import stat
from pathlib import Path
from pwd import getpwuid

LONGEST = 4 * 2**20  # bytes; a larger file is not one of these


class TextFileError(Exception):
    """A file cannot be read; the text is the reason, without the file's name."""


def read(path: Path, longest: int = LONGEST) -> str:
    """Return the text of a file of so many bytes at the most.

    Raises:
        TextFileError: it cannot be read, is no regular file, is too long or is not UTF-8.
    """
    try:
        return _content(path, longest).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileError("it is not UTF-8") from error


def _content(path: Path, longest: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # or a pipe would block here
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise TextFileError(refusal(path, error)) from error
    found = os.fstat(descriptor)
    if not _is_text(found):
        os.close(descriptor)
        is_folder = stat.S_ISDIR(found.st_mode)
        raise TextFileError(os.strerror(errno.EISDIR) if is_folder else "it is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(longest + 1)
        except OSError as error:
            raise TextFileError(refusal(path, error)) from error
    if len(content) > longest:
        raise TextFileError(f"it is larger than {longest // 2**20} MiB")
    return content


def refusal(path: Path, error: OSError | ValueError) -> str:
    """Return why a file cannot be used; where a right is missing, whose it is and who wants it."""
    reason = getattr(error, "strerror", None) or str(error)
    if not isinstance(error, PermissionError):
        return reason
    reason = f"{reason} for the user {user(os.geteuid())}"
    try:
        found = path.stat()
    except OSError:
        return reason
    return f"{reason}; it belongs to {user(found.st_uid)} and has the mode {stat.S_IMODE(found.st_mode):04o}"


def user(uid: int) -> str:
    """Return a user's name and number; the number alone where nobody has it."""
    try:
        return f"{getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)


def is_null(path: Path) -> bool:
    """Return whether a file is /dev/null, which stands for none: docker-compose.yml uses it so."""
    try:
        return _is_null(path.stat())
    except (OSError, ValueError):
        return False


def _is_text(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) or _is_null(found)


def _is_null(found: os.stat_result) -> bool:
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == Path(os.devnull).stat().st_rdev
