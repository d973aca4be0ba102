"""The real browser: pages that may request nothing of anyone but their own server, and must be usable by everyone."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright

PHONE = {"width": 390, "height": 844}

Open = Callable[..., Awaitable[Page]]


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path, "no chromium on PATH; `make test` gets one"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])  # root has none
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, address: str) -> AsyncIterator[Open]:
    """Open pages; whatever they request of anyone but the server, or complain of, fails the test."""
    complaints: list[str] = []

    async def visit(path: str, **settings: Any) -> Page:
        context = await browser.new_context(**{"locale": "en-GB", **settings})
        page = await context.new_page()
        page.on("request", lambda it: None if it.url.startswith(address) else complaints.append(it.url))
        page.on("console", lambda it: complaints.append(it.text) if "422" not in it.text else None)
        page.on("pageerror", lambda it: complaints.append(str(it)))
        await page.goto(address + path)
        return page

    yield visit
    assert complaints == []


async def is_accessible(page: Page, *, but: tuple[str, ...] = ()) -> None:
    """Run axe-core; `but` names rules that are broken on purpose."""
    found = await Axe().run(page, options={"rules": {rule: {"enabled": False} for rule in but}})
    assert found.violations_count == 0, found.generate_report()
