"""Whether a program has printed what a document says; times, numbers and ids may differ."""

import re
from collections.abc import Sequence

ANY = "…"  # in a line, any text; as a line, any lines
TOKEN = re.compile(
    r"(?P<address>https?://[^\s,)\"]+)"
    r"|(?P<any>…)"
    r"|(?P<id>\b(?=[a-f]*\d)[0-9a-f]{7,}\b(?!\.))"
    r"|(?P<span>(?:[<≥] )?(?<![\w.])\d[\d.,–]*\s?(?:ms|min|s|h|d)\b(?:\s\d+\s?(?:min|s|h|d)\b)*)"
    r"|(?P<number>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+[\d:]+)|(?<![\w.])\d(?:[\d.,:–+-]*\d)?)"
    r"|(?P<blank>\s+)"
)
PATTERNS = {
    "any": r".*",
    "id": r"[0-9a-f]{7,}",
    "span": r"(?:[<≥] )?\d[\d.,–]*\s?(?:ms|min|s|h|d)\b(?:\s\d+\s?(?:min|s|h|d)\b)*",
    "number": r"\d(?:[\d.,:–+TZ-]*[\dZ])?",
    "blank": r"\s+",
}


def pattern(line: str) -> str:
    """Return a regular expression of a line, blanks at its ends left out."""
    line = line.strip()
    parts, end = list[str](), 0
    for token in TOKEN.finditer(line):
        kind = token.lastgroup or ""
        parts += [re.escape(line[end : token.start()]), PATTERNS.get(kind, re.escape(token[0]))]
        end = token.end()
    return "".join([*parts, re.escape(line[end:])])


def find(expected: Sequence[str], printed: Sequence[str], *, with_others: bool = False) -> tuple[int, int] | None:
    """Return where lines stand in what was printed, as a range of its lines; None where they do not, in their order.

    Blank lines count for nothing.

    Args:
        expected: What a document says; a line in which nothing but `…` stands is any number of lines.
        printed: What was printed.
        with_others: Whether other lines may stand between, as in a log that several processes write.
    """
    wanted = [each.strip() for each in expected if each.strip()]
    there = [(number, line.strip()) for number, line in enumerate(printed) if line.strip()]
    lines = [line for _, line in there]
    begin, end = None, 0
    for piece in _pieces(wanted, one_by_one=with_others):
        place = next((at for at in range(end, len(lines) - len(piece) + 1) if _matches(piece, lines[at:])), None)
        if place is None:
            return None
        begin, end = place if begin is None else begin, place + len(piece)
    if begin is None or wanted[0] == ANY:
        begin = 0
    if not wanted or wanted[-1] == ANY:
        end = len(lines)
    numbers = [number for number, _ in there[begin:end]]
    return (numbers[0], numbers[-1] + 1) if numbers else (0, 0)


def _pieces(wanted: Sequence[str], *, one_by_one: bool) -> list[list[re.Pattern[str]]]:
    """Return the lines that stand one after the other, as patterns."""
    pieces = [list[re.Pattern[str]]()]
    for line in wanted:
        if one_by_one or line == ANY:
            pieces.append([])
        if line != ANY:
            pieces[-1].append(re.compile(pattern(line)))
    return [each for each in pieces if each]


def _matches(piece: Sequence[re.Pattern[str]], lines: Sequence[str]) -> bool:
    return all(each.fullmatch(line) for each, line in zip(piece, lines, strict=False))


def farthest(expected: Sequence[str], printed: Sequence[str]) -> str:
    """Return the first expected line that nothing printed is like; where each has its like, that the order differs."""
    for line in expected:
        if line.strip() and line.strip() != ANY and find([line], printed) is None:
            return line
    return "(each line is printed, but in another order)"
