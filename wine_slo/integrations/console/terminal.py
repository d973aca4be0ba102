"""What people read in a terminal: tables and progress, in colour where it is one, plain where it is none."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wine_slo.config.visible import visible_lines
from wine_slo.slo.redaction import redact

PLAIN_WIDTH = 120  # columns, where nobody says how wide the terminal is


@dataclass(frozen=True, slots=True)
class Line:
    """One row: a word that says how good it is, and cells."""

    mood: str  # good, bad, care or grey
    cells: tuple[str, ...]


COLOURS = {"good": "green", "bad": "bold red", "care": "yellow", "grey": "dim"}


class Terminal:
    """Prints to standard output."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        if not self._console.is_terminal:
            self._console = Console(highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH, color_system=None)

    @property
    def is_watched(self) -> bool:
        """Return whether a person may be reading it, so that a line can be written over."""
        return self._console.is_terminal

    def line(self, text: str, mood: str = "") -> None:
        """Print a text."""
        self._console.print(Text(_shown(text), style=COLOURS.get(mood, "")), soft_wrap=True)

    def table(self, header: Sequence[str], lines: Iterable[Line]) -> None:
        """Print a table."""
        self._console.print(table(header, lines))

    @contextmanager
    def live(self) -> Iterator["Live"]:
        """Write over what was written before, until the end."""
        with Live(console=self._console, refresh_per_second=4, transient=False) as live:
            yield live


def table(header: Sequence[str], lines: Iterable[Line]) -> Table:
    """Return a table; a header without words is left out."""
    made = Table(box=None, show_header=any(header), header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for each in header:
        made.add_column(each, overflow="fold")
    for line in lines:
        made.add_row(
            Text(_shown(line.cells[0]), style=COLOURS[line.mood]), *(Text(_shown(each)) for each in line.cells[1:])
        )
    return made


def _shown(text: str) -> str:
    return visible_lines(redact(text))
