"""What `mkdocs build` does beyond its own: the notebook as a page, and links that lead out of docs/.

A link must work in the repository and on the site. So what lies outside docs/ is linked at the repository's address,
and the notebook, which a repository shows by itself, is a page of the site.
"""

import logging
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any

from mkdocs.structure.files import File
from nbconvert import MarkdownExporter

from tools.site.markdown import breakable, for_mkdocs, links_replaced, title_of

ROOT = Path(__file__).parents[2]
NOTEBOOK = "walkthrough"
MERMAID = "assets/mermaid.min.js"
ASSETS = ROOT / "tools" / "site" / "assets"
BRANCH = "main"
ANSI = re.compile(r"\x1b\[[0-9;]*m")

log = logging.getLogger("mkdocs.hooks.site")  # whose warnings are errors, as the build is strict


def on_files(files: Any, config: Any) -> Any:
    """Add the notebook as a page with its pictures, and what the theme loads."""
    notebook = Path(config.docs_dir) / f"{NOTEBOOK}.ipynb"
    if notebook.exists():
        folder = f"{NOTEBOOK}_files"
        body, resources = MarkdownExporter().from_filename(
            str(notebook), resources={"unique_key": NOTEBOOK, "output_files_dir": folder}
        )
        files.append(File.generated(config, f"{NOTEBOOK}.md", content=ANSI.sub("", body)))
        for name, content in resources.get("outputs", {}).items():
            files.append(File.generated(config, name, content=content))
    for asset in sorted(ASSETS.iterdir()):
        files.append(File.generated(config, f"assets/{asset.name}", abs_src_path=str(asset)))
    files.append(File.generated(config, MERMAID, abs_src_path=str(ROOT / ".tools" / "site" / "mermaid.min.js")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Return the page as mkdocs reads it; one that it links by the name of its file is called by its title."""
    folder = PurePosixPath(page.file.src_uri).parent

    def replaced(text: str, target: str) -> tuple[str, str]:
        there = PurePosixPath(normpath(str(PurePosixPath("docs") / folder / target)))
        if target.endswith(".ipynb"):
            return text, f"{target.removesuffix('ipynb')}md"
        if there.is_relative_to("docs"):
            linked = files.get_file_from_path(str(there.relative_to("docs")))
            is_called_by_file = linked is not None and text == there.name and linked.is_documentation_page()
            return title_of(linked.content_string) if is_called_by_file else text, target
        if not (ROOT / there).exists():
            log.warning("%s links to %s, which is not in the repository", page.file.src_uri, target)
        kind = "tree" if (ROOT / there).is_dir() else "blob"
        return text, f"{config.repo_url.rstrip('/')}/{kind}/{BRANCH}/{there}"

    return links_replaced(for_mkdocs(markdown), replaced)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001 - mkdocs names them
    """Return the page so that a table is no wider than it must be."""
    return breakable(html)
