"""Every field of `slo.yml`, as its schema has it; what a field is for is written by people, beside its examples."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from tools.reference.markdown import code, table
from wine_slo.config.slo_extras import DeploymentEntry, DrillEntry
from wine_slo.config.slo_schema import AnyObjectiveEntry, BurnEntry, SloFileEntry, schema
from wine_slo.slo.objectives.window import CalendarUnit
from wine_slo.slo.span import PATTERN

HEAD = ("field", "of", "type", "if left out", "such as")
KINDS = {each.__name__: each.__struct_config__.tag for each in get_args(AnyObjectiveEntry)}
OTHERS = {
    SloFileEntry.__name__: "the file",
    BurnEntry.__name__: "each of `burns`",
    DrillEntry.__name__: "`drill`",
    DeploymentEntry.__name__: "each of `deployments`",
}
TYPES = {"boolean": "`true` or `false`", "integer": "a whole number", "number": "a number", "string": "text"}
UNITS = " or ".join(code(unit) for unit in CalendarUnit)


def page() -> str:
    """Return the table of the fields."""
    where: dict[tuple[str, ...], list[str]] = {}  # by all that is said of a field
    for name, entry in schema()["$defs"].items():
        for row in _rows(entry):
            where.setdefault(row, []).append(name)
    return table(HEAD, ((field, _owner(names), *rest) for (field, *rest), names in where.items()))


def _rows(entry: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for field, value in entry["properties"].items():
        if field == "kind":
            value = {"enum": list(KINDS.values())}  # noqa: PLW2901 - that of this entry alone says less
        left_out = "must be written" if field in entry["required"] else code(_written(value.get("default")))
        yield code(field), _type(value), left_out, code(_written(next(iter(value.get("examples", ())), None)))


def _owner(names: list[str]) -> str:
    """Return what has a field that these entries of the schema have."""
    found = [OTHERS[name] for name in names if name in OTHERS]
    kinds = [KINDS[name] for name in names if name in KINDS]
    if len(kinds) == len(KINDS):
        return ", ".join([*found, "every objective"])
    return ", ".join([*found, *(code(f"kind: {kind}") for kind in kinds)])


def _written(value: Any) -> str:
    """Return a value as one would write it; nothing where there is none."""
    return "" if value in (None, "", []) else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _type(value: dict[str, Any]) -> str:
    """Return in words what a field takes."""
    match value:
        case {"$ref": _}:
            return "fields"
        case {"items": {"$ref": _}} | {"items": {"anyOf": _}}:
            return "a list of fields"
        case {"anyOf": several}:
            return " or ".join(dict.fromkeys(_type(each) for each in several if each != {"type": "null"}))
        case {"enum": words}:
            return " or ".join(code(word) for word in words)
        case {"items": _}:
            return "a list of texts"
        case {"pattern": pattern} if pattern == PATTERN:
            return "a span"
        case {"pattern": pattern} if pattern.endswith(PATTERN):
            return f"a span or {UNITS}"
    least, most = value.get("exclusiveMinimum"), value.get("exclusiveMaximum")
    return TYPES[value["type"]] + (f" between {least} and {most}" if most is not None else "")
