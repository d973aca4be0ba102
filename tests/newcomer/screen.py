"""What a terminal shows of what is printed: lines, and the few signs by which our programs move between them."""

import re

# Bash prints it, with the status of the last command, when it waits for the next one; no program prints the like.
PROMPT = re.compile("\x1e(\\d+)\x1f")
PIECE = re.compile(
    r"\x1b\[(?P<number>\d*)(?:;\d+)*(?P<move>[A-Za-z])|\x1b\[\?\d+[hl]|\x1b\][^\x07]*\x07|(?P<sign>[\r\n\b])"
    r"|(?P<text>[^\x1b\r\n\b]+)"
)
BEGUN = re.compile(r"(?:\x1b[\[\]]?[\d;?]*|\x1e\d*)$")  # what has not been read to its end yet


class Screen:
    """Lines without end, downwards; none is wrapped.

    Attributes:
        lines: What is shown, with the prompts in it.
        statuses: Of the commands that have ended.
    """

    def __init__(self) -> None:
        self.lines = [""]
        self.statuses: list[int] = []
        self._row = self._column = 0
        self._left = ""

    def print(self, text: str) -> None:
        """Show what is printed; a sign may come in parts."""
        text = self._left + text
        begun = BEGUN.search(text)
        text, self._left = (text[: begun.start()], begun[0]) if begun else (text, "")
        for piece in PIECE.finditer(text):
            if piece["text"]:
                self._write(piece["text"])
            elif piece["sign"]:
                self._sign(piece["sign"])
            elif piece["move"]:
                self._move(piece["move"], int(piece["number"] or 1))

    def since(self, row: int) -> list[str]:
        """Return the lines from one on that are not blank, without prompts."""
        shown = (PROMPT.sub("", line).rstrip() for line in self.lines[row:])
        return [line for line in shown if line]

    def _write(self, text: str) -> None:
        self.statuses += map(int, PROMPT.findall(text))
        line = self.lines[self._row].ljust(self._column)
        self.lines[self._row] = line[: self._column] + text + line[self._column + len(text) :]
        self._column += len(text)

    def _sign(self, sign: str) -> None:
        if sign == "\n":
            self._row += 1
            if self._row == len(self.lines):
                self.lines.append("")
        self._column = max(0, self._column - 1) if sign == "\b" else 0

    def _move(self, move: str, number: int) -> None:
        if move == "A":
            self._row = max(0, self._row - number)
        elif move == "B":
            self._row = min(len(self.lines) - 1, self._row + number)
        elif move == "K":
            self.lines[self._row] = "" if number == 2 else self.lines[self._row][: self._column]
