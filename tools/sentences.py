"""Find what the code says, for `pybabel extract`.

Babel's own extractor reads tokens, and before Python 3.12 sees nothing inside an f-string.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO


def extract(
    file: BinaryIO,
    names: Collection[str],
    comments: Collection[str],  # noqa: ARG001
    options: Mapping[str, object],  # noqa: ARG001
) -> Iterator[tuple[int, str, tuple[str | None, ...], list[str]]]:
    """Yield every call of one of these names that has a sentence among its arguments.

    Args:
        file: Python.
        names: Of functions, as pyproject.toml lists them.
        comments: For translators; there are none.
        options: There are none.

    Returns:
        The line, the function's name, its arguments (None for what is no text), and no comments.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node.lineno, name, tuple(map(_sentence, node.args)) or (None,), []


def _sentence(argument: ast.expr) -> str | None:
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None
