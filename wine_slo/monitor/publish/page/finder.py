"""What finds objectives among many on the status page, without a script: search, choices, counts by state, pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from wine_slo.slo.objectives.objective import Objective
from wine_slo.slo.text.language import ENGLISH
from wine_slo.slo.views.finding.query import Query, count_of
from wine_slo.slo.views.status_schema import Judgement, Status

BADGES = {
    Judgement.BREACHED: "in breach",
    Judgement.UNKNOWN: "not known",
    Judgement.SUSPICIOUS: "breach pending",
    Judgement.MET: "met",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another view."""

    label: str
    address: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose from a list, by its parameter."""

    name: str
    label: str
    chosen: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """What finds objectives among many.

    Attributes:
        query: What is searched for and chosen.
        kept: The parameters that stay as they are.
        states: How many are judged so, each a link to them.
        choices: What can be chosen besides.
        left_out: What is not shown, as a sentence; empty where all is.
        place: Which of them this page shows.
        steps: Other pages.
        clear: The address of everything; empty where this is that.
    """

    query: Query
    kept: tuple[tuple[str, str], ...]
    states: tuple[Link, ...]
    choices: tuple[Choice, ...]
    left_out: str
    place: str
    steps: tuple[Link, ...]
    clear: str


def finder_of(
    status: Status, query: Query, every: Sequence[Objective], kept: Mapping[str, str], fewest: int
) -> Finder | None:
    """Return what finds objectives; None where there are so few that all are seen at once.

    Args:
        status: What is shown.
        query: What is searched for and chosen.
        every: All objectives.
        kept: The parameters of the address that stay as they are.
        fewest: So many are seen at once.
    """
    selection = status.selection
    if selection is None or (selection.total <= fewest and not query.filters):
        return None

    def link(label: str, other: Query, *, is_current: bool = False) -> Link:
        return Link(label, "/?" + "&".join(filter(None, (urlencode(kept), other.address()))), is_current)

    total, number = selection.total, ENGLISH.number
    states = [link(f"all {number(total)}", replace(query, state=None, page=1), is_current=query.state is None)]
    states += [
        link(
            f"{number(selection.by_state[each])} {BADGES[each]}",
            replace(query, state=each, page=1),
            is_current=query.state is each,
        )
        for each in Judgement
    ]
    page_, pages = selection.page, selection.pages
    steps = [("First", 1), ("Previous", page_ - 1), ("Next", page_ + 1), ("Last", pages)]
    first = (page_ - 1) * selection.per_page
    shown = len(status.objectives)
    return Finder(
        query=query,
        kept=tuple(kept.items()),
        states=tuple(states),
        choices=tuple(
            Choice(name, label, chosen_now, tuple(dict.fromkeys(known)))
            for name, label, chosen_now, known in (
                ("objective", "Objective", query.objective, [each.name for each in every]),
                ("service", "Service", query.service, [each.job for each in every]),
                ("kind", "Kind", query.kind, [each.source.kind for each in every]),
            )
            if len(set(known)) > 1
        ),
        left_out=count_of(selection),
        place=f"{number(first + 1)} to {number(first + shown)} of {number(selection.matching)}, the worst first"
        if shown
        else "Nothing matches.",
        steps=tuple(link(label, replace(query, page=to)) for label, to in steps if 1 <= to <= pages and to != page_),
        clear=link("Clear", Query()).address if query.filters else "",
    )
