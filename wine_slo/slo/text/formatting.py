"""Formatter: numbers, durations, times, titles and targets as the readers of one chat read them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from html import escape, unescape

from wine_slo.slo.evaluation.engine import DOWN, LEDGER, SIGHT
from wine_slo.slo.evaluation.incident import Incident
from wine_slo.slo.evaluation.reading import Value
from wine_slo.slo.notification.plan import EDITED_EVERY
from wine_slo.slo.objectives.kinds.indicator import Unit
from wine_slo.slo.objectives.objective import Alert, Key, Objective, Objectives
from wine_slo.slo.objectives.window import CalendarUnit
from wine_slo.slo.reason import phrase
from wine_slo.slo.text.language import ENGLISH, ROUNDING, Hole, Language, shortened

MAX_ENDPOINTS = 3  # in one line of a message
MAX_HELD = 3  # incidents that are named in one message
MOST_SECONDS = 1e11  # of an age; a gauge that is 0 was never set, and its age is that of the epoch
LONG_OPEN = timedelta(minutes=2)  # from then on the first line says for how long
THIS = {  # after "of": "95 % left of this month"
    CalendarUnit.WEEK: phrase("this week"),
    CalendarUnit.MONTH: phrase("this month"),
    CalendarUnit.QUARTER: phrase("this quarter"),
}
EACH = {  # after "over": "95 % of requests succeed, over a calendar month"
    CalendarUnit.WEEK: phrase("a calendar week"),
    CalendarUnit.MONTH: phrase("a calendar month"),
    CalendarUnit.QUARTER: phrase("a calendar quarter"),
}
NEW = {
    CalendarUnit.WEEK: phrase("new week"),
    CalendarUnit.MONTH: phrase("new month"),
    CalendarUnit.QUARTER: phrase("new quarter"),
}
BURNT_IN = {  # in a list of windows: "burn rate: 1 h 0.5×, month 0.9×"
    CalendarUnit.WEEK: phrase("week"),
    CalendarUnit.MONTH: phrase("month"),
    CalendarUnit.QUARTER: phrase("quarter"),
}
ON = (  # after "on"
    phrase("Monday"),
    phrase("Tuesday"),
    phrase("Wednesday"),
    phrase("Thursday"),
    phrase("Friday"),
    phrase("Saturday"),
    phrase("Sunday"),
)
MOSCOW = phrase("MSK")
TITLES = (phrase("Latency"), phrase("Error rate"), phrase("Availability"))  # of slo.yml as it is shipped


def plain(text: str) -> str:
    """Return a text without its markup."""
    return unescape(re.sub(r"</?b>", "", text))


def job_of(incident: Incident) -> str:
    """Return the job that an incident about its targets is about."""
    return dict(incident.key.labels).get("job", "")


def is_worst_of_opening(incident: Incident) -> bool:
    """Return whether the worst value was seen in the present opening of an incident, and not in an earlier one."""
    return incident.worst_at is None or incident.worst_at >= incident.since


@dataclass(frozen=True, slots=True)
class Formatter:
    """The readers of one chat: the objectives by their titles, in their language and time zone; texts are HTML."""

    objectives: Objectives
    zone: tzinfo
    language: Language = ENGLISH

    def say(self, sentence: str, /, **holes: Hole) -> str:
        """Return a sentence in the readers' language, see `Language.say`."""
        return self.language.say(sentence, **holes)

    def count(self, n: int, one: str, many: str, /, **holes: Hole) -> str:
        """Return a sentence about so many in the readers' language, see `Language.count`."""
        return self.language.count(n, one, many, **holes)

    def clock(self, instant: datetime) -> str:
        """Return a time of day: `19:41`."""
        return f"{instant.astimezone(self.zone):%H:%M}"

    def beginning(self, instant: datetime, now: datetime) -> str:
        """Return when something began or ended: `19:41:05`, with its day where that is not today's."""
        local = instant.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return f"{local:%H:%M:%S}"
        return self.say("{day} {time}", day=self.language.date(local), time=f"{local:%H:%M:%S}")

    def so_far(self, duration: timedelta) -> str:
        """Return how long something has lasted, in a message that is kept up to date, so minutes are exact enough."""
        return self.language.span(duration - duration % EDITED_EVERY if duration >= LONG_OPEN else duration)

    def seconds(self, value: float, bounds: Sequence[float] = (), *, apart_from: float | None = None) -> str:
        """Return a quantile as HTML, see `Language.latency`."""
        return escape(self.language.latency(value, bounds, apart_from=apart_from), quote=False)

    def title(self, key: Key) -> str:
        """Return what an objective is called: `Latency`, or `Latency of /predict` for one label set."""
        objective = self.objectives.of(key)
        name = objective.title if objective else key.objective
        if key.objective == SIGHT.objective:
            name = self.say("Monitoring")
        elif key.objective == DOWN:
            name = self.say("Targets")
        elif key == LEDGER:
            name = self.say("Database")
        elif name in TITLES:
            name = self.say(name)
        values = ", ".join(value for _, value in key.labels if value.strip())
        if not values:
            return shortened(name)
        return self.say("{title} of {labels}", title=shortened(name), labels=shortened(values))

    def moment(self, instant: datetime, now: datetime) -> str:
        """Return a time that need not be of today: `20:43`, `9:00 on 3 November`."""
        local = instant.astimezone(self.zone)
        if local.date() == now.astimezone(self.zone).date():
            return self.clock(instant)
        return self.say("{time} on {day}", time=self.clock(instant), day=self.language.date(local))

    def end(self, instant: datetime, now: datetime) -> str:
        """Return when something ends, so that nobody mistakes it: `20:43 MSK`, `18:00 MSK tomorrow, 1 December`."""
        local = instant.astimezone(self.zone)
        days = (local.date() - now.astimezone(self.zone).date()).days
        time, day = f"{self.clock(instant)} {self.zone_name(instant)}", self.language.date(local)
        if days == 0:
            return time
        if days == 1:
            return self.say("{time} tomorrow, {day}", time=time, day=day)
        return self.say("{time} on {weekday}, {day}", time=time, weekday=self.say(ON[local.weekday()]), day=day)

    def zone_name(self, instant: datetime) -> str:
        """Return what the zone of the readers is called at an instant: `MSK`, `CEST`, `UTC+4`."""
        name = f"{instant.astimezone(self.zone):%Z}"
        if name == MOSCOW:
            return self.say(MOSCOW)
        return f"UTC{name[0]}{name[1:].removeprefix('0')}" if name.startswith(("+", "-")) else name

    def and_more(self, names: Sequence[str], rest: int) -> str:
        """Return names, and how many more there are."""
        listed = ", ".join(names)
        return self.count(rest, "{names} and {n} more", "{names} and {n} more", names=listed) if rest > 0 else listed

    def first_and_last(self, incident: Incident) -> tuple[str, str]:
        """Return the beginning and the end of the bad time."""
        last = incident.last_bad_at
        return self.beginning(incident.since, last), self.beginning(last, last)

    def worst(self, incident: Incident, objective: Objective | None) -> str:
        """Return the worst value of the present opening as a sentence; empty where it was worse before."""
        return self.worst_ever(incident, objective) if is_worst_of_opening(incident) else ""

    def worst_ever(self, incident: Incident, objective: Objective | None) -> str:
        """Return the worst value of an incident as a sentence; empty where there is none."""
        if objective is None or incident.worst is None or objective.counts_scrapes:
            return ""
        value = self.number(objective, incident.worst, incident.bounds)
        if incident.worst_at is None:
            return self.say("Worst {value}.", value=value)
        return self.say("Worst {value} at {time}.", value=value, time=self.clock(incident.worst_at))

    def missed(self, objective: Objective, value: float | None) -> str:
        """Return the present value of a gauge that is furthest from good, as a sentence; empty where all are good."""
        if value is None:
            return ""
        if objective.source.has_ages:
            return self.say("Oldest: {duration} ago.", duration=timedelta(seconds=min(value, MOST_SECONDS)))
        return self.say("Worst value now: {value}.", value=self.language.decimal_of(value))

    def counts(self, incident: Incident, objective: Objective | None) -> str:
        """Return how many events of the present opening were bad, as a sentence; empty where none were counted."""
        now = incident.this_opening
        if objective is None or objective.is_up or not round(now.total):
            return ""
        return self.events(objective, now.bad, now.total)

    def events(self, objective: Objective, bad: float, total: float) -> str:
        """Return how many of how many were bad, as a sentence."""
        one, more = objective.source.text.events
        target = self.threshold(objective)
        return self.count(round(total), one, more, bad=self.language.number(bad), target=target)

    def few(self, names: Sequence[str], more: int = 0) -> str:
        """Return the first names, and how many more there are, with `more` that are not among them."""
        return self.and_more(names[:MAX_ENDPOINTS], max(0, len(names) - MAX_ENDPOINTS) + more)

    def foot(self, incident: Incident) -> str:
        """Return the last line of a message: the number of the incident, and what it is about."""
        return self.say("#{number} · {name}", number=incident.number, name=self.name(incident.key))

    def name(self, key: Key) -> str:
        """Return what people type, and whether it is about the budget; of the watchdog's own incidents, what it is."""
        labels = dict(key.labels)
        if key.objective == DOWN and "job" in labels:
            return self.say("all targets of {job}", job=shortened(labels["job"]))
        if key.objective == SIGHT.objective and labels:
            return self.say("monitoring of {name}", name=shortened(", ".join(labels.values())))
        if key.is_own:
            return self.title(key)
        name = shortened(str(replace(key, alert=Alert.BREACH)))
        return name if key.alert is Alert.BREACH else self.say("{name} budget", name=name)

    def target(self, objective: Objective) -> str:
        """Return what a value is to be, with its sign: `≤ 1 s`."""
        match objective.source.unit:
            case Unit.SECONDS:
                return f"≤ {self.seconds(objective.limit)}"
            case Unit.GOOD_SHARE:
                return f"≥ {self.language.percent(objective.ratio)}"
            case Unit.BAD_SHARE:
                return f"≤ {self.language.percent(objective.allowed_bad_ratio)}"

    def threshold(self, objective: Objective) -> str:
        """Return the time that a good event keeps to, or the condition on its value; empty where there is neither."""
        threshold = objective.source.threshold
        return shortened(objective.source.condition) if threshold is None else self.seconds(threshold)

    def number(self, objective: Objective, value: float, bounds: Sequence[float] = ()) -> str:
        """Return a value with its unit, as exact as it takes to differ from the target.

        For `up`, how much of it was up.
        """
        if objective.source.unit is Unit.SECONDS:
            return self.seconds(value, bounds, apart_from=objective.limit)
        if abs(value - round(value)) < ROUNDING:  # all or none, as a metric source adds up fractions
            value = float(round(value))
        if objective.source.unit is Unit.GOOD_SHARE:
            return self.language.percent(max(0.0, 1 - value), apart_from=objective.ratio)
        return self.language.percent(value, apart_from=objective.allowed_bad_ratio)

    def value(self, objective: Objective, value: Value, bounds: Sequence[float] = ()) -> str:
        """Return a value and its time range: `p95 0.04 s (last 20 s)`."""
        what = self.measured(objective, self.number(objective, value.number, bounds))
        return what if value.over is None else self.say("{value} (last {duration})", value=what, duration=value.over)

    def window(self, objective: Objective) -> Hole:
        """Return the present window of an error budget: a span, or `this month`."""
        return objective.window if objective.calendar is None else self.say(THIS[objective.calendar.unit])

    def each_window(self, objective: Objective) -> Hole:
        """Return what an objective is over: a span, or `a calendar month`."""
        return objective.window if objective.calendar is None else self.say(EACH[objective.calendar.unit])

    def measured(self, objective: Objective, number: str) -> str:
        """Return a number with what it is the number of."""
        return self.say(objective.source.text.measured, share=number, quantile=f"{objective.ratio * 100:g}")

    def against_target(self, incident: Incident, objective: Objective, *, bold: bool = False) -> str:
        """Return how an incident stands against its target."""
        if incident.waiting_seconds is not None:
            waited = self.seconds(incident.waiting_seconds)
            waited = self.say("no answer for {duration}", duration=f"<b>{waited}</b>" if bold else waited)
            return self.say("{value} (target {target})", value=waited, target=self.target(objective))
        if incident.shown is None:
            return self.say("in breach (target {target})", target=self.target(objective))
        return self.kept(objective, incident.shown, incident.bounds, bold=bold)

    def kept(self, objective: Objective, value: Value, bounds: Sequence[float] = (), *, bold: bool = False) -> str:
        """Return a value beside its target and its time range: `p95 2.4 s (target ≤ 1 s, last 20 s)`."""
        number = self.number(objective, value.number, bounds)
        what = self.measured(objective, f"<b>{number}</b>" if bold else number)
        target = self.target(objective)
        if value.over is None:
            return self.say("{value} (target {target})", value=what, target=target)
        return self.say("{value} (target {target}, last {duration})", value=what, target=target, duration=value.over)
