"""What is installed is whole, and no more: the files of wheel and sdist, their metadata, and what each extra brings."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
SHIPPED = {
    ".env.example",
    "config/slo.yml",
    "models/model.json",
    "models/model.pkl",
    "prometheus.yml",
    "slo.schema.json",
}
# Distributions by what they install or bring with them.
DISTRIBUTIONS = {
    "dotenv": "python-dotenv",
    "httpx": "python-telegram-bot",
    "multidict": "aiohttp",
    "scipy": "scikit-learn",
    "sklearn": "scikit-learn",
    "telegram": "python-telegram-bot",
    "threadpoolctl": "scikit-learn",
    "yaml": "pyyaml",
}
# Where each command begins, with whatever it imports late; the extra that it needs, "" for none.
COMMANDS = {
    "server": ("server", ["wine_slo.server", "wine_slo.service.web.form", "wine_slo.service.web.openapi"]),
    "train": ("server", ["wine_slo.service.model.training"]),
    "watchdog": ("watchdog", ["wine_slo.watchdog", "wine_slo.integrations.drawing.renderer"]),
    "doctor": ("watchdog", ["wine_slo.monitor.commands.doctor"]),
    "replay": ("watchdog", ["wine_slo.monitor.replay.command", "wine_slo.monitor.replay.report.page"]),
    "suggest": ("watchdog", ["wine_slo.monitor.onboarding.suggest.command"]),
    "ledger backup": ("watchdog", ["wine_slo.integrations.storage.ledger"]),
    "ledger copy": ("watchdog", ["wine_slo.integrations.storage.upkeep.copying"]),
    "ledger check": ("watchdog", ["wine_slo.integrations.storage.upkeep.checking"]),
    "check, status, validate": ("", ["wine_slo.cli", "wine_slo.monitor.commands.run"]),
    "drill": ("", ["wine_slo.monitor.drill.commands", "wine_slo.monitor.drill.runner"]),
    "init": ("", ["wine_slo.monitor.onboarding.init", "wine_slo.monitor.onboarding.example"]),
    "init --from": ("", ["wine_slo.monitor.onboarding.importing.command"]),
}


def packed(builder: WheelBuilder | SdistBuilder) -> set[str]:
    return {each.distribution_path for each in builder.recurse_included_files()}


def test_the_wheel_holds_the_package_and_what_comes_with_it_and_nothing_else() -> None:
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "wine_slo").rglob("*") if path.is_file()}
    wanted = {each for each in own if not each.endswith((".pyc", ".po"))} | {
        f"wine_slo/shipped/{each}" for each in SHIPPED
    }
    assert packed(WheelBuilder(str(ROOT))) == wanted
    assert {"wine_slo/py.typed", "wine_slo/locale/ru/LC_MESSAGES/wine_slo.mo"} <= wanted


def test_the_sdist_holds_what_the_wheel_is_built_of_and_no_pictures() -> None:
    files = packed(SdistBuilder(str(ROOT)))
    assert files >= {"LICENSE", "README.md", "CHANGELOG.md", "docs/house.md", *SHIPPED}
    assert {each for each in packed(WheelBuilder(str(ROOT))) if "/shipped/" not in each} <= files
    kinds = {Path(each).suffix for each in files}
    assert kinds <= {
        "",
        ".py",
        ".typed",
        ".md",
        ".yml",
        ".json",
        ".pkl",
        ".po",
        ".mo",
        ".css",
        ".js",
        ".html",
        ".svg",
        ".toml",
        ".cff",
        ".example",
    }
    assert not [
        each
        for each in files
        if each.startswith(("docs/images", "tests/", ".", "dist/")) and each not in {".env.example", ".gitignore"}
    ]


def test_the_metadata_is_complete() -> None:
    core = WheelBuilder(str(ROOT)).metadata.core
    assert (core.license_expression, core.license_files) == ("MIT", ["LICENSE"])
    assert core.readme_content_type == "text/markdown"
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} <= core.urls.keys()
    assert "Typing :: Typed" in core.classifiers
    assert len(core.keywords) > 5


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = PROJECT["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.search(r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert released
    assert (citation["version"], citation["date-released"]) == (version, released[2])
    assert released[1] == version


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_only_what_its_extra_brings(command: str) -> None:
    extra, starts = COMMANDS[command]
    brought = names(PROJECT["project"]["dependencies"]) | names(EXTRAS.get(extra, []))
    imported = {DISTRIBUTIONS.get(each, each).lower().replace("_", "-") for each in libraries(starts)}
    assert imported - brought == set()


@pytest.mark.parametrize("extra", ["server", "watchdog"])
def test_an_extra_brings_only_what_its_commands_import(extra: str) -> None:
    starts = [start for needed, each in COMMANDS.values() if needed == extra for start in each]
    late = {"joblib", "uvloop", "matplotlib", "jinja2"}  # imported in functions
    needed = {DISTRIBUTIONS.get(each, each).lower().replace("_", "-") for each in libraries(starts)} | late
    assert names(EXTRAS[extra]) - needed == set()


def test_all_is_every_extra() -> None:
    assert EXTRAS["all"] == [f"wine-slo[{','.join(sorted(EXTRAS.keys() - {'all'}))}]"]


def names(requirements: list[str]) -> set[str]:
    """The names of distributions, as an index normalizes them."""
    return {re.split(r"[^\w.-]", each)[0].lower().replace("_", "-") for each in requirements}


def libraries(starts: list[str]) -> set[str]:
    """What is imported from elsewhere when these modules are."""
    found, modules, todo = set(), set(starts), list(starts)
    while todo:
        for imported in imports(todo.pop()):
            if path_of(imported) is None:
                found.add(imported.partition(".")[0])
            elif imported not in modules:
                modules.add(imported)
                todo.append(imported)
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that one imports by itself, not in a function."""
    path = path_of(module)
    assert path is not None, module
    return frozenset(_imports(ast.parse(path.read_text())))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if not is_standard(each.name))
        elif isinstance(node, ast.ImportFrom) and node.module and not is_standard(node.module):
            own = [f"{node.module}.{each.name}" for each in node.names]
            yield from [each for each in own if path_of(each)] or [node.module]


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def path_of(module: str) -> Path | None:
    """The file of a module of ours."""
    path = ROOT.joinpath(*module.split("."))
    found = (each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file())
    return next(found, None) if module.startswith("wine_slo") else None
