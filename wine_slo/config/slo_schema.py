"""What can stand in `slo.yml`: each type says in words what is wanted, each field what it is for.

It is also the JSON schema for editors: `python -m wine_slo.config.slo_schema > slo.schema.json`.
"""

import json
import sys
from datetime import UTC, timedelta, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from wine_slo.config.files import slo_examples
from wine_slo.config.setting_types import PAGE
from wine_slo.config.slo_extras import Count, DeploymentEntry, DrillEntry, Name, Text, refuse, wanted
from wine_slo.slo.objectives.error import ObjectiveError
from wine_slo.slo.objectives.kinds.gauge import Gauge
from wine_slo.slo.objectives.kinds.indicator import Indicator
from wine_slo.slo.objectives.kinds.latency import Latency, SlowOrFailed
from wine_slo.slo.objectives.kinds.ratio import Ratio
from wine_slo.slo.objectives.kinds.up import Up
from wine_slo.slo.objectives.selector import (
    comparison_of,
    wrong_with_histogram,
    wrong_with_matchers,
    wrong_with_metric,
    wrong_with_selector,
)
from wine_slo.slo.objectives.window import Calendar, CalendarUnit
from wine_slo.slo.span import PATTERN, WANTED, parse_span

Span = Annotated[str, wanted(WANTED, pattern=PATTERN)]
Window = Annotated[
    str,
    wanted(
        "must be a span such as 7d, 28d or 30d, or week, month or quarter",
        pattern=rf"^({'|'.join(CalendarUnit)})$|{PATTERN}",
    ),
]
Title = Annotated[str, wanted("must be text of at most 200 letters", max_length=200)]
Page = Annotated[
    str,
    wanted(
        "must be the address of a page, with a dot in its host, such as https://wiki.example.com/latency", pattern=PAGE
    ),
]
Number = Annotated[float, wanted("must be a number")]
Names = Annotated[list[str], wanted("must be a list of names")]
Filled = Annotated[str, Meta(min_length=1)]
JobNames = Annotated[Filled | Annotated[list[Filled], Meta(min_length=1)], wanted("must be a name or a list of names")]
Selectors = Annotated[
    Filled | Annotated[list[Filled], Meta(min_length=1)], wanted("must be a selector or a list of selectors")
]
Patterns = Annotated[list[Filled], wanted("must be a list of files, such as teams/*.yml")]
HistogramUnit = Annotated[Literal["s", "ms", "us", "ns"], wanted("must be s, ms, us or ns")]
Flag = Annotated[bool, wanted("must be true or false")]
OWN_KEYS = "x-"  # keys of the file that begin so are its writer's own: a place for what anchors name
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}  # in seconds
Urgency = Annotated[Literal["page", "ticket"], wanted("must be page or ticket")]


class BurnEntry(Struct, forbid_unknown_fields=True):
    """A burn rate that is alerted on."""

    budget: Annotated[Number, Meta(description="The share of the budget that is burnt in the long window, 0 to 1")]
    long: Annotated[Span, Meta(description="The long window")]
    short: Annotated[Span, Meta(description="The short window, over which it must still burn")]
    alert: Annotated[Urgency, Meta(description="A page is loud, a ticket is quiet")]


BurnRates = Annotated[list[BurnEntry], wanted("must be a list of burn rates")]


class ObjectiveEntry(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What every kind of objective has."""

    name: Annotated[Name, Meta(description="Short and unique; people type it in the chat")]
    title: Annotated[Title, Meta(description="What messages call it; the name where it is left out")] = ""
    job: Annotated[
        JobNames | None, Meta(description="The Prometheus job, or several; the file's where it is left out")
    ] = None
    up: Annotated[
        Text | None,
        Meta(description="A selector of the up series of its targets, or none; that of the job if left out"),
    ] = None
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
    window: Annotated[
        Window, Meta(description="Of the error budget; week, month or quarter begins anew with the calendar")
    ] = "30d"
    least: Annotated[Count, Meta(description="With fewer events than this nothing is judged")] = 5
    expires_after: Annotated[Span, Meta(description="An incident nobody feeds ends after this")] = "30m"
    remind_after: Annotated[Span, Meta(description="A reminder of an open incident is sent after this")] = "4h"
    by: Annotated[Names, Meta(description="Label names; one state for each label set")] = []
    breakdown: Annotated[Names | None, Meta(description="As in the file, for this objective alone")] = None
    burns: Annotated[
        BurnRates | None, Meta(description="The burn rates that are alerted on; the SRE Workbook's if left out")
    ] = None
    runbook: Annotated[
        Page | None, Meta(description="A page on what to do, which its alerts link; WINE_SLO_RUNBOOK_URL if left out")
    ] = None

    def source(self) -> Indicator:
        """Return what is counted.

        Raises:
            ObjectiveError: It cannot be counted.
        """
        raise NotImplementedError


class LatencyEntry(ObjectiveEntry, kw_only=True, tag="latency"):
    """Requests within a threshold, and with `success_selector` those that succeed within it."""

    threshold: Annotated[Span, Meta(description="A request that takes longer is bad; a bucket bound of the histogram")]
    clear: Annotated[Span | None, Meta(description="A quick recovery keeps to this; a bucket bound too")] = None
    histogram: Annotated[Text, Meta(description="The histogram's name, without _bucket")]
    selector: Annotated[Text, Meta(description='Label matchers, such as endpoint!~"/metrics|/health"')] = ""
    oldest_age: Annotated[Text | None, Meta(description="A gauge: the age of the oldest unanswered request")] = None
    budget_selector: Annotated[
        Text, Meta(description="More label matchers, for the error budget alone: it leaves a drill out")
    ] = ""
    success_selector: Annotated[
        Text | None, Meta(description="Label matchers of successful requests; others are as bad as slow ones")
    ] = None
    unit: Annotated[HistogramUnit, Meta(description="The unit of the histogram: s, ms, us or ns")] = "s"
    native: Annotated[Flag, Meta(description="Whether it is a native histogram, which has no _bucket")] = False

    def source(self) -> Indicator:
        """Return what is counted."""
        clear = None if self.clear is None else span_of("clear", self.clear).total_seconds()
        oldest_age = None if self.oldest_age is None else self.oldest_age
        threshold = span_of("threshold", self.threshold).total_seconds()
        refuse(
            ("histogram", wrong_with_histogram(self.histogram)),
            ("selector", wrong_with_matchers(self.selector)),
            ("budget_selector", wrong_with_matchers(self.budget_selector)),
            ("oldest_age", None if oldest_age is None else wrong_with_metric(oldest_age)),
            ("success_selector", None if self.success_selector is None else wrong_with_success(self.success_selector)),
        )
        fields = (self.histogram, threshold, self.selector, oldest_age, clear, self.budget_selector)
        unit, success = UNITS[self.unit], self.success_selector
        if success is None:
            return Latency(*fields, unit, self.native)
        return SlowOrFailed(*fields, unit, self.native, success)


class RatioEntry(ObjectiveEntry, kw_only=True, tag="ratio"):
    """Bad events among all, or good ones."""

    bad: Annotated[
        Selectors | None, Meta(description="A selector of the counter of bad events, or several, which are summed")
    ] = None
    good: Annotated[
        Selectors | None, Meta(description="The same of good events; exactly one of bad and good is written")
    ] = None
    total: Annotated[
        Selectors, Meta(description="A selector of the counter of all events, or several, which are summed")
    ]

    def source(self) -> Indicator:
        """Return what is counted."""
        fields = {"bad": listed(self.bad), "good": listed(self.good), "total": listed(self.total)}
        refuse(*((field, wrong_with_selector(each)) for field, selectors in fields.items() for each in selectors))
        return Ratio(**fields)


class GaugeEntry(ObjectiveEntry, kw_only=True, tag="gauge"):
    """Scrapes of gauges whose value meets a condition."""

    good: Annotated[
        Text,
        Meta(description="What a good value is: a selector and one comparison"),
    ]
    least: Annotated[Count, Meta(description="With fewer values than this nothing is judged")] = 1

    def source(self) -> Indicator:
        """Return what is counted."""
        try:
            return Gauge(comparison_of(self.good))
        except ValueError as error:
            raise ObjectiveError("good", str(error)) from error


class UpEntry(ObjectiveEntry, tag="up"):
    """Scrapes that are answered."""

    def source(self) -> Indicator:
        """Return what is counted."""
        return Up()


# The next kind is one more class above, its name here, and its module in slo/objectives/kinds.
AnyObjectiveEntry = LatencyEntry | RatioEntry | GaugeEntry | UpEntry


class SloFileEntry(Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    job: Annotated[JobNames | None, Meta(description="The job in prometheus.yml, or several")] = None
    up: Annotated[
        Text | None,
        Meta(description="A selector of the up series of its targets, or none where they push; that of the job if not"),
    ] = None
    scrape_interval: Annotated[
        Span | None, Meta(description="How often the jobs are scraped; as Prometheus says if left out")
    ] = None
    drill: Annotated[
        DrillEntry | None,
        wanted("must be a url, or a start and a stop"),
        Meta(
            description="What `wine-slo drill` does; requests to /sleep of the service that comes with it if left out"
        ),
    ] = None
    time_zone: Annotated[Text, Meta(description="Of calendar windows, such as Europe/Berlin")] = "UTC"
    deployments: Annotated[
        list[DeploymentEntry] | None,
        wanted("must be a list of selectors and labels, such as [{selector: app_info, label: version}]"),
        Meta(description="Where the version shows; guessed from gauges called …_info if left out"),
    ] = None
    target_down: Annotated[
        bool | Literal["on", "off"],
        wanted("must be on or off"),
        Meta(description="Whether an outage of all targets of a job, for blind_for, is an incident of its own"),
    ] = True
    breakdown: Annotated[
        Names | None,
        Meta(description="Labels by which bad requests are attributed; all that the series have if left out"),
    ] = None
    blind_for: Annotated[Span, Meta(description="Blind for so long is an incident of its own")] = "2m"
    include: Annotated[
        Patterns, Meta(description="More files of objectives, beside this one; * and ? stand for letters of a name")
    ] = []
    objectives: Annotated[list[AnyObjectiveEntry], wanted("must be a list of objectives")] = []


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file, with examples and with what holds beyond the types of single fields."""
    return slo_examples.completed(msgspec.json.schema(SloFileEntry), OWN_KEYS)


def wrong_with_success(matchers: str) -> str | None:
    """Return what is wrong with the matchers of successful requests; None where nothing is."""
    if not matchers.strip():
        return 'must be label matchers, such as code!~"5.."; leave it out where every request counts as successful'
    return wrong_with_matchers(matchers)


def listed(names: str | list[str] | None) -> tuple[str, ...]:
    """Return what is written as one or as a list."""
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def span_of(field: str, text: str) -> timedelta:
    """Return the span that a field holds.

    Raises:
        ObjectiveError: It holds none.
    """
    try:
        return parse_span(text)
    except ValueError as error:
        raise ObjectiveError(field, str(error)) from error


def window_of(text: str, zone: tzinfo = UTC) -> tuple[timedelta, Calendar | None]:
    """Return the window of an error budget: its span, and the calendar with which it begins anew, if it does.

    Raises:
        ObjectiveError: It is none.
    """
    unit = next((each for each in CalendarUnit if each == text), None)
    if unit is None:
        return span_of("window", text), None
    calendar = Calendar(unit, zone)
    return calendar.nominal, calendar


def zone_of(name: str) -> tzinfo:
    """Return a time zone.

    Raises:
        ObjectiveError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a ValueError or an OSError: a name that is a path
        raise ObjectiveError("time_zone", f"is {name!r}; it must be a time zone such as Europe/Berlin") from None


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=2)
    sys.stdout.write("\n")
