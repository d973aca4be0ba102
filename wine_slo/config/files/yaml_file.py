"""Read the YAML that people write, and write some for them; the only door to the library.

A file of a few lines can name so much by its aliases that whoever walks through it never ends, and can be nested more
deeply than anything can follow. Both are refused before they are read to their end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

MOST_NODES = 50_000  # keys and values, aliases followed: some 3,000 objectives
DEEPEST = 50  # of which slo.yml uses five
Place = tuple[str | int, ...]  # the keys and numbers on the way from the root to a node
TOO_DEEP = f"something in it holds itself, or is nested more than {DEEPEST} deep"


class YamlError(Exception):
    """A text is no YAML that can be used.

    Attributes:
        line: Where, from 1 on.
    """

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


def read(text: str) -> tuple[yaml.Node | None, Any]:
    """Return the tree of a YAML text and its content.

    Raises:
        YamlError: It is none, or holds too much.
    """
    with _as_error():
        root = yaml.compose(text, Loader=_Loader)
        _check_size(root)
        return root, yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a safe one


def read_all(text: str) -> list[tuple[yaml.Node | None, Any]]:
    """Return the tree and the content of each document in a YAML text.

    Raises:
        YamlError: It is none, or holds too much.
    """
    with _as_error():
        loader = _Loader(text)
        found = []
        while loader.check_node():
            root = loader.get_node()
            _check_size(root)
            found.append((root, loader.construct_document(root)))
        return found


def places(root: yaml.Node | None) -> tuple[dict[Place, int], list[Place]]:
    """Return the line of each place in a tree, and the places of keys that stand twice in one mapping."""
    lines: dict[Place, int] = {(): 1}
    repeated: list[Place] = []
    waiting: list[tuple[Place, yaml.Node | None]] = [((), root)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:  # a key is a scalar: another one cannot be read
                there = (*place, key.value)
                if there in lines:
                    repeated.append(there)
                lines.setdefault(there, key.start_mark.line + 1)
                waiting.append((there, value))
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                lines[*place, number] = value.start_mark.line + 1
                waiting.append(((*place, number), value))
    return lines, sorted(repeated, key=lambda each: lines[each])


def write(content: Any) -> str:
    """Return a YAML text of a mapping or list, each scalar on one line."""
    text: str = yaml.dump(content, Dumper=_Dumper, width=float("inf"), sort_keys=False, allow_unicode=True)
    return text


@contextmanager
def _as_error() -> Iterator[None]:
    """Say what the library does not read as an error of ours."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise YamlError(f"is no YAML: {error.problem}", line) from error
    except (yaml.YAMLError, ValueError) as error:  # a character, a number or a date that cannot be; it has no mark
        raise YamlError(f"is no YAML: {str(error).splitlines()[0]}") from error


class _Dumper(yaml.SafeDumper):
    """A safe dumper that breaks no text into lines."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = '"' if len(f"{data}.".splitlines()) > 1 else None  # a break at its end is one too
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # no text is to name another part of it
        return True


_Dumper.add_representer(str, _Dumper.represent_str)


class _Loader(yaml.SafeLoader):
    """A safe loader that ends where there is more than people write."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._nodes += 1
        self._depth += 1
        _check(self._nodes, self._depth)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _check_size(root: yaml.Node | None) -> None:
    """See whether a tree is small enough where it is entered by every alias anew.

    Raises:
        YamlError: It is not.
    """
    found = 0
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        found += 1
        _check(found, depth)
        if isinstance(node, yaml.SequenceNode):
            waiting += [(each, depth + 1) for each in node.value]
        elif isinstance(node, yaml.MappingNode):
            waiting += [(each, depth + 1) for pair in node.value for each in pair]


def _check(nodes: int, depth: int) -> None:
    if depth > DEEPEST:
        raise YamlError(TOO_DEEP)
    if nodes > MOST_NODES:
        raise YamlError(f"it holds more than {MOST_NODES:,} keys and values")
