"""The tree shows the architecture, and the page about it is true."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wine_slo"
MOST_MODULES = 9  # in one folder; more are a heap


def test_every_path_on_the_page_about_the_house_exists() -> None:
    text = (ROOT / "docs" / "house.md").read_text()
    named = [each for each in re.findall(r"`([\w./-]+/[\w./-]*|\w+\.py)`", text) if not each.startswith("/")]
    assert len(named) > 20
    lost = [each for each in named if not any(_exists(base / each) for base in (PACKAGE, ROOT))]
    assert lost == []


def test_no_folder_is_a_heap() -> None:
    counts = {folder: len(list(folder.glob("*.py"))) - 1 for folder in PACKAGE.rglob("*") if folder.is_dir()}
    assert [str(folder) for folder, count in counts.items() if count > MOST_MODULES] == []


def test_every_folder_says_what_it_holds() -> None:
    silent = [each for each in PACKAGE.rglob("__init__.py") if not each.read_text().startswith('"""')]
    assert silent == []


def _exists(path: Path) -> bool:
    return path.exists() or path.with_suffix(".py").exists()
