"""Objectives: what each of them counts, and the spans by which they are judged.

Ratios are 0 to 1, spans are timedeltas, durations of requests are seconds. A value that exists is valid: every
constructor refuses what could never be judged and says which field is wrong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Self

from wine_slo.slo.objectives.error import ObjectiveError, refuse
from wine_slo.slo.objectives.kinds.indicator import Indicator, Unit
from wine_slo.slo.objectives.scope import Scope
from wine_slo.slo.objectives.window import Calendar, Period
from wine_slo.slo.source.deployment import VersionSeries
from wine_slo.slo.span import format_span
from wine_slo.slo.usual_spans import (
    LEAST_OVER_INTERVALS,
    STALL_SHARE,
    USUAL_BAD_FOR,
    USUAL_GOOD_FOR,
    grain,
    least_bad_for,
    least_good_for,
)

LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
BOUND = "le"  # the label of the buckets of a histogram
JITTER = 0.05  # of an interval, by which spans are longer or shorter than whole intervals and still count as such
TAKEN = ("sight", "down", "gap", "ledger")  # what the watchdog's own incidents are about


def _short(span: timedelta, given: str, least: timedelta) -> str:
    return f"is {format_span(span)}; with {given} it must be at least {format_span(least)}"


def _of(percentage: float) -> str:
    return f"{percentage / 100:.10g}"


class Alert(StrEnum):
    """What an incident is about, and so how loud it is."""

    BREACH = "breach"  # the objective is violated now
    PAGE = "page"  # the error budget burns so fast that somebody must act
    TICKET = "ticket"  # it burns faster than lasts; no need to get up


@dataclass(frozen=True, slots=True)
class Burn:
    """A burn rate of the error budget that is alerted on when it holds over a long window and over a short one.

    The share of the budget is what is written; the factor, a multiple of the rate that lasts for the whole window,
    follows from it. Source: the Google SRE Workbook, "Alerting on SLOs",
    https://sre.google/workbook/alerting-on-slos/
    """

    budget: float
    long: timedelta
    short: timedelta
    alert: Alert

    def __post_init__(self) -> None:
        """Refuse windows that make no sense together."""
        checks = (
            ("budget", 0 < self.budget <= 1, "must be a share of the budget, more than 0 and at most 1"),
            ("short", timedelta(0) < self.short < self.long, "must be longer than 0 and shorter than long"),
            ("alert", self.alert is not Alert.BREACH, "must be page or ticket"),
        )
        refuse((name, sentence) for name, holds, sentence in checks if not holds)

    def factor(self, window: timedelta, history: timedelta | None = None) -> float:
        """Return the burn rate at which this share is burnt in the long window, or in as much of it as is known.

        Never below 1: a budget that lasts is no alert, whatever share is written.
        """
        return max(1.0, self.budget * (window / (self.long if history is None else min(self.long, history))))


# Source: the SRE Workbook, chapter 5, table 5-8; 5 % in 6 h and 2 % in 1 h page, 10 % in 1 d and in 3 d are tickets.
BURNS = (
    Burn(0.02, timedelta(hours=1), timedelta(minutes=5), Alert.PAGE),
    Burn(0.05, timedelta(hours=6), timedelta(minutes=30), Alert.PAGE),
    Burn(0.10, timedelta(days=1), timedelta(hours=2), Alert.TICKET),
    Burn(0.10, timedelta(days=3), timedelta(hours=6), Alert.TICKET),
)
BURNS_WINDOW = timedelta(days=30)  # that these shares are of


def usual_burns(window: timedelta) -> tuple[Burn, ...]:
    """Return the usual burn-rate alerts for a budget of any window: the same burn rates over the same windows.

    The shares follow: 2 % of 30 days in 1 h is a burn rate of 14.4, and so is 8.6 % of 7 days. One whose long window
    holds more than the whole budget at its burn rate is left out: the budget would be gone before it fires.
    """
    shares = ((burn, burn.budget * (BURNS_WINDOW / window)) for burn in BURNS)
    return tuple(replace(burn, budget=share) for burn, share in shares if share <= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One objective, and how long it must be violated or met before that is notified.

    Attributes:
        name: Short and unique; people type it in the chat.
        title: What messages call it.
        job: The Prometheus job whose targets it is about; what several of them are called, or those of a selector.
        source: What is counted.
        ratio: The share of events that is to be good.
        scrape_interval: How far apart the samples are; one interval is the grain of every judgement.
        bad_for: How long it must have been bad to be a breach; what is shorter is a stall.
        good_for: How long it must have been good to be a recovery.
        over: The range that is shown, and how far back a suspicion reaches.
        window: The span of the error budget; of a calendar window, its nominal one.
        least_events: With fewer than this nothing is judged.
        expires_after: An incident that no event has fed for so long is closed as expired.
        remind_after: A reminder of an open incident is sent after so long.
        by: Label names; one state for each label set.
        breakdown: Label names by which bad events are attributed; None for all that its series have.
        burns: The burn rates that are alerted on.
        burns_left_out: The usual ones that can never fire for this objective, so that they are not among them.
        seen_in: The series of its targets, where they are not simply those of the job.
        calendar: With what the error budget begins anew; None where the window is one that always ends now.
        runbook: The address of a page that says what to do where it is violated; empty where it has none of its own.
    """

    name: str
    title: str
    job: str
    source: Indicator
    ratio: float
    scrape_interval: timedelta = timedelta(seconds=5)
    bad_for: timedelta = USUAL_BAD_FOR
    good_for: timedelta = USUAL_GOOD_FOR
    over: timedelta = timedelta(minutes=5)
    window: timedelta = timedelta(days=30)
    least_events: int = 5
    expires_after: timedelta = timedelta(minutes=30)
    remind_after: timedelta = timedelta(hours=4)
    by: tuple[str, ...] = ()
    breakdown: tuple[str, ...] | None = None
    burns: tuple[Burn, ...] = ()
    burns_left_out: tuple[Burn, ...] = ()
    seen_in: Scope | None = None
    calendar: Calendar | None = None
    runbook: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never be judged."""
        scrapes = f"scrape_interval: {format_span(self.scrape_interval)}"
        spans = f"bad_for: {format_span(self.bad_for)} and good_for: {format_span(self.good_for)}"
        bad, good = least_bad_for(self.scrape_interval), least_good_for(self.scrape_interval)
        both, some = self.bad_for + self.good_for, LEAST_OVER_INTERVALS * self.scrape_interval
        shown = f"over, which is {format_span(self.over)} at {scrapes}"
        least, too_low = self.source.least_ratio
        checks = (
            ("name", self.name not in TAKEN, "must not be sight, down, gap or ledger, which are the watchdog's own"),
            ("objective", not 50 <= self.ratio < 100, f"is {self.ratio:g}, a percentage; write {_of(self.ratio)}"),
            ("objective", 0 < self.ratio < 1, "must lie between 0 and 1, both left out"),
            ("objective", self.ratio >= least, too_low),
            ("scrape_interval", self.scrape_interval > timedelta(0), "must be longer than 0"),
            ("bad_for", self.bad_for >= bad, f"{_short(self.bad_for, scrapes, bad)} to keep stalls quiet"),
            ("good_for", self.good_for >= good, f"{_short(self.good_for, scrapes, good)} to prove a recovery"),
            ("over", self.over >= both, _short(self.over, spans, both)),
            ("over", self.over >= some, _short(self.over, scrapes, some)),
            ("window", self.window > self.over, f"is {self.window_name}; it must be longer than {shown}"),
            ("window", self.calendar is None or self.window == self.calendar.nominal, "must be that of the calendar"),
            (
                "up",
                self.scope.has_up or not self.is_up,
                "is none, but kind: up counts the scrapes of `up`; leave it out",
            ),
            ("least", self.least_events >= 1, "must be 1 or more"),
            ("expires_after", self.expires_after > timedelta(0), "must be longer than 0"),
            ("remind_after", self.remind_after > timedelta(0), "must be longer than 0"),
            ("by", all(map(LABEL.fullmatch, self.by)), "must be names of labels"),
            ("by", len({*self.by}) == len(self.by), "must name each label once"),
            ("by", BOUND not in self.by, f"must not name {BOUND}: the buckets of a histogram are judged together"),
            ("breakdown", BOUND not in (self.breakdown or ()), f"must not name {BOUND}, by which a histogram counts"),
            ("breakdown", all(map(LABEL.fullmatch, self.breakdown or ())), "must be names of labels"),
        )
        mistakes: dict[str, str] = {}
        for name, holds, sentence in checks:
            if not holds:
                mistakes.setdefault(name, sentence)  # a field that is no number is wrong in one way
        refuse(mistakes.items())
        refuse(
            (
                f"burns.{number}",
                (
                    f"can never fire: {burn.budget:g} of the budget in that window is a burn rate of "
                    f"{burn.factor(self.window):.3g}, and where every event is bad it is {self.fastest_burn:.3g}"
                ),
            )
            for number, burn in enumerate(self.burns)
            if not self.can_fire(burn)
        )

    @property
    def scope(self) -> Scope:
        """Return the series of its targets."""
        return self.seen_in or Scope.of_jobs(self.job)

    @property
    def is_latency(self) -> bool:
        """Return whether its value is a quantile in seconds, not a share of events."""
        return self.source.unit is Unit.SECONDS

    @property
    def is_up(self) -> bool:
        """Return whether it is about the targets themselves, so that a target that is down can be judged."""
        return self.source.is_about_targets

    @property
    def counts_scrapes(self) -> bool:
        """Return whether each scrape is an event, so that an interval has one and not a rate of them."""
        return self.source.counts_scrapes

    @property
    def limit(self) -> float:
        """Return the worst value that meets the objective: seconds of a quantile, else a share of bad events."""
        threshold = self.source.threshold if self.is_latency else None
        return self.allowed_bad_ratio if threshold is None else threshold

    @property
    def allowed_bad_ratio(self) -> float:
        """Return the share of events that may be bad: the error budget as a ratio."""
        return 1 - self.ratio

    @property
    def fastest_burn(self) -> float:
        """Return the burn rate where every event is bad."""
        return 1 / self.allowed_bad_ratio

    def can_fire(self, burn: Burn) -> bool:
        """Return whether any share of bad events burns so fast."""
        return burn.factor(self.window) <= self.fastest_burn

    @property
    def window_name(self) -> str:
        """Return the window of the error budget as slo.yml writes it: `30d`, `month`."""
        return self.name_of(self.window)

    def is_calendar(self, window: timedelta) -> bool:
        """Return whether a window stands for the calendar window of the error budget."""
        return self.calendar is not None and window == self.window

    def name_of(self, window: timedelta) -> str:
        """Return a window of a burn rate as metrics and the API write it: `5m`, `30d`, `month`."""
        calendar = self.calendar if self.is_calendar(window) else None
        return format_span(window) if calendar is None else calendar.unit.value

    @property
    def longest_window(self) -> timedelta:
        """Return how long the window can be: a month has up to 31 days."""
        return self.window if self.calendar is None else self.calendar.longest

    def period(self, at: datetime) -> Period | None:
        """Return the turn of the calendar window at an instant; None where the window always ends now."""
        return None if self.calendar is None else self.calendar.period(at)

    @property
    def with_usual_burns(self) -> "Objective":
        """Return the same with the usual burn-rate alerts, but for those that can never fire."""
        burns = tuple(burn for burn in usual_burns(self.window) if self.can_fire(burn))
        kept = {burn.long for burn in burns}
        return replace(self, burns=burns, burns_left_out=tuple(each for each in BURNS if each.long not in kept))

    @property
    def as_budgeted(self) -> "Objective":
        """Return the same, of only what the error budget counts."""
        source = self.source.budgeted
        return self if source is self.source else replace(self, source=source)

    @property
    def recent(self) -> timedelta:
        """Return the last moments, two scrapes or more: the range of the value while something is wrong."""
        return max(self.good_for, 2 * self.scrape_interval)

    @property
    def longest_stall(self) -> timedelta:
        """Return how long it may be bad at once and never be an incident: 15 s of 25."""
        return min(STALL_SHARE * self.bad_for, self.bad_for - 2 * grain(self.scrape_interval))

    @property
    def judged_stall(self) -> timedelta:
        """Return the length of the stall that a judgement leaves out, which has some margin: 20 s of 25."""
        return self.bad_for - grain(self.scrape_interval)

    def stall_intervals(self, apart: timedelta = timedelta(0)) -> int:
        """Return how many adjacent intervals a stall can spoil: one of 15 s touches four of 5 s and two of a minute.

        Where each scrape is an event, it is how many scrapes lie within the stall that is left out. Targets that are
        not scraped at once, but so far `apart`, show the same stall one after the other.
        """
        if self.counts_scrapes:
            return ceil((self.judged_stall + apart) / self.scrape_interval - JITTER)
        touched = ceil((self.longest_stall + apart) / self.scrape_interval - JITTER) + 1
        return max(touched, round(self.bad_for / self.scrape_interval) - 1)

    @property
    def clear_intervals(self) -> int:
        """Return for how many intervals it must be good until a suspicion is dropped: as long as a breach takes."""
        return ceil(self.bad_for / self.scrape_interval - JITTER)

    @property
    def least_good_time(self) -> timedelta:
        """Return for how long it must be good to be a recovery: one whole scrape interval at the least."""
        return max(self.good_for, self.scrape_interval)

    @property
    def good_intervals(self) -> int:
        """Return for how many intervals it must be good to be a recovery: one whole one at the least."""
        return max(1, round(self.good_for / self.scrape_interval))

    @property
    def least_to_judge(self) -> int:
        """Return with how many events it can be judged; of scrapes no more are needed than outlast a stall."""
        return min(self.least_events, self.stall_intervals() + 1) if self.counts_scrapes else self.least_events


def scopes_by_name(objectives: Iterable[Objective]) -> dict[str, Scope]:
    """Return the series of each job, or of what else objectives are about, by its name; those of the first of each."""
    by_name: dict[str, Scope] = {}
    for each in objectives:
        by_name.setdefault(each.job, each.scope)
    return by_name


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Whose state it is: an objective, one label set where the objective has several, and what it is about."""

    objective: str
    labels: tuple[tuple[str, str], ...] = ()
    alert: Alert = Alert.BREACH

    @property
    def is_own(self) -> bool:
        """Return whether it is about monitoring itself or a service that is down.

        A silence of all never mutes that.
        """
        return self.objective in TAKEN

    def __str__(self) -> str:
        """Return it as it stands at the foot of a message: `latency` or `latency{endpoint="/predict"}`."""
        labels = ", ".join(f'{name}="{value}"' for name, value in self.labels)
        name = f"{self.objective}{{{labels}}}" if labels else self.objective
        return name if self.alert is Alert.BREACH else f"{name} budget"


@dataclass(frozen=True, slots=True)
class Objectives:
    """All objectives, as one value that can be exchanged for another while the watchdog runs.

    Attributes:
        blind_for: No data for so long is an incident of its own.
        target_down: Whether an outage of all targets of a job is one.
        deployments: The gauges that show which version runs; None where they are to be guessed.
        doubts: What Prometheus shows to be wrong with the series of an objective, by its name.
    """

    all: tuple[Objective, ...]
    blind_for: timedelta = timedelta(minutes=2)
    target_down: bool = True
    deployments: tuple[VersionSeries, ...] | None = None
    doubts: Mapping[str, str] = field(default_factory=dict)
    by_name: dict[str, Objective] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an empty list and two objectives of one name."""
        if not self.all:
            raise ObjectiveError("objectives", "must hold at least one objective")
        object.__setattr__(self, "by_name", {objective.name: objective for objective in self.all})
        if len(self.by_name) < len(self.all):
            raise ObjectiveError("objectives", "must not hold two objectives of one name")

    @property
    def scopes(self) -> list[Scope]:
        """Return the series of each job, or of what else objectives are about, by its name."""
        return list(scopes_by_name(self.all).values())

    @property
    def longest_poll(self) -> timedelta:
        """Return the longest interval between evaluations of which none counts as a gap."""
        return self.blind_for / 2

    def of(self, key: Key) -> Objective | None:
        """Return the objective that a key belongs to; None when there is no such objective any more."""
        return self.by_name.get(key.objective)

    @classmethod
    def only(cls, *objectives: Objective) -> Self:
        """Return these objectives, with the usual settings."""
        return cls(objectives)
