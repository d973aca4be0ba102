"""Pages for browsers: one template engine, one content security policy and one handler of static files."""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aiohttp import web

SHARED = Path(__file__).parent / "static"  # what the pages of both products load
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Everything comes from here, nothing is inline, and nobody may frame it.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
PASSIVE = f"{POLICY}; form-action 'none'"
SEARCHABLE = f"{POLICY}; form-action 'self'"
INTERACTIVE = f"{POLICY}; form-action 'self'; script-src 'self'; connect-src 'self'"
HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
FILE_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}


class Template(Protocol):
    """The text of a page with holes."""

    def render(self, **content: Any) -> str:
        """Return the page with this in its holes."""
        ...


def template(folder: Path, name: str) -> Template:
    """Return a template of a folder; whatever it is filled with is escaped."""
    import jinja2  # noqa: PLC0415  # 2 MB, which a process of which nobody requests a page need not have

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)


def page(
    text: str, status: int = 200, *, interactive: bool = False, has_form: bool = False, vary: str = ""
) -> web.Response:
    """Return a page that loads nothing from elsewhere.

    Args:
        text: the page as HTML.
        status: of the response.
        interactive: whether it has scripts and forms.
        has_form: whether it has a form, though no script.
        vary: the request's headers on which it depends.
    """
    policy = INTERACTIVE if interactive else SEARCHABLE if has_form else PASSIVE
    headers = HEADERS | {"Content-Security-Policy": policy}
    if vary:
        headers["Vary"] = vary
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


class _File(NamedTuple):
    content: bytes
    content_type: str


class StaticFiles:
    """Styles, scripts and pictures, read once; no other name ever meets the disk.

    Args:
        folders: hold the files; those of a later folder win.
    """

    def __init__(self, *folders: Path) -> None:
        self._files = {
            path.name: _File(path.read_bytes(), CONTENT_TYPES[path.suffix])
            for folder in folders
            for path in folder.iterdir()
            if path.suffix in CONTENT_TYPES
        }

    async def send(self, request: web.Request) -> web.Response:
        """Return the style, the script or the picture that `{file}` of the route names.

        Raises:
            web.HTTPNotFound: There is none.
        """
        file = self._files.get(request.match_info["file"])
        if file is None:
            raise web.HTTPNotFound(text="there is no such file")
        return web.Response(body=file.content, content_type=file.content_type, charset="utf-8", headers=FILE_HEADERS)
