"""Draws pictures of the dashboards into docs/images: the real numbers of a short bad day, by Grafana's own components.

Not by Grafana: its page, its variables, its timelines and its heatmaps are not to be had as components. Run it with
`make dashboard-preview`; it takes some minutes and half a gigabyte, and no test needs it.
"""

import asyncio
import math
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, async_playwright

from tests.repo.dashboards.conftest import PAGES, Act, requesting, scraping
from tests.repo.dashboards.grafana import FOLDER, Json, annotations, load_all, panels
from tests.repo.dashboards.test_against_prometheus import Grafana
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from tests.system.conftest import ROOT, fast_objectives

BUILT = FOLDER.parent / ".tools" / "preview"  # where `make` puts what it built of preview.jsx
IMAGES = FOLDER.parent / "docs" / "images"
WELL, SICK, WELL_AGAIN = 60, 35, 45  # seconds of the day
WIDTH = 1520  # pixels
PAGE, HTML = "http://preview.invalid/", '<!doctype html><meta charset="utf-8"><div id="root"></div>'


async def day(folder: Path) -> tuple[Prometheus, Processes, Act]:
    """Live through a day in which the service is slow and fails for a while."""
    (folder / "slo.yml").write_text(fast_objectives())
    processes, ports = Processes(folder), {"wine-slo": free_port(), "watchdog": free_port()}
    model = {"WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl"), "WINE_SLO_PORT": str(ports["wine-slo"])}
    prometheus = Prometheus(folder / "prometheus", scraping(ports))
    await (await processes.server(model)).until_line("listening on", seconds=30)
    await prometheus.start()
    settings = {"WINE_SLO_PROMETHEUS_URL": prometheus.url, "WINE_SLO_WATCHDOG_PORT": str(ports["watchdog"])}
    await processes.watchdog(settings | {"WINE_SLO_POLL_SECONDS": "2"})
    start = time.time()
    async with requesting(ports["wine-slo"], *PAGES):
        await asyncio.sleep(WELL)
        async with requesting(ports["wine-slo"], "/sleep?seconds=1.3", "/fail?status=503"):
            await asyncio.sleep(SICK)
        await asyncio.sleep(WELL_AGAIN)
    return prometheus, processes, Act(start + 10, time.time())


async def numbers(grafana: Grafana, dashboard: Json, act: Act) -> dict[str, Any]:
    """Return what every panel shows, and when it was bad."""
    view = grafana.view(act)
    await grafana.learn(view, dashboard)
    answers = {
        panel["id"]: {
            target["refId"]: [
                {"labels": line.labels, "points": [each for each in line.points if math.isfinite(each[1])]}
                for line in await grafana.draw(view, dashboard, panel, target)
            ]
            for target in panel["targets"]
        }
        for panel in panels(dashboard)
    }
    drawn = await grafana.annotate(view, dashboard, annotations(dashboard)[0])
    breaches = [[line.points[0][0] * 1000, line.points[-1][0] * 1000] for line in drawn]
    return {"answers": answers, "breaches": breaches, "from": act.start * 1000, "to": act.end * 1000}


async def picture(browser: Browser, name: str, dashboard: Json, content: dict[str, Any]) -> None:
    """Save the picture of one dashboard."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.on("pageerror", lambda error: print(name, error))
    await page.route(PAGE, lambda route: route.fulfill(body=HTML, content_type="text/html"))
    await page.goto(PAGE)  # a page with an origin, without which there is no localStorage
    await page.evaluate("it => { window.preview = it }", {"dashboard": dashboard, **content})
    await page.add_style_tag(path=BUILT / "preview.css")
    await page.add_script_tag(path=BUILT / "preview.js")
    await page.wait_for_timeout(2000)
    await page.screenshot(path=IMAGES / f"dashboard-{name}.png", full_page=True)


async def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as folder:
        prometheus, processes, act = await day(Path(folder))
        try:
            async with aiohttp.ClientSession(prometheus.url) as session, async_playwright() as playwright:
                path = shutil.which("chromium")
                browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                for name, dashboard in load_all().items():
                    content = await numbers(Grafana(session), dashboard, act)
                    await picture(browser, name, dashboard, content)
                await browser.close()
        finally:
            await prometheus.kill()
            await processes.end()


asyncio.run(main())
