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
    found = [f"{where}: {text.splitlines()[0]}" for where, text, _ in documented() if NO_ORDER.match(text)]
    assert found == [], "such as: Return the …"


def test_what_a_docstring_says_is_raised_exists() -> None:
    lost = []
    for where, text, tree in documented():
        _, _, section = text.partition("Raises:\n")
        names = {name for each in RAISED.findall(section.partition("\n\n")[0]) for name in each.split(", ")}
        lost += [f"{where}: {name}" for name in names if not (hasattr(builtins, name) or name in known(tree))]
    assert lost == []


def documented() -> Iterator[tuple[str, str, ast.Module]]:
    """Yield where each function with a docstring stands, the docstring, and its module."""
    for path in sorted(each for folder in FOLDERS for each in (ROOT / folder).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, Function) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", text, tree


def known(tree: ast.Module) -> set[str]:
    """Return the names of the exceptions that a module could raise by itself or through what it imports."""
    return CLASSES | {
        name.asname or name.name for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) for name in each.names
    }


CLASSES = {
    node.name
    for path in sorted(each for folder in FOLDERS for each in (ROOT / folder).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
}
