"""Several files of objectives: the main one includes the others, and each mistake has its own file and line."""

import os
import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from wine_slo.config.files import slo_includes
from wine_slo.config.slo_file import SloFile, SloFileError, load

MAIN = "include: [teams/*.yml]\njob: api\nobjectives:\n  - {name: api, kind: up, objective: 0.9}\n"
SHOP = """\
job: shop
scrape_interval: 30s
time_zone: Europe/Berlin
objectives:
  - {name: shop, kind: up, objective: 0.9, window: month}
"""
SEARCH = "job: search\nobjectives:\n  - {name: search, kind: up, objective: 0.9, window: month}\n"


class Folder:
    """A folder of such files, and what is read of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("slo.yml", MAIN)
        self.write("teams/shop.yml", SHOP)
        self.write("teams/search.yml", SEARCH)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return path

    def load(self) -> SloFile:
        return load(self.path / "slo.yml")

    @property
    def names(self) -> list[str]:
        return list(self.load().objectives().by_name)

    @property
    def mistakes(self) -> list[str]:
        with pytest.raises(SloFileError) as caught:
            self.load()
        return [each.replace(f"{self.path}/", "") for each in caught.value.mistakes]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_each_file_has_a_job_an_interval_and_a_time_zone_of_its_own(folder: Folder) -> None:
    file = folder.load()
    api, search, shop = file.objectives({"api": timedelta(seconds=15)}).all
    assert [each.job for each in (api, search, shop)] == ["api", "search", "shop"]
    assert [each.scrape_interval.seconds for each in (api, search, shop)] == [15, 5, 30]
    assert shop.calendar
    assert search.calendar
    assert (shop.calendar.zone, search.calendar.zone) == (ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"))
    assert {each.name for each in file.silent_scopes} == {"api", "search"}
    assert file.place("shop", "window") == f"{folder.path}/teams/shop.yml:5"
    assert file.place("shop", "job") == f"{folder.path}/teams/shop.yml:1"


def test_a_main_file_may_include_files_alone(folder: Folder) -> None:
    folder.write("slo.yml", "blind_for: 3m\ninclude: [teams/shop.yml]\n")
    assert folder.names == ["shop"]
    assert folder.load().objectives().blind_for == timedelta(minutes=3)


def test_each_mistake_has_the_name_and_the_line_of_its_file_and_none_hides_another(folder: Folder) -> None:
    folder.write("slo.yml", MAIN.replace("0.9", "90"))
    folder.write("teams/search.yml", SEARCH.replace("0.9", "99").replace("up,", "upp,"))
    folder.write("teams/broken.yml", "job: [x\nobjectives:\n")
    folder.write("teams/binary.yml", "x").write_bytes(b"\xff\xfe")
    folder.write("teams/shop.yml", SHOP.replace("name: shop", "name: api"))
    assert sorted(folder.mistakes) == [
        "slo.yml:4: objectives.0.objective is 90, a percentage; write 0.9",
        "teams/binary.yml cannot be read: it is not UTF-8",
        "teams/broken.yml:2: is no YAML: expected ',' or ']', but got ':'",
        "teams/search.yml:3: objectives.0 has the kind upp; write up",
        "teams/search.yml:3: objectives.0.objective is 99, a percentage; write 0.99",
        "teams/shop.yml:5: objectives.0.name is 'api', as another objective's is, slo.yml:4",
    ]


def test_what_holds_for_all_is_read_only_in_the_main_file_so_no_file_includes_itself(folder: Folder) -> None:
    folder.write("teams/shop.yml", f"include: [shop.yml]\nblind_for: 3m\n{SHOP}")
    assert folder.mistakes == [
        "teams/shop.yml:1: include is read only in slo.yml, which includes this file",
        "teams/shop.yml:2: blind_for is read only in slo.yml, which includes this file",
    ]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param("taems/*.yml", "slo.yml:1: include.0 is taems/*.yml, and no file has such a name", id="no match"),
        pytest.param("teams/none.yml", "teams/none.yml cannot be read: No such file or directory", id="no file"),
        pytest.param("teams", "teams cannot be read: Is a directory", id="a folder"),
        pytest.param(
            "/etc/*.yml",
            "slo.yml:1: include.0 must be a path from the folder of this file on, without **",
            id="absolute",
        ),
        pytest.param(
            '"**/*.yml"', "slo.yml:1: include.0 must be a path from the folder of this file on, without **", id="all"
        ),
        pytest.param("loop.yml", "loop.yml cannot be read: Too many levels of symbolic links", id="a link to itself"),
        pytest.param("pipe.yml", "pipe.yml cannot be read: it is no regular file", id="a pipe"),
        pytest.param('""', "slo.yml:1: include is ", id="nothing"),
    ],
)
def test_what_leads_to_no_file_of_objectives_is_a_mistake(folder: Folder, pattern: str, said: str) -> None:
    (folder.path / "loop.yml").symlink_to("loop.yml")
    os.mkfifo(folder.path / "pipe.yml")
    folder.write("slo.yml", MAIN.replace("teams/*.yml", pattern))
    assert [each[: len(said)] for each in folder.mistakes] == [said]


def test_a_file_that_several_names_lead_to_is_read_once(folder: Folder) -> None:
    (folder.path / "teams" / "again.yml").symlink_to("shop.yml")
    (folder.path / "teams" / "main.yml").symlink_to("../slo.yml")
    folder.write("slo.yml", MAIN.replace("teams/*.yml", "teams/*.yml, '*.yml', ./teams/shop.yml"))
    assert sorted(folder.names) == ["api", "search", "shop"]


def test_files_are_found_beside_the_main_file_whatever_its_folder_is_called(tmp_path: Path) -> None:
    assert sorted(Folder(tmp_path / "a [b] *").names) == ["api", "search", "shop"]


def test_more_files_than_people_write_are_refused(folder: Folder) -> None:
    for number in range(slo_includes.MOST_FILES):
        (folder.path / "teams" / f"{number}.yml").write_text("")
    assert "slo.yml:1: include.0 leads to more than 200 files" in folder.mistakes


def test_more_text_than_people_write_is_refused(folder: Folder) -> None:
    for number in range(3):
        (folder.path / "teams" / f"{number}.yml").write_text("#" * (slo_includes.LONGEST - 1))
    assert "slo.yml:1: include.0 leads to files of more than 2 MiB in all" in folder.mistakes


def test_an_empty_file_among_several_is_a_mistake(folder: Folder) -> None:
    folder.write("teams/shop.yml", "")
    assert folder.mistakes == ["teams/shop.yml:1: is empty; write job and objectives"]


def test_no_objective_in_any_file_is_a_mistake(folder: Folder) -> None:
    folder.write("slo.yml", "include: [teams/*.yml]\n")
    for name in ("shop", "search"):
        folder.write(f"teams/{name}.yml", "job: x\nobjectives: []\n")
    assert folder.mistakes == ["slo.yml:1: objectives must hold at least one objective"]


def test_the_files_of_the_documentation_can_be_used(folder: Folder) -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "slo-file.md").read_text()
    (main,) = re.findall(r"```yaml\n(include:.*?)```", text, re.DOTALL)
    folder.write("slo.yml", main)
    assert sorted(folder.names) == ["availability", "search", "shop"]
