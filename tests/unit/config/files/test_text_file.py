"""Reading the small files that people write: what is refused, and with which words."""

import os
from pathlib import Path

import pytest

from wine_slo.config.files import text_file


def refusal(path: Path) -> str:
    with pytest.raises(text_file.TextFileError) as caught:
        text_file.read(path)
    return str(caught.value)


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfstart,end\r\n")
    assert text_file.read(path) == "start,end\r\n"


def test_dev_null_is_an_empty_file() -> None:
    assert text_file.read(Path(os.devnull)) == ""


def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe") == "it is no regular file"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "Is a directory"


@pytest.mark.parametrize("name", ["nowhere", "a\0b"])
def test_what_is_not_there_is_refused_with_a_reason(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name) in {
        "No such file or directory",
        "embedded null byte",
        "open: embedded null character in path",  # Python 3.13 and newer
    }


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    assert refusal(tmp_path / "file") == "it is not UTF-8"


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        file.truncate(text_file.LONGEST + 1)
    assert refusal(tmp_path / "file") == "it is larger than 4 MiB"


def test_a_missing_right_names_the_user_the_owner_and_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(0o400)
    reason = text_file.refusal(path, PermissionError(13, "Permission denied"))
    me = text_file.user(os.geteuid())
    assert reason == f"Permission denied for the user {me}; it belongs to {me} and has the mode 0400"


def test_a_user_without_a_name_is_named_by_the_number() -> None:
    assert text_file.user(2**31 - 7) == str(2**31 - 7)
