"""`slo.schema.json`, by which editors and CI check files: it takes what the program takes; its examples are right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from wine_slo.config.files import slo_examples, yaml_file
from wine_slo.config.slo_file import SloFileError, parse

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "slo.schema.json").read_text())
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
GOOD = {
    "the shipped file": (ROOT / "config" / "slo.yml").read_text(),
    "every kind": yaml_file.write({"job": "api", "objectives": [*slo_examples.KINDS.values()]}),
    "files alone": "include: [teams/*.yml]\n",
    "anchors": "x-usual: &usual {objective: 0.9}\njob: a\nobjectives: [{<<: *usual, name: a, kind: up}]\n",
    "a calendar": "job: a\ntime_zone: Asia/Tokyo\nobjectives: [{name: a, kind: up, objective: 0.9, window: week}]\n",
}
OBJECTIVE = "{name: a, kind: up, objective: 0.9}"
BAD = {
    "nothing": "job: api\n",
    "an unknown field of the file": f"jbo: api\njob: a\nobjectives: [{OBJECTIVE}]\n",
    "an unknown field of an objective": "job: a\nobjectives: [{name: a, kind: up, objective: 0.9, threshold: 1s}]\n",
    "an unknown kind": "job: a\nobjectives: [{name: a, kind: upp, objective: 0.9}]\n",
    "a percentage": "job: a\nobjectives: [{name: a, kind: up, objective: 99.9}]\n",
    "a span without a unit": f"job: a\nscrape_interval: 5\nobjectives: [{OBJECTIVE}]\n",
    "a span that is none": f"job: a\nscrape_interval: 5 s\nobjectives: [{OBJECTIVE}]\n",
    "a window that is none": "job: a\nobjectives: [{name: a, kind: up, objective: 0.9, window: year}]\n",
    "a name that nobody types": "job: a\nobjectives: [{name: A B, kind: up, objective: 0.9}]\n",
    "a latency without a histogram": "job: a\nobjectives: [{name: a, kind: latency, objective: 0.9, threshold: 1s}]\n",
    "a burn rate without an alert": f"job: a\nobjectives: [{OBJECTIVE[:-1]}, burns: [{{budget: 0.1, long: 1d}}]}}]\n",
    "labels that are no list": f"job: a\nobjectives: [{OBJECTIVE[:-1]}, by: handler}}]\n",
}


def errors(text: str) -> list[jsonschema_rs.ValidationError]:
    return list(VALIDATOR.iter_errors(yaml_file.read(text)[1]))


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_good_file_is_good_to_an_editor(text: str) -> None:
    assert errors(text) == []


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_file_is_bad_to_an_editor_and_to_the_program(text: str) -> None:
    assert errors(text)
    with pytest.raises(SloFileError):
        parse(text)


@pytest.mark.parametrize("name", SCHEMA["$defs"])
def test_no_mapping_of_the_file_takes_a_field_that_is_not_known(name: str) -> None:
    assert SCHEMA["$defs"][name]["additionalProperties"] is False


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, each in SCHEMA["$defs"].items():
        yield from ((kind, name, field) for name, field in each["properties"].items() if name != "kind")


@pytest.mark.parametrize(("kind", "name", "field"), [pytest.param(*each, id=".".join(each[:2])) for each in fields()])
def test_each_field_has_a_description_and_examples_that_its_own_schema_takes(
    kind: str, name: str, field: dict[str, Any]
) -> None:
    assert field["examples"], f"{name} of {kind} has none in wine_slo/config/files/slo_examples.py"
    validator = jsonschema_rs.Draft202012Validator({"$defs": SCHEMA["$defs"], **field})
    for each in field["examples"]:
        validator.validate(each)
    assert "description" in field or name == "objectives"


@pytest.mark.parametrize("kind", slo_examples.KINDS)
def test_the_example_of_each_kind_is_an_objective(kind: str) -> None:
    file = parse(yaml_file.write({"job": "api", "objectives": [slo_examples.KINDS[kind]]}))
    (objective,) = file.objectives().all
    assert objective.source.kind == kind


def test_no_example_is_of_a_field_that_there_is_not() -> None:
    assert set(slo_examples.FIELDS) <= {name for _, name, _ in fields()}
