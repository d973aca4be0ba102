"""What the documents name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
MADE_BY_WHO_READS = {"docker-compose.override.yml"}
FILE = re.compile(r"`([\w.-][\w./-]*\.(?:py|yml|sh|json|html|po|md|toml))`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
ANCHOR = re.compile(r"\]\((?!https?:)([^)#]*)#([^)]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LEFT_BY_A_MERGE = re.compile(r"^(<{7}|>{7}|={7}$|\|{7})", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = {*FILE.findall(text), *LINK.findall(text)} - MADE_BY_WHO_READS
    places = (document.parent, ROOT, ROOT / "wine_slo", ROOT / "config")
    assert [each for each in sorted(named) if not any((place / each).exists() for place in places)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_every_heading_that_a_document_links_to_exists(document: Path) -> None:
    links = ANCHOR.findall(BLOCK.sub("", document.read_text()))
    pages = {page: (document.parent / page).resolve() if page else document for page, _ in links}
    assert [f"{page}#{each}" for page, each in links if each not in _anchors(pages[page])] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=[each.name for each in DOCUMENTS])
def test_no_document_has_both_sides_of_a_merge(document: Path) -> None:
    assert LEFT_BY_A_MERGE.findall(document.read_text()) == []


@pytest.mark.parametrize(("kind", "most"), [("png", 400_000), ("svg", 300_000)])
def test_no_picture_is_too_large_for_a_phone(kind: str, most: int) -> None:
    sizes = {each.name: each.stat().st_size for each in (ROOT / "docs" / "images").glob(f"*.{kind}")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > most} == {}


def _anchors(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    text = BLOCK.sub("", page.read_text())
    titles = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each) for each in HEADING.findall(text)]
    made = {re.sub(r"[^\w\- ]", "", each.lower().strip()).replace(" ", "-") for each in titles}
    return {*made, *re.findall(r'<a id="([^"]+)"', text)}
