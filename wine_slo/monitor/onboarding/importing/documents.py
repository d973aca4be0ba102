"""The YAML documents of other tools, with the line of each part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from wine_slo.config.files import yaml_file
from wine_slo.config.files.yaml_file import Place
from wine_slo.monitor.onboarding.importing.promql.expression import ExpressionError

SMALLEST, LARGEST = Decimal("1e-12"), Decimal("1e15")  # of numbers that somebody means
LISTS = ("items", "objects")  # of Kubernetes' List and OpenShift's Template


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document: its content, and where it stands."""

    file: str
    content: Any
    place: Place
    lines: Mapping[Place, int]

    @property
    def where(self) -> str:
        """Return the file and the line."""
        return f"{self.file}:{self.lines.get(self.place, 1)}"

    def at(self, *keys: str) -> "Part":
        """Return what stands below keys; its content is None where nothing does."""
        content, place = self.content, self.place
        for key in keys:
            content = content.get(key) if isinstance(content, dict) else None
            place = (*place, key)
        return Part(self.file, content, place, self.lines)

    def first(self, *names: str) -> "Part":
        """Return what stands below the first of some keys that is there; formats write one key in several ways."""
        return next((self.at(each) for each in names if self.at(each).content is not None), self.at(names[0]))

    def text(self, *keys: str) -> str:
        """Return a text, or a number as one; empty where there is none."""
        content = self.at(*keys).content
        return str(content).strip() if isinstance(content, str | int | float) else ""

    def parts(self) -> Iterator["Part"]:
        """Return the entries of a list that are mappings; a mapping alone counts as a list of one."""
        if isinstance(self.content, dict):
            yield self
        for number, each in enumerate(self.content if isinstance(self.content, list) else ()):
            if isinstance(each, dict):
                yield Part(self.file, each, (*self.place, number), self.lines)

    def strings(self) -> list[str]:
        """Return the entries of a list that are texts."""
        return [each for each in self.content if isinstance(each, str)] if isinstance(self.content, list) else []

    def number(self) -> Decimal:
        """Return a number, also where it is written as a text.

        Raises:
            ExpressionError: It is none.
        """
        try:
            number = Decimal(self.text().removesuffix("%"))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not (number == 0 or SMALLEST <= abs(number) <= LARGEST):
            raise ExpressionError(f"has no number as its {self.place[-1]}")
        return number


def documents(text: str, file: str) -> list[Part]:
    """Return the mappings in a YAML text: of all its documents, and of lists and Kubernetes' Lists in these.

    Raises:
        YamlError: It is no YAML.
    """
    found = []
    for root, content in yaml_file.read_all(text):
        lines, _ = yaml_file.places(root)
        found += [each for part in Part(file, content, (), lines).parts() for each in _unpacked(part)]
    return found


def percent(part: Part) -> tuple[float, list[str]]:
    """Return the objective that a number of percent is, and a remark where it was written as a share.

    Raises:
        ExpressionError: It leaves no budget, or nothing to hold it to.
    """
    number = part.number()
    if 0 < number < 1:
        return float(number), [
            f"its {part.place[-1]} {part.text()} is taken for a share, though percent are usual there"
        ]
    return _objective(number / 100), []


def ratio(part: Part) -> tuple[float, list[str]]:
    """Return the objective that a share is, and a remark where it was written in percent.

    Raises:
        ExpressionError: It leaves no budget, or nothing to hold it to.
    """
    number = part.number()
    if 1 < number < 100:
        return float(number / 100), [f"its {part.place[-1]} {part.text()} is taken for percent"]
    return _objective(number), []


def _objective(number: Decimal) -> float:
    if not 0 < number < 1:
        raise ExpressionError(f"has the objective {number.normalize():f}; it must lie between 0 and 1, both left out")
    return float(number)


def _unpacked(part: Part) -> Iterator[Part]:
    inner = [each for name in LISTS if isinstance(part.at(name).content, list) for each in part.at(name).parts()]
    if inner:
        for each in inner:
            yield from _unpacked(each)
    else:
        yield part
