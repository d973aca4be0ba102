"""Retention: what was over long ago is deleted from the ledger, once a day and a little at a time."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError

FIRST_AFTER = 600.0  # seconds after a start, which has other things to do
EVERY = 86_400.0
PAUSE = 1.0  # seconds between two batches, in which others write

log = logging.getLogger(__name__)


class Retention:
    """Deletes what is too old.

    Args:
        ledger: From where.
        keeps: For how long what is over is kept.
        now: Reads the clock.
        pause: Seconds between two batches.
    """

    def __init__(self, ledger: Ledger, keeps: timedelta, now: Callable[[], datetime], pause: float = PAUSE) -> None:
        self._ledger = ledger
        self._keeps = keeps
        self._now = now
        self._pause = pause

    async def run(self) -> None:
        """Delete once a day, for ever."""
        await asyncio.sleep(FIRST_AFTER)
        while True:
            await self.delete()
            await asyncio.sleep(EVERY)

    async def delete(self) -> None:
        """Delete what is too old now; a ledger that cannot be written has it deleted the next day."""
        before, total = self._now() - self._keeps, 0
        try:
            while deleted := await asyncio.to_thread(self._ledger.forget, before):
                total += deleted
                await asyncio.sleep(self._pause)
        except LedgerError as error:
            log.warning("%s; what is older than %d days is deleted later", error, self._keeps.days)
        if total:
            log.info("%d incidents and actions from before %s are deleted", total, before.date())
