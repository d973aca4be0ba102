"""README and tutorials can be followed: `make newcomer` types each of their blocks of commands, or they say why not."""

import re
from pathlib import Path

import pytest

from tests.newcomer.__main__ import DOCUMENTS as FOLLOWED
from tests.newcomer.document import Block, LeavesOut, Types, blocks, steps
from wine_slo.config import slo_file

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
READMES = [ROOT / "README.md", ROOT / "README.ru.md"]
TYPED_AS_IN = {"README.ru.md": "README.md"}  # what the test below holds


@pytest.mark.parametrize("path", [*READMES, *TUTORIALS], ids=lambda path: path.name)
def test_every_block_of_commands_is_tried_or_says_why_not(path: Path) -> None:
    name = TYPED_AS_IN.get(path.name, str(path.relative_to(ROOT)))
    done = [each for each in steps(path.read_text()) if isinstance(each, Types | LeavesOut)]
    assert done
    assert name in FOLLOWED or [each for each in done if isinstance(each, Types)] == []


def test_every_document_that_is_followed_exists() -> None:
    assert {*FOLLOWED} <= {str(path.relative_to(ROOT)) for path in (*READMES, *TUTORIALS)}


def test_both_languages_of_the_readme_have_the_same_blocks() -> None:
    english, russian = map(without_comments, READMES)
    assert english == russian


def without_comments(path: Path) -> list[tuple[str, ...]]:
    """Return the lines of each block, without what stands behind a #."""
    found = [each for each in blocks(path.read_text()) if isinstance(each, Block)]
    return [tuple(re.sub(r"\s+#.*", "", line) for line in each.lines) for each in found]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_objectives_in_the_readme_are_a_whole_file_of_ten_lines(path: Path) -> None:
    (file,) = [each for each in blocks(path.read_text()) if isinstance(each, Block) and each.language == "yaml"]
    assert len(file.lines) <= 10
    objectives = slo_file.parse("\n".join(file.lines)).objectives({}).all
    assert [each.name for each in objectives] == ["latency", "availability"]


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_the_readme_is_at_most_two_screens(path: Path) -> None:
    visible = [line for line in path.read_text().splitlines() if not line.startswith("<!--")]
    assert len(visible) <= 110


MEASURED = re.compile(r"^\| (?P<who>[^|]+) \| (?P<alert>[\d.]+) \([^|]+ \| (?P<recovery>[\d.]+) \(", re.MULTILINE)


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
@pytest.mark.parametrize("who", ["**wine-slo**", "Alertmanager, typical copy", "Alertmanager, tightest"])
def test_the_times_to_alert_and_recovery_in_the_readme_are_those_that_were_measured(path: Path, who: str) -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    row = next(each for each in MEASURED.finditer(text) if each["who"].startswith(who))
    second = "s" if path.name == "README.md" else "с"
    assert f"{float(row['alert']):.0f} {second}; {float(row['recovery']):.0f} {second}" in path.read_text()


AT_INTERVALS = re.compile(
    r"^\| \d+s \| \*\*wine-slo\*\*[^|]*\| (?P<median>[\d.]+) \([\d.]+ to (?P<most>[\d.]+)\)", re.MULTILINE
)


def test_the_times_to_alert_at_each_scrape_interval_are_those_that_were_measured() -> None:
    found = list(AT_INTERVALS.finditer((ROOT / "docs" / "benchmarks.md").read_text()))
    at_5, at_15, at_30, at_60 = (f"{float(each['median']):.0f} s" for each in found)
    *most, last = (each["most"] for each in found)
    wanted = {
        "CHANGELOG.md": f"{at_5[:-2]}, {at_15[:-2]}, {at_30[:-2]} or {at_60} after it begins (medians)",
        "docs/faq.md": f"the median of what was measured with the shipped settings; at scrapes of 60 s it is {at_60}",
        "docs/explanation/judgement.md": f"{at_5} at scrapes of 5 s, {at_15} at 15 s, {at_30} at 30 s and {at_60} at "
        f"60 s at the median, and after {', '.join(most)} and {last} s at the most",
    }
    assert [name for name, each in wanted.items() if each not in " ".join((ROOT / name).read_text().split())] == []
