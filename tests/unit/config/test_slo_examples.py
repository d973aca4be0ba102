"""Each example on the page of objectives by example is a file that can be used."""

import re
from pathlib import Path

import pytest

from wine_slo.config.slo_file import parse

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "objectives.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_used(example: str) -> None:
    assert parse(example).objectives().all


def test_examples_can_be_joined_in_one_file_as_their_names_differ() -> None:
    names = [each.name for example in EXAMPLES for each in parse(example).objectives().all]
    assert sorted({*names}) == sorted(names)
