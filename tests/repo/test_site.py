"""The site of the documents: every page has its place in it, and the check of its links finds what is wrong."""

import re
from pathlib import Path

import pytest

from tools.site.check import external_links, mistakes
from tools.site.markdown import breakable, for_mkdocs, links_replaced

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NAVIGATION = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]


def test_every_page_has_its_place_in_the_navigation() -> None:
    named = re.findall(r": ([\w/-]+\.md)$", NAVIGATION, re.MULTILINE)
    pages = [path.relative_to(DOCS).with_suffix(".md").as_posix() for path in DOCS.rglob("*.*") if _is_page(path)]
    assert sorted(named) == sorted(pages)


@pytest.mark.parametrize(
    ("on_github", "for_the_site"),
    [
        (
            "* an item\n  goes on\n\n  ```\n  * code\n    more\n  ```\n",
            "* an item\n    goes on\n\n    ```\n    * code\n      more\n    ```\n",
        ),
        (
            "1. one\n   * two\n     three\n\n     four\n2. five\n",
            "1. one\n    * two\n        three\n\n        four\n2. five\n",
        ),
        ("a paragraph\n* an item\n* another\n", "a paragraph\n\n* an item\n* another\n"),
        ("in the year\n2026. It goes on\n", "in the year\n2026. It goes on\n"),
        ("* an item\n\nno item\n\n    code\n", "* an item\n\nno item\n\n    code\n"),
        ("* an item\n\n```\nno item\n```\n", "* an item\n\n```\nno item\n```\n"),
        ("```\na line\n* no item\n```\n", "```\na line\n* no item\n```\n"),
    ],
)
def test_mkdocs_gets_lists_as_it_reads_them(on_github: str, for_the_site: str) -> None:
    assert for_mkdocs(on_github) == for_the_site


def test_links_are_replaced_but_for_those_in_code_and_to_other_hosts() -> None:
    page = "[a](b.md#c) ![d](e.png) [f](https://g.h/i.md) [j](#k)\n```\n[l](m.md)\n```"
    replaced = "[A](../b.md#c) ![D](../e.png) [f](https://g.h/i.md) [j](#k)\n```\n[l](m.md)\n```"
    assert links_replaced(page, lambda text, target: (text.upper(), f"../{target}")) == replaced


def test_long_words_of_code_can_be_broken_at_their_joints_and_short_ones_cannot() -> None:
    name = "WINE_SLO_PROMETHEUS_PASSWORD_FILE"
    path = "tests/unit/slo/test_a.py::test_that_is_long"
    broken = "tests/<wbr>unit/<wbr>slo/<wbr>test_<wbr>a.py::<wbr>test_<wbr>that_<wbr>is_<wbr>long"
    html = f"<code>{name}</code><code>{path}</code>"
    assert breakable(html) == f"<code>{name}</code><code>{broken}</code>"


def test_the_check_finds_each_mistake_of_a_site(tmp_path: Path) -> None:
    site, docs = tmp_path / "site", tmp_path / "docs"
    (site / "sub").mkdir(parents=True)
    docs.mkdir()
    for name in ("shown.png", "lost.png", "named.png", "page.md"):
        (docs / name).write_text("")
    (site / "shown.png").write_text("")
    (site / "index.html").write_text(
        '<h1 id="top"></h1><img src="shown.png"><a href="sub/"></a><a href="sub/#there"></a><a href="sub/#not"></a>'
        '<a href="no.html"></a><a href="https://a.example/b"></a><script src="//c.example/d.js"></script>'
        '<link rel="canonical" href="https://e.example/"><link rel="stylesheet" href="https://f.example/g.css">'
    )
    (site / "sub" / "index.html").write_text('<p id="there"></p><a href="../#top"></a>')
    (site / "style.css").write_text("@import url(https://h.example/i.css); a { background: url(j.png) }")
    assert mistakes(site, docs, "docs/named.png") == [
        "index.html loads //c.example/d.js",
        "index.html loads https://f.example/g.css",
        "index.html links to no.html, which is not there",
        "index.html links to sub/#not, and there is no such anchor",
        "style.css loads url(https://h.example/i.css",
        "docs/lost.png belongs to no page",
    ]
    assert external_links(site) == {"https://a.example/b": ["index.html"]}


def _is_page(path: Path) -> bool:
    return path.suffix in (".md", ".ipynb")
