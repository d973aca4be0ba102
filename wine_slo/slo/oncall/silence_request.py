"""What somebody wants to be silent, and for how long, as they write it: `1h latency deploying`, `всё до 18.00`.

Both must be said, in either order; everything is `all`, and never what is left where a name was not understood:
`all errors` is the errors, and `all but errors` is answered with choices. What follows is the reason, unless it may be
more or less than what was understood: `latency and errrs`, `latency on prod`, a second end. What is missing or unclear
is answered with whole requests to choose from.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.oncall.actions import LONGEST_SILENCE
from wine_slo.slo.oncall.lookup import AND, Names, UnknownNameError, UnknownNumberError
from wine_slo.slo.oncall.not_understood import NotUnderstoodError, SeveralEndsError, SlipError, TooLongError
from wine_slo.slo.oncall.silence_words import (
    VERBS,
    bare,
    before_reason,
    is_all,
    is_because,
    is_label,
    parted,
    trimmed,
)
from wine_slo.slo.oncall.spoken_moment import slip_of
from wine_slo.slo.oncall.time_phrases import take_end

ALERTS = (  # what `all` may be all of, and still be everything
    *("alert", "alerts", "alarms", "messages", "notifications", "objective", "objectives", "slo", "slos"),
    *("алерты", "оповещения", "уведомления", "сообщения", "цели", "целей", "алертов", "оповещений", "уведомлений"),
)
ABOUT = (
    *("on", "of", "for", "the", "about", "objective", "only", "just", "both"),
    *("для", "по", "на", "о", "об", "про", "цель", "только", "лишь", "оба", "обе"),
)
WITHIN = ("at", "in", "from", "within", "в", "во", "у", "из", "внутри")  # part of something
PURPOSE = ("for", "для")  # may begin a reason as well
EXCEPT = ("but", "except", "excluding", "without", "besides", "apart", "not", "кроме", "но", "без", "исключая", "не")
POLITE = ("please", "pls", "plz", "thanks", "only", "just", "пожалуйста", "плиз", "спасибо", "только", "лишь")
OFFERED = 5  # objectives to choose from, everything beside them
USUAL = timedelta(hours=1)
SPANS = (timedelta(minutes=30), USUAL, timedelta(hours=4))  # to choose from
MOST_CHOICES = 8

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
    BOTH = "both"


class UnclearError(SlipError):
    """A request of which one thing is missing or not clear.

    Attributes:
        missing: Which.
        choices: What it may have meant, the likeliest first.
        begins_later: Whether it says when the silence is to begin.
        is_short: Whether the word may be short for several names.
    """

    def __init__(
        self,
        word: str,
        missing: Missing,
        choices: Iterable[SilenceRequest],
        near: str = "",
        *,
        begins_later: bool = False,
        is_short: bool = False,
    ) -> None:
        super().__init__(word, near)
        self.missing = missing
        self.choices = tuple(choices)
        self.begins_later = begins_later
        self.is_short = is_short


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
    while len(words) > 1 and bare(words[0]) in VERBS:
        words = words[1:]
    text = " ".join(words)
    tokens = list(_TOKEN.finditer(text))
    said = [each[0] for each in tokens]
    while said and bare(said[-1]) in (",", *POLITE):
        said.pop()
    found = _Found(names, now, zone)
    rest = found.take(said)
    reason = text[tokens[len(said) - len(rest)].start() :] if rest else ""
    if said and found.end is None and found.keys is None:
        if near := slip_of(said[0]):
            raise SlipError(said[0], near)
        rest = found.find_end(rest)
    elif found.end is None and len(before := found.find_last_end(rest)) < len(rest):
        reason = reason[: tokens[len(said) - len(rest) + len(before)].start() - tokens[len(said) - len(rest)].start()]
        rest = before
    return found.request(said, rest, trimmed(reason))


class _Found:
    """What of a request is understood so far.

    Attributes:
        end: When it is over, as the only item; None where that is not known.
        keys: What it is about; None where that is not known, and none for everything.
        several: Several ends that the words may say.
    """

    def __init__(self, names: Names, now: datetime, zone: tzinfo) -> None:
        self.end: tuple[datetime | None] | None = None
        self.keys: tuple[Key, ...] | None = None
        self.several: SeveralEndsError | None = None
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

    def find_last_end(self, words: Sequence[str]) -> Sequence[str]:
        """Take an end with which the words close; those before it, or all where they do not."""
        for number in range(1, len(words)):
            try:
                taken = take_end(words[number:], self._now, self._zone)
            except NotUnderstoodError:
                continue
            if taken is not None and not taken[1]:
                self._take_end(words[number:])
                return words[:number]
        return words

    def request(self, said: Sequence[str], rest: Sequence[str], reason: str) -> SilenceRequest:
        """Return what was wanted.

        Raises:
            NotUnderstoodError: That is not clear.
        """
        if self.end is None and self.keys is None:
            raise self._with_nothing(said)
        if self.several is not None:
            raise self._with_several(self.several, reason)
        if self.end is None:
            choices = [SilenceRequest(self._now + each, self.keys or (), reason) for each in SPANS]
            raise UnclearError(rest[0] if rest else "", Missing.WHEN, choices)
        if self.keys is not None:
            self._check(rest, reason)
            return SilenceRequest(self.end[0], self.keys, reason)
        word, near, among = self._strange(rest)
        if word or not rest or not is_because(rest[0]):  # what names nothing may be a name that is mistyped
            reason = ""
        choices = [SilenceRequest(self.end[0], each, reason) for each in self._offered(near, among)]
        raise UnclearError(word, Missing.WHAT, choices, near, is_short=bool(among))

    def _check(self, rest: Sequence[str], reason: str) -> None:
        """See that what follows is a reason, and neither another end, nor more or less than what was understood.

        Raises:
            UnclearError: It may be.
        """
        end, keys = self.end or (None,), self.keys or ()
        if (other := self._second_end(rest)) is not None:
            latest = self._now + LONGEST_SILENCE
            both = sorted((end[0] or self._now, other))
            ends = [SilenceRequest(each, keys) for each in both if self._now < each <= latest]
            raise UnclearError(rest[0], Missing.WHEN, ends)
        place = self._doubt(rest)
        if place is None:
            return
        word, near, among = self._strange(rest[place:])
        named = None if word else self._take_list(rest[place:])
        more = tuple(dict.fromkeys((*keys, *(named[0] if named else ()), *((Key(near),) if near else ()))))
        wider = [
            SilenceRequest(end[0], each) for each in dict.fromkeys((more, *self._offered("", among))) if each != keys
        ]
        as_said = SilenceRequest(end[0], keys, reason)
        raise UnclearError(
            word, Missing.WHAT, [wider[0], as_said, *wider[1:]] if more != keys else [as_said, *wider], near
        )

    def _second_end(self, words: Sequence[str]) -> datetime | None:
        """Return the end that words say; None where they say none, or none that is known."""
        try:
            taken = take_end(before_reason(words)[0], self._now, self._zone)
        except NotUnderstoodError:
            return None
        return taken[0] if taken else None

    def _doubt(self, rest: Sequence[str]) -> int | None:
        """Return the place of the first word that may be more than a reason; None where all of them are one.

        It may where it joins, limits or names something, or nearly does. What is announced as a reason is one, unless
        it does nothing but name.
        """
        stop = next((number for number, each in enumerate(rest) if is_because(each)), len(rest))
        joining = (*AND, *ABOUT, *WITHIN, *EXCEPT)
        first = next((number for number, each in enumerate(rest) if bare(each) not in joining), len(rest))
        if stop > 0:
            is_purpose = bool(self.keys) and all(bare(each) in PURPOSE for each in rest[:first])
            if first > 0 and (not is_purpose or self._only_names(rest[first : first + 1])):
                return min(first, len(rest) - 1)
            limits = (n for n, each in enumerate(rest[:stop]) if is_label(each))
            return next(limits, 0 if self._only_names(rest[:1]) and self._only_names(rest[:stop]) else None)
        return 1 if len(rest) > 1 and self._only_names(rest[1:]) else None

    def _only_names(self, words: Sequence[str]) -> bool:
        """Return whether words do nothing but name things, or nearly."""
        those = [each for each in words if bare(each) not in (*AND, *ABOUT)]
        return bool(those) and all(
            is_label(each) or each.isdecimal() or self._names.resembles(each) or self._take_key([each]) is not None
            for each in those
        )

    def _is_end(self, words: Sequence[str]) -> bool:
        """Return whether words begin with an end."""
        try:
            return take_end(before_reason(words)[0], self._now, self._zone) is not None
        except NotUnderstoodError:
            return True

    def _take_end(self, words: Sequence[str]) -> Sequence[str]:
        words = words[1:] if words[:1] == [","] else words
        if self.end is not None:
            return words
        part, others = before_reason(words)
        try:
            taken = take_end(part, self._now, self._zone)
        except SeveralEndsError as error:
            self.several, taken = error, (error.ends[0], error.rest)
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
            if not words[skipped:] or any(bare(each) not in ABOUT for each in words[:skipped]):
                return words
            if is_all(words[skipped]):
                return self._take_all(words[skipped:])
            taken = self._take_list(words[skipped:])
            if taken is not None:
                self.keys = tuple(dict.fromkeys(taken[0]))
                return taken[1]
        return words

    def _take_all(self, words: Sequence[str]) -> Sequence[str]:
        """Take everything, or all of what is named next; what may be less than everything is left to choices."""
        following, after = list(words[1:]), list(words[1:])
        while following and bare(following[0]) in (*ABOUT, *WITHIN, *ALERTS):
            following = following[1:]
            if bare(words[len(words) - len(following) - 1]) in ALERTS:
                after = following
        taken = self._take_list(following)
        if taken is not None:
            self.keys = tuple(dict.fromkeys(taken[0]))
            return taken[1]
        if self._limits_all(after):
            return words
        self.keys = ()
        return after

    def _limits_all(self, words: Sequence[str]) -> bool:
        """Return whether what follows `all` takes something out of it, or names something before a reason begins."""
        if self._second_end(words) is not None and self.end is not None:
            return True
        if self._doubt(words) is not None and not self._is_end(words):
            return True
        for number, word in enumerate(words):
            if is_because(word):
                return False
            if bare(word) in EXCEPT or self._take_key(words[number:]) is not None:
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
        while rest and bare(rest[0]) in AND:
            following = rest[1:]
            while following and bare(following[0]) in (*AND, *ABOUT):  # latency, and the errors
                following = following[1:]
            more = self._take_key(following)
            if more is None and rest[0] == ",":
                return None
            if more is None:
                break
            keys, rest = [*keys, more[0]], more[1]
        others, left = list(keys), rest
        while left and (more := self._take_key(left)) is not None:
            others, left = [*others, more[0]], more[1]
        is_all = not left or (self.end is None and self._is_end(left))
        return (others, left) if is_all else (keys, rest)

    def _take_key(self, words: Sequence[str]) -> tuple[Key, Sequence[str]] | None:
        part, others = parted(words)
        if not part:
            return None
        try:
            named = self._names.resolve(part)
        except UnknownNumberError as error:
            raise NoNumberError(error.word) from error
        except UnknownNameError:
            return None
        return named.about, [*named.rest, *others]

    def _strange(self, words: Sequence[str]) -> tuple[str, str, Sequence[str]]:
        """Return the first word that names nothing, what it is a slip of, and what it may be short for."""
        for number, word in enumerate(words):
            if is_because(word):
                break
            if bare(word) in (*AND, *ABOUT, *WITHIN, *ALERTS) or is_all(word):
                continue
            try:
                self._names.resolve(parted(words[number:])[0])
            except UnknownNameError as error:
                return error.word, error.near, error.among
        return "", "", ()

    def _offered(self, near: str = "", among: Sequence[str] = ()) -> list[tuple[Key, ...]]:
        """Return what there is to choose from: what a word is short for, or what is near, everything, the others."""
        if among:
            return [*((Key(each),) for each in among[:OFFERED]), ()]
        names = [each for each in self._names.objectives.by_name if each != near][:OFFERED]
        return [*([(Key(near),)] if near else []), (), *((Key(each),) for each in names)]

    def _with_nothing(self, said: Sequence[str]) -> UnclearError:
        """Return what words may want that say neither an end nor a name: a usual span of each."""
        word, near, among = self._strange(said)
        choices = [SilenceRequest(self._now + USUAL, each) for each in self._offered(near, among)]
        return UnclearError(word, Missing.BOTH, choices, near)

    def _with_several(self, several: SeveralEndsError, reason: str) -> UnclearError:
        """Return what words may mean that say several ends, or when something is to begin."""
        about = [self.keys] if self.keys is not None else self._offered()
        ends = [each for each in several.ends if each - self._now <= LONGEST_SILENCE]
        choices = [SilenceRequest(end, keys, reason) for keys in about for end in ends][:MOST_CHOICES]
        return UnclearError(several.word, Missing.WHEN, choices, begins_later=several.begins_later)
