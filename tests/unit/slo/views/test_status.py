"""What machines can rely on in `/api/status`."""

import json
from inspect import cleandoc
from pathlib import Path

import msgspec

from wine_slo.slo.views.status_schema import Status

SCHEMA = Path(__file__).parents[4] / "docs" / "reference" / "status.schema.json"


def test_the_schema_that_is_written_down_is_the_answers() -> None:
    schema = msgspec.json.schema(Status)
    for each in schema["$defs"].values():
        if "description" in each:
            each["description"] = cleandoc(each["description"])  # since Python 3.13 a docstring has no indent
    made = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    if not SCHEMA.exists():
        SCHEMA.write_text(made)
    assert SCHEMA.read_text() == made, f"names are kept; delete {SCHEMA} to write it anew where they must change"


def test_every_number_has_its_unit_in_its_name() -> None:
    units = ("_seconds", "_ratio", "_rate", "_events", "_per_second", "_quantile", "seconds_since_look")
    counts = {"number", "incident", "openings", "targets", "targets_started", "more_values", "open_incidents_total"}
    counts |= {"total", "matching", "page", "pages", "per_page", "epoch", "pid"}
    for name, made in json.loads(SCHEMA.read_text())["$defs"].items():
        for field, kind in made.get("properties", {}).items():
            kinds = {each.get("type") for each in (kind, *kind.get("anyOf", ()))}
            if kinds & {"number", "integer"} and field not in counts:
                assert field.endswith(units), f"{name}.{field}"
