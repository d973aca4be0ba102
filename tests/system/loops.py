"""The two loops of a watchdog without its process: they query a canned Prometheus and notify through a bot."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from telegram import Bot

from tests.support.fakes.prometheus_canned import OBJECTIVES, CannedPrometheus, Slow
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.integrations.telegram.channel import TelegramChannel
from wine_slo.monitor.evaluate.evaluator import Evaluator
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.source.clocks import WallTime
from wine_slo.slo.text.formatting import Formatter


def loops(
    ledger: Ledger,
    slow: Slow,
    bot: Bot,
    chats: Sequence[int],
    clock: Callable[[], datetime],
    topics: Mapping[int, int] | None = None,
) -> tuple[Evaluator, Dispatcher]:
    """Both, as a start makes them from what the ledger remembers."""
    memory = ledger.load()
    evaluation = Evaluator(CannedPrometheus(clock, slow), ledger, OBJECTIVES, memory.state, lambda: WallTime(clock()))
    addresses = [address_of(chat, (topics or {}).get(chat)) for chat in chats]
    recipients = Recipients(ledger, memory, addresses, evaluation.now())
    channel = TelegramChannel(bot)
    delivery = Dispatcher(
        lambda _address: channel,
        ledger,
        recipients,
        Localizer(recipients, lambda _language: Formatter(OBJECTIVES, UTC)),
        evaluation,
        Journal(ledger, ()),
        gate=Gate(),
        on_message=lambda _kind, _outcome: None,
    )
    return evaluation, delivery
