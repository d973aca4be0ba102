"""The delivery records: kept in memory at once, and written to the ledger as soon as that works."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator

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
        self._records: dict[Address, dict[int, DeliveryRecord]] = {}  # by chat and incident
        for each in sorted(recipients.records, key=lambda record: record.incident):
            self._records.setdefault(each.chat, {})[each.incident] = each
        self._unwritten: dict[tuple[int, Address], DeliveryRecord] = {}
        self._writing = asyncio.Lock()

    def all(self) -> Iterator[DeliveryRecord]:
        """Yield those of the recipients, chat by chat."""
        return (record for chat in self._recipients for record in self.in_chat(chat))

    def in_chat(self, chat: Address) -> Collection[DeliveryRecord]:
        """Return those of a chat, in the order in which its incidents were first known here."""
        return self._records.get(chat, {}).values()

    def of(self, incident: int, chat: Address) -> DeliveryRecord:
        """Return that of a chat for an incident at hand."""
        return self._records[chat][incident]

    def of_incident(self, incident: int) -> Iterator[DeliveryRecord]:
        """Yield those of the recipients for an incident."""
        those = (self._records.get(chat, {}).get(incident) for chat in self._recipients)
        return (each for each in those if each is not None)

    def at(self, chat: Address, message: int, *, but: Collection[int] = ()) -> list[DeliveryRecord]:
        """Return those of a chat whose incidents share a message, but for some of these."""
        those = (each for each in self.in_chat(chat) if each.is_folded and each.message == message)
        return [each for each in those if each.incident not in but]

    def sharing(self, chat: Address, number: int) -> frozenset[int]:
        """Return the numbers of the incidents of which a chat knows by the same message as of one of them."""
        record = self._records.get(chat, {}).get(number)
        if record is None or record.message is None or not record.is_folded:
            return frozenset()
        return frozenset(each.incident for each in self.at(chat, record.message) if each.stage is Stage.OPENED)

    def open_in(self, chat: Address) -> frozenset[int]:
        """Return the numbers of the open incidents that a chat was notified of."""
        return frozenset(each.incident for each in self.in_chat(chat) if each.stage is Stage.OPENED)

    def begin(self) -> None:
        """Begin a record for each recipient that is to be notified of an incident."""
        now, incidents = self._snapshot.now(), sorted(self._snapshot.state.incidents.items())
        for records in self._records.values():
            records.update({number: no_later_than(now, record) for number, record in records.items()})
        for chat in self._recipients:
            known = self._records.setdefault(chat, {})
            for number, incident in incidents:
                if number not in known and self._recipients.is_due(chat, incident):
                    self._keep(DeliveryRecord(incident=number, chat=chat))

    def forget_closed(self) -> None:
        """Forget those of incidents that are not at hand any more."""
        incidents = self._snapshot.state.incidents
        self._records = {
            chat: {number: record for number, record in records.items() if number in incidents}
            for chat, records in self._records.items()
        }

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
        self._records.setdefault(record.chat, {})[record.incident] = record
        self._unwritten[record.incident, record.chat] = record
