"""Which objective, and which label set of it, somebody means by a few words.

An objective has its name, its title in every language of ours, and the number of an incident of it. Words may be
shortened or declined as long as they mean one thing: `lat` is latency where no other objective begins so, `ошибки` is
«Доля ошибок». A label set is named by a value of it, `latency /predict`, or as messages write it,
`latency{endpoint="/predict"}`. One that there is not means nothing, and never the whole objective.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import TypeVar

from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives

T = TypeVar("T")

NEAR = 0.75  # how alike a word must be to a name to be a slip of it
BEGINS = 3  # letters that a name may be shortened to
CONTAINS = 4  # letters of a part of a name
STEM = 4  # letters that two forms of a Russian word share
ENDING = 3  # letters in which they differ, at the most
LONGEST_NAME = 6  # words
NUMBER_SIGNS = ("#", "№")
AND = (",", "and", "&", "+", "plus", "or", "also", "и", "или", "плюс", "также", "а")  # between names
PARTS = (  # of what an objective is about, whatever its labels are called
    *("endpoint", "endpoints", "instances", "label", "labels", "method", "methods", "path", "paths", "pods"),
    *("replicas", "request", "requests", "route", "routes", "targets", "url", "urls"),
    *("запросы", "запросов", "метод", "методы", "пути", "ручка", "ручки", "ручек", "эндпоинт", "эндпоинты"),
)
SPOKEN = {  # names and titles of slo.yml as it is shipped, in the language that the chat may not have
    "latency": ("задержка", "latency"),
    "errors": ("ошибки", "errors"),
    "error rate": ("доля ошибок", "error rate"),
    "availability": ("доступность", "availability"),
}

_LABELS = re.compile(r"""([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|[“”„«]([^“”»]*)[“”»]|([^,"'}\s]*))\s*(?:,|$)""")


class UnknownNameError(ValueError):
    """Words that mean no objective, or several.

    Attributes:
        word: What was said; empty where nothing was.
        known: What could have been said instead.
        near: What was probably meant; empty where that is not clear.
        among: What it may be short for, where that is several things.
    """

    def __init__(self, word: str, known: Collection[str], near: str = "", among: Collection[str] = ()) -> None:
        super().__init__(word)
        self.word = word
        self.known = tuple(known)
        self.near = near
        self.among = tuple(among)


class UnknownNumberError(UnknownNameError):
    """The number of an incident that there is not, or that is not at hand any more."""


@dataclass(frozen=True, slots=True)
class Named:
    """What was meant.

    Attributes:
        objective: The name of the objective.
        key: The label set that was named, or the labels that were; the objective's only one where it has none, else
            None.
        rest: The words after it.
    """

    objective: str
    key: Key | None
    rest: tuple[str, ...] = ()

    @property
    def about(self) -> Key:
        """Return the label set, or the whole objective."""
        return self.key or Key(self.objective)


@dataclass(frozen=True, slots=True)
class Names:
    """Everything that can be named, in one chat.

    Attributes:
        objectives: The objectives.
        keys: The label sets that are known.
        incidents: The incidents that are at hand, by number.
        title: What the chat calls an objective, as HTML.
    """

    objectives: Objectives
    keys: Collection[Key] = ()
    incidents: Mapping[int, Incident] = field(default_factory=dict)
    title: Callable[[Key], str] = lambda key: key.objective

    def resolve(self, words: Sequence[str]) -> Named:
        """Return what is meant by the first words, the rest of a command among them.

        Raises:
            UnknownNameError: Nothing, or more than one thing.
        """
        names = {each.name: self._names(each) for each in self.objectives.all}
        if not words:
            if len(names) > 1:
                raise UnknownNameError("", names)
            return self._labelled(next(iter(names)), ())
        if (found := self._numbered(words)) is not None:
            return found
        for length in range(min(len(words), LONGEST_NAME), 1, -1):
            name = _phrase(words[:length], names)
            if name is not None:
                return self._labelled(name, words[length:])
        first, brace, labels = words[0].partition("{")
        those = _called(first, names)
        if len(those) > 1:
            raise UnknownNameError(words[0], those, among=those)
        if not those:
            raise UnknownNameError(words[0], names, _near(first, names))
        name = those[0]
        return self._labelled(name, (*((f"{{{labels}",) if brace else ()), *words[1:]))

    def resolve_only(self, words: Sequence[str]) -> Named:
        """Return what is meant by words that name one thing and say nothing else.

        Raises:
            UnknownNameError: Nothing, or more than one thing, or there are words that mean nothing.
        """
        named = self.resolve(words)
        if named.rest and not named.rest[0].startswith(NUMBER_SIGNS):
            self.resolve_each(named.rest)
        if named.rest:
            raise UnknownNameError("", self.objectives.by_name)
        return named

    def resolve_each(self, words: Sequence[str]) -> list[Named]:
        """Return what is meant by words that name things, with commas or `and` between them, and say nothing else.

        Raises:
            UnknownNameError: There are words that mean nothing.
        """
        found = list[Named]()
        words = [each for each in " ".join(words).replace(",", " ").split() if each.lower() not in AND]
        while words or not found:
            found.append(self.resolve(words))
            words = list(found[-1].rest)
        return found

    def resembles(self, word: str) -> bool:
        """Return whether a word is nearly the name of an objective, or is a label or a value of one, or nearly."""
        wanted = _plain(word)
        parts = {_plain(each) for key in self.keys for label in key.labels for each in label}
        if wanted in PARTS or wanted.removesuffix("s") in parts or difflib.get_close_matches(wanted, parts, 1, NEAR):
            return True
        return bool(_near(word, {each.name: self._names(each) for each in self.objectives.all}))

    def _numbered(self, words: Sequence[str]) -> Named | None:
        """Return what an incident is about, where the words begin with its number: `#12`, `№ 12`."""
        if not words[0].startswith(NUMBER_SIGNS):
            return None
        digits, rest = words[0][1:], words[1:]
        if not digits and rest:
            digits, rest = rest[0], rest[1:]
        number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else 0
        incident = self.incidents.get(number)
        if incident is None:
            raise UnknownNumberError(f"#{digits}", self.objectives.by_name)
        key = Key(incident.key.objective, incident.key.labels)
        return Named(key.objective, key, tuple(rest))

    def _names(self, objective: Objective) -> tuple[str, ...]:
        own = (objective.name, objective.title)
        spoken = (word for each in own for word in SPOKEN.get(each.casefold(), ()))
        return (*own, unescape(self.title(Key(objective.name))), *spoken)

    def _labelled(self, name: str, words: Sequence[str]) -> Named:
        """Return the label set of an objective that the next words name.

        Raises:
            UnknownNameError: They name one that there is not.
        """
        objective = self.objectives.by_name[name]
        of_it = (key for key in self.keys if key.objective == name and key.alert is Alert.BREACH and key.labels)
        those = {key: _ways(key) for key in of_it}
        if words and words[0].startswith("{"):
            length = next((number for number, each in enumerate(words, 1) if each.endswith("}")), len(words))
            said, rest = " ".join(words[:length]), tuple(words[length:])
            if _plain(said) == "{}":
                return Named(name, None if objective.by else Key(name), rest)
            key = _braced(name, said, those) if objective.by else None
            if key is None:
                raise UnknownNameError(f"{name}{said}", _known(objective, those), name)
            return Named(name, key, rest)
        if not words:
            return Named(name, None if objective.by else Key(name))
        key = _only(words[0], those) or _shared(name, words[0], those)
        if key is None and words[0].startswith("/"):
            raise UnknownNameError(f"{name} {words[0]}", _known(objective, those), name)
        if key is None:
            return Named(name, None if objective.by else Key(name), tuple(words))
        return Named(name, key, tuple(words[1:]))


def _known(objective: Objective, those: Iterable[Key]) -> list[str]:
    return [" ".join(_values(each)) for each in those] if objective.by else [objective.name]


def _braced(name: str, said: str, those: Mapping[Key, Collection[str]]) -> Key | None:
    """Return the label set, or the labels that several have, between braces."""
    exact = [key for key in those if _plain(str(key).removeprefix(name)) == _plain(said)]
    if exact:
        return exact[0]
    pairs, inside = {}, said.strip("{}").strip()
    while inside:
        found = _LABELS.match(inside)
        if found is None:
            return None
        pairs[found[1]] = next((each for each in found.groups()[1:] if each is not None), "")
        inside = inside[found.end() :].strip()
    matching = [key for key in those if pairs.items() <= dict(key.labels).items()]
    if len(matching) == 1:
        return matching[0]
    return Key(name, tuple(sorted(pairs.items()))) if matching else None


def _shared(name: str, word: str, those: Iterable[Key]) -> Key | None:
    """Return the label that several label sets have, where a word is its value and that of no other label."""
    labels = {label for key in those for label in key.labels if _plain(label[1]) == _plain(word)}
    return Key(name, tuple(labels)) if len(labels) == 1 else None


def _phrase(words: Sequence[str], ways: Mapping[T, Collection[str]]) -> T | None:
    """Return the only thing that has all of these words as its name, declined or not."""
    found = {each for each, names in ways.items() if any(_is_phrase(words, name.split()) for name in names)}
    return found.pop() if len(found) == 1 else None


def _is_phrase(words: Sequence[str], name: Sequence[str]) -> bool:
    if len(words) == len(name):
        return all(_is(_plain(word), _plain(own)) for word, own in zip(words, name, strict=True))
    is_split = len(name) == 1 and all(re.search(r"\w", each) for each in words)  # a dash is no part of a name
    return is_split and _plain("".join(words)) == _plain(name[0])


def _only(word: str, ways: Mapping[T, Collection[str]]) -> T | None:
    """Return the only thing that can be called so."""
    those = _called(word, ways)
    return those[0] if len(those) == 1 else None


def _called(word: str, ways: Mapping[T, Collection[str]]) -> list[T]:
    """Return what can be called so: exactly, else by one of its words, how it begins, or a part of it."""
    wanted = _plain(word)
    if not wanted:
        return []
    for claim in (str.__eq__, _is_a_word, _begins, _contains):
        found = [each for each, names in ways.items() if any(claim(_plain(name), wanted) for name in names)]
        found = found or [each for each, names in ways.items() if any(claim(own, wanted) for own in _words(names))]
        if found:
            return found
    return []


def _near(word: str, ways: Mapping[str, Collection[str]]) -> str:
    """Return what a word is a slip of, where that is one thing."""
    wanted = _plain(word)
    ratios = {
        each: max(difflib.SequenceMatcher(None, wanted, own).ratio() for own in (*map(_plain, names), *_words(names)))
        for each, names in ways.items()
    }
    best = [each for each, ratio in ratios.items() if ratio >= NEAR and ratio == max(ratios.values())]
    return best[0] if len(best) == 1 and wanted else ""


def _words(names: Iterable[str]) -> set[str]:
    """Return the words that names are made of."""
    return {_plain(word) for name in names for word in re.split(r"[\s_\-./]+", name) if _plain(word)}


def _is(word: str, own: str) -> bool:
    return word == own or _is_a_word(own, word)


def _is_a_word(own: str, word: str) -> bool:
    """Return whether two Russian words are forms of one: задержку, задержка."""
    same = next((number for number, (one, two) in enumerate(zip(own, word, strict=False)) if one != two), None)
    if same is None:
        same = min(len(own), len(word))
    is_russian = bool(re.fullmatch(r"[а-я]+", word)) and bool(re.fullmatch(r"[а-я]+", own))
    return is_russian and same >= min(STEM, len(own) - 1) and max(len(own), len(word)) - same <= ENDING


def _begins(own: str, word: str) -> bool:
    return len(word) >= BEGINS and own.startswith(word)


def _contains(own: str, word: str) -> bool:
    return len(word) >= CONTAINS and word in own


def _ways(key: Key) -> tuple[str, ...]:
    """Return how a label set may be called."""
    return (*_values(key), " ".join(_values(key)))


def _values(key: Key) -> tuple[str, ...]:
    return tuple(value for _, value in key.labels if value)


def _plain(word: str) -> str:
    """Return a word as it is compared.

    One form of each letter, without blanks, quotes, a path's slash, a sentence's end.

    What has nothing else, such as the path `/`, is itself.
    """
    folded = unicodedata.normalize("NFKC", word).casefold().replace("ё", "е")
    inner = re.sub(r"[\s\"'“”„«»]", "", folded)
    return inner.lstrip("/([<*`").rstrip(".!?;)]>*`…") or inner
