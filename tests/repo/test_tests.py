"""What holds of the tests themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.real.prometheus import described

ROOT = Path(__file__).parents[2]


def test_no_test_imports_another_test_module() -> None:
    """What two of them need is in `tests/support` or in a module beside them."""
    found = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line, name in _imports(path)
        if name.startswith("tests.") and name.rpartition(".")[2].startswith("test_")
    ]
    assert found == []


PATCHED = {
    # A library's names: what is swapped in a moment that no test can hit, and what it keeps for the whole process.
    ("tests/unit/service/model/test_model_file.py", "joblib.load"),
    ("tests/unit/service/metrics/test_shared_counts.py", "values.ValueClass"),
    # Programs that have a fault of ours on purpose, each in a process of its own.
    ("tests/system/broken_watchdog.py", "ticker.SHORTEST_PATIENCE"),
    ("tests/system/failing_command.py", "run.status"),
}


def test_no_test_patches_what_could_be_an_argument() -> None:
    """A patched name ties a test to where it stands; an argument or a setting says that it may differ."""
    found = {patch for path in sorted((ROOT / "tests").rglob("*.py")) for patch in _patches(path)}
    assert found == PATCHED


def _patches(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the name of what a call patches, and of each name of ours that is set from outside."""
    tree, file = ast.parse(path.read_text()), str(path.relative_to(ROOT))
    ours = _ours(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="setattr"), args=[owner, name, *_]):
                yield file, f"{ast.unparse(owner)}.{ast.unparse(name)}".replace("'", "")
            case ast.Call(func=ast.Attribute(attr="patch" | "setitem"), args=[what, *_]):
                yield file, ast.unparse(what)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner)) as name]) if owner in ours:
                yield file, ast.unparse(name)


def _ours(tree: ast.Module) -> set[str]:
    """Return what a file has imported of `wine_slo` under a name that it gives nothing else."""
    nodes = [*ast.walk(tree)]
    imports = [
        each for each in nodes if isinstance(each, ast.ImportFrom) and (each.module or "").startswith("wine_slo")
    ]
    given = {each.id for each in nodes if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    given |= {each.arg for each in nodes if isinstance(each, ast.arg)}
    return {name.asname or name.name for each in imports for name in each.names} - given


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of each module that is imported, and of each name that could be one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names)


def test_a_program_that_is_missing_is_named_and_stops_no_unit_test() -> None:
    assert described("prometheus-of-nowhere").startswith("no prometheus-of-nowhere in ")
