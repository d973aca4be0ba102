"""What somebody wants to be silent, and for how long, as they write it: `1h latency deploying`, `until 18:00`."""

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from wine_slo.domain.acts import LONGEST_SILENCE
from wine_slo.domain.incident import Incident
from wine_slo.domain.moments import RECOVERY, UNTIL, NotUnderstoodError, take_moment, take_span
from wine_slo.domain.objective import Alert, Key

NEAR = 0.75  # how alike a word must be to a name to be a slip of it, and not the first word of a reason


class TooLongError(NotUnderstoodError):
    """A span that is longer than anything should be silent."""


class SlipError(NotUnderstoodError):
    """A word that is nearly a name.

    Attributes:
        near: The name.
    """

    def __init__(self, word: str, near: str) -> None:
        super().__init__(word)
        self.near = near


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be silent.

    Attributes:
        until: Until when; None until recovery.
        key: The only objective or label set that it is about; None for everything.
        reason: Why; may be empty.
    """

    until: datetime | None
    key: Key | None = None
    reason: str = ""


def parse_silence(
    words: Sequence[str], keys: Collection[Key], incidents: Mapping[int, Incident], now: datetime, zone: tzinfo
) -> Wish:
    """What the words after `/silence` want.

    Args:
        words: As they were written.
        keys: What can be silenced alone.
        incidents: What `#12` can mean.
        now: The instant from which a span is counted.
        zone: The zone in which a time of day is meant.

    Raises:
        NotUnderstoodError: They want nothing that can be done.
    """
    until, rest = _take_until(words, now, zone)
    key, rest = _take_key(rest, keys, incidents)
    return Wish(until, key, " ".join(rest))


def _take_until(words: Sequence[str], now: datetime, zone: tzinfo) -> tuple[datetime | None, Sequence[str]]:
    if not words:
        raise NotUnderstoodError("")
    if words[0].lower() in UNTIL:
        if len(words) > 1 and words[1].lower() in RECOVERY:
            return None, words[2:]
        return take_moment(words[1:], now, zone)
    if words[0].lower() in RECOVERY:
        return None, words[1:]
    try:
        span, rest = take_span(words)
        until = now + span if span else None
    except OverflowError as error:
        raise TooLongError(words[0]) from error
    if span is None or until is None or span <= timedelta(0):
        if near := difflib.get_close_matches(words[0].lower(), UNTIL[:1], n=1, cutoff=NEAR):
            raise SlipError(words[0], near[0])
        raise NotUnderstoodError(words[0])
    if span > LONGEST_SILENCE:
        raise TooLongError(words[0])
    return until, rest


def _take_key(
    words: Sequence[str], keys: Collection[Key], incidents: Mapping[int, Incident]
) -> tuple[Key | None, Sequence[str]]:
    """The objective or label set that the next words name, and the words after it; None where they name none."""
    if not words:
        return None, words
    number = words[0].removeprefix("#")
    if words[0] != number and number.isdecimal():
        incident = incidents.get(int(number))
        if incident is None:
            raise NotUnderstoodError(words[0])
        return Key(incident.key.objective, incident.key.labels), words[1:]
    plain = [key for key in keys if key.alert is Alert.BREACH]
    text = " ".join(words)
    for key in sorted(plain, key=lambda each: -len(str(each))):
        name = str(key)
        if text.lower() == name.lower() or text.lower().startswith(f"{name.lower()} "):
            return key, text[len(name) :].split()
    names = {key.objective for key in plain}
    near = difflib.get_close_matches(words[0].lower(), names, n=1, cutoff=NEAR)
    if near:
        raise SlipError(words[0], near[0])
    return None, words
