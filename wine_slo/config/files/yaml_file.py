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
MERGE = "tag:yaml.org,2002:merge"
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
    """Return the line of each place in a tree, and the places of keys that stand twice in one mapping.

    What a mapping takes in by a merge key (`<<`) has the line at which it is written.
    """
    lines: dict[Place, int] = {(): 1}
    repeated: list[Place] = []
    for place, line, _, is_repeated in _walk(root):
        lines.setdefault(place, line)
        if is_repeated:
            repeated.append(place)
    return lines, sorted(repeated, key=lambda each: lines[each])


def scalars(root: yaml.Node | None) -> dict[Place, str]:
    """Return what stands at each place that holds one value, as it is written."""
    found = ((place, node) for place, _, node, is_repeated in _walk(root) if not is_repeated)
    return {place: node.value for place, node in found if isinstance(node, yaml.ScalarNode)}


def _walk(root: yaml.Node | None) -> Iterator[tuple[Place, int, yaml.Node, bool]]:
    """Yield each place in a tree, its line and its node, and whether its key stands there once more."""
    waiting: list[tuple[Place, yaml.Node | None]] = [((), root)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                yield (*place, number), value.start_mark.line + 1, value, False
                waiting.append(((*place, number), value))
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for mapping in _with_merged(node):
                own = set()
                for key, value in mapping.value:  # a key is a scalar: another one cannot be read
                    there, is_new = (*place, key.value), key.value not in seen
                    if key.tag != MERGE and (is_new or key.value in own):
                        yield there, key.start_mark.line + 1, value, not is_new
                    if key.tag != MERGE and is_new:
                        waiting.append((there, value))
                    own.add(key.value)
                    seen.add(key.value)


def _with_merged(node: yaml.MappingNode) -> list[yaml.MappingNode]:
    """Return a mapping, and those that it takes in, in the order in which they hold."""
    found = [node]
    for key, value in node.value:
        if key.tag == MERGE:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found += _with_merged(each) if isinstance(each, yaml.MappingNode) else []
    return found


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
        hint = "; indent with spaces" if "'\\t'" in str(error.problem) else ""
        raise YamlError(f"is no YAML: {error.problem}{hint}", line) from error
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
