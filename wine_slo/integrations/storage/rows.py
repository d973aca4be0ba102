"""The ledger's rows: values as the JSON of the core's own dataclasses, and back."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import msgspec

from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import address_of, stored
from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.notification.record import DeliveryRecord
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import Action
from wine_slo.slo.source.deployment import Reported
from wine_slo.slo.views.board_text import BoardRecord
from wine_slo.slo.views.chart_spec import ShownChart

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")


# What no ledger of ours holds, and what no arithmetic with the clock survives.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
LONGEST_SPAN = timedelta(days=1_000_000)
LONGEST_SHOWN = 200  # letters of what cannot be read in a sentence


def decode(rows: Sequence[str], kind: type[V]) -> list[V]:
    """Return the values of rows of JSON.

    Raises:
        LedgerError: One of them cannot be read.
    """
    return [_decoded(each, kind, kind.__name__) for each in rows]


def _decoded(text: str, kind: Any, name: str) -> Any:
    """Return the value of a column of JSON.

    Raises:
        LedgerError: It cannot be read, or holds an instant or a span that cannot be.
    """
    try:
        value = msgspec.json.decode(text, type=kind, dec_hook=_address)
        _check_times(value)
    except (ValueError, TypeError, RecursionError) as error:  # msgspec's are ValueErrors; TypeError: it is no text
        raise _unreadable(name, error) from error
    return value


def _unreadable(name: str, error: object) -> LedgerError:
    return LedgerError(f"the ledger has a {name} that cannot be read: {_clipped(error)}", f"damaged ({name})")


def _clipped(what: object) -> str:
    text = str(what)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _check_times(value: object) -> None:
    """See whether every instant and every span in a value is one that a clock can show.

    Raises:
        ValueError: One is not.
    """
    for each in _parts_of(value):
        if isinstance(each, datetime) and each.tzinfo is None:
            raise ValueError(f"{each} is in no time zone")
        if isinstance(each, datetime) and not EARLIEST <= each <= LATEST:
            raise ValueError(f"{each} is no time of a clock")
        if isinstance(each, timedelta) and abs(each) > LONGEST_SPAN:
            raise ValueError(f"{each} is longer than any time")


def _parts_of(value: object) -> Iterator[object]:
    """Yield a value and everything in it."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        yield each
        if is_dataclass(each):
            waiting += [getattr(each, field.name) for field in fields(each)]
        elif isinstance(each, dict):
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, (tuple, list)):
            waiting += each


def readable_actions(rows: Iterable[Any]) -> Iterator[Action]:
    """Yield the actions under the numbers of their rows; one that cannot be read is left out and hides no other."""
    for row in rows:
        try:
            yield replace(_decoded(row.value, Action, f"action {row.number}"), number=row.number)
        except LedgerError as error:
            log.error("%s; it is left out", error)  # noqa: TRY400 - a sentence says it all


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


def board_row(board: BoardRecord) -> dict[str, Any]:
    """Return the row of a board; its chat and its topic are written apart."""
    fields = msgspec.to_builtins(board, enc_hook=_written)
    del fields["address"]
    thread = board.address.thread
    topic = int(thread) if thread is not None and thread.isdecimal() else thread
    return {"chat": board.chat, "value": encode({"chat": stored(board.chat), "topic": topic} | fields)}


def boards_of(rows: Sequence[str]) -> list[BoardRecord]:
    """Return the boards of rows.

    Raises:
        LedgerError: One of them cannot be read.
    """
    return [_board_of(each) for each in rows]


def _board_of(text: str) -> BoardRecord:
    fields = _decoded(text, dict[str, Any], BoardRecord.__name__)
    try:
        topic, chat = fields.pop("topic", None), address_of(fields.pop("chat"))
        fields["address"] = chat.within(None if topic is None else str(topic))
        board = msgspec.convert(fields, BoardRecord, dec_hook=_address)
        _check_times(board)
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(BoardRecord.__name__, error) from error
    return board


def encode(value: object) -> str:
    """Return a value as JSON."""
    try:
        return msgspec.json.encode(value, enc_hook=_written).decode()
    except UnicodeEncodeError:  # half a surrogate in what somebody wrote, which no encoding has
        whole = json.dumps(msgspec.to_builtins(value, enc_hook=_written), ensure_ascii=False)
        return whole.encode(errors="replace").decode()


def instant_of(text: str | None, name: str) -> datetime | None:
    """Return an instant; None where none is written.

    Raises:
        LedgerError: It cannot be read.
    """
    return None if text is None else cast("datetime | None", _decoded(text, datetime | None, name))


def slot_of(text: str, name: str) -> datetime:
    """Return an instant that is written without quotes.

    Raises:
        LedgerError: It cannot be read.
    """
    try:
        found = datetime.fromisoformat(text)
        _check_times(found)
    except (ValueError, TypeError) as error:
        raise _unreadable(name, error) from error
    return found


def troubles_of(facts: Mapping[str, str]) -> dict[Key, datetime]:
    """Return since when there is each trouble; versions that knew one for all of them wrote only that."""
    if "troubles_since" in facts:
        return dict(_decoded(facts["troubles_since"], list[tuple[Key, datetime]], "troubles_since"))
    since = instant_of(facts.get("blind_since"), "blind_since")
    return {SIGHT: since} if since else {}


def reports_of(text: str | None) -> list[Reported]:
    """Return the deployments that were reported; none where they cannot be read, as nothing else depends on them."""
    try:
        return cast("list[Reported]", _decoded(text or "[]", list[Reported], "deployments"))
    except LedgerError as error:
        log.error("%s; they are left out", error)  # noqa: TRY400 - a sentence says it all
        return []


def charts_of(text: str | None) -> list[ShownChart]:
    """Return the charts that are in chats; none where they cannot be read, as nothing else depends on them."""
    try:
        return cast("list[ShownChart]", _decoded(text or "[]", list[ShownChart], "charts"))
    except LedgerError as error:
        log.error("%s; they stay as they are", error)  # noqa: TRY400 - a sentence says it all
        return []


def number_of(text: str | None, name: str) -> int:
    """Return a number; 0 where none is written.

    Raises:
        LedgerError: It cannot be read.
    """
    try:
        found = int(text or 0)
    except (ValueError, OverflowError) as error:  # OverflowError: an infinite one
        raise _unreadable(name, repr(text)) from error
    if not 0 <= found < 2**53:
        raise LedgerError(f"the ledger has a {name} that cannot be: {found}", f"damaged ({name})")
    return found


def _written(value: object) -> object:
    if isinstance(value, Address):
        return stored(value)
    raise NotImplementedError


def _address(kind: type, value: object) -> object:
    if kind is Address:
        return address_of(value)
    raise NotImplementedError
