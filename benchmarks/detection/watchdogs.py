"""Our watchdogs with the shipped settings; what they say is read off their chats."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks.detection.alerts import Record, Word
from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.real.processes import Processes

SHIPPED = Path(__file__).parents[2] / "config" / "slo.yml"
CHAT = 1
EXPIRES_AFTER = "10m"  # instead of half an hour, so that a run sees it
SIGNS = {"🔴": Word.BREACH, "🟢": Word.RECOVERY, "⚪": Word.ENDED}  # the first sign of a message says what it is


def objectives_of(squads: Sequence[str]) -> str:
    """Return the shipped latency objective for each squad, with a state for each replica."""
    page = yaml.safe_load(SHIPPED.read_text())
    latency = next(each for each in page["objectives"] if each["name"] == "latency")
    own = {"by": ["replica"], "expires_after": EXPIRES_AFTER}
    page |= {"job": squads[0], "objectives": [latency | own | {"name": each, "job": each} for each in squads]}
    return yaml.safe_dump(page, sort_keys=False)


class Watchdog:
    """One watchdog with a chat of its own.

    Args:
        name: What it is called.
        squads: The jobs that it follows.
        folder: Where it may write.
    """

    def __init__(self, name: str, squads: Sequence[str], folder: Path) -> None:
        self._name = name
        self._squads = squads
        self._chat = BotApi()
        self._folder = folder / name
        self._processes = Processes(self._folder)

    async def start(self, prometheus_url: str) -> None:
        """Run it until `stop`; come back when it has called Telegram."""
        self._folder.mkdir(parents=True)
        (self._folder / "slo.yml").write_text(objectives_of(self._squads))
        self._chat.chat(CHAT)
        await self._chat.accepts_connections()
        settings = {
            "WINE_SLO_PROMETHEUS_URL": prometheus_url,
            "WINE_SLO_OBJECTIVES": "slo.yml",
            "WINE_SLO_DATABASE_URL": f"sqlite:///{self._folder}/watchdog.db",
            "WINE_SLO_WATCHDOG_PORT": "0",
            "WINE_SLO_TELEGRAM_TOKEN": TOKEN,
            "WINE_SLO_TELEGRAM_CHAT_IDS": str(CHAT),
            "WINE_SLO_TELEGRAM_API_URL": self._chat.url,
        }
        self._process = await self._processes.watchdog(settings)
        await self._process.until_line("listening", seconds=60)

    async def stop(self) -> None:
        """End it at once."""
        await self._processes.end()
        await self._chat.refuses_connections()

    def put_into(self, record: Record, began_at: float) -> None:
        """Add everything it said.

        Raises:
            RuntimeError: it has ended by itself.
        """
        if not self._process.is_running:
            raise RuntimeError(f"the watchdog {self._name} has ended:\n{self._process.output}")
        for message in self._chat.chat(CHAT).messages:
            first = message.versions[0]
            word = SIGNS.get(first.text[0])
            if word and "rror budget" not in first.text.splitlines()[0]:  # that is another story, and a slower one
                for replica in set(re.findall(rf"(?:{'|'.join(self._squads)})-\w+", first.text)):
                    record.add(replica, word, first.at.timestamp() - began_at)
