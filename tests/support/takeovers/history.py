"""What was seen from outside of several watchdogs that took over from each other.

Instants are seconds of one clock, that of the machine on which all of it ran.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

DUPLICATE = "This may be a duplicate"
CHART = "sendphoto"
SENDS = ("sendmessage", CHART)
EDIT = "editmessagetext"
SPEAKS = (*SENDS, EDIT, "editmessagereplymarkup", "deletemessage", "pinchatmessage", "answercallbackquery")
POLL = "getupdates"
ALL_OVER = "None is in breach any more."
TELEGRAM_AWAY = "Telegram away"  # in the kind of a blow


class Kind(StrEnum):
    """What a message says."""

    BEGIN = "a breach"
    END = "its end"
    LATE = "both, late"
    TAKEOVER = "a takeover"
    OTHER = "something else"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One time that a label set of the service was really bad."""

    name: str
    since: float
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of Telegram by one of the watchdogs.

    Attributes:
        is_done: Whether Telegram did what it wanted, whatever became of the answer.
        text: As people read it, of a message.
    """

    who: str
    method: str
    at: float
    ended_at: float | None = None
    is_done: bool = True
    text: str = ""

    @property
    def is_message(self) -> bool:
        return self.is_done and self.method in SENDS

    @property
    def is_marked(self) -> bool:
        """Whether it says of itself that it may be a repeat."""
        return DUPLICATE in self.text

    @property
    def kind(self) -> Kind:
        text = self.text
        if self.method == CHART:
            return Kind.OTHER
        if text.startswith(("🔴", "🟣", "🟠")):
            return Kind.BEGIN
        if text.startswith("🟢"):
            return Kind.END
        if "took over" in text:
            return Kind.TAKEOVER
        return Kind.LATE if text.startswith("⚪️") and "Delivered late" in text else Kind.OTHER

    @property
    def incident(self) -> str:
        """The number of what it is about; empty where it is about none."""
        found = re.findall(r"#(\d+)", self.text)
        return found[-1] if found else ""

    def names(self, breach: Breach) -> bool:
        """Whether it is of a breach: it has its name, or says that of all there is none any more."""
        return re.search(rf"{re.escape(breach.name)}(?!\w)", self.text) is not None or ALL_OVER in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One time that a watchdog had the lease, by the database.

    Attributes:
        number: The fencing number.
        until: When the next one took it; infinite for the last.
        is_freed: Whether it let the lease go by itself.
    """

    number: int
    who: str
    since: float
    until: float = float("inf")
    is_freed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One row that was written, by the database, and committed.

    Attributes:
        who: Which watchdog's connection wrote it.
        leader: Who had the lease in that transaction.
    """

    who: str
    leader: str
    at: float
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """One thing that was done to a watchdog, or to all of them.

    Attributes:
        who: Whom it hit; empty where all of them.
        until: When it was over.
        within: Seconds within which another one must lead; None where none need to.
    """

    kind: str
    who: str
    at: float
    until: float = float("inf")
    within: float | None = None


@dataclass(slots=True)
class History:
    """Everything of one run.

    Attributes:
        lease: Seconds that a lease lasts.
        ended: The watchdogs that ended though nobody had them end, with their statuses.
        logs: What each process said.
    """

    lease: float
    breaches: list[Breach] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    tenures: list[Tenure] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    blows: list[Blow] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> list[Call]:
        return sorted((each for each in self.calls if each.is_message), key=lambda each: each.at)

    @property
    def joins(self) -> list[Call]:
        """The edits by which a breach may have come into the message of another one, which had a sound."""
        return [each for each in self.calls if each.is_done and each.method == EDIT and each.kind is Kind.BEGIN]

    @property
    def takeovers(self) -> list[tuple[Tenure, Tenure]]:
        """The tenures that another one's followed, with that."""
        return [(before, after) for before, after in pairwise(self.tenures) if before.who != after.who]

    def leader_at(self, at: float) -> Tenure | None:
        return next((each for each in self.tenures if each.since <= at < each.until), None)

    def blow_before(self, tenure: Tenure) -> Blow | None:
        """Return what had been done last when a tenure began."""
        return max((each for each in self.blows if each.at <= tenure.since), key=lambda each: each.at, default=None)

    def successor(self, blow: Blow) -> Tenure | None:
        """Return the first tenure of another one after a blow."""
        return next((each for each in self.tenures if each.since >= blow.at and each.who != blow.who), None)

    def polls_since(self, tenure: Tenure) -> float | None:
        """Return when the leader first polled Telegram in a tenure; None where it never did."""
        own = (each.at for each in self.calls if each.who == tenure.who and each.method == POLL)
        return min((at for at in own if tenure.since <= at < tenure.until), default=None)
