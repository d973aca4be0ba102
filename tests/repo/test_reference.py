"""The pages of the reference are what the code gives."""

import difflib

import pytest

from tools import marked
from tools.reference.pages import PARTS, ROOT, Part


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.name} in {part.path.name}")
def test_a_page_reads_as_the_code_says(part: Part) -> None:
    text = part.path.read_text(encoding="utf-8")
    wanted = part.put_into(text)
    page = str(part.path.relative_to(ROOT))
    differences = difflib.unified_diff(text.splitlines(), wanted.splitlines(), page, "the code", n=0, lineterm="")
    assert text == wanted, "\n".join(["`make reference` writes it anew", *differences])


def test_a_part_is_put_between_its_marks() -> None:
    assert marked.put("a\n<b>\nold\n<e>\nc\n", "<b>", "<e>", "new") == "a\n<b>\nnew\n<e>\nc\n"


@pytest.mark.parametrize("text", ["", "<b>\n", "<e>\n<b>\n", "<b>\n<e>\n<b>\n<e>\n"])
def test_a_page_without_one_pair_of_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not one pair of <b> and <e>"):
        marked.put(text, "<b>", "<e>", "new")
