"""`slo.yml`, the file in which people write the objectives; every mistake is reported with its line."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from wine_slo.config.files import text_file, yaml_file
from wine_slo.config.files.yaml_file import Place
from wine_slo.config.slo_extras import DeploymentEntry, DrillEntry, series_of, wrong_with_drill
from wine_slo.config.slo_schema import (
    AnyObjectiveEntry,
    BurnEntry,
    ObjectiveEntry,
    SloFileEntry,
    listed,
    span_of,
    window_of,
    zone_of,
)
from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.objective import (
    BURNS_WINDOW,
    LEAST_BAD_INTERVALS,
    LEAST_GOOD_INTERVALS,
    Alert,
    Burn,
    Objective,
    Objectives,
    scopes_by_name,
    usual_bad_for,
    usual_good_for,
)
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.selector import wrong_with_selector
from wine_slo.slo.span import format_span, parse_span

LEAST_BLIND_FOR = timedelta(seconds=2)
LONGEST = 2**20  # bytes of the file: some 3,000 objectives
LONGEST_SHOWN = 200  # letters of a wrong value in a sentence
OVER = timedelta(minutes=5)  # the range that is shown, where nothing else is written
NO_UP = "none"  # written for targets without `up` series
PROVISIONAL_INTERVAL = timedelta(seconds=5)  # until it is known how often a job is scraped

S = TypeVar("S", bound=Struct)


class SloFileError(Exception):
    """A file that cannot be used; one sentence for each mistake, with its line."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


@dataclass(frozen=True, slots=True)
class SloFile:
    """What a file says; it has objectives as soon as it is known how often their jobs are scraped.

    Attributes:
        name: Stands in front of each mistake.
        silent_scopes: The jobs whose scrape interval it does not say.
    """

    name: str
    silent_scopes: tuple[Scope, ...]
    _content: SloFileEntry
    _lines: Mapping[Place, int]
    _numbers: Mapping[str, int]

    def objectives(self, intervals: Mapping[str, timedelta] = MappingProxyType({})) -> Objectives:
        """Return the objectives of the file.

        Args:
            intervals: How often jobs are scraped. What the file says itself goes before; one that neither says is 5 s.

        Raises:
            SloFileError: Not every line of it can be used.
        """
        objectives, found, names = [], [], set()
        for number, each in enumerate(self._content.objectives):
            try:
                objectives.append(_objective(self._content, each, intervals))
            except ObjectiveError as error:
                for dotted, sentence in error.mistakes:
                    field = _place_of(dotted)
                    is_of_file = (
                        field[0] in SloFileEntry.__struct_fields__ and getattr(each, str(field[0]), None) is None
                    )
                    found.append((field if is_of_file else ("objectives", number, *field), sentence))
            if each.name in names:
                found.append((("objectives", number, "name"), f"is {each.name!r}, as another objective's is"))
            names.add(each.name)
        if found:
            raise SloFileError(dict.fromkeys(self._at(*each) for each in found))
        try:
            is_on = self._content.target_down not in (False, "off")
            return Objectives(
                tuple(objectives),
                blind_for=_blind_for(self._content),
                target_down=is_on,
                deployments=series_of(self._content.deployments),
            )
        except ObjectiveError as error:
            raise SloFileError(self._at(_place_of(dotted), each) for dotted, each in error.mistakes) from error

    def lengthened(self, objectives: Objectives, known: Container[str]) -> list[str]:
        """Return a sentence for each span of the file that is too short for how often its job is scraped.

        Args:
            objectives: Of this file, with the spans as they are used.
            known: The jobs of which it is known.
        """
        found = []
        for number, each in enumerate(self._content.objectives):
            used = objectives.by_name[each.name]
            for field in ("bad_for", "good_for", "over"):
                text, length = getattr(each, field), getattr(used, field)
                if used.job in known and text is not None and length > parse_span(text):
                    interval = format_span(used.scrape_interval)
                    sentence = f"is {text}, which is too short: {used.job} is scraped every {interval}, so it counts as"
                    found.append(self._at(("objectives", number, field), f"{sentence} {format_span(length)}"))
        return found

    @property
    def drill(self) -> DrillEntry | None:
        """Return how a drill breaks the service; None where the file does not say it."""
        return self._content.drill

    def left_out(self, objectives: Objectives) -> list[str]:
        """Return a sentence for each objective for which some of the usual burn-rate alerts can never fire."""
        sentences = []
        for each in objectives.all:
            if each.burns_left_out:
                rates = ", ".join(
                    f"{burn.factor(BURNS_WINDOW):g} over {format_span(burn.long)}" for burn in each.burns_left_out
                )
                where = self.place(each.name, "objective")
                sentences.append(
                    f"{where}: {each.name} has not the usual burn-rate alerts that can never fire: {rates}"
                )
        return sentences

    def place(self, objective: str, field: str) -> str:
        """Return where a field of an objective stands: `slo.yml:14`."""
        there: Place = ("objectives", self._numbers[objective], field)
        if field in SloFileEntry.__struct_fields__ and there not in self._lines:
            there = (field,)
        return f"{self.name}:{_line(self._lines, there)}"

    def _at(self, place: Place, sentence: str) -> str:
        return _at(self.name, self._lines, place, sentence)


def _place_of(dotted: str) -> Place:
    """Return the place that a field is written as: `burns.0.budget`."""
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))


def load(path: Path) -> SloFile:
    """Return what a file says.

    Raises:
        SloFileError: It cannot be read, or not every line of it can be used.
    """
    return parse(_text(path), str(path))


def parse(text: str, name: str = "slo.yml") -> SloFile:
    """Return what a text says; `name` stands in front of each mistake.

    Raises:
        SloFileError: Not every line of it can be used.
    """
    lines, content, repeated = _read(text, name)
    found = [(place, "stands here twice") for place in repeated]
    file = _taken(SloFileEntry, content, (), found)
    if file is None:
        raise SloFileError(_at(name, lines, *each) for each in found)
    found += [(("drill",), each) for each in wrong_with_drill(file.drill, [each.name for each in file.objectives])]
    numbers = {each.name: number for number, each in enumerate(file.objectives)}
    read = SloFile(name, (), file, lines, numbers)
    try:
        objectives = read.objectives()
    except SloFileError as error:
        raise SloFileError([*(_at(name, lines, *each) for each in found), *error.mistakes]) from error
    if found:
        raise SloFileError(_at(name, lines, *each) for each in found)
    silent = {each.name for each in file.objectives if not (each.scrape_interval or file.scrape_interval)}
    scopes = scopes_by_name(each for each in objectives.all if each.name in silent)
    return replace(read, silent_scopes=tuple(scopes.values()))


def _text(path: Path) -> str:
    """Return what stands in a file.

    Raises:
        SloFileError: It cannot be read.
    """
    try:
        return text_file.read(path, longest=LONGEST)
    except text_file.TextFileError as error:
        raise SloFileError([f"{path} cannot be read: {error}"]) from error


def _read(text: str, name: str) -> tuple[Mapping[Place, int], Any, list[Place]]:
    """Return the line of each place in a YAML text, its content, and the places of keys that stand there twice."""
    try:
        root, content = yaml_file.read(text)
    except yaml_file.YamlError as error:
        raise SloFileError([f"{name}:{error.line}: {error}"]) from error
    lines, repeated = yaml_file.places(root)
    return lines, content, repeated


def _taken(kind: type[S], content: Any, place: Place, mistakes: list[tuple[Place, str]]) -> S | None:
    """Return what a mapping holds.

    None where something is wrong with it, and then all of that is among the mistakes.
    """
    if not isinstance(content, dict):
        mistakes.append((place, f"must be a mapping with {' and '.join(_required(kind))}"))
        return None
    known_before = len(mistakes)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    values = {}
    for name, field in fields.items():
        there = (*place, name)
        if name not in content:
            if field.required:
                mistakes.append((there, "is missing"))
        elif name in ITEMS and isinstance(content[name], list):
            values[name] = [_item(name, each, (*there, number), mistakes) for number, each in enumerate(content[name])]
        else:
            try:
                values[name] = msgspec.convert(content[name], field.type)
            except msgspec.ValidationError:
                mistakes.append((there, f"is {_shown(repr(content[name]))}; it {_wanted(field.type)}"))
    known = {*fields, kind.__struct_config__.tag_field or ""}
    mistakes += [((*place, key), "is not known here") for key in content if key not in known]
    return kind(**values) if len(mistakes) == known_before else None


def _wanted(kind: Any) -> str:
    """Return what a field wants, by the words of its type, or of the type that it may be besides nothing."""
    parts = get_args(kind)
    said = [str(each.extra["wanted"]) for each in parts if isinstance(each, Meta) and each.extra]
    return said[-1] if said else next(filter(None, map(_wanted, parts)), "")


def _item(of: str, content: Any, place: Place, mistakes: list[tuple[Place, str]]) -> Struct | None:
    """Return what one mapping in a list of them holds."""
    try:
        kind = ITEMS[of](content)
    except ValueError as error:
        mistakes.append((place, str(error)))
        return None
    return _taken(kind, content, place, mistakes)


def _kind(content: Any) -> type[ObjectiveEntry]:
    kinds: dict[str, type[ObjectiveEntry]] = {
        str(each.__struct_config__.tag): each for each in get_args(AnyObjectiveEntry)
    }
    *others, last = kinds
    names = f"{', '.join(others)} or {last}"
    if not isinstance(content, dict) or "kind" not in content:
        raise ValueError(f"needs a kind: {names}")
    if not isinstance(content["kind"], str) or content["kind"] not in kinds:
        raise ValueError(f"must have the kind {names}")
    return kinds[content["kind"]]


ITEMS: dict[str, Callable[[Any], type[Struct]]] = {
    "objectives": _kind,
    "burns": lambda _: BurnEntry,
    "deployments": lambda _: DeploymentEntry,
}


def _shown(text: str) -> str:
    """Return a text as a sentence can show it: on one line, and no longer than people read."""
    visible = text if text.isprintable() else repr(text)[1:-1]
    return visible if len(visible) <= LONGEST_SHOWN else f"{visible[:LONGEST_SHOWN]}…"


def _required(kind: type[Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _objective(file: SloFileEntry, each: ObjectiveEntry, intervals: Mapping[str, timedelta]) -> Objective:
    source, scope = each.source(), _scope(file, each)
    window, calendar = window_of(each.window, zone_of(file.time_zone))
    scrape_interval, bad_for, good_for, over = _spans(file, each, intervals.get(scope.name, PROVISIONAL_INTERVAL))
    breakdown = file.breakdown if each.breakdown is None else each.breakdown
    objective = Objective(
        name=each.name,
        title=each.title or each.name,
        job=scope.name,
        source=source,
        ratio=each.objective,
        scrape_interval=scrape_interval,
        bad_for=bad_for,
        good_for=good_for,
        over=over,
        window=window,
        calendar=calendar,
        least_events=each.least,
        expires_after=span_of("expires_after", each.expires_after),
        remind_after=span_of("remind_after", each.remind_after),
        by=tuple(each.by),
        seen_in=None if scope == Scope.of_jobs(scope.name) else scope,
        breakdown=None if breakdown is None else tuple(breakdown),
    )
    if each.burns is None:
        return objective.with_usual_burns
    burns = tuple(_burn(number, burn) for number, burn in enumerate(each.burns))
    return replace(objective, burns=burns)


def _scope(file: SloFileEntry, each: ObjectiveEntry) -> Scope:
    """Return the series of an objective's targets.

    The `up` of the file is that of its job: an objective with a job of its own has the `up` of that.

    Raises:
        ObjectiveError: It does not say which they are.
    """
    jobs = listed(each.job) or listed(file.job)
    up = each.up
    if up is None and (each.job is None or file.up == NO_UP):
        up = file.up
    if up == NO_UP:
        called = jobs if file.up == NO_UP else listed(each.job)
        return Scope.without_up(each.source().pulse(Scope.without_up("", jobs, ())), jobs, called)
    if up is not None:
        if (wrong := wrong_with_selector(up)) is not None:
            raise ObjectiveError("up", f"{wrong}; or write none, where targets have no `up`")
        return Scope.of_up(up, jobs)
    if not jobs:
        raise ObjectiveError("job", "is missing; write a job or several, or else `up`, or up: none for what is pushed")
    return Scope.of_jobs(*jobs)


def _spans(
    file: SloFileEntry, each: ObjectiveEntry, real: timedelta
) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Return the scrape interval, and the spans by which it is judged: bad_for, good_for, over.

    Who does not write the scrape interval need not know it: what is too short for the real one is lengthened.
    """
    said = each.scrape_interval or file.scrape_interval
    interval = real if said is None else span_of("scrape_interval", said)
    bad_for = usual_bad_for(interval) if each.bad_for is None else span_of("bad_for", each.bad_for)
    good_for = usual_good_for(interval) if each.good_for is None else span_of("good_for", each.good_for)
    if said is None:
        bad_for, good_for = max(bad_for, LEAST_BAD_INTERVALS * real), max(good_for, LEAST_GOOD_INTERVALS * real)
    over = max(OVER, bad_for + good_for) if each.over is None else span_of("over", each.over)
    return interval, bad_for, good_for, max(over, bad_for + good_for) if said is None else over


def _blind_for(file: SloFileEntry) -> timedelta:
    blind_for = span_of("blind_for", file.blind_for)
    if blind_for < LEAST_BLIND_FOR:
        raise ObjectiveError("blind_for", "must be 2s or more: it is two evaluations at least")
    return blind_for


def _burn(number: int, burn: BurnEntry) -> Burn:
    try:
        return Burn(burn.budget, span_of("long", burn.long), span_of("short", burn.short), Alert(burn.alert))
    except ObjectiveError as error:
        raise ObjectiveError(f"burns.{number}.{error.field}", str(error)) from error


def _at(name: str, lines: Mapping[Place, int], place: Place, sentence: str) -> str:
    """Return a sentence about a place, with its line in front."""
    shown = ".".join(_shown(str(each)) for each in place)
    return f"{name}:{_line(lines, place)}: {shown + ' ' if shown else ''}{sentence}"


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """Return the line of the deepest part of a place that stands in the file."""
    return next(lines[place[:depth]] for depth in range(len(place), -1, -1) if place[:depth] in lines)
