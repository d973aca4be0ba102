"""What every chat reads of what somebody does in one of them, whatever goes wrong with one of these texts."""

import asyncio
from datetime import UTC
from pathlib import Path

import pytest

from tests.support.scene import START, Scene
from wine_slo.integrations.console.channel import CONSOLE, ConsoleChannel
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.notify.announcements import Announcements
from wine_slo.monitor.notify.recipients import Localizer, Recipients
from wine_slo.slo.text.command_text import Replies
from wine_slo.slo.text.formatting import Formatter


def odd(_: Replies) -> str:
    raise ValueError("odd")


async def test_an_announcement_that_cannot_be_worded_holds_no_other_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    is_next = asyncio.Event()

    def worded(_: Replies) -> str:
        is_next.set()
        return "What can be worded"

    ledger = Ledger.open(f"sqlite:///{tmp_path}/watchdog.db")
    recipients = Recipients(ledger, ledger.load(), [CONSOLE], START)
    localizer = Localizer(recipients, lambda _: Formatter(Scene().objectives, UTC))
    with (tmp_path / "printed").open("w") as console:
        announcements = Announcements(lambda _: ConsoleChannel(console), recipients, localizer)
        announcements.announce(odd)
        announcements.announce(worded)
        announcing = asyncio.create_task(announcements.run())
        waiting = asyncio.create_task(is_next.wait())
        await asyncio.wait((announcing, waiting), timeout=30, return_when=asyncio.FIRST_COMPLETED)
        for task in (announcing, waiting):
            task.cancel()
        await asyncio.gather(announcing, waiting, return_exceptions=True)
    ledger.close()
    assert is_next.is_set()
    assert "ValueError: odd" in caplog.text
