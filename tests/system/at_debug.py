"""A watchdog with every library at DEBUG."""

import json
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
import aiohttp
import pytest
from tests.support.fakes.bot_api import TOKEN, BotApi
from tests.support.fakes.prometheus_junk import Answer, PrometheusJunk
from tests.support.real.processes import Process, Processes
from tests.support.real.prometheus import free_port
from tests.system.conftest import CHAT


# Runs the watchdog with every library at DEBUG, whatever it is told, as somebody would who looks for a fault.
AT_DEBUG = """
import logging

set_level = logging.Logger.setLevel
logging.Logger.setLevel = lambda self, level: set_level(self, logging.DEBUG)

from wine_slo import watchdog

watchdog.main()
"""


async def start_at_debug(processes: Processes, settings: dict[str, str]) -> Process:
    return await processes.start("watchdog", [sys.executable, "-c", AT_DEBUG], settings)
