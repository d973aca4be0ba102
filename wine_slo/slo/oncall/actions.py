"""What people did: who acknowledged, silenced or took back what, and when.

An action is a fact and never changes; what holds now (who has an incident, which silences run) is read from all of
them. An evaluation touches none of it, and no action touches what an evaluation found: acknowledgements and silences
are about messages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import TAKEN, Key

UNDONE_WITHIN = timedelta(minutes=5)  # longer ago, an action is history, and others have acted upon it
LONGEST_SILENCE = timedelta(days=7)  # what is to be quiet for longer is no objective
LONGEST_REASON = 200  # characters
KEPT = timedelta(days=90)  # actions at hand; the ledger keeps them all
BEGAN_BEFORE = timedelta(minutes=2)  # a drill; the first bad interval may have begun that long before it
ANNOUNCED_EVERY = timedelta(days=1)  # as long as a silence runs


class ActionKind(StrEnum):
    """Kinds of actions."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    END = "end"  # of a silence, before its time
    UNDO = "undo"  # of one's own last action
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
        until: When a drill ends at the latest whose incident does not show by itself that it is one; else None.
        opening: Which opening of it.
        silence: What was silenced; None for other actions.
        of: The action that was undone or ended; None for other actions.
        chat: Where.
    """

    number: int
    at: datetime
    deed: ActionKind
    by: Person
    chat: Address
    cause: str
    incident: int | None = None
    opening: int = 1
    silence: Silence | None = None
    of: int | None = None
    objective: str = ""
    until: datetime | None = None

    @property
    def request(self) -> str:
        """Return what names everything that was done by the same message."""
        return self.cause.partition(" #")[0]

    def is_fresh(self, now: datetime) -> bool:
        """Return whether it can still be taken back."""
        return now - self.at <= UNDONE_WITHIN


@dataclass(frozen=True, slots=True)
class _Index:
    """Actions by what they are searched for, as thousands of incidents may be acknowledged at once.

    Attributes:
        ends: When each action was ended or undone first, by its number.
        acknowledgements: Those of each incident's opening, oldest first; undone ones too.
        silences: Those that silence something, oldest first.
        causes: The action of each cause.
        drills: The drills, newest first.
    """

    ends: Mapping[int, datetime]
    acknowledgements: Mapping[tuple[int, int], Sequence[Action]]
    silences: Sequence[Action]
    causes: Mapping[str, Action]
    drills: Sequence[Action]

    @classmethod
    def of(cls, actions: Sequence[Action]) -> "_Index":
        ends: dict[int, datetime] = {}
        acknowledgements: dict[tuple[int, int], list[Action]] = {}
        for action in actions:
            if action.of is not None:
                ends.setdefault(action.of, action.at)
            if action.deed is ActionKind.ACKNOWLEDGE and action.incident is not None:
                acknowledgements.setdefault((action.incident, action.opening), []).append(action)
        silences = [each for each in actions if each.silence is not None]
        drills = [each for each in reversed(actions) if each.deed is ActionKind.DRILL]
        return cls(ends, acknowledgements, silences, {each.cause: each for each in actions}, drills)


@dataclass(frozen=True, slots=True)
class Actions:
    """Everything that people did, oldest first.

    Attributes:
        last_number: The highest number that was ever given, where that is of none of them.
    """

    all: tuple[Action, ...] = ()
    last_number: int = field(default=0, compare=False)
    _index: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse actions that are out of order."""
        if any(later.number <= earlier.number for earlier, later in zip(self.all, self.all[1:], strict=False)):
            raise ValueError("actions must be in the order of their numbers")
        object.__setattr__(self, "_index", _Index.of(self.all))

    @classmethod
    def kept(cls, actions: Iterable[Action], last_number: int = 0) -> "Actions":
        """Return what was kept, in whatever order it comes; of two with one number the first."""
        by_number: dict[int, Action] = {}
        for action in actions:
            by_number.setdefault(action.number, action)
        return cls(tuple(by_number[number] for number in sorted(by_number)), last_number)

    def with_more(self, actions: Sequence[Action]) -> "Actions":
        """Return these and some that have no number yet; what is too old to matter is left out."""
        if not actions:
            return self
        first = max(self.all[-1].number if self.all else 0, self.last_number) + 1
        oldest = max(each.at for each in actions) - KEPT
        numbered = [replace(action, number=number) for number, action in enumerate(actions, first)]
        return Actions((*(each for each in self.all if each.at > oldest), *numbered), numbered[-1].number)

    def of_cause(self, cause: str) -> Action | None:
        """Return the action that a message or a press has led to already."""
        return self._index.causes.get(cause)

    def of_number(self, number: int) -> Action | None:
        """Return the action of that number; None where it is not at hand."""
        return next((action for action in reversed(self.all) if action.number == number), None)

    def about(self, incident: Incident) -> tuple[Action, ...]:
        """Return everything that was done about an incident, oldest first; its history."""
        ours = {
            action.number for action in self.all if action.incident == incident.number or self._muted(action, incident)
        }
        return tuple(action for action in self.all if action.number in ours or action.of in ours)

    def _muted(self, action: Action, incident: Incident) -> bool:
        """Return whether an action is a silence that ran at some time of an incident."""
        silence = action.silence
        if silence is None or not silence.mutes(incident):
            return False
        if incident.closed_at is not None and action.at > incident.closed_at:
            return False
        if silence.until is None and all(number != incident.number for number, _ in silence.incidents):
            return False
        ends = [silence.until, self._index.ends.get(action.number)]
        return all(each is None or each > incident.began_at for each in ends)

    def acknowledgement(self, incident: Incident) -> Action | None:
        """Return who has it; of an incident that came back, who has it this time."""
        those = self._index.acknowledgements.get((incident.number, incident.openings), ())
        return next((action for action in those if action.number not in self._index.ends), None)

    def given_up_at(self, incident: Incident) -> datetime | None:
        """Return when somebody took back last that they have an incident, this time; None where nobody did."""
        those = self._index.acknowledgements.get((incident.number, incident.openings), ())
        ends = (self._index.ends.get(each.number) for each in those)
        return max((each for each in ends if each is not None), default=None)

    def drill_of(self, incident: Incident) -> Action | None:
        """Return the drill that somebody began shortly before an incident was seen.

        None where that was no drill of a chat.
        """
        if not incident.is_of_drill:
            return None
        name = "" if incident.key.is_own else incident.key.objective  # a service that is down is no objective's
        return next((each for each in self._drills(name) if each.at <= incident.opened_at), None)

    def is_announced(self, incident: Incident, objective: str = "") -> bool:
        """Return whether an incident began while a drill of an objective ran that was announced as one.

        Args:
            incident: Of that objective, or of the targets that it is about.
            objective: Its name; that of the incident where it is left out.
        """
        drills = self._drills(objective or incident.key.objective)
        last = next((each for each in drills if each.at <= incident.opened_at), None)
        if last is None or last.until is None:
            return False
        ended_at = self._index.ends.get(last.number, last.until)
        return last.at - BEGAN_BEFORE <= incident.since <= min(ended_at, last.until)

    def running_drill(self, objective: str, now: datetime) -> Action | None:
        """Return the announced drill of an objective that runs now; None where none does."""
        last = next(iter(self._drills(objective)), None)
        is_over = last is None or last.until is None or last.until <= now or last.number in self._index.ends
        return None if is_over else last

    def _drills(self, objective: str) -> Iterable[Action]:
        """Return the drills of an objective, or of all where none is named, the last one first."""
        return (each for each in self._index.drills if objective in ("", each.objective))

    def to_announce(self, incidents: Mapping[int, Incident], since: datetime, now: datetime) -> tuple[Action, ...]:
        """Return the silences that run, and one more day of which has passed since then."""
        return tuple(
            action
            for action in self.silences(incidents, now)
            if (now - action.at) // ANNOUNCED_EVERY > (max(since, action.at) - action.at) // ANNOUNCED_EVERY
        )

    def silences(self, incidents: Mapping[int, Incident], now: datetime) -> tuple[Action, ...]:
        """Return the silences that run now, oldest first."""
        if not self._index.silences:
            return ()
        ends = self._index.ends
        return tuple(
            action
            for action in self._index.silences
            if action.silence is not None and action.number not in ends and action.silence.runs(incidents, now)
        )

    def silence_of(self, incident: Incident, incidents: Mapping[int, Incident], now: datetime) -> Action | None:
        """Return the silence that mutes an incident now: the one that lasts longest where there are several."""
        those = [
            action for action in self.silences(incidents, now) if action.silence and action.silence.mutes(incident)
        ]
        return max(those, key=lambda action: _end(action, now), default=None)

    def silence_about(self, key: Key, incidents: Mapping[int, Incident], now: datetime) -> Action | None:
        """Return the silence that mutes a key now: the one that lasts longest where there are several."""
        those = [action for action in self.silences(incidents, now) if action.silence and action.silence.is_about(key)]
        return max(those, key=lambda action: _end(action, now), default=None)

    def ran_out(self, key: Key, now: datetime) -> datetime | None:
        """Return when the last silence about a key ran out by itself; None where none did."""
        ended = self._index.ends
        ends = (
            action.silence.until
            for action in self._index.silences
            if action.silence and action.silence.until and action.silence.is_about(key) and action.number not in ended
        )
        return max((each for each in ends if each <= now), default=None)

    def had_silence(self, incident: Incident, incidents: Mapping[int, Incident]) -> bool:
        """Return whether it was silenced when it opened: why nobody was notified."""
        opened_at = incident.opened_at
        for action in self._index.silences:
            silence = action.silence
            if silence is None or not silence.mutes(incident) or action.at > opened_at:
                continue
            ended_at = self._index.ends.get(action.number)
            if silence.until is None:
                those = [incidents[number] for number, _ in silence.incidents if number in incidents]
                runs = any(each.closed_at is None or each.closed_at > opened_at for each in those)
            else:
                runs = silence.until > opened_at
            if runs and (ended_at is None or ended_at > opened_at):
                return True
        return False

    def was_ended(self, number: int) -> bool:
        """Return whether somebody has ended or undone that action, so that it did not end by itself."""
        return number in self._index.ends

    def undoable(self, person: int, now: datetime) -> tuple[Action, ...]:
        """Return what a person did last, by one message, where it can still be taken back."""
        ended = self._index.ends
        those = [
            action
            for action in self.all
            if action.by.id == person
            and action.deed in (ActionKind.ACKNOWLEDGE, ActionKind.SILENCE)
            and action.number not in ended
            and action.is_fresh(now)
        ]
        return tuple(action for action in those if action.request == those[-1].request)

    def is_other_of_that_name(self, person: Person) -> bool:
        """Return whether somebody else of the same name has done something."""
        return any(
            action.by.id != person.id and action.by.name.casefold() == person.name.casefold() for action in self.all
        )


NO_ACTIONS = Actions()


def ended(action: Action, at: datetime) -> Action:
    """Return that an action has ended, by who did it."""
    return replace(
        action, number=0, at=at, deed=ActionKind.END, cause=f"{action.cause} #end", of=action.number, until=None
    )


def _end(action: Action, now: datetime) -> datetime:
    """Return the end by which the longest silence is chosen; one until recovery has no end that is known."""
    until = action.silence.until if action.silence else None
    return until or now + 2 * LONGEST_SILENCE
