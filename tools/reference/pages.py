"""Which part of which page is written from the code, and how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import marked
from tools.reference import bot, command_line, endpoints, exits, metrics, settings, slo_fields

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
EXAMPLE = ROOT / ".env.example"
BLANK = "\n\n"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page.

    Attributes:
        path: The page.
        name: What the part is called in its marks.
        content: Returns what belongs there.
    """

    path: Path
    name: str
    content: Callable[[], str]

    def put_into(self, text: str) -> str:
        """Return the page with this part as the code gives it.

        Raises:
            ValueError: The page has no place for it.
        """
        if self.path == EXAMPLE:  # people copy it, so that it has no marks: its first paragraph is written by people
            return f"{text.partition(BLANK)[0]}{BLANK}{self.content()}\n"
        begin, end = f"<!-- {self.name}: written by `make reference` -->", f"<!-- {self.name}: end -->"
        return marked.put(text, begin, end, f"\n{self.content()}\n")


PARTS = (
    Part(EXAMPLE, "settings", settings.example),
    Part(FOLDER / "settings.md", "settings", settings.page),
    Part(FOLDER / "metrics.md", "server", metrics.of_server),
    Part(FOLDER / "metrics.md", "watchdog", metrics.of_watchdog),
    Part(FOLDER / "metrics.md", "processes", metrics.of_processes),
    Part(FOLDER / "endpoints.md", "server", endpoints.of_server),
    Part(FOLDER / "endpoints.md", "watchdog", endpoints.of_watchdog),
    Part(FOLDER / "exit-codes.md", "statuses", exits.of_all),
    Part(FOLDER / "exit-codes.md", "commands", exits.of_commands),
    Part(FOLDER / "command-line.md", "commands", command_line.page),
    Part(FOLDER / "slo-file.md", "fields", slo_fields.page),
    Part(FOLDER / "bot.md", "commands", bot.page),
)


def written() -> Iterator[tuple[Path, str]]:
    """Yield each page that has a part of the code, as it is to read."""
    for path in dict.fromkeys(part.path for part in PARTS):
        text = path.read_text(encoding="utf-8")
        for part in PARTS:
            if part.path == path:
                text = part.put_into(text)
        yield path, text
