"""`slo.yml`, the file in which people write the objectives; every mistake is reported with its line.

The model below is also the JSON schema for editors: `python -m wine_slo.config.slo_file > slo.schema.json`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
import yaml
from msgspec import Meta, Struct

from wine_slo.config import text_file, yaml_file
from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.objective import (
    BURNS_WINDOW,
    Alert,
    Burn,
    Objective,
    Objectives,
    usual_bad_for,
    usual_good_for,
)
from wine_slo.slo.span import PATTERN, WANTED, format_span, parse_span

LEAST_BLIND_FOR = timedelta(seconds=2)
LONGEST = 2**20  # bytes of the file: some 3,000 objectives
LONGEST_SHOWN = 200  # letters of a wrong value in a sentence
OVER = timedelta(minutes=5)  # the range that is shown, where nothing else is written
Place = tuple[str | int, ...]
S = TypeVar("S", bound=Struct)


class SloFileError(Exception):
    """A file that cannot be used; one sentence for each mistake, with its line."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def _wanted(sentence: str, **limits: Any) -> Meta:
    return Meta(extra={"wanted": sentence}, **limits)


# What can stand in the file: each type says in words what is wanted, each field what it is for.
Span = Annotated[str, _wanted(WANTED, pattern=PATTERN)]
Name = Annotated[
    str,
    _wanted("must be up to 100 small letters, digits, - and _, a letter first", pattern=r"^[a-z][a-z0-9_-]{0,99}$"),
]
Text = Annotated[str, _wanted("must be text")]
Title = Annotated[str, _wanted("must be text of at most 200 letters", max_length=200)]
Number = Annotated[float, _wanted("must be a number")]
Count = Annotated[int, _wanted("must be a whole number")]
Names = Annotated[list[str], _wanted("must be a list of names")]
Urgency = Annotated[Literal["page", "ticket"], _wanted("must be page or ticket")]


class _Burn(Struct, forbid_unknown_fields=True):
    budget: Annotated[Number, Meta(description="The share of the budget that is burnt in the long window, 0 to 1")]
    long: Annotated[Span, Meta(description="The long window")]
    short: Annotated[Span, Meta(description="The short window, over which it must still burn")]
    alert: Annotated[Urgency, Meta(description="A page is loud, a ticket is quiet")]


BurnRates = Annotated[list[_Burn], _wanted("must be a list of burn rates")]


class _Objective(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: Annotated[Name, Meta(description="Short and unique; people type it in the chat")]
    title: Annotated[Title, Meta(description="What messages call it; the name where it is left out")] = ""
    job: Annotated[Text, Meta(description="The Prometheus job; the file's where it is left out")] = ""
    objective: Annotated[Number, Meta(description="The share of events that is to be good, 0 to 1")]
    bad_for: Annotated[
        Span | None,
        Meta(description="Bad for less than this is a stall; 25s or three scrape intervals, the longer, if not said"),
    ] = None
    good_for: Annotated[
        Span | None,
        Meta(description="Good for so long is a recovery; 20s or two scrape intervals, the longer, if not said"),
    ] = None
    over: Annotated[
        Span | None,
        Meta(description="The range that is shown; 5m, or bad_for and good_for together where that is longer"),
    ] = None
    window: Annotated[Span, Meta(description="The span of the error budget")] = "30d"
    least: Annotated[Count, Meta(description="With fewer events than this nothing is judged")] = 5
    expires_after: Annotated[Span, Meta(description="An incident nobody feeds ends after this")] = "30m"
    remind_after: Annotated[Span, Meta(description="A reminder of an open incident is sent after this")] = "4h"
    by: Annotated[Names, Meta(description="Label names; one state for each label set")] = []
    burns: Annotated[
        BurnRates | None, Meta(description="The burn rates that are alerted on; the SRE Workbook's if left out")
    ] = None

    def source(self) -> Indicator:
        """Return what is counted."""
        raise NotImplementedError


class _Latency(_Objective, kw_only=True, tag="latency"):
    threshold: Annotated[Span, Meta(description="A request that takes longer is bad; a bucket bound of the histogram")]
    clear: Annotated[Span | None, Meta(description="A quick recovery keeps to this; a bucket bound too")] = None
    histogram: Annotated[Text, Meta(description="The histogram's name, without _bucket")]
    selector: Annotated[Text, Meta(description='Label matchers, such as endpoint!~"/metrics|/health"')] = ""
    oldest_age: Annotated[Text | None, Meta(description="A gauge: the age of the oldest unanswered request")] = None
    budget_selector: Annotated[
        Text, Meta(description="More label matchers, for the error budget alone: it leaves a drill out")
    ] = ""

    def source(self) -> Indicator:
        clear = None if self.clear is None else _span("clear", self.clear).total_seconds()
        oldest_age = None if self.oldest_age is None else self.oldest_age
        threshold = _span("threshold", self.threshold).total_seconds()
        return Latency(self.histogram, threshold, self.selector, oldest_age, clear, self.budget_selector)


class _Ratio(_Objective, kw_only=True, tag="ratio"):
    bad: Annotated[Text, Meta(description="A selector of the counter of bad events")]
    total: Annotated[Text, Meta(description="A selector of the counter of all events")]

    def source(self) -> Indicator:
        return Ratio(self.bad, self.total)


class _Up(_Objective, tag="up"):
    def source(self) -> Indicator:
        return Up()


# The next kind is one more class above, its name here, and its module in slo/objectives/kinds.
_AnyObjective = _Latency | _Ratio | _Up


class _File(Struct, kw_only=True, forbid_unknown_fields=True):
    job: Annotated[Text, Meta(description="The job in prometheus.yml")]
    scrape_interval: Annotated[Span, Meta(description="The same as in prometheus.yml")] = "5s"
    blind_for: Annotated[Span, Meta(description="Blind for so long is an incident of its own")] = "2m"
    objectives: Annotated[list[_AnyObjective], _wanted("must be a list of objectives")]


def load(path: Path) -> Objectives:
    """Return the objectives of a file.

    Raises:
        SloFileError: It cannot be read, or not every line of it can be used.
    """
    return parse(_text(path), str(path))


def parse(text: str, name: str = "slo.yml") -> Objectives:
    """Return the objectives of a text; `name` stands in front of each mistake.

    Raises:
        SloFileError: Not every line of it can be used.
    """
    root, content, repeated = _read(text, name)

    def at(place: Place, sentence: str) -> str:
        shown = ".".join(_shown(str(each)) for each in place)
        return f"{name}:{_line(root, place)}: {shown + ' ' if shown else ''}{sentence}"

    found = [(place, "stands here twice") for place in repeated]
    file = _taken(_File, content, (), found)
    if file is None:
        raise SloFileError(at(*each) for each in found)
    objectives, names = [], set()
    for number, each in enumerate(file.objectives):
        try:
            objectives.append(_objective(file, each))
        except ObjectiveError as error:
            for dotted, sentence in error.mistakes:
                field = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
                there = field if field[0] in _File.__struct_fields__ else ("objectives", number, *field)
                found.append((there, sentence))
        if each.name in names:
            found.append((("objectives", number, "name"), f"is {each.name!r}, as another objective's is"))
        names.add(each.name)
    if found:
        raise SloFileError(dict.fromkeys(at(*each) for each in found))
    try:
        return Objectives(tuple(objectives), blind_for=_blind_for(file))
    except ObjectiveError as error:
        raise SloFileError([at((error.field,), str(error))]) from error


def left_out(path: Path, objectives: Objectives) -> list[str]:
    """Return a sentence for each objective for which some of the usual burn-rate alerts can never fire."""
    found = [each for each in objectives.all if each.burns_left_out]
    places = Places(path) if found else None
    sentences = []
    for each in found:
        rates = ", ".join(
            f"{burn.factor(BURNS_WINDOW):g} over {format_span(burn.long)}" for burn in each.burns_left_out
        )
        where = places.of(each.name, "objective") if places else path
        sentences.append(f"{where}: {each.name} has not the usual burn-rate alerts that can never fire: {rates}")
    return sentences


class Places:
    """Where the fields of objectives stand in a file, as it is now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._root: yaml.Node | None = None
        self._numbers: dict[str, int] = {}
        with suppress(SloFileError, yaml_file.YamlError, LookupError, TypeError):
            self._root, content = yaml_file.read(_text(path))
            self._numbers = {each["name"]: number for number, each in enumerate(content["objectives"])}

    def of(self, objective: str, field: str) -> str:
        """Return the place of a field of an objective: `slo.yml:14`; only the file where it was changed meanwhile."""
        number = self._numbers.get(objective)
        if number is None:
            return str(self._path)
        there: Place = (field,) if field in _File.__struct_fields__ else ("objectives", number, field)
        return f"{self._path}:{_line(self._root, there)}"


def _text(path: Path) -> str:
    """Return what stands in a file.

    Raises:
        SloFileError: It cannot be read.
    """
    try:
        return text_file.read(path, longest=LONGEST)
    except text_file.TextFileError as error:
        raise SloFileError([f"{path} cannot be read: {error}"]) from error


def _read(text: str, name: str) -> tuple[yaml.Node | None, Any, list[Place]]:
    """Return the tree of a YAML text, its content, and the places of keys that stand there twice."""
    try:
        root, content = yaml_file.read(text)
    except yaml_file.YamlError as error:
        raise SloFileError([f"{name}:{error.line}: {error}"]) from error
    return root, content, list(_repeated(root))


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    return msgspec.json.schema(_File)


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
                wanted = next(each.extra["wanted"] for each in reversed(get_args(field.type)) if each.extra)
                mistakes.append((there, f"is {_shown(repr(content[name]))}; it {wanted}"))
    known = {*fields, kind.__struct_config__.tag_field or ""}
    mistakes += [((*place, key), "is not known here") for key in content if key not in known]
    return kind(**values) if len(mistakes) == known_before else None


def _item(of: str, content: Any, place: Place, mistakes: list[tuple[Place, str]]) -> Struct | None:
    """Return what one mapping in a list of them holds."""
    try:
        kind = ITEMS[of](content)
    except ValueError as error:
        mistakes.append((place, str(error)))
        return None
    return _taken(kind, content, place, mistakes)


def _kind(content: Any) -> type[_Objective]:
    kinds: dict[str, type[_Objective]] = {str(each.__struct_config__.tag): each for each in get_args(_AnyObjective)}
    *others, last = kinds
    names = f"{', '.join(others)} or {last}"
    if not isinstance(content, dict) or "kind" not in content:
        raise ValueError(f"needs a kind: {names}")
    if not isinstance(content["kind"], str) or content["kind"] not in kinds:
        raise ValueError(f"must have the kind {names}")
    return kinds[content["kind"]]


ITEMS: dict[str, Callable[[Any], type[Struct]]] = {"objectives": _kind, "burns": lambda _: _Burn}


def _shown(text: str) -> str:
    """Return a text as a sentence can show it: on one line, and no longer than people read."""
    visible = text if text.isprintable() else repr(text)[1:-1]
    return visible if len(visible) <= LONGEST_SHOWN else f"{visible[:LONGEST_SHOWN]}…"


def _required(kind: type[Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]


def _objective(file: _File, each: _Objective) -> Objective:
    scrape_interval = _span("scrape_interval", file.scrape_interval)
    bad_for = usual_bad_for(scrape_interval) if each.bad_for is None else _span("bad_for", each.bad_for)
    good_for = usual_good_for(scrape_interval) if each.good_for is None else _span("good_for", each.good_for)
    over = max(OVER, bad_for + good_for) if each.over is None else _span("over", each.over)
    objective = Objective(
        name=each.name,
        title=each.title or each.name,
        job=each.job or file.job,
        source=each.source(),
        ratio=each.objective,
        scrape_interval=scrape_interval,
        bad_for=bad_for,
        good_for=good_for,
        over=over,
        window=_span("window", each.window),
        least_events=each.least,
        expires_after=_span("expires_after", each.expires_after),
        remind_after=_span("remind_after", each.remind_after),
        by=tuple(each.by),
    )
    if each.burns is None:
        return objective.with_usual_burns
    burns = tuple(_burn(number, burn) for number, burn in enumerate(each.burns))
    return replace(objective, burns=burns)


def _span(field: str, text: str) -> timedelta:
    try:
        return parse_span(text)
    except ValueError as error:
        raise ObjectiveError(field, str(error)) from error


def _blind_for(file: _File) -> timedelta:
    blind_for = _span("blind_for", file.blind_for)
    if blind_for < LEAST_BLIND_FOR:
        raise ObjectiveError("blind_for", "must be 2s or more: it is two evaluations at least")
    return blind_for


def _burn(number: int, burn: _Burn) -> Burn:
    try:
        return Burn(burn.budget, _span("long", burn.long), _span("short", burn.short), Alert(burn.alert))
    except ObjectiveError as error:
        raise ObjectiveError(f"burns.{number}.{error.field}", str(error)) from error


def _line(root: yaml.Node | None, place: Place) -> int:
    """Return the line of the deepest part of a place that stands in the file."""
    node = root
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                return line
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line


def _repeated(node: yaml.Node | None, place: Place = ()) -> Iterator[Place]:
    """Yield the places of keys that stand twice in one mapping, which YAML would let pass."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:  # a key is a scalar: another one cannot be read
                yield (*place, key.value)
            seen.add(key.value)
            yield from _repeated(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _repeated(value, (*place, number))


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
