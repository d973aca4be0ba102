"""What is found of a ledger when it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is found of a ledger.

    Attributes:
        ledger: Where it is, without a password.
        schema: The version of its tables.
        known_schema: That of this program.
        bytes: How many it takes.
        rows: How many rows each table has, by what is in it.
        open_incidents: How many incidents are open.
        oldest_incident: When the oldest one began; None where there is none.
        leader: Who leads, or led last; empty where nobody ever did.
        is_led: Whether that one leads now.
        lease_number: How often the lead was taken.
        damage: What is wrong, a sentence each.
    """

    ledger: str
    schema: int
    known_schema: int
    bytes: int
    rows: Mapping[str, int]
    open_incidents: int
    oldest_incident: datetime | None
    leader: str
    is_led: bool
    lease_number: int
    damage: tuple[str, ...]
