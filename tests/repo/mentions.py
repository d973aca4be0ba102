"""What documents, examples and messages mention of what the code has; each mention knows its file and line."""

import ast
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PATTERNS = (
    *("*.md", "*.yml", ".env.example", "Makefile", "Procfile", "Dockerfile", ".github/**/*.yml", ".github/**/*.md"),
    *("docs/**/*.md", "docs/**/*.ipynb", "config/*.yml", "deploy/**/*", "dashboards/**/*"),
    *("wine_slo/**/*.py", "wine_slo/**/*.html", "wine_slo/**/*.po", "benchmarks/**/*.py", "tools/**/*"),
)
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^( *)```.*?$(.*?)^\1```", re.MULTILINE | re.DOTALL)
# What may stand before a command in a line of a shell, of a workflow or of a unit.
BEFORE = r"^\s*(?:\$ |@|- |run: |entry: |ExecStart=)?(?:\w+=\S+ )*(?:docker compose exec \w+ )?(?:[\w./-]*/)?"
ENDS = {"|", "||", "&&", ";", ">", "#"}  # a command in a shell


class Text(NamedTuple):
    """A piece of a file.

    Attributes:
        path: The file, from the root of the project.
        line: The line with which the piece begins.
        text: The piece.
        is_code: Whether a shell may read it, or a program writes it, so that a command can begin a line of it.
    """

    path: str
    line: int
    text: str
    is_code: bool = False


class Mention(NamedTuple):
    """A name that is mentioned.

    Attributes:
        place: File and line.
        name: The name.
    """

    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.place}: {self.name}"


def texts() -> Iterator[Text]:
    """Yield what people and programs read in the project: documents and files whole, of code the texts in it."""
    for path in sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern) if path.is_file()}):
        name = path.relative_to(ROOT).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        yield from pieces(name, text)


def pieces(path: str, text: str) -> Iterator[Text]:
    """Yield the pieces of a file in which something can be mentioned."""
    match Path(path).suffix:
        case ".md":
            yield Text(path, 1, text)
            for block in FENCE.finditer(text):
                yield Text(path, _line(text, block.start(2)), block[2], is_code=True)
        case ".ipynb":
            yield from (piece for cell in json.loads(text)["cells"] for piece in pieces(f"{path}.md", _of_cell(cell)))
        case ".py":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield Text(path, node.lineno, node.value, is_code=True)
        case _:
            yield Text(path, 1, text, is_code=True)


def _of_cell(cell: dict[str, list[str]]) -> str:
    return "".join(cell["source"])


def found(pattern: re.Pattern[str], those: Iterable[Text]) -> Iterator[Mention]:
    """Yield the first group of each match."""
    for piece in those:
        for match in pattern.finditer(piece.text):
            yield Mention(f"{piece.path}:{piece.line + _line(piece.text, match.start(1)) - 1}", match[1])


def in_code(those: Iterable[Text]) -> list[Text]:
    """Return each line of code and each text between backticks."""
    return [each for piece in those for each in _in_code(piece)]


def _in_code(piece: Text) -> Iterator[Text]:
    if piece.is_code:
        yield piece
    for span in SPAN.finditer(FENCE.sub(_blank, piece.text)):
        yield Text(piece.path, piece.line + _line(piece.text, span.start()) - 1, span[1], is_code=True)


def _blank(match: re.Match[str]) -> str:
    """Return as many lines, so that spans are only found outside of blocks and lines still count."""
    return re.sub(r"[^\n]", " ", match[0])


def arguments(program: str, those: Iterable[Text]) -> Iterator[tuple[str, list[str]]]:
    """Yield the place of each command line of a program, and its words behind the program's name."""
    for mention in found(re.compile(rf"{BEFORE}({program}(?: .*)?)$", re.MULTILINE), those):
        try:
            words = shlex.split(mention.name.replace("…", ""), comments=True)
        except ValueError:  # a quotation that goes on in the next line
            words = mention.name.split()
        yield mention.place, list(takewhile(lambda word: word not in ENDS, words[1:]))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
