"""A written `slo.yml` holds what was given, and its comments are comments."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.config import slo_file
from wine_slo.config.files import yaml_file
from wine_slo.monitor.onboarding.slo_writer import Section, write

UP = {"name": "availability", "kind": "up", "objective": 0.99}
texts = st.text(max_size=40)
values = st.one_of(
    texts, st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.none(), st.lists(texts)
)


def test_a_file_reads_as_a_person_would_write_it() -> None:
    head = Section({"job": "api"}, ["Written for somebody.", "A second paragraph."], {"job": "every 15 s"})
    left_out = Section(above=["latency (old.yml:7) is left out: it has no threshold"])
    entry = Section({"name": "errors", "bad": ["a_total", 'b_total{code="5xx"}']}, ["errors (old.yml:3)"])
    assert write(head, [entry, left_out]) == (
        "# Written for somebody.\n"
        "# A second paragraph.\n"
        "job: api  # every 15 s\n"
        "\n"
        "objectives:\n"
        "  # errors (old.yml:3)\n"
        "  - name: errors\n"
        "    bad:\n"
        "    - a_total\n"
        '    - b_total{code="5xx"}\n'
        "\n"
        "  # latency (old.yml:7) is left out: it has no threshold\n"
    )


def test_a_written_file_loads() -> None:
    text = write(Section({"job": "api"}), [Section(UP, ["said: # \u2028 twice", "x" * 300 + " y" * 200])])
    assert list(slo_file.parse(text).objectives().by_name) == ["availability"]


@given(st.dictionaries(texts, values, min_size=1), st.dictionaries(texts, values), texts, texts)
def test_any_field_is_read_as_it_was_given(
    first: dict[str, Any], second: dict[str, Any], comment: str, aside: str
) -> None:
    sections = [Section(each, [comment], dict.fromkeys(each, aside)) for each in (first, second)]
    _, content = yaml_file.read(write(sections[0], sections))
    assert content == {**first, "objectives": [each for each in (first, second) if each]}


@pytest.mark.parametrize(
    "text", ["on", "5m", "1e3", "x: y", "# x", "up == 1", 'a{b="c"}', "null", "2021-01-01", "a\nb"]
)
def test_a_text_that_yaml_reads_otherwise_stays_a_text(text: str) -> None:
    _, content = yaml_file.read(write(Section({"title": text}), [Section(UP)]))
    assert content["title"] == text
