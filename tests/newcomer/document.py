"""What README and tutorials have a newcomer do, step by step, read out of their code blocks.

A block of `sh` is typed, line by line; a block of `text` after it is what one sees then; other blocks are read only.
What readers need no word about stands in comments, which no page shows, several in one with semicolons between:

    <!-- newcomer: not typed: REASON -->        the next block is not typed
    <!-- newcomer: goes on -->                  the last command of the next block does not end by itself
    <!-- newcomer: terminal NAME -->            what follows happens in that terminal, a new one where there is none
    <!-- newcomer: Ctrl-C -->                   ends what goes on in this terminal
    <!-- newcomer: waits SECONDS s: REASON -->  the reader takes that long, or is to wait
    <!-- newcomer: exits with STATUS -->        the last command of the next block does
    <!-- newcomer: has typed: COMMAND -->       the reader is taken to have that already, and it does not end by itself
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FENCE = re.compile(r"^( *)```(.*)$")
DIRECTIVE = re.compile(r"^ *<!-- newcomer: (.*) -->$")
HEREDOC = re.compile(r"<<'?(\w+)'?")
TYPED, SEEN = "sh", "text"


class DocumentError(Exception):
    """A document that nobody could follow; the text says which line and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """Commands that are typed.

    Attributes:
        line: Where the block begins in the document, from 1.
        commands: Each is one or more lines that bash reads as one.
        goes_on: Whether the last one does not end by itself.
        status: With which status the last one ends; the others with 0.
    """

    line: int
    commands: tuple[str, ...]
    goes_on: bool = False
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sees:
    """Lines that are printed, by what was typed last in this terminal."""

    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """The reader turns to another terminal."""

    line: int
    terminal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupts:
    """The reader presses Ctrl-C."""

    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The reader waits."""

    line: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesOut:
    """A block that is not typed."""

    line: int
    reason: str


Step = Types | Sees | Turns | Interrupts | Waits | LeavesOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced code block.

    Attributes:
        line: Of its first fence, from 1.
        language: What stands behind the fence.
        lines: What stands between the fences, without the indent of these.
    """

    line: int
    language: str
    lines: tuple[str, ...]


def blocks(text: str) -> Iterator[Block | tuple[int, str]]:
    """Yield the code blocks of a document, and its directives as line and words, one by one.

    Raises:
        DocumentError: A block has no end.
    """
    begun: Block | None = None
    indent, inside = 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if begun is not None and fence and not fence[2]:
            yield Block(line=begun.line, language=begun.language, lines=tuple(inside))
            begun = None
        elif begun is not None:
            inside.append(line[indent:])
        elif fence:
            begun, indent, inside = Block(line=number, language=fence[2].strip(), lines=()), len(fence[1]), []
        elif directive := DIRECTIVE.match(line):
            yield from ((number, each.strip()) for each in directive[1].split(";"))
    if begun is not None:
        raise DocumentError(f"line {begun.line}: the block has no end")


def steps(text: str) -> list[Step]:
    """Return what a document has its reader do.

    Raises:
        DocumentError: Nobody could follow it.
    """
    found = list[Step]()
    of_next = dict[str, str]()
    for each in blocks(text):
        if isinstance(each, Block):
            found += _of_block(each, of_next)
            of_next = {}
        else:
            done = _directive(*each)
            if isinstance(done, dict):
                of_next |= done
            else:
                found.append(done)
    if of_next:
        raise DocumentError(f"no block follows the last directive ({', '.join(of_next)})")
    first = next((each for each in found if isinstance(each, Types | Sees)), None)
    if isinstance(first, Sees):
        raise DocumentError(f"line {first.line}: nothing has been typed yet")
    return found


def _directive(line: int, words: str) -> Step | dict[str, str]:
    """Return what is to be done, or what holds of the next block."""
    word, _, rest = words.partition(":")
    reason = rest.strip()
    match word.split():
        case ["not", "typed"] if reason:
            return {"not typed": reason}
        case ["goes", "on"]:
            return {"goes on": "yes"}
        case ["exits", "with", status] if status.isdigit():
            return {"status": status}
        case ["terminal", name]:
            return Turns(line=line, terminal=name)
        case ["Ctrl-C"]:
            return Interrupts(line=line)
        case ["waits", seconds, "s"] if reason and seconds.isdigit():
            return Waits(line=line, seconds=float(seconds))
        case ["has", "typed"] if reason:
            return Types(line=line, commands=(reason,), goes_on=True)
    raise DocumentError(f"line {line}: {words!r} is no directive, or lacks its reason")


def _of_block(block: Block, directives: dict[str, str]) -> list[Step]:
    if reason := directives.get("not typed"):
        return [LeavesOut(line=block.line, reason=reason)]
    if block.language == TYPED:
        return [
            Types(
                line=block.line,
                commands=tuple(commands(block.lines)),
                goes_on="goes on" in directives,
                status=int(directives.get("status", "0")),
            )
        ]
    if directives:
        raise DocumentError(f"line {block.line}: the directive before it is of no block that is typed")
    if block.language == SEEN:
        return [Sees(line=block.line, lines=block.lines)]
    if not block.language:
        raise DocumentError(f"line {block.line}: is it `sh`, which is typed, `text`, which is seen, or what?")
    return []


def commands(lines: Sequence[str]) -> Iterator[str]:
    r"""Yield what is typed until bash runs something: a line, those behind a `\` too, or a whole here-document."""
    typed, until = list[str](), ""
    for line in lines:
        if not typed and (not line.strip() or line.lstrip().startswith("#")):
            continue
        typed.append(line)
        if not until and (heredoc := HEREDOC.search(line)):
            until = heredoc[1]
        elif until:
            until = "" if line == until else until
        if not until and not line.endswith("\\"):
            yield "\n".join(typed)
            typed = []
    if typed:
        raise DocumentError(f"{typed[0]!r} has no end")
