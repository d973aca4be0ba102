"""The service, a Prometheus, the watchdog and a chat: real processes on free ports, in a folder that is removed.

Telegram is our fake of its Bot API, so that messages can be read here and nobody needs a token. Instants are UTC.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import msgspec

from tests.support.fakes.bot_api import BotApi
from tests.support.fakes.telegram_chats import Message
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import Prometheus, free_port, scraping
from wine_slo.slo.views.status_schema import Status

ROOT = Path(__file__).parents[3]
CHAT = 42
CHARTS_TRIED = 5
PATIENCE = 60  # seconds; a busy machine may need them


class Stage:
    """Starts what a chapter of the notebook needs, and ends all of it.

    Attributes:
        service: The root of the service, a URL.
        watchdog: The root of the watchdog.
        prometheus: The Prometheus that scrapes both each second.
        http: A client for all of them.
    """

    prometheus: Prometheus
    http: aiohttp.ClientSession

    def __init__(self) -> None:
        self._exits = AsyncExitStack()
        self._folder = Path(self._exits.enter_context(TemporaryDirectory(prefix="walkthrough-")))
        self._processes = Processes(self._folder)
        self._running: dict[str, Process] = {}
        self._bot_api = BotApi()
        self._bot_api.names[CHAT] = "Anna"
        self._chat = self._bot_api.chat(CHAT)
        ports = {"WINE_SLO_PORT": free_port(), "WINE_SLO_WATCHDOG_PORT": free_port()}
        self.service, self.watchdog = (f"http://127.0.0.1:{port}" for port in ports.values())
        self._settings = {name: str(port) for name, port in ports.items()}

    async def start_service(self, model: Path = ROOT / "models" / "model.pkl") -> None:
        """Run `python -m wine_slo.server` until it listens."""
        self.http = await self._exits.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), raise_for_status=True)
        )
        server = await self._processes.server({**self._settings, "WINE_SLO_MODEL": str(model)})
        await server.until_line("listening on")
        self._running["service"] = server

    async def start_prometheus(self) -> None:
        """Run a Prometheus that scrapes the service and the watchdog each second, until it has seen the service."""
        configuration = scraping(self.service.removeprefix("http://"))
        watchdog = self.watchdog.removeprefix("http://")
        configuration["scrape_configs"].append({"job_name": "watchdog", "static_configs": [{"targets": [watchdog]}]})
        self.prometheus = Prometheus(self._folder / "prometheus", configuration)
        await self.prometheus.start()
        self._exits.push_async_callback(self.prometheus.stop)
        await self.prometheus.until('up{job="wine-slo"} == 1')

    async def start_watchdog(self, objectives: str, poll_seconds: int) -> None:
        """Run `python -m wine_slo.watchdog` with this slo.yml until it listens."""
        (self._folder / "slo.yml").write_text(objectives)
        await self._exits.enter_async_context(self._bot_api)
        self._settings |= {
            "WINE_SLO_PROMETHEUS_URL": self.prometheus.url,
            "WINE_SLO_POLL_SECONDS": str(poll_seconds),
            "WINE_SLO_TELEGRAM_TOKEN": self._bot_api.token,
            "WINE_SLO_TELEGRAM_API_URL": self._bot_api.url,
            "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            "WINE_SLO_DIGEST_AT": "off",
        }
        watchdog = await self._processes.watchdog(self._settings)
        await watchdog.until_line("listening on")
        self._running["watchdog"] = watchdog

    async def wine_slo(self, *arguments: str) -> str:
        """Return what a command of `wine-slo` prints, with the settings of the watchdog.

        Raises:
            AssertionError: it ends with another status than 0.
        """
        command = await self._processes.wine_slo(*arguments, settings={**self._settings, "COLUMNS": "110"})
        status = await command.wait()
        assert status == 0, command.output
        return command.output

    async def end(self) -> dict[str, int]:
        """End everything as a restart of the machine would, remove the folder, and return each exit status."""
        ended = {name: await process.terminate() for name, process in reversed(self._running.items())}
        await self._processes.end()
        await self._exits.aclose()
        return ended

    async def status(self) -> Status:
        """Return what the watchdog's `/api/status` says."""
        async with self.http.get(f"{self.watchdog}/api/status") as response:
            return msgspec.json.decode(await response.read(), type=Status)

    async def until(self, claim: Callable[[Status], object]) -> Status:
        """Wait until the watchdog's status is so, and return it.

        Raises:
            AssertionError: it was not so within `PATIENCE` seconds.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    status = await self.status()
                    if claim(status):
                        return status
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise AssertionError(f"not so within {PATIENCE} s: {await self.status()}") from None

    async def until_message(self, first_words: str) -> Message:
        """Wait until the chat has a message that began with these words, and return it.

        Raises:
            AssertionError: there was none within `PATIENCE` seconds.
        """

        def found() -> list[Message]:
            return [each for each in self._chat.messages if each.versions[0].text.startswith(first_words)]

        await self._bot_api.until(found, seconds=PATIENCE)
        return found()[0]

    async def chart(self, command: str) -> bytes:
        """Write a command into the chat, as Anna, until it is answered with a chart, and return that as PNG.

        A chart that cannot be drawn in time, as on a busy machine, is answered with a sentence.

        Raises:
            AssertionError: there was none within some tries.
        """
        for _ in range(CHARTS_TRIED):
            request = await self._bot_api.says(CHAT, CHAT, command)
            answer = await self._until_answer(request)
            if answer.photo:
                return answer.photo
        raise AssertionError(f"no chart: {answer.text}")

    async def _until_answer(self, request: Message) -> Message:
        def found() -> list[Message]:
            # Without the chart of an alert, which replies to that.
            later = [each for each in self._chat.messages if each.id > request.id <= (each.reply_to or request.id)]
            return [each for each in later if each.photo or "chart" in each.text.lower()]

        await self._bot_api.until(found, seconds=PATIENCE)
        return found()[0]

    async def press(self, message: Message, button: str) -> None:
        """Press a button as Anna, and wait until the message has changed."""
        versions = len(message.versions)
        await self._bot_api.press(message, button)
        await self._bot_api.until(lambda: len(message.versions) > versions, seconds=PATIENCE)

    def messages(self) -> list[Message]:
        """Return what is in the chat now, oldest first."""
        return self._chat.messages


class Traffic:
    """Requests at a steady rate, from its making until `end`.

    Attributes:
        began_at: When the first was sent.
        ended_at: When the last was answered; None before that.
        answered: How many were answered.

    Args:
        http: Sends them.
        url: Where to.
        per_second: How many.
        forms: What is sent by POST, each in turn; with none, it is GET.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, per_second: float, forms: Iterable[str] = ()) -> None:
        self._http, self._url, self._per_second = http, url, per_second
        self._forms = cycle(forms or [""])
        self._is_over = False
        self.began_at = datetime.now(UTC)
        self.ended_at: datetime | None = None
        self.answered = 0
        self._sending = asyncio.create_task(self._send())

    async def end(self) -> None:
        """Send no more, and wait for the answers."""
        self._is_over = True
        await self._sending
        self.ended_at = datetime.now(UTC)

    async def _send(self) -> None:
        async with asyncio.TaskGroup() as requests:
            while not self._is_over:
                requests.create_task(self._request(next(self._forms)))
                await asyncio.sleep(1 / self._per_second)

    async def _request(self, form: str) -> None:
        how: dict[str, Any] = {"data": form, "headers": FORM} if form else {}
        async with self._http.request("POST" if form else "GET", self._url, **how) as response:
            await response.read()
        self.answered += 1


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def as_form(wine: Iterable[float]) -> str:
    """Return thirteen measurements as the one field of a form that holds all of them."""
    return "request=" + ",".join(f"{value:g}" for value in wine)


def points(series: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the points of a series of Prometheus: seconds since 1970, and value.

    A `NaN` is left out: a quantile of no requests is no value.
    """
    return [(float(at), float(value)) for at, value in series["values"] if value != "NaN"]


def as_read(message: Message, version: int = -1) -> str:
    """Return a version of a message as a person reads it, with the buttons that it has now."""
    sound = "silent" if message.is_silent else "with a sound"
    reply = f", a reply to {message.reply_to}" if message.reply_to else ""
    said = message.versions[version]
    when = f"{said.at:%H:%M:%S}, {sound}" if said is message.versions[0] else f"edited {said.at:%H:%M:%S}"
    rows = ["  ".join(f"[{button.text}]" for button in row) for row in message.keyboard]
    lines = [*said.text.splitlines(), *rows]
    return "\n".join([f"┌ message {message.id}{reply}, {when}", *(f"│ {line}" for line in lines), "└"])
