"""What people did: who acknowledged, silenced or took back what, and when.

An act is a fact and never changes; what holds now (who has an incident, which silences run) is read from all of them.
An evaluation touches none of it, and no act touches what an evaluation found: acknowledgements and silences are about
messages.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import TAKEN, Key

UNDONE_WITHIN = timedelta(minutes=5)  # longer ago, an act is history, and others have acted upon it
LONGEST_SILENCE = timedelta(days=7)  # what is to be quiet for longer is no objective
LONGEST_REASON = 200  # characters
KEPT = timedelta(days=90)  # acts at hand; the ledger keeps them all
ANNOUNCED_EVERY = timedelta(days=1)  # as long as a silence runs


class ActionKind(StrEnum):
    """Kinds of acts."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    END = "end"  # of a silence, before its time
    UNDO = "undo"  # of one's own last act
    DRILL = "drill"  # an incident on purpose


@dataclass(frozen=True, slots=True)
class Silence:
    """A span of time in which nothing is said of some objectives.

    One of everything is about the objectives only: that nothing can be judged, that nothing can be written down and
    that the whole service is down are notified all the same.

    Attributes:
        until: When it ends; None where it ends with the recovery of `incidents`.
        incidents: The incidents that it outlasts, by number, each with the opening that it was made in.
        objective: The only objective that it is about; empty for all of them.
        labels: The only label set of it; empty for all of them.
        reason: Why, in the words of who made it; may be empty.
    """

    until: datetime | None = None
    incidents: tuple[tuple[int, int], ...] = ()
    objective: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    def is_about(self, key: Key) -> bool:
        """Return whether what is said of that key is muted by it."""
        if not self.objective:
            return key.objective not in TAKEN
        return key.objective == self.objective and set(self.labels) <= set(key.labels)

    def mutes(self, incident: Incident) -> bool:
        """Return whether what is said of an incident is muted by it."""
        return self.is_about(incident.key) and (bool(self.objective) or not incident.is_outage)

    def runs(self, incidents: Mapping[int, Incident], now: datetime) -> bool:
        """Return whether its time is not over; by itself, so unless somebody has ended it."""
        if self.until is not None:
            return now < self.until
        return any(
            number in incidents and incidents[number].is_open and incidents[number].openings == opening
            for number, opening in self.incidents
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that somebody did.

    Attributes:
        number: Its place among all of them.
        cause: The message or the press by which it was done, so that one that is delivered twice counts once.
        incident: What was acknowledged; None for other actions.
        objective: What a drill breaks; empty for other actions.
        opening: Which opening of it.
        silence: What was silenced; None for other actions.
        of: The act that was undone or ended; None for other actions.
        chat: Where.
    """

    number: int
    at: datetime
    deed: ActionKind
    by: Person
    chat: int
    cause: str
    incident: int | None = None
    opening: int = 1
    silence: Silence | None = None
    of: int | None = None
    objective: str = ""

    @property
    def request(self) -> str:
        """Return what names everything that was done by the same message."""
        return self.cause.partition(" #")[0]

    def is_fresh(self, now: datetime) -> bool:
        """Return whether it can still be taken back."""
        return now - self.at <= UNDONE_WITHIN


@dataclass(frozen=True, slots=True)
class Actions:
    """Everything that people did, oldest first.

    Attributes:
        last_number: The highest number that was ever given, where that is of none of them.
    """

    all: tuple[Action, ...] = ()
    last_number: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse acts that are out of order."""
        if any(later.number <= earlier.number for earlier, later in zip(self.all, self.all[1:], strict=False)):
            raise ValueError("acts must be in the order of their numbers")

    @classmethod
    def kept(cls, acts: Iterable[Action], last_number: int = 0) -> "Actions":
        """Return what was kept, in whatever order it comes; of two with one number the first."""
        by_number: dict[int, Action] = {}
        for act in acts:
            by_number.setdefault(act.number, act)
        return cls(tuple(by_number[number] for number in sorted(by_number)), last_number)

    def with_one_more(self, act: Action) -> "Actions":
        """Return these and one that has no number yet; what is too old to matter is left out."""
        number = max((each.number for each in self.all), default=self.last_number)
        number = max(number, self.last_number) + 1
        oldest = act.at - KEPT
        return Actions((*(each for each in self.all if each.at > oldest), replace(act, number=number)), number)

    def of_cause(self, cause: str) -> Action | None:
        """Return the act that a message or a press has led to already."""
        return next((act for act in reversed(self.all) if act.cause == cause), None)

    def of_number(self, number: int) -> Action | None:
        """Return the act of that number; None where it is not at hand."""
        return next((act for act in reversed(self.all) if act.number == number), None)

    def about(self, incident: Incident) -> tuple[Action, ...]:
        """Return everything that was done about an incident, oldest first; its history."""
        ours = {act.number for act in self.all if act.incident == incident.number or self._muted(act, incident)}
        return tuple(act for act in self.all if act.number in ours or act.of in ours)

    def _muted(self, act: Action, incident: Incident) -> bool:
        """Return whether an act is a silence that ran at some time of an incident."""
        silence = act.silence
        if silence is None or not silence.mutes(incident):
            return False
        if incident.closed_at is not None and act.at > incident.closed_at:
            return False
        if silence.until is None and all(number != incident.number for number, _ in silence.incidents):
            return False
        ends = [silence.until, next((each.at for each in self.all if each.of == act.number), None)]
        return all(each is None or each > incident.began_at for each in ends)

    def acknowledgement(self, incident: Incident) -> Action | None:
        """Return who has it; of an incident that came back, who has it this time."""
        gone = self._gone
        return next(
            (
                act
                for act in self.all
                if act.deed is ActionKind.ACKNOWLEDGE
                and act.incident == incident.number
                and act.opening == incident.openings
                and act.number not in gone
            ),
            None,
        )

    def given_up_at(self, incident: Incident) -> datetime | None:
        """Return when somebody took back last that they have an incident, this time; None where nobody did."""
        those = {
            act.number
            for act in self.all
            if act.deed is ActionKind.ACKNOWLEDGE
            and act.incident == incident.number
            and act.opening == incident.openings
        }
        return max((act.at for act in self.all if act.of in those), default=None)

    def drill_of(self, incident: Incident) -> Action | None:
        """Return the drill that somebody began shortly before an incident was seen.

        None where that was no drill of a chat.
        """
        those = (act for act in reversed(self.all) if act.deed is ActionKind.DRILL and act.at <= incident.opened_at)
        return next((act for act in those if incident.is_drill and act.objective == incident.key.objective), None)

    def to_announce(self, incidents: Mapping[int, Incident], since: datetime, now: datetime) -> tuple[Action, ...]:
        """Return the silences that run, and one more day of which has passed since then."""
        return tuple(
            act
            for act in self.silences(incidents, now)
            if (now - act.at) // ANNOUNCED_EVERY > (max(since, act.at) - act.at) // ANNOUNCED_EVERY
        )

    def silences(self, incidents: Mapping[int, Incident], now: datetime) -> tuple[Action, ...]:
        """Return the silences that run now, oldest first."""
        gone = self._gone
        return tuple(
            act
            for act in self.all
            if act.silence is not None and act.number not in gone and act.silence.runs(incidents, now)
        )

    def silence_of(self, incident: Incident, incidents: Mapping[int, Incident], now: datetime) -> Action | None:
        """Return the silence that mutes an incident now: the one that lasts longest where there are several."""
        those = [act for act in self.silences(incidents, now) if act.silence and act.silence.mutes(incident)]
        return max(those, key=lambda act: _end(act, now), default=None)

    def silence_about(self, key: Key, incidents: Mapping[int, Incident], now: datetime) -> Action | None:
        """Return the silence that mutes a key now: the one that lasts longest where there are several."""
        those = [act for act in self.silences(incidents, now) if act.silence and act.silence.is_about(key)]
        return max(those, key=lambda act: _end(act, now), default=None)

    def ran_out(self, key: Key, now: datetime) -> datetime | None:
        """Return when the last silence about a key ran out by itself; None where none did."""
        gone = self._gone
        ends = (
            act.silence.until
            for act in self.all
            if act.silence and act.silence.until and act.silence.is_about(key) and act.number not in gone
        )
        return max((each for each in ends if each <= now), default=None)

    def had_silence(self, incident: Incident, incidents: Mapping[int, Incident]) -> bool:
        """Return whether it was silenced when it opened: why nobody was notified."""
        opened_at = incident.opened_at
        for act in self.all:
            silence = act.silence
            if silence is None or not silence.mutes(incident) or act.at > opened_at:
                continue
            ended_at = next((each.at for each in self.all if each.of == act.number), None)
            if silence.until is None:
                those = [incidents[number] for number, _ in silence.incidents if number in incidents]
                runs = any(each.closed_at is None or each.closed_at > opened_at for each in those)
            else:
                runs = silence.until > opened_at
            if runs and (ended_at is None or ended_at > opened_at):
                return True
        return False

    def was_ended(self, number: int) -> bool:
        """Return whether somebody has ended or undone that act, so that it did not end by itself."""
        return number in self._gone

    def undoable(self, person: int, now: datetime) -> tuple[Action, ...]:
        """Return what a person did last, by one message, where it can still be taken back."""
        gone = self._gone
        those = [
            act
            for act in self.all
            if act.by.id == person
            and act.deed in (ActionKind.ACKNOWLEDGE, ActionKind.SILENCE)
            and act.number not in gone
            and act.is_fresh(now)
        ]
        return tuple(act for act in those if act.request == those[-1].request)

    def is_other_of_that_name(self, person: Person) -> bool:
        """Return whether somebody else of the same name has done something."""
        return any(act.by.id != person.id and act.by.name.casefold() == person.name.casefold() for act in self.all)

    @property
    def _gone(self) -> Collection[int]:
        return {act.of for act in self.all if act.of is not None}


NO_ACTIONS = Actions()


def _end(act: Action, now: datetime) -> datetime:
    """Return the end by which the longest silence is chosen; one until recovery has no end that is known."""
    until = act.silence.until if act.silence else None
    return until or now + 2 * LONGEST_SILENCE
