"""The chat and the status page in one real run: usual traffic, then a drill that is acknowledged, and its end.

Server, Prometheus and watchdogs are real processes at the shipped settings; only Telegram is a fake that keeps what
it is sent. There are two watchdogs, for a chat in English and one in Russian, which see the same service.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.telegram_chats import Chat, Message
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping
from tools.pictures import chat
from tools.pictures.form import MODEL
from tools.pictures.images import PHONE, ROOT, SHARP, browsing, take
from tools.pictures.traffic import usual_traffic

USUAL = 12 * 60  # seconds before the drill; a chart shows ten of these minutes, and a start is no news by then
GROUP = -1001234567890
ANNA = 7
IN_TIME = 120.0  # seconds
SOON, TO_DRAW = 9.0, 15.0  # seconds; the drawing itself has ten


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How one language names what is pressed and read here."""

    pictures: dict[str, str]  # and their themes
    group: str
    person: str
    acknowledge: str
    chart: str
    acknowledged: str
    edited: str
    later: str  # what stands between what is seen while it lasts and after it


WORDS = {
    "en": Words(
        pictures={"chat-light": "light", "chat-dark": "dark"},
        group="On call",
        person="Anna",
        acknowledge="Acknowledge",
        chart="Chart",
        acknowledged="Acknowledged by",
        edited="edited",
        later="After the recovery the first message reads:",
    ),
    "ru": Words(
        pictures={"chat-ru": "light"},
        group="Дежурные",
        person="Анна",
        acknowledge="Беру",
        chart="График",
        acknowledged="Анна",
        edited="изменено",
        later="После восстановления первое сообщение выглядит так:",
    ),
}


@dataclass(slots=True)
class Watch:
    """A watchdog, and the chat that it notifies."""

    language: str
    api: BotApi
    process: Process = field(init=False)
    port: int = field(default_factory=free_port)
    before: int = 0  # messages
    chart: str = ""  # what the button of the chart sends

    @property
    def words(self) -> Words:
        """Return how its language names things."""
        return WORDS[self.language]

    @property
    def group(self) -> Chat:
        """Return the chat."""
        return self.api.chat(GROUP)

    @property
    def url(self) -> str:
        """Return where its status page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def news(self) -> list[Message]:
        """Return what it sent since the drill began."""
        return self.group.messages[self.before :]

    async def draws(self) -> None:
        """Request a chart, as the first one takes longest and a busy machine may not draw it in time."""
        while not any(each.photo for each in self.news):
            self.before = len(self.group.messages)
            await self.api.says(GROUP, ANNA, "/chart latency")
            await self.api.until(lambda: self.news, IN_TIME)
        self.before = len(self.group.messages)

    async def acknowledges(self) -> chat.Bubble:
        """Press the button as soon as there is a breach, and return its message as it is then."""
        await self.api.until(lambda: self.news, IN_TIME)
        breach = self.news[0]
        self.chart = breach.button(self.words.chart).data or ""
        await self.api.press(breach, self.words.acknowledge, ANNA)
        await self.api.until(lambda: self.words.acknowledged in breach.text, IN_TIME)
        return chat.bubble(breach)

    async def is_charted(self, seconds: float) -> bool:
        """Wait so long for the chart, and return whether it came."""
        with suppress(AssertionError):
            await self.api.until(lambda: any(each.photo for each in self.news), seconds)
            return True
        return False

    async def until_charted(self) -> None:
        """Press the button of the chart, until there is one: a machine that is busy may not draw it in time."""
        while not any(each.photo for each in self.news):
            await self.api.press_with(self.news[0], self.chart, ANNA)
            await self.is_charted(TO_DRAW)

    async def until_recovered(self) -> tuple[list[chat.Bubble], chat.Bubble]:
        """Return what followed the breach, and its message as it reads then."""
        breach = self.news[0]
        await self.api.until(
            lambda: "⚪️" in breach.text and any("🟢" in each.text and not each.photo for each in self.news), IN_TIME
        )
        shown = [each for each in self.news[1:] if each.photo or "🟢" in each.text]
        return [chat.bubble(each) for each in shown], chat.bubble(breach)


async def draw(folder: Path) -> None:
    """Live through it, and draw the pages and the chats."""
    processes, server_port = Processes(folder), free_port()
    shutil.copy(ROOT / "config" / "slo.yml", folder / "slo.yml")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(processes.end)
        server = await processes.server({"WINE_SLO_PORT": str(server_port), "WINE_SLO_MODEL": str(MODEL)})
        await server.until_line("listening on")
        prometheus = Prometheus(folder / "prometheus", scraping(f"127.0.0.1:{server_port}", every="5s"))
        stack.push_async_callback(prometheus.kill)
        await prometheus.start()
        known = {
            "WINE_SLO_PROMETHEUS_URL": prometheus.url,
            "WINE_SLO_SERVICE_URL": f"http://127.0.0.1:{server_port}",
        }
        watches = [await stack.enter_async_context(_watching(language, processes, known)) for language in WORDS]
        english = watches[0]
        browser = await stack.enter_async_context(browsing())
        desk = await browser.new_context(locale="en-GB")
        phone = await browser.new_context(viewport=PHONE, color_scheme="dark", device_scale_factor=SHARP)
        await stack.enter_async_context(usual_traffic(server_port))
        print(f"  {USUAL / 60:g} minutes of usual traffic", flush=True)
        await asyncio.sleep(USUAL)
        for watch in watches:
            await watch.draws()
        await _page(desk, english, "status-healthy")
        drill = await processes.wine_slo("drill", settings={**known, "WINE_SLO_WATCHDOG_URL": english.url})
        breaches = await asyncio.gather(*(each.acknowledges() for each in watches))
        await english.is_charted(SOON)  # before the browser takes the processor
        await _page(desk, english, "status-breach")
        await _page(phone, english, "status-phone-dark")
        for watch in watches:  # one drawing at a time
            await watch.until_charted()
        afterwards = await asyncio.gather(*(each.until_recovered() for each in watches))
        await drill.wait(IN_TIME)
        print("\n".join(f"  {line}" for line in drill.lines), flush=True)
        for watch, breach, (followed, closed) in zip(watches, breaches, afterwards, strict=True):
            words = watch.words
            shown = chat.Conversation(words.group, words.edited, [breach, *followed], words.later, [closed])
            for name, theme in words.pictures.items():
                await chat.draw(browser, shown, theme, name)


@asynccontextmanager
async def _watching(language: str, processes: Processes, known: dict[str, str]) -> AsyncIterator[Watch]:
    """Run a watchdog and the Telegram that it knows."""
    watch = Watch(language, BotApi())
    async with watch.api:
        watch.api.chat(GROUP)
        watch.api.names[ANNA] = watch.words.person
        watch.process = await processes.watchdog(
            {
                **known,
                "WINE_SLO_TELEGRAM_TOKEN": watch.api.token,
                "WINE_SLO_TELEGRAM_API_URL": watch.api.url,
                "WINE_SLO_TELEGRAM_CHAT_IDS": str(GROUP),
                "WINE_SLO_LANGUAGE": language,
                "WINE_SLO_CHARTS_ENABLED": str(
                    language == "en"
                ).lower(),  # two at once would have half of the time each
                "WINE_SLO_WATCHDOG_PORT": str(watch.port),
                "WINE_SLO_DATABASE_URL": f"sqlite:///{language}.db",
            }
        )
        await watch.process.until_line("listening on")
        yield watch


async def _page(context: BrowserContext, watch: Watch, name: str) -> None:
    """Take the status page as it is now."""
    page = await context.new_page()
    await page.goto(f"{watch.url}/?reload=off")
    await take(page, name)
    await page.close()
