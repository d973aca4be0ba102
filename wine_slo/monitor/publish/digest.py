"""Sends the weekly digest: once a week to each chat, quietly; what was missed is sent when that is still news."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from itertools import chain

from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.monitor.notify.recipients import Recipients
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import ChannelError, ChannelOf
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.sampling import by_key
from wine_slo.slo.notification.record import DeliveryRecord, Kind
from wine_slo.slo.objectives import promql
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.reason import Reason
from wine_slo.slo.source.metric_source import MetricSource, MetricSourceError
from wine_slo.slo.text.formatting import Formatter
from wine_slo.slo.views.digest_text import WEEK, Attained, Week, Weekly, digest_text, is_due

log = logging.getLogger(__name__)

CHECKED_EVERY = 60.0  # seconds between two reads of the clock
PATIENCE = timedelta(hours=1)  # for a Prometheus that does not answer; then it is sent without its numbers


class Digests:
    """Sends the digests.

    Args:
        api: Prometheus.
        ledger: Knows the week's incidents, and what was delivered.
        channel_of: The channel of an address.
        recipients: Where they are now.
        but: The chats that get none.
        weekly: When.
        snapshot: What is known now.
        fmt: How things read in a chat.
        journal: Knows when somebody acknowledged an incident.
        on_message: Called after each try with the kind and the outcome: `records` or `failed`.
    """

    def __init__(  # noqa: PLR0913 - it reports on everything
        self,
        api: MetricSource,
        ledger: Ledger,
        *,
        channel_of: ChannelOf,
        recipients: Recipients,
        but: Collection[Address],
        weekly: Weekly,
        snapshot: Snapshot,
        fmt: Callable[[Address], Formatter],
        journal: Journal,
        on_message: Callable[[Kind, str], None],
    ) -> None:
        self._api = api
        self._ledger = ledger
        self._channel_of = channel_of
        self._recipients = recipients
        self._but = but
        self._weekly = weekly
        self._snapshot = snapshot
        self._fmt = fmt
        self._journal = journal
        self._on_message = on_message
        self._delivered: dict[Address, datetime] | None = None

    async def run(self) -> None:
        """Send every digest in its time, for ever."""
        while True:
            if self._snapshot.state.evaluated_at is not None:
                try:
                    await self.deliver()
                except Exception:
                    log.exception("no digest was sent by a fault of ours; again in a minute")
            await asyncio.sleep(CHECKED_EVERY)

    async def deliver(self) -> None:
        """Send every chat what is due there."""
        now = self._snapshot.now()
        slot = self._weekly.last(now)
        try:
            delivered = await self._read()
            for chat in self._chats():
                if chat not in delivered:
                    await self._mark(chat, slot)  # a new chat has no week behind it yet
        except LedgerError as error:
            log.error("%s; no digest is sent until it can be", error)  # noqa: TRY400 - expected
            return
        waiting = [chat for chat in self._chats() if is_due(slot, delivered.get(chat), now)]
        if not waiting:
            return
        week = await self._week(slot, self._fmt(waiting[0]))
        if week.trouble and now - slot < PATIENCE:
            return
        for chat in waiting:
            await self._send_to(chat, week, slot)

    def _chats(self) -> list[Address]:
        return [each for each in self._recipients if each not in self._but and each not in self._recipients.closed]

    def _acknowledged_at(self, incident: Incident) -> datetime | None:
        action = self._journal.actions.acknowledgement(incident)
        return action.at if action else None

    async def _send_to(self, chat: Address, week: Week, slot: datetime) -> None:
        text = digest_text(self._fmt(chat), week)
        try:
            await self._send(chat, text)
        except ChannelError as error:
            self._on_message(Kind.DIGEST, "failed")
            log.warning("chat %s was not sent the digest: %s", chat.place, error)
            if error.permanent:
                await self._recipients.close(chat, str(error))
            if error.surely_not_sent:
                return  # the next turn tries again
        else:
            self._on_message(Kind.DIGEST, "told")
        try:
            await self._mark(chat, slot)
        except LedgerError as error:
            log.error("%s; a restart now would send chat %s the digest once more", error, chat.place)  # noqa: TRY400

    async def _send(self, chat: Address, text: str) -> None:
        """Send it to where a chat is now; once more where it turns out to have moved.

        Raises:
            ChannelError: It was not sent, or perhaps not.
        """
        channel = self._channel_of(chat)
        try:
            await channel.send(self._recipients.address(chat), text, loud=False)
        except ChannelError as error:
            if error.moved_to is None:
                raise
            await self._recipients.move(chat, error.moved_to)
            await channel.send(self._recipients.address(chat), text, loud=False)

    async def _read(self) -> Mapping[Address, datetime]:
        if self._delivered is None:
            self._delivered = await asyncio.to_thread(self._ledger.digests)
        return self._delivered

    async def _mark(self, chat: Address, slot: datetime) -> None:
        if self._delivered is not None:
            self._delivered[chat] = slot
        await asyncio.to_thread(self._ledger.mark_digest, chat, slot)

    async def _week(self, slot: datetime, fmt: Formatter) -> Week:
        """Return the facts of the week that ended at a time; of the formatter only the objectives are used."""
        first = slot - WEEK
        trouble: Reason | str = ""
        objectives = fmt.objectives.all
        try:
            attained = tuple(await asyncio.gather(*(self._attained(each, slot) for each in objectives)))
        except MetricSourceError as error:
            attained, trouble = (), error.reason
        incidents, records = await asyncio.to_thread(self._past, first)
        those = [each for each in incidents if each.began_at < slot]
        return Week(
            first=first,
            last=slot,
            attained=attained,
            incidents=tuple(those),
            detected=tuple(chain.from_iterable(_detected(each, records) for each in those)),
            acknowledged=tuple(
                at - each.since for each in those if (at := self._acknowledged_at(each)) is not None and at > each.since
            ),
            trouble=trouble,
        )

    async def _attained(self, objective: Objective, slot: datetime) -> Attained:
        """Return how an objective went in the week that ended at a time.

        Raises:
            MetricSourceError: It does not say.
        """
        answer = await self._api.query(promql.good_ratio(objective, WEEK), slot)
        ratios = by_key(objective, answer.samples)
        readings = self._snapshot.state.readings
        key = min(ratios, key=ratios.__getitem__, default=Key(objective.name))
        reading = readings.get(key)
        return Attained(
            key=key,
            good_ratio=ratios.get(key),
            budget=reading.budget if reading else None,
        )

    def _past(self, since: datetime) -> tuple[list[Incident], list[DeliveryRecord]]:
        """Return the incidents since a time, with what is known of them now, and what was delivered of them."""
        try:
            older = {each.number: each for each in self._ledger.incidents(since=since)}
            records = self._ledger.records_of(older)
        except LedgerError as error:
            log.warning("%s; the digest knows only what is at hand", error)
            older, records = {}, []
        at_hand = {number: each for number, each in self._snapshot.state.incidents.items() if _touches(each, since)}
        return sorted((older | at_hand).values(), key=lambda each: each.number), records


def _touches(incident: Incident, since: datetime) -> bool:
    return incident.closed_at is None or incident.closed_at > since


def _detected(incident: Incident, records: Collection[DeliveryRecord]) -> list[timedelta]:
    """Return how long it took until the first chat knew of a breach; nothing where none does."""
    if incident.key.alert is not Alert.BREACH or incident.key.is_own:
        return []
    instants = [each.breach_told_at for each in records if each.incident == incident.number and each.breach_told_at]
    return [max(timedelta(0), min(instants) - incident.since)] if instants else []
