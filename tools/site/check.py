"""Checks the site that `make docs` has written: `python -m tools.site.check site`.

Each link within it leads to a page and to an anchor that are there, nothing is loaded from another host, and each file
of docs/ is a page or belongs to one. Links to other hosts are written to a file beside it and not followed.
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}
STYLE = re.compile(r"""(?:@import\s+|url\()\s*["']?(?:https?:)?//[^"')\s]+""")
THEME = ("assets/", "search/")  # what is not ours
MADE = {"404.html"}  # which names everything from the root of the host on


@dataclass
class Page(HTMLParser):
    """What one page names.

    Attributes:
        ids: Its anchors.
        links: Where its links lead.
        loads: What a browser loads to show it.
    """

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begin to parse."""
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the anchor, the link or the file that a tag is."""
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[each] for each in ("id", "name") if each in named}
        if tag == "a" and "href" in named:
            self.links.add(named["href"])
        if tag != "link" or LOADED_LINKS.intersection(named.get("rel", "").split()):
            self.loads |= {named[each] for each in (LOADED.get(tag),) if each in named}


def mistakes(site: Path, docs: Path, mentions: str = "") -> list[str]:
    """Return a sentence for each thing that is wrong with a site.

    Args:
        site: Where it is.
        docs: What it was made of.
        mentions: Text of other documents that may name files of docs/.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html")) if path.name not in MADE}
    found, reached = [], set()
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        found += [f"{name} loads {each}" for each in sorted(page.loads) if _is_elsewhere(each)]
        for each in sorted(page.links | page.loads):
            if _is_elsewhere(each) or urlsplit(each).scheme:
                continue
            there, anchor = _target(path, each)
            reached.add(there)
            if not there.exists():
                found.append(f"{name} links to {each}, which is not there")
            elif anchor and there in pages and anchor not in pages[there].ids:
                found.append(f"{name} links to {each}, and there is no such anchor")
    for style in sorted(site.rglob("*.css")):
        found += [f"{style.relative_to(site)} loads {each}" for each in STYLE.findall(style.read_text())]
    return found + _orphans(site, docs, reached, mentions)


def external_links(site: Path) -> dict[str, list[str]]:
    """Return each link to another host, with the pages that have it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(site.rglob("*.html")):
        for each in _read(path).links:
            if _is_elsewhere(each):
                found[each].append(path.relative_to(site).as_posix())
    return dict(sorted(found.items()))


def _orphans(site: Path, docs: Path, reached: set[Path], mentions: str) -> list[str]:
    """Return the files of docs/ that no page has and that nothing else names."""
    there = (path.relative_to(docs) for path in sorted(docs.rglob("*")) if path.is_file())
    others = [each for each in there if each.suffix not in (".md", ".ipynb")]
    return [
        f"docs/{each.as_posix()} belongs to no page"
        for each in others
        if (site / each).resolve() not in reached and f"docs/{each.as_posix()}" not in mentions
    ]


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _is_elsewhere(link: str) -> bool:
    return link.startswith(("http:", "https:", "//"))


def _target(page: Path, link: str) -> tuple[Path, str]:
    """Return the file that a link within the site leads to, and the anchor."""
    parts = urlsplit(link)
    there = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
    return (there / "index.html" if there.is_dir() else there).resolve(), unquote(parts.fragment)


def main(site: Path) -> int:
    """Print what is wrong, and write the list of the external links; return the exit status."""
    mentions = "".join(each.read_text() for each in sorted(ROOT.glob("*.md")))
    found = mistakes(site, ROOT / "docs", mentions)
    links = external_links(site)
    listed = site.parent / ".tools" / "site" / "external-links.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    listed.write_text("".join(f"{link}\t{', '.join(pages)}\n" for link, pages in links.items()))
    print("\n".join([*found, f"{len(links)} links to other hosts, not followed: {listed}"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
