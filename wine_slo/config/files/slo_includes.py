"""The files of objectives: the main one, and those that it includes, such as one for each team.

Only the main file includes others, so that none can include itself. A file that several names lead to is read once.
"""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from wine_slo.config.files import slo_page, text_file
from wine_slo.config.files.slo_hints import shown
from wine_slo.config.files.slo_page import Mistake, Page
from wine_slo.config.files.yaml_file import Place, YamlError

LONGEST = 2**20  # bytes of a file: some 3,000 objectives
LONGEST_IN_ALL = 2 * LONGEST  # characters; reading them takes half a minute
MOST_FILES = 200
ONLY_IN_MAIN = ("include", "blind_for", "drill", "target_down", "deployments")


class SloFileError(Exception):
    """Files that cannot be used.

    Attributes:
        mistakes: One sentence for each mistake, with its file and line.
        jobs: The jobs that mistakes are about that cannot be judged at an interval of theirs.
    """

    def __init__(self, mistakes: list[str], jobs: frozenset[str] = frozenset()) -> None:
        self.mistakes = tuple(mistakes)
        self.jobs = jobs
        super().__init__("\n".join(self.mistakes))


def load(path: Path) -> tuple[list[Page], list[str]]:
    """Return a file and those that it includes, and a sentence for each of these that cannot be read.

    Raises:
        SloFileError: It cannot be read.
    """
    return parse(_text(path), str(path))


def parse(text: str, name: str) -> tuple[list[Page], list[str]]:
    """Return a text and the files that it includes, and a sentence for each of these that cannot be read.

    Args:
        text: What stands in the main file.
        name: Its path, beside which the others are.

    Raises:
        SloFileError: It is no YAML.
    """
    main = _page(text, name)
    pages, length = [main], len(text)
    unread: list[str] = []
    missing: list[Mistake] = []
    found = {os.path.realpath(name)}
    for place, path in _included(main, missing):
        real = os.path.realpath(path)
        if real in found:
            continue
        found.add(real)
        if len(found) > MOST_FILES:
            missing.append((place, f"leads to more than {MOST_FILES} files"))
            break
        try:
            text = _text(Path(path))
            length += len(text)
            if length > LONGEST_IN_ALL:
                missing.append((place, f"leads to files of more than {LONGEST_IN_ALL // 2**20} MiB in all"))
                break
            page = _page(text, path)
        except SloFileError as error:
            unread += error.mistakes
        else:
            pages.append(page)
            unread += page.sentences(
                ((field,), f"is read only in {name}, which includes this file")
                for field in ONLY_IN_MAIN
                if (field,) in page.lines
            )
    return pages, [*main.sentences(missing), *unread]


def _included(main: Page, missing: list[Mistake]) -> Iterator[tuple[Place, str]]:
    """Yield each path that the main file includes, with its place; what leads nowhere is noted."""
    folder = os.path.dirname(main.name)  # noqa: PTH120  # as it is written: no dot is taken out of it
    for number, pattern in enumerate(main.content.include):
        place: Place = ("include", number)
        if Path(pattern).is_absolute() or "**" in pattern or "\0" in pattern:
            missing.append((place, "must be a path from the folder of this file on, without **"))
        elif not glob.has_magic(pattern):
            yield place, os.path.join(folder, pattern)  # noqa: PTH118
        elif paths := sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):  # noqa: PTH118, PTH207
            yield from ((place, path) for path in paths)
        else:
            missing.append((place, f"is {shown(pattern)}, and no file has such a name"))


def _page(text: str, name: str) -> Page:
    try:
        return slo_page.read(text, name)
    except YamlError as error:
        raise SloFileError([f"{name}:{error.line}: {error}"]) from error


def _text(path: Path) -> str:
    try:
        return text_file.read(path, longest=LONGEST)
    except text_file.TextFileError as error:
        raise SloFileError([f"{path} cannot be read: {error}"]) from error
