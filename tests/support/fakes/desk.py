"""A scene, and the delivery that notifies of it through the real Telegram client against a fake Bot API."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from telegram import Bot

from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.fakes.telegram_chats import Message
from tests.support.scene import Scene
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.integrations.telegram.connection import BotApiRequest
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.policies import Rules
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.reading import Interval, Reading, Sight
from wine_slo.slo.notification.policy import Suppression
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.text.formatting import Formatter

ANNA, GROUP, SUPERGROUP = 7, -5, -1001
REPEAT = "This may be a duplicate"
SEND, EDIT = "sendMessage", "editMessageText"
READ_SECONDS = 0.3

BREACH = "🔴 Latency: p95 2.4 s (target ≤ 1 s, last 20 s)"
BACK = "🟢 Latency resolved: p95 0.05 s (last 20 s)"
CLOSED = "⚪️ Resolved: Latency in breach 19:40:00–19:40:25 (25 s), worst 2.4 s. #1"


class Desk:
    """A scene, and the delivery that notifies of it; the clock is the scene's."""

    def __init__(self, bot_api: BotApi, bot: Bot, path: Path) -> None:
        self.api = bot_api
        self.scene = Scene()
        self.path = path
        self.chats: tuple[int, ...] = (ANNA,)
        self.outcomes: list[tuple[Kind, str]] = []
        self.suppressions: list[Suppression] = []
        self._chat = TelegramChannel(bot)
        self.ledger = Ledger.open(f"sqlite:///{path}")
        self._saved = State()
        self.is_real_time = False
        self.rules = Rules()
        self.gate = Gate()
        self.topics: dict[int, int] = {}
        self.fmt: Callable[[str], Formatter] = lambda _language: Formatter(self.scene.objectives, UTC)
        self.delivery = self._delivery()

    def _delivery(self) -> Dispatcher:
        addresses = [address_of(chat, self.topics.get(chat)) for chat in self.chats]
        self.recipients = Recipients(self.ledger, self.ledger.load(), addresses, self.clock())
        self.localizer = Localizer(self.recipients, self.fmt)
        self.journal = Journal(self.ledger, ())
        return Dispatcher(
            lambda _address: self._chat,
            self.ledger,
            self.recipients,
            self.localizer,
            FakeSnapshot(lambda: self.scene.state, self.clock),
            self.journal,
            lambda kind, outcome: self.outcomes.append((kind, outcome)),
            gate=self.gate,
            rules=self.rules,
            on_suppressed=self.suppressions.append,
        )

    def clock(self) -> datetime:
        return datetime.now(UTC) if self.is_real_time else self.scene.now

    def decide(self) -> None:
        """Save what was seen, and signal it to delivery, as evaluation does."""
        self.ledger.save(self._saved, self.scene.state)
        self._saved = self.scene.state
        self.delivery.on_evaluation()

    async def deliver(self, after: float = 0) -> None:
        self.scene.second += after
        self.decide()
        await self.delivery.deliver()

    def notifies(self, chats: tuple[int, ...]) -> None:
        """These chats exist, and the settings name them, from a restart on."""
        self.chats = chats
        for chat in chats:
            self.api.chat(chat)
        self.restart()

    def restart(self) -> None:
        """What is in memory is gone; what is in the ledger is not."""
        self.scene.state = self.ledger.load().state
        self.delivery = self._delivery()

    def messages(self, chat: int = ANNA) -> list[Message]:
        return self.api.chat(chat).messages

    def texts(self, chat: int = ANNA) -> list[str]:
        return [message.text.splitlines()[0] for message in self.messages(chat)]

    def sends_to(self, chat: int) -> int:
        return len([call for call in self.api.calls_of(SEND) if call.chat_id == chat])

    def tries(self, method: str = SEND) -> int:
        return len(self.api.calls_of(method))


@asynccontextmanager
async def opened_desk(bot_api: BotApi, folder: Path, read_seconds: float = READ_SECONDS) -> AsyncIterator[Desk]:
    bot_api.chat(ANNA)
    request = BotApiRequest(read_timeout=read_seconds, connect_timeout=2, pool_timeout=2)
    async with Bot(TOKEN, base_url=bot_api.base_url, request=request) as bot:
        desk = Desk(bot_api, bot, folder / "watchdog.db")
        yield desk
        desk.ledger.close()


def keys(count: int) -> list[Key]:
    return [Key("latency", (("endpoint", f"/{number}"),)) for number in range(count)]


def storm(scene: Scene, those: Iterable[Key], bad: float, seconds: int) -> None:
    for _ in range(seconds // 5):
        scene.second += 5
        scene.evaluate(
            {
                key: Reading(
                    at=scene.now,
                    sight=Sight.CLEAR,
                    intervals=(Interval(scene.now, 50 * bad, 50),),
                    recent_seconds=0.05 + 2 * bad,
                )
                for key in those
            }
        )
