"""A chart of one objective as values: what is to be drawn, with every word on it, and nothing of how.

Points are pairs of epoch seconds and a value. Where there were no requests, or no data, there is no point, and
what is drawn has a gap there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import count

from wine_slo.slo.chat.address import Address
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.incident import Incident, Outcome
from wine_slo.slo.objectives.kinds.indicator import Unit
from wine_slo.slo.objectives.objective import Alert, Key, Objective
from wine_slo.slo.source.deployment import Deployment
from wine_slo.slo.text.formatting import Formatter, plain
from wine_slo.slo.text.incidents.breach import drill_mark
from wine_slo.slo.text.incidents.held import unproved_end_text
from wine_slo.slo.text.incidents.resolved import lasted_line, recovery_head
from wine_slo.slo.text.language import version_of
from wine_slo.slo.text.status_list import objective_line

POINTS = 300  # of one line; more than a phone can show
MOST_MARKS = 10  # deployments of one chart
SAME_WITHIN = timedelta(minutes=10)  # a version that appears again so soon was not deployed again
TICKS = 6  # labels under a chart; what a phone can show in large letters
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
STEPS = tuple(
    timedelta(seconds=each) for each in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
)
AFTER = timedelta(minutes=1)  # one of an incident that is over ends so long after it
BEFORE = timedelta(minutes=10)  # a chart of an incident begins so long before it, to show what is usual
USUAL = timedelta(hours=1)  # a chart of no incident
LONGEST = timedelta(days=35)  # what the shipped Prometheus keeps

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A time that is shaded, and what stands over it."""

    since: float
    until: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A deployment, which is a line from top to bottom, and the version that stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What is drawn.

    Attributes:
        title: The first line: what it is about.
        subtitle: The second: what the values are, the span and the zone.
        first: Where it begins, in epoch seconds.
        last: Where it ends.
        step: Seconds between two points; a longer hole between two is a gap.
        values: Seconds, or shares of 0 to 1.
        target: The target, in the same unit.
        target_label: What stands at its line.
        unit: What follows a number of the values: `s` or `%`.
        scale: By what a value is multiplied to be read in that unit.
        is_band: Whether the values are how much of the service was up, which is a band and not a line.
        rates: Requests a second; empty where there is nothing to be counted.
        rate_label: What stands over them.
        gap_label: What stands in a wide gap.
        decimal: The sign before the decimals.
        ticks: Instants in epoch seconds that have a label, and that label.
        breaches: What is shaded.
        marks: Deployments, oldest first.
        mark_label: What the line of a deployment means; it stands there where there is one.
    """

    title: str
    subtitle: str
    first: float
    last: float
    step: float
    values: Points
    target: float
    target_label: str
    unit: str
    scale: float = 1.0
    is_band: bool = False
    rates: Points = ()
    rate_label: str = ""
    gap_label: str = ""
    decimal: str = "."
    ticks: tuple[tuple[float, str], ...] = ()
    breaches: tuple[Breach, ...] = ()
    marks: tuple[Mark, ...] = ()
    mark_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSeries:
    """How one objective went, by Prometheus.

    Attributes:
        first: Where it begins.
        last: Where it ends.
        step: How far apart the points are; each is over at least so long a range.
        values: Seconds of the objective's quantile for a latency, else the share of bad events; by epoch seconds.
        rates: Requests a second, in the same way.
        incidents: What of it was a breach.
        deployments: Those of its job that are known, each with its version.
    """

    key: Key
    first: datetime
    last: datetime
    step: timedelta
    values: Mapping[float, float]
    rates: Mapping[float, float]
    incidents: tuple[Incident, ...] = ()
    deployments: tuple[Deployment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChart:
    """A chart in a chat.

    It is a level: a chart is drawn anew as long as it does not show the end that its incident has.

    Attributes:
        incident: The number of its incident.
        chat: Where it is.
        message: The id of the message that has it.
        shows_end: The end of the incident that it shows, or that it will never show; None where it shows none.
    """

    incident: int
    chat: Address
    message: int
    shows_end: datetime | None = None

    def is_outdated(self, incident: Incident) -> bool:
        """Return whether its incident is over and it does not show that."""
        return not incident.is_open and incident.closed_at != self.shows_end


def chart_of(series: ObjectiveSeries, objective: Objective, fmt: Formatter) -> Chart:
    """Return what is drawn of a series, in its readers' words and by their clock."""
    is_good_share, is_timed = objective.source.unit is Unit.GOOD_SHARE, objective.is_latency
    return Chart(
        title=plain(_title(series, objective, fmt)),
        subtitle=plain(span_line(series, fmt)),
        first=series.first.timestamp(),
        last=series.last.timestamp(),
        step=series.step.total_seconds(),
        values=tuple(sorted((at, 1 - value if is_good_share else value) for at, value in series.values.items())),
        target=objective.ratio if is_good_share else objective.limit,
        target_label=plain(_target(objective, fmt)),
        unit=fmt.say("{number} s", number="").strip() if is_timed else "%",
        scale=1.0 if is_timed else 100.0,
        is_band=objective.is_up,
        rates=() if objective.counts_scrapes else tuple(sorted(series.rates.items())),
        rate_label="" if objective.counts_scrapes else plain(fmt.say("Requests per second")),
        gap_label=plain(fmt.say("no data")),
        decimal=fmt.language.decimal,
        ticks=ticks(
            series.first,
            series.last,
            fmt.zone,
            lambda each: plain(fmt.say("{day}/{month}", day=each.day, month=f"{each.month:02}")),
        ),
        breaches=breaches(
            series.incidents, series.first, series.last, lambda number: fmt.say("#{number}", number=number)
        ),
        marks=marks(series.deployments, series.first, series.last),
        mark_label=plain(fmt.say("deployment")),
    )


def caption_of(series: ObjectiveSeries, fmt: Formatter, state: State, now: datetime) -> str:
    """Return what stands under a chart of now: how the objective stands, how bad it was, and the span; HTML.

    It is the newest message of a chat, so its first line is read on the lock screen as the state of things.
    """
    worst = [fmt.worst(each, fmt.objectives.of(series.key)) for each in state.open_incidents if each.key == series.key]
    return "\n".join(filter(None, [objective_line(fmt, series.key, state, now), *worst, span_line(series, fmt)]))


def end_lines(fmt: Formatter, incident: Incident) -> list[str]:
    """Return what stands under the chart of an incident that is over: how it ended, how long and how bad it was; HTML.

    It begins with the sign and, where it was one, with the drill.
    """
    if incident.outcome is not Outcome.RECOVERED:
        head, lines = unproved_end_text(fmt, incident), list[str]()
    else:
        head, lines = recovery_head(fmt, incident), [f"{lasted_line(fmt, incident)} {fmt.foot(incident)}"]
    sign, _, text = head.partition(" ")
    return [f"{sign} {' · '.join([*drill_mark(fmt, incident), text])}", *lines]


def _target(objective: Objective, fmt: Formatter) -> str:
    """Return what stands at the line that is not to be crossed."""
    return fmt.say("target {target}", target=fmt.target(objective))


def _title(series: ObjectiveSeries, objective: Objective, fmt: Formatter) -> str:
    return fmt.say(objective.source.text.chart, title=fmt.title(series.key), quantile=f"{objective.ratio * 100:g}")


def span_line(series: ObjectiveSeries, fmt: Formatter) -> str:
    """Return from when to when, by which clock."""
    first, last = (each.astimezone(fmt.zone) for each in (series.first, series.last))
    zone = fmt.zone_name(last)
    if first.date() == last.date():
        return fmt.say(
            "{day}, {first} to {last} ({zone})",
            day=fmt.language.date(last),
            first=fmt.clock(first),
            last=fmt.clock(last),
            zone=zone,
        )
    return fmt.say(
        "{first_day} {first} to {last_day} {last} ({zone})",
        first_day=fmt.language.date(first),
        first=fmt.clock(first),
        last_day=fmt.language.date(last),
        last=fmt.clock(last),
        zone=zone,
    )


def span_of(incident: Incident | None, now: datetime) -> timedelta:
    """Return how far back a chart goes where nobody says: to a while before the incident."""
    if incident is None:
        return USUAL
    return min(now - incident.since + BEFORE, LONGEST)


def step_of(span: timedelta, scrape_interval: timedelta) -> timedelta:
    """Return how far apart the points of a span are.

    A whole number of scrapes, and not more points than can be seen.
    """
    return scrape_interval * max(1, -(-span // (scrape_interval * POINTS)))


def breaches(
    incidents: Iterable[Incident], first: datetime, last: datetime, name: Callable[[int], str] = "#{}".format
) -> tuple[Breach, ...]:
    """Return what is shaded between two instants, oldest first."""
    shaded = []
    those = (each for each in incidents if each.key.alert is Alert.BREACH)
    for each in sorted(those, key=lambda incident: incident.began_at):
        label = name(each.number)
        for began_at, ended_at in each.bad_times(last):
            since, until = max(began_at, first), min(ended_at, last)
            if since < until:
                shaded.append(Breach(since.timestamp(), until.timestamp(), label))
                label = ""  # once for all openings of an incident
    return tuple(shaded)


def marks(deployments: Iterable[Deployment], first: datetime, last: datetime) -> tuple[Mark, ...]:
    """Return the last deployments between two instants, oldest first.

    Args:
        deployments: One may be there twice, as it was reported and, a little later, as it was seen.
        first: Where the chart begins.
        last: Where it ends.
    """
    shown: list[Mark] = []
    latest: dict[str, datetime] = {}
    for at, version in sorted({(each.at, each.after) for each in deployments if first <= each.at <= last}):
        if version not in latest or at - latest[version] > SAME_WITHIN:
            shown.append(Mark(at.timestamp(), plain(version_of(version))))
        latest[version] = at
    return tuple(shown[-MOST_MARKS:])


def ticks(
    first: datetime, last: datetime, zone: tzinfo, day: Callable[[datetime], str]
) -> tuple[tuple[float, str], ...]:
    """Return the instants that have a label: round times of the zone, and the name of the day where one begins.

    Args:
        first: Where the chart begins.
        last: Where it ends.
        zone: The reader's.
        day: What a day is called.
    """
    span = last - first
    midnight = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    step = next((each for each in STEPS if span / each <= TICKS), None)
    if step is None:
        step = DAY * -(-span // (DAY * TICKS))
    form = "%H:%M:%S" if step < MINUTE else "%H:%M"
    return tuple(
        (at.timestamp(), day(at) if step >= DAY or not (at.hour or at.minute or at.second) else f"{at:{form}}")
        for at in _every(step, midnight, first, last)
    )


def _every(step: timedelta, midnight: datetime, first: datetime, last: datetime) -> Iterator[datetime]:
    """Return round times of the zone's own clock between two instants."""
    for number in count((first - midnight) // step):
        at = midnight + number * step
        if at > last:
            return
        if at >= first:
            yield at
