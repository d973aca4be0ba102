"""The form of the service: empty, with a result, with mistakes, and on a phone in the dark."""

import re
from pathlib import Path

from playwright.async_api import Page

from tests.support.real.processes import Processes
from tests.support.real.prometheus import free_port
from tools.pictures.images import PHONE, ROOT, SHARP, browsing, take

MODEL = ROOT / "models" / "model.pkl"


async def draw(folder: Path) -> None:
    """Draw all of them."""
    processes, port = Processes(folder), free_port()
    try:
        server = await processes.server({"WINE_SLO_PORT": str(port), "WINE_SLO_MODEL": str(MODEL)})
        await server.until_line("listening on")
        url = f"http://127.0.0.1:{port}/ui"
        async with browsing() as browser:
            page = await browser.new_page(locale="en-GB")
            await page.goto(url)
            await take(page, "form")
            await page.get_by_role("link", name="Barolo").click()
            await _classify(page)
            await take(page, "result")
            await page.goto(f"{url}?example=Barolo")
            await page.get_by_label("Alcohol").fill("1,060")
            await page.get_by_label("Magnesium").fill("")
            await _classify(page)
            await take(page, "error")
            dark = await browser.new_page(
                viewport=PHONE, color_scheme="dark", locale="ru-RU", device_scale_factor=SHARP
            )
            await dark.goto(f"{url}?example=Barbera")
            await dark.get_by_label("Спирт").fill("20")
            await _classify(dark)
            await take(dark, "phone-dark")
    finally:
        await processes.end()


async def _classify(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("^(Classify|Определить)$")).click()
    await page.locator(".outcome").wait_for()
