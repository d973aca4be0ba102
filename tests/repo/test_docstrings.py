"""Docstrings have one form; ruff holds the rest of it (`D`, with Google's sections and D401)."""

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("wine_slo", "benchmarks", "tools")
# What a first line that is no order begins with; D401 knows none of these.
NO_ORDER = re.compile(
    r"(?:The|An?|What|Whether|How|Why|When|Who|Whose|Which|Where|Whatever|Every|Everything|All|Each|Those|These|Some|Their"
    r"|Its|It|Both|Another|Only|Many|As|Somebody|Nothing|There|That|Since|Until|From|For|At|In|Of|No|One)\b"
)
RAISED = re.compile(r"^\s*(\w+(?:, \w+)*): ", re.MULTILINE)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_the_first_line_of_a_function_says_what_it_does() -> None:
    found = [f"{where}: {text.splitlines()[0]}" for _, where, text in DOCUMENTED if NO_ORDER.match(text)]
    assert found == [], "such as: Return the …"


def test_what_a_docstring_says_is_raised_exists() -> None:
    """A module knows what the language has, what it imports, and what we define."""
    classes = {node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    lost = []
    for path, where, text in DOCUMENTED:
        _, _, section = text.partition("Raises:\n")
        names = {name for each in RAISED.findall(section.partition("\n\n")[0]) for name in each.split(", ")}
        if unknown := {name for name in names if not hasattr(builtins, name)} - classes:
            imports = [each for each in ast.walk(TREES[path]) if isinstance(each, ast.ImportFrom)]
            lost += [f"{where}: {name}" for name in unknown - {name.name for each in imports for name in each.names}]
    assert lost == []


def documented() -> Iterator[tuple[Path, str, str]]:
    """Yield the file of each function with a docstring, where it stands, and the docstring."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function) and (text := ast.get_docstring(node)):
                yield path, f"{path.relative_to(ROOT)}:{node.lineno}", text


TREES = {path: ast.parse(path.read_text()) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))}
DOCUMENTED = tuple(documented())
