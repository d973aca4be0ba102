"""Makes the pictures of the dashboards in docs/images: the real numbers of a bad day, by Grafana's own components.

Not by Grafana: its page, its variables, its timelines and its heatmaps are not to be had as components. Run it with
`make dashboard-preview`; it takes some minutes and half a gigabyte, and no test needs it.
"""

import asyncio
import math
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser

from tests.repo.dashboards.conftest import Act, requesting, scraping
from tests.repo.dashboards.grafana import FOLDER, Json, annotations, load_all, panels
from tests.repo.dashboards.test_against_prometheus import Grafana
from tests.support.fakes.bot_api import BotApi
from tests.support.real.processes import Processes
from tests.support.real.prometheus import Prometheus, free_port
from tests.system.conftest import CHAT, ROOT, fast_objectives
from tools.pictures.images import browsing, take
from tools.pictures.traffic import usual_traffic

BUILT = FOLDER.parent / ".tools" / "preview"  # where `make` puts what it built of preview.jsx
WELL, SICK, WELL_AGAIN = 60, 35, 45  # seconds of the day
TICK, MIDDLE = 30, 15  # seconds between two labels of a graph
WIDTH = 1520  # pixels
PAGE, HTML = "http://preview.invalid/", '<!doctype html><meta charset="utf-8"><div id="root"></div>'


async def day(folder: Path, api: BotApi) -> tuple[Prometheus, Processes, Act]:
    """Live through a day in which the service is slow and fails for a while, and somebody takes care of it."""
    (folder / "slo.yml").write_text(fast_objectives())
    processes, ports = Processes(folder), {"wine-slo": free_port(), "watchdog": free_port()}
    model = {"WINE_SLO_MODEL": str(ROOT / "models" / "model.pkl"), "WINE_SLO_PORT": str(ports["wine-slo"])}
    prometheus = Prometheus(folder / "prometheus", scraping(ports))
    await (await processes.server(model)).until_line("listening on", seconds=30)
    await prometheus.start()
    settings = {"WINE_SLO_PROMETHEUS_URL": prometheus.url, "WINE_SLO_WATCHDOG_PORT": str(ports["watchdog"])}
    telegram = {
        "WINE_SLO_TELEGRAM_TOKEN": api.token,
        "WINE_SLO_TELEGRAM_API_URL": api.url,
        "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
    }
    chat = api.chat(CHAT)
    await processes.watchdog(settings | telegram | {"WINE_SLO_POLL_SECONDS": "2"})
    start = time.time()
    async with usual_traffic(ports["wine-slo"], per_second=30):
        await asyncio.sleep(WELL)
        async with requesting(ports["wine-slo"], "/sleep?seconds=1.3", "/fail?status=503"):
            sick_until = time.time() + SICK
            await api.until(lambda: chat.messages, SICK)
            await api.press(chat.messages[0], "Acknowledge")
            await api.says(CHAT, CHAT, "/status")
            await asyncio.sleep(max(0.0, sick_until - time.time()))
        await asyncio.sleep(WELL_AGAIN)
    now = time.time()
    return prometheus, processes, Act(start + 10, now - (now - MIDDLE) % TICK)  # so that no label is cut at the edge


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
    await take(page, f"dashboard-{name}")


async def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as folder:
        async with BotApi() as api:
            prometheus, processes, act = await day(Path(folder), api)
        try:
            async with aiohttp.ClientSession(prometheus.url) as session, browsing() as browser:
                for name, dashboard in load_all().items():
                    content = await numbers(Grafana(session), dashboard, act)
                    await picture(browser, name, dashboard, content)
        finally:
            await prometheus.kill()
            await processes.end()


asyncio.run(main())
