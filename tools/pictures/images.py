"""Where the pictures are kept, small enough for a page that is read on a phone; and the browser that takes them."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
FONTS = ROOT / ".tools" / "share"  # where `make` puts them; the browser finds them in `fonts` of that
LARGEST = 400_000  # bytes of one picture
COLOURS = 256
PHONE = ViewportSize(width=390, height=844)
SHARP = 2  # pixels of the picture for one of the page, where it is shown as small as it is


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Run the browser, with the fonts that `make` got."""
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("no chromium on PATH; `make .tools/bin/chromium` gets one")
    async with async_playwright() as playwright:
        environment: dict[str, str | float | bool] = {**os.environ, "XDG_DATA_HOME": str(FONTS)}
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], env=environment)
        yield browser
        await browser.close()


async def take(page: Page, name: str) -> None:
    """Keep a picture of a whole page."""
    keep(await page.screenshot(full_page=True, animations="disabled"), name)


def keep(png: bytes, name: str) -> None:
    """Keep a picture with as many colours as its format needs least bytes for.

    Raises:
        SystemExit: It is too large all the same.
    """
    picture = Image.open(BytesIO(png)).convert("RGB")
    few = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small = BytesIO()
    few.save(small, format="png", optimize=True)
    if len(small.getvalue()) > LARGEST:
        raise SystemExit(f"{name}.png has {len(small.getvalue())} bytes; wanted: at most {LARGEST}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.png").write_bytes(small.getvalue())
    print(f"  {name}.png  {picture.width} x {picture.height}, {len(small.getvalue()) // 1000} kB", flush=True)
