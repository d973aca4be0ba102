"""One file of objectives, field by field: what can be read of it, and every mistake with its place.

A field that is wrong gets a value in its stead with which nothing else is wrong, so that one mistake hides no other.
What follows from such a value is no mistake of the file: `Wrong` knows which sentences do.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from wine_slo.config.files import slo_hints, yaml_file
from wine_slo.config.files.slo_hints import shown
from wine_slo.config.files.yaml_file import Place
from wine_slo.config.slo_extras import DeploymentEntry, DrillEntry
from wine_slo.config.slo_schema import (
    OWN_KEYS,
    AnyObjectiveEntry,
    BurnEntry,
    ObjectiveEntry,
    SloFileEntry,
    UpEntry,
    span_of,
    window_of,
    zone_of,
)
from wine_slo.slo.objectives.error import ObjectiveError

# Values that go with whatever else is written: a text, a long span, a list, and of numbers the strictest objective.
STAND_INS: tuple[Any, ...] = ("stand_in", "1000d", "page", "s", 1 - 1e-9, 1, ["stand_in"], False, {})
NAMED = ("scrape_interval", "bad_for", "good_for", "over", "threshold", "long")  # in sentences about other fields
CHECKS: dict[str, Callable[[str], object]] = {"window": window_of, "time_zone": zone_of}  # those of spans besides

S = TypeVar("S", bound=Struct)
Mistake = tuple[Place, str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """The fields that are wrong of a file and an objective in it; dotted where they stand inside others."""

    fields: frozenset[str] = frozenset()

    def explains(self, field: str, sentence: str) -> bool:
        """Return whether a mistake follows from one of these: it is about the same field, or names one."""
        for each in self.fields:
            if f"{field}.".startswith(f"{each}.") or f"{each}.".startswith(f"{field}."):
                return True
            name = each.rpartition(".")[2]
            if name in NAMED and re.search(rf"\b{name}\b", sentence):
                return True
        return False

    def and_of(self, others: Iterable[str]) -> "Wrong":
        """Return these fields and others."""
        return Wrong(self.fields.union(others))


@dataclass(frozen=True, slots=True)
class Entry:
    """One objective as it is written.

    Attributes:
        number: Its place in the list.
        content: Its fields, with stand-ins for those that are wrong.
        wrong: Those, and those of its file.
    """

    number: int
    content: ObjectiveEntry
    wrong: Wrong


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is written.

    Attributes:
        name: Stands in front of each mistake.
        content: The fields of the file, with stand-ins for those that are wrong.
        wrong: Those.
        entries: The objectives that are mappings.
        mistakes: What is wrong field by field.
        lines: The line of each place.
    """

    name: str
    content: SloFileEntry
    wrong: Wrong
    entries: tuple[Entry, ...]
    mistakes: tuple[Mistake, ...]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Return the line of the deepest part of a place that stands in the file."""
        return next(self.lines[place[:depth]] for depth in range(len(place), -1, -1) if place[:depth] in self.lines)

    def sentences(self, mistakes: Iterable[Mistake]) -> list[str]:
        """Return mistakes as sentences, each once, with its line in front and by that."""
        found = sorted(dict.fromkeys(mistakes), key=lambda each: self.line(each[0]))
        return [f"{self.name}:{self.line(place)}: {_name_of(place)}{sentence}" for place, sentence in found]


def read(text: str, name: str) -> Page:
    """Return what a text says.

    Raises:
        YamlError: It is no YAML.
    """
    root, content = yaml_file.read(text)
    lines, repeated = yaml_file.places(root)
    reader = _Reader(yaml_file.scalars(root))
    reader.mistakes += [(place, "stands here twice") for place in repeated]
    items: list[Any] = []
    if isinstance(content, dict) and isinstance(content.get("objectives"), list):
        items, content = content["objectives"], {key: each for key, each in content.items() if key != "objectives"}
    elif content is None:
        reader.mistakes.append(((), "is empty; write job and objectives"))
        content = {}
    elif isinstance(content, dict) and "objectives" not in content and "include" not in content:
        reader.mistakes.append((("objectives",), "is missing"))
    file, wrong = reader.taken(SloFileEntry, content, ())
    entries = [reader.objective(number, each, wrong) for number, each in enumerate(items)]
    known = tuple(each for each in entries if each is not None)
    return Page(name, file, Wrong(frozenset(wrong)), known, tuple(reader.mistakes), lines)


def stand_in(field: FieldInfo) -> Any:
    """Return a value for a field with which nothing else is wrong: its default, where it has one."""
    if not field.required:
        return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    for each in STAND_INS:
        try:
            return msgspec.convert(each, field.type)
        except msgspec.ValidationError:
            continue
    raise AssertionError(f"nothing stands in for {field.name}")  # a test goes through all fields


class _Reader:
    """Reads fields, and keeps what is wrong with them."""

    def __init__(self, scalars: Mapping[Place, str]) -> None:
        self.mistakes: list[Mistake] = []
        self._scalars = scalars

    def objective(self, number: int, content: Any, wrong_of_file: Iterable[str]) -> Entry | None:
        """Return an objective, of an unknown kind what all kinds have; None where it is no mapping."""
        place: Place = ("objectives", number)
        wrong = set(wrong_of_file)
        try:
            kind = _kind(content)
        except ValueError as error:
            self.mistakes.append((place, str(error)))
            if not isinstance(content, dict):
                return None
            kind, content = UpEntry, {key: each for key, each in content.items() if key in COMMON}
            wrong |= {"kind", "up"}
        entry, wrong_here = self.taken(kind, content, place)
        return Entry(number, entry, Wrong(frozenset(wrong | wrong_here)))

    def taken(self, kind: type[S], content: Any, place: Place) -> tuple[S, set[str]]:
        """Return what a mapping holds, with stand-ins for what is wrong in it, and the names of that."""
        fields = {field.name: field for field in msgspec.structs.fields(kind)}
        if not isinstance(content, dict):
            names = " and ".join(name for name, each in fields.items() if each.required) or "objectives"
            self.mistakes.append((place, f"must be a mapping with {names}"))
            return kind(**{name: stand_in(field) for name, field in fields.items()}), set(fields)
        values, wrong = {}, set()
        for name, field in fields.items():
            values[name], inside = self._field(field, content, (*place, name))
            wrong |= inside
        known = {*fields, kind.__struct_config__.tag_field or ""}
        for key in content:
            if key not in known and not (kind is SloFileEntry and str(key).startswith(OWN_KEYS)):
                self.mistakes.append(
                    ((*place, key), f"is not known here{_elsewhere(kind, key) or slo_hints.near(str(key), known)}")
                )
        return kind(**values), wrong

    def _field(self, field: FieldInfo, content: dict[str, Any], place: Place) -> tuple[Any, set[str]]:
        """Return what a field holds, and the names of what is wrong in it."""
        name = field.name
        if name not in content:
            if field.required:
                self.mistakes.append((place, "is missing"))
            return stand_in(field), {name} if field.required else set()
        value = content[name]
        if name in ITEMS and isinstance(value, list):
            return self._items(ITEMS[name], value, place)
        if name in MAPPINGS and isinstance(value, dict):
            found, wrong = self.taken(MAPPINGS[name], value, place)
            return found, {f"{name}.{each}" for each in wrong}
        try:
            converted = msgspec.convert(value, field.type)
            _check(name, converted)
        except msgspec.ValidationError:
            self.mistakes.append((place, slo_hints.instead(value, self._scalars.get(place), field.type)))
        except ObjectiveError as error:
            self.mistakes.append((place, str(error)))
        else:
            return converted, set()
        return stand_in(field), {name}

    def _items(self, kind: type[Struct], content: list[Any], place: Place) -> tuple[list[Struct], set[str]]:
        """Return what each mapping of a list holds, and the dotted names of what is wrong in them."""
        found, wrong = [], set()
        for number, each in enumerate(content):
            item, inside = self.taken(kind, each, (*place, number))
            found.append(item)
            wrong |= {f"{place[-1]}.{number}.{name}" for name in inside}
        return found, wrong


COMMON = frozenset(ObjectiveEntry.__struct_fields__)
ITEMS: dict[str, type[Struct]] = {"burns": BurnEntry, "deployments": DeploymentEntry}
MAPPINGS: dict[str, type[Struct]] = {"drill": DrillEntry}


def _check(name: str, value: Any) -> None:
    """See whether a span, a window or a time zone is one.

    Raises:
        ObjectiveError: It is none.
    """
    if name in CHECKS:
        CHECKS[name](value)
    elif isinstance(value, str) and name in SPANS:
        span_of(name, value)


def _kind(content: Any) -> type[ObjectiveEntry]:
    kinds: dict[str, type[ObjectiveEntry]] = {
        str(each.__struct_config__.tag): each for each in get_args(AnyObjectiveEntry)
    }
    *others, last = kinds
    names = f"{', '.join(others)} or {last}"
    if not isinstance(content, dict) or "kind" not in content:
        raise ValueError(f"needs a kind: {names}")
    kind = str(content["kind"])
    if kind not in kinds:
        raise ValueError(f"has the kind {shown(kind)}{slo_hints.near(kind, kinds) or f'; it must be {names}'}")
    return kinds[kind]


def _name_of(place: Place) -> str:
    return "".join(f"{shown(str(each))}{'.' if number < len(place) else ' '}" for number, each in enumerate(place, 1))


SPANS = frozenset(
    field.name
    for kind in (SloFileEntry, BurnEntry, *get_args(AnyObjectiveEntry))
    for field in msgspec.structs.fields(kind)
    if slo_hints.is_span(field.type)
)


def _elsewhere(kind: type[Struct], key: Any) -> str:
    """Return the end of a sentence on a name that is known in another place; empty where it is none."""
    if kind is SloFileEntry and key in COMMON:
        return "; write it into the objectives that it is for"
    if issubclass(kind, ObjectiveEntry) and key in SloFileEntry.__struct_fields__:
        return "; it is said once for the whole file, above objectives"
    return ""
