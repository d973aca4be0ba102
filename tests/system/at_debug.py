"""Starts a watchdog with every library at DEBUG."""

import sys

from tests.support.real.processes import Process, Processes

# Runs the watchdog with every library at DEBUG, whatever is set, as somebody would who searches for a fault.
AT_DEBUG = """
import logging

set_level = logging.Logger.setLevel
logging.Logger.setLevel = lambda self, level: set_level(self, logging.DEBUG)

from wine_slo import watchdog

watchdog.main()
"""


async def start_at_debug(processes: Processes, settings: dict[str, str]) -> Process:
    return await processes.start("watchdog", [sys.executable, "-c", AT_DEBUG], settings)
