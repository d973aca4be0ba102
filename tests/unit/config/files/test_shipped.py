"""What comes with the package is used where a folder has none of its own, and only there."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from wine_slo.config.files import shipped


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path) -> Iterator[None]:
    with chdir(tmp_path):
        yield


@pytest.mark.parametrize("default", [shipped.OBJECTIVES, shipped.MODEL])
def test_a_folder_without_the_file_of_a_default_gets_the_one_of_the_package(default: str) -> None:
    found = shipped.in_place_of(default)
    assert found is not None
    assert found.is_absolute()
    assert found.is_file()


def test_a_file_of_the_folder_is_used_before_the_one_of_the_package() -> None:
    path = Path(shipped.OBJECTIVES)
    path.parent.mkdir()
    path.touch()
    assert shipped.in_place_of(shipped.OBJECTIVES) is None


@pytest.mark.parametrize("default", [shipped.OBJECTIVES, shipped.MODEL])
def test_a_folder_of_a_default_without_its_file_is_not_taken_for_none(default: str) -> None:
    """As a mount that lacks it is: the watchdog would judge another service than the one that is meant."""
    folder = Path(default).parent
    folder.symlink_to("nowhere")
    assert shipped.in_place_of(default) is None
    folder.unlink()
    folder.mkdir()
    assert shipped.in_place_of(default) is None


@pytest.mark.parametrize("default", ["", "8000", "sqlite:///data/watchdog.db", "prometheus.yml"])
def test_no_other_default_is_a_file_of_the_package(default: str) -> None:
    assert shipped.in_place_of(default) is None


@pytest.mark.parametrize("name", [shipped.SCHEMA, shipped.PROMETHEUS, shipped.SETTINGS, shipped.OBJECTIVES])
def test_what_is_copied_is_there(name: str) -> None:
    assert shipped.read(name)
