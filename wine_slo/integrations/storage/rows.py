"""The ledger's rows: values as the JSON of the core's own dataclasses, and back."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec

from wine_slo.integrations.storage.holder import Holder
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.slo.evaluation.engine import SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import Action

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")


def decode(rows: Sequence[str], kind: type[V]) -> list[V]:
    """Return the values of rows of JSON.

    Raises:
        LedgerError: One of them cannot be read.
    """
    try:
        return [msgspec.json.decode(each, type=kind) for each in rows]
    except (msgspec.DecodeError, ValueError, TypeError) as error:  # the last two: no row of ours is so
        sentence = f"the ledger has a {kind.__name__} that cannot be read: {error}"
        raise LedgerError(sentence, f"damaged ({kind.__name__})") from error


def readable_actions(rows: Iterable[Any]) -> Iterator[Action]:
    """Return the actions under the numbers of their rows.

    One that cannot be read is left out, as it must not hide the others.
    """
    for row in rows:
        try:
            yield replace(msgspec.json.decode(row.value, type=Action), number=row.number)
        except (msgspec.DecodeError, ValueError, TypeError) as error:
            log.error("the ledger has an act %s that cannot be read and is left out: %s", row.number, error)  # noqa: TRY400


def holder_of(text: str | None) -> Holder | None:
    """Return who holds the ledger; None where nobody can read who."""
    try:
        return cast("Holder | None", msgspec.json.decode(text or "null", type=Holder | None))
    except msgspec.DecodeError:
        return None  # whoever wrote that is no watchdog of ours


def changed(before: Mapping[K, V], after: Mapping[K, V]) -> list[V]:
    """Return the values that are new or others."""
    return [value for key, value in after.items() if before.get(key) != value]


def incident_row(incident: Incident) -> dict[str, Any]:
    """Return the row of an incident."""
    return {
        "number": incident.number,
        "key": encode(incident.key),
        "began_at": incident.began_at.isoformat(),
        "closed_at": incident.closed_at.isoformat() if incident.closed_at else None,
        "value": encode(incident),
    }


def record_row(record: DeliveryRecord) -> dict[str, Any]:
    """Return the row of a delivery record."""
    return {"incident": record.incident, "chat": record.chat, "value": encode(record)}


def encode(value: object) -> str:
    """Return a value as JSON."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate in what somebody wrote, which no encoding has
        whole = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return whole.encode(errors="replace").decode()


def instant_of(text: str | None, name: str) -> datetime | None:
    """Return an instant; None where none is written.

    Raises:
        LedgerError: It cannot be read.
    """
    try:
        found = None if text is None else msgspec.json.decode(text, type=datetime | None)
    except msgspec.DecodeError as error:
        raise LedgerError(f"the ledger has a {name} that cannot be read: {error}", f"damaged ({name})") from error
    if found is not None and found.tzinfo is None:
        raise LedgerError(f"the ledger has a {name} that is in no time zone", f"damaged ({name})")
    return cast("datetime | None", found)


def troubles_of(facts: Mapping[str, str]) -> dict[Key, datetime]:
    """Return since when there is each trouble; versions that knew one for all of them wrote only that."""
    if "troubles_since" in facts:
        try:
            return dict(msgspec.json.decode(facts["troubles_since"], type=list[tuple[Key, datetime]]))
        except msgspec.DecodeError as error:
            sentence = f"the ledger has a troubles_since that cannot be read: {error}"
            raise LedgerError(sentence, "damaged (troubles_since)") from error
    since = instant_of(facts.get("blind_since"), "blind_since")
    return {SIGHT: since} if since else {}


def number_of(text: str | None, name: str) -> int:
    """Return a number; 0 where none is written.

    Raises:
        LedgerError: It cannot be read.
    """
    try:
        found = int(text or 0)
    except ValueError as error:
        raise LedgerError(f"the ledger has a {name} that cannot be read: {text!r}", f"damaged ({name})") from error
    if not 0 <= found < 2**53:
        raise LedgerError(f"the ledger has a {name} that cannot be: {found}", f"damaged ({name})")
    return found
