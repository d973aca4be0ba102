"""What can stand in `slo.yml`: each type says in words what is wanted, each field what it is for.

It is also the JSON schema for editors: `python -m wine_slo.config.slo_schema > slo.schema.json`.
"""

import json
import sys
from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.kinds.latency import Latency
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.selector import (
    wrong_with_histogram,
    wrong_with_matchers,
    wrong_with_metric,
    wrong_with_selector,
)
from wine_slo.slo.span import PATTERN, WANTED, parse_span


def _wanted(sentence: str, **limits: Any) -> Meta:
    return Meta(extra={"wanted": sentence}, **limits)


Span = Annotated[str, _wanted(WANTED, pattern=PATTERN)]
Name = Annotated[
    str,
    _wanted("must be up to 100 small letters, digits, - and _, a letter first", pattern=r"^[a-z][a-z0-9_-]{0,99}$"),
]
Text = Annotated[str, _wanted("must be text")]
Title = Annotated[str, _wanted("must be text of at most 200 letters", max_length=200)]
Number = Annotated[float, _wanted("must be a number")]
Count = Annotated[int, _wanted("must be a whole number")]
Names = Annotated[list[str], _wanted("must be a list of names")]
Urgency = Annotated[Literal["page", "ticket"], _wanted("must be page or ticket")]


class BurnEntry(Struct, forbid_unknown_fields=True):
    """A burn rate that is alerted on."""

    budget: Annotated[Number, Meta(description="The share of the budget that is burnt in the long window, 0 to 1")]
    long: Annotated[Span, Meta(description="The long window")]
    short: Annotated[Span, Meta(description="The short window, over which it must still burn")]
    alert: Annotated[Urgency, Meta(description="A page is loud, a ticket is quiet")]


BurnRates = Annotated[list[BurnEntry], _wanted("must be a list of burn rates")]


class ObjectiveEntry(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of objective has."""

    name: Annotated[Name, Meta(description="Short and unique; people type it in the chat")]
    title: Annotated[Title, Meta(description="What messages call it; the name where it is left out")] = ""
    job: Annotated[Text, Meta(description="The Prometheus job; the file's where it is left out")] = ""
    scrape_interval: Annotated[
        Span | None, Meta(description="How often its job is scraped; as in the file if left out")
    ] = None
    objective: Annotated[Number, Meta(description="The share of events that is to be good, 0 to 1")]
    bad_for: Annotated[
        Span | None,
        Meta(description="Bad for less than this is a stall; 25s if not said, however often it is scraped"),
    ] = None
    good_for: Annotated[
        Span | None,
        Meta(description="Good for so long, and a scrape interval at the least, is a recovery; 20s if not said"),
    ] = None
    over: Annotated[
        Span | None,
        Meta(description="The range that is shown; 5m, or five scrape intervals where that is longer"),
    ] = None
    window: Annotated[Span, Meta(description="The span of the error budget")] = "30d"
    least: Annotated[Count, Meta(description="With fewer events than this nothing is judged")] = 5
    expires_after: Annotated[Span, Meta(description="An incident nobody feeds ends after this")] = "30m"
    remind_after: Annotated[Span, Meta(description="A reminder of an open incident is sent after this")] = "4h"
    by: Annotated[Names, Meta(description="Label names; one state for each label set")] = []
    burns: Annotated[
        BurnRates | None, Meta(description="The burn rates that are alerted on; the SRE Workbook's if left out")
    ] = None

    def source(self) -> Indicator:
        """Return what is counted.

        Raises:
            ObjectiveError: It cannot be counted.
        """
        raise NotImplementedError


class LatencyEntry(ObjectiveEntry, kw_only=True, tag="latency"):
    """Requests within a threshold."""

    threshold: Annotated[Span, Meta(description="A request that takes longer is bad; a bucket bound of the histogram")]
    clear: Annotated[Span | None, Meta(description="A quick recovery keeps to this; a bucket bound too")] = None
    histogram: Annotated[Text, Meta(description="The histogram's name, without _bucket")]
    selector: Annotated[Text, Meta(description='Label matchers, such as endpoint!~"/metrics|/health"')] = ""
    oldest_age: Annotated[Text | None, Meta(description="A gauge: the age of the oldest unanswered request")] = None
    budget_selector: Annotated[
        Text, Meta(description="More label matchers, for the error budget alone: it leaves a drill out")
    ] = ""

    def source(self) -> Indicator:
        """Return what is counted."""
        clear = None if self.clear is None else span_of("clear", self.clear).total_seconds()
        oldest_age = None if self.oldest_age is None else self.oldest_age
        threshold = span_of("threshold", self.threshold).total_seconds()
        _refuse(
            ("histogram", wrong_with_histogram(self.histogram)),
            ("selector", wrong_with_matchers(self.selector)),
            ("budget_selector", wrong_with_matchers(self.budget_selector)),
            ("oldest_age", None if oldest_age is None else wrong_with_metric(oldest_age)),
        )
        return Latency(self.histogram, threshold, self.selector, oldest_age, clear, self.budget_selector)


class RatioEntry(ObjectiveEntry, kw_only=True, tag="ratio"):
    """Bad events among all."""

    bad: Annotated[Text, Meta(description="A selector of the counter of bad events")]
    total: Annotated[Text, Meta(description="A selector of the counter of all events")]

    def source(self) -> Indicator:
        """Return what is counted."""
        _refuse(("bad", wrong_with_selector(self.bad)), ("total", wrong_with_selector(self.total)))
        return Ratio(self.bad, self.total)


class UpEntry(ObjectiveEntry, tag="up"):
    """Scrapes that are answered."""

    def source(self) -> Indicator:
        """Return what is counted."""
        return Up()


# The next kind is one more class above, its name here, and its module in slo/objectives/kinds.
AnyObjectiveEntry = LatencyEntry | RatioEntry | UpEntry


class SloFileEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    job: Annotated[Text, Meta(description="The job in prometheus.yml")]
    scrape_interval: Annotated[
        Span | None, Meta(description="How often the jobs are scraped; as Prometheus says if left out")
    ] = None
    blind_for: Annotated[Span, Meta(description="Blind for so long is an incident of its own")] = "2m"
    objectives: Annotated[list[AnyObjectiveEntry], _wanted("must be a list of objectives")]


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    return msgspec.json.schema(SloFileEntry)


def _refuse(*found: tuple[str, str | None]) -> None:
    """Refuse fields with what is wrong with each.

    Raises:
        ObjectiveError: There is such a field.
    """
    mistakes = [(field, sentence) for field, sentence in found if sentence is not None]
    if mistakes:
        first, *more = mistakes
        raise ObjectiveError(*first, *more)


def span_of(field: str, text: str) -> timedelta:
    """Return the span that a field holds.

    Raises:
        ObjectiveError: It holds none.
    """
    try:
        return parse_span(text)
    except ValueError as error:
        raise ObjectiveError(field, str(error)) from error


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
