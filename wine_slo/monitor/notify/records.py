"""The delivery records: kept in memory at once, and written to the ledger as soon as that works."""

import asyncio
import logging
from collections.abc import Iterable

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.chat.address import Address
from wine_slo.slo.notification.plan import no_later_than
from wine_slo.slo.notification.record import DeliveryRecord, Stage

log = logging.getLogger(__name__)


class DeliveryRecords:
    """Keep what each recipient has received of each incident at hand.

    Args:
        ledger: Where it is written.
        recipients: Who receives, and what they had received before this process.
        snapshot: What is known now.
    """

    def __init__(self, ledger: Ledger, recipients: Recipients, snapshot: Snapshot) -> None:
        self._ledger = ledger
        self._recipients = recipients
        self._snapshot = snapshot
        self._records = {(each.incident, each.chat): each for each in recipients.records}
        self._unwritten: dict[tuple[int, Address], DeliveryRecord] = {}
        self._writing = asyncio.Lock()

    def all(self) -> list[DeliveryRecord]:
        """Return those of the recipients, in the order of the incidents' numbers."""
        chats = set(self._recipients)
        return [record for (_, chat), record in sorted(self._records.items()) if chat in chats]

    def of(self, incident: int, chat: Address) -> DeliveryRecord:
        """Return that of a chat for an incident at hand."""
        return self._records[incident, chat]

    def open_in(self, chat: Address) -> frozenset[int]:
        """Return the numbers of the open incidents that a chat was notified of."""
        those = (each for each in self._records.values() if each.chat == chat and each.stage is Stage.OPENED)
        return frozenset(each.incident for each in those)

    def begin(self) -> None:
        """Begin a record for each recipient that is to be notified of an incident."""
        now = self._snapshot.now()
        self._records = {key: no_later_than(now, record) for key, record in self._records.items()}
        for number, incident in self._snapshot.state.incidents.items():
            for chat in self._recipients:
                if (number, chat) not in self._records and self._recipients.is_due(chat, incident):
                    self._keep(DeliveryRecord(incident=number, chat=chat))

    def forget_closed(self) -> None:
        """Forget those of incidents that are not at hand any more."""
        incidents = self._snapshot.state.incidents
        self._records = {key: record for key, record in self._records.items() if key[0] in incidents}

    async def keep(self, records: Iterable[DeliveryRecord]) -> bool:
        """Keep records, and write them down; return whether they are."""
        for record in records:
            self._keep(record)
        return await self.write()

    async def write(self) -> bool:
        """Write down what is not written yet; what cannot be is tried again with the next, and False returned."""
        async with self._writing:  # one after the other, so that no older record is written over a newer one
            waiting = list(self._unwritten.values())
            if not waiting:
                return True
            try:
                await asyncio.to_thread(self._ledger.mark, waiting)
            except LedgerError as error:
                log.error("%s; a restart now would send some notifications once more", error)  # noqa: TRY400 - expected
                return False
            for record in waiting:
                if self._unwritten.get((record.incident, record.chat)) is record:
                    del self._unwritten[record.incident, record.chat]
            return True

    def _keep(self, record: DeliveryRecord) -> None:
        self._records[record.incident, record.chat] = self._unwritten[record.incident, record.chat] = record
