"""Both processes as they are assembled, with everything switched on, so that the pages list what there really is."""

import asyncio
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import aiohttp
from aiohttp import web

from wine_slo.config import slo_file
from wine_slo.config.setting_types import BotToken, ChatAddress, Token
from wine_slo.integrations.drawing.render_process import ChartProcess
from wine_slo.integrations.heartbeat import Heartbeat
from wine_slo.integrations.storage.engines.sqlite import MEMORY
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.monitor.assembly import Outside, Parts, assemble, known_of
from wine_slo.monitor.loops import loops_of
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.app import create_app
from wine_slo.service.keys import INSTRUMENTS
from wine_slo.service.model import model_file
from wine_slo.service.settings import ServerSettings
from wine_slo.slo.chat.gate import Gate
from wine_slo.slo.lease import Leadership, Watchdog

ROOT = Path(__file__).parents[2]
NOBODY = Watchdog(id="", host="", boot="", pid=0, since=datetime.now(UTC))
SERVER = ServerSettings(sleep_enabled=True)
WATCHDOG = WatchdogSettings(
    telegram_token=BotToken("1:reference"), telegram_chat_ids=(ChatAddress("1"),), api_token=Token("reference")
)


@cache
def server() -> web.Application:
    """Return the server, with its model."""
    app = create_app(SERVER)
    app[INSTRUMENTS].introduce(model_file.load(ROOT / SERVER.model))
    return app


@cache
def watchdog() -> Parts:
    """Return the parts of the watchdog; none of them runs, and nothing is called."""
    return asyncio.run(_assembled())


async def _assembled() -> Parts:
    ledger = Ledger.open(MEMORY)
    async with aiohttp.ClientSession() as session:
        outside = Outside(
            ledger=ledger,
            session=session,
            drawing=ChartProcess(),
            heartbeat=Heartbeat(None, None, Gate()),
            gate=Gate(),
            leadership=lambda: Leadership(me=NOBODY),
        )
        parts = assemble(WATCHDOG, slo_file.load(ROOT / WATCHDOG.objectives), outside, known_of(ledger))
        loops_of(parts)  # which adds the commands
    ledger.close()
    return parts
