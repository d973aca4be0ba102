"""Which objective, and which label set of it, somebody means by a few words.

Names may be shortened as long as they mean one thing: `lat` is latency where no other objective begins so. A label set
is named by a value of it, `latency /predict`, or as messages write it, `latency{endpoint="/predict"}`.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from wine_slo.domain.objective import Alert, Key, Objectives

T = TypeVar("T")


class UnknownNameError(ValueError):
    """Words that mean no objective, or several.

    Attributes:
        word: What was said; empty where nothing was.
        known: What could have been said instead.
    """

    def __init__(self, word: str, known: Collection[str]) -> None:
        super().__init__(word)
        self.word = word
        self.known = tuple(known)


@dataclass(frozen=True, slots=True)
class Named:
    """What was meant.

    Attributes:
        objective: The name of the objective.
        key: The label set that was named; the objective's only one where it has no labels, else None.
        rest: The words after it.
    """

    objective: str
    key: Key | None
    rest: tuple[str, ...] = ()


def resolve(words: Sequence[str], objectives: Objectives, keys: Iterable[Key]) -> Named:
    """What is meant by the first words.

    Args:
        words: As they were said, the rest of a command among them.
        objectives: What is promised.
        keys: The label sets that are known.

    Raises:
        UnknownNameError: Nothing, or more than one thing.
    """
    names = {each.name: (each.name, each.title) for each in objectives.all}
    if not words:
        if len(names) > 1:
            raise UnknownNameError("", names)
        return _chosen(next(iter(names)), (), objectives, keys)
    first, brace, labels = words[0].partition("{")
    name = _only(first, names)
    if name is None:
        raise UnknownNameError(words[0], names)
    return _chosen(name, ((f"{{{labels}",) if brace else ()) + tuple(words[1:]), objectives, keys)


def _chosen(name: str, words: tuple[str, ...], objectives: Objectives, keys: Iterable[Key]) -> Named:
    objective = objectives.by_name[name]
    if not objective.by:
        return Named(name, Key(name), tuple(each for each in words if not each.startswith("{")))
    those = {key: _ways(key) for key in keys if key.objective == name and key.alert is Alert.BREACH}
    if not words:
        return Named(name, None)
    if words[0].startswith("{"):
        length = next((number for number, each in enumerate(words, 1) if each.endswith("}")), len(words))
        key = _only(" ".join(words[:length]), those)
        if key is None:
            raise UnknownNameError(" ".join(words[:length]), [" ".join(_values(each)) for each in those])
        return Named(name, key, words[length:])
    key = _only(words[0], those)
    return Named(name, key, words if key is None else words[1:])


def _only(word: str, ways: Mapping[T, Collection[str]]) -> T | None:
    """The only thing that can be called so: exactly, else by how it begins, else by a part of it."""
    wanted = _plain(word)
    for claim in (str.__eq__, str.startswith, str.__contains__):
        found = [each for each, names in ways.items() if any(claim(_plain(name), wanted) for name in names)]
        if found and wanted:
            return found[0] if len(found) == 1 else None
    return None


def _ways(key: Key) -> tuple[str, ...]:
    """How a label set may be called."""
    return (*_values(key), " ".join(_values(key)), str(key).removeprefix(key.objective))


def _values(key: Key) -> tuple[str, ...]:
    return tuple(value for _, value in key.labels if value)


def _plain(word: str) -> str:
    return re.sub(r"[\s\"'“”]", "", word).casefold()
