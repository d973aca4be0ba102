"""What each life needs, loaded once in the process that all of them are forked from: a life is then soon begun."""

import asyncio
import os

from tests.support.fakes.bot_api import TOKEN
from tests.system import life
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.telegram import channel, connection
from wine_slo.integrations.telegram.addresses import address_of
from wine_slo.slo.chat.channel import ChannelError

os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = "/dev"  # all of it is plain HTTP, and loading certificates takes longer than a life


async def _try() -> None:
    """Some modules are loaded only where they are needed first."""
    Ledger.open("sqlite://").close()
    try:
        await channel.TelegramChannel(connection.connect(TOKEN, "http://127.0.0.1:1")).send(address_of(1), "")
    except ChannelError:
        assert life.TICKS


asyncio.run(_try())
