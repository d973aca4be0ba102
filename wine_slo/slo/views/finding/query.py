"""Which of many objectives somebody wants to see: searched, filtered, the worst first, a page at a time.

What is filtered away is counted all the same, so that nothing seems well because it is not shown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.evaluation.phases import Phase
from wine_slo.slo.evaluation.reading import Reading, Sight, value_of
from wine_slo.slo.objectives.kinds import KINDS
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views.finding.selection import Selection
from wine_slo.slo.views.status_schema import Judgement

LONGEST_SEARCH = 200  # letters
MOST_PER_PAGE = 1000
HIGHEST_PAGE = 10**6
URGENCY = {judgement: place for place, judgement in enumerate(Judgement)}
PARAMETERS = ("q", "state", "objective", "service", "kind", "page", "per_page")


class SelectionError(ValueError):
    """A parameter means nothing; its text is a sentence that says which, and what is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody wants to see of all label sets.

    Attributes:
        text: All of these words occur in its name, its title or its labels, in any letters; empty for no matter.
        state: How it is judged; None for no matter.
        objective: The name of its objective; empty for no matter.
        service: Its job; empty for no matter.
        kind: The kind of its objective; empty for no matter.
        page: Which page, from 1.
        per_page: How many on each, the worst first; None for all at once, in the order of slo.yml.
    """

    text: str = ""
    state: Judgement | None = None
    objective: str = ""
    service: str = ""
    kind: str = ""
    page: int = 1
    per_page: int | None = None

    @classmethod
    def parse(cls, parameters: Mapping[str, str], objectives: Objectives, *, per_page: int) -> Self:
        """Return what the parameters of an address mean; those that are empty or unknown mean nothing.

        Args:
            parameters: By their names.
            objectives: All objectives, which name what can be chosen.
            per_page: How many are on a page where that is not said.

        Raises:
            SelectionError: One of them cannot be.
        """
        text = " ".join(parameters.get("q", "").split())
        if len(text) > LONGEST_SEARCH:
            raise SelectionError(f"q is too long: at most {LONGEST_SEARCH} letters.")
        names = [each.name for each in objectives.all]
        state = _one_of("state", parameters, list(Judgement))
        return cls(
            text=text,
            state=Judgement(state) if state else None,
            objective=_one_of("objective", parameters, names),
            service=_one_of("service", parameters, list(dict.fromkeys(each.job for each in objectives.all))),
            kind=_one_of("kind", parameters, list(KINDS)),
            page=_number("page", parameters, 1, HIGHEST_PAGE),
            per_page=_number("per_page", parameters, per_page, MOST_PER_PAGE),
        )

    @property
    def filters(self) -> bool:
        """Return whether anything may be left out."""
        return bool(self.text or self.state or self.objective or self.service or self.kind)

    def address(self, **changes: object) -> str:
        """Return the parameters of this, with some of them changed, as they stand in an address."""
        other = replace(self, **changes)  # type: ignore[arg-type]
        wanted = {
            "q": other.text,
            "state": other.state or "",
            "objective": other.objective,
            "service": other.service,
            "kind": other.kind,
            "page": "" if other.page == 1 else other.page,
        }
        return urlencode({name: value for name, value in wanted.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The label sets that are shown, and what they are of.

    Attributes:
        keys: Each with its objective.
        matching: All that match, on other pages too.
        selection: How many there are.
    """

    keys: tuple[tuple[Key, Objective], ...]
    matching: frozenset[Key]
    selection: Selection


def choose(
    query: Query, state: State, objectives: Objectives, *, is_present: bool, has_readings: bool = True
) -> Chosen:
    """Return which label sets are shown.

    Args:
        query: What somebody wants to see.
        state: What is known.
        objectives: All objectives.
        is_present: Whether the last evaluation shows the present.
        has_readings: Whether this process has evaluated; False where it has only what another one wrote.
    """
    found: list[tuple[Judgement, float, int, Key, Objective]] = []
    every = Counter[Judgement]()
    words = query.text.casefold().split()
    for key, objective in _all(state, objectives):
        track, reading = state.tracks.get(key), state.readings.get(key)
        judgement = judgement_of(
            objective,
            track,
            reading,
            is_open=_is_open(track, state),
            is_present=is_present,
            has_readings=has_readings,
        )
        every[judgement] += 1
        if _matches(query, words, key, objective, judgement):
            found.append((judgement, -_badness(objective, reading, judgement), len(found), key, objective))
    if query.per_page is not None:
        found.sort(key=lambda each: (URGENCY[each[0]], each[1], each[2]))
    matching = Counter(each[0] for each in found)
    size = query.per_page or max(1, len(found))
    pages = max(1, -(-len(found) // size))
    page = min(query.page, pages)
    return Chosen(
        keys=tuple((key, objective) for _, _, _, key, objective in found[(page - 1) * size : page * size]),
        matching=frozenset(each[3] for each in found),
        selection=Selection(
            total=every.total(),
            by_state={each: every[each] for each in Judgement},
            matching=len(found),
            matching_by_state={each: matching[each] for each in Judgement},
            page=page,
            pages=pages,
            per_page=size,
        ),
    )


def judgement_of(
    objective: Objective,
    track: KeyState | None,
    reading: Reading | None,
    *,
    is_open: bool,
    is_present: bool = True,
    has_readings: bool = True,
) -> Judgement:
    """Return how an objective is judged.

    Args:
        objective: The objective.
        track: What is remembered of it; None before the first evaluation.
        reading: The last evaluation; None where there is none.
        is_open: Whether there is an open incident.
        is_present: Whether the last evaluation shows the present.
        has_readings: Whether this process has evaluated; False where it has only what another one wrote.
    """
    if is_open:
        return Judgement.BREACHED
    if track is None or track.sight is not Sight.CLEAR or not is_present:
        return Judgement.UNKNOWN
    if not has_readings:
        return Judgement.MET if track.phase is Phase.MET else Judgement.SUSPICIOUS
    if reading is None or reading.sight is not Sight.CLEAR:
        return Judgement.UNKNOWN
    if track.phase is Phase.BREACHING:
        return Judgement.SUSPICIOUS
    value = value_of(objective, reading, is_met=track.phase is Phase.MET)
    if value is None:
        return Judgement.UNKNOWN
    return Judgement.MET if value.is_within(objective) else Judgement.SUSPICIOUS


def count_of(selection: Selection) -> str:
    """Return how much of all is shown, and what of the rest is bad or not known, as a sentence; empty where all is."""
    number = ENGLISH.number
    if selection.matching == selection.total:
        return ""
    hidden = {each: selection.by_state[each] - selection.matching_by_state[each] for each in Judgement}
    facts = [
        f"{number(hidden[judgement])} {words}"
        for judgement, words in (
            (Judgement.BREACHED, "in breach"),
            (Judgement.UNKNOWN, "not known"),
            (Judgement.SUSPICIOUS, "with a pending breach"),
        )
        if hidden[judgement]
    ]
    shown = f"{number(selection.matching)} of {number(selection.total)} match"
    if not facts:
        return f"{shown}; what is left out is met."
    return f"{shown}. Left out: {', '.join(facts)}."


def _all(state: State, objectives: Objectives) -> Iterator[tuple[Key, Objective]]:
    known: dict[str, list[Key]] = {}
    for key in state.tracks:
        if key.alert is Alert.BREACH:
            known.setdefault(key.objective, []).append(key)
    for objective in objectives.all:
        for key in sorted(known.get(objective.name, ())) or [Key(objective.name)]:
            yield key, objective


def _is_open(track: KeyState | None, state: State) -> bool:
    incident = None if track is None or track.incident is None else state.incidents.get(track.incident)
    return incident is not None and incident.is_open


def _badness(objective: Objective, reading: Reading | None, judgement: Judgement) -> float:
    """Return how bad it is, as a multiple of what is allowed; of what is in no breach it does not matter."""
    if reading is None or judgement is not Judgement.BREACHED:
        return 0.0
    value = value_of(objective, reading, is_met=False)
    return 0.0 if value is None else value.number / max(objective.limit, 1e-9)


def _matches(query: Query, words: Sequence[str], key: Key, objective: Objective, judgement: Judgement) -> bool:
    if query.state not in (None, judgement) or query.objective not in ("", objective.name):
        return False
    if query.service not in ("", objective.job) or query.kind not in ("", objective.source.kind):
        return False
    if not words:
        return True
    labels = " ".join(f"{name}={value}" for name, value in key.labels)
    text = f"{key} {objective.title} {objective.job} {labels}".casefold()
    return all(word in text for word in words)


def _one_of(name: str, parameters: Mapping[str, str], known: Iterable[str]) -> str:
    value = parameters.get(name, "")
    choices = list(known)
    if not value or value in choices:
        return value
    listed = ", ".join(choices[:10]) + (" …" if len(choices) > 10 else "")
    raise SelectionError(f"There is no {name} {value[:50]!r}; there are: {listed}.")


def _number(name: str, parameters: Mapping[str, str], usual: int, highest: int) -> int:
    value = parameters.get(name, "")
    if not value:
        return usual
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and 1 <= int(value) <= highest):
        raise SelectionError(f"{name} is {value[:50]!r}; wanted: a whole number from 1 to {highest}.")
    return int(value)
