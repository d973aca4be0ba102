"""What somebody wants to be silent, and for how long, as they write it: `1h latency deploying`, `всё до 18.00`.

Both must be said, in either order; everything is `all`, and never what is left where a name was not understood:
`all errors` is the errors, and `all but errors` is answered with choices. What follows is the reason. What is missing
or unclear is answered with whole requests to choose from.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import LONGEST_REASON, LONGEST_SILENCE
from wine_slo.slo.oncall.lookup import NEAR, Names, UnknownNameError, UnknownNumberError
from wine_slo.slo.oncall.time_phrases import UNTIL, NotUnderstoodError, NoUnitError, TooLongError, take_end

ALL = ("all", "everything", "every", "*", "всё", "все", "всего", "всем")
AND = (",", "and", "&", "+", "и")
ABOUT = ("on", "of", "for", "the", "about", "objective", "для", "по", "на", "о", "об", "про", "цель")
BECAUSE = (":", "-", "–", "—", "because", "reason", "due", "потому", "причина")
EXCEPT = ("but", "except", "excluding", "without", "besides", "apart", "not", "кроме", "но", "без", "исключая", "не")
OFFERED = 5  # objectives to choose from, everything beside them
SPANS = (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=4))  # to choose from
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

_TOKEN = re.compile(r"[^\s,{]*\{[^}]*\}?|\d+[.,]\d+[^\s,:]*|,|[^\s,]*[^\s,:]|:+")


@dataclass(frozen=True, slots=True)
class SilenceRequest:
    """What is to be silent.

    Attributes:
        until: Until when; None until recovery.
        keys: The objectives and label sets that it is about; none for everything.
        reason: Why; may be empty.
    """

    until: datetime | None
    keys: tuple[Key, ...] = ()
    reason: str = ""


class Missing(StrEnum):
    """What a request does not say."""

    WHAT = "what"
    WHEN = "when"
    UNIT = "unit"


class SlipError(NotUnderstoodError):
    """A word that is nearly another one.

    Attributes:
        near: The other one.
    """

    def __init__(self, word: str, near: str) -> None:
        super().__init__(word)
        self.near = near


class UnclearError(SlipError):
    """A request of which one thing is missing or not clear.

    Attributes:
        missing: Which.
        choices: What it may have meant, the likeliest first.
    """

    def __init__(self, word: str, missing: Missing, choices: Iterable[SilenceRequest], near: str = "") -> None:
        super().__init__(word, near)
        self.missing = missing
        self.choices = tuple(choices)


class NoNumberError(NotUnderstoodError):
    """An incident that there is not."""


def parse_silence(words: Sequence[str], names: Names, now: datetime, zone: tzinfo) -> SilenceRequest:
    """Return what the words after `/silence` want.

    Args:
        words: As they were written.
        names: What can be silenced alone.
        now: The instant from which a span is counted.
        zone: The zone in which a time of day is meant.

    Raises:
        NotUnderstoodError: They want nothing that can be done.
    """
    text = " ".join(words)
    tokens = list(_TOKEN.finditer(text))
    said = [each[0] for each in tokens]
    if not said:
        raise NotUnderstoodError("")
    found = _Found(names, now, zone)
    rest = found.take(said)
    reason = text[tokens[len(said) - len(rest)].start() :] if rest else ""
    if found.end is None and found.keys is None:
        if near := difflib.get_close_matches(said[0].lower(), UNTIL, n=1, cutoff=NEAR):
            raise SlipError(said[0], near[0])
        rest = found.find_end(rest)
    return found.request(said, rest, _trimmed(reason))


class _Found:
    """What of a request is understood so far.

    Attributes:
        end: When it is over, as the only item; None where that is not known.
        keys: What it is about; None where that is not known, and none for everything.
        unit: A number whose unit was not said.
    """

    def __init__(self, names: Names, now: datetime, zone: tzinfo) -> None:
        self.end: tuple[datetime | None] | None = None
        self.keys: tuple[Key, ...] | None = None
        self.unit: NoUnitError | None = None
        self._names = names
        self._now = now
        self._zone = zone

    def take(self, words: Sequence[str]) -> Sequence[str]:
        """Take an end and names from the words, in the order in which they come; the words after them."""
        for _ in range(2):
            words = self._take_keys(self._take_end(words))
        return words

    def find_end(self, words: Sequence[str]) -> Sequence[str]:
        """Take an end that comes after words that name nothing; those words."""
        for number in range(1, len(words)):
            self._take_end(words[number:])
            if self.end is not None:
                return words[:number]
        return words

    def request(self, said: Sequence[str], rest: Sequence[str], reason: str) -> SilenceRequest:
        """Return what was wanted.

        Raises:
            NotUnderstoodError: That is not clear.
        """
        if self.end is None and self.keys is None:
            raise NotUnderstoodError(said[0])
        if self.unit is not None:
            raise UnclearError(self.unit.word, Missing.UNIT, self._with_units(self.unit, reason))
        if self.end is None:
            choices = [SilenceRequest(self._now + each, self.keys or (), reason) for each in SPANS]
            raise UnclearError(rest[0] if rest else "", Missing.WHEN, choices)
        if self.keys is not None:
            return SilenceRequest(self.end[0], self.keys, reason)
        word, near = self._strange(rest)
        if word or not rest or rest[0].lower() not in BECAUSE:  # what names nothing may be a name that is mistyped
            reason = ""
        raise UnclearError(
            word, Missing.WHAT, [SilenceRequest(self.end[0], each, reason) for each in self._offered(near)], near
        )

    def _take_end(self, words: Sequence[str]) -> Sequence[str]:
        words = words[1:] if words[:1] == [","] else words
        if self.end is not None:
            return words
        part, others = _parted(words)
        try:
            taken = take_end(part, self._now, self._zone)
        except NoUnitError as error:
            self.unit, taken = error, (self._now, error.rest)
        if taken is None:
            return words
        until, rest = taken
        if until is not None and until - self._now > LONGEST_SILENCE:
            raise TooLongError(" ".join(part[: len(part) - len(rest)]))
        self.end = (until,)
        return [*rest, *others]

    def _take_keys(self, words: Sequence[str]) -> Sequence[str]:
        words = words[1:] if words[:1] == [","] else words
        if self.keys is not None:
            return words
        for skipped in range(3):  # for the latency
            if not words[skipped:] or any(each.lower() not in ABOUT for each in words[:skipped]):
                return words
            if _is_all(words[skipped]):
                return self._take_all(words[skipped:])
            taken = self._take_list(words[skipped:])
            if taken is not None:
                self.keys = tuple(dict.fromkeys(taken[0]))
                return taken[1]
        return words

    def _take_all(self, words: Sequence[str]) -> Sequence[str]:
        """Take everything, or all of what is named next; what may be less than everything is left to choices."""
        following = list(words[1:])
        while following and following[0].lower() in ABOUT:
            following = following[1:]
        taken = self._take_list(following)
        if taken is not None:
            self.keys = tuple(dict.fromkeys(taken[0]))
            return taken[1]
        if self._limits_all(words[1:]):
            return words
        self.keys = ()
        return words[1:]

    def _limits_all(self, words: Sequence[str]) -> bool:
        """Return whether what follows `all` takes something out of it, or names something before a reason begins."""
        for number, word in enumerate(words):
            if word.lower() in BECAUSE or set(word) == {":"}:
                return False
            if number == 0 and word.lower() in EXCEPT:
                return True
            if self._take_key(words[number:]) is not None:
                return True
        return False

    def _take_list(self, words: Sequence[str]) -> tuple[list[Key], Sequence[str]] | None:
        """Return the things that the first words name, and the words after them; None where one of them is not known.

        Without a comma they are several only where nothing or an end follows, as a reason may begin with a name.
        """
        taken = self._take_key(words)
        if taken is None:
            return None
        keys, rest = [taken[0]], taken[1]
        while rest and rest[0].lower() in AND:
            more = self._take_key(rest[1:])
            if more is None and rest[0] == ",":
                return None
            if more is None:
                break
            keys, rest = [*keys, more[0]], more[1]
        others, left = list(keys), rest
        while left and (more := self._take_key(left)) is not None:
            others, left = [*others, more[0]], more[1]
        is_all = not left or (self.end is None and take_end(left, self._now, self._zone) is not None)
        return (others, left) if is_all else (keys, rest)

    def _take_key(self, words: Sequence[str]) -> tuple[Key, Sequence[str]] | None:
        part, others = _parted(words)
        if not part:
            return None
        try:
            named = self._names.resolve(part)
        except UnknownNumberError as error:
            raise NoNumberError(error.word) from error
        except UnknownNameError:
            return None
        return named.about, [*named.rest, *others]

    def _strange(self, words: Sequence[str]) -> tuple[str, str]:
        """Return the first word that names nothing, and what it is a slip of; both empty where nothing was said."""
        for number, word in enumerate(words):
            if word.lower() in BECAUSE:
                break
            if word.lower() in (*AND, *ABOUT) or _is_all(word):
                continue
            try:
                self._names.resolve(_parted(words[number:])[0])
            except UnknownNameError as error:
                return error.word, error.near
        return "", ""

    def _offered(self, near: str = "") -> list[tuple[Key, ...]]:
        """Return what there is to choose from: what is near, everything, the objectives."""
        names = [each for each in self._names.objectives.by_name if each != near][:OFFERED]
        return [*([(Key(near),)] if near else []), (), *((Key(each),) for each in names)]

    def _with_units(self, unit: NoUnitError, reason: str) -> list[SilenceRequest]:
        """Return what a number may mean: minutes, and hours where those are few enough."""
        lengths = [each for each in (MINUTE, HOUR) if timedelta(0) < unit.number * each <= LONGEST_SILENCE]
        if self.keys is not None:
            return [SilenceRequest(self._now + unit.number * each, self.keys, reason) for each in lengths]
        return [
            SilenceRequest(self._now + unit.number * each, keys, reason)
            for each in lengths[:1]
            for keys in self._offered()
        ]


def _is_all(word: str) -> bool:
    return word.lower().rstrip(".!?;") in ALL


def _parted(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the words before the first comma or colon, and the others."""
    stop = next((number for number, each in enumerate(words) if each == "," or set(each) == {":"}), len(words))
    return words[:stop], words[stop:]


def _trimmed(reason: str) -> str:
    """Return a reason without the sign or the word that separates it, and no longer than may be."""
    return reason.lstrip(" ,:-–—").strip()[:LONGEST_REASON]
