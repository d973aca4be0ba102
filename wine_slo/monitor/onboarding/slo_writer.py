"""Write a commented `slo.yml`; `config.slo_file` reads it back as it was given."""

import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wine_slo.config.files import yaml_file
from wine_slo.config.visible import visible

WIDTH = 120  # letters of a line of comment


@dataclass(frozen=True, slots=True)
class Section:
    """One objective, or what stands at the head of the file.

    Attributes:
        fields: As slo.yml names them, in their order: texts, numbers, lists and mappings. Without any, only the comment
            is written.
        above: Paragraphs of comment over them.
        beside: A comment behind a field, by its name.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    above: Sequence[str] = ()
    beside: Mapping[str, str] = field(default_factory=dict)


class OutputError(Exception):
    """The file cannot be written; the text says why."""


def refuse_overwriting(path: Path, *, force: bool) -> None:
    """Refuse to write where something is, unless that is wanted, and where nothing can be.

    Raises:
        OutputError: Something is there, or the folder is not, or cannot be written to.
    """
    if path.exists() and not force:
        raise OutputError(f"{path} exists; --output FILE writes another one, --force overwrites it")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OutputError(f"{path} cannot be written: Permission denied")


def save(text: str, path: Path, *, force: bool) -> None:
    """Write a file; one that is there is overwritten only where that is wanted.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error


def write(head: Section, objectives: Sequence[Section]) -> str:
    """Return the text of a file.

    Args:
        head: What holds for the whole file.
        objectives: In their order; one without fields is a comment in its place.
    """
    blocks = ["\n".join([*_comment(head.above, ""), *_lines(head, "")])]
    for each in objectives:
        first, *others = _lines(each, "    ") if each.fields else [""]
        entry = [f"  - {first.removeprefix('    ')}", *others] if each.fields else []
        blocks.append("\n".join([*_comment(each.above, "  "), *entry]))
    opening, *entries = blocks
    return "\n\n".join(filter(None, [opening, "\n".join(["objectives:", *entries[:1]]), *entries[1:]])) + "\n"


def _lines(section: Section, indent: str) -> Iterator[str]:
    """Return the fields of a section, a comment behind those that have one."""
    for name, value in section.fields.items():
        first, *others = yaml_file.write({name: value}).splitlines()
        aside = " ".join(section.beside.get(name, "").split())
        yield f"{indent}{first}  # {visible(aside)}" if aside else f"{indent}{first}"
        yield from (f"{indent}{line}" for line in others)


def _comment(paragraphs: Sequence[str], indent: str) -> Iterator[str]:
    """Return paragraphs as lines of comment."""
    for paragraph in paragraphs:
        for line in paragraph.splitlines() or [""]:
            wrapped = textwrap.wrap(
                visible(line), WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False
            )
            yield from (f"{indent}# {part}".rstrip() for part in wrapped or [""])
