"""What to say: the difference between an incident and what a chat believes of it.

Levels, not edges: nothing here knows what just changed. A failed send, a restart or an outage of the chat leave a
difference, and the next pass says it.

| truth | the chat believes | so |
|---|---|---|
| open | nothing, or that it was over | the breach, loud |
| open, the text differs | open | that message is edited, quietly and at most once a minute |
| open for long | open | a reminder, loud |
| closed | open | the recovery, as a reply to the breach |
| closed, the first message does not say so | closed | that message is edited |
| closed | nothing | one line for both |
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wine_slo.domain.incident import Incident
from wine_slo.domain.objective import Alert
from wine_slo.domain.reading import Sight

STORM = 5  # more notices of a kind than this at once are one message
EDITED_EVERY = timedelta(minutes=1)  # a message that changes more often is read by nobody


class Stage(StrEnum):
    """How much of an incident a chat has been told."""

    NOTHING = "nothing"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one chat believes of one incident.

    Attributes:
        opening: Which opening of the incident it was told.
        message: The id of the live message.
        text: What that message reads.
        held: Why it was said to be held.
        breach_told_at: When the breach was told.
        written_at: When the live message was written last.
        loud_at: When the chat last made a sound for it.
        perhaps_sent: A send was begun and its end is not known, so it may have arrived.
        is_folded: Its message is about other incidents too, so it is not edited.
    """

    incident: int
    chat: int
    stage: Stage = Stage.NOTHING
    opening: int = 0
    message: int | None = None
    text: str = ""
    held: Sight | None = None
    breach_told_at: datetime | None = None
    written_at: datetime | None = None
    loud_at: datetime | None = None
    perhaps_sent: bool = False
    is_folded: bool = False


class Kind(StrEnum):
    """What a notice is for."""

    BREACH = "breach"
    EDIT = "edit"
    REMINDER = "reminder"
    RECOVERY = "recovery"
    CLOSE = "close"
    MISSED = "missed"
    CHART = "chart"  # these three are told beside, and are never the difference of an incident
    BOARD = "board"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to say in one chat.

    Attributes:
        edits: The message to edit; None when a new one is to be sent.
        reply_to: The message that a new one answers.
        after: What the chat believes once it is told, but for the new message's id.
        others: The same of further incidents that this message tells too.
    """

    kind: Kind
    text: str
    after: Told
    edits: int | None = None
    reply_to: int | None = None
    loud: bool = False
    others: tuple[Told, ...] = ()

    def told(self, message: int) -> tuple[Told, ...]:
        """What the chat believes once a new message with this id has been sent."""
        beliefs = (self.after, *self.others)
        if self.kind in (Kind.BREACH, Kind.MISSED):
            return tuple(replace(each, message=message) for each in beliefs)
        return beliefs


@dataclass(frozen=True, slots=True)
class Words:
    """How an incident reads; each returns HTML. `render` in `words` binds them to an objective and a time zone."""

    breach: Callable[[Incident, Told], str]
    reminder: Callable[[Incident], str]
    recovery: Callable[[Incident, Told], str]
    closed: Callable[[Incident], str]
    missed: Callable[[Incident], str]
    storm: Callable[[Kind, Sequence[Incident]], str]


def next_notice(
    incident: Incident, told: Told, words: Words, now: datetime, *, remind_after: timedelta, hushed: bool = False
) -> Notice | None:
    """The next thing to say in a chat about an incident; None when the chat believes the truth.

    Args:
        incident: The truth.
        told: What the chat believes.
        words: How it reads.
        now: The instant of this pass.
        remind_after: A breach that is open for so long is told again.
        hushed: Whether nothing can be seen, so that edits and reminders would say what nobody knows.
    """
    match incident.is_open, told.stage:
        case True, Stage.NOTHING | Stage.CLOSED:
            return _breach(incident, told, words, now)
        case True, Stage.OPENED if not hushed:
            return _reminder(incident, told, words, now, remind_after) or _edit(incident, told, words, now)
        case False, Stage.OPENED:
            return _recovery(incident, told, words)
        case False, Stage.CLOSED if told.opening == incident.openings:
            return _close(incident, told, words, now)
        case False, Stage.NOTHING | Stage.CLOSED:
            return _missed(incident, told, words, now)
        case _:
            return None


def _breach(incident: Incident, told: Told, words: Words, now: datetime) -> Notice:
    text = words.breach(incident, told)
    after = replace(
        told,
        stage=Stage.OPENED,
        opening=incident.openings,
        text=text,
        held=incident.held,
        breach_told_at=now,
        written_at=now,
        loud_at=now,
        perhaps_sent=False,
        is_folded=False,
    )
    is_loud = incident.key.alert is not Alert.TICKET
    return Notice(kind=Kind.BREACH, text=text, after=after, reply_to=told.message, loud=is_loud)


def _reminder(incident: Incident, told: Told, words: Words, now: datetime, remind_after: timedelta) -> Notice | None:
    if incident.key.alert is Alert.TICKET or told.loud_at is None or now - told.loud_at < remind_after:
        return None
    after = replace(told, loud_at=now, perhaps_sent=False)
    return Notice(kind=Kind.REMINDER, text=words.reminder(incident), after=after, reply_to=told.message, loud=True)


def _edit(incident: Incident, told: Told, words: Words, now: datetime) -> Notice | None:
    turned = incident.held is not told.held or incident.openings != told.opening
    if not turned and told.written_at is not None and now - told.written_at < EDITED_EVERY:
        return None
    text = words.breach(incident, replace(told, perhaps_sent=False))
    if text == told.text or told.message is None or told.is_folded:
        return None
    after = replace(told, opening=incident.openings, text=text, held=incident.held, written_at=now)
    return Notice(kind=Kind.EDIT, text=text, after=after, edits=told.message)


def _recovery(incident: Incident, told: Told, words: Words) -> Notice:
    after = replace(told, stage=Stage.CLOSED, opening=incident.openings, perhaps_sent=False)
    return Notice(kind=Kind.RECOVERY, text=words.recovery(incident, told), after=after, reply_to=told.message)


def _close(incident: Incident, told: Told, words: Words, now: datetime) -> Notice | None:
    text = words.closed(incident)
    if text == told.text or told.message is None or told.is_folded:
        return None
    return Notice(kind=Kind.CLOSE, text=text, after=replace(told, text=text, written_at=now), edits=told.message)


def _missed(incident: Incident, told: Told, words: Words, now: datetime) -> Notice:
    text = words.missed(incident)
    after = replace(
        told,
        stage=Stage.CLOSED,
        opening=incident.openings,
        text=words.closed(incident),
        written_at=now,
        perhaps_sent=False,
    )
    return Notice(kind=Kind.MISSED, text=text, after=after, reply_to=told.message)


def fold(notices: Sequence[tuple[Incident, Notice]], words: Words) -> Notice | None:
    """One notice for all of a kind of which there are too many to be read; None where there are not.

    Args:
        notices: What is to be told in one chat, with what each is about.
        words: How it reads.
    """
    for kind in (Kind.BREACH, Kind.RECOVERY, Kind.MISSED):
        those = [(incident, notice) for incident, notice in notices if notice.kind is kind]
        if len(those) > STORM:
            beliefs = tuple(replace(notice.after, is_folded=True) for _, notice in those)
            return Notice(
                kind=kind,
                text=words.storm(kind, [incident for incident, _ in those]),
                after=beliefs[0],
                others=beliefs[1:],
                reply_to=those[0][1].reply_to if kind is Kind.RECOVERY else None,
                loud=any(notice.loud for _, notice in those),
            )
    return None
