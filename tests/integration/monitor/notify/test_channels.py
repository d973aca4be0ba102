"""The channels of the settings, and what is delivered to one that can do less than Telegram."""

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from tests.support.fakes.snapshot import FakeSnapshot
from tests.support.scene import Scene
from wine_slo.config.setting_types import BotToken, ChatAddress
from wine_slo.integrations.console.channel import CONSOLE
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.channels import Channels, Connected, open_channels
from wine_slo.monitor.notify.dispatcher import Dispatcher
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Capabilities, Channel, ChannelError
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.chat.messages import Keyboard
from wine_slo.slo.notification.record import Kind
from wine_slo.slo.text.formatting import Formatter

TOKEN = BotToken("1:token")
FORUM, SECOND = ChatAddress("-1001/30"), ChatAddress("-99")
HOOK = Address.of("hook", "operations")


class SendOnly(Channel):
    """Delivers texts and nothing else."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(
        self,
        address: Address,  # noqa: ARG002 - there is one
        text: str,
        *,
        reply_to: int | None = None,  # noqa: ARG002 - nothing is kept
        loud: bool = True,  # noqa: ARG002
        buttons: Keyboard = (),  # noqa: ARG002
    ) -> int:
        self.sent.append(text)
        return len(self.sent)

    async def reach(self, address: Address) -> None:
        """It always can be."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'watchdog.db'}")
    yield ledger
    ledger.close()


def test_telegram_delivers_to_the_chats_and_topics_of_the_settings_the_second_ones_last() -> None:
    settings = WatchdogSettings(telegram_token=TOKEN, telegram_chat_ids=(FORUM,), telegram_second_chat_ids=(SECOND,))
    channels = open_channels(settings, Gate())
    assert channels.recipients == ("telegram:-1001/30", "telegram:-99")
    assert channels.second_chats == {"telegram:-99"}
    assert [name for name, _ in channels.listening()] == ["telegram"]
    assert channels.alerts(channels.recipients[0]).capabilities.buttons
    assert not channels.is_only_terminal


@pytest.mark.parametrize(
    ("settings", "listening"),
    [
        pytest.param(WatchdogSettings(), [], id="nothing is set"),
        pytest.param(WatchdogSettings(telegram_chat_ids=(FORUM,)), [], id="no token"),
        pytest.param(WatchdogSettings(telegram_token=TOKEN), ["telegram"], id="no chat, but /id is answered"),
    ],
)
async def test_without_a_recipient_messages_are_printed(
    settings: WatchdogSettings, listening: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    channels = open_channels(settings, Gate())
    assert channels.recipients == (CONSOLE,)
    await channels.alerts(CONSOLE).send(CONSOLE, "Hello")
    assert "Hello" in capfd.readouterr().out
    assert channels.is_only_terminal
    assert [name for name, _ in channels.listening()] == listening


def test_an_address_of_a_channel_that_is_not_set_any_more_refuses_messages() -> None:
    channels = open_channels(WatchdogSettings(), Gate())
    with pytest.raises(ChannelError, match="no channel telegram is set") as error:
        channels.answers(Address.of("telegram", 7))
    assert error.value.permanent


async def test_a_channel_that_cannot_edit_is_sent_the_breach_and_its_end_and_nothing_else(ledger: Ledger) -> None:
    scene, hook, outcomes = Scene(), SendOnly(), list[tuple[Kind, str]]()
    channels = Channels({"hook": Connected(alerts=hook, answers=hook, first=(HOOK,))}, Gate())
    recipients = Recipients(ledger, ledger.load(), channels.recipients, scene.now)
    dispatcher = Dispatcher(
        channels.alerts,
        ledger,
        recipients,
        Localizer(recipients, lambda _language: Formatter(scene.objectives, UTC)),
        FakeSnapshot(lambda: scene.state, lambda: scene.now),
        Journal(ledger, ()),
        lambda kind, outcome: outcomes.append((kind, outcome)),
        gate=Gate(),
    )

    async def deliver() -> None:
        dispatcher.on_evaluation()
        await dispatcher.deliver()

    scene.breaks()
    await deliver()
    for _ in range(30):
        scene.has(1.0, p95=scene.second / 10)  # its message would read otherwise each time
        await deliver()
    scene.has(0.0, 600)
    await deliver()
    await deliver()
    assert [text.split(" ")[0] for text in hook.sent] == ["🔴", "🟢"]
    assert outcomes == [(Kind.BREACH, "told"), (Kind.RECOVERY, "told")]
    assert dispatcher.undelivered_seconds == 0
