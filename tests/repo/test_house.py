"""The tree shows the architecture, and the page about it is true."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wine_slo"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 60
MOST_ROOMS = 10  # modules and folders in one folder; more are a heap
FLOORS = {"", "monitor", "slo"}  # but here each room is a floor of its own, which import-linter holds


def test_every_path_on_the_page_about_the_house_exists() -> None:
    text = (ROOT / "docs" / "house.md").read_text()
    named = [each for each in re.findall(r"`([\w./-]+/[\w./-]*|\w+\.py)`", text) if not each.startswith("/")]
    assert len(named) > 20
    lost = [each for each in named if not any(_exists(base / each) for base in (PACKAGE, ROOT))]
    assert lost == []


def test_no_folder_is_a_heap() -> None:
    folders = {folder.relative_to(PACKAGE).as_posix().strip("."): folder for folder in _folders()}
    heaps = {name: rooms for name, folder in folders.items() if len(rooms := _rooms(folder)) > MOST_ROOMS}
    assert heaps.keys() <= FLOORS, heaps


def test_no_module_is_long() -> None:
    assert [str(each) for each in MODULES if len(each.read_text().splitlines()) > LONGEST_MODULE] == []


def test_no_function_is_long() -> None:
    long = [
        f"{module}:{each.lineno} {each.name}"
        for module in MODULES
        for each in ast.walk(ast.parse(module.read_text()))
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(each) > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_folder_says_what_it_holds() -> None:
    silent = [each for each in PACKAGE.rglob("__init__.py") if not each.read_text().startswith('"""')]
    assert silent == []


def _folders() -> list[Path]:
    return [each.parent for each in PACKAGE.rglob("__init__.py")]


def _rooms(folder: Path) -> list[str]:
    """The modules of a folder, and the folders in it that hold modules."""
    modules = [each.stem for each in folder.glob("*.py") if not each.stem.startswith("__")]
    return sorted([*modules, *(each.name for each in _folders() if each.parent == folder)])


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _exists(path: Path) -> bool:
    return path.exists() or path.with_suffix(".py").exists()
