"""The walkthrough as it is committed: run as a whole, fit to be shown, and about what exists.

`make notebook` runs it; this reads it.
"""

import ast
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.walkthrough.notebook import METADATA, NOTEBOOK, Notebook, mistakes, text_of
from wine_slo.cli import app

ROOT = Path(__file__).parents[2]
OURS = ("wine_slo", "tests")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
FIGURES = 8


@pytest.fixture(scope="module")
def notebook() -> Notebook:
    content: Notebook = json.loads(NOTEBOOK.read_text())
    return content


def test_it_was_run_as_a_whole_without_an_error_a_warning_or_the_path_of_a_machine(notebook: Notebook) -> None:
    assert [*mistakes(notebook, NOTEBOOK.stat().st_size)] == []


def test_it_shows_its_figures_with_a_text_for_who_cannot_see_them(notebook: Notebook) -> None:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    texts = [output["metadata"]["image/png"].get("alt") for output in outputs if "image/png" in output.get("data", {})]
    assert len([text for text in texts if text]) == len(texts) == FIGURES


def test_every_name_that_it_takes_from_us_exists(notebook: Notebook) -> None:
    tree = ast.parse(_code(notebook))
    assert [*_lost(tree)] == []


def test_every_command_that_it_runs_or_names_exists(notebook: Notebook) -> None:
    commands = {each.name or each.callback.__name__ for each in app.registered_commands if each.callback}
    named = {*re.findall(r"`wine-slo ([a-z]+)", _prose(notebook)), *_commands(ast.parse(_code(notebook)))}
    assert {"replay", "status"} <= named <= commands


def test_every_file_and_target_that_its_prose_names_exists(notebook: Notebook) -> None:
    prose = _prose(notebook)
    named = re.findall(r"`([\w./-]+\.(?:py|yml|json|md))`", prose)
    lost = [each for each in named if not any((base / each).exists() for base in (ROOT, ROOT / "config"))]
    lost += [each for each in LINK.findall(prose) if not (NOTEBOOK.parent / each).exists()]
    makefile = (ROOT / "Makefile").read_text()
    assert lost + [each for each in re.findall(r"`make ([a-z-]+)`", prose) if f"\n{each}:" not in makefile] == []


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        pytest.param({"execution_count": None}, "its cells were not run all", id="a cell that was not run"),
        pytest.param({"execution_count": 7}, "its cells were not run all", id="a cell that was run again"),
        pytest.param({"metadata": {"tags": ["x"]}}, "metadata of an editor", id="what an editor adds"),
        pytest.param(
            {"outputs": [{"output_type": "stream", "name": "stderr", "text": ["W"]}]}, "a warning", id="a warning"
        ),
        pytest.param({"outputs": [{"output_type": "error", "traceback": []}]}, "an error", id="an error"),
        pytest.param(
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["in /home/anna/x"]}]},
            "the path of a machine: /home/",
            id="a path",
        ),
    ],
)
def test_what_cannot_be_shown_is_found(notebook: Notebook, change: dict[str, Any], mistake: str) -> None:
    spoilt = deepcopy(notebook)
    code = next(cell for cell in spoilt["cells"] if cell["cell_type"] == "code")
    code |= change
    assert [each for each in mistakes(spoilt, 0) if mistake in each]


def test_a_link_and_a_route_are_no_path_of_a_machine() -> None:
    said = "http://127.0.0.1:8000/tmp/x, docs/tmp/x, /metrics and /predict"
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": [said]}
    assert text_of(cell) == said
    assert [*mistakes({"cells": [cell], "metadata": METADATA}, 0)] == []


def _code(notebook: Notebook) -> str:
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")


def _prose(notebook: Notebook) -> str:
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def _commands(tree: ast.Module) -> Iterator[str]:
    """Yield the commands of `wine-slo` that the code runs."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="wine_slo"), args=[ast.Constant(value=str(command)), *_]):
                yield command


def _lost(tree: ast.Module) -> Iterator[str]:
    """Yield each name that is imported from a module of ours, or taken from it, and is not there."""
    modules: dict[str, Path] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module.startswith(OURS):
                for name in (each.name for each in names):
                    path = ROOT / module.replace(".", "/") / f"{name}.py"
                    if path.exists():
                        modules[name] = path
                    elif name not in _names(path.parent.with_suffix(".py")):
                        yield f"{module}.{name}"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in modules:
                if name not in _names(modules[module]):
                    yield f"{module}.{name}"


def _names(path: Path) -> set[str]:
    """Return what a module defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {name.id for each in targets for name in ast.walk(each) if isinstance(name, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names
