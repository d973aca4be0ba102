"""The reference of `slo.yml` names every field, and its examples are files that can be used."""

import re
from pathlib import Path

import pytest

from wine_slo.config.slo_file import parse
from wine_slo.config.slo_schema import schema

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "slo-file.md").read_text()
EXAMPLES = [
    each
    for each in re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    if not each.startswith(("include:", "repos:"))  # several files, and a hook
]


def test_every_field_is_in_the_reference() -> None:
    fields = {field for entry in schema()["$defs"].values() for field in entry.get("properties", {})}
    assert fields - {*re.findall(r"`([a-z_]+)`", REFERENCE)} == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used(example: str) -> None:
    assert parse(example).objectives().all
