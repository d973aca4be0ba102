"""The phases of a breach and a recovery, and the one table of events that move them.

Everything that moves a phase emits an event and calls `after`; an event that the table does not have for a phase moves
nothing. While there is insufficient data no event is emitted: absence opens nothing and closes nothing. The only way
out of an incident without data is its expiry, which is never called a recovery.
"""

from enum import StrEnum


class Phase(StrEnum):
    """How far a breach or a recovery has come."""

    MET = "met"
    BREACHING = "breaching"
    BREACHED = "breached"
    RECOVERING = "recovering"

    @property
    def is_open(self) -> bool:
        """Return whether there is an incident."""
        return self in (Phase.BREACHED, Phase.RECOVERING)


class Event(StrEnum):
    """What moves a phase, in the words of the documentation."""

    BAD = "bad interval"
    GOOD = "good interval"
    PROVEN = "breach proven"
    CLEARED = "suspicion cleared"
    FORGOTTEN = "evidence too old"
    RECOVERED = "recovery proven"
    EXPIRED = "no events for long"
    BURNING = "budget burns too fast"
    BURN_ENDED = "burn rate is back to normal"


TRANSITIONS = {
    (Phase.MET, Event.BAD): Phase.BREACHING,
    (Phase.BREACHING, Event.PROVEN): Phase.BREACHED,
    (Phase.BREACHING, Event.CLEARED): Phase.MET,
    (Phase.BREACHING, Event.FORGOTTEN): Phase.MET,
    (Phase.BREACHED, Event.GOOD): Phase.RECOVERING,
    (Phase.BREACHED, Event.RECOVERED): Phase.MET,
    (Phase.BREACHED, Event.EXPIRED): Phase.MET,
    (Phase.RECOVERING, Event.BAD): Phase.BREACHED,
    (Phase.RECOVERING, Event.RECOVERED): Phase.MET,
    (Phase.RECOVERING, Event.EXPIRED): Phase.MET,
    # A budget is one number that needs no proof, so its alert has two phases.
    (Phase.MET, Event.BURNING): Phase.BREACHED,
    (Phase.BREACHED, Event.BURN_ENDED): Phase.MET,
}


def after(phase: Phase, event: Event) -> Phase:
    """Return the phase that follows; the same one where the event does not move it."""
    return TRANSITIONS.get((phase, event), phase)


def diagram() -> str:
    """Return the table as a state diagram in Mermaid, which `docs/house.md` and the page on judgement show."""
    moves = (f"    {before} --> {then}: {event}" for (before, event), then in TRANSITIONS.items())
    return "\n".join(("stateDiagram-v2", f"    [*] --> {Phase.MET}", *moves))
