"""`slo.yml`, the page on which people write what is promised; every mistake is told with its line.

The model below is also the JSON schema for editors: `python -m wine_slo.slo_file > slo.schema.json`.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema

from wine_slo.domain.objective import (
    BURNS,
    Alert,
    Burn,
    Latency,
    Objective,
    ObjectiveError,
    Objectives,
    Ratio,
    Source,
    Up,
)

SPAN = r"^(\d+(ms|[smhdw]))+$"
UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
SENTENCES = {
    "extra_forbidden": "is not known here",
    "missing": "is missing",
    "model_type": "must be a mapping with job and objectives",
    "union_tag_not_found": "needs a kind: latency, ratio or up",
    "union_tag_invalid": "must have the kind latency, ratio or up",
    "string_pattern_mismatch": "must be small letters, digits, - and _, a letter first",
}

Place = tuple[str | int, ...]


class SloFileError(Exception):
    """A file that cannot be used; one sentence for each mistake, with its line."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def span(text: object) -> timedelta:
    """A span as Prometheus writes it: `25s`, `1h30m`, `30d`."""
    if not isinstance(text, str) or not re.match(SPAN, text):
        raise ValueError("must be a span such as 25s, 5m or 30d")
    parts = re.findall(r"(\d+)(ms|[smhdw])", text)
    try:
        return sum((int(count) * UNITS[unit] for count, unit in parts), timedelta(0))
    except OverflowError as error:
        raise ValueError("must be a span that somebody lives to see") from error


Span = Annotated[timedelta, BeforeValidator(span), WithJsonSchema({"type": "string", "pattern": SPAN})]


class _Burn(BaseModel):
    model_config = ConfigDict(extra="forbid", title="A pace of burning the budget")

    budget: float = Field(description="The share of the budget that is burnt in the long window, 0 to 1")
    long: Span = Field(description="The long window")
    short: Span = Field(description="The short window, over which it must still burn")
    alert: Literal["page", "ticket"] = Field(description="A page is loud, a ticket is quiet")


class _Objective(BaseModel):
    model_config = ConfigDict(extra="forbid", title="Objective")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="Short and unique; people type it in the chat")
    title: str = Field(default="", description="What messages call it; the name where it is left out")
    job: str = Field(default="", description="The Prometheus job; the file's where it is left out")
    objective: float = Field(description="The share of events that is promised to be good, 0 to 1")
    bad_for: Span = Field(default=timedelta(seconds=25), description="Bad for less than this is a stall")
    good_for: Span = Field(default=timedelta(seconds=20), description="Good for so long is a recovery")
    over: Span = Field(default=timedelta(minutes=5), description="The range that is shown")
    window: Span = Field(default=timedelta(days=30), description="The span of the error budget")
    least: int = Field(default=5, description="With fewer events than this nothing is judged")
    expires_after: Span = Field(default=timedelta(minutes=30), description="An incident nobody feeds ends after this")
    remind_after: Span = Field(default=timedelta(hours=4), description="An open incident is told again after this")
    by: list[str] = Field(default=[], description="Label names; one state for each label set")
    burns: list[_Burn] | None = Field(
        default=None, description="The paces that are told; the SRE Workbook's if not said"
    )

    def source(self) -> Source:
        """What is counted."""
        raise NotImplementedError


class _Latency(_Objective):
    kind: Literal["latency"]
    threshold: Span = Field(description="A request that takes longer is bad; a bucket bound of the histogram")
    clear: Span | None = Field(default=None, description="A quick recovery keeps to this; a bucket bound too")
    histogram: str = Field(description="The histogram's name, without _bucket")
    selector: str = Field(default="", description='Label matchers, such as endpoint!~"/metrics|/health"')
    oldest_age: str | None = Field(default=None, description="A gauge: the age of the oldest unanswered request")

    def source(self) -> Source:
        clear = None if self.clear is None else self.clear.total_seconds()
        return Latency(self.histogram, self.threshold.total_seconds(), self.selector, self.oldest_age, clear)


class _Ratio(_Objective):
    kind: Literal["ratio"]
    bad: str = Field(description="A selector of the counter of bad events")
    total: str = Field(description="A selector of the counter of all events")

    def source(self) -> Source:
        return Ratio(self.bad, self.total)


class _Up(_Objective):
    kind: Literal["up"]

    def source(self) -> Source:
        return Up()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", title="What a service promises")

    job: str = Field(description="The job in prometheus.yml")
    scrape_interval: Span = Field(default=timedelta(seconds=5), description="The same as in prometheus.yml")
    blind_for: Span = Field(default=timedelta(minutes=2), description="Blind for so long is an incident of its own")
    objectives: list[Annotated[_Latency | _Ratio | _Up, Field(discriminator="kind")]]


def load(path: Path) -> Objectives:
    """Return what a file promises.

    Raises:
        SloFileError: It cannot be read, or not every line of it can be used.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SloFileError([f"{path} cannot be read: {reason}"]) from error
    return parse(text, str(path))


def parse(text: str, name: str = "slo.yml") -> Objectives:
    """Return what a text promises; `name` stands in front of each mistake.

    Raises:
        SloFileError: Not every line of it can be used.
    """
    root, content, repeated = _read(text, name)

    def at(place: Place, sentence: str) -> str:
        shown = ".".join(str(each) for each in place)
        return f"{name}:{_line(root, place)}: {shown + ' ' if shown else ''}{sentence}"

    mistakes = [at(place, "stands here twice") for place in repeated]
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        mistakes += [at(*_mistake(each)) for each in error.errors()]
        raise SloFileError(mistakes) from error
    objectives = []
    seen: set[str] = set()
    for number, each in enumerate(file.objectives):
        try:
            objectives.append(_objective(file, each))
        except ObjectiveError as error:
            field = tuple(int(part) if part.isdigit() else part for part in error.field.split("."))
            place = field if field[0] in _File.model_fields else ("objectives", number, *field)
            mistakes.append(at(place, str(error)))
        if each.name in seen:
            mistakes.append(at(("objectives", number, "name"), f"is {each.name!r}, as another objective's is"))
        seen.add(each.name)
    if mistakes:
        raise SloFileError(dict.fromkeys(mistakes))
    try:
        return Objectives(tuple(objectives), blind_for=file.blind_for)
    except ObjectiveError as error:
        raise SloFileError([at((error.field,), str(error))]) from error


def place(path: Path, objective: str, field: str) -> str:
    """Return where a field of an objective stands: `slo.yml:14`."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    objectives = yaml.safe_load(path.read_text(encoding="utf-8"))["objectives"]
    number = next(number for number, each in enumerate(objectives) if each["name"] == objective)
    return f"{path}:{_line(root, ('objectives', number, field))}"


def _read(text: str, name: str) -> tuple[yaml.Node | None, Any, list[Place]]:
    """The tree of a YAML text, its content, and the places of keys that stand there twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return root, yaml.safe_load(text), list(_repeated(root))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SloFileError([f"{name}:{line}: is no YAML: {error.problem}"]) from error
    except (yaml.YAMLError, ValueError) as error:  # a character or a date that cannot be; it has no mark
        raise SloFileError([f"{name}:1: is no YAML: {str(error).splitlines()[0]}"]) from error
    except RecursionError as error:
        raise SloFileError([f"{name}:1: something in it holds itself"]) from error


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    return TypeAdapter(_File).json_schema()


def _objective(file: _File, each: _Latency | _Ratio | _Up) -> Objective:
    objective = Objective(
        name=each.name,
        title=each.title or each.name,
        job=each.job or file.job,
        source=each.source(),
        ratio=each.objective,
        scrape_interval=file.scrape_interval,
        bad_for=each.bad_for,
        good_for=each.good_for,
        over=each.over,
        window=each.window,
        least_events=each.least,
        expires_after=each.expires_after,
        remind_after=each.remind_after,
        by=tuple(each.by),
    )
    if each.burns is None:
        # The usual paces, but for those that a modest objective can never burn at.
        return replace(objective, burns=tuple(burn for burn in BURNS if objective.can_fire(burn)))
    burns = tuple(_burn(number, burn) for number, burn in enumerate(each.burns))
    return replace(objective, burns=burns)


def _burn(number: int, burn: _Burn) -> Burn:
    try:
        return Burn(burn.budget, burn.long, burn.short, Alert(burn.alert))
    except ObjectiveError as error:
        raise ObjectiveError(f"burns.{number}.{error.field}", str(error)) from error


def _mistake(mistake: Any) -> tuple[Place, str]:
    # A discriminated union puts its tag into the place, where the file has none.
    place = tuple(
        part
        for number, part in enumerate(mistake["loc"])
        if not (number == 2 and mistake["loc"][0] == "objectives" and part in ("latency", "ratio", "up"))
    )
    sentence = SENTENCES.get(mistake["type"])
    if sentence is None:
        message = mistake["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("should ")
        wanted = message if message.startswith("must ") else f"must {message[0].lower()}{message[1:]}"
        sentence = f"is {mistake['input']!r}; it {wanted}"
    return place, sentence


def _line(root: yaml.Node | None, place: Place) -> int:
    """The line of the deepest part of a place that stands in the file."""
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
    """The places of keys that stand twice in one mapping, which YAML would let pass."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield (*place, key.value)
            seen.add(key.value)
            yield from _repeated(value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _repeated(value, (*place, number))


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
